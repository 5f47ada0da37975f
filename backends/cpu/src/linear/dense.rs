//! The dense map: event-driven where rows are sparse, blocked over outputs and rows where they are not.

use super::spikes::{self, Set};
use super::{Rows, Scratch, is_sparse};
use crate::aligned::Aligned;
use crate::buffer::padded;
use crate::error::CpuError;
use isoform_core::linear::Dense;

/// Dense rows that are mapped side by side.
const ROWS: usize = 4;

/// Goes through the outputs of a matrix in tiles, at most `$widest` wide, and gives the width of each as a constant.
macro_rules! tiles {
    ($matrix:expr, $widest:expr, |$first:ident, $width:ident| $body:block) => {{
        let mut $first = 0;
        while $first < $matrix.stride {
            $first += match $matrix.stride - $first {
                rest if rest >= 128 && $widest >= 128 => tiles!(128, $width, $body),
                rest if rest >= 64 && $widest >= 64 => tiles!(64, $width, $body),
                rest if rest >= 48 => tiles!(48, $width, $body),
                rest if rest >= 32 => tiles!(32, $width, $body),
                _ => tiles!(16, $width, $body),
            };
        }
    }};
    ($tile:literal, $width:ident, $body:block) => {{
        const $width: usize = $tile;
        $body
        $tile
    }};
}

/// The matrices of a dense map, one or one per leading position.
#[derive(Debug)]
pub(super) struct Matrices {
    cols: usize,
    rows: usize,
    /// From input to input: the outputs, up to a whole vector.
    stride: usize,
    /// How many leading positions there are.
    lead: usize,
    /// `[input, output]`, padded with noughts, and with an input more that adds nothing.
    weights: Vec<Aligned>,
    /// One, or one per leading position, padded with noughts.
    biases: Vec<Aligned>,
}

/// One matrix and its bias.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    weights: &'a [f32],
    bias: &'a [f32],
    stride: usize,
    cols: usize,
    rows: usize,
}

impl Matrices {
    pub(super) fn new(map: &Dense) -> Result<Self, CpuError> {
        let (rows, cols) = (map.rows(), map.cols());
        let stride = padded(rows);
        let lead = map.output().len() / rows;
        let numbers = map.weight().to_f64();
        let matrix = |m: &[f64]| {
            let mut weights = Aligned::zeros(stride.checked_mul(cols + 1))?;
            for (o, row) in m.chunks_exact(cols).enumerate() {
                row.iter().enumerate().for_each(|(i, &w)| weights[i * stride + o] = w as f32);
            }
            Ok(weights)
        };
        let bias = |b: &[f64]| {
            let mut bias = Aligned::zeros(Some(stride))?;
            // a bias of −0 counts as +0
            bias.iter_mut().zip(b).for_each(|(to, &b)| *to = b as f32 + 0.0);
            Ok(bias)
        };
        Ok(Self {
            weights: numbers.chunks_exact(rows * cols).map(matrix).collect::<Result<_, CpuError>>()?,
            biases: match map.bias() {
                Some(b) => b.to_f64().chunks_exact(rows).map(bias).collect::<Result<_, CpuError>>()?,
                None => vec![bias(&[])?],
            },
            cols,
            rows,
            stride,
            lead,
        })
    }

    pub(super) fn is_finite(&self) -> bool {
        self.weights.iter().chain(&self.biases).all(|m| m.iter().all(|w| w.is_finite()))
    }

    fn matrix(&self, position: usize) -> Matrix<'_> {
        Matrix {
            weights: &self.weights[if self.weights.len() == 1 { 0 } else { position }],
            bias: &self.biases[if self.biases.len() == 1 { 0 } else { position }],
            stride: self.stride,
            cols: self.cols,
            rows: self.rows,
        }
    }

    /// Maps rows of few spikes until there is one of another kind; gives their number. A loop of its own, so that it finds room in the
    /// registers.
    #[inline(always)]
    fn spikes<const EVENT: usize>(&self, job: &mut Rows<'_>, per_tick: usize) -> usize {
        let matrix = self.matrix(0);
        for t in 0..job.ticks {
            for at in 0..per_tick {
                let Some(set) = spikes::set(&job.x, t, at * self.cols, self.cols) else { return t * per_tick + at };
                matrix.spike_row::<EVENT>(set, job.y, t * job.y_stride + at * self.rows, true);
            }
        }
        job.ticks * per_tick
    }

    #[inline(always)]
    pub(super) fn apply<const EVENT: usize, const DENSE: usize>(&self, mut job: Rows<'_>, scratch: &mut Scratch) {
        let distinct = if self.weights.len().max(self.biases.len()) > 1 { self.lead } else { 1 };
        let per_tick = job.batch * self.lead;
        let done = if distinct == 1 { self.spikes::<EVENT>(&mut job, per_tick) } else { 0 };
        let Rows { x, y, y_stride, ticks, .. } = job;
        for position in 0..distinct {
            let matrix = self.matrix(position);
            let mut waiting: [(&[f32], usize); ROWS] = [(&[], 0); ROWS];
            let mut count = 0;
            for t in done / per_tick..ticks {
                let row = x.row(t, per_tick * self.cols);
                let first = if t == done / per_tick { position + done % per_tick } else { position };
                for at in (first..per_tick).step_by(distinct) {
                    let input = &row[at * self.cols..][..self.cols];
                    let to = t * y_stride + at * self.rows;
                    let found = scratch.list(input);
                    if is_sparse(found.count, self.cols) {
                        // rows ascend, so that what one writes past its end is overwritten by the next
                        matrix.flush::<DENSE>(&waiting[..count], y);
                        count = 0;
                        let active = &scratch.active[..found.count];
                        if found.ones {
                            matrix.event_row::<EVENT, false>(input, active, y, to, distinct == 1);
                        } else {
                            matrix.event_row::<EVENT, true>(input, active, y, to, distinct == 1);
                        }
                    } else {
                        waiting[count] = (input, to);
                        count += 1;
                        if count == ROWS {
                            matrix.dense_rows::<ROWS, DENSE>(&waiting, y);
                            count = 0;
                        }
                    }
                }
            }
            matrix.flush::<DENSE>(&waiting[..count], y);
        }
    }
}

