//! What users talk to: a program on a substrate, with everything checked.

use crate::calibration::{Calibration, Certificate, InForce};
use crate::error::{Error, Integrity, Result};
use crate::profile::{OutOfRange, Profile, in_range};
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Extent, Signal, SignalMut};
use crate::state::State;
use crate::substrate::{Cancel, Memory, Realization, Rest, Run, Substrate, Tuning};
use std::sync::Arc;

mod blocking;

pub use blocking::Blocking;

/// More numbers than a session keeps from tick to tick.
const MOST_MEMORY: usize = 1 << 30;

/// A program on a substrate.
///
/// # Behavior
/// - Shapes, finiteness, order of events and ranges are checked before the substrate sees anything; a refused call leaves the
///   state intact.
/// - Chunks longer than the substrate takes are split, and their reports added up.
/// - After an error that lost the state, only [`reset`](Session::reset) and [`load`](Session::load) are let through. The same holds
///   after a future was dropped before its end.
#[derive(Debug)]
pub struct Session {
    program: Program,
    run: Run,
    profile: Arc<Profile>,
    realization: Box<dyn Realization>,
    inputs: usize,
    outputs: usize,
    chunk: usize,
    lost: bool,
    bounded: bool,
}

impl Session {
    /// Realises a program.
    ///
    /// # Errors
    /// `InvalidSignal` for a batch of nought lanes, `Unsupported` for what the profile excludes, and what the substrate says.
    pub async fn open(substrate: &dyn Substrate, program: &Program, run: &Run) -> Result<Self> {
        let profile = substrate.profile();
        if run.batch == 0 || run.max_ticks == 0 {
            return Err(Error::invalid_signal("a run needs at least one lane and one tick at a time"));
        }
        if run.batch > profile.limits.batch {
            return Err(Error::unsupported(format!(
                "{} lanes exceed the {} of {}; lanes are the second of the axes [time, lane, channel] of an input",
                run.batch, profile.limits.batch, profile.name
            )));
        }
        profile.admit(program)?;
        let kept: usize = program.schedule().memory.iter().map(|m| m.len).sum();
        if kept.saturating_mul(run.batch) > MOST_MEMORY {
            return Err(Error::unsupported(format!(
                "{} lanes of {kept} numbers exceed the {MOST_MEMORY} that a session keeps from tick to tick; run fewer lanes",
                run.batch
            )));
        }
        let chunk = run.max_ticks.min(profile.limits.ticks).max(1);
        let run = run.clone().with_max_ticks(chunk);
        let realization = substrate.realize(program, &run).await?;
        let [low, high] = profile.limits.input;
        let bounded = low > f64::from(f32::MIN) || high < f64::from(f32::MAX);
        Ok(Self {
            inputs: program.input_channels(),
            outputs: program.output_channels(),
            program: program.clone(),
            run,
            profile,
            realization,
            chunk,
            lost: false,
            bounded,
        })
    }

