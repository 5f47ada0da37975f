//! Rows of a record, and the values that are tested: means of batches, or differences of chopped cycles.

use super::{CHOP, Design, SETTLING, Stand};
use crate::record::Evidence;
use crate::statistics::equivalence::{self, FEWEST};
use crate::statistics::series::moments;
use std::collections::BTreeMap;

/// Successive rows of outputs and what the program says of them, with the number of the stimulus of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) seen: Vec<f64>,
    pub(crate) said: Vec<f64>,
    pub(crate) stimulus: Vec<f64>,
}

impl Rows {
    /// Keeps the rows under a name.
    pub(crate) fn keep(self, evidence: &mut Evidence, name: &str, stand: &Stand) {
        let (ticks, outputs) = (self.stimulus.len(), stand.outputs);
        evidence.keep(&format!("{name}/output"), &stand.unit, &[ticks, outputs], self.seen);
        evidence.keep(&format!("{name}/program"), &stand.unit, &[ticks, outputs], self.said);
        evidence.keep(&format!("{name}/stimulus"), "1", &[ticks], self.stimulus);
    }

    /// The rows that were kept under a name, if they are there and hold numbers.
    pub(crate) fn kept(evidence: &Evidence, name: &str) -> Option<(Self, usize)> {
        let part = |what: &str| evidence.sample(&format!("{name}/{what}"));
        let (seen, said, stimulus) = (part("output")?, part("program")?, part("stimulus")?);
        let fits = seen.shape == said.shape
            && seen.shape.first() == Some(&stimulus.values.len())
            && seen.values.len() == said.values.len();
        let &[_, outputs] = seen.shape.as_slice() else { return None };
        // evidence may come from a file: what is no number compares with nothing, and would pass for no deviation
        let finite = [seen, said].iter().all(|part| part.values.iter().all(|v| v.is_finite()));
        (fits && finite && seen.values.len() == outputs * stimulus.values.len())
            .then(|| (Self { seen: seen.values.clone(), said: said.values.clone(), stimulus: stimulus.values.clone() }, outputs))
    }

    /// The differences of one output, whatever the stimulus.
    pub(crate) fn differences(&self, outputs: usize, output: usize) -> Vec<f64> {
        let of = |values: &[f64]| values.iter().skip(output).step_by(outputs.max(1)).copied().collect::<Vec<_>>();
        // what single precision rounds off is no difference
        let differ = |(seen, said): (&f64, f64)| {
            let difference = seen - said;
            if difference.abs() <= said.abs() * f64::from(f32::EPSILON) { 0.0 } else { difference }
        };
        of(&self.seen).iter().zip(of(&self.said)).map(differ).collect()
    }

    /// What the program says of one output under a stimulus, in the mean.
    pub(crate) fn mean_said(&self, outputs: usize, output: usize, stimulus: usize) -> Option<f64> {
        let is = |tick: &usize| self.stimulus[*tick].to_bits() == (stimulus as f64).to_bits();
        let said: Vec<f64> = (0..self.stimulus.len()).filter(is).map(|t| self.said[t * outputs + output]).collect();
        (!said.is_empty()).then(|| moments(&said).0)
    }

    /// The differences of one output under a stimulus.
    pub(crate) fn under(&self, outputs: usize, output: usize, stimulus: usize) -> Vec<f64> {
        let all = self.differences(outputs, output).into_iter().zip(&self.stimulus);
        all.filter(|(_, own)| own.to_bits() == (stimulus as f64).to_bits()).map(|(difference, _)| difference).collect()
    }

    /// The mean difference of one output under a stimulus.
    pub(crate) fn mean_off(&self, outputs: usize, output: usize, stimulus: usize) -> Option<f64> {
        let own = self.under(outputs, output, stimulus);
        (!own.is_empty()).then(|| moments(&own).0)
    }

    /// What the outputs of a stage are measured in, the stage under such a name as [`kept`](Self::kept) takes.
    pub(crate) fn unit(evidence: &Evidence, name: &str) -> String {
        evidence.sample(&format!("{name}/output")).map_or_else(|| String::from("1"), |sample| sample.unit.clone())
    }

    /// Why nothing is judged whose rows [`kept`](Self::kept) does not give.
    pub(crate) fn missing(name: &str) -> String {
        format!("the records of {name} are missing, do not fit or hold what is no number")
    }

