//! A transcript in the place of the device that it was made of.

use super::{Transport, VirtualClock};
use crate::error::{SerialError, printable};
use crate::transcript::{Entry, Head, Transcript};
use isoform_core::substrate::Cancel;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

/// A transcript in the place of the device.
///
/// # Behavior
/// - Bytes come in the order of the transcript, each after the bytes to which it was the answer.
/// - Bytes that differ from those that were sent are an error that names the line of the transcript. From then on every call fails with it:
///   of what a device would have answered nothing is known.
/// - The line ends where it ended, and can be opened anew where it was.
/// - A request to stop is seen where it was seen when the transcript was made, whatever the flag says now.
/// - Time is that of the transcript; whoever looks at the clock of the computer sees what was seen then.
#[derive(Debug)]
pub struct Replayed {
    file: String,
    port: String,
    purpose: String,
    /// What is still to come, in reverse.
    rest: Vec<(Duration, Entry)>,
    /// The line of the transcript behind its last entry.
    end: usize,
    broken_off: bool,
    inbox: VecDeque<u8>,
    clock: VirtualClock,
    /// How often nobody had asked to stop since the last entry or pause.
    looks: u32,
    /// Where and why the host left the transcript.
    left: Option<(usize, String)>,
}

impl Replayed {
    /// The device of a transcript, on a clock that it shares with others on the same bench.
    #[must_use]
    pub fn on(clock: VirtualClock, transcript: Transcript) -> Self {
        let end = transcript.line(transcript.entries.len());
        let Transcript { file, head, mut entries, broken_off } = transcript;
        entries.reverse();
        let Head { port, purpose, .. } = head;
        Self { file, port, purpose, end, rest: entries, broken_off, inbox: VecDeque::new(), clock, looks: 0, left: None }
    }

    fn leave(&mut self, mut why: String) -> io::Error {
        let line = self.end - self.rest.len();
        if !self.purpose.is_empty() {
            why = format!("{why}; it was recorded by {}", self.purpose);
        }
        self.left.get_or_insert((line, why));
        self.check().map_or_else(|e| e, |()| super::ended())
    }

    /// Fails if the host has left the transcript.
    fn check(&self) -> io::Result<()> {
        let Some((line, why)) = &self.left else { return Ok(()) };
        let error = SerialError::Transcript { file: self.file.clone(), line: *line, why: why.clone() };
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn ended(&mut self, what: &str) -> io::Error {
        let how = if self.broken_off { "was broken off here" } else { "ends here" };
        self.leave(format!("the recording {how}, but {what}"))
    }

    /// Passes over what nobody has to do again: how long somebody waited in vain depends on the speed of the computer, and nobody has to look
    /// at the clock.
    fn skip(&mut self) {
        while matches!(self.rest.last(), Some((_, Entry::Silence | Entry::Clock(_)))) {
            self.pass();
        }
    }

    /// Takes the next entry as done.
    fn pass(&mut self) {
        if let Some((time, _)) = self.rest.pop() {
            self.clock.pass_until(time);
        }
        self.looks = 0;
    }
}

impl Transport for Replayed {
    fn name(&self) -> String {
        self.port.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.check()?;
        if self.inbox.is_empty() {
            match self.rest.last_mut() {
                Some((_, Entry::Device(bytes))) => {
                    self.inbox.extend(std::mem::take(bytes));
                    self.pass();
                }
                Some((_, Entry::Silence)) => {
                    self.pass();
                    return Ok(0);
                }
                Some((_, Entry::HungUp)) => {
                    self.pass();
                    return Err(super::ended());
                }
                Some((_, Entry::Clock(_))) => {
                    self.pass();
                    return self.read(into, wait);
                }
                Some(_) => {
                    self.clock.pass(wait);
                    return Ok(0);
                }
                None => return Err(self.ended("more is awaited")),
            }
        }
        self.inbox.read(into)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.check()?;
        self.skip();
        let why = match self.rest.last_mut() {
            Some((_, Entry::Host(expected))) => {
                let n = bytes.len().min(expected.len());
                if expected[..n] == bytes[..n] {
                    expected.drain(..n);
                    if expected.is_empty() {
                        self.pass();
                    }
                    return Ok(n);
                }
                format!("\"{}\" is sent where \"{}\" was", printable(bytes), printable(expected))
            }
            Some((_, Entry::HungUp)) => {
                self.pass();
                return Err(super::ended());
            }
            Some((_, entry)) => {
                let was = match entry {
                    Entry::Stopped(_) => "the run was stopped",
                    Entry::Reopened => "the line was opened anew",
                    _ => "the device spoke",
                };
                format!("\"{}\" is sent where {was}", printable(bytes))
            }
            None => return Err(self.ended(&format!("\"{}\" is sent", printable(bytes)))),
        };
        Err(self.leave(why))
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn left(&self, end: Duration) -> Duration {
        let left = end.saturating_sub(self.now());
        match self.rest.last() {
            Some((_, Entry::Device(_) | Entry::Silence | Entry::HungUp)) => left.max(Duration::from_nanos(1)),
            _ => left,
        }
    }

    fn sleep(&mut self, time: Duration) {
        self.looks = 0;
        self.clock.pass(time);
    }

    fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        let next = self.rest.iter().rposition(|(_, entry)| *entry != Entry::Silence);
        let asked = next.is_some_and(|at| matches!(self.rest[at].1, Entry::Stopped(looks) if looks <= self.looks));
        if asked {
            // whoever asked when it was recorded may not do so now, or later, and a session holds a short chunk against the flag
            cancel.raise();
            self.rest.truncate(next.map_or(0, |at| at + 1));
            self.pass();
        } else {
            self.looks = self.looks.saturating_add(1);
        }
        asked
    }

