//! What can be wrong with a signal file, and where.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::nir::NirError;

/// The result of reading or writing a signal.
pub type Result<T, E = SignalError> = std::result::Result<T, E>;

/// A signal file that cannot be used.
///
/// The message is complete in one line; the error of the operating system or of the NIR reader is
/// its source.
#[derive(Debug)]
pub struct SignalError {
    file: Option<PathBuf>,
    kind: Box<SignalErrorKind>,
}

impl SignalError {
    /// Names the file.
    #[must_use]
    pub fn with_file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_owned());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &SignalErrorKind {
        &self.kind
    }

    /// The file at fault, where it is known.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "signal file \"{}\": ", file.display())?;
        }
        write!(f, "{}", self.kind)
    }
}

impl Error for SignalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

impl From<SignalErrorKind> for SignalError {
    fn from(kind: SignalErrorKind) -> Self {
        Self { file: None, kind: Box::new(kind) }
    }
}

/// What is wrong with a signal file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalErrorKind {
    /// The file cannot be opened, read or written.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// The name of the file does not say what is in it.
    #[error("unknown extension \"{0}\"; known are .npy, .csv and .nir")]
    Extension(String),
    /// The file is not what its extension says, or is damaged.
    #[error("not a readable {format} file: {message}")]
    Malformed {
        /// The format of the extension.
        format: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The array has a type that is not a real number.
    #[error("the array has the type \"{0}\"; signals are real numbers or booleans")]
    Type(String),
    /// The array has a shape that is no signal, or that the file cannot hold.
    #[error("{0}")]
    Shape(String),
    /// The numbers do not fill the shape of the signal.
    #[error("{found} values do not fill {ticks} ticks of {batch} x {channels} channels")]
    Count {
        /// How many numbers there are.
        found: usize,
        /// How many ticks were asked for.
        ticks: usize,
        /// How many samples were asked for.
        batch: usize,
        /// How many channels were asked for.
        channels: usize,
    },
    /// A cell of a table is not a number.
    #[error("row {row}, column {column}: \"{}\" is not a number", cell.escape_debug())]
    Cell {
        /// The line of the file, from 1.
        row: u64,
        /// The column, from 1.
        column: usize,
        /// What stands there.
        cell: String,
    },
    /// A row of a table has another length than the first.
    #[error("row {row} has {found} columns, the rows before it have {expected}")]
    Ragged {
        /// The line of the file, from 1.
        row: u64,
        /// How many columns it has.
        found: usize,
        /// How many the first row has.
        expected: usize,
    },
    /// A number of a table is infinite in single precision.
    #[error("row {row}, column {column}: \"{cell}\" is beyond single precision")]
    CellRange {
        /// The line of the file, from 1.
        row: u64,
        /// The column, from 1.
        column: usize,
        /// What it holds.
        cell: String,
    },
    /// A finite number of the file is infinite in single precision.
    #[error("the value {0:e} is beyond single precision")]
    Range(f64),
    /// The file holds recorded data that cannot be read as one.
    #[error("{0}")]
    Nir(#[source] NirError),
    /// The file holds several recordings, or none of the asked name.
    #[error("{asked}; the file holds {}; choose one as node:observable", known.join(", "))]
    Choice {
        /// What was asked for, in words.
        asked: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Events carry times in seconds, and ticks need a step; or a file of recorded data needs one.
    #[error("a time step is needed between seconds and ticks; give one with --dt")]
    NoTimeStep,
    /// The time step is no positive number.
    #[error("the time step is {0} s, expected a positive number")]
    TimeStep(f64),
    /// An event lies outside the recording.
    #[error(
        "sample {sample}, event {event}: neuron {neuron} at {time} s lies outside the recording of {channels} neurons and {t_max} s"
    )]
    Event {
        /// The sample.
        sample: usize,
        /// The place of the event in its list.
        event: usize,
        /// The neuron that the file names.
        neuron: i64,
        /// The time that the file names, in seconds.
        time: f64,
        /// How many neurons there are.
        channels: usize,
        /// How long the recording is, in seconds.
        t_max: f64,
    },
    /// The events span more than can be laid out tick by tick.
    #[error("{ticks} ticks of {batch} x {channels} channels are too many to lay out; keep them as events")]
    TooLarge {
        /// How many ticks there are.
        ticks: u64,
        /// How many samples there are.
        batch: usize,
        /// How many channels there are.
        channels: usize,
    },
    /// The signal has more ticks or channels than any recording.
    #[error("{ticks} ticks of {batch} x {channels} channels are more than a signal may have, 2^40 ticks of 2^31 channels")]
    Extents {
        /// How many ticks there are.
        ticks: u64,
        /// How many samples there are.
        batch: usize,
        /// How many channels there are.
        channels: usize,
    },
    /// A recording of events lasts longer than a signal may.
    #[error(
        "the recording lasts (t_max) {t_max:e} s, {ticks:e} ticks of {dt:e} s, more than the 2^40 that a signal may have; \
         give t_max in seconds, or a longer time step"
    )]
    Duration {
        /// How long the recording is, in seconds.
        t_max: f64,
        /// The time step in seconds.
        dt: f64,
        /// How many ticks that would be.
        ticks: f64,
    },
}