impl Matrix<'_> {
    #[inline(always)]
    fn flush<const W: usize>(&self, waiting: &[(&[f32], usize)], y: &mut [f32]) {
        for &row in waiting {
            self.dense_rows::<1, W>(&[row], y);
        }
    }

    /// Adds the weights of the active inputs, times the inputs if those are not all one.
    #[inline(always)]
    fn event_row<const W: usize, const SCALED: bool>(&self, x: &[f32], active: &[u32], y: &mut [f32], to: usize, spill: bool) {
        tiles!(self, W, |first, WIDTH| {
            let sums = self.event_tile::<WIDTH, SCALED>(x, active, first);
            self.put(&sums, first, y, to, spill);
        });
    }

    /// Adds the weights of the inputs that are one.
    #[inline(always)]
    fn spike_row<const W: usize>(&self, set: Set, y: &mut [f32], to: usize, spill: bool) {
        tiles!(self, W, |first, WIDTH| {
            let sums = self.spike_tile::<WIDTH>(set, first);
            self.put(&sums, first, y, to, spill);
        });
    }

    /// Four inputs at a time, of which those that are too many add nothing: most rows then take the same path, and the processor
    /// can guess it.
    #[inline(always)]
    fn spike_tile<const W: usize>(&self, mut set: Set, first: usize) -> [f32; W] {
        let mut sums = [0.0; W];
        sums.copy_from_slice(&self.bias[first..first + W]);
        loop {
            for _ in 0..4 {
                let i = set.pop().min(self.cols);
                let weights = &self.weights[i * self.stride + first..][..W];
                for (sum, &w) in sums.iter_mut().zip(weights) {
                    *sum += w;
                }
            }
            if set.is_empty() {
                return sums;
            }
        }
    }

    #[inline(always)]
    fn event_tile<const W: usize, const SCALED: bool>(&self, x: &[f32], active: &[u32], first: usize) -> [f32; W] {
        let mut sums = [0.0; W];
        sums.copy_from_slice(&self.bias[first..first + W]);
        for &i in active {
            let weights = &self.weights[i as usize * self.stride + first..][..W];
            let scale = if SCALED { x[i as usize] } else { 1.0 };
            for (sum, &w) in sums.iter_mut().zip(weights) {
                *sum += if SCALED { w * scale } else { w };
            }
        }
        sums
    }

    /// Weighs all inputs of several rows.
    #[inline(always)]
    fn dense_rows<const R: usize, const W: usize>(&self, rows: &[(&[f32], usize); R], y: &mut [f32]) {
        let mut first = 0;
        while first + W <= self.stride {
            self.dense_tile::<R, W>(rows, y, first);
            first += W;
        }
        while first < self.stride {
            self.dense_tile::<R, 8>(rows, y, first);
            first += 8;
        }
    }

    #[inline(always)]
    fn dense_tile<const R: usize, const W: usize>(&self, rows: &[(&[f32], usize); R], y: &mut [f32], first: usize) {
        if first >= self.rows {
            return;
        }
        let mut sums = [[0.0; W]; R];
        for sums in &mut sums {
            sums.copy_from_slice(&self.bias[first..first + W]);
        }
        let cols = rows[0].0.len();
        let x: [&[f32]; R] = rows.map(|(x, _)| &x[..cols]);
        for i in 0..cols {
            let weights = &self.weights[i * self.stride + first..][..W];
            for (sums, x) in sums.iter_mut().zip(x) {
                let x = x[i];
                for (sum, &w) in sums.iter_mut().zip(weights) {
                    *sum += w * x;
                }
            }
        }
        for (sums, &(_, to)) in sums.iter().zip(rows) {
            self.put(sums, first, y, to, false);
        }
    }

    /// Writes a tile, past the end of the row where that does no harm and is faster.
    #[inline(always)]
    fn put<const W: usize>(&self, sums: &[f32; W], first: usize, y: &mut [f32], to: usize, spill: bool) {
        let at = to + first;
        let inside = self.rows.saturating_sub(first).min(W);
        if inside == W || (spill && at + W <= y.len()) {
            y[at..at + W].copy_from_slice(sums);
        } else {
            y[at..at + inside].copy_from_slice(&sums[..inside]);
        }
    }
}
