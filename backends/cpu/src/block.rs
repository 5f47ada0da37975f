//! The run of one step for some ticks of a block.

use crate::aligned::Aligned;
use crate::buffer::{Buffer, View, padded};
use crate::linear::{Kernel, Rows, Scratch};
use crate::neuron::{DoubleOutputs, DoubleRun, Neuron};
use crate::output::{Grid, Out};
use crate::plan::Plan;
use crate::shard::{Block, Shard, States};
use crate::span::{Feeds, Sinks, Span, feed, feed_part};
use isoform_core::lanes::{BLOCK, Feed, InstructionSet, Sink};
use isoform_core::plan::{Place, Step};
use ndarray::{ArrayViewMut2, Axis};
use smallvec::SmallVec;
use std::mem::take;
use std::ops::Range;

/// Fewer lanes and ticks than this are not worth a second thread.
const WORTH_SPLITTING: usize = 1 << 16;

impl Shard {
    /// Runs a step for some ticks of a block.
    pub(crate) fn step(&mut self, plan: &Plan, step: &Step, ticks: Range<usize>, block: &Block<'_>, out: &mut Out<'_>) {
        match step {
            Step::Sum { sources, out } => self.sum(plan, sources, *out, ticks, block),
            Step::Line { line, input, read, absorb } => self.line(plan, (*line, *input, *read, *absorb), ticks, block),
            Step::Linear { node, input, out } => {
                let Some(kernel) = &plan.maps[*node] else { return };
                self.linear(plan, kernel, (*input, *out), ticks, block);
            }
            Step::Neuron { node: index, inputs, outputs } => {
                let Some(neuron) = &plan.neurons[*index] else { return };
                let node = NeuronStep { neuron, index: *index, inputs, draws: &plan.draws[*index], outputs };
                self.draw(plan, &node, ticks.clone(), block);
                if node.neuron.is_double() {
                    self.neuron_double(plan, &node, ticks, block);
                } else {
                    let direct = plan.layout.direct.filter(|(node, _)| node == index && self.bypassed(plan, out));
                    let direct = direct.map(|(_, port)| (port, out));
                    self.neuron(plan, &node, ticks, block, direct);
                }
            }
        }
    }

    /// Takes the numbers out of a buffer that is about to be written.
    pub(crate) fn open(&mut self, index: usize, held: bool) -> Aligned {
        let buffer = &mut self.buffers[index];
        buffer.held = held;
        take(&mut buffer.data)
    }

    /// Puts the numbers of buffers back.
    fn close(&mut self, data: &mut Rented) {
        for (out, data) in data.iter_mut().flatten() {
            self.buffers[*out].data = take(data);
        }
    }

    fn sum(&mut self, plan: &Plan, sources: &[Place], out: usize, ticks: Range<usize>, block: &Block<'_>) {
        let held = sources.iter().all(|&s| self.is_held(plan, s, block));
        if held && block.from > 0 {
            return;
        }
        let mut data = self.open(out, held);
        let (stride, lead) = (self.buffers[out].stride, self.buffers[out].lead);
        let lanes = plan.layout.buffers[out].channels * self.batch;
        for t in if held { 0..1 } else { ticks } {
            let to = &mut data[(lead + t) * stride..][..lanes];
            for (k, &source) in sources.iter().enumerate() {
                let row = self.view(plan, source, block).row(t, lanes);
                if k == 0 {
                    to.copy_from_slice(row);
                } else {
                    to.iter_mut().zip(row).for_each(|(to, v)| *to += v);
                }
            }
        }
        self.buffers[out].data = data;
    }

    fn line(
        &mut self,
        plan: &Plan,
        (line, input, read, absorb): (usize, Place, Option<usize>, bool),
        ticks: Range<usize>,
        block: &Block<'_>,
    ) {
        let mut ring = take(&mut self.rings[line]);
        let mut target = read.map(|out| (out, self.open(out, false)));
        let x = self.view(plan, input, block);
        let spec = &plan.layout.lines[line];
        for t in ticks {
            if let Some((out, data)) = &mut target {
                let buffer = &self.buffers[*out];
                ring.read(spec, x, t, &mut data[(buffer.lead + t) * buffer.stride..]);
            }
            if absorb {
                ring.absorb(x.row(t, spec.channels * self.batch));
            }
        }
        self.rings[line] = ring;
        if let Some((out, data)) = target {
            self.buffers[out].data = data;
        }
    }

    fn linear(&mut self, plan: &Plan, kernel: &Kernel, (input, out): (Place, usize), ticks: Range<usize>, block: &Block<'_>) {
        let held = self.is_held(plan, input, block);
        if held && block.from > 0 {
            return;
        }
        let mut data = self.open(out, held);
        let mut scratch = take(&mut self.scratch);
        let ticks = if held { 0..1 } else { ticks };
        let Buffer { stride, lead, .. } = self.buffers[out];
        let rows = Rows {
            x: self.view(plan, input, block).from(ticks.start),
            y: &mut data[(lead + ticks.start) * stride..],
            y_stride: stride,
            ticks: ticks.len(),
            batch: self.batch,
        };
        map_rows(kernel, plan.instructions, rows, &mut scratch[..block.helpers]);
        self.scratch = scratch;
        self.buffers[out].data = data;
    }

