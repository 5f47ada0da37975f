//! Requests to stop: the first ends what is going on in good order, so that instruments are left in a safe condition; the second at once.

use async_trait::async_trait;
use isoform::core::error::{Error, Result};
use isoform::core::profile::Profile;
use isoform::core::program::Program;
use isoform::core::report::Report;
use isoform::core::signal::{Signal, SignalMut};
use isoform::core::substrate::{Cancel, Realization, Run, Substrate};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The exit code of a process that was told to stop, as shells have it.
pub(super) const TOLD: u8 = 130;

static ASKED: OnceLock<Cancel> = OnceLock::new();

/// A flag that an interrupt or a termination raises, in place of ending the process.
pub(super) fn when_asked() -> Cancel {
    let install = || {
        let flag = Cancel::default();
        let raised = flag.clone();
        // where the system takes no handler, a request ends the process as it did before
        let _ = ctrlc::set_handler(move || {
            if raised.is_raised() {
                std::process::exit(i32::from(TOLD));
            }
            raised.raise();
            eprintln!("stopping in good order; ask again to leave at once, with instruments as they are");
        });
        flag
    };
    ASKED.get_or_init(install).clone()
}

/// Whether somebody has asked to stop.
pub(super) fn is_asked() -> bool {
    ASKED.get().is_some_and(Cancel::is_raised)
}

/// A substrate on which a request to stop ends an advance as an error, so that all who run it leave and it is closed.
#[derive(Debug)]
pub(super) struct Stoppable {
    inner: Arc<dyn Substrate>,
    stop: Cancel,
    /// Whether a run has its own flag, which somebody tries.
    keeps: bool,
}

#[derive(Debug)]
struct Stopping {
    inner: Box<dyn Realization>,
    stop: Cancel,
}

impl Stoppable {
    /// A substrate that stops when it is asked.
    pub(super) fn on(inner: Arc<dyn Substrate>) -> Arc<dyn Substrate> {
        Arc::new(Self { inner, stop: when_asked(), keeps: false })
    }

    /// The same between two advances, of runs whose own flag is left to them.
    pub(super) fn between_advances(inner: Arc<dyn Substrate>) -> Arc<dyn Substrate> {
        Arc::new(Self { inner, stop: when_asked(), keeps: true })
    }
}

fn stopped() -> Error {
    Error::fault("it was asked to stop").with_state_lost()
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Stoppable {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let cancel = if self.keeps { &run.cancel } else { &self.stop };
        let run = Run { cancel: cancel.clone(), ..run.clone() };
        let inner = self.inner.realize(program, &run).await?;
        Ok(Box::new(Stopping { inner, stop: self.stop.clone() }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Stopping {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let report = self.inner.advance(x, y, ticks).await?;
        if self.stop.is_raised() { Err(stopped()) } else { Ok(report) }
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    isoform::core::hand_on_facets!(inner);
}
