//! From a program to a plan.

use crate::buffer::PAD;
use crate::cell;
use crate::error::CpuError;
use crate::linear::Kernel;
use crate::neuron::Neuron;
use crate::plan::{BufferSpec, InputSpec, Location, OutputSpec, Place, Plan, Section, Step};
use crate::ring::{Line, Reach};
use isoform_core::dynamics::Domain;
use isoform_core::lanes::InstructionSet;
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::schedule::Content;
use std::collections::HashMap;

/// Compiles a program for shards of up to so many batch lanes.
pub(crate) fn compile(program: &Program, seed: u64, batch: usize, instructions: InstructionSet) -> Result<Plan, CpuError> {
    let mut compiler = Compiler::new(program, seed, batch, instructions)?;
    compiler.place_outputs();
    for part in &program.schedule().parts {
        compiler.section(&part.nodes, part.recurrent);
    }
    compiler.outputs();
    compiler.memory();
    compiler.bypass();
    cell::find(&mut compiler.plan, batch);
    Ok(compiler.plan)
}

struct Compiler<'a> {
    program: &'a Program,
    plan: Plan,
    /// Where the outputs of nodes are found.
    places: HashMap<(usize, usize), Place>,
    /// The lines by node and input.
    lines: HashMap<(usize, usize), usize>,
    /// Buffers of noughts by their width.
    noughts: HashMap<usize, usize>,
}

impl<'a> Compiler<'a> {
    fn new(program: &'a Program, seed: u64, batch: usize, instructions: InstructionSet) -> Result<Self, CpuError> {
        let mut plan = Plan {
            instructions,
            inputs: Vec::new(),
            outputs: Vec::new(),
            buffers: Vec::new(),
            neurons: Vec::new(),
            maps: Vec::new(),
            lines: Vec::new(),
            sections: Vec::new(),
            memory: Vec::new(),
            places: Vec::new(),
            has_direct: false,
            channels: [program.input_channels(), program.output_channels()],
        };
        let mut offset = 0;
        for port in program.inputs() {
            let channels = port.shape.len();
            plan.buffers.push(BufferSpec { channels, lead: false, constant: false });
            plan.inputs.push(InputSpec { offset, channels, staging: plan.buffers.len() - 1 });
            offset += channels;
        }
        for node in program.nodes() {
            let place = match &node.kind {
                NodeKind::Dynamics { .. } => {
                    plan.neurons.extend(Neuron::new(node, seed, batch)?);
                    Some(plan.neurons.len() - 1)
                }
                NodeKind::Linear(map) => {
                    plan.maps.push(Kernel::new(map, &node.name)?);
                    Some(plan.maps.len() - 1)
                }
                NodeKind::Delay { .. } | NodeKind::Relay => None,
            };
            plan.places.push(place);
        }
        Ok(Self { program, plan, places: HashMap::new(), lines: HashMap::new(), noughts: HashMap::new() })
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

    /// One place for a sum of signals.
    fn gather(&mut self, sources: &[Source], channels: usize, steps: &mut Vec<Step>) -> Place {
        match sources {
            [] => self.nought(channels),
            &[one] => self.place(one),
            several => {
                let sources = several.iter().map(|&s| self.place(s)).collect();
                let out = self.buffer(channels, false);
                steps.push(Step::Sum { sources, out });
                Place::Buffer { index: out, late: false }
            }
        }
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
                    let place = self.gather(sources, channels, if postponed { &mut after } else { &mut steps });
                    inputs.push(place);
                    continue;
                }
                let ticks = node.input_delay as usize;
                let line = self.line(index, port, Line { channels, ticks, reach: Reach::Uniform(ticks) });
                let out = self.buffer(channels, false);
                let input = self.gather(sources, channels, if recurrent { &mut after } else { &mut steps });
                self.pass(line, input, out, recurrent, &mut steps, &mut after);
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
        match (&node.kind, self.plan.places[index], inputs.first().copied(), out) {
            (NodeKind::Dynamics { .. }, Some(neuron), ..) => {
                let draws = (0..self.plan.neurons[neuron].draws.len()).map(|_| self.buffer(node.channels(), false)).collect();
                let outputs = (0..node.output_shapes.len())
                    .map(|port| self.out(index, port).filter(|_| self.is_heard(index, port)))
                    .collect();
                steps.push(Step::Neuron { index: neuron, inputs, draws, outputs, direct: None });
            }
            (NodeKind::Linear(_), Some(map), Some(input), Some(out)) => steps.push(Step::Linear { index: map, input, out }),
            (NodeKind::Delay { ticks, .. }, _, Some(input), Some(out)) if !passes(node) => {
                let longest = ticks.iter().copied().max().unwrap_or(0);
                let reach = match ticks.iter().all(|&t| t == longest) {
                    true => Reach::Uniform(longest as usize),
                    false => Reach::Each(ticks.clone()),
                };
                let line = self.line(index, 0, Line { channels: ticks.len(), ticks: longest as usize, reach });
                self.pass(line, input, out, recurrent, steps, after);
            }
            (_, _, Some(input), Some(out)) => steps.push(Step::Sum { sources: vec![input], out }),
            _ => {}
        }
    }

