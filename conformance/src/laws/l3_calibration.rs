//! `L3.calibration`: a calibration is dated, ends, and can be made anew.
//!
//! It proves of a substrate that can be calibrated that work under a calibration whose time is over, or ends during a call, is refused with the
//! state intact, that it goes on after another one, and that the new certificate has an id, is younger than it holds, and was made since. Where the device can rest, its time
//! passes without work; where it cannot, or the calibration holds without end, nothing is asked of its end. A staircase before, at nine tenths of the
//! time of the old calibration, and one after the new are kept: how far the means of an output are off is drawn.
//!
//! What comes out under the new calibration is held against the margin that the profile declares, as in L2.equivalence, which looks at a device that
//! was just opened: where a declared margin is absent, outputs are those of a number format, and judged by other laws. What came out late in the time
//! of the old one, level by level, is held to margin and declared drift together. Two stages on fresh data, which are the halves of each level where
//! the device only grows older; either calibration has half of the share. See `noisy` for the error rates.

use crate::agreement;
use crate::bench::{Bench, narrow};
use crate::checks::{answer, judge as judge_checks};
use crate::law::{Law, Verdict, where_claimed};
use crate::noisy::{AGAIN, Design, MOST, Order, PASS, POWER, Rows, STIMULI, Stand, Tally, failing, together};
use crate::output::plot::Plot;
use crate::output::spell;
use crate::record::{Evidence, Level, Status};
use crate::statistics::equivalence::{FEWEST, Location, quantile_t, samples};
use crate::statistics::series::moments;
use crate::units::{counted, told};
use isoform_core::calibration::Certificate;
use isoform_core::error::{ErrorKind, Integrity, Result};
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L3.calibration",
    title: "a calibration is dated, ends, and can be made anew",
    level: Level::L3,
    needs: "the facet of calibration",
    requirement: where_claimed,
    statistical: true,
    measure,
    judge,
};

/// Levels of the staircase.
const LEVELS: usize = 9;
/// Ticks of each, at the least.
const TICKS: usize = 64;
/// The fewest ticks of both staircases.
pub(crate) const STAIRCASES: usize = 2 * LEVELS * TICKS;
/// Ticks before its end at which a call begins that lasts longer.
const ENDING: usize = 8;
/// The share of its time after which an old calibration is looked at.
const OLD: f64 = 0.9;
/// Parts of the law that have the same share of its false alarms: the old calibration and the new one.
const PARTS: usize = 2;

/// The first program that can be calibrated: of a substrate of several parts one may be on those that need no calibration.
fn first_able(bench: &Bench<'_>, programs: Vec<(String, Program)>, run: &Run) -> Result<Option<(String, Program, Stand)>> {
    for (name, program) in programs {
        let mut stand = Stand::on(bench.open_bare(&program, run)?, &program, run);
        if stand.session.certificate()?.is_some() || !stand.session.calibrate().is_err_and(|e| e.kind() == ErrorKind::Unsupported) {
            return Ok(Some((name, program, stand)));
        }
    }
    Ok(None)
}

