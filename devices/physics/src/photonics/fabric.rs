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
    columns: Vec<usize>,
}

impl Fabric {
    /// A mesh of some size without a flaw.
    #[must_use]
    pub fn ideal(size: usize, layout: Layout) -> Self {
        let columns = layout.columns(size);
        Self { couplers: vec![[0.0; 2]; columns.len()], through: 1.0, dummies: false, columns }
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
        self.columns.iter().max().map_or(0, |c| c + 1)
    }

    /// The amplitude that is expected behind the mesh: exact with dummies, and without them the mean over the modes of what the elements
    /// that a mode meets let through.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "meshes are small"
    )]
    pub fn amplitude(&self, size: usize) -> f64 {
        if self.dummies {
            return self.through.powi(self.depth() as i32);
        }
        self.through.powf(2.0 * self.columns.len() as f64 / size.max(1) as f64)
    }

    /// The matrix that phases realise in it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "meshes are small")]
    pub fn matrix(&self, phases: &Phases) -> Matrix {
        let mut matrix = Matrix::identity(phases.output.len());
        // how many columns each mode has behind it
        let mut met = vec![0; phases.output.len()];
        let mut skip = |matrix: &mut Matrix, mode: usize, to: usize, next: usize| {
            if self.dummies && to > met[mode] {
                matrix.scale_row(mode, self.through.powi(to as i32 - met[mode] as i32));
            }
            met[mode] = next;
        };
        let elements = phases.elements.iter().zip(&self.couplers).zip(&self.columns);
        for ((&Setting { mode, internal, external }, &split), &column) in elements {
            skip(&mut matrix, mode, column, column + 1);
            skip(&mut matrix, mode + 1, column, column + 1);
            let element = phases.convention.element(internal, external, split);
            matrix.pass(mode, element.map(|row| row.map(|e| e * self.through)));
        }
        let depth = self.depth();
        (0..phases.output.len()).for_each(|mode| skip(&mut matrix, mode, depth, depth));
        matrix.scale_rows(|r| Complex::cis(phases.output[r]));
        matrix
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
