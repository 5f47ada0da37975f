//! Values in SCPI messages: blocks of definite length, numbers, entries of the queue of errors, identities.

use isoform_serial::error::{Result, SerialError, printable};
use std::fmt;

/// Appends a block of definite length: `#`, how many digits the length has, the length, the bytes.
pub fn put_block(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len().to_string();
    to.push(b'#');
    to.extend(length.len().to_string().bytes());
    to.extend(length.bytes());
    to.extend(bytes);
}

/// A block at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// More bytes are needed to tell its length.
    Short,
    /// The bytes from the first to before the second place are its contents; they may not all be there.
    Block(usize, usize),
    /// It is no block of definite length.
    Wrong,
}

/// Reads the head of a block of definite length.
#[must_use]
pub fn head(bytes: &[u8]) -> Head {
    match *bytes {
        [] | [b'#'] => Head::Short,
        [b'#', digit @ b'1'..=b'9', ..] => {
            let start = 2 + usize::from(digit - b'0');
            let digits = &bytes[2..bytes.len().min(start)];
            if !digits.iter().all(u8::is_ascii_digit) {
                Head::Wrong
            } else if bytes.len() < start {
                Head::Short
            } else {
                let length = digits.iter().fold(0, |n, d| 10 * n + usize::from(d - b'0'));
                Head::Block(start, start + length)
            }
        }
        _ => Head::Wrong,
    }
}

/// The bytes of a block that is the whole of an answer.
///
/// # Errors
/// `Garbled` if it is none.
pub fn block<'a>(what: &str, text: &'a [u8]) -> Result<&'a [u8]> {
    match head(text) {
        Head::Block(start, end) if end == text.len() => Ok(&text[start..]),
        _ => Err(SerialError::garbled(what, text, "it is no block of definite length")),
    }
}

/// A finite decimal number, with nothing around it but blanks.
#[must_use]
pub fn number(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let plain = !text.is_empty() && text.len() <= 40 && text.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
    if plain { std::str::from_utf8(text).ok()?.parse().ok().filter(|v: &f64| v.is_finite()) } else { None }
}

/// From this magnitude on a number says that there is none: 9.9E37 is infinity, 9.91E37 not a number (SCPI-1999, volume 1, section 7.2.1).
const NO_NUMBER: f64 = 9.9e37;

/// So many numbers between commas.
///
/// # Errors
/// `Garbled` if they are others, or of another count; `Fault` if one of them says that there is no number.
pub fn numbers(what: &str, text: &[u8], count: usize) -> Result<Vec<f64>> {
    let found: Option<Vec<f64>> = text.split(|&b| b == b',').map(number).collect();
    let found = found.ok_or_else(|| SerialError::garbled(what, text, "it is no list of numbers"))?;
    if found.len() != count {
        return Err(SerialError::garbled(what, text, format!("it holds {} numbers instead of {count}", found.len())));
    }
    match found.iter().position(|v| v.abs() >= NO_NUMBER) {
        None => Ok(found),
        Some(at) => {
            let meaning = if found[at].abs() > NO_NUMBER { "that it has no number" } else { "that it is out of range" };
            Err(strange(what, text, at, &format!("by which an instrument says {meaning}")))
        }
    }
}

/// So many numbers between commas, each in a range that a word of advice goes with.
///
/// # Errors
/// As [`numbers`]; `Fault` if one of them is out of the range.
pub fn numbers_within(what: &str, text: &[u8], count: usize, [low, high]: [f64; 2], advice: &str) -> Result<Vec<f64>> {
    let found = numbers(what, text, count)?;
    match found.iter().position(|v| !(low..=high).contains(v)) {
        None => Ok(found),
        Some(at) => Err(strange(what, text, at, &format!("but can only be from {low:.3e} to {high:.3e}: {advice}"))),
    }
}

/// A number that is well written and cannot be one, as it came.
fn strange(what: &str, text: &[u8], at: usize, why: &str) -> SerialError {
    let seen = text.split(|&b| b == b',').nth(at).unwrap_or_default();
    let said = format!("number {} of it is \"{}\", {why}", at + 1, printable(seen.trim_ascii()));
    SerialError::Fault { what: format!("the reading of {what}"), said }
}

/// An entry of the queue of errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number: nought for none, -1xx for syntax, -2xx for execution, -3xx for the device, -4xx for queries.
    pub code: i32,
    /// The instrument's words.
    pub text: String,
}

