//! Products of many rows of codes with one matrix, in whole numbers.
//!
//! Codes of eight bits have whole numbers of sixteen bits, and so have their squares. Each output has a scale of its own, by which its entries are
//! whole numbers of sixteen bits too, the finest by which no sum leaves 32 bits:
//! ```text
//! scale[o] = max(max_i |m[i,o]| / 32767,  most Σ_i |m[i,o]| / (2^31 - 1 - most n / 2))
//! ```
//! for `n` codes of at most `most` in magnitude. Sums are exact, and so the same bits in any order and for every instruction set. An entry is off by
//! half a scale at most: a part in 65,000 of the largest of its output for a thousand codes, or in 250 for a thousand squares, of which many
//! are summed to a variance.
//!
//! The matrix is kept in panels of [`WIDTH`] outputs, each `[pair of inputs, output, input]`: one instruction multiplies two inputs and adds.

use multiversion::{multiversion, target::match_target};

/// Outputs of a panel.
const WIDTH: usize = 16;
/// Rows that share what is read of a matrix.
const ROWS: usize = 6;
/// The largest entry.
const ENTRY: f64 = 32_767.0;
/// The largest sum.
const SUM: f64 = 2_147_483_647.0;

/// Two inputs of one row.
pub(super) type Pair = [i16; 2];
/// Two inputs of each output of a panel.
type Step = [Pair; WIDTH];

/// A matrix of whole numbers in panels.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    inputs: usize,
    outputs: usize,
    /// The largest code in magnitude.
    most: f64,
    /// `[panel, pair]`, padded with noughts.
    steps: Vec<Step>,
    scales: Vec<f32>,
    /// Scratch: the entries of an input; the largest magnitude of each output, then the inverse of its scale; the summed magnitudes.
    entries: Vec<f32>,
    largest: Vec<f32>,
    summed: Vec<f32>,
}

impl Whole {
    /// A matrix of noughts for codes of at most `most`, itself at most 32767.
    pub(super) fn new(inputs: usize, outputs: usize, most: f64) -> Self {
        let panels = outputs.div_ceil(WIDTH);
        Self {
            inputs,
            outputs,
            most,
            steps: vec![[[0; 2]; WIDTH]; panels * pairs(inputs)],
            scales: vec![0.0; panels * WIDTH],
            entries: vec![0.0; outputs],
            largest: vec![0.0; outputs],
            summed: vec![0.0; outputs],
        }
    }

    /// Sets all entries, those of an input by `row`, which fills its outputs.
    #[expect(clippy::cast_possible_truncation, reason = "rounded and within the largest entry")]
    pub(super) fn set(&mut self, mut row: impl FnMut(usize, &mut [f32])) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let entries = &mut self.entries;
        self.largest.fill(0.0);
        self.summed.fill(0.0);
        for input in 0..inputs {
            row(input, entries);
            for ((entry, largest), summed) in entries.iter().zip(&mut self.largest).zip(&mut self.summed) {
                *largest = largest.max(entry.abs());
                *summed += entry.abs();
            }
        }
        // roundings add half an entry to each of the products, and a sum in single precision may be short of its last digits
        let room = SUM - 0.5 * self.most * inputs as f64;
        for o in 0..outputs {
            let summed = f64::from(self.summed[o]) * 1.001;
            let scale = (f64::from(self.largest[o]) * (1.0 + 1e-6) / ENTRY).max(self.most * summed / room);
            self.scales[o] = scale as f32;
            self.largest[o] = if scale > 0.0 { (1.0 / scale) as f32 } else { 0.0 };
        }
        let pairs = pairs(inputs);
        for input in 0..inputs {
            row(input, entries);
            for (panel, (entries, inverses)) in entries.chunks(WIDTH).zip(self.largest.chunks(WIDTH)).enumerate() {
                let step = &mut self.steps[panel * pairs + input / 2];
                for ((pair, entry), inverse) in step.iter_mut().zip(entries).zip(inverses) {
                    pair[input % 2] = (entry * inverse).round_ties_even() as i16;
                }
            }
        }
    }

    /// `y = x M` for rows of codes from [`lay`], into rows `[row, output]` at a stride.
    ///
    /// # Panics
    /// If a slice is shorter than its rows.
    pub(super) fn multiply(&self, rows: usize, x: &[Pair], (y, stride): (&mut [f32], usize)) {
        multiply_avx512(self, Rows { rows, x, y, stride });
    }
}

/// Pairs of so many inputs.
pub(super) fn pairs(inputs: usize) -> usize {
    inputs.div_ceil(2)
}

