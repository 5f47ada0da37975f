//! Pulses on memristors that nobody can read.
//!
//! A program is one that hands its input on: three channels, which are the memristor (1 to 8), the polarity (-1, 0, 1) and the number of
//! pulses. Its output is what the board has echoed, so that it says what was done, and nothing of what came of it.

use super::codec::{Command, MOST_PULSES};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::profile::{Class, Limits, Profile, Takes};
use isoform_core::program::{NodeKind, Origin, Program, Source};
use isoform_core::report::Report;
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
/// The first line after a start.
const BANNER: &[u8] = b"Booted up";

/// The driver of a Memristor Development Platform with the firmware PCBv2.
#[derive(Debug, Default)]
pub struct UMemristor {
    cancel: Option<Cancel>,
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
}

/// The three commands of a tick.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are whole numbers within their limits")]
fn commands(tick: usize, row: &[f32]) -> Result<[Command; 3]> {
    let &[memristor, polarity, pulses] = row else {
        return Err(Error::invalid_signal("a tick has three channels: memristor, polarity, pulses"));
    };
    let limits = [(memristor, 1.0, 8.0), (polarity, -1.0, 1.0), (pulses, 0.0, f32::from(MOST_PULSES))];
    for ((value, low, high), name) in limits.into_iter().zip(["the memristor", "the polarity", "the number of pulses"]) {
        if value.fract() != 0.0 || !(low..=high).contains(&value) {
            return Err(Error::invalid_signal(format!(
                "tick {tick}: {name} is {value} instead of a whole number from {low} to {high}"
            )));
        }
    }
    Ok([Command::Select(memristor as u8), Command::Polarity(polarity as i8), Command::Pulses(pulses as u16)])
}

impl Driver for UMemristor {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        self.cancel = None;
        lines.sleep(BOOT);
        lines.drain(Duration::from_millis(1200))?;
        // it has no identity, but nobody else answers like this; and no pulse can pass afterwards
        Self::set(lines, &[Command::Polarity(0)]).map_err(|error| match error {
            SerialError::Garbled { seen, .. } => SerialError::WrongDevice { wanted: String::from("memristor platform"), seen },
            other => other,
        })?;
        Ok(())
    }

    fn profile(&self) -> Profile {
        Profile {
            device: String::from("Memristor Development Platform, PCBv2"),
            ..Profile::digital("umemristor", env!("CARGO_PKG_VERSION"))
        }
        .with_class(Class::AnalogWearing)
        .with_limits(Limits {
            input: [-1.0, MOST_PULSES.into()],
            ticks: 256,
            batch: 1,
            channels: 3,
            realizations: 1,
            ..Limits::default()
        })
        .with_takes(Takes { nodes: vec![String::from("relay")], cycles: false, ..Takes::default() })
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.cancel = None;
        let refuse = |node: &str| {
            Err(Error::unsupported("the board takes one node that hands on three channels: memristor, polarity, pulses")
                .with_node(node))
        };
        let hands_on = |sources: &[Source], origin: Origin| sources == [Source { origin, late: false }];
        let [node] = program.nodes() else {
            return refuse(program.nodes().get(1).map_or("", |n| n.name.as_str()));
        };
        let is_plain = matches!(node.kind, NodeKind::Relay) && node.channels() == 3 && program.inputs().len() == 1;
        let [output] = program.outputs() else { return refuse(&node.name) };
        let is_wired = hands_on(&node.sources[0], Origin::Input(0)) && hands_on(&output.sources, Origin::Node(0, 0));
        if !is_plain || !is_wired {
            return refuse(&node.name);
        }
        Self::set(lines, &[Command::Polarity(0), Command::Power(true)])?;
        self.cancel = Some(run.cancel.clone());
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let cancel =
            self.cancel.clone().ok_or_else(|| Error::fault("nothing is loaded on the board; realize a program first"))?;
        let extent = Extent { ticks, batch: 1, channels: 3 };
        let mut rows = vec![[0.0; 3]; ticks];
        // all of it is checked before anything is sent: what is out of range would be echoed, and not done
        let mut all = Vec::with_capacity(ticks);
        for (tick, row) in rows.iter_mut().enumerate() {
            x.row(extent, tick, row);
            all.push(commands(tick, row)?);
        }
        let mut report = Report::default();
        for (row, [select, polarity, pulses]) in rows.iter().zip(all) {
            if cancel.is_raised() {
                break;
            }
            Self::set(lines, &[select, polarity])?;
            if let Command::Pulses(n @ 1..) = pulses {
                // told once: a second time would be further pulses
                Self::tell(lines, pulses).map_err(|error| match error {
                    SerialError::Garbled { seen, .. } => Error::new(
                        ErrorKind::Fault,
                        format!("the board echoes {seen:?} to {n} pulses: how many were given is not known"),
                    ),
                    other => other.into(),
                })?;
                report.writes += u64::from(n);
            }
            y.put(extent, report.ticks, row);
            report.ticks += 1;
        }
        Self::set(lines, &[Command::Polarity(0)])?;
        Ok(report)
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        Err(Error::unsupported("memristors that cannot be read cannot be brought back to where they were"))
    }

    fn close(&mut self, lines: &mut Lines) {
        // the rails off and the pulses disconnected; the board may have gone, which is of no consequence
        let end = lines.within(Duration::from_millis(100));
        let _ = lines.send(b"p0\nq0\n", end);
        self.cancel = None;
    }
}
