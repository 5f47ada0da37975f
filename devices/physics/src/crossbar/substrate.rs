//! `twin:crossbar`: programs of dense maps on arrays of memristors.
//!
//! Each dense map is written to an array of its own when the program is realised, a pair of cells for each weight, and then multiplies by Ohm's and
//! Kirchhoff's laws. Biases are digital. Inputs and currents go through converters whose ranges hold every value that the program can
//! produce; the clock of the device moves by the time step of the program each tick, and the arrays drift and fluctuate on it.
//!
//! **Promises.** The margin, noise and drift of the profile are options. Whether a program keeps to them is worked out from the statistics of the
//! cells before one is written (the sums stand in `forecast.rs`), and a program that would not is refused with the numbers that it needs. They
//! count the age at the first tick and, where reads disturb, what reads do to the cells: to the margin those of a minute, to the drift those of any
//! minute, to the noise all [`READS`] of them. Read disturb has no end, and no cell declares how many reads it bears, so that a promise has to say how
//! far it goes. Promises grow with the weights, with the root of the inputs of a map and with the depth of the program. Those that are not given are
//! what the program needs that the chip shows of itself, and a quarter more. They are wide beside digital promises, for a weight of such cells is off
//! by four parts in a hundred of the largest.

use super::array::Settings;
use super::error::Error as CrossbarError;
use super::forecast::{Forecast, Means};
use super::options::{Chosen, READS, WITHIN};
use super::realization::Realized;
use super::statistics::{Horizon, Reads};
use crate::promise::{self, rounded_up};
use async_trait::async_trait;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::linear::Dense;
use isoform_core::locator::Options;
use isoform_core::medium::{Drift, Medium, Price};
use isoform_core::plan::Plan;
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_core::tensor::Tensor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The largest input in magnitude.
pub(super) const INPUT: f64 = 1.0;
/// Inputs and outputs of a map at most.
const CHANNELS: usize = 1024;
/// Seconds of a tick, which its price is for: those of the program that the chip shows of itself.
const TICK: f64 = 1e-3;
/// The shortest tick in seconds, in which light goes a third of a millimetre.
const SHORTEST: f64 = 1e-12;
/// Cells that are brought up to the present in one tick, so that the work of a tick stays that of its product.
const CELLS_A_TICK: usize = 4096;
/// Inputs of the map that the chip shows of itself, and its largest weight.
const WIDTH: usize = 16;
const WEIGHT: f64 = 0.25;
/// How far a common correction of the drift may be behind.
pub(super) const BEHIND: f64 = 0.02;

/// A chip of crossbars.
#[derive(Debug)]
pub struct Crossbar {
    profile: Arc<Profile>,
    chip: Chip,
}

/// Opens the substrate of a locator such as `twin:crossbar?device=reram&bits=6`; see [`OPTIONS`](super::OPTIONS).
/// Options that are left are for the caller to refuse.
///
/// # Errors
/// `Unsupported` for an option that is unknown or has a value that it cannot have.
pub fn open(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    Ok(Arc::new(Crossbar::new(Chosen::read(options)?)))
}

impl Crossbar {
    fn new(chosen: Chosen) -> Self {
        let medium = Medium {
            // what reads move does not settle as a record grows either
            flicker: chosen.device.spectrum().is_some() || (chosen.is_used && chosen.disturb.is_finite()),
            drift: Some(Drift { most: chosen.drift, within: WITHIN }),
            endurance: Some(u64::from(chosen.endurance)),
            price: Price { seconds: TICK, joules: 2.0 * CHANNELS.pow(2) as f64 * chosen.device.joules_of_read(), writes: 1 },
            ..Medium::new(chosen.margin, chosen.noise)
        };
        let limits = Limits {
            input: [-INPUT, INPUT],
            out_of_range: OutOfRange::Refuse,
            ticks: 1 << 20,
            // each lane is a read of its own, and reads are counted for one
            batch: if chosen.is_used && chosen.disturb.is_finite() { 1 } else { 4096 },
            channels: CHANNELS,
            ..Limits::default()
        };
        let name = match chosen.device.spectrum() {
            Some(_) => "crossbar of phase-change cells",
            None => "crossbar of resistive cells",
        };
        let profile = Profile::digital(name, env!("CARGO_PKG_VERSION"))
            .with_class(Class::AnalogWearing)
            .with_medium(medium)
            .with_facets(Facets { tuning: true, calibration: chosen.is_compensated, rest: true, ..Facets::default() })
            .with_limits(limits)
            .with_takes(Takes { nodes: vec![String::from("dense")], cycles: false, ..Takes::default() });
        let profile = Profile { device: String::from("a twin in this computer"), ..profile };
        Self { profile: Arc::new(profile), chip: Chip::of(chosen) }
    }
}

#[async_trait]
impl Substrate for Crossbar {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        let dt = program.semantics().dt;
        if !(SHORTEST..=WITHIN).contains(&dt) {
            return Err(Error::unsupported(format!(
                "a tick of {dt:e} s is none of a crossbar, of which drift and noise are promised for {WITHIN} s: give a time step from \
                 {SHORTEST:e} s to {WITHIN} s"
            )));
        }
        Ok(Box::new(Realized::new(program, run, self.chip.clone())?))
    }

    fn exemplars(&self) -> Vec<Program> {
        exemplar().into_iter().collect()
    }
}

