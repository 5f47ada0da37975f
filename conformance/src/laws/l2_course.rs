//! `L2.course`: under noise, the outputs take the course of the program.
//!
//! It proves that under a pattern of steps that comes again and again the mean difference of every output to the program lies within the declared
//! margin at each tick of the pattern: latencies and time constants show where levels that are held do not. A check is the mean over the
//! repetitions of one tick of the pattern; where the noise is like 1/f, of its distance from the mean of its repetition. Two stages on fresh data;
//! see `noisy` for the error rates.

use crate::bench::{Bench, narrow};
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Rows, STAGES, Stand, Tally, failing, locate, together};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::{FEWEST, Location, batches};
use crate::statistics::series::moments;
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.course",
    title: "under noise, the outputs take the course of the program",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// The levels of the pattern, in parts of the range from the end that is nearer to nought.
const PATTERN: [f64; 16] = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
/// Repetitions before the pattern counts.
const BEFORE: usize = 4;

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
    let [low, high] = bench.span();
    let (near, far) = if low.abs() <= high.abs() { (low.max(0.0_f64.min(high)), high) } else { (high.min(0.0_f64.max(low)), low) };
    for (name, program) in bench.subjects()? {
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        let reference = bench.stimuli(stand.inputs, &mut chance).swap_remove(0);
        let (_, design) = bench.pilot(&mut stand, std::slice::from_ref(&reference), &medium)?;
        evidence.note(&format!("design of {name}"), design);
        if let Some(why) = bench.too_dear(design.ticks.saturating_mul(PATTERN.len()), &medium) {
            evidence.note("not tried", why);
            continue;
        }
        let row = |level: &f64| vec![narrow(near + level * (far - near), low, high); stand.inputs];
        let pattern: Vec<f32> = PATTERN.iter().flat_map(row).collect();
        for _ in 0..BEFORE {
            stand.play(&pattern, PATTERN.len(), 0, &mut Rows::default())?;
        }
        let mut staged = design;
        for stage in STAGES {
            let mut rows = Rows::default();
            for _ in 0..staged.ticks {
                stand.play(&pattern, PATTERN.len(), 0, &mut rows)?;
            }
            staged = bench.again(&design, deviation(&rows, stand.outputs), (PATTERN.len(), medium.margin), &medium);
            let found = checks(&rows, stand.outputs, &design, medium.margin, 1);
            rows.keep(evidence, &format!("{name}/{stage}"), &stand);
            if found.iter().all(|(location, _)| *location == Location::Inside) {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("tried", tried);
    Ok(())
}

/// The largest standard deviation that an output has at a tick of the pattern.
fn deviation(rows: &Rows, outputs: usize) -> f64 {
    let of = |output: usize| {
        let all = rows.differences(outputs, output);
        let at = |place: usize| moments(&all.iter().skip(place).step_by(PATTERN.len()).copied().collect::<Vec<_>>()).1;
        (0..PATTERN.len()).map(at).fold(0.0, f64::max)
    };
    (0..outputs).map(of).fold(0.0, f64::max)
}

/// Where the mean of each output at each tick of the pattern lies, output by output, of a program that has its part of so many.
fn checks(rows: &Rows, outputs: usize, design: &Design, margin: f64, parts: usize) -> Vec<(Location, f64)> {
    let fails = failing(PATTERN.len() * outputs * parts);
    let mut all = Vec::new();
    for output in 0..outputs {
        let differences = rows.differences(outputs, output);
        let cycles: Vec<&[f64]> = differences.chunks_exact(PATTERN.len()).collect();
        for place in 0..PATTERN.len() {
            let values = if design.coloured {
                let values: Vec<f64> = cycles.iter().map(|cycle| cycle[place] - moments(cycle).0).collect();
                (values.len() >= FEWEST).then_some(values)
            } else {
                let values: Vec<f64> = cycles.iter().map(|cycle| cycle[place]).collect();
                batches(&values, design.tau / PATTERN.len() as f64)
            };
            all.push(locate(values.as_deref(), margin, fails));
        }
    }
    all
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let margin = profile.medium.map_or(f64::NAN, |m| m.margin);
    let mut tally = Tally::default();
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let unit = |name: &String| Rows::unit(evidence, &format!("{name}/{}", STAGES[0]));
    let all: Vec<String> = tried.iter().map(unit).collect();
    for (name, unit) in tried.iter().zip(&all) {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let (Some(design), Some((rows, outputs))) = (evidence.fact::<Design>(&format!("design of {name}")), stage(STAGES[0])) else {
            return Verdict::error(Rows::missing(name));
        };
        let second = stage(STAGES[1]).map(|(rows, outputs)| checks(&rows, outputs, &design, margin, tried.len()));
        for (k, (location, mean)) in checks(&rows, outputs, &design, margin, tried.len()).into_iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k)).copied();
            tally.add(together(location, again.map(|a| a.0)), mean.abs() / margin, || {
                let (output, place) = (k / PATTERN.len(), k % PATTERN.len());
                let [once, twice, margin] = [mean, again.map_or(mean, |a| a.1), margin].map(|v| told(v, unit));
                format!("{name}: at tick {place} of the pattern output {output} is off by {once} and again by {twice}, where {margin} is declared")
            });
        }
    }
    let unit = units::shared(all.iter().map(String::as_str));
    tally.verdict(evidence, |checks| format!("{checks} means along a pattern lie within {} of the program", told(margin, unit)))
}
