//! A chain of Qontrol Q8iv modules in software, at the heaters of a chip.
//!
//! Known from the client and its guide: words, codes, replies, ranges. Chosen here, because nothing public says it: a binary message that is
//! not finished within 100 ms is dropped with E16, a header with an odd number of ones is E15, a set-point that the device refuses leaves the
//! old one, and an empty line is ignored.

use super::chip::Chip;
use super::codec::{command, header, value};
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Channels of a module.
pub const CHANNELS: usize = 8;
/// Volts at full scale.
const V_FULL: f64 = 12.0;
/// Milliamps at full scale.
const I_FULL: f64 = 24.0;
/// The longest message of text.
const LONGEST: usize = 256;
/// How long a binary message may take.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a channel was told last.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Channel {
    /// Volts, or milliamps.
    set: f64,
    is_current: bool,
    v_max: f64,
    i_max: f64,
}

impl Default for Channel {
    fn default() -> Self {
        Self { set: 0.0, is_current: false, v_max: V_FULL, i_max: I_FULL }
    }
}

/// The chain.
#[derive(Debug)]
pub struct Heaters {
    chip: Arc<Mutex<Chip>>,
    channels: Vec<Channel>,
    inbox: Vec<u8>,
    since: Duration,
    outbox: VecDeque<u8>,
}

/// Why a channel does not do what it is told: the code and the channel.
type Refusal = (u8, usize);

/// A quantity of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    V,
    I,
    VMax,
    IMax,
}

impl Quantity {
    fn of_code(code: u8) -> Option<Self> {
        match code {
            command::V => Some(Self::V),
            command::I => Some(Self::I),
            command::VMAX => Some(Self::VMax),
            command::IMAX => Some(Self::IMax),
            _ => None,
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        match word {
            "V" => Some(Self::V),
            "I" => Some(Self::I),
            "VMAX" => Some(Self::VMax),
            "IMAX" => Some(Self::IMax),
            _ => None,
        }
    }

    fn full(self) -> f64 {
        if matches!(self, Self::V | Self::VMax) { V_FULL } else { I_FULL }
    }

    fn unit(self) -> &'static str {
        if matches!(self, Self::V | Self::VMax) { "V" } else { "mA" }
    }
}

impl Heaters {
    /// A chain with as many modules as the heaters of a chip need.
    #[must_use]
    pub fn new(chip: Arc<Mutex<Chip>>) -> Self {
        let heaters = lock(&chip).heaters();
        let channels = vec![Channel::default(); heaters.div_ceil(CHANNELS) * CHANNELS];
        Self { chip, channels, inbox: Vec::new(), since: Duration::ZERO, outbox: VecDeque::new() }
    }

    fn say(&mut self, line: &str) {
        self.outbox.extend(line.bytes());
        self.outbox.push_back(b'\n');
    }

    /// Ohms at a channel; channels without a heater have a resistor.
    fn ohms(&self, channel: usize) -> f64 {
        let chip = lock(&self.chip);
        if channel < chip.heaters() { chip.ohms(channel) } else { 1000.0 }
    }

    fn volts(&self, channel: usize) -> f64 {
        let Channel { set, is_current, .. } = self.channels[channel];
        if is_current { set * 1e-3 * self.ohms(channel) } else { set }
    }

    fn set(&mut self, quantity: Quantity, channel: usize, value: f64, now: Duration) -> Result<(), Refusal> {
        let ohms = self.ohms(channel);
        let one = self.channels.get(channel).copied().ok_or((12, channel))?;
        if !(0.0..=quantity.full() * (1.0 + 1e-9)).contains(&value) {
            return Err((if quantity.unit() == "V" { 1 } else { 2 }, channel));
        }
        let changed = match quantity {
            Quantity::VMax => Channel { v_max: value, ..one },
            Quantity::IMax => Channel { i_max: value, ..one },
            Quantity::V | Quantity::I => Channel { set: value, is_current: quantity == Quantity::I, ..one },
        };
        let volts = if changed.is_current { changed.set * 1e-3 * ohms } else { changed.set };
        if volts > changed.v_max.min(V_FULL) {
            return Err((1, channel));
        }
        if volts / ohms * 1e3 > changed.i_max.min(I_FULL) {
            return Err((2, channel));
        }
        self.channels[channel] = changed;
        self.warm(channel, now);
        Ok(())
    }

