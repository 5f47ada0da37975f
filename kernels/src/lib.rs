//! Programs as kernels: what graphics processors and FPGA boards run, made from the one definition.
//!
//! A program is [lowered](lower) step by step to [kernels](form::Kernel) in a small typed language; [`mod@print`] writes them as WGSL or as
//! OpenCL C. [`Realization`](realization::KernelRealization) runs the launches of a lowered program on anything that is a
//! [`Device`](device::Device), so that a substrate has only buffers, compilation and launches to supply.
#![forbid(unsafe_code)]

pub mod device;
pub mod error;
pub mod form;
pub mod library;
mod linear;
pub mod lower;
mod neuron;
pub mod print;
pub mod realization;
mod reserved;
mod rows;
mod staging;
mod straight;
mod writer;
