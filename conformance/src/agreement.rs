//! Agreement of means under noise: several stimuli, every output, two stages.
//!
//! What laws of agreement have in common. Each says which stimuli it looks at, and in which order they follow each other.

use crate::bench::Bench;
use crate::chance::Chance;
use crate::law::Verdict;
use crate::noisy::{Design, Order, POWER, Rows, STAGES, Stand, Tally, failing, limits, locate_within, normal, together};
use crate::record::{Evidence, Status};
use crate::statistics::equivalence::Location;
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;
use isoform_core::program::Program;

/// The name of the figure that tells how many independent samples there were.
pub(crate) const SAMPLES: &str = "effective samples of a stage";

/// The mean difference of one output under one stimulus, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub(crate) stimulus: usize,
    pub(crate) output: usize,
    pub(crate) location: Location,
    pub(crate) mean: f64,
    limit: f64,
}

/// Measures on every program that shows errors as large as they are. The first stimulus is the reference. A second stage, which is longer, follows
/// unless all means of the first lie inside and whatever else the law looks at is settled.
pub(crate) fn measure(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    order: Order,
    stimuli: impl Fn(&Bench<'_>, &Program, &mut Chance) -> Vec<Vec<f32>>,
    settled: impl Fn(&Rows, (usize, usize), &Design, f64) -> bool,
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
        let stimuli = stimuli(bench, &program, &mut chance);
        if record(bench, evidence, (&mut stand, &name), (&stimuli, order), (&medium, &mut chance), &settled)? {
            evidence.note("clipped", stand.clipped + evidence.fact::<u64>("clipped").unwrap_or(0));
            tried.push(name);
        }
    }
    evidence.note("tried", tried);
    Ok(())
}

/// Measures on one program, in the session that is handed over, and says whether it was; not if that is too dear.
pub(crate) fn record(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    (stand, name): (&mut Stand, &str),
    (stimuli, order): (&[Vec<f32>], Order),
    (medium, chance): (&Medium, &mut Chance),
    settled: impl Fn(&Rows, (usize, usize), &Design, f64) -> bool,
) -> Result<bool> {
    let (pilot, design) = bench.pilot(stand, stimuli, medium)?;
    pilot.keep(evidence, &format!("{name}/pilot"), stand);
    evidence.note(&format!("design of {name}"), design);
    evidence.note(&format!("stimuli of {name}"), stimuli.len());
    let inputs = stimuli.iter().flatten().map(|&v| f64::from(v)).collect();
    evidence.keep(&format!("{name}/inputs"), "1", &[stimuli.len(), stand.inputs], inputs);
    let dear = || bench.too_dear(design.ticks.saturating_mul(stimuli.len()), medium);
    if let Some(why) = design.restless().or_else(dear) {
        evidence.note("not tried", why);
        return Ok(false);
    }
    let mut staged = design;
    for stage in STAGES {
        let rows = bench.stage(stand, stimuli, &staged, order, chance)?;
        let found = checks(&rows, stand.outputs, stimuli.len(), &design, medium, 1);
        let is_settled = settled(&rows, (stand.outputs, stimuli.len()), &design, medium.margin);
        staged = bench.again(&design, rows.deviation(stand.outputs), (stimuli.len(), medium.margin), medium);
        rows.keep(evidence, &format!("{name}/{stage}"), stand);
        if found.iter().all(|check| check.location == Location::Inside) && is_settled {
            break;
        }
    }
    Ok(true)
}

/// The checks of a program, which has its part of so many.
fn checks(rows: &Rows, outputs: usize, stimuli: usize, design: &Design, medium: &Medium, parts: usize) -> Vec<Check> {
    let pairs = pairs(outputs, stimuli, design);
    let offsets = if design.coloured { outputs } else { 0 };
    let fails = failing((pairs.len() + offsets) * parts);
    let check = |(stimulus, output)| {
        let values = rows.values(outputs, output, stimulus, design);
        let (location, mean) = locate_within(values.as_deref(), limits(medium), fails);
        Check { stimulus, output, location, mean, limit: medium.margin }
    };
    let offset = |output| {
        let (location, mean, limit) = offset(rows, outputs, output, medium, fails)?;
        Some(Check { stimulus: 0, output, location, mean, limit })
    };
    pairs.into_iter().map(check).chain((0..offsets).filter_map(offset)).collect()
}

/// Where the offset of an output under the reference lies, which chopped stimuli do not show: it is not told from a slow wander, but both together are
/// no more than what is declared, whatever the stage. With it goes what it is held against.
pub(crate) fn offset(rows: &Rows, outputs: usize, output: usize, medium: &Medium, fails: f64) -> Option<(Location, f64, f64)> {
    let mean = rows.mean_off(outputs, output, 0)?;
    let (location, most) = wandered(mean, medium, fails * fails);
    Some((location, mean, most))
}

