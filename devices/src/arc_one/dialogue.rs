//! The words of the board, and what keeps host and board in step.
//!
//! Answers have no frame, no sum and no error. What is done about it:
//!
//! - before each job nothing may be left on the line, a number has to be a resistance that a cell can have, and a firmware that tells its
//!   version is asked for it after each sweep: an answer that has shifted by a byte is noticed by one of the three;
//! - a resistance that matters is read twice, and a third time if the two are further apart than noise allows;
//! - after a failure the board is reset, the line emptied and the board initialised; the cells keep what they hold.
//!
//! What remains unseen: a changed digit in a voltage or in the length of a pulse (the parity of the real line catches single bits); a pulse
//! that goes to a cell that the program does not use; a change of a resistance on the line that is within what noise allows.

use super::codec::{Job, resistances};
use isoform_serial::error::{Result, SerialError, printable};
use isoform_serial::exchange::Resync;
use isoform_serial::link::Link;
use std::time::Duration;

/// How far two reads of one cell may be apart, as a part of their mean.
pub const APART: f64 = 0.02;
/// What a job takes at most that reads one cell, beside the samples and the pulse.
const PROMPT: Duration = Duration::from_secs(1);
/// The most that one sample of a read takes.
const SAMPLE: Duration = Duration::from_micros(400);
/// What resets the board, and how often it is said: a board that awaits parameters takes the first ones for them.
pub(super) const RESET: &[u8] = b"00\n";
pub(super) const AWAITED: usize = 8;
/// How often a dialogue is begun anew before the failure is handed on.
const TRIES: u32 = 3;

/// A crossing of a word line and a bit line, counted from nought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The word line.
    pub word: usize,
    /// The bit line.
    pub bit: usize,
}

/// How the board is to read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Word lines of the array.
    pub words: usize,
    /// Bit lines of the array.
    pub bits: usize,
    /// Samples over which a read is averaged.
    pub cycles: usize,
    /// The voltage, in volts.
    pub volts: f64,
}

impl Default for Reading {
    fn default() -> Self {
        Self { words: 32, bits: 32, cycles: 50, volts: 0.5 }
    }
}

/// A board and what is known of it.
#[derive(Debug, Clone)]
pub struct Board {
    reading: Reading,
    /// The answer to the question for the version; old firmware is silent.
    version: Option<[u8; 4]>,
    pulses: u64,
}

impl Board {
    /// A board that has not been spoken to.
    #[must_use]
    pub fn new(reading: Reading) -> Self {
        Self { reading, version: None, pulses: 0 }
    }