    fn warm(&self, channel: usize, now: Duration) {
        let (volts, ohms) = (self.volts(channel), self.ohms(channel));
        let mut chip = lock(&self.chip);
        if channel < chip.heaters() {
            chip.heat(channel, volts * volts / ohms, now);
        }
    }

    fn read(&self, quantity: Quantity, channel: usize) -> Result<String, Refusal> {
        let one = self.channels.get(channel).ok_or((12, channel))?;
        let value = match quantity {
            Quantity::V => self.volts(channel),
            Quantity::I => self.volts(channel) / self.ohms(channel) * 1e3,
            Quantity::VMax => one.v_max,
            Quantity::IMax => one.i_max,
        };
        Ok(format!("{value:+.3} {}", quantity.unit()))
    }

    fn read_all(&mut self, quantity: Quantity) {
        for channel in 0..self.channels.len() {
            if let Ok(line) = self.read(quantity, channel) {
                self.say(&line);
            }
        }
    }

    fn answer(&mut self, result: Result<Option<String>, Refusal>) {
        match result {
            Ok(Some(line)) => self.say(&line),
            Ok(None) => self.say("OK"),
            Err((code, channel)) => self.say(&format!("E{code:02}:{channel:02}")),
        }
    }

    fn text(&mut self, line: &str, now: Duration) {
        let line = line.trim().to_ascii_uppercase();
        if line.is_empty() {
            return;
        }
        let (left, operator, right) = match (line.split_once('='), line.strip_suffix('?')) {
            (Some((left, right)), _) => (left, '=', right),
            (None, Some(left)) => (left, '?', ""),
            _ => return self.answer(Err((10, 0))),
        };
        let word_end = left.find(|c: char| c.is_ascii_digit()).unwrap_or(left.len());
        let (word, channel) = left.split_at(word_end);
        let channel: Option<usize> = channel.parse().ok();
        match (word, operator, channel) {
            ("ID", '?', None) => self.say("Q8iv-00A1"),
            ("NUP", '=', None) => self.answer(Ok(None)),
            ("NUP" | "NUPALL", '?', None) => {
                for module in 0..self.channels.len() / CHANNELS {
                    self.say(&format!("Q8iv-{:04X}:{module}", 0xa1 + module));
                }
            }
            ("NCHAN", '?', None) => self.say(&self.channels.len().to_string()),
            ("FIRMWARE", '?', None) => self.say("0.1.0-twin"),
            ("LIFETIME", '?', None) => self.say(&now.as_secs().to_string()),
            ("VFULL", '?', None) => self.say(&format!("{V_FULL:+.3} V")),
            ("IFULL", '?', None) => self.say(&format!("{I_FULL:+.3} mA")),
            ("VALL", '?', None) => self.read_all(Quantity::V),
            ("IALL", '?', None) => self.read_all(Quantity::I),
            ("VVEC" | "IVEC", '=', Some(first)) => {
                let quantity = if word == "VVEC" { Quantity::V } else { Quantity::I };
                let values: Option<Vec<f64>> = right.split(',').map(|v| v.trim().parse().ok()).collect();
                let result = values.ok_or((11, first)).and_then(|v| self.set_many(quantity, first, &v, now));
                self.answer(result);
            }
            (word, operator, Some(channel)) => {
                let result = match (Quantity::of_word(word), operator, right.trim().parse()) {
                    (None, ..) => Err((10, 0)),
                    (Some(quantity), '?', _) => self.read(quantity, channel).map(Some),
                    (Some(quantity), _, Ok(value)) => self.set(quantity, channel, value, now).map(|()| None),
                    (Some(_), _, Err(_)) => Err((11, channel)),
                };
                self.answer(result);
            }
            _ => self.answer(Err((10, 0))),
        }
    }