/// Lays pairs `[row, pair]` as they are multiplied: `[block, pair, row]` for whole blocks of [`ROWS`] rows, then `[row, pair]` for the rest.
pub(super) fn lay(rows: &[Pair], inputs: usize, to: &mut [Pair]) {
    let pairs = pairs(inputs).max(1);
    let (blocks, rest) = rows.split_at(rows.len() / (ROWS * pairs) * ROWS * pairs);
    let (of_blocks, of_rest) = to.split_at_mut(blocks.len());
    for (block, to) in blocks.chunks_exact(ROWS * pairs).zip(of_blocks.chunks_exact_mut(ROWS * pairs)) {
        let rows: [&[Pair]; ROWS] = std::array::from_fn(|r| &block[r * pairs..][..pairs]);
        for (at, to) in to.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
            *to = rows.map(|row| row[at]);
        }
    }
    of_rest[..rest.len()].copy_from_slice(rest);
}

struct Rows<'a> {
    rows: usize,
    x: &'a [Pair],
    y: &'a mut [f32],
    stride: usize,
}

/// A pair of inputs of each row of a block.
type Block = [Pair; ROWS];

/// Sums of a panel for so many rows.
type Sums<const N: usize> = [[i32; WIDTH]; N];

// each falls back on the next, so that the loops are compiled once for each instruction set
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
fn multiply_avx512(matrix: &Whole, rows: Rows<'_>) {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => run(matrix, rows, |s, x| x86::block_avx512(s, x), |s, x| x86::row_avx512(s, x)),
        _ => multiply_avx2(matrix, rows),
    }
}

#[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
fn multiply_avx2(matrix: &Whole, rows: Rows<'_>) {
    match_target! {
        "x86_64+avx2" => run(matrix, rows, |s, x| x86::block(s, x), |s, x| x86::row(s, x)),
        _ => multiply_baseline(matrix, rows),
    }
}

#[inline(never)]
fn multiply_baseline(matrix: &Whole, rows: Rows<'_>) {
    run(matrix, rows, plain::<ROWS>, |steps, x| plain(steps, x.as_chunks::<1>().0));
}

/// Goes over the panels, a block of rows at a time.
#[inline(always)]
fn run(
    matrix: &Whole,
    to: Rows<'_>,
    block: impl Fn(&[Step], &[Block]) -> Sums<ROWS>,
    single: impl Fn(&[Step], &[Pair]) -> Sums<1>,
) {
    let Rows { rows, x, y, stride } = to;
    let (outputs, pairs) = (matrix.outputs, pairs(matrix.inputs));
    if pairs == 0 {
        (0..rows).for_each(|row| y[row * stride..row * stride + outputs].fill(0.0));
        return;
    }
    let (blocks, rest) = x[..rows * pairs].split_at(rows / ROWS * ROWS * pairs);
    for (panel, (steps, scales)) in matrix.steps.chunks_exact(pairs).zip(matrix.scales.chunks_exact(WIDTH)).enumerate() {
        let first = panel * WIDTH;
        let width = WIDTH.min(outputs - first);
        let mut put = |row: usize, sums: &[i32; WIDTH]| {
            for ((y, sum), scale) in y[row * stride + first..][..width].iter_mut().zip(sums).zip(scales) {
                *y = *sum as f32 * scale;
            }
        };
        for (at, x) in blocks.as_chunks::<ROWS>().0.chunks_exact(pairs).enumerate() {
            block(steps, x).iter().enumerate().for_each(|(r, sums)| put(at * ROWS + r, sums));
        }
        for (at, x) in rest.chunks_exact(pairs).enumerate() {
            put(rows / ROWS * ROWS + at, &single(steps, x)[0]);
        }
    }
}

#[inline(always)]
fn plain<const N: usize>(steps: &[Step], x: &[[Pair; N]]) -> Sums<N> {
    let mut sums = [[0; WIDTH]; N];
    for (step, x) in steps.iter().zip(x) {
        for (sums, [a, b]) in sums.iter_mut().zip(x) {
            for (sum, [v, w]) in sums.iter_mut().zip(step) {
                *sum += i32::from(*v) * i32::from(*a) + i32::from(*w) * i32::from(*b);
            }
        }
    }
    sums
}

