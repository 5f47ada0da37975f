//! `L3.drift`: under noise, the means stay where they were.
//!
//! It proves that along the time for which the profile declares its drift, at ages on a logarithmic ladder, the mean difference of every output to
//! the program has moved by no more than declared since the beginning, and, where no drift is declared, that it is still within the margin at the
//! end. Beyond the declared time nothing is promised of the drift, so that the ladder ends at nine tenths of it, which leaves room for the looking; the
//! picture says so. Where the medium can rest, its time passes without work between the probes; else it works. Two stages on fresh data at each age, of
//! which the second is longer and follows where the first leaves something open: a realization grows old once, so that it is taken before time goes on,
//! and of the beginning, beside which all else is held, both are. Noise like 1/f is chopped, so that the mean under the reference is held as well: to margin,
//! drift and noise together. A declared drift that covers all that stimuli move an output by leaves
//! the law inconclusive. See `noisy` for the error rates.

use crate::agreement;
use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{AGAIN, Design, Order, PASS, Rows, STAGES, Stand, Tally, apart, failing, locate, settled, together};
use crate::output::plot::Plot;
use crate::output::spell;
use crate::record::{Evidence, Level, Status};
use crate::statistics::equivalence::{Location, Verdict as Mean, test_pair};
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;
use isoform_core::program::Program;

