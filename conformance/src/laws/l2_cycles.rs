//! `L2.cycles`: recurrent programs, under both rules.
//!
//! It proves that a recurrent weight with a bias acts as the rule says: under `leaving-event` the bias acts in the first tick, under
//! `entering-event` from the second on. A neuron that feeds itself, also with no other input, and two that feed each other, are compared state-forced with
//! the definition (see `trial`). So that the law can see a substrate that confuses the rules, the first outputs differ between
//! the rules by construction. A profile that takes no cycles has to refuse them, which is `L0.refusal`.

use crate::bench::Bench;
use crate::law::{Law, if_taken};
use crate::plan::{Plan, PlanNode, What};
use crate::record::{Evidence, Level};
use crate::trial;
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::semantics::Cycle;

pub(super) const LAW: Law = Law {
    id: "L2.cycles",
    title: "in a cycle, the edges that the semantics names carry the previous tick",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: trial::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 40;
    if !bench.profile.takes.cycles {
        evidence.lacking("the profile takes no cycles; that they are refused is L0.refusal");
        return Ok(());
    }
    let home = bench.home()?;
    let (channels, batch) = (bench.channels(3), bench.batch(2));
    let mut chance = bench.chance();
    let neurons = [library::LIF, library::CUBA_LIF, library::IF, library::LI].into_iter().filter(|id| bench.has(id));
    for id in neurons.take(2) {
        for &rule in Cycle::ALL {
            let semantics = home.semantics.with_cycle(rule);
            let weight = (0..channels * channels).map(|i| if i % 2 == 0 { 0.5 } else { -0.25 } / bench.gain()).collect();
            let back = What::Dense { rows: channels, cols: channels, weight, bias: Some(vec![2.0 / bench.gain(); channels]) };
            let mut own = Plan::single(bench.neuron(id, channels), channels, semantics);
            own.nodes[0].from.push(String::from("back"));
            own.nodes.push(PlanNode::new("back", back, "node"));
            let mut mutual = own.clone();
            mutual.nodes.push(PlanNode::new("other", bench.neuron(id, channels), "back"));
            mutual.nodes[0].from = vec![String::from("x"), String::from("other")];
            let mut alone = own.clone();
            alone.nodes.truncate(1);
            alone.nodes[0].from = vec![String::from("node")];
            alone.nodes[0].shape = Some(vec![channels]);
            for (name, plan) in [("itself", own), ("another", mutual), ("itself alone", alone)] {
                if plan.build().is_ok() {
                    let x = bench.drive(&mut chance, TICKS * batch * channels);
                    bench.trial(evidence, &format!("{id} that feeds {name}, {rule}"), &plan, batch, &x)?;
                }
            }
        }
    }
    Ok(())
}
