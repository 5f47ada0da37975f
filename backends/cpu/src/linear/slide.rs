//! Convolutions and pooling: a kernel that slides along two axes.

use crate::buffer::zeros;
use crate::error::CpuError;
use isoform_core::linear::{Conv1d, Conv2d, Padding, Pooling};
use isoform_core::tensor::{Shape, Tensor};
use std::ops::Range;

/// One axis along which the kernel slides.
#[derive(Debug)]
struct Axis {
    input: usize,
    output: usize,
    stride: usize,
    /// For each tap: the outputs for which it sees the input, and the input that it sees for the first of them.
    taps: Vec<(Range<usize>, usize)>,
}

/// How a kernel slides along an axis, in elements.
#[derive(Clone, Copy)]
struct Steps {
    stride: usize,
    dilation: usize,
    before: usize,
}

impl Axis {
    fn new(input: usize, output: usize, taps: Range<usize>, steps: Steps) -> Result<Self, CpuError> {
        let Steps { stride, dilation, before } = steps;
        let mut found = zeros(Some(taps.len()))?;
        for (found, tap) in found.iter_mut().zip(taps) {
            let offset = tap * dilation;
            let end = (before + input).checked_sub(offset + 1).map_or(0, |last| (last / stride + 1).min(output));
            let start = before.saturating_sub(offset).div_ceil(stride).min(end);
            let seen = if start < end { start * stride + offset - before } else { 0 };
            *found = (start..end, seen);
        }
        Ok(Self { input, output, stride, taps: found })
    }

    /// The axis of a pool, without the taps that see nothing but padding: a kernel may be any number of times as long as the input.
    fn pool(input: usize, output: usize, kernel: usize, stride: usize, before: usize) -> Result<Self, CpuError> {
        let reach = output.saturating_sub(1).saturating_mul(stride);
        let taps = before.saturating_sub(reach)..kernel.min(before.saturating_add(input));
        Self::new(input, output, taps, Steps { stride, dilation: 1, before })
    }

    /// An axis without extent.
    fn single() -> Result<Self, CpuError> {
        Self::new(1, 1, 0..1, Steps { stride: 1, dilation: 1, before: 0 })
    }
}

/// A convolution in groups; pooling is one whose groups are single channels.
#[derive(Debug)]
pub(super) struct Slide {
    rows: Axis,
    cols: Axis,
    /// Input channels of a group.
    inputs: usize,
    /// Output channels of a group.
    outputs: usize,
    /// `[output channel, input channel of the group, taps]`, or one row of taps that stands for all.
    weights: Vec<f32>,
    /// Whether one row of taps stands for all, as in a pool, whose terms have one weight.
    uniform: bool,
    /// One per output channel.
    bias: Vec<f32>,
}

impl Slide {
    pub(super) fn conv1d(map: &Conv1d) -> Result<Self, CpuError> {
        let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
        let kernel = map.weight().shape().extents()[2];
        let before = match window.padding {
            Padding::Each([before]) => before,
            Padding::Same => 0,
        };
        let steps = Steps { stride: window.stride[0], dilation: window.dilation[0], before };
        let cols = Axis::new(input[1], output[1], 0..kernel, steps)?;
        Ok(Self::convolution(Axis::single()?, cols, [input[0], output[0], window.groups], map.weight(), map.bias()))
    }

    pub(super) fn conv2d(map: &Conv2d) -> Result<Self, CpuError> {
        let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
        let before = match window.padding {
            Padding::Each(before) => before,
            Padding::Same => [0, 0],
        };
        let axis = |d: usize| {
            let kernel = map.weight().shape().extents()[2 + d];
            let steps = Steps { stride: window.stride[d], dilation: window.dilation[d], before: before[d] };
            Axis::new(input[1 + d], output[1 + d], 0..kernel, steps)
        };
        Ok(Self::convolution(axis(0)?, axis(1)?, [input[0], output[0], window.groups], map.weight(), map.bias()))
    }

