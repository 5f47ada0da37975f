//! Meaning and contracts of isoform: transfer functions, programs, semantics, substrates, the oracle.
#![forbid(unsafe_code)]

pub mod bound;
mod coefficients;
pub mod dual;
pub mod dynamics;
pub mod error;
mod fixed;
pub mod functions;
pub mod lanes;
pub mod linear;
mod located;
pub mod neuron;
pub mod polynomial;
pub mod scalar;
pub mod semantics;
pub mod signal;
pub mod step;
pub mod tape;
pub mod tensor;
pub mod transfer;

pub use coefficients::Coefficients;
