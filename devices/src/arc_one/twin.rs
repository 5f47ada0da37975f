//! The board in software, byte for byte, with a memristor array behind it.
//!
//! Jobs: `0`, `00`, `01`, `011`, `02`, `04`, `1`, `2` (all and list), `3` and `999`. The firmware is not public; where it is not known what it
//! does, the twin does what is worst for the host: it is deaf for half a second after a reset; a line that stands where a parameter is
//! awaited is that parameter, even if it is `00`; before `0` only `0`, `00` and `999` are heard; what is out of range is done with nothing
//! said, so that the host waits in vain.

use super::cell::{Array, Physics};
use super::codec::number;
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::time::Duration;

/// The version that it gives: 1.4.
const VERSION: [u8; 4] = [1, 0, 4, 0];
/// How long it is deaf after a reset.
const BOOT: Duration = Duration::from_millis(500);
/// One of the samples over which a read is averaged.
const SAMPLE: Duration = Duration::from_micros(40);
/// One byte at 921600 bits a second, with start, parity and stop.
const BYTE: Duration = Duration::from_nanos(11_936);
/// The longest line that it keeps.
const LONGEST: usize = 64;

/// What it was told at its initialisation.
#[derive(Debug, Clone, Copy)]
struct Setup {
    cycles: u32,
    volts: f64,
}

/// The board in software.
#[derive(Debug)]
pub struct ArcOneTwin {
    array: Array,
    setup: Option<Setup>,
    line: Vec<u8>,
    /// The job that is being told, and its parameters so far.
    job: Option<(Vec<u8>, Vec<f64>)>,
    /// How many cells of a list are still to come.
    list: usize,
    selected: Option<(usize, usize)>,
    /// Until when it is at work.
    busy: Duration,
    deaf: Duration,
    out: VecDeque<(Duration, u8)>,
    pulses: u64,
}

impl ArcOneTwin {
    /// A board with an array of 32 by 32, all of it random by a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_array(Array::new(32, 32, Physics::default(), seed))
    }

    /// A board with another array.
    #[must_use]
    pub fn with_array(array: Array) -> Self {
        Self {
            array,
            setup: None,
            line: Vec::new(),
            job: None,
            list: 0,
            selected: None,
            busy: Duration::ZERO,
            deaf: Duration::ZERO,
            out: VecDeque::new(),
            pulses: 0,
        }
    }

    /// The array.
    #[must_use]
    pub fn array(&self) -> &Array {
        &self.array
    }

    /// Pulses that it has given, whatever they did.
    #[must_use]
    pub fn pulses(&self) -> u64 {
        self.pulses
    }

    fn say(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.busy += BYTE;
            self.out.push_back((self.busy, byte));
        }
    }

    fn boot(&mut self, now: Duration) {
        self.setup = None;
        self.line.clear();
        self.job = None;
        self.list = 0;
        self.selected = None;
        self.out.retain(|(at, _)| *at <= now);
        self.busy = now + BOOT;
        self.deaf = now + BOOT;
    }

    fn heard(&mut self, line: &[u8], now: Duration) {
        self.busy = self.busy.max(now);
        if self.list > 0 && self.job.is_none() {
            self.job = Some((b"in list".to_vec(), Vec::new()));
        }
        match self.job.take() {
            None => self.job = Some((line.to_vec(), Vec::new())),
            Some((job, mut parameters)) => {
                parameters.push(number(line));
                self.job = Some((job, parameters));
            }
        }
        let Some((job, parameters)) = self.job.take() else { return };
        let is_initialised = self.setup.is_some();
        let known = is_initialised || matches!(job.as_slice(), b"0" | b"00" | b"999");
        let awaited = match job.as_slice() {
            b"0" => 7,
            b"01" | b"011" | b"02" | b"04" | b"1" | b"in list" => 2,
            b"3" => 4,
            b"2" if parameters.first() == Some(&2.0) => 4,
            b"2" => 3,
            _ => 0,
        };
        if known && parameters.len() < awaited {
            self.job = Some((job, parameters));
        } else if known {
            self.perform(&job, &parameters, now);
        }
    }

    fn perform(&mut self, job: &[u8], p: &[f64], now: Duration) {
        match (job, p) {
            (b"00", _) => self.boot(now),
            (b"0", &[cycles, .., volts]) => {
                self.setup = Some(Setup { cycles: count(cycles).clamp(1, 1000) as u32, volts });
                self.say(b"1\n");
            }
            (b"01", &[_, volts]) => self.setup = self.setup.map(|s| Setup { volts, ..s }),
            (b"011", &[cycles, _]) => {
                self.setup = self.setup.map(|s| Setup { cycles: count(cycles).clamp(1, 1000) as u32, ..s });
            }
            (b"02", &[word, bit]) => self.selected = self.cell(word, bit),
            (b"04", &[volts, seconds]) => {
                if let Some(cell) = self.selected {
                    self.pulse(cell, volts, seconds);
                }
            }
            (b"1", &[word, bit]) => self.read(word, bit),
            (b"2", &[1.0, words, bits]) => {
                for word in 1..=count(words) {
                    for bit in 1..=count(bits) {
                        self.read(word as f64, bit as f64);
                    }
                }
            }
            (b"2", &[_, _, _, n]) => self.list = count(n),
            (b"in list", &[word, bit]) => {
                self.list -= 1;
                self.read(word, bit);
            }
            (b"3", &[word, bit, volts, seconds]) => {
                if let Some(cell) = self.cell(word, bit) {
                    self.pulse(cell, volts, seconds);
                    self.read(word, bit);
                }
            }
            (b"999", _) => self.say(&VERSION),
            _ => {}
        }
    }

    /// A cell by its numbers, which begin with one.
    fn cell(&self, word: f64, bit: f64) -> Option<(usize, usize)> {
        let (words, bits) = self.array.extent();
        let within = |n: f64, most: usize| count(n).checked_sub(1).filter(|&n| n < most);
        Some((within(word, words)?, within(bit, bits)?))
    }

    fn pulse(&mut self, cell: (usize, usize), volts: f64, seconds: f64) {
        // the drivers of the board end at 12 V
        let (volts, seconds) = (volts.clamp(-12.0, 12.0), seconds.clamp(0.0, 10.0));
        self.pulses += 1;
        self.array.pulse(cell, volts, seconds, self.busy.as_secs_f64());
        self.busy += Duration::from_secs_f64(seconds);
    }

    fn read(&mut self, word: f64, bit: f64) {
        let (Some(cell), Some(setup)) = (self.cell(word, bit), self.setup) else { return };
        let time = SAMPLE * setup.cycles;
        let ohms = self.array.read(cell, setup.volts, time.as_secs_f64(), self.busy.as_secs_f64());
        self.busy += time;
        self.say(&(ohms as f32).to_le_bytes());
    }
}

