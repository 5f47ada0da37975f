//! A driver at a line as a substrate.

use crate::driver::Driver;
use crate::error::SerialError;
use crate::lines::Lines;
use crate::link::Patience;
use crate::transport::Opening;
use async_trait::async_trait;
use isoform_core::error::{Error, ErrorKind, Integrity, Result};
use isoform_core::profile::{Facets, Profile};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Memory, Realization, Run, Substrate, Tuning};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a device is waited for that says nothing while it is left; in steps that leave time for a second try.
const CLOSING: Patience = Patience { total: Duration::from_secs(2), step: Duration::from_millis(400) };

/// How long a device is waited for that says nothing when it is asked who it is: as long as the slowest takes, a controller whose reader waits ten
/// seconds for what is missing.
const OPENING: Patience = Patience { total: Duration::from_secs(13), step: Duration::MAX };

/// A driver and the lines to its device.
#[derive(Debug)]
struct Bench {
    driver: Box<dyn Driver>,
    lines: Lines,
    /// Whether a program has the device.
    taken: bool,
    /// Whether the dialogue has to be brought into step before the next call.
    broken: bool,
}

/// An instrument at the end of a line, as a substrate.
///
/// # Behavior
/// - One program at a time has the device; a second is `Busy`.
/// - A program that ends leaves the device in a safe condition; where the device does not confirm it, the dialogue is opened anew for that. One
///   that says nothing is given up after two seconds in all.
/// - After a failure that may have changed the device the state is lost, and the next reset opens the dialogue anew: the line is opened again if
///   it was hung up, the device identified, the program loaded.
#[derive(Debug)]
pub struct Instrument {
    profile: Arc<Profile>,
    bench: Arc<Mutex<Bench>>,
    opened: Instant,
}

impl Instrument {
    /// Makes sure that the device at the end of the lines is the right one. One that says nothing is given up after 13 seconds.
    ///
    /// # Errors
    /// What the driver says.
    pub fn open(driver: Box<dyn Driver>, lines: Lines) -> Result<Self> {
        Self::open_unless_stopped(driver, lines, &Opening::default())
    }

    /// The same over lines of an opening: where somebody asks to stop it, a device that has answered is left in a safe condition.
    ///
    /// # Errors
    /// `Fault` if it was stopped, and what the driver says.
    pub fn open_unless_stopped(driver: Box<dyn Driver>, lines: Lines, opening: &Opening) -> Result<Self> {
        let mut bench = Bench { driver, lines, taken: false, broken: false };
        let identified = identify(bench.driver.as_mut(), &mut bench.lines);
        let stopped = opening.end();
        if identified.is_err() && stopped && bench.lines.has_heard() {
            bench.make_safe();
        }
        identified?;
        let mut profile = bench.driver.profile();
        profile.limits.realizations = 1;
        Ok(Self { profile: Arc::new(profile), bench: Arc::new(Mutex::new(bench)), opened: Instant::now() })
    }

    /// How long after its deadline a wait on one of its lines has ended, at most.
    #[must_use]
    pub fn latest(&self) -> Duration {
        lock(&self.bench).lines.latest()
    }
}

#[async_trait]
impl Substrate for Instrument {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    fn exemplars(&self) -> Vec<Program> {
        lock(&self.bench).driver.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        Some(lock(&self.bench).lines.show(self.opened.elapsed()))
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        let mut bench = lock(&self.bench);
        if bench.taken {
            let why = format!("{} holds one program at a time; close the other one first", self.profile.name);
            return Err(Error::new(ErrorKind::Busy, why));
        }
        if bench.broken {
            bench.mend()?;
        }
        let loaded = bench.load(program, run);
        bench.broken |= matches!(&loaded, Err(e) if e.state() == Integrity::Lost);
        loaded.map_err(with_intact_state)?;
        bench.taken = true;
        drop(bench);
        Ok(Box::new(Attached {
            bench: Arc::clone(&self.bench),
            facets: self.profile.facets,
            program: program.clone(),
            run: run.clone(),
            tuned: Vec::new(),
        }))
    }
}

/// A realization that was never there has no state to lose.
fn with_intact_state(error: Error) -> Error {
    let kept = Error::new(error.kind(), error.message().to_owned());
    let kept = error.node().map(str::to_owned).into_iter().fold(kept, |e, node| e.with_node(node));
    kept.with_source(error)
}

impl Bench {
    /// Calls the driver; an error after which the device may have changed says so.
    fn call<T>(&mut self, call: impl FnOnce(&mut dyn Driver, &mut Lines) -> Result<T>) -> Result<T> {
        let before = self.lines.sent();
        let result = call(self.driver.as_mut(), &mut self.lines);
        let sent = self.lines.sent() > before;
        // of a device at a line that has gone nothing is known, though nothing was sent; and only a reset opens the line again
        let gone = |e: &Error| e.kind() == ErrorKind::Disconnected;
        result.map_err(|e| if (sent && !is_refusal(&e)) || gone(&e) { e.with_state_lost() } else { e })
    }

    /// Loads a program; where that fails half-way, the device is left in a safe condition.
    fn load(&mut self, program: &Program, run: &Run) -> Result<()> {
        let before = self.lines.sent();
        let loaded = self.call(|driver, lines| driver.load(lines, program, run));
        if loaded.is_err() && self.lines.sent() > before {
            self.make_safe();
        }
        loaded
    }

