//! A pseudo-terminal: a serial port that a program on this computer is behind.

use super::{Transport, WallClock, ended, is_patience};
use serialport::{SerialPort, TTYPort};
use std::io::{self, Read, Write};
use std::time::Duration;

/// The device's end of a pseudo-terminal. The other end is a port with a path, which any program opens.
#[derive(Debug)]
pub struct Pty {
    master: TTYPort,
    /// Held open, so that one program may leave and another come.
    _port: TTYPort,
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
        // whoever opens the port is to be the only one, not this process
        port.set_exclusive(false)?;
        let path = port.name().ok_or_else(|| io::Error::other("the pseudo-terminal has no path"))?;
        Ok(Self { master, _port: port, path, clock: WallClock::new() })
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
        match self.master.read(into) {
            Ok(0) if !into.is_empty() => Err(ended()),
            Err(e) if is_patience(&e) => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.master.set_timeout(wait.max(Duration::from_micros(100)))?;
        match self.master.write(bytes) {
            Err(e) if is_patience(&e) => Ok(0),
            other => other,
        }
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
