//! What convolutions of one and two axes share: channels in groups, and a kernel that slides along two axes.

use super::axis::{Axis, Padding};
use super::parameter::{Parameter, assert_lengths, unknown_parameter};
use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;

/// How the kernel of a convolution slides along `D` axes, and which channels it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<const D: usize> {
    /// Input elements from one output to the next, along each axis.
    pub stride: [usize; D],
    /// Zeros around the input.
    pub padding: Padding<D>,
    /// Input elements from one tap of the kernel to the next, along each axis.
    pub dilation: [usize; D],
    /// Into how many groups the channels fall: an output channel sees the input channels of its group only.
    pub groups: usize,
}

impl<const D: usize> Default for Window<D> {
    /// Stride and dilation of one, no padding, one group.
    fn default() -> Self {
        Self { stride: [1; D], padding: Padding::VALID, dilation: [1; D], groups: 1 }
    }
}

impl<const D: usize> Window<D> {
    /// Sets the input elements from one output to the next.
    #[must_use]
    pub fn with_stride(mut self, stride: [usize; D]) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the zeros around the input.
    #[must_use]
    pub fn with_padding(mut self, padding: Padding<D>) -> Self {
        self.padding = padding;
        self
    }

    /// Sets the input elements from one tap to the next.
    #[must_use]
    pub fn with_dilation(mut self, dilation: [usize; D]) -> Self {
        self.dilation = dilation;
        self
    }

    /// Sets into how many groups the channels fall.
    #[must_use]
    pub fn with_groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }
}

/// A convolution along two axes, of which a convolution along one axis is the case of a single row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Convolution {
    kind: &'static str,
    pub(super) input: Shape,
    pub(super) output: Shape,
    pub(super) axes: [Axis; 2],
    pub(super) groups: usize,
    pub(super) weight: Parameter,
    pub(super) bias: Option<Parameter>,
    channels: Channels,
    /// For each axis and tap, the outputs for which the tap sees the input.
    reach: [Vec<Range<usize>>; 2],
}

/// How many channels a group has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Channels {
    input: usize,
    output: usize,
}

impl Convolution {
    /// A convolution of an input `[C_in, n..]` along its last `D` axes, of which there are one or two.
    pub(super) fn new<const D: usize>(
        kind: &'static str,
        input: &[usize],
        weight: Tensor,
        bias: Option<Tensor>,
        window: Window<D>,
    ) -> Result<Self> {
        let (&[channels, ref extents @ ..], &[filters, per_group, ref kernel @ ..]) = (input, weight.shape().extents()) else {
            return Err(Error::invalid_program(format!(
                "the weight of the {kind} map has shape {}: give it the axes [C_out, C_in/groups] and {D} of the kernel",
                weight.shape()
            )));
        };
        if kernel.len() != D || extents.len() != D {
            return Err(Error::invalid_program(format!(
                "the {kind} map has an input of shape {} and a weight of shape {}: after the channels, each needs extents to the number of {D}",
                Shape::new(input),
                weight.shape()
            )));
        }
        let groups = window.groups;
        if groups == 0 || channels == 0 || filters == 0 {
            return Err(Error::invalid_program(format!(
                "the {kind} map has {channels} input channels, {filters} output channels and {groups} groups: each is at least 1"
            )));
        }
        if channels % groups != 0 || filters % groups != 0 {
            return Err(Error::invalid_program(format!(
                "{groups} groups do not divide the {channels} input and {filters} output channels of the {kind} map: both must be multiples \
                 of the groups"
            )));
        }
        if per_group != channels / groups {
            return Err(Error::invalid_program(format!(
                "the weight of the {kind} map has shape {}: its second extent must be {}, the {channels} input channels by {groups} groups",
                weight.shape(),
                channels / groups
            )));
        }
        let mut axes = [Axis::new(1, 1, 1, 1, Some(0))?; 2];
        for d in 0..D {
            let padding = match window.padding {
                Padding::Each(each) => Some(each[d]),
                Padding::Same => None,
            };
            axes[2 - D + d] = Axis::new(extents[d], kernel[d], window.stride[d], window.dilation[d], padding)
                .map_err(|error| Error::invalid_program(format!("the {kind} map, axis {}: {}", d + 1, error.message())))?;
        }
        let input = Shape::new(input);
        let output = Shape::new([&[filters][..], &axes[2 - D..].iter().map(|axis| axis.output).collect::<Vec<_>>()].concat());
        for side in [&input, &output] {
            if side.checked_len().is_none() {
                return Err(Error::invalid_program(format!(
                    "a side of the {kind} map is {side}, which exceeds the address space"
                )));
            }
        }
        Ok(Self {
            kind,
            input,
            output,
            axes,
            groups,
            weight: Parameter::new(kind, "weight", weight)?,
            bias: Parameter::bias(kind, bias, &[&Shape::from(filters)])?,
            channels: Channels { input: per_group, output: filters / groups },
            reach: axes.map(|axis| (0..axis.kernel).map(|tap| axis.reach(tap)).collect()),
        })
    }

    /// The stride, dilation and padding of the last `D` axes, and the groups.
    pub(super) fn window<const D: usize>(&self) -> (Window<D>, [usize; D]) {
        let axis = |d: usize| &self.axes[2 - D + d];
        let window = Window {
            stride: std::array::from_fn(|d| axis(d).stride),
            padding: Padding::Each(std::array::from_fn(|d| axis(d).before)),
            dilation: std::array::from_fn(|d| axis(d).dilation),
            groups: self.groups,
        };
        (window, std::array::from_fn(|d| axis(d).after))
    }

