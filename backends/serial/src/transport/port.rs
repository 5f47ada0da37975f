//! A serial port.

use super::{Transport, WallClock, ended, pace, received, taken};
use serialport::{SerialPort, SerialPortType};
use std::fmt;
use std::io;
use std::time::Duration;

/// The parity of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// An even number of ones.
    Even,
    /// An odd number of ones.
    Odd,
}

/// How characters travel; eight bits, one stop bit, no flow control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bits a second.
    pub baud: u32,
    /// The parity.
    pub parity: Parity,
}

impl Default for Settings {
    fn default() -> Self {
        Self { baud: 115_200, parity: Parity::None }
    }
}

/// A serial port.
pub struct Port {
    path: String,
    settings: Settings,
    port: Option<Box<dyn SerialPort>>,
    timeout: Duration,
    clock: WallClock,
}

impl Port {
    /// Opens a port for this process alone.
    ///
    /// # Errors
    /// If there is no such port, or somebody else has it.
    pub fn open(path: &str, settings: Settings) -> io::Result<Self> {
        let mut port = Self { path: path.to_owned(), settings, port: None, timeout: Duration::ZERO, clock: WallClock::new() };
        port.reopen()?;
        Ok(port)
    }

    fn within(&mut self, wait: Duration) -> io::Result<&mut dyn SerialPort> {
        let port = self.port.as_mut().ok_or_else(ended)?;
        // a wait of nought would be a poll that misses what is on its way through the kernel
        let wait = wait.max(Duration::from_micros(100));
        if wait != self.timeout {
            port.set_timeout(wait)?;
            self.timeout = wait;
        }
        Ok(port.as_mut())
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("path", &self.path).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Transport for Port {
    fn name(&self) -> String {
        self.path.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        received(self.within(wait)?.read(into), into.len())
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        taken(self.within(wait)?.write(bytes))
    }

    fn pace(&self) -> Duration {
        pace(self.settings)
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.clock.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        // the old one is closed first: a port opens once
        self.port = None;
        let parity = match self.settings.parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        };
        let port = serialport::new(&self.path, self.settings.baud).parity(parity).timeout(Duration::from_millis(10)).open()?;
        self.timeout = Duration::from_millis(10);
        self.port = Some(port);
        Ok(())
    }
}

/// A port of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortName {
    /// The path that opens it.
    pub path: String,
    /// Vendor and product of a USB device.
    pub usb: Option<(u16, u16)>,
    /// What the USB device says about itself.
    pub about: String,
}

/// The serial ports of this computer.
///
/// # Errors
/// If the system does not tell.
pub fn ports() -> io::Result<Vec<PortName>> {
    let found = serialport::available_ports()?;
    Ok(found
        .into_iter()
        .map(|port| match port.port_type {
            SerialPortType::UsbPort(usb) => PortName {
                path: port.port_name,
                usb: Some((usb.vid, usb.pid)),
                about: [usb.manufacturer, usb.product, usb.serial_number].into_iter().flatten().collect::<Vec<_>>().join(" "),
            },
            _ => PortName { path: port.port_name, usb: None, about: String::new() },
        })
        .collect())
}
