//! A dialogue with a board: commands out, answers in, repeated until one has come through whole.

use super::codec::{Command, LONGEST_HEAD, checked, number, plain, unchecked};
use crate::scpi::codec::block;
use isoform_core::substrate::Cancel;
use isoform_serial::error::{Result, SerialError, printable};
use isoform_serial::link::{Deadline, Link};
use std::time::Duration;

/// How often a message is sent before it counts as unanswered.
const TRIES: u32 = 4;
/// How long the line has to be quiet before a message is repeated: the board drops what it has of a message after 100 ms.
const QUIET: Duration = Duration::from_millis(130);
/// How long an answer takes that needs no computation, from the sending of the last byte.
pub const PROMPT: Duration = Duration::from_millis(400);

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing but that it was done.
    Nothing,
    /// A line of text.
    Text,
    /// Text, or none, and a block.
    Block,
}

/// A dialogue in the plain or in the checked mode.
#[derive(Debug, Default)]
pub struct Dialogue {
    checked: bool,
    number: u16,
}

impl Dialogue {
    /// Begins in the plain mode, whatever was before: ends what was begun, leaves the checked mode, empties the queue of errors.
    ///
    /// # Errors
    /// `HungUp` if the line has ended.
    pub fn begin(&mut self, link: &mut Link) -> Result<()> {
        let end = link.within(PROMPT);
        link.send(b"\n", end)?;
        link.drain(QUIET)?;
        // one of them has another number than the last message of whoever was here before
        for number in [65534, 65535] {
            let end = link.within(PROMPT);
            link.send(&checked(number, b"FORM:CHEC OFF"), end)?;
        }
        link.drain(QUIET)?;
        self.checked = false;
        self.number = 0;
        let end = link.within(PROMPT);
        link.send(b"*CLS\n", end)
    }

    /// Goes over to the checked mode.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn check(&mut self, link: &mut Link) -> Result<()> {
        let end = link.within(PROMPT);
        link.send(b"FORM:CHEC ON\n", end)?;
        self.checked = true;
        self.ask(link, &Command::new("*OPC?"), Expect::Text, PROMPT).map(drop)
    }

    /// Sends a command and gives its answer.
    ///
    /// In the checked mode a message whose answer does not come whole is repeated, and the board does it once all the same. In the plain mode
    /// nothing is repeated, and a command without an answer is followed by a look into the queue of errors.
    ///
    /// # Errors
    /// `Refused` with the board's error, `Fault` if the cable changed the message, `Timeout`, `Garbled`, `HungUp`.
    pub fn ask(&mut self, link: &mut Link, command: &Command, expect: Expect, within: Duration) -> Result<Vec<u8>> {
        self.ask_until(link, command, (expect, within), &Cancel::default())
    }

    /// The same for what may take long: once somebody has asked to stop, it is not repeated.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn ask_until(
        &mut self,
        link: &mut Link,
        command: &Command,
        (expect, within): (Expect, Duration),
        cancel: &Cancel,
    ) -> Result<Vec<u8>> {
        if !self.checked {
            return ask_plain(link, command, expect, within);
        }
        self.number = self.number.wrapping_add(1);
        let message = checked(self.number, command.bytes());
        let what = name(command);
        let start = link.now();
        let mut last = None;
        for _ in 0..TRIES {
            let end = link.within(within);
            link.send(&message, end)?;
            match self.answer(link, &what, expect, end) {
                Ok(answer) => return understood(&what, &answer),
                Err(error) if error.is_disconnected() || matches!(error, SerialError::Transcript { .. }) => return Err(error),
                Err(error) => last = Some(error),
            }
            link.drain(QUIET)?;
            if link.is_asked_to_stop(cancel) {
                break;
            }
        }
        match last {
            Some(error) if !matches!(error, SerialError::Timeout { .. }) => Err(error),
            _ => Err(SerialError::Timeout { what, after: link.now().saturating_sub(start) }),
        }
    }

    /// The answer with the number of the message; those with other numbers came too late, and are passed over.
    fn answer(&self, link: &mut Link, what: &str, expect: Expect, end: Deadline) -> Result<Vec<u8>> {
        loop {
            let line = read_line(link, expect, what, end)?;
            let (number, words) = unchecked(&line).ok_or_else(|| SerialError::garbled(what, &line, "its sum does not fit"))?;
            if number == self.number {
                return Ok(words.to_vec());
            }
        }
    }
}

