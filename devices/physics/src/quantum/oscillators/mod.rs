//! Oscillators beside each other that run on: `twin:spin-torque` and `twin:josephson`.
//!
//! Each channel is a device with constants of its own, which oscillates from the moment that it is realised and whose phase nobody sets. What can be
//! claimed of it is what does not depend on the phase: the power of a magnet, which a detector shows, and the mean voltage of a junction, which is
//! `2π` times the rate at which it fires, since the phase slips by a turn with each spike. A magnet is followed by nothing; a junction by a voltmeter,
//! two leaky integrators in a row, slow beside its spikes. Other outputs are refused. There is no reset and no memory facet; what came before is
//! forgotten after the washout.
//!
//! # What the promises come from
//! `cargo test -p isoform-physics --test quantum_oscillators -- --nocapture` prints the figures.
//! - Margin: what the constants of 200 devices, spread by a share of `s`, make of a mean where that is worst (root mean square), four and a half times;
//!   and what is left of the oscillation in a mean over a quarter of the washout.
//! - Noise: that of a magnet is `σ √(T/2)` with the relaxation time `T` at the least current; a voltmeter has the ripple of spikes, and what the noise
//!   of the current makes of their intervals.
//! - Washout: fifteen of the longest time constant, of the magnet at the least current or of the voltmeter.
//! - Range: a magnet below its threshold keeps no power that could grow again, and a junction that hardly fires has a rate that hangs on its spread.

mod chain;
mod realization;

