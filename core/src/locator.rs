//! The string that names a substrate.
//!
//! ```text
//! locator = scheme ":" path [ "?" key "=" value { "&" key "=" value } ]
//! value   = text | "(" locator ")"
//! ```
//!
//! Path, keys and text may hold any characters, but `?`, `&`, `(`, `)`, `=`, `%`, white space and control characters are written as `%` and
//! two upper-case hexadecimal digits for each byte of their UTF-8. Other characters may be written so too, and are read as themselves; what is
//! printed has one spelling, so that two reports that name the same substrate do it in the same words.
//!
//! ```
//! use isoform_core::locator::Locator;
//!
//! let locator: Locator = "place:?linear=(twin:crossbar?seed=7)&*=(cpu:)".parse()?;
//! assert_eq!(locator.scheme(), "place");
//! assert_eq!(locator.to_string(), "place:?linear=(twin:crossbar?seed=7)&*=(cpu:)");
//! # Ok::<(), isoform_core::locator::LocatorError>(())
//! ```

mod options;
mod parse;
mod text;

pub use options::{FromOption, Options};

use crate::error::{Error, ErrorKind};
use std::fmt;

/// How deep locators nest at most.
pub const MAX_DEPTH: usize = 16;

/// The name of a substrate: a scheme, a path that the scheme interprets, and options, which may be locators themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locator {
    scheme: String,
    path: String,
    options: Vec<(String, OptionValue)>,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OptionValue {
    /// Text, without its escapes.
    Text(String),
    /// Another substrate, in parentheses.
    Nested(Box<Locator>),
}

impl OptionValue {
    /// How many locators stand within each other here.
    fn depth(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::Nested(locator) => locator.depth(),
        }
    }
}

impl From<&str> for OptionValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for OptionValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Locator> for OptionValue {
    fn from(locator: Locator) -> Self {
        Self::Nested(Box::new(locator))
    }
}

impl Locator {
    /// A locator with this scheme, an empty path and no options.
    ///
    /// # Errors
    /// [`LocatorError::Scheme`] if the scheme is not a lower-case letter followed by lower-case letters, digits, `+`, `-` or `.`.
    pub fn new(scheme: impl Into<String>) -> Result<Self, LocatorError> {
        let scheme = scheme.into();
        if text::is_scheme(&scheme) {
            Ok(Self { scheme, path: String::new(), options: Vec::new() })
        } else {
            Err(LocatorError::Scheme { scheme })
        }
    }

    /// Sets the path, given without escapes.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds an option, or replaces the one of that key; key and text are given without escapes.
    ///
    /// # Errors
    /// [`LocatorError::NoKey`] if the key is empty, and [`LocatorError::TooDeep`] if locators would nest deeper than [`MAX_DEPTH`].
    pub fn with_option(mut self, key: impl Into<String>, value: impl Into<OptionValue>) -> Result<Self, LocatorError> {
        let (key, value) = (key.into(), value.into());
        if key.is_empty() {
            return Err(LocatorError::NoKey);
        }
        if value.depth() >= MAX_DEPTH {
            return Err(LocatorError::TooDeep);
        }
        match self.options.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.options.push((key, value)),
        }
        Ok(self)
    }

    /// The scheme, by which a registry finds who realises the locator.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The path, without escapes; may be empty.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The options in their order; no key comes twice.
    #[must_use]
    pub fn options(&self) -> &[(String, OptionValue)] {
        &self.options
    }

    /// The value of an option, if it is given.
    #[must_use]
    pub fn option(&self, key: &str) -> Option<&OptionValue> {
        self.options.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Reads the options by type and refuses those that nobody asked for.
    pub fn reader(&self) -> Options<'_> {
        Options::new(self)
    }

    fn depth(&self) -> usize {
        1 + self.options.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, text::escape(&self.path))?;
        for (i, (key, value)) in self.options.iter().enumerate() {
            let mark = if i == 0 { '?' } else { '&' };
            write!(f, "{mark}{}=", text::escape(key))?;
            match value {
                OptionValue::Text(text) => f.write_str(&text::escape(text))?,
                OptionValue::Nested(locator) => write!(f, "({locator})")?,
            }
        }
        Ok(())
    }
}

impl From<Locator> for String {
    fn from(locator: Locator) -> Self {
        locator.to_string()
    }
}

impl TryFrom<String> for Locator {
    type Error = LocatorError;

    fn try_from(text: String) -> Result<Self, LocatorError> {
        text.parse()
    }
}

