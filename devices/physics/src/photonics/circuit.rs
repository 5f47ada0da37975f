//! Any complex matrix as meshes, attenuators and a gain.
//!
//! ```text
//! M = s U diag(σ/s) V†          s = max σ
//! ```
//! `V†` and `U` are meshes; each `σ/s` is an interferometer of which one output is thrown away; the gain `s` is digital. A matrix that is not
//! square is padded with noughts. A unitary matrix needs one mesh and nothing else.
//! Source: Miller 2013, Photonics Research 1, 1; Shen et al. 2017, Nature Photonics 11, 441.

use super::decomposition::Layout;
use super::matrix::{Complex, Matrix};
use super::phases::{Convention, Phases, attenuator};
use super::singular::Singular;
use std::f64::consts::TAU;

/// How far a matrix may be from a unitary one and still go without attenuators.
const UNITARY: f64 = 1e-5;

/// The phases of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    /// The mesh that light meets first: `V†`, or the whole of a unitary matrix.
    pub first: Phases,
    /// The phases between the arms of the attenuators, and the mesh `U` behind them; nothing for a unitary matrix.
    pub second: Option<(Vec<f64>, Phases)>,
    /// The factor that is applied behind the detectors: to fields once, to powers twice.
    pub gain: f64,
}

impl Circuit {
    /// The circuit of a matrix.
    #[must_use]
    pub fn of(matrix: &Matrix, layout: Layout, convention: Convention) -> Self {
        let modes = matrix.rows().max(matrix.columns());
        let padded = matrix.resized(modes, modes);
        if padded.defect() < UNITARY {
            return Self { first: Phases::of(&padded, layout, convention), second: None, gain: 1.0 };
        }
        let Singular { u, values, v } = Singular::of(&padded);
        // a matrix of noughts has the gain next to nought, so that the noise of its detectors comes to nothing as well
        let gain = values.first().copied().filter(|&s| s > 0.0).unwrap_or(f64::MIN_POSITIVE);
        let mut first = Phases::of(&v.adjoint(), layout, convention);
        let settings: Vec<(f64, f64)> = values.iter().map(|s| attenuator(s / gain)).collect();
        for (phase, (_, adds)) in first.output.iter_mut().zip(&settings) {
            *phase = (*phase - adds).rem_euclid(TAU);
        }
        let attenuators = settings.into_iter().map(|s| s.0).collect();
        Self { first, second: Some((attenuators, Phases::of(&u, layout, convention))), gain }
    }

    /// How many modes.
    #[must_use]
    pub fn modes(&self) -> usize {
        self.first.output.len()
    }

    /// All phases: those of the first mesh, of the attenuators, of the second mesh.
    #[must_use]
    pub fn list(&self) -> Vec<f64> {
        let mut all = self.first.list();
        if let Some((attenuators, mesh)) = &self.second {
            all.extend(attenuators);
            all.extend(mesh.list());
        }
        all
    }

    /// The same circuit with other phases, in the order of [`list`](Self::list).
    #[must_use]
    pub fn with(&self, list: &[f64]) -> Self {
        let modes = self.modes();
        let (first, rest) = list.split_at(modes * modes);
        let second = self.second.as_ref().map(|(_, mesh)| {
            let (attenuators, rest) = rest.split_at(modes);
            (attenuators.to_vec(), mesh.with(rest))
        });
        Self { first: self.first.with(first), second, gain: self.gain }
    }

    /// The matrix of all modes, without the gain.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        match &self.second {
            None => self.first.matrix(),
            Some((attenuators, mesh)) => {
                let mut fields = self.first.matrix();
                attenuated(&mut fields, attenuators, 1.0);
                mesh.matrix().times(&fields)
            }
        }
    }
}

/// Lets fields pass attenuators with these phases between their arms, which let through a part of the amplitude at most.
pub(super) fn attenuated(fields: &mut Matrix, attenuators: &[f64], through: f64) {
    fields.scale_rows(|r| Complex::I * Complex::from_polar(through * (attenuators[r] / 2.0).sin(), attenuators[r] / 2.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_unitary_needs_one_mesh() {
        let circuit = Circuit::of(&Matrix::haar(5, 1), Layout::Rectangle, Convention::SingleArm);
        assert!(circuit.second.is_none() && circuit.list().len() == 25);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_matrix_is_realised(rows in 1..=6_usize, columns in 1..=6_usize, numbers in proptest::collection::vec(-3.0..3.0_f64, 72), real in any::<bool>()) {
            let number = |at: usize| Complex::new(numbers[2 * at], if real { 0.0 } else { numbers[2 * at + 1] });
            let matrix = Matrix::from_fn(rows, columns, |r, c| number(r * columns + c));
            for layout in [Layout::Rectangle, Layout::Triangle] {
                let circuit = Circuit::of(&matrix, layout, Convention::SingleArm);
                let again = circuit.with(&circuit.list());
                prop_assert_eq!(&again, &circuit);
                let found = circuit.matrix().scaled(circuit.gain).resized(rows, columns);
                prop_assert!(found.distance(&matrix) < 1e-12 * (1.0 + circuit.gain));
                // a passive circuit gives no light of its own
                prop_assert!(Singular::of(&circuit.matrix()).values[0] < 1.0 + 1e-12);
            }
        }
    }
}
