//! A thermal neuristor behind its load, whose current a monitor turns into volts.
//!
//! Its phase is nobody's to promise: two films are never alike, and the noise of the temperature moves it. So the bench takes programs that ask
//! for the rate of its spikes, as the array of neuristors does, and counts them in the digitized current.
//!
//! At nought volts the film cools to its surroundings within microseconds, but stays on the branch on which it cooled: the first spike of a
//! waveform comes from there, and not from the major loop on which the definition begins. The promised margin holds what that moves.

use super::physics::{Datasheet, Physics, Readout};
use isoform_core::draw::{Key, normal};
use isoform_core::dynamics::Dynamics;
use isoform_core::error::{Error, Result};
use isoform_core::medium::{Medium, Price};
use isoform_core::profile::Class;
use isoform_core::program::Program;
use isoform_physics::quantum::array::counted_array;
use isoform_physics::quantum::neuristor::{C, NEURISTOR, Neuristor, R_L, S_TH, T_0, cold, neuristor};
use isoform_physics::quantum::rate::SPIKE_RATE;
use isoform_physics::quantum::{INPUT, Layout, WASHOUT, Wafer};

/// The longest step of the film in software, in seconds.
const STEP: f64 = 1e-8;
/// Seconds after which nothing moves any more at nought volts: twenty time constants of the load and its capacitance.
pub const SETTLED: f64 = 20.0 * R_L * C;

/// The device in software.
#[derive(Debug)]
pub struct Film {
    p: [f64; 13],
    s: [f64; 6],
    /// Volts for an ampere.
    ohm: f64,
    noise: Key,
    steps: u64,
}

impl Film {
    /// A cold film, the first element of a wafer, behind a monitor of so many volts for an ampere.
    #[must_use]
    pub fn new(wafer: &Wafer, ohm: f64) -> Self {
        Self { p: wafer.element(0, S_TH), s: cold(T_0), ohm, noise: Key::new(wafer.seed, 1), steps: 0 }
    }

    /// A step of fourth order (Kutta 1901), and what the film then remembers.
    fn step(&mut self, h: f64, volts: f64) {
        let xi = f64::from(normal(self.noise.bits(0, 0, self.steps))) / h.sqrt();
        self.steps += 1;
        let x = [volts, 0.0, xi];
        let slope = |s: [f64; 6]| Neuristor.flow(x, s, self.p);
        let ahead = |by: f64, k: &[f64; 6]| {
            let mut s = self.s;
            s.iter_mut().zip(k).for_each(|(s, k)| *s += by * k);
            s
        };
        let k1 = slope(self.s);
        let k2 = slope(ahead(h / 2.0, &k1));
        let k3 = slope(ahead(h / 2.0, &k2));
        let k4 = slope(ahead(h, &k3));
        for (at, s) in self.s.iter_mut().enumerate() {
            *s += h / 6.0 * (k1[at] + 2.0 * (k2[at] + k3[at]) + k4[at]);
        }
        self.s = self.tick(x).0;
    }

    fn tick(&self, x: [f64; 3]) -> ([f64; 6], [f64; 2]) {
        Neuristor.tick(x, self.s, self.p, 0.0)
    }
}

impl Physics for Film {
    fn flow(&mut self, seconds: f64, volts: f64) {
        // whatever comes after is rest, and of a long drive the film remembers the end
        let seconds = seconds.min(if volts == 0.0 { SETTLED } else { WASHOUT });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a waveform has some ten thousand steps")]
        let steps = (seconds / STEP).ceil() as u32;
        for _ in 0..steps {
            self.step(seconds / f64::from(steps), volts);
        }
    }

    fn output(&self) -> f64 {
        self.tick([0.0; 3]).1[0] * self.ohm
    }

    fn restart(&mut self) {
        self.s = cold(T_0);
    }
}

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// What the film is like.
    pub wafer: Wafer,
    /// Volts of the monitor for an ampere.
    pub ohm: f64,
}

impl Datasheet for Known {
    fn takes(&self) -> Vec<String> {
        vec![NEURISTOR.to_owned(), SPIKE_RATE.to_owned()]
    }

    fn place(&self, program: &Program) -> Result<Box<dyn Readout>> {
        let layout = Layout::of(program, &self.wafer)?;
        if layout.elements() != 1 || program.input_channels() != 1 || program.output_channels() != 1 {
            return Err(Error::unsupported(
                "the bench is one film between one input and one output: a program of one element and its rate",
            ));
        }
        if layout.conductance().to_bits() != S_TH.to_bits() {
            return Err(Error::unsupported(format!("the film loses {S_TH:e} W/K to its surroundings: leave s_env as it is")));
        }
        Ok(Box::new(Counted { layout, ohm: self.ohm }))
    }

    fn exemplar(&self) -> Result<Program> {
        counted_array(neuristor(), [1, 1], 0.0, self.wafer.followed())
    }

    fn input(&self) -> [f64; 2] {
        INPUT
    }

    fn scale(&self) -> f64 {
        1.0
    }

    fn moves(&self, _: f64) -> f64 {
        // a spike that is seen a sample earlier is the same spike
        0.0
    }

    fn class(&self) -> Class {
        Class::FreeRunning
    }

    fn medium(&self, _: f64) -> Medium {
        let (dt, [_, most]) = (self.wafer.dt, INPUT);
        // the load takes no more than it would with the film short-circuited; instruments and rests between waveforms come on top
        let price = Price { seconds: dt, joules: most * most / R_L * dt, writes: 0 };
        Medium { washout: Some(self.wafer.washout()), price, ..self.wafer.medium() }
    }
}

/// The rate of the spikes in the current.
#[derive(Debug)]
struct Counted {
    layout: Layout,
    ohm: f64,
}

impl Readout for Counted {
    fn begin(&mut self) {
        self.layout.clear();
    }

    fn tick(&mut self, volts: f64) -> f64 {
        self.layout.count(|_| volts / self.ohm);
        self.layout.rates().next().unwrap_or(0.0)
    }
}
