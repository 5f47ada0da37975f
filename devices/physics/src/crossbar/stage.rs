//! One dense map on arrays: rows of numbers go through converters, currents and converters again.
//!
//! The fast noise of a bit line is drawn once for each output: it is a sum of independent normal numbers of the cells, weighted by the inputs,
//! and so is normal with the variance `Σ x² var(cell)`, which a second product gives. It has the same distribution as a draw for each cell.

use super::array::{Array, Settings};
use super::edge::{self, Cells, Codes, Inputs, Lines, Scratch};
use super::error::Error;
use super::forecast::{Means, Ranges};
use super::pair::Pairs;
use super::product::Panels;
use super::whole::{self, Pair, Whole};
use super::wires;
use isoform_core::draw::Key;
use isoform_core::linear::Dense;

/// The wires are solved anew when the logarithm of the age has moved by this: two and a half per cent of drift.
const WIRES: f64 = 0.5;
/// Converters of so many bits are multiplied in whole numbers.
const BITS: u32 = 8;
/// Keeps the draws of bit lines apart from those of cells.
const LINES: u32 = 0x6c69_6e65;

/// How arrays are built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Build {
    pub(super) settings: Settings,
    pub(super) means: Means,
    /// Writes that the cells have behind them.
    pub(super) worn: u32,
    pub(super) seed: u64,
}

/// One matrix on one array.
#[derive(Debug)]
struct Block {
    array: Array,
    matrices: Matrices,
    /// The variance of each cell where all have the same, which no product is needed for.
    evenly: Option<f32>,
    /// What the wires leave of each cell's current, and the logarithm of the age at which that was found.
    wires: Option<(Vec<f64>, f64)>,
}

/// What inputs are multiplied by for the signal, and their squares for the variance.
#[derive(Debug, Clone)]
enum Matrices {
    /// For converters of at most [`BITS`].
    Whole { signal: Whole, variance: Whole },
    /// For finer ones, whose squares and sums take more room.
    Single { signal: Panels, variance: Panels },
}

impl Matrices {
    fn new(inputs: usize, outputs: usize, bits: u32) -> Self {
        if bits <= BITS {
            let most = f64::from((1_u32 << (bits - 1)) - 1);
            Self::Whole { signal: Whole::new(inputs, outputs, most), variance: Whole::new(inputs, outputs, most * most) }
        } else {
            let panels = Panels::new(inputs, outputs);
            Self::Single { signal: panels.clone(), variance: panels }
        }
    }
}

/// What rows drive the word lines with, and its squares.
#[derive(Debug)]
enum Driven {
    /// Pairs of codes, of squares, the sum of each row's squares, and pairs as they are multiplied.
    Whole { codes: Vec<Pair>, squares: Vec<Pair>, summed: Vec<f32>, laid: Vec<Pair> },
    /// Codes, squares, and the sum of each row's squares.
    Single { codes: Vec<f32>, squares: Vec<f32>, summed: Vec<f32> },
}

impl Driven {
    fn new(rows: usize, inputs: usize, bits: u32) -> Self {
        let summed = vec![0.0; rows];
        if bits <= BITS {
            let codes = vec![[0; 2]; rows * whole::pairs(inputs)];
            Self::Whole { squares: codes.clone(), laid: codes.clone(), codes, summed }
        } else {
            Self::Single { codes: vec![0.0; rows * inputs], squares: vec![0.0; rows * inputs], summed }
        }
    }
}

/// One dense map.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) node: usize,
    inputs: usize,
    outputs: usize,
    build: Build,
    pairs: Pairs,
    blocks: Vec<Block>,
    /// Inputs of one code, and codes of one input.
    input_step: f32,
    input_inverse: f32,
    most: f32,
    /// The same for each bit line, `[block, output]`.
    steps: Vec<f32>,
    inverses: Vec<f32>,
    bias: Vec<f32>,
    /// Deviation of the noise of a bit line.
    white: f32,
    /// The correction of the common drift.
    pub(super) gain: f32,
    /// What the conductances of the pairs summed up to when they were written.
    reference: f64,
    key: Key,
    driven: Driven,
    sums: Vec<f32>,
    normals: Vec<f32>,
    deviations: Vec<f32>,
    conductance: Vec<f32>,
    cells: Vec<f32>,
}