/// A line, with the block in it if one can be there.
fn read_line(link: &mut Link, expect: Expect, what: &str, end: Deadline) -> Result<Vec<u8>> {
    let ends: &[u8] = if expect == Expect::Block { b"\n#" } else { b"\n" };
    let mut line = link.through(ends, LONGEST_HEAD, what, end)?;
    if line.last() == Some(&b'#') {
        let digits = link.exactly(1, what, end)?;
        let length = link.exactly(usize::from(digits[0].wrapping_sub(b'0')).min(9), what, end)?;
        let bytes: usize = number(&length).ok_or_else(|| SerialError::garbled(what, &line, "a block has no length"))?;
        line.extend(&digits);
        line.extend(&length);
        line.extend(link.exactly(bytes, what, end)?);
        // a byte of the block may look like the end of a line
        line.extend(link.line(LONGEST_HEAD, what, end)?);
        return Ok(line);
    }
    line.pop();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// The words of a command that messages name it by.
fn name(command: &Command) -> String {
    let words = command.bytes().split(|&b| b == b'#').next().unwrap_or_default();
    format!("an answer to {}", printable(words))
}

/// Splits the code off an answer of the checked mode.
fn understood(what: &str, answer: &[u8]) -> Result<Vec<u8>> {
    let end = answer.iter().position(|&b| b == b' ').unwrap_or(answer.len());
    let (code, rest) = answer.split_at(end);
    match code {
        b"0" => Ok(rest.get(1..).unwrap_or_default().to_vec()),
        code => Err(refused(what, code)),
    }
}

/// What an error of the board means here: what it understood and did not do is a refusal; what it did not understand (-1xx) has been damaged, or it
/// is another device.
fn refused(what: &str, code: &[u8]) -> SerialError {
    let number = std::str::from_utf8(code).ok().and_then(|text| text.parse::<i32>().ok());
    let Some(number) = number.filter(|&n| n < 0) else {
        return SerialError::garbled(what, code, "it begins with no number of an error");
    };
    let meaning = match number {
        -100 => "the message is longer than it can hold",
        -109 => "an argument is missing",
        -113 => "it does not know the command",
        -161 => "the block is none",
        -222 => "an argument is out of range",
        -225 => "it is out of memory",
        -285 => "it does not have these operations",
        _ => "for a reason of its own",
    };
    let (what, said) = (what.trim_start_matches("an answer to ").to_owned(), format!("{number}, {meaning}"));
    if (-199..=-100).contains(&number) { SerialError::Fault { what, said } } else { SerialError::Refused { what, said } }
}

fn ask_plain(link: &mut Link, command: &Command, expect: Expect, within: Duration) -> Result<Vec<u8>> {
    let what = name(command);
    let end = link.within(within);
    link.clear();
    link.send(&plain(command.bytes()), end)?;
    if expect != Expect::Nothing {
        // a query that is refused is not answered: the queue of errors says why
        return match read_line(link, expect, &what, end) {
            Err(error @ SerialError::Timeout { .. }) => Err(complaint(link, &what, PROMPT)?.unwrap_or(error)),
            other => other,
        };
    }
    // the command may still be on its way when the question is sent
    match complaint(link, &what, within)? {
        Some(error) => Err(error),
        None => Ok(Vec::new()),
    }
}

/// The oldest error of the queue.
fn complaint(link: &mut Link, what: &str, within: Duration) -> Result<Option<SerialError>> {
    let end = link.within(within);
    link.send(b"SYST:ERR?\n", end)?;
    let line = read_line(link, Expect::Text, what, end)?;
    let code = line.split(|&b| b == b',').next().unwrap_or_default();
    match code {
        b"0" | b"+0" => Ok(None),
        code => Ok(Some(refused(what, code))),
    }
}

/// The bytes of a block that is a whole answer.
///
/// # Errors
/// `Garbled` if it is none, or not of that length.
pub fn whole_block(what: &str, answer: &[u8], length: usize) -> Result<Vec<u8>> {
    let bytes = block(what, answer)?;
    if bytes.len() == length {
        Ok(bytes.to_vec())
    } else {
        Err(SerialError::garbled(what, answer, format!("it holds {} bytes instead of {length}", bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_serial::transport::{Line, Scripted};

    #[test]
    fn a_block_may_end_like_a_line() {
        let script = [Line::Host(b"RUN? 1,0,#10\n".to_vec()), Line::Device(b"1,0,#14\r\n\r\n\r\n".to_vec())];
        let mut link = Link::new(Box::new(Scripted::new(script)));
        let command = Command::new("RUN?").with_numbers(&[1, 0]).with_block(&[]);
        let answer = Dialogue::default().ask(&mut link, &command, Expect::Block, PROMPT).expect("answers");
        assert_eq!(answer, b"1,0,#14\r\n\r\n");
    }

    #[test]
    fn silence_is_told_for_as_long_as_it_lasted() {
        let ask = |cancel: &Cancel, tries: usize| {
            let script = vec![Line::Host(checked(1, b"RUN? 1,0")); tries];
            let mut link = Link::new(Box::new(Scripted::new(script)));
            let mut dialogue = Dialogue { checked: true, number: 0 };
            let command = Command::new("RUN?").with_numbers(&[1, 0]);
            dialogue.ask_until(&mut link, &command, (Expect::Block, PROMPT), cancel).expect_err("nobody answers").to_string()
        };
        let cancel = Cancel::default();
        // four times 400 ms for an answer and 130 ms for the quiet behind it
        let whole = ask(&cancel, 4);
        assert!(whole.contains("an answer to RUN? 1,0 did not come within 2.12s"), "{whole}");
        cancel.raise();
        let once = ask(&cancel, 1);
        assert!(once.contains("did not come within 530ms"), "{once}");
    }
}
