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
                ticks: (SCOPE_MEMORY / (2 * self.bench.oversample)).min(4096),
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
        let delay = self.bench.measure_delay(lines, steps)?;
        let sample = dt / oversample as f64;
        let early = delay % sample + 1.0 / digitizer;
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
        self.loaded = Some(Loaded { run: run.clone(), readout, dt, oversample, delay, steps, window, history: Vec::new() });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let Some(loaded) = &mut self.loaded else { return Err(Error::fault("no program is loaded on the waveform bench")) };
        if ticks == 0 || loaded.run.cancel.is_raised() {
            return Ok(Report::of(0));
        }
        let extent = Extent { ticks, batch: 1, channels: 1 };
        let mut codes = loaded.history.clone();
        let mut row = [0.0_f32];
        for tick in 0..ticks {
            x.row(extent, tick, &mut row);
            codes.push(self.bench.code(row[0])?);
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
            self.bench.play(lines, &codes, rate, (points, rate * loaded.oversample as f64)).map_err(SerialError::into_fault)?;
        let done = codes.len() - ticks;
        let full = |code: i16| f64::from(code.unsigned_abs()) * loaded.steps[0] >= self.bench.range - 1.5 * loaded.steps[0];
        let mut clipped = 0;
        loaded.readout.begin();
        for (tick, &code) in codes.iter().enumerate() {
            let end = loaded.sample(tick);
            // before its end, the waveform of the tick stands on channel 2
            let middle = end - loaded.oversample.div_ceil(2);
            let (sent, seen) = (f64::from(code) / 32767.0 * self.bench.v_max, f64::from(monitor[middle]) * loaded.steps[1]);
            if (sent - seen).abs() > MONITOR * self.bench.v_max {
                let said = format!("{seen} V stand on channel 2 at tick {tick} instead of {sent}");
                return Err(SerialError::Fault { what: String::from("a run"), said }.into());
            }
            let value = loaded.readout.tick(f64::from(device[end]) * loaded.steps[0]);
            if tick >= done {
                clipped += u64::from(full(device[end]));
                #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
                y.put(extent, tick - done, &[value as f32]);
            }
        }
        codes.drain(..codes.len().saturating_sub(loaded.window));
        loaded.history = codes;
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
        let _ = dialogue().tell(lines, b"OUTP OFF");
    }
}
