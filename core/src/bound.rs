//! Rounding-error bounds, by interpreting a tape.
//!
//! A substrate declares how it computes in an [`Accuracy`] table; [`bound`] carries through every step of a recording the value
//! that [`Tape::evaluate`] gives in double precision, and a bound on how far any substrate that honours the table can be from it.
//!
//! Each step adds two things: what the errors of the operands do to the exact result (with the largest slope over the interval
//! they leave open, not the slope at the point), and the rounding of the result itself (Higham, *Accuracy and Stability of
//! Numerical Algorithms*, 2nd ed., 2002, chapters 2 and 3).
//!
//! **Decisions.** Where the intervals of two compared numbers overlap, the substrate may decide otherwise than the reference. The
//! value stays that of the reference, and the error covers both outcomes.
//!
//! **Contraction.** The bound holds too where `a * b + c` is computed with one rounding, in any places a compiler likes. With
//! `h(m)` the rounding of a result of magnitude at most `m`, a product is bounded by `carried + h(|ab| + carried)`. Let `P` be
//! that bound. An unrounded product lies within `carried`, a rounded one within `P`, so each reader of the product sees a number
//! within `P`, whichever it sees. The sum is bounded by `P + error(c) + h(|ab + c| + P + error(c))`. Contracted, the sum is that
//! of numbers within `carried` and `error(c)`, rounded once, and off by at most
//! `carried + error(c) + h(|ab + c| + carried + error(c))`, which is not larger, because `h` grows with its argument. A product
//! counts as free of rounding only where the exact product is a number of the format, so that both forms agree; a sum with an
//! exact nought passes the bound `P` on, and the contracted form is the rounded product. Replacing a division by a product with
//! the reciprocal, or regrouping a sum, is not covered.

use crate::fixed_point::Format;
use crate::polynomial::{ANGLE, COS_ULP, EXP_ULP, LN_ULP, SIN_ULP, TANH_ULP};
use crate::tape::{Binary, Op, Place, Tape, Unary};
use serde::{Deserialize, Serialize};

/// Half the spacing of double-precision numbers just above one: what the reference itself may be off.
const REFERENCE: f64 = f64::EPSILON / 2.0;
/// What an elementary function of the reference may be off, in relative terms: four ulp.
const REFERENCE_FUNCTION: f64 = 8.0 * REFERENCE;
/// Covers the roundings made while a bound is computed, which are fewer than sixteen a step.
const INFLATION: f64 = 1.0 + 32.0 * REFERENCE;

/// How far a function of a substrate may be off the exact result for its argument.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Precision {
    /// Error in spacings of the format's numbers at the exact result; one half is correct rounding.
    pub ulp: f64,
    /// Error on top of that, in the unit of the result.
    pub absolute: f64,
}

impl Precision {
    /// Correct rounding to the nearest number of the format.
    pub const ROUNDED: Self = Self::within(0.5);

    /// An error of at most `ulp` spacings.
    #[must_use]
    pub const fn within(ulp: f64) -> Self {
        Self { ulp, absolute: 0.0 }
    }

    /// Adds an error that does not shrink with the result, as graphics interfaces declare for the sine.
    #[must_use]
    pub const fn with_absolute(mut self, absolute: f64) -> Self {
        self.absolute = absolute;
        self
    }

    fn is_rounded(self) -> bool {
        self.ulp <= 0.5 && self.absolute == 0.0
    }
}

/// Which forms of an affine flow a substrate may evaluate; the bound covers those alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The raw flow or the run-time form.
    #[default]
    Either,
    /// The run-time form `s' = Φ s + Γ x + c`, whose coefficients come from elsewhere in double precision. Parameters that act through
    /// them alone may then be beyond the numbers.
    RunTime,
}

