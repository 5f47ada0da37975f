//! The numbers in which a definition can be evaluated.
//!
//! A transfer function is written once over [`Scalar`]. Evaluated in `f64` it is the oracle, in `f32` the vectorised loop, in
//! [`Dual`](crate::dual::Dual) its derivative, in [`Var`](crate::tape::Var) a recording from which bounds and kernels are made.
//!
//! Comparisons give one or nought instead of a `bool`, so that a definition has no branch: a branch could be neither recorded
//! nor vectorised.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number system for definitions.
pub trait Scalar:
    Copy + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> + 'static
{
    /// A constant of the definition.
    fn lit(value: f64) -> Self;
    /// One where `self > other`, else nought.
    #[must_use]
    fn above(self, other: Self) -> Self;
    /// One where `self >= other`, else nought.
    #[must_use]
    fn at_or_above(self, other: Self) -> Self;
    /// `yes` where `self` is not nought, else `no`. Both are evaluated.
    #[must_use]
    fn select(self, yes: Self, no: Self) -> Self;
    /// The larger of two numbers.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// The magnitude.
    #[must_use]
    fn abs(self) -> Self;
    /// The largest whole number that is not larger.
    #[must_use]
    fn floor(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The exponential.
    #[must_use]
    fn exp(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// The hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// The sine of an angle in radians.
    #[must_use]
    fn sin(self) -> Self;
    /// The cosine of an angle in radians.
    #[must_use]
    fn cos(self) -> Self;

    /// The logistic function `1 / (1 + e^-x)`.
    #[must_use]
    fn sigmoid(self) -> Self {
        Self::lit(1.0) / (Self::lit(1.0) + (-self).exp())
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn lit(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn above(self, other: Self) -> Self {
        if self > other { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn at_or_above(self, other: Self) -> Self {
        if self >= other { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        if self != 0.0 { yes } else { no }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        f64::floor(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    // `libm`, not the system's library: the oracle gives the same bits on every platform.
    #[inline(always)]
    fn exp(self) -> Self {
        libm::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        libm::log(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        libm::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        libm::cos(self)
    }
}

impl Scalar for f32 {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a constant is rounded to the number system of the kernel")]
    fn lit(value: f64) -> Self {
        value as Self
    }
    #[inline(always)]
    fn above(self, other: Self) -> Self {
        if self > other { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn at_or_above(self, other: Self) -> Self {
        if self >= other { 1.0 } else { 0.0 }
    }
    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        if self != 0.0 { yes } else { no }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        f32::floor(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        crate::polynomial::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        crate::polynomial::ln(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        crate::polynomial::tanh(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        crate::polynomial::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        crate::polynomial::cos(self)
    }
}
