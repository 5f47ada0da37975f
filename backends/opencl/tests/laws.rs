//! The conformance suite on the first device, in both styles.

use isoform_opencl::{OpenClSubstrate, Options, Style};

isoform_conformance::laws!(grid, OpenClSubstrate::new(Options::new()).expect("a device; install pocl-opencl-icd"));
isoform_conformance::laws!(
    task,
    OpenClSubstrate::new(Options::new().with_style(Style::Task)).expect("a device; install pocl-opencl-icd")
);
