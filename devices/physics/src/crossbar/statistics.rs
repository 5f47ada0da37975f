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
    /// Variance of what moves: the cells do not drift alike, and slow noise moves each by itself.
    pub(super) spread: f64,
}

/// When the promises are to hold, what is corrected meanwhile, and what reading does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Horizon {
    /// Seconds between the write and the first tick.
    pub(super) age: f64,
    /// Seconds since then.
    pub(super) within: f64,
    /// The most that the mean is off after a correction of the common drift; absent if nothing is corrected.
    pub(super) corrected: Option<f64>,
    /// The share of their distance to the largest conductance that reads close in all cells meanwhile.
    pub(super) disturbed: f64,
}

impl Horizon {
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
/// pedestal `s g_max`, which fluctuates and drifts as either cell does.
pub(super) fn moments(device: &Device, large: f64, horizon: Horizon) -> Moments {
    // half of a normal number about nought is held at nought: mean σ/√(2π), mean square σ²/2
    let held = |deviation: f64| deviation / (2.0 * std::f64::consts::PI).sqrt();
    let (share, pedestal) = (horizon.disturbed, horizon.disturbed * device.g_max());
    let end = horizon.age + horizon.within;
    match device {
        Device::Pcm(pcm) => {
            let written = device.programming_deviation(large).powi(2);
            let rest = device.programming_deviation(0.0);
            let rest_square = rest * rest / 2.0;
            let all = pcm.spectrum().variance_after(0, end + pcm.t_0);
            let pedestals = [large, 0.0].map(|g| (pedestal * pcm.flicker(g)).powi(2)).iter().sum::<f64>();
            let fluctuation = (large * pcm.flicker(large)).powi(2) + rest_square * pcm.flicker(rest).powi(2) + pedestals;
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
            let disturbed = (pedestal * (left(mean, end) - left(mean_at_rest, end))).abs() + share * (large + held(rest));
            let apart = [(mean, deviation), (mean_at_rest, deviation_at_rest)]
                .map(|(mean, deviation)| (pedestal * deviation * pcm.log_age(end) * left(mean, end)).powi(2));
            Moments {
                offset: held(rest) + large * behind,
                fixed: written + rest_square + fluctuation * all + (gain * large * spread(horizon.age)).powi(2),
                noise: fluctuation * all,
                drift: large * moved + disturbed,
                // means of two times fluctuate as much as single reads where the noise is slower than either
                spread: (gain * large * (spread(end) - spread(horizon.age))).powi(2)
                    + apart.iter().sum::<f64>()
                    + 2.0 * gain * gain * fluctuation * all,
            }
        }
        Device::Reram(wan) => {
            let deviation = |g: f64| wan.deviation(g, horizon.age);
            let gained = |g: f64| (wan.deviation(g, end).powi(2) - wan.deviation(g, horizon.age.max(1.0)).powi(2)).max(0.0);
            // reads move what was aimed at: what has spread from there is that of the new place, for the same draws
            let to = |g: f64| (1.0 - share) * g + pedestal;
            let moved = |g: f64| (wan.deviation(to(g), 1.0) - wan.deviation(g, 1.0)).powi(2);
            let spread = |g: f64| gained(g).max(gained(to(g))) + moved(g);
            Moments {
                offset: held(deviation(0.0)),
                fixed: deviation(large).powi(2) + deviation(0.0).powi(2) / 2.0,
                noise: 2.0 * device.white().powi(2),
                drift: (held(wan.deviation(0.0, end)) - held(deviation(0.0))).abs()
                    + if share > 0.0 { share * large + held(deviation(0.0)) } else { 0.0 },
                spread: spread(large) + spread(0.0),
            }
        }
    }
}