    /// The program. Parameters that were tuned are not in it.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// How it is run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What the substrate promises.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The flag that stops an advance from another thread.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.run.cancel.clone()
    }

    /// Whether the state is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Advances by the ticks of a block; see [`Signal`] and [`SignalMut`] for the layouts.
    ///
    /// # Errors
    /// `InvalidSignal` for a block that does not fit, and what the substrate says. If the state is lost, the output holds
    /// nothing of use.
    pub async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (input, output) = self.check(&x, &y, ticks)?;
        if ticks <= self.chunk {
            return self.advance_chunk(x, y, ticks).await;
        }
        let mut total = Report::default();
        let mut events = Vec::new();
        while total.ticks < ticks {
            let (from, to) = (total.ticks, ticks.min(total.ticks + self.chunk));
            let part = match x.ticks(input, from, to) {
                Signal::Events(list) => {
                    events.clear();
                    let shift = u32::try_from(from).unwrap_or(u32::MAX);
                    events.extend(list.iter().map(|e| crate::signal::Event { tick: e.tick - shift, ..*e }));
                    Signal::Events(&events)
                }
                part => part,
            };
            let report = self.advance_chunk(part, y.ticks(output, from, to), to - from).await.map_err(|e| {
                // ticks of earlier chunks have passed, so that the whole call did have an effect
                if from > 0 { e.with_state_lost() } else { e }
            });
            let report = report.inspect_err(|e| self.lost |= e.state() == Integrity::Lost)?;
            total.add(&report);
            if report.ticks < to - from {
                break;
            }
        }
        Ok(total)
    }

    /// Everything that is checked before the substrate sees a block; gives the extents of input and output.
    fn check(&self, x: &Signal<'_>, y: &SignalMut<'_>, ticks: usize) -> Result<(Extent, Extent)> {
        self.check_kept()?;
        let input = Extent { ticks, batch: self.run.batch, channels: self.inputs };
        let output = Extent { ticks, batch: self.run.batch, channels: self.outputs };
        x.check(input)?;
        y.check(output)?;
        if self.bounded && self.profile.limits.out_of_range == OutOfRange::Refuse {
            self.check_range(*x, input)?;
        }
        Ok((input, output))
    }

    async fn advance_chunk(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        // a dropped future leaves this set
        self.lost = true;
        let result = self.realization.advance(x, y, ticks).await;
        self.account(ticks, result)
    }

    /// After a chunk: whoever was told to stop may have done less, and nobody more.
    fn account(&mut self, ticks: usize, result: Result<Report>) -> Result<Report> {
        let result = match result {
            Ok(report) if report.ticks != ticks && !(report.ticks < ticks && self.run.cancel.is_raised()) => {
                let (done, name) = (report.ticks, &self.profile.name);
                Err(Error::fault(format!("{name} reports {done} ticks of {ticks}, and nobody stopped it")).with_state_lost())
            }
            result => result,
        };
        self.settle(false, result)
    }

    /// After a call: whether the state is lost, given whether it was before.
    fn settle<T>(&mut self, before: bool, result: Result<T>) -> Result<T> {
        self.lost = matches!(&result, Err(e) if before || e.state() == Integrity::Lost);
        result
    }

    /// Goes back to the initial state.
    ///
    /// # Errors
    /// `Unsupported` if the medium cannot be reset.
    pub async fn reset(&mut self) -> Result<()> {
        let before = std::mem::replace(&mut self.lost, true);
        let result = self.realization.reset().await;
        self.settle(before, result)
    }

    /// Saves the state.
    ///
    /// # Errors
    /// `Unsupported` without the facet Memory.
    pub async fn save(&mut self) -> Result<State> {
        self.check_kept()?;
        self.lost = true;
        let result = match self.facet_memory() {
            Ok(facet) => facet.save().await,
            Err(e) => Err(e),
        };
        self.settle(false, result)
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// `InvalidSignal` if it belongs to another program or batch, `Unsupported` without the facet Memory.
    pub async fn load(&mut self, state: &State) -> Result<()> {
        let state = state.arranged(&self.program);
        state.check(&self.program, self.run.batch)?;
        state.within(self.profile.accuracy.largest)?;
        let before = std::mem::replace(&mut self.lost, true);
        let result = match self.facet_memory() {
            Ok(memory) => memory.load(&state).await,
            Err(e) => Err(e),
        };
        self.settle(before, result)
    }

    /// Reads a parameter as it is on the device.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Unsupported` without the facet Tuning.
    pub async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        self.check_kept()?;
        self.lost = true;
        let result = match self.facet_tuning() {
            Ok(facet) => facet.read(node, parameter).await,
            Err(e) => Err(e),
        };
        self.settle(false, result)
    }

    /// Writes a parameter and gives what was really set.
    ///
    /// # Errors
    /// `NotFound` if there is none, `InvalidProgram` if the values do not fit, `Unsupported` without the facet Tuning.
    pub async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        if let Some(v) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::invalid_program(format!("parameter {parameter:?} cannot be {v}")).with_node(node));
        }
        self.check_kept()?;
        self.lost = true;
        let result = match self.facet_tuning() {
            Ok(facet) => facet.write(node, parameter, values).await,
            Err(e) => Err(e),
        };
        self.settle(false, result)
    }

    /// Calibrates the device and gives the certificate that is now in force.
    ///
    /// # Errors
    /// `Calibration` if no correction helps, `Unsupported` without the facet Calibration.
    pub async fn calibrate(&mut self) -> Result<Certificate> {
        self.facet_calibration()?.calibrate().await
    }

    /// The certificate in force; none if it was never calibrated.
    ///
    /// # Errors
    /// `Unsupported` without the facet Calibration.
    pub async fn certificate(&mut self) -> Result<Option<Certificate>> {
        self.facet_calibration()?.certificate().await
    }

    /// The calibrations that were made anew amid the ticks of the program, oldest first.
    ///
    /// # Errors
    /// `Unsupported` without the facet Calibration.
    pub async fn renewals(&mut self) -> Result<Vec<InForce>> {
        self.facet_calibration()?.renewals().await
    }

    /// Lets seconds of the device's time pass without work.
    ///
    /// # Errors
    /// `InvalidSignal` unless the seconds are a finite number of nought or more, `Unsupported` without the facet Rest.
    pub async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(Error::invalid_signal(format!("a rest of {seconds} s is none; give nought or more")));
        }
        self.facet_rest()?.rest(seconds).await
    }

    /// Seconds of the device's time since the program was realised.
    ///
    /// # Errors
    /// `Unsupported` without the facet Rest.
    pub async fn age(&mut self) -> Result<f64> {
        self.facet_rest()?.age().await
    }

    /// The realization, for those who look at its facets.
    pub fn realization(&mut self) -> &mut dyn Realization {
        self.realization.as_mut()
    }

    /// The same session for callers that wait.
    #[must_use]
    pub fn blocking(self) -> Blocking {
        Blocking(self)
    }

    fn check_kept(&self) -> Result<()> {
        if self.lost {
            Err(Error::invalid_signal("the state was lost by an earlier call; reset or load first").with_state_lost())
        } else {
            Ok(())
        }
    }

    fn check_range(&self, x: Signal<'_>, extent: Extent) -> Result<()> {
        let range @ [low, high] = self.profile.limits.input;
        let outside = |v: f32| !in_range(range, v);
        let found = match x {
            Signal::Dense(data) | Signal::Held(data) => {
                // looked at without leaving off, which is vector code, before the first is sought
                let any = data.iter().fold(false, |any, &v| any | outside(v));
                any.then(|| data.iter().copied().find(|&v| outside(v))).flatten()
            }
            Signal::Events(events) => {
                // several events at one place add up, and what is not listed is nought
                let mut row = vec![0.0; extent.row()];
                let ticks = events.chunk_by(|a, b| a.tick == b.tick);
                let listed = ticks.clone().count();
                let found = ticks.into_iter().find_map(|tick| {
                    x.row(extent, tick[0].tick as usize, &mut row);
                    row.iter().copied().find(|&v| outside(v))
                });
                found.or((listed < extent.ticks && outside(0.0)).then_some(0.0))
            }
        };
        match (found, x) {
            (None, _) => Ok(()),
            (Some(0.0), Signal::Events(_)) => Err(Error::invalid_signal(format!(
                "events leave nought where nothing is listed, which is outside {low} to {high}; give every sample"
            ))),
            (Some(v), _) => Err(Error::invalid_signal(format!("an input of {v} is outside {low} to {high}; scale the signal"))),
        }
    }

    fn facet_memory(&mut self) -> Result<&mut dyn Memory> {
        let name = &self.profile.name;
        self.realization.memory().ok_or_else(|| Error::unsupported(format!("{name} can neither save nor load a state")))
    }

    fn facet_calibration(&mut self) -> Result<&mut dyn Calibration> {
        let name = &self.profile.name;
        self.realization.calibration().ok_or_else(|| Error::unsupported(format!("{name} cannot be calibrated")))
    }

    fn facet_rest(&mut self) -> Result<&mut dyn Rest> {
        let name = &self.profile.name;
        self.realization.rest().ok_or_else(|| Error::unsupported(format!("{name} cannot let its time pass without work")))
    }

    fn facet_tuning(&mut self) -> Result<&mut dyn Tuning> {
        let name = &self.profile.name;
        self.realization.tuning().ok_or_else(|| Error::unsupported(format!("{name} cannot be tuned while it runs")))
    }
}
