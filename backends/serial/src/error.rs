//! What goes wrong on a wire, and what it means to whoever called.

use isoform_core::error::{Error, ErrorKind};
use std::io;
use std::time::Duration;

/// An error at the end of a byte stream.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SerialError {
    /// The port, host or program cannot be opened.
    #[error("{port} cannot be opened ({source}): check the name, the cable and the permissions")]
    Open {
        /// What was to be opened.
        port: String,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else has the port.
    #[error("{port} is in use by somebody else: close it there first")]
    InUse {
        /// The port.
        port: String,
    },
    /// The other end has gone.
    #[error("the line was hung up while waiting for {what}: check the cable and the power, or the program that was started")]
    HungUp {
        /// What was awaited.
        what: String,
    },
    /// The program at the other end has ended.
    #[error("\"{program}\" has ended ({status}{}): run it by itself to see what it lacks", last_words(.said))]
    Ended {
        /// The program with its arguments.
        program: String,
        /// Its exit status, or the signal that ended it.
        status: std::process::ExitStatus,
        /// The last line of what it said on its standard error.
        said: String,
    },
    /// Nothing, or not enough, came in time.
    #[error(
        "{what} did not come within {}: the device is silent, busy or another one (isoform list --ports PORT asks who is there)", time(*.after)
    )]
    Timeout {
        /// What was awaited.
        what: String,
        /// How long.
        after: Duration,
    },
    /// More came than any answer holds.
    #[error("{what} is longer than {limit} bytes: the device floods the line, or it is another device")]
    TooLong {
        /// What was being read.
        what: String,
        /// The bound.
        limit: usize,
    },
    /// What came is not what the protocol allows.
    #[error("{what} reads {seen:?}: {why}")]
    Garbled {
        /// What was awaited.
        what: String,
        /// What came, shortened.
        seen: String,
        /// Why it cannot be.
        why: String,
    },
    /// Another device answers.
    #[error(
        "the device answers as {seen:?}, which is no {wanted}: name another device or another port; isoform list --ports PORT asks what is there"
    )]
    WrongDevice {
        /// The device that the locator names.
        wanted: String,
        /// What the device says that it is.
        seen: String,
    },
    /// The device refuses, and has done nothing.
    #[error("the device refuses {what}: {said}")]
    Refused {
        /// What was asked.
        what: String,
        /// Its words.
        said: String,
    },
    /// The device reports a fault of its own.
    #[error("the device reports a fault during {what}: {said}")]
    Fault {
        /// What was being done.
        what: String,
        /// Its words.
        said: String,
    },
    /// The device has started anew and forgotten what it held.
    #[error("the device has restarted during {what}: what it held is gone")]
    Restarted {
        /// What was being done.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("it was asked to stop while {what} was awaited")]
    Stopped {
        /// What was awaited.
        what: String,
    },
    /// A transcript is none, or the host does otherwise than it says.
    #[error("line {line} of the transcript \"{file}\": {why}")]
    Transcript {
        /// Where it was read from.
        file: String,
        /// The line of the transcript.
        line: usize,
        /// The difference.
        why: String,
    },
    /// Any other failure of the operating system.
    #[error("the line failed while waiting for {what}")]
    Io {
        /// What was awaited.
        what: String,
        /// The failure.
        source: io::Error,
    },
}

/// The result of an exchange.
pub type Result<T, E = SerialError> = std::result::Result<T, E>;

impl SerialError {
    /// What came is not what the protocol allows.
    pub fn garbled(what: impl Into<String>, seen: &[u8], why: impl Into<String>) -> Self {
        Self::Garbled { what: what.into(), seen: printable(seen), why: why.into() }
    }

    /// A line that could not be opened, sorted by the reason.
    #[must_use]
    pub fn open(port: &str, source: io::Error) -> Self {
        let source = match source.downcast::<Self>() {
            Ok(own) => return own,
            Err(source) => source,
        };
        // a port that is open elsewhere is "no device" to some systems, with these words
        let in_use = source.kind() == io::ErrorKind::ResourceBusy || source.to_string().contains("exclusive lock");
        if in_use { Self::InUse { port: port.to_owned() } } else { Self::Open { port: port.to_owned(), source } }
    }

    /// The kind in the terms of the contract.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Open { .. } => ErrorKind::NotFound,
            Self::InUse { .. } => ErrorKind::Busy,
            Self::HungUp { .. } | Self::Ended { .. } => ErrorKind::Disconnected,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::TooLong { .. } | Self::Garbled { .. } | Self::WrongDevice { .. } | Self::Transcript { .. } => {
                ErrorKind::Protocol
            }
            Self::Refused { .. } => ErrorKind::Unsupported,
            Self::Fault { .. } | Self::Restarted { .. } | Self::Stopped { .. } | Self::Io { .. } => ErrorKind::Fault,
        }
    }

    /// Whether the device is known to have done nothing, so that the state is what it was.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The same where nothing may be refused, as amid a run: a refusal is then a fault.
    #[must_use]
    pub fn into_fault(self) -> Self {
        match self {
            Self::Refused { what, said } => Self::Fault { what, said },
            other => other,
        }
    }

    /// Whether only a new connection helps.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        matches!(self, Self::HungUp { .. } | Self::Ended { .. } | Self::Io { .. })
    }

    /// The failure of an operating system call, sorted.
    pub(crate) fn of_io(what: &str, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let source = match source.downcast::<Self>() {
            Ok(Self::Stopped { .. }) => return Self::Stopped { what: what.to_owned() },
            Ok(own) => return own,
            Err(source) => source,
        };
        match source.kind() {
            Kind::BrokenPipe | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::UnexpectedEof | Kind::NotConnected => {
                Self::HungUp { what: what.to_owned() }
            }
            _ => Self::Io { what: what.to_owned(), source },
        }
    }
}

impl From<SerialError> for Error {
    fn from(error: SerialError) -> Self {
        Error::new(error.kind(), error.to_string()).with_source(error)
    }
}

fn last_words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it said {said:?}") }
}

/// A time in three digits.
#[must_use]
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    // what rounds to the next unit is told in it
    let (value, unit) = match seconds {
        0.9995.. => (seconds, "s"),
        9.995e-4.. => (seconds * 1e3, "ms"),
        _ => (seconds * 1e6, "µs"),
    };
    let digits = match value {
        99.95.. => 0,
        9.995.. => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Bytes as they can stand in a message: printable ones as they are, others escaped, at most forty of them.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let text: String = bytes.iter().take(MOST).flat_map(|&b| std::ascii::escape_default(b)).map(char::from).collect();
    if bytes.len() > MOST { format!("{text}… ({} bytes)", bytes.len()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_digits() {
        for (nanos, text) in [
            (5_384_613_180, "5.38s"),
            (1_000_000_000, "1s"),
            (12_700_000_000, "12.7s"),
            (530_000_000, "530ms"),
            (2_120_000_000, "2.12s"),
            (999_600_000, "1s"),
            (9_996_000, "10ms"),
            (4_500, "4.5µs"),
            (123_456_000_000, "123s"),
            (0, "0µs"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanos)), text);
        }
    }
}
