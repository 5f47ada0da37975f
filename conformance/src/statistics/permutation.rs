//! Whether groups of trials come from one distribution: energy distance, judged by permutation.
//!
//! ```text
//! E(A, B) = 2 mean|a - b| - mean|a - a'| - mean|b - b'|         p = (1 + #{permuted ≥ observed}) / (1 + permutations)
//! ```
//! A trial is a point with a coordinate for each number of it, so that a difference in any way shows: in a mean, in a spread, or in a pattern.
//! The p-value is exact for exchangeable trials, whatever their distribution. Source: Székely and Rizzo 2013, *Energy statistics: a class of
//! statistics based on distances*, J. Stat. Plan. Inference 143, 1249; Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39 (the p-value).

use crate::chance::Chance;
use statrs::distribution::{ChiSquared, ContinuousCDF, Discrete, Poisson};

/// Permutations of a test; the least p-value is one in two thousand.
pub const PERMUTATIONS: usize = 1999;

/// The p-value of the hypothesis that all groups of trials come from one distribution. A trial is a row of `width` numbers. One where there
/// is nothing to tell apart.
#[must_use]
pub fn same(groups: &[&[f64]], width: usize, seed: u64) -> f64 {
    let labels: Vec<usize> = groups.iter().enumerate().flat_map(|(g, rows)| vec![g; rows.len() / width.max(1)]).collect();
    let rows: Vec<&[f64]> = groups.iter().flat_map(|rows| rows.chunks_exact(width.max(1))).collect();
    let n = rows.len();
    judge(&rows, labels, groups.len(), n, seed)
}

/// The same for trials that came in blocks, one of each group in random order: the first trials of all groups, then the second. Labels change places
/// within blocks alone, as they were dealt, so that the p-value is exact whatever wanders from block to block.
#[must_use]
pub fn same_in_blocks(groups: &[&[f64]], width: usize, seed: u64) -> f64 {
    let (width, k) = (width.max(1), groups.len());
    let blocks = groups.iter().map(|rows| rows.len() / width).min().unwrap_or(0);
    let rows: Vec<&[f64]> = (0..blocks).flat_map(|b| groups.iter().map(move |rows| &rows[b * width..(b + 1) * width])).collect();
    judge(&rows, (0..blocks * k).map(|i| i % k).collect(), k, k, seed)
}

/// The part of the trials with which the likelihood ratio would do, were there nothing but shifts of normal trials to find.
const EFFICIENCY: f64 = 0.8;

/// Terms of a non-central χ² whose noncentrality is 200 at most.
const TERMS: u32 = 200;

/// The least shift of one of several groups that the test finds at a level with a probability, in standard deviations of normal trials of which all
/// numbers move alike: that of the likelihood ratio, whose statistic is a non-central χ² with a degree of freedom for each group but one, beside
/// what this test is worth. `of` has the trials of the group, and of all.
#[must_use]
pub fn resolved(of: [usize; 2], groups: usize, level: f64, power: f64) -> Option<f64> {
    let [own, all] = of.map(|trials| trials as f64);
    let degrees = groups.checked_sub(1).filter(|degrees| *degrees > 0)? as f64;
    let critical = ChiSquared::new(degrees).ok()?.inverse_cdf(1.0 - level);
    let found = |noncentrality: f64| {
        let mixed = Poisson::new(noncentrality / 2.0).ok()?;
        let term = |j: u32| Some(mixed.pmf(u64::from(j)) * ChiSquared::new(degrees + 2.0 * f64::from(j)).ok()?.sf(critical));
        (0..TERMS).map(term).sum::<Option<f64>>()
    };
    // the probability grows with the noncentrality
    let (mut low, mut high) = (0.0, 200.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if found(middle)? < power { low = middle } else { high = middle }
    }
    (own > 0.0 && all > own).then(|| (high * all / (own * (all - own)) / EFFICIENCY).sqrt())
}

/// Shuffles labels within parts of so many trials, and counts how often groups are as far apart.
fn judge(rows: &[&[f64]], labels: Vec<usize>, k: usize, part: usize, seed: u64) -> f64 {
    let n = rows.len();
    if k < 2 || n < 2 {
        return 1.0;
    }
    let mut distance = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let d = rows[i].iter().zip(rows[j]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            distance[i * n + j] = d;
            distance[j * n + i] = d;
        }
    }
    let observed = within(&distance, &labels, k);
    let mut chance = Chance::new(seed, "permutation");
    let mut shuffled = labels;
    // sums of the same distances in another order differ in their last digits
    let slack = observed.abs() * 1e-12;
    let mut at_least = 0;
    for _ in 0..PERMUTATIONS {
        shuffled.chunks_mut(part).for_each(|part| chance.shuffle(part));
        at_least += usize::from(within(&distance, &shuffled, k) <= observed + slack);
    }
    (1 + at_least) as f64 / (1 + PERMUTATIONS) as f64
}

