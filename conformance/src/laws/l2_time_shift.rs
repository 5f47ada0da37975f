//! `L2.time-shift`: the definition does not know what time it is.
//!
//! It proves that an input that is delayed by some ticks, from a state at rest, gives the same output delayed by as many ticks, to the bit:
//! the place in a chunk, the number of the tick and the age of the realization do not matter.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_taken};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.time-shift",
    title: "what comes later is answered later, and not otherwise",
    level: Level::L2,
    needs: "a class that repeats itself and a range that holds nought",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 48;
    let [low, high] = bench.profile.limits.input;
    if !(low..=high).contains(&0.0) {
        evidence.lacking("the range of inputs does not hold nought, so that nothing can be at rest");
        return Ok(());
    }
    let mut chance = bench.chance();
    for (name, plan) in bench.houses()? {
        let program = at_rest(plan).build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let (row, width) = (run.input(&program, 1).len(), run.output(&program, 1).len());
        let x = bench.drive(&mut chance, row * TICKS);
        let base = advance(&mut bench.open(&program, &run)?, &x, TICKS)?;
        for shift in [1, 2, 5, 16, 17, 100] {
            let late = [vec![0.0; shift * row], x.clone()].concat();
            let y = advance(&mut bench.open(&program, &run)?, &late, TICKS + shift)?;
            let moved = format!("{name}/late by {shift}");
            evidence.twins(
                format!("the answer to an input that is late by {shift}"),
                [&format!("{name}/in time"), &moved],
                [&base, &y[shift * width..]],
            );
        }
    }
    Ok(())
}

/// The plan with every membrane at rest at nought, where it starts.
fn at_rest(mut plan: Plan) -> Plan {
    for node in &mut plan.nodes {
        if let What::Neuron { parameters, .. } = &mut node.what {
            parameters.retain(|(name, _)| name != "v_leak");
        }
    }
    plan
}
