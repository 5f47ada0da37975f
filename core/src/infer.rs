//! Shapes of nodes, found by following the wires.

use crate::builder::{Builder, Draft, DraftNode};
use crate::dynamics::Domain;
use crate::error::{Error, Result};
use crate::linear::{Dense, LinearMap};
use crate::optical::Detection;
use crate::program::{Node, NodeKind, Origin, Port, Source};
use crate::tensor::{Shape, Tensor};
use std::collections::{HashMap, VecDeque};

/// No delay line is longer than this many ticks.
const LONGEST_DELAY: f64 = 1e6;

/// How many inputs a node has.
pub(crate) fn input_ports(what: &Draft) -> usize {
    match what {
        Draft::Neuron(neuron) => neuron.function().signature().signals(),
        _ => 1,
    }
}

/// How many outputs a node has.
pub(crate) fn output_ports(what: &Draft) -> usize {
    match what {
        Draft::Neuron(neuron) => neuron.function().signature().outputs.len(),
        _ => 1,
    }
}

/// Input and output shape of every node. All inputs of a node have one shape, and so have all outputs.
pub(crate) fn shapes(draft: &Builder, names: &HashMap<String, Origin>) -> Result<Vec<(Shape, Shape)>> {
    let mut known: Vec<Option<(Shape, Shape)>> = vec![None; draft.nodes.len()];
    let mut takers: Vec<Vec<usize>> = vec![Vec::new(); draft.nodes.len()];
    for (index, node) in draft.nodes.iter().enumerate() {
        for (name, _) in node.inputs.iter().flat_map(|w| &w.0) {
            if let Some(Origin::Node(from, _)) = names.get(name) {
                takers[*from].push(index);
            }
        }
    }
    // what takes from a node is looked at again when the node is known
    let mut due: VecDeque<usize> = (0..draft.nodes.len()).collect();
    while let Some(index) = due.pop_front() {
        if known[index].is_none() {
            let node = &draft.nodes[index];
            known[index] = shape(node, draft, names, &known).map_err(|e| e.with_node(&node.name))?;
            if known[index].is_some() {
                due.extend(&takers[index]);
            }
        }
    }
    let mut all = Vec::with_capacity(known.len());
    for (node, shapes) in draft.nodes.iter().zip(known) {
        let refuse =
            || Error::invalid_program("its shape is told by neither inputs nor parameters; say it").with_node(&node.name);
        all.push(shapes.ok_or_else(refuse)?);
    }
    let mut signals = 0_usize;
    for (node, (input, output)) in draft.nodes.iter().zip(&all) {
        for extent in [input, output] {
            let length = extent.checked_len().filter(|n| (1..=MOST_CHANNELS).contains(n)).ok_or_else(|| {
                Error::invalid_program(format!("a shape of {extent} is empty or too large")).with_node(&node.name)
            })?;
            signals = signals.saturating_add(length);
            if signals > MOST_SIGNALS {
                let what =
                    format!("from {input} to {output}, with which the program passes on more than {MOST_SIGNALS} numbers a tick");
                return Err(Error::invalid_program(what).with_node(&node.name));
            }
        }
        for (name, port) in node.inputs.iter().flat_map(|w| &w.0) {
            let offered = match names.get(name) {
                Some(Origin::Input(i)) => draft.inputs.get(*i).map(|(_, shape, _)| shape),
                Some(Origin::Node(i, _)) => all.get(*i).map(|(_, shape)| shape),
                None => None,
            };
            if let Some(offered) = offered.filter(|o| !o.is_like(input)) {
                return Err(Error::invalid_program(format!("takes {input}, but output {port} of {name:?} has {offered}"))
                    .with_node(&node.name));
            }
        }
    }
    Ok(all)
}

/// More channels than any node may have.
const MOST_CHANNELS: usize = 1 << 31;
/// More numbers than all nodes may take and give in a tick: two gigabytes in double precision.
const MOST_SIGNALS: usize = 1 << 28;

