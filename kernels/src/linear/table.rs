//! The sparse map: the entries of each output in a row.

use super::{Constants, LinearStep, single, start, sum, term};
use crate::form::{Expr, Items, Kernel, Stmt, Type};
use crate::lower::Layout;
use crate::rows::lane_and_tick;
use crate::writer::Writer;
use isoform_core::linear::Sparse;

fn words(numbers: &[usize]) -> impl Iterator<Item = u32> + '_ {
    numbers.iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// Entries, then a bias for each output; the structure is where rows start, then the column of each entry.
pub(super) fn constants(map: &Sparse) -> Constants {
    let mut weights = single(&map.weight().to_f64());
    let bias = weights.len();
    match map.bias() {
        Some(b) => weights.extend(single(&b.to_f64())),
        None => weights.resize(bias + map.output().len(), 0.0),
    }
    Constants { weights, bias, structure: words(map.starts()).chain(words(map.columns())).collect() }
}

/// An item has one output of one row.
pub(super) fn kernel(layout: &Layout, step: LinearStep<'_>, map: &Sparse) -> Kernel {
    let (cols, rows) = (map.input().len(), map.output().len());
    let mut w = Writer::new(layout);
    let (input, output) = (w.rows(step.input, "input"), w.rows_mut(step.out, "output"));
    let weights = w.bind(step.weights, "weights", false);
    let structure = w.bind(step.structure, "structure", false);
    let (t, out, place) = (Expr::index("t"), Expr::index("out"), Expr::index("place"));

    let mut body = lane_and_tick(rows * layout.batch, 1);
    body.push(Stmt::Let("out".into(), Expr::index("lane").modulo(rows)));
    body.push(Stmt::Let("place".into(), Expr::index("lane").over(rows)));
    body.push(start(Type::Scalar, w.load(Type::Scalar, weights, Expr::whole(step.constants.bias) + out.clone())));
    let at = |k: Expr| w.load(Type::Index, structure, k);
    let column = at(Expr::whole(map.starts().len()) + Expr::index("term"));
    let value = input.read(Type::Scalar, &t, place.clone().by(cols) + column);
    let inner = term(value, w.load(Type::Scalar, weights, Expr::index("term")), Type::Scalar);
    body.push(Stmt::For("term".into(), at(out.clone()), at(out.clone() + Expr::Whole(1)), inner));
    body.push(output.write(Type::Scalar, &t, place.by(rows) + out, sum(Type::Scalar)));
    Kernel {
        name: step.name.to_owned(),
        remarks: vec![format!("{}: {} entries from {cols} inputs to {rows} outputs", step.node, map.columns().len())],
        bindings: w.finish(),
        items: Items::PerTick(rows * layout.batch),
        width: 1,
        body,
    }
}
