//! What the checks of a statistical law come to, and how often it is wrong.
//!
//! A law may alarm on a healthy substrate with a probability of its share of [`FALSE_ALARM`], split over its checks of all programs. A check fails only if it fails
//! twice, on fresh data, each time at the root of its share. It passes at [`PASS`] over both stages.

use super::POWER;
use crate::law::Verdict;
use crate::laws::laws;
use crate::record::{Evidence, Requirement, Status};
use crate::statistics::equivalence::{self, Location};
use crate::statistics::permutation;
use isoform_core::medium::Medium;
use isoform_core::profile::Class;
use statrs::distribution::{ContinuousCDF, Normal};

/// What the probability of a false alarm of all statistical laws together is designed for.
pub(crate) const FALSE_ALARM: f64 = 5e-4;
/// The level of one stage of a test that passes; both together have that of the tables, 1e-3.
pub(crate) const PASS: f64 = 5e-4;

/// The part of it that a law has: as many laws share it as the class with the most statistical ones owes.
fn share() -> f64 {
    let owed =
        |class: Class| laws().iter().filter(|law| law.statistical && (law.requirement)(class) != Requirement::Impossible).count();
    FALSE_ALARM / Class::ALL.iter().map(|&class| owed(class)).max().unwrap_or(1).max(1) as f64
}

/// The level at which one of so many checks of a law fails in one stage.
pub(crate) fn failing(checks: usize) -> f64 {
    (share() / checks.max(1) as f64).sqrt()
}

/// The standard deviations below which a normal number lies with a probability.
pub(crate) fn normal(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// What two stages say of one check.
pub(crate) fn together(first: Location, second: Option<Location>) -> Location {
    match (first, second) {
        (Location::Inside, _) | (_, Some(Location::Inside)) => Location::Inside,
        (Location::Outside, Some(Location::Outside)) => Location::Outside,
        _ => Location::Open,
    }
}

/// The p-value that decided: distributions differ if both stages say so, so that it is that of the stage which says so less.
pub(crate) fn decisive(first: f64, again: Option<f64>) -> f64 {
    again.map_or(first, |again| first.max(again))
}

/// Where a mean lies in one stage: inside by the level that passes, outside by that which fails.
pub(crate) fn locate(values: Option<&[f64]>, margin: f64, fails: f64) -> (Location, f64) {
    locate_within(values, [margin; 2], fails)
}

/// The same of what is inside a margin, and outside what a medium may be off once time has passed.
pub(crate) fn locate_within(values: Option<&[f64]>, [margin, most]: [f64; 2], fails: f64) -> (Location, f64) {
    let Some(values) = values else { return (Location::Open, 0.0) };
    let passing = equivalence::test(values, margin, PASS);
    let location = match passing.location {
        Location::Inside => Location::Inside,
        _ if equivalence::test(values, most, fails).location == Location::Outside => Location::Outside,
        _ => Location::Open,
    };
    (location, passing.mean)
}

/// What the mean of an output is inside at first, and what it is no further off than once time has passed.
pub(crate) fn limits(medium: &Medium) -> [f64; 2] {
    [medium.margin, medium.margin + medium.drift.map_or(0.0, |drift| drift.most)]
}

/// The figure that tells how many trials a permutation is made of, which lie apart.
pub(crate) const SEPARATE: &str = "separate trials of a stage";
/// The figure that tells by which shift of all outputs such trials are told apart in a stage, in standard deviations of a trial.
pub(crate) const RESOLVED: &str = "shift that a stage finds, in deviations of a trial";

/// The names of the two stages of a test.
pub(crate) const STAGES: [&str; 2] = ["stage 1", "stage 2"];

/// What the checks of a law came to, each after one stage or two.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) checks: usize,
    pub(crate) open: usize,
    /// The first of those, in words.
    pub(crate) doubt: Option<String>,
    /// The first that failed, in words.
    pub(crate) broken: Option<String>,
    /// The largest magnitude beside what was declared.
    pub(crate) worst: f64,
    /// Why checks are left open, where it is not the noise, as it stands behind "could not be decided".
    pub(crate) because: Option<&'static str>,
    /// How many times what was declared is still not told from it; nought for once.
    pub(crate) resolution: f64,
}

impl Tally {
    /// Adds a check.
    pub(crate) fn add(&mut self, location: Location, share: f64, say: impl FnOnce() -> String) {
        self.checks += 1;
        self.worst = self.worst.max(share);
        match location {
            Location::Inside => {}
            Location::Open => {
                self.open += 1;
                self.doubt.get_or_insert_with(say);
            }
            Location::Outside => {
                self.broken.get_or_insert_with(say);
            }
        }
    }

    /// The verdict, with the error rates behind it.
    pub(crate) fn verdict(self, evidence: &Evidence, holds: impl FnOnce(usize) -> String) -> Verdict {
        let Self { checks, open, doubt, broken, worst, resolution, because } = self;
        let verdict = match (broken, evidence.fact::<String>("not tried")) {
            (Some(why), _) => Verdict::fail(why),
            (None, Some(why)) => Verdict::new(Status::Inconclusive, why),
            (None, None) if checks == 0 => Verdict::new(Status::Inconclusive, "nothing was compared"),
            (None, None) if open > 0 => {
                let first = doubt.unwrap_or_default();
                let is_again = evidence.samples.iter().any(|kept| kept.name.split('/').any(|part| part == STAGES[1]));
                let because = because.unwrap_or(match is_again {
                    true => "in two stages, for the noise is too large so near to the limit",
                    // a law ends after its first stage only where nothing is open, so that such a record is not as it was left
                    false => "in one stage, and the record has no second one, which decides: it is not whole",
                });
                let why = format!("{open} of {checks} checks could not be decided {because}: {first}");
                Verdict::new(Status::Inconclusive, why)
            }
            (None, None) => Verdict::pass(holds(checks)),
        };
        verdict
            .with_limit("largest deviation over what was declared", worst, "1", resolution.max(1.0))
            .with_figure("checks", checks as f64, "1")
            .with_figure("probability of a false alarm of this law, at most", share(), "1")
    }
}

/// Tells how many trials there were, of so many groups of which one has so many, and by which shift of it the groups are told apart at a level.
pub(crate) fn with_trials(verdict: Verdict, of: [usize; 2], groups: usize, level: f64) -> Verdict {
    let verdict = verdict.with_figure(SEPARATE, of[1] as f64, "1");
    match permutation::resolved(of, groups, level, POWER) {
        Some(shift) => verdict.with_figure(RESOLVED, shift, "1"),
        None => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_one_stage_is_told_as_such() {
        let why = |stages: &[&str]| {
            let mut evidence = Evidence::default();
            stages.iter().for_each(|stage| evidence.keep(&format!("exemplar 1/{stage}/output"), "1", &[1], vec![0.0]));
            let mut tally = Tally::default();
            tally.add(Location::Open, 1.0, || String::from("output 0 is off"));
            tally.verdict(&evidence, |_| String::new()).reason
        };
        assert!(why(&STAGES).starts_with("1 of 1 checks could not be decided in two stages, for the noise is too large"));
        assert!(
            why(&STAGES[..1]).starts_with("1 of 1 checks could not be decided in one stage, and the record has no second one")
        );
    }

    #[test]
    fn the_second_stage_decides_what_the_first_doubts() {
        assert_eq!([decisive(0.6, None), decisive(0.001, Some(0.4)), decisive(0.001, Some(5e-4))], [0.6, 0.4, 0.001]);
    }
}
