//! Noise of unit variance, of a colour and a distribution.

use isoform_core::draw::Key;

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

/// Draws of a channel in a tick: one for each octave.
const DRAWS: usize = OCTAVES;

/// Noise of some channels.
#[derive(Debug)]
pub(super) struct Noise {
    colour: Colour,
    key: Key,
    tick: u64,
    draws: Vec<f32>,
    states: Vec<[f64; OCTAVES]>,
}

impl Noise {
    /// Noise of so many channels, as it is after a long time.
    pub(super) fn new(colour: Colour, seed: u64, channels: usize) -> Self {
        let (draws, states) = (vec![0.0; channels * DRAWS], vec![[0.0; OCTAVES]; channels]);
        let mut noise = Self { colour, key: Key::new(seed, STREAM), tick: 0, draws, states };
        noise.begin();
        noise
    }

    fn begin(&mut self) {
        self.key.fill_normal(0, 1, 0, &mut self.draws);
        for (state, draws) in self.states.iter_mut().zip(self.draws.chunks_exact(DRAWS)) {
            state.iter_mut().zip(draws).for_each(|(s, &d)| *s = f64::from(d));
        }
    }

    /// The noise of one tick, a number for each channel.
    pub(super) fn next(&mut self, row: &mut [f64]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::series::{Series, moments};

    fn record(colour: Colour, seed: u64, ticks: usize) -> Vec<f64> {
        let mut noise = Noise::new(colour, seed, 1);
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
