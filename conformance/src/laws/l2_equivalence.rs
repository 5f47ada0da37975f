//! `L2.equivalence`: under noise, the means are those of the program.
//!
//! It proves that for a reference, both ends of the input range and two inputs that differ from channel to channel, the mean difference of
//! every output to the program lies within the margin that the profile declares: two one-sided t-tests on means of batches of ten
//! autocorrelation times, or, where the noise is like 1/f, on differences chopped against the reference. How long it is looked at follows from
//! the noise and the margin, and its price is known before the device is asked. Two stages on fresh data; see `noisy` for the error rates.

use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Rows, STAGES, Stand, Tally, failing, locate, together};
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::Location;
use isoform_core::error::Result;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.equivalence",
    title: "under noise, the means are those of the program",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    measure,
    judge,
};

/// Stimuli, the reference among them.
const STIMULI: usize = 5;

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
        let stimuli = bench.stimuli(stand.inputs, &mut chance);
        let (pilot, design) = bench.pilot(&mut stand, &stimuli[0], &medium)?;
        pilot.keep(evidence, &format!("{name}/pilot"), stand.outputs);
        evidence.note(&format!("design of {name}"), design);
        if let Some(why) = bench.too_dear(design.ticks * stimuli.len(), &medium) {
            evidence.note("not tried", why);
            continue;
        }
        for stage in STAGES {
            let rows = bench.stage(&mut stand, &stimuli, &design, &mut chance)?;
            let found = checks(&rows, stand.outputs, &design, medium.margin);
            rows.keep(evidence, &format!("{name}/{stage}"), stand.outputs);
            if found.iter().all(|check| check.location == Location::Inside) {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("tried", tried);
    Ok(())
}

struct Check {
    stimulus: usize,
    output: usize,
    location: Location,
    mean: f64,
}

fn checks(rows: &Rows, outputs: usize, design: &Design, margin: f64) -> Vec<Check> {
    // the reference is what chopped stimuli are held against
    let first = usize::from(design.coloured);
    let fails = failing((STIMULI - first) * outputs);
    let all = (first..STIMULI).flat_map(|stimulus| (0..outputs).map(move |output| (stimulus, output)));
    all.map(|(stimulus, output)| {
        let values = rows.values(outputs, output, stimulus, design);
        let (location, mean) = locate(values.as_deref(), margin, fails);
        Check { stimulus, output, location, mean }
    })
    .collect()
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let margin = profile.medium.map_or(f64::NAN, |m| m.margin);
    let mut tally = Tally::default();
    let (mut samples, mut coloured) = (0.0_f64, false);
    for name in evidence.fact::<Vec<String>>("tried").unwrap_or_default() {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let (Some(design), Some((rows, outputs))) = (evidence.fact::<Design>(&format!("design of {name}")), stage(STAGES[0])) else {
            return Verdict::error(format!("the records of {name} are missing or do not fit"));
        };
        samples = samples.max(rows.stimulus.len() as f64 / design.tau);
        coloured |= design.coloured;
        let second = stage(STAGES[1]).map(|(rows, outputs)| checks(&rows, outputs, &design, margin));
        for (k, check) in checks(&rows, outputs, &design, margin).iter().enumerate() {
            let again = second.as_ref().and_then(|s| s.get(k));
            tally.add(together(check.location, again.map(|c| c.location)), check.mean.abs() / margin, || {
                let [a, b] = [check.mean, again.map_or(check.mean, |c| c.mean)];
                format!(
                    "{name}: under stimulus {} output {} is off by {a:.3e} and again by {b:.3e}, where {margin:.3e} is declared",
                    check.stimulus, check.output
                )
            });
        }
    }
    let how = if coloured { "chopped against a reference, since the noise is like 1/f" } else { "by means of batches" };
    tally
        .verdict(evidence, |checks| format!("{checks} means lie within {margin:.3e} of the program, {how}"))
        .with_figure("effective samples of a stage", samples, "1")
        .with_figure("power of a stage for an unbiased mean, at least", 0.95, "1")
}
