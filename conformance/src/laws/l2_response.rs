//! `L2.response`: what runs on by itself listens.
//!
//! It proves that the outputs that follow a drive come from another distribution than those that follow none: trials with and without it in random
//! order, a washout between them, judged by energy distance with 1999 permutations. A source of noise that does not listen fails. A program
//! without inputs has nothing to listen to. Where a medium bears pulses only now and then, as tissue does, what comes within 5 ms of a pulse does not
//! count: an electrode echoes it. One of two stages on fresh data has to show the difference at a level of 1e-3, so that a deaf
//! source passes once in five hundred runs.

use crate::bench::{Bench, advance};
use crate::law::{Law, Verdict, if_running_has_it};
use crate::noisy::{STAGES, with_trials};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level, Status};
use crate::settled::{window, with_inputs};
use crate::statistics::permutation;
use crate::statistics::series::moments;
use crate::units;
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.response",
    title: "what runs on by itself listens",
    level: Level::L2,
    needs: "a class that runs on, an input, and a declared washout",
    requirement: if_running_has_it,
    statistical: true,
    measure,
    judge,
};

/// The level of a stage.
const LEVEL: f64 = 1e-3;
/// Trials of either kind.
const TRIALS: usize = 40;
/// Parts of the window of which the means are compared.
const PARTS: usize = 8;
/// Seconds after a pulse in which a record shows the pulse itself, and what it drove at once.
const ECHO: f64 = 5e-3;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let promised = bench.forgetting();
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    let subjects = with_inputs(bench)?;
    if subjects.is_empty() {
        evidence.lacking("its programs have no inputs");
        return Ok(());
    }
    for (name, program) in subjects {
        let (inputs, outputs) = (program.input_channels(), program.output_channels());
        let (medium, washout) = match &promised {
            Ok((medium, washout)) => (medium, *washout),
            Err(why) => {
                evidence.note("not tried", why);
                return Ok(());
            }
        };
        // what forgets slowly answers slowly
        let ticks = window(washout).next_multiple_of(PARTS);
        let washout = washout.max(bench.profile.limits.spacing);
        if let Some(why) = bench.unaffordable(2 * TRIALS * (ticks + washout), medium) {
            evidence.note("not tried", why);
            continue;
        }
        let mut session = bench.open(&program, &Run::new().with_seed(bench.seed))?;
        let [low, high] = bench.span();
        let spacing = bench.profile.limits.spacing.max(1);
        let echo = echo(spacing, program.semantics().dt);
        let still = bench.quiet(inputs);
        for stage in STAGES {
            let mut order: Vec<usize> = (0..2 * TRIALS).map(|k| k % 2).collect();
            chance.shuffle(&mut order);
            let mut trials = Vec::new();
            for &driven in &order {
                let level = if driven == 1 { high } else { 0.0_f64.clamp(low, high) };
                let y = advance(&mut session, &bench.pulses(ticks, inputs, || level), ticks)?;
                let part = ticks / PARTS * outputs;
                trials.extend(y.chunks_exact(part.max(1)).enumerate().map(|(at, rows)| {
                    let rows = rows.chunks_exact(outputs.max(1)).enumerate();
                    let heard = rows.filter(|(tick, _)| (at * (ticks / PARTS) + tick) % spacing >= echo).map(|(_, row)| row);
                    heard.flatten().map(|&v| f64::from(v)).sum::<f64>() / part as f64
                }));
                advance(&mut session, &still.repeat(washout), washout)?;
            }
            let order: Vec<f64> = order.into_iter().map(|d| d as f64).collect();
            let shown = p_value(&order, &trials, bench.seed) <= LEVEL;
            if shown || stage == STAGES[1] {
                let told = if echo > 0 { "; what comes within milliseconds of a pulse does not count" } else { "" };
                show(evidence, &name, (&program, ticks / PARTS, told), [1.0, 0.0].map(|which| group(&order, &trials, which)));
            }
            let shape = [order.len(), PARTS];
            evidence.keep(&format!("{name}/{stage}/driven"), "1", &shape[..1], order);
            evidence.keep(&format!("{name}/{stage}/outputs"), "1", &shape, trials);
            if shown {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("seed", bench.seed);
    evidence.note("tried", tried);
    Ok(())
}

/// The fewest ticks of a stage on a medium with a washout, which bears an input so many ticks after another.
pub(crate) fn ticks(washout: usize, spacing: usize) -> usize {
    window(washout).saturating_add(washout.max(spacing)).saturating_mul(2 * TRIALS)
}

/// Ticks after a pulse that do not count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above nought, and held against the spacing")]
fn echo(spacing: usize, dt: f64) -> usize {
    if spacing > 1 { (ECHO / dt).ceil().min(spacing as f64 / 2.0) as usize } else { 0 }
}

/// The trials that were driven, or those that were not.
fn group(driven: &[f64], trials: &[f64], which: f64) -> Vec<f64> {
    let own = driven.iter().zip(trials.chunks_exact(PARTS)).filter(|(d, _)| d.to_bits() == which.to_bits());
    own.flat_map(|(_, row)| row.iter().copied()).collect()
}

fn p_value(driven: &[f64], trials: &[f64], seed: u64) -> f64 {
    permutation::same(&[&group(driven, trials, 0.0), &group(driven, trials, 1.0)], PARTS, seed)
}

/// Keeps the means of trials with a drive and without, part by part, and asks for their picture.
fn show(evidence: &mut Evidence, name: &str, (program, ticks, told): (&Program, usize, &str), [driven, alone]: [Vec<f64>; 2]) {
    let part = |trials: &[f64], at: usize| moments(&trials.iter().skip(at).step_by(PARTS).copied().collect::<Vec<_>>());
    let means = |trials: &Vec<f64>| (0..PARTS).map(|at| part(trials, at).0).collect::<Vec<_>>();
    let edge = |errors: f64| {
        let end = |at| {
            let (mean, deviation) = part(&alone, at);
            mean + errors * deviation / (TRIALS as f64).sqrt()
        };
        (0..PARTS).map(end).collect::<Vec<_>>()
    };
    let [with, without, low, high] = ["under a drive", "left alone", "least by chance", "most by chance"].map(|what| format!("{what}, {name}"));
    let unit = units::common(program);
    for (sample, values) in [(&with, means(&driven)), (&without, means(&alone)), (&low, edge(-4.0)), (&high, edge(4.0))] {
        evidence.keep(sample, &unit, &[PARTS], values);
    }
    Plot::lines(format!("What follows a drive, {name}"), &[&with, &without])
        .with_band(&low, &high)
        .with_tick(program.semantics().dt * ticks as f64)
        .with_labels("time since the drive began", "mean of all outputs")
        .with_caption(format!("Means of {TRIALS} trials each; the band is four standard errors about those that were left alone{told}."))
        .attach(evidence);
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    if let Some(verdict) = crate::checks::not_claimed(evidence) {
        return verdict;
    }
    let seed = evidence.fact("seed").unwrap_or_default();
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let mut worst = 0.0_f64;
    for name in &tried {
        let p = |stage: &str| {
            let part = |what: &str| evidence.sample(&format!("{name}/{stage}/{what}")).map(|s| s.values.as_slice());
            let driven = part("driven").filter(|driven| driven.len() == 2 * TRIALS)?;
            Some(p_value(driven, part("outputs")?, seed))
        };
        let Some(first) = p(STAGES[0]) else { return Verdict::error(format!("the records of {name} are missing or do not fit")) };
        worst = worst.max(p(STAGES[1]).map_or(first, |second| second.min(first)));
    }
    let verdict = match evidence.fact::<String>("not tried") {
        Some(why) => Verdict::new(Status::Inconclusive, why),
        None if tried.is_empty() => Verdict::new(Status::Inconclusive, "nothing was compared"),
        None if worst <= LEVEL => Verdict::pass(format!("what follows a drive differs from what follows none, p = {worst:.4}")),
        None => Verdict::fail(format!("what follows a drive does not differ from what follows none, p = {worst:.4} in the better of two stages")),
    };
    with_trials(verdict.with_limit("p-value of the better stage", worst, "1", LEVEL), [TRIALS, 2 * TRIALS], 2, LEVEL)
}
