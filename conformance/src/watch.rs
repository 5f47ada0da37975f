//! A layer that keeps count of what a device tells beside its outputs, while a law is tried.
//!
//! It stands between the laws and the substrate and changes nothing. Certificates are asked for when a program is realised and, from then on,
//! after twice as many calls as before, so that a long record costs as little as a short one.

use crate::record::Ledger;
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Cancel, Realization, Run, Substrate};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A substrate that is watched, and not worn out.
#[derive(Debug)]
pub(crate) struct Watched<'a> {
    inner: &'a dyn Substrate,
    ledger: Arc<Mutex<Ledger>>,
    /// Writes that were done before.
    before: u64,
    wear: Option<Wear>,
    /// Why a program was not written, if one was not.
    spared: Mutex<Option<String>>,
    /// Ends the law that is tried.
    stop: Cancel,
}

/// What a substrate says of its cells.
#[derive(Debug, Clone, Copy)]
struct Wear {
    /// Writes that a program takes.
    price: u64,
    endurance: u64,
}

#[derive(Debug)]
struct Watching {
    inner: Box<dyn Realization>,
    ledger: Arc<Mutex<Ledger>>,
    outputs: usize,
    calls: u64,
    /// The call after which a certificate is asked for next.
    next: u64,
    /// Writes that were counted when the program was realised, and that reports tell of once more.
    counted: u64,
    stop: Cancel,
}

impl<'a> Watched<'a> {
    /// A substrate whose cells have so many writes behind them.
    pub(crate) fn new(inner: &'a dyn Substrate, before: u64, stop: Cancel) -> Self {
        let medium = inner.profile().medium;
        let wear = medium.and_then(|m| m.endurance.map(|endurance| Wear { price: m.price.writes, endurance }));
        Self { inner, ledger: Arc::default(), before, wear, spared: Mutex::new(None), stop }
    }

    /// Why a program was not written, if one was not: it would have worn out a cell.
    pub(crate) fn spared(&self) -> Option<String> {
        self.spared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was counted so far.
    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.ledger).clone()
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of a law that nobody waits for any more.
fn stopped(stop: &Cancel) -> Result<()> {
    if stop.is_raised() { Err(Error::fault("the run was stopped")) } else { Ok(()) }
}

impl Watching {
    async fn certify(&mut self) {
        if let Some(calibration) = self.inner.calibration()
            && let Ok(Some(certificate)) = calibration.certificate().await
        {
            lock(&self.ledger).certify(certificate);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Watched<'_> {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        stopped(&self.stop)?;
        if let Some(Wear { price, endurance }) = self.wear {
            let done = self.before.saturating_add(lock(&self.ledger).writes);
            if done.saturating_add(price) > endurance {
                let why = format!("a cell bears {endurance} writes, and {done} are done: the program is not written");
                *self.spared.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                return Err(Error::fault(why));
            }
        }
        let mut inner = self.inner.realize(program, run).await?;
        // a program is written even if nothing ever asks for a report
        let counted = self.wear.map_or(0, |wear| wear.price);
        lock(&self.ledger).writes += counted;
        if let Some(rest) = inner.rest()
            && let Ok(age) = rest.age().await
        {
            lock(&self.ledger).age.get_or_insert(age);
        }
        let outputs = run.output(program, 1).len();
        let mut watching =
            Watching { inner, ledger: Arc::clone(&self.ledger), outputs, calls: 0, next: 1, counted, stop: self.stop.clone() };
        watching.certify().await;
        Ok(Box::new(watching))
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
impl Realization for Watching {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        stopped(&self.stop)?;
        let report = self.inner.advance(x, y, ticks).await?;
        let known = report.writes.min(self.counted);
        self.counted -= known;
        lock(&self.ledger).count(&Report { writes: report.writes - known, ..report }, self.outputs);
        self.calls += 1;
        if self.calls >= self.next {
            self.next = self.next.saturating_mul(2);
            self.certify().await;
        }
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    isoform_core::hand_on_facets!(inner);
}
