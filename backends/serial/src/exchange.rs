//! The ways in which devices answer.
//!
//! A driver names the style once for each request; the rest is the same for all of them: the request goes out, and the answer has to come
//! before the deadline. A stream of frames, which nobody asks for, is hunted through: [`Link::hunt`].

use crate::error::{Result, SerialError};
use crate::link::Link;
use std::time::Duration;

/// How a device answers a request.
#[derive(Clone, Copy)]
pub enum Reply<'a> {
    /// By one line.
    Line,
    /// By nothing, if all is well: what comes within a moment is a complaint.
    Silence {
        /// The moment.
        moment: Duration,
    },
    /// By repeating every byte of the request, and then one line.
    Echo,
    /// By one line, with lines in between that speak of something else.
    Among {
        /// Whether a line is one of those others.
        is_event: &'a dyn Fn(&[u8]) -> bool,
    },
}

impl std::fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Line => "Line",
            Self::Silence { .. } => "Silence",
            Self::Echo => "Echo",
            Self::Among { .. } => "Among",
        })
    }
}

/// One request and what its answer looks like.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// What it is about, for messages.
    pub what: &'a str,
    /// The bytes that go out.
    pub request: &'a [u8],
    /// How it is answered.
    pub reply: Reply<'a>,
    /// How long the answer may take.
    pub within: Duration,
    /// The longest line that is an answer.
    pub longest: usize,
}

impl<'a> Exchange<'a> {
    /// A request that is answered by one line of at most 4 KiB within a second.
    #[must_use]
    pub fn new(what: &'a str, request: &'a [u8]) -> Self {
        Self { what, request, reply: Reply::Line, within: Duration::from_secs(1), longest: 4096 }
    }

    /// The same with another style of answer.
    #[must_use]
    pub fn with_reply(mut self, reply: Reply<'a>) -> Self {
        self.reply = reply;
        self
    }

    /// The same with another time.
    #[must_use]
    pub fn with_time(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The same with another bound on the answer.
    #[must_use]
    pub fn with_longest(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }
}

/// The most lines that may stand between a request and its answer.
const EVENTS: usize = 4096;

impl Link {
    /// Sends a request and takes its answer; nothing, where silence is the answer. Lines that speak of something else are handed to `event`.
    ///
    /// # Errors
    /// `Timeout`, `HungUp`, `TooLong`; `Garbled` if an echo differs or silence is broken.
    pub fn ask(&mut self, exchange: &Exchange<'_>, event: &mut dyn FnMut(&[u8])) -> Result<Vec<u8>> {
        let Exchange { what, request, reply, within, longest } = *exchange;
        let end = self.within(within);
        self.send(request, end)?;
        match reply {
            Reply::Line => self.line(longest, what, end),
            Reply::Silence { moment } => {
                let moment = self.within(moment.min(self.left(end)));
                match self.line(longest, what, moment) {
                    Err(SerialError::Timeout { .. }) => Ok(Vec::new()),
                    Ok(line) => Err(SerialError::Refused { what: what.to_owned(), said: crate::error::printable(&line) }),
                    Err(e) => Err(e),
                }
            }
            Reply::Echo => {
                let echo = self.exactly(request.len(), what, end)?;
                if echo != request {
                    return Err(SerialError::garbled(what, &echo, "the echo differs from what was sent"));
                }
                self.line(longest, what, end)
            }
            Reply::Among { is_event } => {
                for _ in 0..EVENTS {
                    let line = self.line(longest, what, end)?;
                    if !is_event(&line) {
                        return Ok(line);
                    }
                    event(&line);
                }
                Err(SerialError::TooLong { what: what.to_owned(), limit: EVENTS })
            }
        }
    }

    /// Sends a request that one line answers.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn query(&mut self, exchange: &Exchange<'_>) -> Result<Vec<u8>> {
        self.ask(exchange, &mut |_| {})
    }
}

/// How a dialogue that has lost its thread finds it again.
#[derive(Debug, Clone, Copy)]
pub enum Resync<'a> {
    /// A line ends what was begun: what comes until the line is quiet belongs to it.
    Lines,
    /// Nothing marks an answer: the device is reset, and what it still sends is thrown away.
    Reset {
        /// The bytes that reset it.
        request: &'a [u8],
        /// How long it takes to come back.
        pause: Duration,
    },
    /// Frames have headers: nothing has to be done, the next header is hunted for.
    Headers,
}

impl Link {
    /// Brings a dialogue back into step.
    ///
    /// # Errors
    /// `HungUp` if the line has ended, `Timeout` if it takes nothing.
    pub fn resync(&mut self, how: Resync<'_>, quiet: Duration) -> Result<()> {
        match how {
            Resync::Lines => self.drain(quiet).map(drop),
            Resync::Reset { request, pause } => {
                let end = self.within(Duration::from_secs(1));
                self.send(request, end)?;
                self.sleep(pause);
                self.drain(quiet).map(drop)
            }
            Resync::Headers => {
                self.clear();
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Line, Scripted};

    fn says(text: &str) -> Line {
        Line::Device(text.as_bytes().to_vec())
    }

    fn ask(script: Vec<Line>, exchange: &Exchange<'_>) -> (Result<String>, Vec<String>) {
        let mut link = Link::new(Box::new(Scripted::new(script)));
        let mut events = Vec::new();
        let answer = link.ask(exchange, &mut |e| events.push(String::from_utf8_lossy(e).into_owned()));
        (answer.map(|a| String::from_utf8_lossy(&a).into_owned()), events)
    }

    #[test]
    fn each_style_is_understood() {
        let hears = |text: &str| Line::Host(text.as_bytes().to_vec());
        let one = Exchange::new("the identity", b"id?\n");
        assert_eq!(ask(vec![hears("id?\n"), says("Q8iv\n")], &one).0.expect("a line"), "Q8iv");
        let echo = one.with_reply(Reply::Echo);
        assert_eq!(ask(vec![hears("id?\n"), says("id?\nQ8\r\n")], &echo).0.expect("a line"), "Q8");
        assert!(ask(vec![hears("id?\n"), says("ID?\nQ8\r\n")], &echo).0.is_err());
        let silence = one.with_reply(Reply::Silence { moment: Duration::from_millis(5) });
        assert_eq!(ask(vec![hears("id?\n")], &silence).0.expect("silence"), "");
        let complaint = ask(vec![hears("id?\n"), says("ERR\n")], &silence).0.expect_err("a complaint");
        assert!(matches!(complaint, SerialError::Refused { .. }), "{complaint}");
        let among = one.with_reply(Reply::Among { is_event: &|line| line.starts_with(b"log") });
        let (answer, events) = ask(vec![hears("id?\n"), says("log 1\nlog 2\nQ8\n")], &among);
        assert_eq!((answer.expect("a line"), events), (String::from("Q8"), vec![String::from("log 1"), String::from("log 2")]));
    }
}
