//! `L0.seed`: runs are repeatable.
//!
//! It proves that the same program with the same seed and input gives the same output and readable state, to the bit, and that a program
//! without random draws does not depend on the seed. Of a profile that takes any transfer function it proves, for one that draws, that
//! the same seed gives the same, that another gives others, and that a loaded state goes on with the draws of its tick. That the draws are
//! those of the definition is `L2.functions`. It needs a class that repeats itself.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::drawn;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use crate::trial::flat;
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
    judge: checks::judge,
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
    draws(bench, evidence)
}

fn draws(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 20;
    let Some(plan) = drawn::plan(bench)? else { return Ok(()) };
    let program = plan.build()?;
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
    // that it is refused is told by L2.functions
    if bench.try_open(&program, &run)?.is_err() {
        return Ok(());
    }
    let play = |seed: u64| advance(&mut bench.open(&program, &run.clone().with_seed(seed))?, &x, TICKS);
    let (first, again, other) = (play(bench.seed)?, play(bench.seed)?, play(!bench.seed)?);
    evidence.twins("draws of the same seed", ["drawn", "drawn again"], [&first, &again]);
    let differ = first.iter().zip(&other).filter(|(a, b)| a != b).count();
    evidence.keep_single("drawn from another seed", "1", &[other.len()], &other);
    evidence.check("draws of another seed", &["others"], if 2 * differ > first.len() { "others" } else { "mostly the same" });
    if !bench.profile.facets.memory {
        return Ok(());
    }
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