pub(super) const LAW: Law = Law {
    id: "L3.drift",
    title: "under noise, the means stay where they were",
    level: Level::L3,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// Shares of the declared time at which it is looked at; the last leaves room for the looking.
const LADDER: [f64; 5] = [0.0, 1e-3, 1e-2, 0.1, 0.9];
/// How many those are.
pub(crate) const AGES: usize = LADDER.len();
/// Ticks of work that take the place of a time that is not declared.
pub(crate) const WORK: f64 = 20_000.0;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of ticks, held below the most")]
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
    // seconds of the ladder, of the first program
    let (mut lasts, mut furthest) = (None, None::<f64>);
    let rests = bench.profile.facets.rest && medium.drift.is_some();
    for (name, program) in bench.subjects()? {
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        let [moving, _] = bench.moving(&program, &mut chance);
        let pair = [bench.stimuli(stand.inputs, &mut chance).swap_remove(0), moving];
        let (_, mut design) = bench.pilot(&mut stand, &pair, &medium)?;
        let margin = budget(&medium) / 2.0_f64.sqrt();
        design.ticks = design.ticks_for(margin);
        let dt = program.semantics().dt;
        lasts.get_or_insert(medium.drift.map_or(WORK * dt, |d| d.within));
        let whole = if rests { 0.0 } else { medium.drift.map_or(WORK, |d| d.within / dt) };
        let ticks = design.ticks.saturating_mul(2 * (LADDER.len() + AGAIN)).saturating_add(whole.min(1e9) as usize);
        if let Some(why) = design.restless().or_else(|| bench.too_dear(ticks, &medium)) {
            evidence.note("not tried", why);
            continue;
        }
        evidence.note(&format!("design of {name}"), design);
        let mut passed = 0.0;
        for (rung, share) in LADDER.into_iter().enumerate() {
            if rests {
                let age = share * medium.drift.map_or(0.0, |d| d.within);
                stand.session.rest((age - passed).max(0.0))?;
                passed = passed.max(age);
            } else {
                let ticks = (share * whole - passed).max(0.0);
                stand.hold(&pair[0], ticks as usize, 0, &mut Rows::default())?;
                passed += ticks;
            }
            let mut staged = design;
            for stage in STAGES {
                let rows = bench.stage(&mut stand, &pair, &staged, Order::Random, &mut chance)?;
                staged = bench.again(&design, rows.deviation(stand.outputs), (pair.len(), margin), &medium);
                let has_gone = |output| {
                    agreement::offset(&rows, stand.outputs, output, &medium, failing(1)).is_some_and(|o| o.0 == Location::Outside)
                };
                let has_gone = design.coloured && (0..stand.outputs).any(has_gone);
                rows.keep(evidence, &format!("{name}/rung {rung}/{stage}"), &stand);
                let is_inside = |output| place(evidence, &medium, (&name, rung, output, stage), failing(1)).0 == Location::Inside;
                if rung > 0 && !has_gone && (0..stand.outputs).all(is_inside) {
                    break;
                }
            }
        }
        if medium.drift.is_some() {
            furthest = Some(reach(&program, &pair).min(furthest.unwrap_or(f64::INFINITY)));
        }
        tried.push(name);
    }
    evidence.note("tried", &tried);
    if let Some(furthest) = furthest {
        evidence.note("reach", furthest);
    }
    if let (Some(name), Some(seconds)) = (tried.first(), lasts) {
        let ages: Vec<f64> = LADDER.iter().skip(1).map(|share| share * seconds).collect();
        let outputs = Rows::kept(evidence, &format!("{name}/rung 0/{}", STAGES[0])).map_or(0, |(_, outputs)| outputs);
        let course = |output: usize| -> Vec<Mean> {
            (1..LADDER.len()).filter_map(|rung| moved(evidence, name, rung, output, STAGES[0], PASS)).collect()
        };
        let furthest = |moves: &[Mean]| moves.iter().map(|m| m.mean.abs()).fold(0.0, f64::max);
        let courses = (0..outputs).map(|output| (output, course(output)));
        let (output, moves) = courses.max_by(|(_, a), (_, b)| furthest(a).total_cmp(&furthest(b))).unwrap_or_default();
        let which = if outputs > 1 { format!("output {output}, the furthest,") } else { String::from("the output") };
        let unit = unit(evidence, name);
        let n = ages.len();
        evidence.keep("age", "s", &[n], ages);
        evidence.keep("moved", &unit, &[moves.len()], moves.iter().map(|m| m.mean).collect());
        evidence.keep("moved, lower end", &unit, &[moves.len()], moves.iter().map(|m| m.mean - m.half).collect());
        evidence.keep("moved, upper end", &unit, &[moves.len()], moves.iter().map(|m| m.mean + m.half).collect());
        Plot::lines(format!("How far the mean of {which} has moved since the beginning"), &["moved"])
            .with_x("age")
            .with_log_x()
            .with_points()
            .with_band("moved, lower end", "moved, upper end")
            .with_labels("time since the beginning", "how far the mean has moved")
            .with_level("declared", budget(&medium))
            .with_level("declared", -budget(&medium))
            .with_caption(format!(
                "The band is the interval at a level of {} %, both sides together.{}",
                100.0 * (1.0 - 2.0 * PASS),
                medium.drift.map_or_else(String::new, |drift| beyond(drift.within))
            ))
            .attach(evidence);
    }
    Ok(())
}

/// How far the program moves an output from the first stimulus to the second, of the output that it moves least; one that does not move cannot die.
fn reach(program: &Program, pair: &[Vec<f32>; 2]) -> f64 {
    let [still, moved] = pair.each_ref().map(|row| settled(program, row));
    let moves = apart(&still, &moved);
    let most = moves.iter().copied().fold(0.0, f64::max);
    moves.into_iter().filter(|m| *m > agreement::UNMOVED * most).fold(most, f64::min)
}

/// Why the ladder has no older rung.
fn beyond(within: f64) -> String {
    format!(" The drift is declared for {}; what is older is promised nothing, and is not looked at.", spell(within, "s"))
}

/// The most that a mean may move.
fn budget(medium: &Medium) -> f64 {
    medium.drift.map_or(medium.margin, |d| d.most)
}

fn values(evidence: &Evidence, name: &str, rung: usize, output: usize, stage: &str) -> Option<Vec<f64>> {
    let (rows, outputs) = Rows::kept(evidence, &format!("{name}/rung {rung}/{stage}"))?;
    let design: Design = evidence.fact(&format!("design of {name}"))?;
    rows.values(outputs, output, 1, &design)
}

/// What the outputs of a program are measured in.
fn unit(evidence: &Evidence, name: &str) -> String {
    Rows::unit(evidence, &format!("{name}/rung 0/{}", STAGES[0]))
}

