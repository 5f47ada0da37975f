//! The dialogue with a SpikerBox.

use super::codec::{Decoder, Item, RATE, VOLTS};
use crate::biosignal::{self, BIOSIGNAL};
use crate::stream::{Arrival, SampleClock, Ticks};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Run};
use isoform_serial::driver::Driver;
use isoform_serial::error::{SerialError, printable};
use isoform_serial::lines::Lines;
use std::time::Duration;

/// How long a command may take to be sent, and to be answered: a box that was just opened starts first.
const ANSWER: Duration = Duration::from_secs(1);
/// How often the box is asked what it is.
const ATTEMPTS: usize = 5;
/// The boxes that send as this driver reads.
const KNOWN: &[&[u8]] = &[b"HWT:HBLEOSB;", b"HWT:HEARTSS;"];
/// Bytes that are read at a time: ten milliseconds.
const BLOCK: usize = 200;
/// A block that took so long, a quarter of its duration, was not lying there already.
const WAITED: Duration = Duration::from_micros(2500);
/// How long a block may take to come.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far a ceramic resonator may be off, as a share.
const TOLERANCE: f64 = 0.01;
/// How many samples the moment of arrival may be off: 50 ms.
const SLACK: f64 = 500.0;
/// How long the clocks are compared from one moment on.
const WINDOW: Duration = Duration::from_secs(1);
/// Bytes without a sample after which there will be none.
const LONGEST: usize = 1 << 16;

/// A driver for one box.
#[derive(Debug)]
pub struct SpikerBox {
    name: String,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    cancel: Cancel,
    /// The stream, once it is listened to.
    stream: Option<(Samples, Ticks<u16>)>,
}

impl Default for SpikerBox {
    fn default() -> Self {
        Self::new()
    }
}

impl SpikerBox {
    /// A driver.
    #[must_use]
    pub fn new() -> Self {
        Self { name: String::from("unknown"), loaded: None }
    }
}

/// From the bytes of a stream to samples with their gaps.
#[derive(Debug)]
struct Samples {
    decoder: Decoder,
    clock: SampleClock,
    /// How many samples came, with those that were counted as lost.
    number: u64,
    /// What is missing before the next sample, as far as the clock tells.
    missing: u64,
    /// Whether the last block was waited for, and whether all of it is of now: the one before it was waited for, too.
    waited: bool,
    live: bool,
}

impl Samples {
    fn new() -> Self {
        let clock = SampleClock::new(RATE, TOLERANCE, SLACK);
        Self { decoder: Decoder::default(), clock, number: 0, missing: 0, waited: false, live: false }
    }

    /// Notes that what was read is no longer what the tissue does now.
    fn age(&mut self) {
        (self.waited, self.live) = (false, false);
    }

    /// The next sample.
    fn next(&mut self, lines: &mut Lines) -> Result<Arrival<u16>, SerialError> {
        let mut passed = 0;
        loop {
            match self.decoder.pop() {
                Some(Item::Sample { value, broken }) => {
                    let gap = broken + std::mem::take(&mut self.missing);
                    self.number += 1 + broken;
                    return Ok(Arrival { sample: value, gap, live: self.live });
                }
                // the box speaks of its buttons
                Some(Item::Message(_)) => {}
                None if passed > LONGEST => {
                    return Err(SerialError::TooLong { what: String::from("what comes instead of samples"), limit: LONGEST });
                }
                None => {
                    self.block(lines)?;
                    passed += BLOCK;
                }
            }
        }
    }

    /// Reads a block, and compares the clocks if it was waited for.
    fn block(&mut self, lines: &mut Lines) -> Result<(), SerialError> {
        let start = lines.now();
        let deadline = lines.within(PATIENCE);
        let bytes = lines.exactly(BLOCK, "block of samples", deadline)?;
        let now = lines.now();
        self.decoder.push(&bytes);
        let number = self.number + (BLOCK / 2) as u64;
        if self.clock.is_impossible(now, number) {
            let why = "they come faster than ten thousand a second: it is another box";
            return Err(SerialError::garbled("the stream of samples", &bytes, why));
        }
        let waited = now.saturating_sub(start) >= WAITED;
        self.live = waited && self.waited;
        self.waited = waited;
        if waited {
            self.missing = self.clock.missing(now, number, 1);
            self.number += self.missing;
            if self.missing > 0 || self.clock.age(now).is_none_or(|age| age >= WINDOW) {
                self.clock.meet(now, number + self.missing);
            }
        }
        Ok(())
    }
}

