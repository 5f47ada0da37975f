//! `L1.instances`: realizations are isolated.
//!
//! It proves that a realization that runs in turns with another one on other input computes what it computes alone, to the bit; that the
//! reset of one leaves the other as it is. Where the profile offers one realization only, its refusal of the second is
//! `L0.two-realizations`, and the run goes on after that refusal as it does alone.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.instances",
    title: "realizations do not share state",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 10;
const TURNS: usize = 5;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let mut chance = bench.chance();
        let size = run.input(&program, TICKS).len();
        let inputs: Vec<Vec<f32>> = (0..2 * TURNS).map(|_| bench.drive(&mut chance, size)).collect();
        let mut alone = Vec::new();
        let mut session = bench.open(&program, &run)?;
        for x in &inputs[..TURNS] {
            alone.extend(advance(&mut session, x, TICKS)?);
        }
        drop(session);
        let mut first = bench.open(&program, &run)?;
        let several = bench.profile.limits.realizations > 1;
        let second = bench.open(&program, &run);
        if !several && second.is_ok() {
            evidence.check("a second realization", &["busy"], "accepted");
        }
        let mut second = second.ok();
        if several && second.is_none() {
            evidence.check("a second realization", &["accepted"], "refused");
        }
        let mut turns = Vec::new();
        for (turn, (x, other)) in inputs[..TURNS].iter().zip(&inputs[TURNS..]).enumerate() {
            turns.extend(advance(&mut first, x, TICKS)?);
            if let Some(second) = &mut second {
                advance(second, other, TICKS)?;
                if turn % 2 == 1 {
                    second.reset()?;
                }
            }
        }
        evidence.twins("in turns with another", [&format!("{name}/alone"), &format!("{name}/in turns")], [&alone, &turns]);
    }
    Ok(())
}