    fn set_many(&mut self, quantity: Quantity, first: usize, values: &[f64], now: Duration) -> Result<Option<String>, Refusal> {
        if first + values.len() > self.channels.len() {
            return Err((12, self.channels.len()));
        }
        values.iter().enumerate().try_for_each(|(i, &v)| self.set(quantity, first + i, v, now)).map(|()| None)
    }

    /// How long the binary message is that begins the inbox, as far as it tells.
    fn length(&self) -> usize {
        match self.inbox.as_slice() {
            [head, .., high, low] if self.inbox.len() == 7 && head & header::EXTENDED != 0 => {
                7 + 2 * usize::from(u16::from_be_bytes([*high, *low]))
            }
            [head, _, _, _, _, high, low, ..] if head & header::EXTENDED != 0 => {
                7 + 2 * usize::from(u16::from_be_bytes([*high, *low]))
            }
            _ => 7,
        }
    }

    fn binary(&mut self, message: &[u8], now: Duration) {
        let (&[head, code, module, high, low], data) =
            (&[message[0], message[1], message[2], message[3], message[4]], &message[5..]);
        if head.count_ones() % 2 == 1 {
            return self.answer(Err((15, 0)));
        }
        let Some(quantity) = Quantity::of_code(code) else { return self.answer(Err((10, 0))) };
        if head & header::MODULE != 0 || module != 0 {
            return self.answer(Err((13, 0)));
        }
        let first = usize::from(u16::from_be_bytes([high, low]));
        let words = if head & header::EXTENDED == 0 { data } else { &data[2..] };
        let values: Vec<f64> = words.chunks_exact(2).map(|w| value(u16::from_be_bytes([w[0], w[1]]), quantity.full())).collect();
        let result = match (head & header::READ != 0, head & header::ALL != 0) {
            (true, true) => return self.read_all(quantity),
            (true, false) => self.read(quantity, first).map(Some),
            (false, true) => {
                let all = vec![values.first().copied().unwrap_or(0.0); self.channels.len()];
                self.set_many(quantity, 0, &all, now)
            }
            (false, false) => self.set_many(quantity, first, &values, now),
        };
        self.answer(result);
    }

    /// Drops a binary message that takes too long.
    fn lose_patience(&mut self, now: Duration) {
        if self.inbox.first().is_some_and(|b| b & header::BINARY != 0) && now >= self.since + PATIENCE {
            self.inbox.clear();
            self.answer(Err((16, 0)));
        }
    }
}

