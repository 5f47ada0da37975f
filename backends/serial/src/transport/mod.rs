//! Byte streams to devices, each with the clock by which its deadlines are kept.

mod faulty;
mod heeding;
mod memory;
mod port;
mod process;
#[cfg(unix)]
mod pty;
mod recorder;
mod replayed;
mod rfc2217;
mod scripted;
mod tcp;

pub use faulty::{Fault, Faulty, Mishap, Observer, Tally};
pub use heeding::{Heeding, Opening};
pub use memory::{Memory, Twin, VirtualClock};
pub use port::{Parity, Port, PortName, Settings, ports};
pub use process::Process;
#[cfg(unix)]
pub use pty::Pty;
pub use recorder::Recorder;
pub use replayed::Replayed;
pub use rfc2217::Rfc2217;
pub use scripted::{Line, Scripted};
pub use tcp::Tcp;

use isoform_core::substrate::Cancel;
use std::fmt::Debug;
use std::io;
use std::time::{Duration, Instant};

/// A byte stream to a device.
///
/// # Behavior
/// - A read gives what is there, and waits for the first byte no longer than it may. Nought bytes mean that none came in time.
/// - A write takes what it can, and waits no longer than it may.
/// - A stream whose other end has gone fails with `BrokenPipe`, `ConnectionReset` or `UnexpectedEof`, never with nought bytes.
/// - Time is that of the stream: of a wall clock where it is real, virtual where the device is in memory.
pub trait Transport: Debug + Send {
    /// What it leads to, for people.
    fn name(&self) -> String;

    /// Takes bytes in.
    ///
    /// # Errors
    /// If the stream has ended or failed.
    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Sends some of the bytes; gives how many.
    ///
    /// # Errors
    /// If the stream has ended or failed.
    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize>;

    /// How long a byte is on its way, where that is known; nought otherwise.
    fn pace(&self) -> Duration {
        Duration::ZERO
    }

    /// Time since some fixed instant.
    fn now(&self) -> Duration;

    /// What is left for a read that is to end at such a moment. A replay goes on with reading as long as its recording did, whose clock
    /// stood a little elsewhere between two of its entries.
    fn left(&self, end: Duration) -> Duration {
        end.saturating_sub(self.now())
    }

    /// Lets time pass.
    fn sleep(&mut self, time: Duration);

    /// Whether somebody has asked to stop. A recording keeps where that was seen, and its replay sees it there and nowhere else.
    fn is_asked_to_stop(&mut self, cancel: &Cancel) -> bool {
        cancel.is_raised()
    }

    /// What somebody who looks at the clock of this computer is to see. A recording keeps it, and its replay shows it again.
    fn show(&mut self, clock: Duration) -> Duration {
        clock
    }

    /// Opens the stream again, after its end or to be sure of what is at it.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn reopen(&mut self) -> io::Result<()>;
}

/// How long a character of ten or eleven bits takes.
pub(crate) fn pace(settings: Settings) -> Duration {
    let bits = if settings.parity == Parity::None { 10 } else { 11 };
    Duration::from_secs(bits) / settings.baud.max(1)
}

/// The clock of a stream that is real.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallClock(Instant);

impl WallClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn sleep(self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// What a read of the system came to: nothing in time is nought bytes, and nought bytes of some that were wanted are the end.
pub(crate) fn received(result: io::Result<usize>, wanted: usize) -> io::Result<usize> {
    match result {
        Ok(0) if wanted > 0 => Err(ended()),
        other => taken(other),
    }
}

/// What a write of the system came to: nothing in time is nought bytes.
pub(crate) fn taken(result: io::Result<usize>) -> io::Result<usize> {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    match result {
        Err(e) if matches!(e.kind(), TimedOut | WouldBlock | Interrupted) => Ok(0),
        other => other,
    }
}

/// The end of a stream as an error.
pub(crate) fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other end has closed the line")
}
