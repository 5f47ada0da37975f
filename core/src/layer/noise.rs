//! Normal noise on every output sample.

use crate::draw::Key;
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

/// The margin that is promised where nobody says otherwise, in units of the outputs.
pub(super) const MARGIN: f64 = 0.05;
/// Noise of a larger deviation does not fit into single precision.
const LARGEST: f64 = 1e30;
/// What stands between the name of a substrate and how large its noise is.
const WORDS: &str = " with noise of ";
/// The stream of draws of this layer, far from those of any signature.
const STREAM: u32 = 0x6e6f_6973;

/// A substrate whose outputs are blurred by normal noise that is independent from sample to sample.
///
/// The noise sits behind the dynamics, as that of a read-out does: the state is not touched. Equal seeds give equal noise. Counts and
/// bits are refused, since a noisy sample is neither.
#[derive(Debug)]
pub struct Noise {
    inner: Arc<dyn Substrate>,
    sigma: f64,
    /// The stream of its draws, which is not that of such a layer below.
    stream: u32,
    profile: Arc<Profile>,
}

impl Noise {
    /// Noise of a standard deviation, in units of the outputs, and the margin that is promised for their means.
    ///
    /// # Errors
    /// `Unsupported` unless the deviation is a number of nought or more that single precision holds, and the margin above nought.
    pub fn new(inner: Arc<dyn Substrate>, sigma: f64, margin: f64) -> Result<Self> {
        if !(0.0..=LARGEST).contains(&sigma) {
            return Err(Error::unsupported(format!("a standard deviation of {sigma} is not a number from nought to {LARGEST}")));
        }
        let below = inner.profile();
        #[expect(clippy::cast_possible_truncation, reason = "a name has few words")]
        let stream = STREAM.wrapping_add(below.name.matches(WORDS).count() as u32);
        let profile = Profile { name: format!("{}{WORDS}{sigma}", below.name), ..(*below).clone() };
        Medium::new(margin, sigma).check()?;
        let profile = if sigma > 0.0 {
            profile.with_medium(blurred(&below, margin, sigma)).with_class(super::noisy(below.class))
        } else {
            profile
        };
        Ok(Self { inner, sigma, stream, profile: Arc::new(profile) })
    }
}

/// What a substrate promises under noise: whatever it promised, with a sample that is less certain, and a margin of at least so much.
fn blurred(below: &Profile, margin: f64, sigma: f64) -> Medium {
    let Some(medium) = below.medium else { return Medium::new(margin, sigma) };
    Medium { margin: medium.margin.max(margin), noise: medium.noise.hypot(sigma), ..medium }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Noise {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.inner.realize(program, run).await?;
        let row = run.output(program, 1).len();
        Ok(Box::new(Noisy {
            inner,
            sigma: self.sigma,
            key: Key::new(run.seed, self.stream),
            stream: self.stream,
            tick: 0,
            draws: vec![0.0; row],
        }))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}

#[derive(Debug)]
struct Noisy {
    inner: Box<dyn Realization>,
    sigma: f64,
    key: Key,
    stream: u32,
    tick: u64,
    draws: Vec<f32>,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Noisy {
    #[expect(clippy::cast_possible_truncation, reason = "outputs are in single precision")]
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        if self.sigma == 0.0 {
            return self.inner.advance(x, y, ticks).await;
        }
        let SignalMut::Dense(data) = y else {
            return Err(Error::unsupported("a noisy output has neither counts nor bits; take dense samples"));
        };
        let report = self.inner.advance(x, SignalMut::Dense(data), ticks).await?;
        let sigma = self.sigma as f32;
        for row in data.chunks_exact_mut(self.draws.len().max(1)).take(report.ticks) {
            self.key.fill_normal(0, self.stream, self.tick, &mut self.draws);
            row.iter_mut().zip(&self.draws).for_each(|(v, d)| *v += sigma * d);
            self.tick += 1;
        }
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    crate::hand_on_facets!(inner);
}
