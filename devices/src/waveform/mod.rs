//! The waveform bench: any device with one input and one output in volts, between a generator and a digitizer of SCPI.
//!
//! Words of the instruments: `VOLT:RANG`, `ARB:SRAT`, `TRAC:DATA` (a block of big-endian sixteen-bit samples, 32767 for the range), `OUTP`,
//! `INIT`, `ABOR` of the generator; `CHANn:RANG`, `ACQ:SRAT`, `ACQ:POIN`, `INIT`, `ABOR`, `TRIG:STAT?`, `WAV:YINC?`, `WAV:DATA?` (the same samples,
//! times `YINC` volts) of the digitizer. They are those of the common dialects, chosen here: another make needs other words in `bench.rs`.
//!
//! What the device is, is said by the option `dut`; [`physics`] is where another one comes in.

mod bench;
pub mod circuit;
pub mod driver;
pub mod leaky;
pub mod neuristor;
pub mod physics;
#[cfg(test)]
mod tests;
pub mod twin;

pub use bench::Bench;

use crate::kinds::Kind;
use crate::scpi::twin::Instrument;
use crate::scpi::word;
use circuit::Circuit;
use driver::Waveform;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_physics::quantum::{INPUT, WASHOUT, Wafer};
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use physics::{Datasheet, Physics};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use twin::{GENERATOR_RANGE, GENERATOR_RATE, Generator, SCOPE_RANGE, SCOPE_RATE, Scope};

/// The waveform bench among the instruments.
pub const KIND: Kind = Kind {
    name: "waveform",
    about: "a leaky integrator or a VO2 neuristor between a waveform generator and, on the line scope, a digitizer, both of SCPI",
    settings: Settings { baud: 115_200, parity: Parity::None },
    bauds: &[],
    options: &[
        (
            "dut",
            "the device under test: leaky, a leaky integrator, or neuristor, a film of VO2 whose spikes are counted; leaky if absent",
        ),
        ("tau", "of leaky: its time constant in seconds; 1e-2 if absent"),
        ("r", "of leaky: its gain; 1 if absent"),
        ("scale", "of leaky: volts for a signal of one; 1 if absent"),
        ("ohm", "of neuristor: volts at the digitizer for an ampere of its current; 1000 if absent"),
        ("spread", "of neuristor: how far its constants may be from the published ones, as a share; 0.002 if absent"),
        ("jitter", "of neuristor: its temperature noise in K/s^0.5; 100 if absent"),
        ("dt", "of neuristor: the tick that a program must have in seconds, from 5e-9 to 2e-8; 1e-8 if absent"),
        ("error", "of neuristor: the most kelvin that a tick of the program's own step may be off; 0.2 if absent"),
        ("vmax", "the highest voltage at the input of the device; 5, or 15 of neuristor, if absent"),
        ("range", "volts at full scale of the digitizer; that of vmax times the gain, or 6 of neuristor, if absent"),
        ("edge", "volts of the edge by which the trigger is measured; a tenth of vmax if absent"),
        ("oversample", "samples of the digitizer in a tick, from 2 to 1000; 16, or 2 of neuristor, if absent"),
        ("rest", "seconds in which the device forgets; twenty time constants, or 3.5e-5 of neuristor, if absent"),
        ("awg_rate", "the most samples a second of the generator; 1e6, or 1e8 of neuristor, if absent"),
        ("scope_rate", "the most samples a second of the digitizer; 1e7, or 1e9 of neuristor, if absent"),
        ("generator", "a word of the identity of the generator; AWG if absent"),
        ("digitizer", "a word of the identity of the digitizer; DIGITIZER if absent"),
    ],
    twin_options: &[
        ("delay", "of the twin: seconds from the trigger to the waveform; 3.7e-6 if absent"),
        ("bits", "of the twin: of its converter, from 8 to 16; 14 if absent"),
        ("noise", "of the twin: standard deviation of a sample in volts; 2e-4 if absent"),
        ("seed", "of the twin: of its noise, and of the spread of neuristor; 0 if absent"),
    ],
    files: &[],
    lines: &["scope"],
    driver,
    twins,
};

/// A device under test, and how the bench is set up for it where nobody says otherwise.
struct Device {
    known: Box<dyn Datasheet>,
    /// It in software, by its seed.
    physics: Box<dyn FnOnce(u64) -> Box<dyn Physics>>,
    /// Seconds of a tick, if it takes but one.
    tick: Option<f64>,
    v_max: f64,
    range: f64,
    rest: f64,
    /// The shortest rest in which it forgets.
    least: f64,
    /// Seconds that it remembers, if that is longer than its rest.
    memory: f64,
    oversample: usize,
    rates: [f64; 2],
    /// The fewest volts at full scale of the digitizer that hold what is looked for in its output.
    shows: f64,
}

/// The device that the options name, which bench and twin share.
fn device(options: &mut Options<'_>) -> Result<Device> {
    match options.take::<String>("dut")?.as_deref() {
        None | Some("leaky") => {
            none_of(options, &["ohm", "spread", "jitter", "dt", "error"], "neuristor")?;
            leaky(options)
        }
        Some("neuristor") => {
            none_of(options, &["tau", "r", "scale"], "leaky")?;
            neuristor(options)
        }
        Some(other) => Err(Error::unsupported(format!("the device {other:?} is none of leaky and neuristor"))),
    }
}