impl Stage {
    /// Builds and writes the arrays of a dense map, for at most `rows` rows at a time.
    pub(super) fn new(dense: &Dense, ranges: &Ranges, key: u32, rows: usize, build: Build) -> Result<Self, Error> {
        let (inputs, outputs) = (dense.cols(), dense.rows());
        let count = dense.output().len() / outputs;
        let mut blocks = Vec::with_capacity(count);
        for block in 0..count {
            // an array for each position of the leading axes, and a key for each array
            let name =
                key.wrapping_mul(0x9e37_79b9).wrapping_add(u32::try_from(block).unwrap_or(u32::MAX)) ^ LINES.rotate_left(7);
            let mut array = Array::new(inputs, 2 * outputs, build.settings, Key::new(build.seed, name));
            array.wear(build.worn);
            let matrices = Matrices::new(inputs, outputs, build.means.bits);
            blocks.push(Block { array, matrices, evenly: None, wires: None });
        }
        let cells = inputs * 2 * outputs;
        let mut stage = Self {
            node: ranges.node,
            inputs,
            outputs,
            build,
            pairs: Pairs::new(ranges.weight, 0.0, build.settings.device.g_max())?,
            blocks,
            input_step: 1.0,
            input_inverse: 0.0,
            most: 0.0,
            steps: vec![1.0; count * outputs],
            inverses: vec![0.0; count * outputs],
            bias: vec![0.0; count * outputs],
            white: 0.0,
            gain: 1.0,
            reference: 0.0,
            key: Key::new(build.seed, key ^ LINES),
            driven: Driven::new(rows, inputs, build.means.bits),
            sums: vec![0.0; rows * outputs],
            normals: vec![0.0; outputs],
            deviations: vec![0.0; outputs],
            conductance: vec![0.0; cells],
            cells: vec![0.0; cells],
        };
        stage.range(dense, ranges);
        stage.write(dense, ranges)?;
        Ok(stage)
    }

