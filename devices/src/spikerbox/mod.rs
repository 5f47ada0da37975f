//! The Backyard Brains SpikerBox: one channel of spikes, ten thousand times a second.
//!
//! A source: no input, no reset, no memory, no tuning. Its samples have neither a counter nor a check sum, so that less is known of losses than
//! elsewhere:
//!
//! - A byte without its other half costs a sample, which is counted as lost. A byte that came twice looks the same; what follows is then a tick late.
//! - Samples that were lost whole are seen by the clock of the line alone, and only if they are more than 50 ms and 1 % of the time since the last
//!   look: the resonator of the box is no better. They are counted where the stream is next waited for.
//! - Bits that were changed within a sample are undetectable.
//!
//! Between two advances the box goes on; see the module `stream` for what is bridged and what is dropped. Voltages are those at the converter, with
//! the resting level of the box in them; the gain of its amplifier is not known to the protocol.
//!
//! Some boxes run their line at 222 222 bits a second, which is tried too unless `baud` says which.

pub mod codec;
pub mod driver;
pub mod twin;

#[cfg(test)]
mod tests;

use crate::kinds::Kind;
use crate::stream::share;
use driver::SpikerBox;
use isoform_core::error::Result;
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use twin::SpikerBoxTwin;

/// The kind of instrument.
pub const KIND: Kind = Kind {
    name: "spikerbox",
    about: "Backyard Brains SpikerBox, one channel of spikes",
    settings: Settings { baud: 230_400, parity: Parity::None },
    bauds: &[222_222],
    options: &[],
    twin_options: &[
        ("seed", "of the twin: the seed of its tissue; 0 if absent"),
        ("loss", "of the twin: the share of bytes that its line loses; 0 if absent"),
    ],
    files: &[],
    lines: &[],
    driver,
    twins,
};

fn driver(_: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    Ok(Box::new(SpikerBox::new()))
}

fn twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    Ok(vec![Box::new(SpikerBoxTwin::new(options.take("seed")?.unwrap_or(0), share(options, "loss")?))])
}