/// How a substrate computes: the part of its profile from which tolerances are derived.
///
/// Sums, differences and products are taken to be rounded correctly, and the format to be binary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Half the spacing of the format's numbers just above one; constants, parameters and results are rounded by it.
    pub unit_roundoff: f64,
    /// The smallest number with all digits.
    pub smallest_normal: f64,
    /// The largest number; what exceeds it has no bound.
    pub largest: f64,
    /// Whether numbers below the smallest normal one are kept. If not, each may be read and written as nought.
    pub subnormals: bool,
    /// Whether `a * b + c` may be rounded once. No bound depends on it; equality to the bit does.
    pub contraction: bool,
    /// Division.
    pub division: Precision,
    /// The square root.
    pub sqrt: Precision,
    /// The exponential.
    pub exp: Precision,
    /// The natural logarithm.
    pub ln: Precision,
    /// The hyperbolic tangent.
    pub tanh: Precision,
    /// The sine, up to [`angle`](Self::angle).
    pub sin: Precision,
    /// The cosine, up to [`angle`](Self::angle).
    pub cos: Precision,
    /// The largest magnitude of an angle, in radians, for which the precision of sine and cosine holds; beyond, their results
    /// need only lie between -1 and 1.
    pub angle: f64,
    /// Which forms of an affine flow it may evaluate.
    #[serde(default)]
    pub form: Form,
}

impl Accuracy {
    /// IEEE 754 single precision with the functions of [`crate::polynomial`].
    #[must_use]
    pub fn single() -> Self {
        Self {
            unit_roundoff: f64::from(f32::EPSILON) / 2.0,
            smallest_normal: f64::from(f32::MIN_POSITIVE),
            largest: f64::from(f32::MAX),
            subnormals: true,
            contraction: false,
            division: Precision::ROUNDED,
            sqrt: Precision::ROUNDED,
            exp: Precision::within(EXP_ULP),
            ln: Precision::within(LN_ULP),
            tanh: Precision::within(TANH_ULP),
            sin: Precision::within(SIN_ULP),
            cos: Precision::within(COS_ULP),
            angle: f64::from(ANGLE),
            form: Form::Either,
        }
    }

    /// Fixed-point numbers, as boards have them: one spacing everywhere, exact sums, products rounded to the nearest, and the flow in its
    /// run-time form.
    ///
    /// All numbers count as ones without all digits, below a smallest normal number that is not reached. What such a substrate does
    /// not have, it refuses; of division and functions the table says only that they give a number of the format.
    #[must_use]
    pub fn fixed(format: Format) -> Self {
        let anything = Precision::within(4_294_967_296.0);
        Self {
            // as many spacings fit below the smallest normal number as 31 bits count
            unit_roundoff: 0.5 / 2_147_483_648.0,
            smallest_normal: format.spacing() * 2_147_483_648.0,
            largest: format.largest(),
            division: anything,
            sqrt: anything,
            exp: anything,
            ln: anything,
            tanh: anything,
            sin: anything,
            cos: anything,
            angle: 0.0,
            form: Form::RunTime,
            ..Self::single()
        }
    }

