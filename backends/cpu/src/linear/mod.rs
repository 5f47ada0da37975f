//! Kernels of linear maps.
//!
//! Every kernel gives each output the bias, then its terms by ascending input, each product and each sum rounded once. A term
//! whose input is nought may be left out: that changes no bit, because weights are finite and no sum that starts at +0 becomes
//! −0. So it does not matter which kernel, instruction set or thread computes a row.

mod dense;
mod slide;
mod spikes;
mod table;

use crate::buffer::{View, zeros};
use crate::error::CpuError;
use dense::Matrices;
use isoform_core::lanes::InstructionSet;
use isoform_core::linear::LinearMap;
use multiversion::{multiversion, target::match_target};
use slide::Slide;
use table::Table;

/// A linear map in the form of a kernel.
#[derive(Debug)]
pub(crate) struct Kernel {
    form: Form,
    inputs: usize,
    outputs: usize,
    terms: usize,
}

#[derive(Debug)]
enum Form {
    Dense(Matrices),
    Slide(Slide),
    Table(Table),
}

/// Rows to be mapped.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) x: View<'a>,
    pub(crate) y: &'a mut [f32],
    pub(crate) y_stride: usize,
    pub(crate) ticks: usize,
    pub(crate) batch: usize,
}

impl Kernel {
    /// Takes a map apart.
    pub(crate) fn new(map: &LinearMap, node: &str) -> Result<Self, CpuError> {
        let form = match map {
            LinearMap::Dense(dense) => Form::Dense(Matrices::new(dense)?),
            LinearMap::Conv1d(conv) => Form::Slide(Slide::conv1d(conv)?),
            LinearMap::Conv2d(conv) => Form::Slide(Slide::conv2d(conv)?),
            LinearMap::SumPool2d(pool) => Form::Slide(Slide::pool(pool.input(), pool.output(), pool.pooling(), 1.0)?),
            LinearMap::AvgPool2d(pool) => {
                let [height, width] = pool.pooling().kernel;
                let weight = 1.0 / (height as f64 * width as f64);
                Form::Slide(Slide::pool(pool.input(), pool.output(), pool.pooling(), weight)?)
            }
            // the sparse map, and whatever comes to be known by its terms alone
            other => Form::Table(Table::new(other)),
        };
        let (inputs, outputs) = (map.input().len(), map.output().len());
        let finite = match &form {
            Form::Dense(m) => m.is_finite(),
            Form::Slide(s) => s.is_finite(),
            Form::Table(t) => t.is_finite(),
        };
        if !finite {
            return Err(CpuError::Range { what: "a weight or bias", node: node.to_owned() });
        }
        Ok(Self { form, inputs, outputs, terms: map.terms_per_output().saturating_mul(outputs) })
    }

    /// Channels of the input.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Channels of the output.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Nanoseconds for a row, of which a tenth is not nought.
    pub(crate) fn cost(&self) -> f64 {
        0.5 * self.inputs as f64 + 0.005 * self.terms as f64
    }

    /// Maps rows.
    pub(crate) fn apply(&self, instructions: InstructionSet, rows: Rows<'_>, scratch: &mut Scratch) {
        match instructions {
            InstructionSet::Avx512 => apply_avx512(self, rows, scratch),
            InstructionSet::Avx2 => apply_avx2(self, rows, scratch),
            InstructionSet::Baseline => apply_baseline(self, rows, scratch),
        }
    }

    /// `EVENT` outputs are summed side by side in an event-driven row, `DENSE` outputs in each of several dense ones.
    #[inline(always)]
    fn run<const EVENT: usize, const DENSE: usize>(&self, rows: Rows<'_>, scratch: &mut Scratch) {
        match &self.form {
            Form::Dense(m) => m.apply::<EVENT, DENSE>(rows, scratch),
            Form::Slide(s) => each_row(rows, self.inputs, self.outputs, |x, y| s.apply(x, y)),
            Form::Table(t) => each_row(rows, self.inputs, self.outputs, |x, y| t.apply(x, y, scratch)),
        }
    }
}

