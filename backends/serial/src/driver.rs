//! What the author of an instrument writes.

use crate::lines::Lines;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::Run;
use std::fmt::Debug;

/// The words of one instrument: values into bytes and back, over a line that it is handed for each call.
///
/// [`Lines`] is a [`Link`](crate::link::Link) to those who have one line, as most instruments do.
///
/// A driver holds no thread, no clock and no port. It may hold what it knows of the device: its capabilities, what was loaded.
///
/// # Contract
/// - Every exchange has a deadline.
/// - A call that fails before anything was sent, or that the device refused without doing anything
///   ([`SerialError::Refused`](crate::error::SerialError::Refused)), leaves the state as it was; after any other failure the state counts as
///   lost, and [`identify`](Driver::identify), [`load`](Driver::load) and [`reset`](Driver::reset) are called before anything else.
/// - What is out of the limits of the device is refused before a byte is sent.
pub trait Driver: Debug + Send {
    /// Brings the dialogue into step, whatever was on the line before, and makes sure that the device is the one that it should be.
    ///
    /// # Errors
    /// `WrongDevice`, `Timeout` and what the line says.
    fn identify(&mut self, lines: &mut Lines) -> Result<()>;

    /// What the device promises, as far as it is known; after [`identify`](Driver::identify), all of it.
    fn profile(&self) -> Profile;

    /// Loads a program; the device is then in the state after a reset.
    ///
    /// # Errors
    /// `Unsupported`, naming the node, if the device cannot hold it.
    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()>;

    /// Advances by the ticks of a block.
    ///
    /// # Errors
    /// Of any kind.
    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report>;

    /// Goes back to the initial state.
    ///
    /// # Errors
    /// `Unsupported` if the medium cannot be reset.
    fn reset(&mut self, lines: &mut Lines) -> Result<()>;

    /// The state at present, where the profile claims the facet.
    ///
    /// # Errors
    /// What the line says.
    fn save_state(&mut self, _: &mut Lines) -> Result<State> {
        Err(Error::unsupported("the device cannot tell its state"))
    }

    /// Goes on from a state, where the profile claims the facet.
    ///
    /// # Errors
    /// What the line says.
    fn load_state(&mut self, _: &mut Lines, _: &State) -> Result<()> {
        Err(Error::unsupported("the device takes no state"))
    }

    /// A parameter as it is on the device, where the profile claims the facet.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    fn read_parameter(&mut self, _: &mut Lines, _node: &str, _parameter: &str) -> Result<Vec<f64>> {
        Err(Error::unsupported("the device cannot tell its parameters"))
    }

    /// Sets a parameter and gives what was really set, where the profile claims the facet.
    ///
    /// # Errors
    /// `NotFound` if there is none, `InvalidProgram` if the values do not fit.
    fn write_parameter(&mut self, _: &mut Lines, _node: &str, _parameter: &str, _values: &[f64]) -> Result<Vec<f64>> {
        Err(Error::unsupported("the device takes no parameters"))
    }

    /// Programs that show what the device is for, where the suite has none of its kinds; asked for after [`identify`](Driver::identify).
    fn exemplars(&self) -> Vec<Program> {
        Vec::new()
    }

    /// Leaves the device in a safe condition, heaters off, stimulation off, and makes sure of it as far as the device tells. One part that fails
    /// keeps it from none of the others.
    ///
    /// # Errors
    /// If the device may not be safe: the dialogue is then opened anew, and this is called once more.
    fn close(&mut self, _: &mut Lines) -> Result<()> {
        Ok(())
    }
}
