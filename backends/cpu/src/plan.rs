//! What a program is compiled to. A plan is the same for all lanes; a [`Shard`](crate::shard::Shard) holds what changes.

use crate::cell::Cell;
use crate::linear::Kernel;
use crate::neuron::Neuron;
use crate::ring::Line;
use isoform_core::lanes::InstructionSet;
use isoform_core::signal::Extent;

/// Where a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
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

/// A buffer to be made for each shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BufferSpec {
    pub(crate) channels: usize,
    /// Whether the tick before the block is kept.
    pub(crate) lead: bool,
    /// Whether it is one row of noughts.
    pub(crate) constant: bool,
}

/// One thing to do, for one tick or a block of ticks.
#[derive(Debug)]
pub(crate) enum Step {
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
        /// Which.
        index: usize,
        /// One per signal.
        inputs: Vec<Place>,
        /// The buffers of the draws.
        draws: Vec<usize>,
        /// The buffers of the outputs; absent where nobody listens.
        outputs: Vec<Option<usize>>,
        /// The output of the node that may bypass its buffer and go to the only output of the program.
        direct: Option<usize>,
    },
    /// A linear map.
    Linear {
        /// Which.
        index: usize,
        /// The input.
        input: Place,
        /// The buffer of the output.
        out: usize,
    },
    /// A whole loop.
    Cell(Cell),
}

impl Step {
    /// Where the step reads.
    pub(crate) fn reads(&self) -> &[Place] {
        match self {
            Self::Sum { sources, .. } => sources,
            Self::Neuron { inputs, .. } => inputs,
            Self::Linear { input, .. } | Self::Line { input, .. } => std::slice::from_ref(input),
            Self::Cell(cell) => cell.other.as_slice(),
        }
    }
}

/// Steps that belong together.
#[derive(Debug)]
pub(crate) struct Section {
    /// Whether all steps must be done for one tick before the next.
    pub(crate) recurrent: bool,
    pub(crate) steps: Vec<Step>,
}

/// An output of the program.
#[derive(Debug)]
pub(crate) struct OutputSpec {
    pub(crate) source: Place,
    /// The first channel in a row of the signal.
    pub(crate) offset: usize,
    pub(crate) channels: usize,
    /// Whether it holds noughts and ones only.
    pub(crate) spikes: bool,
}

/// An input of the program.
#[derive(Debug)]
pub(crate) struct InputSpec {
    /// The first channel in a row of the signal.
    pub(crate) offset: usize,
    pub(crate) channels: usize,
    /// The buffer for rows that cannot be read in place.
    pub(crate) staging: usize,
}

/// Where a block of a saved state lives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Location {
    /// A state of a neuron.
    State {
        /// The neuron.
        neuron: usize,
        /// The place of the state in its signature.
        state: usize,
    },
    /// A line.
    Line(usize),
    /// The row before the block of a buffer.
    Previous(usize),
}

/// A compiled program.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) instructions: InstructionSet,
    pub(crate) inputs: Vec<InputSpec>,
    pub(crate) outputs: Vec<OutputSpec>,
    pub(crate) buffers: Vec<BufferSpec>,
    pub(crate) neurons: Vec<Neuron>,
    pub(crate) maps: Vec<Kernel>,
    pub(crate) lines: Vec<Line>,
    pub(crate) sections: Vec<Section>,
    pub(crate) memory: Vec<Location>,
    /// For each node, its place among neurons or maps.
    pub(crate) places: Vec<Option<usize>>,
    /// Whether a step may write the output of the program itself.
    pub(crate) has_direct: bool,
    /// Channels of all inputs and all outputs together.
    pub(crate) channels: [usize; 2],
}

impl Plan {
    /// The extent of an input of so many ticks.
    pub(crate) fn input(&self, ticks: usize, batch: usize) -> Extent {
        Extent { ticks, batch, channels: self.channels[0] }
    }

    /// Roughly how long one tick of one batch lane takes, in nanoseconds on one core.
    pub(crate) fn cost(&self) -> f64 {
        let neurons: f64 = self.neurons.iter().map(Neuron::cost).sum();
        let maps: f64 = self.maps.iter().map(Kernel::cost).sum();
        let steps: usize = self.sections.iter().map(|s| s.steps.len() * if s.recurrent { 20 } else { 1 }).sum();
        neurons + maps + steps as f64
    }

    /// Numbers that pass from step to step in one tick of one batch lane, if the input is dense.
    pub(crate) fn working_set(&self) -> usize {
        let written = self.sections.iter().flat_map(|s| &s.steps).map(|step| match step {
            Step::Sum { out, .. } | Step::Linear { out, .. } => self.buffers[*out].channels,
            Step::Cell(cell) => self.buffers[cell.out].channels,
            Step::Line { read, .. } => read.map_or(0, |out| self.buffers[out].channels),
            Step::Neuron { draws, outputs, direct, .. } => {
                let drawn: usize = draws.iter().map(|&out| self.buffers[out].channels).sum();
                let buffered = outputs.iter().flatten().map(|&out| self.buffers[out].channels);
                drawn + if direct.is_some() { 0 } else { buffered.sum::<usize>() }
            }
        });
        written.sum()
    }

    /// The most input channels of a linear map.
    pub(crate) fn widest_map(&self) -> usize {
        self.maps.iter().map(Kernel::inputs).max().unwrap_or(0)
    }
}
