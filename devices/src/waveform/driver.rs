//! The waveform bench: a generator on the first line, a digitizer on the second, any device between them.
//!
//! A run is one waveform: a sample of the generator for each tick, held for the time step; the digitizer samples faster, and the output of a tick
//! is its sample at the end of the tick. What the trigger is late by is measured when a program is loaded: a known edge is played, and channel 2
//! of the digitizer, which is at the output of the generator, shows where it begins.
//!
//! The device flows on while nobody drives it, and its state can be neither read nor set. So each advance lets it rest at nought volts until it has
//! forgotten, plays what went before again, as far back as the device remembers, and keeps the new ticks, in pieces that fit into the memories. A
//! program of which the device remembers more than they hold is refused.
//!
//! Waveforms and settings are read back, recordings are read twice, and the recording of channel 2 has to be the waveform. What stays undetected: a
//! device that does not rest, and a wire between the device and channel 1 that fails while the wire of channel 2 holds.

use super::bench::{Bench, Seen, dialogue};
use super::physics::Readout;
use super::twin::{GENERATOR_MEMORY, GENERATOR_RATE, SCOPE_MEMORY};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::profile::{Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_serial::driver::Driver;
use isoform_serial::error::SerialError;
use isoform_serial::lines::Lines;

/// How far the waveform on channel 2 may be from what was sent, relative to the range of the generator.
const MONITOR: f64 = 0.02;

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
    /// What is made of the voltages of the device.
    readout: Box<dyn Readout>,
    /// Seconds of a tick.
    dt: f64,
    times: Times,
    /// Volts of one code of channels 1 and 2.
    steps: [f64; 2],
    /// Ticks after which the device has forgotten.
    window: usize,
    /// What was played since the reset and is not forgotten, as codes of the generator.
    history: Vec<i16>,
}

/// Where the ticks of a program stand in a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    /// Samples of the digitizer in a tick.
    oversample: usize,
    /// Seconds from the trigger to the first sample of the generator.
    delay: f64,
    /// Whole samples of that.
    late: usize,
    /// Seconds by which the last sample of a tick is before its end.
    early: f64,
    /// The sample that is nearest to the middle of the first tick.
    middle: usize,
}

impl Times {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times and delays are above nought")]
    fn new(dt: f64, oversample: usize, delay: f64) -> Self {
        let sample = dt / oversample as f64;
        let samples = delay / sample;
        let late = (samples * (1.0 + 1e-9)) as usize;
        let early = (delay - late as f64 * sample).max(0.0);
        Self { oversample, delay, late, early, middle: (samples + oversample as f64 / 2.0).round() as usize }
    }

    /// The last sample of a tick: one behind its end would see the input of the next.
    fn end(&self, tick: usize) -> usize {
        (tick + 1) * self.oversample + self.late
    }

    /// The sample of a tick that is furthest from the edges of its waveform.
    fn middle(&self, tick: usize) -> usize {
        tick * self.oversample + self.middle
    }

    /// The most ticks that fit into the memories of both instruments.
    fn most(&self) -> usize {
        (SCOPE_MEMORY.saturating_sub(self.late + 1) / self.oversample).min(GENERATOR_MEMORY)
    }
}

impl Waveform {
    /// A driver that has not seen its device yet.
    #[must_use]
    pub fn new(bench: Bench) -> Self {
        Self { bench, device: String::from("not asked yet"), loaded: None }
    }

    /// What the trigger is late by in seconds, as measured when the program was loaded: no more than a sample of the digitizer too long.
    #[must_use]
    pub fn delay(&self) -> Option<f64> {
        self.loaded.as_ref().map(|l| l.times.delay)
    }
}

impl Loaded {
    /// Plays ticks behind those that are remembered, and hands over the output of each; gives how many were clipped, or nothing if it is cut
    /// short.
    fn play(&mut self, bench: &Bench, lines: &mut Lines, ticks: &[i16], mut put: impl FnMut(usize, f32)) -> Result<Option<u64>> {
        let times = self.times;
        let before = self.history.len();
        let mut codes = [&self.history, ticks].concat();
        let (rate, points) = (1.0 / self.dt, times.end(codes.len() - 1) + 1);
        let scope = (points, rate * times.oversample as f64);
        let played = bench.play(lines, &codes, rate, scope, &self.run.cancel).map_err(SerialError::into_fault)?;
        let Some(Seen([device, monitor])) = played else { return Ok(None) };
        let full = |code: i16| f64::from(code.unsigned_abs()) * self.steps[0] >= bench.range - 1.5 * self.steps[0];
        let mut clipped = 0;
        self.readout.begin();
        for (tick, &code) in codes.iter().enumerate() {
            let seen = f64::from(monitor[times.middle(tick)]) * self.steps[1];
            let sent = f64::from(code) / 32767.0 * bench.v_max;
            if (sent - seen).abs() > MONITOR * bench.v_max {
                let said = format!("{seen} V stand on channel 2 at tick {tick} instead of {sent}");
                return Err(SerialError::Fault { what: String::from("a run"), said }.into());
            }
            let end = device[times.end(tick)];
            let value = self.readout.tick(f64::from(end) * self.steps[0]);
            if tick >= before {
                clipped += u64::from(full(end));
                #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
                put(tick - before, value as f32);
            }
        }
        codes.drain(..codes.len().saturating_sub(self.window));
        self.history = codes;
        Ok(Some(clipped))
    }
}

