//! Noisy media of which everything is known: what the suite is tried on.
//!
//! A [`Blurred`] substrate adds noise of a known colour, distribution, spread and drift to the outputs of another and declares it truthfully, unless
//! it is told to lie. The campaign runs the statistical laws on thousands of healthy ones, which must not alarm, and on planted ones, which
//! must be caught.

mod noise;

use async_trait::async_trait;
use isoform_core::calibration::Calibration;
use isoform_core::error::{Error, Result};
use isoform_core::medium::{Drift, Medium};
use isoform_core::profile::{Class, Facets, Profile};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Memory, Plasticity, Realization, Rest, Run, Substrate, Tuning};
use noise::Noise;
use std::sync::Arc;
use std::time::Duration;

pub use noise::Colour;

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
    /// Standard deviation, about an output of nought.
    pub sigma: f64,
    /// How many times that the noise grows by, times the square of an output.
    pub swell: f64,
    /// What the mean is off.
    pub bias: f64,
    /// What the mean moves by while the declared time passes, and goes on to.
    pub drift: f64,
    /// By how much an output lags: it is so much too high after it fell, and too low after it rose.
    pub lag: f64,
    /// Seconds that its clock tells for one that passes, where it runs on.
    pub clock: f64,
    /// What is declared.
    pub declared: Medium,
}

impl Blur {
    /// Noise that is declared as it is, with a margin.
    #[must_use]
    pub fn honest(colour: Colour, sigma: f64, margin: f64) -> Self {
        let declared = Medium { flicker: colour == Colour::Flicker, ..Medium::new(margin, sigma) };
        Self { nature: Nature::Noisy, colour, sigma, swell: 0.0, bias: 0.0, drift: 0.0, lag: 0.0, clock: 1.0, declared }
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

    /// The same with noise that grows with the square of the output that it is on.
    #[must_use]
    pub fn with_swell(mut self, swell: f64) -> Self {
        self.swell = swell;
        self
    }

    /// The same with outputs that lag.
    #[must_use]
    pub fn with_lag(mut self, lag: f64) -> Self {
        self.lag = lag;
        self
    }

    /// The same with a clock that tells so many seconds for one that passes.
    #[must_use]
    pub fn with_clock(mut self, clock: f64) -> Self {
        self.clock = clock;
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
        let noise = Noise::new(self.blur.colour, run.seed, row);
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
        if matches!(self.blur.nature, Nature::Running { .. }) {
            report.device = Duration::try_from_secs_f64(report.ticks as f64 * self.dt * self.blur.clock).ok();
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
                let sigma = self.blur.sigma * (1.0 + self.blur.swell * clean * clean);
                *v += (mean - self.blur.lag * self.direction[k] + sigma * self.row[k]) as f32;
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
