//! `L1.reset-histories`: a reset forgets.
//!
//! It proves that after quiet, after either end of the input range, after noise and after a burst, a reset leaves nothing of it: the same
//! probe gives the same output, to the bit, as on a fresh realization, in every channel and lane, and a readable state is the initial one.

use crate::bench::{Bench, advance, narrow};
use crate::checks;
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.reset-histories",
    title: "a reset forgets every history",
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
        let size = run.input(&program, TICKS).len();
        let mut chance = bench.chance();
        let probe = bench.drive(&mut chance, size);
        let fresh = advance(&mut bench.open(&program, &run)?, &probe, TICKS)?;
        let [low, high] = bench.span();
        let level = |v: f64| vec![narrow(v, low, high); size];
        let mut burst = level(0.0_f64.clamp(low, high));
        burst[size - size / 3..].fill(narrow(high, low, high));
        let histories = [
            ("quiet", level(0.0_f64.clamp(low, high))),
            ("the upper rail", level(high)),
            ("the lower rail", level(low)),
            ("noise", bench.drive(&mut chance, size)),
            ("a burst", burst),
        ];
        let mut session = bench.open(&program, &run)?;
        for (history, x) in histories {
            advance(&mut session, &x, TICKS)?;
            session.reset()?;
            bench.note_initial(evidence, &mut session, &format!("{name} after {history} and a reset"))?;
            let again = advance(&mut session, &probe, TICKS)?;
            evidence.twins(
                format!("the probe after {history} and a reset"),
                [&format!("{name}/fresh"), &format!("{name}/after {history}")],
                [&fresh, &again],
            );
            session.reset()?;
        }
    }
    Ok(())
}
