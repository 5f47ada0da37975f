//! Complex matrices applied to many fields at once, in single precision.
//!
//! Fields come in blocks, so that a product is a loop over vectors. Multiplications are fused with the additions behind them, as they are written,
//! and a fused one is rounded once wherever it is done: the results are the same bits for each instruction set.

use super::blocks::{Block, ROWS};
use super::matrix::Complex;
use multiversion::{multiversion, target::match_target};

/// Outputs of a panel.
const WIDTH: usize = 4;
/// Real and imaginary parts of the entries of an input.
type Step = [[f32; 2]; WIDTH];

/// A matrix in single precision, in panels of [`WIDTH`] outputs, each `[input, output]` and padded with noughts, so that it is read from front to
/// back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Product {
    inputs: usize,
    steps: Vec<Step>,
}

impl Product {
    /// Noughts.
    pub(super) fn new(outputs: usize, inputs: usize) -> Self {
        Self { inputs, steps: vec![[[0.0; 2]; WIDTH]; outputs.div_ceil(WIDTH) * inputs] }
    }

    /// Takes other entries, row-major.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn set(&mut self, entries: impl Iterator<Item = Complex>) {
        for (at, entry) in entries.enumerate() {
            let (output, input) = (at / self.inputs, at % self.inputs);
            self.steps[output / WIDTH * self.inputs + input][output % WIDTH] = [entry.re as f32, entry.im as f32];
        }
    }

    /// The fields behind the matrix: `x` has a block for each input, or two where they are complex; `y` two for each output.
    pub(super) fn apply(&self, x: &[Block], y: &mut [[Block; 2]]) {
        apply_avx512(self, x, y);
    }
}

// each falls back on the next, so that the loops are compiled once for each instruction set
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma"), dispatcher = "direct")]
fn apply_avx512(matrix: &Product, x: &[Block], y: &mut [[Block; 2]]) {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma" => apply::<WIDTH>(matrix, x, y),
        _ => apply_avx2(matrix, x, y),
    }
}

#[multiversion(targets("x86_64+avx2+fma"), dispatcher = "direct")]
fn apply_avx2(matrix: &Product, x: &[Block], y: &mut [[Block; 2]]) {
    match_target! {
        "x86_64+avx2+fma" => apply::<{ WIDTH / 2 }>(matrix, x, y),
        _ => apply_plain(matrix, x, y),
    }
}

#[inline(never)]
fn apply_plain(matrix: &Product, x: &[Block], y: &mut [[Block; 2]]) {
    apply::<{ WIDTH / 2 }>(matrix, x, y);
}

/// Goes over the panels, `PART` outputs at a time: as many as the registers hold.
#[inline(always)]
fn apply<const PART: usize>(matrix: &Product, x: &[Block], y: &mut [[Block; 2]]) {
    let inputs = matrix.inputs;
    for (steps, y) in matrix.steps.chunks_exact(inputs).zip(y.chunks_mut(WIDTH)) {
        for (part, y) in y.chunks_mut(PART).enumerate() {
            let sums = if x.len() == 2 * inputs {
                of_complex::<PART>(steps, part * PART, x.as_chunks().0)
            } else {
                of_real::<PART>(steps, part * PART, x)
            };
            y.copy_from_slice(&sums[..y.len()]);
        }
    }
}

#[inline(always)]
fn of_real<const PART: usize>(steps: &[Step], first: usize, x: &[Block]) -> [[Block; 2]; PART] {
    let mut sums = [[[0.0_f32; ROWS]; 2]; PART];
    for (step, x) in steps.iter().zip(x) {
        for n in 0..PART {
            let [re, im] = step[first + n];
            for k in 0..ROWS {
                sums[n][0][k] = re.mul_add(x[k], sums[n][0][k]);
                sums[n][1][k] = im.mul_add(x[k], sums[n][1][k]);
            }
        }
    }
    sums
}

#[inline(always)]
fn of_complex<const PART: usize>(steps: &[Step], first: usize, x: &[[Block; 2]]) -> [[Block; 2]; PART] {
    let mut sums = [[[0.0_f32; ROWS]; 2]; PART];
    for (step, [a, b]) in steps.iter().zip(x) {
        for n in 0..PART {
            let [re, im] = step[first + n];
            for k in 0..ROWS {
                sums[n][0][k] = (-im).mul_add(b[k], re.mul_add(a[k], sums[n][0][k]));
                sums[n][1][k] = im.mul_add(a[k], re.mul_add(b[k], sums[n][1][k]));
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photonics::matrix::Matrix;
    use proptest::prelude::*;

    /// Where the fields begin among the numbers: behind the most entries.
    const FIELDS: usize = 2 * 9 * 5;

    proptest! {
        #[test]
        fn a_block_is_its_fields(outputs in 1..=9_usize, inputs in 1..=5_usize, numbers in proptest::collection::vec(-1.0..1.0_f32, FIELDS + 10 * ROWS), complex in any::<bool>()) {
            let number = |i: usize| f64::from(numbers[i]);
            let matrix = Matrix::from_fn(outputs, inputs, |r, c| Complex::new(number(2 * (r * inputs + c)), number(2 * (r * inputs + c) + 1)));
            let mut product = Product::new(outputs, inputs);
            product.set(matrix.entries().iter().copied());
            let width = if complex { 2 * inputs } else { inputs };
            let x: Vec<Block> = (0..width).map(|c| std::array::from_fn(|k| numbers[FIELDS + c * ROWS + k])).collect();
            let mut y = vec![[[0.0; ROWS]; 2]; outputs];
            product.apply(&x, &mut y);
            let mut plainly = y.clone();
            apply_plain(&product, &x, &mut plainly);
            prop_assert_eq!(&y, &plainly, "every instruction set gives the same bits");
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
