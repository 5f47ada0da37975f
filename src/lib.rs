//! One definition of a stateful transfer function, on any substrate, with proof of how faithfully.
//!
//! This package is the face of the framework: it brings the parts together and adds what reads and writes files. The command line
//! is built on nothing else.
//!
//! | where | what |
//! |---|---|
//! | [`core`] | transfer functions, programs, semantics, substrates, sessions, the oracle |
//! | [`formats`] | NIR graphs and signals in files |
//! | [`conformance`] | the laws that a substrate must keep, and their verdicts |
//! | [`registry`] | every substrate that this build knows |
//! | [`model`], [`experiment`], [`run`], [`state_file`], [`manifest`] | what the command line does with files |
//! | [`compare`] | a substrate beside the oracle |
//!
//! ```
//! use isoform::prelude::*;
//!
//! # fn main() -> isoform::core::error::Result<()> {
//! let mut net = Program::builder();
//! let current = net.input("current", [1]);
//! let spikes = net.node("neuron", lif().with("tau", 20e-3), current);
//! net.output("spikes", spikes);
//! let program = net.build(Semantics::exact(1e-3))?;
//!
//! let substrate = isoform::registry().open_str("oracle:")?;
//! let mut session = Blocking::open(substrate.as_ref(), &program, &Run::new())?;
//! let spikes = session.run(&[1.5; 100])?;
//! assert_eq!(spikes.iter().sum::<f32>(), 4.0);
//! # Ok(())
//! # }
//! ```
//!
//! # What is supported
//! Linux is tested. macOS and Windows are not tested; nothing here is specific to a platform.
//!
//! # Features
//! One for each backend, all independent and all on by default: `cpu`, `wgpu`, `opencl`, and `devices` for instruments. The oracle and the layers are always there.
#![forbid(unsafe_code)]

pub use isoform_conformance as conformance;
pub use isoform_core as core;
#[cfg(feature = "devices")]
pub use isoform_devices as devices;
pub use isoform_formats as formats;
#[cfg(feature = "devices")]
pub use isoform_serial as serial;

pub mod compare;
pub mod demo;
pub mod experiment;
pub mod files;
pub mod manifest;
mod memory;
pub mod model;
pub mod run;
pub mod semantics;
pub mod state_file;
mod substrates;

pub use substrates::registry;

/// What most programs need.
pub mod prelude {
    pub use crate::core::builder::{Builder, Wire, delay, identity, reshape};
    pub use crate::core::error::{Error, ErrorKind, Integrity, Result};
    pub use crate::core::functions::{cuba_li, cuba_lif, integrate_and_fire, integrator, li, lif, scale, threshold};
    pub use crate::core::linear::{AvgPool2d, Conv1d, Conv2d, Dense, Sparse, SumPool2d};
    pub use crate::core::locator::Locator;
    pub use crate::core::neuron::Neuron;
    pub use crate::core::program::Program;
    pub use crate::core::registry::Registry;
    pub use crate::core::semantics::{Preset, Semantics};
    pub use crate::core::session::{Blocking, Session};
    pub use crate::core::signal::{Event, Signal, SignalMut};
    pub use crate::core::state::State;
    pub use crate::core::substrate::{Run, Substrate};
    pub use crate::core::tensor::Tensor;
    pub use crate::registry;
}
