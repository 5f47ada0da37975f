//! `L1.washout`: what runs on by itself forgets within the declared time.
//!
//! A medium without a reset has a past. It proves that after quiet, after either end of the input range, after noise and after a burst, followed by
//! as many ticks of one input as the profile declares, the outputs come from one distribution: histories follow each other in random order, so
//! that their trials can be exchanged if the past is washed out, and energy distance with 1999 permutations shows every kind of difference.
//! A history lasts as long as the washout, so that whatever is forgotten within it has been taken in as well. Outputs are looked at on the way too,
//! without a verdict, and last at a moment drawn at random, so that the phase of an oscillator, which remembers for as long as it runs, is no history.
//! The last place where histories still differ is told as the lag, and where they do not differ even right after them, the past
//! never showed.

use crate::bench::{Bench, advance, narrow};
use crate::chance::Chance;
use crate::law::{Law, Verdict, if_running};
use crate::noisy::{STAGES, Tally, decisive, failing, together, with_trials};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::Location;
use crate::statistics::permutation;
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.washout",
    title: "what runs on by itself forgets within the declared time",
    level: Level::L1,
    needs: "a class that runs on, and a declared washout",
    requirement: if_running,
    statistical: true,
    measure,
    judge,
};

/// The fewest ticks of a history, and of the outputs that are looked at.
const TICKS: usize = 32;
/// Where outputs are looked at, as parts of the washout; those of a short one overlap, and are left out.
const PLACES: [f64; 4] = [0.0, 0.25, 0.5, 1.0];
/// Histories.
const HISTORIES: usize = 5;
/// Trials of a history.
const TRIALS: usize = 24;
/// Numbers that the outputs of a trial are summed up to for each channel: means over parts of the window.
const PARTS: usize = 4;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let (medium, washout) = match bench.forgetting() {
        Ok(promised) => promised,
        Err(why) => {
            evidence.note("not tried", why);
            return Ok(());
        }
    };
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    for (name, program) in bench.subjects()? {
        let (lasts, looks, places) = (washout.max(TICKS), window(washout), places(washout));
        if let Some(why) = bench.unaffordable(HISTORIES * TRIALS * (lasts + washout + 2 * looks), &medium) {
            evidence.note("not tried", why);
            continue;
        }
        let run = Run::new().with_seed(bench.seed);
        let mut session = bench.open(&program, &run)?;
        let (inputs, outputs) = (program.input_channels(), program.output_channels());
        let [low, high] = bench.span();
        // a medium that bears an input only now and then is left alone
        let rest = if bench.profile.limits.spacing > 1 { 0.0 } else { low + 0.5 * (high - low) };
        let drive = vec![narrow(rest, low, high); inputs];
        for stage in STAGES {
            let mut order: Vec<usize> = (0..HISTORIES).flat_map(|h| std::iter::repeat_n(h, TRIALS)).collect();
            chance.shuffle(&mut order);
            let mut seen = vec![Vec::new(); places.len()];
            for &history in &order {
                advance(&mut session, &past(bench, history, lasts, inputs, &mut chance), lasts)?;
                let mut at = 0;
                for (k, (place, seen)) in places.iter().zip(&mut seen).enumerate() {
                    // the phase of what oscillates by itself is nobody's to promise, and is taken at random
                    let later = if k + 1 == places.len() { chance.below(1 + washout / 4) } else { 0 };
                    let waits = place - at + later;
                    advance(&mut session, &drive.repeat(waits), waits)?;
                    seen.extend(summed(&advance(&mut session, &drive.repeat(looks), looks)?, outputs));
                    at = place + looks;
                }
            }
            let order: Vec<f64> = order.into_iter().map(|h| h as f64).collect();
            let settled = seen.last().is_some_and(|late| p_value(&order, late, bench.seed) > failing(1));
            let shape = [order.len(), PARTS * outputs];
            evidence.keep(&format!("{name}/{stage}/history"), "1", &shape[..1], order);
            for (place, seen) in places.iter().zip(seen) {
                evidence.keep(&format!("{name}/{stage}/after {place}"), "1", &shape, seen);
            }
            if settled {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("seed", bench.seed);
    evidence.note("tried", tried);
    Ok(())
}

/// The fewest ticks of a stage on a medium with a washout.
pub(crate) fn ticks(washout: usize) -> usize {
    washout.max(TICKS).saturating_add(washout).saturating_add(window(washout)).saturating_mul(HISTORIES * TRIALS)
}

/// Ticks of the outputs that are looked at: a part of the time in which the medium forgets, so that a window spans what it does in that time, such as
/// periods of an oscillator or spikes.
fn window(washout: usize) -> usize {
    TICKS.max(washout / 4)
}

/// The ticks after a history from which outputs are looked at, the washout last.
fn places(washout: usize) -> Vec<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a number of ticks")]
    let mut found: Vec<usize> = PLACES.iter().map(|part| (part * washout as f64) as usize).collect();
    found.dedup_by(|next, before| *next < *before + window(washout));
    if found.last().is_some_and(|last| *last < washout) {
        // what is judged stays
        found.pop();
        found.push(washout);
    }
    found
}

fn past(bench: &Bench<'_>, history: usize, ticks: usize, inputs: usize, chance: &mut Chance) -> Vec<f32> {
    let [low, high] = bench.span();
    match history {
        0 => bench.pulses(ticks, inputs, || 0.0_f64.clamp(low, high)),
        1 => bench.pulses(ticks, inputs, || high),
        2 => bench.pulses(ticks, inputs, || low),
        3 => bench.pulses(ticks, inputs, || chance.within(low, high)),
        _ => {
            let burst = bench.pulses(TICKS / 3, inputs, || high);
            [bench.pulses(ticks - TICKS / 3, inputs, || 0.0_f64.clamp(low, high)), burst].concat()
        }
    }
}

/// Means of parts of a window, for each channel.
fn summed(y: &[f32], outputs: usize) -> Vec<f64> {
    let part = y.len() / PARTS;
    let mean = |part: &[f32], output: usize| {
        let own = part.iter().skip(output).step_by(outputs.max(1));
        own.clone().map(|&v| f64::from(v)).sum::<f64>() / own.count().max(1) as f64
    };
    y.chunks_exact(part.max(1)).take(PARTS).flat_map(|part| (0..outputs).map(move |o| mean(part, o))).collect()
}

fn p_value(order: &[f64], trials: &[f64], seed: u64) -> f64 {
    let width = trials.len() / order.len().max(1);
    let groups: Vec<Vec<f64>> = (0..HISTORIES)
        .map(|history| {
            let own = order.iter().zip(trials.chunks_exact(width.max(1))).filter(|(o, _)| o.to_bits() == (history as f64).to_bits());
            own.flat_map(|(_, row)| row.iter().copied()).collect()
        })
        .collect();
    let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
    permutation::same(&groups, width, seed)
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let washout = profile.medium.and_then(|m| m.washout).unwrap_or_default();
    let places = places(washout.min(1 << 20) as usize);
    let seed = evidence.fact("seed").unwrap_or_default();
    let mut tally = Tally::default();
    let (mut least, mut before, mut lag) = (1.0_f64, 1.0_f64, None);
    let tried = evidence.fact::<Vec<String>>("tried").unwrap_or_default();
    let fails = failing(tried.len());
    for name in tried {
        let p = |stage: &str, place: usize| {
            let part = |what: &str| evidence.sample(&format!("{name}/{stage}/{what}")).map(|s| s.values.as_slice());
            let order = part("history").filter(|order| order.len() == HISTORIES * TRIALS)?;
            Some(p_value(order, part(&format!("after {place}"))?, seed))
        };
        let Some(mut found) = places.iter().map(|&place| p(STAGES[0], place)).collect::<Option<Vec<f64>>>() else {
            return Verdict::error(format!("the records of {name} are missing or do not fit"));
        };
        let again = places.last().and_then(|&place| p(STAGES[1], place));
        let first = found.last().copied().unwrap_or(1.0);
        if let Some(last) = found.last_mut() {
            *last = decisive(first, again);
            least = least.min(*last);
        }
        before = before.min(found[0]);
        let mut shows = places.iter().zip(&found).filter(|(_, p)| **p <= fails).map(|(place, _)| *place);
        lag = lag.max(shows.next_back());
        let locate = |p: f64| if p <= fails { Location::Outside } else { Location::Inside };
        tally.add(together(locate(first), again.map(locate)), 0.0, || {
            format!("{name}: {washout} ticks after a history it still shows, p = {first:.4} and again {:.4}", again.unwrap_or(first))
        });
    }
    let told = lag.map_or_else(|| String::from("not even right after them"), |lag| format!("the last of it {lag} ticks after them"));
    let mut verdict = tally
        .verdict(evidence, |_| format!("{washout} ticks after five histories nothing of them shows, p = {least:.3}; {told}"))
        .with_figure("p-value after the declared washout", least, "1")
        .with_figure("p-value right after a history", before, "1");
    if let Some(lag) = lag {
        verdict = verdict.with_figure("lag: ticks after a history at which it still shows", lag as f64, "1");
    }
    with_trials(verdict, [TRIALS, HISTORIES * TRIALS], HISTORIES, fails)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_looked_at_without_overlap_and_at_the_washout_last() {
        for (washout, wanted) in [
            (0, vec![0]),
            (2, vec![2]),
            (40, vec![0, 40]),
            (60, vec![0, 60]),
            (200, vec![0, 50, 100, 200]),
            (8400, vec![0, 2100, 4200, 8400]),
        ] {
            assert_eq!(places(washout), wanted, "{washout}");
        }
    }
}