/// Why a string is no locator, and what to write instead.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// There is no colon.
    #[error("{text:?} has no colon after its scheme: write {hint:?}")]
    NoColon {
        /// What stands where a locator should.
        text: String,
        /// What could have been meant.
        hint: String,
    },
    /// The scheme has characters that a scheme cannot have.
    #[error("the scheme {scheme:?} must be a lower-case letter followed by lower-case letters, digits, \"+\", \"-\" or \".\"")]
    Scheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// A percent sign does not begin an escape.
    #[error("a \"%\" in {text:?} must precede two hexadecimal digits of UTF-8: write a percent sign as \"%25\"")]
    Escape {
        /// The path, key or value.
        text: String,
    },
    /// A path, key or value is written with too few escapes.
    #[error("{text:?} has another spelling: write {canonical:?}")]
    Spelling {
        /// The path, key or value.
        text: String,
        /// The same as it must be written.
        canonical: String,
    },
    /// A character with a meaning of its own stands where it has none.
    #[error("{found:?} at byte {at} means nothing there: write \"%{:02X}\" if it belongs to the text", u32::from(*found))]
    Misplaced {
        /// The character.
        found: char,
        /// The bytes before it.
        at: usize,
    },
    /// Something follows a closing parenthesis that is neither `&` nor the end.
    #[error("{text:?} follows a closing parenthesis: write \"&\" and the next option there, or nothing")]
    Trailing {
        /// What follows.
        text: String,
    },
    /// An option has no key.
    #[error("an option has no key: write \"KEY=VALUE\" after \"?\" and each \"&\", or leave the mark out")]
    NoKey,
    /// An option has no value.
    #[error("option {key:?} has no value: write \"{key}=VALUE\"")]
    NoValue {
        /// The key, as it is written.
        key: String,
    },
    /// A key comes twice.
    #[error("option {key:?} is given twice: keep one of the two")]
    Twice {
        /// The key.
        key: String,
    },
    /// A parenthesis is not closed.
    #[error("the parenthesis at byte {at} is not closed: write \")\" after the locator in it")]
    Unclosed {
        /// The bytes before it.
        at: usize,
    },
    /// Locators stand in locators too often.
    #[error("locators nest deeper than {MAX_DEPTH}: name the inner substrate in fewer steps")]
    TooDeep,
}

impl From<LocatorError> for Error {
    fn from(error: LocatorError) -> Self {
        Self::new(ErrorKind::Unsupported, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_is_built_from_its_parts() {
        let inner = Locator::new("twin").expect("valid").with_path("crossbar").with_option("seed", "7").expect("valid");
        let locator = Locator::new("place")
            .and_then(|l| l.with_option("linear", "(?)"))
            .and_then(|l| l.with_option("*", "a b"))
            .and_then(|l| l.with_option("linear", inner))
            .expect("valid");
        assert_eq!(locator.to_string(), "place:?linear=(twin:crossbar?seed=7)&*=a%20b");
        assert_eq!(locator.option("*"), Some(&OptionValue::from("a b")));
        assert_eq!(locator.option("seed"), None);
    }

    #[test]
    fn parts_that_do_not_parse_back_are_refused() {
        assert_eq!(Locator::new("CPU"), Err(LocatorError::Scheme { scheme: "CPU".into() }));
        let mut locator = Locator::new("cpu").expect("valid");
        assert_eq!(locator.clone().with_option("", "1"), Err(LocatorError::NoKey));
        for _ in 1..MAX_DEPTH {
            locator = Locator::new("place").and_then(|outer| outer.with_option("on", locator)).expect("valid");
        }
        assert_eq!(locator.to_string().parse::<Locator>(), Ok(locator.clone()));
        assert_eq!(Locator::new("place").and_then(|outer| outer.with_option("on", locator)), Err(LocatorError::TooDeep));
    }

    #[test]
    fn a_report_holds_a_locator_as_its_string() {
        let locator: Locator = "opencl:0/0?binary=lif.bin".parse().expect("valid");
        let json = serde_json::to_string(&locator).expect("a string");
        assert_eq!(json, "\"opencl:0/0?binary=lif.bin\"");
        assert_eq!(serde_json::from_str::<Locator>(&json).expect("valid"), locator);
        assert!(serde_json::from_str::<Locator>("\"opencl\"").is_err());
    }

    #[test]
    fn the_error_becomes_one_of_the_contract() {
        let error = Error::from(LocatorError::NoKey);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<LocatorError>()));
    }
}
