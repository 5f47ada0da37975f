//! What follows a stimulus: spikes in bins after stimulated trials and after shams.
//!
//! Trials are stimulated or not by a drawn order. After each, spikes of all channels are counted in bins between 5 and 50 ms: what comes earlier
//! is the stimulated neurons themselves. Whether the two groups of trials come from one distribution is for a permutation test to say, such as that
//! of the conformance suite.

use isoform_core::draw::Key;

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

/// The number of the draws of an order.
const ORDER: u32 = 0;

/// Which of so many trials are stimulated: half of them, in an order drawn from the seed.
#[must_use]
pub fn order(trials: usize, seed: u64) -> Vec<bool> {
    let mut stimulated: Vec<bool> = (0..trials).map(|i| i % 2 == 0).collect();
    shuffle(&mut stimulated, Key::new(seed, ORDER));
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

/// The rows of the trials that were stimulated, and of those that were not.
#[must_use]
pub fn groups(trials: &[(bool, Histogram)]) -> [Vec<f64>; 2] {
    [true, false].map(|on| trials.iter().filter(|(stimulated, _)| *stimulated == on).flat_map(|(_, row)| *row).collect())
}

/// The mean of rows; noughts for none.
#[must_use]
pub fn mean(rows: &[f64]) -> Histogram {
    let rows = rows.as_chunks::<BINS>().0;
    std::array::from_fn(|bin| rows.iter().map(|row| row[bin]).sum::<f64>() / rows.len().max(1) as f64)
}

/// Fisher and Yates's shuffle.
#[expect(clippy::cast_possible_truncation, reason = "a place among the labels")]
fn shuffle(labels: &mut [bool], key: Key) {
    for last in (1..labels.len()).rev() {
        let drawn = u64::from(key.bits(last as u32, 0, 0));
        labels.swap(last, ((drawn * (last as u64 + 1)) >> 32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn trials_are_parted_by_their_stimulus() {
        let [on, off] = groups(&[(true, [1.0; BINS]), (false, [5.0; BINS]), (true, [3.0; BINS])]);
        assert_eq!((mean(&on), mean(&off), mean(&[])), ([2.0; BINS], [5.0; BINS], [0.0; BINS]));
    }
}
