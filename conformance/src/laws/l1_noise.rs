//! `L1.noise`: the noise is what was declared.
//!
//! It proves that the standard deviation of every output about its mean is no more than declared, within a resolution of a quarter, by batch means
//! of squares, which hold for heavy tails and correlated samples alike; a medium that declares no noise must have none. Inputs are a mixture and
//! both ends of the range, since noise may grow with what it is on, and patterns that move what these leave; the largest decides. Noise like 1/f has to be
//! declared as such, since no record of it gives a mean that settles; what remembers more than a thousand ticks counts as such. Two stages on
//! fresh data; see `noisy` for the error rates.
//!
//! What is declared bounds the noise from above alone: a medium whose outputs come in steps declares up to half a step and shows none under an input
//! that is held. That none was seen is said, and no proof of the noise.

use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Rows, STAGES, Stand, Tally, failing, together};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::Location;
use crate::statistics::series::{Series, moments};
use crate::statistics::spread::{RESOLUTION, Spread};
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L1.noise",
    title: "the noise is what was declared",
    level: Level::L1,
    needs: "a class with noise, and a declared noise",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// What stands behind the name of a program for the inputs that every one is held under: a mixture, the lower end of the range and the upper one.
const UNDER: [&str; 3] = ["", " at the lower end", " at the upper end"];
/// Independent samples of a stage for normal noise: enough for a quarter of the deviation.
const SAMPLES: f64 = 1000.0;
/// The least ticks of a stage.
const LEAST: usize = 2000;
/// The ticks of a stage that tells whether noise that seemed to be like 1/f in the pilot is.
const COLOUR: usize = 131_000;
/// Parts of a stage of noise that wanders: what is slow in each leaves little that is independent.
const WANDERING: usize = 64;
/// Ticks over which the deviation of noise that wanders is told.
const PART: usize = 1000;

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
    let mut subjects = Vec::new();
    for (name, program) in bench.subjects()? {
        let mut stimuli = bench.stimuli(program.input_channels(), &mut chance);
        // the mixture comes first, then both ends
        stimuli.swap(0, 3);
        // without inputs one is like the other
        stimuli.truncate(if program.input_channels() > 0 { UNDER.len() } else { 1 });
        stimuli.extend(bench.beside_alike(&program, medium.margin).into_iter().flatten());
        subjects.push((name, program, stimuli));
    }
    evidence.note("records", subjects.iter().map(|(_, _, stimuli)| stimuli.len()).sum::<usize>());
    for (program_name, program, stimuli) in subjects {
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        for (at, reference) in stimuli.iter().enumerate() {
            let name = format!("{program_name}{}", under(at));
            match record(bench, evidence, (&mut stand, &name), reference, &medium)? {
                Some(why) => evidence.note("not tried", why),
                None => {
                    if tried.is_empty() && medium.noise > 0.0 {
                        let input = if at == 0 && stand.inputs > 0 { " under mixed inputs" } else { "" };
                        draw(evidence, (&name, input), (&stand, &medium), program.semantics().dt);
                    }
                    tried.push(name);
                }
            }
        }
    }
    evidence.note("tried", tried);
    Ok(())
}

/// What stands behind the name of a program for an input that it is held under.
fn under(at: usize) -> String {
    match at.checked_sub(UNDER.len()) {
        None => UNDER[at].to_owned(),
        Some(beside) if beside.is_multiple_of(2) => format!(" under pattern {}", beside / 2 + 1),
        Some(beside) => format!(" under the mirror image of pattern {}", beside / 2 + 1),
    }
}