/// The mean distance within groups, each weighted by its size. All distances together are the same for every labelling, so that the energy
/// between groups is the larger the smaller this is.
fn within(distance: &[f64], labels: &[usize], groups: usize) -> f64 {
    let n = labels.len();
    let mut sums = vec![0.0; groups];
    let mut sizes = vec![0_usize; groups];
    for (i, &group) in labels.iter().enumerate() {
        sizes[group] += 1;
        let row = &distance[i * n..i * n + i];
        sums[group] += row.iter().zip(labels).map(|(d, &other)| if other == group { *d } else { 0.0 }).sum::<f64>();
    }
    sums.iter().zip(&sizes).map(|(sum, &size)| if size > 0 { 2.0 * sum / size as f64 } else { 0.0 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::Key;

    fn trials(seed: u64, count: usize, shift: f64, scale: f64) -> Vec<f64> {
        let mut draws = vec![0.0; count];
        Key::new(seed, 3).fill_normal(0, 0, 0, &mut draws);
        draws.into_iter().map(|d| shift + scale * f64::from(d)).collect()
    }

    #[test]
    fn groups_of_one_distribution_are_told_apart_as_often_as_the_level_says() {
        let below = (0..200).filter(|&run| {
            let groups: Vec<Vec<f64>> = (0..3).map(|g| trials(run * 3 + g, 20, 0.0, 1.0)).collect();
            let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
            same(&groups, 2, run) <= 0.1
        });
        let below = below.count();
        eprintln!("p at most 0.1 in {below} of 200");
        // four standard errors around twenty
        assert!((3..=37).contains(&below), "{below}");
    }

    #[test]
    fn a_shift_and_a_spread_are_both_seen() {
        let base = trials(1, 60, 0.0, 1.0);
        assert!(same(&[&base, &trials(2, 60, 1.5, 1.0)], 1, 0) <= 0.001);
        assert!(same(&[&base, &trials(3, 60, 0.0, 4.0)], 1, 0) <= 0.001);
        assert!(same(&[&base, &trials(4, 60, 0.0, 1.0)], 1, 0) > 0.01);
    }

    #[test]
    fn what_is_resolved_is_found_as_often_as_is_said() {
        const RUNS: u64 = 200;
        for (each, groups, level) in [(40, 2, 1e-3), (24, 5, 6e-3)] {
            let shift = resolved([each, each * groups], groups, level, 0.95).expect("a shift");
            let found = (0..RUNS).filter(|run| {
                let moved = |group: usize| if group + 1 == groups { shift } else { 0.0 };
                let all: Vec<Vec<f64>> =
                    (0..groups).map(|group| trials(run * 8 + group as u64, each, moved(group), 1.0)).collect();
                let all: Vec<&[f64]> = all.iter().map(Vec::as_slice).collect();
                same(&all, 1, *run) <= level
            });
            let found = found.count() as f64 / RUNS as f64;
            eprintln!(
                "{groups} groups of {each}, level {level}: {shift:.3} deviations, at least 0.95 expected, found {found:.3}"
            );
            // four standard errors below, and not so many that much less would be resolved
            assert!(found > 0.95 - 4.0 * (0.95 * 0.05 / RUNS as f64).sqrt() && found < 0.999, "{found}");
        }
    }

    #[test]
    fn more_trials_resolve_more() {
        let of = |trials: usize| resolved([trials, 2 * trials], 2, 1e-3, 0.95);
        // (z(0.9995) + z(0.95)) √(2 / 40) for the best test
        let best = (3.2905 + 1.6449) * (2.0_f64 / 40.0).sqrt();
        assert!(of(40).is_some_and(|shift| (shift * EFFICIENCY.sqrt() / best - 1.0).abs() < 1e-3));
        assert!(of(160) < of(40));
        assert_eq!([of(0), resolved([4, 4], 1, 1e-3, 0.95)], [None, None]);
    }

    #[test]
    fn what_cannot_differ_does_not() {
        assert_eq!(same(&[], 1, 0), 1.0);
        assert_eq!(same(&[&[1.0]], 1, 0), 1.0);
        assert_eq!(same(&[&[1.0; 8], &[1.0; 8]], 1, 0), 1.0);
    }
}
