//! Meaning and contracts of isoform: transfer functions, programs, semantics, substrates, the oracle.
#![forbid(unsafe_code)]

pub mod bound;
pub mod dual;
pub mod error;
pub mod linear;
pub mod polynomial;
pub mod scalar;
pub mod tape;
pub mod tensor;
