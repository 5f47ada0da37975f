//! Kernels of linear maps.
//!
//! Each output gets the bias, then its terms by ascending input, as on every substrate; terms whose input is nought are left out, which
//! makes sparse rows cheap and changes no bit.

mod dense;
mod slide;
mod table;

use crate::error::KernelError;
use crate::form::{Binary, Expr, Kernel, Stmt, Type};
use crate::lower::Layout;
use isoform_core::linear::LinearMap;
use isoform_core::plan::Place;
use std::sync::Arc;

/// What a linear map keeps on the device.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Constants {
    /// Weights, then biases.
    pub(crate) weights: Vec<f32>,
    /// Where in `weights` the biases begin.
    pub(crate) bias: usize,
    /// The structure of a sparse map.
    pub(crate) structure: Vec<u32>,
}

/// Where a step on a linear map reads and writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearStep<'a> {
    pub(crate) name: &'a str,
    /// The node, for the reader.
    pub(crate) node: &'a str,
    pub(crate) map: &'a LinearMap,
    pub(crate) constants: &'a Constants,
    pub(crate) weights: usize,
    pub(crate) structure: usize,
    pub(crate) input: Place,
    pub(crate) out: usize,
}

/// The numbers that a map keeps on the device.
pub(crate) fn constants(map: &LinearMap, node: &str, pad: usize) -> Result<Constants, KernelError> {
    let constants = match map {
        LinearMap::Dense(dense) => dense::constants(dense, pad),
        LinearMap::Conv1d(conv) => slide::constants(conv.weight(), conv.bias(), conv.output()),
        LinearMap::Conv2d(conv) => slide::constants(conv.weight(), conv.bias(), conv.output()),
        LinearMap::SumPool2d(_) | LinearMap::AvgPool2d(_) => Constants::default(),
        LinearMap::Sparse(sparse) => table::constants(sparse),
        other => return Err(KernelError::NoKernel { node: node.to_owned(), kind: other.kind() }),
    };
    if constants.weights.iter().all(|w| w.is_finite()) {
        Ok(constants)
    } else {
        Err(KernelError::Range { what: "a weight or bias", node: node.to_owned() })
    }
}

/// Writes the kernel of a step.
pub(crate) fn kernel(layout: &Layout, step: LinearStep<'_>) -> Result<Kernel, KernelError> {
    Ok(match step.map {
        LinearMap::Dense(map) => dense::kernel(layout, step, map),
        LinearMap::Conv1d(map) => slide::conv1d(layout, step, map),
        LinearMap::Conv2d(map) => slide::conv2d(layout, step, map),
        LinearMap::SumPool2d(map) => slide::pool(layout, step, [map.input(), map.output()], map.pooling(), 1.0),
        LinearMap::AvgPool2d(map) => {
            let [height, width] = map.pooling().kernel;
            slide::pool(layout, step, [map.input(), map.output()], map.pooling(), 1.0 / (height as f64 * width as f64))
        }
        LinearMap::Sparse(map) => table::kernel(layout, step, map),
        other => return Err(KernelError::NoKernel { node: step.node.to_owned(), kind: other.kind() }),
    })
}

/// Rounds numbers to those of a kernel; −0 counts as +0.
fn single(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&v| v as f32 + 0.0).collect()
}

/// Adds a term to `sum` where its input is not nought.
fn term(input: Expr, weight: Expr, kind: Type) -> Vec<Stmt> {
    let (named, value) = Stmt::name("value", input);
    let sum = Expr::Name(kind, "sum".into()) + weight * value.clone();
    vec![named, Stmt::If(value.binary(Binary::Differs, Expr::Number(0.0)), vec![Stmt::Set(Arc::from("sum"), sum)])]
}

/// Starts `sum` at a value.
fn start(kind: Type, value: Expr) -> Stmt {
    Stmt::Var(Arc::from("sum"), kind, value)
}

fn sum(kind: Type) -> Expr {
    Expr::Name(kind, "sum".into())
}
