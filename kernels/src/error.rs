//! What keeps a program from becoming kernels.

use isoform_core::error::{Error, ErrorKind};

/// An error of the lowering, before it becomes one of the contract.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// There is no kernel for a node.
    #[error("there is no kernel for {kind}: run this node on cpu, or place it there")]
    NoKernel {
        /// The node.
        node: String,
        /// What it is.
        kind: &'static str,
    },
    /// A number of the program is beyond single precision.
    #[error("{what} is beyond single precision: scale the program")]
    Range {
        /// Which number.
        what: &'static str,
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
    /// A buffer exceeds what the device can hold or address.
    #[error(
        "{what} needs a buffer of {bytes} bytes, more than the {limit} that {device} can take: use fewer lanes or a smaller program"
    )]
    TooLarge {
        /// Which buffer.
        what: String,
        /// Its size.
        bytes: usize,
        /// The largest of the device.
        limit: usize,
        /// The device.
        device: String,
    },
    /// A kernel touches more buffers than the device can bind.
    #[error("{kernel} touches {count} buffers, more than the {limit} that {device} can bind")]
    TooManyBuffers {
        /// The kernel.
        kernel: String,
        /// How many buffers.
        count: usize,
        /// The most of the device.
        limit: usize,
        /// The device.
        device: String,
    },
}

impl From<KernelError> for Error {
    fn from(error: KernelError) -> Self {
        let node = match &error {
            KernelError::NoKernel { node, .. } | KernelError::Range { node, .. } | KernelError::Fixed { node, .. } => {
                Some(node.clone())
            }
            _ => None,
        };
        let mapped = Self::new(ErrorKind::Unsupported, error.to_string()).with_source(error);
        match node {
            Some(node) => mapped.with_node(node),
            None => mapped,
        }
    }
}
