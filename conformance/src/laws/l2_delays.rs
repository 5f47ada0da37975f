//! `L2.delays`: lines of past inputs.
//!
//! It proves that delays of whole ticks, different in each channel and nought among them, and late inputs of a neuron give each value back in
//! its tick and bit by bit, and that what lies in a line is part of the state. Values pass through a delay unchanged, so that the
//! tolerance of a state-forced comparison is nought.

use crate::bench::{Bench, DT};
use crate::law::{Law, if_taken};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use crate::trial;
use isoform_core::error::Result;

pub(super) const LAW: Law = Law {
    id: "L2.delays",
    title: "delays last as many ticks as they say",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: trial::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 40;
    let home = bench.home()?;
    let (channels, batch) = (bench.channels(4), bench.batch(2));
    let mut chance = bench.chance();
    let mut plans = Vec::new();
    if bench.has("delay") {
        let seconds = (0..channels).map(|c| DT * [3.0, 0.0, 7.0, 1.0][c % 4]).collect();
        plans.push(("delays of 3, 0, 7 and 1 ticks", Plan::single(What::Delay { seconds }, channels, home.semantics)));
        let seconds = vec![DT * 5.4];
        plans.push(("a delay of 5.4 ticks, which is 5", Plan::single(What::Delay { seconds }, channels, home.semantics)));
    }
    for ticks in [1, 4] {
        let late = home.clone().with_semantics(home.semantics.with_input_delay(ticks));
        if late.build().is_ok() {
            plans.push((if ticks == 1 { "an input that is late by 1" } else { "an input that is late by 4" }, late));
        }
    }
    for (name, plan) in plans {
        let x = bench.drive(&mut chance, TICKS * batch * plan.inputs[0].1[0]);
        bench.trial(evidence, name, &plan, batch, &x)?;
    }
    Ok(())
}