    /// Whether numbers have the same spacing everywhere, so that sums are exact.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.subnormals && self.largest < self.smallest_normal
    }

    /// IEEE 754 double precision with the functions of `libm`, whose authors state an error below one ulp (below two for the
    /// hyperbolic tangent).
    #[must_use]
    pub fn double() -> Self {
        Self {
            unit_roundoff: REFERENCE,
            smallest_normal: f64::MIN_POSITIVE,
            largest: f64::MAX,
            exp: Precision::within(1.0),
            ln: Precision::within(1.0),
            tanh: Precision::within(2.0),
            sin: Precision::within(1.0),
            cos: Precision::within(1.0),
            angle: f64::MAX,
            ..Self::single()
        }
    }

    /// A number as the substrate stores it: off by its rounding, if it has more digits than the format.
    #[must_use]
    pub fn stored(&self, value: f64) -> Bounded {
        if value.is_infinite() { Bounded::exact(value) } else { self.settle(value, 0.0, Precision::ROUNDED, 0.0) }
    }

    /// Bounds the error of a sum of products `Σ w x` that the substrate forms in any order, against the sum in double precision.
    ///
    /// `terms` counts the products, `magnitude` is `Σ |w| |x|` and `input_error` is `Σ |w| e` with `e` the error of each `x`.
    /// The weights are rounded to the format, fused multiply-add may be used or not, and the sum may start from nought. A bias is
    /// one more product, with one. Weights below the smallest normal number (see [`weight_error`](Self::weight_error)), and inputs that the
    /// substrate may read as nought, are part of `input_error`. (Higham 2002, section 3.1: a term passes through at most `terms + 1`
    /// roundings.) Where numbers have one spacing everywhere, only the products are rounded.
    #[must_use]
    pub fn dot(&self, terms: usize, magnitude: f64, input_error: f64) -> f64 {
        let error = self.accumulated(terms, magnitude, input_error);
        if magnitude + error <= self.largest { error } else { f64::INFINITY }
    }

    /// The same for a sum that is known to stay within the numbers of the format.
    #[must_use]
    pub fn accumulated(&self, terms: usize, magnitude: f64, input_error: f64) -> f64 {
        let compound = |roundings: f64, unit: f64| {
            let sum = roundings * unit;
            if sum < 1.0 { sum / (1.0 - sum) } else { f64::INFINITY }
        };
        if terms == 0 {
            return 0.0;
        }
        let terms = terms as f64;
        let relative = if self.is_uniform() { 0.0 } else { compound(terms + 1.0, self.unit_roundoff) };
        let vanished =
            if self.subnormals { terms * self.unit_roundoff * self.smallest_normal } else { 2.0 * terms * self.smallest_normal };
        let reference = compound(terms + 1.0, REFERENCE) * magnitude;
        (relative * magnitude + (1.0 + relative) * (input_error + vanished) + reference) * INFLATION
    }

    /// Bounds the error of a sum of signals, with `input_error` the sum of their errors.
    #[must_use]
    pub fn sum(&self, terms: usize, magnitude: f64, input_error: f64) -> f64 {
        if !self.is_uniform() {
            return self.dot(terms, magnitude, input_error);
        }
        let error = (input_error + terms as f64 * REFERENCE * magnitude) * INFLATION;
        if magnitude + error <= self.largest { error } else { f64::INFINITY }
    }

    /// What the rounding of a stored weight may be off beyond the relative error that [`dot`](Self::dot) covers.
    #[must_use]
    pub fn weight_error(&self, weight: f64) -> f64 {
        if weight.abs() >= self.smallest_normal { 0.0 } else { self.stored(weight).error }
    }

    /// The spacing of the format's numbers at a magnitude.
    #[must_use]
    pub fn spacing(&self, magnitude: f64) -> f64 {
        let magnitude = magnitude.abs().max(self.smallest_normal);
        // The exponent bits alone are the largest power of two that is not larger; infinity stays infinite.
        2.0 * self.unit_roundoff * f64::from_bits(magnitude.to_bits() & 0x7ff0_0000_0000_0000)
    }

    /// Whether the format holds a number exactly.
    fn represents(&self, value: f64) -> bool {
        let magnitude = value.abs();
        if magnitude == 0.0 {
            return true;
        }
        // A spacing divides exactly, unless it is below the numbers of double precision.
        let spacing = self.spacing(magnitude);
        let least = if self.subnormals { 0.0 } else { self.smallest_normal };
        (least..=self.largest).contains(&magnitude) && (self.unit_roundoff <= REFERENCE || (magnitude / spacing).fract() == 0.0)
    }

    /// A result that, before its own rounding, lies within `carried` of the value.
    fn settle(&self, value: f64, carried: f64, precision: Precision, reference: f64) -> Bounded {
        if !value.is_finite() || !carried.is_finite() {
            return Bounded::unknown(value);
        }
        let magnitude = value.abs();
        let mut error = 0.0;
        if carried != 0.0 || !precision.is_rounded() || !self.represents(value) {
            error = carried + precision.ulp * self.spacing(magnitude + carried) + precision.absolute;
            error += reference * (magnitude + f64::MIN_POSITIVE);
        }
        error = self.flushed(magnitude, error) * INFLATION;
        if magnitude + error <= self.largest { Bounded { value, error } } else { Bounded::unknown(value) }
    }

    /// The error of a number that the substrate may read as nought if it has not all digits.
    fn flushed(&self, magnitude: f64, error: f64) -> f64 {
        if !self.subnormals && magnitude - error < self.smallest_normal {
            error + (magnitude + error).min(self.smallest_normal)
        } else {
            error
        }
    }

    fn input(&self, x: Bounded) -> Bounded {
        let error = if x.error >= 0.0 { x.error } else { f64::INFINITY };
        Bounded { value: x.value, error: self.flushed(x.value.abs(), error) }
    }

    fn unary(&self, f: Unary, a: Bounded) -> Bounded {
        let value = f.apply(a.value);
        let function = |carried: f64, precision: Precision| self.settle(value, carried, precision, REFERENCE_FUNCTION);
        match f {
            Unary::Neg | Unary::Abs => Bounded { value, error: a.error },
            Unary::Floor => Bounded { value, error: floor_error(a) },
            Unary::Sqrt => {
                let low = a.value - a.error * INFLATION;
                let carried = if a.error == 0.0 { 0.0 } else { a.error / (value + low.sqrt()) };
                // A negative low end has no root, and the bound is infinite.
                self.settle(value, carried, self.sqrt, REFERENCE)
            }
            // The reference may have underflowed where the far end of the interval does not.
            Unary::Exp => function(value.max(f64::MIN_POSITIVE) * libm::expm1(a.error), self.exp),
            // A low end of nought or less has no logarithm.
            Unary::Ln => function(if a.error < a.value { -libm::log1p(-a.error / a.value) } else { f64::INFINITY }, self.ln),
            Unary::Tanh => {
                // The slope is largest where the interval comes nearest to nought: 1 / cosh².
                let decay = libm::exp(-2.0 * (a.value.abs() - a.error).max(0.0));
                let slope = 4.0 * decay / ((1.0 + decay) * (1.0 + decay));
                let carried = a.error * slope;
                function(if carried.is_finite() { carried.min(2.0) } else { carried }, self.tanh)
            }
            Unary::Sin => self.wave(value, a, libm::cos(a.value), self.sin),
            Unary::Cos => self.wave(value, a, libm::sin(a.value), self.cos),
        }
    }

    fn wave(&self, value: f64, a: Bounded, slope: f64, precision: Precision) -> Bounded {
        if !a.error.is_finite() || !value.is_finite() {
            Bounded::unknown(value)
        } else if a.value.abs() + a.error > self.angle {
            Bounded { value, error: 2.0 }
        } else {
            let carried = a.error * (slope.abs() + a.error).min(1.0);
            self.settle(value, carried, precision, REFERENCE_FUNCTION)
        }
    }

    fn binary(&self, f: Binary, a: Bounded, b: Bounded, decided: bool) -> Bounded {
        let value = f.apply(a.value, b.value);
        match f {
            Binary::Add | Binary::Sub if a.is_exactly(|v| v == 0.0) => Bounded { value, error: b.error },
            Binary::Add | Binary::Sub if b.is_exactly(|v| v == 0.0) => Bounded { value, error: a.error },
            Binary::Add | Binary::Sub => {
                let rounding = if self.is_uniform() { Precision::within(0.0) } else { Precision::ROUNDED };
                self.settle(value, a.error + b.error, rounding, REFERENCE)
            }
            Binary::Mul => self.product(value, a, b),
            Binary::Div => {
                let nearest = b.value.abs() - b.error;
                let carried = if nearest > 0.0 { (value.abs() * b.error + a.error) / nearest } else { f64::INFINITY };
                self.settle(value, carried, self.division, REFERENCE)
            }
            Binary::Max | Binary::Min => {
                let error = if !decided {
                    a.error.max(b.error)
                } else if a.value.to_bits() == value.to_bits() {
                    a.error
                } else {
                    b.error
                };
                Bounded { value, error }
            }
            Binary::Above | Binary::AtOrAbove => Bounded { value, error: if decided { 0.0 } else { 1.0 } },
        }
    }

    fn product(&self, value: f64, a: Bounded, b: Bounded) -> Bounded {
        let carried = a.value.abs() * b.error + b.value.abs() * a.error + a.error * b.error;
        if carried == 0.0 && value != 0.0 && !(value.abs() > 1e-200 && libm::fma(a.value, b.value, -value) == 0.0) {
            // The reference rounded, so that its value may be a number of the format although the product is none.
            return self.settle(value, f64::MIN_POSITIVE, Precision::ROUNDED, REFERENCE);
        }
        let scaled = a.is_exactly(is_power_of_two) || b.is_exactly(is_power_of_two);
        if scaled && value.abs() - carried >= self.smallest_normal {
            self.settle(value, carried, Precision::within(0.0), 0.0)
        } else {
            self.settle(value, carried, Precision::ROUNDED, REFERENCE)
        }
    }

    /// Whether every substrate orders two numbers as the reference does.
    fn decided(a: Bounded, b: Bounded) -> bool {
        let spread = a.error + b.error;
        spread == 0.0 || (a.value - b.value).abs() > spread * INFLATION
    }

    /// A step as the operand of a comparison: a constant beyond the largest number, such as "no threshold", is stored as
    /// infinity or as the largest number, and lies above everything that has a bound.
    fn ordered(&self, op: Op, x: Bounded) -> Bounded {
        match op {
            Op::Const(value) if value.is_finite() && value.abs() > self.largest => {
                Bounded { value: self.largest.copysign(value), error: self.unit_roundoff * self.largest }
            }
            _ => x,
        }
    }

    fn select(&self, condition: Bounded, yes: Bounded, no: Bounded) -> Bounded {
        let (taken, other) = if condition.value != 0.0 { (yes, no) } else { (no, yes) };
        if Self::decided(condition, Bounded::exact(0.0)) {
            return taken;
        }
        let error = ((yes.value - no.value).abs() + taken.error.max(other.error)) * INFLATION;
        if error.is_finite() { Bounded { value: taken.value, error } } else { Bounded::unknown(taken.value) }
    }
}

