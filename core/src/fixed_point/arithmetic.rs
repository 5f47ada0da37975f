//! The operations of a board on its numbers.

use super::{FixedPointError, Format};
use std::fmt::{Debug, Display};

/// How a board computes. Results beyond the largest number are counted in `clipped`, where they are cut.
pub trait Arithmetic: Copy + Debug + Display + Send + Sync + 'static {
    /// A number in memory.
    type Number: Copy + Debug + Default + PartialEq + PartialOrd + Send + Sync;

    /// Whether sums and products with nought and one are exact for every number, so that code may leave them out.
    const EXACT: bool;

    /// The nearest number; `None` beyond the range.
    fn encode(self, value: f64) -> Option<Self::Number>;
    /// The number as it is.
    fn decode(self, number: Self::Number) -> f64;
    /// The largest magnitude.
    fn largest(self) -> f64;
    /// The raw 32-bit word.
    fn word(self, number: Self::Number) -> u32;
    /// The number in a raw 32-bit word.
    fn number(self, word: u32) -> Self::Number;
    /// `a + b`.
    fn add(self, a: Self::Number, b: Self::Number, clipped: &mut u64) -> Self::Number;
    /// `a - b`.
    fn sub(self, a: Self::Number, b: Self::Number, clipped: &mut u64) -> Self::Number;
    /// `a b`.
    fn mul(self, a: Self::Number, b: Self::Number, clipped: &mut u64) -> Self::Number;
    /// `-a`.
    fn neg(self, a: Self::Number, clipped: &mut u64) -> Self::Number;
    /// The largest whole number that is not larger.
    fn floor(self, a: Self::Number) -> Self::Number;
    /// One or nought.
    fn indicator(self, holds: bool) -> Self::Number;

    /// The nearest number, or an error that says what is beyond the range.
    ///
    /// # Errors
    /// `Range`.
    fn encode_or(self, value: f64, what: impl FnOnce() -> String) -> Result<Self::Number, FixedPointError> {
        self.encode(value).ok_or_else(|| FixedPointError::Range {
            what: what(),
            value,
            largest: self.largest(),
            numbers: self.to_string(),
        })
    }
}

/// Cuts a result to 32 bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "cut to the range of 32 bits")]
fn cut(value: i64, clipped: &mut u64) -> i32 {
    let kept = value.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    *clipped += u64::from(kept != value);
    kept as i32
}

impl Arithmetic for Format {
    type Number = i32;

    const EXACT: bool = true;

    fn encode(self, value: f64) -> Option<i32> {
        Self::encode(self, value)
    }
    fn decode(self, number: i32) -> f64 {
        Self::decode(self, number)
    }
    fn largest(self) -> f64 {
        Self::largest(self)
    }
    fn word(self, number: i32) -> u32 {
        number.cast_unsigned()
    }
    fn number(self, word: u32) -> i32 {
        word.cast_signed()
    }
    #[inline(always)]
    fn add(self, a: i32, b: i32, clipped: &mut u64) -> i32 {
        cut(i64::from(a) + i64::from(b), clipped)
    }
    #[inline(always)]
    fn sub(self, a: i32, b: i32, clipped: &mut u64) -> i32 {
        cut(i64::from(a) - i64::from(b), clipped)
    }
    #[inline(always)]
    fn mul(self, a: i32, b: i32, clipped: &mut u64) -> i32 {
        // without a bit after the point there is no half
        let half = (1_i64 << self.fraction) >> 1;
        cut((i64::from(a) * i64::from(b) + half) >> self.fraction, clipped)
    }
    #[inline(always)]
    fn neg(self, a: i32, clipped: &mut u64) -> i32 {
        cut(-i64::from(a), clipped)
    }
    #[inline(always)]
    fn floor(self, a: i32) -> i32 {
        a & !(self.one() - 1)
    }
    #[inline(always)]
    fn indicator(self, holds: bool) -> i32 {
        if holds { self.one() } else { 0 }
    }
}

/// IEEE 754 single precision. Nothing is cut: what is too large is infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SinglePrecision;

impl Display for SinglePrecision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad("F32")
    }
}

impl Arithmetic for SinglePrecision {
    type Number = f32;

    const EXACT: bool = false;

    #[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest")]
    fn encode(self, value: f64) -> Option<f32> {
        let single = value as f32;
        single.is_finite().then_some(single)
    }
    fn decode(self, number: f32) -> f64 {
        f64::from(number)
    }
    fn largest(self) -> f64 {
        f64::from(f32::MAX)
    }
    fn word(self, number: f32) -> u32 {
        number.to_bits()
    }
    fn number(self, word: u32) -> f32 {
        f32::from_bits(word)
    }
    #[inline(always)]
    fn add(self, a: f32, b: f32, _: &mut u64) -> f32 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32, b: f32, _: &mut u64) -> f32 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32, b: f32, _: &mut u64) -> f32 {
        a * b
    }
    #[inline(always)]
    fn neg(self, a: f32, _: &mut u64) -> f32 {
        -a
    }
    #[inline(always)]
    fn floor(self, a: f32) -> f32 {
        a.floor()
    }
    #[inline(always)]
    fn indicator(self, holds: bool) -> f32 {
        if holds { 1.0 } else { 0.0 }
    }
}
