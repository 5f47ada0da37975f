//! The sparse map: only the entries that exist, row by row.
//!
//! `y[o] = b[o] + Σ_{i ∈ row o} W[o, i]·x[i]` in compressed sparse row form (Tinney & Walker 1967, Proc. IEEE 55:1801). Input and weight
//! are dimensionless, or carry units whose product is that of the output.

use super::parameter::{Parameter, assert_lengths, unknown_parameter};
use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;
use std::sync::Arc;

const KIND: &str = "sparse";

/// A matrix of which only some entries exist, and perhaps a bias.
///
/// # Shapes
/// Input and output may have any shape: rows count the output elements and columns the input elements, both row-major. The weight is
/// `[entries]`, ordered by row and then by column; the bias has the shape of the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    input: Shape,
    output: Shape,
    starts: Arc<[usize]>,
    columns: Arc<[usize]>,
    weight: Parameter,
    bias: Option<Parameter>,
}

impl Sparse {
    /// A map from `input` to `output` with the entries (row, column, value), in any order; a zero that is given is kept.
    ///
    /// # Errors
    /// `InvalidProgram` if a side is empty or exceeds the address space, if an entry lies outside or is given twice, if the bias does not
    /// have the shape of the output, or if a number is not finite.
    pub fn new(
        input: impl Into<Shape>,
        output: impl Into<Shape>,
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
        bias: Option<Tensor>,
    ) -> Result<Self> {
        let (input, output) = (input.into(), output.into());
        let (rows, cols) = (extent(&output)?, extent(&input)?);
        let mut entries: Vec<_> = entries.into_iter().collect();
        if let Some((row, col, _)) = entries.iter().find(|&&(row, col, _)| row >= rows || col >= cols) {
            return Err(Error::invalid_program(format!(
                "entry ({row}, {col}) lies outside the {KIND} map of {rows} rows and {cols} columns: count from 0"
            )));
        }
        entries.sort_unstable_by_key(|&(row, col, _)| (row, col));
        if let Some(((row, col, _), _)) = entries.iter().zip(entries.iter().skip(1)).find(|(a, b)| (a.0, a.1) == (b.0, b.1)) {
            return Err(Error::invalid_program(format!(
                "entry ({row}, {col}) of the {KIND} map is given twice: add the two up first"
            )));
        }
        let mut starts = Vec::new();
        starts.try_reserve_exact(rows + 1).map_err(|source| {
            Error::invalid_program(format!("the {KIND} map has {rows} rows, more than fit into memory")).with_source(source)
        })?;
        let mut next = 0;
        for row in 0..rows {
            starts.push(next);
            next += entries[next..].iter().take_while(|entry| entry.0 == row).count();
        }
        starts.push(next);
        let weight: Vec<f64> = entries.iter().map(|entry| entry.2).collect();
        Ok(Self {
            weight: Parameter::new(KIND, "weight", weight.into())?,
            bias: Parameter::bias(KIND, bias, &[&output])?,
            starts: starts.into(),
            columns: entries.iter().map(|entry| entry.1).collect(),
            input,
            output,
        })
    }

    /// The non-zero entries of a matrix `[out, in]`, mapping `[in]` to `[out]`.
    ///
    /// # Errors
    /// `InvalidProgram` if the matrix does not have two axes or is empty, if the bias is not `[out]`, or if a number is not finite.
    pub fn from_dense(matrix: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        let &[rows, cols] = matrix.shape().extents() else {
            return Err(Error::invalid_program(format!(
                "a {KIND} map needs a matrix [out, in], not an array of shape {}",
                matrix.shape()
            )));
        };
        let entries = (0..matrix.len()).map(|i| (i / cols, i % cols, matrix.at(i))).filter(|entry| entry.2 != 0.0);
        Self::new(cols, rows, entries, bias)
    }

