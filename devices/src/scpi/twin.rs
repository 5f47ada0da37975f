//! The instrument's end of a dialogue: common commands, the queue of errors, the registers; the rest is up to the instrument.
//!
//! Rules of the queue (SCPI-1999, section 21.8; manuals of the HP ESG and the Keysight 81160A): first in, first out; `SYST:ERR?` takes one out;
//! when it is full, the newest becomes `-350,"Queue overflow"` and later ones are dropped; `*CLS` and the supply empty it, `*RST` does not.

use super::dialogue::event;
use super::parser::{Argument, Unit, end_of_message, matches, units};
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::Duration;

/// Entries that the queue of errors holds.
const QUEUE: usize = 16;
/// The longest message.
const LONGEST: usize = 1 << 21;

/// Why an instrument does not do what it is told: the number of a standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure(pub i32);

impl Failure {
    /// The argument is of another kind.
    pub const TYPE: Self = Self(-104);
    /// An argument too many.
    pub const NOT_ALLOWED: Self = Self(-108);
    /// An argument is absent.
    pub const MISSING: Self = Self(-109);
    /// There is no such command.
    pub const UNDEFINED: Self = Self(-113);
    /// The command cannot be done as things are.
    pub const CONFLICT: Self = Self(-221);
    /// An argument is out of range.
    pub const RANGE: Self = Self(-222);
    /// A block is longer than the memory.
    pub const TOO_MUCH: Self = Self(-223);
    /// There are no data to be read.
    pub const STALE: Self = Self(-230);

    /// The words of the standard.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self.0 {
            0 => "No error",
            -104 => "Data type error",
            -108 => "Parameter not allowed",
            -109 => "Missing parameter",
            -113 => "Undefined header",
            -161 => "Invalid block data",
            -221 => "Settings conflict",
            -222 => "Data out of range",
            -223 => "Too much data",
            -230 => "Data corrupt or stale",
            -350 => "Queue overflow",
            -363 => "Input buffer overrun",
            _ => "Command error",
        }
    }
}

/// What an instrument answers to a query, or nothing to a command; and how long it is busy with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// The answer, without an end.
    pub answer: Option<Vec<u8>>,
    /// How long it takes.
    pub takes: Duration,
}

impl Done {
    /// A command that is done at once.
    #[must_use]
    pub fn at_once() -> Self {
        Self::default()
    }

    /// An answer at once.
    #[must_use]
    pub fn answer(answer: impl Into<Vec<u8>>) -> Self {
        Self { answer: Some(answer.into()), takes: Duration::ZERO }
    }

    /// The same after some time.
    #[must_use]
    pub fn taking(mut self, takes: Duration) -> Self {
        self.takes = takes;
        self
    }
}

/// One command for an instrument.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The pattern of its header, as [`Commands::patterns`] has it.
    pub pattern: &'static str,
    /// Whether it is a query.
    pub query: bool,
    /// What follows the header.
    pub arguments: &'a [Argument],
    /// When it is done.
    pub now: Duration,
}

impl Order<'_> {
    /// The only argument.
    ///
    /// # Errors
    /// If there is none, or another one.
    pub fn only(&self) -> Result<&Argument, Failure> {
        match self.arguments {
            [one] => Ok(one),
            [] => Err(Failure::MISSING),
            _ => Err(Failure::NOT_ALLOWED),
        }
    }

    /// The only argument, a number in a range; `MIN` and `MAX` are its ends.
    ///
    /// # Errors
    /// If it is none, or out of range.
    pub fn number(&self, [low, high]: [f64; 2]) -> Result<f64, Failure> {
        let one = self.only()?;
        if one.is("MINimum") {
            return Ok(low);
        }
        if one.is("MAXimum") {
            return Ok(high);
        }
        let number = one.number().ok_or(Failure::TYPE)?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(Failure::RANGE) }
    }
}

/// The commands of one instrument, beyond the common ones.
pub trait Commands: Debug + Send {
    /// The answer to `*IDN?`.
    fn identity(&self) -> String;

    /// The headers that it knows: `[SENSe:]CORRection:WAVelength`.
    fn patterns(&self) -> &'static [&'static str];

    /// Does a command.
    ///
    /// # Errors
    /// Why not.
    fn execute(&mut self, order: Order<'_>) -> Result<Done, Failure>;

    /// Goes to the settings of `*RST`.
    fn reset(&mut self, now: Duration);

    /// Loses its supply and comes back.
    fn restart(&mut self, now: Duration) {
        self.reset(now);
    }
}

/// An instrument of SCPI in software.
#[derive(Debug)]
pub struct Instrument<C> {
    commands: C,
    inbox: Vec<u8>,
    outbox: VecDeque<(Duration, Vec<u8>)>,
    errors: VecDeque<Failure>,
    events: u8,
    enabled: u8,
    busy: Duration,
}

