//! Products of many rows with one matrix, in single precision.
//!
//! The matrix is kept in panels of [`WIDTH`] outputs, each `[input, output]`, so that a product reads it from front to back. A block of rows
//! shares what is read; a single row is summed in parts, so that one sum need not wait for the one before.

use multiversion::{multiversion, target::match_target};

/// Outputs of a panel.
const WIDTH: usize = 32;
/// Rows that share a pass over a panel.
const ROWS: usize = 4;

/// A matrix in panels.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    inputs: usize,
    outputs: usize,
    /// `[panel, input, output]`, padded with noughts.
    data: Vec<f32>,
    /// Scratch: the entries of an input.
    entries: Vec<f32>,
}

impl Panels {
    /// A matrix of noughts.
    pub(super) fn new(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, data: vec![0.0; outputs.div_ceil(WIDTH) * inputs * WIDTH], entries: vec![0.0; outputs] }
    }

    /// Where an entry is.
    fn place(&self, input: usize, output: usize) -> usize {
        (output / WIDTH * self.inputs + input) * WIDTH + output % WIDTH
    }

    /// Sets all entries, those of an input by `row`, which fills its outputs.
    pub(super) fn set(&mut self, row: impl Fn(usize, &mut [f32])) {
        for input in 0..self.inputs {
            row(input, &mut self.entries);
            for output in 0..self.outputs {
                let place = self.place(input, output);
                self.data[place] = self.entries[output];
            }
        }
    }

    /// `y = x M` for rows `[row, input]` at a stride of `x_stride`, into rows `[row, output]` at a stride of `y_stride`.
    ///
    /// # Panics
    /// If a slice is shorter than its rows.
    pub(super) fn multiply(&self, rows: usize, (x, x_stride): (&[f32], usize), (y, y_stride): (&mut [f32], usize)) {
        multiply_avx512(self, Rows { rows, x, x_stride, y, y_stride });
    }
}

struct Rows<'a> {
    rows: usize,
    x: &'a [f32],
    x_stride: usize,
    y: &'a mut [f32],
    y_stride: usize,
}

// each falls back on the next, so that the loops are compiled once for each instruction set
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
fn multiply_avx512(panels: &Panels, rows: Rows<'_>) {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => run::<WIDTH>(panels, rows),
        _ => multiply_avx2(panels, rows),
    }
}

#[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
fn multiply_avx2(panels: &Panels, rows: Rows<'_>) {
    match_target! {
        "x86_64+avx2" => run::<{ WIDTH / 2 }>(panels, rows),
        _ => multiply_baseline(panels, rows),
    }
}

#[inline(never)]
fn multiply_baseline(panels: &Panels, rows: Rows<'_>) {
    run::<{ WIDTH / 4 }>(panels, rows);
}

/// Goes over the panels, `PART` outputs at a time: as many as the registers hold for a block of rows.
#[inline(always)]
fn run<const PART: usize>(panels: &Panels, rows: Rows<'_>) {
    let Rows { rows, x, x_stride, y, y_stride } = rows;
    let (inputs, outputs) = (panels.inputs, panels.outputs);
    if inputs == 0 || outputs == 0 {
        (0..rows).for_each(|row| y[row * y_stride..row * y_stride + outputs].fill(0.0));
        return;
    }
    for (panel, data) in panels.data.chunks_exact(inputs * WIDTH).enumerate() {
        let first = panel * WIDTH;
        let width = WIDTH.min(outputs - first);
        let mut sums = [[0.0; WIDTH]; ROWS];
        let mut row = 0;
        while row < rows {
            let taken = if rows - row >= ROWS { ROWS } else { 1 };
            for part in (0..WIDTH).step_by(PART) {
                if taken == ROWS {
                    let of: [&[f32]; ROWS] = std::array::from_fn(|r| &x[(row + r) * x_stride..][..inputs]);
                    let found = block::<PART>(data, part, of);
                    sums.iter_mut().zip(found).for_each(|(sums, found)| sums[part..part + PART].copy_from_slice(&found));
                } else {
                    let found = single::<PART>(data, part, &x[row * x_stride..][..inputs]);
                    sums[0][part..part + PART].copy_from_slice(&found);
                }
            }
            for (r, sums) in sums.iter().enumerate().take(taken) {
                y[(row + r) * y_stride + first..][..width].copy_from_slice(&sums[..width]);
            }
            row += taken;
        }
    }
}

#[inline(always)]
fn block<const PART: usize>(data: &[f32], part: usize, x: [&[f32]; ROWS]) -> [[f32; PART]; ROWS] {
    let mut sums = [[0.0_f32; PART]; ROWS];
    for (i, weights) in data.chunks_exact(WIDTH).enumerate() {
        let weights = &weights[part..part + PART];
        for r in 0..ROWS {
            let x = x[r][i];
            for c in 0..PART {
                sums[r][c] += x * weights[c];
            }
        }
    }
    sums
}

#[inline(always)]
fn single<const PART: usize>(data: &[f32], part: usize, x: &[f32]) -> [f32; PART] {
    let mut sums = [[0.0_f32; PART]; ROWS];
    let whole = x.len() / ROWS * ROWS;
    let (steps, rest) = data.split_at(whole * WIDTH);
    for (weights, x) in steps.chunks_exact(ROWS * WIDTH).zip(x.chunks_exact(ROWS)) {
        for r in 0..ROWS {
            let weights = &weights[r * WIDTH + part..r * WIDTH + part + PART];
            for c in 0..PART {
                sums[r][c] += x[r] * weights[c];
            }
        }
    }
    for (weights, x) in rest.chunks_exact(WIDTH).zip(&x[whole..]) {
        for c in 0..PART {
            sums[0][c] += x * weights[part + c];
        }
    }
    let mut sum = [0.0; PART];
    for c in 0..PART {
        sum[c] = (sums[0][c] + sums[1][c]) + (sums[2][c] + sums[3][c]);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::Key;

    #[test]
    fn products_are_those_of_the_definition() {
        for (inputs, outputs, rows) in [(1, 1, 1), (3, 5, 2), (7, 32, 4), (64, 33, 5), (65, 100, 11), (4, 3, 0)] {
            let (mut weights, mut x) = (vec![0.0; inputs * outputs], vec![0.0; inputs * rows]);
            Key::new(1, 0).fill_uniform(0, 0, 0, &mut weights);
            Key::new(2, 0).fill_uniform(0, 0, 0, &mut x);
            let mut panels = Panels::new(inputs, outputs);
            panels.set(|i, to| to.copy_from_slice(&weights[i * outputs..][..outputs]));
            let mut y = vec![-1.0; rows * outputs];
            panels.multiply(rows, (&x, inputs), (&mut y, outputs));
            for row in 0..rows {
                for o in 0..outputs {
                    let sum: f64 =
                        (0..inputs).map(|i| f64::from(x[row * inputs + i]) * f64::from(weights[i * outputs + o])).sum();
                    assert!((f64::from(y[row * outputs + o]) - sum).abs() < 1e-5 * sum.max(1.0), "{inputs} {outputs} {rows}");
                }
            }
        }
    }
}
