//! The physics of devices, apart from any instrument that talks to them.
//!
//! Each device is written once, as a transfer function or as a model with a state of its own, and is a substrate where it realises programs
//! by itself. Instruments in `isoform-devices` put the same physics behind their wires.

#![forbid(unsafe_code)]

pub mod crossbar;
pub mod culture;
mod instruction_sets;
pub mod memristor;
pub mod photonics;
mod promise;
pub mod quantum;
