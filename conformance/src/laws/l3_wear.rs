//! `L3.wear`: every write is counted, and none goes beyond what a cell bears.
//!
//! It proves that programming costs no more writes of the most worn cell than the profile says, that each further write of a parameter shows in the
//! reports, and that their sum stays within the declared endurance. It counts those of its own realization; those of a whole run are counted by
//! `watch`, which begins no program beyond what a cell bears. After the last write, which halves a parameter, the mean of each output under the largest
//! input is that of the program with what was written: within the margin, what is declared of drift, and six deviations of the noise, which no
//! single look at any medium is beyond by chance.

use crate::bench::{Bench, advance, narrow};
use crate::checks::{self, answer};
use crate::law::{Law, Verdict};
use crate::noisy::limits;
use crate::record::{Evidence, Level, Requirement, Status};
use isoform_core::error::Result;
use isoform_core::oracle::{Oracle, tuned};
use isoform_core::profile::{Class, Profile};
use isoform_core::program::Program;
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

/// The shares of a parameter that are written, one after the other.
const SHARES: [f64; 3] = [0.9, 0.8, 0.5];
/// Ticks that an input is held after the last, those that outputs are looked at then, and deviations of the noise that their mean is off at the most.
const REST: usize = 1000;
const LOOK: usize = 256;
const DEVIATIONS: f64 = 6.0;

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
        for (k, share) in SHARES.into_iter().enumerate() {
            // a write of what is there need not touch a cell
            let moved: Vec<f64> = values.iter().map(|v| v * share).collect();
            let result = session.write(&node, parameter, &moved);
            evidence.check(format!("write {}", k + 1), &["accepted"], answer(&result));
            writes.push(counted(&mut session)?);
            if result.is_ok() && k + 1 == SHARES.len() {
                let written = tuned(&program, &node, parameter, &moved)?;
                let off = look(bench, &mut session, [&program, &written])?;
                evidence.keep("off what was written", "1", &[off.len() / 2, 2], off);
            }
        }
    }
    writes.push(counted(&mut session)?);
    evidence.keep("writes", "1", &[writes.len()], writes);
    Ok(())
}

/// What the mean of each output is off a program with what was written, and off the one before, `[output, program]`, under the largest input.
fn look(bench: &Bench<'_>, session: &mut Blocking, [before, written]: [&Program; 2]) -> Result<Vec<f64>> {
    let (inputs, outputs) = (written.input_channels(), written.output_channels());
    let [low, high] = bench.span();
    let row = vec![narrow(high, low, high); inputs];
    advance(session, &row.repeat(REST), REST)?;
    let y = advance(session, &row.repeat(LOOK), LOOK)?;
    let mean = |row: &dyn Fn(usize) -> f64| (0..LOOK).map(row).sum::<f64>() / LOOK as f64;
    let said = |program: &Program| {
        let mut oracle = Oracle::new(program, &Run::new().with_seed(bench.seed));
        oracle.run(&row.repeat(REST + LOOK)).split_off(REST * outputs)
    };
    let [old, new] = [said(before), said(written)];
    let off = |output: usize| {
        let at = |tick: usize| tick * outputs + output;
        let found = mean(&|tick| f64::from(y[at(tick)]));
        [found - mean(&|tick| new[at(tick)]), found - mean(&|tick| old[at(tick)])]
    };
    Ok((0..outputs).flat_map(off).collect())
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
    let most = limits(&medium)[1] + DEVIATIONS * medium.noise;
    let off = evidence.sample("off what was written").map_or(&[][..], |kept| kept.values.as_slice());
    let strays = off.as_chunks::<2>().0.iter().position(|[new, _]| new.is_nan() || new.abs() > most);
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
    } else if let Some(output) = strays {
        Verdict::fail(format!(
            "after a write that halved a parameter output {output} is off by {:.3e} from what was written and by {:.3e} from what was there before, where margin, \
             drift and noise come to {most:.3e}",
            off[2 * output], off[2 * output + 1]
        ))
    } else {
        Verdict::pass(format!("one realization wrote its most worn cell {total} times, each in a report, of the {endurance} that a cell bears"))
    };
    verdict.with_limit("writes of the most worn cell by one realization", total, "1", endurance as f64)
}
