//! Numbers of a recording, of which some may not be finite: JSON has no numbers for those, so that they stand as text.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use std::fmt::Display;
use std::str::FromStr;

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Written<T> {
    Number(T),
    Text(String),
}

/// A number that may be none.
pub(crate) trait Number: Copy + Display + FromStr + Serialize + DeserializeOwned {
    fn is_number(self) -> bool;
}

impl Number for f32 {
    fn is_number(self) -> bool {
        self.is_finite()
    }
}

impl Number for f64 {
    fn is_number(self) -> bool {
        self.is_finite()
    }
}

pub(crate) fn serialize<T: Number, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(|&v| if v.is_number() { Written::Number(v) } else { Written::Text(v.to_string()) }))
}

pub(crate) fn deserialize<'de, T: Number, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let all: Vec<Written<T>> = Vec::deserialize(from)?;
    let read = |written| match written {
        Written::Number(v) => Ok(v),
        Written::Text(text) => text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number"))),
    };
    all.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_no_number_comes_back() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Row(#[serde(with = "super")] Vec<f32>);
        let text = serde_json::to_string(&Row(vec![0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY])).expect("JSON");
        assert_eq!(text, r#"[0.1,"NaN","inf","-inf"]"#);
        let Row(back) = serde_json::from_str(&text).expect("read");
        assert!(back[0] == 0.1 && back[1].is_nan() && back[2..] == [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(serde_json::from_str::<Row>(r#"["x"]"#).is_err());
    }
}
