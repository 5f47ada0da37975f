//! `L1.split`: `advance(a ++ b)` equals `advance(a); advance(b)`.
//!
//! It proves that ragged random splits of a run, pieces of one tick and pieces of none among them, give the output of the whole, to
//! the bit: nothing is lost, doubled or stale at the edge of a chunk. The reference is the whole run in one advance.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.split",
    title: "a run in pieces is the run as a whole",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 193;
const SPLITS: usize = 8;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut chance = bench.chance();
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(3)).with_seed(bench.seed);
        let row = run.input(&program, 1).len();
        let x = bench.drive(&mut chance, row * TICKS);
        let whole = advance(&mut bench.open(&program, &run)?, &x, TICKS)?;
        for split in 0..SPLITS {
            let longest = [1, 2, 3, 5, 8, 17, 64, 100][split % 8];
            let mut session = bench.open(&program, &run)?;
            let (mut y, mut at, mut cuts) = (Vec::new(), 0, Vec::new());
            while at < TICKS {
                let ticks = if split == 0 { 1 } else { chance.below(longest + 1).min(TICKS - at) };
                y.extend(advance(&mut session, &x[at * row..(at + ticks) * row], ticks)?);
                at += ticks;
                cuts.push(ticks);
            }
            evidence.note(&format!("{name}: split {split}"), cuts);
            evidence.twins("a run in pieces", [&format!("{name}/whole"), &format!("{name}/split {split}")], [&whole, &y]);
        }
    }
    Ok(())
}
