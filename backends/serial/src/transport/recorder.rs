//! A line that writes down what passes over it.

use super::Transport;
use crate::error::SerialError;
use crate::transcript::{Entry, Head, write_entry, write_head};
use isoform_core::substrate::Cancel;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// A line that writes down what passes over it.
///
/// # Behavior
/// - What is written is what the other end was sent and what came from it, in this order, with times.
/// - A transcript that cannot be written fails the call, or the next one where bytes have gone out already.
pub struct Recorder {
    inner: Box<dyn Transport>,
    log: Box<dyn Write + Send>,
    /// How often nobody had asked to stop since the last entry or pause.
    looks: u32,
    /// Why what was sent last could not be written down.
    failed: Option<io::Error>,
}

impl Recorder {
    /// Writes down what passes over a line, below a head whose port is the name of the line.
    ///
    /// # Errors
    /// If the head cannot be written.
    pub fn new(inner: Box<dyn Transport>, head: Head, mut log: Box<dyn Write + Send>) -> io::Result<Self> {
        write_head(&mut log, &Head { port: inner.name(), ..head })?;
        log.flush()?;
        Ok(Self { inner, log, looks: 0, failed: None })
    }

    fn put(&mut self, entry: &Entry) -> io::Result<()> {
        self.looks = 0;
        // to the end: what waits in a buffer when the last call has ended would be lost without a word
        let written = write_entry(&mut self.log, self.inner.now(), entry).and_then(|()| self.log.flush());
        let what = String::from("the transcript to be written");
        written.map_err(|source| io::Error::new(io::ErrorKind::InvalidData, SerialError::Io { what, source }))
    }

    /// Writes down that the line has ended or failed, if it has.
    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() && self.failed.is_none() {
            self.failed = self.put(&Entry::HungUp).err();
        }
        result
    }

    /// Fails if what was sent before could not be written down.
    fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Transport for Recorder {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.check()?;
        let read = self.inner.read(into, wait);
        let n = self.noted(read)?;
        self.put(&if n == 0 { Entry::Silence } else { Entry::Device(into[..n].to_vec()) })?;
        Ok(n)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.check()?;
        let written = self.inner.write(bytes, wait);
        let n = self.noted(written)?;
        if n > 0 {
            self.failed = self.put(&Entry::Host(bytes[..n].to_vec())).err();
        }
        Ok(n)
    }

    fn pace(&self) -> Duration {
        self.inner.pace()
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.looks = 0;
        self.inner.sleep(time);
    }

    fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        let asked = self.inner.is_asked_to_stop(cancel);
        if asked && self.failed.is_none() {
            self.failed = self.put(&Entry::Stopped(self.looks)).err();
        }
        self.looks = if asked { 0 } else { self.looks.saturating_add(1) };
        asked
    }

    fn show(&mut self, clock: Duration) -> Duration {
        let shown = self.inner.show(clock);
        if self.failed.is_none() {
            self.failed = self.put(&Entry::Clock(shown)).err();
        }
        shown
    }

    fn reopen(&mut self) -> io::Result<()> {
        let opened = self.inner.reopen();
        self.noted(opened)?;
        self.put(&Entry::Reopened)
    }
}
