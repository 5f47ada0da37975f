//! In which order nodes are evaluated, and what is kept from tick to tick.

use crate::dynamics::Initial;
use crate::error::{Error, Result};
use crate::program::{Node, NodeKind, Origin};
use crate::semantics::Cycle;
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graphmap::DiGraphMap;
use std::collections::HashMap;
use std::ops::Range;

/// The order of evaluation, and everything that is kept from tick to tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Nodes in an order in which what is needed in the same tick comes first.
    pub order: Vec<usize>,
    /// The order cut into parts: whole chunks can pass from part to part.
    pub parts: Vec<Part>,
    /// Everything that is kept from tick to tick, in the order of a saved state.
    pub memory: Vec<MemoryBlock>,
    ranges: Vec<Range<usize>>,
}

impl Schedule {
    /// The places of the states and lines of a node in the memory. Values of the previous tick stand behind those of all nodes.
    #[must_use]
    pub fn range(&self, node: usize) -> Range<usize> {
        self.ranges.get(node).cloned().unwrap_or(0..0)
    }
}

/// A part of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The nodes, in order.
    pub nodes: Vec<usize>,
    /// Whether they feed back on each other, so that they must be evaluated tick by tick.
    pub recurrent: bool,
}

/// Something that is kept from tick to tick.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBlock {
    /// The node.
    pub node: usize,
    /// What it is.
    pub content: Content,
    /// Channels of the node, times the length of the line for lines.
    pub len: usize,
    /// The value after a reset, one number or one per channel.
    pub initial: Vec<f64>,
}

/// What a block of memory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// A state of the signature, by its place.
    State(usize),
    /// Past inputs of a delay or of a late input, by the place of the input: the previous tick first, then the one before.
    Line {
        /// The input.
        port: usize,
        /// How many ticks it reaches back.
        ticks: usize,
    },
    /// The output of the previous tick, by its place, for edges that carry it.
    Previous(usize),
}

/// More numbers than a program may keep from tick to tick in one lane: half a gigabyte in single precision.
const MOST_MEMORY: usize = 1 << 27;

/// Marks the late edges of the nodes and orders them.
pub(crate) fn schedule(nodes: &mut [Node]) -> Result<Schedule> {
    let prompt = graph(nodes, |node| !is_patient(node));
    let loops = components(&prompt);
    for index in 0..nodes.len() {
        let entering = nodes[index].semantics.cycle == Cycle::EnteringEvent && is_neuron(&nodes[index]);
        let late: Vec<Vec<bool>> = nodes[index]
            .sources
            .iter()
            .map(|sources| {
                sources
                    .iter()
                    .map(|source| match source.origin {
                        Origin::Node(from, _) if prompt.contains_edge(from, index) && loops[&from] == loops[&index] => {
                            let leaving = nodes[from].semantics.cycle == Cycle::LeavingEvent && is_neuron(&nodes[from]);
                            leaving || entering
                        }
                        _ => false,
                    })
                    .collect()
            })
            .collect();
        for (sources, late) in nodes[index].sources.iter_mut().zip(late) {
            for (source, late) in sources.iter_mut().zip(late) {
                source.late = late;
            }
        }
    }
    let mut immediate: DiGraphMap<usize, ()> = DiGraphMap::new();
    for index in 0..nodes.len() {
        immediate.add_node(index);
    }
    for_each_edge(nodes, |from, to, late| {
        if !late && !is_patient(&nodes[to]) {
            immediate.add_edge(from, to, ());
        }
    });
    let order = toposort(&immediate, None).map_err(|cycle| {
        Error::invalid_program("stands in a cycle that nothing delays; put a neuron or a delay into it")
            .with_node(&nodes[cycle.node_id()].name)
    })?;
    let (memory, ranges) = memory(nodes);
    let mut total = 0_usize;
    for block in &memory {
        total = total.saturating_add(block.len);
        if total > MOST_MEMORY {
            let what = format!("with it the program keeps more than {MOST_MEMORY} numbers from tick to tick; shorten its delays");
            return Err(Error::invalid_program(what).with_node(&nodes[block.node].name));
        }
    }
    Ok(Schedule { parts: parts(nodes, &order), memory, ranges, order })
}

