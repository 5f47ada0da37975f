//! The resistive network of a crossbar: what the wires take from the currents.
//!
//! Word lines run along the rows, driven from the left; bit lines run down the columns, held at ground at the bottom. Each segment of a wire
//! between two crossings, before the first and after the last, has resistance `r`. With `I[i,j]` the current through a cell,
//!
//! ```text
//! W[i,j] = V[i] - r Σ_{k<=j} Σ_{m>=k} I[i,m]        the word line at a crossing
//! B[i,j] =        r Σ_{k>=i} Σ_{m<=k} I[m,j]        the bit line at it
//! I[i,j] = G[i,j] (W[i,j] - B[i,j])
//! ```
//! These are Kirchhoff's and Ohm's laws of the same circuit as nodal analysis has (Chen, *A comprehensive crossbar array model with solutions
//! for line resistance and nonlinear device characteristics*, IEEE Trans. Electron Devices 60, 1318, 2013), with the voltages of the nodes
//! written through the currents. With `u = I/√G` they read `(1 + r √G K √G) u = √G V`, where `K` is the two double sums: symmetric, never
//! below one, exact at `r = 0`, and so well conditioned that conjugate gradients reach rounding in some ten steps of a few sums for each cell,
//! where a factorisation would take the cube of the lines.

use super::error::Error;

/// Conductances at the crossings of lossy wires.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    rows: usize,
    columns: usize,
    /// Square roots of the conductances, `[row, column]`.
    root: Vec<f64>,
    wire: f64,
}

/// The solution for one set of voltages.
#[derive(Debug, Clone, PartialEq)]
pub struct Currents {
    /// Through each cell, `[row, column]`, in amperes.
    pub cells: Vec<f64>,
    /// Voltage of the word line at each crossing, `[row, column]`.
    pub words: Vec<f64>,
    /// Voltage of the bit line at each crossing, `[row, column]`.
    pub bits: Vec<f64>,
    /// Out of each bit line at the bottom, in amperes.
    pub lines: Vec<f64>,
}

/// What is left of the equations, relative to the drive, when they count as solved.
const SETTLED: f64 = 1e-14;
/// Far more steps than a physical array needs.
const MOST: usize = 2000;

impl Network {
    /// A network of `rows` word lines and `columns` bit lines, conductances in siemens `[row, column]`, `wire` ohms a segment.
    ///
    /// # Errors
    /// [`Error::Size`] and [`Error::Unphysical`].
    pub fn new(rows: usize, columns: usize, conductance: &[f64], wire: f64) -> Result<Self, Error> {
        let expected = rows.saturating_mul(columns);
        if conductance.len() != expected {
            return Err(Error::Size { what: "conductances", found: conductance.len(), expected });
        }
        let physical = |what, value: f64| {
            if value.is_finite() && value >= 0.0 {
                Ok(())
            } else {
                Err(Error::Unphysical { what, value, must: "finite and at or above nought" })
            }
        };
        physical("a wire resistance", wire)?;
        conductance.iter().try_for_each(|&g| physical("a conductance", g))?;
        Ok(Self { rows, columns, root: conductance.iter().map(|g| g.sqrt()).collect(), wire })
    }

    /// Solves the network for the voltages of the drivers.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Unphysical`] and [`Error::Unsettled`].
    pub fn solve(&self, volts: &[f64]) -> Result<Currents, Error> {
        if volts.len() != self.rows {
            return Err(Error::Size { what: "voltages", found: volts.len(), expected: self.rows });
        }
        if let Some(&value) = volts.iter().find(|v| !v.is_finite()) {
            return Err(Error::Unphysical { what: "a voltage", value, must: "finite" });
        }
        let mut work = Work::new(self);
        let u = self.settle(volts, &mut work)?;
        let cells: Vec<f64> = u.iter().zip(&self.root).map(|(u, root)| u * root).collect();
        let (mut words, mut bits) = (vec![0.0; cells.len()], vec![0.0; cells.len()]);
        self.drop_of_words(&cells, &mut words);
        self.rise_of_bits(&cells, &mut bits, &mut work.line);
        if self.columns > 0 {
            for (row, v) in words.chunks_exact_mut(self.columns).zip(volts) {
                row.iter_mut().for_each(|w| *w = v - *w);
            }
        }
        let mut lines = vec![0.0; self.columns];
        self.collect(&cells, &mut lines);
        Ok(Currents { cells, words, bits, lines })
    }

