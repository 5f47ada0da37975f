//! Generator and digitizer in software, as instruments of SCPI around one circuit.

use super::circuit::{Armed, Circuit};
use crate::scpi::codec::put_block;
use crate::scpi::parser::Argument;
use crate::scpi::twin::{Commands, Done, Failure, Order};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Samples that the generator holds.
pub const GENERATOR_MEMORY: usize = 1 << 16;
/// Samples of a channel that the digitizer holds.
pub const SCOPE_MEMORY: usize = 1 << 17;
/// Samples a second of the generator.
pub const GENERATOR_RATE: [f64; 2] = [1.0, 1e8];
/// Samples a second of the digitizer.
pub const SCOPE_RATE: [f64; 2] = [1.0, 1e9];
/// Volts at full scale of the generator, with its amplifier.
pub const GENERATOR_RANGE: [f64; 2] = [0.01, 20.0];
/// Volts at full scale of the digitizer.
pub const SCOPE_RANGE: [f64; 2] = [0.01, 20.0];

fn lock(circuit: &Mutex<Circuit>) -> MutexGuard<'_, Circuit> {
    circuit.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Samples as big-endian words.
fn words(codes: &[i16]) -> Vec<u8> {
    let mut block = Vec::with_capacity(2 * codes.len() + 16);
    let bytes: Vec<u8> = codes.iter().flat_map(|c| c.to_be_bytes()).collect();
    put_block(&mut block, &bytes);
    block
}

fn real(value: f64) -> Done {
    Done::answer(format!("{value:.9E}"))
}

/// The generator.
#[derive(Debug)]
pub struct Generator {
    circuit: Arc<Mutex<Circuit>>,
    range: f64,
    rate: f64,
    codes: Vec<i16>,
    is_on: bool,
}

impl Generator {
    /// A generator that was just switched on.
    #[must_use]
    pub fn new(circuit: Arc<Mutex<Circuit>>) -> Self {
        Self { circuit, range: 1.0, rate: 1e3, codes: Vec::new(), is_on: false }
    }
}

impl Commands for Generator {
    fn identity(&self) -> String {
        String::from("ISOFORM,AWG-TWIN,0001,1.0")
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["[SOURce:]VOLTage:RANGe", "[SOURce:]ARBitrary:SRATe", "TRACe:DATA", "OUTPut[:STATe]", "INITiate[:IMMediate]", "ABORt"]
    }

    fn execute(&mut self, order: Order<'_>) -> Result<Done, Failure> {
        match (order.pattern, order.query) {
            ("[SOURce:]VOLTage:RANGe", false) => self.range = order.number(GENERATOR_RANGE)?,
            ("[SOURce:]VOLTage:RANGe", true) => return Ok(real(self.range)),
            ("[SOURce:]ARBitrary:SRATe", false) => self.rate = order.number(GENERATOR_RATE)?,
            ("[SOURce:]ARBitrary:SRATe", true) => return Ok(real(self.rate)),
            ("TRACe:DATA", false) => match order.only()? {
                Argument::Block(bytes) if bytes.len() > 2 * GENERATOR_MEMORY => return Err(Failure::TOO_MUCH),
                Argument::Block(bytes) if bytes.len() % 2 == 0 && !bytes.is_empty() => {
                    self.codes = bytes.chunks_exact(2).map(|w| i16::from_be_bytes([w[0], w[1]])).collect();
                }
                Argument::Block(_) => return Err(Failure(-161)),
                Argument::Text(_) => return Err(Failure::TYPE),
            },
            ("TRACe:DATA", true) => return Ok(Done::answer(words(&self.codes))),
            ("OUTPut[:STATe]", false) => self.is_on = order.only()?.is("ON") || order.number([0.0, 1.0]).is_ok_and(|v| v > 0.5),
            ("ABORt", false) => lock(&self.circuit).stop(order.now),
            ("OUTPut[:STATe]", true) => return Ok(Done::answer(if self.is_on { "1" } else { "0" })),
            ("INITiate[:IMMediate]", false) => {
                let mut circuit = lock(&self.circuit);
                if self.codes.is_empty() || !self.is_on || circuit.is_playing(order.now) {
                    return Err(Failure::CONFLICT);
                }
                let volts: Vec<f64> = self.codes.iter().map(|&c| f64::from(c) / 32767.0 * self.range).collect();
                circuit.play(&volts, 1.0 / self.rate, order.now);
            }
            _ => return Err(Failure::UNDEFINED),
        }
        Ok(Done::at_once())
    }

