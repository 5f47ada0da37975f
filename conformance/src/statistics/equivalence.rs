//! Whether a mean is within a margin: two one-sided t-tests on means of batches.
//!
//! The null hypothesis is that the substrate is *not* within the margin, so that little evidence never passes for agreement. The interval
//! `mean ± t_{α, n-1} s/√n` lies inside the margin (the law holds), outside it (the law is broken), or across an edge (more is needed).
//! Source: Schuirmann 1987, *A comparison of the two one-sided tests procedure and the power approach*, J. Pharmacokinet. Biopharm. 15, 657.
//!
//! **Batches.** A mean over ten autocorrelation times or more is nearly independent of the next one (Law and Kelton, *Simulation Modeling and
//! Analysis*, section 9.5.3). The test counts batches, not ticks.

use super::series::moments;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The least length of a batch in autocorrelation times.
const LENGTH: f64 = 10.0;
/// The fewest batches that a test takes.
pub const FEWEST: usize = 16;

/// Where the mean lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// Within the margin.
    Inside,
    /// Beyond it.
    Outside,
    /// That cannot be said of so few samples.
    Open,
}

/// A mean with its interval, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval.
    pub half: f64,
    /// Where it lies.
    pub location: Location,
}

/// Means of batches of at least ten autocorrelation times each, of equal length; none if there is no room for the fewest.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length between one and that of the record")]
pub fn batches(samples: &[f64], tau: f64) -> Option<Vec<f64>> {
    let least = (LENGTH * tau.max(1.0)).ceil();
    let fits = least * FEWEST as f64 <= samples.len() as f64;
    if !fits {
        return None;
    }
    // as many as there is room for; those that are left over at the end belong to none
    let count = samples.len() / least as usize;
    let length = samples.len() / count;
    Some(samples.chunks_exact(length).take(count).map(|batch| moments(batch).0).collect())
}

/// The two one-sided tests on independent values, each at the level `alpha`.
#[must_use]
pub fn test(values: &[f64], margin: f64, alpha: f64) -> Verdict {
    let (mean, deviation) = moments(values);
    let n = values.len() as f64;
    let half = match quantile_t(1.0 - alpha, n - 1.0) {
        Some(t) => t * deviation / n.sqrt(),
        None => f64::INFINITY,
    };
    placed(mean, half, margin)
}

/// The two one-sided tests on the difference of two means of independent values (Welch 1947, Biometrika 34, 28), each at the level `alpha`.
#[must_use]
pub fn test_pair(a: &[f64], b: &[f64], margin: f64, alpha: f64) -> Verdict {
    let ((mean_a, s_a), (mean_b, s_b)) = (moments(a), moments(b));
    let (n_a, n_b) = (a.len() as f64, b.len() as f64);
    let (v_a, v_b) = (s_a * s_a / n_a, s_b * s_b / n_b);
    let mean = mean_a - mean_b;
    let variance = v_a + v_b;
    let degrees = variance * variance / (v_a * v_a / (n_a - 1.0) + v_b * v_b / (n_b - 1.0));
    let half = match (a.len().min(b.len()) > 1, variance > 0.0) {
        (false, _) => f64::INFINITY,
        (true, false) => 0.0,
        (true, true) => quantile_t(1.0 - alpha, degrees).map_or(f64::INFINITY, |t| t * variance.sqrt()),
    };
    placed(mean, half, margin)
}

fn placed(mean: f64, half: f64, margin: f64) -> Verdict {
    let location = if mean.abs() + half <= margin {
        Location::Inside
    } else if mean.abs() - half > margin {
        Location::Outside
    } else {
        Location::Open
    };
    Verdict { mean, half, location }
}

