//! The optical bench: a mesh of interferometers between heaters and detectors.
//!
//! Two instruments make one substrate: Qontrol Q8 modules set the phases (first line), a power meter of SCPI reads the light (line `meter`).
//! The input is heaters too. What it realises is `y = |U x|²`; with a reference arm of known amplitude (option `reference`), read at four phases,
//! real and imaginary parts come out and complex maps are claimed.
//!
//! Nothing is kept from tick to tick but the warmth of the heaters, which have settled when they are read: the bench is stateless.

pub mod calibration;
pub mod chip;
pub mod codec;
pub(crate) mod dialogue;
pub mod driver;
pub mod meter;
#[cfg(test)]
mod tests;
pub mod twin;

use crate::kinds::Kind;
use crate::scpi::twin::Instrument;
use crate::scpi::word;
use chip::{Chip, Parts, Section};
use driver::{Bench, Photonic};
use isoform_core::error::Result;
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use meter::{Detectors, Meter};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The optical bench among the instruments.
pub const KIND: Kind = Kind {
    name: "photonic",
    about: "a mesh of interferometers: Qontrol Q8 heaters and, on the line meter, a power meter of SCPI",
    settings: Settings { baud: 115_200, parity: Parity::None },
    bauds: &[],
    options: &[
        ("modes", "modes of the mesh, from 1 to 8; 4 if absent"),
        ("reference", "amplitude of a reference arm in units of a mode at full amplitude; without it only powers are read"),
        ("power", "watts of one mode at full amplitude; 1e-3 if absent"),
        ("wavelength", "nanometres; 1550 if absent"),
        ("model", "a word of the identity of the meter; PM if absent"),
        ("vmax", "the highest voltage of a heater in volts; 10 if absent"),
        ("imax", "the highest current of a heater in milliamps; 20 if absent"),
        ("settle", "seconds that the heaters take to settle; 1e-3 if absent"),
        calibration::OPTIONS[0],
        calibration::OPTIONS[1],
        calibration::OPTIONS[2],
        calibration::OPTIONS[3],
        calibration::OPTIONS[4],
    ],
    twin_options: &[
        ("tau", "of the twin: time constant of a heater in seconds; 5e-5 if absent"),
        ("noise", "of the twin: standard deviation of a reading in watts; 1e-7 if absent"),
        ("seed", "of the twin: of its noise; 0 if absent"),
    ],
    files: &["calibration"],
    lines: &["meter"],
    driver,
    twins,
};

/// Options that the bench and its twin share.
fn section(options: &mut Options<'_>) -> Result<(Section, f64, f64)> {
    let modes = options.take_within("modes", 1..=8)?.unwrap_or(4);
    let reference: Option<f64> = options.take_within("reference", 1e-3..=1e3)?;
    let power = options.take_within("power", 1e-12..=10.0)?.unwrap_or(1e-3);
    Ok((Section { modes, reference: reference.is_some() }, reference.unwrap_or(0.0), power))
}

fn driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    let (section, reference, power) = section(options)?;
    let bench = Bench {
        calibration: calibration::take(options, section.heaters())?,
        v_max: options.take_within("vmax", 1e-3..=100.0)?.unwrap_or(10.0),
        i_max: options.take_within("imax", 1e-3..=1000.0)?.unwrap_or(20.0),
        settle: Duration::from_secs_f64(options.take_within("settle", 0.0..=10.0)?.unwrap_or(1e-3)),
        meter: Meter {
            model: word(options, "model", "PM")?,
            wavelength: options.take_within("wavelength", 100.0..=20_000.0)?.unwrap_or(1550.0),
        },
        section,
        power,
        reference,
    };
    bench.check_limits([f64::INFINITY; 2])?;
    Ok(Box::new(Photonic::new(bench)))
}

fn twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    let (section, reference, power) = section(options)?;
    let tau = options.take_within("tau", 1e-9..=100.0)?.unwrap_or(5e-5);
    let noise = options.take_within("noise", 0.0..=1.0)?.unwrap_or(1e-7);
    let truth = calibration::take(options, section.heaters())?;
    let seed = options.take("seed")?.unwrap_or(0);
    let chip = Arc::new(Mutex::new(Chip::new(Parts { section, truth, tau, power, reference, noise, seed })));
    Ok(vec![Box::new(twin::Heaters::new(Arc::clone(&chip))), Box::new(Instrument::new(Detectors::new(chip)))])
}
