//! A loop of one node and the map by which it hears itself: all ticks of a block in one go.
//!
//! Most loops are of this form. Run step by step, tick by tick, they would spend their time on the way from step to step.

use crate::buffer::{Buffer, View, padded};
use crate::linear::{Kernel, Rows, Scratch};
use crate::plan::Plan;
use crate::shard::{Block, Shard, States};
use crate::span::{Sinks, Span, feed};
use isoform_core::lanes::{BLOCK, Echo, Feed, InstructionSet, Loop, Sink};
use isoform_core::plan::{Place, Section, Step};
use std::mem::take;
use std::ptr;

/// What is run in one go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The node.
    pub(crate) neuron: usize,
    /// The map from its output to its input.
    pub(crate) map: usize,
    /// What it hears beside itself.
    pub(crate) other: Option<Place>,
    /// The buffer of its output.
    pub(crate) out: usize,
}

impl Cell {
    /// The steps of a section as a cell, if that is what they are and nobody else reads what passes inside, given how many batch lanes
    /// there are.
    pub(crate) fn of(section: &Section, plan: &Plan, batch: usize) -> Option<Self> {
        let (map, input, back, sum, neuron) = match section.steps.as_slice() {
            [Step::Linear { node, input, out }, neuron] => (*node, *input, *out, None, neuron),
            [Step::Linear { node, input, out }, Step::Sum { sources, out: sum }, neuron] => {
                (*node, *input, *out, Some((sources.as_slice(), *sum)), neuron)
            }
            _ => return None,
        };
        let &Step::Neuron { node, ref inputs, ref outputs } = neuron else { return None };
        let (&[heard], &[Some(out)]) = (inputs.as_slice(), outputs.as_slice()) else { return None };
        let from = |index: usize| Place::Buffer { index, late: false };
        let (other, last) = match sum {
            None => (None, back),
            // a sum of two is the same in either order
            Some((&[a, b], sum)) if a == from(back) => (Some(b), sum),
            Some((&[a, b], sum)) if b == from(back) => (Some(a), sum),
            Some(_) => return None,
        };
        let is_of = |place: Place, buffers: &[usize]| matches!(place, Place::Buffer { index, .. } if buffers.contains(&index));
        let buffers = &plan.layout.buffers;
        let lone = section.recurrent
            && input == (Place::Buffer { index: out, late: true })
            && heard == from(last)
            && !other.is_some_and(|place| is_of(place, &[back, last, out]))
            && !buffers[back].lead
            && !buffers[last].lead;
        let elsewhere = plan.layout.sections.iter().filter(|other| !ptr::eq(*other, section)).flat_map(|s| &s.steps);
        let shown = plan.layout.outputs.iter().map(|output| output.source);
        let hidden = !elsewhere.flat_map(Step::reads).chain(shown).any(|place| is_of(place, &[back, last]));
        let neuron = plan.neurons[node].as_ref()?;
        let small = padded(neuron.channels.saturating_mul(batch)) <= BLOCK && neuron.draws.is_empty();
        (lone && hidden && small && !neuron.is_double()).then_some(Self { neuron: node, map, other, out })
    }
}

/// The way back through the map.
#[derive(Debug)]
struct Way<'a> {
    kernel: &'a Kernel,
    instructions: InstructionSet,
    batch: usize,
    scratch: &'a mut Scratch,
}

impl Echo for Way<'_> {
    fn fill(&mut self, before: &[f32], back: &mut [f32]) {
        let x = View { data: before, stride: before.len(), held: false, whole: true };
        let y_stride = back.len();
        let rows = Rows { x, y: back, y_stride, ticks: 1, batch: self.batch };
        self.kernel.apply(self.instructions, rows, self.scratch);
    }
}

impl Shard {
    /// Runs a cell for a block.
    pub(crate) fn cell(&mut self, plan: &Plan, cell: &Cell, block: &Block<'_>) {
        let (Some(neuron), Some(kernel)) = (&plan.neurons[cell.neuron], &plan.maps[cell.map]) else { return };
        let Buffer { stride, lead, .. } = self.buffers[cell.out];
        let mut data = self.open(cell.out, false);
        let (mut states, mut scratch) = (take(&mut self.states), take(&mut self.scratch));
        let view = cell.other.map(|place| self.view(plan, place, block));
        let feeds = [view.as_ref().map_or(Feed::Constant(0.0), |view| feed(view, stride))];
        let (before, rows) = data.split_at_mut(lead * stride);
        if let (States::Single(states), Some(scratch)) = (&mut states[cell.neuron], scratch.first_mut()) {
            let span = Span { instructions: plan.instructions, ticks: block.ticks, first: 0, lanes: stride };
            let mut way = Way { kernel, instructions: plan.instructions, batch: self.batch, scratch };
            let way = Loop { before, echo: &mut way };
            let mut sinks = Sinks::new([Sink::Rows { data: rows, stride }].into_iter());
            neuron.run_loop(span, &feeds, states.view_mut(), &mut sinks, way);
        }
        self.scratch = scratch;
        self.states = states;
        self.buffers[cell.out].data = data;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuSubstrate, Options};
    use isoform_core::builder::Builder;
    use isoform_core::functions::{cuba_lif, li, lif};
    use isoform_core::linear::Dense;
    use isoform_core::neuron::Neuron;
    use isoform_core::program::Program;
    use isoform_core::semantics::{Preset, Semantics};
    use isoform_core::session::Blocking;
    use isoform_core::state::Block as Kept;
    use isoform_core::substrate::Run;
    use isoform_core::tensor::Tensor;

