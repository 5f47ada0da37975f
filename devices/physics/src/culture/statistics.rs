//! What is said about spike trains: rates, irregularity, bursts, rhythm.

use std::f64::consts::PI;

/// Mean and variance of numbers, the variance over `n`; nought for none.
#[must_use]
pub fn moments(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    (mean, numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

/// The spikes of many trains, as they come: totals a tick, and intervals between the spikes of each train.
#[derive(Debug, Clone)]
pub struct Trains {
    last: Vec<Option<u64>>,
    /// How often each train fired.
    pub spikes: Vec<u64>,
    /// Intervals between successive spikes of one train, of all trains together, in ticks.
    pub intervals: Vec<f64>,
    /// How many fired in each tick.
    pub totals: Vec<f64>,
}

impl Trains {
    /// So many trains without spikes.
    #[must_use]
    pub fn new(trains: usize) -> Self {
        Self { last: vec![None; trains], spikes: vec![0; trains], intervals: Vec::new(), totals: Vec::new() }
    }

    /// Takes in a tick: which trains fired.
    ///
    /// # Panics
    /// If there is no such train.
    pub fn add(&mut self, fired: impl IntoIterator<Item = usize>) {
        let (now, mut count) = (self.totals.len() as u64, 0.0);
        for train in fired {
            if let Some(last) = self.last[train].replace(now) {
                self.intervals.push((now - last) as f64);
            }
            self.spikes[train] += 1;
            count += 1.0;
        }
        self.totals.push(count);
    }

    /// Spikes a tick of the mean train of a range.
    #[must_use]
    pub fn rate(&self, trains: std::ops::Range<usize>) -> f64 {
        let among = trains.len() as f64 * self.totals.len() as f64;
        self.spikes[trains].iter().sum::<u64>() as f64 / among
    }

    /// The coefficient of variation of all intervals together.
    #[must_use]
    pub fn variation(&self) -> f64 {
        let (mean, variance) = moments(&self.intervals);
        variance.sqrt() / mean
    }

    /// The Fano factor of the totals in bins of so many ticks: variance over mean.
    #[must_use]
    pub fn fano(&self, bin: usize) -> f64 {
        let counts: Vec<f64> = self.totals.chunks_exact(bin.max(1)).map(|c| c.iter().sum()).collect();
        let (mean, variance) = moments(&counts);
        variance / mean
    }

    /// The share of ticks in bursts: bins of so many ticks in which more than `most` of the trains' spikes fall.
    #[must_use]
    pub fn bursting(&self, bin: usize, most: f64) -> f64 {
        let bins = self.totals.chunks_exact(bin.max(1));
        let all = bins.len().max(1) as f64;
        bins.filter(|c| c.iter().sum::<f64>() > most).count() as f64 / all
    }
}

/// The power spectrum of a signal by Welch's method: Hann windows of `segment` samples that overlap by half, each without its mean.
///
/// Gives the power of frequency `k / segment` cycles a sample at place `k`, for `k` up to `highest`; up to a factor. Empty if the signal is
/// shorter than a segment.
///
/// Source: Welch 1967, IEEE Transactions on Audio and Electroacoustics 15(2), 70.
#[must_use]
pub fn spectrum(signal: &[f64], segment: usize, highest: usize) -> Vec<f64> {
    let hop = (segment / 2).max(1);
    let window: Vec<f64> = (0..segment).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / segment as f64).cos()).collect();
    let turns: Vec<[f64; 2]> = (0..segment).map(|i| (2.0 * PI * i as f64 / segment as f64).sin_cos().into()).collect();
    let mut power = Vec::new();
    for start in (0..).step_by(hop).take_while(|start| start + segment <= signal.len()) {
        let part = &signal[start..start + segment];
        let (mean, _) = moments(part);
        let part: Vec<f64> = part.iter().zip(&window).map(|(x, w)| (x - mean) * w).collect();
        power.resize(highest + 1, 0.0);
        for (k, sum) in power.iter_mut().enumerate() {
            let (mut re, mut im, mut at) = (0.0, 0.0, 0);
            for x in &part {
                let [sin, cos] = turns[at];
                (re, im, at) = (re + x * cos, im - x * sin, (at + k) % segment);
            }
            *sum += re * re + im * im;
        }
    }
    power
}

/// The place of the largest of a range of numbers.
///
/// # Panics
/// If the range goes beyond them.
#[must_use]
pub fn peak(numbers: &[f64], range: std::ops::RangeInclusive<usize>) -> usize {
    let first = *range.start();
    numbers[range].iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(first, |(i, _)| first + i)
}