/// A parameter as a count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is cut to what there can be of a thing before")]
fn count(number: f64) -> usize {
    number.clamp(0.0, 1024.0) as usize
}

impl Twin for ArcOneTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if now < self.deaf {
            return;
        }
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.heard(&line, now);
                if now < self.deaf {
                    return;
                }
            } else if self.line.len() < LONGEST {
                self.line.push(byte);
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        let due = self.out.partition_point(|(at, _)| *at <= now);
        out.extend(self.out.drain(..due).map(|(_, byte)| byte));
    }

    fn next(&self) -> Option<Duration> {
        self.out.front().map(|(at, _)| *at)
    }

    fn restart(&mut self, now: Duration) {
        self.boot(now);
        self.out.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(twin: &mut ArcOneTwin, bytes: &[u8], at: f64) -> Vec<u8> {
        let now = Duration::from_secs_f64(at);
        twin.receive(bytes, now);
        let mut out = VecDeque::new();
        twin.transmit(now + Duration::from_secs(5), &mut out);
        out.into()
    }

    fn ready() -> ArcOneTwin {
        let mut twin = ArcOneTwin::new(1);
        assert_eq!(talk(&mut twin, b"00\n", 0.0), b"");
        assert_eq!(talk(&mut twin, b"0\n50\n32\n32\n2\n0\n1\n0.500000\n", 0.3), b"", "it is deaf yet");
        assert_eq!(talk(&mut twin, b"0\n50\n32\n32\n2\n0\n1\n0.500000\n", 1.0), b"1\n");
        twin
    }

    #[test]
    fn the_exchanges_of_the_vendors_class_are_answered_in_kind() {
        let mut twin = ready();
        assert_eq!(talk(&mut twin, b"01\n2\n0.500000\n", 2.0), b"");
        assert_eq!(talk(&mut twin, b"999\n", 2.0), [1, 0, 4, 0]);
        assert_eq!(talk(&mut twin, b"1\n5\n7\n", 3.0).len(), 4);
        assert_eq!(talk(&mut twin, b"3\n5\n7\n1.500000\n0.000100\n", 4.0).len(), 4);
        assert_eq!(talk(&mut twin, b"02\n5\n7\n04\n-1.200000\n0.000000\n", 5.0), b"");
        assert_eq!(talk(&mut twin, b"2\n1\n3\n4\n", 6.0).len(), 48);
        assert_eq!(talk(&mut twin, b"2\n2\n32\n32\n2\n1\n1\n32\n32\n", 7.0).len(), 8);
        assert_eq!(talk(&mut twin, b"1\n33\n1\n", 8.0), b"", "out of range is silence");
        assert_eq!(twin.pulses(), 2);
    }

    #[test]
    fn a_reset_that_stands_where_a_parameter_belongs_is_one() {
        let mut twin = ready();
        assert_eq!(talk(&mut twin, b"1\n5\n00\n", 2.0), b"");
        assert_eq!(talk(&mut twin, b"999\n", 3.0), [1, 0, 4, 0]);
    }

    #[test]
    fn six_decimals_lose_a_short_pulse_and_an_exponent_does_not() {
        let mut twin = ready();
        let before = twin.array().conductance(4, 6, 100.0);
        talk(&mut twin, b"02\n5\n7\n04\n-1.800000\n0.000000\n", 100.0);
        assert_eq!(twin.array().conductance(4, 6, 100.0), before);
        talk(&mut twin, b"04\n-1.800000\n4e-7\n", 100.0);
        assert!(twin.array().conductance(4, 6, 100.0) > before);
    }

    #[test]
    fn the_array_survives_the_supply() {
        let mut twin = ready();
        let before = twin.array().conductance(4, 6, 9.0);
        twin.restart(Duration::from_secs(9));
        assert_eq!(talk(&mut twin, b"1\n5\n7\n", 10.0), b"", "it has to be initialised");
        assert_eq!(twin.array().conductance(4, 6, 9.0), before);
    }
}
