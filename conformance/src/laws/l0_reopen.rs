//! `L0.reopen`: closing leaves nothing behind.
//!
//! It proves that a program that is opened, run, closed and opened again computes the same from the same input, to the bit. It needs
//! a substrate that repeats itself.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.reopen",
    title: "a program that is closed and opened again computes the same",
    level: Level::L0,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 40;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let plan = bench.home()?;
    evidence.note("plan", &plan);
    let program = plan.build()?;
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
    evidence.keep_single("x", "1", &[x.len()], &x);
    let mut results = Vec::new();
    for _ in 0..3 {
        let mut session = bench.open(&program, &run)?;
        results.push(advance(&mut session, &x, TICKS)?);
    }
    let [first, second, third] = [&results[0], &results[1], &results[2]].map(Vec::as_slice);
    evidence.twins("after opening again", ["first", "second"], [first, second]);
    evidence.twins("after opening again twice", ["first", "third"], [first, third]);
    Ok(())
}
