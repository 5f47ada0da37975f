//! What a twin of a mesh is made of, and what follows from it for the outputs.
//!
//! With `N` modes at most, light meets `layers` of heaters in both meshes of a matrix and the attenuators between them, and `4 depth` layers of
//! couplers. An error of standard deviation `σ` of each phase of a layer moves a row of the matrix by at most `σ` in the root mean square, wherever the
//! light of the row is, so that all together move it by `ρ = σ √layers`; uneven couplers move it by as much as their angles are off, and once more by
//! the phases that are trimmed for them. A field behind it moves by at most `√N ρ` times the largest input (an input is at most √2, where it is a
//! complex number of two parts from -1 to 1). The margin takes twice that, and a realization whose own matrix is off by more is refused, so that what
//! is declared holds of every program that runs:
//! ```text
//! σ² = step²/12 + fit² + drift²/3          ρ² = layers σ² + 8 depth coupler² + 2N (2 ln a)² [without dummies]
//! F = g √2N          e = F (2 ρ + layers · jitter² / 2)          s = 2 g jitter √(2 layers)
//! margin = e (homodyne), 2 F e + e² + 2 s² (intensity)            noise² = detector² + s² (homodyne), detector² + (2 F s + s²)² (intensity)
//! ```
//! with the largest singular value `g`, the amplitude `a` of an element, and the detector at the most light. The jitter `s` is that of a mode in which
//! there is twice the most that goes in by one, in each layer of heaters. The noise is no more than it has to be: without jitter a matrix of all modes
//! that collects in one of them all light that may go in has exactly that, and is an exemplar of the twin.
//!
//! The margin counts what may happen to any matrix, and is many times what a chip of coarse phases or uneven couplers does to most. Another one may be
//! declared: what a program is off by is worked out from its own chip when it is realised, for the present and for the end of the calibration, and
//! one that is off by more than what is declared is refused with the margin that it needs.

use super::decomposition::Layout;
use super::receiver::Receiver;
use crate::promise;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::medium::{Drift, Medium, Price};
use std::f64::consts::TAU;

/// Seconds of a tick, which its price is for: heaters settle in fewer.
const TICK: f64 = 1e-3;
/// The share of the margin that a drift has to be for a promise of its own.
const DRIFT: f64 = 0.05;
/// The share of the noise that a promised drift is at the least: what moves by less is not told from the noise in any time that a suite has.
const TOLD: f64 = 0.1;

/// The options of the twin, each with what it means.
pub const OPTIONS: &[(&str, &str)] = &[
    ("seed", "of fabrication and noise; 0 if absent"),
    ("modes", "the most modes of a matrix, which margin and noise grow with, from 1 to 64; 8 if absent"),
    ("layout", "rectangle (Clements) or triangle (Reck); rectangle if absent"),
    ("gain", "the largest singular value of a matrix, which scales margin and noise; 1 if absent"),
    ("bits", "steps of a phase are 2π / 2^bits; from 4 to 24, 16 if absent"),
    ("jitter", "standard deviation of each phase from tick to tick, in radian, up to 0.5; 0 if absent"),
    ("coupler", "standard deviation of each coupler from an even split, in radian, up to 0.2; 0 if absent"),
    ("loss", "dB in each element, up to 3; 0.1 if absent"),
    ("dummies", "whether gaps lose as much as elements; true if absent"),
    ("crosstalk", "part of its phase that a heater lends its neighbour, up to 0.02; 0.001 if absent"),
    ("watts", "power of a heater for half a turn; 0.02 if absent"),
    ("reach", "the largest power of a heater, in turns of one as designed, from 0.1 to 10; 1.2 if absent"),
    ("spread", "standard deviation of the slopes of heaters, as a part of them, up to 0.05; 0.02 if absent"),
    ("offset", "standard deviation of the phases of cold heaters, in radian, up to 0.25; 0.2 if absent"),
    ("drift", "the most that a phase drifts, in radian per hour, up to 1; 1e-5 if absent"),
    ("age", "seconds that pass between the calibration and the first tick; 0 if absent"),
    ("valid", "seconds that a calibration holds; 36000 if absent"),
    (
        "margin",
        "the most that the mean of an output may be off, in its units; what follows from the rest for any matrix if absent, and a smaller one \
         refuses programs that need more",
    ),
    ("noise", "the most deviation of one sample of an output, as for margin"),
    ("power", "watts of a field of one; 1e-3 if absent"),
    ("oscillator", "watts of the local oscillator; 1e-2 if absent"),
    ("responsivity", "ampere per watt; 1 if absent"),
    ("dark", "current of a detector in the dark, in ampere; 1e-10 if absent"),
    ("load", "ohm behind a detector; 166 if absent"),
    ("bandwidth", "hertz, from 1e6, or 0 for no noise; 2e10 if absent"),
    ("temperature", "kelvin; 300 if absent"),
];

