//! Some batch lanes of a realization: their states and buffers, and the run of a block of ticks.

use crate::buffer::{Buffer, PAD, View, padded, zeros};
use crate::error::CpuError;
use crate::linear::Scratch;
use crate::output::Out;
use crate::plan::Plan;
use crate::ring::Ring;
use isoform_core::plan::Place;
use isoform_core::signal::{Extent, Signal};
use ndarray::Array2;

/// The states of a node.
#[derive(Debug)]
pub(crate) enum States {
    /// States by padded lanes.
    Single(Array2<f32>),
    /// States by lanes, flat, with room for inputs, states and outputs of one channel.
    Double(Vec<f64>, [Vec<f64>; 3]),
}

impl Default for States {
    fn default() -> Self {
        Self::Double(Vec::new(), [const { Vec::new() }; 3])
    }
}

/// Some batch lanes.
#[derive(Debug)]
pub(crate) struct Shard {
    /// The first lane of the batch.
    pub(crate) first: usize,
    /// How many lanes of the batch.
    pub(crate) batch: usize,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) states: Vec<States>,
    pub(crate) rings: Vec<Ring>,
    /// Room for the active inputs of a row, one for each helper.
    pub(crate) scratch: Vec<Scratch>,
}

/// A block of ticks that is to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    /// The input of the whole chunk.
    pub(crate) signal: Signal<'a>,
    /// Its extent.
    pub(crate) extent: Extent,
    /// The first tick of the block, within the chunk.
    pub(crate) from: usize,
    /// How many ticks.
    pub(crate) ticks: usize,
    /// The first tick of the block, since the reset.
    pub(crate) tick: u64,
    /// Into how many pieces a large step may be split.
    pub(crate) helpers: usize,
}

impl Shard {
    pub(crate) fn new(plan: &Plan, first: usize, batch: usize, ticks: usize, helpers: usize) -> Result<Self, CpuError> {
        let lanes = |channels: usize| channels.checked_mul(batch).filter(|&n| n <= usize::MAX / 2).ok_or(CpuError::OutOfMemory);
        let mut buffers = Vec::with_capacity(plan.layout.buffers.len());
        for spec in &plan.layout.buffers {
            buffers.push(Buffer::new(lanes(spec.channels)?, ticks, spec.lead, spec.constant)?);
        }
        let mut states = Vec::with_capacity(plan.neurons.len());
        for neuron in &plan.neurons {
            let Some(neuron) = neuron else {
                states.push(States::default());
                continue;
            };
            let lanes = lanes(neuron.channels)?;
            states.push(if neuron.is_double() {
                States::Double(zeros(lanes.checked_mul(neuron.states))?, neuron.scratch().map(|n| vec![0.0; n]))
            } else {
                let stride = padded(lanes);
                let data = zeros(stride.checked_mul(neuron.states))?;
                States::Single(Array2::from_shape_vec((neuron.states, stride), data).map_err(|_| CpuError::OutOfMemory)?)
            });
        }
        let mut rings = Vec::with_capacity(plan.layout.lines.len());
        for line in &plan.layout.lines {
            lanes(line.channels)?;
            rings.push(Ring::new(line, batch)?);
        }
        let scratch = (0..helpers).map(|_| Scratch::new(plan.widest_map())).collect::<Result<_, _>>()?;
        Ok(Self { first, batch, buffers, states, rings, scratch })
    }

    /// Bytes of its states and rows.
    pub(crate) fn bytes(&self) -> usize {
        let rows: usize = self.buffers.iter().map(|b| b.data.len()).chain(self.rings.iter().map(Ring::len)).sum();
        let states = self.states.iter().map(|states| match states {
            States::Single(all) => all.len() * size_of::<f32>(),
            States::Double(all, _) => all.len() * size_of::<f64>(),
        });
        rows * size_of::<f32>() + states.sum::<usize>()
    }

    /// Runs a block.
    pub(crate) fn run(&mut self, plan: &Plan, block: &Block<'_>, mut out: Out<'_>) {
        self.stage(plan, block);
        for (section, cell) in plan.sections() {
            if let Some(cell) = cell {
                self.cell(plan, cell, block);
            } else if section.recurrent {
                for t in 0..block.ticks {
                    for step in &section.steps {
                        self.step(plan, step, t..t + 1, block, &mut out);
                    }
                }
            } else {
                for step in &section.steps {
                    self.step(plan, step, 0..block.ticks, block, &mut out);
                }
            }
        }
        if !self.bypassed(plan, &out) {
            for output in &plan.layout.outputs {
                let rows = self.view(plan, output.source, block);
                out.put(rows, output, plan.layout.channels[1], block.ticks, self.batch);
            }
        }
        for buffer in &mut self.buffers {
            buffer.roll(block.ticks);
        }
    }

