//! Meshes of Mach-Zehnder interferometers: the phases that realise a unitary matrix.
//!
//! The rectangular layout of Clements et al. 2016, Optica 3, 1460. Convention, without which phases mean nothing:
//! ```text
//! U = D Π T(θ, φ)                 T = [[e^{iφ} cos θ, -sin θ], [e^{iφ} sin θ, cos θ]]      on modes m, m + 1; light meets the first T first
//! M(θ', φ') = B L(θ') B L(φ')     B = 1/√2 [[1, i], [i, 1]],  L(x) = diag(e^{ix}, 1)       what two couplers and two heaters are
//!           = i e^{iθ'/2} [[e^{iφ'} sin θ'/2, cos θ'/2], [e^{iφ'} cos θ'/2, -sin θ'/2]]
//! M(π - 2θ, φ + π) = e^{-iθ} T(θ, φ)
//! ```
//! The factors `e^{-iθ}` belong to both modes of an element. They are pushed through the elements behind it, since
//! `T(θ, φ) diag(e^{ia}, e^{ib}) = e^{ib} T(θ, φ + a - b)`, and end in the output phases.

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::ops::{Add, Mul, Neg, Sub};

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

impl Complex {
    /// Nought.
    pub const ZERO: Self = Self { re: 0.0, im: 0.0 };
    /// One.
    pub const ONE: Self = Self { re: 1.0, im: 0.0 };

    /// A number from its parts.
    #[must_use]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// A number from its magnitude and its angle in radians.
    #[must_use]
    pub fn polar(magnitude: f64, angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self { re: magnitude * cos, im: magnitude * sin }
    }

    /// The same with the other sign of the imaginary part.
    #[must_use]
    pub fn conj(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    /// The square of the magnitude.
    #[must_use]
    pub fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// The magnitude.
    #[must_use]
    pub fn magnitude(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// The angle in radians, from -π to π.
    #[must_use]
    pub fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { re: self.re + o.re, im: self.im + o.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self { re: self.re - o.re, im: self.im - o.im }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }
}

/// A square matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    size: usize,
    entries: Vec<Complex>,
}

impl Matrix {
    /// Ones on the diagonal.
    #[must_use]
    pub fn identity(size: usize) -> Self {
        let mut entries = vec![Complex::ZERO; size * size];
        entries.iter_mut().step_by(size + 1).for_each(|e| *e = Complex::ONE);
        Self { size, entries }
    }

    /// How many rows and columns.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The entry of a row and a column.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> Complex {
        self.entries[row * self.size + column]
    }

    /// Sets the entry of a row and a column.
    pub fn put(&mut self, row: usize, column: usize, value: Complex) {
        self.entries[row * self.size + column] = value;
    }

    /// The largest magnitude of an entry of `M† M - 1`: how far it is from a unitary one.
    #[must_use]
    pub fn defect(&self) -> f64 {
        let n = self.size;
        let product = |a: usize, b: usize| (0..n).fold(Complex::ZERO, |sum, k| sum + self.at(k, a).conj() * self.at(k, b));
        let entries = (0..n * n).map(|i| (i / n, i % n));
        entries.fold(0.0, |worst: f64, (a, b)| {
            let wanted = if a == b { Complex::ONE } else { Complex::ZERO };
            worst.max((product(a, b) - wanted).magnitude())
        })
    }

    /// Lets two modes of every column, `top` and the next, pass an element: multiplies from the left.
    fn pass(&mut self, top: usize, element: [[Complex; 2]; 2]) {
        for column in 0..self.size {
            let (a, b) = (self.at(top, column), self.at(top + 1, column));
            self.put(top, column, element[0][0] * a + element[0][1] * b);
            self.put(top + 1, column, element[1][0] * a + element[1][1] * b);
        }
    }

    /// Multiplies two columns by an element from the right.
    fn pass_right(&mut self, left: usize, element: [[Complex; 2]; 2]) {
        for row in 0..self.size {
            let (a, b) = (self.at(row, left), self.at(row, left + 1));
            self.put(row, left, a * element[0][0] + b * element[1][0]);
            self.put(row, left + 1, a * element[0][1] + b * element[1][1]);
        }
    }
}

/// The element `T(θ, φ)` of the convention.
fn element(theta: f64, phi: f64) -> [[Complex; 2]; 2] {
    let (sin, cos) = theta.sin_cos();
    [[Complex::polar(cos, phi), Complex::new(-sin, 0.0)], [Complex::polar(sin, phi), Complex::new(cos, 0.0)]]
}

fn inverse([[a, b], [c, d]]: [[Complex; 2]; 2]) -> [[Complex; 2]; 2] {
    [[a.conj(), c.conj()], [b.conj(), d.conj()]]
}