/// What the first round of a fit folds back for certain, in radian: four deviations of the largest offset of cold heaters.
const FOLDED: f64 = 1.0;

/// The least bandwidth of a detector, in hertz.
const SLOWEST: f64 = 1e6;

/// What a twin of a mesh is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Of fabrication and noise.
    pub seed: u64,
    /// The most modes of a matrix.
    pub modes: usize,
    /// The order of elements.
    pub layout: Layout,
    /// The largest singular value of a matrix.
    pub gain: f64,
    /// Steps of a phase are `2π / 2^bits`.
    pub bits: u32,
    /// Standard deviation of each phase from tick to tick, in radian.
    pub jitter: f64,
    /// Standard deviation of each coupler from an even split, in radian.
    pub coupler: f64,
    /// dB in each element.
    pub loss: f64,
    /// Whether gaps lose as much as elements.
    pub dummies: bool,
    /// Part of its phase that a heater lends its neighbour.
    pub crosstalk: f64,
    /// Time constant of a heater in seconds. No option sets it: phases are written by calibrations alone, and these wait until the heaters have
    /// settled, so that no tick sees one move and all that follows is how long a calibration takes.
    pub tau: f64,
    /// Watts of a heater for half a turn.
    pub watts: f64,
    /// The largest power of a heater, in turns of one as designed.
    pub reach: f64,
    /// Relative standard deviation of the slopes of heaters.
    pub spread: f64,
    /// Standard deviation of the phases of cold heaters, in radian.
    pub offset: f64,
    /// The most that a phase drifts, in radian per second.
    pub drift: f64,
    /// Seconds between the calibration and the first tick.
    pub age: f64,
    /// Seconds that a calibration holds.
    pub valid: f64,
    /// The most that the mean of an output may be off, where that is not to follow from the rest.
    pub margin: Option<f64>,
    /// The most deviation of one sample of an output, where that is not to follow from the rest.
    pub noise: Option<f64>,
    /// Watts of a field of one.
    pub power: f64,
    /// Watts of the local oscillator.
    pub oscillator: f64,
    /// The detectors.
    pub receiver: Receiver,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            modes: 8,
            layout: Layout::Rectangle,
            gain: 1.0,
            bits: 16,
            jitter: 0.0,
            coupler: 0.0,
            loss: 0.1,
            dummies: true,
            crosstalk: 1e-3,
            tau: 1e-5,
            watts: 20e-3,
            reach: 1.2,
            spread: 0.02,
            offset: 0.2,
            drift: 1e-5 / 3600.0,
            age: 0.0,
            valid: 36_000.0,
            margin: None,
            noise: None,
            power: 1e-3,
            oscillator: 1e-2,
            receiver: Receiver::default(),
        }
    }
}

