//! `L0.refusal`: what is not promised is refused.
//!
//! It proves that the substrate itself, asked without a session in between, refuses each program that lies outside its profile by one
//! node, one answer of the semantics, a cycle or a channel too many, as unsupported and naming the node. A profile that admits
//! everything leaves only what every session refuses: no lanes. Answers are compared, so that no tolerance is involved.

use crate::bench::{Bench, DT};
use crate::checks::{self, answer};
use crate::law::{Law, Verdict, always};
use crate::plan::{Plan, PlanNode, What};
use crate::record::{Evidence, Level};
use isoform_core::error::{Error, Result};
use isoform_core::executor::block_on;
use isoform_core::functions as library;
use isoform_core::profile::Profile;
use isoform_core::semantics::Preset;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.refusal",
    title: "a program beyond the profile is refused, naming the node",
    level: Level::L0,
    needs: "nothing",
    requirement: always,
    statistical: false,
    measure,
    judge,
};

/// Programs of which each is outside the profile for one reason.
fn beyond(bench: &Bench<'_>) -> Vec<(&'static str, Plan)> {
    let takes = &bench.profile.takes;
    let has = |kind: &str| takes.nodes.is_empty() || takes.nodes.iter().any(|k| k == kind);
    let neurons = [library::LIF, library::CUBA_LIF, library::IF, library::LI, library::CUBA_LI, library::I];
    let exact = Preset::Exact.semantics(DT);
    let mut plans = Vec::new();
    let missing = neurons.into_iter().chain([library::SCALE, library::THRESHOLD]).find(|id| !has(id));
    if let Some(id) = missing {
        plans.push(("a transfer function that it does not have", Plan::single(bench.neuron(id, 1), 1, exact)));
    }
    if !has("delay") {
        plans.push(("a delay", Plan::single(What::Delay { seconds: vec![DT] }, 1, exact)));
    }
    if !has("dense") {
        plans.push(("a dense map", Plan::single(identity(1), 1, exact)));
    }
    let Some(id) = neurons.into_iter().find(|id| has(id)) else { return plans };
    for (why, lacks, preset) in [
        ("spikes that are located inside the tick", !takes.located, Preset::Events),
        ("fixed numbers", !takes.fixed, Preset::Loihi),
    ] {
        if lacks && preset.admit(id).is_ok() {
            plans.push((why, Plan::single(bench.neuron(id, 1), 1, preset.semantics(DT))));
        }
    }
    if !takes.cycles && has("dense") {
        let mut plan = Plan::single(bench.neuron(id, 1), 1, exact);
        plan.nodes[0].from.push(String::from("back"));
        plan.nodes.push(PlanNode::new("back", identity(1), "node"));
        plans.push(("a cycle", plan));
    }
    let channels = bench.profile.limits.channels;
    if channels < 1 << 16 {
        plans.push(("a channel too many", Plan::single(bench.neuron(id, channels + 1), channels + 1, exact)));
    }
    plans
}

fn identity(n: usize) -> What {
    What::Dense { rows: n, cols: n, weight: (0..n * n).map(|i| f64::from(u8::from(i % (n + 1) == 0))).collect(), bias: None }
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    for (why, plan) in beyond(bench) {
        let program = plan.build()?;
        let result = block_on(bench.substrate.realize(&program, &Run::new()));
        evidence.check(why, &["unsupported"], answer(&result));
        let named = result.as_ref().err().and_then(Error::node).unwrap_or("no node").to_owned();
        let nodes: Vec<&str> = program.nodes().iter().map(|n| n.name.as_str()).collect();
        evidence.check(format!("{why}: the node that is named"), &nodes, named);
    }
    evidence.note("beyond", beyond(bench).len());
    let program = bench.program()?;
    let none = bench.open(&program, &Run::new().with_batch(0));
    evidence.check("a run of no lanes", &["invalid signal"], answer(&none));
    let batch = bench.profile.limits.batch;
    if batch < usize::MAX {
        let many = bench.open(&program, &Run::new().with_batch(batch + 1));
        evidence.check("a lane too many", &["unsupported"], answer(&many));
    }
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let mut verdict = checks::judge(evidence, profile);
    if evidence.fact::<usize>("beyond") == Some(0) && verdict.status == crate::record::Status::Pass {
        verdict.reason.push_str("; the profile admits every program of the library, so that only sizes can be refused");
    }
    verdict
}
