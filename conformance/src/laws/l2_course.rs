//! `L2.course`: under noise, the outputs take the course of the program.
//!
//! It proves that under a pattern of steps that comes again and again the mean difference of every output to the program lies within the declared
//! margin at each tick of the pattern: latencies and time constants show where levels that are held do not. A check is the mean over the
//! repetitions of one level of the pattern, on its last tick; where the noise is like 1/f, of its distance from the mean of its repetition. A level lasts
//! a tick, so that a tick too late shows, and of a slow program another time for as long as its time constants show. Where all inputs alike leave an
//! output nearly where it is, the course is taken along patterns that move it as well. Two stages on fresh data; see `noisy` for the error rates.

use crate::agreement::{self, UNMOVED, declared, half_span};
use crate::bench::{Bench, narrow, span};
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, MOST, REST, Rows, STAGES, Stand, Tally, apart, failing, limits, locate_within, pace, settled, together};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::{FEWEST, Location, batches};
use crate::statistics::series::moments;
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use std::collections::BTreeMap;

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
/// How many levels its first rise lasts, which follows on its last level.
const RISE: usize = 5;
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
    let (mut tried, mut restless) = (Vec::new(), Vec::new());
    for (name, program) in bench.subjects()? {
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        let reference = bench.stimuli(stand.inputs, &mut chance).swap_remove(0);
        let [near, far] = ends(&bench.profile, stand.inputs);
        let mut ways = vec![(String::new(), [near.clone(), far])];
        for (k, [pattern, mirror]) in bench.beside_alike(&program, medium.margin).into_iter().enumerate() {
            let near = further(&program, [near.clone(), mirror], &pattern, medium.margin);
            ways.push((format!(", along pattern {}", k + 1), [near, pattern]));
        }
        let paces: Option<Vec<usize>> = ways.iter().map(|(_, [near, far])| pace(&program, [near, far], RISE)).collect();
        if paces.is_none() {
            restless.push(name.clone());
        }
        let slowest = paces.unwrap_or_default().into_iter().max().unwrap_or(1);
        if slowest > 1 {
            // an error that follows a program on its way to rest is no noise
            stand.settle(&reference, REST * medium.margin)?;
        }
        let ends = ways.iter().flat_map(|(_, ends)| ends.iter().cloned());
        let (_, design) = bench.pilot(&mut stand, &[reference].into_iter().chain(ends).collect::<Vec<_>>(), &medium)?;
        // as slowly as a stage has ticks for
        let slowest = slowest.min((MOST / design.ticks.saturating_mul(PATTERN.len()).max(1)).max(2));
        for (along, [near, far]) in ways {
            let levels: Vec<Vec<f32>> = PATTERN.iter().map(|&level| bench.between(level, [&near, &far])).collect();
            for (pace, slowly) in [(1, "")].into_iter().chain((slowest > 1).then_some((slowest, ", slowly"))) {
                let record = format!("{name}{along}{slowly}");
                evidence.note(&format!("design of {record}"), design);
                evidence.note(&format!("pace of {record}"), pace);
                evidence.note(&format!("subject of {record}"), &name);
                match bench.too_dear(design.ticks.saturating_mul(PATTERN.len() * pace), &medium) {
                    Some(why) => evidence.note("not tried", why),
                    None => {
                        stages(bench, evidence, (&mut stand, &record), (&levels, pace), (&design, &medium))?;
                        tried.push(record);
                    }
                }
            }
        }
    }
    evidence.note("tried", tried);
    evidence.note("restless", restless);
    Ok(())
}

/// Ticks of one repetition of the pattern for each of the programs, and of the slow one where there is one.
pub(crate) fn ticks(profile: &Profile, programs: &[Program]) -> usize {
    let of = |program: &Program| {
        let [near, far] = ends(profile, program.input_channels());
        match pace(program, [&near, &far], RISE) {
            Some(held) if held > 1 => 1 + held,
            _ => 1,
        }
    };
    PATTERN.len() * programs.iter().map(of).sum::<usize>().max(1)
}

/// All inputs alike at the end of the range that is nearer to nought, or at nought, and at the other.
fn ends(profile: &Profile, inputs: usize) -> [Vec<f32>; 2] {
    let [low, high] = span(profile);
    let (near, far) = if low.abs() <= high.abs() { (low.max(0.0_f64.min(high)), high) } else { (high.min(0.0_f64.max(low)), low) };
    [near, far].map(|end| vec![narrow(end, low, high); inputs])
}

/// Of two rows the one that lies further from another, by the output that is moved least of those that are moved at all: a detector of power gives the
/// same at either end, and one of amplitudes half of the way from nought.
fn further(program: &Program, nears: [Vec<f32>; 2], far: &[f32], margin: f64) -> Vec<f32> {
    let end = settled(program, far);
    let swings = nears.each_ref().map(|near| apart(&settled(program, near), &end));
    let moved = |output: &usize| swings.iter().any(|swing| swing[*output] > UNMOVED * margin);
    let least = |swing: &Vec<f64>| (0..end.len()).filter(moved).map(|output| swing[output]).fold(f64::INFINITY, f64::min);
    let [first, second] = [&swings[0], &swings[1]].map(least);
    let [near, mirror] = nears;
    if second > first { mirror } else { near }
}