/// The shapes of one node, if enough is known.
fn shape(
    node: &DraftNode,
    draft: &Builder,
    names: &HashMap<String, Origin>,
    known: &[Option<(Shape, Shape)>],
) -> Result<Option<(Shape, Shape)>> {
    let offered = node.inputs.iter().flat_map(|w| &w.0).find_map(|(name, _)| match names.get(name)? {
        Origin::Input(i) => Some(draft.inputs[*i].1.clone()),
        Origin::Node(i, _) => known[*i].as_ref().map(|(_, output)| output.clone()),
    });
    Ok(match &node.what {
        Draft::Linear(map) => match offered {
            Some(input) => {
                let map = lifted(map, &input)?;
                Some((map.input().clone(), map.output().clone()))
            }
            // a map inside a cycle does not wait for its input
            None => Some((map.input().clone(), map.output().clone())).filter(|_| !node.inputs.is_empty()),
        },
        // the axis of pairs is no extent that an input may leave out
        Draft::Optical(map) => Some((map.input().clone(), map.output().clone())).filter(|_| !node.inputs.is_empty()),
        Draft::Neuron(neuron) => {
            node.shape.clone().or(offered).or_else(|| neuron.natural_shape()).map(|shape| (shape.clone(), shape))
        }
        Draft::Delay(seconds) => {
            let natural = Some(seconds.shape()).filter(|s| !s.extents().is_empty()).cloned();
            node.shape.clone().or(offered).or(natural).map(|shape| (shape.clone(), shape))
        }
        Draft::Relay(Some(target)) => {
            if let Some(input) = offered.as_ref().filter(|input| input.len() != target.len()) {
                return Err(Error::invalid_program(format!("{input} cannot be read as {target}")));
            }
            Some((offered.unwrap_or_else(|| target.clone()), target.clone()))
        }
        Draft::Relay(None) => node.shape.clone().or(offered).map(|shape| (shape.clone(), shape)),
    })
}

/// A map that acts on the last extent of its input alone, spread over the leading ones.
pub(crate) fn lifted(map: &LinearMap, input: &Shape) -> Result<LinearMap> {
    match map {
        LinearMap::Dense(dense) if !map.input().is_like(input) && input.extents().last() == Some(&dense.cols()) => {
            let lead = input.extents()[..input.extents().len() - 1].to_vec();
            Ok(Dense::over(lead, dense.weight().clone(), dense.bias().cloned())?.into())
        }
        _ => Ok(map.clone()),
    }
}

/// Shape and kind of a sum of signals.
pub(crate) fn sum(sources: &[Source], inputs: &[Port], nodes: &[Node]) -> Result<(Shape, Domain)> {
    let mut found: Option<(Shape, Domain)> = None;
    for source in sources {
        let (shape, domain) = match source.origin {
            Origin::Input(i) => (inputs[i].shape.clone(), inputs[i].domain),
            Origin::Node(i, port) => (nodes[i].output_shapes[port].clone(), domain(&nodes[i], port)),
        };
        match &mut found {
            None => found = Some((shape, domain)),
            Some((first, _)) if !first.is_like(&shape) => {
                return Err(Error::invalid_program(format!("signals of shapes {first} and {shape} are added")));
            }
            // a sum of spikes is a count
            Some((_, kind)) => *kind = Domain::Real,
        }
    }
    found.ok_or_else(|| Error::invalid_program("nothing is wired to this output"))
}

/// What kind of numbers an output of a node carries.
pub(crate) fn domain(node: &Node, port: usize) -> Domain {
    match &node.kind {
        NodeKind::Dynamics { function, .. } => function.signature().outputs[port].domain,
        NodeKind::Optical(map) if map.detection() == Detection::Homodyne => Domain::Complex,
        _ => Domain::Real,
    }
}

/// Whole ticks of a delay, rounded to the nearest, one per channel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the longest delay")]
pub(crate) fn delay_ticks(seconds: &Tensor, dt: f64, channels: usize) -> Result<Vec<u32>> {
    (0..channels)
        .map(|c| {
            let ticks = (seconds.at(if seconds.len() == 1 { 0 } else { c }) / dt).round();
            if (0.0..=LONGEST_DELAY).contains(&ticks) {
                Ok(ticks as u32)
            } else {
                Err(Error::invalid_program(format!("a delay of {ticks} ticks is outside 0 to {LONGEST_DELAY}")))
            }
        })
        .collect()
}
