//! Lines of past inputs.

use crate::buffer::{View, padded, zeros};
use crate::error::CpuError;
use isoform_core::plan::{Line, Reach};

/// The contents of a line: a ring of rows `[batch, channel]`.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    data: Vec<f32>,
    lanes: usize,
    stride: usize,
    rows: usize,
    /// Where the next row goes.
    head: usize,
}

impl Ring {
    pub(crate) fn new(line: &Line, batch: usize) -> Result<Self, CpuError> {
        let lanes = line.channels * batch;
        let stride = padded(lanes);
        Ok(Self { data: zeros(stride.checked_mul(line.ticks))?, lanes, stride, rows: line.ticks, head: 0 })
    }

    /// How many numbers it keeps.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Where the row stands that came so many ticks ago, one or more.
    fn at(&self, back: usize) -> usize {
        let row = if self.head >= back { self.head - back } else { self.head + self.rows - back };
        row * self.stride
    }

    /// Writes what a line gives in the present tick, of which `x` is the input.
    pub(crate) fn read(&self, line: &Line, x: View<'_>, tick: usize, y: &mut [f32]) {
        match &line.reach {
            Reach::Uniform(back) => {
                let from = self.at(*back);
                y[..self.lanes].copy_from_slice(&self.data[from..from + self.lanes]);
            }
            Reach::Each(ticks) => {
                let x = x.row(tick, self.lanes);
                for (lane, y) in y[..self.lanes].iter_mut().enumerate() {
                    let back = ticks[lane % line.channels] as usize;
                    *y = if back == 0 { x[lane] } else { self.data[self.at(back) + lane] };
                }
            }
        }
    }

    /// Takes in the row of the present tick.
    pub(crate) fn absorb(&mut self, x: &[f32]) {
        let at = self.head * self.stride;
        self.data[at..at + self.lanes].copy_from_slice(x);
        self.head = if self.head + 1 == self.rows { 0 } else { self.head + 1 };
    }

    /// Writes one lane as the portable state has it: the previous tick first.
    pub(crate) fn save(&self, channels: usize, lane: usize, values: &mut Vec<f64>) {
        for back in 1..=self.rows {
            let at = self.at(back) + lane * channels;
            values.extend(self.data[at..at + channels].iter().map(|&v| f64::from(v)));
        }
    }

    /// Takes over one lane of a portable state.
    pub(crate) fn load(&mut self, channels: usize, lane: usize, values: &[f64]) {
        for (row, back) in values.chunks_exact(channels).zip(1..) {
            let at = self.at(back) + lane * channels;
            self.data[at..at + channels].iter_mut().zip(row).for_each(|(to, &v)| *to = v as f32);
        }
    }
}
