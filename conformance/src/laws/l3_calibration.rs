//! `L3.calibration`: a calibration is dated, ends, and can be made anew.
//!
//! It proves of a substrate that can be calibrated that work under a calibration whose time is over, or ends during a call, is refused with the
//! state intact, that it goes on after another one, and that the new certificate has an id, is younger than it holds, and was made since. Where the device can rest, its time
//! passes without work; where it cannot, or the calibration holds without end, nothing is asked of its end. A staircase before, at nine tenths of the
//! time of the old calibration, and one after the new are kept: how far the means of an output are off is drawn.
//!
//! What comes out under the new calibration is held against the margin that the profile declares, as in L2.equivalence, which looks at a device that
//! was just opened: where a declared margin is absent, outputs are those of a number format, and judged by other laws. Two stages on fresh data; see
//! `noisy` for the error rates.

use crate::agreement;
use crate::bench::{Bench, narrow};
use crate::checks::{answer, judge as judge_checks};
use crate::law::{Law, Verdict, where_claimed};
use crate::noisy::{Order, Rows, STIMULI, Stand, Tally};
use crate::output::plot::Plot;
use crate::output::spell;
use crate::record::{Evidence, Level, Status};
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
/// Ticks of each.
const TICKS: usize = 64;
/// Ticks before its end at which a call begins that lasts longer.
const ENDING: usize = 8;
/// The share of its time after which an old calibration is looked at.
const OLD: f64 = 0.9;

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
    let (work, seconds) = (LEVELS * TICKS, program.semantics().dt);
    let left = |c: &Certificate| c.valid - c.age;
    let first = stand.session.certificate()?;
    if first.is_none_or(|c| left(&c) < 2.0 * work as f64 * seconds) {
        let made = stand.session.calibrate();
        evidence.check("a first calibration", &["accepted"], answer(&made));
        made?;
    }
    let old = stand.session.certificate()?;
    let ends = old.as_ref().filter(|c| bench.profile.facets.rest && c.valid < f64::MAX && left(c).is_finite());
    if let Some(c) = ends {
        stand.session.rest((OLD * c.valid - c.age).min(left(c) - 2.0 * work as f64 * seconds).max(0.0))?;
    }
    let young = stand.session.certificate()?;
    let mut before = Rows::default();
    staircase(bench, &mut stand, &mut before)?;
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
    let on = staircase(bench, &mut stand, &mut after);
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
    Ok(agreement::tally(&agreement::measured(evidence)?, medium, 1, word))
}

/// Asks for ticks that a calibration does not last for.
fn late(bench: &Bench<'_>, stand: &mut Stand, evidence: &mut Evidence, (what, ticks): (&str, usize)) -> Result<()> {
    let old = stand.session.certificate()?;
    let [low, high] = bench.span();
    let row = vec![narrow(0.0_f64.clamp(low, high), low, high); stand.inputs];
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

/// Holds every level for some ticks.
fn staircase(bench: &Bench<'_>, stand: &mut Stand, rows: &mut Rows) -> Result<()> {
    let [low, high] = bench.span();
    for k in 0..LEVELS {
        let level = narrow(low + (high - low) * k as f64 / (LEVELS - 1) as f64, low, high);
        stand.hold(&vec![level; stand.inputs], TICKS, k, rows)?;
    }
    Ok(())
}

/// The mean differences of an output, step by step, beside what the program says.
fn steps(rows: &Rows, outputs: usize, output: usize) -> Option<Vec<(f64, f64)>> {
    let differences = rows.differences(outputs, output);
    let step = |k: usize| {
        let (mean, _) = moments(differences.get(k * TICKS..(k + 1) * TICKS)?);
        Some((rows.mean_said(outputs, output, k)?, mean))
    };
    (0..LEVELS).map(step).collect()
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
        Some(medium) => match held(evidence, &medium) {
            Err(why) => return Verdict::error(why),
            Ok(tally) => tally.verdict(evidence, |checks| {
                let margin = told(medium.margin, &Rows::unit(evidence, "after"));
                format!("{}, and {} under the new calibration within {margin}", asked.reason, counted(checks, "mean", ["lies", "lie"]))
            }),
        },
    };
    match (rms(evidence, "before"), rms(evidence, "after")) {
        (Some(before), Some(after)) => {
            verdict.with_figure("rms of the means before", before, "1").with_figure("rms of the means after", after, "1")
        }
        _ => verdict,
    }
}
