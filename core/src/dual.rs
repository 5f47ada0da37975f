//! Dual numbers: a value and its slope along one direction.
//!
//! `(v + s ε)` with `ε² = 0` carries the chain rule through a definition exactly. The run-time form of a step and the matrix of
//! an affine flow are read off this way.

use crate::scalar::Scalar;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value with its derivative along one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual {
    /// The value.
    pub value: f64,
    /// The derivative.
    pub slope: f64,
}

impl Dual {
    /// A quantity that does not vary.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }

    /// The quantity along which is differentiated.
    #[must_use]
    pub fn variable(value: f64) -> Self {
        Self { value, slope: 1.0 }
    }

    fn chain(self, value: f64, derivative: f64) -> Self {
        Self { value, slope: derivative * self.slope }
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { value: self.value + o.value, slope: self.slope + o.slope }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self { value: self.value - o.value, slope: self.slope - o.slope }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self { value: self.value * o.value, slope: self.slope * o.value + self.value * o.slope }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let value = self.value / o.value;
        Self { value, slope: (self.slope - value * o.slope) / o.value }
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }
}

impl Scalar for Dual {
    fn lit(value: f64) -> Self {
        Self::constant(value)
    }
    fn above(self, o: Self) -> Self {
        Self::constant(self.value.above(o.value))
    }
    fn at_or_above(self, o: Self) -> Self {
        Self::constant(self.value.at_or_above(o.value))
    }
    fn select(self, yes: Self, no: Self) -> Self {
        if self.value != 0.0 { yes } else { no }
    }
    fn max(self, o: Self) -> Self {
        if self.value > o.value { self } else { o }
    }
    fn min(self, o: Self) -> Self {
        if self.value < o.value { self } else { o }
    }
    fn abs(self) -> Self {
        if self.value < 0.0 { -self } else { self }
    }
    fn floor(self) -> Self {
        Self::constant(self.value.floor())
    }
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, 0.5 / root)
    }
    fn exp(self) -> Self {
        let e = Scalar::exp(self.value);
        self.chain(e, e)
    }
    fn ln(self) -> Self {
        self.chain(Scalar::ln(self.value), 1.0 / self.value)
    }
    fn tanh(self) -> Self {
        let t = Scalar::tanh(self.value);
        self.chain(t, 1.0 - t * t)
    }
    fn sin(self) -> Self {
        self.chain(Scalar::sin(self.value), Scalar::cos(self.value))
    }
    fn cos(self) -> Self {
        self.chain(Scalar::cos(self.value), -Scalar::sin(self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expression<S: Scalar>(x: S) -> S {
        (x * x + S::lit(1.5)).sqrt() * x.tanh() + (S::lit(0.3) * x).exp() / (x.cos() + S::lit(2.0)) + x.sin().max(-x)
    }

    proptest! {
        #[test]
        fn the_slope_is_the_limit_of_the_difference_quotient(x in -3.0_f64..3.0) {
            prop_assume!((Scalar::sin(x) + x).abs() > 1e-3);
            let h = 1e-6;
            let quotient = (expression(x + h) - expression(x - h)) / (2.0 * h);
            let slope = expression(Dual::variable(x)).slope;
            prop_assert!((slope - quotient).abs() < 1e-7 * (1.0 + slope.abs()), "{slope} against {quotient}");
        }
    }
}
