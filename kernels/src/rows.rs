//! Kernels that move and add rows: sums, lines of past rows, the row that is kept for the next block, counts.

use crate::form::{Binary, Expr, Items, Kernel, Stmt, Type, Unary, span};
use crate::lower::Layout;
use crate::writer::Writer;
use isoform_core::plan::{Line, Place, Reach};
use std::sync::Arc;

fn first_to_last() -> [Expr; 2] {
    [Expr::index(span::FIRST), Expr::index(span::FIRST) + Expr::index(span::TICKS)]
}

/// Item and tick of a kernel with an item for each tick: names them `lane` and `t`.
pub(crate) fn lane_and_tick(per_tick: usize, width: usize) -> Vec<Stmt> {
    let item = Expr::index(span::ITEM);
    vec![
        Stmt::Let("lane".into(), item.clone().modulo(per_tick).by(width)),
        Stmt::Let("t".into(), Expr::index(span::FIRST) + item.over(per_tick)),
    ]
}

/// Adds rows in their order.
pub(crate) fn sum(layout: &Layout, name: &str, sources: &[Place], out: usize) -> Kernel {
    let mut w = Writer::new(layout);
    let (width, lanes) = (layout.width, layout.plan.buffers[out].channels * layout.batch);
    let items = lanes.div_ceil(width);
    let (lane, t) = (Expr::index("lane"), Expr::index("t"));
    let mut body = lane_and_tick(items, width);
    let terms: Vec<Expr> = sources
        .iter()
        .enumerate()
        .map(|(k, &place)| w.rows(place, &format!("term{}", k + 1)).read(Type::Real, &t, lane.clone()))
        .collect();
    let total = terms.into_iter().reduce(|sum, term| sum + term).unwrap_or(Expr::Number(0.0));
    body.push(w.rows_mut(out, "sum").write(Type::Real, &t, lane, total));
    let remarks = vec![format!("the sum of {} signals", sources.len())];
    Kernel { name: name.to_owned(), remarks, bindings: w.finish(), items: Items::PerTick(items), width, body }
}

/// What a step on a line does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineStep<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: &'a Line,
    /// The buffer of the rows that are kept; their number is a power of two.
    pub(crate) ring: usize,
    /// The buffer of how far back each channel is read, where they differ.
    pub(crate) reach: Option<usize>,
    pub(crate) input: Place,
    pub(crate) read: Option<usize>,
    pub(crate) absorb: bool,
}

/// Rows that a ring has for a line of so many ticks: their numbers must go on where a word of ticks overflows.
pub(crate) fn ring_rows(line: &Line) -> usize {
    line.ticks.max(1).next_power_of_two()
}

/// Reads a line, takes in a row, or both.
pub(crate) fn line(layout: &Layout, step: LineStep<'_>) -> Kernel {
    let mut w = Writer::new(layout);
    let lanes = step.line.channels * layout.batch;
    let width = if step.reach.is_some() { 1 } else { layout.width };
    let (rows, stride) = (ring_rows(step.line), layout.padded(lanes));
    let (lane, t) = (Expr::index("lane"), Expr::index("t"));
    let [first, end] = first_to_last();
    let ring = w.bind(step.ring, "line", step.absorb);
    let row =
        |back: Expr| (Expr::index("now") - back).binary(Binary::And, Expr::whole(rows - 1)).by(stride) + Expr::index("lane");

    let mut body = vec![Stmt::Let("lane".into(), Expr::index(span::ITEM).by(width))];
    if let (Some(reach), Some(_)) = (step.reach, step.read) {
        w.bind(reach, "reach", false);
        body.push(Stmt::Let("back".into(), w.load(Type::Index, reach, lane.clone().modulo(step.line.channels))));
    }
    let mut inner = vec![Stmt::Let("now".into(), Expr::index(span::TICK_LOW) + (t.clone() - first.clone()))];
    let input = w.rows(step.input, "input").read(Type::Real, &t, lane.clone());
    if let Some(out) = step.read {
        let out = w.rows_mut(out, "output");
        match &step.line.reach {
            Reach::Uniform(back) => {
                let past = w.load(Type::Real, ring, row(Expr::whole(*back)));
                inner.push(out.write(Type::Real, &t, lane.clone(), past));
            }
            Reach::Each(_) => {
                let past = w.load(Type::Real, ring, row(Expr::index("back")));
                let present = Expr::index("back").binary(Binary::Equal, Expr::Whole(0));
                inner.push(out.write(Type::Real, &t, lane.clone(), present.select(input.clone(), past)));
            }
        }
    }
    if step.absorb {
        inner.push(Stmt::Store(Type::Real, ring, row(Expr::Whole(0)), input));
    }
    body.push(Stmt::For("t".into(), first, end, inner));
    let remarks = vec![format!("a line of {} ticks", step.line.ticks)];
    Kernel { name: step.name.to_owned(), remarks, bindings: w.finish(), items: Items::Fixed(lanes.div_ceil(width)), width, body }
}

/// Keeps the last row of a block as the row before the next.
pub(crate) fn roll(layout: &Layout, name: &str, index: usize) -> Kernel {
    let mut w = Writer::new(layout);
    let (width, lanes) = (layout.width, layout.plan.buffers[index].channels * layout.batch);
    let rows = w.rows_mut(index, "rows");
    let (lane, [_, end]) = (Expr::index("lane"), first_to_last());
    let last = rows.read(Type::Real, &(end - Expr::Whole(1)), lane.clone());
    let body =
        vec![Stmt::Let("lane".into(), Expr::index(span::ITEM).by(width)), Stmt::Store(Type::Real, rows.buffer, lane, last)];
    let remarks = vec![String::from("the last row becomes the row before the next block")];
    Kernel { name: name.to_owned(), remarks, bindings: w.finish(), items: Items::Fixed(lanes.div_ceil(width)), width, body }
}

/// Adds up the rows of an output over the ticks.
pub(crate) fn count(layout: &Layout, name: &str, source: Place, channels: usize, counts: usize) -> Kernel {
    let mut w = Writer::new(layout);
    let (width, lanes) = (layout.width, channels * layout.batch);
    let (lane, t, [first, end]) = (Expr::index("lane"), Expr::index("t"), first_to_last());
    let value = w.rows(source, "rows").read(Type::Real, &t, lane.clone());
    w.bind(counts, "counts", true);
    let sum: Arc<str> = "sum".into();
    let body = vec![
        Stmt::Let("lane".into(), Expr::index(span::ITEM).by(width)),
        Stmt::Var(Arc::clone(&sum), Type::Real, Expr::Number(0.0)),
        Stmt::For("t".into(), first, end, vec![Stmt::Set(Arc::clone(&sum), Expr::real("sum") + value)]),
        Stmt::Store(Type::Word, counts, lane.clone(), w.load(Type::Word, counts, lane) + Expr::real("sum").unary(Unary::Count)),
    ];
    let remarks = vec![String::from("how often each lane was one")];
    Kernel { name: name.to_owned(), remarks, bindings: w.finish(), items: Items::Fixed(lanes.div_ceil(width)), width, body }
}
