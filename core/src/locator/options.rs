//! Options by type: what is asked for is checked, what nobody asked for is refused.

use super::{Locator, OptionValue};
use crate::error::{Error, Result};
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// What the text of an option can stand for.
pub trait FromOption: Sized {
    /// What such a text looks like, to complete "expects …".
    fn expected() -> String;

    /// The same for one of a range.
    #[must_use]
    fn expected_within(least: &str, most: &str) -> String {
        format!("{least} to {most}")
    }

    /// Reads the text, without escapes; `None` if it is something else.
    fn from_option(text: &str) -> Option<Self>;
}

macro_rules! whole_number {
    ($($number:ty),+) => {$(
        impl FromOption for $number {
            fn expected() -> String {
                Self::expected_within(&Self::MIN.to_string(), &Self::MAX.to_string())
            }

            fn expected_within(least: &str, most: &str) -> String {
                format!("a whole number from {least} to {most}")
            }

            fn from_option(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

whole_number!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl FromOption for f64 {
    fn expected() -> String {
        "a finite number such as 0.5 or 1e-3".to_owned()
    }

    fn from_option(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl FromOption for f32 {
    fn expected() -> String {
        f64::expected()
    }

    fn from_option(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl FromOption for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn from_option(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromOption for String {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn from_option(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl FromOption for PathBuf {
    fn expected() -> String {
        "the path of a file".to_owned()
    }

    fn from_option(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

/// The options of a locator, taken one by one.
///
/// ```
/// use isoform_core::locator::Locator;
///
/// let locator: Locator = "place:?threads=2&on=(cpu:)".parse()?;
/// let mut options = locator.reader();
/// let threads: Option<usize> = options.take("threads")?;
/// let on: Option<Locator> = options.take_nested("on")?;
/// options.finish(&["threads", "on"])?;
/// assert_eq!((threads, on), (Some(2), Some("cpu:".parse()?)));
/// # Ok::<(), isoform_core::error::Error>(())
/// ```
#[must_use = "an option that is not taken is refused by `finish` only"]
#[derive(Debug)]
pub struct Options<'a> {
    locator: &'a Locator,
    rest: Vec<&'a (String, OptionValue)>,
}

impl<'a> Options<'a> {
    pub(super) fn new(locator: &'a Locator) -> Self {
        Self { locator, rest: locator.options().iter().collect() }
    }

    /// Takes an option that stands for a `T`; `None` if it is not given.
    ///
    /// # Errors
    /// `Unsupported` if the option is given but is no `T`.
    pub fn take<T: FromOption>(&mut self, key: &str) -> Result<Option<T>> {
        match self.remove(key) {
            None => Ok(None),
            Some(OptionValue::Text(text)) => match T::from_option(text) {
                Some(value) => Ok(Some(value)),
                None => Err(self.refuse(format!("option {key:?} is {text:?}, but expects {}", T::expected()))),
            },
            Some(OptionValue::Nested(nested)) => {
                Err(self.refuse(format!("option {key:?} is the locator \"{nested}\", but expects {}", T::expected())))
            }
        }
    }

    /// Takes an option that stands for a number of a range, ends included; `None` if it is not given.
    ///
    /// # Errors
    /// `Unsupported` if the option is given but is no such number.
    pub fn take_within<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Result<Option<T>>
    where
        T: FromOption + PartialOrd + Debug + Copy,
    {
        let written = self.rest.iter().find(|(k, _)| k == key).map(|(_, value)| value);
        let Some(OptionValue::Text(text)) = written else { return self.take(key) };
        self.remove(key);
        match T::from_option(text).filter(|value| range.contains(value)) {
            Some(value) => Ok(Some(value)),
            None => {
                let plain = |end: &T| format!("{end:?}").trim_end_matches(".0").to_owned();
                let expected = T::expected_within(&plain(range.start()), &plain(range.end()));
                Err(self.refuse(format!("option {key:?} is {text:?}, but expects {expected}")))
            }
        }
    }

    /// Takes an option that names another substrate; `None` if it is not given.
    ///
    /// # Errors
    /// `Unsupported` if the option is given but is no locator in parentheses.
    pub fn take_nested(&mut self, key: &str) -> Result<Option<Locator>> {
        match self.remove(key) {
            None => Ok(None),
            Some(OptionValue::Nested(nested)) => Ok(Some((**nested).clone())),
            Some(OptionValue::Text(text)) => Err(self.refuse(format!(
                "option {key:?} is {text:?}, but expects a locator in parentheses, such as \"{}=(cpu:)\"",
                super::text::escape(key)
            ))),
        }
    }

    /// Takes every option that is left, with its key without escapes; each must name another substrate.
    ///
    /// # Errors
    /// `Unsupported` if one of them is no locator in parentheses.
    pub fn take_all_nested(&mut self) -> Result<Vec<(String, Locator)>> {
        let keys: Vec<String> = self.rest.iter().map(|(key, _)| key.clone()).collect();
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            if let Some(locator) = self.take_nested(&key)? {
                all.push((key, locator));
            }
        }
        Ok(all)
    }

    /// Drops the options that another reader of the same locator has taken: the two share what they know.
    pub fn drop_taken(&mut self, other: &Self) {
        self.rest.retain(|(key, _)| other.rest.iter().any(|(k, _)| k == key));
    }

    /// Ends the reading; `known` lists all keys that the scheme takes, for the message.
    ///
    /// # Errors
    /// `Unsupported` if an option was not taken, naming the known ones.
    pub fn finish(self, known: &[&str]) -> Result<()> {
        let scheme = format!("{}:", self.locator.scheme());
        self.finish_of(&scheme, known)
    }

    /// The same where the options are those of one of several things that the scheme opens, such as `twin:mesh`.
    ///
    /// # Errors
    /// `Unsupported` if an option was not taken, naming the known ones.
    pub fn finish_of(self, name: &str, known: &[&str]) -> Result<()> {
        let Some((key, _)) = self.rest.first() else { return Ok(()) };
        Err(self.refuse(if known.contains(&key.as_str()) {
            format!("option {key:?} does not go with the others: leave it out")
        } else if known.is_empty() {
            format!("option {key:?} is unknown: \"{name}\" takes no options")
        } else {
            format!("option {key:?} is unknown: \"{name}\" takes {}", known.join(", "))
        }))
    }

    fn remove(&mut self, key: &str) -> Option<&'a OptionValue> {
        let index = self.rest.iter().position(|(k, _)| k == key)?;
        Some(&self.rest.remove(index).1)
    }

    fn refuse(&self, message: String) -> Error {
        Error::unsupported(message).with_locator(self.locator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn locator(text: &str) -> Locator {
        text.parse().expect("valid")
    }

    fn refusal<T: FromOption>(text: &str) -> String {
        let locator = locator(text);
        let error = locator.reader().take::<T>("n").map(|_| ()).expect_err("must be refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        error.message().to_owned()
    }

    #[test]
    fn two_readers_share_what_they_take() {
        let locator = locator("x:?a=1&b=2&c=3");
        let (mut one, mut other) = (locator.reader(), locator.reader());
        let _: Option<u8> = one.take("a").expect("valid");
        let _: Option<u8> = other.take("b").expect("valid");
        one.drop_taken(&other);
        let error = one.finish(&["a", "b"]).expect_err("c is left");
        assert!(error.message().contains("\"c\""), "{error}");
    }

    #[test]
    fn options_are_read_by_type() {
        let locator = locator("x:?threads=2&gain=-1e-3&exact=true&file=a%20b&on=(cpu:)");
        let mut options = locator.reader();
        assert_eq!(options.take::<usize>("threads").expect("valid"), Some(2));
        assert_eq!(options.take::<f64>("gain").expect("valid"), Some(-1e-3));
        assert_eq!(options.take::<bool>("exact").expect("valid"), Some(true));
        assert_eq!(options.take::<PathBuf>("file").expect("valid"), Some("a b".into()));
        assert_eq!(options.take::<String>("absent").expect("valid"), None);
        assert_eq!(options.take_nested("absent").expect("valid"), None);
        assert_eq!(options.take_nested("on").expect("valid").map(|l| l.to_string()).as_deref(), Some("cpu:"));
        options.finish(&["threads", "gain", "exact", "file", "on"]).expect("all taken");
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        assert_eq!(refusal::<u8>("x:?n=256"), "option \"n\" is \"256\", but expects a whole number from 0 to 255");
        assert_eq!(refusal::<i8>("x:?n="), "option \"n\" is \"\", but expects a whole number from -128 to 127");
        assert_eq!(refusal::<f64>("x:?n=inf"), "option \"n\" is \"inf\", but expects a finite number such as 0.5 or 1e-3");
        assert_eq!(refusal::<f32>("x:?n=1e39"), "option \"n\" is \"1e39\", but expects a finite number such as 0.5 or 1e-3");
        assert_eq!(refusal::<bool>("x:?n=1"), "option \"n\" is \"1\", but expects true or false");
        assert_eq!(refusal::<String>("x:?n=(cpu:)"), "option \"n\" is the locator \"cpu:\", but expects a text");
        assert_eq!(
            locator("x:?n=cpu:").reader().take_nested("n").expect_err("must be refused").to_string(),
            "unsupported: x:?n=cpu: option \"n\" is \"cpu:\", but expects a locator in parentheses, such as \"n=(cpu:)\""
        );
    }

    #[test]
    fn a_number_out_of_its_range_is_refused() {
        let take = |text: &str| locator(text).reader().take_within("n", 0.5..=2.0).map_err(|e| e.message().to_owned());
        assert_eq!((take("x:?n=2"), take("x:?n=0.5"), take("x:")), (Ok(Some(2.0)), Ok(Some(0.5)), Ok(None)));
        assert_eq!(take("x:?n=2.1").expect_err("above"), "option \"n\" is \"2.1\", but expects 0.5 to 2");
        assert!(take("x:?n=nan").is_err());
        let small = locator("x:?n=1e300").reader().take_within("n", 1e-9..=1e9).expect_err("above").message().to_owned();
        assert_eq!(small, "option \"n\" is \"1e300\", but expects 1e-9 to 1000000000");
    }

    #[test]
    fn options_of_any_key_are_taken_as_substrates() {
        let locator = locator("x:?a%20b=(cpu:)&*=(cpu:?threads=2)");
        let all = locator.reader().take_all_nested().expect("valid");
        let all: Vec<(String, String)> = all.into_iter().map(|(key, l)| (key, l.to_string())).collect();
        assert_eq!(all, [("a b".into(), "cpu:".into()), ("*".into(), "cpu:?threads=2".into())]);
        assert!(self::locator("x:?a=cpu:").reader().take_all_nested().is_err());
    }

    #[test]
    fn what_nobody_takes_is_refused() {
        let locator = locator("cpu:?threads=2&theads=3");
        let mut options = locator.reader();
        let _ = options.take::<usize>("threads").expect("valid");
        let error = options.finish(&["threads", "tile"]).expect_err("must be refused");
        assert_eq!(
            error.to_string(),
            "unsupported: cpu:?threads=2&theads=3: option \"theads\" is unknown: \"cpu:\" takes threads, tile"
        );
        assert!(locator.reader().finish(&[]).expect_err("must be refused").message().contains("takes no options"));
        assert!(
            locator.reader().finish(&["threads"]).expect_err("must be refused").message().contains("does not go with the others")
        );
    }
}
