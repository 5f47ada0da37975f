//! Boards at the end of a byte stream: small vector machines that run stateful transfer functions (`docs/board-protocol.md`).

pub mod capabilities;
pub mod codec;
mod cut;
pub mod dialogue;
pub mod driver;
pub mod image;
pub mod machine;
pub mod operation;
#[cfg(test)]
mod tests;
pub mod twin;

pub use capabilities::{Capabilities, FunctionEntry, Numbers};
pub use driver::BoardDriver;
pub use image::{Image, Patch};
pub use machine::{Machine, MachineError};
pub use twin::BoardTwin;

use crate::kinds::Kind;
use isoform_core::error::{Error, Result};
use isoform_core::fixed_point::Format;
use isoform_core::functions::library;
use isoform_core::locator::Options;
use isoform_serial::transport::{Settings, Twin};

/// The kind of instrument.
pub(crate) const KIND: Kind = Kind {
    name: "board",
    about: "a board that speaks docs/board-protocol.md, such as an Arduino with the firmware of this project",
    settings: Settings { baud: 115_200, parity: isoform_serial::transport::Parity::None },
    bauds: &[],
    options: &[],
    twin_options: &[
        ("numbers", "of the twin: Q24, another Qn, or F32"),
        ("mode", "of the twin: checked, or plain if it is to have no check sums; checked if absent"),
    ],
    files: &[],
    lines: &[],
    driver: |_| Ok(Box::new(BoardDriver::new())),
    twins: |options| Ok(vec![twin(options)?]),
};

fn twin(options: &mut Options<'_>) -> Result<Box<dyn Twin>> {
    let functions = library();
    let broken = |e: isoform_core::fixed_point::FixedPointError| Error::fault("the twin has no such functions").with_source(e);
    let numbers = match options.take::<String>("numbers")?.as_deref() {
        None => Numbers::Fixed(Format::covering(functions.iter().map(AsRef::as_ref)).map_err(broken)?),
        Some("F32") => Numbers::F32,
        Some(text) => {
            let fraction = text.strip_prefix('Q').and_then(|n| n.parse().ok()).and_then(|n| Format::new(n).ok());
            let refuse = || Error::unsupported(format!("numbers={text} is none of F32 and Q0 to Q30"));
            Numbers::Fixed(fraction.ok_or_else(refuse)?)
        }
    };
    let twin = BoardTwin::new(numbers, &functions).map_err(broken)?;
    match options.take::<String>("mode")?.as_deref() {
        None | Some("checked") => Ok(Box::new(twin)),
        Some("plain") => Ok(Box::new(twin.without_check())),
        Some(other) => Err(Error::unsupported(format!("mode={other} is neither checked nor plain"))),
    }
}
