//! Meaning and contracts of isoform: transfer functions, programs, semantics, substrates, the oracle.
#![forbid(unsafe_code)]

pub mod bound;
pub mod builder;
mod coefficients;
mod digest;
pub mod draw;
pub mod dual;
pub mod dump;
pub mod dynamics;
pub mod error;
pub mod executor;
mod fixed;
pub mod fixed_point;
pub mod functions;
mod infer;
pub mod lanes;
pub mod layer;
pub mod linear;
mod located;
pub mod locator;
pub mod neuron;
pub mod optical;
pub mod oracle;
pub mod plan;
pub mod polynomial;
pub mod profile;
pub mod program;
pub mod registry;
pub mod report;
pub mod scalar;
pub mod schedule;
pub mod semantics;
pub mod session;
pub mod signal;
pub mod single;
pub mod stability;
pub mod state;
pub mod step;
pub mod substrate;
pub mod tape;
pub mod tensor;
pub mod terms;
pub mod transfer;
mod walk;
pub mod witness;

pub use coefficients::{Channel, Channels, Coefficients};
