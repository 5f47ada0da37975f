//! The OpenCL substrate: whole programs on GPUs, CPUs and FPGA boards.
//!
//! Kernels are printed from the one definition (see `isoform-kernels`); the driver of the device compiles them, or a board's own compiler
//! has done so beforehand and a [container] brings the binary. The library of OpenCL is looked for when it is needed, and its absence is an
//! ordinary error.

pub mod bare;
pub mod container;
mod device;
mod discovery;
mod driver;
mod fault;
pub mod offline;
mod options;
mod substrate;

pub use fault::OpenClError;
pub use isoform_kernels::print::opencl::Style;
pub use options::Options;
pub use substrate::{OpenClSubstrate, register};
