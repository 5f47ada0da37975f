//! What a record of successive samples is worth: its mean, its spread, and how many independent samples are in it.
//!
//! ```text
//! τ = 1 + 2 Σ_{k ≤ W} ρ_k        W the least lag of at least 5 τ(W)
//! ```
//! A mean over `n` samples has the variance of `n/τ` independent ones. Source: Sokal, *Monte Carlo methods in statistical mechanics*, in
//! *Functional Integration* (1997), section 3, with the window chosen by the record itself.
//!
//! **1/f noise has no τ.** Its correlations reach as far as the record does, and the estimate grows with it. A long record is called coloured
//! when its τ is much more than that of its parts, or when it is worth so few independent samples that τ has not been seen to end: no number
//! of such samples makes a mean settle.

/// How many times τ the window has to be.
const WINDOW: f64 = 5.0;
/// How many times τ a record has to be before its τ is believed.
const ENOUGH: f64 = 50.0;
/// In how many parts a record is cut to see whether its τ grows.
const PARTS: usize = 8;
/// The longest lag that is looked at before a record is halved.
const LAGS: usize = 64;
/// The share of a margin below which noise does not matter.
const SLIGHT: f64 = 1e-3;
/// The growth of τ from a part to the whole at which a record counts as coloured. τ of 1/f noise grows almost as the record does; that of a
/// believed record of an autoregressive process does not, up to the scatter of an eighth.
const GROWTH: f64 = 2.5;

/// Mean and spread of a record, and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    /// How many samples.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The integrated autocorrelation time in ticks, one where samples are independent.
    pub tau: f64,
    /// τ of the whole record over the mean of those of its eighths.
    pub growth: f64,
}

impl Series {
    /// Looks at a record.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        let (mean, deviation) = moments(samples);
        let tau = tau(samples);
        let parts: Vec<f64> = samples.chunks_exact((samples.len() / PARTS).max(1)).map(self::tau).collect();
        let part = parts.iter().sum::<f64>() / parts.len().max(1) as f64;
        let growth = if part > 0.0 { tau / part } else { 1.0 };
        Self { count: samples.len(), mean, deviation, tau, growth }
    }

    /// Whether the record is long enough for its τ to be believed.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.count as f64 >= ENOUGH * self.tau
    }

    /// Whether τ of each part is believed too, so that a longer record says nothing new of the colour.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.count as f64 >= PARTS as f64 * ENOUGH * self.tau
    }

    /// Whether its noise is like 1/f, so that means of it do not settle. It is asked of a settled record, or of one that is as long as it gets.
    #[must_use]
    pub fn is_coloured(&self) -> bool {
        self.growth > GROWTH || !self.is_enough()
    }

    /// Whether it hardly moves a mean beside a margin, whatever its colour.
    #[must_use]
    pub fn is_slight(&self, margin: f64) -> bool {
        self.deviation <= SLIGHT * margin
    }

    /// How many independent samples it is worth.
    #[must_use]
    pub fn effective(&self) -> f64 {
        self.count as f64 / self.tau
    }
}

