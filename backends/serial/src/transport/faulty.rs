//! A bad cable: bytes that are lost, doubled, changed or late, devices that stall, restart or are another one.

use super::{Memory, Transport, Twin, ended};
use isoform_core::substrate::Cancel;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What can happen to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A byte from the device is lost.
    Drop,
    /// A byte from the device comes twice.
    Duplicate,
    /// A bit of a byte from the device is changed.
    Flip,
    /// A byte to the device is lost.
    DropSent,
    /// A byte to the device arrives twice.
    DuplicateSent,
    /// A bit of a byte to the device is changed.
    FlipSent,
    /// Bytes from the device are late, by a tenth of a second.
    Delay,
    /// Bytes from the device come one by one.
    Split,
    /// The device says nothing for ten seconds.
    Stall,
    /// The line is hung up.
    HangUp,
    /// The device loses its supply and comes back.
    Restart,
    /// The device sends without end, for a second.
    Flood,
    /// Another device is at the line from now on, until it is opened anew.
    WrongDevice,
}

impl Fault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::Drop,
        Self::Duplicate,
        Self::Flip,
        Self::DropSent,
        Self::DuplicateSent,
        Self::FlipSent,
        Self::Delay,
        Self::Split,
        Self::Stall,
        Self::HangUp,
        Self::Restart,
        Self::Flood,
        Self::WrongDevice,
    ];

    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Flip => "flip",
            Self::DropSent => "drop sent",
            Self::DuplicateSent => "duplicate sent",
            Self::FlipSent => "flip sent",
            Self::Delay => "delay",
            Self::Split => "split",
            Self::Stall => "stall",
            Self::HangUp => "hang up",
            Self::Restart => "restart",
            Self::Flood => "flood",
            Self::WrongDevice => "wrong device",
        }
    }

    /// Whether it counts bytes that go to the device, rather than bytes that come from it.
    #[must_use]
    pub fn is_on_sent(self) -> bool {
        matches!(self, Self::DropSent | Self::DuplicateSent | Self::FlipSent)
    }
}

/// A fault and where it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mishap {
    /// What happens.
    pub fault: Fault,
    /// At which byte of its direction, counted from nought.
    pub at: u64,
    /// Which bit is changed, from nought to seven.
    pub bit: u8,
}

/// What has happened on a bad line so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Bytes that came from the device.
    pub received: u64,
    /// Bytes that were sent to the device.
    pub sent: u64,
    /// What has gone wrong, in its order.
    pub struck: Vec<Mishap>,
}

/// The tally of a line that somebody else has.
#[derive(Debug, Clone, Default)]
pub struct Observer(Arc<Mutex<Tally>>);

impl Observer {
    /// The tally up to now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line to a device in memory on which things go wrong as planned.
#[derive(Debug)]
pub struct Faulty {
    inner: Memory,
    mishaps: Vec<Mishap>,
    /// The device that is there when it is the wrong one, or the right one meanwhile.
    other: Option<Box<dyn Twin>>,
    is_other: bool,
    observer: Observer,
    /// Bytes that have come from the device and wait for their reader.
    inbox: VecDeque<u8>,
    /// Until when nothing is handed out.
    silent_until: Duration,
    flood_until: Duration,
    split: bool,
}

impl Faulty {
    /// A line to a device, with what will go wrong. `other` is the device of [`Fault::WrongDevice`].
    #[must_use]
    pub fn new(inner: Memory, mishaps: Vec<Mishap>, other: Box<dyn Twin>) -> Self {
        Self {
            inner,
            mishaps,
            other: Some(other),
            is_other: false,
            observer: Observer::default(),
            inbox: VecDeque::new(),
            silent_until: Duration::ZERO,
            flood_until: Duration::ZERO,
            split: false,
        }
    }

    /// What tells of the line once it is handed over.
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Counts a byte, and takes out the mishap that strikes at it, if there is one.
    fn strikes(&mut self, sent: bool) -> Option<Mishap> {
        let mut tally = self.observer.lock();
        let count = if sent { &mut tally.sent } else { &mut tally.received };
        let at = *count;
        *count += 1;
        let place = self.mishaps.iter().position(|m| m.fault.is_on_sent() == sent && m.at == at)?;
        let mishap = self.mishaps.swap_remove(place);
        tally.struck.push(mishap);
        Some(mishap)
    }