/// Refuses the options of another device under test.
fn none_of(options: &mut Options<'_>, names: &[&str], dut: &str) -> Result<()> {
    for name in names {
        if options.take::<String>(name)?.is_some() {
            return Err(Error::unsupported(format!(
                "option \"{name}\" is of dut={dut} alone: choose that device, or leave it out"
            )));
        }
    }
    Ok(())
}

fn within([least, most]: [f64; 2]) -> RangeInclusive<f64> {
    least..=most
}

fn leaky(options: &mut Options<'_>) -> Result<Device> {
    let tau = options.take_within("tau", 1e-6..=100.0)?.unwrap_or(1e-2);
    let gain = options.take_within("r", 1e-6..=1e6)?.unwrap_or(1.0);
    let scale = options.take_within("scale", 1e-6..=1e6)?.unwrap_or(1.0);
    let v_max = options.take_within("vmax", within(GENERATOR_RANGE))?.unwrap_or(5.0);
    Ok(Device {
        known: Box::new(leaky::Known { tau, gain, scale, v_max }),
        physics: Box::new(move |_| Box::new(leaky::Leaky::new(tau, gain))),
        tick: None,
        v_max,
        range: v_max * gain,
        rest: 20.0 * tau,
        least: 10.0 * tau,
        memory: 0.0,
        oversample: 16,
        rates: [1e6, 1e7],
        shows: 0.0,
    })
}

fn neuristor(options: &mut Options<'_>) -> Result<Device> {
    let wafer = Wafer::take(options, "jitter")?;
    let ohm = options.take_within("ohm", 1.0..=1e6)?.unwrap_or(1e3);
    // what drives a neuristor at all
    let [_, least] = INPUT;
    let v_max = options.take_within("vmax", least..=GENERATOR_RANGE[1])?.unwrap_or(15.0);
    Ok(Device {
        known: Box::new(neuristor::Known { wafer, ohm }),
        physics: Box::new(move |seed| Box::new(neuristor::Film::new(&Wafer { seed, ..wafer }, ohm))),
        tick: Some(wafer.dt),
        v_max,
        range: 6e-3 * ohm,
        rest: neuristor::SETTLED,
        least: neuristor::SETTLED,
        memory: WASHOUT,
        oversample: 2,
        rates: [1e8, 1e9],
        // a program may count spikes at up to 2 mA
        shows: 2.5e-3 * ohm,
    })
}

fn driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    bench(options).map(|bench| Box::new(Waveform::new(bench)) as Box<dyn Driver>)
}

fn bench(options: &mut Options<'_>) -> Result<Bench> {
    let device = device(options)?;
    let v_max = device.v_max;
    // the gain of the device may ask for more than there is
    let range = options.take_within("range", device.shows.max(SCOPE_RANGE[0])..=SCOPE_RANGE[1])?.unwrap_or(device.range);
    if !within(SCOPE_RANGE).contains(&range) {
        let why = format!("{range} V at full scale of the digitizer are not possible: choose range, or another device");
        return Err(Error::unsupported(why));
    }
    let edge = options.take_within("edge", v_max / 50.0..=v_max)?.unwrap_or(v_max / 10.0);
    let rest = options.take_within("rest", device.least..=1e4)?.unwrap_or(device.rest);
    let oversample = options.take_within("oversample", 2..=1000)?.unwrap_or(device.oversample);
    let [generator, digitizer] = device.rates;
    let rates = [
        options.take_within("awg_rate", within(GENERATOR_RATE))?.unwrap_or(generator),
        options.take_within("scope_rate", within(SCOPE_RATE))?.unwrap_or(digitizer),
    ];
    if device.tick.is_some_and(|tick| rates[0] * tick < 1.0 - 1e-9) {
        let why = format!(
            "{} samples a second of the generator are fewer than the ticks of the device: change dt or awg_rate",
            rates[0]
        );
        return Err(Error::unsupported(why));
    }
    Ok(Bench {
        device: device.known,
        v_max,
        range,
        edge,
        oversample,
        rates,
        rest: Duration::from_secs_f64(rest),
        memory: device.memory.max(rest),
        models: [word(options, "generator", "AWG")?, word(options, "digitizer", "DIGITIZER")?],
    })
}

fn twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    let device = device(options)?;
    let delay = options.take_within("delay", 1e-9..=1e-4)?.unwrap_or(3.7e-6);
    let bits = options.take_within("bits", 8..=16)?.unwrap_or(14);
    let noise = options.take_within("noise", 0.0..=1.0)?.unwrap_or(2e-4);
    let seed = options.take("seed")?.unwrap_or(0);
    let circuit = Arc::new(Mutex::new(Circuit::new((device.physics)(seed), delay, bits, noise, seed)));
    Ok(vec![Box::new(Instrument::new(Generator::new(Arc::clone(&circuit)))), Box::new(Instrument::new(Scope::new(circuit)))])
}
