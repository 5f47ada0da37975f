//! `L0.seed`: runs are repeatable.
//!
//! It proves that the same program with the same seed and input gives the same output and readable state, to the bit, and that a program without random
//! draws does not depend on the seed. It needs a class that repeats itself.

use crate::bench::{Bench, advance};
use crate::checks;
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
    Ok(())
}
