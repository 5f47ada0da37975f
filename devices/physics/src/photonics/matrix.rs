//! Complex matrices between modes of light.

use isoform_core::draw::Key;
pub use num_complex::Complex64 as Complex;
use std::f64::consts::TAU;

/// A matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    entries: Vec<Complex>,
}

impl Matrix {
    /// Noughts.
    #[must_use]
    pub fn zero(rows: usize, columns: usize) -> Self {
        Self { rows, columns, entries: vec![Complex::ZERO; rows * columns] }
    }

    /// Ones on the diagonal.
    #[must_use]
    pub fn identity(size: usize) -> Self {
        Self::from_fn(size, size, |r, c| if r == c { Complex::ONE } else { Complex::ZERO })
    }

    /// A matrix whose entries are told by their row and column.
    #[must_use]
    pub fn from_fn(rows: usize, columns: usize, mut entry: impl FnMut(usize, usize) -> Complex) -> Self {
        let places = (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c)));
        Self { rows, columns, entries: places.map(|(r, c)| entry(r, c)).collect() }
    }

    /// A unitary matrix made of any numbers, two for each entry, column by column, by the method of Gram and Schmidt; nothing if columns are
    /// too nearly dependent.
    ///
    /// # Panics
    /// Panics if there are fewer than `2 size²` numbers.
    #[must_use]
    pub fn orthonormal(size: usize, numbers: &[f64]) -> Option<Self> {
        let mut columns: Vec<Vec<Complex>> = Vec::with_capacity(size);
        for c in 0..size {
            let at = |r: usize| Complex::new(numbers[2 * (c * size + r)], numbers[2 * (c * size + r) + 1]);
            let column = (0..size).map(at).collect();
            columns.push(perpendicular(&columns, column)?);
        }
        Some(Self::from_fn(size, size, |r, c| columns[c][r]))
    }

    /// A unitary matrix drawn from Haar's measure: normal numbers, made orthonormal (Mezzadri 2007, Notices of the AMS 54, 592).
    #[must_use]
    pub fn haar(size: usize, seed: u64) -> Self {
        let mut drawn = vec![0.0_f32; 2 * size * size];
        // columns that depend on each other have no chance worth a number, but a loop needs an end
        for again in 0..u64::MAX {
            Key::new(seed, HAAR).fill_normal(0, 0, again, &mut drawn);
            let numbers: Vec<f64> = drawn.iter().map(|&v| f64::from(v)).collect();
            if let Some(found) = Self::orthonormal(size, &numbers) {
                return found;
            }
        }
        Self::identity(size)
    }

    /// The discrete Fourier transform, unitary: its first row adds up all modes.
    #[must_use]
    pub fn fourier(size: usize) -> Self {
        let unit = 1.0 / (size as f64).sqrt();
        Self::from_fn(size, size, |r, c| Complex::from_polar(unit, -TAU * ((r * c) % size) as f64 / size as f64))
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The entry of a row and a column.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> Complex {
        self.entries[row * self.columns + column]
    }

    /// Sets the entry of a row and a column.
    pub fn put(&mut self, row: usize, column: usize, value: Complex) {
        self.entries[row * self.columns + column] = value;
    }

    /// The entries of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[Complex] {
        &self.entries[row * self.columns..(row + 1) * self.columns]
    }

    /// All entries, row-major.
    #[must_use]
    pub fn entries(&self) -> &[Complex] {
        &self.entries
    }

    /// The conjugate of the transpose.
    #[must_use]
    pub fn adjoint(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |r, c| self.at(c, r).conj())
    }

    /// The transpose.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |r, c| self.at(c, r))
    }

    /// Every entry times a number.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        self.entries.iter_mut().for_each(|e| *e *= by);
        self
    }

    /// The matrix with other extents: what is beyond the old ones is nought.
    #[must_use]
    pub fn resized(&self, rows: usize, columns: usize) -> Self {
        let inside = |r: usize, c: usize| r < self.rows && c < self.columns;
        Self::from_fn(rows, columns, |r, c| if inside(r, c) { self.at(r, c) } else { Complex::ZERO })
    }

    /// The product `self · other`.
    ///
    /// # Panics
    /// Panics if the columns of one are not as many as the rows of the other.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        assert_eq!(self.columns, other.rows, "the sides of a product must meet");
        let mut product = Self::zero(self.rows, other.columns);
        for r in 0..self.rows {
            for (k, &left) in self.row(r).iter().enumerate() {
                let into = &mut product.entries[r * other.columns..(r + 1) * other.columns];
                into.iter_mut().zip(other.row(k)).for_each(|(sum, &right)| *sum += left * right);
            }
        }
        product
    }

    /// The fields that come out for fields that go in.
    #[must_use]
    pub fn apply(&self, field: &[Complex]) -> Vec<Complex> {
        (0..self.rows).map(|r| self.row(r).iter().zip(field).map(|(m, e)| m * e).sum()).collect()
    }

    /// The largest magnitude of an entry of `M† M - 1`: how far it is from a unitary one.
    #[must_use]
    pub fn defect(&self) -> f64 {
        let product = self.adjoint().times(self);
        let one = Self::identity(self.columns);
        product.entries.iter().zip(&one.entries).fold(0.0, |worst: f64, (a, b)| worst.max((a - b).norm()))
    }

    /// The largest distance of two entries at the same place.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f64 {
        self.entries.iter().zip(&other.entries).fold(0.0, |worst: f64, (a, b)| worst.max((a - b).norm()))
    }

    /// The fidelity `|tr(U† V)|² / (N tr V† V)` of a matrix `self = V` to a unitary one: 1 if they agree up to one complex factor.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "matrices are small")]
    pub fn fidelity(&self, unitary: &Self) -> f64 {
        let overlap: Complex = unitary.entries.iter().zip(&self.entries).map(|(u, v)| u.conj() * v).sum();
        overlap.norm_sqr() / (self.rows as f64 * self.power())
    }

    /// The relative error `‖U - V‖ / √N` of a matrix `self = V`, in the norm of Frobenius, without any alignment of phases.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "matrices are small")]
    pub fn error(&self, unitary: &Self) -> f64 {
        let squares: f64 = unitary.entries.iter().zip(&self.entries).map(|(u, v)| (u - v).norm_sqr()).sum();
        (squares / self.rows as f64).sqrt()
    }

    /// The sum of the squares of all magnitudes, `tr M† M`.
    #[must_use]
    pub fn power(&self) -> f64 {
        self.entries.iter().map(Complex::norm_sqr).sum()
    }

    /// Makes it the one matrix, without taking new memory.
    pub(super) fn reset_to_identity(&mut self) {
        self.entries.fill(Complex::ZERO);
        self.entries.iter_mut().step_by(self.columns + 1).for_each(|e| *e = Complex::ONE);
    }

    /// Lets two modes of every column, `top` and the next, pass an element: multiplies from the left.
    pub(super) fn pass(&mut self, top: usize, [[a, b], [c, d]]: [[Complex; 2]; 2]) {
        let (upper, lower) = self.entries[top * self.columns..(top + 2) * self.columns].split_at_mut(self.columns);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            (*upper, *lower) = (a * *upper + b * *lower, c * *upper + d * *lower);
        }
    }

    /// Multiplies two columns by an element from the right.
    pub(super) fn pass_right(&mut self, left: usize, [[a, b], [c, d]]: [[Complex; 2]; 2]) {
        for row in self.entries.chunks_exact_mut(self.columns) {
            let (x, y) = (row[left], row[left + 1]);
            (row[left], row[left + 1]) = (x * a + y * c, x * b + y * d);
        }
    }

    /// Multiplies each row by a number.
    pub(super) fn scale_rows(&mut self, by: impl Fn(usize) -> Complex) {
        for (r, row) in self.entries.chunks_exact_mut(self.columns.max(1)).enumerate() {
            let factor = by(r);
            row.iter_mut().for_each(|e| *e *= factor);
        }
    }
}

/// Keeps the draws of Haar's measure apart from those of other uses of a seed.
const HAAR: u32 = 0x4861_6172;

/// A vector of length one, perpendicular to others of length one; nothing if it is too nearly a sum of them.
pub(super) fn perpendicular(others: &[Vec<Complex>], mut vector: Vec<Complex>) -> Option<Vec<Complex>> {
    // twice is enough
    for other in others.iter().chain(others) {
        let part: Complex = other.iter().zip(&vector).map(|(o, v)| o.conj() * v).sum();
        vector.iter_mut().zip(other).for_each(|(v, o)| *v -= part * o);
    }
    let length = vector.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
    if length < 1e-3 {
        return None;
    }
    vector.iter_mut().for_each(|v| *v /= length);
    Some(vector)
}
