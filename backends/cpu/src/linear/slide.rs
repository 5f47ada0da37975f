//! Convolutions and pooling: a kernel that slides along two axes.

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

impl Axis {
    fn new(input: usize, output: usize, kernel: usize, stride: usize, dilation: usize, before: usize) -> Self {
        let seen = |out: usize, tap: usize| (out * stride + tap * dilation).checked_sub(before).filter(|&i| i < input);
        let taps = (0..kernel)
            .map(|tap| {
                let start = (0..output).find(|&out| seen(out, tap).is_some()).unwrap_or(output);
                let end = (start..output).find(|&out| seen(out, tap).is_none()).unwrap_or(output);
                (start..end, seen(start, tap).unwrap_or(0))
            })
            .collect();
        Self { input, output, stride, taps }
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
    /// `[output channel, input channel of the group, taps]`.
    weights: Vec<f32>,
    /// One per output channel.
    bias: Vec<f32>,
}

impl Slide {
    pub(super) fn conv1d(map: &Conv1d) -> Self {
        let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
        let kernel = map.weight().shape().extents()[2];
        let before = match window.padding {
            Padding::Each([before]) => before,
            Padding::Same => 0,
        };
        let cols = Axis::new(input[1], output[1], kernel, window.stride[0], window.dilation[0], before);
        Self::convolution(Axis::new(1, 1, 1, 1, 1, 0), cols, [input[0], output[0], window.groups], map.weight(), map.bias())
    }

    pub(super) fn conv2d(map: &Conv2d) -> Self {
        let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
        let before = match window.padding {
            Padding::Each(before) => before,
            Padding::Same => [0, 0],
        };
        let axis = |d: usize| {
            let kernel = map.weight().shape().extents()[2 + d];
            Axis::new(input[1 + d], output[1 + d], kernel, window.stride[d], window.dilation[d], before[d])
        };
        Self::convolution(axis(0), axis(1), [input[0], output[0], window.groups], map.weight(), map.bias())
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
        Self { rows, cols, inputs: inputs / groups, outputs: outputs / groups, weights, bias }
    }

    pub(super) fn pool(input: &Shape, output: &Shape, pooling: Pooling, weight: f64) -> Self {
        let (input, output) = (input.extents(), output.extents());
        let axis = |d: usize| Axis::new(input[1 + d], output[1 + d], pooling.kernel[d], pooling.stride[d], 1, pooling.padding[d]);
        let taps = pooling.kernel[0] * pooling.kernel[1];
        Self {
            rows: axis(0),
            cols: axis(1),
            inputs: 1,
            outputs: 1,
            weights: vec![weight as f32; input[0] * taps],
            bias: vec![0.0; input[0]],
        }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.weights.iter().chain(&self.bias).all(|w| w.is_finite())
    }

    /// Maps one row, tap by tap along whole rows of the output, which keeps the terms of each output in ascending order.
    #[inline(always)]
    pub(super) fn apply(&self, x: &[f32], y: &mut [f32]) {
        let (rows, cols) = (&self.rows, &self.cols);
        let (input_plane, output_plane) = (rows.input * cols.input, rows.output * cols.output);
        let taps = rows.taps.len() * cols.taps.len();
        let kernels = self.weights.chunks_exact(self.inputs * taps);
        for (filter, (y, kernels)) in y.chunks_exact_mut(output_plane).zip(kernels).enumerate() {
            y.fill(self.bias[filter]);
            let group = filter / self.outputs * self.inputs * input_plane;
            for (x, kernel) in x[group..].chunks_exact(input_plane).zip(kernels.chunks_exact(taps)) {
                for ((outputs, seen), kernel) in rows.taps.iter().zip(kernel.chunks_exact(cols.taps.len())) {
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
