//! `L1.reset`: reset is idempotent.
//!
//! It proves that after a reset the substrate computes what it computed when it was opened, to the bit, after two resets in a row as after
//! one, and that a readable state is then the initial one that the program declares.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.reset",
    title: "a reset gives the initial state, and a second one changes nothing",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 30;
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
        let mut session = bench.open(&program, &run)?;
        let fresh = advance(&mut session, &x, TICKS)?;
        session.reset()?;
        bench.note_initial(evidence, &mut session, &format!("{name} after a reset"))?;
        let once = advance(&mut session, &x, TICKS)?;
        session.reset()?;
        session.reset()?;
        bench.note_initial(evidence, &mut session, &format!("{name} after two resets"))?;
        let twice = advance(&mut session, &x, TICKS)?;
        let names = ["fresh", "once", "twice"].map(|n| format!("{name}/{n}"));
        evidence.twins("after a reset", [&names[0], &names[1]], [&fresh, &once]);
        evidence.twins("after two resets", [&names[0], &names[2]], [&fresh, &twice]);
    }
    Ok(())
}