/// Where a mean lies that wanders, and the most that it is off but with a probability: margin, drift and noise together.
pub(crate) fn wandered(mean: f64, medium: &Medium, chance: f64) -> (Location, f64) {
    let most = limits(medium)[1] + medium.noise * normal(1.0 - chance / 2.0);
    (if mean.abs() > most { Location::Outside } else { Location::Inside }, most)
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
    /// The rows of inputs, of which each is a stimulus.
    pub(crate) inputs: Vec<Vec<f64>>,
    /// What its outputs are measured in.
    pub(crate) unit: String,
    pub(crate) rows: Rows,
    pub(crate) again: Option<Rows>,
}

/// The unit of all programs, or that of a pure number where they differ.
pub(crate) fn unit(all: &[Measured]) -> &str {
    units::shared(all.iter().map(|m| m.unit.as_str()))
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
        let kept = evidence.sample(&format!("{name}/inputs")).filter(|kept| kept.shape.first() == Some(&stimuli))?;
        let inputs = kept.values.chunks_exact((kept.values.len() / stimuli.max(1)).max(1)).map(<[f64]>::to_vec).collect();
        let again = stage(STAGES[1]).map(|(rows, _)| rows);
        let unit = Rows::unit(evidence, &format!("{name}/{}", STAGES[0]));
        Some(Measured { design, stimuli, outputs, inputs, unit, rows, again, name })
    };
    tried.into_iter().map(|name| read(name.clone()).ok_or_else(|| Rows::missing(&name))).collect()
}

/// How far a device that always says the same is off the program at the least, under the stimulus where it is furthest off: half of what the
/// program moves an output by, of the output that it moves least, which is told. One that it leaves where it is, but for a thousandth of the margin, is
/// rightly always the same, unless all of them are.
pub(crate) fn swing(all: &[Measured], margin: f64) -> (f64, String) {
    let of = |Measured { name, stimuli, outputs, rows, .. }: &Measured| -> Vec<(f64, String)> {
        let half = |output: usize| {
            let means = (0..*stimuli).filter_map(|stimulus| rows.mean_said(*outputs, output, stimulus));
            (half_span(means), format!("output {output} of {name}"))
        };
        let halves: Vec<(f64, String)> = (0..*outputs).map(half).collect();
        let moved: Vec<_> = halves.iter().filter(|(half, _)| *half > UNMOVED * margin).cloned().collect();
        if moved.is_empty() { halves } else { moved }
    };
    all.iter().flat_map(of).min_by(|(a, _), (b, _)| a.total_cmp(b)).unwrap_or_default()
}

/// What is said of a margin within which a device lies whatever it does.
pub(crate) const SAYS_NOTHING: &str =
    "such a promise says nothing; open it with a smaller margin, where it has such an option, or show a program that moves more";

/// A verdict with how far a device is off, at the least, that does not do what the law is about; no pass where that is within the margin.
pub(crate) fn guarded(verdict: Verdict, what: &str, device: &str, (off, margin): (f64, f64), unit: &str) -> Verdict {
    let figure = format!("what a device that {device} is off by, at least");
    let verdict = if verdict.status == Status::Pass && off <= margin {
        let why = format!(
            "{what} by no more than {} to either side, so that a device that {device} there would be within the declared {} too: {SAYS_NOTHING}",
            told(off, unit),
            told(margin, unit)
        );
        Verdict { status: Status::Inconclusive, reason: why, ..verdict }
    } else {
        verdict
    };
    verdict.with_figure(&figure, off, unit)
}

/// How far whoever always gives the same is off numbers at the least, where it is furthest off.
pub(crate) fn half_span(numbers: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)));
    (high - low).max(0.0) / 2.0
}

/// The part of a margin, or of the furthest move, by which an output is taken for left where it is.
pub(crate) const UNMOVED: f64 = 1e-3;

/// What a medium declares of means, in words.
pub(crate) fn declared(medium: &Medium, unit: &str) -> String {
    let drift = medium.drift.map_or_else(String::new, |drift| format!(", and a drift of {}", told(drift.most, unit)));
    format!("{} is declared{drift}", told(medium.margin, unit))
}