/// What two couplers of half and half are between an input phase `external` and a phase `internal` between them.
#[must_use]
pub fn interferometer(internal: f64, external: f64) -> [[Complex; 2]; 2] {
    let common = Complex::polar(1.0, FRAC_PI_2 + internal / 2.0);
    let (sin, cos) = (internal / 2.0).sin_cos();
    let upper = common * Complex::polar(1.0, external);
    let by = |factor: Complex, real: f64| factor * Complex::new(real, 0.0);
    [[by(upper, sin), by(common, cos)], [by(upper, cos), by(common, -sin)]]
}

/// One element of a decomposition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    /// The first of its two neighbouring modes.
    pub mode: usize,
    /// The mixing angle θ, from 0 to π/2.
    pub theta: f64,
    /// The phase φ of its first input.
    pub phi: f64,
}

/// A unitary matrix as elements, in the order in which light meets them, and phases at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// The elements; which modes they join depends on the size alone.
    pub elements: Vec<Element>,
    /// The phase of each mode behind the last element.
    pub output: Vec<f64>,
}

/// Takes a unitary matrix apart, in the rectangular layout.
#[must_use]
pub fn decompose(unitary: &Matrix) -> Decomposition {
    let n = unitary.size();
    let mut rest = unitary.clone();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for diagonal in 1..n {
        for j in 0..diagonal {
            if diagonal % 2 == 1 {
                // the entry of row r and column m vanishes when columns m, m + 1 are mixed from the right
                let (row, mode) = (n - 1 - j, diagonal - 1 - j);
                let (theta, phi) = nulling(rest.at(row, mode), rest.at(row, mode + 1));
                rest.pass_right(mode, inverse(element(theta, phi)));
                first.push(Element { mode, theta, phi });
            } else {
                // the entry of row m + 1 vanishes when rows m, m + 1 are mixed from the left
                let (row, column) = (n + j - diagonal, j);
                let mode = row - 1;
                let (theta, phi) = nulling(-rest.at(row, column), rest.at(mode, column));
                rest.pass(mode, element(theta, phi));
                last.push(Element { mode, theta, phi });
            }
        }
    }
    let mut diagonal: Vec<f64> = (0..n).map(|k| rest.at(k, k).angle()).collect();
    // T⁻¹ D = D' T' with θ' = θ, e^{iφ'} = -d₁/d₂, d₁' = -e^{-iφ} d₂, d₂' = d₂
    for Element { mode, theta, phi } in last.into_iter().rev() {
        let (upper, lower) = (diagonal[mode], diagonal[mode + 1]);
        first.push(Element { mode, theta, phi: upper - lower + PI });
        diagonal[mode] = lower - phi + PI;
    }
    Decomposition { elements: first, output: diagonal }
}

/// The angles with `tan θ e^{iφ} = a / b`.
fn nulling(a: Complex, b: Complex) -> (f64, f64) {
    if a.power() == 0.0 {
        return (0.0, 0.0);
    }
    if b.power() == 0.0 {
        return (FRAC_PI_2, 0.0);
    }
    (a.magnitude().atan2(b.magnitude()), (a * b.conj()).angle())
}

/// Phases of the heaters of a mesh, each from 0 to 2π.
#[derive(Debug, Clone, PartialEq)]
pub struct Phases {
    /// For each element its first mode, the phase between its couplers and the one before them.
    pub elements: Vec<(usize, f64, f64)>,
    /// The phase of each mode behind the last element.
    pub output: Vec<f64>,
}

impl Decomposition {
    /// The phases of interferometers that realise it.
    #[must_use]
    pub fn phases(&self) -> Phases {
        // what each mode still lacks in phase before its next element
        let mut lacks = vec![0.0; self.output.len()];
        let mut elements = Vec::with_capacity(self.elements.len());
        for &Element { mode, theta, phi } in &self.elements {
            let (upper, lower) = (lacks[mode], lacks[mode + 1]);
            elements.push((mode, PI - 2.0 * theta, (phi + upper - lower + PI).rem_euclid(TAU)));
            lacks[mode] = lower + theta;
            lacks[mode + 1] = lower + theta;
        }
        let output = self.output.iter().zip(&lacks).map(|(phase, lack)| (phase + lack).rem_euclid(TAU)).collect();
        Phases { elements, output }
    }
}

impl Phases {
    /// Lets fields pass, one number for each mode.
    pub fn pass(&self, field: &mut [Complex]) {
        for &(mode, internal, external) in &self.elements {
            let [[a, b], [c, d]] = interferometer(internal, external);
            let (upper, lower) = (field[mode], field[mode + 1]);
            field[mode] = a * upper + b * lower;
            field[mode + 1] = c * upper + d * lower;
        }
        field.iter_mut().zip(&self.output).for_each(|(e, &phase)| *e = *e * Complex::polar(1.0, phase));
    }

    /// The matrix that they realise.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        let size = self.output.len();
        let mut matrix = Matrix::identity(size);
        for column in 0..size {
            let mut field: Vec<Complex> = (0..size).map(|row| matrix.at(row, column)).collect();
            self.pass(&mut field);
            field.into_iter().enumerate().for_each(|(row, value)| matrix.put(row, column, value));
        }
        matrix
    }
}

