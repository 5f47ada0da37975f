//! Messages of the board protocol as bytes; see `docs/board-protocol.md`.

use crate::scpi::codec::put_block;

/// The longest head of an answer, before its block.
pub const LONGEST_HEAD: usize = 4096;

/// The check sum CRC-16/CCITT-FALSE.
#[must_use]
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    })
}

/// A message of the plain mode.
#[must_use]
pub fn plain(command: &[u8]) -> Vec<u8> {
    let mut message = command.to_vec();
    message.push(b'\n');
    message
}

/// A message, or an answer, of the checked mode.
#[must_use]
pub fn checked(number: u16, words: &[u8]) -> Vec<u8> {
    let mut message = format!("{number} ").into_bytes();
    message.extend(words);
    let sum = crc(&message);
    message.extend(format!("*{sum:04X}\n").bytes());
    message
}

/// The number and the words of a line of the checked mode, without its LF; nothing if its sum does not fit.
#[must_use]
pub fn unchecked(line: &[u8]) -> Option<(u16, &[u8])> {
    let (message, sum) = line.split_at_checked(line.len().checked_sub(5)?)?;
    let sum = std::str::from_utf8(sum.strip_prefix(b"*")?).ok()?;
    if sum.len() != 4 || !sum.bytes().all(|b| b.is_ascii_hexdigit()) || u16::from_str_radix(sum, 16).ok()? != crc(message) {
        return None;
    }
    let space = message.iter().position(|&b| b == b' ')?;
    Some((number(&message[..space])?, &message[space + 1..]))
}

/// A whole number in decimal digits and nothing else.
pub fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    let is_number = !text.is_empty() && text.len() < 20 && text.iter().all(u8::is_ascii_digit);
    if is_number { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// A command with arguments and perhaps a block.
#[derive(Debug, Clone, Default)]
pub struct Command(Vec<u8>);

impl Command {
    /// A command without arguments.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.as_bytes().to_vec())
    }

    /// The same with numbers as arguments.
    #[must_use]
    pub fn with_numbers(mut self, numbers: &[usize]) -> Self {
        for (i, n) in numbers.iter().enumerate() {
            self.0.push(if i == 0 { b' ' } else { b',' });
            self.0.extend(n.to_string().bytes());
        }
        self
    }

    /// The same with a block as its last argument.
    #[must_use]
    pub fn with_block(mut self, bytes: &[u8]) -> Self {
        self.0.push(if self.0.contains(&b' ') { b',' } else { b' ' });
        put_block(&mut self.0, bytes);
        self
    }

    /// The bytes, without an end.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scpi::codec::block;
    use proptest::prelude::*;

    #[test]
    fn the_sum_of_the_digits_is_the_published_one() {
        assert_eq!(crc(b"123456789"), 0x29b1);
        assert_eq!(crc(b""), 0xffff);
    }

    #[test]
    fn commands_are_bytes() {
        let run = Command::new("RUN?").with_numbers(&[2, 0]).with_block(&[1, 2, 10, 4]);
        assert_eq!(run.bytes(), b"RUN? 2,0,#14\x01\x02\n\x04");
        assert_eq!(Command::new("PROG:DATA").with_block(b"ab").bytes(), b"PROG:DATA #12ab");
        assert_eq!(checked(7, b"*OPC?"), format!("7 *OPC?*{:04X}\n", crc(b"7 *OPC?")).into_bytes());
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["", "#", "#0", "#15abcd", "#13abcd", "x14abcd", "#2+4abcd", "#a4abcd"] {
            assert!(block("an answer", text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(block("an answer", b"#14abcd").expect("is one"), b"abcd");
        assert_eq!(block("an answer", b"#10").expect("is one"), b"");
    }

    proptest! {
        #[test]
        fn what_is_sent_is_understood(number in any::<u16>(), words in proptest::collection::vec(any::<u8>(), 0..200)) {
            let message = checked(number, &words);
            let line = message.strip_suffix(b"\n").expect("ends");
            prop_assert_eq!(unchecked(line), Some((number, words.as_slice())));
        }

        #[test]
        fn one_changed_bit_is_noticed(number in any::<u16>(), words in proptest::collection::vec(any::<u8>(), 0..60), at in any::<usize>(), bit in 0..8_u8) {
            let message = checked(number, &words);
            let mut line = message.strip_suffix(b"\n").expect("ends").to_vec();
            let at = at % line.len();
            line[at] ^= 1 << bit;
            // the case of a hexadecimal digit is no difference
            let same = line.eq_ignore_ascii_case(message.strip_suffix(b"\n").expect("ends")) && at >= line.len() - 4;
            prop_assert!(same || unchecked(&line).is_none());
        }

        #[test]
        fn no_text_brings_it_down(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = unchecked(&text);
            let _ = block("a text", &text);
        }
    }
}
