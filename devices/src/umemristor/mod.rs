//! The Memristor Development Platform of uMemristorToolbox, with the firmware PCBv2: eight memristors that can be pulsed, and not read.
//!
//! It is an actuator: there is no identity, no reset and no state that could be told. Class *free-running*, since what cannot be reset goes on from
//! where it is, and without facets; pulses are counted in `Report::writes`. Every command is echoed, and the echo is compared. A number that was changed on the way there is in the echo, so that
//! pulses of a wrong number are an error, though they were given. What the memristors made of them remains unseen.
//!
//! Source: `firmwarePCBv2.ino` of `aiunderstand/uMemristorToolbox`.

pub mod codec;
pub mod driver;
#[cfg(test)]
mod tests;
pub mod twin;

use crate::kinds::Kind;
use isoform_serial::transport::{Parity, Settings};

/// The entry in the list of instruments.
pub const KIND: Kind = Kind {
    name: "umemristor",
    about: "eight memristors of a Memristor Development Platform, which can be pulsed and not read",
    settings: Settings { baud: 9600, parity: Parity::None },
    bauds: &[],
    options: &[],
    twin_options: &[],
    files: &[],
    lines: &[],
    driver: |_| Ok(Box::new(driver::UMemristor::new())),
    twins: |_| Ok(vec![Box::new(twin::UMemristorTwin::new())]),
};
