//! Signals in files: what goes into a run and what comes out of it.
//!
//! | extension | content |
//! |---|---|
//! | `.npy` | an array `[time]`, `[time, channel]` or `[time, batch, channel]` of any real type |
//! | `.csv` | a row for each tick, a column for each channel; a header line is optional |
//! | `.nir` | recorded data of Python `nir` (`NIRGraphData`), gridded or as events |
//!
//! In memory a signal is single precision in the order `[time, batch, channel]`, or a list of
//! events. NaN and infinities are kept; whether they are allowed is for the session to say.
//!
//! ```
//! use isoform_formats::signal::{self, Dense, Options, Signal};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("ramp.csv");
//! let ramp = Signal::from(Dense::new(3, 1, 2, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?);
//! signal::write(&path, &ramp, &Options::default())?;
//! assert_eq!(signal::read(&path, &Options::default())?, ramp);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod error;
mod npy;
mod ports;
mod recorded;
mod table;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::{Result, SignalError, SignalErrorKind};

/// Files longer than this are refused instead of being read into memory.
const MAX_FILE_BYTES: u64 = 16 << 30;

/// The most values that events are laid out to.
const MAX_DENSE: u64 = 1 << 31;

/// The most ticks that a signal may have, whatever its file declares: 18 minutes of nanoseconds, 35 years of milliseconds.
const MAX_TICKS: u64 = 1 << 40;

/// A signal, in one of the two forms that files have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Signal {
    /// A value for each tick.
    Dense(Dense),
    /// A list of events.
    Events(Events),
}

impl Signal {
    /// The signal with a value for each tick; events that share a place add up.
    ///
    /// # Errors
    ///
    /// `TooLarge` if the events span more than 2^31 values.
    pub fn into_dense(self) -> Result<Dense> {
        match self {
            Self::Dense(dense) => Ok(dense),
            Self::Events(events) => events.to_dense(),
        }
    }
}

impl From<Dense> for Signal {
    fn from(dense: Dense) -> Self {
        Self::Dense(dense)
    }
}

impl From<Events> for Signal {
    fn from(events: Events) -> Self {
        Self::Events(events)
    }
}

/// A signal with a value for each tick, sample and channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// How many ticks there are.
    pub ticks: usize,
    /// How many samples run side by side.
    pub batch: usize,
    /// How many channels each sample has.
    pub channels: usize,
    /// The values, in the order `[time, batch, channel]`.
    pub data: Vec<f32>,
    /// The time step in seconds, where the file names one.
    pub dt: Option<f64>,
}

impl Dense {
    /// A signal from values in the order `[time, batch, channel]`.
    ///
    /// # Errors
    ///
    /// `Count` if the values do not fill the shape, `Extents` if a shape without values is beyond 2^40 ticks of 2^31 channels.
    pub fn new(ticks: usize, batch: usize, channels: usize, data: Vec<f32>) -> Result<Self> {
        check_extents(ticks as u64, batch, channels)?;
        let count = ticks.checked_mul(batch).and_then(|n| n.checked_mul(channels));
        if count != Some(data.len()) {
            return Err(SignalErrorKind::Count { found: data.len(), ticks, batch, channels }.into());
        }
        Ok(Self { ticks, batch, channels, data, dt: None })
    }

    /// Names the time step, in seconds.
    #[must_use]
    pub fn with_dt(mut self, dt: f64) -> Self {
        self.dt = Some(dt);
        self
    }

    /// The value at a place, if it is inside.
    #[must_use]
    pub fn at(&self, tick: usize, sample: usize, channel: usize) -> Option<f32> {
        if tick >= self.ticks || sample >= self.batch || channel >= self.channels {
            return None;
        }
        let index = (tick * self.batch + sample) * self.channels + channel;
        self.data.get(index).copied()
    }
}

