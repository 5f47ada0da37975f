//! Quantum materials whose dynamics computes: a phase transition, a precessing magnet, a superconducting junction.
//!
//! The classes of devices are those of Hoffmann et al. 2022, APL Mater. 10, 070904; each file names the source of its equations. Every
//! device is a transfer function, so that it runs on any substrate. An array of neuristors is a substrate as well: `twin:neuristor`.

pub mod array;
pub mod hysteresis;
pub mod josephson;
mod layout;
pub mod neuristor;
pub mod onset;
pub mod oscillators;
pub mod rate;
mod realization;
pub mod spin_torque;
mod substrate;
mod wafer;

pub use layout::Layout;
pub use substrate::{NeuristorArray, OPTIONS, open};
pub use wafer::{INPUT, WASHOUT, Wafer};
