//! `L3.endurance`: no drift in a million ticks.
//!
//! It proves that along 10⁶ ticks, at sampled places up to the last, single ticks are those of the definition, state-forced (see `trial`), and
//! that a fresh realization which is given the state of that place gives the same bits for the ticks that follow: age alone changes
//! nothing. Without a readable state, a reset at the end has to give what it gave at the beginning.

use crate::bench::{Bench, advance};
use crate::law::{Law, if_repeatable};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L3.endurance",
    title: "after a million ticks it computes as in the first",
    level: Level::L3,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: crate::trial::judge_with_checks,
};

const TICKS: usize = 1_000_000;
const CHUNK: usize = 2000;
const PROBE: usize = 64;
/// Places at which it is looked at, in chunks: more often at the beginning, and at the end.
const PLACES: [usize; 12] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 499];

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut plan = bench.home()?;
    if let crate::plan::What::Neuron { function, .. } = &plan.nodes[0].what {
        plan = crate::plan::Plan::single(bench.neuron(function, 1), 1, plan.semantics);
    }
    let program = plan.build()?;
    let run = Run::new().with_seed(bench.seed);
    let row = program.input_channels();
    let mut chance = bench.chance();
    let x = bench.drive(&mut chance, CHUNK * row);
    let probe = bench.drive(&mut chance, PROBE * row);
    let mut session = bench.open(&program, &run)?;
    let first = advance(&mut session, &probe, PROBE)?;
    session.reset()?;
    let forced = bench.profile.facets.memory;
    let mut passed = 0;
    for chunk in 0..TICKS / CHUNK {
        advance(&mut session, &x, CHUNK)?;
        passed += CHUNK;
        if !forced || !PLACES.contains(&chunk) {
            continue;
        }
        let place = format!("after {passed} ticks");
        let state = session.save()?;
        evidence.check(format!("the number of the tick {place}"), &[&passed.to_string()], state.tick.to_string());
        let old = advance(&mut session, &probe, PROBE)?;
        let young = if bench.profile.limits.realizations > 1 {
            let mut young = bench.open(&program, &run)?;
            young.load(&state)?;
            advance(&mut young, &probe, PROBE)?
        } else {
            old.clone()
        };
        evidence.twins(
            format!("{place}, and from the same state when fresh"),
            [&format!("{place}/old"), &format!("{place}/young")],
            [&old, &young],
        );
        session.load(&state)?;
        bench.resume(evidence, &place, &plan, &mut session, &probe[..4 * row])?;
        session.load(&state)?;
    }
    session.reset()?;
    let last = advance(&mut session, &probe, PROBE)?;
    evidence.note("ticks", passed);
    evidence.check("ticks that passed", &[&TICKS.to_string()], passed.to_string());
    evidence.twins("after a reset, at the beginning and at the end", ["beginning", "end"], [&first, &last]);
    if !forced {
        bench.trial(evidence, "a fresh one after the long run", &plan, 1, &probe)?;
    }
    Ok(())
}
