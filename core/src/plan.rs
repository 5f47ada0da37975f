//! A program laid out as steps over rows of numbers: what the digital substrates compile and run.
//!
//! Every signal between two nodes is a buffer of rows `[tick, lane]`, a lane for each channel of each batch lane. A step reads rows and writes
//! rows, for a whole block of ticks where nothing feeds back and tick by tick where something does. The plan says which steps and which
//! buffers; how a row is computed is up to the substrate.

use crate::dynamics::Domain;
use crate::program::{Node, NodeKind, Origin, Program, Source};
use crate::schedule::Content;
use std::collections::HashMap;

/// Where a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// An input of the program.
    Input(usize),
    /// A buffer, perhaps one tick late.
    Buffer {
        /// Which.
        index: usize,
        /// Whether the row of the previous tick is meant.
        late: bool,
    },
}

/// Rows of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferSpec {
    /// Channels of one batch lane.
    pub channels: usize,
    /// Whether the row of the tick before the block is kept.
    pub lead: bool,
    /// Whether it is one row of noughts.
    pub constant: bool,
}

/// How far back the channels of a line are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All by the same number of ticks.
    Uniform(usize),
    /// Each channel by its own; nought reads the present tick.
    Each(Vec<u32>),
}

/// A line of past rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Channels of one batch lane.
    pub channels: usize,
    /// Rows that are kept.
    pub ticks: usize,
    /// How far back it is read.
    pub reach: Reach,
}

/// One thing to do, for one tick or a block of ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Adds rows in their order.
    Sum {
        /// The terms.
        sources: Vec<Place>,
        /// The buffer of the sum.
        out: usize,
    },
    /// Reads a line, or takes in a row, or does both in this order.
    Line {
        /// The line.
        line: usize,
        /// What it takes in.
        input: Place,
        /// The buffer for what is read; absent for taking in alone.
        read: Option<usize>,
        /// Whether it takes in.
        absorb: bool,
    },
    /// Element-wise dynamics.
    Neuron {
        /// The node.
        node: usize,
        /// One per signal.
        inputs: Vec<Place>,
        /// The buffers of the outputs; absent where nobody listens.
        outputs: Vec<Option<usize>>,
    },
    /// A linear map, or an optical one.
    Linear {
        /// The node.
        node: usize,
        /// The input.
        input: Place,
        /// The buffer of the output.
        out: usize,
    },
}

impl Step {
    /// Every place that it reads.
    pub fn reads(&self) -> impl Iterator<Item = Place> + '_ {
        let (several, one) = match self {
            Self::Sum { sources: several, .. } | Self::Neuron { inputs: several, .. } => (several.as_slice(), None),
            Self::Line { input, .. } | Self::Linear { input, .. } => (&[][..], Some(*input)),
        };
        several.iter().copied().chain(one)
    }
}

/// Steps that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Whether all steps must be done for one tick before the next.
    pub recurrent: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// An output of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSpec {
    /// Where its rows are.
    pub source: Place,
    /// The first channel in a row of the signal.
    pub offset: usize,
    /// How many channels.
    pub channels: usize,
    /// Whether it holds noughts and ones only.
    pub spikes: bool,
}

/// An input of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSpec {
    /// The first channel in a row of the signal.
    pub offset: usize,
    /// How many channels.
    pub channels: usize,
    /// The buffer for rows that are not read in place.
    pub staging: usize,
}

/// Where a block of a saved state lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A state of a node.
    State {
        /// The node.
        node: usize,
        /// The place of the state in its signature.
        state: usize,
    },
    /// A line.
    Line(usize),
    /// The row before the block of a buffer.
    Previous(usize),
}

/// A program laid out as steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The inputs, in the order of their channels in a signal.
    pub inputs: Vec<InputSpec>,
    /// The outputs, in the order of their channels in a signal.
    pub outputs: Vec<OutputSpec>,
    /// Every buffer.
    pub buffers: Vec<BufferSpec>,
    /// Every line.
    pub lines: Vec<Line>,
    /// The steps, in order.
    pub sections: Vec<Section>,
    /// Where each block of the schedule's memory lives.
    pub memory: Vec<Location>,
    /// The neuron and its output that may bypass its buffer: it is the only output of the program, and nobody else reads it.
    pub direct: Option<(usize, usize)>,
    /// Channels of all inputs and of all outputs together.
    pub channels: [usize; 2],
}

impl Plan {
    /// Lays out a program.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let mut planner = Planner::new(program);
        planner.place_outputs();
        for part in &program.schedule().parts {
            planner.section(&part.nodes, part.recurrent);
        }
        planner.outputs();
        planner.memory();
        planner.plan.direct = planner.direct();
        planner.plan
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.sections.iter().flat_map(|s| &s.steps)
    }
}

struct Planner<'a> {
    program: &'a Program,
    plan: Plan,
    /// Where the outputs of nodes are found.
    places: HashMap<(usize, usize), Place>,
    /// The lines by node and input.
    lines: HashMap<(usize, usize), usize>,
    /// Buffers of noughts by their width.
    noughts: HashMap<usize, usize>,
}

