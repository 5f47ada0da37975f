//! Signed weights on conductances that have no sign: a pair of cells for each.
//!
//! ```text
//! w >= 0  →  (s w + g_min, g_min)        w < 0  →  (g_min, s |w| + g_min)        s = (g_max - g_min)/max|w|
//! ```
//! The weight is the difference of the pair over `s`.

use super::error::Error;

/// How weights are laid on pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    g_min: f64,
    g_max: f64,
    scale: f64,
}

impl Pairs {
    /// A layout for weights of at most `largest` in magnitude on cells from `g_min` to `g_max` microsiemens. If `largest` is nought, or so small that
    /// no number of microsiemens is as much, every pair is at rest and stands for nought.
    ///
    /// # Errors
    /// [`Error::Unphysical`] if the range is empty or `largest` is no magnitude.
    pub fn new(largest: f64, g_min: f64, g_max: f64) -> Result<Self, Error> {
        let refuse = |what, value, must| Err(Error::Unphysical { what, value, must });
        if !(g_min.is_finite() && g_min >= 0.0) {
            return refuse("the least conductance", g_min, "finite and at or above nought");
        }
        if !(g_max.is_finite() && g_max > g_min) {
            return refuse("the range of conductances", g_max - g_min, "finite and above nought");
        }
        if !(largest.is_finite() && largest >= 0.0) {
            return refuse("the largest weight", largest, "finite and at or above nought");
        }
        Ok(Self { g_min, g_max, scale: (g_max - g_min) / largest })
    }

    /// Microsiemens for a weight of one; without end where every pair is at rest.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The two conductances of a weight, in microsiemens.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a weight beyond the largest.
    pub fn split(&self, weight: f64) -> Result<[f64; 2], Error> {
        if self.scale.is_infinite() && weight.is_finite() {
            return Ok([self.g_min; 2]);
        }
        let large = self.scale * weight.abs() + self.g_min;
        // the largest weight itself may round to a hair above
        if large.is_nan() || large > self.g_max * (1.0 + 1e-12) {
            return Err(Error::OutOfRange { value: large, low: self.g_min, high: self.g_max });
        }
        let large = large.min(self.g_max);
        Ok(if weight >= 0.0 { [large, self.g_min] } else { [self.g_min, large] })
    }

    /// The weight of two conductances.
    #[must_use]
    pub fn join(&self, [plus, minus]: [f64; 2]) -> f64 {
        (plus - minus) / self.scale
    }
}
