//! Linear maps: the connections between transfer functions.
//!
//! A linear map carries no state and mixes elements, so it is no transfer function but a node kind of its own. Each kind has a reference in
//! double precision, [`LinearMap::apply`], that every substrate is judged against, and can be taken apart into its terms by
//! [`LinearMap::for_each_term`], from which a substrate may assemble whatever form it needs: a crossbar, an event-driven table, a matrix.
//!
//! Arrays are row-major; a map knows the shapes of its input and output, without time and batch.

mod axis;
mod conv1d;
mod conv2d;
mod convolution;
mod dense;
mod parameter;
mod pool;
#[cfg(test)]
mod properties;
mod sparse;

pub use axis::Padding;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use convolution::Window;
pub use dense::Dense;
pub use pool::{AvgPool2d, Pooling, SumPool2d};
pub use sparse::Sparse;

use crate::error::Result;
use crate::tensor::{Shape, Tensor};

/// A map `y = W x + b` between arrays of numbers.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum LinearMap {
    /// Every output weighs every input.
    Dense(Dense),
    /// Only some entries of the matrix exist.
    Sparse(Sparse),
    /// A kernel slides along one axis.
    Conv1d(Conv1d),
    /// A kernel slides along two axes.
    Conv2d(Conv2d),
    /// Rectangles of each channel are summed.
    SumPool2d(SumPool2d),
    /// Rectangles of each channel are averaged.
    AvgPool2d(AvgPool2d),
}

impl LinearMap {
    /// The shape of the input.
    #[must_use]
    pub fn input(&self) -> &Shape {
        match self {
            Self::Dense(map) => map.input(),
            Self::Sparse(map) => map.input(),
            Self::Conv1d(map) => map.input(),
            Self::Conv2d(map) => map.input(),
            Self::SumPool2d(map) => map.input(),
            Self::AvgPool2d(map) => map.input(),
        }
    }

    /// The shape of the output.
    #[must_use]
    pub fn output(&self) -> &Shape {
        match self {
            Self::Dense(map) => map.output(),
            Self::Sparse(map) => map.output(),
            Self::Conv1d(map) => map.output(),
            Self::Conv2d(map) => map.output(),
            Self::SumPool2d(map) => map.output(),
            Self::AvgPool2d(map) => map.output(),
        }
    }

