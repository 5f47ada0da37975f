//! The edges of a stage: rows of numbers to codes, and currents with their noise to numbers.

use super::whole::{Pair, pairs};
use crate::instruction_sets::for_each_instruction_set;
use bytemuck::must_cast_slice_mut;
use isoform_core::draw::Key;

/// Added to and taken from a number of single precision, it rounds it to the nearest whole number.
const ROUND: f32 = 12_582_912.0;

/// Rows that drive the word lines.
pub(super) struct Inputs<'a> {
    /// Codes of one input.
    pub(super) inverse: f32,
    /// The largest code.
    pub(super) most: f32,
    /// `[row, stride]`, of which the first `inputs` count.
    pub(super) x: &'a [f32],
    pub(super) stride: usize,
    pub(super) inputs: usize,
}

/// What the bit lines are read by.
pub(super) struct Lines<'a> {
    /// Outputs of one code, and codes of one output.
    pub(super) steps: &'a [f32],
    pub(super) inverses: &'a [f32],
    pub(super) bias: &'a [f32],
    /// The largest code.
    pub(super) most: f32,
    /// Variance of the noise of a bit line, beside that of its cells.
    pub(super) white: f32,
    /// The variance that the noise of the cells makes in each output.
    pub(super) cells: Cells<'a>,
    /// The correction of the common drift.
    pub(super) gain: f32,
    /// From row to row of the outputs.
    pub(super) stride: usize,
    /// Rows of a tick.
    pub(super) lanes: usize,
    /// The first channel, for the draws.
    pub(super) first: usize,
    /// The tick of the first row.
    pub(super) tick: u64,
    pub(super) key: Key,
}

/// The variance of the fast noise of the cells of a bit line, weighted by the squared inputs.
#[derive(Clone, Copy)]
pub(super) enum Cells<'a> {
    /// `[row, output]`.
    Each(&'a [f32]),
    /// The same for all outputs of a row: that of one cell, times the sum of the squares of the row's codes.
    Evenly { cell: f32, squares: &'a [f32] },
}

/// Numbers of one row of outputs each, as scratch.
pub(super) struct Scratch<'a> {
    pub(super) normals: &'a mut [f32],
    pub(super) deviations: &'a mut [f32],
}

/// What rows drive the word lines with, in whole numbers.
pub(super) struct Codes<'a> {
    /// `[row, pair]`, filled up with noughts.
    pub(super) codes: &'a mut [Pair],
    /// Their squares, where all are needed.
    pub(super) squares: Option<&'a mut [Pair]>,
    /// The sum of the squares of each row.
    pub(super) summed: &'a mut [f32],
}

/// Codes of inputs, and their squares, `[row, input]`; gives how many were clipped.
pub(super) fn drive(from: Inputs<'_>, codes: &mut [f32], squares: &mut [f32]) -> u64 {
    drive_avx512(from, codes, squares)
}

/// The same in whole numbers, and the sum of each row's squares.
pub(super) fn drive_whole(from: Inputs<'_>, to: Codes<'_>) -> u64 {
    drive_whole_avx512(from, to)
}

/// Adds noise, converts, corrects and adds the bias; gives how many were clipped.
pub(super) fn read(lines: Lines<'_>, y: &mut [f32], rows: usize, scratch: Scratch<'_>) -> u64 {
    read_avx512(lines, y, rows, scratch)
}

for_each_instruction_set!(drive_rows, drive_avx512, drive_avx2, drive_baseline, (
    from: Inputs<'_>, codes: &mut [f32], squares: &mut [f32]
) -> u64);
for_each_instruction_set!(drive_whole_rows, drive_whole_avx512, drive_whole_avx2, drive_whole_baseline, (
    from: Inputs<'_>, to: Codes<'_>
) -> u64);
for_each_instruction_set!(read_rows, read_avx512, read_avx2, read_baseline, (
    lines: Lines<'_>, y: &mut [f32], rows: usize, scratch: Scratch<'_>
) -> u64);

