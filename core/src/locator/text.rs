//! The spelling of paths, keys and text.

use super::LocatorError;

/// Characters that structure a locator, or escape.
const RESERVED: &str = "?&()=%";

/// Whether a character ends a path, key or text.
pub(super) fn ends_text(c: char) -> bool {
    c != '%' && RESERVED.contains(c)
}

pub(super) fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
}

/// The one spelling of a text.
pub(super) fn escape(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for c in text.chars() {
        if RESERVED.contains(c) || c.is_whitespace() || c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                for digit in [byte >> 4, byte & 15] {
                    spelled.extend(char::from_digit(digit.into(), 16).map(|d| d.to_ascii_uppercase()));
                }
                spelled.insert(spelled.len() - 2, '%');
            }
        } else {
            spelled.push(c);
        }
    }
    spelled
}

/// The text of a spelling. More may be escaped than [`escape`] does, in digits of either case, as programs that write addresses do; less may not.
pub(super) fn unescape(spelled: &str) -> Result<String, LocatorError> {
    let invalid = || LocatorError::Escape { text: spelled.to_owned() };
    let mut bytes = Vec::with_capacity(spelled.len());
    let mut rest = spelled.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
            match (digit(), digit()) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => return Err(invalid()),
            }
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    if spelled.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(LocatorError::Spelling { text: spelled.to_owned(), canonical: escape(&text) });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_be_ambiguous_is_escaped() {
        assert_eq!(escape("a?b&c(d)e=f%g h\ti\u{1b}"), "a%3Fb%26c%28d%29e%3Df%25g%20h%09i%1B");
        assert_eq!(escape("/dev/tty:é\u{a0}\u{85}"), "/dev/tty:é%C2%A0%C2%85");
        assert_eq!(unescape("100%25%C2%A0"), Ok("100%\u{a0}".into()));
    }

    #[test]
    fn a_text_is_read_in_every_spelling_that_escapes_enough() {
        let spelling = |text: &str, canonical: &str| LocatorError::Spelling { text: text.into(), canonical: canonical.into() };
        for (spelled, text, canonical) in [("%41%3B%2C%2F", "A;,/", "A;,/"), ("%3f", "?", "%3F"), ("a%20b", "a b", "a%20b")] {
            assert_eq!(unescape(spelled), Ok(text.into()));
            assert_eq!(escape(text), canonical);
        }
        assert_eq!(unescape("a b"), Err(spelling("a b", "a%20b")));
        for text in ["%", "%2", "%GG", "100%", "%FF", "%é"] {
            assert_eq!(unescape(text), Err(LocatorError::Escape { text: text.into() }));
        }
    }

    proptest! {
        #[test]
        fn every_text_survives_its_spelling(text in any::<String>()) {
            prop_assert_eq!(unescape(&escape(&text)), Ok(text));
        }
    }
}
