//! `L1.theta`: parameters can be changed while it runs.
//!
//! It proves for each parameter of each node, weights and biases of maps among them, that what a write says was set is what a read gives;
//! that it is what was asked for, within the rounding of the declared number format; that a readable state is the same after the write
//! as before; and that the run then follows the definition with the changed parameter, from that state, within the bounds of a
//! state-forced comparison (see `trial`). Without a readable state the parameter is changed before the first tick, and outputs are
//! compared. Writing what is already set changes nothing, to the bit, once what was given with more digits is rounded. What the layout of
//! the state hangs on, such as a delay, may be refused as unsupported; a profile that does not claim tuning has to refuse all of it so.

use crate::bench::{Bench, advance};
use crate::checks::answer;
use crate::houses::is_fixed;
use crate::law::{Law, if_claimed};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use crate::trial::flat;
use isoform_core::error::Result;
use isoform_core::program::Node;
use isoform_core::session::Blocking;
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
    if !bench.profile.facets.tuning {
        let program = bench.home()?.build()?;
        let known = program.nodes().first().and_then(|n| n.parameters().first().map(|(p, _)| *p)).unwrap_or("tau");
        let mut session = bench.open(&program, &Run::new().with_batch(bench.batch(2)))?;
        evidence.unclaimed("tuning", answer(&session.write("node", known, &[1.0])));
        return Ok(());
    }
    let mut chance = bench.chance();
    for (house, plan) in bench.houses()? {
        let plan = biased(plan);
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let size = run.input(&program, TICKS).len();
        let (history, probe) = (bench.drive(&mut chance, size), bench.drive(&mut chance, size));
        let all = || program.nodes().iter().flat_map(|n| n.parameters().into_iter().map(move |(p, values)| (n, p, values.to_f64())));
        for (node, parameter, values) in all() {
            let mut session = bench.open(&program, &run)?;
            let forced = bench.profile.facets.memory;
            if forced {
                advance(&mut session, &history, TICKS)?;
            }
            let before = if forced { flat(&session.save()?) } else { Vec::new() };
            let wanted: Vec<f64> = values.iter().map(|v| v * 0.875 + if *v == 0.0 { 0.0625 } else { 0.0 }).collect();
            let Some(set) = taken(node, session.write(&node.name, parameter, &wanted))? else { continue };
            let read = session.read(&node.name, parameter)?;
            let name = format!("{house}/{}.{parameter}", node.name);
            evidence.check(format!("{name}: what was set is what is read"), &[&format!("{set:?}")], format!("{read:?}"));
            let near = set.len() == wanted.len()
                && set.iter().zip(&wanted).all(|(s, w)| (s - w).abs() <= bench.profile.accuracy.stored(*w).error);
            let rounded = if near { String::from("rounded") } else { format!("{set:?} for {wanted:?}") };
            evidence.check(format!("{name}: what was set is what was asked for, rounded"), &["rounded"], rounded);
            if forced {
                let after = flat(&session.save()?);
                let [a, b] = ["before", "after"].map(|n| format!("{name}/{n}"));
                evidence.keep(&a, "1", &[before.len()], before);
                evidence.keep(&b, "1", &[after.len()], after);
                evidence.pair("the state around a write", [&a, &b]);
            }
            if let Some(changed) = retuned(&plan, &node.name, parameter, &set) {
                bench.resume(evidence, &name, &changed, &mut session, &probe)?;
            }
        }
        let mut session = bench.open(&program, &run)?;
        let rewrite = |session: &mut Blocking| {
            all().try_for_each(|(node, parameter, _)| {
                let set = session.read(&node.name, parameter)?;
                taken(node, session.write(&node.name, parameter, &set)).map(drop)
            })
        };
        // a membrane that comes out shows that a program may have been given with more digits than are read
        if house != "simple" {
            rewrite(&mut session)?;
        }
        let plain = advance(&mut session, &history, TICKS)?;
        session.reset()?;
        rewrite(&mut session)?;
        let rewritten = advance(&mut session, &history, TICKS)?;
        let names = ["plain", "rewritten"].map(|how| format!("{house}/{how}"));
        evidence.twins("writing what is already set", [&names[0], &names[1]], [&plain, &rewritten]);
    }
    Ok(())
}

/// What was set; nothing where a delay is part of the layout.
fn taken(node: &Node, answer: Result<Vec<f64>>) -> Result<Option<Vec<f64>>> {
    match answer {
        Err(e) if is_fixed(node, &e) => Ok(None),
        other => other.map(Some),
    }
}

/// The plan with a bias at every map that has none.
fn biased(mut plan: Plan) -> Plan {
    for node in &mut plan.nodes {
        if let What::Dense { rows, bias, .. } = &mut node.what {
            bias.get_or_insert_with(|| (0..*rows).map(|c| 0.0625 * (c as f64 - 1.0)).collect());
        }
    }
    plan
}

/// The plan with another value of a parameter of one node; nothing if the node has no such parameter.
fn retuned(plan: &Plan, node: &str, parameter: &str, values: &[f64]) -> Option<Plan> {
    let mut plan = plan.clone();
    match (&mut plan.nodes.iter_mut().find(|n| n.name == node)?.what, parameter) {
        (What::Neuron { parameters, .. }, _) => {
            parameters.retain(|(name, _)| name != parameter);
            parameters.push((parameter.to_owned(), values.to_vec()));
        }
        (What::Dense { weight, .. }, "weight") => *weight = values.to_vec(),
        (What::Dense { bias, .. }, "bias") => *bias = Some(values.to_vec()),
        (What::Delay { seconds }, _) => *seconds = values.to_vec(),
        _ => return None,
    }
    Some(plan)
}