/// A number of the reference, and how far the substrate may be from it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bounded {
    /// What the definition gives in double precision.
    pub value: f64,
    /// A bound on the distance of the substrate's number; infinite where nothing can be said.
    pub error: f64,
}

impl Bounded {
    /// A number that the substrate holds exactly.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// Whether a number of the substrate lies within the bound. Where nothing can be said, any number does, NaN included.
    #[must_use]
    pub fn covers(self, number: f64) -> bool {
        self.error == f64::INFINITY || number == self.value || (number - self.value).abs() <= self.error
    }

    fn unknown(value: f64) -> Self {
        Self { value, error: f64::INFINITY }
    }

    fn is_exactly(self, holds: impl Fn(f64) -> bool) -> bool {
        self.error == 0.0 && holds(self.value)
    }
}

fn is_power_of_two(value: f64) -> bool {
    value.is_normal() && value.to_bits() & 0x000f_ffff_ffff_ffff == 0
}

/// How far the largest whole number below can move within an interval.
fn floor_error(a: Bounded) -> f64 {
    if a.error == 0.0 {
        return 0.0;
    }
    let value = a.value.floor();
    // One number further out than computed, because the ends are rounded.
    let (low, high) = ((a.value - a.error).next_down(), (a.value + a.error).next_up());
    let error = (value - low.floor()).max(high.floor() - value);
    if error.is_finite() { error } else { f64::INFINITY }
}

