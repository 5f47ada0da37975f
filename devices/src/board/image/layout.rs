//! Gives the parts of a program their places on a board.
//!
//! What is kept from tick to tick stands together, so that one request reads or writes it: states, lines of past rows with their heads, and
//! rows of the previous tick. Then come coefficients, parameters and weights, and last the rows of a tick. Rows that only hand on another
//! signal are read in place.

use super::{Constants, Image, LineCells};
use crate::board::capabilities::{Capabilities, FunctionEntry};
use crate::board::operation::{Listing, NOBODY, Operation};
use isoform_core::error::{Error, Result};
use isoform_core::fixed_point::Flags;
use isoform_core::linear::LinearMap;
use isoform_core::plan::{Location, Place, Plan, Reach, Step};
use isoform_core::program::{Node, NodeKind, Program};
use isoform_core::semantics::{Number, Test};
use isoform_core::state::State;
use std::collections::HashMap;

/// Lays out a program.
pub(super) fn lay_out(program: &Program, board: &Capabilities) -> Result<Image> {
    let plan = Plan::new(program);
    let image = Image {
        numbers: board.numbers,
        plan: plan.clone(),
        listing: Listing::default(),
        memory: Vec::new(),
        kept: 0..0,
        states: HashMap::new(),
        lines: Vec::new(),
        previous: HashMap::new(),
        constants: HashMap::new(),
    };
    let mut layout = Layout { program, board, next: 0, rows: HashMap::new(), image };
    layout.keep(&plan)?;
    layout.constants()?;
    layout.rows(&plan)?;
    layout.steps(&plan)?;
    layout.finish()
}

/// A program on its way to an image.
struct Layout<'a> {
    program: &'a Program,
    board: &'a Capabilities,
    next: usize,
    rows: HashMap<usize, u16>,
    image: Image,
}

