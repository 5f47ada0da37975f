//! How each kind of parameter is found among the entries of a node, and put back.

use hdf5_pure::GroupBuilder;

use super::error::{NirError, NirErrorKind, Result};
use super::model::Annotations;
use super::tensor::Tensor;
use super::value::{Ints, Map, Padding, Value};
use super::write::put;

/// The entries of one node as they were read, on their way into a typed node.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// The path of the node, for messages.
    node: &'a str,
    /// The type of the node, for messages.
    type_name: &'a str,
    entries: Map,
    expected: &'static [&'static str],
}

impl<'a> Fields<'a> {
    pub(super) fn new(node: &'a str, type_name: &'a str, entries: Map) -> Self {
        Self { node, type_name, entries, expected: &[] }
    }

    /// Says which parameters the type has, so that a missing one can be reported with the rest.
    pub(super) fn expect(&mut self, names: &'static [&'static str]) {
        self.expected = names;
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.entries.shift_remove(name)
    }

    fn required(&mut self, name: &str) -> Result<Value> {
        self.take(name).ok_or_else(|| {
            self.error(NirErrorKind::Missing {
                name: name.to_owned(),
                needs: format!("a node of type {} has {}", self.type_name, self.expected.join(", ")),
            })
        })
    }

    fn wrong(&self, name: &str, expected: &'static str, found: &Value) -> NirError {
        self.error(NirErrorKind::WrongType { name: name.to_owned(), expected, found: found.describe() })
    }

    fn error(&self, kind: NirErrorKind) -> NirError {
        NirError::new(kind).with_node(self.node)
    }

    /// Everything that no parameter claimed.
    pub(super) fn annotations(&mut self) -> Result<Annotations> {
        let metadata = match self.take("metadata") {
            None => Map::new(),
            Some(Value::Map(map)) => map,
            Some(other) => return Err(self.wrong("metadata", "a group", &other)),
        };
        Ok(Annotations { metadata, extra: std::mem::take(&mut self.entries) })
    }
}

/// Where the parameters of one node are written to.
pub(super) struct Sink<'a> {
    pub(super) group: &'a mut GroupBuilder,
    /// The path of the node, for messages.
    pub(super) node: &'a str,
    /// The common shape that Python `nir` asks all parameters of a neuron to have.
    pub(super) expand: Option<Vec<usize>>,
    /// Whether a `v_reset` of zero is left out.
    pub(super) omit_zero_reset: bool,
}

/// A kind of parameter.
pub(super) trait Field: Sized {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self>;
    fn write(&self, name: &'static str, sink: &mut Sink<'_>) -> Result<()>;
    /// The array, if the parameter is one that takes part in the computation.
    fn tensor(&self) -> Option<&Tensor> {
        None
    }
}

impl Field for Tensor {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self> {
        match fields.required(name)? {
            Value::Tensor(tensor) => Ok(tensor),
            other => Err(fields.wrong(name, "an array of numbers", &other)),
        }
    }

    fn write(&self, name: &'static str, sink: &mut Sink<'_>) -> Result<()> {
        if sink.omit_zero_reset && name == "v_reset" && self.is_zero() {
            return Ok(());
        }
        let expanded = match &sink.expand {
            Some(shape) if shape != self.shape() => self.broadcast_to(shape),
            _ => None,
        };
        put(sink.group, sink.node, name, expanded.as_ref().unwrap_or(self))
    }

    fn tensor(&self) -> Option<&Tensor> {
        Some(self)
    }
}

impl Field for Ints {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self> {
        match fields.required(name)? {
            Value::Tensor(tensor) => {
                let found = Value::Tensor(tensor.clone());
                Self::new(tensor).ok_or_else(|| fields.wrong(name, "an array of integers", &found))
            }
            other => Err(fields.wrong(name, "an array of integers", &other)),
        }
    }

    fn write(&self, name: &'static str, sink: &mut Sink<'_>) -> Result<()> {
        put(sink.group, sink.node, name, self.tensor())
    }
}

impl<T: Field> Field for Option<T> {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self> {
        match fields.entries.contains_key(name) {
            true => T::read(fields, name).map(Some),
            false => Ok(None),
        }
    }

    fn write(&self, name: &'static str, sink: &mut Sink<'_>) -> Result<()> {
        match self {
            Some(field) => field.write(name, sink),
            None => Ok(()),
        }
    }

    fn tensor(&self) -> Option<&Tensor> {
        self.as_ref().and_then(T::tensor)
    }
}

impl Field for Padding {
    fn read(fields: &mut Fields<'_>, name: &'static str) -> Result<Self> {
        const EXPECTED: &str = "integers, \"same\" or \"valid\"";
        match fields.required(name)? {
            Value::Text(text) if text == "same" => Ok(Self::Same),
            Value::Text(text) if text == "valid" => Ok(Self::Valid),
            Value::Tensor(tensor) => {
                let found = Value::Tensor(tensor.clone());
                Ints::new(tensor).map(Self::Zeros).ok_or_else(|| fields.wrong(name, EXPECTED, &found))
            }
            other => Err(fields.wrong(name, EXPECTED, &other)),
        }
    }

    fn write(&self, name: &'static str, sink: &mut Sink<'_>) -> Result<()> {
        match self {
            Self::Zeros(zeros) => zeros.write(name, sink),
            Self::Same | Self::Valid => {
                sink.group.create_dataset(name).with_vlen_strings(&[self.word().unwrap_or_default()]).with_shape(&[]);
                Ok(())
            }
        }
    }
}
