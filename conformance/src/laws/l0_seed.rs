//! `L0.seed`: runs are repeatable.
//!
//! It proves that the same program with the same seed and input gives the same output and readable state, to the bit, and that a program without random
//! draws does not depend on the seed. Of a profile that takes any transfer function it proves, for one that draws, that outputs and states are
//! those of the definition with the draws of the framework, within the bounds of a state-forced comparison (see `trial`), that another seed
//! gives others, and that a loaded state goes on with the draws of its tick. It needs a class that repeats itself.

use crate::bench::{Bench, advance};
use crate::drawn;
use crate::law::{Law, if_repeatable};
use crate::plan::{Plan, PlanNode, What};
use crate::record::{Evidence, Level};
use crate::trial::{self, flat};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.seed",
    title: "the seed determines everything that is drawn",
    level: Level::L0,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: trial::judge_with_trials,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 40;
    let program = bench.program()?;
    let run = Run::new().with_batch(bench.batch(2));
    let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
    for (name, seed) in [("first", bench.seed), ("again", bench.seed), ("other", !bench.seed)] {
        let mut session = bench.open(&program, &run.clone().with_seed(seed))?;
        let y = advance(&mut session, &x, TICKS)?;
        evidence.keep_single(&format!("{name} output"), "1", &[y.len()], &y);
        let state = if bench.profile.facets.memory { flat(&session.save()?) } else { Vec::new() };
        evidence.keep(&format!("{name} state"), "1", &[state.len()], state);
    }
    for what in ["output", "state"] {
        let [first, again, other] = ["first", "again", "other"].map(|name| format!("{name} {what}"));
        evidence.pair("the same seed", [&first, &again]);
        evidence.pair("another seed, in a program without draws", [&first, &other]);
    }
    if bench.has(drawn::ID) { draws(bench, evidence) } else { Ok(()) }
}

/// Two nodes that draw, one behind the other.
fn draws(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 20;
    let what = || What::Neuron { function: drawn::ID.to_owned(), parameters: Vec::new() };
    let channels = bench.channels(3);
    let mut plan = Plan::single(what(), channels, bench.home()?.semantics);
    plan.nodes.push(PlanNode::new("second", what(), "node"));
    plan.outputs[0].1 = vec![String::from("second")];
    let Ok(program) = plan.build() else { return Ok(()) };
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
    // without a readable state no bound covers the draws
    if !bench.profile.facets.memory || !bench.trial(evidence, "draws", &plan, run.batch, &x)? {
        return Ok(());
    }
    let play = |seed: u64| advance(&mut bench.open(&program, &run.clone().with_seed(seed))?, &x, TICKS);
    let (first, again, other) = (play(bench.seed)?, play(bench.seed)?, play(!bench.seed)?);
    evidence.twins("draws of the same seed", ["drawn", "drawn again"], [&first, &again]);
    let differ = first.iter().zip(&other).filter(|(a, b)| a != b).count();
    evidence.keep_single("drawn from another seed", "1", &[other.len()], &other);
    evidence.check("draws of another seed", &["others"], if 2 * differ > first.len() { "others" } else { "mostly the same" });
    let mut session = bench.open(&program, &run)?;
    advance(&mut session, &x, TICKS)?;
    let saved = session.save()?;
    let onward = advance(&mut session, &x, TICKS)?;
    drop(session);
    let mut session = bench.open(&program, &run)?;
    session.load(&saved)?;
    let loaded = advance(&mut session, &x, TICKS)?;
    evidence.twins("draws after a load", ["drawn on", "drawn after a load"], [&onward, &loaded]);
    Ok(())
}