/// A signal that is zero but at its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// How many ticks the recording has.
    pub ticks: u64,
    /// How many samples run side by side.
    pub batch: usize,
    /// How many channels each sample has.
    pub channels: usize,
    /// The events, in order of tick, sample and channel.
    pub list: Vec<Event>,
    /// The time step in seconds that places times on ticks.
    pub dt: f64,
}

/// A value at one tick of one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The tick, from 0.
    pub tick: u64,
    /// The sample, from 0.
    pub sample: usize,
    /// The channel, from 0.
    pub channel: usize,
    /// The value; 1 for a spike.
    pub value: f32,
}

impl Events {
    /// The signal with a value for each tick; events that share a place add up.
    ///
    /// # Errors
    ///
    /// `TooLarge` if that is more than 2^31 values, `Shape` if an event lies outside.
    pub fn to_dense(&self) -> Result<Dense> {
        let (ticks, batch, channels) = (self.ticks, self.batch, self.channels);
        let count = ticks
            .checked_mul(batch as u64)
            .and_then(|n| n.checked_mul(channels as u64))
            .filter(|&n| n <= MAX_DENSE)
            .ok_or(SignalErrorKind::TooLarge { ticks, batch, channels })?;
        let mut data = vec![0f32; count as usize];
        for event in &self.list {
            let inside = event.tick < ticks && event.sample < batch && event.channel < channels;
            let index = (event.tick as usize)
                .wrapping_mul(batch)
                .wrapping_add(event.sample)
                .wrapping_mul(channels)
                .wrapping_add(event.channel);
            match data.get_mut(index).filter(|_| inside) {
                Some(value) => *value += event.value,
                None => {
                    return Err(SignalErrorKind::Shape(format!(
                        "the event at tick {}, sample {}, channel {} lies outside {ticks} ticks of {batch} x {channels}",
                        event.tick, event.sample, event.channel
                    ))
                    .into());
                }
            }
        }
        let dense = Dense::new(ticks as usize, batch, channels, data)?;
        Ok(dense.with_dt(self.dt))
    }
}

/// What a file of recorded data leaves open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    dt: Option<f64>,
    node: Option<String>,
    observable: Option<String>,
    inputs: Vec<String>,
    binary: bool,
}

impl Options {
    /// The time step in seconds, which places event times on ticks and is written to `.nir` files.
    #[must_use]
    pub fn with_dt(mut self, dt: f64) -> Self {
        self.dt = Some(dt);
        self
    }

    /// The node whose data is read, by its path as in `srnn/lif`, or under which it is written.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// The observable that is read or written, such as `spikes`.
    #[must_use]
    pub fn with_observable(mut self, observable: impl Into<String>) -> Self {
        self.observable = Some(observable.into());
        self
    }

    /// The inputs of the model that the signal is for. Of several recordings, those of these nodes are read, and their channels stand
    /// side by side in this order.
    #[must_use]
    pub fn with_inputs(mut self, nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.inputs = nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Writes a gridded signal of zeros and ones as booleans, as Python `nir` keeps spikes.
    #[must_use]
    pub fn with_binary(mut self, binary: bool) -> Self {
        self.binary = binary;
        self
    }
}

/// Reads a signal from a file, by the extension of its name.
///
/// # Errors
///
/// Names the file, and the row and column where there are any; see [`SignalErrorKind`].
pub fn read(path: impl AsRef<Path>, options: &Options) -> Result<Signal> {
    let path = path.as_ref();
    let read = || match Format::of(path)? {
        Format::Npy => npy::from_bytes(&load(path)?).map(Signal::Dense),
        Format::Csv => table::from_bytes(&load(path)?).map(Signal::Dense),
        Format::Nir => recorded::from_bytes(&load(path)?, options),
    };
    read().map_err(|error| error.with_file(path))
}

/// Writes a signal to a file, by the extension of its name.
///
/// In a `.csv` file with more than one sample the header names each column as `sample:channel`,
/// and the reader understands that.
///
/// # Errors
///
/// Names the file and what cannot be written; see [`SignalErrorKind`].
pub fn write(path: impl AsRef<Path>, signal: &Signal, options: &Options) -> Result<()> {
    let path = path.as_ref();
    let dense = || signal.clone().into_dense();
    let bytes = || match Format::of(path)? {
        Format::Npy => npy::to_bytes(&dense()?),
        Format::Csv => table::to_bytes(&dense()?),
        Format::Nir => recorded::to_bytes(signal, options),
    };
    bytes()
        .and_then(|bytes| std::fs::write(path, bytes).map_err(|e| SignalErrorKind::Io(e).into()))
        .map_err(|error: SignalError| error.with_file(path))
}

/// A signal of one node, among several in one file of recorded data.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The node, by its path as in `srnn/lif`.
    pub node: String,
    /// What was observed, such as `spikes`.
    pub observable: String,
    /// The values.
    pub signal: Signal,
    /// Whether zeros and ones are written as booleans, as Python `nir` keeps spikes.
    pub binary: bool,
}

