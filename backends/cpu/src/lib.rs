//! The CPU substrate of isoform.
//!
//! A program is compiled into steps over blocks of ticks: element-wise nodes run through the vectorised loop of
//! [`isoform_core::lanes`], linear maps through kernels of this crate that are event-driven where rows are sparse. Parts of a
//! program that feed back on themselves run tick by tick inside a block; a small node that hears itself through one map runs all its
//! ticks in one go.
//!
//! # Behavior
//! - The same bits come out for every instruction set, number of threads, split into chunks and form of input: every sum has
//!   one order (the bias, then the terms by ascending input), and no multiplication is fused with an addition.
//! - Nothing is allocated inside [`advance`](isoform_core::substrate::Realization::advance) but its boxed future.
//! - A request to cancel is honoured between blocks of at most 64 ticks, shorter where 64 would take more than about four
//!   milliseconds but not below eight; the state then stands at exactly the ticks that were reported.
//! - Nodes with a located test or fixed numbers step one by one in double precision.
//!
//! ```
//! use isoform_core::builder::Builder;
//! use isoform_core::functions::lif;
//! use isoform_core::semantics::Semantics;
//! use isoform_core::session::Blocking;
//! use isoform_core::substrate::Run;
//! use isoform_cpu::{CpuSubstrate, Options};
//!
//! # fn main() -> isoform_core::error::Result<()> {
//! let mut net = Builder::new();
//! let x = net.input("x", [1]);
//! let spikes = net.node("neuron", lif().with("tau", 20e-3).with("r", 2.0), x);
//! net.output("spikes", spikes);
//! let program = net.build(Semantics::exact(1e-3))?;
//!
//! let cpu = CpuSubstrate::new(Options::new().with_threads(1))?;
//! let mut session = Blocking::open(&cpu, &program, &Run::new())?;
//! let spikes = session.run(&[1.0; 100])?;
//! assert_eq!(spikes.iter().sum::<f32>(), 7.0);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod aligned;
mod block;
mod buffer;
mod cell;
mod error;
mod linear;
mod memory;
mod neuron;
mod options;
mod output;
mod plan;
mod realization;
mod ring;
mod shard;
mod span;
mod substrate;
mod tuning;
mod values;

pub use error::CpuError;
pub use options::Options;
pub use substrate::{CpuSubstrate, register};
