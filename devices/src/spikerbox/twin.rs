//! A SpikerBox in software, with a nerve that is a formula.
//!
//! Time is cut into slots of 100 samples. A slot holds a spike with a probability of one fifth; it begins at one of the first 64 samples, lasts 24,
//! and has at its sample `j` the value `240 sin(2 pi j / 24) exp(-j / 8)`. Rest is at 512, with noise of four steps:
//!
//! ```text
//! value(n) = 512 + spike(n) + 4 normal(seed, n)      rounded, from 0 to 1023
//! ```

use super::codec::{self, LARGEST, RATE};
use isoform_core::draw::{self, Key};
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::time::Duration;

/// What a system keeps of a line that nobody reads. What is beyond it is lost, as it is there.
pub const KEPT: usize = 4096;
/// How long the loader of the processor takes before the sketch runs.
const BOOT: Duration = Duration::from_millis(500);
/// The buffer of the sketch for a command.
const COMMAND: usize = 30;
/// Samples of a slot, and of a spike.
const SLOT: u64 = 100;
const SPIKE: u64 = 24;

/// A box in software.
#[derive(Debug)]
pub struct SpikerBoxTwin {
    seed: u64,
    /// The share of bytes that the line loses.
    loss: f64,
    /// When the sketch began.
    start: Duration,
    /// The number of the next sample.
    sample: u64,
    /// Bytes that were sent so far.
    sent: u64,
    /// What stands before the next sample.
    before: Vec<u8>,
    command: Vec<u8>,
}

/// The sample of a number, counted from the start of the sketch.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to ten bits")]
pub fn value(seed: u64, sample: u64) -> u16 {
    let (slot, place) = (sample / SLOT, sample % SLOT);
    let mut noise = [0.0];
    Key::new(seed, 0).fill_normal(0, 0, sample, &mut noise);
    let fires = f64::from(draw::uniform::<u32>(draw::bits(seed, 0, 0, 1, slot))) < 0.2;
    let first = u64::from(draw::bits(seed, 0, 0, 2, slot) >> 26);
    let j = place.checked_sub(first).filter(|&j| fires && j < SPIKE).and_then(|j| u8::try_from(j).ok());
    let spike = j.map_or(0.0, |j| 240.0 * (TAU * f64::from(j) / 24.0).sin() * (-f64::from(j) / 8.0).exp());
    (512.0 + spike + 4.0 * f64::from(noise[0])).round().clamp(0.0, f64::from(LARGEST)) as u16
}

/// When a sample has been taken and sent.
fn period(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000_000 / u64::from(RATE)))
}

impl SpikerBoxTwin {
    /// A box that is switched on, at the end of a line that loses a share of the bytes.
    #[must_use]
    pub fn new(seed: u64, loss: f64) -> Self {
        let banner = b"StartUp!\r\n".to_vec();
        Self { seed, loss, start: BOOT, sample: 0, sent: 0, before: banner, command: Vec::new() }
    }

    fn send(&mut self, bytes: &[u8], out: &mut VecDeque<u8>) {
        for &byte in bytes {
            let lost = f64::from(draw::uniform::<u32>(draw::bits(self.seed, 1, 0, 0, self.sent))) < self.loss;
            self.sent += 1;
            if !lost && out.len() < KEPT {
                out.push_back(byte);
            }
        }
    }

    fn run(&mut self) {
        let line = std::mem::take(&mut self.command);
        // a list of `key:value;`, of which this sketch knows one
        if line.split(|&b| b == b';').any(|word| word == b"b:") {
            self.before.extend(codec::message("HWT:HBLEOSB;"));
        }
    }
}

impl Twin for SpikerBoxTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if now < self.start {
            return;
        }
        for &byte in bytes {
            match byte {
                b'\n' => self.run(),
                // the sketch writes beyond its buffer here; nobody can say what follows, least of all an answer
                _ if self.command.len() >= COMMAND => {}
                _ => self.command.push(byte),
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        while self.start + period(self.sample + 1) <= now {
            let before = std::mem::take(&mut self.before);
            self.send(&before, out);
            let bytes = codec::sample(value(self.seed, self.sample));
            self.send(&bytes, out);
            self.sample += 1;
        }
    }

    fn next(&self) -> Option<Duration> {
        Some(self.start + period(self.sample + 1))
    }

    fn restart(&mut self, now: Duration) {
        let (seed, loss) = (self.seed, self.loss);
        *self = Self { start: now + BOOT, ..Self::new(seed, loss) };
    }
}