/// Writes recordings of several nodes to one `.nir` file.
///
/// # Errors
///
/// As [`write()`]; `Extension` for any other file, `Choice` if two recordings go by one name.
pub fn write_recordings(path: impl AsRef<Path>, recordings: &[Recording], dt: f64) -> Result<()> {
    let path = path.as_ref();
    let bytes = || match Format::of(path)? {
        Format::Nir => recorded::all_to_bytes(recordings, dt),
        _ => Err(SignalErrorKind::Extension(path.extension().unwrap_or_default().to_string_lossy().into_owned()).into()),
    };
    bytes()
        .and_then(|bytes| std::fs::write(path, bytes).map_err(|e| SignalErrorKind::Io(e).into()))
        .map_err(|error: SignalError| error.with_file(path))
}

/// Reads a signal from the bytes of a file with the given extension (`npy`, `csv` or `nir`).
///
/// # Errors
///
/// As [`read`], without the name of the file.
pub fn from_bytes(extension: &str, bytes: &[u8], options: &Options) -> Result<Signal> {
    match Format::named(extension)? {
        Format::Npy => npy::from_bytes(bytes).map(Signal::Dense),
        Format::Csv => table::from_bytes(bytes).map(Signal::Dense),
        Format::Nir => recorded::from_bytes(bytes, options),
    }
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Npy,
    Csv,
    Nir,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        Self::named(&path.extension().unwrap_or_default().to_string_lossy())
    }

    fn named(extension: &str) -> Result<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "npy" => Ok(Self::Npy),
            "csv" => Ok(Self::Csv),
            "nir" => Ok(Self::Nir),
            _ => Err(SignalErrorKind::Extension(extension.to_owned()).into()),
        }
    }
}

fn load(path: &Path) -> Result<Vec<u8>> {
    let io = |e| SignalError::from(SignalErrorKind::Io(e));
    // looked at first: to open a pipe that nobody writes to waits for ever
    let about = std::fs::metadata(path).map_err(io)?;
    if !about.is_file() || about.len() > MAX_FILE_BYTES {
        let kind = std::io::ErrorKind::InvalidInput;
        return Err(io(std::io::Error::new(kind, "not an ordinary file of at most 16 GiB")));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Refuses extents that no recording has; a file without values may declare any.
fn check_extents(ticks: u64, batch: usize, channels: usize) -> Result<()> {
    let row = (batch as u64).max(1).checked_mul((channels as u64).max(1));
    match ticks <= MAX_TICKS && row.is_some_and(|row| row <= MAX_DENSE) {
        true => Ok(()),
        false => Err(SignalErrorKind::Extents { ticks, batch, channels }.into()),
    }
}

/// A double as a single, unless that makes a finite number infinite.
fn narrow(x: f64) -> Result<f32> {
    let narrow = x as f32;
    match x.is_finite() && narrow.is_infinite() {
        true => Err(SignalErrorKind::Range(x).into()),
        false => Ok(narrow),
    }
}
