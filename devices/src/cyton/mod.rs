//! The OpenBCI Cyton: eight channels of biosignals, 250 times a second.
//!
//! A source: no input, no reset, no memory, no tuning. What is lost is counted in the report:
//!
//! - A packet that did not come is seen by the counter of the packets, which counts to 256. Rounds of the counter that were lost whole are seen by
//!   the clock of the line, as soon as a packet has to be waited for; 256 packets take a second, and the moment of arrival is good to half of one.
//! - A packet whose counter does not fit between its neighbours is damaged. It is dropped, and counted as lost.
//! - A byte that was lost or doubled costs the packet that it was in.
//! - Between two advances the board goes on; a pause of up to a second is bridged, and what piles up in a longer one is dropped.
//!
//! Packets have no check sum. What stays undetectable: a bit that was changed within a sample, and a packet in which a byte was lost and another one
//! doubled. Settings are read back from the registers and compared before a run begins.
//!
//! While the board streams nothing is sent to it, since any command costs it a packet. A Daisy module is refused: its samples are averaged pairs.

pub mod codec;
pub mod driver;
mod stream;
pub mod twin;

#[cfg(test)]
mod tests;

use crate::kinds::Kind;
use crate::stream::share;
use codec::{Gain, Input};
use driver::Cyton;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use twin::CytonTwin;

/// The kind of instrument.
pub const KIND: Kind = Kind {
    name: "cyton",
    about: "OpenBCI Cyton, eight channels of biosignals",
    settings: Settings { baud: 115_200, parity: Parity::None },
    bauds: &[],
    options: &[
        ("gain", "1, 2, 4, 6, 8, 12 or 24, for all channels; 24 if absent"),
        ("input", "normal, shorted or test, for all channels; normal if absent"),
    ],
    twin_options: &[
        ("seed", "of the twin: the seed of its tissue; 0 if absent"),
        ("loss", "of the twin: the share of packets that its radio loses; 0 if absent"),
    ],
    files: &[],
    lines: &[],
    driver,
    twins,
};

fn driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    let times = options.take("gain")?.unwrap_or(24);
    let gain =
        Gain::of(times).ok_or_else(|| Error::unsupported(format!("the gain {times} is none of 1, 2, 4, 6, 8, 12 and 24")))?;
    let input = match options.take::<String>("input")? {
        None => Input::Normal,
        Some(name) => Input::named(&name)
            .ok_or_else(|| Error::unsupported(format!("the input {name:?} is none of normal, shorted and test")))?,
    };
    Ok(Box::new(Cyton::new(gain, input)))
}

fn twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    Ok(vec![Box::new(CytonTwin::new(options.take("seed")?.unwrap_or(0), share(options, "loss")?))])
}
