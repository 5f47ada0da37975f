//! Instruments and their twins.
//!
//! A device is a folder of three: `codec` (bytes to values), `driver` (values to the contract), `twin` (the same bytes from software). The driver
//! holds no thread, no clock and no port.
#![forbid(unsafe_code)]

pub mod arc_one;
pub mod attach;
pub mod biosignal;
pub mod board;
pub mod cyton;
pub mod kinds;
pub mod lucidac;
pub mod media;
pub mod model_one;
pub mod parts;
pub mod photonic;
pub mod scpi;
mod single;
pub mod spikerbox;
mod stream;
pub mod umemristor;
pub mod waveform;

pub use attach::register;
