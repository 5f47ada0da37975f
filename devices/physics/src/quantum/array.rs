//! Neuristors side by side, which warm each other.
//!
//! ```text
//! heat_i = S_c Σ_j (T_j - T_i),  j next to i          S_c = c S_th,  S_env = S_th (1 - 2 d c)
//! ```
//! with `d` the dimension of the lattice: one in a row, two in a grid. Elements at an edge have no neighbour there. The map from the
//! temperatures of one tick to the heat of the next is a linear node of the program.
//!
//! Source: Zhang et al. 2023, arXiv 2312.12899.

use super::neuristor::S_TH;
use super::onset::spike_onset;
use super::rate::spike_rate;
use isoform_core::builder::{Builder, Wire};
use isoform_core::error::{Error, Result};
use isoform_core::linear::Sparse;
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;

/// A lattice of neuristors: input `v_in` in volt, outputs `i` in ampere and `t` in kelvin, all `[rows × columns]`, row by row.
///
/// `coupling` is the part of an element's thermal conductance that leads to one neighbour, `c` above; at nought there is no map, and the
/// elements are as many single ones. The conductance `s_env` of `neuron` is set accordingly.
///
/// # Errors
/// `InvalidProgram` if the lattice is empty or too large, if the coupling is not between nought and `1/(2 d)`, or as [`Builder::build`].
pub fn array(neuron: Neuron, shape: [usize; 2], coupling: f64, semantics: Semantics) -> Result<Program> {
    let mut net = Builder::new();
    let cell = lattice(&mut net, neuron, shape, coupling)?;
    net.output("i", cell.clone());
    net.output("t", cell.port(1));
    net.build(semantics)
}

/// The same lattice with one output, `rate`, in spikes a second: see [`rate`](super::rate).
///
/// # Errors
/// As [`array()`].
pub fn counted_array(neuron: Neuron, shape: [usize; 2], coupling: f64, semantics: Semantics) -> Result<Program> {
    let mut net = Builder::new();
    let cell = lattice(&mut net, neuron, shape, coupling)?;
    let rate = net.node("rate", spike_rate(), cell);
    net.output("rate", rate);
    net.build(semantics)
}

/// The same lattice with one output, `spikes`: see [`onset`](super::onset).
///
/// # Errors
/// As [`array()`].
pub fn spiking_array(neuron: Neuron, shape: [usize; 2], coupling: f64, semantics: Semantics) -> Result<Program> {
    let mut net = Builder::new();
    let cell = lattice(&mut net, neuron, shape, coupling)?;
    let spikes = net.node("spikes", spike_onset(), cell);
    net.output("spikes", spikes);
    net.build(semantics)
}

fn lattice(net: &mut Builder, neuron: Neuron, [rows, columns]: [usize; 2], coupling: f64) -> Result<Wire> {
    let count = rows.checked_mul(columns).filter(|&n| n > 0);
    let count = count.ok_or_else(|| Error::invalid_program(format!("a lattice of {rows} by {columns} elements is none")))?;
    let dimension = u8::from(rows > 1) + u8::from(columns > 1);
    let open = 1.0 - 2.0 * f64::from(dimension) * coupling;
    if !(coupling >= 0.0 && open > 0.0) {
        return Err(Error::invalid_program(format!(
            "a coupling of {coupling} leaves nothing for the surroundings; it must be from 0 to below {}",
            0.5 / f64::from(dimension.max(1))
        )));
    }
    let mut wires = vec![net.input("v_in", [count])];
    if coupling > 0.0 && count > 1 {
        let map = Sparse::new([count], [count], entries([rows, columns], coupling * S_TH), None)?;
        let temperature = net.later("cell").port(1);
        wires.push(net.node("neighbours", map, temperature));
    }
    let cell = net.node("cell", neuron.with("s_env", S_TH * open), wires);
    net.shape("cell", [count]);
    Ok(cell)
}

/// The Laplacian of a lattice with closed edges, times a conductance: (row, column, value).
fn entries([rows, columns]: [usize; 2], conductance: f64) -> Vec<(usize, usize, f64)> {
    let mut entries = Vec::new();
    for at in 0..rows * columns {
        let (row, column) = (at / columns, at % columns);
        let beside = [
            (row > 0).then(|| at - columns),
            (column > 0).then(|| at - 1),
            (column + 1 < columns).then_some(at + 1),
            (row + 1 < rows).then_some(at + columns),
        ];
        let mut lost = 0.0;
        for other in beside.into_iter().flatten() {
            entries.push((at, other, conductance));
            lost -= conductance;
        }
        entries.push((at, at, lost));
    }
    entries
}
