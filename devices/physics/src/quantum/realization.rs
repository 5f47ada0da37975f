//! A program on an array of neuristors that runs on.

use super::layout::Layout;
use super::neuristor::{R_L, T_0, cold, neuristor};
use super::wafer::{INPUT, Wafer};
use async_trait::async_trait;
use isoform_core::Coefficients;
use isoform_core::draw::{Key, normal};
use isoform_core::error::{Error, Result};
use isoform_core::program::Program;
use isoform_core::report::{Energy, Report};
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Rest, Run};
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seconds for which an element runs before a program meets it, and so many more at most, by chance.
const BEFORE: [f64; 2] = [10e-6, 10e-6];

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nought or more, and no count of ticks is near 2^64")]
pub(super) fn ticks(seconds: f64, dt: f64) -> u64 {
    (seconds / dt).round() as u64
}

/// An element of the array.
#[derive(Debug)]
struct Element {
    p: [f64; 13],
    coefficients: Coefficients,
    s: [f64; 6],
    /// Current and temperature.
    y: [f64; 2],
}

/// A program on the array.
#[derive(Debug)]
pub(super) struct Running {
    film: Arc<dyn TransferFunction>,
    semantics: Semantics,
    layout: Layout,
    elements: Vec<Element>,
    temperatures: Vec<f64>,
    heat: Vec<f64>,
    /// The voltages that are applied.
    volts: Vec<f64>,
    noise: Key,
    tick: u64,
    /// Ticks since the program was realised.
    age: u64,
    spread: f64,
    /// Ticks after which what came before is forgotten.
    washout: u64,
    program: Program,
    run: Run,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Running {
    pub(super) fn new(layout: Layout, wafer: &Wafer, program: &Program, run: &Run, number: u32) -> Self {
        let film = Arc::clone(neuristor().function());
        let semantics = wafer.followed();
        let noise = Key::new(wafer.seed.wrapping_add(run.seed.rotate_left(32)), number);
        let elements = (0..)
            .take(layout.channels)
            .map(|channel| {
                let p = wafer.element(channel, layout.s_env);
                Element { s: cold(T_0), coefficients: film.coefficients(&semantics, &p), p, y: [0.0; 2] }
            })
            .collect();
        let channels = layout.channels;
        let mut running = Self {
            film,
            semantics,
            elements,
            temperatures: vec![T_0; channels],
            heat: vec![0.0; channels],
            volts: vec![f64::midpoint(INPUT[0], INPUT[1]); channels],
            noise,
            tick: 0,
            age: 0,
            spread: wafer.spread,
            washout: wafer.washout(),
            program: program.clone(),
            run: run.clone(),
            x: vec![0.0; program.input_channels()],
            y: vec![0.0; program.output_channels()],
            layout,
        };
        let chance = f64::from(running.noise.bits(u32::MAX, 1, 0)) / f64::from(u32::MAX);
        for _ in 0..ticks(BEFORE[0] + chance * BEFORE[1], wafer.dt) {
            running.live();
        }
        running
    }

    /// One tick of the array under the voltages that are applied; gives the joules that it took.
    fn live(&mut self) -> f64 {
        let (dt, root) = (self.semantics.dt, self.semantics.dt.sqrt());
        let mut joules = 0.0;
        if let Some(map) = &self.layout.map {
            map.apply(&self.temperatures, &mut self.heat);
        }
        for (lane, element) in (0..).zip(&mut self.elements) {
            let at = lane as usize;
            let xi = f64::from(normal(self.noise.bits(lane, 0, self.tick))) / root;
            let x = [self.volts[at], self.heat[at], xi];
            self.film.step(&self.semantics, &element.coefficients, &x, &mut element.s, &element.p, &mut element.y);
            self.temperatures[at] = element.y[1];
            joules += self.volts[at] * (self.volts[at] - element.s[0]) / R_L * dt;
        }
        self.tick += 1;
        joules
    }

    /// One tick of the counters.
    fn count(&mut self) {
        let elements = &self.elements;
        self.layout.count(|channel| elements[channel].y[0]);
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn give(&mut self) {
        for (y, rate) in self.y.iter_mut().zip(self.layout.rates()) {
            *y = rate as f32;
        }
    }
}

#[async_trait]
impl Realization for Running {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        if let Signal::Events(_) = x {
            for tick in 0..ticks {
                x.row(input, tick, &mut self.x);
                if let Some(v) = self.x.iter().find(|v| !(INPUT[0]..=INPUT[1]).contains(&f64::from(**v))) {
                    return Err(Error::invalid_signal(format!(
                        "the events of tick {tick} leave a voltage at {v}; it must be held within {} to {}: send dense or held voltages",
                        INPUT[0], INPUT[1]
                    )));
                }
            }
        }
        let mut joules = 0.0;
        let mut done = 0;
        while done < ticks && !self.run.cancel.is_raised() {
            x.row(input, done, &mut self.x);
            let first = self.layout.first;
            for (channel, volts) in self.volts.iter_mut().enumerate() {
                *volts = f64::from(self.x[first + channel]);
            }
            joules += self.live();
            self.count();
            self.give();
            y.put(output, done, &self.y);
            done += 1;
        }
        self.age += done as u64;
        let uncertainty = joules * self.spread;
        Ok(Report {
            wall: start.elapsed(),
            device: Some(Duration::from_secs_f64(done as f64 * self.semantics.dt)),
            energy: Some(Energy { joules, uncertainty, measured: false }),
            ..Report::of(done)
        })
    }

    async fn reset(&mut self) -> Result<()> {
        Err(Error::unsupported(format!(
            "an array of neuristors runs by itself and cannot be reset; after {} ticks it has forgotten what came before",
            self.washout
        )))
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

#[async_trait]
impl Rest for Running {
    /// The array runs on under the voltages that were applied last. Of a long time only the end is followed, as much as it remembers.
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(Error::invalid_signal(format!("no time of {seconds} s can pass")));
        }
        let all = ticks(seconds, self.semantics.dt);
        let followed = all.min(self.washout);
        self.tick += all - followed;
        for _ in 0..followed {
            self.live();
            self.count();
        }
        self.age += all;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.age as f64 * self.semantics.dt)
    }
}
