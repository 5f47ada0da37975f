//! A board in software: the protocol of `docs/board-protocol.md` around the vector machine.

use super::capabilities::{Capabilities, Numbers};
use super::codec::{checked, number, unchecked};
use super::machine::{Machine, MachineError};
use crate::scpi::codec::{block, put_block};
use isoform_core::fixed_point::FixedPointError;
use isoform_core::signal::bytes_of_bits;
use isoform_core::transfer::TransferFunction;
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A message that stops arriving for so long is dropped.
const STOPPED: Duration = Duration::from_millis(100);
/// What a message holds beside its block.
const HEAD: usize = 128;
/// The largest input, where the numbers reach as far.
const MOST_INPUT: f64 = 32.0;
/// How many errors wait to be asked for.
const QUEUE: usize = 8;
/// The most ticks of a run: one that takes days is a number that was damaged.
const MOST_TICKS: usize = 65_535;
/// How long an operation of the twin takes on its own clock.
const ANSWER: Duration = Duration::from_micros(200);

const TOO_LONG: i16 = -100;
const MISSING: i16 = -109;
const UNKNOWN: i16 = -113;
const NO_BLOCK: i16 = -161;
const RANGE: i16 = -222;
const OVERFLOW: i16 = -350;

/// A board in software.
#[derive(Debug)]
pub struct BoardTwin {
    machine: Machine,
    capabilities: Capabilities,
    inbox: Vec<u8>,
    /// Whether what arrives is thrown away until the next LF.
    skipping: bool,
    heard: Duration,
    out: VecDeque<(Duration, Vec<u8>)>,
    errors: VecDeque<i16>,
    checked: bool,
    /// The number of the last message of the checked mode, and its answer.
    last: Option<(u16, Vec<u8>)>,
}

/// How far a message has come.
enum Progress {
    Incomplete,
    /// Its length with the LF, and that of its words: without the LF, and without a CR before it unless that is the last byte of a block.
    Complete(usize, usize),
}

