//! What can go wrong on this substrate.

use isoform_core::error::{Error, ErrorKind};
use opencl3::error_codes::ClError;

/// An error of the OpenCL substrate, before it becomes one of the contract.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum OpenClError {
    /// The library of OpenCL is not there.
    #[error("there is no OpenCL library on this computer: install one, such as the package ocl-icd-libopencl1")]
    NoLibrary,
    /// No driver is installed.
    #[error("OpenCL finds no device: install a driver, such as the package pocl-opencl-icd")]
    NoDevice,
    /// The device that was named is not there.
    #[error("there is no OpenCL device {wanted}; there are {known}")]
    Unknown {
        /// What was named.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// The path of a locator is no device.
    #[error("{0:?} is no OpenCL device: write the numbers of platform and device, such as opencl:0/0, or opencl:?name=pocl")]
    Path(String),
    /// The style is unknown.
    #[error("option \"style\" is {0:?}, but expects grid or task")]
    Style(String),
    /// The device cannot compile.
    #[error(
        "{device} has no compiler: make a binary with isoform build and the board's own compiler, and name it with binary=FILE"
    )]
    NoCompiler {
        /// The device.
        device: String,
    },
    /// The compiler of the driver refused a program.
    #[error("the compiler of {device} refused the program; its log begins {log:?}")]
    Build {
        /// The device.
        device: String,
        /// The beginning of the log.
        log: String,
        /// What the driver said.
        #[source]
        source: ClError,
    },
    /// A call of the driver failed.
    #[error("{device} failed while {doing}")]
    Call {
        /// The device.
        device: String,
        /// What was being done.
        doing: &'static str,
        /// What the driver said.
        #[source]
        source: ClError,
    },
    /// A container with a binary cannot be used.
    #[error("the container {file}: {source}")]
    Container {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: crate::container::ContainerError,
    },
    /// The container cannot be read.
    #[error("the container {file} cannot be read")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A binary cannot follow a change of the kernels.
    #[error("the new value changes the kernels, which the binary of {file} has compiled in: build another binary")]
    Compiled {
        /// The file.
        file: String,
    },
}

impl From<OpenClError> for Error {
    fn from(error: OpenClError) -> Self {
        let kind = match &error {
            OpenClError::NoLibrary | OpenClError::NoDevice | OpenClError::Unknown { .. } | OpenClError::Unreadable { .. } => {
                ErrorKind::NotFound
            }
            OpenClError::Path(_)
            | OpenClError::Style(_)
            | OpenClError::NoCompiler { .. }
            | OpenClError::Container { .. }
            | OpenClError::Compiled { .. } => ErrorKind::Unsupported,
            // the program is fine, or it would not have become kernels
            OpenClError::Build { .. } | OpenClError::Call { .. } => ErrorKind::Fault,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
