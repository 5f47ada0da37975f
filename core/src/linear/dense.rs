//! The dense map: every output element weighs every input element.
//!
//! `y[o] = b[o] + Σ_i W[o, i]·x[i]`, as NIR's `Affine` and `Linear` (Pedersen et al. 2024, Nat. Commun. 15:8122) and PyTorch's `Linear`.
//! Input and weight are dimensionless, or carry units whose product is that of the output.

use super::parameter::{Parameter, assert_lengths, check_finite, unknown_parameter};
use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

const KIND: &str = "dense";

/// A matrix and perhaps a bias, applied to the last axis of the input.
///
/// # Shapes
/// - weight `[out, in]`: input `[lead.., in]`, output `[lead.., out]`, the matrix shared by all leading positions;
/// - weight `[lead.., out, in]`: the same, with a matrix for each leading position;
/// - bias `[out]` or `[lead.., out]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    input: Shape,
    output: Shape,
    weight: Tensor,
    /// The matrices in double precision, column-major: a tick in which few inputs are non-zero touches only their columns.
    columns: Arc<[f64]>,
    bias: Option<Parameter>,
}

impl Dense {
    /// A dense map whose leading axes are those of the weight; `[out, in]` maps `[in]` to `[out]`.
    ///
    /// # Errors
    /// `InvalidProgram` if the weight has fewer than two axes or is empty, if the bias does not fit, or if a number is not finite.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let lead = match weight.shape().extents() {
            [lead @ .., _, _] => Shape::new(lead),
            _ => Shape::default(),
        };
        Self::over(lead, weight, bias)
    }

    /// A dense map for each position of the leading axes `lead`: with one matrix for all if the weight is `[out, in]`.
    ///
    /// # Errors
    /// `InvalidProgram` if the weight has fewer than two axes or is empty, if its leading axes are other than `lead`, if the bias does not
    /// fit, or if a number is not finite.
    pub fn over(lead: impl Into<Shape>, weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let lead: Shape = lead.into();
        let [own @ .., rows, cols] = weight.shape().extents() else {
            return Err(Error::invalid_program(format!(
                "the weight of the {KIND} map has shape {}: give it the axes [out, in]",
                weight.shape()
            )));
        };
        let (rows, cols) = (*rows, *cols);
        if !own.is_empty() && own != lead.extents() {
            return Err(Error::invalid_program(format!(
                "the weight of the {KIND} map has shape {}: its leading axes must be {lead}, or absent",
                weight.shape()
            )));
        }
        let axes = |last: usize| Shape::new([lead.extents(), &[last]].concat());
        let (input, output) = (axes(cols), axes(rows));
        for shape in [&input, &output] {
            match shape.checked_len() {
                Some(0) => {
                    return Err(Error::invalid_program(format!("a side of the {KIND} map is {shape}: no extent may be 0")));
                }
                Some(_) => {}
                None => {
                    return Err(Error::invalid_program(format!(
                        "a side of the {KIND} map is {shape}, which exceeds the address space"
                    )));
                }
            }
        }
        let bias = Parameter::bias(KIND, bias, &[&Shape::from(rows), &output])?;
        let columns = columns(&weight, rows, cols)?;
        Ok(Self { input, output, weight, columns, bias })
    }

    /// The shape of the input, `[lead.., in]`.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// The shape of the output, `[lead.., out]`.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.output
    }

    /// The weight as it came: `[out, in]` or `[lead.., out, in]`.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The bias as it came: `[out]` or `[lead.., out]`.
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref().map(|b| &b.tensor)
    }

    /// How many outputs each matrix has: its rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.output.extents().last().copied().unwrap_or(1)
    }

    /// How many inputs each matrix has: its columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.input.extents().last().copied().unwrap_or(1)
    }

    pub(super) fn bias_at(&self, out: usize) -> f64 {
        self.bias.as_ref().map_or(0.0, |b| b.values[out % b.values.len()])
    }

    pub(super) fn for_each_term(&self, mut f: impl FnMut(usize, usize, f64)) {
        let (rows, cols) = (self.rows(), self.cols());
        let entries = self.weight.len();
        for out in 0..self.output.len() {
            let (block, row) = (out / rows, out % rows);
            let first = block * cols;
            let from = (block * rows * cols + row * cols) % entries;
            for i in 0..cols {
                f(out, first + i, self.weight.at(from + i));
            }
        }
    }

    /// `y = weigh(W)·x + weigh(b)`.
    ///
    /// A column whose input is zero is left out, which changes no bit: weights are finite and no sum can be −0 when it starts at +0.
    pub(super) fn accumulate(&self, x: &[f64], y: &mut [f64], weigh: impl Fn(f64) -> f64) {
        assert_lengths(x, &self.input, y, &self.output);
        let (rows, cols) = (self.rows(), self.cols());
        let matrices = self.columns.chunks_exact(rows * cols).cycle();
        for (block, ((x, y), matrix)) in x.chunks_exact(cols).zip(y.chunks_exact_mut(rows)).zip(matrices).enumerate() {
            match &self.bias {
                None => y.fill(0.0),
                Some(bias) => {
                    let first = block * rows % bias.values.len();
                    for (y, &b) in y.iter_mut().zip(&bias.values[first..first + rows]) {
                        *y = weigh(b) + 0.0;
                    }
                }
            }
            for (&x, column) in x.iter().zip(matrix.chunks_exact(rows)) {
                if x != 0.0 {
                    for (y, &w) in y.iter_mut().zip(column) {
                        *y += weigh(w) * x;
                    }
                }
            }
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
        let mut parameters = vec![("weight", &self.weight)];
        parameters.extend(self.bias().map(|b| ("bias", b)));
        parameters
    }

    pub(super) fn with_parameter(&self, name: &str, tensor: Tensor) -> Result<Self> {
        match (name, &self.bias) {
            ("weight", _) => {
                Parameter::check_like(KIND, name, &self.weight, &tensor)?;
                let columns = columns(&tensor, self.rows(), self.cols())?;
                Ok(Self { weight: tensor, columns, ..self.clone() })
            }
            ("bias", Some(bias)) => {
                Parameter::check_like(KIND, name, &bias.tensor, &tensor)?;
                Ok(Self { bias: Some(Parameter::new(KIND, name, tensor)?), ..self.clone() })
            }
            _ => Err(unknown_parameter(KIND, name, &self.parameters())),
        }
    }
}

