//! Where the parts of a program lie on an array of neuristors, and what the array does not have.

use super::neuristor::{NEURISTOR, S_TH, cold};
use super::onset::SPIKE_ONSET;
use super::rate::SPIKE_RATE;
use super::realization::ticks;
use super::wafer::{COUPLING, INPUT, TAU, Wafer};
use isoform_core::Coefficients;
use isoform_core::error::{Error, Result};
use isoform_core::linear::LinearMap;
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::semantics::{Drive, Semantics};
use isoform_core::stability::Step;
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;

/// Rates or spikes that a program asks for, of each element.
#[derive(Debug)]
struct Counter {
    function: Arc<dyn TransferFunction>,
    semantics: Semantics,
    /// Parameters and coefficients of each channel.
    channels: Vec<(Vec<f64>, Coefficients)>,
    states: Vec<Vec<f64>>,
    values: Vec<f64>,
}

/// Where the parts of a program lie on the array, and its counters.
#[derive(Debug)]
pub struct Layout {
    pub(super) channels: usize,
    /// The input channel of the program that is the voltage of the first element.
    pub(super) first: usize,
    pub(super) map: Option<LinearMap>,
    pub(super) s_env: f64,
    counters: Vec<Counter>,
    /// For each output of the program, the counters that add up to it.
    outputs: Vec<Vec<usize>>,
}

fn refuse<T>(node: &Node, why: impl Into<String>) -> Result<T> {
    Err(Error::unsupported(why).with_node(&node.name))
}

/// The parameters of a channel of a node.
fn parameters(node: &Node, channel: usize) -> Vec<f64> {
    let NodeKind::Dynamics { parameters, .. } = &node.kind else { return Vec::new() };
    parameters.iter().map(|t| t.at(if t.len() == 1 { 0 } else { channel })).collect()
}

impl Layout {
    /// Finds the elements, their coupling and the rates of a program.
    ///
    /// # Errors
    /// `Unsupported`, naming the node that the array does not have.
    pub fn of(program: &Program, wafer: &Wafer) -> Result<Self> {
        let of_kind =
            |kind: &str| (0..).zip(program.nodes()).filter(|(_, n)| n.kind_name() == kind).collect::<Vec<(usize, &Node)>>();
        let cells = of_kind(NEURISTOR);
        let [(cell_at, cell)] = cells.as_slice() else {
            return Err(Error::unsupported(format!("the array is one node of {NEURISTOR}, and the program has {}", cells.len())));
        };
        let semantics = &cell.semantics;
        if semantics.dt.to_bits() != wafer.dt.to_bits() {
            let (dt, own) = (semantics.dt, wafer.dt);
            return refuse(
                cell,
                format!("the converters have a tick of {own:e} s and the program one of {dt:e} s: open it with dt={dt:e}"),
            );
        }
        if let Some(node) = program.nodes().iter().find(|n| n.input_delay > 0) {
            return refuse(node, "the array takes no input that is late; use semantics without an input delay");
        }
        if semantics.drive != Drive::Held {
            return refuse(cell, "the array holds its voltage for a tick; use semantics with a held drive");
        }
        let s_env = film(cell)?;
        follow(cell, wafer)?;
        let first = voltage(program, cell)?;
        let map = coupling(program, (*cell_at, cell))?;
        if map.is_none()
            && let Some((_, other)) = of_kind("sparse").into_iter().chain(of_kind("dense")).next()
        {
            return refuse(other, "the only map of the array is the coupling of its elements");
        }
        let (mut counters, mut places) = (Vec::new(), Vec::new());
        for (at, node) in of_kind(SPIKE_RATE).into_iter().chain(of_kind(SPIKE_ONSET)) {
            counters.push(counter(node, *cell_at)?);
            places.push(at);
        }
        let mut outputs = Vec::new();
        for output in program.outputs() {
            let rate = |origin| match origin {
                Origin::Node(at, _) => places.iter().position(|&place| place == at),
                Origin::Input(_) => None,
            };
            let Some(sum) = output.sources.iter().map(|s| rate(s.origin)).collect::<Option<Vec<usize>>>() else {
                return refuse(
                    cell,
                    format!(
                        "output {:?} is no rate and no spikes; the course of an oscillator that runs by itself is nobody's to promise: give its \
                         current to a node of {SPIKE_RATE} or {SPIKE_ONSET}, or run the program on a substrate that can be reset",
                        output.port.name
                    ),
                );
            };
            outputs.push(sum);
        }
        Ok(Self { channels: cell.channels(), first, map, s_env, counters, outputs })
    }

