//! Singular values of a complex matrix, by one-sided rotations.
//!
//! Pairs of columns are rotated until all are perpendicular; their lengths are then the singular values.
//! Source: Hestenes 1958, J. SIAM 6, 51; for complex columns the second is first turned by the phase of the inner product (Demmel and
//! Veselić 1992, SIAM J. Matrix Anal. Appl. 13, 1204, who show the high relative accuracy of the method).

use super::matrix::{Complex, Matrix, perpendicular};

/// A square matrix as `U diag(values) V†`, with unitary `U` and `V`.
#[derive(Debug, Clone, PartialEq)]
pub struct Singular {
    /// The unitary matrix at the output.
    pub u: Matrix,
    /// The singular values in descending order.
    pub values: Vec<f64>,
    /// The unitary matrix at the input.
    pub v: Matrix,
}

/// Sweeps over all pairs; some six are needed, and the gain of each squares.
const SWEEPS: usize = 60;

impl Singular {
    /// The singular values of a square matrix.
    ///
    /// # Panics
    /// Panics if the matrix is not square.
    #[must_use]
    pub fn of(matrix: &Matrix) -> Self {
        let n = matrix.rows();
        assert_eq!(n, matrix.columns(), "pad the matrix to a square one");
        let scale = matrix.entries().iter().map(|e| e.norm()).fold(f64::MIN_POSITIVE, f64::max);
        let mut a: Vec<Vec<Complex>> = (0..n).map(|c| (0..n).map(|r| matrix.at(r, c) / scale).collect()).collect();
        let one = Matrix::identity(n);
        let mut v: Vec<Vec<Complex>> = (0..n).map(|c| one.row(c).to_vec()).collect();
        for _ in 0..SWEEPS {
            let mut turned = false;
            for q in 1..n {
                for p in 0..q {
                    turned |= turn(&mut a, &mut v, p, q);
                }
            }
            if !turned {
                break;
            }
        }
        let length = |column: &[Complex]| column.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
        let mut order: Vec<(f64, usize)> = a.iter().map(|column| length(column)).zip(0..).collect();
        order.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
        let largest = order.first().map_or(0.0, |o| o.0);
        let mut u: Vec<Vec<Complex>> = Vec::with_capacity(n);
        let mut spare = 0;
        for &(value, column) in &order {
            let direction = a[column].iter().map(|e| e / value.max(f64::MIN_POSITIVE)).collect();
            // a column that vanished has no direction of its own
            let found = if value > largest * 1e-14 { perpendicular(&u, direction) } else { None };
            u.push(found.unwrap_or_else(|| {
                loop {
                    spare += 1;
                    if let Some(free) = perpendicular(&u, one.row((spare - 1) % n).to_vec()) {
                        return free;
                    }
                }
            }));
        }
        Self {
            u: Matrix::from_fn(n, n, |r, c| u[c][r]),
            values: order.iter().map(|o| o.0 * scale).collect(),
            v: Matrix::from_fn(n, n, |r, c| v[order[c].1][r]),
        }
    }
}

/// Makes two columns perpendicular; whether they were not.
fn turn(a: &mut [Vec<Complex>], v: &mut [Vec<Complex>], p: usize, q: usize) -> bool {
    let (mut alpha, mut beta, mut gamma) = (0.0, 0.0, Complex::ZERO);
    for (x, y) in a[p].iter().zip(&a[q]) {
        alpha += x.norm_sqr();
        beta += y.norm_sqr();
        gamma += x.conj() * y;
    }
    let size = gamma.norm();
    // of numbers that are hardly any, the phase is none
    if size <= 1e-15 * (alpha * beta).sqrt() || size < 1e-200 {
        return false;
    }
    let zeta = (beta - alpha) / (2.0 * size);
    let tan = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let cos = 1.0 / tan.hypot(1.0);
    let (sin, phase) = (cos * tan, gamma.conj() / size);
    for columns in [a, v] {
        let (left, right) = columns.split_at_mut(q);
        for (x, y) in left[p].iter_mut().zip(&mut right[0]) {
            let turned = *y * phase;
            (*x, *y) = (*x * cos - turned * sin, *x * sin + turned * cos);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(found: &Singular) -> Matrix {
        let mut right = found.v.adjoint();
        right.scale_rows(|r| Complex::new(found.values[r], 0.0));
        found.u.times(&right)
    }

    #[test]
    fn a_known_matrix_has_its_values() {
        // [[3, 0], [4, 5]] has the singular values 3 √5 and √5
        let entries = [[3.0, 0.0], [4.0, 5.0]];
        let matrix = Matrix::from_fn(2, 2, |r, c| Complex::new(entries[r][c], 0.0));
        let found = Singular::of(&matrix);
        assert!((found.values[0] - 3.0 * 5.0_f64.sqrt()).abs() < 1e-14 && (found.values[1] - 5.0_f64.sqrt()).abs() < 1e-14);
        assert!(product(&found).distance(&matrix) < 1e-14);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_matrix_is_put_together_again(size in 1..=6_usize, rank in 0..=6_usize, numbers in proptest::collection::vec(-1.0..1.0_f64, 144)) {
            let of = |from: usize, rows: usize, columns: usize| Matrix::from_fn(rows, columns, |r, c| {
                let at = 2 * ((r * columns + c + from) % 72);
                Complex::new(numbers[at], numbers[at + 1])
            });
            let rank = rank.min(size);
            let matrix = of(0, size, rank).times(&of(36, rank, size));
            let found = Singular::of(&matrix);
            prop_assert!(found.u.defect() < 1e-13 && found.v.defect() < 1e-13);
            prop_assert!(found.values.windows(2).all(|v| v[0] >= v[1]) && found.values.iter().all(|&v| v >= 0.0));
            prop_assert!(product(&found).distance(&matrix) < 1e-13 * (1.0 + found.values[0]));
        }
    }
}
