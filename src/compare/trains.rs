//! How far apart two whole runs are: spikes by count, latency and distance, other numbers by their difference.

use isoform_core::bound::Accuracy;
use isoform_core::dynamics::Domain;
use isoform_core::program::Program;
use serde::{Deserialize, Serialize};

/// The time constant of the distance, in ticks.
const TAU: f64 = 10.0;
/// The largest shift that is tried.
const LAGS: isize = 10;

/// How far apart the outputs of two whole runs are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Agreement {
    /// The outputs that carry spikes; absent if there are none.
    pub spikes: Option<Trains>,
    /// The outputs that carry real numbers; absent if there are none.
    pub values: Option<Values>,
}

/// How far apart two sets of spike trains are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trains {
    /// Samples, which are ticks of one channel in one lane.
    pub samples: usize,
    /// Spikes of the substrate.
    pub seen: f64,
    /// Spikes of the oracle.
    pub expected: f64,
    /// Samples in which one fired and the other did not.
    pub different: usize,
    /// By how many ticks the substrate is late: the shift with the fewest differences.
    pub latency: isize,
    /// The distance of van Rossum (2001, Neural Computation 13, 751) over all trains after that shift, with a time constant of ten
    /// ticks; one spike too many in one train gives 0.5.
    pub distance: f64,
}

/// How far apart two sets of real numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Values {
    /// Samples.
    pub samples: usize,
    /// The largest difference.
    pub largest: f64,
    /// The root of the mean squared difference.
    pub root_mean_square: f64,
    /// The largest number of the oracle, for scale.
    pub scale: f64,
    /// The spacing of the substrate's numbers at that scale.
    pub spacing: f64,
}

impl Agreement {
    /// Whether the runs are equal: every spike in its tick, and every number to the rounding of one number.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.spikes.is_none_or(|t| t.different == 0) && self.values.is_none_or(|v| v.largest <= v.spacing)
    }
}

/// How far the output of a substrate, `[tick, batch, channel]`, is from that of the oracle.
#[must_use]
pub fn agreement(program: &Program, batch: usize, seen: &[f32], expected: &[f64], accuracy: &Accuracy) -> Agreement {
    let channels: Vec<bool> =
        program.outputs().iter().flat_map(|o| std::iter::repeat_n(o.port.domain == Domain::Spikes, o.port.shape.len())).collect();
    let row = channels.len() * batch;
    let column = |lane: usize, channel: usize| {
        let at = lane * channels.len() + channel;
        let a: Vec<f64> = seen.iter().skip(at).step_by(row.max(1)).map(|&v| f64::from(v)).collect();
        let b: Vec<f64> = expected.iter().skip(at).step_by(row.max(1)).copied().collect();
        (a, b)
    };
    let of = |spiking: bool| -> Vec<(Vec<f64>, Vec<f64>)> {
        let places = (0..batch).flat_map(|lane| (0..channels.len()).map(move |channel| (lane, channel)));
        places.filter(|&(_, c)| channels[c] == spiking).map(|(lane, c)| column(lane, c)).collect()
    };
    let (spiking, real) = (of(true), of(false));
    Agreement {
        spikes: (!spiking.is_empty()).then(|| trains(&spiking)),
        values: (!real.is_empty()).then(|| values(&real, accuracy)),
    }
}

fn trains(pairs: &[(Vec<f64>, Vec<f64>)]) -> Trains {
    let differences =
        |lag: isize| -> usize { pairs.iter().map(|(a, b)| shifted(a, b, lag).filter(|(a, b)| a != b).count()).sum() };
    // the smallest shift wins among equals
    let mut lags: Vec<isize> = (-LAGS..=LAGS).collect();
    lags.sort_by_key(|lag| (lag.abs(), *lag < 0));
    let latency = lags.into_iter().min_by_key(|&lag| differences(lag)).unwrap_or(0);
    Trains {
        samples: pairs.iter().map(|(a, _)| a.len()).sum(),
        seen: pairs.iter().flat_map(|(a, _)| a).sum(),
        expected: pairs.iter().flat_map(|(_, b)| b).sum(),
        different: differences(0),
        latency,
        distance: pairs.iter().map(|(a, b)| van_rossum(shifted(a, b, latency))).sum(),
    }
}

