//! Parameter arrays: a shape and numbers in the precision in which they came.

use crate::error::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// The extents of an array, outermost first; empty for a single number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape with these extents.
    #[must_use]
    pub fn new(extents: impl Into<Vec<usize>>) -> Self {
        Self(extents.into())
    }

    /// The extents, outermost first.
    #[must_use]
    pub fn extents(&self) -> &[usize] {
        &self.0
    }

    /// How many numbers such an array holds, or `None` if that exceeds the address space.
    #[must_use]
    pub fn checked_len(&self) -> Option<usize> {
        self.0.iter().try_fold(1_usize, |n, &e| n.checked_mul(e))
    }

    /// How many numbers such an array holds; saturates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.checked_len().unwrap_or(usize::MAX)
    }

    /// Whether two shapes are equal up to extents of one, which say nothing about the order of numbers.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let core = |shape: &Self| shape.0.iter().copied().filter(|&e| e != 1).collect::<Vec<_>>();
        core(self) == core(other)
    }

    /// Whether such an array holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Self {
        Self(extents.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(extents: Vec<usize>) -> Self {
        Self(extents)
    }
}

impl From<usize> for Shape {
    fn from(extent: usize) -> Self {
        Self(vec![extent])
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, extent) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{extent}")?;
        }
        f.write_str("]")
    }
}

/// Numbers in the precision in which they came.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Single precision.
    F32(Arc<[f32]>),
    /// Double precision.
    F64(Arc<[f64]>),
}

/// An array of parameters; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Shape,
    numbers: Numbers,
}

impl Tensor {
    /// An array in double precision.
    ///
    /// # Errors
    /// `InvalidProgram` if the count of numbers does not fit the shape.
    pub fn new(shape: impl Into<Shape>, numbers: impl Into<Vec<f64>>) -> Result<Self> {
        let numbers = numbers.into();
        Self::checked(shape.into(), numbers.len(), Numbers::F64(numbers.into()))
    }

    /// An array in single precision.
    ///
    /// # Errors
    /// `InvalidProgram` if the count of numbers does not fit the shape.
    pub fn single(shape: impl Into<Shape>, numbers: impl Into<Vec<f32>>) -> Result<Self> {
        let numbers = numbers.into();
        Self::checked(shape.into(), numbers.len(), Numbers::F32(numbers.into()))
    }

    fn checked(shape: Shape, count: usize, numbers: Numbers) -> Result<Self> {
        if shape.checked_len() == Some(count) {
            Ok(Self { shape, numbers })
        } else {
            Err(Error::invalid_program(format!("{count} numbers do not fill an array of shape {shape}")))
        }
    }

    /// The extents of the array.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers, row-major.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.numbers {
            Numbers::F32(n) => n.len(),
            Numbers::F64(n) => n.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a row-major index.
    ///
    /// # Panics
    /// If the index is out of range.
    #[must_use]
    pub fn at(&self, index: usize) -> f64 {
        match &self.numbers {
            Numbers::F32(n) => f64::from(n[index]),
            Numbers::F64(n) => n[index],
        }
    }

    /// The numbers in double precision, row-major.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.numbers {
            Numbers::F32(n) => n.iter().map(|&v| f64::from(v)).collect(),
            Numbers::F64(n) => n.to_vec(),
        }
    }

    /// The same array with other numbers, in double precision.
    ///
    /// # Errors
    /// `InvalidProgram` if the count of numbers does not fit the shape.
    pub fn with_numbers(&self, numbers: impl Into<Vec<f64>>) -> Result<Self> {
        Self::new(self.shape.clone(), numbers)
    }

    /// Whether every number is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        match &self.numbers {
            Numbers::F32(n) => n.iter().all(|v| v.is_finite()),
            Numbers::F64(n) => n.iter().all(|v| v.is_finite()),
        }
    }

    /// Spreads the array over a larger shape by the usual rule: extents are aligned at the end, and an extent of one repeats.
    ///
    /// # Errors
    /// `InvalidProgram` if an extent is neither one nor equal.
    pub fn broadcast(&self, shape: &Shape) -> Result<Self> {
        if &self.shape == shape {
            return Ok(self.clone());
        }
        let refuse = || Error::invalid_program(format!("an array of shape {} does not spread over {shape}", self.shape));
        let (own, target) = (self.shape.extents(), shape.extents());
        let lead = target.len().checked_sub(own.len()).ok_or_else(refuse)?;
        if own.iter().zip(&target[lead..]).any(|(&o, &t)| o != t && o != 1) {
            return Err(refuse());
        }
        let count = shape.checked_len().ok_or_else(refuse)?;
        let mut numbers = Vec::with_capacity(count);
        for flat in 0..count {
            let (mut rest, mut index, mut stride) = (flat, 0, 1);
            for axis in (0..target.len()).rev() {
                let position = rest % target[axis];
                rest /= target[axis];
                if axis >= lead && own[axis - lead] != 1 {
                    index += position * stride;
                    stride *= own[axis - lead];
                }
            }
            numbers.push(self.at(index));
        }
        Self::new(shape.clone(), numbers)
    }
}

impl From<f64> for Tensor {
    fn from(number: f64) -> Self {
        Self { shape: Shape::default(), numbers: Numbers::F64([number].into()) }
    }
}

impl From<Vec<f64>> for Tensor {
    fn from(numbers: Vec<f64>) -> Self {
        Self { shape: Shape::new([numbers.len()]), numbers: Numbers::F64(numbers.into()) }
    }
}

impl From<Vec<f32>> for Tensor {
    fn from(numbers: Vec<f32>) -> Self {
        Self { shape: Shape::new([numbers.len()]), numbers: Numbers::F32(numbers.into()) }
    }
}

impl<const N: usize> From<[f64; N]> for Tensor {
    fn from(numbers: [f64; N]) -> Self {
        numbers.to_vec().into()
    }
}

impl<const M: usize, const N: usize> From<[[f64; N]; M]> for Tensor {
    fn from(rows: [[f64; N]; M]) -> Self {
        Self { shape: Shape::new([M, N]), numbers: Numbers::F64(rows.concat().into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreading_repeats_extents_of_one() {
        let tensor = Tensor::new([2, 1], [1.0, 2.0]).expect("fits");
        let spread = tensor.broadcast(&[2, 2, 3].into()).expect("spreads");
        assert_eq!(spread.to_f64(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        assert!(tensor.broadcast(&[3, 3].into()).is_err());
        assert!(tensor.broadcast(&[2].into()).is_err());
    }

    #[test]
    fn a_shape_that_overflows_has_no_length() {
        assert_eq!(Shape::new([usize::MAX, 2]).checked_len(), None);
    }
}
