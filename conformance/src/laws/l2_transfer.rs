//! `L2.transfer`: the curve from what the program says to what comes out.
//!
//! It proves that on a staircase of nine levels, up and down again, the mean difference of every output to the program lies within the declared
//! margin at each step, and that the way up and the way down do not differ by more: what lags behind its past has a loop. Where all inputs alike leave
//! an output nearly where it is, further staircases lead along patterns that move it. A line through the steps
//! gives gain and offset, the largest distance from it the integral nonlinearity, the largest change of that from step to step the differential one,
//! and the noise at the steps, in the root mean square over them, beside the span the effective number of bits. The tests are those of `L2.equivalence`.

use crate::agreement::{self, Measured};
use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Order, PASS, Rows, STAGES, failing, together};
use crate::output::plot::Plot;
use crate::output::spell;
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::{Location, test, test_pair};
use crate::statistics::series::moments;
use crate::units::told;
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.transfer",
    title: "the curve from what the program says to what comes out",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// Levels of a staircase.
const LEVELS: usize = 9;
/// Stimuli at the least: the reference, and one staircase up and down.
pub(crate) const FEWEST_STIMULI: usize = 1 + 2 * LEVELS;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let margin = bench.medium().map_or(0.0, |medium| medium.margin);
    agreement::measure(bench, evidence, Order::Listed, |bench, program, _| {
        let alike = bench.alike(program.input_channels());
        let step = |[from, to]: &[Vec<f32>; 2], k: usize| bench.between(k as f64 / (LEVELS - 1) as f64, [from, to]);
        // the middle is the reference, then up, then down
        let reference = step(&alike, LEVELS / 2);
        let stairs = std::iter::once(alike).chain(bench.beside_alike(program, margin).into_iter().map(|[pattern, mirror]| [mirror, pattern]));
        let ways = stairs.flat_map(|ends| (0..LEVELS).chain((0..LEVELS).rev()).map(|k| step(&ends, k)).collect::<Vec<_>>());
        std::iter::once(reference).chain(ways).collect()
    }, |rows, (outputs, stimuli), design, margin| {
        gaps(rows, (outputs, stairs(stimuli)), design, margin, 1).iter().all(|gap| gap.location == Location::Inside)
    })?;
    if let Ok(all) = agreement::measured(evidence)
        && let Some((measured, output, curve)) = all.first().and_then(|m| widest(m).map(|(output, curve)| (m, output, curve)))
    {
        let record = evidence.sample(&format!("{}/{}/output", measured.name, STAGES[0]));
        let unit = record.map_or_else(|| String::from("1"), |s| s.unit.clone());
        let n = curve.steps.len();
        let of = |part: fn(&Step) -> f64| curve.steps.iter().map(part).collect::<Vec<f64>>();
        evidence.keep("program", &unit, &[n], of(|s| s.said));
        evidence.keep("up", &unit, &[n], of(|s| s.up));
        evidence.keep("down", &unit, &[n], of(|s| s.down));
        let residuals = curve.residuals();
        let beside = |sign: f64| residuals.iter().zip(&curve.steps).map(|(r, s)| r + sign * s.half).collect::<Vec<f64>>();
        evidence.keep("lower end", &unit, &[n], beside(-1.0));
        evidence.keep("upper end", &unit, &[n], beside(1.0));
        evidence.keep("distance from the line", &unit, &[n], residuals);
        let number = |v: f64| spell(v, &unit).to_string();
        let against = match measured.design.coloured {
            true => " What comes out is told beside the step in the middle, where it is taken for right, since the noise is like 1/f.",
            false => "",
        };
        Plot::lines(format!("Transfer curve, {}, output {output}", measured.name), &["up", "down"])
            .with_x("program")
            .with_dots_from(1)
            .with_labels("what the program says", "what comes out")
            .with_caption(format!("A line through all steps has a gain of {:.4} and an offset of {}.{against}", curve.gain, number(curve.offset)))
            .attach(evidence);
        let plot = Plot::lines(format!("Integral nonlinearity, {}, output {output}", measured.name), &["distance from the line"])
            .with_x("program")
            .with_points()
            .with_band("lower end", "upper end")
            .with_labels("what the program says", "distance from the line");
        let plot = plot.with_level("the line", 0.0).with_caption(format!(
            "The largest distance is {}, the largest change of it from step to step {}. The band is the interval at a level of {} %, both sides together.",
            number(curve.integral()),
            number(curve.differential()),
            100.0 * (1.0 - 2.0 * PASS)
        ));
        plot.attach(evidence);
    }
    Ok(())
}