/// The first modes of the elements of a mesh of some size, in the order in which light meets them.
#[must_use]
pub fn layout(size: usize) -> Vec<usize> {
    decompose(&Matrix::identity(size)).elements.iter().map(|e| e.mode).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A unitary matrix from any numbers, by the method of Gram and Schmidt; nothing if they are too nearly dependent.
    pub(crate) fn unitary(size: usize, numbers: &[f64]) -> Option<Matrix> {
        let mut columns: Vec<Vec<Complex>> = Vec::new();
        for c in 0..size {
            let at = |r: usize| Complex::new(numbers[2 * (c * size + r)], numbers[2 * (c * size + r) + 1]);
            let mut column: Vec<Complex> = (0..size).map(at).collect();
            // twice is enough
            for earlier in columns.iter().chain(columns.iter()) {
                let part = earlier.iter().zip(&column).fold(Complex::ZERO, |sum, (&e, &v)| sum + e.conj() * v);
                column.iter_mut().zip(earlier).for_each(|(v, &e)| *v = *v - part * e);
            }
            let length = column.iter().map(|v| v.power()).sum::<f64>().sqrt();
            if length < 1e-3 {
                return None;
            }
            column.iter_mut().for_each(|v| *v = *v * Complex::new(1.0 / length, 0.0));
            columns.push(column);
        }
        let mut matrix = Matrix::identity(size);
        for (c, column) in columns.iter().enumerate() {
            column.iter().enumerate().for_each(|(r, &v)| matrix.put(r, c, v));
        }
        Some(matrix)
    }

    fn distance(a: &Matrix, b: &Matrix) -> f64 {
        a.entries.iter().zip(&b.entries).map(|(&x, &y)| (x - y).magnitude()).fold(0.0, f64::max)
    }

    #[test]
    fn an_interferometer_is_two_couplers_and_two_phases() {
        let (internal, external) = (0.7, -2.1);
        let coupler = [[(1.0, 0.0), (0.0, 1.0)], [(0.0, 1.0), (1.0, 0.0)]];
        let r = Complex::new(std::f64::consts::FRAC_1_SQRT_2, 0.0);
        let coupler = coupler.map(|row| row.map(|(re, im)| r * Complex::new(re, im)));
        let mut by_parts = Matrix::identity(2);
        for phase in [external, internal] {
            by_parts.pass(0, [[Complex::polar(1.0, phase), Complex::ZERO], [Complex::ZERO, Complex::ONE]]);
            by_parts.pass(0, coupler);
        }
        let mut at_once = Matrix::identity(2);
        at_once.pass(0, interferometer(internal, external));
        assert!(distance(&by_parts, &at_once) < 1e-15);
    }

    #[test]
    fn the_rectangle_has_its_counts() {
        assert_eq!(layout(2), [0]);
        assert_eq!(layout(4), [0, 2, 1, 0, 2, 1]);
        for size in 1..=9 {
            let modes = layout(size);
            assert_eq!(modes.len(), size * (size - 1) / 2);
            let mut depth = vec![0; size];
            for mode in modes {
                let next = depth[mode].max(depth[mode + 1]) + 1;
                (depth[mode], depth[mode + 1]) = (next, next);
            }
            assert!(depth.iter().all(|&d| d <= size));
        }
    }

    #[test]
    fn a_permutation_needs_only_bars_and_crosses() {
        let mut cycle = Matrix::identity(4);
        for r in 0..4 {
            for c in 0..4 {
                cycle.put(r, c, if (c + 1) % 4 == r { Complex::ONE } else { Complex::ZERO });
            }
        }
        let found = decompose(&cycle);
        assert!(found.elements.iter().all(|e| e.theta < 1e-12 || (e.theta - FRAC_PI_2).abs() < 1e-12), "{found:?}");
        assert!(distance(&found.phases().matrix(), &cycle) < 1e-14);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_mesh_gives_back_its_matrix(size in 1..=8_usize, numbers in proptest::collection::vec(-1.0..1.0_f64, 128)) {
            let Some(wanted) = unitary(size, &numbers) else { return Ok(()) };
            prop_assert!(wanted.defect() < 1e-13);
            let found = decompose(&wanted);
            prop_assert_eq!(found.elements.iter().map(|e| e.mode).collect::<Vec<_>>(), layout(size));
            prop_assert!(found.elements.iter().all(|e| (0.0..=FRAC_PI_2).contains(&e.theta)));
            let phases = found.phases();
            prop_assert!(distance(&phases.matrix(), &wanted) < 1e-12);
            let all = phases.elements.iter().flat_map(|e| [e.1, e.2]).chain(phases.output.iter().copied());
            prop_assert!(all.into_iter().all(|p| (-1e-12..=TAU).contains(&p)));
        }
    }
}
