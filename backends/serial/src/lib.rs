//! Instruments at the end of a byte stream.
#![forbid(unsafe_code)]