/// How many staircases there are among so many stimuli, of which the first is the reference.
fn stairs(stimuli: usize) -> usize {
    stimuli.saturating_sub(1) / (2 * LEVELS)
}

/// What lies between the way up and the way down at one step of one output.
struct Gap {
    location: Location,
    mean: f64,
}

/// The gaps of every step of every staircase and of every output, step by step, of a program that has its part of so many.
fn gaps(rows: &Rows, (outputs, stairs): (usize, usize), design: &Design, margin: f64, parts: usize) -> Vec<Gap> {
    let fails = failing(LEVELS * stairs * outputs * parts);
    let gap = |(step, output): (usize, usize)| {
        let values = |stimulus| rows.values(outputs, output, stimulus, design);
        let (up, down) = ways(step / LEVELS, step % LEVELS);
        let (Some(up), Some(down)) = (values(up), values(down)) else {
            return Gap { location: Location::Open, mean: 0.0 };
        };
        let passing = test_pair(&up, &down, margin, PASS);
        let location = match passing.location {
            Location::Inside => Location::Inside,
            _ if test_pair(&up, &down, margin, fails).location == Location::Outside => Location::Outside,
            _ => Location::Open,
        };
        Gap { location, mean: passing.mean }
    };
    (0..LEVELS * stairs).flat_map(|step| (0..outputs).map(move |output| (step, output))).map(gap).collect()
}

/// The stimuli of a step of a staircase, on the way up and on the way down.
fn ways(stair: usize, step: usize) -> (usize, usize) {
    let from = 2 * LEVELS * stair;
    (from + 1 + step, from + 2 * LEVELS - step)
}

#[derive(Debug, Clone, Copy)]
struct Step {
    said: f64,
    up: f64,
    down: f64,
    /// Half the width of the interval of the mean of both ways.
    half: f64,
}

/// The steps of one output on one staircase, in the order of what the program says.
struct Curve {
    stair: usize,
    steps: Vec<Step>,
    gain: f64,
    offset: f64,
}

impl Curve {
    fn of(measured: &Measured, output: usize, stair: usize) -> Option<Self> {
        let step = |k: usize| {
            let mean = |stimulus: usize| {
                let values = measured.rows.values(measured.outputs, output, stimulus, &measured.design)?;
                Some(test(&values, f64::INFINITY, PASS))
            };
            let (up, down) = ways(stair, k);
            let said = measured.rows.mean_said(measured.outputs, output, up)?;
            let (up, down) = (mean(up)?, mean(down)?);
            Some(Step { said, up: said + up.mean, down: said + down.mean, half: up.half.hypot(down.half) / 2.0 })
        };
        let mut steps: Vec<Step> = (0..LEVELS).map(step).collect::<Option<_>>()?;
        steps.sort_by(|a, b| a.said.total_cmp(&b.said));
        let n = 2.0 * steps.len() as f64;
        let x = steps.iter().map(|s| 2.0 * s.said).sum::<f64>() / n;
        let y = steps.iter().map(|s| s.up + s.down).sum::<f64>() / n;
        let xx = steps.iter().map(|s| 2.0 * (s.said - x) * (s.said - x)).sum::<f64>();
        let xy = steps.iter().map(|s| (s.said - x) * (s.up + s.down - 2.0 * y)).sum::<f64>();
        let gain = if xx > 0.0 { xy / xx } else { 1.0 };
        Some(Self { stair, steps, gain, offset: y - gain * x })
    }

    fn span(&self) -> f64 {
        self.steps.last().map_or(0.0, |s| s.said) - self.steps.first().map_or(0.0, |s| s.said)
    }

    /// Distances from the line, each the mean of both ways.
    fn residuals(&self) -> Vec<f64> {
        self.steps.iter().map(|s| (s.up + s.down) / 2.0 - (self.offset + self.gain * s.said)).collect()
    }

    /// The largest distance from the line.
    fn integral(&self) -> f64 {
        Self::largest(self.residuals().into_iter())
    }

    /// The largest change of it from step to step.
    fn differential(&self) -> f64 {
        Self::largest(self.residuals().windows(2).map(|w| w[1] - w[0]))
    }

    fn largest(values: impl Iterator<Item = f64>) -> f64 {
        values.map(f64::abs).fold(0.0, f64::max)
    }
}

