//! JSON that keeps numbers which JSON does not have.
//!
//! NaN and the infinities are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as the JSON form of Protocol Buffers
//! has it, and read back wherever a number is expected. The payload of a NaN is not kept; finite numbers, the negative nought among
//! them, are kept to the bit.

use ciborium::Value as Tree;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer, forward_to_deserialize_any};
use serde_json::{Error, Value};

/// How deep the JSON may be nested; the reader stops at 128.
const DEEPEST: usize = 100;

/// Writes a value as JSON for people, fields in the order of their declaration.
///
/// # Errors
/// If the value is nested too deep, or a map has keys that are not text.
pub(super) fn to_text<T: Serialize>(value: &T) -> Result<String, Error> {
    let tree = Tree::serialized(value).map_err(Error::custom)?;
    let mut text = serde_json::to_string_pretty(&Node(&tree, 0))?;
    text.push('\n');
    Ok(text)
}

/// Reads what [`to_text`] wrote.
///
/// # Errors
/// If the text is not JSON, or not of this type.
pub(super) fn from_text<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let value: Value = serde_json::from_slice(text)?;
    T::deserialize(Json(&value))
}

/// Writes a value as a JSON tree, with the same spelling of numbers.
pub(super) fn to_tree<T: Serialize>(value: &T) -> Result<Value, Error> {
    let tree = Tree::serialized(value).map_err(Error::custom)?;
    serde_json::to_value(Node(&tree, 0))
}

/// The fields of a structure in the order of their declaration, with the same spelling of numbers.
pub(super) fn fields<T: Serialize>(value: &T) -> Result<Vec<(String, Value)>, Error> {
    match Tree::serialized(value).map_err(Error::custom)? {
        Tree::Map(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key.as_text().unwrap_or_default().to_owned(), serde_json::to_value(Node(value, 0))?)))
            .collect(),
        _ => Ok(Vec::new()),
    }
}

/// A node of the tree and how deep it lies.
struct Node<'a>(&'a Tree, usize);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(tree, depth) = *self;
        if depth > DEEPEST {
            return Err(S::Error::custom(format!("nested deeper than {DEEPEST} levels")));
        }
        match tree {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(b) => serializer.serialize_bool(*b),
            Tree::Integer(i) => match (u64::try_from(*i), i64::try_from(*i)) {
                (Ok(n), _) => serializer.serialize_u64(n),
                (_, Ok(n)) => serializer.serialize_i64(n),
                _ => Err(S::Error::custom("a whole number of more than 64 bits")),
            },
            Tree::Float(x) if x.is_nan() => serializer.serialize_str("NaN"),
            Tree::Float(x) if x.is_infinite() => serializer.serialize_str(if *x > 0.0 { "Infinity" } else { "-Infinity" }),
            Tree::Float(x) => serializer.serialize_f64(*x),
            Tree::Text(text) => serializer.serialize_str(text),
            Tree::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Node(item, depth + 1))?;
                }
                seq.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    let key = key.as_text().ok_or_else(|| S::Error::custom("a key that is not text"))?;
                    map.serialize_entry(key, &Node(value, depth + 1))?;
                }
                map.end()
            }
            other => Err(S::Error::custom(format!("{other:?} has no form in JSON"))),
        }
    }
}

/// A JSON tree in which strings stand for numbers that JSON does not have.
#[derive(Clone, Copy)]
struct Json<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, Error> for Json<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Json<'de> {
    fn entries(map: &'de serde_json::Map<String, Value>) -> MapDeserializer<'de, impl Iterator<Item = (&'de str, Self)>, Error> {
        MapDeserializer::new(map.iter().map(|(key, value)| (key.as_str(), Json(value))))
    }
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(&mut SeqDeserializer::new(items.iter().map(Json))),
            Value::Object(map) => visitor.visit_map(&mut Self::entries(map)),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_str() {
            Some("NaN") => visitor.visit_f64(f64::NAN),
            Some("Infinity") => visitor.visit_f64(f64::INFINITY),
            Some("-Infinity") => visitor.visit_f64(f64::NEG_INFINITY),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(map) => visitor.visit_enum(MapAccessDeserializer::new(Self::entries(map))),
            plain => plain.deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        Newtype(f64),
        Tuple(f64, String),
        Struct { x: Option<f64>, name: Option<String> },
    }

    #[test]
    fn every_shape_of_data_comes_back() {
        let before = BTreeMap::from([
            (String::from("a"), vec![Shape::Unit, Shape::Newtype(f64::INFINITY)]),
            (String::from("b"), vec![Shape::Tuple(f64::NEG_INFINITY, String::from("NaN"))]),
            (String::from("c"), vec![Shape::Struct { x: Some(-0.0), name: Some(String::from("Infinity")) }]),
            (String::from("d"), vec![Shape::Struct { x: None, name: None }]),
        ]);
        let text = to_text(&before).unwrap();
        let after: BTreeMap<String, Vec<Shape>> = from_text(text.as_bytes()).unwrap();
        assert_eq!(after, before);
        assert!(text.contains("\"x\": -0.0"), "{text}");
        let nan: Vec<f64> = from_text(b"[\"NaN\", 1]").unwrap();
        assert!(nan[0].is_nan() && nan[1] == 1.0);
        assert!(from_text::<Vec<f64>>(b"[\"nan\"]").is_err());
        assert!(from_text::<Vec<f64>>(b"[null]").is_err());
        assert_eq!(from_text::<Vec<u64>>(to_text(&[u64::MAX]).unwrap().as_bytes()).unwrap(), [u64::MAX]);
        assert_eq!(from_text::<Vec<i64>>(to_text(&[i64::MIN]).unwrap().as_bytes()).unwrap(), [i64::MIN]);
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_written() {
        let mut deep = Value::Null;
        for _ in 0..120 {
            deep = Value::Array(vec![deep]);
        }
        assert!(to_text(&deep).unwrap_err().to_string().contains("nested deeper"));
    }
}
