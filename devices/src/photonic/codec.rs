//! Messages of the Qontrol Q8 family as bytes.
//!
//! Source: `takeqontrol/api` @ `9f601d758e87a8dc24d3efa5048cca512a6b9a19`, `qontrol.py` 1.1.20 and its guide. Text: a command, perhaps a channel,
//! `?` or `=` with a value, LF. Binary: a header with bit 7 set, a command byte, three bytes of address, then one word, or with `DEXT` a count
//! of words and the words; all big-endian. Replies are lines of text in both: `OK`, values with their unit, or `Enn:cc`.

use isoform_serial::error::{Result, SerialError};

/// Bits of the binary header.
pub mod header {
    /// A header, and no text.
    pub const BINARY: u8 = 0x80;
    /// For all channels.
    pub const ALL: u8 = 0x20;
    /// The address names a module.
    pub const MODULE: u8 = 0x10;
    /// Reads.
    pub const READ: u8 = 0x08;
    /// A count of words follows.
    pub const EXTENDED: u8 = 0x02;
}

/// Command codes.
pub mod command {
    /// Voltage.
    pub const V: u8 = 0x00;
    /// Current.
    pub const I: u8 = 0x01;
    /// The limit of the voltage.
    pub const VMAX: u8 = 0x02;
    /// The limit of the current.
    pub const IMAX: u8 = 0x03;
}

/// A header with the number of its ones made even by bit 0.
#[must_use]
pub fn header(bits: u8) -> u8 {
    let bits = header::BINARY | (bits & !1);
    bits | u8::from(bits.count_ones() % 2 == 1)
}

/// Sets words from a channel on: the binary vector.
#[must_use]
pub fn vector(command: u8, first: u16, words: &[u16]) -> Vec<u8> {
    let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
    let mut message = vec![header(header::EXTENDED), command, 0];
    message.extend(first.to_be_bytes());
    message.extend(count.to_be_bytes());
    message.extend(words.iter().take(usize::from(count)).flat_map(|w| w.to_be_bytes()));
    message
}

/// A value as a word: `int(v / fullscale * 65535)`, nought and full scale at the ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates at the ends of the word")]
#[must_use]
pub fn word(value: f64, full: f64) -> u16 {
    (value / full * 65535.0) as u16
}

/// The word whose value is nearest.
#[must_use]
pub fn nearest(value: f64, full: f64) -> u16 {
    word(value + full / 131_070.0, full)
}

/// The value of a word.
#[must_use]
pub fn value(word: u16, full: f64) -> f64 {
    f64::from(word) / 65535.0 * full
}

/// The code and the channel of an error line.
#[must_use]
pub fn error(line: &[u8]) -> Option<(u8, u16)> {
    let (code, channel) = std::str::from_utf8(line).ok()?.trim().strip_prefix('E')?.split_once(':')?;
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if digits(code) && digits(channel) { Some((code.parse().ok()?, channel.parse().ok()?)) } else { None }
}

/// What an error code says.
#[must_use]
pub fn meaning(code: u8) -> &'static str {
    match code {
        1 => "over-voltage",
        2 => "over-current",
        3 => "the supply of the channel failed",
        4 => "a calibration is wrong",
        5 => "the output failed",
        10 => "it does not know the command",
        11 => "a parameter is wrong",
        12 => "it has no such channel",
        13 => "the command is forbidden",
        14 => "the message is longer than its buffer",
        15 => "a byte came damaged",
        16 => "a message was not finished in time",
        17..=19 => "a bus inside failed",
        30 => "errors were suppressed",
        31 => "the firmware failed",
        90 => "it was switched on",
        _ => "unknown",
    }
}

/// A value with its unit: `+1.500 V`, `+24.000 mA`.
///
/// # Errors
/// `Garbled` if it is none.
pub fn reading(what: &str, line: &[u8], unit: &str) -> Result<f64> {
    let text = std::str::from_utf8(line).ok().and_then(|t| t.trim_end().strip_suffix(unit));
    let number = text.and_then(|t| crate::scpi::codec::number(t.as_bytes()));
    match (number, text) {
        (None, _) | (_, None) => Err(SerialError::garbled(what, line, format!("it is no number of {}", unit.trim_start()))),
        // the sign is always there: without it a byte was lost
        (Some(_), Some(text)) if !text.starts_with(['+', '-']) => {
            Err(SerialError::garbled(what, line, "the sign is missing that stands before every number: a byte was lost"))
        }
        (Some(number), Some(_)) => Ok(number),
    }
}

/// How many channels a module has, from its identity `Q8iv-00A1`: the digits of its type.
#[must_use]
pub fn channels(identity: &str) -> Option<usize> {
    let (kind, serial) = identity.split_once('-')?;
    let digits: String = kind.strip_prefix('Q')?.chars().take_while(char::is_ascii_digit).collect();
    let is_serial = !serial.is_empty() && serial.bytes().all(|b| b.is_ascii_hexdigit() || b == b'*');
    if is_serial { digits.parse().ok().filter(|n| (1..=64).contains(n)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_those_of_the_official_client() {
        assert_eq!(vector(command::V, 0, &[0x1555; 8])[..9], [0x82, 0, 0, 0, 0, 0, 8, 0x15, 0x55]);
        assert_eq!(vector(command::V, 0, &[0x1555; 8]).len(), 7 + 16);
        assert_eq!((header(0), header(header::EXTENDED), header(header::READ)), (0x81, 0x82, 0x88));
        assert_eq!((word(6.0, 12.0), word(1.0, 12.0), word(13.0, 12.0), word(-1.0, 12.0)), (0x7fff, 0x1555, 0xffff, 0));
        assert_eq!((nearest(6.0, 12.0), nearest(12.0, 12.0), nearest(0.0, 12.0)), (0x8000, 0xffff, 0));
        assert!((value(0x1555, 12.0) - 1.0).abs() < 12.0 / 65535.0);
    }

    #[test]
    fn replies_are_read() {
        assert_eq!(error(b"E01:02"), Some((1, 2)));
        assert_eq!(error(b"E90:00\r"), Some((90, 0)));
        for line in ["OK", "E1", "E:1", "E1:x", "+1.500 V", "E-1:2"] {
            assert_eq!(error(line.as_bytes()), None, "{line}");
        }
        assert_eq!(reading("a voltage", b"+1.500 V", " V").expect("is one"), 1.5);
        assert_eq!(reading("a current", b"+24.000 mA", " mA").expect("is one"), 24.0);
        let refused = |line: &[u8]| reading("a voltage", line, " V").expect_err("is none").to_string();
        assert_eq!(refused(b"+1.500 mA"), "a voltage reads \"+1.500 mA\": it is no number of V");
        assert!(refused(b"99999 V").contains("the sign is missing"));
        assert_eq!(
            (channels("Q8iv-00A1"), channels("Q8b-*"), channels("M2-01"), channels("Q8iv")),
            (Some(8), Some(8), None, None)
        );
    }

    proptest! {
        #[test]
        fn no_line_brings_it_down(line in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (error(&line), reading("a value", &line, " V"), channels(&String::from_utf8_lossy(&line)));
        }
    }
}
