//! Every call and its answer, as lines of JSON.
//!
//! The first line is the profile of the substrate, the second the digest and extent of the program; then one line for each call. A
//! recording is read by people and by [`Replay`](super::replay::Replay).

use crate::calibration::{Calibration, Certificate};
use crate::error::{Error, ErrorKind, Integrity, Result};
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::state::State;
use crate::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The version of the recordings.
pub const FORMAT: u32 = 1;

/// One line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "call")]
pub enum Line {
    /// The first line.
    Substrate {
        /// The version of the recordings.
        format: u32,
        /// The promises of the substrate.
        profile: Box<Profile>,
        /// How many programs it shows of itself, which the recording does not hold.
        #[serde(default)]
        shows: usize,
    },
    /// A program was realised.
    Realize {
        /// The digest of the program.
        program: String,
        /// Its lanes.
        batch: usize,
        /// Its seed.
        seed: u64,
        /// What came of it.
        answer: Answer<()>,
    },
    /// The clock was read.
    Clock {
        /// What it showed.
        clock: Duration,
    },
    /// A block of ticks.
    Advance {
        /// How many.
        ticks: usize,
        /// The digest of the input rows.
        input: String,
        /// The output as dense rows, and the report.
        answer: Answer<(Rows, Report)>,
    },
    /// A reset.
    Reset {
        /// What came of it.
        answer: Answer<()>,
    },
    /// A state was saved.
    Save {
        /// The state.
        answer: Answer<State>,
    },
    /// A state was loaded.
    Load {
        /// The state.
        state: State,
        /// What came of it.
        answer: Answer<()>,
    },
    /// A parameter was read.
    Read {
        /// The node.
        node: String,
        /// The parameter.
        parameter: String,
        /// Its values.
        answer: Answer<Vec<f64>>,
    },
    /// A parameter was written.
    Write {
        /// The node.
        node: String,
        /// The parameter.
        parameter: String,
        /// What was to be set.
        #[serde(with = "super::loose")]
        values: Vec<f64>,
        /// What was set.
        answer: Answer<Vec<f64>>,
    },
    /// It was calibrated.
    Calibrate {
        /// The certificate.
        answer: Answer<Certificate>,
    },
    /// Time passed without work.
    Rest {
        /// How many seconds.
        seconds: f64,
        /// What came of it.
        answer: Answer<()>,
    },
    /// The certificate in force was asked for.
    Certificate {
        /// The certificate, if there is one.
        answer: Answer<Option<Certificate>>,
    },
    /// The age was asked for.
    Age {
        /// Seconds.
        answer: Answer<f64>,
    },
}

/// Rows of outputs, which need not be finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows(#[serde(with = "super::loose")] pub Vec<f32>);

/// What a call gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer<T> {
    /// The result.
    Done(T),
    /// The error.
    Failed {
        /// What went wrong.
        kind: ErrorKind,
        /// The message.
        message: String,
        /// The node that it is about.
        node: Option<String>,
        /// Whether the state is lost.
        lost: bool,
    },
}

impl<T: Clone> Answer<T> {
    pub(crate) fn of(result: &Result<T>) -> Self {
        match result {
            Ok(value) => Self::Done(value.clone()),
            Err(e) => Self::Failed {
                kind: e.kind(),
                message: e.message().to_owned(),
                node: e.node().map(str::to_owned),
                lost: e.state() == Integrity::Lost,
            },
        }
    }

    pub(crate) fn result(&self) -> Result<T> {
        match self {
            Self::Done(value) => Ok(value.clone()),
            Self::Failed { kind, message, node, lost } => {
                let error = Error::new(*kind, message.clone());
                let error = node.iter().fold(error, |error, node| error.with_node(node));
                Err(if *lost { error.with_state_lost() } else { error })
            }
        }
    }
}

/// The dense rows of an input, as a digest, so that equal signals of different form compare equal.
pub(crate) fn input_digest(x: &Signal<'_>, program: &Program, run: &Run, ticks: usize) -> String {
    let extent = run.input(program, ticks);
    let mut row = vec![0.0; extent.row()];
    let mut bytes = Vec::with_capacity(extent.len() * 4);
    for tick in 0..ticks {
        x.row(extent, tick, &mut row);
        bytes.extend(row.iter().flat_map(|v| v.to_le_bytes()));
    }
    crate::program::Digest::of(&bytes).to_string()
}