    /// How it reads.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The version of the firmware, if it tells it.
    #[must_use]
    pub fn version(&self) -> Option<(u16, u16)> {
        self.version.map(|[a, b, c, d]| (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
    }

    /// Pulses that were sent so far; those whose answer did not come are counted, for they may have been given.
    #[must_use]
    pub fn pulses(&self) -> u64 {
        self.pulses
    }

    /// Brings board and host into step, whatever was before: reset, flush, initialisation.
    ///
    /// # Errors
    /// `WrongDevice` if something else answers, `Timeout` if nothing does.
    pub fn begin(&mut self, link: &mut Link) -> Result<()> {
        let request = RESET.repeat(AWAITED);
        link.resync(Resync::Reset { request: &request, pause: Duration::from_secs(1) }, Duration::from_millis(50))?;
        let Reading { words, bits, cycles, volts } = self.reading;
        let mode = if volts < 0.0 { 3 } else { 2 };
        let init = Job::new("0").with(&[cycles, words, bits, mode, 0, 1]).with_volts(volts);
        let end = link.within(PROMPT);
        link.send(init.bytes(), end)?;
        let confirmed = link.exactly(2, "confirmation of the initialisation", end)?;
        if confirmed != b"1\n" {
            return Err(SerialError::WrongDevice { wanted: String::from("ArC ONE"), seen: printable(&confirmed) });
        }
        // said twice, so that a digit that was changed on the way does not stay
        let end = link.within(PROMPT);
        link.send(Job::new("01").with(&[mode]).with_volts(volts).bytes(), end)?;
        link.send(Job::new("011").with(&[cycles, 1]).bytes(), end)?;
        self.version = None;
        self.version = ask_version(link)?;
        self.in_step(link)
    }

    /// Makes sure that the next answer is that of the next question.
    ///
    /// # Errors
    /// `Garbled` if it is not.
    pub fn in_step(&self, link: &mut Link) -> Result<()> {
        nothing_left(link)?;
        match self.version {
            Some(version) if ask_version(link)? != Some(version) => {
                Err(SerialError::garbled("the version", &version, "it is another one now: bytes are out of step"))
            }
            _ => Ok(()),
        }
    }

    fn ask(&self, link: &mut Link, what: &str, job: &Job, cells: usize, beside: Duration) -> Result<Vec<f64>> {
        nothing_left(link)?;
        let samples = u32::try_from(cells * self.reading.cycles).unwrap_or(u32::MAX);
        let end = link.within(PROMPT + SAMPLE * samples + beside);
        link.send(job.bytes(), end)?;
        resistances(what, &link.exactly(4 * cells, what, end)?)
    }

    /// Reads a cell once, in siemens.
    ///
    /// # Errors
    /// `Timeout`, `Garbled`, `HungUp`.
    pub fn read(&self, link: &mut Link, cell: Cell) -> Result<f64> {
        let job = Job::new("1").with(&[cell.word + 1, cell.bit + 1]);
        Ok(self.ask(link, "a read", &job, 1, Duration::ZERO)?.iter().map(|r| 1.0 / r).sum())
    }

    /// Pulses a cell and reads it once, in siemens.
    ///
    /// # Errors
    /// As [`read`](Self::read); whether the pulse was given is then not known.
    pub fn pulse(&mut self, link: &mut Link, cell: Cell, volts: f64, width: Duration) -> Result<f64> {
        nothing_left(link)?;
        self.pulses += 1;
        let job = Job::new("3").with(&[cell.word + 1, cell.bit + 1]).with_volts(volts).with_seconds(width.as_secs_f64());
        Ok(self.ask(link, "a pulse and read", &job, 1, width)?.iter().map(|r| 1.0 / r).sum())
    }

    /// Reads the first words and bits of the array, each cell as often as it takes for two reads to agree; in siemens, word by word.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn sweep(&self, link: &mut Link, words: usize, bits: usize) -> Result<Vec<f64>> {
        let job = Job::new("2").with(&[1, words, bits]);
        let cells = words * bits;
        let mut read = || self.ask(link, "a read of all", &job, cells, Duration::ZERO);
        let (first, second) = (read()?, read()?);
        let all = first.iter().zip(&second).enumerate();
        let agreed = all.map(|(i, (a, b))| match agreed(1.0 / a, 1.0 / b) {
            Some(mean) => Ok(mean),
            None => {
                let third = self.read(link, Cell { word: i / bits, bit: i % bits })?;
                agreed(1.0 / a, third).or(agreed(1.0 / b, third)).ok_or_else(|| {
                    let seen = format!("{a:.4e} and {b:.4e} ohms");
                    SerialError::garbled("a read of all", seen.as_bytes(), "three reads of one cell do not agree")
                })
            }
        });
        let agreed = agreed.collect::<Result<_>>()?;
        self.in_step(link)?;
        Ok(agreed)
    }

    /// Does what does not change the array, again if need be: after a failure the dialogue is begun anew.
    ///
    /// # Errors
    /// The last failure; that of a line that has ended at once.
    pub fn steadily<T>(&mut self, link: &mut Link, mut work: impl FnMut(&mut Self, &mut Link) -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            match work(self, link) {
                Err(error) if tries < TRIES && is_mendable(&error) => {
                    tries += 1;
                    self.begin(link)?;
                }
                done => return done,
            }
        }
    }
}

/// Whether a reset of the board can help.
#[must_use]
pub fn is_mendable(error: &SerialError) -> bool {
    matches!(error, SerialError::Timeout { .. } | SerialError::Garbled { .. } | SerialError::TooLong { .. })
}

/// The mean of two reads, if they are reads of one thing.
#[must_use]
pub fn agreed(a: f64, b: f64) -> Option<f64> {
    let mean = f64::midpoint(a, b);
    ((a - b).abs() <= APART * mean).then_some(mean)
}

fn nothing_left(link: &mut Link) -> Result<()> {
    let moment = link.within(Duration::from_micros(100));
    match link.peek("silence", moment) {
        Ok(byte) => Err(SerialError::garbled("silence", &[byte], "bytes that nobody asked for: the dialogue is out of step")),
        Err(SerialError::Timeout { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn ask_version(link: &mut Link) -> Result<Option<[u8; 4]>> {
    let end = link.within(Duration::from_millis(500));
    link.send(Job::new("999").bytes(), end)?;
    match link.exactly(4, "version", end) {
        Ok(bytes) => Ok(bytes.first_chunk().copied()),
        Err(SerialError::Timeout { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