/// Mean and standard deviation, the latter with one degree of freedom less; nought for less than two samples.
#[must_use]
pub fn moments(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let Some(first) = samples.first() else { return (0.0, 0.0) };
    // a sum of equal numbers rounds, one of noughts does not: what never changes has a spread of nought
    let above = samples.iter().map(|v| v - first).sum::<f64>() / n;
    let squares = samples.iter().map(|v| (v - first - above) * (v - first - above)).sum::<f64>();
    let mean = first + above;
    (mean, if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
}

/// The integrated autocorrelation time of a record in ticks: at least one, and one where the samples do not differ.
///
/// What remembers longer than sixty-four ticks is halved, each two samples to their mean, until it does not: that leaves `σ² τ`, the variance of a
/// mean, as it is, and takes a time in proportion to the record.
#[must_use]
pub fn tau(samples: &[f64]) -> f64 {
    let (mean, _) = moments(samples);
    let mut record: Vec<f64> = samples.iter().map(|v| v - mean).collect();
    let variance = if record.len() > 1 { covariance(&record, 0) } else { 0.0 };
    // what rounding leaves of a constant is no noise
    if variance <= (mean * mean + f64::MIN_POSITIVE) * 1e-28 {
        return 1.0;
    }
    let mut ticks = 1.0;
    loop {
        let own = covariance(&record, 0);
        let mut tau = 1.0;
        let most = if record.len() >= 4 * LAGS { LAGS } else { record.len() };
        let ends = (1..most).any(|lag| {
            tau += 2.0 * covariance(&record, lag) / own;
            lag as f64 >= WINDOW * tau
        });
        if ends || record.len() == most {
            return (ticks * tau * own / variance).max(1.0);
        }
        record = record.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        ticks *= 2.0;
    }
}

/// The covariance at a lag of a record whose mean is nought.
fn covariance(record: &[f64], lag: usize) -> f64 {
    // eight sums that do not wait for each other
    let (near, far) = (&record[..record.len() - lag], &record[lag..]);
    let mut sums = [0.0; 8];
    for (a, b) in near.chunks_exact(8).zip(far.chunks_exact(8)) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    let rest = near.len() / 8 * 8;
    let tail: f64 = near[rest..].iter().zip(&far[rest..]).map(|(a, b)| a * b).sum();
    (sums.iter().sum::<f64>() + tail) / record.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::Key;

    fn normal(seed: u64, count: usize) -> Vec<f64> {
        let mut draws = vec![0.0; count];
        Key::new(seed, 1).fill_normal(0, 0, 0, &mut draws);
        draws.into_iter().map(f64::from).collect()
    }

    /// An autoregressive process of unit variance, for which `τ = (1 + φ)/(1 - φ)`.
    fn autoregressive(seed: u64, phi: f64, count: usize) -> Vec<f64> {
        let mut v = normal(seed + 1000, 1)[0];
        let kick = (1.0 - phi * phi).sqrt();
        normal(seed, count)
            .into_iter()
            .map(|e| {
                v = phi * v + kick * e;
                v
            })
            .collect()
    }

    /// 1/f noise as a sum of autoregressive processes whose times are powers of two.
    fn flicker(seed: u64, count: usize) -> Vec<f64> {
        let octaves = (1..=16).map(|octave| autoregressive(seed * 100 + octave, (-(0.5_f64.powi(octave as i32))).exp(), count));
        octaves.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect()).expect("sixteen")
    }

    #[test]
    fn moments_are_those_of_the_textbook() {
        assert_eq!(moments(&[1.0, 2.0, 3.0, 4.0]), (2.5, (5.0_f64 / 3.0).sqrt()));
        assert_eq!((moments(&[3.0]), moments(&[])), ((3.0, 0.0), (0.0, 0.0)));
    }

    #[test]
    fn what_never_changes_has_no_spread() {
        // the sum of a thousand tenths is not a hundred
        for v in [0.1, -0.3, 2.0 / 3.0, 1e9 / 7.0] {
            assert_eq!(moments(&[v; 1000]), (v, 0.0));
        }
    }

    #[test]
    fn the_time_of_an_autoregressive_process_is_found() {
        for (phi, tau) in [(0.0, 1.0), (0.5, 3.0), (0.8, 9.0), (0.9, 19.0)] {
            let found: Vec<f64> = (0..20).map(|seed| Series::of(&autoregressive(seed, phi, 8000)).tau).collect();
            let (mean, deviation) = moments(&found);
            eprintln!("phi {phi}: tau {tau}, found {mean:.2} ± {:.2}", deviation / 20.0_f64.sqrt());
            // the window cuts off what is beyond it, a part in e^5 of the tail on both sides
            assert!((mean - tau).abs() < 4.0 * deviation / 20.0_f64.sqrt() + 0.05 * tau, "phi {phi}: {mean} is not {tau}");
        }
    }

    #[test]
    fn a_short_pilot_of_a_slow_process_is_not_believed() {
        let series = Series::of(&autoregressive(3, 0.995, 256));
        assert!(!series.is_enough(), "{series:?}");
        assert!(Series::of(&autoregressive(3, 0.5, 400)).is_enough());
    }

    #[test]
    fn flicker_is_told_from_noise_with_a_time() {
        let coloured = |make: &dyn Fn(u64) -> Vec<f64>| (0..20).filter(|&seed| Series::of(&make(seed)).is_coloured()).count();
        let white = coloured(&|seed| normal(seed, 12_800));
        let red = coloured(&|seed| autoregressive(seed, 0.9, 12_800));
        let pink = coloured(&|seed| flicker(seed, 12_800));
        eprintln!("coloured of 20: white {white}, autoregressive {red}, 1/f {pink}");
        assert_eq!((white, red), (0, 0));
        // now and then a record of 1/f noise looks as if it settled: the colour is declared, and the campaign tells how often a lie is found
        assert!(pink >= 15, "{pink} of 20");
    }

    #[test]
    fn what_does_not_move_is_one_sample_a_tick() {
        assert_eq!(tau(&[0.1; 100]), 1.0);
        assert_eq!(tau(&[]), 1.0);
    }
}
