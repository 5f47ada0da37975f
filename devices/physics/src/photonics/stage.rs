//! A program as stages over blocks of values: sums of wires, chips and detectors.

use super::blocks::{Block, ROWS, gather, sum};
use super::chip::Chip;
use super::detection::{Homodyne, Intensity};
use super::matrix::{Complex, Matrix};
use super::product::Product;
use super::readout::{Detector, fill_normal};
use super::settings::Settings;
use crate::instruction_sets::for_each_instruction_set;
use isoform_core::draw::Key;
use isoform_core::error::{Error, Result};
use isoform_core::linear::LinearMap;
use isoform_core::optical::{Detection, Encoding};
use isoform_core::program::{Node, NodeKind};

/// The largest value that a modulator takes, in units of its range: noise of an earlier stage needs room.
const HEADROOM: f32 = 1.1;

/// What is read at the outputs of a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Powers.
    Power,
    /// Both parts of fields, by two shots.
    Field,
    /// The real part of fields, by one shot.
    Real,
}

/// What a stage of a program needs to be run.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) chip: Chip,
    pub(super) wanted: Matrix,
    pub(super) reads: Reads,
    pub(super) complex: bool,
    pub(super) bias: Vec<f32>,
    /// The range of its inputs, which the modulators take for full scale.
    pub(super) range: f64,
    /// The noise of the detectors: variance `dark + slope p` in units of a field of one behind a chip without gain.
    variance: [f32; 2],
    product: Product,
    ideal: Product,
    key: Key,
    /// Scratch.
    x: Vec<Block>,
    fields: Vec<[Block; 2]>,
    drawn: Vec<f32>,
    noise: Vec<Block>,
    shaking: Option<(Vec<f32>, Vec<Complex>, Vec<Complex>)>,
}

/// Which shots the rows of a block are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shots {
    /// The first lane.
    pub(super) lane: usize,
    /// Lanes of each tick.
    pub(super) lanes: usize,
    /// The first tick since the program was realised.
    pub(super) tick: u64,
    /// How many rows are used.
    pub(super) rows: usize,
}

/// How a stage is run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// As the device does it, with noise.
    Shot(Shots),
    /// The mean of the device, and that of an ideal one.
    Mean { ideal: bool },
}

/// The matrix of a node, how it is read, whether its inputs are pairs, and its bias.
type Map = (Matrix, Reads, bool, Vec<f32>);

/// What a node asks of a chip; nothing for a node that only passes on.
///
/// # Errors
/// `Unsupported`, naming the node.
pub(super) fn map(node: &Node, settings: &Settings) -> Result<Option<Map>> {
    let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
    let found = match &node.kind {
        NodeKind::Relay => return Ok(None),
        NodeKind::Optical(map) => {
            let (rows, columns) = (map.modes_out(), map.modes_in());
            let entry = |r: usize, c: usize| Complex::new(map.pairs()[r * columns + c][0], map.pairs()[r * columns + c][1]);
            let reads = if map.detection() == Detection::Intensity { Reads::Power } else { Reads::Field };
            (Matrix::from_fn(rows, columns, entry), reads, map.encoding() == Encoding::Complex, Vec::new())
        }
        NodeKind::Linear(map) => match map.as_ref() {
            LinearMap::Dense(dense) if dense.input().extents().len() == 1 => {
                let (rows, columns) = (dense.rows(), dense.cols());
                let matrix = Matrix::from_fn(rows, columns, |r, c| dense.weight().at(r * columns + c).into());
                let bias = dense.bias().map(|b| b.broadcast(dense.output())).transpose()?;
                #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
                let bias = bias.map_or_else(Vec::new, |b| b.to_f64().iter().map(|&v| v as f32).collect());
                (matrix, Reads::Real, false, bias)
            }
            _ => return refuse(String::from("a mesh takes a dense map of one axis alone")),
        },
        _ => return refuse(format!("a mesh has no {}", node.kind_name())),
    };
    let modes = found.0.rows().max(found.0.columns());
    if modes > settings.modes {
        return refuse(format!("a matrix of {modes} modes exceeds the {} of the mesh: raise modes", settings.modes));
    }
    Ok(Some(found))
}

