//! The one error type that crosses every contract.
//!
//! A substrate keeps its own error enum and maps it to an [`ErrorKind`]; the original stays reachable through
//! [`std::error::Error::source`]. Every error says what was being done, to which node, and whether the state survived.

use std::fmt;

/// What went wrong, coarse enough to act on.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The substrate does not have this ability, and never will for this program.
    Unsupported,
    /// The program contradicts itself, its semantics, or the limits of any substrate.
    InvalidProgram,
    /// The signal, state or parameter handed over does not fit the program.
    InvalidSignal,
    /// A file, device, node or scheme that was named does not exist.
    NotFound,
    /// The substrate serves somebody else at present.
    Busy,
    /// The deadline passed.
    Timeout,
    /// The connection to the substrate is gone.
    Disconnected,
    /// The substrate answered something that its protocol does not allow.
    Protocol,
    /// A calibration is missing, expired or out of range.
    Calibration,
    /// The substrate failed.
    Fault,
}

impl ErrorKind {
    /// Whether the fault lies with what the caller handed over, not with the substrate.
    #[must_use]
    pub fn is_bad_input(self) -> bool {
        matches!(self, Self::Unsupported | Self::InvalidProgram | Self::InvalidSignal | Self::NotFound)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "unsupported",
            Self::InvalidProgram => "invalid program",
            Self::InvalidSignal => "invalid signal",
            Self::NotFound => "not found",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Disconnected => "disconnected",
            Self::Protocol => "protocol",
            Self::Calibration => "calibration",
            Self::Fault => "fault",
        })
    }
}

/// What an error did to the state of a realization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// The call had no effect: the state is what it was before.
    Intact,
    /// The state is unknown: only a reset or a load helps.
    Lost,
}

/// The source of an error, kept downcastable.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error at the contract between a program and a substrate.
///
/// It is one pointer wide, so that a result costs no more than what it carries on success.
#[derive(Debug)]
pub struct Error(Box<Fields>);

#[derive(Debug)]
struct Fields {
    kind: ErrorKind,
    message: String,
    node: Option<String>,
    locator: Option<String>,
    state: Integrity,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind` that left the state intact.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Fields { kind, message, node: None, locator: None, state: Integrity::Intact, source: None }))
    }

    /// A request that no substrate of this kind can honour.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// A program that contradicts itself or its semantics.
    #[must_use]
    pub fn invalid_program(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidProgram, message)
    }

    /// A signal, state or parameter that does not fit.
    #[must_use]
    pub fn invalid_signal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidSignal, message)
    }

    /// A name that stands for nothing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A failure of the substrate itself.
    #[must_use]
    pub fn fault(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Fault, message)
    }

    /// Names the node that the error is about.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.0.node = Some(node.into());
        self
    }

    /// Names the substrate, unless a deeper layer did so already.
    #[must_use]
    pub fn with_locator(mut self, locator: impl fmt::Display) -> Self {
        self.0.locator.get_or_insert_with(|| locator.to_string());
        self
    }

    /// Keeps the original error as the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Declares the state of the realization lost.
    #[must_use]
    pub fn with_state_lost(mut self) -> Self {
        self.0.state = Integrity::Lost;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the state survived.
    #[must_use]
    pub fn state(&self) -> Integrity {
        self.0.state
    }

    /// The node that the error is about, if there is one.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// The substrate that the error is about, if it is known.
    #[must_use]
    pub fn locator(&self) -> Option<&str> {
        self.0.locator.as_deref()
    }

    /// The message alone, without node, locator and consequence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind)?;
        if let Some(locator) = &self.locator {
            // many locators end with the sign themselves
            write!(f, "{}: ", locator.strip_suffix(':').unwrap_or(locator))?;
        }
        if let Some(node) = &self.node {
            write!(f, "node \"{node}\": ")?;
        }
        f.write_str(&self.message)?;
        if self.state == Integrity::Lost {
            f.write_str(" (the state is lost: reset or load before going on)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_from_the_outside_in() {
        let error =
            Error::new(ErrorKind::Timeout, "no answer within 20 ms").with_node("lif").with_locator("cpu:").with_state_lost();
        assert_eq!(
            error.to_string(),
            "timeout: cpu: node \"lif\": no answer within 20 ms (the state is lost: reset or load before going on)"
        );
        assert_eq!(error.state(), Integrity::Lost);
    }

    #[test]
    fn the_innermost_locator_is_kept() {
        let error = Error::fault("broken").with_locator("inner:").with_locator("outer:");
        assert_eq!(error.locator(), Some("inner:"));
    }

    #[test]
    fn the_cause_stays_downcastable() {
        let error = Error::fault("disk").with_source(std::io::Error::other("full"));
        let source = std::error::Error::source(&error).and_then(|s| s.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(ToString::to_string).as_deref(), Some("full"));
    }
}