// each falls back on the next, so that the loops are compiled once for each instruction set
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+popcnt+bmi1+bmi2"), dispatcher = "direct")]
fn apply_avx512(kernel: &Kernel, rows: Rows<'_>, scratch: &mut Scratch) {
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl+popcnt+bmi1+bmi2" => kernel.run::<128, 64>(rows, scratch),
        _ => apply_avx2(kernel, rows, scratch),
    }
}

#[multiversion(targets("x86_64+avx2+popcnt+bmi1+bmi2"), dispatcher = "direct")]
fn apply_avx2(kernel: &Kernel, rows: Rows<'_>, scratch: &mut Scratch) {
    match_target! {
        "x86_64+avx2+popcnt+bmi1+bmi2" => kernel.run::<64, 16>(rows, scratch),
        _ => apply_baseline(kernel, rows, scratch),
    }
}

#[inline(never)]
fn apply_baseline(kernel: &Kernel, rows: Rows<'_>, scratch: &mut Scratch) {
    kernel.run::<32, 8>(rows, scratch);
}

#[inline(always)]
fn each_row(rows: Rows<'_>, inputs: usize, outputs: usize, mut f: impl FnMut(&[f32], &mut [f32])) {
    let Rows { x, y, y_stride, ticks, batch } = rows;
    for t in 0..ticks {
        let x = x.row(t, batch * inputs);
        let y = &mut y[t * y_stride..][..batch * outputs];
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
            f(x, y);
        }
    }
}

/// For eight flags as a byte, the places of those that are set, lowest first.
const PLACES: [[u8; 8]; 256] = {
    let mut places = [[0; 8]; 256];
    let mut flags = 0;
    while flags < 256 {
        let (mut count, mut place) = (0, 0);
        while place < 8 {
            if flags >> place & 1 == 1 {
                places[flags][count] = place as u8;
                count += 1;
            }
            place += 1;
        }
        flags += 1;
    }
    places
};

/// The active inputs of a row.
#[derive(Clone, Copy)]
struct Active {
    /// How many are not nought.
    count: usize,
    /// Whether those are all one.
    ones: bool,
}

/// Room in which the active inputs of a row are listed.
#[derive(Debug)]
pub(crate) struct Scratch {
    active: Vec<u32>,
    flags: Vec<u8>,
}

impl Scratch {
    /// Room for rows of so many inputs.
    pub(crate) fn new(inputs: usize) -> Result<Self, CpuError> {
        let count = inputs.checked_add(8);
        Ok(Self { active: zeros(count)?, flags: zeros(count)? })
    }

    /// Lists the inputs that are not nought.
    ///
    /// Eight places are written at a time, of which the next eight overwrite those that are too many: no branch depends on data.
    /// Flags go through memory, since a loop that only compares becomes vector code and one that also lists does not.
    #[inline(always)]
    fn list(&mut self, x: &[f32]) -> Active {
        const ONE: u32 = 1.0_f32.to_bits();
        let mut graded = 0;
        for (flag, v) in self.flags.iter_mut().zip(x) {
            let bits = v.to_bits();
            let set = bits << 1 != 0;
            *flag = u8::from(set);
            graded |= if set { bits ^ ONE } else { 0 };
        }
        self.flags[x.len()..x.len() + 8].fill(0);
        let (mut count, mut first) = (0, 0);
        for eight in &self.flags.as_chunks::<8>().0[..x.len().div_ceil(8)] {
            // moves the lowest bit of each byte next to each other
            let flags = (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize;
            let (to, places) = (&mut self.active[count..count + 8], &PLACES[flags]);
            for k in 0..8 {
                to[k] = first + u32::from(places[k]);
            }
            count += flags.count_ones() as usize;
            first += 8;
        }
        Active { count, ones: graded == 0 }
    }
}

/// Whether so many active inputs are few enough to be handled one by one.
#[inline(always)]
fn is_sparse(active: usize, inputs: usize) -> bool {
    active * 4 <= inputs
}
