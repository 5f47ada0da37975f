//! `L2.causality`: no output knows the future.
//!
//! It proves that other input from some tick on leaves every earlier output as it was, to the bit, inside one chunk and at any place of it.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.causality",
    title: "an output depends on nothing that comes after it",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 64;
    let mut chance = bench.chance();
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let (row, width) = (run.input(&program, 1).len(), run.output(&program, 1).len());
        let x = bench.drive(&mut chance, row * TICKS);
        let base = advance(&mut bench.open(&program, &run)?, &x, TICKS)?;
        for at in [1, 2, 3, 7, 8, 9, 31, 32, 33, 50, 62, 63] {
            let mut other = x.clone();
            other[at * row..].copy_from_slice(&bench.drive(&mut chance, (TICKS - at) * row));
            let y = advance(&mut bench.open(&program, &run)?, &other, TICKS)?;
            let names = [format!("{name}/up to {at}"), format!("{name}/up to {at}, other future")];
            let pair = [&base[..at * width], &y[..at * width]];
            evidence.twins(format!("outputs before tick {at}, from which the input is another"), [&names[0], &names[1]], pair);
        }
    }
    Ok(())
}