/// Looks for the end of a message: an LF that does not stand in a block.
fn progress(bytes: &[u8]) -> Progress {
    let (mut at, mut block) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => return Progress::Complete(at + 1, at - usize::from(at > block && bytes[at - 1] == b'\r')),
            b'#' if at > 0 && matches!(bytes[at - 1], b' ' | b',') => {
                let Some(&digit) = bytes.get(at + 1) else { return Progress::Incomplete };
                let digits = usize::from(digit.wrapping_sub(b'0'));
                if (1..=9).contains(&digits) {
                    let Some(length) = bytes.get(at + 2..at + 2 + digits) else { return Progress::Incomplete };
                    // what is no number is no block, and the message is refused when it is read
                    at += 2 + digits + number::<usize>(length).unwrap_or(0);
                    block = at;
                    continue;
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    Progress::Incomplete
}

/// The arguments of a command: so many numbers, and a block if one has to be there.
fn arguments<const N: usize>(text: &[u8], with_block: bool) -> Result<([usize; N], &[u8]), i16> {
    let mut parts = text.splitn(N + usize::from(with_block), |&b| b == b',');
    let mut numbers = [0; N];
    for place in &mut numbers {
        let part = parts.next().filter(|p| !p.is_empty()).ok_or(MISSING)?;
        *place = number(part.trim_ascii()).ok_or(RANGE)?;
    }
    if !with_block {
        return Ok((numbers, &[]));
    }
    let text = parts.next().filter(|p| !p.is_empty()).ok_or(MISSING)?;
    Ok((numbers, block("a message", text).map_err(|_| NO_BLOCK)?))
}

impl BoardTwin {
    /// A board with these transfer functions, of the size of an ATmega2560.
    ///
    /// # Errors
    /// If a function has no run-time form, draws, or needs what boards do not have.
    pub fn new(numbers: Numbers, functions: &[Arc<dyn TransferFunction>]) -> Result<Self, FixedPointError> {
        let machine = Machine::new(numbers, functions, 1200, 512)?;
        let most = numbers.largest().min(MOST_INPUT);
        let capabilities = machine.capabilities(1024, [-most, most]);
        Ok(Self {
            machine,
            capabilities,
            inbox: Vec::new(),
            skipping: false,
            heard: Duration::ZERO,
            out: VecDeque::new(),
            errors: VecDeque::new(),
            checked: false,
            last: None,
        })
    }

    /// The same without the checked mode.
    #[must_use]
    pub fn without_check(mut self) -> Self {
        self.capabilities.check = false;
        self
    }

    fn complain(&mut self, code: i16) {
        if self.errors.len() < QUEUE {
            self.errors.push_back(code);
        } else if let Some(newest) = self.errors.back_mut() {
            *newest = OVERFLOW;
        }
    }

    fn say(&mut self, now: Duration, line: Vec<u8>) {
        self.out.push_back((now + ANSWER, line));
    }

    /// A whole message.
    fn message(&mut self, line: &[u8], now: Duration) {
        if !self.checked {
            if line.trim_ascii().is_empty() {
                return;
            }
            match self.execute(line) {
                Ok(Some(mut answer)) => {
                    answer.push(b'\n');
                    self.say(now, answer);
                }
                Ok(None) => {}
                Err(code) => self.complain(code),
            }
            return;
        }
        let Some((number, words)) = unchecked(line) else { return };
        if let Some((_, answer)) = self.last.as_ref().filter(|(last, _)| *last == number) {
            let again = answer.clone();
            self.say(now, again);
            return;
        }
        let words = match self.execute(words) {
            Ok(Some(answer)) => [b"0 ", answer.as_slice()].concat(),
            Ok(None) => b"0".to_vec(),
            Err(code) => code.to_string().into_bytes(),
        };
        let answer = checked(number, &words);
        self.last = self.checked.then(|| (number, answer.clone()));
        self.say(now, answer);
    }

    fn execute(&mut self, line: &[u8]) -> Result<Option<Vec<u8>>, i16> {
        let space = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let word = line[..space].to_ascii_uppercase();
        let rest = line.get(space + 1..).unwrap_or_default();
        let text = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        match word.as_slice() {
            b"*IDN?" => text(concat!("isoform,board twin,0,", env!("CARGO_PKG_VERSION"))),
            b"*OPC?" | b"SYST:VERS?" => text("1"),
            b"SYST:CAP?" => text(&self.capabilities.to_string()),
            b"*RST" => {
                self.machine.reset();
                Ok(None)
            }
            b"*CLS" => {
                self.errors.clear();
                Ok(None)
            }
            b"SYST:ERR?" => {
                let code = self.errors.pop_front().unwrap_or(0);
                text(&format!("{code},\"{}\"", meaning(code)))
            }
            b"FORM:CHEC" if !self.capabilities.check => Err(UNKNOWN),
            b"FORM:CHEC" => match rest.trim_ascii().to_ascii_uppercase().as_slice() {
                b"ON" => {
                    // what is sent from here on is checked; the answer to this message is not
                    self.last = None;
                    self.checked = true;
                    Ok(None)
                }
                b"OFF" => {
                    self.checked = false;
                    Ok(None)
                }
                b"" => Err(MISSING),
                _ => Err(RANGE),
            },
            b"PROG:DATA" => {
                let ([], bytes) = arguments::<0>(rest, true)?;
                let (pairs, []) = bytes.as_chunks::<2>() else { return Err(NO_BLOCK) };
                let words: Vec<u16> = pairs.iter().map(|w| u16::from_le_bytes(*w)).collect();
                self.machine.set_program(&words).map_err(MachineError::code)?;
                Ok(None)
            }
            b"MEM:DATA" => {
                let ([first], bytes) = arguments(rest, true)?;
                let (quads, []) = bytes.as_chunks::<4>() else { return Err(NO_BLOCK) };
                let words: Vec<u32> = quads.iter().map(|w| u32::from_le_bytes(*w)).collect();
                self.machine.write(first, &words).map_err(MachineError::code)?;
                Ok(None)
            }
            b"MEM:DATA?" => {
                let ([first, count], _) = arguments(rest, false)?;
                if count.checked_mul(4).is_none_or(|bytes| bytes > self.capabilities.block) {
                    return Err(RANGE);
                }
                let words = self.machine.read(first, count).map_err(MachineError::code)?;
                let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
                let mut answer = Vec::new();
                put_block(&mut answer, &bytes);
                Ok(Some(answer))
            }
            b"RUN?" => self.run(rest).map(Some),
            _ => Err(UNKNOWN),
        }
    }

    fn run(&mut self, rest: &[u8]) -> Result<Vec<u8>, i16> {
        let ([ticks, mode], bytes) = arguments(rest, true)?;
        let [input, output] = self.machine.channels();
        let (held, bits, counts) = (mode & 1 != 0, mode & 2 != 0, mode & 4 != 0);
        if mode > 7 || bits && counts {
            return Err(RANGE);
        }
        let rows = if held { 1 } else { ticks };
        let out = match (bits, counts) {
            (true, _) => bytes_of_bits(output).checked_mul(ticks),
            (_, true) => Some(4 * output),
            _ => (4 * output).checked_mul(ticks),
        };
        let expected = (4 * input).checked_mul(rows).ok_or(RANGE)?;
        if ticks > MOST_TICKS {
            return Err(RANGE);
        }
        let fits = out.and_then(|out| out.checked_add(expected)).is_some_and(|all| all <= self.capabilities.block);
        if !fits || bytes.len() != expected {
            return Err(RANGE);
        }
        let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect();
        let (mut clipped, mut outputs, mut counted) = (0, Vec::new(), vec![0_u32; output]);
        for tick in 0..ticks {
            let row = if held { 0 } else { tick };
            clipped += self.machine.tick(&words[row * input..(row + 1) * input]).map_err(MachineError::code)?;
            let results = self.machine.outputs();
            if counts {
                counted.iter_mut().zip(results).for_each(|(count, &v)| *count += u32::from(self.is_set(v)));
            } else if bits {
                let at = outputs.len();
                outputs.resize(at + bytes_of_bits(output), 0_u8);
                for (c, &v) in results.iter().enumerate() {
                    outputs[at + c / 8] |= u8::from(self.is_set(v)) << (c % 8);
                }
            } else {
                outputs.extend(results.iter().flat_map(|w| w.to_le_bytes()));
            }
        }
        if counts {
            outputs.extend(counted.iter().flat_map(|w| w.to_le_bytes()));
        }
        let mut answer = format!("{ticks},{clipped},").into_bytes();
        put_block(&mut answer, &outputs);
        Ok(answer)
    }

    /// Whether a raw word is not nought; a negative nought is one.
    fn is_set(&self, word: u32) -> bool {
        self.capabilities.numbers.decode(word) != 0.0
    }
}

fn meaning(code: i16) -> &'static str {
    match code {
        0 => "No error",
        TOO_LONG => "Command error; message too long",
        MISSING => "Missing parameter",
        UNKNOWN => "Undefined header",
        NO_BLOCK => "Invalid block data",
        RANGE => "Data out of range",
        -225 => "Out of memory",
        -285 => "Program syntax error",
        OVERFLOW => "Queue overflow",
        _ => "Device error",
    }
}

impl Twin for BoardTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if !self.inbox.is_empty() && now.saturating_sub(self.heard) > STOPPED {
            self.inbox.clear();
            if !self.checked {
                self.complain(MISSING);
            }
        }
        self.heard = now;
        self.inbox.extend(bytes);
        loop {
            if self.skipping {
                let Some(end) = self.inbox.iter().position(|&b| b == b'\n') else {
                    self.inbox.clear();
                    return;
                };
                self.inbox.drain(..=end);
                self.skipping = false;
            }
            match progress(&self.inbox) {
                Progress::Complete(length, words) => {
                    let line: Vec<u8> = self.inbox.drain(..length).take(words).collect();
                    self.message(&line, now);
                }
                Progress::Incomplete if self.inbox.len() > self.capabilities.block + HEAD => {
                    self.skipping = true;
                    if !self.checked {
                        self.complain(TOO_LONG);
                    }
                }
                Progress::Incomplete => return,
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        while self.out.front().is_some_and(|(at, _)| *at <= now) {
            out.extend(self.out.pop_front().unwrap_or_default().1);
        }
    }

    fn next(&self) -> Option<Duration> {
        self.out.front().map(|(at, _)| *at)
    }

    fn restart(&mut self, now: Duration) {
        self.machine.reset();
        self.inbox.clear();
        self.out.clear();
        self.errors.clear();
        self.checked = false;
        self.skipping = false;
        self.last = None;
        self.heard = now;
    }
}
