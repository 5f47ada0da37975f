//! `L2.nested`: nesting means nothing.
//!
//! It proves that a neuron inside a graph inside a graph computes what it computes alone: bit by bit against the flat program, and
//! state-forced against the definition (see `trial`).

use crate::bench::{Bench, advance};
use crate::law::{Law, if_repeatable};
use crate::plan::{Plan, PlanNode, What};
use crate::record::{Evidence, Level};
use crate::trial;
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.nested",
    title: "a graph inside a graph is the same graph",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: trial::judge_with_checks,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 30;
    let flat = bench.home()?;
    let wrap = |inner: Plan| Plan {
        inputs: flat.inputs.clone(),
        semantics: flat.semantics,
        nodes: vec![PlanNode::new("graph", What::Graph(Box::new(inner)), "x")],
        outputs: vec![(String::from("y"), vec![String::from("graph/y")])],
    };
    let once = wrap(flat.clone());
    let mut twice = wrap(once.clone());
    twice.outputs[0].1 = vec![String::from("graph/y")];
    let batch = bench.batch(2);
    let run = Run::new().with_batch(batch).with_seed(bench.seed);
    let x = bench.drive(&mut bench.chance(), TICKS * batch * flat.inputs[0].1[0]);
    let alone = advance(&mut bench.open(&flat.build()?, &run)?, &x, TICKS)?;
    for (name, plan) in [("in a graph", once), ("in a graph in a graph", twice)] {
        if bench.trial(evidence, name, &plan, batch, &x)? {
            let nested = advance(&mut bench.open(&plan.build()?, &run)?, &x, TICKS)?;
            evidence.twins("nested and flat", ["flat", name], [&alone, &nested]);
        }
    }
    Ok(())
}
