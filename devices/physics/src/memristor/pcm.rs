//! Statistics of phase-change memory: how far a written conductance is off, how it drifts, how it fluctuates.
//!
//! Conductances are in microsiemens, times in seconds after the write was verified; `x = g/g_max` and `N` is a standard normal number.
//!
//! ```text
//! write    g_p = max(0, g + σ N)            σ = (g_max/25) (0.26348 + 1.9650 x - 1.1731 x²)
//! drift    g(t) = g_p ((t + t_0)/t_0)^{-ν}  ν = |μ + s N|
//!          μ = -0.0155 ln x + 0.0244 within [0.049, 0.1],   s = -0.0125 ln x - 0.0059 within [0.008, 0.045]
//! read     σ_r/g = q √ln((t + t_0 + t_r)/(2 t_r)),   q = min(0.0088/max(x^0.65, 1e-3), 0.2)
//! ```
//! `x` is that of the target for σ, μ and s, and that of the written conductance for q. A read is the drifted conductance with its fluctuation,
//! held at nought from below. The fluctuation is 1/f noise and a state, see [`flicker`](super::flicker).
//!
//! Source: Nandakumar et al., *Phase-change memory models for deep learning training and inference*, IEEE ICECS 2019, with the fitted numbers
//! of IBM's aihwkit.

use super::flicker::Spectrum;

/// A fit of phase-change cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pcm {
    /// The largest conductance that is written, in microsiemens.
    pub g_max: f64,
    /// The largest conductance of the cells that `programming` was fitted on, in microsiemens.
    pub reference: f64,
    /// Deviation of a write in microsiemens: ascending powers of `x`.
    pub programming: [f64; 4],
    /// When after the write the drift is first seen, in seconds.
    pub t_0: f64,
    /// How long a read takes, in seconds.
    pub t_read: f64,
}

impl Default for Pcm {
    fn default() -> Self {
        Self { g_max: 25.0, reference: 25.0, programming: [0.263_48, 1.965, -1.173_1, 0.0], t_0: 20.0, t_read: 250e-9 }
    }
}

impl Pcm {
    /// A pair of cells in parallel on the Hermes chip. Drift and read noise are the fit above at the times of this chip.
    #[must_use]
    pub fn hermes_pair() -> Self {
        Self { g_max: 20.7, reference: 20.7, programming: [0.166_03, 4.718_06, -8.481_01, 4.689_61], t_0: 300.0, t_read: 512e-9 }
    }

    /// A single cell on the Hermes chip. Drift and read noise are the fit above at the times of this chip.
    #[must_use]
    pub fn hermes_single() -> Self {
        Self {
            g_max: 10.35,
            reference: 10.35,
            programming: [0.157_82, 2.324_44, -2.163_11, 0.688_42],
            t_0: 200.0,
            t_read: 512e-9,
        }
    }

    /// Deviation of a write that aims at `target`, in microsiemens.
    #[must_use]
    pub fn programming_deviation(&self, target: f64) -> f64 {
        let x = target / self.g_max;
        let fit = self.programming.iter().rev().fold(0.0, |sum, c| sum * x + c);
        fit.max(0.0) * self.g_max / self.reference
    }

    /// What a write that aims at `target` leaves, for a standard normal number.
    #[must_use]
    pub fn write(&self, target: f64, n: f64) -> f64 {
        (target + self.programming_deviation(target) * n).max(0.0)
    }

    /// Mean and deviation of the exponent of the drift of a cell that was written towards `target`, before its magnitude is taken.
    #[must_use]
    pub fn drift_statistics(&self, target: f64) -> (f64, f64) {
        let ln = libm::log((target / self.g_max).max(1e-7));
        ((0.0244 - 0.0155 * ln).clamp(0.049, 0.1), (-0.0125 * ln - 0.0059).clamp(0.008, 0.045))
    }

    /// The exponent of the drift of one cell, for a standard normal number.
    #[must_use]
    pub fn drift_exponent(&self, target: f64, n: f64) -> f64 {
        let (mean, deviation) = self.drift_statistics(target);
        (mean + deviation * n).abs()
    }

    /// What is left of a conductance after so many seconds.
    #[must_use]
    pub fn drift(&self, exponent: f64, seconds: f64) -> f64 {
        libm::exp(-exponent * self.log_age(seconds))
    }

    /// The logarithm on which the drift is a straight line: `ln((t + t_0)/t_0)`.
    #[must_use]
    pub fn log_age(&self, seconds: f64) -> f64 {
        libm::log1p(seconds.max(0.0) / self.t_0)
    }

    /// The strength `q` of the fluctuation of a written conductance, relative to it.
    #[must_use]
    pub fn flicker(&self, written: f64) -> f64 {
        (0.0088 / libm::pow((written / self.g_max).max(0.0), 0.65).max(1e-3)).min(0.2)
    }

    /// Relative deviation of a read so many seconds after the write.
    #[must_use]
    pub fn read_deviation(&self, written: f64, seconds: f64) -> f64 {
        let age = seconds.max(0.0) + self.t_0;
        self.flicker(written) * libm::log((age + self.t_read) / (2.0 * self.t_read)).sqrt()
    }

    /// The processes of which the fluctuation is the sum. They start `t_0` before the first second that is counted.
    #[must_use]
    pub fn spectrum(&self) -> Spectrum {
        Spectrum::of_read(self.t_read)
    }
}
