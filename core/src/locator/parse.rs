//! From a string to a locator, by recursive descent.

use super::{Locator, LocatorError, MAX_DEPTH, OptionValue, text};
use std::str::FromStr;

impl FromStr for Locator {
    type Err = LocatorError;

    fn from_str(whole: &str) -> Result<Self, LocatorError> {
        let mut parser = Parser { whole, rest: whole };
        let locator = parser.locator(1)?;
        match parser.rest.chars().next() {
            None => Ok(locator),
            Some(found) => Err(parser.misplaced(found)),
        }
    }
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Reads a locator up to the end, or up to a character that cannot continue it.
    fn locator(&mut self, depth: usize) -> Result<Locator, LocatorError> {
        if depth > MAX_DEPTH {
            return Err(LocatorError::TooDeep);
        }
        let locator = Locator::new(self.scheme()?)?;
        let mut locator = locator.with_path(text::unescape(self.text())?);
        let mut mark = '?';
        while self.accept(mark) {
            let (key, value) = self.option(depth)?;
            if locator.option(&key).is_some() {
                return Err(LocatorError::Twice { key });
            }
            locator = locator.with_option(key, value)?;
            mark = '&';
        }
        Ok(locator)
    }

    fn scheme(&mut self) -> Result<&'a str, LocatorError> {
        let text = self.rest;
        let end = text.find(|c| c == ':' || text::ends_text(c)).unwrap_or(text.len());
        let (scheme, rest) = text.split_at(end);
        match rest.strip_prefix(':') {
            Some(rest) => {
                self.rest = rest;
                Ok(scheme)
            }
            None => {
                let hint = if text::is_scheme(scheme) { format!("{scheme}:") } else { "SCHEME:PATH".to_owned() };
                Err(LocatorError::NoColon { text: scheme.to_owned(), hint })
            }
        }
    }

    fn option(&mut self, depth: usize) -> Result<(String, OptionValue), LocatorError> {
        let spelled = self.text();
        let key = text::unescape(spelled)?;
        if !self.accept('=') {
            return Err(match self.rest.chars().next() {
                Some(found) if found != '&' && found != ')' => self.misplaced(found),
                _ if key.is_empty() => LocatorError::NoKey,
                _ => LocatorError::NoValue { key: spelled.to_owned() },
            });
        }
        if key.is_empty() {
            return Err(LocatorError::NoKey);
        }
        let at = self.at();
        if !self.accept('(') {
            return Ok((key, text::unescape(self.text())?.into()));
        }
        let nested = self.locator(depth + 1)?;
        if !self.accept(')') {
            return Err(match self.rest.chars().next() {
                None => LocatorError::Unclosed { at },
                Some(found) => self.misplaced(found),
            });
        }
        match self.text() {
            "" => Ok((key, nested.into())),
            text => Err(LocatorError::Trailing { text: text.to_owned() }),
        }
    }

    /// Takes everything up to the next character that structures.
    fn text(&mut self) -> &'a str {
        let (text, rest) = self.rest.split_at(self.rest.find(text::ends_text).unwrap_or(self.rest.len()));
        self.rest = rest;
        text
    }

    fn accept(&mut self, mark: char) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn at(&self) -> usize {
        self.whole.len() - self.rest.len()
    }

    fn misplaced(&self, found: char) -> LocatorError {
        LocatorError::Misplaced { found, at: self.at() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn locators_print_back_identically() {
        for text in [
            "cpu:",
            "cpu:?threads=2",
            "wgpu:?adapter=llvmpipe",
            "opencl:0/0?binary=lif.bin",
            "serial:/dev/ttyACM0?device=qontrol&baud=115200",
            "tcp:127.0.0.1:5732?device=lucidac",
            "tcp:[::1]:5732",
            "twin:crossbar?seed=7",
            "replay:session.log",
            "replay:my%20session%3F.log?note=",
            "place:?linear=(twin:crossbar?seed=7)&*=(cpu:)",
            "place:?a=(place:?b=(cpu:?threads=2)&c=x)&d=(serial:COM3)",
            "rfc2217:HOST:PORT",
        ] {
            assert_eq!(text.parse::<Locator>().map(|l| l.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_need_not_be_escaped_may_be() {
        let locator: Locator = "stdio:python3%20%2Fopt%2fboard.py%3B?device=board&unit=x%3A20%2Cy".parse().expect("valid");
        assert_eq!((locator.path(), locator.option("unit")), ("python3 /opt/board.py;", Some(&"x:20,y".into())));
        assert_eq!(locator.to_string(), "stdio:python3%20/opt/board.py;?device=board&unit=x:20,y");
    }

    #[test]
    fn parts_are_told_apart() {
        let locator: Locator = "serial:/dev/a%26b?device=(twin:x?seed=7)&baud=115200".parse().expect("valid");
        assert_eq!((locator.scheme(), locator.path()), ("serial", "/dev/a&b"));
        let twin =
            Locator::new("twin").map(|twin| twin.with_path("x")).and_then(|twin| twin.with_option("seed", "7")).expect("valid");
        assert_eq!(locator.options(), [("device".to_owned(), twin.into()), ("baud".to_owned(), "115200".into())]);
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        for (text, message) in [
            ("cpu", r#""cpu" has no colon after its scheme: write "cpu:""#),
            ("", r#""" has no colon after its scheme: write "SCHEME:PATH""#),
            ("cpu?threads=2", r#""cpu" has no colon after its scheme: write "cpu:""#),
            ("place:?*=(cpu)", r#""cpu" has no colon after its scheme: write "cpu:""#),
            ("CPU:", r#"the scheme "CPU" must be a lower-case letter followed by lower-case letters, digits, "+", "-" or ".""#),
            ("cpu:?", r#"an option has no key: write "KEY=VALUE" after "?" and each "&", or leave the mark out"#),
            ("cpu:?a=1&", r#"an option has no key: write "KEY=VALUE" after "?" and each "&", or leave the mark out"#),
            ("cpu:?=1", r#"an option has no key: write "KEY=VALUE" after "?" and each "&", or leave the mark out"#),
            ("cpu:?threads", r#"option "threads" has no value: write "threads=VALUE""#),
            ("cpu:?threads&a=1", r#"option "threads" has no value: write "threads=VALUE""#),
            ("cpu:?a=1&a=2", r#"option "a" is given twice: keep one of the two"#),
            ("replay:a b", r#""a b" has another spelling: write "a%20b""#),
            ("replay:50%", r#"a "%" in "50%" must precede two hexadecimal digits of UTF-8: write a percent sign as "%25""#),
            ("replay:a=b", r#"'=' at byte 8 means nothing there: write "%3D" if it belongs to the text"#),
            ("cpu:?a=1=2", r#"'=' at byte 8 means nothing there: write "%3D" if it belongs to the text"#),
            ("cpu:?a(b)=1", r#"'(' at byte 6 means nothing there: write "%28" if it belongs to the text"#),
            ("cpu:)", r#"')' at byte 4 means nothing there: write "%29" if it belongs to the text"#),
            ("place:?a=(cpu:", r#"the parenthesis at byte 9 is not closed: write ")" after the locator in it"#),
            ("place:?a=(cpu:)x", r#""x" follows a closing parenthesis: write "&" and the next option there, or nothing"#),
        ] {
            assert_eq!(text.parse::<Locator>().map_err(|error| error.to_string()), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}cpu:{}", "place:?on=(".repeat(depth - 1), ")".repeat(depth - 1));
        assert!(nested(MAX_DEPTH).parse::<Locator>().is_ok());
        assert_eq!(nested(MAX_DEPTH + 1).parse::<Locator>(), Err(LocatorError::TooDeep));
        assert_eq!("place:?on=(".repeat(100_000).parse::<Locator>(), Err(LocatorError::TooDeep));
    }

    fn locator() -> impl Strategy<Value = Locator> {
        let leaf = ("[a-z][a-z0-9+.-]{0,4}", any::<String>())
            .prop_map(|(scheme, path)| Locator::new(scheme).expect("a scheme").with_path(path));
        leaf.prop_recursive(4, 32, 4, |inner| {
            let value = prop_oneof![any::<String>().prop_map(OptionValue::Text), inner.clone().prop_map(OptionValue::from)];
            (inner, prop::collection::vec((".+", value), 0..4)).prop_map(|(locator, options)| {
                options.into_iter().fold(locator, |locator, (key, value)| locator.with_option(key, value).expect("shallow"))
            })
        })
    }

    /// What is read prints as it was written, but for escapes that need not be; and that prints as itself.
    fn is_printed_in_one_spelling(text: &str) -> Result<(), TestCaseError> {
        if let Ok(locator) = text.parse::<Locator>() {
            let printed = locator.to_string();
            prop_assert_eq!(printed.parse::<Locator>(), Ok(locator));
            prop_assert!(printed == text || text.contains('%'), "{} of {}", printed, text);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(locator in locator()) {
            prop_assert_eq!(locator.to_string().parse::<Locator>(), Ok(locator));
        }

        #[test]
        fn any_string_is_printed_in_one_spelling_or_refused(text in any::<String>()) {
            is_printed_in_one_spelling(&text)?;
        }

        #[test]
        fn a_string_of_marks_is_printed_in_one_spelling_or_refused(text in "[a-c:?&=()%2F ]{0,24}") {
            is_printed_in_one_spelling(&text)?;
        }

        #[test]
        fn a_damaged_locator_is_printed_in_one_spelling_or_refused(locator in locator(), at in any::<prop::sample::Index>(), with in any::<char>()) {
            let mut letters: Vec<char> = locator.to_string().chars().collect();
            let at = at.index(letters.len());
            letters[at] = with;
            is_printed_in_one_spelling(&letters.into_iter().collect::<String>())?;
        }
    }
}
