//! Phases of a mesh, with the convention without which they mean nothing.
//!
//! An element is two couplers with a phase `x` between their arms and a phase `φ` before the upper input,
//! ```text
//! B(ε) = [[cos(π/4 + ε), i sin(π/4 + ε)], [i sin(π/4 + ε), cos(π/4 + ε)]]          L(x) = diag(e^{ix}, 1)          P(x) = diag(e^{ix/2}, e^{-ix/2})
//! single arm     M(x, φ) = B L(x) B L(φ) = i e^{ix/2} [[e^{iφ} sin x/2, cos x/2], [e^{iφ} cos x/2, -sin x/2]]
//! Clements       T(θ, φ) = i B P(π - 2θ) B L(φ + π) = [[e^{iφ} cos θ, -sin θ], [e^{iφ} sin θ, cos θ]]          x = 2θ
//! ```
//! so that bar and cross change places between the two. The first is how most chips are built, with one heater in an arm, and what neurophox
//! calls `SMMZI`; the second, driven in both arms, is that of the package interferometer and of photontorch (whose element has the
//! propagation phase `2π n L/λ` besides, the same for all).
//! Sources: Clements et al. 2016, Optica 3, 1460; `neurophox/components/mzi.py`; `photontorch/components/mzis.py`.

use super::decomposition::{Decomposition, Layout};
use super::matrix::{Complex, Matrix};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

/// What the two phases of an element stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Convention {
    /// `T(θ, φ)`, driven in both arms; the phase between the arms is 2θ.
    Clements,
    /// `M(x, φ)`, driven in one arm; the phase between the arms is x.
    SingleArm,
}

/// The phases of one element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The first of its two neighbouring modes.
    pub mode: usize,
    /// The phase between its arms, in radian.
    pub internal: f64,
    /// The phase before its upper input, in radian.
    pub external: f64,
}

/// The phases of a mesh, each from 0 to 2π.
#[derive(Debug, Clone, PartialEq)]
pub struct Phases {
    /// What the phases of the elements stand for.
    pub convention: Convention,
    /// The elements in the order in which light meets them.
    pub elements: Vec<Setting>,
    /// The phase of each mode behind the last element.
    pub output: Vec<f64>,
}

impl Convention {
    /// What an element does to its two modes. `split` are the errors ε of its two couplers, the first one first, in radian.
    #[must_use]
    pub fn element(self, internal: f64, external: f64, split: [f64; 2]) -> [[Complex; 2]; 2] {
        if split == [0.0; 2] {
            return self.even(internal, external);
        }
        let ([upper, lower], before) = match self {
            Self::SingleArm => ([Complex::cis(internal), Complex::ONE], Complex::cis(external)),
            Self::Clements => {
                // i e^{i(π/2 - θ)} = -e^{-iθ} and i e^{-i(π/2 - θ)} = e^{iθ}
                let half = Complex::cis(internal / 2.0);
                ([-half.conj(), half], -Complex::cis(external))
            }
        };
        let ((s1, c1), (s2, c2)) = ((FRAC_PI_4 + split[0]).sin_cos(), (FRAC_PI_4 + split[1]).sin_cos());
        [
            [before * (upper * (c2 * c1) - lower * (s2 * s1)), Complex::I * (upper * (c2 * s1) + lower * (s2 * c1))],
            [before * Complex::I * (upper * (s2 * c1) + lower * (c2 * s1)), lower * (c2 * c1) - upper * (s2 * s1)],
        ]
    }

    /// An element with even couplers.
    fn even(self, internal: f64, external: f64) -> [[Complex; 2]; 2] {
        let ((sin, cos), external) = ((internal / 2.0).sin_cos(), Complex::cis(external));
        match self {
            Self::Clements => [[external * cos, Complex::from(-sin)], [external * sin, Complex::from(cos)]],
            Self::SingleArm => {
                // i e^{ix/2}
                let common = Complex::new(-sin, cos);
                [[common * external * sin, common * cos], [common * external * cos, -common * sin]]
            }
        }
    }
}

impl Phases {
    /// The phases that realise a unitary matrix.
    #[must_use]
    pub fn of(unitary: &Matrix, layout: Layout, convention: Convention) -> Self {
        let found = Decomposition::of(unitary, layout);
        let elements = found.elements.iter().map(|e| Setting { mode: e.mode, internal: 2.0 * e.theta, external: e.phi });
        Self { convention: Convention::Clements, elements: elements.collect(), output: found.output }.to(convention)
    }

    /// The same mesh in a convention, with phases from 0 to 2π.
    ///
    /// What an element lacks in phase is pushed through those behind it and ends in the output phases.
    #[must_use]
    pub fn to(&self, convention: Convention) -> Self {
        self.turned(convention, |_, found| found)
    }

