//! Quantiles with intervals that assume no distribution.

/// A quantile and its interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// A quantile by order statistics: the ranks of the ends are `np ± 1.96 √(np(1-p))` (Conover 1999, section 3.2). None if the upper
/// end lies beyond the samples.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks between nought and the count")]
pub(crate) fn quantile(samples: &[f64], p: f64) -> Option<Interval> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let (middle, spread) = (n * p, 1.96 * (n * p * (1.0 - p)).sqrt());
    let at = |rank: f64| sorted.get(rank as usize).copied();
    Some(Interval { value: at(middle)?, low: at((middle - spread).floor().max(0.0))?, high: at((middle + spread).ceil())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_hundred_lies_between_the_fortieth_and_the_sixtieth() {
        let samples: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(quantile(&samples, 0.5), Some(Interval { value: 50.0, low: 40.0, high: 60.0 }));
    }

    #[test]
    fn a_percentile_beyond_the_samples_is_not_guessed() {
        assert_eq!(quantile(&[1.0; 50], 0.99), None);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
