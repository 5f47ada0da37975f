//! Outputs on a grid, as a converter gives them.

use crate::error::{Error, Result};
use crate::medium::Medium;
use crate::profile::Profile;
use crate::program::Program;
use crate::report::Report;
use crate::signal::{Signal, SignalMut};
use crate::substrate::{Realization, Run, Substrate};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// How far a value in single precision may be from the level that it was to be, as a share of the range.
const ROUNDING: f64 = 1e-6;

/// A substrate whose outputs are rounded to the nearest level and clipped to a range; what is clipped is counted in the report.
#[derive(Debug)]
pub struct Quantise {
    inner: Arc<dyn Substrate>,
    step: f64,
    range: f64,
    profile: Arc<Profile>,
}

impl Quantise {
    /// Levels that are `step` apart, up to a magnitude of `range`, both in units of the outputs.
    ///
    /// # Errors
    /// `Unsupported` unless both are numbers above nought that single precision holds.
    pub fn new(inner: Arc<dyn Substrate>, step: f64, range: f64) -> Result<Self> {
        let fits = |v: f64| (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&v);
        if !(fits(step) && fits(range)) {
            return Err(Error::unsupported(format!("a step of {step} up to a range of {range} makes no levels")));
        }
        if (range / step).round() < 1.0 {
            let why =
                format!("with a step of {step} a range of {range} holds no level but nought: give a range of {step} or more");
            return Err(Error::unsupported(why));
        }
        let below = inner.profile();
        let profile = Profile { name: format!("{} in steps of {step}", below.name), ..(*below).clone() };
        // a converter without an end is held to as many levels as single precision keeps apart
        let reach = if range < f64::from(f32::MAX) { range } else { step / ROUNDING };
        // half a step is what rounding takes from a mean, or gives to it, and what wanders beneath comes out as jumps
        let medium = match below.medium {
            Some(medium) => {
                Medium { margin: medium.margin + step, noise: medium.noise.hypot(step / 2.0), flicker: true, ..medium }
            }
            None => Medium { flicker: true, ..Medium::new(step + ROUNDING * reach, step / 2.0) },
        };
        let profile = profile.with_class(super::noisy(below.class)).with_medium(medium);
        Ok(Self { inner, step, range, profile: Arc::new(profile) })
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Quantise {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        Ok(Box::new(Quantised { inner, step: self.step, range: self.range }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[derive(Debug)]
struct Quantised {
    inner: Box<dyn Realization>,
    step: f64,
    range: f64,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Quantised {
    #[expect(clippy::cast_possible_truncation, reason = "outputs are in single precision")]
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let SignalMut::Dense(data) = y else {
            return Err(Error::unsupported("a quantised output has neither counts nor bits; take dense samples"));
        };
        let mut report = self.inner.advance(x, SignalMut::Dense(data), ticks).await?;
        for v in data.iter_mut() {
            let wide = f64::from(*v);
            report.clipped += u64::from(wide.abs() > self.range);
            *v = ((wide.clamp(-self.range, self.range) / self.step).round() * self.step) as f32;
        }
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    crate::hand_on_facets!(inner);
}
