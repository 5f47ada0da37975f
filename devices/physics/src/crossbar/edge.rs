//! The edges of a stage: rows of numbers to codes, and currents with their noise to numbers.

use crate::instruction_sets::for_each_instruction_set;
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

/// Codes of inputs, and their squares, `[row, input]`; gives how many were clipped.
pub(super) fn drive(from: Inputs<'_>, codes: &mut [f32], squares: &mut [f32]) -> u64 {
    drive_avx512(from, codes, squares)
}

/// Adds noise of the given variances `[row, output]`, converts, corrects and adds the bias; gives how many were clipped.
pub(super) fn read(lines: Lines<'_>, y: &mut [f32], variance: &[f32], normals: &mut [f32]) -> u64 {
    read_avx512(lines, y, variance, normals)
}

for_each_instruction_set!(drive_rows, drive_avx512, drive_avx2, drive_baseline, (
    from: Inputs<'_>, codes: &mut [f32], squares: &mut [f32]
) -> u64);
for_each_instruction_set!(read_rows, read_avx512, read_avx2, read_baseline, (
    lines: Lines<'_>, y: &mut [f32], variance: &[f32], normals: &mut [f32]
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

#[inline(always)]
fn read_rows(l: Lines<'_>, y: &mut [f32], variance: &[f32], normals: &mut [f32]) -> u64 {
    let outputs = l.steps.len();
    let mut all = 0;
    for (row, (y, variance)) in y.chunks_mut(l.stride).zip(variance.chunks_exact(outputs)).enumerate() {
        let first = (row % l.lanes * l.stride + l.first) as u32;
        l.key.fill_normal(first, 0, l.tick + (row / l.lanes) as u64, normals);
        let mut clipped = 0_u32;
        let lines = l.steps.iter().zip(l.inverses).zip(l.bias);
        for (((y, v), n), ((step, inverse), bias)) in y.iter_mut().zip(variance).zip(&*normals).zip(lines) {
            let whole = nearest((*y + (v + l.white).sqrt() * n) * inverse, l.most);
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
    fn outputs_have_the_noise_that_they_are_given() {
        const N: usize = 4000;
        let lines = Lines {
            steps: &[1e-3; N],
            inverses: &[1e3; N],
            bias: &[0.5; N],
            most: 32_767.0,
            white: 0.03,
            gain: 2.0,
            stride: N,
            lanes: 1,
            first: 0,
            tick: 3,
            key: Key::new(1, 0),
        };
        let mut y = [0.25; N];
        assert_eq!(read(lines, &mut y, &[0.01; N], &mut [0.0; N]), 0);
        // twice a deviation of 0.2 about twice 0.25 and the bias
        let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / N as f64;
        let variance = y.iter().map(|&v| (f64::from(v) - 1.0).powi(2)).sum::<f64>() / N as f64;
        assert!((mean - 1.0).abs() < 4.0 * 0.4 / (N as f64).sqrt(), "{mean}");
        assert!((variance / 0.16 - 1.0).abs() < 4.0 * (2.0 / N as f64).sqrt(), "{variance}");
    }
}
