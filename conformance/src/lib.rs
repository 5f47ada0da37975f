//! The conformance suite of isoform.
#![forbid(unsafe_code)]

pub mod record;
