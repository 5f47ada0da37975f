//! `L1.theta`: parameters can be changed while it runs.
//!
//! It proves for each parameter of a neuron that what a write says was set is what a read gives; that it is what was asked for, within the
//! rounding of the declared number format; that writing what is already set changes nothing, to the bit; that a readable state is
//! the same after the write as before; and that the run then follows the definition with the changed parameter, from that state,
//! within the bounds of a state-forced comparison (see `trial`). Without a readable state the parameter is changed before the first
//! tick, and outputs are compared. A profile that does not claim tuning has to refuse it as unsupported.

use crate::bench::{Bench, advance};
use crate::checks::answer;
use crate::law::{Law, if_claimed};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use crate::trial::flat;
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.theta",
    title: "a parameter that is changed mid-stream acts from the next tick on, and the state stays",
    level: Level::L1,
    needs: "the facet of tuning",
    requirement: if_claimed,
    statistical: false,
    measure,
    judge: crate::trial::judge_with_checks,
};

const TICKS: usize = 30;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let plan = bench.home()?;
    let program = plan.build()?;
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let mut chance = bench.chance();
    let size = run.input(&program, TICKS).len();
    let (history, probe) = (bench.drive(&mut chance, size), bench.drive(&mut chance, size));
    let known: Vec<(&str, Vec<f64>)> =
        program.nodes().first().map(|n| n.parameters().into_iter().map(|(p, t)| (p, t.to_f64())).collect()).unwrap_or_default();
    if !bench.profile.facets.tuning {
        let mut session = bench.open(&program, &run)?;
        evidence.unclaimed("tuning", answer(&session.write("node", known.first().map_or("tau", |(p, _)| *p), &[1.0])));
        return Ok(());
    }
    for (parameter, values) in known {
        if !matches!(plan.nodes[0].what, What::Neuron { .. }) {
            break;
        }
        let mut session = bench.open(&program, &run)?;
        let forced = bench.profile.facets.memory;
        if forced {
            advance(&mut session, &history, TICKS)?;
        }
        let before = if forced { flat(&session.save()?) } else { Vec::new() };
        let wanted: Vec<f64> = values.iter().map(|v| v * 0.875 + if *v == 0.0 { 0.0625 } else { 0.0 }).collect();
        let set = session.write("node", parameter, &wanted)?;
        let read = session.read("node", parameter)?;
        evidence.check(format!("{parameter}: what was set is what is read"), &[&format!("{set:?}")], format!("{read:?}"));
        let near = set.len() == wanted.len()
            && set.iter().zip(&wanted).all(|(s, w)| (s - w).abs() <= bench.profile.accuracy.stored(*w).error);
        let rounded = if near { String::from("rounded") } else { format!("{set:?} for {wanted:?}") };
        evidence.check(format!("{parameter}: what was set is what was asked for, rounded"), &["rounded"], rounded);
        if forced {
            let after = flat(&session.save()?);
            let [a, b] = ["before", "after"].map(|n| format!("{parameter}/{n}"));
            evidence.keep(&a, "1", &[before.len()], before);
            evidence.keep(&b, "1", &[after.len()], after);
            evidence.pair("the state around a write", [&a, &b]);
        }
        let changed = retuned(&plan, parameter, &set);
        bench.resume(evidence, parameter, &changed, &mut session, &probe)?;
    }
    let mut session = bench.open(&program, &run)?;
    let plain = advance(&mut session, &history, TICKS)?;
    session.reset()?;
    for (parameter, _) in program.nodes()[0].parameters() {
        let set = session.read("node", parameter)?;
        session.write("node", parameter, &set)?;
    }
    let rewritten = advance(&mut session, &history, TICKS)?;
    evidence.twins("writing what is already set", ["plain", "rewritten"], [&plain, &rewritten]);
    Ok(())
}

/// The plan with another value of a parameter of its first node.
fn retuned(plan: &Plan, parameter: &str, values: &[f64]) -> Plan {
    let mut plan = plan.clone();
    if let Some(What::Neuron { parameters, .. }) = plan.nodes.first_mut().map(|n| &mut n.what) {
        parameters.retain(|(name, _)| name != parameter);
        parameters.push((parameter.to_owned(), values.to_vec()));
    }
    plan
}
