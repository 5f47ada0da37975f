//! Signals on their way to a device and back.

use crate::lower::{Layout, Lowered, Stored};
use isoform_core::plan::{InputSpec, Place};
use isoform_core::signal::{Extent, Signal, SignalMut};
use std::ops::Range;

/// Rows of one port, as a device has them: padded.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    data: Vec<f32>,
    stride: usize,
}

impl Rows {
    pub(crate) fn new(layout: &Layout, index: usize) -> Self {
        let stride = layout.stride(index);
        Self { data: vec![0.0; stride * layout.block], stride }
    }

    /// How many numbers.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// The bytes of so many rows.
    pub(crate) fn bytes(&self, rows: usize) -> &[u8] {
        bytemuck::cast_slice(&self.data[..rows * self.stride])
    }

    /// The bytes of so many rows, to be overwritten.
    pub(crate) fn bytes_mut(&mut self, rows: usize) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.data[..rows * self.stride])
    }

    fn row(&self, tick: usize) -> &[f32] {
        &self.data[tick * self.stride..(tick + 1) * self.stride]
    }

    /// Takes the lanes of a port out of some ticks of a signal; gives how many rows there are.
    pub(crate) fn take(&mut self, signal: Signal<'_>, extent: Extent, ticks: Range<usize>, port: &InputSpec) -> usize {
        let (total, stride) = (extent.channels, self.stride);
        let copy = |row: &[f32], to: &mut [f32]| {
            for (from, to) in row.chunks_exact(total).zip(to.chunks_exact_mut(port.channels)) {
                to.copy_from_slice(&from[port.offset..port.offset + port.channels]);
            }
        };
        match signal {
            Signal::Dense(data) => {
                let rows = data[ticks.start * extent.row()..ticks.end * extent.row()].chunks_exact(extent.row());
                rows.zip(self.data.chunks_exact_mut(stride)).for_each(|(row, to)| copy(row, to));
                ticks.len()
            }
            Signal::Held(row) => {
                copy(row, &mut self.data[..stride]);
                1
            }
            Signal::Events(events) => {
                self.data[..ticks.len() * stride].fill(0.0);
                let start = events.partition_point(|e| (e.tick as usize) < ticks.start);
                for e in events[start..].iter().take_while(|e| (e.tick as usize) < ticks.end) {
                    let channel = e.channel as usize;
                    if (port.offset..port.offset + port.channels).contains(&channel) {
                        let row = (e.tick as usize - ticks.start) * stride;
                        self.data[row + e.batch as usize * port.channels + channel - port.offset] += e.value;
                    }
                }
                ticks.len()
            }
        }
    }
}

/// Where the rows of an output are, in bytes: from the first on, so many rows; one row stands for all where it is held.
pub(crate) fn output_rows(layout: &Layout, source: Place, ticks: usize, held: bool) -> (usize, usize, usize) {
    let row = |index: usize| layout.stride(index) * size_of::<f32>();
    match source {
        Place::Input(port) => (layout.plan.inputs[port].staging, 0, if held { 1 } else { ticks }),
        Place::Buffer { index, late } => {
            let spec = &layout.plan.buffers[index];
            if spec.constant { (index, 0, 1) } else { (index, if spec.lead && !late { row(index) } else { 0 }, ticks) }
        }
    }
}

/// Puts rows of all outputs into some ticks of a signal.
pub(crate) fn put(
    layout: &Layout,
    outputs: &[(Rows, usize)],
    y: &mut SignalMut<'_>,
    extent: Extent,
    ticks: Range<usize>,
    row: &mut [f32],
) {
    let specs = &layout.plan.outputs;
    for tick in ticks.clone() {
        for ((rows, count), spec) in outputs.iter().zip(specs) {
            let from = rows.row(if *count == 1 { 0 } else { tick - ticks.start });
            let lanes = from.chunks_exact(spec.channels).zip(row.chunks_exact_mut(extent.channels));
            lanes.take(extent.batch).for_each(|(from, to)| to[spec.offset..spec.offset + spec.channels].copy_from_slice(from));
        }
        match y {
            SignalMut::Dense(data) => data[tick * extent.row()..(tick + 1) * extent.row()].copy_from_slice(row),
            SignalMut::Counts(_) | SignalMut::Bits(_) => y.put(extent, tick, row),
        }
    }
}

/// Adds counts of one output to a signal of counts.
pub(crate) fn add_counts(counts: &[u32], [offset, channels]: [usize; 2], extent: Extent, y: &mut [u32]) {
    for (from, to) in counts.chunks_exact(channels).zip(y.chunks_exact_mut(extent.channels)) {
        for (to, from) in to[offset..offset + channels].iter_mut().zip(from) {
            *to = to.saturating_add(*from);
        }
    }
}

/// A block of a saved state and where it is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) stored: Stored,
    /// Numbers of one batch lane.
    pub(crate) len: usize,
    /// Channels of one batch lane.
    pub(crate) channels: usize,
}

impl Kept {
    pub(crate) fn all(lowered: &Lowered, lens: impl Iterator<Item = usize>) -> Vec<Self> {
        let plan = &lowered.layout.plan;
        lens.zip(&plan.memory)
            .map(|(len, &location)| {
                let channels = match location {
                    isoform_core::plan::Location::Line(line) => plan.lines[line].channels,
                    _ => len,
                };
                Self { stored: lowered.location(location), len, channels }
            })
            .collect()
    }

    /// The buffer, the first number and how many numbers, with padded rows of `stride`.
    pub(crate) fn range(&self, stride: usize) -> (usize, usize, usize) {
        match self.stored {
            Stored::Row { buffer, row } => (buffer, row * stride, stride),
            Stored::Ring { buffer, rows } => (buffer, 0, rows * stride),
        }
    }

    /// Copies between numbers as a device keeps them and a portable state; the previous tick stands first in a line.
    pub(crate) fn exchange(&self, stride: usize, batch: usize, tick: u64, mut each: impl FnMut(usize, usize)) {
        let rows = match self.stored {
            Stored::Row { .. } => 1,
            Stored::Ring { rows, .. } => rows,
        };
        for lane in 0..batch {
            for back in 0..self.len / self.channels.max(1) {
                let row = match self.stored {
                    Stored::Row { .. } => 0,
                    Stored::Ring { .. } => (tick.wrapping_sub(back as u64 + 1) as usize) & (rows - 1),
                };
                for channel in 0..self.channels {
                    each(row * stride + lane * self.channels + channel, lane * self.len + back * self.channels + channel);
                }
            }
        }
    }
}