    fn swap(&mut self) {
        if let Some(other) = self.other.take() {
            self.other = Some(self.inner.exchange(other));
            self.is_other = !self.is_other;
        }
    }

    /// Takes a byte from the device through what happens to it.
    fn pass(&mut self, byte: u8) {
        let Some(Mishap { fault, bit, .. }) = self.strikes(false) else {
            self.inbox.push_back(byte);
            return;
        };
        let now = self.inner.now();
        match fault {
            Fault::Drop => return,
            Fault::Duplicate => self.inbox.push_back(byte),
            Fault::Flip => {
                self.inbox.push_back(byte ^ (1 << (bit % 8)));
                return;
            }
            Fault::Delay => self.silent_until = now + Duration::from_millis(100),
            Fault::Stall => self.silent_until = now + Duration::from_secs(10),
            Fault::Split => self.split = true,
            Fault::HangUp => {
                self.inner.hang_up();
                self.inbox.clear();
                return;
            }
            Fault::Restart => {
                self.inner.restart();
                self.inbox.clear();
                return;
            }
            Fault::Flood => self.flood_until = now + Duration::from_secs(1),
            Fault::WrongDevice => {
                self.swap();
                return;
            }
            Fault::DropSent | Fault::DuplicateSent | Fault::FlipSent => {}
        }
        self.inbox.push_back(byte);
    }

    fn take(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let end = self.inner.now() + wait;
        if self.inner.now() < self.flood_until {
            // as fast as a line of ten megabits
            self.inner.sleep(Duration::from_micros(into.len() as u64));
            into.fill(b'U');
            return Ok(into.len());
        }
        if self.inner.now() < self.silent_until {
            let until = self.silent_until.min(end);
            self.inner.sleep(until - self.inner.now());
            if self.inner.now() < self.silent_until {
                return Ok(0);
            }
        }
        if self.inbox.is_empty() {
            let mut piece = [0; 256];
            let wait = end.saturating_sub(self.inner.now());
            let n = self.inner.read(&mut piece, wait)?;
            for &byte in &piece[..n] {
                self.pass(byte);
            }
            if self.inner.now() < self.silent_until {
                return Ok(0);
            }
        }
        let most = if self.split { 1 } else { into.len() };
        let mut n = 0;
        while n < most.min(into.len()) {
            let Some(byte) = self.inbox.pop_front() else { break };
            into[n] = byte;
            n += 1;
        }
        if n == 0 && self.inner.now() < end && wait > Duration::ZERO {
            // what came was lost on the way: the rest of the wait is spent all the same
            let rest = end - self.inner.now();
            return if rest == wait && self.inbox.is_empty() {
                self.inner.sleep(rest);
                Ok(0)
            } else {
                self.take(into, rest)
            };
        }
        Ok(n)
    }
}

impl Transport for Faulty {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.take(into, wait)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        let mut on_the_wire = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            match self.strikes(true) {
                Some(Mishap { fault: Fault::DropSent, .. }) => {}
                Some(Mishap { fault: Fault::DuplicateSent, .. }) => on_the_wire.extend([byte, byte]),
                Some(Mishap { fault: Fault::FlipSent, bit, .. }) => on_the_wire.push(byte ^ (1 << (bit % 8))),
                _ => on_the_wire.push(byte),
            }
        }
        if on_the_wire.is_empty() {
            return Ok(bytes.len());
        }
        if self.inner.write(&on_the_wire, wait)? < on_the_wire.len() { Err(ended()) } else { Ok(bytes.len()) }
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.inner.sleep(time);
    }

    fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        self.inner.is_asked_to_stop(cancel)
    }

    fn show(&mut self, clock: Duration) -> Duration {
        self.inner.show(clock)
    }

    fn reopen(&mut self) -> io::Result<()> {
        if self.is_other {
            self.swap();
        }
        self.split = false;
        self.flood_until = Duration::ZERO;
        self.silent_until = Duration::ZERO;
        self.inbox.clear();
        self.inner.reopen()
    }
}
