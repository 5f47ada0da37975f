//! Optical maps: a complex matrix between modes of light, and the detectors behind it.
//!
//! ```text
//! E = U x          y = |E|²  (intensity)          y = (Re E, Im E)  (homodyne)
//! ```
//! A detector measures a power, so that `y = |U x|²` is no linear map; it is a node kind of its own, with this reference in double precision.
//! The phases come out only where each output meets a reference of known phase. Fields are in units of the field at full scale, powers in
//! units of the power at full scale.
//! Source: Clements et al. 2016, Optica 3, 1460 (meshes); Zhang et al. 2021, Nat. Commun. 12, 457 (both ways of detection).

use crate::bound::{Accuracy, Bounded};
use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

/// How numbers become fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// One real amplitude for each mode; a negative one is a field of the opposite phase.
    Real,
    /// A pair for each mode: real and imaginary part.
    Complex,
}

/// How fields become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detection {
    /// The power of each mode.
    Intensity,
    /// A pair for each mode, real and imaginary part, by interference with a reference.
    Homodyne,
}

/// A complex matrix between modes of light, with an encoding before it and a detection behind it.
///
/// # Shapes
/// - matrix `[out, in, 2]`: pairs of real and imaginary parts;
/// - input `[in]` ([`Encoding::Real`]) or `[in, 2]`; output `[out]` ([`Detection::Intensity`]) or `[out, 2]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Optical {
    matrix: Tensor,
    /// The pairs of the matrix, row-major.
    pairs: Arc<[[f64; 2]]>,
    encoding: Encoding,
    detection: Detection,
    input: Shape,
    output: Shape,
}

impl Optical {
    /// A map with this matrix.
    ///
    /// # Errors
    /// `InvalidProgram` if the matrix has no shape `[out, in, 2]`, is empty, or holds a number that is not finite.
    pub fn new(matrix: Tensor, encoding: Encoding, detection: Detection) -> Result<Self> {
        let &[out, modes, 2] = matrix.shape().extents() else {
            return Err(Error::invalid_program(format!(
                "the matrix of an optical map has shape {}: give it the axes [out, in, 2], the last for real and imaginary part",
                matrix.shape()
            )));
        };
        if matrix.is_empty() || !matrix.is_finite() {
            return Err(Error::invalid_program("the matrix of an optical map is empty or holds a number that is not finite"));
        }
        let numbers = matrix.to_f64();
        let (pairs, _) = numbers.as_chunks::<2>();
        let input = if encoding == Encoding::Real { Shape::from(modes) } else { Shape::from([modes, 2]) };
        let output = if detection == Detection::Intensity { Shape::from(out) } else { Shape::from([out, 2]) };
        Ok(Self { pairs: pairs.into(), matrix, encoding, detection, input, output })
    }

    /// The shape of the input.
    #[must_use]
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// The shape of the output.
    #[must_use]
    pub fn output(&self) -> &Shape {
        &self.output
    }

    /// The matrix, `[out, in, 2]`.
    #[must_use]
    pub fn matrix(&self) -> &Tensor {
        &self.matrix
    }

    /// The pairs of real and imaginary parts of the matrix, row-major.
    #[must_use]
    pub fn pairs(&self) -> &[[f64; 2]] {
        &self.pairs
    }

    /// Modes that go in.
    #[must_use]
    pub fn modes_in(&self) -> usize {
        self.input.extents()[0]
    }

    /// Modes that come out.
    #[must_use]
    pub fn modes_out(&self) -> usize {
        self.output.extents()[0]
    }

    /// How numbers become fields.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How fields become numbers.
    #[must_use]
    pub fn detection(&self) -> Detection {
        self.detection
    }