    /// Whether a neuron writes the output of the program itself.
    pub(crate) fn bypassed(&self, plan: &Plan, out: &Out<'_>) -> bool {
        let [output] = plan.layout.outputs.as_slice() else { return false };
        let takes = match out {
            Out::Dense(_) => true,
            Out::Counts(_) => output.spikes,
            Out::Bits(_) => false,
        };
        takes && plan.layout.direct.is_some() && runs_well(output.channels * self.batch)
    }

    /// The rows of a place in this block.
    pub(crate) fn view<'a>(&'a self, plan: &Plan, place: Place, block: &Block<'a>) -> View<'a> {
        match place {
            Place::Buffer { index, late } => self.buffers[index].view(late),
            Place::Input(port) => {
                let input = &plan.layout.inputs[port];
                let in_place = self.reads_in_place(plan);
                let at = self.first * block.extent.channels + input.offset;
                match block.signal {
                    Signal::Dense(data) if in_place => {
                        let stride = block.extent.row();
                        View { data: &data[block.from * stride + at..], stride, held: false, whole: false }
                    }
                    Signal::Held(row) if in_place => View { data: &row[at..], stride: 0, held: true, whole: false },
                    _ => self.buffers[input.staging].view(false),
                }
            }
        }
    }

    /// Whether one row of a place stands for all ticks.
    pub(crate) fn is_held(&self, plan: &Plan, place: Place, block: &Block<'_>) -> bool {
        match place {
            Place::Buffer { index, .. } => self.buffers[index].held,
            Place::Input(_) => !plan.layout.inputs.is_empty() && matches!(block.signal, Signal::Held(_)),
        }
    }

    /// Whether the lanes of a port lie side by side in a signal, and are so many or so even that loops over them run well.
    fn reads_in_place(&self, plan: &Plan) -> bool {
        match plan.layout.inputs.as_slice() {
            [one] => runs_well(one.channels * self.batch),
            _ => self.batch == 1 && plan.layout.inputs.iter().all(|i| runs_well(i.channels)),
        }
    }

    /// Copies what cannot be read in place.
    fn stage(&mut self, plan: &Plan, block: &Block<'_>) {
        let (batch, total) = (self.batch, block.extent.channels);
        let in_place = self.reads_in_place(plan);
        if plan.layout.inputs.is_empty() || (in_place && !matches!(block.signal, Signal::Events(_))) {
            return;
        }
        let lanes = self.first..self.first + batch;
        for input in &plan.layout.inputs {
            let buffer = &mut self.buffers[input.staging];
            buffer.held = matches!(block.signal, Signal::Held(_));
            // a division costs as much as a row of a small program, so that none is made where a port has its rows to itself
            let alone = input.channels == total;
            let copy = |row: &[f32], to: &mut [f32]| {
                let row = &row[lanes.start * total..lanes.end * total];
                if alone {
                    return to.copy_from_slice(row);
                }
                for (from, to) in row.chunks_exact(total).zip(to.chunks_exact_mut(input.channels)) {
                    to.copy_from_slice(&from[input.offset..input.offset + input.channels]);
                }
            };
            let stride = buffer.stride;
            match block.signal {
                Signal::Dense(data) => {
                    let whole = block.extent.row();
                    for t in 0..block.ticks {
                        let row = &data[(block.from + t) * whole..][..whole];
                        copy(row, &mut buffer.data[t * stride..][..batch * input.channels]);
                    }
                }
                Signal::Held(row) => copy(row, &mut buffer.data[..batch * input.channels]),
                Signal::Events(events) => {
                    buffer.data[..block.ticks * stride].fill(0.0);
                    let start = events.partition_point(|e| (e.tick as usize) < block.from);
                    let now = events[start..].iter().take_while(|e| (e.tick as usize) < block.from + block.ticks);
                    let channels = input.offset..input.offset + input.channels;
                    for e in now.filter(|e| lanes.contains(&(e.batch as usize)) && channels.contains(&(e.channel as usize))) {
                        let row = (e.tick as usize - block.from) * stride;
                        let lane = (e.batch as usize - lanes.start) * input.channels;
                        buffer.data[row + lane + e.channel as usize - input.offset] += e.value;
                    }
                }
            }
        }
    }
}

/// Whether a loop over so many lanes that are not padded spends little of its time on the last few.
fn runs_well(lanes: usize) -> bool {
    lanes.is_multiple_of(PAD) || lanes >= 64 * PAD
}