impl Entry {
    /// Reads `-222,"Data out of range"`; some write `+0`, some leave the quotes away.
    ///
    /// # Errors
    /// `Garbled` if it is no entry.
    pub fn parse(line: &[u8]) -> Result<Self> {
        let garbled = || SerialError::garbled("an error of the queue", line, "it is no number and text");
        let comma = line.iter().position(|&b| b == b',').ok_or_else(garbled)?;
        let code = std::str::from_utf8(line[..comma].trim_ascii()).ok().and_then(|t| t.parse().ok()).ok_or_else(garbled)?;
        let text = String::from_utf8_lossy(line[comma + 1..].trim_ascii()).trim_matches('"').to_owned();
        Ok(Self { code, text })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},\"{}\"", self.code, self.text)
    }
}

/// The answer to `*IDN?`: four fields between commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who made it.
    pub maker: String,
    /// The model.
    pub model: String,
    /// The serial number.
    pub serial: String,
    /// The version of its firmware.
    pub firmware: String,
}

impl Identity {
    /// Reads the four fields; none may be absent.
    ///
    /// # Errors
    /// `Garbled` if there are others.
    pub fn parse(line: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(line);
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        match fields.as_slice() {
            [maker, model, serial, firmware] => Ok(Self {
                maker: (*maker).to_owned(),
                model: (*model).to_owned(),
                serial: (*serial).to_owned(),
                firmware: (*firmware).to_owned(),
            }),
            _ => Err(SerialError::garbled("an identity", line, "it has not the four fields of *IDN?")),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.maker, self.model, self.serial, self.firmware)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_are_bytes() {
        let mut message = b"WLIS:DATA ".to_vec();
        put_block(&mut message, &[1, b'\n', 3]);
        assert_eq!(message, b"WLIS:DATA #13\x01\n\x03");
        assert_eq!(head(b"#"), Head::Short);
        assert_eq!(head(b"#21"), Head::Short);
        assert_eq!(head(b"#212"), Head::Block(4, 16));
        assert_eq!(head(b"#0"), Head::Wrong);
        assert_eq!(head(b"#2x2"), Head::Wrong);
    }

    #[test]
    fn entries_are_read_in_every_dialect() {
        let entry = Entry::parse(b"-222,\"Data out of range\"").expect("is one");
        assert_eq!((entry.code, entry.text.as_str()), (-222, "Data out of range"));
        assert_eq!(entry.to_string(), "-222,\"Data out of range\"");
        assert_eq!(Entry::parse(b"+0,\"No error\"").expect("is one").code, 0);
        assert_eq!(Entry::parse(b"0,No errors").expect("is one").text, "No errors");
        assert!(Entry::parse(b"THORLABS").is_err());
    }

    #[test]
    fn an_identity_has_four_fields() {
        let identity = Identity::parse(b"THORLABS,PM100USB,P0000001,1.4.0").expect("is one");
        assert_eq!(identity.model, "PM100USB");
        assert!(Identity::parse(b"Q8iv-00A1").is_err());
    }

    #[test]
    fn numbers_are_finite_and_counted() {
        assert_eq!(numbers("powers", b"1.5E-3, +2,-.5", 3).expect("three"), [1.5e-3, 2.0, -0.5]);
        for text in ["1,2", "1,2,nan", "1,2,inf", "1,2,", "1,2,3,4", "1,2,1e999", ""] {
            assert!(numbers("powers", text.as_bytes(), 3).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_that_stands_for_none_is_quoted() {
        let refused = |text: &str| {
            let error = numbers("the powers", text.as_bytes(), 2).expect_err(text);
            assert!(matches!(error, SerialError::Fault { .. }), "{error}");
            error.to_string()
        };
        let said = refused("1E-3,9.91E37");
        assert!(said.contains("number 2 of it is \"9.91E37\", by which an instrument says that it has no number"), "{said}");
        for text in ["9.9E37,0", "+9.90000000E+37,0", "-9.9E37,0"] {
            let said = refused(text);
            assert!(said.contains("says that it is out of range"), "{said}");
        }
        assert!(numbers("the powers", b"9.8E37,-9.8e37", 2).is_ok());
        let within = |text: &str| numbers_within("the powers", text.as_bytes(), 2, [-1e-5, 2.0], "zero the meter");
        assert_eq!(within("-1E-5,2").expect("at the ends"), [-1e-5, 2.0]);
        let said = within("-2E-5,0").expect_err("below").to_string();
        assert!(said.contains("\"-2E-5\", but can only be from -1.000e-5 to 2.000e0: zero the meter"), "{said}");
        assert!(within("0,1E30").is_err() && within("0,9.91E37").is_err());
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (head(&text), block("a text", &text), number(&text), Entry::parse(&text), Identity::parse(&text));
        }

        #[test]
        fn what_is_put_is_found(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut text = Vec::new();
            put_block(&mut text, &bytes);
            prop_assert_eq!(block("a block", &text).expect("is one"), bytes.as_slice());
        }
    }
}
