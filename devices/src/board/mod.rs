//! Boards at the end of a byte stream: small vector machines that run stateful transfer functions (`docs/board-protocol.md`).

pub mod capabilities;
pub mod codec;
pub mod dialogue;
pub mod image;
pub mod machine;
pub mod operation;
#[cfg(test)]
mod tests;

pub use capabilities::{Capabilities, FunctionEntry, Numbers};
pub use image::{Image, Patch};
pub use machine::{Machine, MachineError};