impl Stage {
    /// A chip for a node, cold and unknown.
    ///
    /// # Errors
    /// `Unsupported` for a matrix with more gain than is declared.
    pub(super) fn new(settings: &Settings, node: &Node, map: Map, range: f64, seed: u64) -> Result<Self> {
        let (wanted, reads, complex, bias) = map;
        // fabrication is that of the device, whatever the seed of a run; a chip has three sections
        let made = |part: u32| Key::new(settings.seed ^ FABRICATION, node.key.wrapping_mul(4).wrapping_add(part));
        let chip = Chip::new(settings, &wanted, made);
        if chip.gain() > settings.gain * (1.0 + 1e-6) {
            let why =
                format!("its largest singular value is {:.6}, above the gain of {}: raise gain", chip.gain(), settings.gain);
            return Err(Error::unsupported(why).with_node(&node.name));
        }
        let amplitude = chip.amplitude();
        let variance = match reads {
            Reads::Power => Intensity::new(settings, amplitude).variance(),
            Reads::Field | Reads::Real => Homodyne::new(settings, amplitude).variance(),
        };
        let (rows, columns) = (wanted.rows(), wanted.columns());
        let width = if complex { 2 * columns } else { columns };
        let mut ideal = Product::new(rows, columns);
        ideal.set(wanted.entries().iter().copied());
        let channels = if reads == Reads::Field { 2 * rows } else { rows };
        let shaking =
            (settings.jitter > 0.0).then(|| (vec![0.0; chip.heaters()], vec![Complex::ZERO; columns], vec![Complex::ZERO; rows]));
        Ok(Self {
            name: node.name.clone(),
            chip,
            reads,
            complex,
            bias,
            range,
            variance,
            product: Product::new(rows, columns),
            ideal,
            key: Key::new(settings.seed.rotate_left(32) ^ seed, node.key),
            x: vec![[0.0; ROWS]; width],
            fields: vec![[[0.0; ROWS]; 2]; rows],
            drawn: vec![0.0; ROWS * channels],
            noise: vec![[0.0; ROWS]; channels],
            shaking,
            wanted,
        })
    }

    /// How many values it gives.
    pub(super) fn channels(&self) -> usize {
        self.noise.len()
    }

    /// The noise of its detectors, `dark + slope p`.
    pub(super) fn variance(&self) -> [f32; 2] {
        self.variance
    }

    /// Keys of the measurements of the calibration with some number.
    pub(super) fn measuring(&self, number: u32) -> impl Fn(u32) -> Key + use<> {
        let [seed, word] = self.key.words();
        move |part| Key::new(u64::from(seed) << 32 | u64::from(word), number.wrapping_mul(4).wrapping_add(part))
    }

    /// Brings the chip up to an age in seconds.
    pub(super) fn refresh(&mut self, age: f64) {
        self.chip.refresh(age);
        self.product.set(self.chip.entries());
    }