    pub(super) fn attributes<const D: usize>(&self) -> Vec<(&'static str, Vec<usize>)> {
        let each = |f: fn(&Axis) -> usize| self.axes[2 - D..].iter().map(f).collect();
        vec![
            ("stride", each(|axis| axis.stride)),
            ("dilation", each(|axis| axis.dilation)),
            ("pad_before", each(|axis| axis.before)),
            ("pad_after", each(|axis| axis.after)),
            ("groups", vec![self.groups]),
        ]
    }

    pub(super) fn bias_at(&self, out: usize) -> f64 {
        let plane = self.axes[0].output * self.axes[1].output;
        self.bias.as_ref().map_or(0.0, |b| b.values[out / plane])
    }

    pub(super) fn terms_per_output(&self) -> usize {
        self.axes.iter().fold(self.channels.input, |terms, axis| terms.saturating_mul(axis.kernel.min(axis.input)))
    }

    pub(super) fn for_each_term(&self, mut f: impl FnMut(usize, usize, f64)) {
        let [rows, cols] = &self.axes;
        let taps = rows.kernel * cols.kernel;
        for (filter, kernels) in self.weight.values.chunks_exact(self.channels.input * taps).enumerate() {
            let first = filter / self.channels.output * self.channels.input;
            for out_row in 0..rows.output {
                for out_col in 0..cols.output {
                    let out = (filter * rows.output + out_row) * cols.output + out_col;
                    for (channel, kernel) in kernels.chunks_exact(taps).enumerate() {
                        for (tap_row, kernel) in kernel.chunks_exact(cols.kernel).enumerate() {
                            let Some(row) = rows.seen(out_row, tap_row) else { continue };
                            for (tap_col, &w) in kernel.iter().enumerate() {
                                let Some(col) = cols.seen(out_col, tap_col) else { continue };
                                f(out, ((first + channel) * rows.input + row) * cols.input + col, w);
                            }
                        }
                    }
                }
            }
        }
    }

    /// `y = weigh(W)·x + weigh(b)`, a tap at a time along whole output rows, which keeps the terms of each output in ascending order.
    pub(super) fn accumulate(&self, x: &[f64], y: &mut [f64], weigh: impl Fn(f64) -> f64) {
        assert_lengths(x, &self.input, y, &self.output);
        let [rows, cols] = &self.axes;
        let [row_reach, col_reach] = &self.reach;
        let taps = rows.kernel * cols.kernel;
        let plane = rows.input * cols.input;
        let filters = self.weight.values.chunks_exact(self.channels.input * taps);
        for (filter, (y, kernels)) in y.chunks_exact_mut(rows.output * cols.output).zip(filters).enumerate() {
            y.fill(self.bias.as_ref().map_or(0.0, |b| weigh(b.values[filter]) + 0.0));
            let group = filter / self.channels.output * self.channels.input * plane;
            for (x, kernel) in x[group..].chunks_exact(plane).zip(kernels.chunks_exact(taps)) {
                for ((tap_row, kernel), outputs) in kernel.chunks_exact(cols.kernel).enumerate().zip(row_reach) {
                    let skipped = outputs.start * rows.stride + tap_row * rows.dilation;
                    let x_rows = x.chunks_exact(cols.input).skip(skipped - rows.before.min(skipped)).step_by(rows.stride);
                    let y_rows = y.chunks_exact_mut(cols.output).skip(outputs.start).take(outputs.len());
                    for (x, y) in x_rows.zip(y_rows) {
                        for ((tap, &w), outputs) in kernel.iter().enumerate().zip(col_reach) {
                            slide(weigh(w), x, y, cols, tap, outputs);
                        }
                    }
                }
            }
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
        let mut parameters = vec![("weight", &self.weight.tensor)];
        parameters.extend(self.bias.as_ref().map(|b| ("bias", &b.tensor)));
        parameters
    }

    pub(super) fn with_parameter(&self, name: &str, tensor: Tensor) -> Result<Self> {
        let own = match (name, &self.bias) {
            ("weight", _) => &self.weight,
            ("bias", Some(bias)) => bias,
            _ => return Err(unknown_parameter(self.kind, name, &self.parameters())),
        };
        Parameter::check_like(self.kind, name, &own.tensor, &tensor)?;
        let parameter = Parameter::new(self.kind, name, tensor)?;
        Ok(match name {
            "weight" => Self { weight: parameter, ..self.clone() },
            _ => Self { bias: Some(parameter), ..self.clone() },
        })
    }
}

/// Adds what one tap of the kernel contributes to the outputs of a row that it reaches.
#[inline]
fn slide(w: f64, x: &[f64], y: &mut [f64], axis: &Axis, tap: usize, outputs: &Range<usize>) {
    if outputs.is_empty() {
        return;
    }
    let x = &x[outputs.start * axis.stride + tap * axis.dilation - axis.before..];
    let y = &mut y[outputs.clone()];
    if axis.stride == 1 {
        for (y, &x) in y.iter_mut().zip(x) {
            *y += w * x;
        }
    } else {
        for (y, &x) in y.iter_mut().zip(x.iter().step_by(axis.stride)) {
            *y += w * x;
        }
    }
}
