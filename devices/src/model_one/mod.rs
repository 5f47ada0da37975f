//! Analog Paradigm Model-1, an analog computer, by its hybrid controller.
//!
//! What the machine computes is patched by hand; a file says what is where ([`patch`]), and a program of leaky integrators and integrators takes
//! the channels of the patch. Coefficients, inputs and initial conditions are potentiometers of ten bits. Class *analog-noisy*.
//!
//! The state is readable, but can be written through IC alone: there is no facet memory, and a reset is the next IC. The converter prints four
//! decimals; what its noise hides remains unseen, as does a digit that is changed on the line by less than 1e-3.
//!
//! The rate is 115200 or 250000 bits a second, by the firmware that was compiled: both are tried unless `baud` says which.
//!
//! Sources: firmware 2.1 of the controller (`anabrid/Model-1`), and exchanges with it on a simulated processor.

pub mod codec;
pub mod dialogue;
pub mod driver;
pub mod patch;
#[cfg(test)]
mod tests;
pub mod twin;

use crate::kinds::Kind;
use driver::ModelOne;
use isoform_core::error::Result;
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Parity, Settings, Twin};
use patch::Patch;
use twin::ModelOneTwin;

/// The entry in the list of instruments.
pub const KIND: Kind = Kind {
    name: "model-one",
    about: "a Model-1 analog computer by its hybrid controller: integrators as they are patched",
    settings: Settings { baud: 115_200, parity: Parity::None },
    bauds: &[250_000],
    options: &[(
        "patch",
        "a JSON file that says what is patched where, as in docs/model-one.md; one channel on the controller's own potentiometers if absent",
    )],
    twin_options: &[
        ("wiring", "of the twin: its patch, if it is not the default one"),
        ("seed", "of the twin: the seed of its noise; 0 if absent"),
    ],
    files: &["patch"],
    lines: &[],
    driver: make_driver,
    twins: make_twins,
};

fn make_driver(options: &mut Options<'_>) -> Result<Box<dyn Driver>> {
    Ok(Box::new(ModelOne::new(Patch::take(options, "patch")?)))
}

fn make_twins(options: &mut Options<'_>) -> Result<Vec<Box<dyn Twin>>> {
    let patch = Patch::take(options, "wiring")?;
    Ok(vec![Box::new(ModelOneTwin::new(patch, options.take("seed")?.unwrap_or(0)))])
}
