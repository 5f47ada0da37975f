//! Agreement of means under noise: several stimuli, every output, two stages.
//!
//! What laws of agreement have in common. Each says which stimuli it looks at, and in which order they follow each other.

use crate::bench::Bench;
use crate::chance::Chance;
use crate::law::Verdict;
use crate::noisy::{Design, Order, POWER, Rows, STAGES, Stand, Tally, failing, locate, together};
use crate::record::Evidence;
use crate::statistics::equivalence::Location;
use isoform_core::error::Result;
use isoform_core::profile::Profile;

/// The name of the figure that tells how many independent samples there were.
pub(crate) const SAMPLES: &str = "effective samples of a stage";

/// The mean difference of one output under one stimulus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) stimulus: usize,
    pub(crate) output: usize,
    pub(crate) location: Location,
    pub(crate) mean: f64,
}

/// Measures on every program that shows errors as large as they are. The first stimulus is the reference. A second stage follows unless all
/// means of the first lie inside and whatever else the law looks at is settled.
pub(crate) fn measure(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    order: Order,
    stimuli: impl Fn(&Bench<'_>, usize, &mut Chance) -> Vec<Vec<f32>>,
    settled: impl Fn(&Rows, usize, &Design, f64) -> bool,
) -> Result<()> {
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
        let stimuli = stimuli(bench, stand.inputs, &mut chance);
        let (pilot, design) = bench.pilot(&mut stand, &stimuli, &medium)?;
        pilot.keep(evidence, &format!("{name}/pilot"), stand.outputs);
        evidence.note(&format!("design of {name}"), design);
        evidence.note(&format!("stimuli of {name}"), stimuli.len());
        let dear = || bench.too_dear(design.ticks.saturating_mul(stimuli.len()), &medium);
        if let Some(why) = design.restless().or_else(dear) {
            evidence.note("not tried", why);
            continue;
        }
        for stage in STAGES {
            let rows = bench.stage(&mut stand, &stimuli, &design, order, &mut chance)?;
            let found = checks(&rows, stand.outputs, stimuli.len(), &design, medium.margin);
            let is_settled = settled(&rows, stand.outputs, &design, medium.margin);
            rows.keep(evidence, &format!("{name}/{stage}"), stand.outputs);
            if found.iter().all(|check| check.location == Location::Inside) && is_settled {
                break;
            }
        }
        evidence.note("clipped", stand.clipped + evidence.fact::<u64>("clipped").unwrap_or(0));
        tried.push(name);
    }
    evidence.note("tried", tried);
    Ok(())
}

fn checks(rows: &Rows, outputs: usize, stimuli: usize, design: &Design, margin: f64) -> Vec<Check> {
    let pairs = pairs(outputs, stimuli, design);
    let fails = failing(pairs.len());
    let check = |(stimulus, output)| {
        let values = rows.values(outputs, output, stimulus, design);
        let (location, mean) = locate(values.as_deref(), margin, fails);
        Check { stimulus, output, location, mean }
    };
    pairs.into_iter().map(check).collect()
}

/// Every stimulus with every output; the reference is what chopped stimuli are held against, and not one of them.
pub(crate) fn pairs(outputs: usize, stimuli: usize, design: &Design) -> Vec<(usize, usize)> {
    (usize::from(design.coloured)..stimuli).flat_map(|stimulus| (0..outputs).map(move |output| (stimulus, output))).collect()
}

/// One program as it was measured.
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) design: Design,
    pub(crate) stimuli: usize,
    pub(crate) outputs: usize,
    pub(crate) rows: Rows,
    pub(crate) again: Option<Rows>,
}

/// Everything that was measured.
///
/// # Errors
/// With a reason, if the evidence cannot be read.
pub(crate) fn measured(evidence: &Evidence) -> Result<Vec<Measured>, String> {
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let read = |name: String| {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let (rows, outputs) = stage(STAGES[0])?;
        let design = evidence.fact(&format!("design of {name}"))?;
        let stimuli = evidence.fact(&format!("stimuli of {name}"))?;
        let again = stage(STAGES[1]).map(|(rows, _)| rows);
        Some(Measured { design, stimuli, outputs, rows, again, name })
    };
    let missing = |name: &str| format!("the records of {name} are missing or do not fit");
    tried.into_iter().map(|name| read(name.clone()).ok_or_else(|| missing(&name))).collect()
}

/// How far a device that always says the same is off the program at the least, under the stimulus where it is furthest off: half of what the
/// program moves an output by, of that output that it moves most.
pub(crate) fn swing(all: &[Measured]) -> f64 {
    let of = |Measured { stimuli, outputs, rows, .. }: &Measured| {
        let half = |output: usize| {
            let means = (0..*stimuli).filter_map(|stimulus| rows.mean_said(*outputs, output, stimulus));
            let (low, high) = means.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), m| (low.min(m), high.max(m)));
            (high - low) / 2.0
        };
        (0..*outputs).map(half).fold(0.0, f64::max)
    };
    all.iter().map(of).fold(0.0, f64::max)
}

/// Adds every mean to a tally.
pub(crate) fn tally(all: &[Measured], margin: f64, word: impl Fn(usize) -> String) -> Tally {
    let mut tally = Tally::default();
    for Measured { name, design, stimuli, outputs, rows, again } in all {
        let second = again.as_ref().map(|rows| checks(rows, *outputs, *stimuli, design, margin));
        for (k, check) in checks(rows, *outputs, *stimuli, design, margin).iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k));
            tally.add(together(check.location, again.map(|c| c.location)), check.mean.abs() / margin, || {
                let [a, b] = [check.mean, again.map_or(check.mean, |c| c.mean)];
                format!(
                    "{name}: under {} output {} is off by {a:.3e} and again by {b:.3e}, where {margin:.3e} is declared",
                    word(check.stimulus),
                    check.output
                )
            });
        }
    }
    tally
}

/// Judges a law that has nothing but such means.
pub(crate) fn judge(evidence: &Evidence, profile: &Profile, word: impl Fn(usize) -> String) -> Verdict {
    let margin = profile.medium.map_or(f64::NAN, |m| m.margin);
    let all = match measured(evidence) {
        Ok(all) => all,
        Err(why) => return Verdict::error(why),
    };
    let samples = all.iter().map(|m| m.rows.stimulus.len() as f64 / m.design.tau).fold(0.0, f64::max);
    let how = match all.iter().any(|m| m.design.coloured) {
        true => "chopped against a reference, since the noise is like 1/f",
        false => "by means of batches",
    };
    tally(&all, margin, word)
        .verdict(evidence, |checks| format!("{checks} means lie within {margin:.3e} of the program, {how}"))
        .with_figure(SAMPLES, samples, "1")
        .with_figure("power of a stage for an unbiased mean, at least", POWER, "1")
        .with_figure("samples that were clipped", evidence.fact::<u64>("clipped").unwrap_or(0) as f64, "1")
}