    /// Leaves the device in a safe condition, also behind a line that has lost its thread. The line may be gone for good, which is of no
    /// consequence.
    fn make_safe(&mut self) {
        let Self { driver, lines, .. } = self;
        lines.set_patience(Some(CLOSING));
        if let Err(error) = driver.close(lines) {
            let open = error.kind() != ErrorKind::Disconnected || lines.reopen().is_ok();
            // whoever comes next begins the dialogue anew
            self.broken = !(open && driver.identify(lines).is_ok() && driver.close(lines).is_ok());
        }
        lines.set_patience(None);
    }

    /// Opens the dialogue anew.
    fn mend(&mut self) -> Result<()> {
        // a line that only lost its thread is brought into step by the driver; one that has gone is opened again
        let Self { driver, lines, .. } = self;
        let first = identify(driver.as_mut(), lines);
        if let Err(error) = first {
            if matches!(error.kind(), ErrorKind::Disconnected | ErrorKind::Fault | ErrorKind::Protocol | ErrorKind::Timeout) {
                lines.reopen().map_err(Error::from)?;
                identify(driver.as_mut(), lines)?;
            } else {
                return Err(error);
            }
        }
        self.broken = false;
        Ok(())
    }
}

/// Makes sure that the device is there, and waits for one that says nothing no longer than [`OPENING`]. What did not come is told with all the
/// time that was waited, in as many tries as it may have been.
fn identify(driver: &mut dyn Driver, lines: &mut Lines) -> Result<()> {
    let begun = lines.now();
    lines.set_patience(Some(OPENING));
    let identified = driver.identify(lines);
    lines.set_patience(None);
    let waited = lines.now().saturating_sub(begun);
    identified.map_err(|error| match std::error::Error::source(&error).and_then(|s| s.downcast_ref()) {
        Some(SerialError::Timeout { what, after }) if *after < waited => {
            SerialError::Timeout { what: what.clone(), after: waited }.into()
        }
        _ => error,
    })
}

/// Whether the device refused and did nothing.
fn is_refusal(error: &Error) -> bool {
    if error.kind().is_bad_input() {
        return true;
    }
    let source = std::error::Error::source(error).and_then(|s| s.downcast_ref::<SerialError>());
    source.is_some_and(SerialError::is_refusal)
}

fn lock(bench: &Mutex<Bench>) -> MutexGuard<'_, Bench> {
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program on an instrument.
#[derive(Debug)]
struct Attached {
    bench: Arc<Mutex<Bench>>,
    facets: Facets,
    program: Program,
    run: Run,
    /// What was written to parameters since: node, parameter, values.
    tuned: Vec<(String, String, Vec<f64>)>,
}

impl Attached {
    fn call<T>(&mut self, call: impl FnOnce(&mut dyn Driver, &mut Lines) -> Result<T>) -> Result<T> {
        let mut bench = lock(&self.bench);
        if bench.broken {
            return Err(Error::fault("the line failed before; reset first").with_state_lost());
        }
        let result = bench.call(call);
        bench.broken = matches!(&result, Err(e) if e.state() == Integrity::Lost);
        result
    }

    /// Brings the device back if the line failed, with the program loaded and its parameters as they were written.
    fn recover(&mut self) -> Result<()> {
        let mut bench = lock(&self.bench);
        if bench.broken {
            bench.mend().map_err(Error::with_state_lost)?;
            let loaded = bench.load(&self.program, &self.run).and_then(|()| {
                let mut written = self.tuned.iter();
                written.try_for_each(|(node, parameter, values)| {
                    bench.call(|driver, lines| driver.write_parameter(lines, node, parameter, values)).map(drop)
                })
            });
            bench.broken = loaded.is_err();
            loaded.map_err(Error::with_state_lost)?;
        }
        Ok(())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut bench = lock(&self.bench);
        bench.make_safe();
        bench.taken = false;
    }
}

#[async_trait]
impl Realization for Attached {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.call(|driver, lines| {
            let start = lines.now();
            let report = driver.advance(lines, x, &mut y, ticks)?;
            Ok(Report { wall: lines.now().saturating_sub(start), ..report })
        })
    }

    async fn reset(&mut self) -> Result<()> {
        self.recover()?;
        self.call(|driver, lines| driver.reset(lines))
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        if self.facets.memory { Some(self) } else { None }
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        if self.facets.tuning { Some(self) } else { None }
    }
}

#[async_trait]
impl Memory for Attached {
    async fn save(&mut self) -> Result<State> {
        self.call(|driver, lines| driver.save_state(lines))
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.program, self.run.batch)?;
        self.recover()?;
        self.call(|driver, lines| driver.load_state(lines, state))
    }
}

#[async_trait]
impl Tuning for Attached {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        self.call(|driver, lines| driver.read_parameter(lines, node, parameter))
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let set = self.call(|driver, lines| driver.write_parameter(lines, node, parameter, values))?;
        self.tuned.retain(|(n, p, _)| n != node || p != parameter);
        self.tuned.push((node.to_owned(), parameter.to_owned(), values.to_vec()));
        Ok(set)
    }
}
