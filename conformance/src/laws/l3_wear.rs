//! `L3.wear`: every write is counted, and none goes beyond what a cell bears.
//!
//! It proves that programming costs no more writes of the most worn cell than the profile says, that each further write of a parameter shows in the
//! reports, and that their sum stays within the declared endurance. It counts those of its own realization; those of a whole run are counted by
//! `watch`, which begins no program beyond what a cell bears. No tolerance is involved.

use crate::bench::Bench;
use crate::checks::{self, answer};
use crate::law::{Law, Verdict};
use crate::record::{Evidence, Level, Requirement, Status};
use isoform_core::error::Result;
use isoform_core::profile::{Class, Profile};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L3.wear",
    title: "every write is counted, and none goes beyond what a cell bears",
    level: Level::L3,
    needs: "a class that wears, and a declared endurance",
    requirement,
    statistical: false,
    measure,
    judge,
};

fn requirement(class: Class) -> Requirement {
    if class == Class::AnalogWearing { Requirement::Required } else { Requirement::Impossible }
}

/// Further writes that are tried.
const WRITES: usize = 3;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let mut session = bench.open(&program, &Run::new().with_seed(bench.seed))?;
    let x = bench.drive(&mut bench.chance(), program.input_channels());
    let mut y = vec![0.0; program.output_channels()];
    let mut counted = |session: &mut Blocking| session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1).map(|r| r.writes as f64);
    let mut writes = vec![counted(&mut session)?];
    if bench.profile.facets.tuning {
        let node = program.nodes().iter().find_map(|n| n.parameters().first().map(|(p, _)| (n.name.clone(), *p)));
        let Some((node, parameter)) = node else {
            evidence.lacking("its program has no parameter");
            return Ok(());
        };
        let values = session.read(&node, parameter)?;
        for k in 0..WRITES {
            // a write of what is there need not touch a cell
            let moved: Vec<f64> = values.iter().map(|v| v * (0.9 - 0.1 * k as f64)).collect();
            let result = session.write(&node, parameter, &moved);
            evidence.check(format!("write {}", k + 1), &["accepted"], answer(&result));
            writes.push(counted(&mut session)?);
        }
    }
    writes.push(counted(&mut session)?);
    evidence.keep("writes", "1", &[writes.len()], writes);
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = checks::not_claimed(evidence) {
        return verdict;
    }
    let Some((medium, endurance)) = profile.medium.and_then(|m| m.endurance.map(|e| (m, e))) else {
        return Verdict::new(Status::Inconclusive, "the profile declares no endurance");
    };
    let Some([first, tuned @ .., last]) = evidence.sample("writes").map(|s| s.values.as_slice()) else {
        return Verdict::error("the record of writes is missing");
    };
    let checked: Vec<checks::Check> = evidence.fact("checks").unwrap_or_default();
    let total = first + tuned.iter().sum::<f64>() + last;
    let verdict = if let Some(check) = checked.iter().find(|c| !c.want.contains(&c.got)) {
        Verdict::fail(format!("{}: {} instead of {}", check.what, check.got, check.want.join(" or ")))
    } else if *first > medium.price.writes as f64 {
        Verdict::fail(format!("programming took {first} writes of a cell, where {} are declared", medium.price.writes))
    } else if let Some(at) = tuned.iter().position(|w| *w < 1.0) {
        Verdict::fail(format!("write {} of a parameter shows in no report", at + 1))
    } else if *last > 0.0 {
        Verdict::fail(format!("a tick without a write reports {last}"))
    } else if total > endurance as f64 {
        Verdict::fail(format!("{total} writes go beyond the {endurance} that a cell bears"))
    } else {
        Verdict::pass(format!("one realization wrote its most worn cell {total} times, each in a report, of the {endurance} that a cell bears"))
    };
    verdict.with_limit("writes of the most worn cell by one realization", total, "1", endurance as f64)
}
