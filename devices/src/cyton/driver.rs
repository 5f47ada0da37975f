//! The dialogue with a Cyton.

use super::codec::{self, CHANNELS, END, Gain, Input, RATE, Setting};
use super::stream::Packets;
use crate::biosignal::{self, BIOSIGNAL};
use crate::stream::Ticks;
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

/// How long a command may take to be answered.
const ANSWER: Duration = Duration::from_secs(2);
/// How long the line is quiet when nobody speaks: longer than the lumps in which some adapters deliver.
const QUIET: Duration = Duration::from_millis(100);
/// After this time a command that was begun and not ended is forgotten by the board.
const FORGET: Duration = Duration::from_millis(1200);
/// How often the board is asked for its name.
const ATTEMPTS: usize = 4;
/// The longest text; the report of the registers has about 1.5 kB.
const LONGEST: usize = 4096;

/// A driver for one board.
#[derive(Debug)]
pub struct Cyton {
    gain: Gain,
    input: Input,
    firmware: String,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    channels: usize,
    cancel: Cancel,
    /// The stream, once it runs.
    stream: Option<(Packets, Ticks<[i32; CHANNELS]>)>,
}

impl Cyton {
    /// A driver that gives all channels one gain and one input.
    #[must_use]
    pub fn new(gain: Gain, input: Input) -> Self {
        Self { gain, input, firmware: String::from("unknown"), loaded: None }
    }

    fn setting(&self, used: bool) -> Setting {
        let normal = used && self.input == Input::Normal;
        Setting {
            off: !used,
            gain: self.gain.digit(),
            input: if used { self.input.digit() } else { Input::Shorted.digit() },
            bias: normal,
            srb2: normal,
            srb1: false,
        }
    }

    /// Sets every channel, those that the program does not take to off.
    fn set(&self, lines: &mut Lines, channels: usize) -> Result<(), SerialError> {
        let what = "the default settings";
        let said = ask(lines, b"d", what)?;
        if !contains(&said, b"default") {
            return Err(SerialError::garbled(what, &said, "the board does not confirm them"));
        }
        for channel in 1..=8_u8 {
            let what = "the settings of a channel";
            let said = ask(lines, &self.setting(usize::from(channel) <= channels).command(channel), what)?;
            if said != format!("Success: Channel set for {channel}").as_bytes() {
                return Err(SerialError::garbled(what, &said, "the board does not confirm them"));
            }
        }
        // the answer names the channel alone; what it was set to stands in the registers
        match self.check(lines, channels) {
            Err(SerialError::Garbled { .. }) => self.check(lines, channels),
            other => other,
        }
    }

    /// Compares the registers with what was set.
    fn check(&self, lines: &mut Lines, channels: usize) -> Result<(), SerialError> {
        let what = "the report of the registers";
        let said = ask(lines, b"?", what)?;
        let registers = codec::registers(&said)?;
        let value = |name: &str| registers.iter().find(|(n, _)| n == name).map(|(_, value)| *value);
        let differs = |name: &str| SerialError::garbled(what, &said, format!("{name} is not what was set"));
        // the lowest bits are the rate, six is 250 a second
        if value("CONFIG1").is_none_or(|v| v & 7 != 6) {
            return Err(differs("the sampling rate in CONFIG1"));
        }
        for channel in 1..=CHANNELS {
            let (name, used) = (format!("CH{channel}SET"), channel <= channels);
            // of a channel that is off nothing else matters
            let mask = if used { 0xff } else { 0x80 };
            let want = self.setting(used).register();
            if value(&name).is_none_or(|v| v & mask != want & mask) {
                return Err(differs(&name));
            }
        }
        Ok(())
    }
}

/// Stops a stream, if there is one. It is not answered.
fn stop(lines: &mut Lines) -> Result<(), SerialError> {
    let end = lines.within(ANSWER);
    lines.send(b"s", end)?;
    lines.drain(QUIET).map(drop)
}

/// Reads a text up to its end; what there was of it if it has none in time.
fn text(lines: &mut Lines, what: &str) -> (Vec<u8>, Result<(), SerialError>) {
    let deadline = lines.within(ANSWER);
    let mut text = Vec::new();
    while text.len() < LONGEST {
        match lines.exactly(1, what, deadline) {
            Ok(byte) => text.extend(byte),
            Err(e) => return (text, Err(e)),
        }
        if text.ends_with(END) {
            text.truncate(text.len() - END.len());
            return (text, Ok(()));
        }
    }
    (text, Err(SerialError::TooLong { what: what.to_owned(), limit: LONGEST }))
}