    fn reset(&mut self, now: Duration) {
        lock(&self.circuit).stop(now);
        *self = Self::new(Arc::clone(&self.circuit));
    }

    fn restart(&mut self, now: Duration) {
        self.reset(now);
        lock(&self.circuit).restart();
    }
}

/// The digitizer.
#[derive(Debug)]
pub struct Scope {
    circuit: Arc<Mutex<Circuit>>,
    ranges: [f64; 2],
    rate: f64,
    points: usize,
}

impl Scope {
    /// A digitizer that was just switched on.
    #[must_use]
    pub fn new(circuit: Arc<Mutex<Circuit>>) -> Self {
        Self { circuit, ranges: [1.0; 2], rate: 1e6, points: 1000 }
    }

    /// The channel that an argument names.
    fn channel(order: &Order<'_>) -> Result<usize, Failure> {
        let one = order.only()?;
        match (one.is("CHANnel1"), one.is("CHANnel2")) {
            (true, _) => Ok(0),
            (_, true) => Ok(1),
            _ => Err(Failure(-224)),
        }
    }
}

impl Commands for Scope {
    fn identity(&self) -> String {
        String::from("ISOFORM,DIGITIZER-TWIN,0002,1.0")
    }

    fn patterns(&self) -> &'static [&'static str] {
        &[
            "CHANnel1:RANGe",
            "CHANnel2:RANGe",
            "ACQuire:SRATe",
            "ACQuire:POINts",
            "INITiate[:IMMediate]",
            "ABORt",
            "TRIGger:STATus",
            "WAVeform:YINCrement",
            "WAVeform:DATA",
        ]
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the memory")]
    fn execute(&mut self, order: Order<'_>) -> Result<Done, Failure> {
        let mut circuit = lock(&self.circuit);
        match (order.pattern, order.query) {
            ("CHANnel1:RANGe", false) => self.ranges[0] = order.number(SCOPE_RANGE)?,
            ("CHANnel2:RANGe", false) => self.ranges[1] = order.number(SCOPE_RANGE)?,
            ("CHANnel1:RANGe", true) => return Ok(real(self.ranges[0])),
            ("CHANnel2:RANGe", true) => return Ok(real(self.ranges[1])),
            ("ACQuire:SRATe", false) => self.rate = order.number(SCOPE_RATE)?,
            ("ACQuire:SRATe", true) => return Ok(real(self.rate)),
            ("ACQuire:POINts", false) => self.points = order.number([1.0, SCOPE_MEMORY as f64])? as usize,
            ("ACQuire:POINts", true) => return Ok(Done::answer(self.points.to_string())),
            ("INITiate[:IMMediate]", false) => {
                circuit.recording = None;
                circuit.armed = Some(Armed { points: self.points, period: 1.0 / self.rate, ranges: self.ranges });
            }
            ("ABORt", false) => (circuit.armed, circuit.recording) = (None, None),
            ("TRIGger:STATus", true) => {
                let state = match (&circuit.recording, circuit.armed) {
                    (_, Some(_)) => "WAIT",
                    (Some(recording), None) if order.now < recording.ends => "RUN",
                    _ => "STOP",
                };
                return Ok(Done::answer(state));
            }
            ("WAVeform:YINCrement", true) => return Ok(real(circuit.step(self.ranges[Self::channel(&order)?]))),
            ("WAVeform:DATA", true) => {
                let channel = Self::channel(&order)?;
                let recording = circuit.recording.as_ref().filter(|r| r.ends <= order.now).ok_or(Failure::STALE)?;
                return Ok(Done::answer(words(&recording.codes[channel])));
            }
            _ => return Err(Failure::UNDEFINED),
        }
        Ok(Done::at_once())
    }

    fn reset(&mut self, _: Duration) {
        let mut circuit = lock(&self.circuit);
        (circuit.armed, circuit.recording) = (None, None);
        drop(circuit);
        *self = Self::new(Arc::clone(&self.circuit));
    }
}