/// A node whose output does not depend on its input in the same tick.
fn is_patient(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Delay { ticks, .. } => ticks.iter().all(|&t| t > 0),
        _ => node.input_delay > 0,
    }
}

fn is_neuron(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Dynamics { .. }) && node.has_state()
}

fn for_each_edge(nodes: &[Node], mut f: impl FnMut(usize, usize, bool)) {
    for (to, node) in nodes.iter().enumerate() {
        for source in node.sources.iter().flatten() {
            if let Origin::Node(from, _) = source.origin {
                f(from, to, source.late);
            }
        }
    }
}

fn graph(nodes: &[Node], takes: impl Fn(&Node) -> bool) -> DiGraphMap<usize, ()> {
    let mut graph: DiGraphMap<usize, ()> = DiGraphMap::new();
    for index in 0..nodes.len() {
        graph.add_node(index);
    }
    for_each_edge(nodes, |from, to, _| {
        if takes(&nodes[to]) {
            graph.add_edge(from, to, ());
        }
    });
    graph
}

/// The strongly connected component of each node.
fn components(graph: &DiGraphMap<usize, ()>) -> HashMap<usize, usize> {
    tarjan_scc(graph).into_iter().enumerate().flat_map(|(c, members)| members.into_iter().map(move |n| (n, c))).collect()
}

fn parts(nodes: &[Node], order: &[usize]) -> Vec<Part> {
    let whole = graph(nodes, |_| true);
    let place: HashMap<usize, usize> = order.iter().enumerate().map(|(place, &node)| (node, place)).collect();
    // tarjan gives components in reverse order of their dependences
    tarjan_scc(&whole)
        .into_iter()
        .rev()
        .map(|mut members| {
            members.sort_by_key(|node| place[node]);
            let recurrent = members.len() > 1 || members.iter().any(|&n| whole.contains_edge(n, n));
            Part { nodes: members, recurrent }
        })
        .collect()
}

fn memory(nodes: &[Node]) -> (Vec<MemoryBlock>, Vec<Range<usize>>) {
    let mut blocks = Vec::new();
    let mut ranges = Vec::with_capacity(nodes.len());
    let nought = || vec![0.0];
    for (index, node) in nodes.iter().enumerate() {
        let first = blocks.len();
        let line = |port: usize, ticks: usize| MemoryBlock {
            node: index,
            content: Content::Line { port, ticks },
            len: ticks * node.input_shapes[port].len(),
            initial: nought(),
        };
        if node.input_delay > 0 {
            blocks.extend((0..node.sources.len()).map(|port| line(port, node.input_delay as usize)));
        }
        match &node.kind {
            NodeKind::Dynamics { function, parameters } => {
                for (k, state) in function.signature().states.iter().enumerate() {
                    let initial = match state.initial {
                        Initial::Value(v) => vec![v],
                        Initial::Parameter(p) => parameters[p].to_f64(),
                    };
                    blocks.push(MemoryBlock { node: index, content: Content::State(k), len: node.channels(), initial });
                }
            }
            NodeKind::Delay { ticks, .. } => {
                let longest = ticks.iter().copied().max().unwrap_or(0) as usize;
                if longest > 0 {
                    blocks.push(line(0, longest));
                }
            }
            NodeKind::Linear(_) | NodeKind::Optical(_) | NodeKind::Relay => {}
        }
        ranges.push(first..blocks.len());
    }
    let mut previous: Vec<(usize, usize)> = Vec::new();
    for source in nodes.iter().flat_map(|n| n.sources.iter().flatten()).filter(|s| s.late) {
        match source.origin {
            Origin::Node(from, port) if !previous.contains(&(from, port)) => previous.push((from, port)),
            _ => {}
        }
    }
    previous.sort_unstable();
    blocks.extend(previous.into_iter().map(|(node, port)| MemoryBlock {
        node,
        content: Content::Previous(port),
        len: nodes[node].output_shapes[port].len(),
        initial: nought(),
    }));
    (blocks, ranges)
}
