//! What a program is compiled to. A plan is the same for all lanes; a [`Shard`](crate::shard::Shard) holds what changes.

use crate::cell::Cell;
use crate::error::CpuError;
use crate::linear::Kernel;
use crate::neuron::Neuron;
use isoform_core::lanes::InstructionSet;
use isoform_core::plan::{self, BufferSpec, Section, Step};
use isoform_core::program::{NodeKind, Program};
use isoform_core::signal::Extent;

/// A compiled program. What belongs to nodes is found by the index of the node.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) instructions: InstructionSet,
    /// The steps, with buffers for draws behind those of the signals.
    pub(crate) layout: plan::Plan,
    pub(crate) neurons: Vec<Option<Neuron>>,
    pub(crate) maps: Vec<Option<Kernel>>,
    /// The buffers of the draws.
    pub(crate) draws: Vec<Vec<usize>>,
    /// What runs in place of the steps of a section.
    pub(crate) cells: Vec<Option<Cell>>,
}

impl Plan {
    /// Compiles a program for shards of up to so many batch lanes.
    pub(crate) fn new(program: &Program, seed: u64, batch: usize, instructions: InstructionSet) -> Result<Self, CpuError> {
        let mut layout = plan::Plan::new(program);
        let count = program.nodes().len();
        let (mut neurons, mut maps, mut draws) =
            (Vec::with_capacity(count), Vec::with_capacity(count), Vec::with_capacity(count));
        for node in program.nodes() {
            let neuron = Neuron::new(node, seed, batch)?;
            let first = layout.buffers.len();
            let channels = neuron.iter().flat_map(|n| n.draws.iter().map(|_| n.channels));
            layout.buffers.extend(channels.map(|channels| BufferSpec { channels, lead: false, constant: false }));
            draws.push((first..layout.buffers.len()).collect());
            neurons.push(neuron);
            maps.push(match &node.kind {
                NodeKind::Linear(map) => Some(Kernel::new(map, &node.name)?),
                NodeKind::Optical(map) => return Err(CpuError::NoKernel { kind: map.kind(), node: node.name.clone() }),
                _ => None,
            });
        }
        let mut plan = Self { instructions, layout, neurons, maps, draws, cells: Vec::new() };
        // double precision has no way around its buffers
        plan.layout.direct = plan.layout.direct.filter(|&(node, _)| !plan.is_double(node));
        plan.cells = plan.layout.sections.iter().map(|section| Cell::of(section, &plan, batch)).collect();
        Ok(plan)
    }

    /// Whether a node computes in double precision.
    pub(crate) fn is_double(&self, node: usize) -> bool {
        self.neurons[node].as_ref().is_some_and(Neuron::is_double)
    }

    /// The extent of an input of so many ticks.
    pub(crate) fn input(&self, ticks: usize, batch: usize) -> Extent {
        Extent { ticks, batch, channels: self.layout.channels[0] }
    }

    /// The sections, with what runs in place of their steps.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&Section, Option<&Cell>)> {
        self.layout.sections.iter().zip(self.cells.iter().map(Option::as_ref))
    }

    /// Roughly how long one tick of one batch lane takes, in nanoseconds on one core.
    pub(crate) fn cost(&self) -> f64 {
        let neurons: f64 = self.neurons.iter().flatten().map(Neuron::cost).sum();
        let maps: f64 = self.maps.iter().flatten().map(Kernel::cost).sum();
        let steps = self.sections().map(|(section, cell)| match cell {
            Some(_) => 1,
            None => section.steps.len() * if section.recurrent { 20 } else { 1 },
        });
        neurons + maps + steps.sum::<usize>() as f64
    }

    /// Numbers that pass from step to step in one tick of one batch lane, if the input is dense.
    pub(crate) fn working_set(&self) -> usize {
        let channels = |out: usize| self.layout.buffers[out].channels;
        let written = |step: &Step| match step {
            Step::Sum { out, .. } | Step::Linear { out, .. } => channels(*out),
            Step::Line { read, .. } => read.map_or(0, channels),
            Step::Neuron { node, outputs, .. } => {
                let is_direct = self.layout.direct.is_some_and(|(direct, _)| direct == *node);
                let outputs = outputs.iter().flatten().filter(|_| !is_direct);
                self.draws[*node].iter().chain(outputs).map(|&out| channels(out)).sum()
            }
        };
        let section = |(section, cell): (&Section, Option<&Cell>)| match cell {
            Some(cell) => channels(cell.out),
            None => section.steps.iter().map(written).sum(),
        };
        self.sections().map(section).sum()
    }

    /// The most input channels of a linear map.
    pub(crate) fn widest_map(&self) -> usize {
        self.maps.iter().flatten().map(Kernel::inputs).max().unwrap_or(0)
    }
}
