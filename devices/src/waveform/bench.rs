//! What is known of the bench, and what its two instruments do together.

use super::physics::Datasheet;
use super::twin::{GENERATOR_MEMORY, SCOPE_MEMORY};
use crate::scpi::codec;
use crate::scpi::dialogue::Dialogue;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::profile::in_range;
use isoform_core::substrate::Cancel;
use isoform_serial::error::{Result as Wire, SerialError};
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::time::Duration;

/// How long an answer may take that needs no measurement.
const WITHIN: Duration = Duration::from_secs(1);
/// Samples of the edge by which the trigger is measured, and the seconds in which it is looked for.
const EDGE: usize = 64;
const EDGE_SECONDS: f64 = 4.096e-4;
/// The most samples of the generator in one of the digitizer while the edge is played, which lasts so for sixteen samples at least.
const EDGE_RATIO: f64 = EDGE as f64 / 16.0;
/// How often the end of a recording is asked for.
const POLLS: u32 = 50;

/// What is known of the bench without asking it.
#[derive(Debug)]
pub struct Bench {
    /// What the device is.
    pub device: Box<dyn Datasheet>,
    /// The highest voltage at the input of the device.
    pub v_max: f64,
    /// Volts at full scale of channel 1 of the digitizer.
    pub range: f64,
    /// Volts of the edge by which the trigger is measured.
    pub edge: f64,
    /// Samples of the digitizer in a tick.
    pub oversample: usize,
    /// The most samples a second of generator and digitizer.
    pub rates: [f64; 2],
    /// How long the device rests.
    pub rest: Duration,
    /// Seconds of a waveform that the device remembers.
    pub memory: f64,
    /// Words of the identities of generator and digitizer.
    pub models: [String; 2],
}

/// A recording of both channels, as codes.
pub(super) struct Seen(pub(super) [Vec<i16>; 2]);

pub(super) fn dialogue() -> Dialogue {
    Dialogue::new(WITHIN).with_fill(2 * GENERATOR_MEMORY + 64)
}

impl Bench {
    pub(super) fn code(&self, x: f32) -> Result<i16> {
        let [low, high] = self.device.input();
        if !in_range([low, high], x) {
            let volts = f64::from(x) * self.device.scale();
            let why = format!("{x} is {volts} V, but the device may have inputs from {low} to {high}: scale the input");
            return Err(Error::invalid_signal(why));
        }
        let share = f64::from(x) * self.device.scale() / self.v_max;
        #[expect(clippy::cast_possible_truncation, reason = "a share of the range")]
        let code = (share.clamp(-1.0, 1.0) * 32767.0).round() as i16;
        Ok(code)
    }

    /// Plays codes and gives what both channels have seen; nothing, if it is cut short.
    pub(super) fn play(
        &self,
        lines: &mut Lines,
        codes: &[i16],
        rate: f64,
        (points, scope_rate): (usize, f64),
        cancel: &Cancel,
    ) -> Wire<Option<Seen>> {
        let dialogue = dialogue();
        if !lines.pause(self.rest, cancel) {
            return Ok(None);
        }
        let mut message = b"TRAC:DATA ".to_vec();
        let bytes: Vec<u8> = codes.iter().flat_map(|c| c.to_be_bytes()).collect();
        codec::put_block(&mut message, &bytes);
        dialogue.tell(lines, &message)?;
        if dialogue.ask_block(lines, b"TRAC:DATA?", bytes.len())? != bytes {
            let said = String::from("the generator holds another waveform than was sent");
            return Err(SerialError::Fault { what: String::from("the upload of a waveform"), said });
        }
        set(lines, "ARB:SRAT", rate)?;
        let scope = lines.named("scope");
        set(scope, "ACQ:SRAT", scope_rate)?;
        set(scope, "ACQ:POIN", points as f64)?;
        // what can refuse to begin has got other settings than were sent
        dialogue.tell(scope, b"INIT").map_err(SerialError::into_fault)?;
        dialogue.tell(lines, b"INIT").map_err(SerialError::into_fault)?;
        // the generator may play on when the recording has ended
        let takes = Duration::from_secs_f64((points as f64 / scope_rate).max(codes.len() as f64 / rate));
        if !lines.pause(takes, cancel) {
            dialogue.tell(lines, b"ABOR").map_err(SerialError::into_fault)?;
            dialogue.tell(lines.named("scope"), b"ABOR").map_err(SerialError::into_fault)?;
            return Ok(None);
        }
        let scope = lines.named("scope");
        for poll in 0.. {
            match dialogue.ask(scope, b"TRIG:STAT?")?.as_slice() {
                b"STOP" => break,
                b"WAIT" | b"RUN" if poll < POLLS => scope.sleep(takes / 10 + Duration::from_millis(1)),
                b"WAIT" => return Err(SerialError::Fault { what: String::from("a run"), said: String::from("no trigger came") }),
                other => return Err(SerialError::garbled("the state of the digitizer", other, "it does not come to an end")),
            }
        }
        let seen = Seen([recording(scope, 1, points)?, recording(scope, 2, points)?]);
        dialogue.is_well(scope, "a run of the digitizer")?;
        dialogue.is_well(lines, "a run of the generator")?;
        Ok(Some(seen))
    }

