//! How far the outputs of a medium moved between two runs.
//!
//! Both runs held the same stimuli; what is compared is the mean difference of each output to the program, by Welch's interval on nearly
//! independent values, as the laws of agreement take them. Under noise like 1/f, what the reference is off by is held against how far the declared noise
//! takes two means apart, since both wander. Of each output, the stimulus is named under which it moved the most.

use super::ledger::time;
use super::spelling::{plain, spell};
use crate::agreement::{Measured, measured};
use crate::noisy::{PASS, normal};
use crate::record::{Dossier, Evidence};
use crate::statistics::equivalence::test_pair;
use crate::statistics::series::moments;
use isoform_core::medium::Drift;
use serde::Serialize;
use std::fmt;

/// How many outputs are told of.
const SHOWN: usize = 8;

/// How far one output moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// The law whose samples say so.
    pub law: String,
    /// The program, as the law names it.
    pub program: String,
    /// The output.
    pub output: usize,
    /// The stimulus, by its place in the law.
    pub stimulus: usize,
    /// What the program says in the mean.
    pub said: f64,
    /// The mean difference to the program in the first run.
    pub before: f64,
    /// How far it moved, in units of the output.
    pub by: f64,
    /// Half the width of the interval of that. All of them hold together at a level of 1e-3.
    pub half: f64,
}

/// The drift between two runs of one noisy medium.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Drifted {
    /// Seconds of the device's time between them, if it tells its age.
    pub passed: Option<f64>,
    /// What is declared in the second run.
    pub declared: Option<Drift>,
    /// Outputs that were compared.
    pub compared: usize,
    /// Those that moved, the farthest first.
    pub moved: Vec<Moved>,
}

/// The drift between two runs; nothing where neither run has means of a noisy medium.
pub(super) fn between(before: &Dossier, after: &Dossier) -> Option<Drifted> {
    let mut found = Drifted {
        passed: before.ledger.age.zip(after.ledger.age).map(|(a, b)| b - a),
        declared: after.provenance.profile.medium.and_then(|m| m.drift),
        ..Drifted::default()
    };
    let noise = |dossier: &Dossier| dossier.provenance.profile.medium.map_or(f64::NAN, |m| m.noise);
    let pairs: Vec<(&str, Measured, Measured)> = after.evidence.iter().flat_map(|now| pairs(before, now)).collect();
    // whoever looks often finds something: all that is compared shares one level
    let level = PASS / pairs.iter().map(|(_, _, new)| new.outputs * new.stimuli).sum::<usize>().max(1) as f64;
    let wander = noise(before).hypot(noise(after)) * normal(1.0 - level);
    let mut all: Vec<(bool, Moved)> = Vec::new();
    for (law, old, new) in &pairs {
        for (significant, moved) in compare(law, old, new, (level, wander)) {
            // an output is told of once, by the law under which it moved the most
            match all.iter_mut().find(|(_, m)| m.program == moved.program && m.output == moved.output) {
                Some(known) if (significant, moved.by.abs()) > (known.0, known.1.by.abs()) => *known = (significant, moved),
                Some(_) => {}
                None => all.push((significant, moved)),
            }
        }
    }
    if all.is_empty() {
        return None;
    }
    found.compared = all.len();
    found.moved = all.into_iter().filter(|(significant, _)| *significant).map(|(_, moved)| moved).collect();
    found.moved.sort_by(|a, b| b.by.abs().total_cmp(&a.by.abs()));
    Some(found)
}

/// The programs that a law measured in both runs.
fn pairs<'a>(before: &Dossier, now: &'a Evidence) -> Vec<(&'a str, Measured, Measured)> {
    let was = before.evidence.iter().find(|was| was.law == now.law);
    let Some((Ok(mut old), Ok(new))) = was.map(|was| (measured(was), measured(now))) else { return Vec::new() };
    let pair = |new: Measured| {
        let at = old.iter().position(|old| old.name == new.name)?;
        Some((now.law.as_str(), old.swap_remove(at), new))
    };
    new.into_iter().filter_map(pair).collect()
}

