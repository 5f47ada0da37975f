//! The dense map.

use super::{Constants, LinearStep, single, start, sum, term};
use crate::form::{Expr, Items, Kernel, Stmt, Type};
use crate::lower::Layout;
use crate::rows::lane_and_tick;
use crate::writer::Writer;
use isoform_core::linear::Dense;

/// How many matrices and biases a map has, of so many leading positions.
struct Shape {
    rows: usize,
    cols: usize,
    /// From input to input: the outputs, up to a whole vector.
    stride: usize,
    positions: usize,
    matrices: usize,
    biases: usize,
}

impl Shape {
    fn new(map: &Dense, pad: usize) -> Self {
        let (rows, cols) = (map.rows(), map.cols());
        Self {
            rows,
            cols,
            stride: rows.next_multiple_of(pad),
            positions: map.output().len() / rows,
            matrices: map.weight().len() / (rows * cols),
            biases: map.bias().map_or(1, |b| b.len() / rows),
        }
    }
}

/// `[matrix, input, output]`, then `[bias, output]`, outputs padded with noughts.
pub(super) fn constants(map: &Dense, pad: usize) -> Constants {
    let shape = Shape::new(map, pad);
    let numbers = single(&map.weight().to_f64());
    let bias = shape.matrices * shape.cols * shape.stride;
    let mut weights = vec![0.0; bias + shape.biases * shape.stride];
    for (m, matrix) in numbers.chunks_exact(shape.rows * shape.cols).enumerate() {
        for (o, row) in matrix.chunks_exact(shape.cols).enumerate() {
            for (i, &w) in row.iter().enumerate() {
                weights[(m * shape.cols + i) * shape.stride + o] = w;
            }
        }
    }
    if let Some(b) = map.bias() {
        for (row, to) in single(&b.to_f64()).chunks_exact(shape.rows).zip(weights[bias..].chunks_exact_mut(shape.stride)) {
            to[..shape.rows].copy_from_slice(row);
        }
    }
    Constants { weights, bias, structure: Vec::new() }
}

/// An item has a few neighbouring outputs of one row.
pub(super) fn kernel(layout: &Layout, step: LinearStep<'_>, map: &Dense) -> Kernel {
    let shape = Shape::new(map, layout.pad);
    let places = layout.batch * shape.positions;
    // what an item writes past the end of its row must not be another's
    let width = if places == 1 { layout.width } else { widest(layout.width, shape.rows) };
    let blocks = shape.rows.div_ceil(width);
    let mut w = Writer::new(layout);
    let (input, output) = (w.rows(step.input, "input"), w.rows_mut(step.out, "output"));
    let weights = w.bind(step.weights, "weights", false);
    let (t, out, place) = (Expr::index("t"), Expr::index("out"), Expr::index("place"));

    let mut body = lane_and_tick(blocks * places, 1);
    body.push(Stmt::Let("out".into(), Expr::index("lane").modulo(blocks).by(width)));
    body.push(Stmt::Let("place".into(), Expr::index("lane").over(blocks)));
    let own = |count: usize| if count > 1 { place.clone().modulo(shape.positions) } else { Expr::Whole(0) };
    let bias = own(shape.biases).by(shape.stride) + Expr::whole(step.constants.bias) + out.clone();
    body.push(start(Type::Real, w.load(Type::Real, weights, bias)));
    let i = Expr::index("term");
    let row = (own(shape.matrices).by(shape.cols) + i.clone()).by(shape.stride) + out.clone();
    let value = input.read(Type::Scalar, &t, place.clone().by(shape.cols) + i);
    let inner = term(value, w.load(Type::Real, weights, row), Type::Real);
    body.push(Stmt::For("term".into(), Expr::Whole(0), Expr::whole(shape.cols), inner));
    body.push(output.write(Type::Real, &t, place.by(shape.rows) + out, sum(Type::Real)));
    Kernel {
        name: step.name.to_owned(),
        remarks: vec![format!("{}: {} inputs to {} outputs", step.node, shape.cols, shape.rows)],
        bindings: w.finish(),
        items: Items::PerTick(blocks * places),
        width,
        body,
    }
}

/// The largest power of two up to a width that divides a number.
fn widest(width: usize, number: usize) -> usize {
    let mut width = width;
    while !number.is_multiple_of(width) {
        width /= 2;
    }
    width
}