/// Asks the box what it is, and looks for the answer among its samples.
fn ask(lines: &mut Lines, seen: &mut Vec<u8>) -> Result<Option<Vec<u8>>, SerialError> {
    let deadline = lines.within(ANSWER);
    lines.send(b"b:;\n", deadline)?;
    let mut decoder = Decoder::default();
    loop {
        let byte = match lines.exactly(1, "the type of the box", deadline) {
            Ok(byte) => byte,
            Err(SerialError::Timeout { .. }) => return Ok(None),
            Err(e) => return Err(e),
        };
        if seen.len() < 16 {
            seen.extend(&byte);
        }
        decoder.push(&byte);
        while let Some(item) = decoder.pop() {
            match item {
                Item::Message(text) if text.starts_with(b"HWT:") => return Ok(Some(text)),
                _ => {}
            }
        }
    }
}

impl Driver for SpikerBox {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        lines.clear();
        let (mut seen, mut other) = (Vec::new(), None);
        for _ in 0..ATTEMPTS {
            match ask(lines, &mut seen)? {
                Some(name) if KNOWN.contains(&name.as_slice()) => {
                    self.name = printable(&name[4..name.len() - 1]);
                    return Ok(());
                }
                Some(name) => other = Some(name),
                None => {}
            }
        }
        Err(match other {
            None if seen.is_empty() => SerialError::Timeout { what: String::from("the type of the box"), after: ANSWER },
            other => SerialError::WrongDevice {
                wanted: String::from("SpikerBox of one channel and ten bits"),
                seen: printable(other.as_deref().unwrap_or(&seen)),
            },
        }
        .into())
    }

    fn exemplars(&self) -> Vec<Program> {
        biosignal::source(1, f64::from(RATE)).into_iter().collect()
    }

    fn profile(&self) -> Profile {
        Profile {
            name: String::from("Backyard Brains SpikerBox"),
            version: String::from("unknown"),
            device: format!("{}, one channel, {RATE} samples a second", self.name),
            class: Class::FreeRunning,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits { batch: 1, channels: 1, realizations: 1, ..Limits::default() },
            takes: Takes { nodes: vec![BIOSIGNAL.to_owned()], cycles: false, ..Takes::default() },
            medium: None,
        }
    }

    fn load(&mut self, _: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        biosignal::channels(program, run, "the SpikerBox", RATE)?;
        self.loaded = Some(Loaded { cancel: run.cancel.clone(), stream: None });
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn advance(&mut self, lines: &mut Lines, _: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(Loaded { cancel, stream }) = &mut self.loaded else {
            return Err(Error::fault("no program is loaded; reset first"));
        };
        if ticks == 0 {
            return Ok(Report::of(0));
        }
        let (samples, rows) = stream.get_or_insert_with(|| (Samples::new(), Ticks::from_now()));
        let extent = Extent { ticks, batch: 1, channels: 1 };
        let mut done = 0;
        if rows.begin(lines.now()) {
            samples.age();
        }
        while done < ticks && !lines.is_asked_to_stop(cancel) {
            let Some(sample) = rows.take() else {
                rows.offer(samples.next(lines).map_err(|e| Error::from(e).with_state_lost())?);
                continue;
            };
            y.put(extent, done, &[(f64::from(sample) * VOLTS) as f32]);
            done += 1;
        }
        Ok(Report { lost: rows.end(lines.now()), ..Report::of(done) })
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        match &self.loaded {
            None => Err(Error::fault("no program is loaded; open it again")),
            Some(Loaded { stream: Some(_), .. }) => {
                Err(Error::unsupported("biology cannot be reset; open the program again to begin with the next sample"))
            }
            // no sample was taken yet, so that there is nothing to go back from
            Some(_) => Ok(()),
        }
    }

    fn close(&mut self, _: &mut Lines) -> Result<()> {
        // the box only speaks
        self.loaded = None;
        Ok(())
    }
}