    /// Fills the buffers of the draws.
    fn draw(&mut self, plan: &Plan, node: &NeuronStep<'_>, ticks: Range<usize>, block: &Block<'_>) {
        let lanes = node.neuron.channels * self.batch;
        let first = self.first * node.neuron.channels;
        for (draw, &index) in node.draws.iter().enumerate() {
            let buffer = &mut self.buffers[index];
            for t in ticks.clone() {
                let row = &mut buffer.data[t * buffer.stride..][..lanes];
                node.neuron.draw(plan.instructions, draw, first, block.tick + t as u64, row);
            }
        }
    }

    fn neuron(
        &mut self,
        plan: &Plan,
        node: &NeuronStep<'_>,
        ticks: Range<usize>,
        block: &Block<'_>,
        direct: Option<(usize, &mut Out<'_>)>,
    ) {
        let held = direct.is_none() && node.neuron.is_stateless() && self.all_held(plan, node, block);
        if held && block.from > 0 {
            return;
        }
        let ticks = if held { 0..1 } else { ticks };
        if let (None, [input], [], [Some(out)]) = (&direct, node.inputs, node.draws, node.outputs)
            && node.neuron.is_uniform()
            && block.helpers < 2
        {
            return self.neuron_plain(plan, (node.neuron, node.index), (*input, *out), held, ticks, block);
        }
        let mut states = take(&mut self.states);
        let mut data: Rented = node.outputs.iter().map(|&out| out.map(|out| (out, self.open(out, held)))).collect();
        self.run_lanes(plan, node, (&mut states[node.index], &mut data), ticks, block, direct);
        self.states = states;
        self.close(&mut data);
    }

    /// The same for the plainest and most frequent case, of which loops that run tick by tick ask a lot: one input, one output, equal
    /// lanes, one thread.
    fn neuron_plain(
        &mut self,
        plan: &Plan,
        (neuron, index): (&Neuron, usize),
        (input, out): (Place, usize),
        held: bool,
        ticks: Range<usize>,
        block: &Block<'_>,
    ) {
        let mut data = self.open(out, held);
        let mut states = take(&mut self.states);
        let Buffer { stride, lead, .. } = self.buffers[out];
        let view = self.view(plan, input, block).from(ticks.start);
        let lanes = if view.whole { stride } else { neuron.channels * self.batch };
        if let States::Single(states) = &mut states[index] {
            let states = states.view_mut();
            let states = if view.whole { states } else { states.split_at(Axis(1), lanes).0 };
            let rows = Sink::Rows { data: &mut data[(lead + ticks.start) * stride..], stride };
            let span = Span { instructions: plan.instructions, ticks: ticks.len(), first: 0, lanes };
            neuron.run_uniform(span, &[feed(&view, lanes)], states, &mut [rows]);
        }
        self.states = states;
        self.buffers[out].data = data;
    }

    fn run_lanes(
        &self,
        plan: &Plan,
        node: &NeuronStep<'_>,
        (states, data): (&mut States, &mut Rented),
        ticks: Range<usize>,
        block: &Block<'_>,
        direct: Option<(usize, &mut Out<'_>)>,
    ) {
        let lanes = node.neuron.channels * self.batch;
        let mut whole = direct.is_none() && node.neuron.takes_padding();
        let mut views: SmallVec<[View<'_>; 4]> = SmallVec::new();
        for &place in node.inputs {
            let view = self.view(plan, place, block).from(ticks.start);
            whole &= view.whole;
            views.push(view);
        }
        views.extend(node.draws.iter().map(|&draw| self.buffers[draw].view(false).from(ticks.start)));
        let lanes = if whole { padded(lanes) } else { lanes };
        let feeds: Feeds<'_> = views.iter().map(|view| feed(view, lanes)).collect();
        let mut sinks = Sinks::new(data.iter_mut().map(|out| match out {
            Some((out, data)) => {
                let Buffer { stride, lead, .. } = self.buffers[*out];
                Sink::Rows { data: &mut data[(lead + ticks.start) * stride..], stride }
            }
            None => Sink::Discard,
        }));
        if let Some((port, out)) = direct {
            sinks.as_mut()[port] = match out {
                Out::Dense(Grid::Whole(data, stride)) => Sink::Rows { data, stride: *stride },
                Out::Dense(Grid::Part(view)) => Sink::Stream(view.view_mut()),
                Out::Counts(counts) => Sink::Counts(counts),
                Out::Bits(_) => Sink::Discard,
            };
        }
        if let States::Single(states) = states {
            let span = Span { instructions: plan.instructions, ticks: ticks.len(), first: 0, lanes };
            let stride = states.ncols();
            let states = states.view_mut();
            let states = if lanes == stride { states } else { states.split_at(Axis(1), lanes).0 };
            split_lanes(node.neuron, span, &feeds, states, &mut sinks, block.helpers);
        }
    }

    fn all_held(&self, plan: &Plan, node: &NeuronStep<'_>, block: &Block<'_>) -> bool {
        node.inputs.iter().all(|&place| self.is_held(plan, place, block))
    }

    fn neuron_double(&mut self, plan: &Plan, node: &NeuronStep<'_>, ticks: Range<usize>, block: &Block<'_>) {
        let mut states = take(&mut self.states);
        let mut data: Rented = node.outputs.iter().map(|&out| out.map(|out| (out, self.open(out, false)))).collect();
        self.run_double(plan, node, (&mut states[node.index], &mut data), ticks, block);
        self.states = states;
        self.close(&mut data);
    }

    fn run_double(
        &self,
        plan: &Plan,
        node: &NeuronStep<'_>,
        (states, data): (&mut States, &mut Rented),
        ticks: Range<usize>,
        block: &Block<'_>,
    ) {
        let lanes = node.neuron.channels * self.batch;
        let draws = node.draws.iter().map(|&draw| self.buffers[draw].view(false));
        let views = node.inputs.iter().map(|&place| self.view(plan, place, block)).chain(draws);
        let feeds: Feeds<'_> = views.map(|view| feed(&view.from(ticks.start), lanes)).collect();
        let outputs: DoubleOutputs<'_> = data
            .iter_mut()
            .map(|out| {
                out.as_mut().map(|(out, data)| {
                    let Buffer { stride, lead, .. } = self.buffers[*out];
                    (&mut data[(lead + ticks.start) * stride..], stride)
                })
            })
            .collect();
        if let States::Double(states, [x, s, y]) = states {
            node.neuron.run_double(DoubleRun { ticks: ticks.len(), lanes, feeds, states, scratch: [x, s, y], outputs });
        }
    }
}

/// The buffers of outputs while they are written.
type Rented = SmallVec<[Option<(usize, Aligned)>; 2]>;

/// What a step of an element-wise node names.
struct NeuronStep<'a> {
    neuron: &'a Neuron,
    index: usize,
    inputs: &'a [Place],
    draws: &'a [usize],
    outputs: &'a [Option<usize>],
}

/// Runs lanes, on several threads where there are many.
fn split_lanes(
    neuron: &Neuron,
    span: Span,
    feeds: &[Feed<'_>],
    states: ArrayViewMut2<'_, f32>,
    sinks: &mut Sinks<'_>,
    helpers: usize,
) {
    if helpers < 2 || span.lanes * span.ticks < WORTH_SPLITTING || span.lanes < 2 * BLOCK {
        return neuron.run(span, feeds, states, sinks);
    }
    let left = helpers / 2;
    let at = (span.lanes / helpers * left).next_multiple_of(BLOCK).min(span.lanes);
    let early: Feeds<'_> = feeds.iter().map(|feed| feed_part(feed, &(0..at))).collect();
    let late: Feeds<'_> = feeds.iter().map(|feed| feed_part(feed, &(at..span.lanes))).collect();
    let (states, later_states) = states.split_at(Axis(1), at);
    let (mut sinks, mut later_sinks) = sinks.split_at(at);
    let first = Span { lanes: at, ..span };
    let second = Span { first: span.first + at, lanes: span.lanes - at, ..span };
    rayon::join(
        || split_lanes(neuron, first, &early, states, &mut sinks, left),
        || split_lanes(neuron, second, &late, later_states, &mut later_sinks, helpers - left),
    );
}

/// Maps rows, on several threads where there are many.
fn map_rows(kernel: &Kernel, instructions: InstructionSet, rows: Rows<'_>, scratch: &mut [Scratch]) {
    let work = rows.ticks * rows.batch * (kernel.inputs() + kernel.outputs());
    if scratch.len() < 2 || rows.ticks < 2 || work < WORTH_SPLITTING {
        let Some(scratch) = scratch.first_mut() else { return };
        return kernel.apply(instructions, rows, scratch);
    }
    let left = scratch.len() / 2;
    let at = (rows.ticks * left).div_ceil(scratch.len());
    let (a, b) = rows.y.split_at_mut(at * rows.y_stride);
    let early = Rows { y: a, ticks: at, ..rows };
    let late = Rows { x: rows.x.from(at), y: b, ticks: rows.ticks - at, ..rows };
    let (first, second) = scratch.split_at_mut(left);
    rayon::join(|| map_rows(kernel, instructions, early, first), || map_rows(kernel, instructions, late, second));
}