/// A map whose outputs go further than its cells are off: all inputs together, one half against the other, and a ramp.
fn exemplar() -> Result<Program> {
    let row = |of: &dyn Fn(f64) -> f64| (0..WIDTH).map(|j| WEIGHT * of(j as f64 / (WIDTH - 1) as f64)).collect::<Vec<_>>();
    let rows = [row(&|_| 1.0), row(&|at| if at < 0.5 { 1.0 } else { -1.0 }), row(&|at| 1.0 - 2.0 * at)];
    let weight = Tensor::new([rows.len(), WIDTH], rows.concat())?;
    let mut builder = Program::builder();
    let x = builder.input("x", [WIDTH]);
    let y = builder.node("map", Dense::new(weight, None)?, x);
    builder.output("y", y);
    builder.build(Semantics::exact(TICK))
}

/// The options with what the program of the chip needs for each promise that is without end.
pub(super) fn promised(chosen: Chosen) -> Result<Chosen> {
    let program = exemplar()?;
    let means = Chip::of(chosen).means(TICK);
    let needed = Forecast::new(&program, &Plan::new(&program), INPUT, &means).map_err(refusal)?;
    let or = |given: f64, needed: f64| {
        if given.is_finite() { given } else { rounded_up((TUNED * needed).max(*promise::RANGE.start()), 2.0) }
    };
    let (margin, noise, drift) =
        (or(chosen.margin, needed.margin), or(chosen.noise, needed.noise), or(chosen.drift, needed.drift));
    Ok(Chosen { margin, noise, drift, ..chosen })
}

/// What a program needs more whose weights are tuned: they then lie anywhere between those of the cells that err most.
const TUNED: f64 = 1.25;

/// What realizations share of a chip.
#[derive(Debug, Clone)]
pub(super) struct Chip {
    pub(super) chosen: Chosen,
    /// Writes that the cells have behind them: every program is written to the same ones.
    worn: Arc<AtomicU32>,
}

impl Chip {
    /// A fresh chip.
    pub(super) fn of(chosen: Chosen) -> Self {
        Self { chosen, worn: Arc::new(AtomicU32::new(0)) }
    }

    /// What a program with so many seconds in a tick meets.
    pub(super) fn means(&self, dt: f64) -> Means {
        let Chosen { device, bits, output_noise, wire, is_used, disturb, .. } = self.chosen;
        let corrected = self.chosen.is_compensated.then_some(BEHIND);
        let all = f64::from(READS);
        let reads = match is_used && disturb.is_finite() {
            true => Reads { within: (WITHIN / dt).min(all) / disturb, all: all / disturb, seconds: all * dt },
            false => Reads::default(),
        };
        let horizon = Horizon { age: if is_used { self.chosen.age } else { 0.0 }, within: WITHIN, corrected, reads };
        Means { device, bits, output_noise, wire, horizon }
    }

    /// How many ticks pass between two looks at cells of which there are so many.
    pub(super) fn ticks_of_refresh(cells: usize) -> u64 {
        cells.div_ceil(CELLS_A_TICK).max(1) as u64
    }

    pub(super) fn settings(&self, refresh: f64) -> Settings {
        let Chosen { device, endurance, disturb, .. } = self.chosen;
        Settings { device, endurance, disturb, refresh }
    }

    /// Writes that the cells have behind them.
    pub(super) fn worn(&self) -> u32 {
        self.worn.load(Ordering::Acquire)
    }

    pub(super) fn wear(&self, writes: u32) {
        self.worn.fetch_max(writes, Ordering::AcqRel);
    }

    /// What a program will be off by, if that is within the promises.
    pub(super) fn forecast(&self, program: &Program, plan: &Plan) -> Result<Forecast> {
        let means = self.means(program.semantics().dt);
        let forecast = Forecast::new(program, plan, INPUT, &means).map_err(refusal)?;
        let promises = [
            ("margin", forecast.margin, self.chosen.margin),
            ("noise", forecast.noise, self.chosen.noise),
            ("drift", forecast.drift, self.chosen.drift),
        ];
        let short: Vec<_> = promises.into_iter().filter(|(_, needed, promised)| needed.is_nan() || needed > promised).collect();
        if short.is_empty() {
            return Ok(forecast);
        }
        // rounded up, lest the number that is named be too small again
        let needed: Vec<(&str, f64)> = short.iter().map(|&(name, needed, _)| (name, (needed * 1e3).ceil() / 1e3)).collect();
        let all = |write: &dyn Fn(&(&str, f64)) -> String, between| needed.iter().map(write).collect::<Vec<_>>().join(between);
        let promised: Vec<String> = short.iter().map(|(_, _, promised)| promised.to_string()).collect();
        Err(Error::unsupported(format!(
            "the program needs a {} in units of its outputs, but {} is promised; open the crossbar with {} or more, or make weights, maps or \
             depth smaller",
            all(&|(name, needed)| format!("{name} of {needed:.3}"), " and a "),
            promised.join(" and "),
            all(&|(name, needed)| format!("{name}={needed:.3}"), "&")
        )))
    }
}

/// The refusal of a crossbar as an error of the contract.
pub(super) fn refusal(error: CrossbarError) -> Error {
    let kind = match &error {
        CrossbarError::Size { .. }
        | CrossbarError::OutOfRange { .. }
        | CrossbarError::NoCell { .. }
        | CrossbarError::Unphysical { .. }
        | CrossbarError::Converter { .. } => ErrorKind::InvalidProgram,
        CrossbarError::Worn { .. } | CrossbarError::NotReached { .. } | CrossbarError::Unsettled { .. } => ErrorKind::Fault,
    };
    Error::new(kind, error.to_string()).with_source(error)
}
