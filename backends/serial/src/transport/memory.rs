//! A device in software, in this process, on a virtual clock.

use super::{Transport, ended};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A device in software: the same bytes as the device, by a clock.
pub trait Twin: Debug + Send {
    /// Takes bytes in at a time.
    fn receive(&mut self, bytes: &[u8], now: Duration);

    /// Appends what it sends up to a time, and has not sent before.
    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>);

    /// When it will have something to send without being asked, if it will.
    fn next(&self) -> Option<Duration>;

    /// Loses its supply and comes back, at a time.
    fn restart(&mut self, now: Duration);
}

/// A device in software at the end of a line without delay.
///
/// Time is virtual: it passes only while somebody waits, so that an hour of a device's life takes as long as its computation.
#[derive(Debug)]
pub struct Memory {
    name: String,
    twin: Box<dyn Twin>,
    clock: VirtualClock,
    inbox: VecDeque<u8>,
    open: bool,
}

/// A clock that passes only while somebody waits. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// Time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Lets time pass until an instant, unless that is over.
    pub fn pass_until(&self, end: Duration) {
        self.pass(end.saturating_sub(self.now()));
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Memory {
    /// A line to a twin, on a clock of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, twin: Box<dyn Twin>) -> Self {
        Self::on(VirtualClock::default(), name, twin)
    }

    /// A line to a twin, on a clock that it shares with others on the same bench.
    #[must_use]
    pub fn on(clock: VirtualClock, name: impl Into<String>, twin: Box<dyn Twin>) -> Self {
        Self { name: name.into(), twin, clock, inbox: VecDeque::new(), open: true }
    }

    /// Lets the device lose its supply and come back.
    pub fn restart(&mut self) {
        self.inbox.clear();
        self.twin.restart(self.clock.now());
    }

    /// Hangs the line up; it can be opened again.
    pub fn hang_up(&mut self) {
        self.open = false;
        self.inbox.clear();
    }

    /// Puts another device at the end of the line.
    pub fn exchange(&mut self, twin: Box<dyn Twin>) -> Box<dyn Twin> {
        self.inbox.clear();
        std::mem::replace(&mut self.twin, twin)
    }

    fn check(&self) -> io::Result<()> {
        if self.open { Ok(()) } else { Err(ended()) }
    }
}

impl Transport for Memory {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.check()?;
        let end = self.clock.now() + wait;
        loop {
            let now = self.clock.now();
            self.twin.transmit(now, &mut self.inbox);
            if !self.inbox.is_empty() || now >= end {
                break;
            }
            // a device that is always about to speak must not hold the clock
            let next = self.twin.next().unwrap_or(end).max(now + Duration::from_nanos(1));
            self.clock.pass(next.min(end) - now);
        }
        self.inbox.read(into)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.check()?;
        self.twin.transmit(self.clock.now(), &mut self.inbox);
        self.twin.receive(bytes, self.clock.now());
        Ok(bytes.len())
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.clock.pass(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.open = true;
        Ok(())
    }
}
