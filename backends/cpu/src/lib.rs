//! The CPU substrate of isoform.
#![forbid(unsafe_code)]