    /// Takes values to its inputs, `from` many ranges of values of which the sums go in; gives the number of values that were clipped.
    pub(super) fn take(&mut self, values: &[Block], from: &[usize], rows: usize) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
        let by = (1.0 / self.range) as f32;
        drive_avx512(values, from, by, rows, &mut self.x)
    }

    /// What the detectors read.
    pub(super) fn give(&mut self, mode: Mode, jitter: f64, y: &mut [Block]) {
        let product = if matches!(mode, Mode::Mean { ideal: true }) { &self.ideal } else { &self.product };
        product.apply(&self.x, &mut self.fields);
        let channels = self.channels();
        match mode {
            Mode::Mean { .. } => self.noise.fill([0.0; ROWS]),
            Mode::Shot(shots) => {
                if jitter > 0.0 {
                    self.shake(shots, jitter);
                }
                match self.variance {
                    [0.0, 0.0] => self.noise.fill([0.0; ROWS]),
                    _ => self.draw(shots, channels),
                }
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
        let detector = Detector { variance: self.variance, gain: self.chip.gain() as f32, range: self.range as f32 };
        let scale = detector.gain * detector.range;
        match self.reads {
            Reads::Field => detector.read_fields(&self.fields, &self.noise, y),
            Reads::Power => {
                for (([re, im], z), y) in self.fields.iter().zip(&self.noise).zip(y) {
                    for k in 0..ROWS {
                        let sigma = detector.deviation(re[k], im[k]);
                        y[k] = (detector.power(re[k], im[k]) + sigma * z[k]) * (scale * scale);
                    }
                }
            }
            Reads::Real => {
                for (o, (([re, im], z), y)) in self.fields.iter().zip(&self.noise).zip(y).enumerate() {
                    let bias = self.bias.get(o).copied().unwrap_or(0.0);
                    for k in 0..ROWS {
                        let sigma = detector.deviation(re[k], im[k]);
                        y[k] = re[k] * detector.range + sigma * z[k] * scale + bias;
                    }
                }
            }
        }
    }

    /// Normal numbers for each channel of each row.
    fn draw(&mut self, shots: Shots, channels: usize) {
        each_tick(shots, |from, rows, lane, tick| {
            let drawn = &mut self.drawn[from * channels..(from + rows) * channels];
            fill_normal(self.key, number(lane * channels), 0, tick, drawn);
        });
        gather(&self.drawn[..shots.rows * channels], &mut self.noise);
    }

    /// Fields through phases that are off, row by row.
    fn shake(&mut self, shots: Shots, jitter: f64) {
        let Some((drawn, field, out)) = &mut self.shaking else { return };
        each_tick(shots, |from, rows, lane, tick| {
            for row in 0..rows {
                fill_normal(self.key, number((lane + row) * drawn.len()), 1, tick, drawn);
                let part = |c: usize| f64::from(self.x[c][from + row]);
                for (c, field) in field.iter_mut().enumerate() {
                    *field = if self.complex { Complex::new(part(2 * c), part(2 * c + 1)) } else { part(c).into() };
                }
                self.chip.shake(field, jitter, drawn, out);
                #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
                for ([re, im], e) in self.fields.iter_mut().zip(&*out) {
                    (re[from + row], im[from + row]) = (e.re as f32, e.im as f32);
                }
            }
        });
    }
}

for_each_instruction_set!(drive, drive_avx512, drive_avx2, drive_plain, (values: &[Block], from: &[usize], by: f32, rows: usize, x: &mut [Block]) -> u64);

/// Sums over sources, in units of full scale and clipped at [`HEADROOM`]; gives the number of values of the rows that were.
#[inline(always)]
fn drive(values: &[Block], from: &[usize], by: f32, rows: usize, x: &mut [Block]) -> u64 {
    let mut clipped = 0;
    for (c, x) in x.iter_mut().enumerate() {
        *x = sum(values, from, c).map(|v| v * by);
        // without a way out of the loop, which would keep it from being one of vectors
        if x.iter().fold(false, |beyond, v| beyond | (v.abs() > HEADROOM)) {
            clipped += x[..rows].iter().filter(|v| v.abs() > HEADROOM).count() as u64;
            *x = x.map(|v| v.clamp(-HEADROOM, HEADROOM));
        }
    }
    clipped
}

/// The rows of each tick of a block: the first row, how many, the lane of the first, and the tick.
fn each_tick(shots: Shots, mut each: impl FnMut(usize, usize, usize, u64)) {
    let Shots { lane, lanes, tick, rows } = shots;
    let (mut row, mut lane, mut tick) = (0, lane, tick);
    while row < rows {
        let count = (lanes - lane).min(rows - row);
        each(row, count, lane, tick);
        (row, lane, tick) = (row + count, 0, tick + 1);
    }
}

/// The address of a draw; lanes beyond it repeat.
#[expect(clippy::cast_possible_truncation, reason = "an address of 32 bits")]
fn number(lane: usize) -> u32 {
    lane as u32
}

/// Keeps the draws of fabrication apart from those of noise.
const FABRICATION: u64 = 0x6661_6272_6963;
