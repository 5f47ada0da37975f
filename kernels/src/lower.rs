//! From a program to buffers, kernels and the order of their launches.

use crate::error::KernelError;
use crate::form::{Element, Kernel};
use crate::linear::{self, Constants, LinearStep};
use crate::neuron::{self, Coefficients, NeuronStep};
use crate::rows::{self, LineStep, ring_rows};
use crate::writer::{Rows, identifier};
use isoform_core::draw::Key;
use isoform_core::linear::LinearMap;
use isoform_core::plan::{Location, Place, Plan, Reach, Step};
use isoform_core::program::{Node, NodeKind, Program};
use std::collections::HashMap;

pub use crate::writer::BufferSpec;

/// What a device wants kernels to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Lanes of an item: one, or the length of the vectors of the device. A power of two, at most [`PAD`].
    pub width: usize,
    /// Bytes that the rows of a block should stay within.
    pub block_bytes: usize,
    /// The most ticks of a block.
    pub longest_block: usize,
    /// The most bytes of one buffer.
    pub buffer_bytes: usize,
}

/// Rows start at multiples of so many numbers.
pub const PAD: usize = 16;

/// The buffers of a program on a device: those of the plan come first, in their order.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) plan: Plan,
    pub(crate) buffers: Vec<BufferSpec>,
    pub(crate) batch: usize,
    pub(crate) width: usize,
    pub(crate) pad: usize,
    /// Ticks of a block.
    pub(crate) block: usize,
}

impl Layout {
    /// So many lanes, up to the next row.
    pub(crate) fn padded(&self, lanes: usize) -> usize {
        lanes.next_multiple_of(self.pad)
    }

    /// Where the rows of a place are.
    pub(crate) fn rows(&self, place: Place) -> Rows {
        match place {
            Place::Input(port) => {
                let index = self.plan.inputs[port].staging;
                Rows::new(index, self.stride(index), 0, true)
            }
            Place::Buffer { index, late } => {
                let spec = &self.plan.buffers[index];
                let stride = if spec.constant { 0 } else { self.stride(index) };
                Rows::new(index, stride, usize::from(spec.lead && !late), false)
            }
        }
    }

    /// From row to row of a buffer of the plan.
    pub(crate) fn stride(&self, index: usize) -> usize {
        self.padded(self.plan.buffers[index].channels * self.batch)
    }

    fn add(&mut self, name: String, element: Element, len: usize) -> usize {
        self.buffers.push(BufferSpec { name, element, len: len.max(1) });
        self.buffers.len() - 1
    }
}

/// The buffers of an element-wise node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NeuronBuffers {
    pub(crate) state: usize,
    pub(crate) coefficients: usize,
    pub(crate) keys: usize,
}

/// Kernels whose launches follow each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Whether all must be launched for one tick before the next.
    pub recurrent: bool,
    /// The kernels, by their places.
    pub kernels: Vec<usize>,
}

/// A program as kernels.
#[derive(Debug)]
pub struct Lowered {
    pub(crate) layout: Layout,
    /// The kernels.
    pub kernels: Vec<Kernel>,
    /// Their order.
    pub sections: Vec<Section>,
    /// Launched at the end of a block.
    pub rolls: Vec<usize>,
    /// Launched at the end of a block if the output is wanted as counts: a kernel for each output.
    pub counts: Vec<usize>,
    /// The kernel that writes the only output, and the one that counts it instead.
    pub direct: Option<[usize; 2]>,
    pub(crate) neurons: HashMap<usize, NeuronBuffers>,
    pub(crate) rings: Vec<usize>,
    pub(crate) count_buffers: Vec<usize>,
}

/// What a buffer holds from the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The buffer.
    pub buffer: usize,
    /// Its numbers or words, as bits.
    pub words: Vec<u32>,
}

impl Lowered {
    /// The buffers.
    #[must_use]
    pub fn buffers(&self) -> &[BufferSpec] {
        &self.layout.buffers
    }