    fn line(&mut self, node: usize, port: usize, line: Line) -> usize {
        self.plan.lines.push(line);
        self.lines.insert((node, port), self.plan.lines.len() - 1);
        self.plan.lines.len() - 1
    }

    fn pass(&mut self, line: usize, input: Place, out: usize, recurrent: bool, steps: &mut Vec<Step>, after: &mut Vec<Step>) {
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
            let source = self.gather(&output.sources, channels, &mut steps);
            self.plan.outputs.push(OutputSpec { source, offset, channels, spikes: output.port.domain == Domain::Spikes });
            offset += channels;
        }
        if !steps.is_empty() {
            self.plan.sections.push(Section { recurrent: false, steps });
        }
    }

    fn memory(&mut self) {
        let states: Vec<Option<usize>> = self.plan.places.clone();
        for block in &self.program.schedule().memory {
            let location = match block.content {
                Content::State(state) => states[block.node].map(|neuron| Location::State { neuron, state }),
                Content::Line { port, .. } => self.lines.get(&(block.node, port)).copied().map(Location::Line),
                Content::Previous(port) => self.out(block.node, port).map(Location::Previous),
            };
            self.plan.memory.extend(location);
        }
    }

    /// Lets the only output of the program be written by the neuron that makes it, where nobody else reads it.
    fn bypass(&mut self) {
        let [OutputSpec { source: Place::Buffer { index: target, late: false }, .. }] = self.plan.outputs.as_slice() else {
            return;
        };
        let target = *target;
        let is_target = |place: &Place| matches!(place, Place::Buffer { index, .. } if *index == target);
        let sections = &mut self.plan.sections;
        let read = sections.iter().flat_map(|s| &s.steps).flat_map(Step::reads).any(is_target);
        if read || self.plan.buffers[target].lead {
            return;
        }
        for step in sections.iter_mut().filter(|s| !s.recurrent).flat_map(|s| &mut s.steps) {
            if let Step::Neuron { index, outputs, direct, .. } = step
                && !self.plan.neurons[*index].is_double()
            {
                *direct = outputs.iter().position(|&out| out == Some(target));
                self.plan.has_direct |= direct.is_some();
            }
        }
    }
}

/// Whether a node hands on its input unchanged and at once.
fn passes(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Relay => true,
        NodeKind::Delay { ticks, .. } => ticks.iter().all(|&t| t == 0),
        NodeKind::Dynamics { .. } | NodeKind::Linear(_) => false,
    }
}

/// Whether the output of a delay never depends on the input of the same tick.
fn is_patient_delay(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Delay { ticks, .. } if ticks.iter().all(|&t| t > 0))
}

const _: () = assert!(isoform_core::lanes::BLOCK.is_multiple_of(PAD));
