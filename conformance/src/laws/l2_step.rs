//! `L2.step`: the answer to a step, against its closed form.
//!
//! The oracle and a substrate could share an error; a closed form cannot. It proves that a leaky integrator answers a step with
//! `v∞ (1 - φⁿ)`, where φ is `exp(-dt/τ)` under an exact decay, `1 - dt/τ` under Euler's and the first five terms of the exponential under
//! Runge and Kutta's, and that a leaky neuron fires its first spike in the first tick in which `v∞ (1 - φⁿ)` is above the threshold. φ is fitted by least squares of each distance from the final
//! value against the one before. Tolerance: each of the three roundings of a tick is at most half a spacing at the final value, they decay
//! with φ, so that a value is off by `δ = 3 h / (1 - φ)` at most, and the fit by `2 δ (1 + φ) Σ|e| / Σe²`. Where numbers have one spacing
//! everywhere, coefficients and the input are not rounded in proportion to their size: each may be off by half a spacing, which adds
//! `h (|v∞| + |x| + r)` to the `3 h`.

use crate::bench::{Bench, DT, advance, narrow};
use crate::law::{Law, Verdict, if_taken};
use crate::output::plot::{Fit, Plot};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::profile::Profile;
use isoform_core::semantics::{Decay, Preset};
use isoform_core::substrate::Run;
use serde::{Deserialize, Serialize};

pub(super) const LAW: Law = Law {
    id: "L2.step",
    title: "a step is answered with the time constant and the final value of the equation",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge,
};

const TICKS: usize = 80;
const TAU: f64 = 8e-3;

/// What a step was given to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    name: String,
    decay: Decay,
    tau: f64,
    last: f64,
    /// The input.
    #[serde(default)]
    input: f64,
    /// The threshold, if what comes out are spikes.
    theta: Option<f64>,
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let [low, high] = bench.span();
    let x = narrow(high, low, high);
    let r = bench.gain();
    let last = r * f64::from(x);
    let mut steps: Vec<Step> = Vec::new();
    for decay in [Decay::Exact, Decay::Euler, Decay::RungeKutta] {
        let semantics = Preset::Exact.semantics(DT).with_decay(decay);
        // far from every value that the membrane takes at a tick
        let theta = last * (1.0 - 0.5 * (phi(decay, TAU).powi(11) + phi(decay, TAU).powi(12)));
        let set = |extra: &[(&str, f64)]| {
            let all = [&[("tau", TAU), ("r", r)], extra].concat();
            all.iter().map(|(n, v)| ((*n).to_owned(), vec![*v])).collect()
        };
        for (id, parameters, theta) in
            [(library::LI, set(&[]), None), (library::LIF, set(&[("v_threshold", theta)]), Some(theta))]
        {
            let plan = Plan::single(What::Neuron { function: id.to_owned(), parameters }, 1, semantics);
            if !bench.has(id) {
                continue;
            }
            let Ok(mut session) = bench.try_open(&plan.build()?, &Run::new())? else { continue };
            let name = format!("{id} under {decay}");
            let y = advance(&mut session, &[x; TICKS], TICKS)?;
            evidence.keep_single(&name, "1", &[TICKS, 1], &y);
            if theta.is_none() {
                let fit = Fit::new(format!("closed form, {decay}"), 0.0, last, -DT / phi(decay, TAU).ln()).with_onset(-DT);
                let plot = Plot::step_response(format!("Step response, {name}"), &[name.as_str()], vec![fit]);
                plot.with_tick(DT).attach(evidence);
            }
            steps.push(Step { name, decay, tau: TAU, last, input: f64::from(x), theta });
        }
    }
    evidence.note("steps", steps);
    Ok(())
}

fn phi(decay: Decay, tau: f64) -> f64 {
    match decay {
        Decay::Exact => (-DT / tau).exp(),
        Decay::Euler => 1.0 - DT / tau,
        Decay::RungeKutta => [4.0, 3.0, 2.0, 1.0].iter().fold(1.0, |sum, n| 1.0 - DT / tau / n * sum),
    }
}

/// By what an error of the input is multiplied in the end.
fn gain(step: &Step) -> f64 {
    if step.input == 0.0 { 1.0 } else { (step.last / step.input).abs() }
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let steps: Vec<Step> = evidence.fact("steps").unwrap_or_default();
    if steps.is_empty() {
        let why = "the substrate takes no leaky neuron whose step response has a closed form";
        return Verdict::new(crate::record::Status::NotClaimed, why);
    }
    let mut verdict = Verdict::pass(format!("{} step responses follow their closed form", steps.len()));
    for step in &steps {
        let Some(samples) = evidence.sample(&step.name) else {
            return Verdict::error(format!("the record {:?} is missing", step.name));
        };
        let phi = phi(step.decay, step.tau);
        if let Some(theta) = step.theta {
            let want = (1..=TICKS as i32).position(|n| step.last * (1.0 - phi.powi(n)) > theta);
            let got = samples.values.iter().position(|v| *v != 0.0);
            if want != got {
                return Verdict::fail(format!("{}: the first spike is in tick {got:?} instead of {want:?}", step.name));
            }
            continue;
        }
        let rounding = 0.5 * profile.accuracy.spacing(step.last).max(f64::from(f32::EPSILON) * step.last.abs());
        let half = 0.5 * profile.accuracy.spacing(step.last);
        let stored = if profile.accuracy.is_uniform() { half * (step.last.abs() + step.input.abs() + gain(step)) } else { 0.0 };
        let off = (3.0 * rounding + stored) / (1.0 - phi);
        let distances: Vec<f64> = samples.values.iter().map(|v| step.last - v).collect();
        let pairs = || distances.iter().zip(distances.iter().skip(1));
        let squares: f64 = pairs().map(|(a, _)| a * a).sum();
        let fitted = pairs().map(|(a, b)| a * b).sum::<f64>() / squares;
        let allowed = 2.0 * off * (1.0 + phi) * pairs().map(|(a, _)| a.abs()).sum::<f64>() / squares;
        let end = step.last * (1.0 - phi.powi(TICKS as i32));
        let missed = (samples.values.last().copied().unwrap_or(f64::NAN) - end).abs();
        let tau = -DT / fitted.ln();
        verdict = verdict.with_figure(&format!("{}: time constant", step.name), tau, "s");
        verdict = verdict.with_limit(&format!("{}: error of the decay", step.name), (fitted - phi).abs(), "1", allowed);
        verdict = verdict.with_limit(&format!("{}: error of the final value", step.name), missed, "1", off);
        if !((fitted - phi).abs() <= allowed && missed <= off) {
            verdict.status = crate::record::Status::Fail;
            verdict.reason = format!(
                "{}: a decay of {fitted} where the equation gives {phi} within {allowed:e}, and a final value that is off by {missed:e} of {off:e} allowed",
                step.name
            );
            return verdict;
        }
    }
    verdict
}
