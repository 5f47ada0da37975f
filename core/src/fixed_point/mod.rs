//! Numbers of small boards: fixed point and single precision, and a tick of a transfer function in either.
//!
//! A number in the format `Qn` is a 32-bit whole number in two's complement that counts steps of `2⁻ⁿ`. A product is
//! `(a·b + 2ⁿ⁻¹) >> n`, computed exactly and rounded towards plus infinity at the half; a sum is exact; a result beyond the 32-bit
//! range is cut to the nearest end and counted. Boards in C and the machine in Rust follow the same operations in the same order, so
//! that they agree to the bit (`docs/board-protocol.md`).
//!
//! These are real numbers with a coarse spacing. The semantics of digital neuromorphic chips, which step in whole units of the drive, are
//! another matter: [`Number::Fixed`](crate::semantics::Number).

mod arithmetic;
mod step;
mod straight;
#[cfg(test)]
mod tests;

pub use arithmetic::{Arithmetic, SinglePrecision};
pub use step::{Flags, Stepper, Work};
pub use straight::{At, Operation, Straight};

use crate::transfer::TransferFunction;
use std::fmt;

/// Code of a tape in fixed point.
pub type FixedTape = Straight<Format>;

/// A tick of a transfer function in fixed point.
pub type FixedStep = Stepper<Format>;

/// Why something cannot be put on a board.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FixedPointError {
    /// The function uses an operation that boards do not have.
    #[error("{function} needs {operation}, which {numbers} has not")]
    Operation {
        /// The id of the function.
        function: String,
        /// The operation.
        operation: &'static str,
        /// The kind of numbers.
        numbers: String,
    },
    /// The flow has no run-time form.
    #[error("the flow of {function} is not affine, so that it has no run-time form for a board")]
    NotAffine {
        /// The id of the function.
        function: String,
    },
    /// The function takes random numbers.
    #[error("{function} draws random numbers, which a board does not")]
    Draws {
        /// The id of the function.
        function: String,
    },
    /// A number is beyond the range.
    #[error("{what} is {value}, beyond the ±{largest} of {numbers}; scale the units of the program")]
    Range {
        /// What it is.
        what: String,
        /// The number.
        value: f64,
        /// The largest magnitude of the format.
        largest: f64,
        /// The kind of numbers.
        numbers: String,
    },
    /// No such format exists.
    #[error("{0} bits after the point leave no room for one; take 0 to 30")]
    Fraction(u32),
    /// No format covers the functions.
    #[error("magnitudes up to {0} with room for sums do not fit 32 bits; scale the units of the functions")]
    Uncovered(f64),
}

impl From<FixedPointError> for crate::error::Error {
    fn from(error: FixedPointError) -> Self {
        Self::unsupported(error.to_string()).with_source(error)
    }
}

/// Room that a format leaves above the nominal ranges of signals, for sums of several of them.
const HEADROOM: f64 = 8.0;

/// Fixed-point numbers of 32 bits with so many after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    fraction: u32,
}

impl Format {
    /// The format with `fraction` bits after the point.
    ///
    /// # Errors
    /// `Fraction` if the number one does not fit beside so many bits.
    pub fn new(fraction: u32) -> Result<Self, FixedPointError> {
        if fraction <= 30 { Ok(Self { fraction }) } else { Err(FixedPointError::Fraction(fraction)) }
    }

    /// The finest format that covers the signals of some transfer functions.
    ///
    /// Eight times the largest magnitude of the nominal ranges of inputs, states and outputs has to fit, and the bits after the point
    /// are whole bytes, because a processor of 8 bits shifts whole bytes for free. Parameters do not count: a board holds only those that
    /// its tests, resets and outputs read, and what exceeds the format is refused when a program is laid out.
    ///
    /// # Errors
    /// `Uncovered` if not even whole numbers reach far enough.
    pub fn covering<'a>(functions: impl IntoIterator<Item = &'a dyn TransferFunction>) -> Result<Self, FixedPointError> {
        let mut largest: f64 = 0.0;
        for function in functions {
            let s = function.signature();
            let signals = s.inputs.iter().filter(|i| i.draw.is_none()).map(|i| i.quantity);
            let all = signals.chain(s.states.iter().map(|s| s.quantity)).chain(s.outputs.iter().map(|o| o.quantity));
            largest = all.flat_map(|q| q.range).fold(largest, |m, v| m.max(v.abs()));
        }
        let fits = |fraction: &u32| HEADROOM * largest <= Self { fraction: *fraction }.largest();
        [24, 16, 8, 0].into_iter().find(fits).map(|fraction| Self { fraction }).ok_or(FixedPointError::Uncovered(largest))
    }

    /// The bits after the point.
    #[must_use]
    pub fn fraction(self) -> u32 {
        self.fraction
    }

    /// The distance between neighbours.
    #[must_use]
    pub fn spacing(self) -> f64 {
        1.0 / (1_u64 << self.fraction) as f64
    }

    /// The largest number.
    #[must_use]
    pub fn largest(self) -> f64 {
        f64::from(i32::MAX) * self.spacing()
    }

    /// The number one.
    #[must_use]
    pub fn one(self) -> i32 {
        1 << self.fraction
    }

    /// The nearest number of the format, towards plus infinity at the half; `None` beyond the range.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "within the range of 32 bits")]
    pub fn encode(self, value: f64) -> Option<i32> {
        // the product is exact and so is the sum, up to numbers that have no place after the point anyway
        let scaled = (value * (1_u64 << self.fraction) as f64 + 0.5).floor();
        (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&scaled).then_some(scaled as i32)
    }

    /// The nearest number of the format, cut to its range, and whether it was cut. What is not a number is nought, and cut.
    #[must_use]
    pub fn encode_cut(self, value: f64) -> (i32, bool) {
        match self.encode(value) {
            Some(number) => (number, false),
            None if value > 0.0 => (i32::MAX, true),
            None if value < 0.0 => (i32::MIN, true),
            None => (0, true),
        }
    }

    /// The number as it is, exactly.
    #[must_use]
    pub fn decode(self, number: i32) -> f64 {
        f64::from(number) * self.spacing()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("Q{}", self.fraction))
    }
}
