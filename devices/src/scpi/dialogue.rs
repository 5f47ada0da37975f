//! A dialogue with an instrument: one query at a time, and the queue of errors read until it is empty.

use super::codec::{Entry, Head, Identity, head};
use isoform_serial::error::{Result, SerialError, printable};
use isoform_serial::link::{Deadline, Link};
use std::time::Duration;

/// The most errors that are read from a queue: more than any queue is said to hold.
const MOST_ERRORS: usize = 64;
/// The longest answer that is no block.
const LONGEST: usize = 4096;
/// How long a byte is on its way where the line does not say: a server behind plain TCP may have a line of 9600 baud.
const BYTE: Duration = Duration::from_micros(1100);
/// Bytes of a long message that are waited for at a time.
const PIECE: usize = 1024;
/// How long the line has to be quiet before a dialogue begins.
const QUIET: Duration = Duration::from_millis(50);

/// A bit of the standard event status register.
pub mod event {
    /// All operations are complete.
    pub const COMPLETE: u8 = 1;
    /// The supply came on: everything that was set is gone.
    pub const POWER_ON: u8 = 1 << 7;
}

/// How long a block is completed whose end the instrument may be waiting for; a slow line takes a part of a long one in that time.
const FILLING: Duration = Duration::from_secs(8);

/// Bytes that a line takes until then, and at least one.
fn room(link: &Link, end: Deadline) -> usize {
    let byte = link.time_of(1, Duration::from_nanos(1));
    usize::try_from(link.left(end).as_nanos() / byte.as_nanos().max(1)).unwrap_or(usize::MAX).max(1)
}

/// How an instrument is talked to.
#[derive(Debug, Clone, Copy)]
pub struct Dialogue {
    /// How long an answer may take.
    pub within: Duration,
    /// The most bytes of a block that the host may have begun to send: as many line feeds complete it.
    pub fill: usize,
}

impl Dialogue {
    /// A dialogue in which an answer may take so long.
    #[must_use]
    pub fn new(within: Duration) -> Self {
        Self { within, fill: 0 }
    }

    /// The same with blocks of up to so many bytes to the instrument.
    #[must_use]
    pub fn with_fill(mut self, bytes: usize) -> Self {
        self.fill = bytes;
        self
    }

    /// Begins, whatever was on the line: ends the message that was begun, empties the line and the queue of errors, and asks who is there.
    ///
    /// # Errors
    /// `WrongDevice` if the identity has none of these words in it, `Timeout`, `HungUp`.
    pub fn begin(&self, link: &mut Link, wanted: &str, words: &[&str]) -> Result<Identity> {
        let identity = self.identity(link)?;
        let seen = identity.to_string();
        if words.iter().any(|word| seen.to_ascii_uppercase().contains(&word.to_ascii_uppercase())) {
            Ok(identity)
        } else {
            Err(SerialError::WrongDevice { wanted: format!("{wanted} with {} in its identity", words.join(" or ")), seen })
        }
    }