/// Records the noise of a program under an input that is held, or says why not.
fn record(
    bench: &Bench<'_>,
    evidence: &mut Evidence,
    (stand, name): (&mut Stand, &str),
    reference: &[f32],
    medium: &Medium,
) -> Result<Option<String>> {
    stand.begin_anew()?;
    // an error that follows a state on its way is no noise
    stand.settle(reference, medium.noise / 10.0)?;
    let (pilot, design) = bench.pilot(stand, &[reference.to_vec()], medium)?;
    let kurtosis = (0..stand.outputs).map(|o| kurtosis(&pilot.differences(stand.outputs, o))).fold(3.0, f64::max);
    pilot.keep(evidence, &format!("{name}/pilot"), stand);
    evidence.note(&format!("design of {name}"), design);
    let tau = if design.coloured { 1.0 } else { design.tau };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above nought, and held against the most")]
    let ticks = (SAMPLES * tau * (kurtosis - 1.0) / 2.0).min(1e9) as usize;
    let ticks = match (design.coloured, medium.flicker) {
        // a slow process is told from one without end by a record that is much longer than the pilot
        (true, false) => COLOUR,
        (true, true) => ticks.max(WANDERING * PART),
        (false, _) => ticks.max(LEAST),
    };
    let ticks = ticks.next_multiple_of(PART);
    if let Some(why) = bench.too_dear(ticks, medium) {
        return Ok(Some(why));
    }
    let records = evidence.fact("records").unwrap_or(1);
    for stage in STAGES {
        let mut rows = Rows::default();
        stand.hold(reference, ticks, 0, &mut rows)?;
        let settled = spreads(&rows, stand.outputs, records).iter().all(|s| s.beside(medium.noise) == Location::Inside);
        let coloured = design.coloured && is_coloured(&rows, stand.outputs, medium.margin) && !medium.flicker;
        rows.keep(evidence, &format!("{name}/{stage}"), stand);
        if settled && !coloured {
            break;
        }
    }
    Ok(None)
}

/// The least ticks of all records of a program, each with so many before it, under noise as it is declared.
pub(crate) fn ticks(flicker: bool, inputs: usize, before: usize) -> usize {
    let records = if inputs > 0 { UNDER.len() } else { 1 };
    records * (before + if flicker { WANDERING * PART } else { LEAST })
}

/// Asks for the picture of the noisiest output of a record. 1/f noise is drawn beside it where it is declared, or where the record shows it.
fn draw(evidence: &mut Evidence, (name, input): (&str, &str), (stand, medium): (&Stand, &Medium), dt: f64) {
    let Some((pilot, outputs)) = Rows::kept(evidence, &format!("{name}/pilot")) else { return };
    let width = |o: usize| moments(&pilot.differences(outputs, o)).1;
    let noisiest = (0..outputs).max_by(|&a, &b| width(a).total_cmp(&width(b))).unwrap_or(0);
    let record = format!("{name}/{}", STAGES[0]);
    let which = if stand.outputs > 1 { ", the noisiest there" } else { "" };
    let is_coloured = evidence.fact::<Design>(&format!("design of {name}")).is_some_and(|design| design.coloured);
    let wanders = Rows::kept(evidence, &record).is_some_and(|(rows, outputs)| is_coloured && self::is_coloured(&rows, outputs, medium.margin));
    let title = format!("Allan deviation, {name}{input}, output {noisiest}{which}");
    let plot = Plot::allan(title, format!("{record}/output"), format!("{record}/program")).with_column(noisiest).with_tick(dt);
    let plot = plot.with_caption("How means settle as they grow: white noise falls, 1/f noise does not.");
    if medium.flicker || wanders { plot.with_flat() } else { plot }.attach(evidence);
}

fn kurtosis(samples: &[f64]) -> f64 {
    let (mean, deviation) = moments(samples);
    if deviation == 0.0 {
        return 3.0;
    }
    samples.iter().map(|v| ((v - mean) / deviation).powi(4)).sum::<f64>() / samples.len() as f64
}

fn spreads(rows: &Rows, outputs: usize, records: usize) -> Vec<Spread> {
    let of = |output: usize| {
        let mut differences = rows.differences(outputs, output);
        if is_silent(&differences, rows.seen.iter().skip(output).step_by(outputs.max(1))) {
            differences.fill(0.0);
        }
        Spread::of(&differences.chunks_exact(PART).collect::<Vec<_>>(), failing(2 * outputs * records))
    };
    (0..outputs).map(of).collect()
}

