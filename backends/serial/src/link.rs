//! A line with deadlines, bounds and framing: what a driver talks over.

use crate::error::{Result, SerialError};
use crate::transport::Transport;
use isoform_core::substrate::Cancel;
use std::time::Duration;

/// The most bytes of one write: longer ones hang for ever on some ports when nobody reads.
const WRITE: usize = 1024;
/// Bytes that are taken from the line at a time.
const READ: usize = 4096;
/// How long a drain lasts at most on a line that is never quiet.
const DRAIN: Duration = Duration::from_millis(500);
/// How long a transport that takes nothing is left alone.
const BREATH: Duration = Duration::from_micros(200);
/// How often a pause looks up.
const GLANCE: Duration = Duration::from_millis(20);

/// The end of the time that an exchange has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    start: Duration,
    end: Duration,
}

impl Deadline {
    /// How long the exchange has in all.
    #[must_use]
    pub fn total(self) -> Duration {
        self.end - self.start
    }
}

/// How long somebody goes on talking to a device that has said nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// In all: no wait goes beyond it.
    pub total: Duration,
    /// The most that is waited at a time.
    pub step: Duration,
}

/// A line with deadlines and bounds.
///
/// # Behavior
/// - No call outlasts its deadline by more than one wait of the transport, which is cut to what is left.
/// - What has come and was not asked for yet is kept, up to a bound; a device that sends more is a flood, and an error.
/// - Writes are cut into pieces of at most 1 KiB.
#[derive(Debug)]
pub struct Link {
    transport: Box<dyn Transport>,
    inbox: Vec<u8>,
    /// What of the inbox was taken already.
    taken: usize,
    bound: usize,
    sent: u64,
    late: Duration,
    /// Whether the device has said anything.
    heard: bool,
    /// While the device has said nothing: when it is given up, and the most that is waited at a time.
    silence: Option<(Duration, Duration)>,
}