impl Driver for Waveform {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        let [generator, digitizer] = &self.bench.models;
        let dialogue = dialogue();
        let first = dialogue.begin(lines, "waveform generator", &[generator])?;
        let second = dialogue.begin(lines.named("scope"), "digitizer", &[digitizer])?;
        self.device = format!("{first} and {second}");
        Ok(())
    }

    fn exemplars(&self) -> Vec<Program> {
        self.bench.device.exemplar().into_iter().collect()
    }

    fn profile(&self) -> Profile {
        let device = &self.bench.device;
        Profile {
            name: String::from("waveform"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device: self.device.clone(),
            class: device.class(),
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits {
                input: device.input(),
                out_of_range: OutOfRange::Refuse,
                ticks: 4096,
                batch: 1,
                channels: 1,
                realizations: 1,
                spacing: 1,
            },
            takes: Takes { nodes: device.takes(), located: false, fixed: false, cycles: false },
            medium: Some(device.medium(self.bench.range)),
        }
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        let readout = self.bench.device.place(program)?;
        let [node, ..] = program.nodes() else { return Err(Error::unsupported("a program without nodes needs no bench")) };
        let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
        if run.batch != 1 {
            return refuse(format!("there is one bench, not {}: run a batch of one", run.batch));
        }
        let dt = node.semantics.dt;
        let ([slowest, _], [fastest, digitizer]) = (GENERATOR_RATE, self.bench.rates);
        if !(slowest..=fastest).contains(&(1.0 / dt)) {
            return refuse(format!(
                "a time step of {dt} s is beyond the generator, which gives {slowest} to {fastest} samples a second"
            ));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to the oversampling")]
        let oversample = self.bench.oversample.min((dt * digitizer * (1.0 + 1e-9)) as usize);
        if oversample < 2 {
            return refuse(format!(
                "a time step of {dt} s has less than two samples of the digitizer, which gives up to {digitizer} a second"
            ));
        }
        self.loaded = None;
        let steps = self.bench.prepare(lines)?;
        let times = Times::new(dt, oversample, self.bench.measure_delay(lines, steps, &run.cancel.since_now())?);
        let early = times.early + 1.0 / digitizer;
        let (moves, margin) = (self.bench.device.moves(early), self.bench.device.medium(self.bench.range).margin);
        if moves > margin {
            return refuse(format!(
                "the last sample of a tick is {early:.2e} s early, in which the device may move by {moves:.3} where {margin:.3} is promised: \
                 raise oversample"
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cut to the largest number, which no memory holds"
        )]
        let window = (self.bench.memory / dt).ceil() as usize;
        // what is remembered is played before each new tick
        if window >= times.most() {
            return refuse(format!(
                "the device remembers {window} ticks, and with {} samples for a trigger that is late and {oversample} for a tick the memories of \
                 the bench hold {}: take fewer samples of a tick, or a longer time step{}",
                times.late,
                times.most(),
                if self.bench.memory > self.bench.rest.as_secs_f64() { "" } else { ", or a shorter rest" },
            ));
        }
        self.loaded = Some(Loaded { run: run.clone(), readout, dt, times, steps, window, history: Vec::new() });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(loaded) = &mut self.loaded else { return Err(Error::fault("no program is loaded on the waveform bench")) };
        if ticks == 0 || lines.is_asked_to_stop(&loaded.run.cancel) {
            return Ok(Report::of(0));
        }
        let extent = Extent { ticks, batch: 1, channels: 1 };
        let mut row = [0.0_f32];
        // what is out of range is refused before a byte is sent
        let code = |tick| {
            x.row(extent, tick, &mut row);
            self.bench.code(row[0])
        };
        let codes: Vec<i16> = (0..ticks).map(code).collect::<Result<_>>()?;
        let mut report = Report::default();
        while report.ticks < ticks {
            let room = loaded.times.most() - loaded.history.len();
            let piece = &codes[report.ticks..ticks.min(report.ticks + room)];
            let Some(clipped) = loaded.play(&self.bench, lines, piece, |tick, value| {
                y.put(extent, report.ticks + tick, &[value]);
            })?
            else {
                break;
            };
            report.ticks += piece.len();
            report.clipped += clipped;
        }
        Ok(report)
    }

    fn reset(&mut self, _: &mut Lines) -> Result<()> {
        // the device rests before each run: what was played since the reset is all there is to forget
        if let Some(loaded) = &mut self.loaded {
            loaded.history.clear();
        }
        Ok(())
    }

    /// A generator that is in the middle of a block does not hear this, and the dialogue is begun anew, which ends the block.
    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        let dialogue = dialogue();
        dialogue.tell(lines, b"OUTP OFF")?;
        let state = dialogue.ask(lines, b"OUTP?")?;
        if state == b"0" {
            return Ok(());
        }
        Err(SerialError::garbled("the output of the generator", &state, "it is not off").into())
    }
}