impl Layout<'_> {
    fn lacks(&self, node: Option<usize>, why: String) -> Error {
        let error = Error::unsupported(why);
        match node {
            Some(node) => error.with_node(&self.program.nodes()[node].name),
            None => error,
        }
    }

    /// So many cells; of none, the first cell there is.
    fn take(&mut self, node: Option<usize>, count: usize) -> Result<u16> {
        let first = if count == 0 { 0 } else { self.next };
        match (u16::try_from(first), self.next.checked_add(count)) {
            (Ok(first), Some(next)) if next <= self.board.cells && first != NOBODY => {
                self.next = next;
                Ok(first)
            }
            _ => {
                let why = format!("{count} cells more than {} do not fit the {} of the board", self.next, self.board.cells);
                Err(self.lacks(node, why))
            }
        }
    }

    fn width(&self, node: Option<usize>, value: usize) -> Result<u16> {
        u16::try_from(value).map_err(|_| self.lacks(node, format!("{value} is more than an operation of a board can say")))
    }

    /// States, lines and previous rows.
    fn keep(&mut self, plan: &Plan) -> Result<()> {
        for (block, &location) in self.program.schedule().memory.iter().zip(&plan.memory) {
            match location {
                Location::State { node, state: 0 } => {
                    let NodeKind::Dynamics { function, .. } = &self.program.nodes()[node].kind else { continue };
                    // the states of a node stand one after the other
                    for k in 0..function.signature().states.len() {
                        let first = self.take(Some(node), block.len)?;
                        self.image.states.insert((node, k), first);
                    }
                }
                Location::State { .. } => {}
                Location::Previous(buffer) => {
                    let first = self.take(Some(block.node), plan.buffers[buffer].channels)?;
                    self.image.previous.insert(buffer, first);
                }
                Location::Line(line) => {
                    while self.image.lines.len() <= line {
                        let spec = &plan.lines[self.image.lines.len()];
                        let cells = spec.channels.saturating_mul(spec.ticks);
                        let first = self.take(Some(block.node), cells)?;
                        let head = self.take(Some(block.node), 1)?;
                        self.image.lines.push(LineCells { first, head, channels: spec.channels, ticks: spec.ticks });
                    }
                }
            }
        }
        self.image.kept = 0..self.next;
        Ok(())
    }

    /// Coefficients, parameters and weights.
    fn constants(&mut self) -> Result<()> {
        for (index, node) in self.program.nodes().iter().enumerate() {
            let constants = match &node.kind {
                NodeKind::Dynamics { function, .. } => {
                    self.admit(index, node)?;
                    let s = function.signature();
                    let (x, n, p) = (s.inputs.len(), s.states.len(), s.parameters.len());
                    let c = self.take(Some(index), node.channels() * (n * n + n * x + n))?;
                    Constants::Neuron { c, p: self.take(Some(index), node.channels() * p)? }
                }
                NodeKind::Linear(map) => {
                    let entries = map.output().len().saturating_mul(map.input().len());
                    let w = self.take(Some(index), entries)?;
                    let b = if map.has_bias() { self.take(Some(index), map.output().len())? } else { NOBODY };
                    Constants::Linear { w, b }
                }
                NodeKind::Optical(_) => return Err(self.lacks(Some(index), String::from("a board has no optical maps"))),
                NodeKind::Delay { .. } | NodeKind::Relay => continue,
            };
            self.image.constants.insert(index, constants);
        }
        Ok(())
    }

    /// Whether the board has the function, with semantics that it can honour.
    fn admit(&self, index: usize, node: &Node) -> Result<()> {
        let NodeKind::Dynamics { function, .. } = &node.kind else { return Ok(()) };
        let s = function.signature();
        let widths = [s.inputs.len(), s.states.len(), s.parameters.len(), s.outputs.len()];
        let why = if s.inputs.iter().any(|i| i.draw.is_some()) {
            format!("{} draws random numbers, which a board does not", s.id)
        } else if !function.is_affine() {
            format!("the flow of {} is not affine, so that it has no run-time form for a board", s.id)
        } else if node.semantics.test == Test::Located {
            String::from("a board does not locate spikes inside a tick; use another preset than events")
        } else if node.semantics.number != Number::Real {
            String::from("a board does not step in the whole numbers of a chip; use another preset than loihi")
        } else {
            match self.board.functions.iter().find(|f| f.id == s.id) {
                Some(FunctionEntry { widths: has, .. }) if *has == widths => return Ok(()),
                Some(_) => format!("the board has another {}: its inputs, states, parameters or outputs differ in number", s.id),
                None => {
                    let known: Vec<&str> = self.board.functions.iter().map(|f| f.id.as_str()).collect();
                    format!("the board has no {}; it has {}", s.id, known.join(", "))
                }
            }
        };
        Err(self.lacks(Some(index), why))
    }

    /// Rows of a tick: inputs, outputs, then what stands between.
    fn rows(&mut self, plan: &Plan) -> Result<()> {
        let [inputs, outputs] = plan.channels;
        let first = self.take(None, inputs)?;
        self.image.listing.inputs = [first, self.width(None, inputs)?];
        let first = self.take(None, outputs)?;
        self.image.listing.outputs = [first, self.width(None, outputs)?];
        for output in &plan.outputs {
            // a row that is an output of the program is computed where it leaves
            if let Place::Buffer { index, late: false } = output.source
                && !plan.buffers[index].constant
            {
                let at = self.width(None, usize::from(first) + output.offset)?;
                self.rows.entry(index).or_insert(at);
            }
        }
        for step in plan.steps() {
            let node = match step {
                Step::Neuron { node, .. } | Step::Linear { node, .. } => Some(*node),
                Step::Sum { .. } | Step::Line { .. } => None,
            };
            let written: Vec<usize> = match step {
                Step::Sum { out, .. } | Step::Linear { out, .. } => vec![*out],
                Step::Line { read, .. } => read.iter().copied().collect(),
                Step::Neuron { outputs, .. } => outputs.iter().flatten().copied().collect(),
            };
            let read = step.reads().filter_map(|place| match place {
                Place::Buffer { index, .. } => Some(index),
                Place::Input(_) => None,
            });
            for index in written.into_iter().chain(read) {
                if !self.rows.contains_key(&index) {
                    let first = self.take(node, plan.buffers[index].channels)?;
                    self.rows.insert(index, first);
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, plan: &Plan, place: Place) -> Result<u16> {
        match place {
            Place::Input(i) => {
                let [first, _] = self.image.listing.inputs;
                self.width(None, usize::from(first) + plan.inputs[i].offset)
            }
            Place::Buffer { index, late: true } => {
                let kept = self.image.previous.get(&index).copied();
                kept.ok_or_else(|| Error::fault("a row of the previous tick is read that nobody keeps"))
            }
            Place::Buffer { index, late: false } => match self.rows.get(&index) {
                Some(&first) => Ok(first),
                // noughts that only an output shows
                None => {
                    let first = self.take(None, plan.buffers[index].channels)?;
                    self.rows.insert(index, first);
                    Ok(first)
                }
            },
        }
    }

    fn push(&mut self, node: Option<usize>, operation: Operation) -> Result<()> {
        if !self.board.has(operation.name()) {
            return Err(self.lacks(node, format!("the board has no operation {}", operation.name())));
        }
        self.image.listing.operations.push(operation);
        Ok(())
    }

    fn steps(&mut self, plan: &Plan) -> Result<()> {
        for step in plan.steps() {
            self.step(plan, step)?;
        }
        for output in &plan.outputs {
            let (from, n) = (self.place(plan, output.source)?, self.width(None, output.channels)?);
            let to = self.width(None, usize::from(self.image.listing.outputs[0]) + output.offset)?;
            if from != to {
                self.push(None, Operation::Copy { to, from, n })?;
            }
        }
        let mut previous: Vec<(usize, u16)> = self.image.previous.iter().map(|(&index, &to)| (index, to)).collect();
        previous.sort_unstable();
        for (index, to) in previous {
            let from = self.place(plan, Place::Buffer { index, late: false })?;
            let n = self.width(None, plan.buffers[index].channels)?;
            self.push(None, Operation::Copy { to, from, n })?;
        }
        Ok(())
    }

    fn step(&mut self, plan: &Plan, step: &Step) -> Result<()> {
        match step {
            Step::Sum { sources, out } => {
                let to = self.place(plan, Place::Buffer { index: *out, late: false })?;
                let n = self.width(None, plan.buffers[*out].channels)?;
                let from: Vec<u16> = sources.iter().map(|&s| self.place(plan, s)).collect::<Result<_>>()?;
                self.push(
                    None,
                    match *from.as_slice() {
                        [from] => Operation::Copy { to, from, n },
                        _ => Operation::Sum { to, n, from },
                    },
                )
            }
            Step::Line { line, input, read, absorb } => {
                let from = self.place(plan, *input)?;
                let LineCells { first, head, channels, ticks } = self.image.lines[*line];
                let (n, ticks) = (self.width(None, channels)?, self.width(None, ticks)?);
                if let Some(out) = read {
                    let to = self.place(plan, Place::Buffer { index: *out, late: false })?;
                    let delays: Vec<u16> = match &plan.lines[*line].reach {
                        Reach::Uniform(back) => vec![self.width(None, *back)?; channels],
                        Reach::Each(back) => back.iter().map(|&d| self.width(None, d as usize)).collect::<Result<_>>()?,
                    };
                    self.push(None, Operation::Read { to, from, line: first, head, n, ticks, delays })?;
                }
                if *absorb {
                    self.push(None, Operation::Absorb { line: first, head, n, ticks, from })?;
                }
                Ok(())
            }
            Step::Neuron { node: index, inputs, outputs } => {
                let node = &self.program.nodes()[*index];
                let Some(&Constants::Neuron { c, p }) = self.image.constants.get(index) else { return Ok(()) };
                let f = self.board.function(node.kind_name()).unwrap_or_default();
                let x = inputs.iter().map(|&place| self.place(plan, place)).collect::<Result<_>>()?;
                let y = outputs.iter().map(|out| match out {
                    Some(index) => self.place(plan, Place::Buffer { index: *index, late: false }),
                    None => Ok(NOBODY),
                });
                let operation = Operation::Neuron {
                    y: y.collect::<Result<_>>()?,
                    f: self.width(Some(*index), f)?,
                    flags: Flags::from(&node.semantics),
                    n: self.width(Some(*index), node.channels())?,
                    x,
                    s: self.image.states.get(&(*index, 0)).copied().unwrap_or_default(),
                    c,
                    p,
                };
                self.push(Some(*index), operation)
            }
            Step::Linear { node: index, input, out } => {
                let (NodeKind::Linear(map), Some(&Constants::Linear { w, b })) =
                    (&self.program.nodes()[*index].kind, self.image.constants.get(index))
                else {
                    return Ok(());
                };
                let map: &LinearMap = map;
                let operation = Operation::Linear {
                    to: self.place(plan, Place::Buffer { index: *out, late: false })?,
                    from: self.place(plan, *input)?,
                    rows: self.width(Some(*index), map.output().len())?,
                    cols: self.width(Some(*index), map.input().len())?,
                    w,
                    b,
                };
                self.push(Some(*index), operation)
            }
        }
    }

    fn finish(self) -> Result<Image> {
        let Self { program, board, next, mut image, .. } = self;
        let words = image.listing.words().len();
        if words > board.code {
            let why = format!("{words} words of operations do not fit the {} of the board", board.code);
            return Err(Error::unsupported(why));
        }
        image.memory = vec![0; next];
        let initial = image.load(program, &State::initial(program, 1));
        let mut patches = vec![initial.map_err(|e| {
            let error = Error::unsupported(format!("in the state after a reset {}", e.message()));
            e.node().map(String::from).into_iter().fold(error, Error::with_node)
        })?];
        for (index, node) in program.nodes().iter().enumerate() {
            patches.extend(image.tune(index, node)?);
        }
        for patch in patches {
            image.memory[patch.first..patch.first + patch.words.len()].copy_from_slice(&patch.words);
        }
        Ok(image)
    }
}