    /// Bytes of all buffers together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.layout.buffers.iter().map(|b| b.len * size_of::<f32>()).sum()
    }

    /// The most ticks of a block.
    #[must_use]
    pub fn block(&self) -> usize {
        self.layout.block
    }

    /// The most ticks of a block whose input may be held and whose output may be counted: nodes that pass no rows to each other need
    /// no room for them.
    #[must_use]
    pub fn block_of(&self, held: bool, counting: bool) -> usize {
        const LONGEST: usize = 256;
        let alone = self.direct.is_some()
            && self.layout.plan.steps().all(|step| match step {
                Step::Neuron { inputs, .. } => inputs.iter().all(|place| match *place {
                    Place::Input(_) => held,
                    Place::Buffer { index, .. } => self.layout.plan.buffers[index].constant,
                }),
                _ => false,
            });
        if counting && alone && self.layout.plan.steps().count() == 1 { self.block().max(LONGEST) } else { self.block() }
    }
}

/// Lowers a program for so many batch lanes; gives what the buffers hold from the start, too.
///
/// # Errors
/// `NoKernel` for a node without one, `Range` for numbers beyond single precision, `TooLarge` for a buffer that the target cannot have.
pub fn lower(program: &Program, batch: usize, seed: u64, target: &Target) -> Result<(Lowered, Vec<Contents>), KernelError> {
    let plan = Plan::new(program);
    let mut layout = Layout { plan, buffers: Vec::new(), batch, width: target.width, pad: PAD, block: 1 };
    layout.block = block_length(&layout, target);
    let mut lowering = Lowering { program, seed, contents: Vec::new(), target, lowered: empty(layout) };
    lowering.rows()?;
    lowering.steps()?;
    lowering.ends()?;
    lowering.check()?;
    Ok((lowering.lowered, lowering.contents))
}

fn empty(layout: Layout) -> Lowered {
    Lowered {
        layout,
        kernels: Vec::new(),
        sections: Vec::new(),
        rolls: Vec::new(),
        counts: Vec::new(),
        direct: None,
        neurons: HashMap::new(),
        rings: Vec::new(),
        count_buffers: Vec::new(),
    }
}

/// How many ticks pass from kernel to kernel at a time.
fn block_length(layout: &Layout, target: &Target) -> usize {
    let row: usize = (0..layout.plan.buffers.len())
        .filter(|&i| !layout.plan.buffers[i].constant)
        .map(|i| layout.stride(i).saturating_mul(size_of::<f32>()))
        .fold(0, usize::saturating_add);
    let largest = (0..layout.plan.buffers.len()).map(|i| layout.stride(i).saturating_mul(size_of::<f32>())).max().unwrap_or(0);
    let fitting = (target.buffer_bytes / largest.max(1)).saturating_sub(1);
    (target.block_bytes / row.max(1)).clamp(8, target.longest_block.max(8)).min(fitting).max(1)
}

