//! What the films of a wafer are like, and what is promised of their rates.
//!
//! # What the promises come from
//! - Margin: the rate of an element whose constants are spread by a share `s` is off by 680 kHz `s` (root mean square over 200 elements, at
//!   14 V, where it is worst); 4.5 times that, 2 kHz for neighbours that fall in step, and 1 kHz for the ripple of a short record.
//! - Noise: the window leaves a ripple of 1.5 kHz at 10.8 V, where the period is the longest; a temperature noise of 100 K/√s adds 0.5 kHz.
//! - Washout: within one longest period, 3.8 µs, the load has charged (1.7 µs) and the film has cooled (0.24 µs); one passage through the
//!   transition puts the film back on its major loop, since `P` falls to nothing within the loop's width. After fifteen time constants of the
//!   window, 150 µs, `16 e^-15` of a change of rate is left: 1 Hz of the whole range. Coupled elements fall back to the phases of a voltage the
//!   sooner the weaker they are coupled: `isoform conform twin:neuristor --law L1.washout` prints what it sees of the past.
//! - Range: below 10.8 V and above 14 V the rate changes so fast with the voltage (it ends at 10.0 and 15.5 V) that a spread of one in a
//!   thousand decides whether an element spikes at all. Above a coupling of 0.002 elements fall in step in several ways, which differ by
//!   7 % in rate and last as long as the device is on. Below it, they pull each other's phases the longer the
//!   stronger they are coupled: a quarter of that is the most that is taken.

use super::neuristor::{NOISE, Neuristor, T_0};
use isoform_core::draw::{Key, normal};
use isoform_core::dynamics::Dynamics;
use isoform_core::error::Result;
use isoform_core::locator::Options;
use isoform_core::medium::Medium;
use isoform_core::semantics::{Decay, Semantics};

/// Seconds after which nothing of an earlier input shows in a rate.
pub const WASHOUT: f64 = 150e-6;
/// The voltages at which an element spikes whatever its spread.
pub const INPUT: [f64; 2] = [10.8, 14.0];
/// The strongest coupling under which rates do not depend on what came before.
pub(super) const COUPLING: f64 = 0.0005;
/// The time constant that a rate must have.
pub(super) const TAU: f64 = 1e-5;
/// What is spread from element to element: constants by a share, and the centre of the loop by a share of its distance from the surroundings.
const SPREAD: [&str; 5] = ["r_0", "c", "c_th", "s_env", "t_c"];

/// What the elements of an array are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wafer {
    /// Which array it is.
    pub seed: u64,
    /// Standard deviation of the constants of its elements, as a share.
    pub spread: f64,
    /// Temperature noise in K/√s.
    pub noise: f64,
    /// The tick of its converters in seconds.
    pub dt: f64,
    /// The most kelvin that a tick of a program's own step may be off.
    pub error: f64,
}

impl Default for Wafer {
    fn default() -> Self {
        Self { seed: 0, spread: 0.002, noise: NOISE, dt: 1e-8, error: 0.2 }
    }
}

impl Wafer {
    /// Takes the options of a wafer; the temperature noise has the name that is given.
    ///
    /// # Errors
    /// `Unsupported` for an option that is out of the range of what is modelled.
    pub fn take(options: &mut Options<'_>, noise: &str) -> Result<Self> {
        let usual = Self::default();
        Ok(Self {
            spread: options.take_within("spread", 0.0..=0.01)?.unwrap_or(usual.spread),
            noise: options.take_within(noise, 0.0..=200.0)?.unwrap_or(usual.noise),
            dt: options.take_within("dt", 5e-9..=2e-8)?.unwrap_or(usual.dt),
            error: options.take_within("error", 1e-6..=10.0)?.unwrap_or(usual.error),
            ..usual
        })
    }

    /// The parameters of an element that loses so much heat to the surroundings, in W/K.
    #[must_use]
    pub fn element(&self, at: u32, s_env: f64) -> [f64; 13] {
        let made = Key::new(self.seed, u32::MAX);
        Neuristor::SIGNATURE.parameters.map(|parameter| {
            let name = parameter.quantity.name;
            let usual = match name {
                "noise" => self.noise,
                "s_env" => s_env,
                _ => parameter.default.unwrap_or(0.0),
            };
            let Some(stream) = (0..).zip(SPREAD).find_map(|(stream, spread)| (spread == name).then_some(stream)) else {
                return usual;
            };
            let off = self.spread * f64::from(normal(made.bits(at, stream, 0)));
            if name == "t_c" { usual + off * (usual - T_0) } else { usual * (1.0 + off) }
        })
    }

    /// Steps of fourth order, of 10 ns at most, in which the film is off by 0.02 K a tick at most.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one or two")]
    pub fn followed(&self) -> Semantics {
        Semantics::exact(self.dt).with_decay(Decay::RungeKutta).with_substeps((self.dt / 1e-8).ceil() as u32)
    }

    /// The washout in ticks.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand ticks")]
    pub fn washout(&self) -> u64 {
        (WASHOUT / self.dt).ceil() as u64
    }

    /// What is promised of rates, but for the washout and the price.
    #[must_use]
    pub fn medium(&self) -> Medium {
        Medium::new(3e3 + 4.5 * 680e3 * self.spread, 1.6e3_f64.hypot(6.0 * self.noise))
    }
}
