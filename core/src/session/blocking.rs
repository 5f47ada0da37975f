//! The face of a session for callers that wait.

use super::Session;
use crate::calibration::{Certificate, InForce};
use crate::error::{Error, Result};
use crate::executor::block_on;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::state::State;
use crate::substrate::{Run, Substrate};

/// The blocking face of a [`Session`]: each method waits for its namesake.
#[derive(Debug)]
pub struct Blocking(pub(super) Session);

impl Blocking {
    /// Realises a program.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open(substrate: &dyn Substrate, program: &Program, run: &Run) -> Result<Self> {
        block_on(Session::open(substrate, program, run)).map(Self)
    }

    /// Advances by the ticks of a block.
    ///
    /// # Errors
    /// As [`Session::advance`].
    pub fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let session = &mut self.0;
        if ticks > session.chunk {
            return block_on(session.advance(x, y, ticks));
        }
        // one chunk needs no future around that of the substrate
        session.check(&x, &y, ticks)?;
        session.lost = true;
        let result = block_on(session.realization.advance(x, y, ticks));
        session.account(ticks, result)
    }

    /// Runs a dense block `[tick, batch, channel]` and gives a dense block.
    ///
    /// # Errors
    /// As [`Session::advance`]; `InvalidSignal` if the block holds no whole number of ticks, or the program has no inputs that would tell
    /// their number: use [`listen`](Self::listen).
    pub fn run(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let (input, output) = (self.0.run.input(&self.0.program, 1).len(), self.0.run.output(&self.0.program, 1).len());
        if input == 0 {
            return Err(Error::invalid_signal(
                "the program has no inputs to tell the number of ticks; listen for so many instead",
            ));
        }
        if !x.len().is_multiple_of(input) {
            return Err(Error::invalid_signal(format!("{} numbers are no whole number of ticks of {input}", x.len())));
        }
        let ticks = x.len() / input;
        let mut y = vec![0.0; ticks * output];
        let report = self.advance(Signal::Dense(x), SignalMut::Dense(&mut y), ticks)?;
        y.truncate(report.ticks * output);
        Ok(y)
    }

    /// Runs a program without inputs for so many ticks and gives a dense block `[tick, batch, channel]`, with the report that says whether any
    /// of it was lost.
    ///
    /// # Errors
    /// As [`Session::advance`]; `InvalidSignal` if the program has inputs.
    pub fn listen(&mut self, ticks: usize) -> Result<(Vec<f32>, Report)> {
        let output = self.0.run.output(&self.0.program, 1).len();
        let mut y = Vec::new();
        let all = ticks.saturating_mul(output);
        if y.try_reserve_exact(all).is_err() {
            return Err(Error::invalid_signal(format!(
                "{ticks} ticks of {output} outputs do not fit into memory; listen for fewer"
            )));
        }
        y.resize(all, 0.0);
        let report = self.advance(Signal::Dense(&[]), SignalMut::Dense(&mut y), ticks)?;
        y.truncate(report.ticks * output);
        Ok((y, report))
    }

    /// Goes back to the initial state.
    ///
    /// # Errors
    /// As [`Session::reset`].
    pub fn reset(&mut self) -> Result<()> {
        block_on(self.0.reset())
    }

    /// Saves the state.
    ///
    /// # Errors
    /// As [`Session::save`].
    pub fn save(&mut self) -> Result<State> {
        block_on(self.0.save())
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// As [`Session::load`].
    pub fn load(&mut self, state: &State) -> Result<()> {
        block_on(self.0.load(state))
    }

    /// Reads a parameter as it is on the device.
    ///
    /// # Errors
    /// As [`Session::read`].
    pub fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        block_on(self.0.read(node, parameter))
    }

    /// Writes a parameter and gives what was really set.
    ///
    /// # Errors
    /// As [`Session::write`].
    pub fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        block_on(self.0.write(node, parameter, values))
    }

    /// Calibrates the device and gives the certificate that is now in force.
    ///
    /// # Errors
    /// As [`Session::calibrate`].
    pub fn calibrate(&mut self) -> Result<Certificate> {
        block_on(self.0.calibrate())
    }

    /// The certificate in force; none if it was never calibrated.
    ///
    /// # Errors
    /// As [`Session::certificate`].
    pub fn certificate(&mut self) -> Result<Option<Certificate>> {
        block_on(self.0.certificate())
    }

    /// The calibrations that were made anew amid the ticks of the program, oldest first.
    ///
    /// # Errors
    /// As [`Session::renewals`].
    pub fn renewals(&mut self) -> Result<Vec<InForce>> {
        block_on(self.0.renewals())
    }

    /// Lets seconds of the device's time pass without work.
    ///
    /// # Errors
    /// As [`Session::rest`].
    pub fn rest(&mut self, seconds: f64) -> Result<()> {
        block_on(self.0.rest(seconds))
    }

    /// Seconds of the device's time since the program was realised.
    ///
    /// # Errors
    /// As [`Session::age`].
    pub fn age(&mut self) -> Result<f64> {
        block_on(self.0.age())
    }

    /// The session itself.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.0
    }

    /// The session itself, to be changed.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}