/// Both trains over the whole time that either covers, the first shifted back by `lag` ticks.
fn shifted<'a>(a: &'a [f64], b: &'a [f64], lag: isize) -> impl Iterator<Item = (f64, f64)> + 'a {
    let count = isize::try_from(a.len().max(b.len())).unwrap_or(isize::MAX);
    let at = |train: &[f64], tick: isize| usize::try_from(tick).ok().and_then(|t| train.get(t)).copied().unwrap_or(0.0);
    (-lag.abs()..count + lag.abs()).map(move |tick| (at(a, tick + lag), at(b, tick)))
}

/// `1/τ ∫ (f - g)² dt` of trains that are smoothed by a causal exponential of `τ`.
fn van_rossum(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let decay = (-1.0 / TAU).exp();
    let (mut difference, mut sum) = (0.0_f64, 0.0);
    for (a, b) in pairs {
        difference = difference * decay + (a - b);
        sum += difference * difference;
    }
    // the square of a trace decays over each tick, and over the time behind the last one
    let (within, square) = ((1.0 - decay * decay) / 2.0, decay * decay);
    let tail = difference * difference * square / 2.0;
    sum * within + tail
}

#[expect(clippy::cast_precision_loss, reason = "a count in a mean")]
fn values(pairs: &[(Vec<f64>, Vec<f64>)], accuracy: &Accuracy) -> Values {
    let samples: usize = pairs.iter().map(|(a, _)| a.len()).sum();
    let differences = || pairs.iter().flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| (a - b).abs());
    let scale = pairs.iter().flat_map(|(_, b)| b).fold(0.0, |m: f64, v| m.max(v.abs()));
    Values {
        samples,
        largest: differences().fold(0.0, f64::max),
        root_mean_square: (differences().map(|d| d * d).sum::<f64>() / samples.max(1) as f64).sqrt(),
        scale,
        spacing: accuracy.spacing(scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(spikes: &[usize]) -> Vec<f64> {
        (0..200).map(|t| f64::from(u8::from(spikes.contains(&t)))).collect()
    }

    #[test]
    fn equal_trains_are_at_no_distance() {
        let found = trains(&[(train(&[3, 50]), train(&[3, 50]))]);
        assert_eq!((found.different, found.latency, found.distance, found.seen), (0, 0, 0.0, 2.0));
    }

    #[test]
    fn a_spike_too_many_gives_one_half() {
        for spikes in [&[20, 100][..], &[20, 199]] {
            let found = trains(&[(train(spikes), train(&[20]))]);
            assert!((found.distance - 0.5).abs() < 1e-12, "{found:?}");
            assert_eq!((found.different, found.latency), (1, 0));
        }
    }

    #[test]
    fn a_late_train_is_late_and_otherwise_equal() {
        let found = trains(&[(train(&[4, 51]), train(&[3, 50])), (train(&[91]), train(&[90]))]);
        assert_eq!((found.different, found.latency, found.distance), (6, 1, 0.0));
        let early = trains(&[(train(&[3, 50]), train(&[6, 53]))]);
        assert_eq!((early.latency, early.distance), (-3, 0.0));
    }

    #[test]
    fn numbers_are_compared_by_their_difference() {
        let found = values(&[(vec![1.0, 2.0], vec![1.0, 2.5]), (vec![0.0, 0.0], vec![0.0, 0.0])], &Accuracy::single());
        assert_eq!((found.samples, found.largest, found.root_mean_square, found.scale), (4, 0.5, 0.25, 2.5));
    }
}