/// The standard deviation of an output about its mean at each step of a staircase, in the root mean square over the steps.
fn noise(rows: &Rows, outputs: usize, output: usize, stair: usize) -> f64 {
    let variance = |step: usize| moments(&rows.under(outputs, output, 2 * LEVELS * stair + step)).1.powi(2);
    let steps: Vec<f64> = (1..=2 * LEVELS).map(variance).collect();
    moments(&steps).0.sqrt()
}

/// The output whose program spans most on one of the staircases.
fn widest(measured: &Measured) -> Option<(usize, Curve)> {
    let each = (0..stairs(measured.stimuli)).flat_map(|stair| (0..measured.outputs).map(move |output| (stair, output)));
    let all = each.filter_map(|(stair, output)| Curve::of(measured, output, stair).map(|curve| (output, curve)));
    all.max_by(|a, b| a.1.span().total_cmp(&b.1.span()))
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let medium = profile.medium.unwrap_or(Medium::new(f64::NAN, f64::NAN));
    let margin = medium.margin;
    let all = match agreement::measured(evidence) {
        Ok(all) => all,
        Err(why) => return Verdict::error(why),
    };
    let along = |stair: usize| if stair > 0 { format!(" along pattern {stair}") } else { String::new() };
    let word = |_: &_, stimulus: usize| match stimulus.checked_sub(1).map(|way| (way / (2 * LEVELS), way % (2 * LEVELS))) {
        None => String::from("the reference"),
        Some((stair, up)) if up < LEVELS => format!("step {} of the way up{}", up + 1, along(stair)),
        Some((stair, down)) => format!("step {} of the way down{}", down + 1 - LEVELS, along(stair)),
    };
    // half of the share is for the steps, the other for the gaps
    let mut tally = agreement::tally(&all, &medium, 2, word);
    let mut widest_loop = 0.0_f64;
    for measured in &all {
        let size = (measured.outputs, stairs(measured.stimuli));
        let found = |rows: &Rows| gaps(rows, size, &measured.design, margin, 2 * all.len());
        let again = measured.again.as_ref().map(found);
        for (k, Gap { location, mean }) in found(&measured.rows).into_iter().enumerate() {
            let second = again.as_ref().and_then(|s| s.get(k)).map(|g| g.location);
            widest_loop = widest_loop.max(mean.abs());
            tally.add(together(location, second), mean.abs() / margin, || {
                let (step, output) = (k / measured.outputs, k % measured.outputs);
                let (stair, step) = (along(step / LEVELS), step % LEVELS + 1);
                let by = told(mean, &measured.unit);
                format!("{}: at step {step}{stair} output {output} differs by {by} between the way up and the way down", measured.name)
            });
        }
    }
    let shared = agreement::unit(&all);
    let verdict = tally.verdict(evidence, |checks| format!("{checks} steps and gaps lie within {}", told(margin, shared)));
    let Some((measured, (output, curve))) = all.first().and_then(|m| Some((m, widest(m)?))) else { return verdict };
    let (noise, unit) = (noise(&measured.rows, measured.outputs, output, curve.stair), measured.unit.as_str());
    let verdict = if noise > 0.0 && curve.span() > 0.0 {
        verdict.with_figure("effective number of bits", (curve.span() / (noise * 12.0_f64.sqrt())).log2(), "1")
    } else {
        verdict
    };
    verdict
        .with_figure("output that is told of", output as f64, "1")
        .with_figure("gain", curve.gain, "1")
        .with_figure("offset", curve.offset, unit)
        .with_figure("integral nonlinearity", curve.integral(), unit)
        .with_figure("differential nonlinearity", curve.differential(), unit)
        .with_figure("hysteresis", widest_loop, shared)
        .with_figure("samples that were clipped", evidence.fact::<u64>("clipped").unwrap_or(0) as f64, "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_is_that_at_the_steps() {
        // silent at the reference, where a multiplicative noise is nought, and half a unit to either side at every step
        let mut rows = Rows::default();
        for stimulus in 0..=2 * LEVELS {
            for tick in 0..64 {
                let off = if stimulus == 0 { 0.0 } else { 0.5 - f64::from(tick % 2) };
                rows.seen.push(stimulus as f64 + off);
                rows.said.push(stimulus as f64);
                rows.stimulus.push(stimulus as f64);
            }
        }
        let found = noise(&rows, 1, 0, 0);
        assert!((found - 0.5).abs() < 0.01, "{found}");
    }
}
