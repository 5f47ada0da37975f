//! Is a culture what it was? Rate, irregularity, bursts: a band from a baseline, into which later activity must fall.
//!
//! The baseline is cut into sessions of equal length. A later session of that length is inside the band if each measure is within four standard
//! deviations of a further session, `s √(1 + 1/n)`, of the mean of the `n` sessions. For twenty sessions of a culture that does not change,
//! and measures that are normal, one later session in three hundred falls outside in one of the four.

use super::statistics::{Trains, moments};

/// Ticks of a bin of the bursts.
pub const BURST_BIN: usize = 10;
/// How many standard deviations the band is wide to each side.
pub const WIDTH: f64 = 4.0;

/// The names of the measures, in their order.
pub const MEASURES: [&str; 4] =
    ["rate, spikes a channel and tick", "variation of intervals", "Fano factor, 1 tick", "share of bursts"];

/// The measures of a session, in the order of [`MEASURES`].
pub type Measures = [f64; 4];

/// Where a later session must fall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Spikes in ten ticks that are a burst if exceeded.
    burst: f64,
    /// The least and the most of each measure.
    pub bounds: [[f64; 2]; 4],
}

impl Band {
    /// The band of a baseline of at least two sessions; none for fewer.
    ///
    /// A burst is a bin of ten ticks with more spikes than the mean and two standard deviations of the baseline's bins.
    #[must_use]
    pub fn of(baseline: &[Trains]) -> Option<Self> {
        let n = baseline.len() as f64;
        if baseline.len() < 2 {
            return None;
        }
        let bins = baseline.iter().flat_map(|t| t.totals.chunks_exact(BURST_BIN)).map(|c| c.iter().sum()).collect::<Vec<f64>>();
        let (mean, variance) = moments(&bins);
        let burst = mean + 2.0 * variance.sqrt();
        let sessions: Vec<Measures> = baseline.iter().map(|t| measures(t, burst)).collect();
        let bounds = std::array::from_fn(|k| {
            let (mean, variance) = moments(&sessions.iter().map(|m| m[k]).collect::<Vec<f64>>());
            let margin = WIDTH * (variance * n / (n - 1.0) * (1.0 + 1.0 / n)).sqrt();
            [mean - margin, mean + margin]
        });
        Some(Self { burst, bounds })
    }

    /// The measures of a session.
    #[must_use]
    pub fn measure(&self, session: &Trains) -> Measures {
        measures(session, self.burst)
    }

    /// The first measure of a session that is outside, and its value; none if all are inside.
    #[must_use]
    pub fn outside(&self, session: &Trains) -> Option<(&'static str, f64)> {
        let found = self.measure(session).into_iter().zip(self.bounds).zip(MEASURES);
        // written so that a measure that is no number is outside
        found.into_iter().find(|((m, [low, high]), _)| !(low..=high).contains(&m)).map(|((m, _), name)| (name, m))
    }
}

fn measures(session: &Trains, burst: f64) -> Measures {
    [session.rate(0..session.spikes.len()), session.variation(), session.fano(1), session.bursting(BURST_BIN, burst)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culture::electrodes::CHANNELS;
    use crate::culture::poisson::Poisson;

    fn sessions(source: &mut Poisson, count: usize) -> Vec<Trains> {
        let mut row = [0.0; CHANNELS];
        let mut session = || {
            let mut trains = Trains::new(CHANNELS);
            for _ in 0..500 {
                source.step(&mut row);
                trains.add((0..CHANNELS).filter(|&c| row[c] > 0.0));
            }
            trains
        };
        (0..count).map(|_| session()).collect()
    }

    #[test]
    fn what_does_not_change_stays_inside() {
        let all = sessions(&mut Poisson::new(1, 0, 100.0), 40);
        let band = Band::of(&all[..20]).expect("a baseline");
        assert!(all[20..].iter().all(|t| band.outside(t).is_none()), "{band:?}");
    }

    #[test]
    fn a_rate_that_rises_by_a_tenth_is_seen() {
        let band = Band::of(&sessions(&mut Poisson::new(1, 0, 100.0), 20)).expect("a baseline");
        let risen = sessions(&mut Poisson::new(2, 0, 112.0), 1);
        assert_eq!(band.outside(&risen[0]).map(|(name, _)| name), Some(MEASURES[0]));
    }

    #[test]
    fn silence_is_outside() {
        let band = Band::of(&sessions(&mut Poisson::new(1, 0, 100.0), 20)).expect("a baseline");
        let mut silent = Trains::new(CHANNELS);
        (0..500).for_each(|_| silent.add([]));
        assert!(band.outside(&silent).is_some());
        assert!(Band::of(&[silent]).is_none());
    }
}
