//! Calibrations that are made anew when their time is over.

use crate::error::{Error, ErrorKind, Integrity, Result};
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::substrate::{Realization, Run, Substrate};
use async_trait::async_trait;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A substrate whose calibrations are made anew when their time is over.
///
/// # Behavior
/// - An advance that is refused because a calibration is over is made again after a new one; if that is over too, the refusal stands.
/// - Everything else is that of the substrate, whose certificates tell when they were made. One that cannot be calibrated is left alone.
#[derive(Debug)]
pub struct Renew<S>(S);

impl<S> Renew<S> {
    /// The same substrate with calibrations that do not end.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self(inner)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<'a, S> Substrate for Renew<S>
where
    S: Deref<Target = dyn Substrate + 'a> + Debug + Send + Sync,
{
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        Ok(Box::new(Renewed { inner: self.0.realize(program, run).await? }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.0.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.0.clock()
    }
}

#[derive(Debug)]
struct Renewed {
    inner: Box<dyn Realization>,
}

fn is_over(error: &Error) -> bool {
    error.kind() == ErrorKind::Calibration && error.state() == Integrity::Intact
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Renewed {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        match self.inner.advance(x, y.reborrow(), ticks).await {
            Err(error) if is_over(&error) => {
                let Some(calibration) = self.inner.calibration() else { return Err(error) };
                calibration.calibrate().await?;
                self.inner.advance(x, y, ticks).await
            }
            other => other,
        }
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    crate::hand_on_facets!(inner);
}