fn ask(lines: &mut Lines, command: &[u8], what: &str) -> Result<Vec<u8>, SerialError> {
    let end = lines.within(ANSWER);
    lines.send(command, end)?;
    let (said, ended) = text(lines, what);
    ended.map(|()| said)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

/// The version in a banner.
fn firmware(banner: &[u8]) -> String {
    let text = String::from_utf8_lossy(banner);
    let found = text.lines().find_map(|line| line.trim().strip_prefix("Firmware:"));
    found.map_or_else(|| String::from("unknown"), |version| version.trim().chars().take(20).collect())
}

impl Driver for Cyton {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        let start = lines.now();
        let mut seen = Vec::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                lines.sleep(FORGET);
            }
            stop(lines)?;
            let end = lines.within(ANSWER);
            lines.send(b"v", end)?;
            let (said, ended) = text(lines, "the name of the board");
            match ended {
                Ok(()) | Err(SerialError::Timeout { .. } | SerialError::TooLong { .. }) => {}
                Err(e) => return Err(e.into()),
            }
            let is_whole = ended.is_ok();
            if is_whole && contains(&said, b"On Board ADS1299 Device ID: 0x3E") {
                if contains(&said, b"On Daisy") {
                    return Err(Error::unsupported(
                        "the board has a Daisy module, whose samples are averaged pairs; take it off",
                    ));
                }
                self.firmware = firmware(&said);
                // a board that has just started says it by itself, and then in answer
                lines.drain(QUIET)?;
                return Ok(());
            }
            if !said.is_empty() {
                seen = said;
            }
        }
        let what = "the name of the board";
        Err(if seen.is_empty() {
            SerialError::Timeout { what: what.to_owned(), after: lines.now().saturating_sub(start) }
        } else if contains(&seen, b"Failure") {
            // the dongle answers for a board that is off
            SerialError::Fault { what: what.to_owned(), said: printable(&seen) }
        } else {
            SerialError::WrongDevice { wanted: String::from("OpenBCI Cyton"), seen: printable(&seen) }
        }
        .into())
    }

    fn exemplars(&self) -> Vec<Program> {
        biosignal::source(CHANNELS, f64::from(RATE)).into_iter().collect()
    }

    fn profile(&self) -> Profile {
        Profile {
            name: String::from("OpenBCI Cyton"),
            version: self.firmware.clone(),
            device: format!("8 channels, {RATE} samples a second"),
            class: Class::FreeRunning,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits { batch: 1, channels: CHANNELS, realizations: 1, ..Limits::default() },
            takes: Takes { nodes: vec![BIOSIGNAL.to_owned()], cycles: false, ..Takes::default() },
            medium: None,
        }
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        let channels = biosignal::channels(program, run, "the Cyton", RATE)?;
        self.loaded = None;
        stop(lines)?;
        self.set(lines, channels)?;
        self.loaded = Some(Loaded { channels, cancel: run.cancel.clone(), stream: None });
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn advance(&mut self, lines: &mut Lines, _: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(Loaded { channels, cancel, stream }) = &mut self.loaded else {
            return Err(Error::fault("no program is loaded; reset first"));
        };
        if ticks == 0 {
            return Ok(Report::of(0));
        }
        if stream.is_none() {
            let end = lines.within(ANSWER);
            lines.send(b"b", end)?;
        }
        let (packets, rows) = stream.get_or_insert_with(|| (Packets::new(), Ticks::new()));
        let extent = Extent { ticks, batch: 1, channels: *channels };
        let (volts, mut row, mut done) = (self.gain.volts(), [0.0; CHANNELS], 0);
        if rows.begin(lines.now()) {
            packets.age();
        }
        while done < ticks && !lines.is_asked_to_stop(cancel) {
            let Some(sample) = rows.take() else {
                rows.offer(packets.next(lines).map_err(|e| Error::from(e).with_state_lost())?);
                continue;
            };
            row.iter_mut().zip(sample).for_each(|(to, code)| *to = (f64::from(code) * volts) as f32);
            y.put(extent, done, &row[..*channels]);
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

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        Ok(stop(lines)?)
    }
}
