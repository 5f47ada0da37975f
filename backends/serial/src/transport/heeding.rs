//! A line to a device that is being opened, which is given up when somebody asks to stop.
//!
//! Who runs a program looks at a flag between its exchanges; who opens a device waits in the midst of one, for somebody who may never answer.

use super::Transport;
use crate::error::SerialError;
use isoform_core::substrate::Cancel;
use std::io;
use std::time::Duration;

/// How often somebody looks whether to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// The opening of a device, whose lines share it.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    stop: Cancel,
    over: Cancel,
}

impl Opening {
    /// An opening that is given up when a flag is raised.
    #[must_use]
    pub fn new(stop: Cancel) -> Self {
        Self { stop, over: Cancel::default() }
    }

    /// Ends it: from now on its lines do what they are told, whoever asks to stop. Gives whether somebody had asked before.
    pub fn end(&self) -> bool {
        let stopped = self.check().is_err();
        self.over.raise();
        stopped
    }

    fn is_over(&self) -> bool {
        self.over.is_raised()
    }

    /// Fails if it is to be given up.
    ///
    /// # Errors
    /// `Stopped`.
    pub fn check(&self) -> io::Result<()> {
        if self.stop.is_raised() && !self.is_over() {
            return Err(io::Error::other(SerialError::Stopped { what: String::from("the device") }));
        }
        Ok(())
    }
}

/// A line that fails once its opening is to be given up.
#[derive(Debug)]
pub struct Heeding {
    inner: Box<dyn Transport>,
    opening: Opening,
}

impl Heeding {
    /// A line of an opening.
    #[must_use]
    pub fn new(inner: Box<dyn Transport>, opening: Opening) -> Self {
        Self { inner, opening }
    }
}

impl Transport for Heeding {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        if self.opening.is_over() {
            return self.inner.read(into, wait);
        }
        let end = self.inner.now() + wait;
        loop {
            self.opening.check()?;
            let left = end.saturating_sub(self.inner.now());
            let n = self.inner.read(into, left.min(GLANCE))?;
            if n > 0 || left <= GLANCE {
                return Ok(n);
            }
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.opening.check()?;
        let wait = if self.opening.is_over() { wait } else { wait.min(GLANCE) };
        self.inner.write(bytes, wait)
    }

    fn pace(&self) -> Duration {
        self.inner.pace()
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn left(&self, end: Duration) -> Duration {
        self.inner.left(end)
    }

    fn sleep(&mut self, time: Duration) {
        let end = self.inner.now() + time;
        while !self.opening.is_over() {
            let left = end.saturating_sub(self.inner.now());
            // what is read or written next says why
            if left.is_zero() || self.opening.check().is_err() {
                return;
            }
            self.inner.sleep(left.min(GLANCE));
        }
        self.inner.sleep(end.saturating_sub(self.inner.now()));
    }

    fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        self.inner.is_asked_to_stop(cancel)
    }

    fn show(&mut self, clock: Duration) -> Duration {
        self.inner.show(clock)
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.opening.check()?;
        self.inner.reopen()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;
    use crate::transport::{Line, Scripted};

    #[test]
    fn an_opening_is_given_up_when_somebody_asks_and_not_afterwards() {
        let stop = Cancel::default();
        let opening = Opening::new(stop.clone());
        let script = [Line::Host(b"?".to_vec()), Line::Pause(Duration::from_millis(50)), Line::Device(b"here\nagain\n".to_vec())];
        let mut link = Link::new(Box::new(Heeding::new(Box::new(Scripted::new(script)), opening.clone())));
        let end = link.within(Duration::from_secs(1));
        link.send(b"?", end).expect("nobody has asked");
        assert_eq!(link.line(64, "an identity", end).expect("comes"), b"here");
        stop.raise();
        let error = link.drain(Duration::from_millis(50)).expect_err("is given up");
        assert_eq!(error.to_string(), "it was asked to stop while silence was awaited");
        link.sleep(Duration::from_secs(9));
        assert!(link.now() < Duration::from_secs(1), "{:?}", link.now());
        assert!(link.send(b"?", link.within(Duration::from_secs(1))).is_err());
        // what leaves a device in a safe condition comes through
        assert!(opening.end());
        link.sleep(Duration::from_secs(9));
        assert!(link.now() > Duration::from_secs(9));
        assert_eq!(link.drain(Duration::from_millis(50)).expect("is quiet"), 0);
        assert!(!Opening::default().end());
    }
}
