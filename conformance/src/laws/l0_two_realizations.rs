//! `L0.two-realizations`: the promised number of realizations exists.
//!
//! It proves that two realizations are open at once if the profile offers more than one; that otherwise the second is refused as busy, the
//! first goes on undisturbed, and the place is free again after the first is closed. That two do not share state is
//! `L1.instances`. Answers are compared, so that no tolerance is involved.

use crate::bench::{Bench, advance};
use crate::checks::{self, answer};
use crate::law::{Law, always};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.two-realizations",
    title: "two programs run at once, or the second is refused as busy",
    level: Level::L0,
    needs: "a program that the profile admits",
    requirement: always,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 4;
    let program = bench.program()?;
    let run = Run::new();
    let x = bench.drive(&mut bench.chance(), run.input(&program, TICKS).len());
    let mut first = bench.open(&program, &run)?;
    advance(&mut first, &x, TICKS)?;
    let second = bench.open(&program, &run);
    let several = bench.profile.limits.realizations > 1;
    evidence.check("a second realization", &[if several { "accepted" } else { "busy" }], answer(&second));
    evidence.check("the first goes on", &["accepted"], answer(&advance(&mut first, &x, TICKS)));
    if let Ok(mut second) = second {
        evidence.check("the second runs", &["accepted"], answer(&advance(&mut second, &x, TICKS)));
    }
    drop(first);
    evidence.check("another one after the first is closed", &["accepted"], answer(&bench.open(&program, &run)));
    Ok(())
}