    /// The same matrix in the convention of other phases, with elements that are as near to those as they can be.
    ///
    /// The phases `x` and `φ` of an element do the same as `2π - x` and `φ + π`, up to phases behind it. The phase before an element that is nearly
    /// all bar or all cross hardly shows in a matrix, so that where matrices are measured it is mostly error, which phases behind it would
    /// have to undo: below a mixing `|sin x|` of about `doubt` the phase is taken to be the other one. With no doubt the matrix is the same.
    #[must_use]
    pub fn near(&self, other: &Self, doubt: f64) -> Self {
        self.turned(other.convention, |index, (internal, external, [a, b])| {
            let wanted = other.elements[index];
            let off = |a: f64, b: f64| Complex::cis(a - b).arg();
            let mixing = internal.sin().abs();
            let distance =
                |internal, external| off(internal, wanted.internal).abs() + off(external, wanted.external).abs() * mixing;
            let (as_found, folded) = ((internal, external), (TAU - internal, external + PI));
            let turn = match other.convention {
                // T(π - θ, φ + π) = diag(1, -1) T(θ, φ)
                Convention::Clements => Complex::ONE,
                // M(2π - x, φ + π) = e^{-ix} diag(1, -1) M(x, φ)
                Convention::SingleArm => Complex::cis(internal),
            };
            let crossing = match other.convention {
                Convention::Clements => internal > FRAC_PI_2,
                Convention::SingleArm => internal < FRAC_PI_2,
            };
            let ((internal, external), [a, b]) = if distance(as_found.0, as_found.1) <= distance(folded.0, folded.1) {
                (as_found, [a, b])
            } else {
                (folded, [a * turn, -b * turn])
            };
            // what the larger entries tell stays as it is
            let back = off(wanted.external, external) * doubt * doubt / (doubt * doubt + mixing * mixing).max(f64::MIN_POSITIVE);
            let behind = if crossing { [a, b * Complex::cis(-back)] } else { [a * Complex::cis(-back), b] };
            (internal, external + back, behind)
        })
    }

    /// The same mesh in a convention; `choose` may write an element otherwise, as phases `x`, `φ` and what is behind it.
    fn turned(
        &self,
        convention: Convention,
        choose: impl Fn(usize, (f64, f64, [Complex; 2])) -> (f64, f64, [Complex; 2]),
    ) -> Self {
        // numbers of magnitude one, since angles that add up lose digits
        let mut lacks = vec![Complex::ONE; self.output.len()];
        let turn = |(index, setting): (usize, &Setting)| {
            let Setting { mode, internal, external } = *setting;
            let (upper, lower) = (lacks[mode], lacks[mode + 1]);
            // T L(u, l) = e^{il} T(θ, φ + u - l)
            let external = external + (upper * lower.conj()).arg();
            let found = if convention == self.convention {
                (internal, external, [lower; 2])
            } else {
                // T(θ, φ) = e^{iθ} M(π - 2θ, φ + π)
                let other = (PI - internal).rem_euclid(TAU);
                let common = match convention {
                    Convention::SingleArm => Complex::cis(internal / 2.0),
                    Convention::Clements => Complex::cis(-other / 2.0),
                };
                (other, external + PI, [lower * common; 2])
            };
            let (internal, external, behind) = choose(index, found);
            [lacks[mode], lacks[mode + 1]] = behind;
            Setting { mode, internal, external: external.rem_euclid(TAU) }
        };
        let elements = self.elements.iter().enumerate().map(turn).collect();
        let turned = |(&phase, lack): (&f64, &Complex)| (Complex::cis(phase) * lack).arg().rem_euclid(TAU);
        let output = self.output.iter().zip(&lacks).map(turned).collect();
        Self { convention, elements, output }
    }

    /// All phases: for each element that between its arms and that before it, then those of the outputs.
    #[must_use]
    pub fn list(&self) -> Vec<f64> {
        self.elements.iter().flat_map(|e| [e.internal, e.external]).chain(self.output.iter().copied()).collect()
    }

    /// The same mesh with other phases, in the order of [`list`](Self::list).
    #[must_use]
    pub fn with(&self, list: &[f64]) -> Self {
        let mut other = self.clone();
        other.set(list);
        other
    }

    /// Sets all phases, in the order of [`list`](Self::list).
    pub fn set(&mut self, list: &[f64]) {
        let (elements, output) = list.split_at(2 * self.elements.len());
        for (element, phases) in self.elements.iter_mut().zip(elements.chunks_exact(2)) {
            (element.internal, element.external) = (phases[0], phases[1]);
        }
        self.output.copy_from_slice(output);
    }

    /// Lets fields pass, one number for each mode.
    pub fn pass(&self, field: &mut [Complex]) {
        for &Setting { mode, internal, external } in &self.elements {
            let [[a, b], [c, d]] = self.convention.element(internal, external, [0.0; 2]);
            let (upper, lower) = (field[mode], field[mode + 1]);
            field[mode] = a * upper + b * lower;
            field[mode + 1] = c * upper + d * lower;
        }
        field.iter_mut().zip(&self.output).for_each(|(e, &phase)| *e *= Complex::cis(phase));
    }