    /// The shape of the input.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// The shape of the output.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.output
    }

    /// The values of the entries, by row and then by column.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.weight.tensor
    }

    /// The bias, shaped as the output.
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref().map(|b| &b.tensor)
    }

    /// Where each row starts among the entries, and at the end their count: one number more than there are rows.
    #[must_use]
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The column of each entry, ascending within a row.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    pub(super) fn bias_at(&self, out: usize) -> f64 {
        self.bias.as_ref().map_or(0.0, |b| b.values[out])
    }

    pub(super) fn terms_per_output(&self) -> usize {
        self.ranges().map(|entries| entries.len()).max().unwrap_or(0)
    }

    pub(super) fn for_each_term(&self, mut f: impl FnMut(usize, usize, f64)) {
        for (out, entries) in self.ranges().enumerate() {
            for (&col, &w) in self.columns[entries.clone()].iter().zip(&self.weight.values[entries]) {
                f(out, col, w);
            }
        }
    }

    /// The entries of each row.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.iter().zip(self.starts.iter().skip(1)).map(|(&start, &end)| start..end)
    }

    /// `y = weigh(W)·x + weigh(b)`.
    pub(super) fn accumulate(&self, x: &[f64], y: &mut [f64], weigh: impl Fn(f64) -> f64) {
        assert_lengths(x, &self.input, y, &self.output);
        for (out, (y, entries)) in y.iter_mut().zip(self.ranges()).enumerate() {
            let row = self.columns[entries.clone()].iter().zip(&self.weight.values[entries]);
            *y = row.fold(weigh(self.bias_at(out)) + 0.0, |sum, (&col, &w)| sum + weigh(w) * x[col]);
        }
    }

    pub(super) fn parameters(&self) -> Vec<(&'static str, &Tensor)> {
        let mut parameters = vec![("weight", &self.weight.tensor)];
        parameters.extend(self.bias().map(|b| ("bias", b)));
        parameters
    }

    pub(super) fn with_parameter(&self, name: &str, tensor: Tensor) -> Result<Self> {
        let own = match (name, &self.bias) {
            ("weight", _) => &self.weight,
            ("bias", Some(bias)) => bias,
            _ => return Err(unknown_parameter(KIND, name, &self.parameters())),
        };
        Parameter::check_like(KIND, name, &own.tensor, &tensor)?;
        let parameter = Parameter::new(KIND, name, tensor)?;
        Ok(match name {
            "weight" => Self { weight: parameter, ..self.clone() },
            _ => Self { bias: Some(parameter), ..self.clone() },
        })
    }
}

/// The element count of a side that a map can have.
fn extent(side: &Shape) -> Result<usize> {
    match side.checked_len() {
        Some(0) => Err(Error::invalid_program(format!("a side of the {KIND} map is {side}: no extent may be 0"))),
        Some(count) if count < usize::MAX => Ok(count),
        _ => Err(Error::invalid_program(format!("a side of the {KIND} map is {side}, which exceeds the address space"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::LinearMap;

    fn sample() -> Sparse {
        let bias = Tensor::new([3, 1], [0.25, 0.0, -1.0]).expect("fits");
        Sparse::new([2, 2], [3, 1], [(2, 1, 5.0), (0, 3, -2.0), (0, 0, 1.0)], Some(bias)).expect("fits")
    }

    #[test]
    fn entries_are_ordered_by_row_and_column() {
        let sparse = sample();
        assert_eq!(sparse.starts(), [0, 2, 2, 3]);
        assert_eq!(sparse.columns(), [0, 3, 1]);
        assert_eq!(sparse.weight().to_f64(), [1.0, -2.0, 5.0]);
        assert_eq!(sparse.terms_per_output(), 2);
    }

    #[test]
    fn the_map_is_the_sum_of_its_entries() {
        let map = LinearMap::from(sample());
        let mut y = [f64::NAN; 3];
        map.apply(&[1.0, 2.0, 3.0, 4.0], &mut y);
        assert_eq!(y, [-6.75, 0.0, 9.0]);
        map.apply_magnitude(&[1.0, 2.0, 3.0, 4.0], &mut y);
        assert_eq!(y, [9.25, 0.0, 11.0]);
    }

    #[test]
    fn a_matrix_gives_its_non_zero_entries() {
        let sparse = Sparse::from_dense(&[[0.0, 2.0], [0.0, 0.0]].into(), None).expect("fits");
        assert_eq!((sparse.starts(), sparse.columns()), (&[0, 1, 1][..], &[1][..]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |entries: &[(usize, usize, f64)]| {
            Sparse::new([2], [2], entries.iter().copied(), None).expect_err("must be refused").to_string()
        };
        assert!(refusal(&[(2, 0, 1.0)]).contains("entry (2, 0) lies outside the sparse map of 2 rows and 2 columns"));
        assert!(refusal(&[(0, 2, 1.0)]).contains("entry (0, 2) lies outside"));
        assert!(refusal(&[(1, 0, 1.0), (0, 0, 1.0), (1, 0, 2.0)]).contains("entry (1, 0) of the sparse map is given twice"));
        assert!(refusal(&[(0, 0, f64::INFINITY)]).contains("must be finite"));
        let side = |input: Shape| Sparse::new(input, [1], [], None).expect_err("must be refused").to_string();
        assert!(side([0].into()).contains("no extent may be 0"));
        assert!(side([usize::MAX, 3].into()).contains("exceeds the address space"));
        assert!(Sparse::new([1], [1_usize << 62], [], None).is_err());
        assert!(Sparse::new([1], [2], [], Some([1.0].into())).is_err());
        assert!(Sparse::from_dense(&[1.0].into(), None).is_err());
    }

    #[test]
    fn values_change_but_not_the_structure() {
        let tuned = sample().with_parameter("weight", [10.0, 20.0, 30.0].into()).expect("fits");
        let mut terms = Vec::new();
        tuned.for_each_term(|o, i, w| terms.push((o, i, w)));
        assert_eq!(terms, [(0, 0, 10.0), (0, 3, 20.0), (2, 1, 30.0)]);
        assert!(sample().with_parameter("weight", [1.0].into()).is_err());
        assert!(sample().with_parameter("gain", [1.0].into()).is_err());
    }
}
