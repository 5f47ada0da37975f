//! A unitary matrix taken apart into elements between neighbouring modes.
//!
//! ```text
//! U = D Π T(θ, φ)                 T = [[e^{iφ} cos θ, -sin θ], [e^{iφ} sin θ, cos θ]]      on modes m, m + 1; light meets the first T first
//! ```
//! The rectangle has the least depth, N; the triangle is taken apart from one side alone, at a depth of 2N - 3. Both have N(N - 1)/2 elements.
//! Sources: Clements et al. 2016, Optica 3, 1460 (rectangle); Reck et al. 1994, Phys. Rev. Lett. 73, 58 (triangle).

use super::matrix::{Complex, Matrix};
use std::f64::consts::FRAC_PI_2;

/// The order of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// The rectangle of Clements.
    Rectangle,
    /// The triangle of Reck.
    Triangle,
}

impl Layout {
    /// The first modes of the elements of a mesh of some size, in the order in which light meets them.
    #[must_use]
    pub fn modes(self, size: usize) -> Vec<usize> {
        Decomposition::of(&Matrix::identity(size), self).elements.iter().map(|e| e.mode).collect()
    }

    /// The column of each element: how many elements lie before it on the longest way to it.
    #[must_use]
    pub fn columns(self, size: usize) -> Vec<usize> {
        let mut depth = vec![0; size];
        let mut place = |mode: usize| {
            let column = depth[mode].max(depth[mode + 1]);
            (depth[mode], depth[mode + 1]) = (column + 1, column + 1);
            column
        };
        self.modes(size).into_iter().map(&mut place).collect()
    }
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
    /// The elements; which modes they join depends on size and layout alone.
    pub elements: Vec<Element>,
    /// The phase of each mode behind the last element.
    pub output: Vec<f64>,
}

impl Decomposition {
    /// Takes a unitary matrix apart.
    #[must_use]
    pub fn of(unitary: &Matrix, layout: Layout) -> Self {
        match layout {
            Layout::Rectangle => rectangle(unitary.clone()),
            Layout::Triangle => triangle(unitary.clone()),
        }
    }
}

/// The element `T(θ, φ)`.
fn element(theta: f64, phi: f64) -> [[Complex; 2]; 2] {
    let (sin, cos) = theta.sin_cos();
    [[Complex::from_polar(cos, phi), Complex::new(-sin, 0.0)], [Complex::from_polar(sin, phi), Complex::new(cos, 0.0)]]
}

fn inverse([[a, b], [c, d]]: [[Complex; 2]; 2]) -> [[Complex; 2]; 2] {
    [[a.conj(), c.conj()], [b.conj(), d.conj()]]
}

/// The angles with `tan θ e^{iφ} = a / b`.
fn nulling(a: Complex, b: Complex) -> (f64, f64) {
    // what rounding has left of noughts has no angle
    const NOUGHT: f64 = 1e-30;
    if a.norm_sqr() < NOUGHT {
        return (0.0, 0.0);
    }
    if b.norm_sqr() < NOUGHT {
        return (FRAC_PI_2, 0.0);
    }
    (a.norm().atan2(b.norm()), (a * b.conj()).arg())
}

/// Lets the entry of a row vanish in column `mode`, by mixing it with the next column.
fn null_right(rest: &mut Matrix, row: usize, mode: usize) -> Element {
    let (theta, phi) = nulling(rest.at(row, mode), rest.at(row, mode + 1));
    rest.pass_right(mode, inverse(element(theta, phi)));
    Element { mode, theta, phi }
}

fn rectangle(mut rest: Matrix) -> Decomposition {
    let n = rest.rows();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for diagonal in 1..n {
        for j in 0..diagonal {
            if diagonal % 2 == 1 {
                first.push(null_right(&mut rest, n - 1 - j, diagonal - 1 - j));
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
    // numbers of magnitude one, since angles that add up lose digits
    let mut output: Vec<Complex> = (0..n).map(|k| rest.at(k, k)).collect();
    // T⁻¹ D = D' T' with θ' = θ, e^{iφ'} = -d₁/d₂, d₁' = -e^{-iφ} d₂, d₂' = d₂
    for Element { mode, theta, phi } in last.into_iter().rev() {
        let (upper, lower) = (output[mode], output[mode + 1]);
        first.push(Element { mode, theta, phi: (-upper * lower.conj()).arg() });
        output[mode] = -lower * Complex::cis(-phi);
    }
    Decomposition { elements: first, output: output.into_iter().map(Complex::arg).collect() }
}

fn triangle(mut rest: Matrix) -> Decomposition {
    let mut elements = Vec::new();
    for row in (1..rest.rows()).rev() {
        elements.extend((0..row).map(|mode| null_right(&mut rest, row, mode)));
    }
    let output = (0..rest.rows()).map(|k| rest.at(k, k).arg()).collect();
    Decomposition { elements, output }
}