/// Whether differences are one and the same but for what single precision rounds off the outputs.
fn is_silent<'a>(differences: &[f64], outputs: impl Iterator<Item = &'a f64>) -> bool {
    let grain = f64::from(f32::EPSILON) * outputs.fold(0.0_f64, |most, v| most.max(v.abs()));
    let (mean, _) = moments(differences);
    differences.iter().all(|difference| (difference - mean).abs() <= grain)
}

fn is_coloured(rows: &Rows, outputs: usize, margin: f64) -> bool {
    let mut series = (0..outputs).map(|o| Series::of(&rows.differences(outputs, o)));
    series.any(|s| !s.is_slight(margin) && s.is_coloured())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let (declared, flicker, margin) = profile.medium.map_or((f64::NAN, false, f64::NAN), |m| (m.noise, m.flicker, m.margin));
    let resolved = declared * RESOLUTION;
    let mut measured_in: Vec<String> = Vec::new();
    let mut tally = Tally { resolution: RESOLUTION, ..Tally::default() };
    let (mut largest, mut remembered) = (0.0_f64, 1.0_f64);
    let records = evidence.fact("records").unwrap_or(1);
    for name in evidence.fact::<Vec<String>>("tried").unwrap_or_default() {
        let stage = |stage: &str| Rows::kept(evidence, &format!("{name}/{stage}"));
        let Some((rows, outputs)) = stage(STAGES[0]) else {
            return Verdict::error(Rows::missing(&name));
        };
        let unit = Rows::unit(evidence, &format!("{name}/{}", STAGES[0]));
        measured_in.push(unit.clone());
        let second = stage(STAGES[1]);
        let again = second.as_ref().map(|(rows, outputs)| spreads(rows, *outputs, records));
        for (output, spread) in spreads(&rows, outputs, records).iter().enumerate() {
            let other = again.as_ref().and_then(|s| s.get(output));
            let deviation = spread.deviation;
            let location = together(spread.beside(declared), other.map(|s| s.beside(declared)));
            // what both stages say decides, and is told
            let both = other.map_or(deviation, |s| s.deviation.min(deviation));
            largest = largest.max(both);
            let share = if declared > 0.0 { both / declared } else { both };
            tally.add(location, share, || {
                let twice = other.map_or(deviation, |s| s.deviation);
                let [once, twice, declared] = [deviation, twice, declared].map(|v| told(v, &unit));
                format!("{name}: output {output} has a deviation of {once} and again of {twice}, where {declared} is declared")
            });
        }
        let design = evidence.fact::<Design>(&format!("design of {name}"));
        remembered = remembered.max(design.map_or(1.0, |d| d.tau));
        let wanders = |rows: &Rows| design.is_some_and(|d| d.coloured) && is_coloured(rows, outputs, margin) && !flicker;
        let location = match &second {
            Some((rows_again, _)) if wanders(&rows) && wanders(rows_again) => Location::Outside,
            _ => Location::Inside,
        };
        tally.add(location, 0.0, || format!("{name}: the noise is like 1/f, which the profile does not declare"));
    }
    let is_silent = largest == 0.0 && declared > 0.0;
    let unit = units::shared(measured_in.iter().map(String::as_str));
    tally
        .verdict(evidence, |_| {
            let [largest, declared, resolved] = [largest, declared, resolved].map(|v| told(v, unit));
            match is_silent {
                true => format!("no noise was seen where {declared} is declared"),
                false => format!("the deviation is at most {largest}, where {declared} is declared and less than {resolved} is not told from it"),
            }
        })
        .with_limit("largest standard deviation", largest, unit, resolved)
        .with_figure("autocorrelation time", remembered, "ticks")
}