/// Each matrix of a weight `[.., rows, cols]`, column-major.
fn columns(weight: &Tensor, rows: usize, cols: usize) -> Result<Arc<[f64]>> {
    check_finite(KIND, "weight", weight)?;
    let mut columns = Vec::with_capacity(weight.len());
    for first in (0..weight.len()).step_by(rows * cols) {
        for col in 0..cols {
            columns.extend((0..rows).map(|row| weight.at(first + row * cols + col)));
        }
    }
    Ok(columns.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::LinearMap;

    fn apply(map: Dense, x: &[f64]) -> Vec<f64> {
        let mut y = vec![f64::NAN; map.output().len()];
        LinearMap::from(map).apply(x, &mut y);
        y
    }

    #[test]
    fn a_matrix_and_a_bias() {
        let dense = Dense::new([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]].into(), Some([10.0, 20.0].into())).expect("fits");
        assert_eq!((dense.input(), dense.output()), (&[3].into(), &[2].into()));
        assert_eq!(apply(dense.clone(), &[1.0, -2.0, 4.0]), [19.0, 15.0]);
        let mut y = [0.0; 2];
        LinearMap::from(dense).apply_magnitude(&[1.0, 2.0, 4.0], &mut y);
        assert_eq!(y, [27.0, 25.0]);
    }

    #[test]
    fn leading_axes_share_a_matrix() {
        let dense = Dense::over([2, 2], [[1.0, 2.0]].into(), Some([0.5].into())).expect("fits");
        assert_eq!((dense.input(), dense.output()), (&[2, 2, 2].into(), &[2, 2, 1].into()));
        assert_eq!(apply(dense, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 3.0]), [1.5, 2.5, 3.5, 8.5]);
    }

    #[test]
    fn leading_axes_of_the_weight_have_a_matrix_each() {
        let weight = Tensor::new([2, 1, 2], [1.0, 2.0, 30.0, 40.0]).expect("fits");
        let bias = Tensor::new([2, 1], [0.5, -0.5]).expect("fits");
        let dense = Dense::new(weight, Some(bias)).expect("fits");
        assert_eq!((dense.input(), dense.output()), (&[2, 2].into(), &[2, 1].into()));
        let mut terms = Vec::new();
        dense.for_each_term(|o, i, w| terms.push((o, i, w)));
        assert_eq!(terms, [(0, 0, 1.0), (0, 1, 2.0), (1, 2, 30.0), (1, 3, 40.0)]);
        assert_eq!(apply(dense, &[1.0, 1.0, 1.0, 1.0]), [3.5, 69.5]);
    }

    #[test]
    fn single_precision_weights_keep_their_value() {
        let dense = Dense::new(Tensor::single([1, 1], [0.1_f32]).expect("fits"), None).expect("fits");
        assert_eq!(apply(dense, &[1.0]), [0.100_000_001_490_116_12]);
    }

    #[test]
    fn infinities_of_the_signal_pass_through() {
        let dense = Dense::new([[1.0, 0.0], [2.0, 1.0]].into(), None).expect("fits");
        let y = apply(dense, &[1.0, f64::INFINITY]);
        assert!(y[0].is_nan());
        assert_eq!(y[1], f64::INFINITY);
    }

    #[test]
    fn a_negative_zero_of_the_bias_does_not_show() {
        let dense = Dense::new([[1.0]].into(), Some([-0.0].into())).expect("fits");
        assert_eq!(apply(dense, &[0.0])[0].to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |weight: Tensor, bias: Option<Tensor>| Dense::new(weight, bias).expect_err("must be refused").to_string();
        assert_eq!(
            refusal([1.0, 2.0].into(), None),
            "invalid program: the weight of the dense map has shape [2]: give it the axes [out, in]"
        );
        assert_eq!(
            refusal([[1.0, 2.0]].into(), Some([1.0, 2.0].into())),
            "invalid program: the bias of the dense map has shape [2], but its outputs ask for [1]"
        );
        assert_eq!(
            refusal([[1.0, f64::NAN]].into(), None),
            "invalid program: the weight of the dense map is NaN at row-major index 1: every number must be finite"
        );
        assert!(refusal(Tensor::new([2, 0], []).expect("fits"), None).contains("no extent may be 0"));
        let weight = Tensor::new([2, 1, 1], [1.0, 2.0]).expect("fits");
        assert!(Dense::over([3], weight, None).expect_err("must be refused").to_string().contains("must be [3], or absent"));
        let huge = Dense::over([usize::MAX], [[1.0, 2.0]].into(), None).expect_err("must be refused");
        assert!(huge.to_string().contains("exceeds the address space"));
    }

    #[test]
    fn a_parameter_is_replaced_by_its_like_only() {
        let dense = Dense::new([[1.0, 2.0]].into(), None).expect("fits");
        let tuned = dense.with_parameter("weight", [[3.0, 5.0]].into()).expect("fits");
        assert_eq!(apply(tuned, &[1.0, 10.0]), [53.0]);
        let refusal = |name: &str, tensor: Tensor| dense.with_parameter(name, tensor).expect_err("must be refused").to_string();
        assert_eq!(refusal("bias", [1.0].into()), "invalid program: the dense map has no parameter \"bias\": it has \"weight\"");
        assert!(refusal("weight", [1.0, 2.0].into()).contains("has shape [1, 2], not [2]"));
        assert!(refusal("weight", [[1.0, f64::INFINITY]].into()).contains("must be finite"));
    }
}
