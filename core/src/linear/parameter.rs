//! Parameters of a linear map: as they came, and in double precision for the reference.

use crate::error::{Error, Result};
use crate::tensor::{Numbers, Shape, Tensor};
use std::sync::Arc;

/// A parameter array beside its values in double precision, which share their memory where the array is double already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) tensor: Tensor,
    pub(super) values: Arc<[f64]>,
}

impl Parameter {
    /// Takes an array of finite numbers.
    pub(super) fn new(kind: &str, name: &str, tensor: Tensor) -> Result<Self> {
        check_finite(kind, name, &tensor)?;
        let values = match tensor.numbers() {
            Numbers::F64(values) => Arc::clone(values),
            Numbers::F32(_) => tensor.to_f64().into(),
        };
        Ok(Self { tensor, values })
    }

    /// Takes a bias of one of the shapes that fit.
    pub(super) fn bias(kind: &str, bias: Option<Tensor>, fitting: &[&Shape]) -> Result<Option<Self>> {
        let Some(bias) = bias else { return Ok(None) };
        if fitting.contains(&bias.shape()) {
            return Self::new(kind, "bias", bias).map(Some);
        }
        let mut expected: Vec<_> = fitting.iter().map(ToString::to_string).collect();
        expected.dedup();
        Err(Error::invalid_program(format!(
            "the bias of the {kind} map has shape {}, but its outputs ask for {}",
            bias.shape(),
            expected.join(" or ")
        )))
    }

    /// Whether another array may stand in for this one.
    pub(super) fn check_like(kind: &str, name: &str, own: &Tensor, other: &Tensor) -> Result<()> {
        if own.shape() == other.shape() {
            return Ok(());
        }
        Err(Error::invalid_program(format!(
            "the parameter \"{name}\" of the {kind} map has shape {}, not {}: give an array of that shape",
            own.shape(),
            other.shape()
        )))
    }
}

/// Refuses an array with a number that is not finite, naming the first.
pub(super) fn check_finite(kind: &str, name: &str, tensor: &Tensor) -> Result<()> {
    if tensor.is_finite() {
        return Ok(());
    }
    let index = (0..tensor.len()).find(|&i| !tensor.at(i).is_finite()).unwrap_or_default();
    Err(Error::invalid_program(format!(
        "the {name} of the {kind} map is {} at row-major index {index}: every number must be finite",
        tensor.at(index)
    )))
}

/// The refusal of a parameter that a map does not have.
pub(super) fn unknown_parameter(kind: &str, name: &str, known: &[(&'static str, &Tensor)]) -> Error {
    let known = match known {
        [] => "it has none".to_owned(),
        known => format!("it has {}", known.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")),
    };
    Error::invalid_program(format!("the {kind} map has no parameter \"{name}\": {known}"))
}

/// Refuses slices that do not fit a map; lengths are validated before they come here.
pub(super) fn assert_lengths(x: &[f64], input: &Shape, y: &[f64], output: &Shape) {
    assert_eq!(x.len(), input.len(), "the input does not fit the linear map");
    assert_eq!(y.len(), output.len(), "the output does not fit the linear map");
}