impl Settings {
    /// Takes the options of a locator.
    ///
    /// # Errors
    /// `Unsupported` for a value that makes no sense.
    pub fn take(options: &mut Options<'_>) -> Result<Self> {
        let standard = Self::default();
        let modes = options.take_within("modes", 1..=64)?.unwrap_or(standard.modes);
        let bits = options.take_within("bits", 4..=24)?.unwrap_or(standard.bits);
        let layout = match options.take::<String>("layout")?.as_deref() {
            None | Some("rectangle") => Layout::Rectangle,
            Some("triangle") => Layout::Triangle,
            Some(other) => {
                return Err(Error::unsupported(format!("there is no layout {other:?}: choose rectangle or triangle")));
            }
        };
        let margin = options.take_within("margin", promise::RANGE)?;
        let noise = options.take_within("noise", promise::RANGE)?;
        let mut number = |name: &str, standard: f64, [least, most]: [f64; 2]| -> Result<f64> {
            Ok(options.take_within(name, least..=most)?.unwrap_or(standard))
        };
        let receiver = Receiver {
            responsivity: number("responsivity", standard.receiver.responsivity, [1e-6, 1e6])?,
            dark: number("dark", standard.receiver.dark, [0.0, 1.0])?,
            load: number("load", standard.receiver.load, [1e-3, 1e12])?,
            bandwidth: number("bandwidth", standard.receiver.bandwidth, [0.0, 1e15])?,
            temperature: number("temperature", standard.receiver.temperature, [0.0, 1e4])?,
        };
        let found = Self {
            gain: number("gain", standard.gain, [1e-6, 1e6])?,
            jitter: number("jitter", standard.jitter, [0.0, 0.5])?,
            coupler: number("coupler", standard.coupler, [0.0, 0.2])?,
            loss: number("loss", standard.loss, [0.0, 3.0])?,
            crosstalk: number("crosstalk", standard.crosstalk, [0.0, 0.02])?,
            tau: standard.tau,
            watts: number("watts", standard.watts, [1e-9, 1e3])?,
            reach: number("reach", standard.reach, [0.1, 10.0])?,
            spread: number("spread", standard.spread, [0.0, 0.05])?,
            offset: number("offset", standard.offset, [0.0, 0.25])?,
            drift: number("drift", standard.drift * 3600.0, [0.0, 1.0])? / 3600.0,
            age: number("age", standard.age, [0.0, 1e11])?,
            valid: number("valid", standard.valid, [1e-3, 1e9])?,
            power: number("power", standard.power, [1e-12, 1e3])?,
            oscillator: number("oscillator", standard.oscillator, [1e-12, 1e3])?,
            seed: options.take("seed")?.unwrap_or(standard.seed),
            dummies: options.take("dummies")?.unwrap_or(standard.dummies),
            modes,
            layout,
            bits,
            margin,
            noise,
            receiver,
        };
        if (f64::MIN_POSITIVE..SLOWEST).contains(&found.receiver.bandwidth) {
            let why = format!(
                "a bandwidth of {} Hz is less than a tick needs: give {SLOWEST:e} Hz or more, or 0 for no noise",
                found.receiver.bandwidth
            );
            return Err(Error::unsupported(why));
        }
        let seconds = found.fit_seconds();
        if seconds > found.valid {
            return Err(Error::unsupported(found.too_short(seconds)));
        }
        let drifted = found.drift * found.age;
        if drifted > FOLDED {
            let why = format!(
                "within an age of {} s phases drift by up to {drifted:.3} rad, and a calibration finds back what is within {FOLDED} rad: \
                 give a smaller age or drift",
                found.age
            );
            return Err(Error::unsupported(why));
        }
        found.medium().check()?;
        Ok(found)
    }

    /// Seconds that the fit of the largest matrix takes, which is two meshes.
    fn fit_seconds(&self) -> f64 {
        2.0 * super::section::fit_seconds(self, self.modes)
    }

    /// Why a calibration that takes so long is none.
    pub(super) fn too_short(&self, seconds: f64) -> String {
        format!(
            "a calibration takes {seconds:.3e} s and holds for {:.3e} s, so that it would be over when it is made: raise valid or \
             bandwidth",
            self.valid
        )
    }

    /// A step of a phase, in radian.
    #[must_use]
    pub fn step(&self) -> f64 {
        TAU / f64::from(self.bits).exp2()
    }

    /// The amplitude that an element lets through.
    #[must_use]
    pub fn through(&self) -> f64 {
        10.0_f64.powf(-self.loss / 20.0)
    }

    /// Layers of heaters that light meets in two meshes and the attenuators between them.
    #[must_use]
    pub fn layers(&self) -> usize {
        2 * (2 * self.depth() + 1) + 1
    }

