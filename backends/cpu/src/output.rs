//! What goes out: the rows of a shard, in any of the forms of a signal.

use crate::buffer::View;
use isoform_core::plan::OutputSpec;
use isoform_core::signal::{Extent, SignalMut, bytes_of_bits};
use ndarray::{ArrayViewMut2, Axis, Slice};

/// Rows of an output. A view can be split between lanes, but to make one costs as much as a tick of a small program.
#[derive(Debug)]
pub(crate) enum Grid<'a, T> {
    /// All lanes: the rows, and how far apart they are.
    Whole(&'a mut [T], usize),
    /// Some lanes.
    Part(ArrayViewMut2<'a, T>),
}

impl<'a, T> Grid<'a, T> {
    fn ticks(&mut self, from: usize, count: usize) -> Grid<'_, T> {
        match self {
            Self::Whole(data, stride) => Grid::Whole(&mut data[from * *stride..(from + count) * *stride], *stride),
            Self::Part(view) => Grid::Part(view.slice_axis_mut(Axis(0), Slice::from(from..from + count))),
        }
    }

    fn split_at(self, lane: usize) -> (Self, Self) {
        let view = match self {
            Self::Whole(data, stride) => view(data, stride),
            Self::Part(view) => view,
        };
        let (a, b) = view.split_at(Axis(1), lane);
        (Self::Part(a), Self::Part(b))
    }

    fn row(&mut self, tick: usize) -> &mut [T] {
        match self {
            Self::Whole(data, stride) => &mut data[tick * *stride..][..*stride],
            Self::Part(view) => view.row_mut(tick).into_slice().unwrap_or_default(),
        }
    }
}

/// The part of an output signal that belongs to some batch lanes and ticks.
#[derive(Debug)]
pub(crate) enum Out<'a> {
    /// Ticks by channels of all lanes.
    Dense(Grid<'a, f32>),
    /// Channels of all lanes.
    Counts(&'a mut [u32]),
    /// Ticks by bytes of all lanes.
    Bits(Grid<'a, u8>),
}

impl<'a> Out<'a> {
    /// The whole of a signal.
    pub(crate) fn new(signal: SignalMut<'a>, extent: Extent) -> Self {
        match signal {
            SignalMut::Dense(data) => Self::Dense(Grid::Whole(data, extent.row())),
            SignalMut::Counts(counts) => Self::Counts(counts),
            SignalMut::Bits(data) => Self::Bits(Grid::Whole(data, extent.batch * bytes_of_bits(extent.channels))),
        }
    }

    /// The part of some ticks.
    pub(crate) fn ticks(&mut self, from: usize, count: usize) -> Out<'_> {
        match self {
            Self::Dense(rows) => Out::Dense(rows.ticks(from, count)),
            Self::Counts(counts) => Out::Counts(counts),
            Self::Bits(rows) => Out::Bits(rows.ticks(from, count)),
        }
    }

    /// The parts before and from a batch lane on.
    pub(crate) fn split_at(self, lane: usize, channels: usize) -> (Self, Self) {
        match self {
            Self::Dense(rows) => {
                let (a, b) = rows.split_at(lane * channels);
                (Self::Dense(a), Self::Dense(b))
            }
            Self::Counts(counts) => {
                let (a, b) = counts.split_at_mut(lane * channels);
                (Self::Counts(a), Self::Counts(b))
            }
            Self::Bits(rows) => {
                let (a, b) = rows.split_at(lane * bytes_of_bits(channels));
                (Self::Bits(a), Self::Bits(b))
            }
        }
    }

    /// Takes over the rows of one output of the program; `total` is the channels of all.
    pub(crate) fn put(&mut self, rows: View<'_>, output: &OutputSpec, total: usize, ticks: usize, batch: usize) {
        let (offset, channels) = (output.offset, output.channels);
        if let Self::Counts(counts) = self
            && output.spikes
            && channels == total
        {
            return count(counts, rows, ticks);
        }
        for t in 0..ticks {
            let row = rows.row(t, batch * channels);
            match self {
                // no division where the output has the rows to itself
                Self::Dense(to) if channels == total => to.row(t).copy_from_slice(row),
                Self::Dense(to) => {
                    for (to, from) in to.row(t).chunks_exact_mut(total).zip(row.chunks_exact(channels)) {
                        to[offset..offset + channels].copy_from_slice(from);
                    }
                }
                Self::Counts(counts) => {
                    for (to, from) in counts.chunks_exact_mut(total).zip(row.chunks_exact(channels)) {
                        for (count, &v) in to[offset..offset + channels].iter_mut().zip(from) {
                            *count = count.saturating_add(v as u32);
                        }
                    }
                }
                Self::Bits(to) => {
                    for (to, from) in to.row(t).chunks_exact_mut(bytes_of_bits(total)).zip(row.chunks_exact(channels)) {
                        pack(to, offset, from);
                    }
                }
            }
        }
    }
}

/// Counts spikes, some lanes at a time, whose sums are whole numbers that single precision holds.
fn count(counts: &mut [u32], rows: View<'_>, ticks: usize) {
    const TILE: usize = 16;
    for (counts, lane) in counts.chunks_mut(TILE).zip((0..).step_by(TILE)) {
        let mut sums = [0.0; TILE];
        for t in 0..ticks {
            match rows.stretch(t, lane, TILE) {
                Some(row) => sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v),
                None => sums.iter_mut().zip(rows.row(t, lane + counts.len())[lane..].iter()).for_each(|(sum, v)| *sum += v),
            }
        }
        counts.iter_mut().zip(sums).for_each(|(count, sum)| *count = count.saturating_add(sum as u32));
    }
}

/// Sets the bits of some channels, of which the first has so many before it.
fn pack(bits: &mut [u8], offset: usize, values: &[f32]) {
    if offset.is_multiple_of(8) {
        // each byte is begun by the output whose channel is its lowest bit
        for (byte, values) in bits[offset / 8..].iter_mut().zip(values.chunks(8)) {
            *byte = values.iter().enumerate().fold(0, |byte, (i, &v)| byte | u8::from(v != 0.0) << i);
        }
        return;
    }
    for (c, &v) in (offset..).zip(values) {
        let byte = &mut bits[c / 8];
        if c % 8 == 0 {
            *byte = 0;
        }
        *byte |= u8::from(v != 0.0) << (c % 8);
    }
}

/// Whole rows as an array.
pub(crate) fn view<T>(data: &mut [T], stride: usize) -> ArrayViewMut2<'_, T> {
    let ticks = data.len().checked_div(stride).unwrap_or(0);
    ArrayViewMut2::from_shape((ticks, stride), &mut data[..ticks * stride])
        .unwrap_or_else(|_| unreachable!("a slice of rows by stride has that shape"))
}