    /// Sets up both instruments; gives the volts of a code of both channels.
    pub(super) fn prepare(&self, lines: &mut Lines) -> Wire<[f64; 2]> {
        let dialogue = dialogue();
        dialogue.tell(lines, b"*RST")?;
        set(lines, "VOLT:RANG", self.v_max)?;
        dialogue.tell(lines, b"OUTP ON")?;
        let state = dialogue.ask(lines, b"OUTP?")?;
        if state != b"1" {
            return Err(SerialError::garbled("the output of the generator", &state, "it is not on"));
        }
        let scope = lines.named("scope");
        dialogue.tell(scope, b"*RST")?;
        set(scope, "CHAN1:RANG", self.range)?;
        set(scope, "CHAN2:RANG", self.v_max)?;
        let mut steps = [0.0; 2];
        for (channel, (step, range)) in steps.iter_mut().zip([self.range, self.v_max]).enumerate() {
            let what = "the step of the digitizer";
            let mut ask = || {
                let answer = dialogue.ask(scope, format!("WAV:YINC? CHAN{}", channel + 1).as_bytes())?;
                codec::numbers(what, &answer, 1).map(|n| n[0])
            };
            *step = ask()?;
            // of 4 to 16 bits, and the same when asked again
            if *step <= range / 40_000.0 || *step > range / 8.0 || ask()?.to_bits() != step.to_bits() {
                return Err(SerialError::garbled(what, step.to_string().as_bytes(), "it does not fit the range"));
            }
        }
        Ok(steps)
    }

    /// Measures what the trigger is late by, with an edge.
    pub(super) fn measure_delay(&self, lines: &mut Lines, steps: [f64; 2], cancel: &Cancel) -> Result<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "an edge is below the highest voltage")]
        let level = (self.edge / self.v_max * 32767.0) as i16;
        let [generator, rate] = self.rates;
        let points = ((EDGE_SECONDS * rate).round() as usize).clamp(EDGE, SCOPE_MEMORY);
        let played = self.play(lines, &[level; EDGE], generator.min(rate * EDGE_RATIO), (points, rate), cancel)?;
        let Some(Seen([_, monitor])) = played else {
            return Err(Error::fault("the measurement of the trigger was cancelled; load the program again"));
        };
        let half = self.edge / 2.0;
        let first = monitor.iter().position(|&code| f64::from(code) * steps[1] > half);
        let first = first.filter(|&at| at > 0 && monitor[at..].iter().take(8).all(|&code| f64::from(code) * steps[1] > half));
        let first = first.ok_or_else(|| {
            let why = "the edge by which the trigger is measured does not reach channel 2 of the digitizer: check the wires";
            Error::new(ErrorKind::Calibration, why).with_state_lost()
        })?;
        Ok(first as f64 / rate)
    }
}

/// Sets a number and reads it back.
fn set(link: &mut Link, word: &str, number: f64) -> Wire<()> {
    let dialogue = dialogue();
    dialogue.tell(link, format!("{word} {number}").as_bytes())?;
    let answer = dialogue.ask(link, format!("{word}?").as_bytes())?;
    let seen = codec::numbers(word, &answer, 1)?[0];
    if (seen - number).abs() <= 1e-6 * number.abs() {
        return Ok(());
    }
    Err(SerialError::Fault { what: format!("setting {word}"), said: format!("it is {seen} instead of {number}") })
}

/// Reads a channel until two readings agree.
fn recording(scope: &mut Link, channel: usize, points: usize) -> Wire<Vec<i16>> {
    let what = "a recording";
    let ask = |scope: &mut Link| dialogue().ask_block(scope, format!("WAV:DATA? CHAN{channel}").as_bytes(), 2 * points);
    let mut last = ask(scope)?;
    for _ in 0..3 {
        let again = ask(scope)?;
        if again == last {
            if again.len() != 2 * points {
                return Err(SerialError::garbled(what, &again, format!("it has not {points} samples")));
            }
            return Ok(again.chunks_exact(2).map(|w| i16::from_be_bytes([w[0], w[1]])).collect());
        }
        last = again;
    }
    Err(SerialError::garbled(what, &last, "no two readings of it agree"))
}