/// Plays the pattern with levels that last so many ticks.
fn stages(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    (stand, name): (&mut Stand, &str),
    (levels, pace): (&[Vec<f32>], usize),
    (design, medium): (&Design, &Medium),
) -> Result<()> {
    let pattern: Vec<f32> = levels.iter().flat_map(|row| row.repeat(pace)).collect();
    let ticks = levels.len() * pace;
    for _ in 0..BEFORE {
        stand.play(&pattern, ticks, 0, &mut Rows::default())?;
    }
    let mut staged = *design;
    for stage in STAGES {
        let mut rows = Rows::default();
        let (twice, half) = (pattern.repeat(2), levels.len() / 2 * pace * stand.inputs);
        for cycle in 0..staged.ticks {
            // every other cycle begins in the middle, so that the reply to the one before is no reply to it
            let from = if cycle % 2 == 0 { 0 } else { half };
            stand.play(&twice[from..from + pattern.len()], ticks, 0, &mut rows)?;
        }
        staged = bench.again(design, deviation(&rows, stand.outputs, pace), (ticks, medium.margin), medium);
        let found = checks(&rows, stand.outputs, design, pace, medium, 1);
        rows.keep(evidence, &format!("{name}/{stage}"), stand);
        if found.iter().all(|(location, _)| *location == Location::Inside) {
            break;
        }
    }
    Ok(())
}

/// The differences of an output on the last tick of each level, level after level, also of cycles that began in the middle.
fn differences(rows: &Rows, outputs: usize, output: usize, pace: usize) -> Vec<f64> {
    let mut all: Vec<f64> = rows.differences(outputs, output).into_iter().skip(pace - 1).step_by(pace).collect();
    all.chunks_exact_mut(PATTERN.len()).skip(1).step_by(2).for_each(|cycle| cycle.rotate_right(PATTERN.len() / 2));
    all
}

/// The largest standard deviation that an output has at a level of the pattern.
fn deviation(rows: &Rows, outputs: usize, pace: usize) -> f64 {
    let of = |output: usize| {
        let all = differences(rows, outputs, output, pace);
        let at = |place: usize| moments(&all.iter().skip(place).step_by(PATTERN.len()).copied().collect::<Vec<_>>()).1;
        (0..PATTERN.len()).map(at).fold(0.0, f64::max)
    };
    (0..outputs).map(of).fold(0.0, f64::max)
}

/// Where the mean of each output at each level of the pattern lies, output by output, of a program that has its part of so many.
fn checks(rows: &Rows, outputs: usize, design: &Design, pace: usize, medium: &Medium, parts: usize) -> Vec<(Location, f64)> {
    let fails = failing(PATTERN.len() * outputs * parts);
    let mut all = Vec::new();
    for output in 0..outputs {
        let differences = differences(rows, outputs, output, pace);
        let cycles: Vec<&[f64]> = differences.chunks_exact(PATTERN.len()).collect();
        for place in 0..PATTERN.len() {
            let values = if design.coloured {
                let values: Vec<f64> = cycles.iter().map(|cycle| cycle[place] - moments(cycle).0).collect();
                (values.len() >= FEWEST).then_some(values)
            } else {
                let values: Vec<f64> = cycles.iter().map(|cycle| cycle[place]).collect();
                batches(&values, design.tau / (PATTERN.len() * pace) as f64)
            };
            all.push(locate_within(values.as_deref(), limits(medium), fails));
        }
    }
    all
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let medium = profile.medium.unwrap_or(Medium::new(f64::NAN, f64::NAN));
    let margin = medium.margin;
    let mut tally = Tally::default();
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let unit = |name: &String| Rows::unit(evidence, &format!("{name}/{}", STAGES[0]));
    let all: Vec<String> = tried.iter().map(unit).collect();
    let mut swings: BTreeMap<(String, usize), f64> = BTreeMap::new();
    for (name, unit) in tried.iter().zip(&all) {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let pace = evidence.fact::<usize>(&format!("pace of {name}")).filter(|pace| *pace > 0);
        let design = evidence.fact::<Design>(&format!("design of {name}"));
        let (Some(design), Some(pace), Some((rows, outputs))) = (design, pace, stage(STAGES[0])) else {
            return Verdict::error(Rows::missing(name));
        };
        let subject: String = evidence.fact(&format!("subject of {name}")).unwrap_or_else(|| name.clone());
        for output in 0..outputs {
            let half = half_span(rows.said.iter().skip(output).step_by(outputs).copied());
            let most = swings.entry((subject.clone(), output)).or_default();
            *most = most.max(half);
        }
        let of = |rows: &Rows, outputs: usize| checks(rows, outputs, &design, pace, &medium, tried.len());
        let second = stage(STAGES[1]).map(|(rows, outputs)| of(&rows, outputs));
        for (k, (location, mean)) in of(&rows, outputs).into_iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k)).copied();
            tally.add(together(location, again.map(|a| a.0)), mean.abs() / margin, || {
                let (output, tick) = (k / PATTERN.len(), (k % PATTERN.len() + 1) * pace - 1);
                let [once, twice] = [mean, again.map_or(mean, |a| a.1)].map(|v| told(v, unit));
                let declared = declared(&medium, unit);
                format!("{name}: at tick {tick} of the pattern output {output} is off by {once} and again by {twice}, where {declared}")
            });
        }
    }
    let unit = units::shared(all.iter().map(String::as_str));
    let restless: Vec<String> = evidence.fact("restless").unwrap_or_default();
    let unseen = match restless.as_slice() {
        [] => String::new(),
        names => format!("; time constants that are long beside the pattern do not show in {}, which did not come to rest", names.join(", ")),
    };
    let verdict = tally.verdict(evidence, |checks| {
        format!("{checks} means along a pattern lie within {} of the program{unseen}", told(margin, unit))
    });
    // what no pattern moves is rightly always the same
    let moved = swings.into_iter().filter(|(_, half)| *half > UNMOVED * margin).min_by(|(_, a), (_, b)| a.total_cmp(b));
    match moved {
        Some(((subject, output), half)) => {
            let what = format!("output {output} of {subject} is moved");
            agreement::guarded(verdict, &what, "always says the same", (half, margin), unit)
        }
        None => verdict,
    }
}
