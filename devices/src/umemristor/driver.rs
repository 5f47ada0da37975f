//! Pulses on memristors that nobody can read.
//!
//! A program is one that hands its input on: a channel for each memristor, from the first, and a signed number of pulses in a tick, of which the
//! board gives the nearest whole number. Its output is what the board has echoed, so that it says what was done, and nothing of what came of it.

use super::codec::{Command, MOST_PULSES};
use crate::single::only_node;
use isoform_core::builder::identity;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::medium::Medium;
use isoform_core::profile::{Class, Limits, Profile, Takes};
use isoform_core::program::{NodeKind, Program};
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Run};
use isoform_serial::driver::Driver;
use isoform_serial::error::SerialError;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::time::Duration;

/// How long an Arduino takes to come back after its line was opened.
const BOOT: Duration = Duration::from_secs(2);
/// How long an echo takes.
const ECHO: Duration = Duration::from_secs(2);
/// How long no echo comes when none is on its way.
const QUIET: Duration = Duration::from_millis(50);
/// The first line after a start.
const BANNER: &[u8] = b"Booted up";

/// Memristors that can be reached.
const MEMRISTORS: usize = 8;
/// The most by which the mean of an output is off: half a pulse, by rounding, and as much again where that is met.
const MARGIN: f64 = 1.0;
/// The standard deviation of an output: that of an input between two whole numbers, at the most.
const NOISE: f64 = 0.5;

/// The driver of a Memristor Development Platform with the firmware PCBv2.
#[derive(Debug, Default)]
pub struct UMemristor {
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    cancel: Cancel,
    channels: usize,
    /// Whether a tick was asked for since.
    pulsed: bool,
}

impl UMemristor {
    /// A driver.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a command and compares what comes back.
    fn tell(link: &mut Link, command: Command) -> Result<(), SerialError> {
        let what = "an echo";
        let end = link.within(ECHO);
        link.send(&command.bytes(), end)?;
        for wanted in command.answer() {
            let line = link.line(64, what, end)?;
            if line == BANNER {
                return Err(SerialError::Restarted { what: what.to_owned() });
            }
            if line != wanted.as_bytes() {
                return Err(SerialError::garbled(what, &line, format!("{wanted:?} belongs there: a byte was lost or changed")));
            }
        }
        Ok(())
    }

    /// The same for commands that may be told twice. All of them are told again, since a board that has restarted has forgotten the first.
    fn set(link: &mut Link, commands: &[Command]) -> Result<(), SerialError> {
        let mut tries = 0;
        loop {
            match commands.iter().try_for_each(|&command| Self::tell(link, command)) {
                Err(SerialError::Timeout { .. } | SerialError::Garbled { .. } | SerialError::Restarted { .. }) if tries < 2 => {
                    tries += 1;
                    // an unfinished number ends after a second
                    link.drain(Duration::from_millis(1200))?;
                }
                done => return done,
            }
        }
    }

    /// Gives pulses to a memristor. They are told once: a second time would be further pulses.
    fn pulse(link: &mut Link, memristor: u8, pulses: i16) -> Result<()> {
        if pulses == 0 {
            return Ok(());
        }
        let polarity = if pulses < 0 { -1 } else { 1 };
        Self::set(link, &[Command::Select(memristor), Command::Polarity(polarity)])?;
        Self::tell(link, Command::Pulses(pulses.unsigned_abs())).map_err(|error| match error {
            SerialError::Garbled { seen, .. } => Error::new(
                ErrorKind::Fault,
                format!(
                    "the board echoes {seen:?} to {pulses} pulses for memristor {memristor}: how many were given is not known"
                ),
            ),
            other => other.into(),
        })
    }
}

/// Whole pulses for each memristor.
#[expect(clippy::cast_possible_truncation, reason = "within the range of a command")]
fn pulses(tick: usize, row: &[f32]) -> Result<Vec<i16>> {
    let whole = |(channel, &x): (usize, &f32)| match x.round() {
        // a value that is no number is none of these either
        n if n.abs() <= f32::from(MOST_PULSES) => Ok(n as i16),
        _ => Err(Error::invalid_signal(format!(
            "tick {tick}: {x} pulses for memristor {}, but a tick gives {MOST_PULSES} at most",
            channel + 1
        ))),
    };
    row.iter().enumerate().map(whole).collect()
}

