//! File formats of isoform: NIR graphs and signals.
//!
//! Everything a user hands to isoform comes from a file that somebody else wrote, so this crate is
//! a border: it turns bytes into plain data ([`nir::Graph`], [`signal::Signal`]) or into a typed
//! error that names the file and the place in it. It knows no dynamics and no time step; the
//! meaning of a graph is given by the program that is built from it.
//!
//! - [`nir`]: graphs and recorded data of the Neuromorphic Intermediate Representation (HDF5,
//!   read and written without a C library).
//! - [`signal`]: input and output signals as `.npy`, `.csv` or NIR data files.
//!
//! No function here panics on any input, and what a file may make the reader allocate is bounded
//! by the length of the file.
#![forbid(unsafe_code)]

pub mod nir;
pub mod program;
pub mod signal;
