//! Distances between trains of spikes.

/// The ticks in which a channel of a block `[tick, channel]` fired.
pub(crate) fn train(values: &[f64], channels: usize, channel: usize) -> Vec<usize> {
    values.iter().skip(channel).step_by(channels.max(1)).enumerate().filter(|(_, v)| **v != 0.0).map(|(tick, _)| tick).collect()
}

/// The times of spikes, moved by some ticks.
pub(crate) fn times(train: &[usize], shift: i64, dt: f64) -> Vec<f64> {
    train.iter().map(|&t| (t as i64 + shift) as f64 * dt).collect()
}

/// By how many ticks the first trains follow the second: the shift, nought first, at which most spikes coincide.
pub(crate) fn latency(ours: &[Vec<usize>], theirs: &[Vec<usize>], reach: i64) -> i64 {
    let coincidences = |shift: i64| -> usize {
        let one = |(a, b): (&Vec<usize>, &Vec<usize>)| {
            a.iter().filter(|&&t| usize::try_from(t as i64 - shift).is_ok_and(|t| b.binary_search(&t).is_ok())).count()
        };
        ours.iter().zip(theirs).map(one).sum()
    };
    let mut best = (0, coincidences(0));
    for shift in (1..=reach).flat_map(|s| [s, -s]) {
        let found = coincidences(shift);
        if found > best.1 {
            best = (shift, found);
        }
    }
    best.0
}

/// The least cost of turning one train into the other: one for a spike that comes or goes, `cost` per second that one is moved.
///
/// Source: Victor and Purpura 1996, J. Neurophysiol. 76, 1310.
pub(crate) fn victor_purpura(a: &[f64], b: &[f64], cost: f64) -> f64 {
    let mut row: Vec<f64> = (0..=b.len()).map(|j| j as f64).collect();
    for (i, &t) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) as f64;
        for (j, &u) in b.iter().enumerate() {
            let moved = diagonal + cost * (t - u).abs();
            diagonal = row[j + 1];
            row[j + 1] = moved.min(row[j] + 1.0).min(row[j + 1] + 1.0);
        }
    }
    row[b.len()]
}

/// The distance of the trains, each filtered by an exponential of time constant `tau`; one spike that comes or goes is one half.
///
/// Source: van Rossum 2001, Neural Comput. 13, 751; the integral over pairs of spikes is in closed form.
pub(crate) fn van_rossum(a: &[f64], b: &[f64], tau: f64) -> f64 {
    let overlap =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().flat_map(|t| b.iter().map(move |u| (-(t - u).abs() / tau).exp())).sum() };
    (0.5 * (overlap(a, a) + overlap(b, b) - 2.0 * overlap(a, b))).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spike_more_costs_one_and_half() {
        assert_eq!(victor_purpura(&[0.1, 0.2], &[0.1], 100.0), 1.0);
        assert_eq!(van_rossum(&[0.1], &[], 5e-3), 0.5);
    }

    #[test]
    fn a_moved_spike_costs_its_way_or_two() {
        assert!((victor_purpura(&[0.100], &[0.102], 100.0) - 0.2).abs() < 1e-12);
        assert_eq!(victor_purpura(&[0.1], &[0.2], 100.0), 2.0);
    }

    #[test]
    fn a_late_train_is_seen_as_late() {
        let (b, a) = ([vec![3, 9, 14, 30]], [vec![5, 11, 16, 32]]);
        assert_eq!(latency(&a, &b, 8), 2);
        assert_eq!(latency(&b, &a, 8), -2);
        assert_eq!(latency(&b, &b, 8), 0);
    }

    #[test]
    fn trains_are_read_from_columns() {
        assert_eq!(train(&[0.0, 1.0, 1.0, 0.0, 0.0, 1.0], 2, 1), [0, 2]);
    }
}