impl Link {
    /// A line over a transport that keeps at most 64 KiB.
    #[must_use]
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            inbox: Vec::new(),
            taken: 0,
            bound: 1 << 16,
            sent: 0,
            late: Duration::ZERO,
            heard: false,
            silence: None,
        }
    }

    /// What it leads to, for people.
    #[must_use]
    pub fn name(&self) -> String {
        self.transport.name()
    }

    /// How long so many bytes are on their way, each at least so long as named.
    #[must_use]
    pub fn time_of(&self, bytes: usize, least: Duration) -> Duration {
        self.transport.pace().max(least).saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Time since some fixed instant.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.transport.now()
    }

    /// Lets time pass; no more than the patience with a silent device.
    pub fn sleep(&mut self, time: Duration) {
        let least = self.silence.map_or(time, |(end, _)| end.saturating_sub(self.now()));
        self.transport.sleep(time.min(least));
    }

    /// From now on a device that says nothing is given up after so long, whatever is asked of it; its first byte ends that. Without patience
    /// every exchange has its own time again.
    pub fn set_patience(&mut self, patience: Option<Patience>) {
        self.silence = patience.map(|Patience { total, step }| (self.now() + total, step));
    }

    /// Whether somebody has asked to stop. A driver asks here and not the flag itself, so that its dialogue can be replayed.
    pub fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        self.transport.is_asked_to_stop(cancel)
    }

    /// What somebody who looks at the clock of this computer is to see.
    pub fn show(&mut self, clock: Duration) -> Duration {
        self.transport.show(clock)
    }

    /// Lets time pass until somebody asks to stop; whether nobody did.
    pub fn pause(&mut self, time: Duration, cancel: &Cancel) -> bool {
        let end = self.within(time);
        loop {
            if self.is_asked_to_stop(cancel) {
                return false;
            }
            let left = self.left(end);
            if left.is_zero() {
                return true;
            }
            self.sleep(left.min(GLANCE));
        }
    }

    /// A deadline from now.
    #[must_use]
    pub fn within(&self, time: Duration) -> Deadline {
        let start = self.now();
        let end = self.silence.map_or(start + time, |(end, step)| (start + time.min(step)).min(end.max(start)));
        Deadline { start, end }
    }

    /// What is left until a deadline.
    #[must_use]
    pub fn left(&self, deadline: Deadline) -> Duration {
        deadline.end.saturating_sub(self.now())
    }

    /// Bytes that were sent so far: a call during which it grows may have changed the device.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How long after its deadline a wait has ended, at most.
    #[must_use]
    pub fn latest(&self) -> Duration {
        self.late
    }

    fn look_back(&mut self, deadline: Deadline) {
        self.late = self.late.max(self.now().saturating_sub(deadline.end));
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// `Timeout` if the line does not take them in time, `HungUp` if it has ended.
    pub fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<()> {
        let what = "room for more bytes";
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = self.left(deadline);
            let piece = &rest[..rest.len().min(WRITE)];
            let taken = self.transport.write(piece, left);
            self.look_back(deadline);
            let n = taken.map_err(|e| SerialError::of_io(what, e))?;
            self.sent += n as u64;
            rest = &rest[n..];
            if n == 0 {
                if self.left(deadline).is_zero() {
                    return Err(timeout(what, deadline));
                }
                self.transport.sleep(BREATH);
            }
        }
        Ok(())
    }

    fn waiting(&self) -> &[u8] {
        &self.inbox[self.taken..]
    }

    /// Takes in more bytes.
    fn more(&mut self, what: &str, deadline: Deadline) -> Result<()> {
        if self.waiting().len() >= self.bound {
            return Err(SerialError::TooLong { what: what.to_owned(), limit: self.bound });
        }
        let left = self.transport.left(deadline.end);
        if left.is_zero() {
            return Err(timeout(what, deadline));
        }
        self.inbox.drain(..self.taken);
        self.taken = 0;
        let at = self.inbox.len();
        self.inbox.resize(at + READ, 0);
        let result = self.transport.read(&mut self.inbox[at..], left);
        self.look_back(deadline);
        let came = *result.as_ref().unwrap_or(&0);
        self.inbox.truncate(at + came);
        self.hear(came);
        result.map(|_| ()).map_err(|e| SerialError::of_io(what, e))
    }

    fn hear(&mut self, bytes: usize) {
        if bytes > 0 {
            self.heard = true;
            self.silence = None;
        }
    }

    /// Whether the device has said anything since the line was made.
    #[must_use]
    pub fn has_heard(&self) -> bool {
        self.heard
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let taken = self.waiting()[..bytes].to_vec();
        self.taken += bytes;
        taken
    }

    /// Takes so many bytes.
    ///
    /// # Errors
    /// `Timeout` if they do not come in time, `HungUp`, `TooLong` if that is more than is kept.
    pub fn exactly(&mut self, bytes: usize, what: &str, deadline: Deadline) -> Result<Vec<u8>> {
        if bytes > self.bound {
            return Err(SerialError::TooLong { what: what.to_owned(), limit: self.bound });
        }
        while self.waiting().len() < bytes {
            self.more(what, deadline)?;
        }
        Ok(self.take(bytes))
    }

    /// Takes what comes before an end mark, and the mark away.
    ///
    /// # Errors
    /// `Timeout`, `HungUp`; `TooLong` if more than `longest` bytes come without the mark.
    pub fn until(&mut self, end: &[u8], longest: usize, what: &str, deadline: Deadline) -> Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            let waiting = self.waiting();
            let from = looked.min(waiting.len());
            if let Some(at) = waiting[from..].windows(end.len().max(1)).position(|w| w == end) {
                let found = self.take(from + at);
                self.taken += end.len();
                return Ok(found);
            }
            if waiting.len() > longest {
                return Err(SerialError::TooLong { what: what.to_owned(), limit: longest });
            }
            looked = (waiting.len() + 1).saturating_sub(end.len());
            self.more(what, deadline)?;
        }
    }

    /// Takes what comes up to the first byte that is one of `ends`, and that byte with it.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    pub fn through(&mut self, ends: &[u8], longest: usize, what: &str, deadline: Deadline) -> Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            let waiting = self.waiting();
            if let Some(at) = waiting[looked..].iter().position(|b| ends.contains(b)) {
                return Ok(self.take(looked + at + 1));
            }
            looked = waiting.len();
            if looked > longest {
                return Err(SerialError::TooLong { what: what.to_owned(), limit: longest });
            }
            self.more(what, deadline)?;
        }
    }

    /// Takes a line that LF ends; a CR before it is taken away too.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    pub fn line(&mut self, longest: usize, what: &str, deadline: Deadline) -> Result<Vec<u8>> {
        let mut line = self.until(b"\n", longest, what, deadline)?;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// The next byte, without taking it.
    ///
    /// # Errors
    /// As [`exactly`](Self::exactly).
    pub fn peek(&mut self, what: &str, deadline: Deadline) -> Result<u8> {
        while self.waiting().is_empty() {
            self.more(what, deadline)?;
        }
        Ok(self.waiting()[0])
    }

    /// Hunts for a frame: `length` bytes that begin with `header` and that `is_frame` accepts. Gives the frame, and how many bytes were passed
    /// over to find it.
    ///
    /// # Errors
    /// `Timeout` if there is no frame in time, `HungUp`; `TooLong` after more than `longest` bytes that are no frame.
    pub fn hunt(&mut self, frame: Frame<'_>, longest: usize, what: &str, deadline: Deadline) -> Result<(Vec<u8>, usize)> {
        let mut passed = 0;
        loop {
            let waiting = self.waiting();
            match waiting.iter().position(|&b| b == frame.header) {
                Some(at) if waiting.len() >= at + frame.length => {
                    if (frame.accepts)(&waiting[at..at + frame.length]) {
                        self.taken += at;
                        return Ok((self.take(frame.length), passed + at));
                    }
                    // this header was a byte of data
                    self.taken += at + 1;
                    passed += at + 1;
                }
                Some(at) => {
                    self.taken += at;
                    passed += at;
                    self.more(what, deadline)?;
                }
                None => {
                    passed += waiting.len();
                    self.taken = self.inbox.len();
                    self.more(what, deadline)?;
                }
            }
            if passed > longest {
                return Err(SerialError::TooLong { what: what.to_owned(), limit: longest });
            }
        }
    }

    /// Throws away what has come, until the line was quiet for so long; gives how many bytes. Ends after half a second on a line that is never
    /// quiet.
    ///
    /// # Errors
    /// `HungUp` if the line has ended.
    pub fn drain(&mut self, quiet: Duration) -> Result<usize> {
        let what = "silence";
        let end = self.within(DRAIN.max(quiet));
        let mut dropped = self.waiting().len();
        self.clear();
        let mut piece = [0; READ];
        loop {
            let wait = quiet.min(self.transport.left(end.end));
            if wait.is_zero() {
                return Ok(dropped);
            }
            let read = self.transport.read(&mut piece, wait);
            self.look_back(end);
            match read.map_err(|e| SerialError::of_io(what, e))? {
                0 => return Ok(dropped),
                n => {
                    self.hear(n);
                    dropped += n;
                }
            }
        }
    }

    /// Forgets what has come and was not taken.
    pub fn clear(&mut self) {
        self.inbox.clear();
        self.taken = 0;
    }

    /// Opens the line again.
    ///
    /// # Errors
    /// `Open` if it cannot be opened.
    pub fn reopen(&mut self) -> Result<()> {
        self.clear();
        let port = self.name();
        self.transport.reopen().map_err(|source| SerialError::open(&port, source))
    }
}

