//! Converters at the edges of a crossbar: digital to analog for the word lines, analog to digital for the bit lines.

use super::error::Error;
use std::f64::consts::SQRT_2;

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

/// The variance of a normal number of a given deviation that is rounded to whole numbers, at the mean where that is most: halfway between two.
///
/// Wide noise takes a twelfth from rounding. Noise that is narrow beside a step is no longer seen between codes, and halfway between two it flips a
/// whole step: a quarter, however narrow it is.
#[must_use]
pub(super) fn flipping(deviation: f64) -> f64 {
    /// Rounding is even to within `e^{-2π² 4}` beyond it.
    const WIDE: f64 = 2.0;
    if deviation > WIDE {
        return deviation * deviation + 1.0 / 12.0;
    }
    // what is beyond so many codes, and as much on the other side
    let beyond = |codes: f64| libm::erfc(codes / (deviation * SQRT_2));
    // (k + 1/2)² is a quarter and the sum of 2 j up to k
    0.25 + (1..=CODES).map(|k| 2.0 * f64::from(k) * beyond(f64::from(k))).take_while(|&more| more > 0.0).sum::<f64>()
}

/// Codes that noise of twice a step may reach: twelve deviations.
const CODES: u32 = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::{Key, normal};

    #[test]
    fn rounded_noise_is_most_halfway_between_two_codes() {
        assert!((flipping(0.0) - 0.25).abs() < 1e-15 && (flipping(1e-3) - 0.25).abs() < 1e-15);
        assert!((flipping(2.0) - 4.0 - 1.0 / 12.0).abs() < 1e-9 && (flipping(9.0) - 81.0 - 1.0 / 12.0).abs() < 1e-12);
        const N: u64 = 20_000;
        for deviation in [0.05, 0.2, 0.4, 0.7, 1.5] {
            let variance = |mean: f64| {
                let codes: Vec<f64> = (0..N)
                    .map(|k| (mean + deviation * f64::from(normal(Key::new(1, 0).bits(0, 0, k)))).round_ties_even())
                    .collect();
                let mean = codes.iter().sum::<f64>() / N as f64;
                codes.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (N - 1) as f64
            };
            let most = (0..=20).map(|k| variance(f64::from(k) / 20.0)).fold(0.0, f64::max);
            // a variance is off by √(2/N), and the largest of several is drawn upwards
            let error = (2.0 / N as f64).sqrt();
            eprintln!("deviation {deviation}: at most {most:.4}, {:.4} expected", flipping(deviation));
            assert!((most / flipping(deviation) - 1.0).abs() < 4.0 * error, "{deviation}: {most} is not {}", flipping(deviation));
        }
    }
}