    /// The elements that the program has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.channels
    }

    /// What each element loses to the surroundings, in W/K.
    #[must_use]
    pub fn conductance(&self) -> f64 {
        self.s_env
    }

    /// One tick of the counters, with the current of each element in ampere.
    pub fn count(&mut self, current: impl Fn(usize) -> f64) {
        for counter in &mut self.counters {
            let channels = counter.channels.iter().zip(&mut counter.states).zip(&mut counter.values).enumerate();
            for (channel, (((p, c), state), rate)) in channels {
                counter.function.step(&counter.semantics, c, &[current(channel)], state, p, std::slice::from_mut(rate));
            }
        }
    }

    /// The rates and spikes that are the outputs of the program, element by element of each.
    pub fn rates(&self) -> impl Iterator<Item = f64> {
        let sum = |counters: &Vec<usize>, channel: usize| counters.iter().map(|&c| self.counters[c].values[channel]).sum();
        self.outputs.iter().flat_map(move |counters| (0..self.channels).map(move |channel| sum(counters, channel)))
    }

    /// The counters begin anew.
    pub fn clear(&mut self) {
        for counter in &mut self.counters {
            counter.states.iter_mut().for_each(|state| state.fill(0.0));
        }
    }
}

/// The conductance to the surroundings, if the film is the one that there is.
fn film(cell: &Node) -> Result<f64> {
    let NodeKind::Dynamics { function, parameters } = &cell.kind else { return Ok(S_TH) };
    let mut s_env = S_TH;
    for (declared, given) in function.signature().parameters.iter().zip(parameters) {
        let (name, default) = (declared.quantity.name, declared.default.unwrap_or(0.0));
        let one = given.len() == 1 || (1..given.len()).all(|c| given.at(c).to_bits() == given.at(0).to_bits());
        let value = given.at(0);
        let low = S_TH * (1.0 - 4.0 * COUPLING) * (1.0 - 1e-9);
        match name {
            "s_env" if one && (low..=S_TH).contains(&value) => s_env = value,
            "s_env" => {
                return refuse(
                    cell,
                    format!(
                        "its elements lose from {low:.4e} to {S_TH:.4e} W/K to the surroundings, which a coupling of at most {COUPLING} leaves"
                    ),
                );
            }
            "noise" if !(one && value == 0.0) => {
                return refuse(
                    cell,
                    "the film has noise of its own, which its substrate is opened with: leave the noise of the program at nought",
                );
            }
            _ if !(one && value.to_bits() == default.to_bits()) => {
                return refuse(cell, format!("the films are made with a {name} of {default}; leave it as it is"));
            }
            _ => {}
        }
    }
    Ok(s_env)
}

/// Follows an element of the program by its own step for two periods, and holds the error of every tick to the limit.
fn follow(cell: &Node, wafer: &Wafer) -> Result<()> {
    let NodeKind::Dynamics { function, .. } = &cell.kind else { return Ok(()) };
    let (p, x) = (parameters(cell, 0), [f64::midpoint(INPUT[0], INPUT[1]), 0.0, 0.0]);
    let step = Step::new(function.as_ref(), &cell.semantics, &p).map_err(|e| e.with_node(&cell.name))?;
    let c = function.coefficients(&cell.semantics, &p);
    let (mut s, mut y, mut worst) = (cold(p[11]), [0.0; 2], 0.0_f64);
    for _ in 0..ticks(8e-6, wafer.dt) {
        worst = step.error(&x, &s).map_or(f64::INFINITY, |error| worst.max(error[1]));
        if worst > wafer.error {
            let (decay, limit) = (cell.semantics.decay, wafer.error);
            return refuse(
                cell,
                format!(
                    "a tick by {decay} is off by {worst:.2} K, and {limit} K are allowed; choose a runge-kutta decay, more substeps or error=…"
                ),
            );
        }
        function.step(&cell.semantics, &c, &x, &mut s, &p, &mut y);
    }
    Ok(())
}