impl Driver for UMemristor {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        let start = lines.now();
        lines.sleep(BOOT);
        lines.drain(Duration::from_millis(1200))?;
        // it has no identity, but nobody else answers like this; and no pulse can pass afterwards
        Self::set(lines, &[Command::Polarity(0)]).map_err(|error| match error {
            SerialError::Garbled { seen, .. } => SerialError::WrongDevice { wanted: String::from("memristor platform"), seen },
            SerialError::Timeout { what, .. } => SerialError::Timeout { what, after: lines.now().saturating_sub(start) },
            other => other,
        })?;
        Ok(())
    }

    fn profile(&self) -> Profile {
        let most = f64::from(MOST_PULSES);
        Profile {
            device: String::from("Memristor Development Platform, PCBv2"),
            ..Profile::digital("umemristor", env!("CARGO_PKG_VERSION"))
        }
        .with_class(Class::FreeRunning)
        .with_limits(Limits {
            input: [-most, most],
            ticks: 256,
            batch: 1,
            channels: MEMRISTORS,
            realizations: 1,
            ..Limits::default()
        })
        .with_takes(Takes { nodes: vec![String::from("relay")], cycles: false, ..Takes::default() })
        .with_medium(Medium { washout: Some(1), ..Medium::new(MARGIN, NOISE) })
    }

    fn exemplars(&self) -> Vec<Program> {
        Program::single("pulses", identity(), [MEMRISTORS], Semantics::exact(1.0)).into_iter().collect()
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.loaded = None;
        let node = only_node(program, "the board")?;
        if !matches!(node.kind, NodeKind::Relay) || !(1..=MEMRISTORS).contains(&node.channels()) {
            let why = format!("the board takes a node that hands on up to {MEMRISTORS} channels: pulses for each memristor");
            return Err(Error::unsupported(why).with_node(&node.name));
        }
        Self::set(lines, &[Command::Polarity(0), Command::Power(true)])?;
        self.loaded = Some(Loaded { cancel: run.cancel.clone(), channels: node.channels(), pulsed: false });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(Loaded { cancel, channels, pulsed }) = &mut self.loaded else {
            return Err(Error::fault("nothing is loaded on the board; realize a program first"));
        };
        let extent = Extent { ticks, batch: 1, channels: *channels };
        let mut row = vec![0.0; *channels];
        // all of it is checked before anything is sent: what is out of range would be echoed, and not done
        let mut all = Vec::with_capacity(ticks);
        for tick in 0..ticks {
            x.row(extent, tick, &mut row);
            all.push(pulses(tick, &row)?);
        }
        let mut report = Report::default();
        *pulsed = true;
        for tick in all {
            if lines.is_asked_to_stop(cancel) {
                break;
            }
            for (memristor, &pulses) in (1..).zip(&tick) {
                Self::pulse(lines, memristor, pulses)?;
                report.writes += u64::from(pulses.unsigned_abs());
            }
            row.iter_mut().zip(&tick).for_each(|(y, &pulses)| *y = pulses.into());
            y.put(extent, report.ticks, &row);
            report.ticks += 1;
        }
        Self::set(lines, &[Command::Polarity(0)])?;
        Ok(report)
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        match &self.loaded {
            // nothing was done yet that would have to be undone
            Some(Loaded { pulsed: false, .. }) => Ok(()),
            _ => Err(Error::unsupported("memristors that cannot be read cannot be brought back to where they were")),
        }
    }

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        // the pulses disconnected and the rails off; what is left of earlier echoes is no answer
        let left = lines.drain(QUIET).map(drop);
        let told = [Command::Polarity(0), Command::Power(false)].map(|command| Self::tell(lines, command));
        Ok(told.into_iter().fold(left, Result::and)?)
    }
}
