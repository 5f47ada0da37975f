//! The conformance suite on the first device; `./test substrates` tries the other style.

use isoform_opencl::{OpenClSubstrate, Options};

isoform_conformance::laws!(OpenClSubstrate::new(Options::new()).expect("a device; install pocl-opencl-icd"));
