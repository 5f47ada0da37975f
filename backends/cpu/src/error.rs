//! What can go wrong on this substrate.

use isoform_core::error::{Error, ErrorKind};
use isoform_core::lanes::InstructionSet;

/// An error of the CPU substrate, before it becomes one of the contract.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    /// The processor cannot run the instruction set that was asked for.
    #[error("this processor has no {wanted}; it has {best} at best: choose that, or isa=auto")]
    InstructionSet {
        /// What was asked for.
        wanted: InstructionSet,
        /// The widest that there is.
        best: InstructionSet,
    },
    /// The name of an instruction set is unknown.
    #[error("option \"isa\" is {0:?}, but expects auto, baseline, avx2 or avx512")]
    UnknownInstructionSet(String),
    /// A pool of so many threads makes no sense.
    #[error("{0} threads are not possible: choose 1 to {max}", max = crate::options::MOST_THREADS)]
    Threads(usize),
    /// The operating system gave no threads.
    #[error("the threads of the pool could not be started: choose fewer")]
    Pool(#[source] rayon::ThreadPoolBuildError),
    /// The buffers do not fit into memory.
    #[error("the buffers of the run do not fit into memory: use fewer lanes or a smaller program")]
    OutOfMemory,
    /// A number of the program is beyond single precision.
    #[error("{what} is beyond single precision: scale the program")]
    Range {
        /// Which number.
        what: &'static str,
        /// The node.
        node: String,
    },
    /// There is no kernel for a node.
    #[error("the processor has no kernel for {kind}: place the node on a substrate that has one")]
    NoKernel {
        /// What the node is.
        kind: &'static str,
        /// The node.
        node: String,
    },
    /// A parameter cannot change while the program runs.
    #[error("{parameter:?} is part of the layout of the state and cannot be tuned: build a program with another value")]
    Fixed {
        /// The parameter.
        parameter: String,
        /// The node.
        node: String,
    },
}

impl From<CpuError> for Error {
    fn from(error: CpuError) -> Self {
        let kind = match &error {
            CpuError::Pool(_) => ErrorKind::Fault,
            CpuError::InstructionSet { .. }
            | CpuError::UnknownInstructionSet(_)
            | CpuError::Threads(_)
            | CpuError::OutOfMemory
            | CpuError::Range { .. }
            | CpuError::NoKernel { .. }
            | CpuError::Fixed { .. } => ErrorKind::Unsupported,
        };
        let node = match &error {
            CpuError::Range { node, .. } | CpuError::NoKernel { node, .. } | CpuError::Fixed { node, .. } => Some(node.clone()),
            _ => None,
        };
        let mapped = Self::new(kind, error.to_string()).with_source(error);
        match node {
            Some(node) => mapped.with_node(node),
            None => mapped,
        }
    }
}