impl<'a> Planner<'a> {
    fn new(program: &'a Program) -> Self {
        let mut plan = Plan {
            inputs: Vec::new(),
            outputs: Vec::new(),
            buffers: Vec::new(),
            lines: Vec::new(),
            sections: Vec::new(),
            memory: Vec::new(),
            direct: None,
            channels: [program.input_channels(), program.output_channels()],
        };
        let mut offset = 0;
        for port in program.inputs() {
            let channels = port.shape.len();
            plan.buffers.push(BufferSpec { channels, lead: false, constant: false });
            plan.inputs.push(InputSpec { offset, channels, staging: plan.buffers.len() - 1 });
            offset += channels;
        }
        Self { program, plan, places: HashMap::new(), lines: HashMap::new(), noughts: HashMap::new() }
    }

    fn buffer(&mut self, channels: usize, lead: bool) -> usize {
        self.plan.buffers.push(BufferSpec { channels, lead, constant: false });
        self.plan.buffers.len() - 1
    }

    fn nought(&mut self, channels: usize) -> Place {
        let buffers = &mut self.plan.buffers;
        let index = *self.noughts.entry(channels).or_insert_with(|| {
            buffers.push(BufferSpec { channels, lead: false, constant: true });
            buffers.len() - 1
        });
        Place::Buffer { index, late: false }
    }

    /// Whether the output of the previous tick is kept.
    fn is_kept(&self, node: usize, port: usize) -> bool {
        self.program.schedule().memory.iter().any(|m| m.node == node && m.content == Content::Previous(port))
    }

    /// A node that only hands on another signal has no buffer of its own.
    fn alias(&self, index: usize, node: &Node) -> Option<Source> {
        match node.sources.first().map(Vec::as_slice) {
            Some(&[source]) if passes(node) && !self.is_kept(index, 0) => Some(source),
            _ => None,
        }
    }

    fn place_outputs(&mut self) {
        let program = self.program;
        for (index, node) in program.nodes().iter().enumerate() {
            if self.alias(index, node).is_some() {
                continue;
            }
            for (port, shape) in node.output_shapes.iter().enumerate() {
                let lead = self.is_kept(index, port);
                let buffer = self.buffer(shape.len(), lead);
                self.places.insert((index, port), Place::Buffer { index: buffer, late: false });
            }
        }
        // what is handed on comes before who hands it on
        for &index in &program.schedule().order {
            if let Some(source) = self.alias(index, &program.nodes()[index]) {
                let place = self.place(source);
                self.places.insert((index, 0), place);
            }
        }
    }

    fn place(&mut self, source: Source) -> Place {
        match source.origin {
            Origin::Input(i) => Place::Input(i),
            Origin::Node(node, port) => match self.places.get(&(node, port)) {
                Some(&Place::Buffer { index, late }) => Place::Buffer { index, late: late || source.late },
                Some(&place) => place,
                None => self.nought(self.program.nodes()[node].output_shapes[port].len()),
            },
        }
    }

    /// One place for a sum of signals. What a node gives itself is copied, so that no step reads the buffer that it writes.
    fn gather(&mut self, owner: Option<usize>, sources: &[Source], channels: usize, steps: &mut Vec<Step>) -> Place {
        let alone = match sources {
            [] => return self.nought(channels),
            &[one] => Some(self.place(one)),
            _ => None,
        };
        match alone.filter(|&place| owner.is_none_or(|node| !self.writes(node, place))) {
            Some(place) => place,
            None => {
                let sources = sources.iter().map(|&s| self.place(s)).collect();
                let out = self.buffer(channels, false);
                steps.push(Step::Sum { sources, out });
                Place::Buffer { index: out, late: false }
            }
        }
    }

    fn writes(&self, node: usize, place: Place) -> bool {
        let ports = 0..self.program.nodes()[node].output_shapes.len();
        matches!(place, Place::Buffer { index, .. } if ports.clone().any(|port| self.out(node, port) == Some(index)))
    }

    fn out(&self, node: usize, port: usize) -> Option<usize> {
        match self.places.get(&(node, port)) {
            Some(&Place::Buffer { index, .. }) => Some(index),
            _ => None,
        }
    }

    fn section(&mut self, nodes: &[usize], recurrent: bool) {
        // lines of a loop take in what the tick has brought only after all nodes have run
        let (mut steps, mut after) = (Vec::new(), Vec::new());
        for &index in nodes {
            let node = &self.program.nodes()[index];
            if self.alias(index, node).is_some() {
                continue;
            }
            let mut inputs = Vec::with_capacity(node.sources.len());
            for (port, sources) in node.sources.iter().enumerate() {
                let channels = node.input_shapes[port].len();
                if node.input_delay == 0 {
                    let postponed = recurrent && is_patient_delay(node);
                    let place = self.gather(Some(index), sources, channels, if postponed { &mut after } else { &mut steps });
                    inputs.push(place);
                    continue;
                }
                let ticks = node.input_delay as usize;
                let line = self.line(index, port, Line { channels, ticks, reach: Reach::Uniform(ticks) });
                let out = self.buffer(channels, false);
                let input = self.gather(Some(index), sources, channels, if recurrent { &mut after } else { &mut steps });
                Self::pass(line, input, out, recurrent, &mut steps, &mut after);
                inputs.push(Place::Buffer { index: out, late: false });
            }
            self.node(index, inputs, recurrent, &mut steps, &mut after);
        }
        steps.append(&mut after);
        if !steps.is_empty() {
            self.plan.sections.push(Section { recurrent, steps });
        }
    }

