//! A transfer function together with the values of its parameters.

use crate::dynamics::Dynamics;
use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};
use crate::transfer::{TransferFunction, transfer};
use std::sync::Arc;

/// An array of equal systems: one definition, with a parameter value for all or for each.
#[derive(Debug, Clone)]
pub struct Neuron {
    function: Arc<dyn TransferFunction>,
    parameters: Vec<Option<Tensor>>,
    unknown: Option<String>,
}

impl Neuron {
    /// A neuron of any definition, all parameters at their defaults.
    #[must_use]
    pub fn new<const X: usize, const N: usize, const P: usize, const Y: usize>(definition: impl Dynamics<X, N, P, Y>) -> Self {
        Self::of(transfer(definition))
    }

    /// A neuron of a transfer function that is already known by its object-safe face.
    #[must_use]
    pub fn of(function: Arc<dyn TransferFunction>) -> Self {
        let parameters = function.signature().parameters.iter().map(|p| p.default.map(Tensor::from)).collect();
        Self { function, parameters, unknown: None }
    }

    /// The same with a parameter set: one number, or an array that spreads over the shape of the node.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Tensor>) -> Self {
        match self.function.signature().parameter(name) {
            Some(index) => self.parameters[index] = Some(value.into()),
            None => self.unknown = Some(name.to_owned()),
        }
        self
    }

    /// The transfer function.
    #[must_use]
    pub fn function(&self) -> &Arc<dyn TransferFunction> {
        &self.function
    }

    /// The smallest shape that all parameters fit.
    pub(crate) fn natural_shape(&self) -> Option<Shape> {
        self.parameters.iter().flatten().map(Tensor::shape).filter(|s| !s.extents().is_empty()).max_by_key(|s| s.len()).cloned()
    }

    /// The parameters, spread over the shape of the node unless they are one number.
    ///
    /// # Errors
    /// `InvalidProgram` if one is missing, unknown, not finite, out of its sign or of another shape.
    pub(crate) fn resolve(&self, shape: &Shape) -> Result<Vec<Tensor>> {
        let signature = self.function.signature();
        if let Some(name) = &self.unknown {
            let known: Vec<&str> = signature.parameters.iter().map(|p| p.quantity.name).collect();
            return Err(Error::invalid_program(format!(
                "{} has no parameter {name:?}; it has {}",
                signature.id,
                known.join(", ")
            )));
        }
        let mut resolved = Vec::with_capacity(self.parameters.len());
        for (given, declared) in self.parameters.iter().zip(&signature.parameters) {
            let name = declared.quantity.name;
            let Some(tensor) = given else {
                return Err(Error::invalid_program(format!("parameter {name:?} is not given and has no default")));
            };
            check(tensor, name, declared.positive)?;
            let tensor = if tensor.len() == 1 {
                Tensor::from(tensor.at(0))
            } else {
                tensor.broadcast(shape).map_err(|e| named(&e, name))?
            };
            resolved.push(tensor);
        }
        Ok(resolved)
    }
}

/// Checks values that are about to become a parameter.
pub(crate) fn check(tensor: &Tensor, name: &str, positive: bool) -> Result<()> {
    if !tensor.is_finite() {
        return Err(Error::invalid_program(format!("parameter {name:?} holds a number that is not finite")));
    }
    match (0..tensor.len()).map(|i| tensor.at(i)).find(|&v| positive && v <= 0.0) {
        Some(v) => Err(Error::invalid_program(format!("parameter {name:?} must be above nought, but is {v}"))),
        None => Ok(()),
    }
}

fn named(error: &Error, name: &str) -> Error {
    Error::invalid_program(format!("parameter {name:?}: {}", error.message()))
}
