//! Detection in units of the field at full scale: what a receiver reads, divided by what it reads of a field of one.
//!
//! A field of one has `P` watts before the chip, of which the amplitude `a` is left behind it. Powers `p` are in units of a field of one.
//! ```text
//! intensity     y = i / (R P a²)               homodyne     y = i / (2 R L a √P)
//! ```

use super::receiver::Receiver;
use super::settings::Settings;

/// The variance of a reading as a function of the power of the light, `dark + slope p`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Variance {
    dark: f64,
    slope: f64,
}

impl Variance {
    fn between(dark: f64, at_one: f64, unit: f64) -> Self {
        Self { dark: (dark / unit).powi(2), slope: (at_one / unit).powi(2) - (dark / unit).powi(2) }
    }

    fn sigma(self, power: f64) -> f64 {
        (self.dark + self.slope * power).sqrt()
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn single(self) -> [f32; 2] {
        [self.dark as f32, self.slope as f32]
    }
}

/// Direct detection of a power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Intensity(Variance);

impl Intensity {
    /// Behind a chip of some amplitude.
    #[must_use]
    pub fn new(settings: &Settings, amplitude: f64) -> Self {
        let Receiver { responsivity, .. } = settings.receiver;
        let light = settings.power * amplitude * amplitude;
        let sigma = |power: f64| settings.receiver.intensity(power).1;
        Self(Variance::between(sigma(0.0), sigma(light), responsivity * light))
    }

    /// The standard deviation of a reading of a power.
    #[must_use]
    pub fn sigma(self, power: f64) -> f64 {
        self.0.sigma(power)
    }

    /// The variance `dark + slope p`.
    #[must_use]
    pub fn variance(self) -> [f32; 2] {
        self.0.single()
    }
}

/// Detection of a part of a field beside a local oscillator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homodyne(Variance);

impl Homodyne {
    /// Behind a chip of some amplitude.
    #[must_use]
    pub fn new(settings: &Settings, amplitude: f64) -> Self {
        let Receiver { responsivity, .. } = settings.receiver;
        let (light, oscillator) = (settings.power * amplitude * amplitude, settings.oscillator.sqrt());
        let sigma = |power: f64| settings.receiver.homodyne(0.0, power, oscillator).1;
        Self(Variance::between(sigma(0.0), sigma(light), 2.0 * responsivity * oscillator * light.sqrt()))
    }

    /// The standard deviation of a reading of a part, given the power of the whole field.
    #[must_use]
    pub fn sigma(self, power: f64) -> f64 {
        self.0.sigma(power)
    }

    /// The variance `dark + slope p`.
    #[must_use]
    pub fn variance(self) -> [f32; 2] {
        self.0.single()
    }
}
