//! Does a culture respond? Spikes after a stimulus against spikes after a sham, by permutation.
//!
//! Trials are stimulated or not by a drawn order. After each, spikes of all channels are counted in bins between 5 and 50 ms: what comes earlier
//! is the stimulated neurons themselves. The statistic is `Σ (mean difference)² / variance` over the bins; its distribution where nothing
//! responds is that under other labels of the same trials, so that no form of it is assumed. With `b` of `B` permutations at least as far apart,
//! `p = (1 + b) / (1 + B)`.
//!
//! Source of the p-value: Phipson and Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9(1), 39.

use super::statistics::moments;
use isoform_core::draw::Key;
use std::cmp::Ordering;

/// The first tick after a stimulus that counts.
pub const FROM: usize = 5;
/// The first tick after a stimulus that no longer counts.
pub const TO: usize = 50;
/// Ticks of a bin.
pub const BIN: usize = 5;
/// Bins of a trial.
pub const BINS: usize = (TO - FROM) / BIN;

/// Spikes of all channels in each bin after a stimulus or a sham.
pub type Histogram = [f64; BINS];

/// The numbers of the draws.
const ORDER: u32 = 0;
const LABELS: u32 = 1;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Mean spikes in each bin after a stimulus.
    pub evoked: Histogram,
    /// Mean spikes in each bin after a sham.
    pub sham: Histogram,
    /// How far the two are apart.
    pub statistic: f64,
    /// The chance of such a statistic if nothing responds.
    pub p: f64,
}

/// Which of so many trials are stimulated: half of them, in an order drawn from the seed.
#[must_use]
pub fn order(trials: usize, seed: u64) -> Vec<bool> {
    let mut stimulated: Vec<bool> = (0..trials).map(|i| i % 2 == 0).collect();
    shuffle(&mut stimulated, Key::new(seed, ORDER), 0);
    stimulated
}

/// Counts the spikes of a trial, given those of each tick from the stimulus on. Ticks that are missing count as silent.
#[must_use]
pub fn histogram(totals: &[f64]) -> Histogram {
    let mut bins = [0.0; BINS];
    for (i, bin) in bins.iter_mut().enumerate() {
        *bin = totals.iter().skip(FROM + i * BIN).take(BIN).sum();
    }
    bins
}

/// Compares trials that were stimulated with those that were not, over so many permutations.
///
/// Without trials of both kinds, or without any variance, `p` is one.
#[must_use]
pub fn respond(trials: &[(bool, Histogram)], permutations: u32, seed: u64) -> Response {
    let (mut labels, bins): (Vec<bool>, Vec<Histogram>) = trials.iter().copied().unzip();
    let weights: Histogram = std::array::from_fn(|i| {
        let (_, variance) = moments(&bins.iter().map(|b| b[i]).collect::<Vec<f64>>());
        if variance > 0.0 { 1.0 / variance } else { 0.0 }
    });
    let (evoked, sham) = means(&labels, &bins);
    let statistic = distance(&evoked, &sham, &weights);
    let key = Key::new(seed, LABELS);
    // equal sums in another order may differ in the last digits
    let (limit, mut as_far) = (statistic * (1.0 - 1e-9), 0);
    for permutation in 0..permutations {
        shuffle(&mut labels, key, u64::from(permutation));
        let (a, b) = means(&labels, &bins);
        let is_nearer = distance(&a, &b, &weights).partial_cmp(&limit) == Some(Ordering::Less);
        as_far += u32::from(!is_nearer);
    }
    Response { evoked, sham, statistic, p: f64::from(1 + as_far) / (1.0 + f64::from(permutations)) }
}

fn means(labels: &[bool], bins: &[Histogram]) -> (Histogram, Histogram) {
    let mut sums = [[0.0; BINS]; 2];
    let mut counts = [0.0; 2];
    for (&label, row) in labels.iter().zip(bins) {
        let to = usize::from(!label);
        counts[to] += 1.0;
        sums[to].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    (sums[0].map(|x| x / counts[0]), sums[1].map(|x| x / counts[1]))
}

fn distance(a: &Histogram, b: &Histogram, weights: &Histogram) -> f64 {
    a.iter().zip(b).zip(weights).map(|((a, b), w)| w * (a - b).powi(2)).sum()
}

/// Fisher and Yates's shuffle.
#[expect(clippy::cast_possible_truncation, reason = "a place among the labels")]
fn shuffle(labels: &mut [bool], key: Key, round: u64) {
    for last in (1..labels.len()).rev() {
        let drawn = u64::from(key.bits(last as u32, 0, round));
        labels.swap(last, ((drawn * (last as u64 + 1)) >> 32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::normal;

    /// Forty trials of noise, the stimulated ones so much higher in one bin.
    fn trials(seed: u64, effect: f64) -> Vec<(bool, Histogram)> {
        let key = Key::new(seed, 9);
        let order = order(40, seed);
        let draw = |trial: usize, bin: usize| 10.0 + f64::from(normal(key.bits(bin as u32, 0, trial as u64)));
        let row = |(trial, &on): (usize, &bool)| {
            (on, std::array::from_fn(|bin| draw(trial, bin) + if on && bin == 3 { effect } else { 0.0 }))
        };
        order.iter().enumerate().map(row).collect()
    }

    #[test]
    fn half_of_the_trials_are_stimulated() {
        let order = order(40, 5);
        assert_eq!(order.iter().filter(|&&on| on).count(), 20);
        assert_ne!(order, super::order(40, 6));
    }

    #[test]
    fn bins_begin_five_ticks_after_the_stimulus() {
        let totals: Vec<f64> = (0..60).map(f64::from).collect();
        assert_eq!(histogram(&totals)[..2], [35.0, 60.0]);
        assert_eq!(histogram(&totals)[8], 235.0);
        assert_eq!(histogram(&[]), [0.0; BINS]);
    }

    #[test]
    fn an_effect_is_found() {
        let found = respond(&trials(1, 4.0), 999, 1);
        assert_eq!(found.p, 0.001);
        assert!(found.evoked[3] - found.sham[3] > 1.0);
    }

    #[test]
    fn nothing_is_found_in_noise_more_often_than_stated() {
        // of 400, 20 are expected below 0.05, with a standard deviation of 4.4
        let below = (0..400).filter(|&seed| respond(&trials(seed, 0.0), 199, seed).p <= 0.05).count();
        assert!((3..=37).contains(&below), "{below}");
    }

    #[test]
    fn without_both_kinds_there_is_no_response() {
        assert_eq!(respond(&[], 99, 0).p, 1.0);
        assert_eq!(respond(&[(true, [1.0; BINS]); 4], 99, 0).p, 1.0);
        assert_eq!(respond(&[(true, [1.0; BINS]), (false, [1.0; BINS])], 99, 0).p, 1.0);
    }
}