    /// Sets the converters to the ranges of the signals, and the bias.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn range(&mut self, dense: &Dense, ranges: &Ranges) {
        let most = f64::from((1_u32 << (self.build.means.bits - 1)) - 1);
        // a step that single precision has no inverse of is none: its signals are nought
        let step = |range: f64| if range / most >= f64::from(f32::MIN_POSITIVE) { range / most } else { 1.0 };
        self.most = most as f32;
        (self.input_step, self.input_inverse) = (step(ranges.input) as f32, (1.0 / step(ranges.input)) as f32);
        self.white = (self.build.means.output_noise * ranges.weight * ranges.input) as f32;
        let bias = dense.bias().map(|b| b.to_f64()).unwrap_or_default();
        for (k, range) in ranges.outputs.iter().enumerate() {
            (self.steps[k], self.inverses[k]) = (step(*range) as f32, (1.0 / step(*range)) as f32);
            self.bias[k] = if bias.is_empty() { 0.0 } else { bias[k % bias.len()] as f32 };
        }
    }

    /// Writes every cell once.
    pub(super) fn write(&mut self, dense: &Dense, ranges: &Ranges) -> Result<(), Error> {
        let pairs = Pairs::new(ranges.weight, 0.0, self.build.settings.device.g_max())?;
        let weight = dense.weight();
        let per_block = self.inputs * self.outputs;
        let mut targets = vec![0.0; 2 * per_block];
        self.blocks.iter().try_for_each(|block| block.array.check_wear())?;
        for (index, block) in self.blocks.iter_mut().enumerate() {
            for o in 0..self.outputs {
                for i in 0..self.inputs {
                    let entry = weight.at((index * per_block + o * self.inputs + i) % weight.len());
                    let place = 2 * (i * self.outputs + o);
                    targets[place..place + 2].copy_from_slice(&pairs.split(entry)?);
                }
            }
            block.array.write_all(&targets)?;
            block.wires = None;
        }
        self.pairs = pairs;
        self.gain = 1.0;
        self.refresh(true)?;
        self.reference = self.sum_of_pairs();
        Ok(())
    }

    /// The most writes that any cell has behind it.
    pub(super) fn most_writes(&self) -> u32 {
        self.blocks.iter().map(|block| block.array.most_writes()).max().unwrap_or(0)
    }

    /// Lets time pass in which the arrays are read so often.
    pub(super) fn pass_to(&mut self, now: f64, reads: u64) {
        self.blocks.iter_mut().for_each(|block| block.array.pass_to(now, reads));
    }

    /// Brings the matrices up to the present, where they have changed or `always`.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn refresh(&mut self, always: bool) -> Result<(), Error> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        for block in &mut self.blocks {
            if !block.array.refresh() && !always {
                continue;
            }
            block.array.look(&mut self.conductance, &mut self.cells);
            if self.build.means.wire > 0.0 {
                let log_age = block.array.log_age();
                if block.wires.as_ref().is_none_or(|(_, solved)| log_age - solved >= WIRES) {
                    block.wires = Some((wires::left(&self.conductance, inputs, 2 * outputs, self.build.means.wire)?, log_age));
                }
                let left = block.wires.iter().flat_map(|(left, _)| left);
                for ((g, v), left) in self.conductance.iter_mut().zip(&mut self.cells).zip(left) {
                    *g *= *left as f32;
                    *v *= (left * left) as f32;
                }
            }
            let scale = (f64::from(self.input_step) / self.pairs.scale()) as f32;
            let (conductance, cells) = (&self.conductance, &self.cells);
            let of_signal = |i: usize, to: &mut [f32]| {
                let (pairs, _) = conductance[2 * i * outputs..].as_chunks::<2>();
                to.iter_mut().zip(pairs).for_each(|(to, [plus, minus])| *to = (plus - minus) * scale);
            };
            let of_variance = |i: usize, to: &mut [f32]| {
                let (pairs, _) = cells[2 * i * outputs..].as_chunks::<2>();
                to.iter_mut().zip(pairs).for_each(|(to, [plus, minus])| *to = (plus + minus) * scale * scale);
            };
            let first = cells.first().copied().unwrap_or_default();
            block.evenly = cells.iter().all(|v| *v == first).then_some(2.0 * first * scale * scale);
            match &mut block.matrices {
                Matrices::Whole { signal, variance } => {
                    signal.set(of_signal);
                    if block.evenly.is_none() {
                        variance.set(of_variance);
                    }
                }
                Matrices::Single { signal, variance } => {
                    signal.set(of_signal);
                    if block.evenly.is_none() {
                        variance.set(of_variance);
                    }
                }
            }
        }
        Ok(())
    }

    /// The weights as they are on the arrays, `[.., output, input]`.
    pub(super) fn weights(&mut self) -> Vec<f64> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let mut all = Vec::with_capacity(self.blocks.len() * inputs * outputs);
        for block in &mut self.blocks {
            block.array.refresh();
            block.array.look(&mut self.conductance, &mut self.cells);
            for o in 0..outputs {
                all.extend((0..inputs).map(|i| {
                    let place = 2 * (i * outputs + o);
                    self.pairs.join([f64::from(self.conductance[place]), f64::from(self.conductance[place + 1])])
                }));
            }
        }
        all
    }

    /// All conductances summed up, as a read of all lines at once sees them.
    fn sum_of_pairs(&mut self) -> f64 {
        let mut sum = 0.0;
        for block in &mut self.blocks {
            block.array.refresh();
            block.array.look(&mut self.conductance, &mut self.cells);
            sum += self.conductance.iter().map(|&g| f64::from(g)).sum::<f64>();
        }
        sum
    }

    /// Corrects outputs by what brings the summed conductance back to what was written.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(super) fn correct(&mut self) {
        let now = self.sum_of_pairs();
        if now > 0.0 && self.reference > 0.0 {
            self.gain = (self.reference / now) as f32;
        }
    }

    /// Maps rows `[row, channel]` and gives how many samples were clipped. Rows are the lanes of consecutive ticks, `lanes` of each.
    pub(super) fn apply(&mut self, x: &[f32], y: &mut [f32], rows: usize, lanes: usize, tick: u64) -> u64 {
        let (wide, tall) = (self.inputs * self.blocks.len(), self.outputs * self.blocks.len());
        let mut clipped = 0;
        for (b, block) in self.blocks.iter().enumerate() {
            let (inputs, outputs) = (self.inputs, self.outputs);
            let ends = Inputs { inverse: self.input_inverse, most: self.most, x: &x[b * inputs..], stride: wide, inputs };
            let (sums, y) = (&mut self.sums[..rows * outputs], &mut y[b * outputs..]);
            let summed = match (&block.matrices, &mut self.driven) {
                (Matrices::Whole { signal, variance }, Driven::Whole { codes, squares, summed, laid }) => {
                    let of_rows = ..rows * whole::pairs(inputs);
                    let (codes, squares) = (&mut codes[of_rows], &mut squares[of_rows]);
                    let each = block.evenly.is_none().then_some(&mut *squares);
                    clipped += edge::drive_whole(ends, Codes { codes, squares: each, summed });
                    if block.evenly.is_none() {
                        whole::lay(squares, inputs, laid);
                        variance.multiply(rows, laid, (sums, outputs));
                    }
                    whole::lay(codes, inputs, laid);
                    signal.multiply(rows, laid, (y, tall));
                    summed
                }
                (Matrices::Single { signal, variance }, Driven::Single { codes, squares, summed }) => {
                    let (codes, squares) = (&mut codes[..rows * inputs], &mut squares[..rows * inputs]);
                    clipped += edge::drive(ends, codes, squares);
                    if block.evenly.is_none() {
                        variance.multiply(rows, (squares, inputs), (sums, outputs));
                    }
                    signal.multiply(rows, (codes, inputs), (y, tall));
                    if block.evenly.is_some() {
                        let squares = squares.chunks_exact(inputs.max(1));
                        summed.iter_mut().zip(squares).for_each(|(sum, squares)| *sum = squares.iter().sum());
                    }
                    summed
                }
                // both are chosen by the bits of the converters
                _ => continue,
            };
            let lines = Lines {
                steps: &self.steps[b * outputs..][..outputs],
                inverses: &self.inverses[b * outputs..][..outputs],
                bias: &self.bias[b * outputs..][..outputs],
                most: self.most,
                white: self.white * self.white,
                cells: match block.evenly {
                    Some(cell) => Cells::Evenly { cell, squares: summed },
                    None => Cells::Each(sums),
                },
                gain: self.gain,
                stride: tall,
                lanes,
                first: b * outputs,
                tick,
                key: self.key,
            };
            clipped += edge::read(lines, y, rows, Scratch { normals: &mut self.normals, deviations: &mut self.deviations });
        }
        clipped
    }
}