struct Lowering<'a> {
    program: &'a Program,
    seed: u64,
    target: &'a Target,
    contents: Vec<Contents>,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn rows(&mut self) -> Result<(), KernelError> {
        let layout = &mut self.lowered.layout;
        for index in 0..layout.plan.buffers.len() {
            let spec = layout.plan.buffers[index];
            let rows = if spec.constant { 1 } else { layout.block + usize::from(spec.lead) };
            let len = layout.stride(index).saturating_mul(rows);
            layout.add(format!("rows {index}"), Element::Real, len);
        }
        for index in 0..layout.plan.lines.len() {
            let line = &layout.plan.lines[index];
            let len = layout.padded(line.channels * layout.batch).saturating_mul(ring_rows(line));
            let ring = layout.add(format!("line {index}"), Element::Real, len);
            self.lowered.rings.push(ring);
        }
        self.check()
    }

    /// Whether the device can have every buffer.
    fn check(&self) -> Result<(), KernelError> {
        let limit = self.target.buffer_bytes.min(u32::MAX as usize);
        match self.lowered.layout.buffers.iter().find(|b| b.len > limit / size_of::<f32>()) {
            None => Ok(()),
            Some(b) => Err(KernelError::TooLarge {
                what: b.name.clone(),
                bytes: b.len.saturating_mul(size_of::<f32>()),
                limit,
                device: String::from("the device"),
            }),
        }
    }

    fn filled(&mut self, name: String, element: Element, words: Vec<u32>) -> usize {
        let buffer = self.lowered.layout.add(name, element, words.len());
        if !words.is_empty() {
            self.contents.push(Contents { buffer, words });
        }
        buffer
    }

    fn push(&mut self, kernel: Kernel) -> usize {
        self.lowered.kernels.push(kernel);
        self.lowered.kernels.len() - 1
    }

    /// A name for the kernel of a step: a number keeps them apart.
    fn name(&self, what: &str) -> String {
        format!("{}_{}", identifier(what), self.lowered.kernels.len())
    }

    fn steps(&mut self) -> Result<(), KernelError> {
        for section in self.lowered.layout.plan.sections.clone() {
            let mut kernels = Vec::with_capacity(section.steps.len());
            for step in &section.steps {
                kernels.push(self.step(step)?);
            }
            self.lowered.sections.push(Section { recurrent: section.recurrent, kernels });
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<usize, KernelError> {
        let program = self.program;
        match step {
            Step::Sum { sources, out } => {
                let kernel = rows::sum(&self.lowered.layout, &self.name("sum"), sources, *out);
                Ok(self.push(kernel))
            }
            Step::Line { line, input, read, absorb } => {
                let spec = self.lowered.layout.plan.lines[*line].clone();
                let reach = match (&spec.reach, read) {
                    (Reach::Each(ticks), Some(_)) => {
                        Some(self.filled(format!("reach of line {line}"), Element::Word, ticks.clone()))
                    }
                    _ => None,
                };
                let name = self.name("line");
                let ring = self.lowered.rings[*line];
                let step = LineStep { name: &name, line: &spec, ring, reach, input: *input, read: *read, absorb: *absorb };
                let kernel = rows::line(&self.lowered.layout, step);
                Ok(self.push(kernel))
            }
            Step::Linear { node, input, out } => self.linear(&program.nodes()[*node], *input, *out),
            Step::Neuron { node, inputs, outputs } => self.neuron(*node, inputs, outputs),
        }
    }

    fn linear(&mut self, node: &Node, input: Place, out: usize) -> Result<usize, KernelError> {
        let NodeKind::Linear(map) = &node.kind else {
            return Err(KernelError::NoKernel { node: node.name.clone(), kind: node.kind_name() });
        };
        let constants: Constants = linear::constants(map, &node.name, PAD)?;
        let numbers = constants.weights.iter().map(|w| w.to_bits()).collect();
        let weights = self.filled(format!("the weights of {}", node.name), Element::Real, numbers);
        let structure = match map.as_ref() {
            LinearMap::Sparse(_) => {
                self.filled(format!("the structure of {}", node.name), Element::Word, constants.structure.clone())
            }
            _ => weights,
        };
        let name = self.name(&node.name);
        let (map, constants) = (map.as_ref(), &constants);
        let step = LinearStep { name: &name, node: &node.name, map, constants, weights, structure, input, out };
        let kernel = linear::kernel(&self.lowered.layout, step)?;
        Ok(self.push(kernel))
    }

    fn neuron(&mut self, index: usize, inputs: &[Place], outputs: &[Option<usize>]) -> Result<usize, KernelError> {
        let node = &self.program.nodes()[index];
        let NodeKind::Dynamics { function, .. } = &node.kind else {
            return Err(KernelError::NoKernel { node: node.name.clone(), kind: node.kind_name() });
        };
        let (batch, width) = (self.lowered.layout.batch, self.lowered.layout.width);
        let repeat = if node.channels().is_multiple_of(width) { 1 } else { batch };
        let coefficients = Coefficients::new(node, repeat, PAD)?;
        let numbers = coefficients.contents.iter().map(|v| v.to_bits()).collect();
        let stride = self.lowered.layout.padded(node.channels() * batch);
        let states = function.signature().states.len();
        let layout = &mut self.lowered.layout;
        let state = layout.add(format!("the state of {}", node.name), Element::Real, stride.saturating_mul(states));
        let coefficient_buffer = self.filled(format!("the coefficients of {}", node.name), Element::Real, numbers);
        let keys = if function.signature().inputs.iter().any(|i| i.draw.is_some()) {
            let words = Key::new(self.seed, node.key).words().to_vec();
            self.filled(format!("the key of {}", node.name), Element::Word, words)
        } else {
            coefficient_buffer
        };
        let buffers = NeuronBuffers { state, coefficients: coefficient_buffer, keys };
        self.lowered.neurons.insert(index, buffers);
        self.check()?;
        let name = self.name(&node.name);
        let step = NeuronStep { node, name: &name, inputs, outputs, coefficients: &coefficients, buffers, counted: None };
        let kernel = neuron::kernel(&self.lowered.layout, step)?;
        let writing = self.push(kernel);
        if let Some((direct, port)) = self.lowered.layout.plan.direct
            && direct == index
        {
            let lanes = self.lowered.layout.plan.outputs[0].channels * batch;
            let counts = self.count_buffer(lanes);
            let name = format!("{name}_counted");
            let step = NeuronStep { name: &name, counted: Some((port, counts)), ..step };
            let kernel = neuron::kernel(&self.lowered.layout, step)?;
            let counting = self.push(kernel);
            self.lowered.direct = Some([writing, counting]);
        }
        Ok(writing)
    }

    fn count_buffer(&mut self, lanes: usize) -> usize {
        let len = self.lowered.layout.padded(lanes);
        let buffer = self.lowered.layout.add(format!("counts {}", self.lowered.count_buffers.len()), Element::Word, len);
        self.lowered.count_buffers.push(buffer);
        buffer
    }

    fn ends(&mut self) -> Result<(), KernelError> {
        for index in 0..self.lowered.layout.plan.buffers.len() {
            if self.lowered.layout.plan.buffers[index].lead {
                let kernel = rows::roll(&self.lowered.layout, &self.name("keep"), index);
                let roll = self.push(kernel);
                self.lowered.rolls.push(roll);
            }
        }
        if self.lowered.direct.is_none() {
            for output in self.lowered.layout.plan.outputs.clone() {
                let counts = self.count_buffer(output.channels * self.lowered.layout.batch);
                let name = self.name("count");
                let kernel = rows::count(&self.lowered.layout, &name, output.source, output.channels, counts);
                let count = self.push(kernel);
                self.lowered.counts.push(count);
            }
        }
        Ok(())
    }
}

/// One launch of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// The kernel.
    pub kernel: usize,
    /// What it is told, in the order of [`crate::form::span::ALL`].
    pub span: [u32; 5],
}