    /// The same with an instrument of any name.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn identity(&self, link: &mut Link) -> Result<Identity> {
        let mut greeted = self.greet(link, b"\n");
        // the instrument may be in the middle of a block, to which nothing is a command; of most a few bytes are missing
        let (mut piece, mut left) = (PIECE, self.fill);
        let end = link.within(FILLING);
        while left > 0
            && !link.left(end).is_zero()
            && matches!(greeted, Err(SerialError::Timeout { .. } | SerialError::Garbled { .. }))
        {
            let bytes = piece.min(left).min(room(link, end));
            greeted = self.greet(link, &vec![b'\n'; bytes]);
            (piece, left) = (4 * piece, left - bytes);
        }
        greeted
    }

    /// How long a message or an answer of so many bytes may take.
    fn time(&self, link: &Link, bytes: usize) -> Duration {
        self.within + link.time_of(bytes, BYTE)
    }

    /// Sends what may be long, in pieces, so that a line that takes nothing is given up at the first.
    fn send(&self, link: &mut Link, bytes: &[u8]) -> Result<()> {
        bytes.chunks(PIECE).try_for_each(|piece| link.send(piece, link.within(self.time(link, piece.len()))))
    }

    fn greet(&self, link: &mut Link, ends: &[u8]) -> Result<Identity> {
        self.send(link, ends)?;
        link.drain(QUIET)?;
        let end = link.within(self.within);
        link.send(b"*CLS\n*IDN?\n", end)?;
        let line = link.line(LONGEST, "an identity", end)?;
        let identity = Identity::parse(&line)
            .map_err(|_| SerialError::WrongDevice { wanted: String::from("instrument of SCPI"), seen: printable(&line) })?;
        // power-on and what was there before is no fault of this dialogue
        self.status(link)?;
        self.errors(link)?;
        Ok(identity)
    }

    /// Sends a command, and reads the queue of errors until it is empty. A command that is refused is sent once more: a byte of it may have been
    /// changed on the way.
    ///
    /// # Errors
    /// `Refused` or `Fault` with the first error of the queue; `Restarted`, `Timeout`, `Garbled`, `HungUp`.
    pub fn tell(&self, link: &mut Link, message: &[u8]) -> Result<()> {
        match self.tell_once(link, message) {
            Err(SerialError::Refused { .. }) => self.tell_once(link, message),
            other => other,
        }
    }

    fn tell_once(&self, link: &mut Link, message: &[u8]) -> Result<()> {
        self.send(link, &[message, b"\n"].concat())?;
        // the message may still be on its way when the question is sent
        let patient = Self { within: self.time(link, message.len()), ..*self };
        match patient.errors(link)?.first() {
            None => Ok(()),
            Some(entry) => Err(self.refused(link, message, entry)),
        }
    }

    /// Sends a query and takes its answer, a line. A query that is not answered is followed by a look into the queue of errors.
    ///
    /// # Errors
    /// `Fault` with the first error of the queue: whoever asks knows that there is an answer, so that a question that is refused was damaged;
    /// `Restarted`, `Timeout`, `Garbled`, `HungUp`.
    pub fn ask(&self, link: &mut Link, message: &[u8]) -> Result<Vec<u8>> {
        let end = link.within(self.within);
        link.send(&[message, b"\n"].concat(), end)?;
        let answer = link.line(LONGEST, &what(message), end);
        self.explain(link, message, answer)
    }

    /// Sends a query and takes its answer, a block of definite length of at most so many bytes.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); `TooLong` if the block is longer.
    pub fn ask_block(&self, link: &mut Link, message: &[u8], longest: usize) -> Result<Vec<u8>> {
        let what = what(message);
        let end = link.within(self.within);
        link.send(&[message, b"\n"].concat(), end)?;
        let answer = (|| {
            let mut text = link.exactly(2, &what, end)?;
            // what begins as no block has no more to come
            if head(&text) == Head::Short {
                text.extend(link.exactly(usize::from(text[1] - b'0'), &what, end)?);
            }
            let Head::Block(start, stop) = head(&text) else {
                return Err(SerialError::garbled(&what, &text, "it is no block of definite length"));
            };
            if stop - start > longest {
                return Err(SerialError::TooLong { what: what.clone(), limit: longest });
            }
            let mut bytes = Vec::with_capacity(stop - start);
            // in pieces with deadlines of their own, so that a byte that was lost is not waited for as long as the whole takes
            while bytes.len() < stop - start {
                let piece = (stop - start - bytes.len()).min(PIECE);
                let end = link.within(self.time(link, piece));
                bytes.extend(link.exactly(piece, &what, end)?);
            }
            let end = link.within(self.within);
            let rest = link.line(2, &what, end)?;
            if rest.is_empty() { Ok(bytes) } else { Err(SerialError::garbled(&what, &rest, "more follows the block")) }
        })();
        self.explain(link, message, answer)
    }

    fn explain<T>(&self, link: &mut Link, message: &[u8], answer: Result<T>) -> Result<T> {
        match answer {
            Err(error @ SerialError::Timeout { .. }) => match self.errors(link)?.first() {
                Some(entry) => Err(self.refused(link, message, entry).into_fault()),
                None => Err(error),
            },
            other => other,
        }
    }

    /// A refusal, with the event that goes with it taken out of the register; a restart, if that is why. An instrument that does not know a word
    /// (-1xx) has got a damaged one, or is another one: that is a fault, after which the dialogue has to begin anew.
    fn refused(&self, link: &mut Link, message: &[u8], entry: &Entry) -> SerialError {
        let what = what(message).trim_start_matches("answer to ").to_owned();
        match self.status(link) {
            Ok(events) if events & event::POWER_ON != 0 => SerialError::Restarted { what },
            Ok(_) if (-199..=-100).contains(&entry.code) => SerialError::Fault { what, said: entry.to_string() },
            Ok(_) => SerialError::Refused { what, said: entry.to_string() },
            Err(error) => error,
        }
    }

    /// Waits until all operations are complete.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn complete(&self, link: &mut Link) -> Result<()> {
        match self.ask(link, b"*OPC?")?.as_slice() {
            b"1" => Ok(()),
            other => Err(SerialError::garbled("an answer to *OPC?", other, "it is not 1")),
        }
    }

    /// Reads and clears the standard event status register. It is not followed by a look into the queue of errors, since that asks for the
    /// register in turn.
    ///
    /// # Errors
    /// `Timeout`, `Garbled`, `HungUp`.
    pub fn status(&self, link: &mut Link) -> Result<u8> {
        let end = link.within(self.within);
        link.send(b"*ESR?\n", end)?;
        let answer = link.line(LONGEST, "an answer to *ESR?", end)?;
        let bits = std::str::from_utf8(answer.trim_ascii()).ok().and_then(|t| t.trim_start_matches('+').parse().ok());
        bits.ok_or_else(|| SerialError::garbled("an answer to *ESR?", &answer, "it is no register of eight bits"))
    }

    /// Makes sure that nothing went wrong since the last look: the register of events is clear, and the queue of errors empty.
    ///
    /// # Errors
    /// `Restarted` if the supply came on in between, `Fault` with the first error of the queue.
    pub fn is_well(&self, link: &mut Link, during: &str) -> Result<()> {
        let events = self.status(link)?;
        if events & event::POWER_ON != 0 {
            return Err(SerialError::Restarted { what: during.to_owned() });
        }
        let errors = self.errors(link)?;
        match (errors.first(), events & !event::COMPLETE) {
            (Some(entry), _) => Err(SerialError::Fault { what: during.to_owned(), said: entry.to_string() }),
            (None, 0) => Ok(()),
            (None, events) => {
                let said = format!("events {events} in its status register, without an error");
                Err(SerialError::Fault { what: during.to_owned(), said })
            }
        }
    }

    /// Reads the queue of errors until it is empty.
    ///
    /// # Errors
    /// `TooLong` if it has no end; `Timeout`, `Garbled`, `HungUp`.
    pub fn errors(&self, link: &mut Link) -> Result<Vec<Entry>> {
        let mut errors = Vec::new();
        while errors.len() < MOST_ERRORS {
            let end = link.within(self.within);
            link.send(b"SYST:ERR?\n", end)?;
            let entry = Entry::parse(&link.line(LONGEST, "an error of the queue", end)?)?;
            if entry.code == 0 {
                return Ok(errors);
            }
            errors.push(entry);
        }
        Err(SerialError::TooLong { what: String::from("the queue of errors"), limit: MOST_ERRORS })
    }
}

