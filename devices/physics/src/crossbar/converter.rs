//! Converters at the edges of a crossbar: digital to analog for the word lines, analog to digital for the bit lines.

use super::error::Error;

/// A converter with codes symmetric about nought: `2^bits - 1` of them, 255 for eight bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Converter {
    most: f64,
    step: f64,
}

impl Converter {
    /// A converter for values from `-range` to `range`.
    ///
    /// # Errors
    /// [`Error::Converter`] for fewer than 2 or more than 16 bits, or a range that is not above nought.
    pub fn new(bits: u32, range: f64) -> Result<Self, Error> {
        if !(2..=16).contains(&bits) || !range.is_finite() || range <= 0.0 {
            return Err(Error::Converter { bits, range });
        }
        let most = f64::from((1_u32 << (bits - 1)) - 1);
        Ok(Self { most, step: range / most })
    }

    /// The distance between two codes, in the units of the range.
    #[must_use]
    pub fn step(&self) -> f64 {
        self.step
    }

    /// The largest code.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.most
    }

    /// The value of the nearest code, halves to the even one, and whether the value was beyond the last code and clipped.
    #[must_use]
    pub fn convert(&self, value: f64) -> (f64, bool) {
        let code = (value / self.step).round_ties_even();
        let clipped = code.clamp(-self.most, self.most);
        (clipped * self.step, clipped != code)
    }

    /// Converts all values and gives how many were clipped.
    pub fn convert_all(&self, values: &mut [f64]) -> u64 {
        let mut clipped = 0;
        for value in values {
            let (converted, is_clipped) = self.convert(*value);
            *value = converted;
            clipped += u64::from(is_clipped);
        }
        clipped
    }
}
