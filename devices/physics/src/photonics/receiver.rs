//! Detectors: from light to current, with shot and thermal noise.
//!
//! ```text
//! intensity     i = R |E|²                       var i = 2q (i + I_dark) Δf + 4kTΔf / R_L
//! homodyne      i = 2 R L |E| cos(arg E - ψ)     var i = 2q (R (|E|² + L²) + 2 I_dark) Δf + 2 · 4kTΔf / R_L
//! ```
//! Fields are in the square root of watts. A homodyne receiver is two detectors behind an even coupler that light `E` and a local oscillator of
//! amplitude `L` and phase `ψ` meet; the currents are subtracted, so that what both have in common cancels while their noises add. A shot at `ψ = 0`
//! gives the real part, one at `ψ = π/2` the imaginary part.
//! Source: photontorch 0.4.1 (defaults; models.md of this project, section 2.2); Yuen and Chan 1983, Optics Letters 8, 177 (homodyne).

/// The charge of an electron in coulomb.
pub const CHARGE: f64 = 1.602_176_634e-19;
/// Boltzmann's constant in joule per kelvin.
pub const BOLTZMANN: f64 = 1.380_649e-23;

/// A detector and its amplifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receiver {
    /// Ampere per watt.
    pub responsivity: f64,
    /// The current in the dark, in ampere.
    pub dark: f64,
    /// The load in ohm.
    pub load: f64,
    /// Hertz.
    pub bandwidth: f64,
    /// Kelvin.
    pub temperature: f64,
}

impl Default for Receiver {
    fn default() -> Self {
        Self { responsivity: 1.0, dark: 1e-10, load: 166.0, bandwidth: 20e9, temperature: 300.0 }
    }
}

impl Receiver {
    /// The variance of the thermal noise, in square ampere.
    #[must_use]
    pub fn thermal(&self) -> f64 {
        4.0 * BOLTZMANN * self.temperature * self.bandwidth / self.load
    }

    /// The variance of the shot noise of a current in ampere, in square ampere.
    #[must_use]
    pub fn shot(&self, current: f64) -> f64 {
        2.0 * CHARGE * (current + self.dark) * self.bandwidth
    }

    /// The current at which shot noise equals thermal noise, in ampere, apart from the dark current: `2kT / (q R_L)`.
    #[must_use]
    pub fn crossing(&self) -> f64 {
        2.0 * BOLTZMANN * self.temperature / (CHARGE * self.load)
    }

    /// Mean and standard deviation of the current for a power in watt, in ampere.
    #[must_use]
    pub fn intensity(&self, power: f64) -> (f64, f64) {
        let current = self.responsivity * power;
        (current, (self.shot(current) + self.thermal()).sqrt())
    }

    /// Mean and standard deviation of the difference of currents, in ampere, for the part of a field in phase with an oscillator, the power of
    /// that field and the amplitude of the oscillator.
    #[must_use]
    pub fn homodyne(&self, part: f64, power: f64, oscillator: f64) -> (f64, f64) {
        let both = self.responsivity * (power + oscillator * oscillator);
        let variance = self.shot(both + self.dark) + 2.0 * self.thermal();
        (2.0 * self.responsivity * oscillator * part, variance.sqrt())
    }
}
