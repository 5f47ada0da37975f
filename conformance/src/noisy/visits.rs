//! Visits: a medium that runs on is brought to a stimulus again and again, and each time looked at for a while.
//!
//! Samples of a visit depend on each other as the medium remembers, but a washout lies between two visits: their means, and their mean squares, are
//! independent, and the tests count visits and not ticks.

use super::{AGAIN, PASS, POWER};
use crate::record::Evidence;
use crate::statistics::equivalence::{self, FEWEST};
use crate::statistics::series::moments;
use crate::statistics::spread::RESOLUTION;
use isoform_core::medium::Medium;

/// The most visits of a stimulus in a stage: what scatters by four margins from visit to visit takes 413.
const MOST: usize = 512;

/// What was seen on visits, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visits {
    /// The stimulus of each.
    stimulus: Vec<f64>,
    /// The mean of each output, `[visit, output]`.
    mean: Vec<f64>,
    /// The standard deviation of the samples of each output about that mean.
    deviation: Vec<f64>,
    outputs: usize,
}

impl Visits {
    /// None yet, of so many outputs.
    pub(crate) fn of(outputs: usize) -> Self {
        Self { outputs, ..Self::default() }
    }

    /// Adds a visit whose samples are rows of so many channels, of which some are outputs that are looked at.
    pub(crate) fn add(&mut self, stimulus: usize, rows: &[f32], width: usize, looked_at: &[usize]) {
        self.stimulus.push(stimulus as f64);
        for &channel in looked_at {
            let own: Vec<f64> = rows.iter().skip(channel).step_by(width.max(1)).map(|&v| f64::from(v)).collect();
            let (mean, _) = moments(&own);
            let squares = own.iter().map(|v| beyond_rounding(v - mean, mean)).map(|off| off * off).sum::<f64>();
            self.mean.push(mean);
            self.deviation.push((squares / own.len().max(1) as f64).sqrt());
        }
    }

    /// Visits that were made.
    pub(crate) fn count(&self) -> usize {
        self.stimulus.len()
    }

    /// The means of an output on the visits of a stimulus, and the mean squares of its samples about the mean of all of them.
    pub(crate) fn values(&self, stimulus: usize, output: usize) -> [Vec<f64>; 2] {
        let is = |visit: &usize| self.stimulus[*visit].to_bits() == (stimulus as f64).to_bits();
        let at = |visit: usize| visit * self.outputs + output;
        let own: Vec<usize> = (0..self.count()).filter(is).map(at).collect();
        let means: Vec<f64> = own.iter().map(|&at| self.mean[at]).collect();
        let (grand, scatter) = moments(&means);
        // what the mean of the visits took away is given back
        let taken = beyond_rounding(scatter, grand).powi(2) / own.len().max(1) as f64;
        let square = |&at: &usize| self.deviation[at].powi(2) + beyond_rounding(self.mean[at] - grand, grand).powi(2) + taken;
        let squares = own.iter().map(square).collect();
        [means, squares]
    }

    /// Visits of a stimulus that a stage has, for the scatter that the noisiest output showed here under any stimulus. What no number of visits decides
    /// is not waited for.
    pub(crate) fn planned(&self, stimuli: usize, medium: &Medium) -> usize {
        let each = |stimulus: usize| (0..self.outputs).map(move |output| (stimulus, output));
        let need = |(stimulus, output)| {
            let [means, squares] = self.values(stimulus, output);
            let ((_, scatter), (square, of_squares)) = (moments(&means), moments(&squares));
            // the scatter of squares grows with them, and what is beyond what is declared needs no resolution
            let declared = medium.noise * medium.noise;
            let relative = if square > declared { of_squares / square } else { of_squares / declared };
            let for_noise = needed(RESOLUTION * RESOLUTION - 1.0, if relative.is_finite() { relative } else { 0.0 });
            Some(needed(medium.margin, scatter)?.max(for_noise?)).filter(|n| *n <= MOST)
        };
        (0..stimuli).flat_map(each).filter_map(need).fold(FEWEST, usize::max)
    }

