//! ArC ONE, a board that reads and pulses memristor arrays of up to 32 by 32 cells.
//!
//! The state of an array is its conductances. They are set by pulses in a closed loop ([`verify`]), drift by themselves, survive every
//! failure of the line, and are read one at a time: a dense map is a sweep of reads and a sum on the host ([`map`], [`driver`]). The protocol has
//! no frames and no errors; [`dialogue`] says what is done about that and what remains unseen.
//!
//! Class *analog-wearing*: every pulse wears, and is counted in `Report::writes`. A program is loaded by writing the array, which takes
//! minutes on a real board; after a failure only what has left its band is written again. There is no facet memory: a program of dense maps
//! keeps nothing from tick to tick. The facet tuning reads weights off the array and writes them into it.
//!
//! Sources: the host software of the vendor (`arc-instruments/arc1_pyqt` and `libarc1`); the firmware is not public.

pub mod cell;
pub mod codec;
pub mod dialogue;
pub mod driver;
pub mod map;
#[cfg(test)]
mod tests;
pub mod twin;
pub mod verify;

use self::verify::BOARD_VOLTS;
use crate::kinds::Kind;
use driver::{ArcOne, Choices};
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use twin::ArcOneTwin;

/// The entry in the list of instruments.
pub const KIND: Kind = Kind {
    name: "arc-one",
    about: "a memristor array on an ArC ONE board: dense maps, written by pulses and read cell by cell",
    settings: Settings { baud: 921_600, parity: Parity::Even },
    bauds: &[],
    options: &[
        ("words", "word lines of the array, from 1 to 32; 32 if absent"),
        ("bits", "bit lines of the array, from 2, for a pair is a weight, to 32; 32 if absent"),
        ("weight", "magnitude of the largest weight, 1 if absent"),
        ("volts", "largest magnitude of a pulse in volts, from 0.5 to 12; 2 if absent"),
        ("shown", "inputs and outputs of the map that it shows of itself, at most 16; 4, or what fits the array, if absent"),
    ],
    twin_options: &[("seed", "of the twin: the seed of its cells; 0 if absent")],
    files: &[],
    lines: &[],
    driver: make_driver,
    twins: make_twins,
};

fn make_driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    let mut choices =
        Choices { weight: options.take_within("weight", 1e-6..=1e6)?, shown: options.take("shown")?, ..Choices::default() };
    let reading = &mut choices.reading;
    reading.words = options.take_within("words", 1..=32)?.unwrap_or(reading.words);
    reading.bits = options.take_within("bits", 2..=32)?.unwrap_or(reading.bits);
    let fits = reading.words.min(reading.bits / 2);
    if let Some(shown) = choices.shown
        && !(1..=fits).contains(&shown)
    {
        return Err(Error::unsupported(format!(
            "a map of {shown} by {shown} does not fit {} word lines and pairs of {} bit lines",
            reading.words, reading.bits
        )));
    }
    choices.writer.most_volts = options.take_within("volts", 0.5..=BOARD_VOLTS)?.unwrap_or(choices.writer.most_volts);
    choices.writer.volts = choices.writer.volts.min(choices.writer.most_volts);
    choices.writer.check(&dialogue::Board::new(choices.reading), &[])?;
    Ok(Box::new(ArcOne::new(choices)))
}

fn make_twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    Ok(vec![Box::new(ArcOneTwin::new(options.take("seed")?.unwrap_or(0)))])
}
