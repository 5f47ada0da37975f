//! A device against itself: what the suite would say if its own other half were the program.
//!
//! The batches that a law of agreement compares with the program are dealt into two halves in turns, so that a drift falls on both alike. Their
//! true difference is nought. What lies outside the margin all the same is a false alarm, and of the differences about one in a hundred is to
//! lie beyond the interval of one in a hundred: more of them say that batches are not independent, and that the error rates of the run are
//! not to be believed.

use crate::agreement::{Measured, measured, pairs};
use crate::noisy::{PASS, failing};
use crate::record::Dossier;
use crate::statistics::equivalence::{Location, test_pair};
use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

/// How rarely a difference of halves is to lie beyond its interval.
const RARE: f64 = 0.01;

/// What the halves of the records of one law say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halves {
    /// The id of the law.
    pub law: String,
    /// Differences of two halves: one for each output, stimulus and stage.
    pub checks: usize,
    /// Those within the margin.
    pub inside: usize,
    /// Those beyond it, at the level at which the law fails: false alarms.
    pub outside: usize,
    /// Those beyond the interval of one in a hundred about nought.
    pub rare: usize,
    /// How likely chance alone gives as many of these or more.
    pub chance: f64,
}

/// Splits the records of every law of agreement of a run.
#[must_use]
pub fn halves(dossier: &Dossier) -> Vec<Halves> {
    let margin = dossier.provenance.profile.medium.map_or(f64::NAN, |m| m.margin);
    let all = dossier.evidence.iter().filter_map(|evidence| {
        let measured = measured(evidence).ok()?;
        let mut found = Halves { law: evidence.law.clone(), checks: 0, inside: 0, outside: 0, rare: 0, chance: 1.0 };
        measured.iter().for_each(|m| compare(m, margin, measured.len(), &mut found));
        let binomial = Binomial::new(RARE, found.checks as u64).ok()?;
        found.chance = if found.rare > 0 { binomial.sf(found.rare as u64 - 1) } else { 1.0 };
        (found.checks > 0).then_some(found)
    });
    all.collect()
}

fn compare(measured: &Measured, margin: f64, parts: usize, found: &mut Halves) {
    let Measured { design, stimuli, outputs, rows, again, .. } = measured;
    let pairs = pairs(*outputs, *stimuli, design);
    let fails = failing(pairs.len() * parts);
    for rows in [Some(rows), again.as_ref()].into_iter().flatten() {
        for &(stimulus, output) in &pairs {
            let Some(values) = rows.values(*outputs, output, stimulus, design) else { continue };
            let half = |from: usize| values.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
            let (even, odd) = (half(0), half(1));
            let at = |alpha: f64| test_pair(&even, &odd, margin, alpha);
            let apart = at(RARE / 2.0);
            found.checks += 1;
            found.inside += usize::from(at(PASS).location == Location::Inside);
            found.outside += usize::from(at(fails).location == Location::Outside);
            found.rare += usize::from(apart.mean.abs() > apart.half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defects::HEALTHY;
    use crate::suite::{Options, run};
    use isoform_core::oracle::OracleSubstrate;
    use std::sync::Arc;

    fn told(name: &str) -> Vec<Halves> {
        let subject = HEALTHY.iter().find(|s| s.name == name).expect("one of the list");
        let substrate = subject.make(Arc::new(OracleSubstrate::new()));
        let options = Options::new().with_law("L2.equivalence").with_law("L2.transfer").with_law("L1.noise");
        halves(&run(substrate.as_ref(), &options).expect("a run"))
    }

    #[test]
    fn halves_of_a_healthy_medium_agree() {
        for name in ["white", "autoregressive, 0.9", "white, mean off by nearly the margin"] {
            let told = told(name);
            assert_eq!(told.iter().map(|h| h.law.as_str()).collect::<Vec<_>>(), ["L2.equivalence", "L2.transfer"]);
            for h in told {
                eprintln!("{name}: {h:?}");
                assert!(h.checks >= 16 && h.outside == 0 && h.chance > 1e-4, "{name}: {h:?}");
            }
        }
    }

    #[test]
    fn batches_that_hang_together_are_seen() {
        // batches are ten ticks long: both halves see a slow wave alike, and of a comb as fine as they are each sees one side
        let rows = |wave: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = (0..400).map(wave).collect();
            crate::noisy::Rows { said: vec![0.0; values.len()], stimulus: vec![0.0; values.len()], seen: values }
        };
        let design = crate::noisy::Design { tau: 1.0, sigma: 1.0, coloured: false, settled: true, ticks: 400, rest: 0 };
        let of = |wave: &dyn Fn(usize) -> f64| {
            let mut found = Halves { law: String::new(), checks: 0, inside: 0, outside: 0, rare: 0, chance: 1.0 };
            let measured = Measured {
                name: String::new(),
                design,
                stimuli: 1,
                outputs: 1,
                inputs: Vec::new(),
                unit: String::from("1"),
                rows: rows(wave),
                again: None,
            };
            compare(&measured, 0.1, 1, &mut found);
            (found.checks, found.outside, found.rare)
        };
        assert_eq!(of(&|t| (t as f64 / 60.0).sin()), (1, 0, 0));
        assert_eq!(of(&|t| if t / 10 % 2 == 0 { 1.0 } else { -1.0 }), (1, 1, 1));
    }
}