    /// The same of a second stage after this one, of so many visits of a stimulus.
    pub(crate) fn planned_again(&self, stimuli: usize, visits: usize, medium: &Medium) -> usize {
        self.planned(stimuli, medium).max(visits).saturating_mul(AGAIN)
    }

    /// Keeps them under a name, in the unit of the outputs.
    pub(crate) fn keep(self, evidence: &mut Evidence, name: &str, unit: &str) {
        let shape = [self.count(), self.outputs];
        evidence.keep(&format!("{name}/stimulus"), "1", &shape[..1], self.stimulus);
        evidence.keep(&format!("{name}/mean"), unit, &shape, self.mean);
        evidence.keep(&format!("{name}/deviation"), unit, &shape, self.deviation);
    }

    /// Those of so many outputs that were kept under a name, if they are there and hold numbers.
    pub(crate) fn kept(evidence: &Evidence, name: &str, outputs: usize) -> Option<Self> {
        let part = |what: &str| evidence.sample(&format!("{name}/{what}")).map(|part| part.values.clone());
        let (stimulus, mean, deviation) = (part("stimulus")?, part("mean")?, part("deviation")?);
        // evidence may come from a file: what is no number compares with nothing, and would pass for no deviation
        let fits = |part: &[f64]| Some(part.len()) == stimulus.len().checked_mul(outputs) && part.iter().all(|v| v.is_finite());
        (fits(&mean) && fits(&deviation)).then_some(Self { stimulus, mean, deviation, outputs })
    }
}

/// A deviation, unless single precision rounds it off beside a mean.
fn beyond_rounding(off: f64, mean: f64) -> f64 {
    if off.abs() <= mean.abs() * f64::from(f32::EPSILON) { 0.0 } else { off }
}

/// Visits that find a mean of nought within a margin.
fn needed(margin: f64, scatter: f64) -> Option<usize> {
    if scatter > 0.0 { equivalence::samples(margin / scatter, PASS, POWER).map(|n| n.max(FEWEST)) } else { Some(FEWEST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits of one stimulus whose samples are one above and one below means that are `scatter` above and below four.
    fn visits(count: usize, scatter: f32) -> Visits {
        let mut visits = Visits::of(1);
        for visit in 0..count {
            let mean = if visit % 2 == 0 { 4.0 + scatter } else { 4.0 - scatter };
            visits.add(0, &[9.0, mean + 1.0, 9.0, mean - 1.0], 2, &[1]);
        }
        visits
    }

    #[test]
    fn squares_are_those_about_the_mean_of_all_visits() {
        let [means, squares] = visits(16, 0.5).values(0, 0);
        assert_eq!(means[..2], [4.5, 3.5]);
        // one of the samples, a quarter of the visits, and the sixteenth part of their variance
        let wanted = 1.25 + 0.25 * 16.0 / 15.0 / 16.0;
        assert!(squares.iter().all(|s| (s - wanted).abs() < 1e-12), "{squares:?}");
    }

    #[test]
    fn what_scatters_takes_visits() {
        let of = |scatter: f32, margin: f64| visits(16, scatter).planned(1, &Medium::new(margin, 1.0));
        assert_eq!(of(0.0, 0.1), FEWEST);
        let [some, more] = [1.0, 0.25].map(|margin| of(0.5, margin));
        assert!(some < more && more < MOST, "{some} {more}");
        assert_eq!(visits(16, 0.5).planned_again(1, 20, &Medium::new(0.25, 1.0)), AGAIN * more);
        // hopeless
        assert_eq!(of(0.5, 0.05), FEWEST);
    }

    #[test]
    fn what_single_precision_rounds_off_is_no_noise() {
        let mut visits = Visits::of(1);
        for mean in [263_000.0_f32, 263_000.03] {
            visits.add(0, &[mean, mean.next_up()], 1, &[0]);
        }
        assert_eq!(visits.values(0, 0)[1], [0.0, 0.0]);
    }
}
