//! `L1.reset-trials`: under noise, a reset forgets every history.
//!
//! It proves that after quiet, after either end of the input range, after noise and after a burst, the first ticks after a reset come from one
//! distribution, and that their mean is that of the program. Histories come in blocks, each once and in random order, so that the trials of a block
//! can be exchanged if a reset forgets: energy distance with 1999 permutations, where every kind of difference shows, and equivalence of the mean
//! of each history within the declared margin, so that little evidence does not pass. A reset does not reset the noise: trials are taken together
//! for ten autocorrelation times, and where the noise is like 1/f a value is what a trial is off the others of its block. A history lasts as long as the
//! program takes to go most of the way to where the upper end leads it, since a slow one would have nothing to forget before. Two stages on fresh data;
//! see `noisy` for the error rates.

use crate::bench::{Bench, narrow};
use crate::chance::Chance;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, MOST, PASS, POWER, Rows, STAGES, Stand, Tally, failing, locate, pace, together};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::{FEWEST, Location, samples};
use crate::statistics::permutation;
use crate::statistics::series::moments;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;

pub(super) const LAW: Law = Law {
    id: "L1.reset-trials",
    title: "under noise, a reset forgets every history",
    level: Level::L1,
    needs: "a class with noise, a declared margin, and a reset",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// Ticks of a history, of a program that is not slower.
const HISTORY: usize = 30;
/// Ticks after a reset that are looked at.
const WINDOW: usize = 4;
/// Histories.
const HISTORIES: usize = 5;
/// Autocorrelation times for which trials are taken together, as batches are.
const LENGTH: f64 = 10.0;
/// More trials that means of few batches take than single ones.
const BATCHED: f64 = 1.44;
/// The fewest and the most trials of a history.
const TRIALS: [usize; 2] = [24, 400];
/// Trials of a history of which distances are taken.
const COMPARED: usize = 60;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let medium = match bench.medium() {
        Ok(medium) => medium,
        Err(why) => {
            evidence.note("not tried", why);
            return Ok(());
        }
    };
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    for (name, program) in bench.subjects()? {
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        let probe = bench.stimuli(stand.inputs, &mut chance).swap_remove(3);
        let (_, design) = bench.pilot(&mut stand, std::slice::from_ref(&probe), &medium)?;
        evidence.note(&format!("design of {name}"), design);
        let lasts = lasting(bench, &program, trials(&design, HISTORY, medium.margin));
        evidence.note(&format!("ticks of a history of {name}"), lasts);
        let trials = trials(&design, lasts, medium.margin);
        if let Some(why) = bench.too_dear(trials * block(lasts), &medium) {
            evidence.note("not tried", why);
            continue;
        }
        match stand.reset() {
            Err(e) if e.kind() == ErrorKind::Unsupported => {
                evidence.note("not tried", format!("it has no reset: {e}"));
                continue;
            }
            other => other?,
        }
        for stage in STAGES {
            let mut order: Vec<usize> = (0..trials).flat_map(|_| 0..HISTORIES).collect();
            order.chunks_mut(HISTORIES).for_each(|block| chance.shuffle(block));
            let mut rows = Rows::default();
            for &history in &order {
                let past = history_of(bench, history, stand.inputs * lasts, &mut chance);
                stand.play(&past, lasts, history, &mut Rows::default())?;
                stand.reset()?;
                stand.hold(&probe, WINDOW, history, &mut rows)?;
            }
            let found = checks(&rows, stand.outputs, (&design, lasts), medium.margin, (1, bench.seed));
            let settled = found.iter().all(|c| c.location == Location::Inside);
            rows.keep(evidence, &format!("{name}/{stage}"), &stand);
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

/// The fewest ticks of a stage.
pub(crate) fn ticks() -> usize {
    TRIALS[0] * block(HISTORY)
}

/// Ticks of a block of trials whose histories last so many.
fn block(lasts: usize) -> usize {
    HISTORIES * (lasts + WINDOW)
}

/// Ticks for which the histories of a program last: those in which its slowest output comes within 1/e of where the upper end of the inputs leads it, as far
/// as so many trials of each have ticks for it.
fn lasting(bench: &Bench<'_>, program: &Program, trials: usize) -> usize {
    let inputs = program.input_channels();
    let [_, high] = bench.alike(inputs);
    let time = pace(program, [&bench.quiet(inputs), &high], 1).unwrap_or(1);
    time.min((MOST / (trials * HISTORIES).max(1)).saturating_sub(WINDOW)).max(HISTORY)
}

/// Trials of a block that are taken together: those of ten autocorrelation times, where blocks are not so long by themselves.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of blocks, held below the most")]
fn batch(design: &Design, lasts: usize) -> usize {
    if design.coloured { 1 } else { (LENGTH * design.tau / block(lasts) as f64).ceil().clamp(1.0, 1e6) as usize }
}

/// How many trials of a history a stage takes.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between the fewest and the most")]
fn trials(design: &Design, lasts: usize, margin: f64) -> usize {
    let needed = if design.sigma > 0.0 { samples(margin / design.sigma, PASS, POWER) } else { Some(0) };
    let needed = match (needed, batch(design, lasts)) {
        (Some(n), 1) => n as f64,
        (Some(n), batch) => (BATCHED * n as f64 * (design.tau / block(lasts) as f64).max(1.0)).max((FEWEST * batch) as f64),
        (None, _) => f64::INFINITY,
    };
    needed.ceil().clamp(TRIALS[0] as f64, TRIALS[1] as f64) as usize
}

fn history_of(bench: &Bench<'_>, history: usize, size: usize, chance: &mut Chance) -> Vec<f32> {
    let [low, high] = bench.span();
    let level = |v: f64| vec![narrow(v, low, high); size];
    match history {
        0 => bench.quiet(size),
        1 => level(high),
        2 => level(low),
        3 => bench.drive(chance, size),
        _ => {
            let mut burst = bench.quiet(size);
            burst[size - size / 3..].fill(narrow(high, low, high));
            burst
        }
    }
}

const NAMES: [&str; HISTORIES] = ["quiet", "the upper rail", "the lower rail", "noise", "a burst"];

struct Check {
    what: String,
    location: Location,
    share: f64,
}

/// The checks of a program, which has its part of so many, with draws from a seed.
fn checks(
    rows: &Rows,
    outputs: usize,
    (design, lasts): (&Design, usize),
    margin: f64,
    (parts, seed): (usize, u64),
) -> Vec<Check> {
    let width = WINDOW * outputs;
    let differences: Vec<Vec<f64>> = (0..outputs).map(|o| rows.differences(outputs, o)).collect();
    // of each history its trials, block by block: ticks of the first output, then of the next
    let mut groups: Vec<Vec<f64>> = vec![Vec::new(); HISTORIES];
    for (trial, window) in rows.stimulus.chunks_exact(WINDOW).enumerate() {
        let Some(history) = (0..HISTORIES).find(|&h| (h as f64).to_bits() == window[0].to_bits()) else { continue };
        differences.iter().for_each(|all| groups[history].extend_from_slice(&all[trial * WINDOW..(trial + 1) * WINDOW]));
    }
    if design.coloured {
        apart(&mut groups);
    }
    let compared: Vec<&[f64]> = groups.iter().map(|g| &g[..g.len().min(COMPARED * width)]).collect();
    let p = permutation::same_in_blocks(&compared, width, seed);
    // half of the share is for this one, which has few p-values
    let location = if p <= failing(2 * parts) { Location::Outside } else { Location::Inside };
    let what = format!("the trials of all histories do not come from one distribution, p = {p:.4}");
    let mut all = vec![Check { what, location, share: 0.0 }];
    let fails = failing(2 * HISTORIES * outputs * parts);
    for (group, history) in groups.iter().zip(NAMES) {
        for output in 0..outputs {
            let own = |trial: &[f64]| moments(&trial[output * WINDOW..(output + 1) * WINDOW]).0;
            let trials: Vec<f64> = group.chunks_exact(width).map(own).collect();
            let values: Vec<f64> = trials.chunks_exact(batch(design, lasts)).map(|batch| moments(batch).0).collect();
            let (location, mean) = locate((values.len() >= FEWEST).then_some(&values), margin, fails);
            let what = format!("after {history} and a reset, output {output} is off by {mean:.3e}, where {margin:.3e} is declared");
            all.push(Check { what, location, share: mean.abs() / margin });
        }
    }
    all
}

/// Takes from each number the mean of those in its place in the other histories of the block, which wander alike.
fn apart(groups: &mut [Vec<f64>]) {
    let (others, least) = (groups.len() as f64 - 1.0, groups.iter().map(Vec::len).min().unwrap_or(0));
    for place in 0..least {
        let sum: f64 = groups.iter().map(|g| g[place]).sum();
        groups.iter_mut().for_each(|g| g[place] -= (sum - g[place]) / others);
    }
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let margin = profile.medium.map_or(f64::NAN, |m| m.margin);
    let seed = evidence.fact("seed").unwrap_or_default();
    let mut tally = Tally::default();
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    for name in &tried {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let Some((rows, outputs)) = stage(STAGES[0]) else {
            return Verdict::error(Rows::missing(name));
        };
        let Some(design) = evidence.fact::<Design>(&format!("design of {name}")) else {
            return Verdict::error(format!("the design of {name} is missing"));
        };
        let lasts = evidence.fact(&format!("ticks of a history of {name}")).unwrap_or(HISTORY);
        let of = |rows: &Rows, outputs: usize| checks(rows, outputs, (&design, lasts), margin, (tried.len(), seed));
        let second = stage(STAGES[1]).map(|(rows, outputs)| of(&rows, outputs));
        for (k, check) in of(&rows, outputs).into_iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k)).map(|c| c.location);
            tally.add(together(check.location, again), check.share, || format!("{name}: {}", check.what));
        }
    }
    tally.verdict(evidence, |checks| format!("nothing of {HISTORIES} histories is left after a reset, by {checks} checks"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Blur, Blurred, Colour};
    use crate::record::Status;
    use crate::suite::{Options, run};
    use isoform_core::medium::Medium;
    use isoform_core::oracle::OracleSubstrate;
    use std::sync::Arc;

    #[test]
    fn slow_noise_about_a_mean_within_the_margin_is_no_alarm() {
        // a reset leaves the noise as it is, and the mean of one stage of it is off by as much as the noise
        let blur = Blur::honest(Colour::Flicker, 0.05, 0.05).with_bias(0.025);
        let substrate = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
        for seed in 0..40 {
            let dossier = run(&substrate, &Options::new().with_seed(seed).with_law(LAW.id)).expect("a run");
            assert_eq!(dossier.outcomes[0].status, Status::Pass, "{seed}: {}", dossier.outcomes[0].reason);
        }
    }

    #[test]
    fn trials_last_for_ten_times_that_of_the_noise() {
        let of = |tau: f64, coloured: bool| {
            let design = Design { tau, sigma: 0.02, coloured, settled: true, ticks: 0, rest: 0 };
            (batch(&design, HISTORY), trials(&design, HISTORY, Medium::new(0.05, 0.02).margin))
        };
        // a block is 170 ticks long, and sixteen batches are the fewest
        assert_eq!([of(1.0, false), of(17.0, false), of(19.0, false), of(400.0, false)], [(1, 24), (1, 24), (2, 32), (24, 384)]);
        assert_eq!(of(400.0, true), (1, 24));
    }
}
