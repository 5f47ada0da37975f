//! The convolution along one axis.
//!
//! `y[c, o] = b[c] + Σ_{i, k} W[c, i, k]·x[g + i, o·stride + k·dilation − before]`, where `g` is the first input channel of the group of `c`,
//! and `x` is zero outside its extent: the cross-correlation of NIR's `Conv1d` (Pedersen et al. 2024, Nat. Commun. 15:8122) with the
//! conventions of PyTorch. Input and weight are dimensionless, or carry units whose product is that of the output.

use super::convolution::{Convolution, Window};
use crate::error::Result;
use crate::tensor::{Shape, Tensor};

/// A kernel that slides along the last axis of its input.
///
/// # Shapes
/// - input `[C_in, L]`, output `[C_out, L']` with `L' = ⌊(L + before + after − dilation·(K − 1) − 1) / stride⌋ + 1`;
/// - weight `[C_out, C_in/groups, K]`, bias `[C_out]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv1d(pub(super) Convolution);

impl Conv1d {
    /// A convolution of an input `[C_in, L]`.
    ///
    /// # Errors
    /// `InvalidProgram` if the shapes of input, weight, bias and window contradict each other, if the kernel does not fit into the padded
    /// input, if an extent, stride or dilation is zero, or if a number is not finite.
    pub fn new(input: [usize; 2], weight: Tensor, bias: Option<Tensor>, window: Window<1>) -> Result<Self> {
        Convolution::new("conv1d", &input, weight, bias, window).map(Self)
    }

    /// The shape of the input, `[C_in, L]`.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.0.input
    }

    /// The shape of the output, `[C_out, L']`.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.0.output
    }

    /// The kernels, `[C_out, C_in/groups, K]`.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.0.weight.tensor
    }

    /// The bias, `[C_out]`.
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.0.bias.as_ref().map(|b| &b.tensor)
    }

    /// The window with its padding in numbers, those before the input; the zeros after it are [`Conv1d::pad_after`].
    #[must_use]
    pub fn window(&self) -> Window<1> {
        self.0.window().0
    }

    /// The zeros after the input: those before it, or one more.
    #[must_use]
    pub fn pad_after(&self) -> [usize; 1] {
        self.0.window().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::{LinearMap, Padding};

    fn apply(map: Conv1d, x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NAN; map.output().len()];
        LinearMap::from(map).apply(x, &mut y);
        y
    }

    fn kernel(shape: [usize; 3], taps: &[f64]) -> Tensor {
        Tensor::new(shape, taps).expect("fits")
    }

    #[test]
    fn a_kernel_is_not_mirrored() {
        let conv = Conv1d::new([1, 4], kernel([1, 1, 2], &[1.0, 10.0]), Some([0.5].into()), Window::default()).expect("fits");
        assert_eq!(conv.output(), &[1, 3].into());
        assert_eq!(apply(conv, &[1.0, 2.0, 3.0, 4.0]), [21.5, 32.5, 43.5]);
    }

    #[test]
    fn stride_dilation_and_padding() {
        let window = Window::default().with_stride([2]).with_dilation([2]).with_padding(Padding::Each([1]));
        let conv = Conv1d::new([1, 6], kernel([1, 1, 3], &[1.0, 10.0, 100.0]), None, window).expect("fits");
        // Padded: 0 1 2 3 4 5 6 0. The taps see 0 2 4, then 2 4 6.
        assert_eq!(apply(conv, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [420.0, 642.0]);
    }

    #[test]
    fn same_keeps_the_extent_and_pads_the_end_more() {
        let window = Window::default().with_padding(Padding::Same);
        let conv = Conv1d::new([1, 3], kernel([1, 1, 4], &[1.0, 10.0, 100.0, 1000.0]), None, window).expect("fits");
        assert_eq!((conv.window().padding, conv.pad_after()), (Padding::Each([1]), [2]));
        // Padded: 0 1 2 3 0 0.
        assert_eq!(apply(conv, &[1.0, 2.0, 3.0]), [3210.0, 321.0, 32.0]);
    }

    #[test]
    fn groups_see_their_own_channels() {
        let window = Window::default().with_groups(2);
        let weight = kernel([4, 1, 1], &[1.0, 2.0, 3.0, 4.0]);
        let conv = Conv1d::new([2, 2], weight, Some([0.0, 0.0, 0.0, 100.0].into()), window).expect("fits");
        assert_eq!(apply(conv, &[1.0, 2.0, 10.0, 20.0]), [1.0, 2.0, 2.0, 4.0, 30.0, 60.0, 140.0, 180.0]);
    }

    #[test]
    fn terms_name_output_input_and_weight() {
        let window = Window::default().with_padding(Padding::Each([1])).with_stride([2]);
        let conv = Conv1d::new([1, 2], kernel([1, 1, 2], &[3.0, 7.0]), None, window).expect("fits");
        let mut terms = Vec::new();
        LinearMap::from(conv).for_each_term(|o, i, w| terms.push((o, i, w)));
        assert_eq!(terms, [(0, 0, 7.0), (1, 1, 3.0)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |input, shape: [usize; 3], bias: Option<Tensor>, window| {
            let weight = Tensor::new(shape, vec![1.0; shape.iter().product()]).expect("fits");
            Conv1d::new(input, weight, bias, window).expect_err("must be refused").to_string()
        };
        let plain = Window::default();
        assert_eq!(
            refusal([1, 4], [1, 1, 5], None, plain),
            "invalid program: the conv1d map, axis 1: the kernel spans 5 elements, but the padded input has 4: use a smaller kernel or \
             dilation, or more padding"
        );
        assert!(refusal([3, 4], [2, 1, 2], None, plain.with_groups(2)).contains("both must be multiples of the groups"));
        assert!(refusal([2, 4], [3, 1, 2], None, plain.with_groups(2)).contains("both must be multiples of the groups"));
        assert!(refusal([2, 4], [1, 1, 2], None, plain).contains("its second extent must be 2"));
        assert!(refusal([2, 4], [1, 2, 2], None, plain.with_groups(0)).contains("each is at least 1"));
        assert!(refusal([0, 4], [1, 0, 2], None, plain).contains("each is at least 1"));
        assert!(refusal([1, 4], [1, 1, 2], None, plain.with_stride([0])).contains("a stride is 0"));
        assert!(refusal([1, 4], [1, 1, 0], None, plain).contains("a kernel extent is 0"));
        assert!(refusal([1, 4], [2, 1, 2], Some([1.0].into()), plain).contains("but its outputs ask for [2]"));
        assert!(refusal([1, 4], [1, 1, 2], None, plain.with_padding(Padding::Each([usize::MAX]))).contains("address space"));
        let wide = plain.with_padding(Padding::Each([usize::MAX / 4]));
        assert!(refusal([1, 4], [3, 1, 2], None, wide).contains("exceeds the address space"));
        let flat = Conv1d::new([1, 4], [[1.0]].into(), None, plain).expect_err("must be refused").to_string();
        assert!(flat.contains("after the channels, each needs extents to the number of 1"), "{flat}");
    }
}