/// What a message is about, for errors: its words without a block.
fn what(message: &[u8]) -> String {
    let words = message.split(|&b| b == b'#').next().unwrap_or_default();
    format!("answer to {}", printable(words.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_serial::transport::{Line, Scripted};

    const DIALOGUE: Dialogue = Dialogue { within: Duration::from_millis(100), fill: 0 };

    fn link(turns: &[(&str, &str)]) -> Link {
        Link::new(Box::new(Scripted::dialogue(turns)))
    }

    #[test]
    fn a_dialogue_begins_whatever_was_on_the_line() {
        let turns = [
            ("\n", "garbage\n1.5\n"),
            ("*CLS\n*IDN?\n", "THORLABS,PM100USB,P1,1.4.0\r\n"),
            ("*ESR?\n", "128\n"),
            ("SYST:ERR?\n", "0,\"No error\"\n"),
        ];
        let identity = DIALOGUE.begin(&mut link(&turns), "power meter", &["pm100", "PM400"]).expect("is one");
        assert_eq!(identity.serial, "P1");
        let wrong = DIALOGUE.begin(&mut link(&turns), "scope", &["DSO"]).expect_err("another one");
        assert!(matches!(wrong, SerialError::WrongDevice { .. }), "{wrong}");
    }

    #[test]
    fn a_block_that_was_begun_is_filled_until_somebody_answers() {
        let fill = ["\n".repeat(1024), "\n".repeat(4096), "\n".repeat(880)];
        let silent = |fill: &'static str| [(fill, ""), ("*CLS\n*IDN?\n", "")];
        let [first, second, third] = fill.map(|text| &*text.leak());
        let answers =
            [(second, ""), ("*CLS\n*IDN?\n", "MAKER,AWG,1,2\n"), ("*ESR?\n", "0\n"), ("SYST:ERR?\n", "0,\"No error\"\n")];
        let filling = DIALOGUE.with_fill(6000);
        let soon = [silent("\n").as_slice(), &silent(first), &answers].concat();
        assert_eq!(filling.identity(&mut link(&soon)).expect("answers in the end").serial, "1");
        let never = [silent("\n"), silent(first), silent(second), silent(third)].concat();
        let mut line = link(&never);
        assert!(matches!(filling.identity(&mut line), Err(SerialError::Timeout { .. })));
        assert_eq!(line.sent(), 1 + 6000 + 4 * 11);
    }

    #[test]
    fn errors_are_read_until_there_are_none() {
        let refused = [
            ("CORR:WAVE 99999\n", ""),
            ("SYST:ERR?\n", "-222,\"Data out of range\"\n"),
            ("SYST:ERR?\n", "-113,\"Undefined header\"\n"),
            ("SYST:ERR?\n", "+0,\"No error\"\n"),
            ("*ESR?\n", "48\n"),
        ];
        let taken = [("CORR:WAVE 99999\n", ""), ("SYST:ERR?\n", "0,\"No error\"\n")];
        let once = [refused.as_slice(), &taken].concat();
        DIALOGUE.tell(&mut link(&once), b"CORR:WAVE 99999").expect("the second time it comes through");
        let error = DIALOGUE.tell(&mut link(&[refused, refused].concat()), b"CORR:WAVE 99999").expect_err("refused");
        assert_eq!(error.to_string(), "the device refuses CORR:WAVE 99999: -222,\"Data out of range\"");
        let endless: Vec<(&str, &str)> = std::iter::repeat_n(("SYST:ERR?\n", "-350,\"Queue overflow\"\n"), 64).collect();
        assert!(matches!(DIALOGUE.errors(&mut link(&endless)), Err(SerialError::TooLong { .. })));
    }

    #[test]
    fn a_silent_query_is_explained_by_the_queue() {
        let ask = |events| {
            let turns = [
                ("MEAS:POW?\n", ""),
                ("SYST:ERR?\n", "-113,\"Undefined header\"\n"),
                ("SYST:ERR?\n", "0,\"No error\"\n"),
                ("*ESR?\n", events),
            ];
            DIALOGUE.ask(&mut link(&turns), b"MEAS:POW?").expect_err("refused")
        };
        assert!(matches!(ask("32\n"), SerialError::Fault { .. }));
        assert!(matches!(ask("160\n"), SerialError::Restarted { .. }));
    }

    #[test]
    fn blocks_are_taken_whole() {
        let device = |bytes: &[u8]| Line::Device(bytes.to_vec());
        let ask = |pieces: &[&[u8]]| {
            let script = [Line::Host(b"WAV:DATA?\n".to_vec())].into_iter().chain(pieces.iter().map(|p| device(p)));
            DIALOGUE.ask_block(&mut Link::new(Box::new(Scripted::new(script))), b"WAV:DATA?", 16)
        };
        assert_eq!(ask(&[b"#13a", b"\nb\n"]).expect("is one"), b"a\nb");
        assert!(matches!(ask(&[b"#13abcd\n"]), Err(SerialError::Garbled { .. })));
        assert!(matches!(ask(&[b"#217aa"]), Err(SerialError::TooLong { .. })));
        assert!(matches!(ask(&[b"1.5\n"]), Err(SerialError::Garbled { .. })));
    }

    #[test]
    fn a_restart_is_seen_in_the_register() {
        let turns = [("*ESR?\n", "128\n")];
        assert!(matches!(DIALOGUE.is_well(&mut link(&turns), "a run"), Err(SerialError::Restarted { .. })));
        let turns = [("*ESR?\n", "32\n"), ("SYST:ERR?\n", "-113,\"Undefined header\"\n"), ("SYST:ERR?\n", "0,\"No error\"\n")];
        assert!(matches!(DIALOGUE.is_well(&mut link(&turns), "a run"), Err(SerialError::Fault { .. })));
        let turns = [("*ESR?\n", "1\n"), ("SYST:ERR?\n", "0,\"No error\"\n")];
        DIALOGUE.is_well(&mut link(&turns), "a run").expect("is well");
    }
}
