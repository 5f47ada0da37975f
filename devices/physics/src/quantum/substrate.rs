//! `twin:neuristor`: an array of neuristors that never stands still.
//!
//! The elements oscillate from the moment that they are realised, each with constants of its own, and nobody sets their phase: the current
//! of one is never that of another, nor that of the program. What can be claimed of such a medium is a rate. The twin therefore takes
//! programs whose outputs are rates ([`rate`](super::rate)) and refuses those that give currents or temperatures away. It has no reset and no
//! memory facet; what came before is forgotten after [`WASHOUT`].
//!
//! # What its promises come from
//! - Margin: the rate of an element whose constants are spread by a share `s` is off by 680 kHz `s` (root mean square over 200 elements, at
//!   14 V, where it is worst); 4.5 times that, 2 kHz for neighbours that fall in step, and 1 kHz for the ripple of a short record.
//! - Noise: the window leaves a ripple of 1.5 kHz at 10.8 V, where the period is the longest; a temperature noise of 100 K/√s adds 0.5 kHz.
//! - Washout: within one longest period, 3.8 µs, the load has charged (1.7 µs) and the film has cooled (0.24 µs); one passage through the
//!   transition puts the film back on its major loop, since `P` falls to nothing within the loop's width. After eight time constants of the
//!   window, 80 µs, `9 e^-8`, 0.3 %, of a change of rate is left: 450 Hz of the whole range, less than a third of the noise.
//! - Range: below 10.8 V and above 14 V the rate changes so fast with the voltage (it ends at 10.0 and 15.5 V) that a spread of one in a
//!   thousand decides whether an element spikes at all. Above a coupling of 0.002 elements fall in step in several ways, which differ by
//!   7 % in rate and last as long as the device is on.

use super::array::counted_array;
use super::layout::Layout;
use super::neuristor::{NEURISTOR, NOISE, neuristor};
use super::rate::SPIKE_RATE;
use super::realization::Running;
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::medium::{Medium, Price};
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The options of `twin:neuristor`, each with what it means.
pub const OPTIONS: &[(&str, &str)] = &[
    ("seed", "which array it is: the spread of its elements and its noise (0)"),
    ("spread", "standard deviation of the constants of its elements, as a share from 0 to 0.01 (0.002)"),
    ("noise", "temperature noise in K/s^0.5, from 0 to 200 (100)"),
    ("dt", "the tick of its converters in seconds, from 5e-9 to 2e-8, which a program must have (1e-8)"),
    ("error", "the most kelvin that a tick of the program's own step may be off, by steps of half the length (0.2)"),
];

/// Seconds after which nothing of an earlier input shows in a rate.
pub const WASHOUT: f64 = 84e-6;
/// The voltages at which an element spikes whatever its spread.
pub(super) const INPUT: [f64; 2] = [10.8, 14.0];
/// The strongest coupling under which rates do not depend on what came before.
pub(super) const COUPLING: f64 = 0.002;
/// The time constant that a rate must have.
pub(super) const TAU: f64 = 1e-5;
/// The most elements.
const CHANNELS: usize = 16;

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

/// An array of neuristors as a substrate.
#[derive(Debug)]
pub struct NeuristorArray {
    wafer: Wafer,
    profile: Arc<Profile>,
    /// Realizations so far: each meets other noise and begins at another phase.
    realized: AtomicU32,
}

/// Opens `twin:neuristor` by its options; see [`OPTIONS`].
///
/// # Errors
/// `Unsupported` for an option that stands for nothing or is out of its range.
pub fn open(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    let usual = Wafer::default();
    let wafer = Wafer {
        seed: options.take("seed")?.unwrap_or(usual.seed),
        spread: options.take("spread")?.unwrap_or(usual.spread),
        noise: options.take("noise")?.unwrap_or(usual.noise),
        dt: options.take("dt")?.unwrap_or(usual.dt),
        error: options.take("error")?.unwrap_or(usual.error),
    };
    Ok(Arc::new(NeuristorArray::new(wafer)?))
}

impl NeuristorArray {
    /// An array.
    ///
    /// # Errors
    /// `Unsupported` if a number is out of its range.
    pub fn new(wafer: Wafer) -> Result<Self> {
        let ranges = [
            ("spread", wafer.spread, [0.0, 0.01]),
            ("noise", wafer.noise, [0.0, 200.0]),
            ("dt", wafer.dt, [5e-9, 2e-8]),
            ("error", wafer.error, [1e-6, 10.0]),
        ];
        if let Some((name, value, [low, high])) = ranges.into_iter().find(|(_, v, [low, high])| !(*low..=*high).contains(v)) {
            return Err(Error::unsupported(format!("a {name} of {value} is outside {low} to {high}")));
        }
        let [_, most] = INPUT;
        let medium = Medium {
            washout: Some(washout(wafer.dt)),
            // the load takes no more than it would with the film short-circuited
            price: Price {
                seconds: wafer.dt,
                joules: CHANNELS as f64 * most * most / super::neuristor::R_L * wafer.dt,
                writes: 0,
            },
            ..Medium::new(3e3 + 4.5 * 680e3 * wafer.spread, 1.6e3_f64.hypot(6.0 * wafer.noise))
        };
        let limits = Limits { input: INPUT, out_of_range: OutOfRange::Refuse, batch: 1, channels: CHANNELS, ..Limits::default() };
        let nodes = [NEURISTOR, SPIKE_RATE, "sparse", "dense"].map(String::from).to_vec();
        let mut profile = Profile::digital("twin of an array of neuristors", env!("CARGO_PKG_VERSION"))
            .with_class(Class::FreeRunning)
            .with_facets(Facets { rest: true, ..Facets::default() })
            .with_limits(limits)
            .with_takes(Takes { nodes, ..Takes::default() })
            .with_medium(medium);
        profile.device = format!("films of vanadium dioxide, array {}", wafer.seed);
        Ok(Self { wafer, profile: Arc::new(profile), realized: AtomicU32::new(0) })
    }
}

/// Steps of fourth order, of 10 ns at most, in which the film is off by 0.02 K a tick at most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one or two")]
pub(super) fn followed(dt: f64) -> Semantics {
    Semantics::exact(dt).with_decay(Decay::RungeKutta).with_substeps((dt / 1e-8).ceil() as u32)
}

/// The washout in ticks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand ticks")]
pub(super) fn washout(dt: f64) -> u64 {
    (WASHOUT / dt).ceil() as u64
}

#[async_trait]
impl Substrate for NeuristorArray {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        if run.batch != 1 {
            return Err(Error::unsupported(format!("there is one array, not {} of them: run a batch of one", run.batch)));
        }
        let layout = Layout::of(program, &self.wafer)?;
        let number = self.realized.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Running::new(layout, &self.wafer, program, run, number)))
    }

    fn exemplars(&self) -> Vec<Program> {
        let semantics = followed(self.wafer.dt);
        let made = [([1, 4], 0.0), ([2, 2], COUPLING)];
        made.into_iter().filter_map(|(shape, coupling)| counted_array(neuristor(), shape, coupling, semantics).ok()).collect()
    }
}
