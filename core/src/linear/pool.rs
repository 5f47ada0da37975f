//! Pooling along two axes: each output is the sum or the mean of a rectangle of one channel.
//!
//! `y[c, p, q] = Σ_{j < KH, k < KW} x[c, p·s₁ + j − pad₁, q·s₂ + k − pad₂]`, with `x` zero outside its extents, for `SumPool2d`; the same divided
//! by `KH·KW` for `AvgPool2d`: the primitives of NIR (Pedersen et al. 2024, Nat. Commun. 15:8122) with the conventions of PyTorch. Input and
//! output have the same unit.

use super::axis::Axis;
use super::parameter::assert_lengths;
use crate::error::{Error, Result};
use crate::tensor::Shape;

/// The rectangles that a pooling map takes, in elements along the height and the width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Extents of a rectangle.
    pub kernel: [usize; 2],
    /// Input elements from one rectangle to the next.
    pub stride: [usize; 2],
    /// Zeros at both ends of each axis; half the kernel at most.
    pub padding: [usize; 2],
}

impl Pooling {
    /// Adjacent rectangles of these extents without padding.
    #[must_use]
    pub fn over(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0] }
    }

    /// Sets the input elements from one rectangle to the next.
    #[must_use]
    pub fn with_stride(mut self, stride: [usize; 2]) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the zeros at both ends of each axis.
    #[must_use]
    pub fn with_padding(mut self, padding: [usize; 2]) -> Self {
        self.padding = padding;
        self
    }
}

/// What both kinds of pooling share; they differ in the one weight that all terms have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rectangles {
    pub(super) input: Shape,
    pub(super) output: Shape,
    pub(super) pooling: Pooling,
    axes: [Axis; 2],
    weight: f64,
}

impl Rectangles {
    fn new(kind: &str, input: [usize; 3], pooling: Pooling, weight: f64) -> Result<Self> {
        let Pooling { kernel, stride, padding } = pooling;
        let axis = |d: usize| {
            if padding[d] > kernel[d] / 2 {
                return Err(Error::invalid_program(format!(
                    "the {kind} map, axis {}: a padding of {} exceeds half of the kernel extent {}: use less padding",
                    d + 1,
                    padding[d],
                    kernel[d]
                )));
            }
            Axis::new(input[d + 1], kernel[d], stride[d], 1, Some(padding[d]))
                .map_err(|error| Error::invalid_program(format!("the {kind} map, axis {}: {}", d + 1, error.message())))
        };
        let axes = [axis(0)?, axis(1)?];
        let output = Shape::from([input[0], axes[0].output, axes[1].output]);
        let input = Shape::from(input);
        for side in [&input, &output] {
            match side.checked_len() {
                Some(0) => return Err(Error::invalid_program(format!("a side of the {kind} map is {side}: no extent may be 0"))),
                Some(_) => {}
                None => {
                    return Err(Error::invalid_program(format!(
                        "a side of the {kind} map is {side}, which exceeds the address space"
                    )));
                }
            }
        }
        Ok(Self { input, output, pooling, axes, weight })
    }

    pub(super) fn attributes(&self) -> Vec<(&'static str, Vec<usize>)> {
        let Pooling { kernel, stride, padding } = self.pooling;
        vec![("kernel", kernel.to_vec()), ("stride", stride.to_vec()), ("padding", padding.to_vec())]
    }

    pub(super) fn terms_per_output(&self) -> usize {
        self.axes.iter().fold(1, |terms: usize, axis| terms.saturating_mul(axis.kernel.min(axis.input)))
    }

    pub(super) fn for_each_term(&self, mut f: impl FnMut(usize, usize, f64)) {
        self.for_each_output(|out, rows, cols, first| {
            for row in rows {
                for col in cols.clone() {
                    f(out, first + row * self.axes[1].input + col, self.weight);
                }
            }
        });
    }

    /// `y = W x`; the weights are positive.
    pub(super) fn accumulate(&self, x: &[f64], y: &mut [f64]) {
        assert_lengths(x, &self.input, y, &self.output);
        let width = self.axes[1].input;
        self.for_each_output(|out, rows, cols, first| {
            let mut sum = 0.0;
            for row in rows {
                let start = first + row * width;
                for &x in &x[start + cols.start..start + cols.end] {
                    sum += self.weight * x;
                }
            }
            y[out] = sum;
        });
    }

    /// Calls back with the output, the rows and columns of its rectangle that lie inside the input, and the first element of its channel.
    fn for_each_output(&self, mut f: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>, usize)) {
        let [rows, cols] = &self.axes;
        let plane = rows.output * cols.output;
        for out in 0..self.output.len() {
            let (channel, row, col) = (out / plane, out % plane / cols.output, out % cols.output);
            f(out, rows.cover(row), cols.cover(col), channel * rows.input * cols.input);
        }
    }
}