/// How many independent normal samples it takes to find a mean of nought inside a margin, given in standard deviations, with a probability.
/// None for what no number of samples up to a million does.
#[must_use]
pub fn samples(margin: f64, alpha: f64, power: f64) -> Option<usize> {
    const MOST: usize = 1 << 20;
    let enough = |n: usize| power_of(n, margin, alpha) >= power;
    let mut high = 4;
    while !enough(high) {
        high *= 2;
        if high > MOST {
            return None;
        }
    }
    let (mut low, mut high) = (high / 2, high);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The probability that `n` normal samples with a mean of nought are found inside a margin, given in standard deviations.
///
/// The mean and the deviation of normal samples are independent: the probability for a given deviation is averaged over its distribution,
/// that of `√(χ²/(n-1))`, by Simpson's rule.
#[must_use]
pub fn power_of(n: usize, margin: f64, alpha: f64) -> f64 {
    const STEPS: usize = 400;
    let degrees = n as f64 - 1.0;
    let (Some(t), Ok(normal)) = (quantile_t(1.0 - alpha, degrees), Normal::new(0.0, 1.0)) else { return 0.0 };
    let root = (n as f64).sqrt();
    // nine standard deviations of s/σ, which is nearly normal about one
    let reach = 9.0 / (2.0 * degrees).sqrt();
    let (low, high) = ((1.0 - reach).max(1e-9), 1.0 + reach);
    let step = (high - low) / STEPS as f64;
    // up to a constant that the sum of the weights takes out
    let density = |s: f64| (0.5 * degrees * (2.0 * s.ln() + 1.0 - s * s)).exp() / s;
    let inside = |s: f64| {
        let room = margin * root - t * s;
        if room > 0.0 { 2.0 * normal.cdf(room) - 1.0 } else { 0.0 }
    };
    let (mut total, mut weight) = (0.0, 0.0);
    for i in 0..=STEPS {
        let s = low + step * i as f64;
        let simpson = if i == 0 || i == STEPS { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 };
        total += simpson * density(s) * inside(s);
        weight += simpson * density(s);
    }
    total / weight
}

pub(crate) fn quantile_t(p: f64, degrees: f64) -> Option<f64> {
    StudentsT::new(0.0, 1.0, degrees).ok().map(|t| t.inverse_cdf(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::series::tau;
    use isoform_core::draw::Key;

    #[test]
    fn margins_of_fewer_deviations_take_more_samples() {
        // one look, and the level split over four looks
        let counts = |alpha: f64| [1.0, 0.5, 0.25].map(|margin| samples(margin, alpha, 0.95).expect("enough"));
        assert_eq!(counts(1e-3), [31, 107, 413]);
        assert_eq!(counts(1e-3 / 4.0), [36, 125, 480]);
        assert_eq!(samples(0.0, 1e-3, 0.95), None);
    }

    #[test]
    fn the_power_is_that_of_simulated_samples() {
        const RUNS: u64 = 20_000;
        let mut draws = vec![0.0; 31];
        let inside = (0..RUNS).filter(|&run| {
            Key::new(run, 6).fill_normal(0, 0, 0, &mut draws);
            let values: Vec<f64> = draws.iter().map(|&d| f64::from(d)).collect();
            test(&values, 1.0, 1e-3).location == Location::Inside
        });
        let found = inside.count() as f64 / RUNS as f64;
        let told = power_of(31, 1.0, 1e-3);
        eprintln!("power {told:.4}, found {found:.4}");
        assert!((found - told).abs() < 4.0 * (told * (1.0 - told) / RUNS as f64).sqrt(), "{found} is not {told}");
    }

    #[test]
    fn a_mean_is_inside_outside_or_open() {
        let about =
            |mean: f64, spread: f64| -> Vec<f64> { (0..64).map(|i| mean + spread * (f64::from(i % 2) * 2.0 - 1.0)).collect() };
        assert_eq!(test(&about(0.0, 0.1), 0.1, 1e-3).location, Location::Inside);
        assert_eq!(test(&about(-0.2, 0.1), 0.1, 1e-3).location, Location::Outside);
        assert_eq!(test(&about(0.09, 0.1), 0.1, 1e-3).location, Location::Open);
        assert_eq!(test(&[0.0], 0.1, 1e-3).location, Location::Open);
        assert_eq!(test(&[], 0.1, 1e-3).location, Location::Open);
    }

    #[test]
    fn a_record_without_room_for_batches_has_none() {
        assert_eq!(batches(&[0.0; 159], 1.0), None);
        assert_eq!(batches(&[0.0; 160], 1.0).map(|b| b.len()), Some(16));
        assert_eq!(batches(&[0.0; 1600], 9.0).map(|b| b.len()), Some(17));
        assert_eq!(batches(&[0.0; 100], f64::NAN), None);
    }

    /// The mean lies on the edge of the margin, where a test at the level α passes it as often as that. Noise with a time of its own must
    /// not make it pass more often.
    #[test]
    fn correlated_noise_keeps_the_level() {
        const ALPHA: f64 = 0.01;
        const RUNS: u32 = 4000;
        let mut passed = 0;
        for run in 0..RUNS {
            let mut draws = vec![0.0; 4000];
            Key::new(u64::from(run), 2).fill_normal(0, 0, 0, &mut draws);
            let mut v = 0.0;
            let record: Vec<f64> = draws
                .iter()
                .map(|&e| {
                    v = 0.8 * v + f64::from(e);
                    1.0 + v
                })
                .skip(200)
                .collect();
            let batches = batches(&record, tau(&record)).expect("room");
            passed += u32::from(test(&batches, 1.0, ALPHA).location == Location::Inside);
        }
        let rate = f64::from(passed) / f64::from(RUNS);
        eprintln!("level {ALPHA}: passed {rate:.4}");
        // four standard errors of a proportion above the level, and half the level again for batches of ten times that are not quite independent
        assert!(rate < 1.5 * ALPHA + 4.0 * (ALPHA / f64::from(RUNS)).sqrt(), "{rate}");
    }
}