    /// The matrix that they realise.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        let mut matrix = Matrix::identity(self.output.len());
        for &Setting { mode, internal, external } in &self.elements {
            matrix.pass(mode, self.convention.element(internal, external, [0.0; 2]));
        }
        matrix.scale_rows(|r| Complex::cis(self.output[r]));
        matrix
    }
}

/// The field that an interferometer passes on from one input to one output, the other output being thrown away: its phase between the arms for
/// an amplitude from 0 to 1, and the phase that this adds, `π/2 + x/2`.
#[must_use]
pub fn attenuator(amplitude: f64) -> (f64, f64) {
    let between = 2.0 * amplitude.clamp(0.0, 1.0).asin();
    (between, FRAC_PI_2 + between / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::FRAC_1_SQRT_2;

    #[test]
    fn an_element_is_two_couplers_and_two_phases() {
        let (internal, external) = (0.7, -2.1);
        let coupler = [[Complex::ONE, Complex::I], [Complex::I, Complex::ONE]].map(|row| row.map(|e| e * FRAC_1_SQRT_2));
        let mut by_parts = Matrix::identity(2);
        for phase in [external, internal] {
            by_parts.pass(0, [[Complex::cis(phase), Complex::ZERO], [Complex::ZERO, Complex::ONE]]);
            by_parts.pass(0, coupler);
        }
        // the smallest error of a coupler takes the way by parts
        for split in [0.0, f64::MIN_POSITIVE] {
            let mut at_once = Matrix::identity(2);
            at_once.pass(0, Convention::SingleArm.element(internal, external, [split; 2]));
            assert!(by_parts.distance(&at_once) < 1e-15);
        }
        let (sin, cos) = 0.35_f64.sin_cos();
        let wanted =
            [[Complex::from_polar(cos, external), Complex::from(-sin)], [Complex::from_polar(sin, external), Complex::from(cos)]];
        let by_hand = Matrix::from_fn(2, 2, |r, c| wanted[r][c]);
        for split in [0.0, f64::MIN_POSITIVE] {
            let mut clements = Matrix::identity(2);
            clements.pass(0, Convention::Clements.element(internal, external, [split; 2]));
            assert!(clements.distance(&by_hand) < 1e-15);
        }
    }

    #[test]
    fn layouts_have_their_counts() {
        assert_eq!(Layout::Rectangle.modes(2), [0]);
        assert_eq!(Layout::Rectangle.modes(4), [0, 2, 1, 0, 2, 1]);
        assert_eq!(Layout::Triangle.modes(4), [0, 1, 2, 0, 1, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_mesh_gives_back_its_matrix(size in 1..=8_usize, seed in 0..1000_u64) {
            let wanted = Matrix::haar(size, seed);
            prop_assert!(wanted.defect() < 1e-13);
            for layout in [Layout::Rectangle, Layout::Triangle] {
                for convention in [Convention::Clements, Convention::SingleArm] {
                    let phases = Phases::of(&wanted, layout, convention);
                    let modes: Vec<usize> = phases.elements.iter().map(|e| e.mode).collect();
                    prop_assert_eq!(modes, layout.modes(size));
                    prop_assert!(phases.matrix().distance(&wanted) < 1e-12);
                    prop_assert!(phases.list().into_iter().all(|p| (-1e-12..=TAU).contains(&p)));
                    prop_assert!(phases.elements.iter().all(|e| e.internal <= PI + 1e-12));
                }
            }
        }

        #[test]
        fn a_convention_is_turned_into_the_other_and_back(size in 2..=6_usize, numbers in proptest::collection::vec(0.0..TAU, 36)) {
            let start = Phases::of(&Matrix::identity(size), Layout::Rectangle, Convention::SingleArm).with(&numbers[..size * size]);
            let other = start.to(Convention::Clements);
            prop_assert!(other.matrix().distance(&start.matrix()) < 1e-12);
            prop_assert!(other.to(Convention::SingleArm).matrix().distance(&start.matrix()) < 1e-12);
            // phases that are measured by their matrix, and asked to be near, are those that were set
            for setting in [&start, &other.with(&numbers[..size * size])] {
                let measured = Phases::of(&setting.matrix(), Layout::Rectangle, Convention::Clements);
                let found = measured.near(setting, 0.0);
                prop_assert!(found.matrix().distance(&setting.matrix()) < 1e-12);
                if setting.elements.iter().all(|e| e.internal.sin().abs() > 0.05) {
                    let off = |(a, b): (f64, f64)| Complex::cis(a - b).arg().abs();
                    prop_assert!(found.list().into_iter().zip(setting.list()).map(off).all(|d| d < 1e-8));
                }
            }
        }
    }
}