/// Sums the rectangles of each channel.
///
/// # Shapes
/// Input `[C, H, W]`, output `[C, H', W']` with `H' = ⌊(H + 2·padding − KH) / stride⌋ + 1`, and `W'` alike.
#[derive(Debug, Clone, PartialEq)]
pub struct SumPool2d(pub(super) Rectangles);

impl SumPool2d {
    /// Sum pooling of an input `[C, H, W]`.
    ///
    /// # Errors
    /// `InvalidProgram` if an extent or stride is zero, if the padding exceeds half the kernel, or if the kernel does not fit into the padded
    /// input.
    pub fn new(input: [usize; 3], pooling: Pooling) -> Result<Self> {
        Rectangles::new("sum_pool2d", input, pooling, 1.0).map(Self)
    }

    /// The shape of the input, `[C, H, W]`.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.0.input
    }

    /// The shape of the output, `[C, H', W']`.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.0.output
    }

    /// The rectangles.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.0.pooling
    }
}

/// Averages the rectangles of each channel, the padding counted: every rectangle is divided by `KH·KW`, as PyTorch does by default
/// (`count_include_pad = True`).
///
/// The mean is a sum of terms with the weight `1/(KH·KW)`, rounded once.
///
/// # Shapes
/// Input `[C, H, W]`, output `[C, H', W']` with `H' = ⌊(H + 2·padding − KH) / stride⌋ + 1`, and `W'` alike.
#[derive(Debug, Clone, PartialEq)]
pub struct AvgPool2d(pub(super) Rectangles);

impl AvgPool2d {
    /// Average pooling of an input `[C, H, W]`.
    ///
    /// # Errors
    /// `InvalidProgram` if an extent or stride is zero, if the padding exceeds half the kernel, or if the kernel does not fit into the padded
    /// input.
    pub fn new(input: [usize; 3], pooling: Pooling) -> Result<Self> {
        let weight = 1.0 / (pooling.kernel[0] as f64 * pooling.kernel[1] as f64);
        Rectangles::new("avg_pool2d", input, pooling, weight).map(Self)
    }

    /// The shape of the input, `[C, H, W]`.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.0.input
    }

    /// The shape of the output, `[C, H', W']`.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.0.output
    }

    /// The rectangles.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.0.pooling
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::LinearMap;

    fn apply(map: impl Into<LinearMap>, x: &[f64]) -> Vec<f64> {
        let map = map.into();
        let mut y = vec![f64::NAN; map.output().len()];
        map.apply(x, &mut y);
        y
    }

    #[test]
    fn adjacent_rectangles_of_each_channel_are_summed() {
        let pool = SumPool2d::new([2, 2, 5], Pooling::over([2, 2])).expect("fits");
        assert_eq!(pool.output(), &[2, 1, 2].into());
        let x: Vec<f64> = (1..=20).map(f64::from).collect();
        // The fifth column belongs to no rectangle: 1+2+6+7, 3+4+8+9, then the same plus 4·10.
        assert_eq!(apply(pool, &x), [16.0, 24.0, 56.0, 64.0]);
    }

    #[test]
    fn the_mean_counts_the_padding() {
        let pooling = Pooling::over([2, 2]).with_stride([2, 1]).with_padding([1, 1]);
        let pool = AvgPool2d::new([1, 2, 2], pooling).expect("fits");
        assert_eq!(pool.output(), &[1, 2, 3].into());
        assert_eq!(apply(pool, &[4.0, 8.0, 12.0, 16.0]), [1.0, 3.0, 2.0, 3.0, 7.0, 4.0]);
    }

    #[test]
    fn all_terms_have_the_same_weight() {
        let pool = LinearMap::from(AvgPool2d::new([1, 2, 2], Pooling::over([2, 2])).expect("fits"));
        let mut terms = Vec::new();
        pool.for_each_term(|o, i, w| terms.push((o, i, w)));
        assert_eq!(terms, [(0, 0, 0.25), (0, 1, 0.25), (0, 2, 0.25), (0, 3, 0.25)]);
        assert!(pool.parameters().is_empty());
        let refusal = pool.with_parameter("weight", [1.0].into()).expect_err("must be refused").to_string();
        assert_eq!(refusal, "invalid program: the avg_pool2d map has no parameter \"weight\": it has none");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |input, pooling| SumPool2d::new(input, pooling).expect_err("must be refused").to_string();
        assert!(refusal([1, 4, 4], Pooling::over([2, 2]).with_padding([0, 2])).contains("axis 2: a padding of 2 exceeds half"));
        assert!(refusal([1, 4, 4], Pooling::over([2, 2]).with_stride([0, 1])).contains("axis 1: a stride is 0"));
        assert!(refusal([1, 4, 4], Pooling::over([5, 2])).contains("the kernel spans 5 elements"));
        assert!(refusal([1, 4, 4], Pooling::over([2, 0])).contains("a kernel extent is 0"));
        assert!(refusal([0, 4, 4], Pooling::over([2, 2])).contains("no extent may be 0"));
        assert!(refusal([8, usize::MAX / 4, 4], Pooling::over([2, 2])).contains("exceeds the address space"));
    }
}