/// The same by the instruction that multiplies two pairs and adds, which no loop is compiled to.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, Pair, ROWS, Step, Sums};
    use bytemuck::{must_cast, must_cast_slice};
    use core::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm512_add_epi32,
        _mm512_madd_epi16, _mm512_set1_epi32, _mm512_setzero_si512,
    };

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rows<const N: usize>(steps: &[Step], x: &[[Pair; N]]) -> Sums<N> {
        let mut sums = [[_mm256_setzero_si256(); 2]; N];
        for (step, x) in steps.iter().zip(x) {
            let step: [__m256i; 2] = must_cast(*step);
            for (sums, pair) in sums.iter_mut().zip(x) {
                let pair = _mm256_set1_epi32(must_cast(*pair));
                for (sum, step) in sums.iter_mut().zip(step) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(step, pair));
                }
            }
        }
        sums.map(must_cast)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn rows_avx512<const N: usize>(steps: &[Step], x: &[[Pair; N]]) -> Sums<N> {
        let mut sums = [_mm512_setzero_si512(); N];
        for (step, x) in steps.iter().zip(x) {
            for (sum, pair) in sums.iter_mut().zip(x) {
                let pair = _mm512_set1_epi32(must_cast(*pair));
                *sum = _mm512_add_epi32(*sum, _mm512_madd_epi16(must_cast(*step), pair));
            }
        }
        sums.map(must_cast)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn block(steps: &[Step], x: &[Block]) -> Sums<ROWS> {
        rows(steps, x)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn row(steps: &[Step], x: &[Pair]) -> Sums<1> {
        rows(steps, must_cast_slice::<Pair, [Pair; 1]>(x))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn block_avx512(steps: &[Step], x: &[Block]) -> Sums<ROWS> {
        rows_avx512(steps, x)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn row_avx512(steps: &[Step], x: &[Pair]) -> Sums<1> {
        rows_avx512(steps, must_cast_slice::<Pair, [Pair; 1]>(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::Key;

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let mut drawn = vec![0.0; count];
        Key::new(seed, 0).fill_uniform(0, 0, 0, &mut drawn);
        drawn
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for (inputs, outputs, rows) in [(1, 1, 1), (3, 5, 2), (7, 32, 4), (64, 33, 5), (65, 100, 19), (1024, 17, 8), (4, 3, 0)] {
            let weights: Vec<f32> = numbers(1, inputs * outputs).into_iter().map(|u| u - 0.4).collect();
            let codes: Vec<f32> = numbers(2, inputs * rows).into_iter().map(|u| (254.0 * u - 127.0).round()).collect();
            let mut matrix = Whole::new(inputs, outputs, 127.0);
            matrix.set(|i, to| to.copy_from_slice(&weights[i * outputs..][..outputs]));
            let of_row =
                |row: &[f32]| row.chunks(2).map(|c| [c[0] as i16, c.get(1).map_or(0, |c| *c as i16)]).collect::<Vec<_>>();
            let of_rows: Vec<Pair> = codes.chunks_exact(inputs).flat_map(of_row).collect();
            let mut x = vec![[7; 2]; rows * pairs(inputs)];
            lay(&of_rows, inputs, &mut x);
            let (mut y, mut plainly) = (vec![-1.0; rows * outputs], vec![-1.0; rows * outputs]);
            matrix.multiply(rows, &x, (&mut y, outputs));
            multiply_baseline(&matrix, Rows { rows, x: &x, y: &mut plainly, stride: outputs });
            assert_eq!(y, plainly, "every instruction set gives the same bits");
            for row in 0..rows {
                for o in 0..outputs {
                    let terms = || (0..inputs).map(|i| (f64::from(codes[row * inputs + i]), f64::from(weights[i * outputs + o])));
                    let sum: f64 = terms().map(|(x, w)| x * w).sum();
                    // each entry off by half a scale
                    let most = terms().map(|(x, _)| x.abs()).sum::<f64>() * f64::from(matrix.scales[o]) * 0.5;
                    assert!(
                        (f64::from(y[row * outputs + o]) - sum).abs() <= most * 1.001 + sum.abs() * 1e-6,
                        "{inputs} {outputs}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_largest_sum_does_not_overflow() {
        for inputs in [1, 2, 1023, 5000] {
            let mut matrix = Whole::new(inputs, 1, 16_129.0);
            matrix.set(|i, to| to[0] = if i % 3 == 0 { 0.7 } else { 0.001 });
            let x = vec![[16_129; 2]; pairs(inputs)];
            let x = if inputs % 2 == 1 { [&x[1..], &[[16_129, 0]]].concat() } else { x };
            let mut y = [0.0];
            matrix.multiply(1, &x, (&mut y, 1));
            let sum: f64 = (0..inputs).map(|i| if i % 3 == 0 { 0.7 } else { 0.001 } * 16_129.0).sum();
            assert!((f64::from(y[0]) / sum - 1.0).abs() < 0.01, "{inputs}: {} for {sum}", y[0]);
        }
    }
}