/// What a block is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// How many ticks.
    pub ticks: usize,
    /// Ticks since the reset, at its first.
    pub tick: u64,
    /// Whether the input is held.
    pub held: bool,
    /// Whether the output is wanted as counts.
    pub counting: bool,
}

impl Block {
    /// What a launch for some of its ticks is told.
    #[must_use]
    pub fn span(&self, first: usize, ticks: usize) -> [u32; 5] {
        let now = self.tick + first as u64;
        // blocks are short; ticks since the reset take two words
        [first as u32, ticks as u32, u32::from(!self.held), now as u32, (now >> 32) as u32]
    }
}

impl Lowered {
    /// The launches of a block, in order.
    pub fn launches(&self, block: Block) -> impl Iterator<Item = Launch> + '_ {
        let counted = move |kernel: usize| match self.direct {
            Some([writing, counting]) if block.counting && kernel == writing => counting,
            _ => kernel,
        };
        let sections = self.sections.iter().flat_map(move |section| {
            let (times, ticks) = if section.recurrent { (block.ticks, 1) } else { (1, block.ticks) };
            (0..times).flat_map(move |t| {
                section.kernels.iter().map(move |&k| Launch { kernel: counted(k), span: block.span(t, ticks) })
            })
        });
        let counts = if block.counting { self.counts.as_slice() } else { &[] };
        let ends = counts.iter().chain(&self.rolls).map(move |&kernel| Launch { kernel, span: block.span(0, block.ticks) });
        sections.chain(ends)
    }

    /// Where a block of a saved state is: the buffer, the rows of one lane of the block's memory.
    pub(crate) fn location(&self, location: Location) -> Stored {
        match location {
            Location::State { node, state } => {
                let buffers = &self.neurons[&node];
                Stored::Row { buffer: buffers.state, row: state }
            }
            Location::Line(line) => Stored::Ring { buffer: self.rings[line], rows: ring_rows(&self.layout.plan.lines[line]) },
            Location::Previous(buffer) => Stored::Row { buffer, row: 0 },
        }
    }
}

/// Where something is kept from tick to tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// A row of a buffer.
    Row { buffer: usize, row: usize },
    /// Rows of a ring.
    Ring { buffer: usize, rows: usize },
}

const _: () = assert!(PAD.is_power_of_two());
