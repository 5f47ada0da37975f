//! A layer that keeps count of what a device tells beside its outputs, while a law is tried, and ends the law when its time is over, or when
//! what comes out is none of what its statistics are about.
//!
//! It stands between the laws and the substrate and changes nothing before. Certificates are asked for when a program is realised and, from then on,
//! after twice as many calls as before, so that a long record costs as little as a short one. Those of calibrations that are made through it, or amid
//! ticks by the substrate itself, are kept with the tick.

use crate::record::Ledger;
use async_trait::async_trait;
use isoform_core::calibration::{Calibration, Certificate, InForce};
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Cancel, Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody looks whether the time of a law is over.
const LOOK: Duration = Duration::from_millis(20);

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
    limit: Limit,
    /// Whether outputs have to be numbers.
    finite: bool,
    /// Stops what is running, of each program that was realised.
    running: Mutex<Vec<Cancel>>,
}

/// Until when a law may go on.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    stop: Cancel,
    end: Option<Instant>,
}

impl Limit {
    /// Until somebody asks to stop, or a moment comes.
    pub(crate) fn new(stop: Cancel, end: Option<Instant>) -> Self {
        Self { stop, end }
    }

    /// Why the law is at its end, if it is.
    pub(crate) fn over(&self) -> Option<&'static str> {
        if self.stop.is_raised() {
            Some("the run was stopped amid it")
        } else {
            self.end.is_some_and(|end| Instant::now() >= end).then_some("the budget was spent amid it")
        }
    }

    /// The end of a law that nobody waits for any more.
    fn check(&self) -> Result<()> {
        self.over().map_or(Ok(()), |why| Err(Error::fault(why)))
    }
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
    /// Ticks since the program was realised.
    ticks: u64,
    /// Whether the substrate makes calibrations anew by itself, and how many of them are known.
    renews: Option<usize>,
    /// The call after which a certificate is asked for next.
    next: u64,
    /// Writes that were counted when the program was realised, and that reports tell of once more.
    counted: u64,
    limit: Limit,
    finite: bool,
}

impl<'a> Watched<'a> {
    /// A substrate whose cells have so many writes behind them.
    pub(crate) fn new(inner: &'a dyn Substrate, before: u64, limit: Limit) -> Self {
        let medium = inner.profile().medium;
        let wear = medium.and_then(|m| m.endurance.map(|endurance| Wear { price: m.price.writes, endurance }));
        Self {
            inner,
            ledger: Arc::default(),
            before,
            wear,
            spared: Mutex::new(None),
            limit,
            finite: false,
            running: Mutex::default(),
        }
    }

    /// The same, of whose outputs means and spreads are to be taken: one that is infinite or no number ends the law, since it compares with nothing.
    pub(crate) fn with_finite_outputs(mut self, finite: bool) -> Self {
        self.finite = finite;
        self
    }

    /// Works, and stops what is running once the time is over.
    pub(crate) fn within_limit<T>(&self, work: impl FnOnce() -> T) -> T {
        let (working, done) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if self.limit.over().is_some() {
                        self.running.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Cancel::raise);
                    }
                }
            });
            let result = work();
            drop(working);
            result
        })
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

impl Watching {
    /// Keeps the certificate in force; one that nobody made through here was made at a time that is not known, unless the program begins with it.
    async fn certify(&mut self) {
        if let Some(calibration) = self.inner.calibration()
            && let Ok(Some(certificate)) = calibration.certificate().await
        {
            let age_at_start = (self.calls == 0).then_some(certificate.age);
            lock(&self.ledger).certify(InForce { certificate, age_at_start, made_at_tick: None });
        }
    }

    /// Keeps the calibrations that the substrate made amid ticks.
    async fn renew(&mut self) {
        if let Some(known) = self.renews
            && let Some(calibration) = self.inner.calibration()
            && let Ok(all) = calibration.renewals().await
        {
            let mut ledger = lock(&self.ledger);
            all.iter().skip(known).for_each(|made| ledger.certify(made.clone()));
            self.renews = Some(all.len());
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
        self.limit.check()?;
        if let Some(Wear { price, endurance }) = self.wear {
            let done = self.before.saturating_add(lock(&self.ledger).writes);
            if done.saturating_add(price) > endurance {
                let why = format!("a cell bears {endurance} writes, and {done} are done: the program is not written");
                *self.spared.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                return Err(Error::fault(why));
            }
        }
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(run.cancel.clone());
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
        let mut watching = Watching {
            inner,
            ledger: Arc::clone(&self.ledger),
            outputs,
            calls: 0,
            ticks: 0,
            renews: self.inner.profile().facets.renewal.then_some(0),
            next: 1,
            counted,
            limit: self.limit.clone(),
            finite: self.finite,
        };
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
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.limit.check()?;
        let report = self.inner.advance(x, y.reborrow(), ticks).await?;
        // what was stopped for want of time is no shorter run
        self.limit.check()?;
        if self.finite
            && let SignalMut::Dense(y) = &y
            && let Some(at) = y.iter().position(|v| !v.is_finite())
        {
            let (tick, output) = (self.ticks + (at / self.outputs.max(1)) as u64, at % self.outputs.max(1));
            return Err(Error::fault(format!("output {output} is {} at tick {tick}, of which no statistic can be made", y[at])));
        }
        let known = report.writes.min(self.counted);
        self.counted -= known;
        lock(&self.ledger).count(&Report { writes: report.writes - known, ..report }, self.outputs);
        self.ticks += report.ticks as u64;
        self.renew().await;
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
impl Calibration for Watching {
    async fn calibrate(&mut self) -> Result<Certificate> {
        let made = self.inner.calibration().ok_or_else(absent)?.calibrate().await?;
        lock(&self.ledger).certify(InForce::made(made.clone(), self.ticks));
        Ok(made)
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        self.inner.calibration().ok_or_else(absent)?.certificate().await
    }

    async fn renewals(&mut self) -> Result<Vec<InForce>> {
        self.inner.calibration().ok_or_else(absent)?.renewals().await
    }
}
