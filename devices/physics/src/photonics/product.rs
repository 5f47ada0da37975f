//! Complex matrices applied to many fields at once, in single precision.
//!
//! Fields come in blocks, so that a product is a loop over vectors. Compiled for several instruction sets and without fused multiply-add, as all
//! loops of the project, so that the results are the same bits on each.

use super::blocks::{Block, ROWS};
use super::matrix::Complex;
use crate::instruction_sets::for_each_instruction_set;

/// A matrix in single precision, row-major, real and imaginary parts apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Product {
    re: Vec<f32>,
    im: Vec<f32>,
    inputs: usize,
}

impl Product {
    /// Noughts.
    pub(super) fn new(outputs: usize, inputs: usize) -> Self {
        Self { re: vec![0.0; outputs * inputs], im: vec![0.0; outputs * inputs], inputs }
    }

    /// Takes other entries, row-major.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn set(&mut self, entries: impl Iterator<Item = Complex>) {
        for ((re, im), entry) in self.re.iter_mut().zip(&mut self.im).zip(entries) {
            (*re, *im) = (entry.re as f32, entry.im as f32);
        }
    }

    /// The fields behind the matrix: `x` has a block for each input, or two where they are complex; `y` two for each output.
    pub(super) fn apply(&self, x: &[Block], y: &mut [[Block; 2]]) {
        let complex = x.len() == 2 * self.inputs;
        apply_avx512(&self.re, &self.im, complex, x, y);
    }
}

for_each_instruction_set!(apply, apply_avx512, apply_avx2, apply_plain, (re: &[f32], im: &[f32], complex: bool, x: &[Block], y: &mut [[Block; 2]]));

#[inline(always)]
fn apply(re: &[f32], im: &[f32], complex: bool, x: &[Block], y: &mut [[Block; 2]]) {
    let inputs = if complex { x.len() / 2 } else { x.len() };
    let rows = re.chunks_exact(inputs).zip(im.chunks_exact(inputs));
    let (pairs, odd) = y.as_chunks_mut::<2>();
    let mut rows = rows;
    // two outputs at a time share what is read of the fields
    for pair in pairs {
        let (Some((re0, im0)), Some((re1, im1))) = (rows.next(), rows.next()) else { return };
        *pair = if complex { two_complex([re0, re1], [im0, im1], x) } else { two_real([re0, re1], [im0, im1], x) };
    }
    if let (Some((re, im)), [last]) = (rows.next(), odd) {
        let [one, _] = if complex { two_complex([re, re], [im, im], x) } else { two_real([re, re], [im, im], x) };
        *last = one;
    }
}

#[inline(always)]
fn two_real(re: [&[f32]; 2], im: [&[f32]; 2], x: &[Block]) -> [[Block; 2]; 2] {
    let mut sums = [[[0.0; ROWS]; 2]; 2];
    let entries = re[0].iter().zip(re[1]).zip(im[0].iter().zip(im[1]));
    for (((re0, re1), (im0, im1)), x) in entries.zip(x) {
        for k in 0..ROWS {
            sums[0][0][k] += re0 * x[k];
            sums[0][1][k] += im0 * x[k];
            sums[1][0][k] += re1 * x[k];
            sums[1][1][k] += im1 * x[k];
        }
    }
    sums
}

#[inline(always)]
fn two_complex(re: [&[f32]; 2], im: [&[f32]; 2], x: &[Block]) -> [[Block; 2]; 2] {
    let mut sums = [[[0.0; ROWS]; 2]; 2];
    let entries = re[0].iter().zip(re[1]).zip(im[0].iter().zip(im[1]));
    for (((re0, re1), (im0, im1)), [a, b]) in entries.zip(x.as_chunks::<2>().0) {
        for k in 0..ROWS {
            sums[0][0][k] += re0 * a[k] - im0 * b[k];
            sums[0][1][k] += re0 * b[k] + im0 * a[k];
            sums[1][0][k] += re1 * a[k] - im1 * b[k];
            sums[1][1][k] += re1 * b[k] + im1 * a[k];
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photonics::matrix::Matrix;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_is_its_fields(outputs in 1..=5_usize, inputs in 1..=5_usize, numbers in proptest::collection::vec(-1.0..1.0_f32, 50 + 10 * ROWS), complex in any::<bool>()) {
            let number = |i: usize| f64::from(numbers[i]);
            let matrix = Matrix::from_fn(outputs, inputs, |r, c| Complex::new(number(2 * (r * inputs + c)), number(2 * (r * inputs + c) + 1)));
            let mut product = Product::new(outputs, inputs);
            product.set(matrix.entries().iter().copied());
            let width = if complex { 2 * inputs } else { inputs };
            let x: Vec<Block> = (0..width).map(|c| std::array::from_fn(|k| numbers[50 + c * ROWS + k])).collect();
            let mut y = vec![[[0.0; ROWS]; 2]; outputs];
            product.apply(&x, &mut y);
            for k in 0..ROWS {
                let part = |c: usize| f64::from(x[c][k]);
                let field: Vec<Complex> = (0..inputs).map(|c| if complex { Complex::new(part(2 * c), part(2 * c + 1)) } else { part(c).into() }).collect();
                for (wanted, found) in matrix.apply(&field).into_iter().zip(&y) {
                    let found = Complex::new(f64::from(found[0][k]), f64::from(found[1][k]));
                    // ten products of at most one, each off by a rounding and a sum of ten
                    prop_assert!((found - wanted).norm() < 20.0 * f64::from(f32::EPSILON) * 10.0);
                }
            }
        }
    }
}
