//! The dialogue with the heaters: messages out, lines in, complaints understood.

use super::codec::{channels, error, meaning, reading};
use isoform_serial::error::{Result, SerialError, printable};
use isoform_serial::link::Link;
use std::time::Duration;

/// How long a reply of the heaters may take: the official client waits a tenth of a second.
pub(super) const WITHIN: Duration = Duration::from_millis(250);
/// After this the heaters have dropped a message that was not finished.
const QUIET: Duration = Duration::from_millis(150);
/// Between the lines of one reply, as the official client has it.
pub(super) const BETWEEN: Duration = Duration::from_millis(50);

/// Another device than heaters.
pub(super) fn wrong(seen: &[u8]) -> SerialError {
    SerialError::WrongDevice { wanted: String::from("Qontrol Q8"), seen: printable(seen) }
}

/// Makes sure that heaters are at a line, whatever was on it before; gives the identity of the first module.
pub(crate) fn greet(link: &mut Link) -> Result<String> {
    let end = link.within(WITHIN);
    link.send(b"\n", end)?;
    link.sleep(QUIET);
    link.drain(BETWEEN)?;
    let end = link.within(WITHIN);
    link.send(b"id?\n", end)?;
    let first = link.line(64, "an identity", end)?;
    let name = String::from_utf8_lossy(&first).into_owned();
    if channels(&name).is_some() { Ok(name) } else { Err(wrong(&first)) }
}

/// Whether the heaters complain in a line.
pub(super) fn complain(what: &str, line: &[u8]) -> Result<()> {
    match error(line) {
        None => Ok(()),
        Some((90, _)) => Err(SerialError::Restarted { what: what.to_owned() }),
        Some((code, channel)) => {
            Err(SerialError::Fault { what: what.to_owned(), said: format!("E{code:02} at channel {channel}, {}", meaning(code)) })
        }
    }
}

/// Sends a message that is answered by `OK`.
pub(super) fn ask(link: &mut Link, what: &str, message: &[u8]) -> Result<()> {
    let line = query(link, what, message)?;
    if line == b"OK" { Ok(()) } else { Err(SerialError::garbled(what, &line, "it is not OK")) }
}

/// Sends a message that is answered by one line.
pub(super) fn query(link: &mut Link, what: &str, message: &[u8]) -> Result<Vec<u8>> {
    let end = link.within(WITHIN);
    link.send(message, end)?;
    let line = link.line(64, what, end)?;
    complain(what, &line)?;
    Ok(line)
}

/// A value that two answers agree about.
pub(super) fn agreed(link: &mut Link, what: &str, message: &[u8], unit: &str) -> Result<f64> {
    let (first, second) = (query(link, what, message)?, query(link, what, message)?);
    if first == second { reading(what, &first, unit) } else { Err(SerialError::garbled(what, &second, "two answers differ")) }
}
