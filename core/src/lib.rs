//! Meaning and contracts of isoform: transfer functions, programs, semantics, substrates.
#![forbid(unsafe_code)]
