//! A dish that is listened to: blocks of stimuli in, blocks of spikes out, and a clock that runs on.

use super::dish::{Dish, TICK};
use super::electrodes::CHANNELS;
use super::program::DT;
use super::stimulation::{Envelope, Refusal, biphasic};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Realization, Rest};
use std::time::Duration;

/// No clock counts beyond this tick.
const LAST_TICK: f64 = (1_u64 << 53) as f64;
/// The most ticks of one rest of a culture that learns.
const MOST_LEARNING: f64 = 600_000.0;

/// A dish, from its beginning on.
#[derive(Debug)]
pub(crate) struct Running {
    dish: Dish,
    node: String,
    cancel: Cancel,
    /// The envelope after the block that is being checked.
    ahead: Envelope,
    row: [f32; CHANNELS],
    /// Ticks that nobody listened to, since the last report.
    lost: u64,
    /// Seconds of rest that make no whole tick yet.
    spare: f64,
}

impl Running {
    pub(crate) fn new(dish: Dish, node: &str, cancel: Cancel) -> Self {
        let ahead = dish.envelope().clone();
        Self { dish, node: node.to_owned(), cancel, ahead, row: [0.0; CHANNELS], lost: 0, spare: 0.0 }
    }

    /// Checks a whole block against the safety envelope before the first of its pulses is given.
    fn check(&mut self, x: Signal<'_>, extent: Extent) -> Result<()> {
        self.ahead.clone_from(self.dish.envelope());
        for tick in 0..extent.ticks {
            x.row(extent, tick, &mut self.row);
            let now = (self.dish.ticks() + tick as u64) * TICK;
            for (channel, current) in stimuli(&self.row) {
                let admitted = self.ahead.admit(now, channel, &biphasic(current));
                admitted.map_err(|refusal| self.refuse(refusal, tick))?;
            }
        }
        Ok(())
    }

    fn refuse(&self, refusal: Refusal, tick: usize) -> Error {
        Error::invalid_signal(format!("tick {tick}, {refusal}")).with_node(&self.node).with_source(refusal)
    }
}

/// The pulses of a row: the channels whose current is not nought.
fn stimuli(row: &[f32; CHANNELS]) -> impl Iterator<Item = (usize, f64)> {
    row.iter().enumerate().filter(|(_, i)| **i != 0.0).map(|(channel, &i)| (channel, f64::from(i)))
}

#[async_trait]
impl Realization for Running {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let extent = Extent { ticks, batch: 1, channels: CHANNELS };
        self.check(x, extent)?;
        let mut done = 0;
        while done < ticks && !self.cancel.is_raised() {
            x.row(extent, done, &mut self.row);
            for (channel, current) in stimuli(&self.row) {
                let given = self.dish.stimulate(channel, &biphasic(current));
                // cannot happen: the block was checked
                given.map_err(|refusal| self.refuse(refusal, done).with_state_lost())?;
            }
            self.dish.step(&mut self.row);
            y.put(extent, done, &self.row);
            done += 1;
        }
        let device = Some(Duration::from_micros(done as u64 * TICK));
        Ok(Report { device, lost: std::mem::take(&mut self.lost), ..Report::of(done) })
    }

    async fn reset(&mut self) -> Result<()> {
        if self.dish.ticks() == 0 {
            return Ok(());
        }
        Err(Error::unsupported("a culture cannot be reset; realize the program again to begin with another dish"))
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

/// The culture goes on while nobody listens; what it says then is counted as lost by the next advance.
#[async_trait]
impl Rest for Running {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from nought to 2^53")]
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        let ticks = (seconds + self.spare) / DT;
        if !(0.0..=LAST_TICK - self.dish.ticks() as f64).contains(&ticks) {
            return Err(Error::invalid_signal(format!("a rest of {seconds} s is none, or longer than any clock counts")));
        }
        if self.dish.learns() && ticks > MOST_LEARNING {
            let most = MOST_LEARNING * DT;
            return Err(Error::unsupported(format!(
                "a culture that learns is computed tick by tick: a rest of {seconds} s takes too long, rest {most} s at most"
            )));
        }
        let whole = ticks.floor();
        self.dish.pass(whole as u64);
        self.spare = (ticks - whole) * DT;
        self.lost = self.lost.saturating_add(whole as u64);
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.dish.ticks() as f64 * DT + self.spare)
    }
}
