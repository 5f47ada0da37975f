//! `L1.reset-trials`: under noise, a reset forgets every history.
//!
//! It proves that after quiet, after either end of the input range, after noise and after a burst, the first ticks after a reset come from one
//! distribution, and that their mean is that of the program. Histories follow each other in random order, so that the trials of all of them can
//! be exchanged if a reset forgets: energy distance with 1999 permutations, where every kind of difference shows, and equivalence of the mean of
//! each history within the declared margin, so that little evidence does not pass. Two stages on fresh data; see `noisy` for the error rates.

use crate::bench::{Bench, narrow};
use crate::chance::Chance;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{PASS, Rows, STAGES, Stand, Tally, failing, locate, together};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::{Location, samples};
use crate::statistics::permutation;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::profile::Profile;

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

/// Ticks of a history.
const HISTORY: usize = 30;
/// Ticks after a reset that are looked at.
const WINDOW: usize = 4;
/// Histories.
const HISTORIES: usize = 5;
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
        let needed = if design.sigma > 0.0 { samples(medium.margin / design.sigma, PASS, 0.95) } else { Some(0) };
        let trials = needed.unwrap_or(TRIALS[1]).clamp(TRIALS[0], TRIALS[1]);
        if let Some(why) = bench.too_dear(trials * HISTORIES * (HISTORY + WINDOW), &medium) {
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
            let mut order: Vec<usize> = (0..HISTORIES).flat_map(|h| std::iter::repeat_n(h, trials)).collect();
            chance.shuffle(&mut order);
            let mut rows = Rows::default();
            for &history in &order {
                let past = history_of(bench, history, stand.inputs, &mut chance);
                stand.play(&past, HISTORY, history, &mut Rows::default())?;
                stand.reset()?;
                stand.hold(&probe, WINDOW, history, &mut rows)?;
            }
            let settled = checks(&rows, stand.outputs, medium.margin, bench.seed).iter().all(|c| c.location == Location::Inside);
            rows.keep(evidence, &format!("{name}/{stage}"), stand.outputs);
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

fn history_of(bench: &Bench<'_>, history: usize, inputs: usize, chance: &mut Chance) -> Vec<f32> {
    let [low, high] = bench.span();
    let size = inputs * HISTORY;
    let level = |v: f64| vec![narrow(v, low, high); size];
    match history {
        0 => level(0.0_f64.clamp(low, high)),
        1 => level(high),
        2 => level(low),
        3 => bench.drive(chance, size),
        _ => {
            let mut burst = level(0.0_f64.clamp(low, high));
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

fn checks(rows: &Rows, outputs: usize, margin: f64, seed: u64) -> Vec<Check> {
    let fails = failing(HISTORIES * outputs + 1);
    let differences: Vec<Vec<f64>> = (0..outputs).map(|o| rows.differences(outputs, o)).collect();
    let width = WINDOW * outputs;
    let mut groups: Vec<Vec<f64>> = vec![Vec::new(); HISTORIES];
    let mut means: Vec<Vec<f64>> = vec![Vec::new(); HISTORIES * outputs];
    for (trial, window) in rows.stimulus.chunks_exact(WINDOW).enumerate() {
        let Some(history) = (0..HISTORIES).find(|&h| (h as f64).to_bits() == window[0].to_bits()) else { continue };
        let ticks = trial * WINDOW..(trial + 1) * WINDOW;
        for (output, differences) in differences.iter().enumerate() {
            let own = &differences[ticks.clone()];
            means[history * outputs + output].push(own.iter().sum::<f64>() / WINDOW as f64);
            if groups[history].len() < COMPARED * width {
                groups[history].extend_from_slice(own);
            }
        }
    }
    let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
    let p = permutation::same(&groups, width, seed);
    let location = if p <= fails { Location::Outside } else { Location::Inside };
    let mut all = vec![Check { what: format!("the trials of all histories do not come from one distribution, p = {p:.4}"), location, share: 0.0 }];
    for (k, values) in means.iter().enumerate() {
        let (location, mean) = locate(Some(values), margin, fails);
        let what = format!("after {} and a reset, output {} is off by {mean:.3e}, where {margin:.3e} is declared", NAMES[k / outputs], k % outputs);
        all.push(Check { what, location, share: mean.abs() / margin });
    }
    all
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let margin = profile.medium.map_or(f64::NAN, |m| m.margin);
    let seed = evidence.fact("seed").unwrap_or_default();
    let mut tally = Tally::default();
    for name in evidence.fact::<Vec<String>>("tried").unwrap_or_default() {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let Some((rows, outputs)) = stage(STAGES[0]) else {
            return Verdict::error(format!("the records of {name} are missing or do not fit"));
        };
        let second = stage(STAGES[1]).map(|(rows, outputs)| checks(&rows, outputs, margin, seed));
        for (k, check) in checks(&rows, outputs, margin, seed).into_iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k)).map(|c| c.location);
            tally.add(together(check.location, again), check.share, || format!("{name}: {}", check.what));
        }
    }
    tally.verdict(evidence, |checks| format!("nothing of {HISTORIES} histories is left after a reset, by {checks} checks"))
}