struct Log {
    to: Box<dyn Write + Send>,
    /// The first line, until it is written.
    head: Option<Line>,
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

type Shared = Arc<Mutex<Log>>;

fn put(log: &Shared, line: &Line) -> Result<()> {
    let broken = |e: Box<dyn std::error::Error + Send + Sync>| Error::fault("the recording cannot be written").with_source(e);
    let mut log = log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut text = Vec::new();
    for line in log.head.take().iter().chain([line]) {
        serde_json::to_writer(&mut text, line).map_err(|e| broken(e.into()))?;
        text.push(b'\n');
    }
    log.to.write_all(&text).and_then(|()| log.to.flush()).map_err(|e| broken(e.into()))
}

/// A substrate whose calls are written down.
///
/// # Behavior
/// - What is written is what the substrate was asked and what it answered, errors included.
/// - Nothing is written before the first call.
/// - A recording that cannot be written fails the call, and the state is lost.
#[derive(Debug)]
pub struct Record {
    inner: Arc<dyn Substrate>,
    log: Shared,
    start: Instant,
}

impl Record {
    /// Writes down the calls to a substrate.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, log: impl Write + Send + 'static) -> Self {
        let (profile, shows) = (Box::new((*inner.profile()).clone()), inner.exemplars().len());
        let head = Some(Line::Substrate { format: FORMAT, profile, shows });
        Self { inner, log: Arc::new(Mutex::new(Log { to: Box::new(log), head })), start: Instant::now() }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Record {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await;
        let (inner, outcome) = match inner {
            Ok(inner) => (Some(inner), Ok(())),
            Err(e) => (None, Err(e)),
        };
        let answer = Answer::of(&outcome);
        put(&self.log, &Line::Realize { program: program.digest().to_string(), batch: run.batch, seed: run.seed, answer })?;
        outcome?;
        let inner = inner.ok_or_else(absent)?;
        Ok(Box::new(Recorded { inner, log: Arc::clone(&self.log), program: program.clone(), run: run.clone() }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        let clock = self.inner.clock().unwrap_or_else(|| self.start.elapsed());
        // a log that cannot be written fails the next call
        let _ = put(&self.log, &Line::Clock { clock });
        Some(clock)
    }
}

#[derive(Debug)]
struct Recorded {
    inner: Box<dyn Realization>,
    log: Shared,
    program: Program,
    run: Run,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Recorded {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let output = self.run.output(&self.program, ticks);
        let mut dense = vec![0.0; output.len()];
        let input = input_digest(&x, &self.program, &self.run, ticks);
        let result = self.inner.advance(x, SignalMut::Dense(&mut dense), ticks).await;
        let result = match result {
            Ok(report) => {
                dense.truncate(report.ticks * output.row());
                dense.chunks_exact(output.row().max(1)).enumerate().for_each(|(tick, row)| y.put(output, tick, row));
                Ok((Rows(dense), report))
            }
            Err(e) => Err(e),
        };
        let answer = Answer::of(&result);
        put(&self.log, &Line::Advance { ticks, input, answer }).map_err(Error::with_state_lost)?;
        result.map(|(_, report)| report)
    }

    async fn reset(&mut self) -> Result<()> {
        let result = self.inner.reset().await;
        put(&self.log, &Line::Reset { answer: Answer::of(&result) }).map_err(Error::with_state_lost)?;
        result
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        self.inner.memory()?;
        Some(self)
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        self.inner.tuning()?;
        Some(self)
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        self.inner.plasticity()
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        self.inner.calibration()?;
        Some(self)
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        self.inner.rest()?;
        Some(self)
    }
}

fn absent() -> Error {
    Error::unsupported("the facet has gone since it was asked for")
}

#[async_trait]
impl Memory for Recorded {
    async fn save(&mut self) -> Result<State> {
        let result = self.inner.memory().ok_or_else(absent)?.save().await;
        put(&self.log, &Line::Save { answer: Answer::of(&result) })?;
        result
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        let result = self.inner.memory().ok_or_else(absent)?.load(state).await;
        let answer = Answer::of(&result);
        put(&self.log, &Line::Load { state: state.clone(), answer }).map_err(Error::with_state_lost)?;
        result
    }
}

#[async_trait]
impl Tuning for Recorded {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let result = self.inner.tuning().ok_or_else(absent)?.read(node, parameter).await;
        let answer = Answer::of(&result);
        put(&self.log, &Line::Read { node: node.to_owned(), parameter: parameter.to_owned(), answer })?;
        result
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let result = self.inner.tuning().ok_or_else(absent)?.write(node, parameter, values).await;
        let answer = Answer::of(&result);
        let line = Line::Write { node: node.to_owned(), parameter: parameter.to_owned(), values: values.to_vec(), answer };
        put(&self.log, &line)?;
        result
    }
}

#[async_trait]
impl Calibration for Recorded {
    async fn calibrate(&mut self) -> Result<Certificate> {
        let result = self.inner.calibration().ok_or_else(absent)?.calibrate().await;
        put(&self.log, &Line::Calibrate { answer: Answer::of(&result) })?;
        result
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        let result = self.inner.calibration().ok_or_else(absent)?.certificate().await;
        put(&self.log, &Line::Certificate { answer: Answer::of(&result) })?;
        result
    }
}

#[async_trait]
impl Rest for Recorded {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        let result = self.inner.rest().ok_or_else(absent)?.rest(seconds).await;
        put(&self.log, &Line::Rest { seconds, answer: Answer::of(&result) })?;
        result
    }

    async fn age(&mut self) -> Result<f64> {
        let result = self.inner.rest().ok_or_else(absent)?.age().await;
        put(&self.log, &Line::Age { answer: Answer::of(&result) })?;
        result
    }
}