/// The input channel that is the voltage of the first element.
fn voltage(program: &Program, cell: &Node) -> Result<usize> {
    match cell.sources.first().map_or(&[][..], Vec::as_slice) {
        [Source { origin: Origin::Input(input), .. }] => Ok(program.inputs()[..*input].iter().map(|port| port.shape.len()).sum()),
        _ => refuse(cell, "its voltages come from outside: wire one input of the program to it"),
    }
}

/// The map by which elements warm each other, if there is one.
fn coupling(program: &Program, (cell_at, cell): (usize, &Node)) -> Result<Option<LinearMap>> {
    let sources = cell.sources.get(1).map_or(&[][..], Vec::as_slice);
    let source = match sources {
        [] => return Ok(None),
        [one] => one,
        _ => return refuse(cell, "elements warm each other by one map"),
    };
    let Origin::Node(at, _) = source.origin else { return refuse(cell, "there is no heater: heat comes from neighbours alone") };
    let node = &program.nodes()[at];
    let NodeKind::Linear(map) = &node.kind else { return refuse(node, "heat comes from neighbours by a linear map alone") };
    let temperatures = |sources: &[Source]| matches!(sources, [s] if s.origin == Origin::Node(cell_at, 1));
    if !temperatures(&node.sources[0]) || map.has_bias() {
        return refuse(node, "heat flows between the temperatures of elements: wire output 1 of the array to it, without a bias");
    }
    let (mut sums, mut strongest) = (vec![0.0; cell.channels()], 0.0_f64);
    let mut backwards = false;
    map.for_each_term(|to, from, weight| {
        sums[to] += weight;
        if to != from {
            strongest = strongest.max(weight);
            backwards |= weight < 0.0;
        }
    });
    if backwards || sums.iter().any(|s| s.abs() > 1e-9 * S_TH) {
        return refuse(
            node,
            "heat flows from the warmer to the colder and is conserved: the rows of a coupling add up to nought",
        );
    }
    if strongest > COUPLING * S_TH * (1.0 + 1e-9) {
        return refuse(
            node,
            format!(
                "a coupling of {:.4} lets elements pull each other for longer than the washout; the most is {COUPLING}",
                strongest / S_TH
            ),
        );
    }
    Ok(Some(map.as_ref().clone()))
}

fn counter(node: &Node, cell: usize) -> Result<Counter> {
    let NodeKind::Dynamics { function, .. } = &node.kind else { return refuse(node, "it has no function") };
    if !matches!(node.sources[0].as_slice(), [s] if s.origin == Origin::Node(cell, 0) && !s.late) {
        return refuse(node, "rates and spikes are those of the currents of the array: wire output 0 of the array to it");
    }
    let mut channels = Vec::new();
    for channel in 0..node.channels() {
        let p = parameters(node, channel);
        // spikes have no window
        let (level, tau) = (p[0], p.get(1).copied().unwrap_or(TAU));
        if !((1e-3..=2e-3).contains(&level) && (tau / TAU - 1.0).abs() < 1e-9) {
            return refuse(node, format!("its counters have a window of {TAU:e} s and a level from 1 to 2 mA"));
        }
        channels.push((p.clone(), function.coefficients(&node.semantics, &p)));
    }
    let states = vec![vec![0.0; function.signature().states.len()]; node.channels()];
    Ok(Counter { function: Arc::clone(function), semantics: node.semantics, values: vec![0.0; channels.len()], channels, states })
}
