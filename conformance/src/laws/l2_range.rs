//! `L2.range`: gain, offset, linearity and rails.
//!
//! It proves that a linear function is followed from one end of the declared input range to the other (a millionth to a million either way,
//! where the range is that of the number format), within the bounds of a state-forced comparison (see `trial`). It reports the
//! gain, offset and largest deviation from the best line against the reference; these figures are not judged by themselves, the
//! bounds are. Beyond a range that clips, the output is that of the rail, and the report counts the sample.

use crate::bench::{Bench, DT, narrow};
use crate::law::{Law, Verdict, if_taken};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use crate::trial::{self, Trial};
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::oracle::Oracle;
use isoform_core::profile::{OutOfRange, Profile};
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.range",
    title: "the whole range of inputs is there, with its gain and without an offset",
    level: Level::L2,
    needs: "a scale, a dense map or a leaky integrator",
    requirement: if_taken,
    statistical: false,
    measure,
    judge,
};

fn levels(bench: &Bench<'_>) -> Vec<f32> {
    let [low, high] = bench.profile.limits.input;
    if low.abs().max(high.abs()) <= 1e6 {
        return (0..=64).map(|i| narrow(low + (high - low) * f64::from(i) / 64.0, low, high)).collect();
    }
    let steps = (-24..=24).map(|i| 10_f64.powf(f64::from(i) / 4.0));
    steps.flat_map(|v| [v, -v]).filter(|v| (low..=high).contains(v)).map(|v| narrow(v, low, high)).collect()
}

fn linear(bench: &Bench<'_>) -> Result<Option<Plan>> {
    let semantics = bench.home()?.semantics;
    let neuron = |function: &str, parameters: &[(&str, f64)]| What::Neuron {
        function: function.to_owned(),
        parameters: parameters.iter().map(|(n, v)| ((*n).to_owned(), vec![*v])).collect(),
    };
    let candidates = [
        (library::SCALE, neuron(library::SCALE, &[("scale", 1.0)])),
        ("dense", What::Dense { rows: 1, cols: 1, weight: vec![1.0], bias: None }),
        (library::LI, neuron(library::LI, &[("tau", 2.0 * DT)])),
        (library::CUBA_LI, neuron(library::CUBA_LI, &[("tau_syn", 2.0 * DT), ("tau_mem", 2.0 * DT)])),
    ];
    let found = candidates.into_iter().find(|(kind, _)| bench.has(kind));
    Ok(found.map(|(_, what)| Plan::single(what, 1, semantics)).filter(|plan| plan.build().is_ok()))
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let Some(plan) = linear(bench)? else {
        evidence.lacking("the profile admits no linear function whose range could be measured");
        return Ok(());
    };
    let x = levels(bench);
    bench.trial(evidence, "the range", &plan, 1, &x)?;
    let limits = bench.profile.limits;
    let beyond = narrow(limits.input[1], limits.input[0], limits.input[1]) * 1.5 + 1.0;
    if limits.out_of_range == OutOfRange::Clip && beyond.is_finite() {
        let program = plan.build()?;
        let answer = |value: f32| -> Result<(f32, u64)> {
            let mut y = [0.0];
            let report = bench.open(&program, &Run::new())?.advance(Signal::Dense(&[value]), SignalMut::Dense(&mut y), 1)?;
            Ok((y[0], report.clipped))
        };
        let rail = answer(narrow(limits.input[1], limits.input[0], limits.input[1]))?;
        let clipped = answer(beyond)?;
        evidence.check("a sample beyond the range gives what the rail gives", &[&rail.0.to_string()], clipped.0.to_string());
        evidence.check("clipped samples that are counted", &["1"], clipped.1.to_string());
        evidence.check("clipped samples on the rail", &["0"], rail.1.to_string());
    }
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let mut verdict = trial::judge(evidence, profile);
    if evidence.fact::<Vec<crate::checks::Check>>("checks").is_some() {
        verdict = trial::judge_with_checks(evidence, profile);
    }
    let Some((gain, offset, deviation)) = line(evidence) else { return verdict };
    verdict.with_figure("gain", gain, "1").with_figure("offset", offset, "1").with_figure(
        "largest deviation from a line",
        deviation,
        "1",
    )
}

/// Gain, offset and largest deviation of the outputs over those of the reference, by least squares.
fn line(evidence: &Evidence) -> Option<(f64, f64, f64)> {
    let trial: Trial = evidence.fact::<Vec<Trial>>("trials")?.into_iter().next()?;
    let program = trial.plan.build().ok()?;
    let x = trial::single(&evidence.sample("the range/input")?.values);
    let want = Oracle::new(&program, &Run::new()).run(&x);
    let got = &evidence.sample("the range/substrate")?.values;
    let n = want.len() as f64;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
    let (mx, my) = (mean(&want), mean(got));
    let sum = |f: &dyn Fn(f64, f64) -> f64| want.iter().zip(got).map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    let gain = sum(&|x, y| x * y) / sum(&|x, _| x * x);
    let offset = my - gain * mx;
    let deviation = want.iter().zip(got).map(|(x, y)| (y - gain * x - offset).abs()).fold(0.0, f64::max);
    Some((gain, offset, deviation))
}
