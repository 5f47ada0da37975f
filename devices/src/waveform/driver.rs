//! The waveform bench: a generator on the first line, a digitizer on the second, any device between them.
//!
//! A run is one waveform: a sample of the generator for each tick, held for the time step; the digitizer samples faster, and the output of a tick
//! is its sample at the end of the tick. What the trigger is late by is measured when a program is loaded: a known edge is played, and channel 2
//! of the digitizer, which is at the output of the generator, shows where it begins.
//!
//! The device flows on while nobody drives it, and its state can be neither read nor set. So each advance lets it rest at nought volts until it has
//! forgotten, plays what went before again, as far back as the device remembers, and keeps the new ticks. What fits into the memories is the longest
//! stretch that is remembered.
//!
//! Waveforms and settings are read back, recordings are read twice, and the recording of channel 2 has to be the waveform. What stays undetected: a
//! device that does not rest, and a wire between the device and channel 1 that fails while the wire of channel 2 holds.

use super::physics::Realises;
use super::twin::{GENERATOR_MEMORY, GENERATOR_RATE, SCOPE_MEMORY, SCOPE_RATE};
use crate::scpi::codec;
use crate::scpi::dialogue::Dialogue;
use crate::scpi::parser::LONGEST_BLOCK;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::functions::library;
use isoform_core::medium::Medium;
use isoform_core::neuron::Neuron;
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::{Node, NodeKind, Origin, Program};
use isoform_core::report::Report;
use isoform_core::semantics::{Decay, Drive, Number, Semantics};
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_serial::driver::Driver;
use isoform_serial::error::{Result as Wire, SerialError};
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::time::Duration;

/// How long an answer may take that needs no measurement.
const WITHIN: Duration = Duration::from_secs(1);
/// Seconds of a tick of the program that it shows of itself.
const TICK: f64 = 1e-3;
/// Samples of the edge by which the trigger is measured, and of the recording of it.
const EDGE: usize = 64;
const EDGE_POINTS: usize = 4096;
/// How often the end of a recording is asked for.
const POLLS: u32 = 50;
/// How far a parameter of a program may be from that of the device, relative to it: single precision and a bit.
const SAME: f64 = 1e-6;
/// How far the waveform on channel 2 may be from what was sent, relative to the range of the generator.
const MONITOR: f64 = 0.02;
/// The most by which the mean of an output is off, relative to the range of the digitizer: what the device moves in the part of a sample by which
/// the delay is no whole number of samples, and the steps of the converters.
const MARGIN: f64 = 2e-3;
/// The standard deviation of an output, relative to the range of the digitizer: its noise and its step at fourteen bits.
const NOISE: f64 = 1e-4;

/// What is known of the bench without asking it.
#[derive(Debug, Clone)]
pub struct Bench {
    /// What the device is.
    pub device: Realises,
    /// Volts for a signal of one, at the input and at the output.
    pub scale: f64,
    /// The highest voltage at the input of the device.
    pub v_max: f64,
    /// Volts at full scale of channel 1 of the digitizer.
    pub range: f64,
    /// Volts of the edge by which the trigger is measured.
    pub edge: f64,
    /// Samples of the digitizer in a tick.
    pub oversample: usize,
    /// How long the device rests.
    pub rest: Duration,
    /// Words of the identities of generator and digitizer.
    pub models: [String; 2],
}

/// The driver of the bench.
#[derive(Debug)]
pub struct Waveform {
    bench: Bench,
    device: String,
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    run: Run,
    /// Seconds of a tick.
    dt: f64,
    /// Samples of the digitizer in a tick.
    oversample: usize,
    /// Seconds from the trigger to the first sample of the generator.
    delay: f64,
    /// Volts of one code of channels 1 and 2.
    steps: [f64; 2],
    /// Ticks after which the device has forgotten.
    window: usize,
    /// What was played since the reset and is not forgotten, as codes of the generator.
    history: Vec<i16>,
}

impl Loaded {
    /// The last sample of a tick: one behind its end would see the input of the next.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times and delays are above nought")]
    fn sample(&self, tick: usize) -> usize {
        let late = (self.delay / self.dt * self.oversample as f64) as usize;
        (tick + 1) * self.oversample + late
    }
}

/// A recording of both channels, as codes.
struct Seen([Vec<i16>; 2]);

impl Waveform {
    /// A driver that has not seen its device yet.
    #[must_use]
    pub fn new(bench: Bench) -> Self {
        Self { bench, device: String::from("not asked yet"), loaded: None }
    }

    /// What the trigger is late by in seconds, as measured when the program was loaded: no more than a sample of the digitizer too long.
    #[must_use]
    pub fn delay(&self) -> Option<f64> {
        self.loaded.as_ref().map(|l| l.delay)
    }

    fn dialogue() -> Dialogue {
        Dialogue::new(WITHIN).with_fill(LONGEST_BLOCK + 64)
    }

