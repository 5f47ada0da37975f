//! Cultures of neurons on electrodes.
//!
//! A [`dish`] holds a [`network`] of neurons or the [`poisson`] control in its place. It listens on 64 [`electrodes`] and takes
//! [`stimulation`] within the safety envelope. [`response`] counts what follows a stimulus, [`stationarity`] says whether it is what it was.

pub mod bridge;
pub mod dish;
pub mod electrodes;
pub mod izhikevich;
pub mod network;
pub mod plasticity;
pub mod poisson;
pub mod population;
pub mod program;
mod realization;
pub mod response;
pub mod stationarity;
pub mod statistics;
pub mod stimulation;
pub mod substrate;
pub mod synapses;

pub use substrate::{OPTIONS, open};
