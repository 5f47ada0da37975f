//! The conformance suite on the first adapter; `./test substrates` tries the other rounding.
#![forbid(unsafe_code)]

use isoform_wgpu::{Options, WgpuSubstrate};

isoform_conformance::laws!(WgpuSubstrate::new(Options::new()).expect("an adapter; install mesa-vulkan-drivers"));
