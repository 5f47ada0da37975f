//! A substrate of your own: a profile, and four methods. Put your device where the oracle stands.
use async_trait::async_trait;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_core::{error::Result, oracle::Oracle, profile::Profile, program::Program, report::Report};
use std::sync::Arc;

/// A board that runs any program tick by tick.
#[derive(Debug)]
pub struct Board;
#[derive(Debug)]
struct Running(Oracle, Run);

#[async_trait]
impl Substrate for Board {
    fn profile(&self) -> Arc<Profile> {
        Arc::new(Profile::digital("board", "0.1.0"))
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile().admit(program)?;
        Ok(Box::new(Running(Oracle::new(program, run), run.clone())))
    }
}

#[async_trait]
impl Realization for Running {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Self(device, run) = self;
        let (input, output) = (run.input(device.program(), ticks), run.output(device.program(), ticks));
        let mut row = vec![0.0; input.row()];
        for tick in 0..ticks {
            if run.cancel.is_raised() {
                return Ok(Report::of(tick));
            }
            x.row(input, tick, &mut row);
            y.put(output, tick, &device.run(&row).into_iter().map(|v| v as f32).collect::<Vec<_>>());
        }
        Ok(Report::of(ticks))
    }

    async fn reset(&mut self) -> Result<()> {
        self.0.restart();
        Ok(())
    }
}

#[cfg(test)]
isoform_conformance::laws!(Board);
