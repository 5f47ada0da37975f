//! The contract between a program and whatever realises it.
//!
//! Four methods make a substrate: [`Substrate::profile`], [`Substrate::realize`], [`Realization::advance`] and
//! [`Realization::reset`]. Everything else is a facet, present or absent.
//!
//! # Contract, for those who implement
//! - Validation happens once, above: a [`Session`](crate::session::Session) checks shapes, ranges and finiteness, and splits chunks by
//!   [`Limits`](crate::profile::Limits). A substrate may assume valid input.
//! - A call that fails never silently advances the state. A refused call leaves it intact; otherwise the error says that it is
//!   lost.
//! - A dropped future leaves the state lost. A cancelled chunk returns early with the ticks that were done.
//! - A layer implements every method, so that no default hides a facet of what it wraps; build layers with
//!   `#[deny(clippy::missing_trait_methods)]`.
//!
//! Those who *use* a substrate talk to a `Session`, not to these traits.

use crate::calibration::Calibration;
use crate::error::Result;
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Extent, Signal, SignalMut};
use crate::state::State;
use async_trait::async_trait;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How a program is to be run.
#[derive(Debug, Clone)]
pub struct Run {
    /// How many independent lanes.
    pub batch: usize,
    /// The seed of all random draws.
    pub seed: u64,
    /// The most ticks that one advance will be asked for.
    pub max_ticks: usize,
    /// How to stop an advance from outside.
    pub cancel: Cancel,
}

impl Default for Run {
    fn default() -> Self {
        Self { batch: 1, seed: 0, max_ticks: 1 << 16, cancel: Cancel::default() }
    }
}

impl Run {
    /// One lane, seed nought.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with so many lanes.
    #[must_use]
    pub fn with_batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with other largest chunks.
    #[must_use]
    pub fn with_max_ticks(mut self, max_ticks: usize) -> Self {
        self.max_ticks = max_ticks;
        self
    }

    /// The extent of an input block.
    #[must_use]
    pub fn input(&self, program: &Program, ticks: usize) -> Extent {
        Extent { ticks, batch: self.batch, channels: program.input_channels() }
    }

    /// The extent of an output block.
    #[must_use]
    pub fn output(&self, program: &Program, ticks: usize) -> Extent {
        Extent { ticks, batch: self.batch, channels: program.output_channels() }
    }
}

/// A flag that asks a running advance to return early, at the end of a tick. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Takes the request back, so that the next advance runs.
    pub fn lower(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether to stop.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The flag for a load or a reset: one that is up from what it stopped before does not stop these.
    #[must_use]
    pub fn since_now(&self) -> Self {
        if self.is_raised() { Self::default() } else { self.clone() }
    }
}

/// A medium that realises programs.
#[async_trait]
pub trait Substrate: Debug + Send + Sync {
    /// What it promises.
    ///
    /// # Behavior
    /// - Does no I/O and gives the same answer every time.
    fn profile(&self) -> Arc<Profile>;

    /// Prepares a program, in the state after a reset.
    ///
    /// # Behavior
    /// - Two realizations do not share state.
    /// - A program beyond the profile is refused, naming the node.
    ///
    /// # Errors
    /// `Unsupported` for a node or semantics that it does not have, `Busy` if it can hold no further realization.
    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>>;

    /// Programs that show what it is for, to those who know none of its kinds or ranges: a function of its own, an optical map, a source, a
    /// flow that stays within the units of a machine.
    ///
    /// # Behavior
    /// - Each is one that it takes.
    /// - Inputs within the limits and between minus one and three drive it nowhere that it cannot go.
    fn exemplars(&self) -> Vec<Program> {
        Vec::new()
    }

    /// What a clock beside it shows, to those who time it; nothing where that of this computer will do.
    ///
    /// A recording shows what was seen when it was made, so that whoever decides by the clock decides alike when it is played back.
    fn clock(&self) -> Option<Duration> {
        None
    }
}

/// A program on a substrate, with its state.
#[async_trait]
pub trait Realization: Debug + Send {
    /// Advances by the ticks of the block.
    ///
    /// # Behavior
    /// - `advance(a ++ b)` equals `advance(a); advance(b)`.
    /// - No ticks change nothing.
    /// - Output at a tick depends on input up to that tick alone.
    /// - Lanes do not influence each other.
    ///
    /// # Errors
    /// Of any kind; unless it says so, the state is intact.
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report>;

    /// Goes back to the initial state.
    ///
    /// # Errors
    /// `Unsupported` if the medium cannot be reset.
    async fn reset(&mut self) -> Result<()>;

    /// The facet by which the state is saved and loaded.
    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }

    /// The facet by which parameters are read and written.
    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        None
    }

    /// The facet by which it learns.
    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    /// The facet by which it is calibrated.
    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        None
    }

    /// The facet by which the time of the device passes without work.
    fn rest(&mut self) -> Option<&mut dyn Rest> {
        None
    }
}

/// Saving and loading the portable state.
#[async_trait]
pub trait Memory: Send {
    /// The state at present.
    ///
    /// # Errors
    /// Of the substrate.
    async fn save(&mut self) -> Result<State>;

    /// Goes on from a state, saved here or elsewhere.
    ///
    /// # Errors
    /// `InvalidSignal` if it belongs to another program; the state is then intact.
    async fn load(&mut self, state: &State) -> Result<()>;
}

/// Reading and writing parameters while the program runs.
#[async_trait]
pub trait Tuning: Send {
    /// The values of a parameter as they are on the device, one or one per channel.
    ///
    /// # Errors
    /// `NotFound` if there is no such parameter.
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>>;

    /// Sets a parameter and gives what was really set. The state is kept.
    ///
    /// # Errors
    /// `NotFound` if there is no such parameter, `InvalidProgram` if the values do not fit; nothing is then changed.
    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>>;
}

/// Learning on the device. The methods come with the first substrate that learns.
pub trait Plasticity: Send {}

/// Letting the time of the device pass without work, as it does overnight: what drifts drifts, and the state of the program is kept. In a
/// twin time passes at once.
#[async_trait]
pub trait Rest: Send {
    /// Lets so many seconds pass.
    ///
    /// # Errors
    /// `InvalidSignal` unless the seconds are a finite number of nought or more.
    async fn rest(&mut self, seconds: f64) -> Result<()>;

    /// Seconds of the device's time since the program was realised.
    ///
    /// # Errors
    /// Of the substrate.
    async fn age(&mut self) -> Result<f64>;
}
