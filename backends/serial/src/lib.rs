//! Instruments at the end of a byte stream.
//!
//! ```text
//! Transport (bytes, a clock) ── Link (deadlines, bounds, framing) ── Driver (the words of one instrument) ── Instrument (a substrate)
//! ```
//!
//! A [`Transport`](transport::Transport) is a serial port, a TCP connection, a serial port at the far end of a network (RFC 2217), a child
//! process, a twin in memory on a virtual clock, a script, or a transcript. A [`Link`](link::Link) gives every exchange a deadline and every
//! buffer a bound. A [`Driver`](driver::Driver) holds no thread, no clock and no port; [`Instrument`](instrument::Instrument) turns it into a
//! [`Substrate`](isoform_core::substrate::Substrate).
#![forbid(unsafe_code)]

pub mod driver;
pub mod error;
pub mod exchange;
pub mod instrument;
pub mod lines;
pub mod link;
pub mod serve;
pub mod transcript;
pub mod transport;
