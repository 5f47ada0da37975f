//! Crossbars: matrices of conductances that multiply by Ohm's law and add by Kirchhoff's.
//!
//! A voltage on each word line drives a current through each cell, and each bit line collects `I[j] = Σ_i V[i] G[i,j]`. [`Array`] is the cells with
//! their wear and their noise, [`Network`] what the wires take, [`Pairs`] how signed weights are laid on cells, [`Converter`] the edges. [`open`] gives
//! the substrate that runs programs of dense maps on them.

mod array;
mod converter;
mod device;
mod edge;
mod error;
mod forecast;
mod network;
mod options;
mod pair;
mod product;
mod realization;
mod stage;
mod statistics;
mod substrate;
#[cfg(test)]
mod tests;
mod whole;
mod wires;

pub use array::{Array, Settings, Verified};
pub use converter::Converter;
pub use device::Device;
pub use error::Error;
pub use network::{Currents, Network};
pub use options::OPTIONS;
pub use pair::Pairs;
pub use substrate::{Crossbar, open};
