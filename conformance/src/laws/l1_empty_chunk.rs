//! `L1.empty-chunk`: an advance by no ticks is nothing.
//!
//! It proves that an advance by no ticks is accepted in every form of signal, reports no ticks, and leaves the state as it is: the run goes
//! on as that of an undisturbed twin, to the bit.

use crate::bench::{Bench, advance};
use crate::checks::{self, answer};
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.empty-chunk",
    title: "no ticks change nothing",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: checks::judge,
};

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 20;
    let program = bench.program()?;
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let size = run.input(&program, TICKS).len();
    let mut chance = bench.chance();
    let [first, second] = [bench.drive(&mut chance, size), bench.drive(&mut chance, size)];
    let mut twin = bench.open(&program, &run)?;
    let undisturbed = [advance(&mut twin, &first, TICKS)?, advance(&mut twin, &second, TICKS)?].concat();
    drop(twin);
    let mut session = bench.open(&program, &run)?;
    let held = vec![bench.span()[1] as f32; run.input(&program, 1).len()];
    let mut counts = vec![7; run.output(&program, 1).len()];
    let mut nothing = |session: &mut isoform_core::session::Blocking, when: &str| {
        let blocks = [
            ("a dense block", session.advance(Signal::Dense(&[]), SignalMut::Dense(&mut []), 0)),
            ("a held row", session.advance(Signal::Held(&held), SignalMut::Dense(&mut []), 0)),
            ("a list of events", session.advance(Signal::Events(&[]), SignalMut::Bits(&mut []), 0)),
            ("counts", session.advance(Signal::Dense(&[]), SignalMut::Counts(&mut counts), 0)),
        ];
        for (form, result) in blocks {
            let ticks = result.as_ref().map_or_else(|_| answer(&result), |r| r.ticks.to_string());
            evidence.check(format!("ticks of an empty advance with {form}, {when}"), &["0"], ticks);
        }
    };
    nothing(&mut session, "before the first tick");
    let before = advance(&mut session, &first, TICKS)?;
    nothing(&mut session, "in between");
    let after = advance(&mut session, &second, TICKS)?;
    evidence.check(
        "counts after no ticks",
        &["as they were"],
        if counts.iter().all(|&c| c == 7) { "as they were" } else { "changed" },
    );
    evidence.twins("with empty advances in between", ["disturbed", "undisturbed"], [&[before, after].concat(), &undisturbed]);
    Ok(())
}