    /// Columns of elements of a mesh.
    fn depth(&self) -> usize {
        match self.layout {
            _ if self.modes < 3 => self.modes - 1,
            Layout::Rectangle => self.modes,
            Layout::Triangle => 2 * self.modes - 3,
        }
    }

    /// The light that a chip loses at most, as an amplitude: that of two meshes and the attenuators between them.
    #[must_use]
    pub fn least_amplitude(&self) -> f64 {
        self.through().powf((self.layers() / 2) as f64)
    }

    /// Shots that a field is averaged over when it is measured for a calibration.
    pub(super) const SHOTS: f64 = 1e6;

    /// Standard deviation of what a fit is off by in a phase, in radian: the noise of averaged fields of about `1/√N` each, with four to spare
    /// for what the fit makes of it.
    fn fit(&self) -> f64 {
        let detection = super::detection::Homodyne::new(self, self.least_amplitude());
        4.0 * detection.sigma(1.0) * (self.modes as f64).sqrt() / Self::SHOTS.sqrt()
    }

    /// What errors of phases make of a field at most.
    fn error(&self, phase: f64) -> f64 {
        2.0 * self.field() * phase * (self.layers() as f64).sqrt()
    }

    /// What fabrication leaves of errors of a field at most.
    fn flaws(&self) -> f64 {
        let uneven = 8.0 * self.depth() as f64 * self.coupler * self.coupler;
        let lossy = if self.dummies { 0.0 } else { 2.0 * self.modes as f64 * (2.0 * self.through().ln()).powi(2) };
        2.0 * self.field() * (uneven + lossy).sqrt()
    }

    /// The largest field behind a matrix.
    fn field(&self) -> f64 {
        self.gain * (2.0 * self.modes as f64).sqrt()
    }

    /// What jitter takes from the mean of a field that is `field` at most.
    #[must_use]
    pub fn dimmed(&self, field: f64) -> f64 {
        self.layers() as f64 * self.jitter * self.jitter / 2.0 * field
    }

    /// The standard deviation that jitter gives a field behind inputs that are `range` at most: `jitter √layers` of the light in a mode, which is
    /// taken for twice the most that goes in by one.
    #[must_use]
    pub fn shaken(&self, range: f64) -> f64 {
        2.0 * self.jitter * (self.layers() as f64).sqrt() * range
    }

    /// What the outputs are promised to keep.
    #[must_use]
    pub fn medium(&self) -> Medium {
        let field = self.field();
        // an error of a field, and of its power, behind a field of some size
        let worst = |field: f64, e: f64| e.max(2.0 * field * e + e * e);
        let still = self.step().powi(2) / 12.0 + self.fit().powi(2);
        let drifted = (self.drift * self.valid).powi(2) / 3.0;
        // heaters drift while they are fitted as well
        let oldest = (self.drift * (self.valid + self.fit_seconds())).powi(2) / 3.0;
        let shaken = self.shaken(self.gain * std::f64::consts::SQRT_2);
        let off = self.error((still + oldest).sqrt()).hypot(self.flaws()) + self.dimmed(field);
        let derived = worst(field, off) + 2.0 * shaken * shaken;
        let margin = self.margin.unwrap_or(derived);
        let amplitude = self.least_amplitude();
        let light = super::detection::Intensity::new(self, amplitude).sigma(2.0 * self.modes as f64) * self.gain * self.gain;
        let part = super::detection::Homodyne::new(self, amplitude).sigma(2.0 * self.modes as f64) * self.gain;
        let noise = self.noise.unwrap_or(light.max(part).hypot(shaken.max(2.0 * field * shaken + shaken * shaken)));
        let n = self.modes as f64;
        let heaters = (2.0 * n * n + n) * 2.0 * self.watts * self.reach;
        // what is within a margin at either end has moved by twice that at most
        let moved = worst(field + off, self.error(drifted.sqrt())).min(2.0 * margin);
        // a drift that is nothing beside the margin, which has it in it, is not worth a promise of its own
        let drift = (moved > DRIFT * margin).then_some(Drift { most: moved.max(TOLD * noise), within: self.valid });
        Medium { drift, price: Price { seconds: TICK, joules: heaters * TICK, writes: 0 }, ..Medium::new(margin, noise) }
    }
}