/// The programs of the library that it takes; none of a substrate that has only its own.
fn houses(bench: &Bench<'_>) -> Result<Vec<(String, Program)>> {
    match bench.houses() {
        Ok(houses) => houses.into_iter().map(|(name, plan)| Ok((name.to_owned(), plan.build()?))).collect(),
        Err(e) if e.kind() == ErrorKind::Unsupported => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    if !bench.profile.facets.calibration {
        evidence.lacking("it cannot be calibrated");
        return Ok(());
    }
    let run = Run::new().with_seed(bench.seed);
    let found = match first_able(bench, bench.subjects()?, &run)? {
        Some(found) => Some(found),
        // programs of the library are opened only where those are not enough, for each may be written into cells
        None => first_able(bench, houses(bench)?, &run)?,
    };
    let Some((name, program, mut stand)) = found else {
        evidence.lacking("none of the programs that it is tried with can be calibrated");
        return Ok(());
    };
    let seconds = program.semantics().dt;
    let left = |c: &Certificate| c.valid - c.age;
    let first = stand.session.certificate()?;
    if first.is_none_or(|c| left(&c) < 2.0 * (LEVELS * TICKS) as f64 * seconds) {
        let made = stand.session.calibrate();
        evidence.check("a first calibration", &["accepted"], answer(&made));
        made?;
    }
    let old = stand.session.certificate()?;
    let ticks = held_for(bench, old.as_ref().map_or(f64::INFINITY, left) / seconds);
    let work = LEVELS * ticks;
    let ends = old.as_ref().filter(|c| bench.profile.facets.rest && c.valid < f64::MAX && left(c).is_finite());
    if let Some(c) = ends {
        stand.session.rest((OLD * c.valid - c.age).min(left(c) - 2.0 * work as f64 * seconds).max(0.0))?;
    }
    let young = stand.session.certificate()?;
    let mut before = Rows::default();
    staircase(bench, &mut stand, ticks, &mut before)?;
    if let Some(c) = stand.session.certificate()? {
        evidence.note("seconds since the old calibration", c.age);
    }
    if ends.is_some()
        && let (Some(young), Some(c)) = (young, stand.session.certificate()?)
    {
        let tick = (c.age - young.age) / work as f64;
        // where the time of the device is that of the ticks, a call can be made to last longer than the calibration
        if c.id == young.id && (tick / seconds - 1.0).abs() < 0.5 {
            stand.session.rest((left(&c) - ENDING as f64 * tick).max(0.0))?;
            late(bench, &mut stand, evidence, ("ticks during which a calibration ends", 4 * ENDING))?;
        }
        if let Some(c) = stand.session.certificate()? {
            stand.session.rest(left(&c).max(0.0) + 1e-3 * c.valid)?;
            late(bench, &mut stand, evidence, ("a tick under a calibration whose time is over", 1))?;
        }
    }
    let made = stand.session.calibrate();
    evidence.check("a new calibration", &["accepted"], made.as_ref().map_or_else(ToString::to_string, |_| answer(&made)));
    let Ok(made) = made else { return Ok(()) };
    let found = stand.session.certificate()?;
    let same = found.as_ref().is_some_and(|c| c.id == made.id);
    evidence.check(
        "the certificate in force",
        &["that of the new calibration"],
        if same { "that of the new calibration" } else { "another" },
    );
    evidence.check("its id", &["given"], if made.id.is_empty() { "none" } else { "given" });
    evidence.check("its age", &["within its time"], if made.is_expired() { "beyond its time" } else { "within its time" });
    let mut after = Rows::default();
    let on = staircase(bench, &mut stand, ticks, &mut after);
    evidence.check("work under the new calibration", &["accepted"], answer(&on));
    on?;
    evidence.note("certificates", [&old, &Some(made.clone())]);
    before.keep(evidence, "before", &stand);
    after.keep(evidence, "after", &stand);
    means(bench, evidence, &mut stand, name.clone())?;
    if let Some(output) = show(evidence) {
        Plot::lines(format!("Before and after a calibration: {name}, output {output}"), &["off before", "off after"])
            .with_x("said")
            .with_points()
            .with_labels("what the program says", "mean difference to the program")
            .with_level("the program", 0.0)
            .with_caption(caption(evidence, old.as_ref(), &made))
            .attach(evidence);
    }
    Ok(())
}

/// Records what means are held against the program by, each part of it under a calibration that is in force.
fn means(bench: &Bench<'_>, evidence: &mut Evidence, stand: &mut Stand, name: String) -> Result<()> {
    let Some(medium) = bench.profile.medium.filter(|medium| medium.check().is_ok()) else { return Ok(()) };
    let mut chance = bench.chance();
    let stimuli = bench.stimuli(stand.inputs, &mut chance);
    stand.renewing = Some(TICKS);
    if agreement::record(bench, evidence, (stand, &name), (&stimuli, Order::Random), (&medium, &mut chance), |_, _, _, _| true)? {
        evidence.note("tried", [&name]);
    }
    Ok(())
}

/// The means under the new calibration, held against the margin.
fn held(evidence: &Evidence, medium: &Medium) -> Result<Tally, String> {
    let word = |_: &_, stimulus: usize| STIMULI.get(stimulus).map_or_else(String::new, |&n| n.to_owned());
    Ok(agreement::tally(&agreement::measured(evidence)?, medium, PARTS, word))
}

/// Adds the means under the old calibration, level by level, and says within what they have to lie; nothing if there was none.
fn grown_old(evidence: &Evidence, medium: &Medium, tally: &mut Tally) -> Result<Option<f64>, String> {
    let [old, _] = evidence.fact::<[Option<Certificate>; 2]>("certificates").ok_or("the certificates are missing")?;
    if old.is_none() {
        return Ok(None);
    }
    let (rows, outputs) = Rows::kept(evidence, "before").ok_or_else(|| Rows::missing("the old calibration"))?;
    let design = evidence.facts.keys().find(|name| name.starts_with("design of ")).and_then(|name| evidence.fact::<Design>(name));
    let design = design.ok_or("the design is missing")?;
    let age = evidence.fact("seconds since the old calibration").unwrap_or(0.0_f64);
    // what moves by so much while a time passes may do so again in the next
    let drift = medium.drift.map_or(0.0, |drift| drift.most * (age / drift.within).ceil().max(1.0));
    let limit = Medium { margin: medium.margin + drift, drift: None, ..*medium };
    let unit = Rows::unit(evidence, "before");
    let fails = failing(PARTS * LEVELS * outputs);
    for output in 0..outputs {
        for level in 0..LEVELS {
            let own = rows.under(outputs, output, level);
            let (early, late) = own.split_at(own.len() / 2);
            let [once, again] = [early, late].map(|half| place(half, &design, &limit, fails));
            tally.add(together(once.0, Some(again.0)), once.1.abs() / limit.margin, || {
                let [a, b, within] = [once.1, again.1, limit.margin].map(|v| told(v, &unit));
                let bound = if drift > 0.0 { "margin and drift come to" } else { "the margin is" };
                format!("late in the time of a calibration, at level {level}, output {output} is off by {a} and again by {b}, where {bound} {within}")
            });
        }
    }
    Ok(Some(limit.margin))
}

/// Where the mean of one half of a level lies. What settles in no such time, or is not told from noise that does not settle, is held to all that is
/// declared together, as is an offset under noise like 1/f.
fn place(half: &[f64], design: &Design, limit: &Medium, fails: f64) -> (Location, f64) {
    let (mean, deviation) = moments(half);
    let count = half.len() as f64 / design.tau;
    if design.coloured || count < FEWEST as f64 {
        return (agreement::wandered(mean, limit, fails * fails).0, mean);
    }
    let reach = |alpha: f64| quantile_t(1.0 - alpha, count - 1.0).map_or(f64::INFINITY, |t| t * deviation / count.sqrt());
    let location = if mean.abs() + reach(PASS) <= limit.margin {
        Location::Inside
    } else if mean.abs() - reach(fails) > limit.margin {
        Location::Outside
    } else {
        Location::Open
    };
    (location, mean)
}

/// Ticks for which a level is held: so many that either half is as long as a second stage, where the noise is as large as declared, as far as the
/// calibration, of which so many ticks are left, and the budget last.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held below a number of ticks")]
fn held_for(bench: &Bench<'_>, left: f64) -> usize {
    let Ok(medium) = bench.medium() else { return TICKS };
    let limit = medium.margin + medium.drift.map_or(0.0, |drift| drift.most);
    let needed = if medium.noise > 0.0 { samples(limit / medium.noise, PASS, POWER) } else { None };
    let fits = (left / (2 * LEVELS) as f64).min(MOST as f64) as usize;
    let wanted = (2 * AGAIN * needed.unwrap_or(0)).min(fits).max(TICKS);
    if bench.too_dear(2 * LEVELS * wanted, &medium).is_some() { TICKS } else { wanted }
}

/// Asks for ticks that a calibration does not last for.
fn late(bench: &Bench<'_>, stand: &mut Stand, evidence: &mut Evidence, (what, ticks): (&str, usize)) -> Result<()> {
    let old = stand.session.certificate()?;
    let row = bench.quiet(stand.inputs);
    let late = stand.hold(&row, ticks, 0, &mut Rows::default());
    let due = if bench.profile.facets.renewal { "a new calibration" } else { "calibration" };
    let is_new = |now: Certificate| old.is_none_or(|old| now.id != old.id) && !now.is_expired();
    let renewed = late.is_ok() && stand.session.certificate()?.is_some_and(is_new);
    evidence.check(what, &[due], if renewed { String::from("a new calibration") } else { answer(&late) });
    if late.is_err_and(|e| e.state() == Integrity::Lost) {
        stand.reset()?;
    }
    Ok(())
}

/// What is to be seen: how far means were off, what the certificates say of a device that is not calibrated, and whether it got worse.
fn caption(evidence: &Evidence, old: Option<&Certificate>, made: &Certificate) -> String {
    let unit = evidence.sample("before/output").map_or("1", |s| s.unit.as_str());
    let mut text = match old {
        Some(_) => String::from("At nine tenths of the time of the old calibration, and just after the new one."),
        None => String::from("Without a calibration, and just after one."),
    };
    if let (Some(before), Some(after)) = (rms(evidence, "before"), rms(evidence, "after")) {
        text += &format!(" The rms of all means is {} before and {} after", spell(before, unit), spell(after, unit));
        text += if after > before { ": it is larger after the new one." } else { "." };
    }
    // a calibration that is over is refused, so that only certificates tell what is without one
    let first = old.unwrap_or(made);
    let [without, with] = [first.before, first.after].map(|v| spell(v, "1"));
    text + &format!(" By its certificate the first calibration took an rms error from {without} to {with}.")
}

/// Holds every level for so many ticks.
fn staircase(bench: &Bench<'_>, stand: &mut Stand, ticks: usize, rows: &mut Rows) -> Result<()> {
    let [low, high] = bench.span();
    for k in 0..LEVELS {
        let level = narrow(low + (high - low) * k as f64 / (LEVELS - 1) as f64, low, high);
        stand.hold(&vec![level; stand.inputs], ticks, k, rows)?;
    }
    Ok(())
}

/// The mean differences of an output, step by step, beside what the program says.
fn steps(rows: &Rows, outputs: usize, output: usize) -> Option<Vec<(f64, f64)>> {
    (0..LEVELS).map(|k| Some((rows.mean_said(outputs, output, k)?, rows.mean_off(outputs, output, k)?))).collect()
}

/// Keeps what is drawn, of the output whose program spans the most.
fn show(evidence: &mut Evidence) -> Option<usize> {
    let ((before, outputs), (after, _)) = (Rows::kept(evidence, "before")?, Rows::kept(evidence, "after")?);
    let span = |output: usize| {
        let said: Vec<f64> = steps(&before, outputs, output).unwrap_or_default().into_iter().map(|s| s.0).collect();
        said.iter().copied().fold(f64::MIN, f64::max) - said.iter().copied().fold(f64::MAX, f64::min)
    };
    let output = (0..outputs).max_by(|a, b| span(*a).total_cmp(&span(*b)))?;
    let mut pairs: Vec<_> = steps(&before, outputs, output)?.into_iter().zip(steps(&after, outputs, output)?).collect();
    pairs.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
    let unit = evidence.sample("before/output").map_or_else(|| String::from("1"), |s| s.unit.clone());
    evidence.keep("said", &unit, &[LEVELS], pairs.iter().map(|p| p.0.0).collect());
    evidence.keep("off before", &unit, &[LEVELS], pairs.iter().map(|p| p.0.1).collect());
    evidence.keep("off after", &unit, &[LEVELS], pairs.iter().map(|p| p.1.1).collect());
    Some(output)
}

/// How far the means of all outputs and steps are off.
fn rms(evidence: &Evidence, name: &str) -> Option<f64> {
    let (rows, outputs) = Rows::kept(evidence, name)?;
    let means: Vec<f64> = (0..outputs).filter_map(|o| steps(&rows, outputs, o)).flatten().map(|s| s.1).collect();
    Some((means.iter().map(|m| m * m).sum::<f64>() / means.len().max(1) as f64).sqrt())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let asked = judge_checks(evidence, profile);
    let tried = evidence.fact::<String>("not tried").is_some() || evidence.fact::<Vec<String>>("tried").is_some();
    let verdict = match profile.medium.filter(|_| tried && asked.status == Status::Pass) {
        None => asked,
        Some(medium) => {
            let both = held(evidence, &medium).and_then(|mut tally| {
                let new = tally.checks;
                grown_old(evidence, &medium, &mut tally).map(|within| (tally, new, within))
            });
            let (tally, new, within) = match both {
                Err(why) => return Verdict::error(why),
                Ok(both) => both,
            };
            tally.verdict(evidence, |checks| {
                let lie = |count: usize| counted(count, "mean", ["lies", "lie"]);
                let unit = Rows::unit(evidence, "after");
                let old = within.map_or_else(String::new, |within| {
                    format!(", {} late in the time of the old calibration within {}", lie(checks - new), told(within, &unit))
                });
                let margin = told(medium.margin, &unit);
                format!("{}{old}, and {} under the new calibration within {margin}", asked.reason, lie(new))
            })
        }
    };
    match (rms(evidence, "before"), rms(evidence, "after")) {
        (Some(before), Some(after)) => {
            verdict.with_figure("rms of the means before", before, "1").with_figure("rms of the means after", after, "1")
        }
        _ => verdict,
    }
}
