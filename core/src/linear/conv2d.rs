//! The convolution along two axes.
//!
//! `y[c, p, q] = b[c] + Σ_{i, j, k} W[c, i, j, k]·x[g + i, p·s₁ + j·d₁ − before₁, q·s₂ + k·d₂ − before₂]`, where `g` is the first input channel
//! of the group of `c`, `s` the stride and `d` the dilation, and `x` is zero outside its extents: the cross-correlation of NIR's `Conv2d`
//! (Pedersen et al. 2024, Nat. Commun. 15:8122) with the conventions of PyTorch. Input and weight are dimensionless, or carry units whose
//! product is that of the output.

use super::convolution::{Convolution, Window};
use crate::error::Result;
use crate::tensor::{Shape, Tensor};

/// A kernel that slides along the last two axes of its input.
///
/// # Shapes
/// - input `[C_in, H, W]`, output `[C_out, H', W']` with `H' = ⌊(H + before + after − dilation·(KH − 1) − 1) / stride⌋ + 1`, and `W'` alike;
/// - weight `[C_out, C_in/groups, KH, KW]`, bias `[C_out]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d(pub(super) Convolution);

impl Conv2d {
    /// A convolution of an input `[C_in, H, W]`.
    ///
    /// # Errors
    /// `InvalidProgram` if the shapes of input, weight, bias and window contradict each other, if the kernel does not fit into the padded
    /// input, if an extent, stride or dilation is zero, or if a number is not finite.
    pub fn new(input: [usize; 3], weight: Tensor, bias: Option<Tensor>, window: Window<2>) -> Result<Self> {
        Convolution::new("conv2d", &input, weight, bias, window).map(Self)
    }

    /// The shape of the input, `[C_in, H, W]`.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.0.input
    }

    /// The shape of the output, `[C_out, H', W']`.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.0.output
    }

    /// The kernels, `[C_out, C_in/groups, KH, KW]`.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.0.weight.tensor
    }

    /// The bias, `[C_out]`.
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.0.bias.as_ref().map(|b| &b.tensor)
    }

    /// The window with its padding in numbers, those before the input; the zeros after it are [`Conv2d::pad_after`].
    #[must_use]
    pub fn window(&self) -> Window<2> {
        self.0.window().0
    }

    /// The zeros after the input: those before it, or one more.
    #[must_use]
    pub fn pad_after(&self) -> [usize; 2] {
        self.0.window().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::{LinearMap, Padding};

    fn apply(map: Conv2d, x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NAN; map.output().len()];
        LinearMap::from(map).apply(x, &mut y);
        y
    }

    const SQUARE: [f64; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];

    fn digits() -> Tensor {
        Tensor::new([1, 1, 2, 2], [1.0, 10.0, 100.0, 1000.0]).expect("fits")
    }

    #[test]
    fn a_kernel_is_not_mirrored() {
        let conv = Conv2d::new([1, 3, 3], digits(), Some([0.5].into()), Window::default()).expect("fits");
        assert_eq!(conv.output(), &[1, 2, 2].into());
        assert_eq!(apply(conv, &SQUARE), [5421.5, 6532.5, 8754.5, 9865.5]);
    }

    #[test]
    fn axes_have_their_own_stride_dilation_and_padding() {
        let window = Window::default().with_stride([2, 1]).with_dilation([1, 2]).with_padding(Padding::Each([1, 0]));
        let conv = Conv2d::new([1, 3, 3], digits(), None, window).expect("fits");
        // Rows: 0 | 1 2 3 | 4 5 6 | 7 8 9 | 0. Each output takes columns 0 and 2 of rows (−1, 0), then (1, 2).
        assert_eq!(conv.output(), &[1, 2, 1].into());
        assert_eq!(apply(conv, &SQUARE), [3100.0, 9764.0]);
    }

    #[test]
    fn same_keeps_the_extents_and_pads_the_ends_more() {
        let conv = Conv2d::new([1, 2, 2], digits(), None, Window::default().with_padding(Padding::Same)).expect("fits");
        assert_eq!((conv.window().padding, conv.pad_after()), (Padding::Each([0, 0]), [1, 1]));
        assert_eq!(apply(conv, &[1.0, 2.0, 3.0, 4.0]), [4321.0, 402.0, 43.0, 4.0]);
    }

    #[test]
    fn channels_add_up_within_their_group() {
        let weight = Tensor::new([2, 2, 1, 1], [1.0, 10.0, 100.0, 1000.0]).expect("fits");
        let x = [1.0, 2.0, 3.0, 4.0];
        let conv = Conv2d::new([2, 1, 2], weight.clone(), None, Window::default()).expect("fits");
        assert_eq!(apply(conv, &x), [31.0, 42.0, 3100.0, 4200.0]);
        let conv = Conv2d::new([4, 1, 1], weight, Some([0.5, -0.5].into()), Window::default().with_groups(2)).expect("fits");
        assert_eq!(apply(conv, &x), [21.5, 4299.5]);
    }

    #[test]
    fn magnitudes_add_up_without_cancelling() {
        let weight = Tensor::new([1, 1, 1, 2], [1.0, -2.0]).expect("fits");
        let conv = Conv2d::new([1, 1, 2], weight, Some([-0.5].into()), Window::default()).expect("fits");
        let mut y = [0.0];
        LinearMap::from(conv).apply_magnitude(&[3.0, 4.0], &mut y);
        assert_eq!(y, [11.5]);
    }

    #[test]
    fn a_parameter_is_replaced_by_its_like_only() {
        let map = LinearMap::from(Conv2d::new([1, 3, 3], digits(), Some([0.0].into()), Window::default()).expect("fits"));
        assert_eq!(map.parameters().iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["weight", "bias"]);
        let tuned = map.with_parameter("bias", [2.0].into()).expect("fits");
        assert_eq!((tuned.bias_at(0), tuned.bias_at(3)), (2.0, 2.0));
        let refusal = |name: &str, tensor: Tensor| map.with_parameter(name, tensor).expect_err("must be refused").to_string();
        assert!(refusal("weight", [1.0].into()).contains("has shape [1, 1, 2, 2], not [1]"));
        assert!(refusal("gain", [1.0].into()).contains("the conv2d map has no parameter \"gain\": it has \"weight\", \"bias\""));
    }
}