/// What a frame in a stream looks like.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// Its first byte.
    pub header: u8,
    /// Its length in bytes.
    pub length: usize,
    /// Whether so many bytes from a header on are a frame.
    pub accepts: &'a dyn Fn(&[u8]) -> bool,
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("header", &self.header).field("length", &self.length).finish_non_exhaustive()
    }
}

fn timeout(what: &str, deadline: Deadline) -> SerialError {
    SerialError::Timeout { what: what.to_owned(), after: deadline.total() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Line, Scripted};

    fn link(script: &[Line]) -> Link {
        Link::new(Box::new(Scripted::new(script.to_vec())))
    }

    fn says(bytes: &[u8]) -> Line {
        Line::Device(bytes.to_vec())
    }

    const SOON: Duration = Duration::from_millis(50);

    #[test]
    fn a_line_comes_in_pieces() {
        let mut link = link(&[says(b"Q"), Line::Pause(Duration::from_millis(10)), says(b"8iv\r\nrest"), says(b"\n")]);
        let end = link.within(SOON);
        assert_eq!(link.line(64, "an answer", end).expect("a line"), b"Q8iv");
        assert_eq!(link.line(64, "an answer", end).expect("a line"), b"rest");
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let mut link = link(&[says(b"half"), Line::Pause(Duration::from_secs(9)), says(b"\n")]);
        let end = link.within(SOON);
        let error = link.line(64, "an answer", end).expect_err("late");
        assert!(matches!(error, SerialError::Timeout { .. }), "{error}");
        assert_eq!(link.now(), SOON);
    }

    #[test]
    fn patience_with_a_silent_device_ends_for_all_exchanges_and_its_first_byte_ends_it() {
        let second = Duration::from_secs(1);
        let mut link = link(&[Line::Pause(2 * second), says(b"here\n"), Line::Pause(9 * second), says(b"late\n")]);
        link.set_patience(Some(Patience { total: second, step: second / 4 }));
        let wait = |link: &mut Link| link.line(64, "an answer", link.within(5 * second)).map(drop);
        assert!(wait(&mut link).is_err());
        assert_eq!(link.now(), second / 4);
        link.sleep(5 * second);
        assert_eq!((link.now(), link.drain(second).expect("quiet")), (second, 0));
        assert!(wait(&mut link).is_err());
        assert_eq!(link.now(), second);
        link.set_patience(Some(Patience { total: 5 * second, step: 3 * second }));
        wait(&mut link).expect("in time");
        let heard = link.now();
        assert!(wait(&mut link).is_err());
        assert_eq!(link.now() - heard, 5 * second);
    }

    #[test]
    fn a_flood_is_refused() {
        let flood: Vec<Line> = (0..100).map(|_| says(&[b'U'; 4096])).collect();
        let mut first = link(&flood);
        let end = first.within(SOON);
        assert!(matches!(first.line(100, "an answer", end), Err(SerialError::TooLong { limit: 100, .. })));
        let mut second = link(&flood);
        assert!(matches!(second.exactly(1 << 20, "an answer", end), Err(SerialError::TooLong { .. })));
        let mut third = link(&flood);
        assert!(third.drain(Duration::from_millis(20)).expect("ends") > 4096);
    }

    #[test]
    fn frames_are_found_between_other_bytes() {
        let frame = [0xa0, 1, 2, 0xc0];
        let mut stream = vec![9, 0xa0, 0xa0];
        stream.extend(frame);
        stream.extend(frame);
        let mut link = link(&[says(&stream[..5]), says(&stream[5..])]);
        let accepts = |f: &[u8]| f[3] == 0xc0;
        let frame_of = Frame { header: 0xa0, length: 4, accepts: &accepts };
        let end = link.within(SOON);
        assert_eq!(link.hunt(frame_of, 100, "a packet", end).expect("found"), (frame.to_vec(), 3));
        assert_eq!(link.hunt(frame_of, 100, "a packet", end).expect("found"), (frame.to_vec(), 0));
    }

    #[test]
    fn long_messages_go_out_in_pieces() {
        let mut link = link(&[Line::Host(vec![b'x'; 3000])]);
        let end = link.within(SOON);
        link.send(&vec![b'x'; 3000], end).expect("sent");
        assert_eq!(link.sent(), 3000);
    }
}
