//! What the statistics of the cells make of a weight on a pair, in microsiemens.

use super::device::Device;
use crate::memristor::pcm::Pcm;
use crate::memristor::reram::Wan;

/// Moments of the difference of a pair about the weight that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Moments {
    /// How far the mean is off: the cell at rest cannot fall below nought, so that its mean is above it.
    pub(super) offset: f64,
    /// Variance of what stays: writing, and the fluctuation that is slower than the tick.
    pub(super) fixed: f64,
    /// Variance of one read about its mean over all reads.
    pub(super) noise: f64,
    /// How far the mean moves within the declared time.
    pub(super) drift: f64,
    /// Variance of what moves: the cells do not drift alike, and slow noise moves each by itself.
    pub(super) spread: f64,
}

/// When the promises are to hold, what is corrected meanwhile, and what reading does until then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Horizon {
    /// Seconds between the write and the first tick.
    pub(super) age: f64,
    /// Seconds since then.
    pub(super) within: f64,
    /// The most that the mean is off after a correction of the common drift; absent if nothing is corrected.
    pub(super) corrected: Option<f64>,
    /// What reads do to the cells, for as many reads as are promised for.
    pub(super) reads: Reads,
}

/// Reads that disturb, in those that close all but 1/e of the distance of a cell to its largest conductance; nought where none does.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Reads {
    /// Those within the declared time.
    pub(super) within: f64,
    /// All that are promised for.
    pub(super) all: f64,
    /// Seconds that all of them take, one each tick.
    pub(super) seconds: f64,
}

impl Reads {
    /// The share of the distance that so many close.
    fn share(reads: f64) -> f64 {
        -libm::expm1(-reads)
    }

    /// Whether there are any.
    pub(super) fn disturb(&self) -> bool {
        self.all > 0.0
    }

    /// The most that a quantity which grows with the age moves within the declared time on the pedestal of the cells, and where it ends: it is
    /// `grown` higher after the first such time, which is the most that any such time adds.
    ///
    /// After `r` reads the pedestal is at most `r`. A quantity like the logarithm of the age gains at most `within/r` of its rate then, so that the
    /// product gains no more than `within`, wherever it begins.
    fn moved(&self, [grown, end]: [f64; 2]) -> f64 {
        Self::share(self.within) * end + (Self::share(self.all) * grown).min(self.within)
    }
}

impl Horizon {
    /// Seconds of age at the end of what is promised.
    fn last(&self) -> f64 {
        self.age + self.within.max(self.reads.seconds)
    }

    /// The factor that makes up for the common drift at the first tick, by which noise behind the cells grows as well.
    pub(super) fn gain(&self, device: &Device) -> f64 {
        match (device, self.corrected) {
            (Device::Pcm(pcm), Some(_)) => libm::exp(COMMON * pcm.log_age(self.age)),
            _ => 1.0,
        }
    }
}

/// The exponent of most phase-change cells, which a common correction follows.
const COMMON: f64 = 0.049;

/// The moments of a pair whose larger cell aims at `large` microsiemens and whose other cell is at rest at nought.
///
/// Reads close the same share `s` of the distance of both cells to `g_max`. Their difference then shrinks to `1 - s` of it, while both stand on a
/// pedestal `s g_max`, which fluctuates and drifts as either cell does. The mean is off by what the reads of the declared time do, and moves by as
/// much again in each such time after it, of which the first moves it most; the noise is that after all reads that are promised for.
pub(super) fn moments(device: &Device, large: f64, horizon: Horizon) -> Moments {
    match device {
        Device::Pcm(pcm) => of_phase_change(device, pcm, large, horizon),
        Device::Reram(wan) => of_resistive(device, wan, large, horizon),
    }
}

/// Half of a normal number about nought is held at nought: mean σ/√(2π), mean square σ²/2.
fn held(deviation: f64) -> f64 {
    deviation / (2.0 * std::f64::consts::PI).sqrt()
}

