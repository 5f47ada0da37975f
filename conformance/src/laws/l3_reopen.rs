//! `L3.reopen`: a long run leaves nothing behind.
//!
//! It proves that after 200 000 ticks a realization can be closed and opened again, and then computes what a fresh one computed before the
//! run, to the bit.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L3.reopen",
    title: "after a long run it can be opened again and is as new",
    level: Level::L3,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const CHUNK: usize = 4000;
    const CHUNKS: usize = 50;
    let program = bench.program()?;
    let run = Run::new().with_seed(bench.seed);
    let row = program.input_channels();
    let x = bench.drive(&mut bench.chance(), CHUNK * row);
    let probe = &x[..100 * row];
    let before = advance(&mut bench.open(&program, &run)?, probe, 100)?;
    let mut session = bench.open(&program, &run)?;
    for _ in 0..CHUNKS {
        advance(&mut session, &x, CHUNK)?;
    }
    drop(session);
    let after = advance(&mut bench.open(&program, &run)?, probe, 100)?;
    evidence.twins("before and after a long run", ["before", "after"], [&before, &after]);
    Ok(())
}
