//! Cultures of neurons on electrodes.

pub mod izhikevich;
pub mod network;
pub mod plasticity;
pub mod population;
pub mod statistics;
pub mod synapses;