    fn node(&mut self, index: usize, inputs: Vec<Place>, recurrent: bool, steps: &mut Vec<Step>, after: &mut Vec<Step>) {
        let node = &self.program.nodes()[index];
        let out = self.out(index, 0);
        match (&node.kind, inputs.first().copied(), out) {
            (NodeKind::Dynamics { .. }, ..) => {
                let outputs = (0..node.output_shapes.len())
                    .map(|port| self.out(index, port).filter(|_| self.is_heard(index, port)))
                    .collect();
                steps.push(Step::Neuron { node: index, inputs, outputs });
            }
            (NodeKind::Linear(_) | NodeKind::Optical(_), Some(input), Some(out)) => {
                steps.push(Step::Linear { node: index, input, out })
            }
            (NodeKind::Delay { ticks, .. }, Some(input), Some(out)) if !passes(node) => {
                let longest = ticks.iter().copied().max().unwrap_or(0);
                let reach = match ticks.iter().all(|&t| t == longest) {
                    true => Reach::Uniform(longest as usize),
                    false => Reach::Each(ticks.clone()),
                };
                let line = self.line(index, 0, Line { channels: ticks.len(), ticks: longest as usize, reach });
                Self::pass(line, input, out, recurrent, steps, after);
            }
            (_, Some(input), Some(out)) => steps.push(Step::Sum { sources: vec![input], out }),
            _ => {}
        }
    }

    fn line(&mut self, node: usize, port: usize, line: Line) -> usize {
        self.plan.lines.push(line);
        self.lines.insert((node, port), self.plan.lines.len() - 1);
        self.plan.lines.len() - 1
    }

    fn pass(line: usize, input: Place, out: usize, recurrent: bool, steps: &mut Vec<Step>, after: &mut Vec<Step>) {
        steps.push(Step::Line { line, input, read: Some(out), absorb: !recurrent });
        if recurrent {
            after.push(Step::Line { line, input, read: None, absorb: true });
        }
    }

    /// Whether anything reads an output of a node.
    fn is_heard(&self, node: usize, port: usize) -> bool {
        let origin = Origin::Node(node, port);
        let wired = self.program.nodes().iter().flat_map(|n| n.sources.iter().flatten());
        let shown = self.program.outputs().iter().flat_map(|o| &o.sources);
        self.is_kept(node, port) || wired.chain(shown).any(|s| s.origin == origin)
    }

    fn outputs(&mut self) {
        let program = self.program;
        let (mut steps, mut offset) = (Vec::new(), 0);
        for output in program.outputs() {
            let channels = output.port.shape.len();
            let source = self.gather(None, &output.sources, channels, &mut steps);
            self.plan.outputs.push(OutputSpec { source, offset, channels, spikes: output.port.domain == Domain::Spikes });
            offset += channels;
        }
        if !steps.is_empty() {
            self.plan.sections.push(Section { recurrent: false, steps });
        }
    }

    fn memory(&mut self) {
        for block in &self.program.schedule().memory {
            let location = match block.content {
                Content::State(state) => Some(Location::State { node: block.node, state }),
                Content::Line { port, .. } => self.lines.get(&(block.node, port)).copied().map(Location::Line),
                Content::Previous(port) => self.out(block.node, port).map(Location::Previous),
            };
            self.plan.memory.extend(location);
        }
    }

    fn direct(&self) -> Option<(usize, usize)> {
        let [OutputSpec { source: Place::Buffer { index: target, late: false }, .. }] = *self.plan.outputs.as_slice() else {
            return None;
        };
        let is_target = |place: Place| matches!(place, Place::Buffer { index, .. } if index == target);
        if self.plan.buffers[target].lead || self.plan.steps().flat_map(Step::reads).any(is_target) {
            return None;
        }
        self.plan.sections.iter().filter(|s| !s.recurrent).flat_map(|s| &s.steps).find_map(|step| match step {
            Step::Neuron { node, outputs, .. } => outputs.iter().position(|&out| out == Some(target)).map(|port| (*node, port)),
            _ => None,
        })
    }
}

/// Whether a node hands on its input unchanged and at once.
fn passes(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Relay => true,
        NodeKind::Delay { ticks, .. } => ticks.iter().all(|&t| t == 0),
        NodeKind::Dynamics { .. } | NodeKind::Linear(_) | NodeKind::Optical(_) => false,
    }
}

/// Whether the output of a delay never depends on the input of the same tick.
fn is_patient_delay(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Delay { ticks, .. } if ticks.iter().all(|&t| t > 0))
}
