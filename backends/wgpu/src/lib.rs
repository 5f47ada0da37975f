//! The GPU substrate: whole programs on graphics processors, through wgpu.
//!
//! A program is lowered to kernels by [`isoform_kernels`], printed as WGSL and launched on any adapter that wgpu finds through Vulkan,
//! Metal or Direct3D 12; a Vulkan driver in software will do.
//!
//! # Behavior
//! - A block of ticks is one submission: the input is written, one pass launches the kernels, one copy brings the output back.
//! - Requests to cancel are honoured between blocks of at most 256 ticks; the state then stands at exactly the ticks that were reported.
//! - The realizations of a substrate share its device and its compiled kernels. A device that is lost fails every realization on it
//!   with `Disconnected`; the next one to be realised gets a fresh device.
//! - WGSL allows a device to fuse `a * b + c` and to regroup sums, which no error bound covers where a sum is grouped on purpose. Each
//!   result is therefore kept apart from the next operation, at the cost of an operation on its bits ([`Rounding::Each`]); on a
//!   device whose divisions and square roots are those of IEEE 754, which WGSL does not promise, numbers in the normal range then
//!   are those of the CPU to the bit. With `rounding=device` the equations of neurons and maps are left to the device.
//! - wgpu allocates for every submission, so `advance` does as well.
//!
//! ```no_run
//! use isoform_core::builder::Builder;
//! use isoform_core::functions::lif;
//! use isoform_core::semantics::Semantics;
//! use isoform_core::session::Blocking;
//! use isoform_core::substrate::Run;
//! use isoform_wgpu::{Options, WgpuSubstrate};
//!
//! # fn main() -> isoform_core::error::Result<()> {
//! let mut net = Builder::new();
//! let x = net.input("x", [1]);
//! let spikes = net.node("neuron", lif().with("tau", 20e-3).with("r", 2.0), x);
//! net.output("spikes", spikes);
//! let program = net.build(Semantics::exact(1e-3))?;
//!
//! let gpu = WgpuSubstrate::new(Options::new())?;
//! let mut session = Blocking::open(&gpu, &program, &Run::new())?;
//! let spikes = session.run(&[1.0; 100])?;
//! assert_eq!(spikes.iter().sum::<f32>(), 7.0);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod adapter;
pub mod bare;
mod clock;
mod device;
mod fault;
mod gpu;
mod options;
mod pipeline;
mod spans;
mod staging;
mod substrate;

pub use fault::WgpuError;
pub use isoform_kernels::print::wgsl::Rounding;
pub use options::{Options, Power};
pub use substrate::{WgpuSubstrate, register};
