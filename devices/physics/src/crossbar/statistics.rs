//! What the statistics of the cells make of a weight on a pair, in microsiemens.

use super::device::Device;

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
    /// Variance of what moves: the cells do not drift alike.
    pub(super) spread: f64,
}

/// How long the promises are to hold, and what is corrected meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Horizon {
    /// Seconds since the write.
    pub(super) within: f64,
    /// The most that the mean is off after a correction of the common drift; absent if nothing is corrected.
    pub(super) corrected: Option<f64>,
}

/// The exponent of most phase-change cells, which a common correction follows.
const COMMON: f64 = 0.049;

/// The moments of a pair whose larger cell aims at `large` microsiemens and whose other cell is at rest at nought.
pub(super) fn moments(device: &Device, large: f64, horizon: Horizon) -> Moments {
    let written = device.programming_deviation(large).powi(2);
    // half of a normal number about nought is held at nought: mean σ/√(2π), mean square σ²/2
    let rest = device.programming_deviation(0.0);
    let offset = rest / (2.0 * std::f64::consts::PI).sqrt();
    let rest_square = rest * rest / 2.0;
    match device {
        Device::Pcm(pcm) => {
            let spectrum = pcm.spectrum();
            let all = spectrum.variance_after(0, horizon.within + pcm.t_0);
            let fluctuation = (large * pcm.flicker(large)).powi(2) + rest_square * pcm.flicker(rest).powi(2);
            let log_age = pcm.log_age(horizon.within);
            let left = |exponent: f64| libm::exp(-exponent * log_age);
            let (mean, deviation) = pcm.drift_statistics(large);
            let drift = match horizon.corrected {
                None => large * (1.0 - left(mean)),
                Some(tolerance) => large * (tolerance + (left(mean) / left(COMMON) - 1.0).abs()),
            };
            Moments {
                offset,
                fixed: written + rest_square + fluctuation * all,
                noise: fluctuation * all,
                drift,
                spread: (large * deviation * log_age * left(mean)).powi(2),
            }
        }
        Device::Reram(wan) => {
            let now = wan.deviation(0.0, horizon.within) / (2.0 * std::f64::consts::PI).sqrt();
            let gained = |g: f64| (wan.deviation(g, horizon.within).powi(2) - wan.deviation(g, 1.0).powi(2)).max(0.0);
            Moments {
                offset,
                fixed: written + rest_square,
                noise: 2.0 * device.white().powi(2),
                drift: (now - offset).abs(),
                spread: gained(large) + gained(0.0),
            }
        }
    }
}
