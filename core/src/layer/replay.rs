//! A recording in the place of the substrate that it was made of.

use super::record::{FORMAT, Line, Rows, input_digest};
use crate::calibration::{Calibration, Certificate};
use crate::error::{Error, ErrorKind, Result};
use crate::profile::{Facets, Profile};
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::state::State;
use crate::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// No line of a recording is longer.
const LONGEST_LINE: u64 = 1 << 30;

/// A substrate that gives the answers of a recording, in their order.
///
/// # Behavior
/// - A call that differs from the recorded one fails with `Protocol`, and the state is intact: the recording stays where it was.
#[derive(Debug)]
pub struct Replay {
    profile: Arc<Profile>,
    lines: Arc<Mutex<VecDeque<Line>>>,
    /// Whether the substrate showed programs of its own.
    shows: bool,
}

impl Replay {
    /// Reads a recording.
    ///
    /// # Errors
    /// `InvalidSignal`, with the number of the line that is none.
    pub fn new(log: impl BufRead) -> Result<Self> {
        let mut log = log.take(u64::MAX);
        let mut lines = VecDeque::new();
        let mut text = String::new();
        loop {
            let number = lines.len() + 1;
            let refuse = |e: Box<dyn std::error::Error + Send + Sync>| {
                Error::new(ErrorKind::InvalidSignal, format!("line {number} of the recording cannot be read")).with_source(e)
            };
            text.clear();
            log.set_limit(LONGEST_LINE);
            if log.read_line(&mut text).map_err(|e| refuse(e.into()))? == 0 {
                break;
            }
            lines.push_back(serde_json::from_str(&text).map_err(|e| refuse(e.into()))?);
        }
        match lines.pop_front() {
            Some(Line::Substrate { format: FORMAT, profile, shows }) => {
                Ok(Self { profile: Arc::new(*profile), lines: Arc::new(Mutex::new(lines)), shows: shows > 0 })
            }
            Some(Line::Substrate { format, .. }) => Err(Error::new(
                ErrorKind::InvalidSignal,
                format!("the recording has format {format}, but only {FORMAT} is known"),
            )),
            _ => Err(Error::new(ErrorKind::InvalidSignal, "the recording does not begin with the profile of a substrate")),
        }
    }
}

type Shared = Arc<Mutex<VecDeque<Line>>>;

/// A call that differs from the recorded one: the source of the error that it fails with. What was recorded as failed has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calls are not those of the recording")]
pub struct OutOfStep;

/// Takes the next line if it is the answer to the call, else leaves it.
fn take<T>(lines: &Shared, call: &str, answer: impl FnOnce(&Line) -> Option<Result<T>>) -> Result<T> {
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(next) = lines.front() else {
        let why = format!("the recording has ended, but {call} is asked for");
        return Err(Error::new(ErrorKind::Protocol, why).with_source(OutOfStep));
    };
    let Some(result) = answer(next) else {
        let why = format!("the recording goes on otherwise than by {call} with these arguments");
        return Err(Error::new(ErrorKind::Protocol, why).with_source(OutOfStep));
    };
    lines.pop_front();
    result
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Replay {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let digest = program.digest().to_string();
        take(&self.lines, "realize", |line| match line {
            Line::Realize { program, batch, seed, answer } if *program == digest && *batch == run.batch && *seed == run.seed => {
                Some(answer.result())
            }
            _ => None,
        })
        .map_err(|e| match self.shows {
            true => Error::new(
                e.kind(),
                format!(
                    "{}; the substrate showed programs of its own, which no recording holds: its runs can be replayed",
                    e.message()
                ),
            )
            .with_source(e),
            false => e,
        })?;
        Ok(Box::new(Replayed {
            lines: Arc::clone(&self.lines),
            program: program.clone(),
            run: run.clone(),
            facets: self.profile.facets,
        }))
    }

    fn exemplars(&self) -> Vec<Program> {
        // the programs of a recording are those that it is asked for
        Vec::new()
    }

    fn clock(&self) -> Option<Duration> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(&Line::Clock { clock }) = lines.front() else { return None };
        lines.pop_front();
        Some(clock)
    }
}

#[derive(Debug)]
struct Replayed {
    lines: Shared,
    program: Program,
    run: Run,
    facets: Facets,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Replayed {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let digest = input_digest(&x, &self.program, &self.run, ticks);
        let (Rows(dense), report) = take(&self.lines, "advance", |line| match line {
            Line::Advance { ticks: t, input, answer } if *t == ticks && *input == digest => Some(answer.result()),
            _ => None,
        })?;
        let output = self.run.output(&self.program, ticks);
        if report.ticks > ticks || dense.len() != report.ticks * output.row() {
            return Err(Error::new(ErrorKind::Protocol, "the recorded output does not fill its ticks").with_state_lost());
        }
        dense.chunks_exact(output.row().max(1)).enumerate().for_each(|(tick, row)| y.put(output, tick, row));
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        take(&self.lines, "reset", |line| if let Line::Reset { answer } = line { Some(answer.result()) } else { None })
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        if self.facets.memory { Some(self) } else { None }
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        if self.facets.tuning { Some(self) } else { None }
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        if self.facets.calibration { Some(self) } else { None }
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        if self.facets.rest { Some(self) } else { None }
    }
}

#[async_trait]
impl Memory for Replayed {
    async fn save(&mut self) -> Result<State> {
        take(&self.lines, "save", |line| if let Line::Save { answer } = line { Some(answer.result()) } else { None })
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        take(&self.lines, "load", |line| match line {
            Line::Load { state: s, answer } if s == state => Some(answer.result()),
            _ => None,
        })
    }
}

#[async_trait]
impl Tuning for Replayed {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        take(&self.lines, "read", |line| match line {
            Line::Read { node: n, parameter: p, answer } if n == node && p == parameter => Some(answer.result()),
            _ => None,
        })
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        take(&self.lines, "write", |line| match line {
            Line::Write { node: n, parameter: p, values: v, answer } if n == node && p == parameter && v == values => {
                Some(answer.result())
            }
            _ => None,
        })
    }
}

#[async_trait]
impl Calibration for Replayed {
    async fn calibrate(&mut self) -> Result<Certificate> {
        take(&self.lines, "calibrate", |line| if let Line::Calibrate { answer } = line { Some(answer.result()) } else { None })
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        take(
            &self.lines,
            "certificate",
            |line| if let Line::Certificate { answer } = line { Some(answer.result()) } else { None },
        )
    }
}

#[async_trait]
impl Rest for Replayed {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        take(&self.lines, "rest", |line| match line {
            Line::Rest { seconds: s, answer } if s.to_bits() == seconds.to_bits() => Some(answer.result()),
            _ => None,
        })
    }

    async fn age(&mut self) -> Result<f64> {
        take(&self.lines, "age", |line| if let Line::Age { answer } = line { Some(answer.result()) } else { None })
    }
}