    fn convolution(
        rows: Axis,
        cols: Axis,
        [inputs, outputs, groups]: [usize; 3],
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Self {
        let bias = match bias {
            // a bias of −0 counts as +0
            Some(bias) => bias.to_f64().iter().map(|&b| b as f32 + 0.0).collect(),
            None => vec![0.0; outputs],
        };
        let weights = weight.to_f64().iter().map(|&w| w as f32).collect();
        Self { rows, cols, inputs: inputs / groups, outputs: outputs / groups, weights, uniform: false, bias }
    }

    pub(super) fn pool(input: &Shape, output: &Shape, pooling: Pooling, weight: f64) -> Result<Self, CpuError> {
        let (input, output) = (input.extents(), output.extents());
        let axis = |d: usize| Axis::pool(input[1 + d], output[1 + d], pooling.kernel[d], pooling.stride[d], pooling.padding[d]);
        let (rows, cols) = (axis(0)?, axis(1)?);
        let mut weights = zeros(Some(cols.taps.len()))?;
        weights.fill(weight as f32);
        Ok(Self { rows, cols, inputs: 1, outputs: 1, weights, uniform: true, bias: zeros(Some(input[0]))? })
    }

    pub(super) fn is_finite(&self) -> bool {
        self.weights.iter().chain(&self.bias).all(|w| w.is_finite())
    }

    /// The weights of one row of taps.
    #[inline(always)]
    fn kernel(&self, row: usize) -> &[f32] {
        let width = self.cols.taps.len();
        if self.uniform { &self.weights } else { &self.weights[row * width..][..width] }
    }

    /// Maps one row, tap by tap along whole rows of the output, which keeps the terms of each output in ascending order.
    #[inline(always)]
    pub(super) fn apply(&self, x: &[f32], y: &mut [f32]) {
        let (rows, cols) = (&self.rows, &self.cols);
        let (input_plane, output_plane) = (rows.input * cols.input, rows.output * cols.output);
        for (filter, y) in y.chunks_exact_mut(output_plane).enumerate() {
            y.fill(self.bias[filter]);
            let group = filter / self.outputs * self.inputs * input_plane;
            for (channel, x) in x[group..].chunks_exact(input_plane).take(self.inputs).enumerate() {
                for (tap, (outputs, seen)) in rows.taps.iter().enumerate() {
                    let kernel = self.kernel((filter * self.inputs + channel) * rows.taps.len() + tap);
                    for (step, out) in outputs.clone().enumerate() {
                        let x = &x[(seen + step * rows.stride) * cols.input..][..cols.input];
                        // spikes leave most rows empty
                        if x.iter().all(|&v| v == 0.0) {
                            continue;
                        }
                        let y = &mut y[out * cols.output..][..cols.output];
                        for ((outputs, seen), &w) in cols.taps.iter().zip(kernel) {
                            slide(w, &x[*seen..], &mut y[outputs.clone()], cols.stride);
                        }
                    }
                }
            }
        }
    }
}

/// Adds what one tap contributes to the outputs of a row that it reaches.
#[inline(always)]
fn slide(w: f32, x: &[f32], y: &mut [f32], stride: usize) {
    if stride == 1 {
        for (y, &x) in y.iter_mut().zip(x) {
            *y += w * x;
        }
    } else {
        for (y, &x) in y.iter_mut().zip(x.iter().step_by(stride)) {
            *y += w * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::linear::{LinearMap, SumPool2d};

    /// The kernel of a pool and its definition on a signal that is not nought anywhere.
    fn both(input: [usize; 3], pooling: Pooling) -> (Slide, Vec<f32>, Vec<f64>) {
        let pool = SumPool2d::new(input, pooling).expect("fits");
        let slide = Slide::pool(pool.input(), pool.output(), pooling, 1.0).expect("fits into memory");
        let x: Vec<f64> = (1_u8..).take(input.iter().product()).map(f64::from).collect();
        let singles: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let map = LinearMap::from(pool);
        let (mut y, mut expected) = (vec![0.0; map.output().len()], vec![0.0; map.output().len()]);
        slide.apply(&singles, &mut y);
        map.apply(&x, &mut expected);
        (slide, y, expected)
    }

    #[test]
    fn a_pool_keeps_no_tap_that_sees_padding_alone() {
        for kernel in [5, 64, 1 << 20, 1 << 28] {
            let pooling = Pooling::over([kernel, kernel]).with_stride([1, 2]).with_padding([kernel / 2, kernel / 2]);
            let (slide, y, expected) = both([2, 4, 3], pooling);
            assert!(slide.rows.taps.len() <= 9 && slide.cols.taps.len() <= 7, "{kernel}: {:?}", slide.rows.taps);
            assert_eq!(slide.weights.len(), slide.cols.taps.len());
            assert_eq!(y.iter().map(|&y| f64::from(y)).collect::<Vec<_>>(), expected, "{kernel}");
        }
    }

    #[test]
    fn pools_of_every_step_agree_with_their_definition() {
        for (kernel, stride, padding) in
            [([2, 3], [2, 1], [1, 1]), ([3, 2], [5, 4], [0, 1]), ([1, 1], [3, 2], [0, 0]), ([6, 5], [1, 7], [3, 2])]
        {
            let (_, y, expected) = both([2, 5, 6], Pooling { kernel, stride, padding });
            assert_eq!(y.iter().map(|&y| f64::from(y)).collect::<Vec<_>>(), expected, "{kernel:?} {stride:?} {padding:?}");
        }
    }
}
