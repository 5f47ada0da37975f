//! `L0.bad-input`: a refused call has no effect.
//!
//! It proves that blocks of a wrong size, numbers that are not finite or out of range, events out of order and states of another program
//! are refused as an invalid signal, and that what is computed afterwards equals what an undisturbed twin computes. Signals are
//! handed to the session, since a substrate may assume valid input; states also go to the facet itself, which promises to check them.
//! Comparison with the twin is to the bit and is left out for classes that do not repeat themselves.

use crate::bench::{Bench, advance};
use crate::checks::{self, answer};
use crate::law::{Law, always, repeats};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::executor::block_on;
use isoform_core::profile::OutOfRange;
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.bad-input",
    title: "a call that does not fit is refused with a typed error and changes nothing",
    level: Level::L0,
    needs: "a program that the profile admits",
    requirement: always,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 6;

/// Calls that must be refused, by name.
#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn disturb(bench: &Bench<'_>, session: &mut Blocking, good: &[f32], evidence: &mut Evidence) {
    let outputs = {
        let s = session.session();
        s.run().output(s.program(), TICKS).len()
    };
    let mut y = vec![0.0; outputs];
    let mut try_dense = |session: &mut Blocking, what: &str, x: &[f32], y: &mut [f32]| {
        let result = session.advance(Signal::Dense(x), SignalMut::Dense(y), TICKS);
        evidence.check(what, &["invalid signal"], answer(&result));
    };
    if good.is_empty() {
        // what takes no input knows no bad one but one too many
        try_dense(session, "an input that is too long", &[0.0], &mut y);
        return;
    }
    try_dense(session, "an input that is too short", &good[1..], &mut y);
    try_dense(session, "an input that is too long", &[good, &[0.0]].concat(), &mut y);
    try_dense(session, "an output that is too short", good, &mut y[1..]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = good.to_vec();
        let last = x.len() - 1;
        x[last] = bad;
        try_dense(session, &format!("an input that holds {bad}"), &x, &mut y);
    }
    let limits = bench.profile.limits;
    let [low, high] = limits.input.map(|v| v as f32);
    let beyond = [low - low.abs() * 1e-3 - 1e-3, high + high.abs() * 1e-3 + 1e-3];
    for v in beyond.into_iter().filter(|v| v.is_finite() && limits.out_of_range == OutOfRange::Refuse) {
        let mut x = good.to_vec();
        x[0] = v;
        try_dense(session, &format!("an input of {v}, out of range"), &x, &mut y);
    }
    let held = session.advance(Signal::Held(&[]), SignalMut::Dense(&mut y), TICKS);
    evidence.check("a held input of no channels", &["invalid signal"], answer(&held));
    let event = |tick: u32, channel: u32| Event { tick, batch: 0, channel, value: bench.span()[1] as f32 };
    for (what, events) in [
        ("events out of order", vec![event(3, 0), event(1, 0)]),
        ("an event after the end", vec![event(u32::MAX, 0)]),
        ("an event in a channel that does not exist", vec![event(0, u32::MAX)]),
    ] {
        let result = session.advance(Signal::Events(&events), SignalMut::Dense(&mut y), TICKS);
        evidence.check(what, &["invalid signal"], answer(&result));
    }
    let counts = session.advance(Signal::Dense(good), SignalMut::Counts(&mut []), TICKS);
    evidence.check("counts of no channels", &["invalid signal"], answer(&counts));
}

/// States that must be refused, by the session and by the facet itself.
fn disturb_memory(session: &mut Blocking, evidence: &mut Evidence) -> Result<()> {
    let good = session.save()?;
    let stranger = State { program: good.program.chars().rev().collect(), ..good.clone() };
    let wider = State { batch: good.batch + 1, ..good.clone() };
    let mut shorter = good.clone();
    shorter.blocks.truncate(good.blocks.len().saturating_sub(1));
    let newer = State { format: good.format + 1, ..good.clone() };
    let mut bad = vec![("of another program", stranger), ("of more lanes", wider), ("of another format", newer)];
    if !good.blocks.is_empty() {
        bad.push(("without a block", shorter));
    }
    for (what, state) in bad {
        evidence.check(format!("a state {what}"), &["invalid signal"], answer(&session.load(&state)));
        if let Some(memory) = session.session_mut().realization().memory() {
            let result = block_on(memory.load(&state));
            evidence.check(format!("a state {what}, given to the facet"), &["invalid signal"], answer(&result));
        }
    }
    let same = if session.save()? == good { "the same" } else { "another" };
    evidence.check("the state after all refusals", &["the same"], same);
    Ok(())
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
    let size = run.input(&program, TICKS).len();
    let mut chance = bench.chance();
    let [first, second] = [bench.drive(&mut chance, size), bench.drive(&mut chance, size)];
    let twin = {
        let mut session = bench.open(&program, &run)?;
        [advance(&mut session, &first, TICKS)?, advance(&mut session, &second, TICKS)?].concat()
    };
    let mut session = bench.open(&program, &run)?;
    let before = advance(&mut session, &first, TICKS)?;
    disturb(bench, &mut session, &second, evidence);
    if bench.profile.facets.memory {
        disturb_memory(&mut session, evidence)?;
    }
    let after = advance(&mut session, &second, TICKS)?;
    if repeats(bench.profile.class) {
        evidence.twins("refused calls have no effect", ["disturbed", "undisturbed"], [&[before, after].concat(), &twin]);
    }
    Ok(())
}