    fn show(&mut self, _: Duration) -> Duration {
        let Some(&(_, Entry::Clock(clock))) = self.rest.last() else { return self.clock.now() };
        self.pass();
        clock
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.check()?;
        self.skip();
        match self.rest.last() {
            Some((_, Entry::Reopened)) => {
                self.pass();
                return Ok(());
            }
            Some((_, Entry::HungUp)) => {
                self.pass();
                return Err(super::ended());
            }
            _ => {}
        }
        Err(self.leave(String::from("the line is opened anew where it was not")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;

    /// A device that never stops talking is drained for half a second; where that ends depends on moments between two entries.
    #[test]
    fn a_drain_ends_where_it_ended() {
        let talk = |ms: u64| (Duration::from_millis(ms), Entry::Device(b"x".to_vec()));
        // the deadline, of which no entry tells, was that of 30 ms
        let mut entries: Vec<_> = (4..=53).map(|tenth| talk(10 * tenth)).collect();
        entries.push((Duration::from_millis(531), Entry::Host(b"b:;\n".to_vec())));
        let transcript = Transcript { head: Head::default(), entries, ..Transcript::default() };
        let mut link = Link::new(Box::new(Replayed::on(VirtualClock::default(), transcript)));
        assert_eq!(link.drain(Duration::from_millis(100)).expect("drained"), 50);
        let soon = link.within(Duration::from_secs(1));
        link.send(b"b:;\n", soon).expect("as it was");
    }

    /// The two lines of one device see the same end of it, and the same return.
    #[test]
    fn a_line_ends_and_returns_where_it_did() {
        let at = |ms: u64, entry| (Duration::from_millis(ms), entry);
        let host = || Entry::Host(b"a".to_vec());
        let entries = vec![
            at(1, host()),
            at(2, Entry::Silence),
            at(3, Entry::HungUp),
            at(4, Entry::HungUp),
            at(5, Entry::Reopened),
            at(6, Entry::HungUp),
            at(7, Entry::Reopened),
            at(8, host()),
        ];
        let transcript = Transcript { head: Head::default(), entries, ..Transcript::default() };
        let mut line = Replayed::on(VirtualClock::default(), transcript);
        let wait = Duration::from_millis(1);
        let is_end = |result: io::Result<usize>| result.is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe);
        assert_eq!(line.write(b"a", wait).expect("taken"), 1);
        assert_eq!(line.read(&mut [0], wait).expect("nothing comes"), 0);
        assert!(is_end(line.read(&mut [0], wait)));
        assert!(line.reopen().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe));
        line.reopen().expect("as it was");
        assert!(is_end(line.write(b"a", wait)));
        line.reopen().expect("as it was");
        assert_eq!(line.write(b"a", wait).expect("taken"), 1);
    }

    /// The head of a session that was opened with a file has a line more.
    #[test]
    fn a_line_of_the_transcript_is_named_by_its_number() {
        let text = "isoform transcript 1\ndevice a\nport b\nfor isoform run 'a b'\nfile patch \
            9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n0.1 > a\n0.2 > b\n";
        let transcript = crate::transcript::read("log", text.as_bytes()).expect("reads");
        let mut line = Replayed::on(VirtualClock::default(), transcript);
        let wait = Duration::from_millis(1);
        assert_eq!(line.write(b"a", wait).expect("as it was"), 1);
        let error = line.write(b"c", wait).expect_err("not as it was").to_string();
        assert!(error.starts_with("line 7 of the transcript \"log\""), "{error}");
        assert!(error.ends_with("; it was recorded by isoform run 'a b'"), "{error}");
    }
}
