//! What fabrication leaves: couplers that do not split evenly, and light that is lost on the way.
//!
//! Each element loses `loss` dB in both of its arms, an amplitude of `a = 10^(-loss/20)`. A mode at the edge of a rectangle skips an element in
//! every second column; with dummies of the same loss in the gaps, loss is one factor `a^depth` and no error. Without them the singular values lie
//! between `a^depth` and 1.
//! Source: models.md of this project, section 2.2; Fang et al. 2019, Optics Express 27, 14009 (couplers).

use super::decomposition::Layout;
use super::matrix::{Complex, Matrix};
use super::phases::{Phases, Setting};
use isoform_core::draw::Key;
use std::f64::consts::TAU;

/// Couplers and losses of a mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct Fabric {
    /// For each element what its two couplers are off an even split, in radian.
    pub couplers: Vec<[f64; 2]>,
    /// The amplitude that an element lets through, from 0 to 1.
    pub through: f64,
    /// Whether modes without an element in a column meet a dummy of the same loss.
    pub dummies: bool,
    /// Columns without an element that the two modes of each element have passed since their last one.
    gaps: Vec<[i32; 2]>,
    /// The same for each mode behind its last element.
    ends: Vec<i32>,
    depth: i32,
}

impl Fabric {
    /// A mesh of some size without a flaw.
    #[must_use]
    pub fn ideal(size: usize, layout: Layout) -> Self {
        let mut met = vec![0_i32; size];
        let mut gap = |mode: usize| {
            let column = met[mode].max(met[mode + 1]);
            let gaps = [column - met[mode], column - met[mode + 1]];
            (met[mode], met[mode + 1]) = (column + 1, column + 1);
            gaps
        };
        let gaps: Vec<[i32; 2]> = layout.modes(size).into_iter().map(&mut gap).collect();
        let depth = met.iter().copied().max().unwrap_or(0);
        let ends = met.into_iter().map(|m| depth - m).collect();
        Self { couplers: vec![[0.0; 2]; gaps.len()], through: 1.0, dummies: false, gaps, ends, depth }
    }

    /// The same with couplers that are off by normal numbers of some standard deviation in radian.
    #[must_use]
    pub fn with_couplers(mut self, sigma: f64, seed: u64) -> Self {
        let drawn = normals(2 * self.couplers.len(), Key::new(seed, COUPLERS), 0);
        for (coupler, drawn) in self.couplers.iter_mut().zip(drawn.chunks_exact(2)) {
            *coupler = [sigma * drawn[0], sigma * drawn[1]];
        }
        self
    }

    /// The same with a loss of so many dB for each element.
    #[must_use]
    pub fn with_loss(mut self, loss_db: f64, dummies: bool) -> Self {
        self.through = 10.0_f64.powf(-loss_db / 20.0);
        self.dummies = dummies;
        self
    }

    /// How many columns of elements light meets at most.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth.unsigned_abs() as usize
    }

    /// The amplitude that is expected behind the mesh: exact with dummies, and without them what the mean number of elements on the way lets
    /// through.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        if self.dummies {
            return self.through.powi(self.depth);
        }
        self.through.powf(2.0 * self.gaps.len() as f64 / self.ends.len().max(1) as f64)
    }

    /// The matrix that phases realise in it.
    #[must_use]
    pub fn matrix(&self, phases: &Phases) -> Matrix {
        let mut matrix = Matrix::identity(phases.output.len());
        self.pass(phases, &mut matrix);
        matrix
    }

    /// Lets fields pass, those of each column of a matrix at once.
    pub fn pass(&self, phases: &Phases, fields: &mut Matrix) {
        let through = Complex::from(self.through);
        let skipped = |gap: i32| if self.dummies && gap > 0 { self.through.powi(gap) } else { 1.0 };
        for ((&Setting { mode, internal, external }, &split), gaps) in phases.elements.iter().zip(&self.couplers).zip(&self.gaps)
        {
            let [before, beside] = gaps.map(|g| through * skipped(g));
            let [[a, b], [c, d]] = phases.convention.element(internal, external, split);
            fields.pass(mode, [[a * before, b * beside], [c * before, d * beside]]);
        }
        fields.scale_rows(|r| Complex::from_polar(skipped(self.ends[r]), phases.output[r]));
    }
}

/// Keeps the draws of couplers apart from those of other uses of a seed.
const COUPLERS: u32 = 0x636f_7570;
/// The same for phases.
const PHASES: u32 = 0x7068_6173;

/// Normal numbers.
pub(super) fn normals(count: usize, key: Key, tick: u64) -> Vec<f64> {
    let mut drawn = vec![0.0_f32; count];
    key.fill_normal(0, 0, tick, &mut drawn);
    drawn.into_iter().map(f64::from).collect()
}

impl Phases {
    /// The same phases in steps of `2π / 2^bits`.
    #[must_use]
    pub fn quantised(&self, bits: u32) -> Self {
        let list: Vec<f64> = self.list().into_iter().map(|p| quantised(p, bits)).collect();
        self.with(&list)
    }

    /// The same phases of the elements, each off by a normal number of standard deviation `sigma` in radian.
    #[must_use]
    pub fn jittered(&self, sigma: f64, seed: u64) -> Self {
        let mut list = self.list();
        let drawn = normals(2 * self.elements.len(), Key::new(seed, PHASES), 0);
        list.iter_mut().zip(drawn).for_each(|(phase, z)| *phase += sigma * z);
        self.with(&list)
    }
}

/// A phase in steps of `2π / 2^bits`: `round(φ 2^bits / 2π) 2π / 2^bits`.
#[must_use]
pub fn quantised(phase: f64, bits: u32) -> f64 {
    let step = TAU / f64::from(bits).exp2();
    (phase / step).round() * step
}
