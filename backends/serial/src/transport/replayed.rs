//! A transcript in the place of the device that it was made of.

use super::Transport;
use crate::error::{SerialError, printable};
use crate::transcript::{Entry, Transcript};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

/// A transcript in the place of the device.
///
/// # Behavior
/// - Bytes come in the order of the transcript, each after the bytes to which it was the answer.
/// - Bytes that differ from those that were sent are an error that names the line of the transcript.
/// - Time is that of the transcript.
#[derive(Debug)]
pub struct Replayed {
    port: String,
    entries: VecDeque<(usize, Duration, Entry)>,
    inbox: VecDeque<u8>,
    now: Duration,
}

impl Replayed {
    /// The device of a transcript.
    #[must_use]
    pub fn new(transcript: Transcript) -> Self {
        // the head takes three lines
        let entries = transcript.entries.into_iter().enumerate().map(|(i, (time, entry))| (i + 4, time, entry)).collect();
        Self { port: transcript.head.port, entries, inbox: VecDeque::new(), now: Duration::ZERO }
    }

    fn differs(&self, why: String) -> io::Error {
        let line = self.entries.front().map_or(0, |(line, ..)| *line);
        io::Error::new(io::ErrorKind::InvalidData, SerialError::Transcript { line, why })
    }
}

impl Transport for Replayed {
    fn name(&self) -> String {
        self.port.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        if self.inbox.is_empty() {
            match self.entries.front_mut() {
                Some((_, time, Entry::Device(bytes))) => {
                    self.inbox.extend(std::mem::take(bytes));
                    self.now = self.now.max(*time);
                    self.entries.pop_front();
                }
                Some((_, time, Entry::Silence)) => {
                    self.now = self.now.max(*time);
                    self.entries.pop_front();
                    return Ok(0);
                }
                Some(_) => {
                    self.now += wait;
                    return Ok(0);
                }
                None => return Err(self.differs(String::from("the transcript has ended, but more is awaited"))),
            }
        }
        self.inbox.read(into)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        // how long somebody waited in vain depends on the speed of the computer
        while matches!(self.entries.front(), Some((_, _, Entry::Silence))) {
            self.entries.pop_front();
        }
        match self.entries.front_mut() {
            Some((_, time, Entry::Host(expected))) => {
                let n = bytes.len().min(expected.len());
                if expected[..n] != bytes[..n] {
                    let why = format!("\"{}\" is sent where \"{}\" was", printable(bytes), printable(expected));
                    return Err(self.differs(why));
                }
                self.now = self.now.max(*time);
                expected.drain(..n);
                if expected.is_empty() {
                    self.entries.pop_front();
                }
                Ok(n)
            }
            Some(_) => Err(self.differs(format!("\"{}\" is sent where the device spoke", printable(bytes)))),
            None => Err(self.differs(String::from("the transcript has ended, but more is sent"))),
        }
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Some((_, _, Entry::Reopened)) = self.entries.front() {
            self.entries.pop_front();
            return Ok(());
        }
        Err(self.differs(String::from("the line is opened anew where it was not")))
    }
}
