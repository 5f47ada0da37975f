//! `twin:neuristor`: an array of neuristors that never stands still.
//!
//! The elements oscillate from the moment that they are realised, each with constants of its own, and nobody sets their phase: the current
//! of one is never that of another, nor that of the program. What can be claimed of such a medium is a rate. The twin therefore takes
//! programs whose outputs are rates ([`rate`](super::rate)) and refuses those that give currents or temperatures away. It has no reset and no
//! memory facet; what came before is forgotten after [`WASHOUT`](super::WASHOUT).
//! What it promises is that of its [`wafer`](super::wafer).

use super::array::{counted_array, spiking_array};
use super::layout::Layout;
use super::neuristor::{NEURISTOR, R_L, neuristor};
use super::onset::SPIKE_ONSET;
use super::rate::SPIKE_RATE;
use super::realization::Running;
use super::wafer::{COUPLING, INPUT, Wafer};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::medium::{Medium, Price};
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
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

/// The most elements.
const CHANNELS: usize = 16;

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
    let wafer = Wafer { seed: options.take("seed")?.unwrap_or_default(), ..Wafer::take(options, "noise")? };
    Ok(Arc::new(NeuristorArray::new(wafer)))
}

impl NeuristorArray {
    /// An array on a wafer, whose numbers are within what [`Wafer::take`] takes.
    #[must_use]
    pub fn new(wafer: Wafer) -> Self {
        let [_, most] = INPUT;
        let medium = Medium {
            washout: Some(wafer.washout()),
            // the load takes no more than it would with the film short-circuited
            price: Price { seconds: wafer.dt, joules: CHANNELS as f64 * most * most / R_L * wafer.dt, writes: 0 },
            ..wafer.medium()
        };
        let limits = Limits { input: INPUT, out_of_range: OutOfRange::Refuse, batch: 1, channels: CHANNELS, ..Limits::default() };
        let nodes = [NEURISTOR, SPIKE_RATE, SPIKE_ONSET, "sparse", "dense"].map(String::from).to_vec();
        let mut profile = Profile::digital("twin of an array of neuristors", env!("CARGO_PKG_VERSION"))
            .with_class(Class::FreeRunning)
            .with_facets(Facets { rest: true, ..Facets::default() })
            .with_limits(limits)
            .with_takes(Takes { nodes, ..Takes::default() })
            .with_medium(medium);
        profile.device = format!("films of vanadium dioxide, array {}", wafer.seed);
        Self { wafer, profile: Arc::new(profile), realized: AtomicU32::new(0) }
    }
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
        let semantics = self.wafer.followed();
        let made = [([1, 4], 0.0), ([2, 2], COUPLING)];
        let counted = made.into_iter().map(|(shape, coupling)| counted_array(neuristor(), shape, coupling, semantics));
        counted.chain([spiking_array(neuristor(), [1, 4], 0.0, semantics)]).filter_map(Result::ok).collect()
    }
}
