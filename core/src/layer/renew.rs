//! Calibrations that are made anew when their time is over.

use crate::calibration::{Calibration, Certificate, InForce};
use crate::error::{Error, ErrorKind, Integrity, Result};
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Event, Signal, SignalMut};
use crate::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use async_trait::async_trait;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A substrate whose calibrations are made anew when their time is over.
///
/// # Behavior
/// - An advance that is refused because a calibration is over, or would be before its end, is made again after a new one, in shorter and shorter
///   pieces if a calibration holds for less than all of it; if it does not hold for a tick, the refusal stands.
/// - Everything else is that of the substrate, whose certificates tell when they were made; those of new calibrations are kept, each with its
///   tick ([`Calibration::renewals`]). One that cannot be calibrated is left alone.
#[derive(Debug)]
pub struct Renew<S> {
    inner: S,
    profile: Arc<Profile>,
}

impl<'a, S> Renew<S>
where
    S: Deref<Target = dyn Substrate + 'a>,
{
    /// The same substrate with calibrations that do not end.
    #[must_use]
    pub fn new(inner: S) -> Self {
        let mut profile = inner.profile();
        if profile.facets.calibration {
            Arc::make_mut(&mut profile).facets.renewal = true;
        }
        Self { inner, profile }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<'a, S> Substrate for Renew<S>
where
    S: Deref<Target = dyn Substrate + 'a> + Debug + Send + Sync,
{
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        Ok(Box::new(Renewed { inner, program: program.clone(), run: run.clone(), ticks: 0, renewals: Vec::new() }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[derive(Debug)]
struct Renewed {
    inner: Box<dyn Realization>,
    program: Program,
    run: Run,
    /// Ticks since the program was realised.
    ticks: u64,
    renewals: Vec<InForce>,
}

/// An error after ticks that were done: the state is no longer that of before the call.
fn moved(error: Error, done: usize) -> Error {
    if done > 0 { error.with_state_lost() } else { error }
}

fn is_over(error: &Error) -> bool {
    error.kind() == ErrorKind::Calibration && error.state() == Integrity::Intact
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Renewed {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        let (mut total, mut piece, mut fresh) = (Report::default(), ticks, false);
        loop {
            let (from, to) = (total.ticks, ticks.min(total.ticks + piece));
            let result = if from == 0 && to == ticks {
                self.inner.advance(x, y.reborrow(), ticks).await
            } else {
                let events: Vec<Event>;
                let part = match x.ticks(input, from, to) {
                    Signal::Events(part) => {
                        #[expect(clippy::cast_possible_truncation, reason = "a tick of the block, which events can name")]
                        let shifted = part.iter().map(|e| Event { tick: e.tick - from as u32, ..*e });
                        events = shifted.collect();
                        Signal::Events(&events)
                    }
                    other => other,
                };
                self.inner.advance(part, y.ticks(output, from, to), to - from).await
            };
            match result {
                Ok(report) => {
                    total.add(&report);
                    self.ticks += report.ticks as u64;
                    fresh = false;
                    // whoever stops early was asked to
                    if report.ticks < to - from || total.ticks >= ticks {
                        return Ok(total);
                    }
                }
                Err(error) if is_over(&error) => {
                    if !fresh {
                        let Some(calibration) = self.inner.calibration() else { return Err(moved(error, from)) };
                        let made = calibration.calibrate().await.map_err(|e| moved(e, from))?;
                        self.renewals.push(InForce::made(made, self.ticks));
                        fresh = true;
                    } else if piece > 1 {
                        piece = piece.div_ceil(2);
                    } else {
                        return Err(moved(error, from));
                    }
                }
                Err(error) => return Err(moved(error, from)),
            }
        }
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        self.inner.memory()
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        self.inner.tuning()
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        self.inner.plasticity()
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        self.inner.calibration()?;
        Some(self)
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        self.inner.rest()
    }
}

fn absent() -> Error {
    Error::unsupported("the substrate cannot be calibrated")
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Calibration for Renewed {
    async fn calibrate(&mut self) -> Result<Certificate> {
        self.inner.calibration().ok_or_else(absent)?.calibrate().await
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        self.inner.calibration().ok_or_else(absent)?.certificate().await
    }

    async fn renewals(&mut self) -> Result<Vec<InForce>> {
        Ok(self.renewals.clone())
    }
}