    /// The name of the kind: `dense`, `sparse`, `conv1d`, `conv2d`, `sum_pool2d` or `avg_pool2d`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Sparse(_) => "sparse",
            Self::Conv1d(_) => "conv1d",
            Self::Conv2d(_) => "conv2d",
            Self::SumPool2d(_) => "sum_pool2d",
            Self::AvgPool2d(_) => "avg_pool2d",
        }
    }

    /// What besides kind, shapes and parameters determines the map: strides, padding, the structure of a sparse matrix.
    ///
    /// Two maps that agree in all of these are the same map, which is what a digest needs.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, Vec<usize>)> {
        match self {
            Self::Dense(_) => Vec::new(),
            Self::Sparse(map) => vec![("starts", map.starts().to_vec()), ("columns", map.columns().to_vec())],
            Self::Conv1d(map) => map.0.attributes::<1>(),
            Self::Conv2d(map) => map.0.attributes::<2>(),
            Self::SumPool2d(map) => map.0.attributes(),
            Self::AvgPool2d(map) => map.0.attributes(),
        }
    }

    /// Calls `f(output, input, weight)` for each term of `W x`; outputs ascend, and inputs ascend for each output.
    ///
    /// A term exists where the structure of the map has one, even if its weight is zero; what a kernel sees of the padding is no term.
    pub fn for_each_term(&self, f: impl FnMut(usize, usize, f64)) {
        match self {
            Self::Dense(map) => map.for_each_term(f),
            Self::Sparse(map) => map.for_each_term(f),
            Self::Conv1d(map) => map.0.for_each_term(f),
            Self::Conv2d(map) => map.0.for_each_term(f),
            Self::SumPool2d(map) => map.0.for_each_term(f),
            Self::AvgPool2d(map) => map.0.for_each_term(f),
        }
    }

    /// An upper bound of the terms that any output has.
    #[must_use]
    pub fn terms_per_output(&self) -> usize {
        match self {
            Self::Dense(map) => map.cols(),
            Self::Sparse(map) => map.terms_per_output(),
            Self::Conv1d(map) => map.0.terms_per_output(),
            Self::Conv2d(map) => map.0.terms_per_output(),
            Self::SumPool2d(map) => map.0.terms_per_output(),
            Self::AvgPool2d(map) => map.0.terms_per_output(),
        }
    }

    /// Whether a bias is added.
    #[must_use]
    pub fn has_bias(&self) -> bool {
        match self {
            Self::Dense(map) => map.bias().is_some(),
            Self::Sparse(map) => map.bias().is_some(),
            Self::Conv1d(map) => map.bias().is_some(),
            Self::Conv2d(map) => map.bias().is_some(),
            Self::SumPool2d(_) | Self::AvgPool2d(_) => false,
        }
    }

    /// The bias of an output element; zero for a map without one.
    ///
    /// # Panics
    /// May panic if `out` is not an element of the output.
    #[must_use]
    pub fn bias_at(&self, out: usize) -> f64 {
        match self {
            Self::Dense(map) => map.bias_at(out),
            Self::Sparse(map) => map.bias_at(out),
            Self::Conv1d(map) => map.0.bias_at(out),
            Self::Conv2d(map) => map.0.bias_at(out),
            Self::SumPool2d(_) | Self::AvgPool2d(_) => 0.0,
        }
    }

    /// Computes `y = W x + b`: for each output the bias, then the terms in ascending order of their inputs, each product and sum rounded.
    ///
    /// Every kind gives the same bits as the sum over [`LinearMap::for_each_term`] does. Zeros are positive: a bias of −0 counts as +0.
    ///
    /// # Panics
    /// If `x` or `y` do not have as many elements as input and output.
    pub fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.accumulate(x, y, |w| w);
    }

    /// Computes `y = |W| x + |b|`, which for `x` in magnitudes scales every bound of a rounding error.
    ///
    /// # Panics
    /// If `x` or `y` do not have as many elements as input and output.
    pub fn apply_magnitude(&self, x_abs: &[f64], y: &mut [f64]) {
        self.accumulate(x_abs, y, f64::abs);
    }

    fn accumulate(&self, x: &[f64], y: &mut [f64], weigh: impl Fn(f64) -> f64) {
        match self {
            Self::Dense(map) => map.accumulate(x, y, weigh),
            Self::Sparse(map) => map.accumulate(x, y, weigh),
            Self::Conv1d(map) => map.0.accumulate(x, y, weigh),
            Self::Conv2d(map) => map.0.accumulate(x, y, weigh),
            Self::SumPool2d(map) => map.0.accumulate(x, y),
            Self::AvgPool2d(map) => map.0.accumulate(x, y),
        }
    }

    /// The parameters by name: `weight`, then `bias`, where the map has them.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
        match self {
            Self::Dense(map) => map.parameters(),
            Self::Sparse(map) => map.parameters(),
            Self::Conv1d(map) => map.0.parameters(),
            Self::Conv2d(map) => map.0.parameters(),
            Self::SumPool2d(_) | Self::AvgPool2d(_) => Vec::new(),
        }
    }

    /// The same map with another array for a parameter that it has.
    ///
    /// # Errors
    /// `InvalidProgram` if the map has no such parameter, if the array has another shape, or if a number is not finite.
    pub fn with_parameter(&self, name: &str, tensor: Tensor) -> Result<Self> {
        match self {
            Self::Dense(map) => map.with_parameter(name, tensor).map(Self::Dense),
            Self::Sparse(map) => map.with_parameter(name, tensor).map(Self::Sparse),
            Self::Conv1d(map) => map.0.with_parameter(name, tensor).map(|map| Self::Conv1d(Conv1d(map))),
            Self::Conv2d(map) => map.0.with_parameter(name, tensor).map(|map| Self::Conv2d(Conv2d(map))),
            Self::SumPool2d(_) | Self::AvgPool2d(_) => Err(parameter::unknown_parameter(self.kind(), name, &[])),
        }
    }
}

impl From<Dense> for LinearMap {
    fn from(map: Dense) -> Self {
        Self::Dense(map)
    }
}

impl From<Sparse> for LinearMap {
    fn from(map: Sparse) -> Self {
        Self::Sparse(map)
    }
}

impl From<Conv1d> for LinearMap {
    fn from(map: Conv1d) -> Self {
        Self::Conv1d(map)
    }
}

impl From<Conv2d> for LinearMap {
    fn from(map: Conv2d) -> Self {
        Self::Conv2d(map)
    }
}

impl From<SumPool2d> for LinearMap {
    fn from(map: SumPool2d) -> Self {
        Self::SumPool2d(map)
    }
}

impl From<AvgPool2d> for LinearMap {
    fn from(map: AvgPool2d) -> Self {
        Self::AvgPool2d(map)
    }
}