use super::josephson::{JOSEPHSON, josephson};
use super::spin_torque::{SPIN_TORQUE, spin_torque};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::functions::{LI, li};
use isoform_core::locator::Options;
use isoform_core::medium::{Medium, Price};
use isoform_core::neuron::Neuron;
use isoform_core::profile::{Class, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::substrate::{Realization, Run, Substrate};
use realization::{Lot, Running};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The options of `twin:spin-torque`, each with what it means.
pub const MAGNETS: &[(&str, &str)] = &[
    ("seed", "which magnets they are: their spread and their noise (0)"),
    ("spread", "standard deviation of damping, its growth and the efficiency of the current, as a share from 0 to 0.01 (0.005)"),
    ("noise", "noise of the power in 1/s^0.5, from 0 to 100 (40)"),
];
/// The options of `twin:josephson`, each with what it means.
pub const JUNCTIONS: &[(&str, &str)] = &[
    ("seed", "which junctions they are: their spread and their noise (0)"),
    ("spread", "standard deviation of damping, coupling and bias, as a share from 0 to 0.002 (0.001)"),
    ("noise", "noise of the current in critical currents, times the root of a unit of time, from 0 to 0.02 (0.02)"),
];

/// The time constant of each half of a voltmeter, in units of the inverse plasma frequency.
const VOLTMETER: f64 = 50.0;
/// The most devices.
const CHANNELS: usize = 16;
/// Deviations of means that a margin has.
const DEVIATIONS: f64 = 4.5;

/// A kind of oscillator with what a twin of it takes and promises.
#[derive(Debug)]
struct Kind {
    about: &'static str,
    neuron: fn() -> Neuron,
    id: &'static str,
    /// What is spread from device to device.
    spread: [&'static str; 3],
    /// The most and the usual spread and noise.
    most: [f64; 2],
    usual: [f64; 2],
    /// The range of its input.
    input: [f64; 2],
    /// Leaky integrators behind it.
    meters: usize,
    /// The tick in the program's unit of time, and that unit in seconds where it has one.
    dt: f64,
    seconds: Option<f64>,
    /// The longest time constant, in that unit.
    slowest: f64,
    /// What a spread of one would put a mean off by, and what is left of the oscillation.
    margin: [f64; 2],
    /// The deviation that a noise of one makes, and the ripple.
    noise: [f64; 2],
}

const MAGNET: Kind = Kind {
    about: "spin-torque oscillators",
    neuron: spin_torque,
    id: SPIN_TORQUE,
    spread: ["gamma_0", "q", "sigma"],
    most: [0.01, 100.0],
    usual: [0.005, 40.0],
    input: [1.5e-3, 3e-3],
    meters: 0,
    dt: 1e-9,
    seconds: Some(1.0),
    slowest: 16e-9,
    margin: [0.55, 2e-4],
    noise: [9e-5, 1e-5],
};

const JUNCTION: Kind = Kind {
    about: "Josephson-junction neurons",
    neuron: josephson,
    id: JOSEPHSON,
    spread: ["gamma", "lambda", "i_b"],
    most: [0.002, 0.02],
    usual: [0.001, 0.02],
    input: [0.3, 0.5],
    meters: 2,
    dt: 0.1,
    seconds: None,
    slowest: VOLTMETER,
    margin: [1.8, 3e-4],
    noise: [0.03, 2.6e-3],
};

/// Opens `twin:spin-torque` by its options; see [`MAGNETS`].
///
/// # Errors
/// `Unsupported` for a number that is out of its range.
pub fn open_magnets(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    open(options, &MAGNET)
}

/// Opens `twin:josephson` by its options; see [`JUNCTIONS`].
///
/// # Errors
/// `Unsupported` for a number that is out of its range.
pub fn open_junctions(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    open(options, &JUNCTION)
}

/// Magnets beside each other: input `i` in ampere, output `p`, the power of each.
///
/// # Errors
/// As [`Builder::build`](isoform_core::builder::Builder::build).
pub fn magnets(count: usize) -> Result<Program> {
    MAGNET.program(count)
}

/// Junctions beside each other: input `i` in critical currents, output `v`, the mean voltage of each, which is `2π` times its rate.
///
/// # Errors
/// As [`Builder::build`](isoform_core::builder::Builder::build).
pub fn junctions(count: usize) -> Result<Program> {
    JUNCTION.program(count)
}

fn open(options: &mut Options<'_>, kind: &'static Kind) -> Result<Arc<dyn Substrate>> {
    let seed = options.take("seed")?.unwrap_or_default();
    let spread = options.take_within("spread", 0.0..=kind.most[0])?.unwrap_or(kind.usual[0]);
    let noise = options.take_within("noise", 0.0..=kind.most[1])?.unwrap_or(kind.usual[1]);
    let medium = Medium {
        washout: Some(kind.washout()),
        price: Price { seconds: kind.dt * kind.seconds.unwrap_or_default(), ..Price::default() },
        ..Medium::new(DEVIATIONS * kind.margin[0] * spread + kind.margin[1], (kind.noise[0] * noise).hypot(kind.noise[1]))
    };
    let limits =
        Limits { input: kind.input, out_of_range: OutOfRange::Refuse, batch: 1, channels: CHANNELS, ..Limits::default() };
    let mut nodes = vec![kind.id.to_owned()];
    nodes.extend((kind.meters > 0).then(|| LI.to_owned()));
    let mut profile = Profile::digital(&format!("twin of {}", kind.about), env!("CARGO_PKG_VERSION"))
        .with_class(Class::FreeRunning)
        .with_limits(limits)
        .with_takes(Takes { nodes, cycles: false, ..Takes::default() })
        .with_medium(medium);
    profile.device = format!("{}, lot {seed}", kind.about);
    Ok(Arc::new(Oscillators { kind, seed, spread, noise, profile: Arc::new(profile), realized: AtomicU32::new(0) }))
}

impl Kind {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand ticks")]
    fn washout(&self) -> u64 {
        (15.0 * self.slowest / self.dt).ceil() as u64
    }

    fn program(&self, count: usize) -> Result<Program> {
        let mut net = Program::builder();
        let input = net.input("i", [count]);
        let mut wire = net.node("device", (self.neuron)(), input);
        for half in 0..self.meters {
            wire = net.node(&format!("voltmeter {}", half + 1), li().with("tau", VOLTMETER), wire);
        }
        net.output(if self.meters == 0 { "p" } else { "v" }, wire);
        net.build(Semantics::exact(self.dt).with_decay(Decay::RungeKutta))
    }
}

/// Oscillators as a substrate.
#[derive(Debug)]
struct Oscillators {
    kind: &'static Kind,
    seed: u64,
    spread: f64,
    noise: f64,
    profile: Arc<Profile>,
    /// Realizations so far: each meets other noise and begins at another phase.
    realized: AtomicU32,
}

#[async_trait]
impl Substrate for Oscillators {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        if run.batch != 1 {
            return Err(Error::unsupported(format!("each device is there once, not {} times: run a batch of one", run.batch)));
        }
        let chain = self.kind.chain(program)?;
        let lot = Lot { seed: self.seed, spread: self.spread, noise: self.noise };
        let number = self.realized.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Running::new(self.kind, lot, &chain, (program, run), number)))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.kind.program(4).into_iter().collect()
    }
}