/// Where an output lies at a rung in a stage, and how far it has moved, or is off where no drift is declared.
fn place(
    evidence: &Evidence,
    medium: &Medium,
    (name, rung, output, stage): (&str, usize, usize, &str),
    fails: f64,
) -> (Location, f64) {
    let budget = budget(medium);
    let old = values(evidence, name, rung, output, stage);
    if medium.drift.is_none() {
        return locate(old.as_deref(), budget, fails);
    }
    let (Some(old), Some(young)) = (old, values(evidence, name, 0, output, stage)) else { return (Location::Open, 0.0) };
    let pass = test_pair(&old, &young, budget, PASS);
    let location = match pass.location {
        Location::Inside => Location::Inside,
        _ if test_pair(&old, &young, budget, fails).location == Location::Outside => Location::Outside,
        _ => Location::Open,
    };
    (location, pass.mean)
}

/// How far an output has moved since the first rung.
fn moved(evidence: &Evidence, name: &str, rung: usize, output: usize, stage: &str, alpha: f64) -> Option<Mean> {
    let (old, young) = (values(evidence, name, rung, output, stage)?, values(evidence, name, 0, output, stage)?);
    Some(test_pair(&old, &young, f64::INFINITY, alpha))
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let Some(medium) = profile.medium else {
        return Tally::default().verdict(evidence, |_| String::new());
    };
    let budget = budget(&medium);
    let mut tally = Tally::default();
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    for name in &tried {
        let Some((_, outputs)) = Rows::kept(evidence, &format!("{name}/rung 0/{}", STAGES[0])) else {
            return Verdict::error(Rows::missing(name));
        };
        let unit = unit(evidence, name);
        let coloured = evidence.fact::<Design>(&format!("design of {name}")).is_some_and(|design| design.coloured);
        let fails = failing(outputs * (LADDER.len() - 1) * tried.len() * if coloured { 2 } else { 1 });
        for (rung, share) in LADDER.iter().enumerate().skip(1) {
            let kept = STAGES.map(|stage| Rows::kept(evidence, &format!("{name}/rung {rung}/{stage}")).filter(|_| coloured));
            for output in 0..outputs {
                let [(first, mean), (second, again)] = STAGES.map(|stage| place(evidence, &medium, (name, rung, output, stage), fails));
                tally.add(together(first, Some(second)), mean.abs() / budget, || {
                    let [mean, again, budget] = [mean, again, budget].map(|v| told(v, &unit));
                    format!("{name}: after {share} of the declared time output {output} is off by {mean} and again by {again}, where {budget} is declared")
                });
                // what moves all stimuli alike is not seen by chopping
                let found = kept.each_ref().map(|rows| agreement::offset(&rows.as_ref()?.0, outputs, output, &medium, fails));
                if let [Some((first, mean, most)), again] = found {
                    tally.add(together(first, again.map(|a| a.0)), mean.abs() / most, || {
                        let [mean, most] = [mean, most].map(|v| told(v, &unit));
                        format!(
                            "{name}: after {share} of the declared time output {output} is off by {mean} under the reference, where margin, drift and \
                             noise come to {most}"
                        )
                    });
                }
            }
        }
    }
    let all: Vec<String> = tried.iter().map(|name| unit(evidence, name)).collect();
    let unit = units::shared(all.iter().map(String::as_str));
    let verdict = tally.verdict(evidence, |checks| format!("{checks} means stay within {}", told(budget, unit)));
    // without a drift of its own it is the margin that is held, of which L2.equivalence has this to say
    let most = evidence.fact("reach").unwrap_or(f64::INFINITY);
    if verdict.status == Status::Pass && most <= budget {
        let why = format!(
            "a device whose outputs had died would have moved by {} at most, which is within the declared {} too: such a promise says nothing",
            told(most, unit),
            told(budget, unit)
        );
        return Verdict { status: Status::Inconclusive, reason: why, ..verdict };
    }
    verdict
}
