//! Noisy media of which everything is known: what the suite is tried on.
//!
//! A [`Blurred`] substrate adds noise of a known colour, distribution, spread and drift to the outputs of another and declares it truthfully, unless
//! it is told to lie. The campaign runs the statistical laws on thousands of healthy ones, which must not alarm, and on planted ones, which
//! must be caught.

use async_trait::async_trait;
use isoform_core::calibration::Calibration;
use isoform_core::draw::Key;
use isoform_core::error::{Error, Result};
use isoform_core::medium::{Drift, Medium};
use isoform_core::profile::{Class, Facets, Profile};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use std::sync::Arc;
use std::time::Duration;

/// Octaves of 1/f noise: it is flat in the Allan deviation up to some 2¹⁸ ticks.
const OCTAVES: usize = 18;
/// The stream of draws.
const STREAM: u32 = 0x626c_7572;

/// Colour and distribution of noise of unit variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Colour {
    /// Normal and independent from tick to tick.
    White,
    /// An autoregressive process of first order: each tick keeps this share of the last.
    Autoregressive(f64),
    /// 1/f, as a sum of autoregressive processes with times in octaves.
    Flicker,
    /// Laplace's distribution: a double exponential.
    Laplace,
    /// Student's distribution with five degrees of freedom.
    Student,
    /// A lognormal distribution of unit shape, shifted to a mean of nought.
    Lognormal,
    /// Between two levels, changing with a probability of a tenth a tick.
    Telegraph,
}

/// What kind of medium it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It is noisy.
    Noisy,
    /// Writing wears it; one that does not count says nothing of its writes.
    Wearing {
        /// Whether writes are counted.
        counts: bool,
    },
    /// It runs on and cannot be reset; a deaf one does so whatever comes in.
    Running {
        /// Whether inputs are ignored.
        deaf: bool,
    },
}

/// What a medium adds, and what it says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// What kind of medium it is.
    pub nature: Nature,
    /// Colour and distribution.
    pub colour: Colour,
    /// Standard deviation.
    pub sigma: f64,
    /// What the mean is off.
    pub bias: f64,
    /// What the mean moves by while the declared time passes, and goes on to.
    pub drift: f64,
    /// By how much an output lags: it is so much too high after it fell, and too low after it rose.
    pub lag: f64,
    /// What is declared.
    pub declared: Medium,
}

impl Blur {
    /// Noise that is declared as it is, with a margin.
    #[must_use]
    pub fn honest(colour: Colour, sigma: f64, margin: f64) -> Self {
        let declared = Medium { flicker: colour == Colour::Flicker, ..Medium::new(margin, sigma) };
        Self { nature: Nature::Noisy, colour, sigma, bias: 0.0, drift: 0.0, lag: 0.0, declared }
    }

    /// The same in a medium of another nature. One that runs on declares a washout in ticks, one that wears an endurance of a thousand writes.
    #[must_use]
    pub fn in_a(mut self, nature: Nature, washout: u64) -> Self {
        self.nature = nature;
        match nature {
            Nature::Noisy => {}
            Nature::Wearing { .. } => {
                self.declared.endurance = Some(1000);
                self.declared.price.writes = 1;
            }
            Nature::Running { .. } => self.declared.washout = Some(washout),
        }
        self
    }

    /// The same with outputs that lag.
    #[must_use]
    pub fn with_lag(mut self, lag: f64) -> Self {
        self.lag = lag;
        self
    }

    /// The same with a drift of its mean by so much within so many seconds, of which `most` is declared.
    #[must_use]
    pub fn with_drift(mut self, drift: f64, most: f64, within: f64) -> Self {
        self.drift = drift;
        self.declared.drift = Some(Drift { most, within });
        self
    }

    /// The same with a mean that is off.
    #[must_use]
    pub fn with_bias(mut self, bias: f64) -> Self {
        self.bias = bias;
        self
    }

    /// The same, declared to be something else.
    #[must_use]
    pub fn declared_as(mut self, declared: Medium) -> Self {
        self.declared = declared;
        self
    }
}

/// A substrate whose outputs are blurred.
#[derive(Debug)]
pub struct Blurred {
    inner: Arc<dyn Substrate>,
    blur: Blur,
    profile: Arc<Profile>,
}