    fn code(&self, x: f32) -> Result<i16> {
        let volts = f64::from(x) * self.bench.scale;
        if volts.abs() > self.bench.v_max * (1.0 + 1e-9) {
            return Err(Error::invalid_signal(format!(
                "{x} is {volts} V, but the device may have {} V: scale the input",
                self.bench.v_max
            )));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked against the range")]
        let code = (volts / self.bench.v_max * 32767.0).round() as i16;
        Ok(code)
    }

    /// Plays codes and gives what both channels have seen.
    fn play(&self, lines: &mut Lines, codes: &[i16], rate: f64, (points, scope_rate): (usize, f64)) -> Wire<Seen> {
        let dialogue = Self::dialogue();
        lines.sleep(self.bench.rest);
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
        let takes = Duration::from_secs_f64(points as f64 / scope_rate);
        lines.sleep(takes);
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
        Ok(seen)
    }

    /// Sets up both instruments; gives the volts of a code of both channels.
    fn prepare(&self, lines: &mut Lines) -> Wire<[f64; 2]> {
        let dialogue = Self::dialogue();
        dialogue.tell(lines, b"*RST")?;
        set(lines, "VOLT:RANG", self.bench.v_max)?;
        dialogue.tell(lines, b"OUTP ON")?;
        let state = dialogue.ask(lines, b"OUTP?")?;
        if state != b"1" {
            return Err(SerialError::garbled("the output of the generator", &state, "it is not on"));
        }
        let scope = lines.named("scope");
        dialogue.tell(scope, b"*RST")?;
        set(scope, "CHAN1:RANG", self.bench.range)?;
        set(scope, "CHAN2:RANG", self.bench.v_max)?;
        let mut steps = [0.0; 2];
        for (channel, (step, range)) in steps.iter_mut().zip([self.bench.range, self.bench.v_max]).enumerate() {
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
    fn measure_delay(&self, lines: &mut Lines, steps: [f64; 2]) -> Result<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "an edge is below the highest voltage")]
        let level = (self.bench.edge / self.bench.v_max * 32767.0) as i16;
        let [_, rate] = SCOPE_RATE;
        let Seen([_, monitor]) = self.play(lines, &[level; EDGE], GENERATOR_RATE[1], (EDGE_POINTS, rate))?;
        let half = self.bench.edge / 2.0;
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
    let dialogue = Waveform::dialogue();
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
    let ask = |scope: &mut Link| Waveform::dialogue().ask_block(scope, format!("WAV:DATA? CHAN{channel}").as_bytes(), 2 * points);
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

/// Whether a node is the device on the bench.
fn check_node(node: &Node, device: &Realises) -> Result<()> {
    let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
    let NodeKind::Dynamics { function, parameters } = &node.kind else {
        return refuse(format!("the device on the bench is a {}, not a {}", device.id, node.kind_name()));
    };
    if function.signature().id != device.id {
        return refuse(format!("the device on the bench is a {}, not a {}", device.id, function.signature().id));
    }
    if node.channels() != 1 {
        return refuse(format!("there is one device on the bench, not {}", node.channels()));
    }
    for (parameter, tensor) in function.signature().parameters.iter().zip(parameters) {
        let name = parameter.quantity.name;
        let Some((_, own)) = device.parameters.iter().find(|(n, _)| *n == name) else { continue };
        let wanted = tensor.at(0);
        if (wanted - own).abs() > SAME * own.abs() {
            return refuse(format!("{name} is {wanted}, but that of the device on the bench is {own}: it cannot be set"));
        }
    }
    let semantics = &node.semantics;
    if semantics.decay != Decay::Exact
        || semantics.drive != Drive::Held
        || semantics.number != Number::Real
        || node.input_delay > 0
    {
        return refuse(String::from("a device flows by itself under a held input; choose the semantics exact"));
    }
    Ok(())
}

impl Driver for Waveform {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        let [generator, digitizer] = &self.bench.models;
        let dialogue = Self::dialogue();
        let first = dialogue.begin(lines, "waveform generator", &[generator])?;
        let second = Dialogue::new(WITHIN).begin(lines.named("scope"), "digitizer", &[digitizer])?;
        self.device = format!("{first} and {second}");
        Ok(())
    }

    fn exemplars(&self) -> Vec<Program> {
        let device = &self.bench.device;
        let Some(function) = library().into_iter().find(|f| f.signature().id == device.id) else { return Vec::new() };
        let neuron = device.parameters.iter().fold(Neuron::of(function), |n, &(name, value)| n.with(name, value));
        Program::single("device", neuron, [1], Semantics::exact(TICK)).into_iter().collect()
    }

    fn profile(&self) -> Profile {
        let most = self.bench.v_max / self.bench.scale;
        Profile {
            name: String::from("waveform"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device: self.device.clone(),
            class: Class::AnalogNoisy,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits {
                input: [-most, most],
                out_of_range: OutOfRange::Refuse,
                ticks: 4096,
                batch: 1,
                channels: 1,
                realizations: 1,
                spacing: 1,
            },
            takes: Takes { nodes: vec![self.bench.device.id.to_owned()], located: false, fixed: false, cycles: false },
            medium: Some(Medium::new(MARGIN * self.bench.range / self.bench.scale, NOISE * self.bench.range / self.bench.scale)),
        }
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        let [node] = program.nodes() else {
            let name = program.nodes().last().map_or("", |n| &n.name);
            return Err(Error::unsupported("the bench holds one device; place the other nodes elsewhere").with_node(name));
        };
        check_node(node, &self.bench.device)?;
        let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
        let is_input = node.sources.iter().all(|s| matches!(s.as_slice(), [one] if one.origin == Origin::Input(0) && !one.late));
        let shown =
            program.outputs().iter().all(|o| matches!(o.sources.as_slice(), [s] if s.origin == Origin::Node(0, 0) && !s.late));
        if program.inputs().len() != 1 || program.outputs().len() != 1 || !is_input || !shown || run.batch != 1 {
            return refuse(String::from("the bench takes one lane, and a node between one input and one output of the program"));
        }
        let dt = node.semantics.dt;
        let [slowest, fastest] = GENERATOR_RATE;
        if !(slowest..=fastest).contains(&(1.0 / dt)) {
            return refuse(format!(
                "a time step of {dt} s is beyond the generator, which gives {slowest} to {fastest} samples a second"
            ));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the oversampling")]
        let oversample = self.bench.oversample.min((dt * SCOPE_RATE[1]) as usize).max(2);
        self.loaded = None;
        let steps = self.prepare(lines)?;
        let delay = self.measure_delay(lines, steps)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rest is at most 10000 s of a million ticks"
        )]
        let window = (self.bench.rest.as_secs_f64() / dt).ceil() as usize;
        self.loaded = Some(Loaded { run: run.clone(), dt, oversample, delay, steps, window, history: Vec::new() });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(loaded) = &self.loaded else { return Err(Error::fault("no program is loaded on the waveform bench")) };
        if ticks == 0 || loaded.run.cancel.is_raised() {
            return Ok(Report::of(0));
        }
        let extent = Extent { ticks, batch: 1, channels: 1 };
        let mut codes = loaded.history.clone();
        let mut row = [0.0_f32];
        for tick in 0..ticks {
            x.row(extent, tick, &mut row);
            codes.push(self.code(row[0])?);
        }
        let points = loaded.sample(codes.len()) + 1;
        if codes.len() > GENERATOR_MEMORY || points > SCOPE_MEMORY {
            return Err(Error::unsupported(format!(
                "{} ticks that the device remembers do not fit into the memories of the bench: take fewer samples of a tick, or a shorter rest",
                codes.len()
            )));
        }
        let rate = 1.0 / loaded.dt;
        let Seen([device, monitor]) =
            self.play(lines, &codes, rate, (points, rate * loaded.oversample as f64)).map_err(SerialError::into_fault)?;
        let done = codes.len() - ticks;
        let full = |code: i16| f64::from(code.unsigned_abs()) * loaded.steps[0] >= self.bench.range - 1.5 * loaded.steps[0];
        let mut clipped = 0;
        for (tick, &code) in codes.iter().enumerate() {
            let end = loaded.sample(tick);
            // before its end, the waveform of the tick stands on channel 2
            let middle = end - loaded.oversample.div_ceil(2);
            let (sent, seen) = (f64::from(code) / 32767.0 * self.bench.v_max, f64::from(monitor[middle]) * loaded.steps[1]);
            if (sent - seen).abs() > MONITOR * self.bench.v_max {
                let said = format!("{seen} V stand on channel 2 at tick {tick} instead of {sent}");
                return Err(SerialError::Fault { what: String::from("a run"), said }.into());
            }
            if tick >= done {
                let code = device[end];
                clipped += u64::from(full(code));
                #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
                let value = (f64::from(code) * loaded.steps[0] / self.bench.scale) as f32;
                y.put(extent, tick - done, &[value]);
            }
        }
        if let Some(loaded) = &mut self.loaded {
            codes.drain(..codes.len().saturating_sub(loaded.window));
            loaded.history = codes;
        }
        Ok(Report { clipped, ..Report::of(ticks) })
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        // the device rests before each run: what was played since the reset is all there is to forget
        if let Some(loaded) = &mut self.loaded {
            loaded.history.clear();
        }
        Ok(())
    }

    fn close(&mut self, lines: &mut Lines) {
        self.loaded = None;
        let _ = Self::dialogue().tell(lines, b"OUTP OFF");
    }
}