/// Bounds every result of a recording for operands that are known within bounds.
///
/// The values are those of [`Tape::evaluate`] in double precision. A missing input counts as an exact nought. An error that is
/// not a number, or negative, counts as infinite.
#[must_use]
pub fn bound(tape: &Tape, inputs: &[Bounded], accuracy: &Accuracy) -> Vec<Bounded> {
    let mut places: Vec<Bounded> = Vec::with_capacity(tape.ops().len());
    for op in tape.ops() {
        let at = |place: Place| places[place as usize];
        let result = match *op {
            Op::Input(i) => accuracy.input(inputs.get(i as usize).copied().unwrap_or(Bounded::exact(0.0))),
            Op::Const(value) => accuracy.stored(value),
            Op::Unary(f, a) => accuracy.unary(f, at(a)),
            Op::Binary(f, a, b) => {
                let ordered = |place: Place| accuracy.ordered(tape.ops()[place as usize], at(place));
                accuracy.binary(f, at(a), at(b), Accuracy::decided(ordered(a), ordered(b)))
            }
            Op::Select(condition, yes, no) => accuracy.select(at(condition), at(yes), at(no)),
        };
        places.push(result);
    }
    tape.outputs().iter().map(|&place| places[place as usize]).collect()
}

#[cfg(test)]
mod tests;