impl Blurred {
    /// Blurs the outputs of a substrate. Its state is no longer readable.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, blur: Blur) -> Self {
        let below = inner.profile();
        let profile = Profile {
            name: format!("{} in a noisy medium", below.name),
            class: match blur.nature {
                Nature::Noisy => Class::AnalogNoisy,
                Nature::Wearing { .. } => Class::AnalogWearing,
                Nature::Running { .. } => Class::FreeRunning,
            },
            facets: Facets {
                rest: true,
                tuning: below.facets.tuning && matches!(blur.nature, Nature::Wearing { .. }),
                ..Facets::default()
            },
            medium: Some(blur.declared),
            ..(*below).clone()
        };
        Self { inner, blur, profile: Arc::new(profile) }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Blurred {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        let row = run.output(program, 1).len();
        let key = Key::new(run.seed, STREAM);
        let mut noise =
            Noise { colour: self.blur.colour, key, tick: 0, draws: vec![0.0; row * DRAWS], states: vec![[0.0; OCTAVES]; row] };
        noise.begin();
        let dt = program.semantics().dt;
        let blank = vec![0.0; run.input(program, run.max_ticks.min(1 << 16)).len()];
        Ok(Box::new(Blurring {
            inner,
            blur: self.blur,
            noise,
            row: vec![0.0; row],
            last: vec![0.0; row],
            direction: vec![0.0; row],
            blank,
            inputs: run.input(program, 1).len(),
            dt,
            rested: 0.0,
            worked: 0,
            writes: 1,
        }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

/// How far an output has to move for its way to count: the last digits go either way.
const STIR: f64 = 1e-4;

/// Draws of a channel in a tick: one for each octave.
const DRAWS: usize = OCTAVES;

#[derive(Debug)]
struct Noise {
    colour: Colour,
    key: Key,
    tick: u64,
    draws: Vec<f32>,
    states: Vec<[f64; OCTAVES]>,
}

impl Noise {
    /// States as they are after a long time.
    fn begin(&mut self) {
        self.key.fill_normal(0, 1, 0, &mut self.draws);
        for (state, draws) in self.states.iter_mut().zip(self.draws.chunks_exact(DRAWS)) {
            state.iter_mut().zip(draws).for_each(|(s, &d)| *s = f64::from(d));
        }
    }

    /// The noise of one tick, a number for each channel.
    fn next(&mut self, row: &mut [f64]) {
        let single = self.colour != Colour::Flicker && self.colour != Colour::Student;
        let width = if single { 1 } else { DRAWS };
        let draws = &mut self.draws[..row.len() * width];
        self.key.fill_normal(0, 0, self.tick, draws);
        self.tick += 1;
        for ((out, draws), state) in row.iter_mut().zip(draws.chunks_exact(width)).zip(&mut self.states) {
            let first = f64::from(draws[0]);
            *out = match self.colour {
                Colour::White => first,
                Colour::Autoregressive(kept) => {
                    state[0] = kept * state[0] + (1.0 - kept * kept).sqrt() * first;
                    state[0]
                }
                Colour::Flicker => {
                    for (octave, (s, &d)) in state.iter_mut().zip(draws).enumerate() {
                        let kept = (-(0.5_f64.powi(octave as i32 + 1))).exp();
                        *s = kept * *s + (1.0 - kept * kept).sqrt() * f64::from(d);
                    }
                    state.iter().sum::<f64>() / (OCTAVES as f64).sqrt()
                }
                Colour::Laplace => {
                    let share = cumulative(first);
                    let side = share - 0.5;
                    -side.signum() * (1.0 - 2.0 * side.abs()).max(1e-15).ln() / 2.0_f64.sqrt()
                }
                Colour::Student => {
                    let squares = draws[1..6].iter().map(|&d| f64::from(d) * f64::from(d)).sum::<f64>();
                    // a variance of 5/3 is brought to one
                    first / (squares / 5.0).sqrt() * (3.0_f64 / 5.0).sqrt()
                }
                Colour::Lognormal => {
                    let e = 1.0_f64.exp();
                    (first.exp() - e.sqrt()) / (e * (e - 1.0)).sqrt()
                }
                Colour::Telegraph => {
                    if cumulative(first) < 0.1 {
                        state[0] = -state[0];
                    }
                    state[0].signum()
                }
            };
        }
    }
}

/// The probability that a normal number is smaller (Abramowitz and Stegun 1964, equation 26.2.17; 7.5e-8).
fn cumulative(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[derive(Debug)]
struct Blurring {
    inner: Box<dyn Realization>,
    blur: Blur,
    noise: Noise,
    row: Vec<f64>,
    /// Outputs without noise, and the way that each went last.
    last: Vec<f64>,
    direction: Vec<f64>,
    /// What a deaf medium hears.
    blank: Vec<f32>,
    inputs: usize,
    dt: f64,
    rested: f64,
    worked: u64,
    /// Writes that no report has told of yet.
    writes: u64,
}

impl Blurring {
    fn seconds(&self) -> f64 {
        self.rested + self.worked as f64 * self.dt
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Blurring {
    #[expect(clippy::cast_possible_truncation, reason = "outputs are in single precision")]
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let SignalMut::Dense(data) = y else {
            return Err(Error::unsupported("a noisy output has neither counts nor bits; take dense samples"));
        };
        let deaf = self.blur.nature == Nature::Running { deaf: true };
        let x = if deaf { Signal::Dense(&self.blank[..ticks * self.inputs]) } else { x };
        let mut report = self.inner.advance(x, SignalMut::Dense(data), ticks).await?;
        if matches!(self.blur.nature, Nature::Wearing { counts: true }) {
            report.writes += std::mem::take(&mut self.writes);
        }
        for row in data.chunks_exact_mut(self.row.len().max(1)).take(report.ticks) {
            self.noise.next(&mut self.row);
            let moved = self.blur.declared.drift.map_or(0.0, |d| self.blur.drift * self.seconds() / d.within);
            let mean = self.blur.bias + moved;
            for (k, v) in row.iter_mut().enumerate() {
                let clean = f64::from(*v);
                if (clean - self.last[k]).abs() > STIR {
                    self.direction[k] = (clean - self.last[k]).signum();
                    self.last[k] = clean;
                }
                *v += (mean - self.blur.lag * self.direction[k] + self.blur.sigma * self.row[k]) as f32;
            }
            self.worked += 1;
        }
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        if matches!(self.blur.nature, Nature::Running { .. }) {
            return Err(Error::unsupported("it runs on and cannot be reset"));
        }
        self.inner.reset().await
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        if !matches!(self.blur.nature, Nature::Wearing { .. }) {
            return None;
        }
        self.inner.tuning()?;
        Some(self)
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        None
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

fn absent() -> Error {
    Error::unsupported("the facet has gone since it was asked for")
}

#[async_trait]
impl Tuning for Blurring {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        self.inner.tuning().ok_or_else(absent)?.read(node, parameter).await
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let set = self.inner.tuning().ok_or_else(absent)?.write(node, parameter, values).await?;
        self.writes += 1;
        Ok(set)
    }
}

#[async_trait]
impl Rest for Blurring {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(0.0..=f64::MAX).contains(&seconds) {
            return Err(Error::invalid_signal(format!("a rest of {seconds} s is none; give nought or more")));
        }
        self.rested += seconds;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::series::{Series, moments};

    fn record(colour: Colour, seed: u64, ticks: usize) -> Vec<f64> {
        let mut noise =
            Noise { colour, key: Key::new(seed, STREAM), tick: 0, draws: vec![0.0; DRAWS], states: vec![[0.0; OCTAVES]] };
        noise.begin();
        let mut row = [0.0];
        (0..ticks)
            .map(|_| {
                noise.next(&mut row);
                row[0]
            })
            .collect()
    }

    #[test]
    fn every_noise_has_a_mean_of_nought_and_a_variance_of_one() {
        let colours =
            [Colour::White, Colour::Autoregressive(0.8), Colour::Laplace, Colour::Student, Colour::Lognormal, Colour::Telegraph];
        for colour in colours {
            let found: Vec<(f64, f64)> = (0..40).map(|seed| moments(&record(colour, seed, 5000))).collect();
            let (mean, scatter) = moments(&found.iter().map(|m| m.0).collect::<Vec<_>>());
            let variances: Vec<f64> = found.iter().map(|m| m.1 * m.1).collect();
            let (variance, scatter_of_variance) = moments(&variances);
            eprintln!("{colour:?}: mean {mean:.4}, variance {variance:.3}");
            assert!(mean.abs() < 4.0 * scatter / 40.0_f64.sqrt(), "{colour:?}: mean {mean}");
            assert!((variance - 1.0).abs() < 4.0 * scatter_of_variance / 40.0_f64.sqrt(), "{colour:?}: variance {variance}");
        }
    }

    #[test]
    fn flicker_is_coloured_and_the_others_are_not() {
        let coloured = |colour: Colour| (0..20).filter(|&seed| Series::of(&record(colour, seed, 12_800)).is_coloured()).count();
        assert!(coloured(Colour::Flicker) >= 15);
        for colour in [Colour::White, Colour::Autoregressive(0.9), Colour::Telegraph, Colour::Lognormal] {
            assert_eq!(coloured(colour), 0, "{colour:?}");
        }
    }
}
