//! The programs and inputs by which semantics show in outputs.

use super::candidates::{Question, unnamed};
use crate::bench::{Bench, advance, narrow};
use crate::plan::{Plan, PlanNode, What};
use isoform_core::error::{Error, Result};
use isoform_core::functions as library;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::{Run, Substrate};
use serde::{Deserialize, Serialize};

/// One program with its input, and what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Observation {
    pub(crate) name: String,
    /// The program, under the semantics that were declared.
    pub(crate) plan: Plan,
    /// The questions on which the output depends.
    pub(crate) depends: Vec<Question>,
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
}

/// The levels that the input takes, in parts of the largest: rises, holds, falls and rests.
const PATTERN: [f64; 36] = [
    1.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.25, 0.0, 0.0, 0.0, 1.0, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
    0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0,
];

/// Runs every probe that the substrate takes.
pub(crate) fn observe(substrate: &dyn Substrate, semantics: &Semantics) -> Result<Vec<Observation>> {
    let bench = Bench::new(substrate, 0, "fingerprint");
    let (mut seen, mut refusal) = (Vec::new(), None);
    for (name, plan, depends, levels) in probes(&bench, semantics) {
        let program = plan.build()?;
        match bench.try_open(&program, &Run::new())? {
            Ok(mut session) => {
                let [low, high] = bench.span();
                let unit = if high.abs() >= low.abs() { high } else { low };
                let channels = program.input_channels();
                let x: Vec<f32> =
                    levels.iter().flat_map(|l| std::iter::repeat_n(narrow(l * unit, low, high), channels)).collect();
                let y = advance(&mut session, &x, levels.len())?;
                seen.push(Observation { name: name.to_owned(), plan, depends, x, y });
            }
            Err(why) => refusal = Some(why),
        }
    }
    match (seen.is_empty(), refusal) {
        (true, Some(why)) => Err(Error::unsupported(format!("every probe is refused: {why}"))),
        (true, None) => Err(Error::unsupported("the substrate takes no transfer function that shows semantics")),
        _ => Ok(seen),
    }
}

/// A time constant in ticks whose reciprocal is a row of ones in binary, so that every bit of a quantised decay shows.
const TAU: f64 = 4.0003;

type Probe = (&'static str, Plan, Vec<Question>, Vec<f64>);

fn probes(bench: &Bench<'_>, semantics: &Semantics) -> Vec<Probe> {
    use Question as Q;
    let (semantics, dt) = (unnamed(semantics), semantics.dt);
    let pattern = PATTERN.to_vec();
    let flow = vec![Q::Decay, Q::Drive, Q::Delay, Q::Number];
    let jumps = [flow.clone(), vec![Q::Test, Q::Compare, Q::Reset]].concat();
    let [low, high] = bench.span();
    // the largest input drives a membrane towards one
    let r = 1.0 / high.abs().max(low.abs());
    let width = bench.channels(16);
    let neuron = |function: &str, parameters: Vec<(&str, Vec<f64>)>| What::Neuron {
        function: function.to_owned(),
        parameters: parameters.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
    };
    let each = |f: &dyn Fn(f64) -> f64| -> Vec<f64> { (0..width).map(|c| f(c as f64 / 16.0)).collect() };
    // thresholds that rise from channel to channel read a membrane off its spikes
    let ladder = |reset: f64| {
        let first = if width == 1 { 0.437 } else { 0.0931 };
        vec![("v_threshold", each(&|c| first + 0.83 * c)), ("v_reset", vec![reset])]
    };
    let leaky = |tau: f64| vec![("tau", vec![tau * dt]), ("r", vec![r])];
    let cuba = || vec![("tau_syn", vec![2.5 * dt]), ("tau_mem", vec![6.0 * dt]), ("r", vec![2.0 * r])];
    let mut probes: Vec<Probe> = Vec::new();
    let mut single = |name, what: What, width: usize, depends: &[Q], levels: Vec<f64>| {
        let What::Neuron { function, .. } = &what else { return };
        if bench.has(function) {
            let plan = Plan::single(what, width, semantics);
            // semantics that this function cannot have leave nothing to probe
            if plan.build().is_ok() {
                probes.push((name, plan, depends.to_vec(), levels));
            }
        }
    };
    single("the membrane of a leaky integrator", neuron(library::LI, leaky(TAU)), 1, &flow, pattern.clone());
    let order = [flow.clone(), vec![Q::Order]].concat();
    single("the membrane behind a synapse", neuron(library::CUBA_LI, cuba()), 1, &order, pattern.clone());
    single(
        "spikes of leaky neurons at rising thresholds",
        neuron(library::LIF, [leaky(TAU), ladder(0.0)].concat()),
        width,
        &jumps,
        pattern.clone(),
    );
    single(
        "spikes of leaky neurons that are reset below rest, under a strong input",
        neuron(library::LIF, [vec![("tau", vec![3.0 * dt]), ("r", vec![4.0 * r])], ladder(-0.27)].concat()),
        width,
        &jumps,
        pattern.clone(),
    );
    let all_jumps = [jumps.clone(), vec![Q::Order]].concat();
    single(
        "spikes behind a synapse at rising thresholds",
        neuron(library::CUBA_LIF, [cuba(), ladder(-0.11)].concat()),
        width,
        &all_jumps,
        pattern.clone(),
    );
    single(
        "spikes of integrate-and-fire neurons at rising thresholds",
        neuron(library::IF, [vec![("r", vec![0.19 * r / dt])], ladder(-0.05)].concat()),
        width,
        &jumps,
        pattern.clone(),
    );
    // a membrane at rest stands exactly at a threshold of nought
    let edge = || vec![("v_threshold", vec![0.0]), ("v_reset", vec![-1.0])];
    let rest = vec![0.0; 6];
    for (function, own) in [(library::LIF, leaky(TAU)), (library::IF, vec![("r", vec![r / dt])]), (library::CUBA_LIF, cuba())] {
        let depends = if function == library::CUBA_LIF { &all_jumps } else { &jumps };
        single(
            "spikes of a membrane at rest exactly at its threshold",
            neuron(function, [own, edge()].concat()),
            1,
            depends,
            rest.clone(),
        );
    }
    // a bias inside a cycle acts in the first tick or in the second
    if bench.profile.takes.cycles && bench.has("dense") {
        for (function, parameters, width, depends) in
            [(library::LI, leaky(TAU), 1, &flow), (library::LIF, [leaky(TAU), ladder(0.0)].concat(), width, &jumps)]
        {
            if bench.has(function) {
                let mut plan = Plan::single(neuron(function, parameters), width, semantics);
                let weight = (0..width * width).map(|i| if i % (width + 1) == 0 { 0.2 / r } else { 0.0 }).collect();
                let back = What::Dense { rows: width, cols: width, weight, bias: Some(vec![0.6 / r; width]) };
                plan.nodes[0].from.push(String::from("back"));
                plan.nodes.push(PlanNode::new("back", back, "node"));
                if plan.build().is_ok() {
                    let depends = [depends.clone(), vec![Q::Cycle]].concat();
                    probes.push(("a cycle through a bias", plan, depends, vec![0.0; 12]));
                }
            }
        }
    }
    // within a short tick the first terms of an exponential pass for it
    let fast = Plan::single(neuron(library::LI, vec![("tau", vec![0.6003 * dt]), ("r", vec![r])]), 1, semantics);
    if bench.has(library::LI) && fast.build().is_ok() {
        probes.push(("a membrane that is faster than a tick", fast, flow, pattern));
    }
    probes
}