fn lock(chip: &Mutex<Chip>) -> MutexGuard<'_, Chip> {
    chip.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Twin for Heaters {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.lose_patience(now);
        for &byte in bytes {
            if self.inbox.is_empty() {
                self.since = now;
            }
            self.inbox.push(byte);
            if self.inbox[0] & header::BINARY != 0 {
                if self.inbox.len() >= 7 && self.inbox.len() >= self.length() {
                    let message = std::mem::take(&mut self.inbox);
                    self.binary(&message, now);
                }
            } else if byte == b'\n' {
                let line = std::mem::take(&mut self.inbox);
                match std::str::from_utf8(&line) {
                    Ok(line) => self.text(line, now),
                    Err(_) => self.answer(Err((10, 0))),
                }
            } else if self.inbox.len() > LONGEST {
                self.inbox.clear();
                self.say("E14:01");
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        self.lose_patience(now);
        out.append(&mut self.outbox);
    }

    fn next(&self) -> Option<Duration> {
        self.inbox.first().filter(|b| *b & header::BINARY != 0).map(|_| self.since + PATIENCE)
    }

    fn restart(&mut self, now: Duration) {
        self.inbox.clear();
        self.outbox.clear();
        self.channels.fill(Channel::default());
        (0..self.channels.len()).for_each(|c| self.warm(c, now));
        self.say("E90:00");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photonic::chip::{Parts, Section};
    use isoform_physics::photonics::heaters::Heaters as Law;
    use proptest::prelude::*;

    fn twin() -> Heaters {
        let section = Section { modes: 2, reference: false };
        let truth = Law::uniform(section.heaters(), 157.0, 1000.0, 0.0, 0.0);
        let chip = Chip::new(Parts { section, truth, tau: 1e-5, power: 1e-3, reference: 0.0, noise: 0.0, seed: 0 });
        Heaters::new(Arc::new(Mutex::new(chip)))
    }

    fn says(twin: &mut Heaters, bytes: &[u8]) -> String {
        let mut out = VecDeque::new();
        twin.receive(bytes, Duration::ZERO);
        twin.transmit(Duration::ZERO, &mut out);
        String::from_utf8(out.into()).expect("text")
    }

    #[test]
    fn the_checked_exchanges_are_answered() {
        let mut twin = twin();
        for (request, reply) in [
            ("id?\n", "Q8iv-00A1\n"),
            ("nup=0\n", "OK\n"),
            ("nupall?\n", "Q8iv-00A1:0\n"),
            ("vfull?\n", "+12.000 V\n"),
            ("ifull?\n", "+24.000 mA\n"),
            ("VMAX0=10\n", "OK\n"),
            ("V3=1.5\n", "OK\n"),
            ("V3?\n", "+1.500 V\n"),
            ("I3?\n", "+1.500 mA\n"),
            ("VVEC0=0.0,0.1,0.2,0.30000000000000004,0.4,0.5,0.6,0.7\n", "OK\n"),
            ("V2=13.0\n", "E01:02\n"),
            ("V0=11\n", "E01:00\n"),
            ("V9=1\n", "E12:09\n"),
            ("V1=x\n", "E11:01\n"),
            ("HELLO\n", "E10:00\n"),
            ("\n", ""),
        ] {
            assert_eq!(says(&mut twin, request.as_bytes()), reply, "{request}");
        }
        assert_eq!(says(&mut twin, &[0x81, 0, 0, 0, 3, 0x7f, 0xff]), "OK\n");
        assert_eq!(says(&mut twin, b"V3?\n"), "+6.000 V\n");
        assert_eq!(says(&mut twin, &[&[0x82, 0, 0, 0, 0, 0, 8][..], &[0x15, 0x55].repeat(8)].concat()), "OK\n");
        assert_eq!(says(&mut twin, &[0x88, 0, 0, 0, 0, 0, 0]), "+1.000 V\n");
        assert_eq!(says(&mut twin, &[0x80, 0, 0, 0, 3, 0x7f, 0xff]), "E15:00\n");
        assert_eq!(says(&mut twin, b"Vall?\n"), "+1.000 V\n".repeat(8));
        let long = format!("VVEC0={}\n", "0.1,".repeat(100));
        assert!(says(&mut twin, long.as_bytes()).starts_with("E14:01\n"));
    }

    #[test]
    fn a_restart_forgets_set_points_and_says_so() {
        let mut twin = twin();
        says(&mut twin, b"V3=1.5\n");
        twin.restart(Duration::ZERO);
        assert_eq!(says(&mut twin, b"V3?\n"), "E90:00\n+0.000 V\n");
    }

    #[test]
    fn an_unfinished_message_is_dropped() {
        let mut twin = twin();
        let mut out = VecDeque::new();
        twin.receive(&[0x81, 0, 0], Duration::ZERO);
        assert_eq!(twin.next(), Some(PATIENCE));
        twin.transmit(PATIENCE, &mut out);
        assert_eq!(out, b"E16:00\n");
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"vViI0123=?.,\n\x81\x82".to_vec())], 0..120)) {
            let mut twin = twin();
            let mut out = VecDeque::new();
            twin.receive(&bytes, Duration::ZERO);
            twin.transmit(Duration::from_secs(1), &mut out);
            prop_assert!(out.len() < 1 << 16);
        }
    }
}
