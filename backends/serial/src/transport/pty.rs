//! A pseudo-terminal: a serial port that a program on this computer is behind.

use super::{Transport, WallClock, received, taken};
use serialport::{SerialPort, TTYPort};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

/// Opened so, a terminal does not become the one that controls this process.
#[cfg(target_os = "linux")]
const NO_CONTROL: i32 = 0o400;
#[cfg(not(target_os = "linux"))]
const NO_CONTROL: i32 = 0x2_0000;

/// The device's end of a pseudo-terminal. The other end is a port with a path, which any program opens.
#[derive(Debug)]
pub struct Pty {
    master: TTYPort,
    /// Held open, so that one program may leave and another come.
    _port: File,
    path: String,
    clock: WallClock,
}

impl Pty {
    /// A new pseudo-terminal.
    ///
    /// # Errors
    /// If the system has none left.
    pub fn open() -> io::Result<Self> {
        let (master, mut port) = TTYPort::pair()?;
        let path = port.name().ok_or_else(|| io::Error::other("the pseudo-terminal has no path"))?;
        // whoever opens the port is to have it for itself, so that this end is held without a lock
        port.set_exclusive(false)?;
        let held = OpenOptions::new().read(true).write(true).custom_flags(NO_CONTROL).open(&path)?;
        drop(port);
        Ok(Self { master, _port: held, path, clock: WallClock::new() })
    }

    /// The path of the port.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Transport for Pty {
    fn name(&self) -> String {
        self.path.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.master.set_timeout(wait.max(Duration::from_micros(100)))?;
        received(self.master.read(into), into.len())
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.master.set_timeout(wait.max(Duration::from_micros(100)))?;
        taken(self.master.write(bytes))
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.clock.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}
