//! The analog computer LUCIDAC of anabrid: eight integrators, four multipliers, a switchable interconnection, at a serial port or in the network.
//!
//! [`compile`] makes a circuit of a program; [`driver`] patches it and runs it; [`twin`] is the machine in software. Protocol: firmware
//! `anabrid/lucidac-firmware` at `d6e73228`, JSON lines.
//!
//! # What is realised
//! - The flow itself, in continuous time: no Euler step, no exact decay on a grid. Row `t` of an output block is what the converter reads at the
//!   end of tick `t`.
//! - Inputs are factors of the circuit. A block is cut where its input changes; each piece is a run of the machine that starts, by its initial
//!   conditions, from the last readings of the piece before. A held input costs one run; one that changes every tick costs a run for each tick,
//!   and the reading error of each.
//! - The state is what the converter read last, with three decimals of a unit: saved and loaded states are no better than that.
//!
//! # What is seen and what is not
//! On a serial port the firmware repeats every byte, and each request is compared with its repetition. After the settings were sent, and
//! again after each run, they are read back and compared. The first row of each run has to show its initial conditions; the number of rows has to be right. A digit of a later sample that
//! changes on the way is not seen: USB and TCP have check sums of their own, the protocol has none.
//!
//! The signs of the machine are measured when it is identified, not believed: see [`driver`].

pub mod circuit;
pub mod codec;
pub mod compile;
mod dialogue;
pub mod driver;
pub mod machine;
mod product;
mod reader;
mod sampling;
pub mod twin;

use crate::kinds::Kind;
use compile::Wish;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_serial::transport::{Parity, Settings};
use std::ops::RangeInclusive;

/// The kind.
pub const KIND: Kind = Kind {
    name: "lucidac",
    about: "the analog computer LUCIDAC: flows of up to eight states, in continuous time",
    settings: Settings { baud: 115_200, parity: Parity::None },
    bauds: &[],
    options: &[
        ("unit", "what one unit of the machine stands for, by state: x:20,y:30; the nominal ranges if absent"),
        ("rate", "ticks in a second of the machine; the highest at which all factors fit if absent"),
        ("k0", "the rate constant of the integrators, 100 or 10000 /s; what suits the factors if absent"),
    ],
    twin_options: &[
        ("link", "of the twin: serial (repeats what it hears) or tcp"),
        ("polarity", "of the twin: inverted (an initial condition of one reads -1) or direct"),
        ("noise", "of the twin: standard deviation of a reading, in units of the machine; 5e-4 if absent"),
        ("seed", "of the twin: the seed of its noise; 0 if absent"),
    ],
    files: &[],
    lines: &[],
    driver: |options| Ok(Box::new(driver::Lucidac::new(wish(options)?))),
    twins: |options| Ok(vec![Box::new(twin::Twin::new(manner(options)?))]),
};

/// What a unit may stand for: products of three of them are still numbers.
const UNITS: RangeInclusive<f64> = 1e-12..=1e12;

fn wish(options: &mut Options<'_>) -> Result<Wish> {
    let mut units = Vec::new();
    for one in options.take::<String>("unit")?.iter().flat_map(|all| all.split(',')) {
        let parsed = one.split_once(':').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        let parsed = parsed.filter(|(name, unit): &(String, f64)| !name.is_empty() && UNITS.contains(unit));
        let (name, unit) = parsed.ok_or_else(|| {
            let [least, most] = [UNITS.start(), UNITS.end()];
            Error::unsupported(format!("the unit {one:?} is no state and value from {least:e} to {most:e}, such as x:20"))
        })?;
        if units.iter().any(|(other, _)| *other == name) {
            return Err(Error::unsupported(format!("the unit of {name} is given twice: leave one of the two out")));
        }
        units.push((name, unit));
    }
    let (rate, k0) = (options.take("rate")?, options.take("k0")?);
    if rate == Some(0) {
        return Err(Error::unsupported("no tick in a second is no rate: leave rate away for the highest"));
    }
    if k0.is_some_and(|k0| k0 != 100 && k0 != 10_000) {
        return Err(Error::unsupported("the rate constant of the integrators is 100 or 10000 /s: choose one with k0"));
    }
    Ok(Wish { units, rate, k0 })
}

fn manner(options: &mut Options<'_>) -> Result<twin::Manner> {
    let choice = |value: Option<String>, first: &str, other: &str| match value.as_deref() {
        Some(v) if v == other => Ok(true),
        Some(v) if v != first => Err(Error::unsupported(format!("{v:?} is neither {first} nor {other}"))),
        _ => Ok(false),
    };
    let noise = options.take_within("noise", 0.0..=1.0)?.unwrap_or(5e-4);
    Ok(twin::Manner {
        is_serial: !choice(options.take("link")?, "serial", "tcp")?,
        is_direct: choice(options.take("polarity")?, "inverted", "direct")?,
        noise,
        seed: options.take("seed")?.unwrap_or(0),
    })
}
