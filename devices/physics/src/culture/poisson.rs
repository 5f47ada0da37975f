//! The control: a source that says as much as a culture does and does not listen.
//!
//! In each tick each channel has a spike with the same chance, whatever went before and whatever is stimulated. A judge that finds a response
//! or learning in it is wrong.

use super::electrodes::CHANNELS;
use super::network::node;
use isoform_core::draw::{Key, uniform};

/// Spikes a second of a channel of the control, about those of a cluster.
pub const RATE: f64 = 100.0;

/// A source of independent spikes.
#[derive(Debug, Clone)]
pub struct Poisson {
    key: Key,
    chance: f64,
    tick: u64,
}

impl Poisson {
    /// A source of so many spikes a second on each channel, in ticks of a millisecond; at most one a tick.
    #[must_use]
    pub fn new(seed: u64, noise: u64, rate: f64) -> Self {
        let [k, l] = Key::new(seed, node::POISSON).words();
        Self { key: Key::new(noise ^ (u64::from(k) << 32 | u64::from(l)), node::POISSON), chance: rate * 1e-3, tick: 0 }
    }

    /// How many ticks have passed.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// Goes on from a tick.
    pub fn go_to(&mut self, tick: u64) {
        self.tick = tick;
    }

    /// Passes a tick.
    #[expect(clippy::cast_possible_truncation, reason = "there are 64 channels")]
    pub fn step(&mut self, row: &mut [f32]) {
        for (channel, spike) in row.iter_mut().enumerate().take(CHANNELS) {
            let drawn = f64::from(uniform(self.key.bits(channel as u32, 0, self.tick)));
            *spike = f32::from(u8::from(drawn < self.chance));
        }
        self.tick += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_rate() {
        let mut source = Poisson::new(3, 0, RATE);
        let (mut row, mut spikes) = ([0.0; CHANNELS], 0.0);
        for _ in 0..2000 {
            source.step(&mut row);
            spikes += row.iter().sum::<f32>();
        }
        // 12,800 expected, with a standard deviation of 107
        assert!((spikes - 12_800.0).abs() < 430.0, "{spikes}");
    }
}