    /// The largest standard deviation that an output has about its mean under a stimulus.
    pub(crate) fn deviation(&self, outputs: usize) -> f64 {
        let of = |output: usize| {
            let mut by_stimulus: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
            for (difference, stimulus) in self.differences(outputs, output).into_iter().zip(&self.stimulus) {
                by_stimulus.entry(stimulus.to_bits()).or_default().push(difference);
            }
            by_stimulus.remove(&(SETTLING as f64).to_bits());
            by_stimulus.values().map(|own| moments(own).1).fold(0.0, f64::max)
        };
        (0..outputs).map(of).fold(0.0, f64::max)
    }

    /// Values of one output under a stimulus that are nearly independent, with what the design says of the noise.
    pub(crate) fn values(&self, outputs: usize, output: usize, stimulus: usize, design: &Design) -> Option<Vec<f64>> {
        if !design.coloured {
            return equivalence::batches(&self.under(outputs, output, stimulus), design.tau);
        }
        let all = self.differences(outputs, output);
        let is = |tick: usize| self.stimulus[tick].to_bits() == (stimulus as f64).to_bits();
        // cycles of the reference, the stimulus twice as long, and the reference, each at rest
        let (rest, cycle) = (design.rest, design.cycle());
        let mut values = Vec::new();
        let mut tick = rest;
        while let Some(next) = tick.checked_add(cycle).filter(|next| *next <= all.len()) {
            if is(tick + CHOP + rest) {
                let mean = |from: usize| moments(&all[tick + from..tick + from + CHOP]).0;
                let [before, one, two, after] = [0, CHOP + rest, 2 * CHOP + rest, 3 * CHOP + 2 * rest].map(mean);
                values.push((one + two - before - after) / 2.0);
            }
            tick = next;
        }
        (values.len() >= FEWEST).then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MOST, NEVER};
    use super::*;

    /// A chopped record whose reference is seven off and whose stimulus is nine off, and a hundred off wherever the program is not at rest.
    fn chopped(rest: usize) -> (Rows, Design) {
        let design = Design { tau: 1.0, sigma: 1.0, coloured: true, settled: true, ticks: 0, rest };
        let mut rows = Rows::default();
        let mut hold = |ticks: usize, stimulus: usize, off: f64| {
            rows.seen.extend(std::iter::repeat_n(off, ticks));
            rows.said.extend(std::iter::repeat_n(0.0, ticks));
            rows.stimulus.extend(std::iter::repeat_n(stimulus as f64, ticks));
        };
        hold(rest, SETTLING, 100.0);
        for _ in 0..FEWEST {
            for (ticks, stimulus, off) in
                [(CHOP, 0, 7.0), (rest, SETTLING, 100.0), (2 * CHOP, 1, 9.0), (rest, SETTLING, 100.0), (CHOP, 0, 7.0)]
            {
                hold(ticks, stimulus, off);
            }
        }
        (rows, design)
    }

    #[test]
    fn a_second_stage_is_planned_for_the_noise_that_the_first_met() {
        // silent under the reference, two units to either side under the stimulus, and anything on the way
        let off = |tick: usize| if tick.is_multiple_of(2) { 2.0 } else { -2.0 };
        let seen = (0..300).map(|t| [0.0, off(t), 1e9 * t as f64][t / 100]).collect();
        let stimulus = (0..300).map(|t| [0.0, 1.0, SETTLING as f64][t / 100]).collect();
        let rows = Rows { seen, said: vec![0.0; 300], stimulus };
        let found = rows.deviation(1);
        assert!((found - 2.0).abs() < 0.02, "{found}");
        let design = Design { tau: 1.0, sigma: 0.0, coloured: false, settled: true, ticks: 176, rest: 0 };
        // 109 samples for half a deviation in the tables of the plan, a half more of them for means of batches; all four times
        let ticks = design.again(found, 1.0).ticks;
        assert!((600..800).contains(&ticks), "{ticks}");
        assert_eq!(design.again(0.0, 1.0).ticks, 4 * 176);
    }

    #[test]
    fn only_what_is_at_rest_is_chopped() {
        for rest in [0, 1, 23] {
            let (rows, design) = chopped(rest);
            assert_eq!(rows.values(1, 0, 1, &design), Some(vec![2.0; 16]));
            assert_eq!(rows.mean_off(1, 0, 0), Some(7.0));
        }
    }

    #[test]
    fn what_goes_on_and_on_is_not_chopped() {
        let (rows, design) = chopped(23);
        assert_eq!(design.restless(), None);
        let never = Design { rest: NEVER, ..design };
        assert!(never.restless().is_some_and(|why| why.starts_with("an output of the program goes on and on")));
        assert_eq!(rows.values(1, 0, 1, &never), None);
        assert!(never.ticks_for(0.05) > MOST);
    }
}