impl<C: Commands> Instrument<C> {
    /// An instrument that was just switched on.
    #[must_use]
    pub fn new(commands: C) -> Self {
        Self {
            commands,
            inbox: Vec::new(),
            outbox: VecDeque::new(),
            errors: VecDeque::new(),
            events: event::POWER_ON,
            enabled: 0,
            busy: Duration::ZERO,
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.events |= match failure.0 {
            -199..=-100 => 1 << 5,
            -299..=-200 => 1 << 4,
            -499..=-400 => 1 << 2,
            _ => 1 << 3,
        };
        if self.errors.len() < QUEUE {
            self.errors.push_back(failure);
        } else if let Some(newest) = self.errors.back_mut() {
            *newest = Failure(-350);
        }
    }

    fn message(&mut self, message: &[u8], now: Duration) {
        let mut answers: Vec<Vec<u8>> = Vec::new();
        for unit in units(message) {
            match self.unit(&unit, now.max(self.busy)) {
                Ok(done) => {
                    self.busy = now.max(self.busy) + done.takes;
                    answers.extend(done.answer);
                }
                // the rest of a message with an error in it is not done
                Err(failure) => {
                    self.fail(failure);
                    break;
                }
            }
        }
        if !answers.is_empty() {
            let mut line = answers.join(&b';');
            line.push(b'\n');
            self.outbox.push_back((now.max(self.busy), line));
        }
    }

    fn unit(&mut self, unit: &Unit, now: Duration) -> Result<Done, Failure> {
        let header = unit.header.to_ascii_uppercase();
        match (header.as_slice(), unit.query) {
            (b"*IDN", true) => Ok(Done::answer(self.commands.identity())),
            (b"*OPC", true) => Ok(Done::answer("1")),
            (b"*OPC", false) => {
                self.events |= event::COMPLETE;
                Ok(Done::at_once())
            }
            (b"*ESR", true) => Ok(Done::answer(std::mem::take(&mut self.events).to_string())),
            (b"*ESE", true) => Ok(Done::answer(self.enabled.to_string())),
            (b"*ESE", false) => {
                self.enabled = byte(&unit.arguments)?;
                Ok(Done::at_once())
            }
            (b"*STB", true) => {
                let summary = u8::from(self.events & self.enabled != 0) << 5;
                let queued = u8::from(!self.errors.is_empty()) << 2;
                Ok(Done::answer((summary | queued).to_string()))
            }
            (b"*WAI", false) => Ok(Done::at_once()),
            (b"*CLS", false) => {
                self.errors.clear();
                self.events = 0;
                Ok(Done::at_once())
            }
            (b"*RST", false) => {
                self.commands.reset(now);
                Ok(Done::at_once())
            }
            (_, query) if matches(&header, "SYSTem:ERRor[:NEXT]") && query => {
                let oldest = self.errors.pop_front().unwrap_or(Failure(0));
                Ok(Done::answer(format!("{},\"{}\"", oldest.0, oldest.text())))
            }
            (_, query) => {
                let pattern = self.commands.patterns().iter().find(|p| matches(&header, p)).ok_or(Failure::UNDEFINED)?;
                self.commands.execute(Order { pattern, query, arguments: &unit.arguments, now })
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the range of a byte")]
fn byte(arguments: &[Argument]) -> Result<u8, Failure> {
    let [one] = arguments else { return Err(Failure::MISSING) };
    let number = one.number().ok_or(Failure::TYPE)?;
    if (0.0..=255.0).contains(&number) { Ok(number as u8) } else { Err(Failure::RANGE) }
}

impl<C: Commands> Twin for Instrument<C> {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.inbox.extend(bytes);
        while let Some(end) = end_of_message(&self.inbox) {
            let message: Vec<u8> = self.inbox.drain(..=end).take(end).collect();
            self.message(&message, now);
        }
        if self.inbox.len() > LONGEST {
            self.inbox.clear();
            self.fail(Failure(-363));
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        while self.outbox.front().is_some_and(|(due, _)| *due <= now) {
            out.extend(self.outbox.pop_front().map(|(_, line)| line).unwrap_or_default());
        }
    }

    fn next(&self) -> Option<Duration> {
        self.outbox.front().map(|(due, _)| *due)
    }

    fn restart(&mut self, now: Duration) {
        self.inbox.clear();
        self.outbox.clear();
        self.errors.clear();
        self.events = event::POWER_ON;
        self.enabled = 0;
        self.busy = now;
        self.commands.restart(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scpi::dialogue::Dialogue;
    use isoform_serial::error::SerialError;
    use isoform_serial::link::Link;
    use isoform_serial::transport::Memory;
    use proptest::prelude::*;

    /// An instrument with one number and one slow measurement.
    #[derive(Debug, Default)]
    struct Dial {
        level: f64,
    }

    impl Commands for Dial {
        fn identity(&self) -> String {
            String::from("ISOFORM,DIAL,1,1.0")
        }

        fn patterns(&self) -> &'static [&'static str] {
            &["SOURce:LEVel", "MEASure[:LEVel]", "TRACe:DATA"]
        }

        fn execute(&mut self, order: Order<'_>) -> Result<Done, Failure> {
            match (order.pattern, order.query) {
                ("SOURce:LEVel", false) => {
                    self.level = order.number([-1.0, 1.0])?;
                    Ok(Done::at_once())
                }
                ("SOURce:LEVel", true) => Ok(Done::answer(format!("{}", self.level))),
                ("MEASure[:LEVel]", true) => Ok(Done::answer("7").taking(Duration::from_millis(20))),
                ("TRACe:DATA", false) => match order.only()? {
                    Argument::Block(bytes) if bytes.len() <= 4 => Ok(Done::at_once()),
                    Argument::Block(_) => Err(Failure::TOO_MUCH),
                    Argument::Text(_) => Err(Failure::TYPE),
                },
                _ => Err(Failure::UNDEFINED),
            }
        }

        fn reset(&mut self, _: Duration) {
            self.level = 0.0;
        }
    }

    fn answers(message: &str) -> String {
        let mut twin = Instrument::new(Dial::default());
        let mut out = VecDeque::new();
        twin.receive(message.as_bytes(), Duration::ZERO);
        twin.transmit(Duration::from_secs(1), &mut out);
        String::from_utf8(out.into()).expect("text")
    }

    #[test]
    fn the_queue_follows_the_rules() {
        assert_eq!(answers("syst:err?\n"), "0,\"No error\"\n");
        assert_eq!(
            answers("SOUR:LEV 2\nBAD\nSYSTEM:ERROR:NEXT?\nSYST:ERR?\nSYST:ERR?\n"),
            "-222,\"Data out of range\"\n-113,\"Undefined header\"\n0,\"No error\"\n"
        );
        let many = "BAD\n".repeat(20);
        let read = "SYST:ERR?\n".repeat(17);
        let seen = answers(&(many.clone() + "*RST\n" + &read));
        let lines: Vec<&str> = seen.lines().collect();
        assert_eq!(lines[14..], ["-113,\"Undefined header\"", "-350,\"Queue overflow\"", "0,\"No error\""]);
        assert_eq!(answers(&(many + "*CLS\nSYST:ERR?\n")), "0,\"No error\"\n");
    }

    #[test]
    fn registers_tell_what_happened() {
        assert_eq!(answers("*ESR?\n*ESR?\n"), "128\n0\n");
        assert_eq!(answers("*CLS\nSOUR:LEV 2\n*ESR?\n*STB?\n"), "16\n4\n");
        assert_eq!(answers("*CLS\n*ESE 32;BAD\n*STB?\n*OPC\n*ESR?\n"), "36\n33\n");
    }

    #[test]
    fn answers_of_one_message_share_a_line() {
        assert_eq!(answers("SOUR:LEV 0.5;LEV?;*OPC?;:MEAS?\r\n"), "0.5;1;7\n");
        assert_eq!(answers("SOUR:LEV MAX;LEV?\n"), "1\n");
        assert_eq!(answers("TRAC:DATA #13a\nb\nSYST:ERR?\n"), "0,\"No error\"\n");
    }

    #[test]
    fn a_host_and_an_instrument_understand_each_other() {
        let mut link = Link::new(Box::new(Memory::new("dial", Box::new(Instrument::new(Dial::default())))));
        let dialogue = Dialogue::new(Duration::from_millis(100)).with_fill(1000);
        // a block of nine hundred bytes was begun by somebody else
        let end = link.within(Duration::from_secs(1));
        link.send(b"TRAC:DATA #3900abc", end).expect("sent");
        dialogue.begin(&mut link, "dial", &["DIAL"]).expect("is one");
        let refused = dialogue.tell(&mut link, b"SOUR:LEV 3").expect_err("out of range");
        assert!(matches!(refused, SerialError::Refused { .. }), "{refused}");
        dialogue.is_well(&mut link, "nothing").expect("what was refused is over");
        dialogue.tell(&mut link, b"SOUR:LEV -0.25").expect("taken");
        assert_eq!(dialogue.ask(&mut link, b"SOUR:LEV?").expect("answers"), b"-0.25");
        let before = link.now();
        assert_eq!(dialogue.ask(&mut link, b"MEAS?").expect("answers"), b"7");
        assert_eq!(link.now() - before, Duration::from_millis(20));
        dialogue.complete(&mut link).expect("is complete");
        dialogue.is_well(&mut link, "nothing").expect("is well");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut twin = Instrument::new(Dial::default());
            let mut out = VecDeque::new();
            twin.receive(&bytes, Duration::ZERO);
            twin.transmit(Duration::from_secs(1), &mut out);
            prop_assert!(out.len() < 4096);
        }
    }
}
