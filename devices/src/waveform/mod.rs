//! The waveform bench: any device with one input and one output in volts, between a generator and a digitizer of SCPI.
//!
//! Words of the instruments: `VOLT:RANG`, `ARB:SRAT`, `TRAC:DATA` (a block of big-endian sixteen-bit samples, 32767 for the range), `OUTP`, `INIT`
//! of the generator; `CHANn:RANG`, `ACQ:SRAT`, `ACQ:POIN`, `INIT`, `TRIG:STAT?`, `WAV:YINC?`, `WAV:DATA?` (the same samples, times `YINC` volts) of the
//! digitizer. They are those of the common dialects, chosen here: another make needs other words in `driver.rs`.
//!
//! What the device is, is said by the options; [`physics::Physics`] and [`physics::Realises`] are where another one comes in.

pub mod circuit;
pub mod driver;
pub mod physics;
#[cfg(test)]
mod tests;
pub mod twin;

use crate::kinds::Kind;
use crate::scpi::twin::Instrument;
use circuit::Circuit;
use driver::{Bench, Waveform};
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use physics::Leaky;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use twin::{Generator, Scope};

/// The waveform bench among the instruments.
pub const KIND: Kind = Kind {
    name: "waveform",
    about: "a leaky integrator between a waveform generator and, on the line scope, a digitizer, both of SCPI",
    settings: Settings { baud: 115_200, parity: Parity::None },
    options: &[
        ("tau", "time constant of the device in seconds; 1e-2 if absent"),
        ("r", "gain of the device; 1 if absent"),
        ("scale", "volts for a signal of one; 1 if absent"),
        ("vmax", "the highest voltage at the input of the device; 5 if absent"),
        ("range", "volts at full scale of the digitizer; that of vmax times the gain if absent"),
        ("edge", "volts of the edge by which the trigger is measured; a tenth of vmax if absent"),
        ("oversample", "samples of the digitizer in a tick, from 2 to 1000; 16 if absent"),
        ("rest", "seconds in which the device forgets; twenty time constants if absent"),
        ("generator", "a word of the identity of the generator; AWG if absent"),
        ("digitizer", "a word of the identity of the digitizer; DIGITIZER if absent"),
        ("delay", "of the twin: seconds from the trigger to the waveform; 3.7e-6 if absent"),
        ("bits", "of the twin: of its converter, from 4 to 16; 14 if absent"),
        ("noise", "of the twin: standard deviation of a sample in volts; 2e-4 if absent"),
        ("seed", "of the twin: of its noise; 0 if absent"),
    ],
    lines: &["scope"],
    driver,
    twins,
};

/// Time constant and gain, which the bench and its twin share.
fn device(options: &mut Options<'_>) -> Result<(f64, f64)> {
    let (tau, gain) = (options.take("tau")?.unwrap_or(1e-2), options.take("r")?.unwrap_or(1.0));
    if (1e-6..=100.0).contains(&tau) && gain > 0.0 {
        Ok((tau, gain))
    } else {
        Err(Error::unsupported(format!("a time constant of {tau} s with a gain of {gain} is not possible: choose 1e-6 to 100 s")))
    }
}

fn driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    bench(options).map(|bench| Box::new(Waveform::new(bench)) as Box<dyn Driver>)
}

fn bench(options: &mut Options<'_>) -> Result<Bench> {
    let (tau, gain) = device(options)?;
    let v_max = options.take("vmax")?.unwrap_or(5.0);
    let scale = options.take("scale")?.unwrap_or(1.0);
    let range = options.take("range")?.unwrap_or(v_max * gain);
    let edge = options.take("edge")?.unwrap_or(v_max / 10.0);
    let rest: f64 = options.take("rest")?.unwrap_or(20.0 * tau);
    let oversample = options.take("oversample")?.unwrap_or(16);
    if [v_max, scale, range, edge].iter().any(|&v| v <= 0.0) || edge > v_max || edge < v_max / 50.0 {
        return Err(Error::unsupported("voltages must be above nought, and the edge between a fiftieth of vmax and vmax"));
    }
    if !(0.0..=1e4).contains(&rest) || !(2..=1000).contains(&oversample) {
        return Err(Error::unsupported(format!("a rest of {rest} s or {oversample} samples of a tick are not possible")));
    }
    let word = |given: Option<String>, usual: &str| given.unwrap_or_else(|| usual.to_owned());
    Ok(Bench {
        device: Leaky::realises(tau, gain),
        scale,
        v_max,
        range,
        edge,
        oversample,
        rest: Duration::from_secs_f64(rest),
        models: [word(options.take("generator")?, "AWG"), word(options.take("digitizer")?, "DIGITIZER")],
    })
}

fn twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    let (tau, gain) = device(options)?;
    let delay = options.take("delay")?.unwrap_or(3.7e-6);
    let bits = options.take("bits")?.unwrap_or(14);
    let noise = options.take("noise")?.unwrap_or(2e-4);
    if !(0.0..=1e-4).contains(&delay) || !(4..=16).contains(&bits) || noise < 0.0 {
        return Err(Error::unsupported("a delay is from 0 to 1e-4 s, a converter of 4 to 16 bits, noise not below nought"));
    }
    let seed = options.take("seed")?.unwrap_or(0);
    let circuit = Arc::new(Mutex::new(Circuit::new(Box::new(Leaky::new(tau, gain)), delay, bits, noise, seed)));
    Ok(vec![Box::new(Instrument::new(Generator::new(Arc::clone(&circuit)))), Box::new(Instrument::new(Scope::new(circuit)))])
}