    /// The name of the kind: `optical_intensity` or `optical_homodyne`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.detection {
            Detection::Intensity => "optical_intensity",
            Detection::Homodyne => "optical_homodyne",
        }
    }

    /// The same map with another matrix.
    ///
    /// # Errors
    /// `NotFound` if the parameter is another one than `matrix`; `InvalidProgram` if the matrix has another shape or is not finite.
    pub fn with_parameter(&self, name: &str, tensor: Tensor) -> Result<Self> {
        if name != "matrix" {
            return Err(Error::not_found(format!("there is no parameter {name:?}; it has matrix")));
        }
        if tensor.shape() != self.matrix.shape() {
            let why = format!("a matrix of shape {} takes the place of one of {}", tensor.shape(), self.matrix.shape());
            return Err(Error::invalid_program(why));
        }
        Self::new(tensor, self.encoding, self.detection)
    }

    /// The field that a row of numbers encodes.
    #[must_use]
    pub fn field(&self, x: &[f64]) -> Vec<[f64; 2]> {
        match self.encoding {
            Encoding::Real => x.iter().map(|&re| [re, 0.0]).collect(),
            Encoding::Complex => x.as_chunks::<2>().0.to_vec(),
        }
    }

    /// The fields behind the matrix: for each output the products in ascending order of their inputs.
    fn fields(&self, x: &[f64]) -> impl Iterator<Item = [f64; 2]> {
        let field = self.field(x);
        self.pairs.chunks_exact(self.modes_in()).map(move |row| {
            row.iter().zip(&field).fold([0.0, 0.0], |[re, im], (&[a, b], &[c, d])| [re + a * c - b * d, im + a * d + b * c])
        })
    }

    /// Computes what the detectors read.
    ///
    /// # Panics
    /// May panic if `x` or `y` do not have as many elements as input and output.
    pub fn apply(&self, x: &[f64], y: &mut [f64]) {
        match self.detection {
            Detection::Intensity => y.iter_mut().zip(self.fields(x)).for_each(|(y, [re, im])| *y = re * re + im * im),
            Detection::Homodyne => y.as_chunks_mut::<2>().0.iter_mut().zip(self.fields(x)).for_each(|(y, e)| *y = e),
        }
    }

    /// For each real and imaginary part behind the matrix, in this order, the sum of the magnitudes of its products with a row of magnitudes;
    /// it scales every bound of an error of the fields.
    #[must_use]
    pub fn magnitudes(&self, x_abs: &[f64]) -> Vec<[f64; 2]> {
        let field = self.field(x_abs);
        let row = |row: &[[f64; 2]]| {
            row.iter().zip(&field).fold([0.0, 0.0], |[re, im], (&[a, b], &[c, d])| {
                let (a, b, c, d) = (a.abs(), b.abs(), c.abs(), d.abs());
                [re + a * c + b * d, im + a * d + b * c]
            })
        };
        self.pairs.chunks_exact(self.modes_in()).map(row).collect()
    }

    /// The most products that are summed in one real or imaginary part.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.input.len()
    }

    /// What the detectors read, with a bound of its error, where the products are summed in an arithmetic of some accuracy.
    pub(crate) fn bound(&self, x: &[Bounded], accuracy: &Accuracy, y: &mut [Bounded]) {
        let values: Vec<f64> = x.iter().map(|b| b.value).collect();
        let errors: Vec<f64> = x.iter().map(|b| b.error).collect();
        let mut value = vec![0.0; y.len()];
        self.apply(&values, &mut value);
        let (magnitudes, carried) = (self.magnitudes(&values), self.magnitudes(&errors));
        let error = |mode: usize, part: usize| accuracy.dot(self.terms(), magnitudes[mode][part], carried[mode][part]);
        for (o, y) in y.iter_mut().enumerate() {
            let error = match self.detection {
                Detection::Homodyne => error(o / 2, o % 2),
                // (e + d)² differs from e² by 2 |e| |d| + d², and |e| is no more than the sum of the magnitudes
                Detection::Intensity => {
                    let (mut magnitude, mut spread) = (0.0, 0.0);
                    for (part, &e) in magnitudes[o].iter().enumerate() {
                        let d = error(o, part);
                        magnitude += (e + d) * (e + d);
                        spread += 2.0 * e * d + d * d;
                    }
                    accuracy.dot(2, magnitude, spread)
                }
            };
            *y = Bounded { value: value[o], error };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::oracle::Oracle;
    use crate::semantics::Semantics;
    use crate::substrate::Run;
    use proptest::prelude::*;
    use std::f64::consts::FRAC_1_SQRT_2 as R;

    /// The symmetric beam splitter `1/√2 [[1, i], [i, 1]]`.
    fn splitter(encoding: Encoding, detection: Detection) -> Optical {
        let matrix = Tensor::new([2, 2, 2], [R, 0.0, 0.0, R, 0.0, R, R, 0.0]).expect("fits");
        Optical::new(matrix, encoding, detection).expect("is one")
    }

    fn run(map: Optical, x: &[f32]) -> Vec<f64> {
        let mut net = Builder::new();
        let x_in = net.input("x", map.input().clone());
        let y = net.node("mesh", map, x_in);
        net.output("y", y);
        let program = net.build(Semantics::exact(1e-3)).expect("builds");
        Oracle::new(&program, &Run::new()).run(x)
    }

    #[track_caller]
    fn assert_close(a: &[f64], b: &[f64]) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15), "{a:?} is not {b:?}");
    }

    #[test]
    fn a_beam_splitter_halves_the_power() {
        let map = splitter(Encoding::Real, Detection::Intensity);
        assert_eq!(map.kind(), "optical_intensity");
        assert_close(&run(map.clone(), &[1.0, 0.0]), &[0.5, 0.5]);
        assert_close(&run(map, &[1.0, 1.0]), &[1.0, 1.0]);
    }

    #[test]
    fn two_fields_in_quadrature_leave_by_one_port() {
        let map = splitter(Encoding::Complex, Detection::Intensity);
        assert_close(&run(map, &[1.0, 0.0, 0.0, 1.0]), &[0.0, 2.0]);
        let map = splitter(Encoding::Complex, Detection::Homodyne);
        assert_close(&run(map, &[1.0, 0.0, 0.0, 1.0]), &[0.0, 0.0, 0.0, 2.0 * R]);
    }

    #[test]
    fn what_is_no_matrix_of_pairs_is_refused() {
        let of = |shape: &[usize], number: f64| {
            let tensor = Tensor::new(shape.to_vec(), vec![number; shape.iter().product()]).expect("fits");
            Optical::new(tensor, Encoding::Real, Detection::Intensity)
        };
        assert!(of(&[2, 2], 0.0).is_err() && of(&[2, 2, 3], 0.0).is_err() && of(&[0, 2, 2], 0.0).is_err());
        assert!(of(&[2, 2, 2], f64::NAN).is_err());
        assert!(of(&[3, 2, 2], 0.0).is_ok());
    }

    #[test]
    fn another_matrix_is_another_program() {
        let build = |map: Optical| {
            let mut net = Builder::new();
            let x = net.input("x", map.input().clone());
            let y = net.node("mesh", map, x);
            net.output("y", y);
            net.build(Semantics::exact(1e-3)).expect("builds")
        };
        let program = build(splitter(Encoding::Real, Detection::Intensity));
        let tuned = program.with_parameter("mesh", "matrix", Tensor::new([2, 2, 2], [0.0; 8]).expect("fits")).expect("tunes");
        assert_ne!(program.digest(), tuned.digest());
        assert!(program.with_parameter("mesh", "matrix", [[0.0, 1.0]].into()).is_err());
        let text = program.to_string();
        assert!(text.contains("mesh: optical_intensity [2] -> [2]"), "{text}");
    }

    proptest! {
        #[test]
        fn the_bound_covers_single_precision(numbers in proptest::array::uniform8(-1.0..1.0_f32), x in proptest::array::uniform4(-1.0..1.0_f32)) {
            let matrix = Tensor::single([2, 2, 2], numbers.to_vec()).expect("fits");
            for detection in [Detection::Intensity, Detection::Homodyne] {
                let map = Optical::new(matrix.clone(), Encoding::Complex, detection).expect("is one");
                let exact: Vec<Bounded> = x.iter().map(|&v| Bounded::exact(f64::from(v))).collect();
                let mut judged = vec![Bounded::default(); map.output().len()];
                map.bound(&exact, &Accuracy::single(), &mut judged);
                for mode in 0..2 {
                    let m = &numbers[4 * mode..4 * mode + 4];
                    let re = m[0] * x[0] - m[1] * x[1] + m[2] * x[2] - m[3] * x[3];
                    let im = m[0] * x[1] + m[1] * x[0] + m[2] * x[3] + m[3] * x[2];
                    match detection {
                        Detection::Intensity => prop_assert!(judged[mode].covers(f64::from(re * re + im * im))),
                        Detection::Homodyne => {
                            prop_assert!(judged[2 * mode].covers(f64::from(re)));
                            prop_assert!(judged[2 * mode + 1].covers(f64::from(im)));
                        }
                    }
                }
            }
        }

        #[test]
        fn a_unitary_keeps_the_power(angle in 0.0..6.3_f64, phase in 0.0..6.3_f64, x in proptest::array::uniform4(-1.0..1.0_f64)) {
            let ((s, c), (q, p)) = (angle.sin_cos(), phase.sin_cos());
            let matrix = Tensor::new([2, 2, 2], [p * c, q * c, -s, 0.0, p * s, q * s, c, 0.0]).expect("fits");
            let mut y = [0.0; 2];
            Optical::new(matrix.clone(), Encoding::Complex, Detection::Intensity).expect("is one").apply(&x, &mut y);
            let power = x.iter().map(|v| v * v).sum::<f64>();
            prop_assert!((y[0] + y[1] - power).abs() < 1e-14);
            let mut e = [0.0; 4];
            Optical::new(matrix, Encoding::Complex, Detection::Homodyne).expect("is one").apply(&x, &mut e);
            prop_assert!((e[0] * e[0] + e[1] * e[1] - y[0]).abs() < 1e-14);
        }
    }
}