/// The nearest code, without a limit but that of the trick.
#[inline(always)]
fn nearest(x: f32, most: f32) -> f32 {
    x.clamp(-2.0 * most, 2.0 * most) + ROUND - ROUND
}

#[inline(always)]
fn drive_rows(from: Inputs<'_>, codes: &mut [f32], squares: &mut [f32]) -> u64 {
    let Inputs { inverse, most, x, stride, inputs } = from;
    let mut all = 0;
    for ((codes, squares), x) in codes.chunks_exact_mut(inputs).zip(squares.chunks_exact_mut(inputs)).zip(x.chunks(stride)) {
        let mut clipped = 0_u32;
        for ((x, code), square) in x[..inputs].iter().zip(codes).zip(squares) {
            let whole = nearest(x * inverse, most);
            *code = whole.clamp(-most, most);
            *square = *code * *code;
            clipped += u32::from(*code != whole);
        }
        all += u64::from(clipped);
    }
    all
}

/// A whole number of few bits, which stands in the last bits of what it is rounded by.
#[inline(always)]
fn short(whole: f32) -> i16 {
    (whole + ROUND).to_bits() as i16
}

#[inline(always)]
fn drive_whole_rows(from: Inputs<'_>, to: Codes<'_>) -> u64 {
    let Inputs { inverse, most, x, stride, inputs } = from;
    let (width, mut all) = (2 * pairs(inputs), 0);
    let codes = must_cast_slice_mut::<Pair, i16>(to.codes);
    for ((x, codes), summed) in x.chunks(stride).zip(codes.chunks_exact_mut(width.max(1))).zip(&mut *to.summed) {
        let mut clipped = 0_u32;
        for (x, slot) in x[..inputs].iter().zip(&mut *codes) {
            let whole = nearest(x * inverse, most);
            let code = whole.clamp(-most, most);
            clipped += u32::from(code != whole);
            *slot = short(code);
        }
        codes[inputs..].fill(0);
        // no sum of so many leaves 32 bits
        let squares = codes.chunks(1024).map(|codes| codes.iter().map(|&c| i32::from(c) * i32::from(c)).sum::<i32>());
        *summed = squares.map(|sum| sum as f32).sum();
        all += u64::from(clipped);
    }
    if let Some(squares) = to.squares {
        for (square, code) in must_cast_slice_mut::<Pair, i16>(squares).iter_mut().zip(&*codes) {
            *square = code * code;
        }
    }
    all
}

