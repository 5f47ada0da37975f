//! Complex matrices applied to many fields at once, in single precision.
//!
//! Fields come in blocks, so that a product is a loop over vectors. Compiled for several instruction sets and without fused multiply-add, as all
//! loops of the project, so that the results are the same bits on each.

use super::blocks::{Block, ROWS};
use super::matrix::Complex;
use isoform_core::draw::Key;
use multiversion::{multiversion, target::match_target};

/// A matrix in single precision, row-major, real and imaginary parts apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Product {
    re: Vec<f32>,
    im: Vec<f32>,
    inputs: usize,
}

/// What a detector adds to fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detector {
    /// The variance of its noise is `dark + slope p` at a power `p`, a field of one behind a chip without gain being its unit.
    pub(super) variance: [f32; 2],
    /// The gain of the chip, which is digital: the detectors see fields without.
    pub(super) gain: f32,
    /// What a field of one stands for.
    pub(super) range: f32,
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

/// Compiles a loop for several instruction sets, each of which falls back on the next, so that it is compiled once for each and not once for
/// each fallback.
macro_rules! for_each_instruction_set {
    ($body:ident, $best:ident, $good:ident, $plain:ident, ($($name:ident: $kind:ty),*)) => {
        #[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
        fn $best($($name: $kind),*) {
            match_target! {
                "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => $body($($name),*),
                _ => $good($($name),*),
            }
        }

        #[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
        fn $good($($name: $kind),*) {
            match_target! {
                "x86_64+avx2" => $body($($name),*),
                _ => $plain($($name),*),
            }
        }

        #[inline(never)]
        fn $plain($($name: $kind),*) {
            $body($($name),*);
        }
    };
}

for_each_instruction_set!(apply, apply_avx512, apply_avx2, apply_plain, (re: &[f32], im: &[f32], complex: bool, x: &[Block], y: &mut [[Block; 2]]));
for_each_instruction_set!(fields, fields_avx512, fields_avx2, fields_plain, (of: Detector, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]));
for_each_instruction_set!(normal, normal_avx512, normal_avx2, normal_plain, (key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]));

/// Normal numbers for consecutive lanes, as [`Key::fill_normal`].
pub(super) fn fill_normal(key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
    normal_avx512(key, first, stream, tick, out);
}

#[inline(always)]
fn normal(key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
    key.fill_normal(first, stream, tick, out);
}

/// Both parts of fields as they are read, two blocks of noise for each.
pub(super) fn read_fields(of: Detector, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]) {
    fields_avx512(of, seen, noise, y);
}

impl Detector {
    /// The deviation of the noise at a field with its gain.
    #[inline(always)]
    pub(super) fn deviation(&self, re: f32, im: f32) -> f32 {
        let [dark, slope] = self.variance;
        (dark + slope * self.power(re, im)).sqrt()
    }

    #[inline(always)]
    pub(super) fn power(&self, re: f32, im: f32) -> f32 {
        (re * re + im * im) * (1.0 / (self.gain * self.gain))
    }
}

#[inline(always)]
fn fields(of: Detector, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]) {
    let scale = of.gain * of.range;
    let (y, noise) = (y.as_chunks_mut::<2>().0, noise.as_chunks::<2>().0);
    for (([re, im], [a, b]), [y0, y1]) in seen.iter().zip(noise).zip(y) {
        for k in 0..ROWS {
            let sigma = of.deviation(re[k], im[k]);
            y0[k] = re[k] * of.range + sigma * a[k] * scale;
            y1[k] = im[k] * of.range + sigma * b[k] * scale;
        }
    }
}

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