/// The outputs of one program in one law, each under the stimulus that moved it the most, and whether that is more than chance; at a level, with how
/// far means that wander come apart.
fn compare(law: &str, before: &Measured, after: &Measured, (level, wander): (f64, f64)) -> Vec<(bool, Moved)> {
    // chopped values are held against the reference, others are not
    let alike = |m: &Measured| (m.outputs, m.stimuli, m.design.coloured);
    if alike(before) != alike(after) {
        return Vec::new();
    }
    let outputs = after.outputs;
    let one = |output: usize, stimulus: usize| {
        // what a run was asked is only comparable where the program says the same of it
        let said = [before, after].map(|m| m.rows.mean_said(outputs, output, stimulus));
        let [Some(said), Some(other)] = said else { return None };
        if (said - other).abs() > 1e-6 * said.abs().max(1e-6) {
            return None;
        }
        let (before, by, half) = if after.design.coloured && stimulus == 0 {
            let off = |m: &Measured| m.rows.mean_off(outputs, output, stimulus);
            let (was, is) = (off(before)?, off(after)?);
            (was, is - was, wander)
        } else {
            let values = |m: &Measured| m.rows.values(outputs, output, stimulus, &m.design);
            let (young, aged) = (values(before)?, values(after)?);
            let found = test_pair(&aged, &young, f64::INFINITY, level);
            (moments(&young).0, found.mean, found.half)
        };
        let moved = Moved { law: law.to_owned(), program: after.name.clone(), output, stimulus, said, before, by, half };
        Some((by.abs() > half, moved))
    };
    let most = |output: usize| {
        let all = (0..after.stimuli).filter_map(|stimulus| one(output, stimulus));
        all.max_by(|a, b| a.0.cmp(&b.0).then(a.1.by.abs().total_cmp(&b.1.by.abs())))
    };
    (0..outputs).filter_map(most).collect()
}

impl fmt::Display for Drifted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = match self.passed {
            Some(s) if s < 0.0 => format!(" while the device grew younger by {}", time(-s)),
            Some(s) => format!(" in {} of the device's time", time(s)),
            None => String::new(),
        };
        if self.moved.is_empty() {
            return writeln!(f, "drift: none of {} outputs moved{passed}", self.compared);
        }
        writeln!(f, "drift: {} of {} outputs moved{passed}:", self.moved.len(), self.compared)?;
        for Moved { law, program, output, stimulus, said, before, by, half } in self.moved.iter().take(SHOWN) {
            let number = |v: f64| spell(v, "1").to_string();
            write!(
                f,
                "  {}, output {output}: moved by {} ± {} where the program says {}",
                plain(program),
                number(*by),
                number(*half),
                number(*said)
            )?;
            let share = 100.0 * by / said.abs() * said.signum();
            if share.is_finite() && share.abs() < 1e3 {
                write!(f, ", {share:+.1} % of it")?;
            }
            write!(f, " (off by {} before; {}, stimulus {stimulus})", number(*before), plain(law))?;
            match self.declared {
                Some(Drift { most, within }) => {
                    let place = if by.abs() + half <= most {
                        "inside"
                    } else if by.abs() - half > most {
                        "beyond"
                    } else {
                        "at the edge of"
                    };
                    writeln!(f, ", {place} the {} that are declared within {}", number(most), time(within))?;
                }
                None => writeln!(f, ", and no drift is declared")?,
            }
        }
        if self.moved.len() > SHOWN {
            writeln!(f, "  and {} more", self.moved.len() - SHOWN)?;
        }
        if let (Some(passed), Some(declared)) = (self.passed, self.declared)
            && passed > declared.within
        {
            writeln!(f, "  what is declared is for {}, and {} passed", time(declared.within), time(passed))?;
        }
        Ok(())
    }
}
