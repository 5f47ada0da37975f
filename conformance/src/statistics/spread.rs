//! Whether a spread is no more than was declared.
//!
//! The squares of deviations are a series of their own, whose mean is the variance. Means of batches of them are nearly independent and
//! normal, whatever the distribution and the correlations of the samples, so that their t-interval holds where that of the χ² distribution
//! does not: on heavy tails it is up to sixty times too narrow (Bonett 2006, Comput. Stat. Data Anal. 50, 775).

use super::equivalence::{Location, batches, quantile_t};
use super::series::{moments, tau};
use serde::{Deserialize, Serialize};

/// How much more than declared a spread may turn out to be within the resolution of a test.
pub const RESOLUTION: f64 = 1.25;

/// A standard deviation with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The standard deviation.
    pub deviation: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

impl Spread {
    /// The standard deviation about the mean of each part of a record, one-sided at the level `alpha` on either side. Without room for the
    /// fewest batches it is known to be no more than the largest deviation of a sample, and that is all.
    #[must_use]
    pub fn of(parts: &[&[f64]], alpha: f64) -> Self {
        let squares: Vec<f64> = parts
            .iter()
            .flat_map(|part| {
                let (mean, _) = moments(part);
                // what the mean took away is given back
                let scale = part.len() as f64 / (part.len() as f64 - 1.0).max(1.0);
                part.iter().map(move |v| scale * (v - mean) * (v - mean))
            })
            .collect();
        let judged = batches(&squares, tau(&squares)).and_then(|batches| Self::of_squares(&batches, alpha));
        let largest = squares.iter().copied().fold(0.0, f64::max);
        judged.unwrap_or_else(|| Self { deviation: root(moments(&squares).0), low: 0.0, high: root(largest) })
    }

    /// The same of mean squares that are independent; none if there are too few. Squares lean to the right, whose interval lies too low rather than too
    /// high: what is quiet is not taken for loud.
    #[must_use]
    pub fn of_squares(squares: &[f64], alpha: f64) -> Option<Self> {
        let (variance, scatter) = moments(squares);
        let n = squares.len() as f64;
        let half = quantile_t(1.0 - alpha, n - 1.0)? * scatter / n.sqrt();
        Some(Self { deviation: root(variance), low: root(variance - half), high: root(variance + half) })
    }

    /// Where it lies beside what was declared.
    #[must_use]
    pub fn beside(&self, declared: f64) -> Location {
        if self.low > declared {
            Location::Outside
        } else if self.high <= declared * RESOLUTION {
            Location::Inside
        } else {
            Location::Open
        }
    }
}

fn root(v: f64) -> f64 {
    v.max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::Key;

    fn normal(seed: u64, count: usize, deviation: f64) -> Vec<f64> {
        let mut draws = vec![0.0; count];
        Key::new(seed, 4).fill_normal(0, 0, 0, &mut draws);
        draws.into_iter().map(|d| deviation * f64::from(d)).collect()
    }

    #[test]
    fn a_spread_is_inside_outside_or_open() {
        let of = |deviation: f64, count: usize| Spread::of(&[&normal(1, count, deviation)], 1e-3).beside(1.0);
        assert_eq!(of(1.0, 20_000), Location::Inside);
        assert_eq!(of(0.5, 2_000), Location::Inside);
        assert_eq!(of(1.5, 20_000), Location::Outside);
        assert_eq!(of(1.2, 160), Location::Open);
        // too few for an interval: no more than the largest, which is above two deviations
        assert_eq!(of(1.0, 20), Location::Open);
        assert_eq!(of(0.3, 20), Location::Inside);
    }

    #[test]
    fn a_constant_has_no_spread_beside_none_that_is_declared() {
        // neither its digits nor how many there are matter
        for v in [0.1, -0.3, 2.0 / 3.0] {
            let part = [v; 1000];
            let spread = Spread::of(&[&part, &part], 1e-3);
            assert_eq!((spread.deviation, spread.low, spread.high), (0.0, 0.0, 0.0), "{v}");
            assert_eq!(spread.beside(0.0), Location::Inside);
        }
    }

    #[test]
    fn means_of_parts_do_not_count_as_spread() {
        let parts: Vec<Vec<f64>> = (0..8).map(|k| normal(k, 1000, 0.1).into_iter().map(|v| v + k as f64).collect()).collect();
        let parts: Vec<&[f64]> = parts.iter().map(Vec::as_slice).collect();
        let spread = Spread::of(&parts, 1e-3);
        assert!((spread.deviation - 0.1).abs() < 0.005, "{spread:?}");
    }

    #[test]
    fn heavy_tails_keep_the_level() {
        const ALPHA: f64 = 0.01;
        // Laplace noise of unit deviation: a double exponential
        let laplace = |seed: u64| -> Vec<f64> {
            let key = Key::new(seed, 5);
            (0..2000)
                .map(|tick| {
                    let u = f64::from(isoform_core::draw::uniform(key.bits(0, 0, tick))) - 0.5;
                    -u.signum() * (1.0 - 2.0 * u.abs()).max(1e-12).ln() / 2.0_f64.sqrt()
                })
                .collect()
        };
        let runs = 2000;
        let outside = (0..runs).filter(|&run| Spread::of(&[&laplace(run)], ALPHA).beside(1.0) == Location::Outside);
        let rate = outside.count() as f64 / runs as f64;
        eprintln!("level {ALPHA}: outside {rate:.4}");
        assert!(rate < ALPHA + 4.0 * (ALPHA / runs as f64).sqrt(), "{rate}");
    }
}
