//! `L1.migration`: what was begun here goes on elsewhere, and the other way round.
//!
//! It is tried with every peer that is given, in both directions, on programs with synapses, delay lines and cycles and on random ones,
//! as far as both take them. It proves that a state that one of the two saved after some ticks is taken by the other, which has a
//! history of its own, is kept there up to the rounding of the taker's number format, and is followed by ticks that the definition gives
//! from it. The ticks before are judged as well, so that the state that migrates is itself the one that the definition gives: each
//! half of the run is held to the accuracy of the substrate that did it, in a state-forced comparison (see `trial`).
//!
//! A profile that does not claim memory has to refuse it as unsupported. A peer that has no memory, or does not repeat itself, is noted.

use crate::bench::{Bench, advance};
use crate::chance::Chance;
use crate::checks::answer;
use crate::generate::generate;
use crate::law::{Law, Verdict, if_claimed, repeats};
use crate::plan::Plan;
use crate::record::{Evidence, Level};
use crate::trial::{self, REFUSED};
use isoform_core::error::{ErrorKind, Result};
use isoform_core::profile::Profile;
use isoform_core::session::Blocking;
use isoform_core::state::State;
use isoform_core::substrate::{Run, Substrate};
use std::sync::Arc;

pub(super) const LAW: Law = Law {
    id: "L1.migration",
    title: "a state goes to another substrate and goes on there",
    level: Level::L1,
    needs: "the facet of memory, and a peer that has it too",
    requirement: if_claimed,
    statistical: false,
    measure,
    judge,
};

/// Random programs, as many as both take, out of at most so many.
const PROGRAMS: usize = 6;
const ATTEMPTS: usize = 40;
/// Ticks before the state goes, after it has come, and of what the taker did before.
const BEFORE: usize = 23;
const AFTER: usize = 25;
const OTHER: usize = 7;

/// One end of a migration.
struct End<'a> {
    name: String,
    substrate: &'a dyn Substrate,
    profile: Arc<Profile>,
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    if !bench.profile.facets.memory {
        let mut session = bench.open(&bench.program()?, &Run::new())?;
        evidence.unclaimed("memory", answer(&session.save()));
        return Ok(());
    }
    evidence.note("peers", bench.peers.iter().map(|(name, _)| name).collect::<Vec<_>>());
    let here = End { name: String::from("here"), substrate: bench.substrate, profile: Arc::clone(&bench.profile) };
    let mut chance = bench.chance();
    for (n, (locator, peer)) in bench.peers.iter().enumerate() {
        let there = End { name: format!("peer {} {locator}", n + 1), substrate: peer.as_ref(), profile: peer.profile() };
        if !there.profile.facets.memory || !repeats(there.profile.class) {
            evidence.refuse(REFUSED, &there.name, String::from("it does not save states, or does not repeat itself"));
            continue;
        }
        for (name, plan) in bench.houses()? {
            migrate_both(bench, evidence, (&here, &there), (name, &plan), &mut chance)?;
        }
        let (home, mut tried) = (bench.home()?.semantics, 0);
        for attempt in 0..ATTEMPTS {
            if tried == PROGRAMS {
                break;
            }
            let plan = generate(bench, &mut chance, home);
            if plan.build().is_ok_and(|program| !program.schedule().memory.is_empty()) {
                let name = format!("program {attempt}");
                tried += usize::from(migrate_both(bench, evidence, (&here, &there), (&name, &plan), &mut chance)?);
            }
        }
    }
    Ok(())
}

/// Tries a program in both directions; false if one of the two does not take it.
fn migrate_both(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    (here, there): (&End<'_>, &End<'_>),
    (name, plan): (&str, &Plan),
    chance: &mut Chance,
) -> Result<bool> {
    for (from, to) in [(here, there), (there, here)] {
        let label = format!("{name}, from {} to {}", from.name, to.name);
        if !migrate(bench, evidence, (from, to), (&label, plan), chance)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn migrate(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    (from, to): (&End<'_>, &End<'_>),
    (label, plan): (&str, &Plan),
    chance: &mut Chance,
) -> Result<bool> {
    let program = plan.build()?;
    let batch = [from, to].iter().fold(bench.batch(2), |batch, end| batch.min(end.profile.limits.batch));
    let run = || Run::new().with_batch(batch).with_seed(bench.seed);
    let mut open = |end: &End<'_>| -> Result<Option<Blocking>> {
        match Blocking::open(end.substrate, &program, &run()) {
            Ok(session) => Ok(Some(session)),
            Err(e) if e.kind() == ErrorKind::Unsupported => {
                evidence.refuse(REFUSED, label, e.to_string());
                Ok(None)
            }
            Err(e) => Err(e),
        }
    };
    let (Some(mut first), Some(mut second)) = (open(from)?, open(to)?) else { return Ok(false) };
    let mut drive = |ticks: usize| {
        let mut x = bench.drive(chance, run().input(&program, ticks).len());
        for end in [from, to] {
            let [low, high] = end.profile.limits.input;
            x.iter_mut().for_each(|v| *v = crate::bench::narrow(f64::from(*v).clamp(low, high), low, high));
        }
        x
    };
    let (before, other, after) = (drive(BEFORE), drive(OTHER), drive(AFTER));
    let accuracy = |end: &End<'_>| Some(end.profile.accuracy.clone());
    bench.resume_as(evidence, (&format!("{label}, before"), plan), &mut first, &before, accuracy(from))?;
    let saved = first.save()?;
    evidence.check(format!("{label}: ticks in the saved state"), &[&BEFORE.to_string()], saved.tick.to_string());
    advance(&mut second, &other, OTHER)?;
    let loaded = second.load(&saved);
    evidence.check(format!("{label}: the state is taken"), &["accepted"], answer(&loaded));
    if loaded.is_err() {
        return Ok(true);
    }
    let kept = second.save()?;
    let word = if near(&saved, &kept, &to.profile) { "rounded" } else { "another" };
    evidence.check(format!("{label}: the state, as the taker saves it"), &["rounded"], word);
    bench.resume_as(evidence, (&format!("{label}, after"), plan), &mut second, &after, accuracy(to))?;
    Ok(true)
}

/// Whether a state is another up to the rounding of a number format.
fn near(given: &State, kept: &State, profile: &Profile) -> bool {
    let rounded = |(g, k): (&f64, &f64)| (g - k).abs() <= profile.accuracy.stored(*g).error;
    given.tick == kept.tick
        && given.blocks.len() == kept.blocks.len()
        && given.blocks.iter().zip(&kept.blocks).all(|(g, k)| {
            (&g.node, &g.name) == (&k.node, &k.name)
                && g.values.len() == k.values.len()
                && g.values.iter().zip(&k.values).all(rounded)
        })
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    // where nothing could be tried there are no checks either
    if evidence.fact::<Vec<serde_json::Value>>("trials").is_none() {
        return trial::judge(evidence, profile);
    }
    trial::judge_with_checks(evidence, profile)
}