#[inline(always)]
fn read_rows(l: Lines<'_>, y: &mut [f32], rows: usize, Scratch { normals, deviations }: Scratch<'_>) -> u64 {
    let outputs = l.steps.len();
    let mut all = 0;
    for (row, y) in y.chunks_mut(l.stride).take(rows).enumerate() {
        let first = (row % l.lanes * l.stride + l.first) as u32;
        l.key.fill_normal(first, 0, l.tick + (row / l.lanes) as u64, normals);
        match l.cells {
            Cells::Each(variance) => {
                for (deviation, v) in deviations.iter_mut().zip(&variance[row * outputs..][..outputs]) {
                    *deviation = (v + l.white).sqrt();
                }
            }
            Cells::Evenly { cell, squares } => deviations.fill((cell * squares[row] + l.white).sqrt()),
        }
        let mut clipped = 0_u32;
        let lines = l.steps.iter().zip(l.inverses).zip(l.bias);
        for (((y, deviation), n), ((step, inverse), bias)) in y.iter_mut().zip(&*deviations).zip(&*normals).zip(lines) {
            let whole = nearest((*y + deviation * n) * inverse, l.most);
            let code = whole.clamp(-l.most, l.most);
            clipped += u32::from(code != whole);
            *y = code * step * l.gain + bias;
        }
        all += u64::from(clipped);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_become_whole_codes_and_clip_beyond_the_last() {
        let x = [0.0, 0.49, 0.51, -1.0, 1.003, 1.01, -3.0, 9.0];
        let (mut codes, mut squares) = ([0.0; 7], [0.0; 7]);
        let from = Inputs { inverse: 127.0, most: 127.0, x: &x, stride: 8, inputs: 7 };
        assert_eq!(drive(from, &mut codes, &mut squares), 2);
        assert_eq!(codes, [0.0, 62.0, 65.0, -127.0, 127.0, 127.0, -127.0]);
        assert_eq!(squares[1], 3844.0);
    }

    #[test]
    fn whole_codes_are_the_same() {
        let x = [0.0, 0.49, 0.51, -1.0, 1.003, 1.01, -3.0, 9.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 9.0];
        let inputs = |x| Inputs { inverse: 127.0, most: 127.0, x, stride: 8, inputs: 7 };
        let (mut codes, mut squares) = ([0.0; 14], [0.0; 14]);
        let clipped = drive(inputs(&x), &mut codes, &mut squares);
        let (mut whole, mut squared, mut summed) = ([[9; 2]; 8], [[9; 2]; 8], [0.0; 2]);
        let to = Codes { codes: &mut whole, squares: Some(&mut squared), summed: &mut summed };
        assert_eq!(drive_whole(inputs(&x), to), clipped);
        for (row, (whole, squared)) in whole.chunks(4).zip(squared.chunks(4)).enumerate() {
            let number = |from: &[Pair]| from.as_flattened().iter().map(|&c| f32::from(c)).collect::<Vec<_>>();
            assert_eq!(number(whole), [&codes[7 * row..][..7], &[0.0]].concat());
            assert_eq!(number(squared), [&squares[7 * row..][..7], &[0.0]].concat());
            assert_eq!(summed[row], squares[7 * row..][..7].iter().sum::<f32>());
        }
    }

    #[test]
    fn an_even_variance_is_that_of_each() {
        let (squares, steps, inverses, bias) = ([13.0, 1.0], [1e-3; 5], [1e3; 5], [0.0; 5]);
        let noisy = |cells| {
            let (mut y, mut normals, mut deviations) = ([0.25; 10], [0.0; 5], [0.0; 5]);
            let lines = Lines {
                steps: &steps,
                inverses: &inverses,
                bias: &bias,
                most: 32_767.0,
                white: 0.03,
                cells,
                gain: 1.0,
                stride: 5,
                lanes: 2,
                first: 0,
                tick: 3,
                key: Key::new(1, 0),
            };
            read(lines, &mut y, 2, Scratch { normals: &mut normals, deviations: &mut deviations });
            y
        };
        let each: Vec<f32> = [0.13, 0.01].iter().flat_map(|&v| [v; 5]).collect();
        assert_eq!(noisy(Cells::Evenly { cell: 0.01, squares: &squares }), noisy(Cells::Each(&each)));
    }

    #[test]
    fn outputs_have_the_noise_that_they_are_given() {
        const N: usize = 4000;
        let lines = Lines {
            steps: &[1e-3; N],
            inverses: &[1e3; N],
            bias: &[0.5; N],
            most: 32_767.0,
            white: 0.03,
            cells: Cells::Each(&[0.01; N]),
            gain: 2.0,
            stride: N,
            lanes: 1,
            first: 0,
            tick: 3,
            key: Key::new(1, 0),
        };
        let mut y = [0.25; N];
        let scratch = Scratch { normals: &mut [0.0; N], deviations: &mut [0.0; N] };
        assert_eq!(read(lines, &mut y, 1, scratch), 0);
        // twice a deviation of 0.2 about twice 0.25 and the bias
        let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / N as f64;
        let variance = y.iter().map(|&v| (f64::from(v) - 1.0).powi(2)).sum::<f64>() / N as f64;
        assert!((mean - 1.0).abs() < 4.0 * 0.4 / (N as f64).sqrt(), "{mean}");
        assert!((variance / 0.16 - 1.0).abs() < 4.0 * (2.0 / N as f64).sqrt(), "{variance}");
    }
}