/// Adds every mean to a tally, as one of so many parts of a law.
pub(crate) fn tally(all: &[Measured], medium: &Medium, parts: usize, word: impl Fn(&Measured, usize) -> String) -> Tally {
    let mut tally = Tally::default();
    for measured in all {
        let Measured { name, design, stimuli, outputs, unit, rows, again, .. } = measured;
        let of = |rows: &Rows| checks(rows, *outputs, *stimuli, design, medium, parts * all.len());
        let second = again.as_ref().map(of);
        for (k, check) in of(rows).iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k));
            let Check { stimulus, output, limit, .. } = *check;
            // what both stages say decides, and is told
            let both = again.map_or(check.mean.abs(), |c| c.mean.abs().min(check.mean.abs()));
            tally.add(together(check.location, again.map(|c| c.location)), both / limit, || {
                let [a, b] = [check.mean, again.map_or(check.mean, |c| c.mean)].map(|mean| told(mean, unit));
                let bound = match design.coloured && stimulus == 0 {
                    true => format!("margin, drift and noise come to {}", told(limit, unit)),
                    false => declared(medium, unit),
                };
                format!(
                    "{name}: under {} output {output} is off by {a} and again by {b}, where {bound}",
                    word(measured, stimulus)
                )
            });
        }
    }
    tally
}

/// Judges a law that has nothing but such means.
pub(crate) fn judge(evidence: &Evidence, profile: &Profile, word: impl Fn(&Measured, usize) -> String) -> Verdict {
    let medium = profile.medium.unwrap_or(Medium::new(f64::NAN, f64::NAN));
    let margin = medium.margin;
    let all = match measured(evidence) {
        Ok(all) => all,
        Err(why) => return Verdict::error(why),
    };
    let samples = all.iter().map(|m| m.rows.stimulus.len() as f64 / m.design.tau).fold(0.0, f64::max);
    let how = match all.iter().any(|m| m.design.coloured) {
        true => "chopped against a reference, since the noise is like 1/f",
        false => "by means of batches",
    };
    let means: usize = all.iter().map(|m| pairs(m.outputs, m.stimuli, &m.design).len()).sum();
    tally(&all, &medium, 1, word)
        .verdict(evidence, |_| format!("{means} means lie within {} of the program, {how}", told(margin, unit(&all))))
        .with_figure(SAMPLES, samples, "1")
        .with_figure("power of a stage for an unbiased mean, at least", POWER, "1")
        .with_figure("samples that were clipped", evidence.fact::<u64>("clipped").unwrap_or(0) as f64, "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One output under one stimulus, in two stages alike.
    fn alike(design: Design, seen: Vec<f64>) -> Measured {
        let rows = Rows { said: vec![0.0; seen.len()], stimulus: vec![0.0; seen.len()], seen };
        let (name, unit) = (String::from("program"), String::from("1"));
        Measured { name, design, stimuli: 1, outputs: 1, inputs: Vec::new(), unit, again: Some(rows.clone()), rows }
    }

    /// Sixteen batches of ten ticks, one above and one below a mean: a standard error of 0.258.
    fn measured(mean: f64) -> Measured {
        let seen: Vec<f64> = (0..160).map(|t| if t / 10 % 2 == 0 { mean + 1.0 } else { mean - 1.0 }).collect();
        alike(Design { tau: 1.0, sigma: 1.0, coloured: false, settled: true, ticks: 160, rest: 0 }, seen)
    }

    #[test]
    fn programs_share_the_false_alarms_of_a_law() {
        // the quantile of the t-distribution is 2.75 at the level of one check and 3.64 at that of one of forty
        let fails = |programs: usize, mean: f64| {
            let all: Vec<Measured> = (0..programs).map(|_| measured(mean)).collect();
            tally(&all, &Medium::new(0.1, 1.0), 1, |_, _| String::new()).broken.is_some()
        };
        assert_eq!([fails(1, 0.75), fails(1, 0.9), fails(40, 0.9), fails(40, 1.1)], [false, true, false, true]);
    }

    #[test]
    fn under_1_f_noise_an_offset_is_held_against_all_that_is_declared() {
        let design = Design { tau: 1.0, sigma: 0.02, coloured: true, settled: true, ticks: 32, rest: 0 };
        let broken = |offset: f64, medium: &Medium| {
            let all = [alike(design, vec![offset; 32])];
            tally(&all, medium, 1, |_, _| String::from("the reference")).broken
        };
        // one check: 4.08 deviations of the noise beyond the margin, 0.1316
        let medium = Medium::new(0.05, 0.02);
        assert_eq!(broken(0.13, &medium), None);
        let why = broken(-0.132, &medium).expect("more than is declared");
        assert!(
            why.ends_with("output 0 is off by -1.320e-1 and again by -1.320e-1, where margin, drift and noise come to 1.316e-1"),
            "{why}"
        );
        let drifts = Medium { drift: Some(isoform_core::medium::Drift { most: 0.1, within: 1.0 }), ..medium };
        assert_eq!(broken(0.132, &drifts), None);
    }
}
