//! A dialogue written down beforehand, for tests of drivers byte by byte.

use super::Transport;
use crate::error::{SerialError, printable};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

/// One turn of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The host has to send these bytes.
    Host(Vec<u8>),
    /// The device sends these bytes.
    Device(Vec<u8>),
    /// So much time passes in which nobody says anything.
    Pause(Duration),
}

/// A device that follows a script.
#[derive(Debug)]
pub struct Scripted {
    script: VecDeque<Line>,
    place: usize,
    inbox: VecDeque<u8>,
    now: Duration,
}

impl Scripted {
    /// A device that follows a script from its first line.
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Line>) -> Self {
        Self { script: script.into_iter().collect(), place: 1, inbox: VecDeque::new(), now: Duration::ZERO }
    }

    /// A dialogue of text: each pair is what the host sends and what the device answers.
    #[must_use]
    pub fn dialogue(turns: &[(&str, &str)]) -> Self {
        let lines = turns
            .iter()
            .flat_map(|(host, device)| [Line::Host(host.as_bytes().to_vec()), Line::Device(device.as_bytes().to_vec())]);
        Self::new(lines.filter(|line| !matches!(line, Line::Host(b) | Line::Device(b) if b.is_empty())))
    }

    /// Whether the whole script was followed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.script.is_empty() && self.inbox.is_empty()
    }

    fn next(&mut self) {
        self.script.pop_front();
        self.place += 1;
    }

    fn differs(&self, why: String) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            SerialError::Transcript { file: String::from("script"), line: self.place, why },
        )
    }
}

impl Transport for Scripted {
    fn name(&self) -> String {
        String::from("script")
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let end = self.now + wait;
        while self.inbox.is_empty() {
            match self.script.front_mut() {
                Some(Line::Device(bytes)) => {
                    self.inbox.extend(std::mem::take(bytes));
                    self.next();
                }
                Some(Line::Pause(time)) => {
                    let passed = (*time).min(end - self.now);
                    self.now += passed;
                    *time -= passed;
                    if !time.is_zero() {
                        return Ok(0);
                    }
                    self.next();
                }
                Some(Line::Host(_)) | None => {
                    self.now = end;
                    return Ok(0);
                }
            }
        }
        self.inbox.read(into)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        while matches!(self.script.front(), Some(Line::Pause(_))) {
            self.next();
        }
        match self.script.front_mut() {
            Some(Line::Host(expected)) if expected.starts_with(bytes) => {
                expected.drain(..bytes.len());
                if expected.is_empty() {
                    self.next();
                }
                Ok(bytes.len())
            }
            Some(Line::Host(expected)) => {
                let why = format!("\"{}\" is sent where \"{}\" belongs", printable(bytes), printable(expected));
                Err(self.differs(why))
            }
            _ => Err(self.differs(format!("\"{}\" is sent where the device has its turn, or nobody", printable(bytes)))),
        }
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}
