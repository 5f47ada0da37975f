//! What can go wrong on this substrate.

use isoform_core::error::{Error, ErrorKind, Source};

/// An error of the GPU substrate, before it becomes one of the contract.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum WgpuError {
    /// There is no driver, or no adapter behind it.
    #[error(
        "no graphics processor was found: install a Vulkan driver and its loader (on Debian mesa-vulkan-drivers and libvulkan1, which \
         also run in software), or run on \"cpu:\""
    )]
    NoAdapter(#[source] Source),
    /// No adapter has the name that was asked for.
    #[error("no graphics processor has {wanted:?} in its name; there are {}", list(.present))]
    UnknownAdapter {
        /// A part of the name.
        wanted: String,
        /// The names that there are.
        present: Vec<String>,
    },
    /// The preference is unknown.
    #[error("option \"power\" is {0:?}, but expects low or high")]
    UnknownPower(String),
    /// The way of rounding is unknown.
    #[error("option \"rounding\" is {0:?}, but expects device or each")]
    UnknownRounding(String),
    /// The driver gives no device.
    #[error("{adapter} gives no device: close what else uses it, or name another with adapter=")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// What the driver says.
        source: Source,
    },
    /// The device is gone.
    #[error("{adapter} is lost ({reason}): realise the program anew")]
    Lost {
        /// The adapter.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// The memory of the device is full.
    #[error("{adapter} has no memory left while {doing}: use fewer lanes or a smaller program")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// What was being done.
        doing: String,
        /// What the driver says.
        source: Source,
    },
    /// The driver refuses something.
    #[error("{adapter} failed while {doing}")]
    Refused {
        /// The adapter.
        adapter: String,
        /// What was being done.
        doing: String,
        /// What the driver says.
        source: Source,
    },
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

impl From<WgpuError> for Error {
    fn from(error: WgpuError) -> Self {
        let kind = match &error {
            WgpuError::NoAdapter(_) | WgpuError::UnknownAdapter { .. } => ErrorKind::NotFound,
            WgpuError::UnknownPower(_) | WgpuError::UnknownRounding(_) | WgpuError::OutOfMemory { .. } => ErrorKind::Unsupported,
            WgpuError::Lost { .. } => ErrorKind::Disconnected,
            WgpuError::NoDevice { .. } | WgpuError::Refused { .. } => ErrorKind::Fault,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_driver_stays_reachable() {
        let source: Source = Box::new(std::io::Error::other("no such queue"));
        let error = Error::from(WgpuError::Refused { adapter: "a card".into(), doing: "submitting".into(), source });
        assert_eq!(error.to_string(), "fault: a card failed while submitting");
        let own = std::error::Error::source(&error).and_then(|s| s.downcast_ref::<WgpuError>()).expect("is kept");
        assert_eq!(std::error::Error::source(own).map(ToString::to_string).as_deref(), Some("no such queue"));
    }

    #[test]
    fn an_unknown_adapter_names_those_there_are() {
        let present = vec![String::from("llvmpipe"), String::from("a card")];
        let error = Error::from(WgpuError::UnknownAdapter { wanted: "voodoo".into(), present });
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.message(), "no graphics processor has \"voodoo\" in its name; there are \"llvmpipe\", \"a card\"");
    }
}