    /// A layer that hears itself; with an output that shows what comes back it is no cell.
    fn program(neuron: Neuron, width: usize, semantics: Semantics, shown: bool) -> Program {
        let weight = |seed: usize| {
            let numbers: Vec<f64> = (0..width * width).map(|i| ((i * 7 + seed) % 19) as f64 / 40.0 - 0.2).collect();
            Dense::new(Tensor::new([width, width], numbers).expect("fits"), None).expect("fits")
        };
        let mut net = Builder::new();
        let x = net.input("x", [width]);
        let there = net.node("there", weight(3), x);
        let echo = net.later("layer");
        let back = net.node("back", weight(5), echo);
        let y = net.node("layer", neuron, there + back.clone());
        net.output("y", y);
        if shown {
            net.output("back", back);
        }
        net.build(semantics).expect("valid")
    }

    fn cells(program: &Program, batch: usize) -> usize {
        let plan = Plan::new(program, 0, batch, InstructionSet::Baseline).expect("compiles");
        plan.cells.iter().flatten().count()
    }

    /// The first output of two chunks as bits, and what is kept at the end.
    fn run(program: &Program, batch: usize, set: InstructionSet) -> (Vec<u32>, Vec<Kept>) {
        let cpu = CpuSubstrate::new(Options::new().with_threads(1).with_instructions(set)).expect("is available");
        let mut session = Blocking::open(&cpu, program, &Run::new().with_batch(batch)).expect("realises");
        let (ticks, width, all) = (100, program.input_channels(), program.output_channels());
        let x: Vec<f32> = (0..ticks * batch * width).map(|i| f32::from(u8::from(i * i % 11 < 4))).collect();
        let (early, late) = x.split_at(30 * batch * width);
        let mut y = session.run(early).expect("runs");
        y.extend(session.run(late).expect("runs"));
        let bits = y.chunks_exact(all).flat_map(|row| &row[..width]).map(|v| v.to_bits()).collect();
        (bits, session.save().expect("saves").blocks)
    }

    #[test]
    fn a_cell_gives_the_bits_of_its_steps() {
        let neurons: [fn(usize) -> Neuron; 3] = [
            |_| cuba_lif().with("tau_syn", 3.0).with("tau_mem", 5.0).with("r", 2.0).with("w_in", 2.0),
            |width| {
                let tau: Vec<f64> = (0..width).map(|i| 2.0 + i as f64 / 8.0).collect();
                lif().with("tau", Tensor::new([width], tau).expect("fits")).with("r", 3.0)
            },
            |_| li().with("tau", 4.0).with("r", 2.0),
        ];
        for preset in [Preset::Exact, Preset::Snntorch, Preset::Nengo, Preset::Rockpool, Preset::Spyx] {
            for (neuron, width, batch) in neurons.iter().flat_map(|n| [(n, 1, 1), (n, 12, 3), (n, 38, 1), (n, 64, 1)]) {
                let program = |shown| program(neuron(width), width, preset.semantics(1.0), shown);
                let (cell, steps) = (program(false), program(true));
                assert_eq!([cells(&cell, batch), cells(&steps, batch)], [1, 0], "{preset}");
                for &set in InstructionSet::ALL.iter().filter(|set| set.is_available()) {
                    let (got, expected) = (run(&cell, batch, set), run(&steps, batch, set));
                    assert!(got == expected, "{preset}, {width} wide, {batch} lanes, {set}");
                    assert!(width == 1 || got.0.iter().any(|&bits| bits != 0), "{preset}: silent");
                }
            }
        }
    }

    #[test]
    fn a_layer_beyond_a_block_is_no_cell() {
        let wide = |width| program(lif().with("tau", 4.0), width, Semantics::exact(1.0), false);
        assert_eq!([cells(&wide(65), 1), cells(&wide(33), 2), cells(&wide(32), 2)], [0, 0, 1]);
    }
}