fn of_phase_change(device: &Device, pcm: &Pcm, large: f64, horizon: Horizon) -> Moments {
    let (share, shared) = (Reads::share(horizon.reads.all), Reads::share(horizon.reads.within));
    let (end, last) = (horizon.age + horizon.within, horizon.last());
    let written = device.programming_deviation(large).powi(2);
    let rest = device.programming_deviation(0.0);
    let rest_square = rest * rest / 2.0;
    let all = pcm.spectrum().variance_after(0, last + pcm.t_0);
    let pedestals = |share: f64| [large, 0.0].map(|g| (share * device.g_max() * pcm.flicker(g)).powi(2)).iter().sum::<f64>();
    let fluctuation = (large * pcm.flicker(large)).powi(2) + rest_square * pcm.flicker(rest).powi(2);
    let left = |exponent: f64, age: f64| libm::exp(-exponent * pcm.log_age(age));
    let ((mean, deviation), (mean_at_rest, deviation_at_rest)) = (pcm.drift_statistics(large), pcm.drift_statistics(0.0));
    // how far the cells of an age have spread by their exponents
    let spread = |age: f64| deviation * pcm.log_age(age) * left(mean, age);
    let gain = horizon.gain(device);
    let (behind, moved) = match horizon.corrected {
        None => (1.0 - left(mean, horizon.age), left(mean, horizon.age) - left(mean, end)),
        Some(tolerance) => {
            let off = |age: f64| left(mean, age) / left(COMMON, age) - 1.0;
            let behind = if horizon.age > 0.0 { tolerance + off(horizon.age).abs() } else { 0.0 };
            (behind, tolerance + (off(end) - off(horizon.age)).abs())
        }
    };
    // exponents part as the logarithm of the age grows, by no more than where conductances are those of the first tick
    let grown = pcm.log_age(end) - pcm.log_age(horizon.age);
    let rates = [mean, mean_at_rest].map(|exponent| left(exponent, horizon.age));
    let common = (mean_at_rest - mean).abs() * rates[0].max(rates[1]);
    let apart = |by: f64| {
        [deviation * rates[0], deviation_at_rest * rates[1]].map(|d| (device.g_max() * d * by).powi(2)).iter().sum::<f64>()
    };
    let noise = (fluctuation + pedestals(share)) * all;
    let moving = horizon.reads.moved([grown, pcm.log_age(last)]);
    Moments {
        offset: held(rest) + large * behind + device.g_max() * common * shared * pcm.log_age(end) + shared * (large + held(rest)),
        fixed: written
            + rest_square
            + (fluctuation + pedestals(shared)) * all
            + (gain * large * spread(horizon.age)).powi(2)
            + apart(shared * pcm.log_age(end)),
        noise,
        drift: large * moved + device.g_max() * common * moving + shared * (large + held(rest)),
        // means of two times fluctuate as much as single reads where the noise is slower than either
        spread: (gain * large * (spread(end) - spread(horizon.age))).powi(2) + apart(moving) + 2.0 * gain * gain * noise,
    }
}

fn of_resistive(device: &Device, wan: &Wan, large: f64, horizon: Horizon) -> Moments {
    /// Parts of the way to the largest conductance at which cells are looked at: the deviation is a smooth function of what is aimed at.
    const PARTS: u32 = 16;
    let (share, shared) = (Reads::share(horizon.reads.all), Reads::share(horizon.reads.within));
    let end = horizon.age + horizon.within;
    // reads move what was aimed at: what has spread from there is that of the new place, for the same draws
    let to = |g: f64, share: f64| g + share * (device.g_max() - g);
    let most = |share: f64, of: &dyn Fn(f64) -> f64| {
        (0..=PARTS).map(|k| of(share * f64::from(k) / f64::from(PARTS))).fold(0.0, f64::max)
    };
    let deviation = |g: f64| wan.deviation(g, horizon.age);
    let written = |g: f64| match horizon.reads.disturb() {
        true => most(shared, &|s| deviation(to(g, s)).max(wan.deviation(to(g, s), end))),
        false => deviation(g),
    };
    let gained = |g: f64| (wan.deviation(g, end).powi(2) - wan.deviation(g, horizon.age.max(1.0)).powi(2)).max(0.0);
    let moved = |g: f64| most(share, &|s| (wan.deviation(to(to(g, s), shared), 1.0) - wan.deviation(to(g, s), 1.0)).powi(2));
    let spread = |g: f64| most(share, &|s| gained(to(g, s))) + moved(g);
    // a cell at rest is held at nought for half of its draws until reads have moved it off, and its mean square is then the whole
    let rest_square = if horizon.reads.disturb() { written(0.0).powi(2) } else { written(0.0).powi(2) / 2.0 };
    Moments {
        offset: held(deviation(0.0)) + shared * (large + held(deviation(0.0))),
        fixed: written(large).powi(2) + rest_square,
        noise: 2.0 * device.white().powi(2),
        drift: (held(wan.deviation(0.0, end)) - held(deviation(0.0))).abs() + shared * (large + held(deviation(0.0))),
        spread: spread(large) + spread(0.0),
    }
}