    /// The conductance that each driver sees to each bit line, in siemens `[row, column]`: the matrix that the lossy array multiplies by.
    ///
    /// # Errors
    /// [`Error::Unsettled`].
    pub fn transfer(&self) -> Result<Vec<f64>, Error> {
        let mut matrix = vec![0.0; self.root.len()];
        let (mut work, mut volts) = (Work::new(self), vec![0.0; self.rows]);
        for row in 0..self.rows {
            volts.fill(0.0);
            volts[row] = 1.0;
            let u = self.settle(&volts, &mut work)?;
            let cells: Vec<f64> = u.iter().zip(&self.root).map(|(u, root)| u * root).collect();
            self.collect(&cells, &mut matrix[row * self.columns..(row + 1) * self.columns]);
        }
        Ok(matrix)
    }

    fn collect(&self, cells: &[f64], lines: &mut [f64]) {
        lines.fill(0.0);
        if self.columns > 0 {
            for row in cells.chunks_exact(self.columns) {
                lines.iter_mut().zip(row).for_each(|(line, i)| *line += i);
            }
        }
    }

    /// What the word lines lose up to each crossing.
    fn drop_of_words(&self, cells: &[f64], out: &mut [f64]) {
        if self.columns == 0 {
            return;
        }
        for (row, out) in cells.chunks_exact(self.columns).zip(out.chunks_exact_mut(self.columns)) {
            let mut beyond = 0.0;
            for (out, i) in out.iter_mut().zip(row).rev() {
                beyond += i;
                *out = self.wire * beyond;
            }
            let mut dropped = 0.0;
            for out in out.iter_mut() {
                dropped += *out;
                *out = dropped;
            }
        }
    }

    /// How far the bit lines are above ground at each crossing.
    fn rise_of_bits(&self, cells: &[f64], out: &mut [f64], line: &mut [f64]) {
        if self.columns == 0 {
            return;
        }
        line.fill(0.0);
        for (row, out) in cells.chunks_exact(self.columns).zip(out.chunks_exact_mut(self.columns)) {
            for ((sum, i), out) in line.iter_mut().zip(row).zip(out) {
                *sum += i;
                *out = self.wire * *sum;
            }
        }
        line.fill(0.0);
        for out in out.chunks_exact_mut(self.columns).rev() {
            for (sum, out) in line.iter_mut().zip(out) {
                *sum += *out;
                *out = *sum;
            }
        }
    }

    /// `out = (1 + r √G K √G) u`
    fn apply(&self, u: &[f64], out: &mut [f64], cells: &mut [f64], other: &mut [f64], line: &mut [f64]) {
        cells.iter_mut().zip(u).zip(&self.root).for_each(|((i, u), root)| *i = u * root);
        self.drop_of_words(cells, out);
        self.rise_of_bits(cells, other, line);
        for (((out, other), root), u) in out.iter_mut().zip(&*other).zip(&self.root).zip(u) {
            *out = u + root * (*out + other);
        }
    }

    /// Conjugate gradients; the solution stays in the work space.
    fn settle<'a>(&self, volts: &[f64], work: &'a mut Work) -> Result<&'a [f64], Error> {
        let Work { u, rest, direction, image, cells, other, line } = work;
        let columns = self.columns.max(1);
        for (k, (rest, root)) in rest.iter_mut().zip(&self.root).enumerate() {
            *rest = root * volts[k / columns];
        }
        // without wires this is the answer already
        u.copy_from_slice(rest);
        let drive = dot(rest, rest);
        self.apply(u, image, cells, other, line);
        rest.iter_mut().zip(&*image).for_each(|(rest, image)| *rest -= image);
        direction.copy_from_slice(rest);
        let mut left = dot(rest, rest);
        for _ in 0..MOST {
            if left <= SETTLED * SETTLED * drive {
                return Ok(u);
            }
            self.apply(direction, image, cells, other, line);
            let step = left / dot(direction, image);
            u.iter_mut().zip(&*direction).for_each(|(u, d)| *u += step * d);
            rest.iter_mut().zip(&*image).for_each(|(rest, image)| *rest -= step * image);
            let next = dot(rest, rest);
            direction.iter_mut().zip(&*rest).for_each(|(d, rest)| *d = rest + next / left * *d);
            left = next;
        }
        Err(Error::Unsettled { residual: (left / drive).sqrt(), iterations: MOST })
    }
}

/// Vectors that the solver needs, one number for each cell.
struct Work {
    u: Vec<f64>,
    rest: Vec<f64>,
    direction: Vec<f64>,
    image: Vec<f64>,
    cells: Vec<f64>,
    other: Vec<f64>,
    line: Vec<f64>,
}

impl Work {
    fn new(network: &Network) -> Self {
        let zeros = || vec![0.0; network.root.len()];
        Self {
            u: zeros(),
            rest: zeros(),
            direction: zeros(),
            image: zeros(),
            cells: zeros(),
            other: zeros(),
            line: vec![0.0; network.columns],
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
