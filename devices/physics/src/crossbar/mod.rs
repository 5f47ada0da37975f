//! Crossbars: matrices of conductances that multiply by Ohm's law and add by Kirchhoff's.
//!
//! A voltage on each word line drives a current through each cell, and each bit line collects `I[j] = Σ_i V[i] G[i,j]`. [`Array`] is the cells with
//! their wear and their noise, [`Network`] what the wires take, [`Pairs`] how signed weights are laid on cells, [`Converter`] the edges.

mod array;
mod converter;
mod device;
mod error;
mod network;
mod pair;

pub use array::{Array, Settings, Verified};
pub use converter::Converter;
pub use device::Device;
pub use error::Error;
pub use network::{Currents, Network};
pub use pair::Pairs;
