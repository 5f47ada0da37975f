//! Convolutions and pooling: a kernel that slides along two axes, of which one may be a single row.

use super::{Constants, LinearStep, single, start, sum, term};
use crate::form::{Binary, Expr, Items, Kernel, Stmt, Type};
use crate::lower::Layout;
use crate::rows::lane_and_tick;
use crate::writer::Writer;
use isoform_core::linear::{Conv1d, Conv2d, Padding, Pooling};
use isoform_core::tensor::{Shape, Tensor};

/// One axis along which the kernel slides.
#[derive(Debug, Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    taps: usize,
    stride: usize,
    dilation: usize,
    before: usize,
}

impl Axis {
    const SINGLE: Self = Self { input: 1, output: 1, taps: 1, stride: 1, dilation: 1, before: 0 };

    /// The input that a tap sees for an output, plus the padding before.
    fn seen(&self, out: Expr, tap: &str) -> Expr {
        out.by(self.stride) + Expr::index(tap).by(self.dilation)
    }
}

/// What slides.
struct Slide {
    axes: [Axis; 2],
    /// Input and output channels of a group.
    group: [usize; 2],
    filters: usize,
    /// The same weight for all taps, instead of a row of weights for each filter.
    weight: Option<f32>,
}

/// Weights `[filter, input channel of the group, taps]`, then a bias for each filter.
pub(super) fn constants(weight: &Tensor, bias: Option<&Tensor>, output: &Shape) -> Constants {
    let mut weights = single(&weight.to_f64());
    let at = weights.len();
    match bias {
        Some(b) => weights.extend(single(&b.to_f64())),
        None => weights.resize(at + output.extents()[0], 0.0),
    }
    Constants { weights, bias: at, structure: Vec::new() }
}

pub(super) fn conv1d(layout: &Layout, step: LinearStep<'_>, map: &Conv1d) -> Kernel {
    let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
    let before = match window.padding {
        Padding::Each([before]) => before,
        Padding::Same => 0,
    };
    let axis = Axis {
        input: input[1],
        output: output[1],
        taps: map.weight().shape().extents()[2],
        stride: window.stride[0],
        dilation: window.dilation[0],
        before,
    };
    let group = [input[0] / window.groups, output[0] / window.groups];
    slide(layout, step, &Slide { axes: [Axis::SINGLE, axis], group, filters: output[0], weight: None })
}

pub(super) fn conv2d(layout: &Layout, step: LinearStep<'_>, map: &Conv2d) -> Kernel {
    let (window, input, output) = (map.window(), map.input().extents(), map.output().extents());
    let before = match window.padding {
        Padding::Each(before) => before,
        Padding::Same => [0, 0],
    };
    let axes = [0, 1].map(|d| Axis {
        input: input[1 + d],
        output: output[1 + d],
        taps: map.weight().shape().extents()[2 + d],
        stride: window.stride[d],
        dilation: window.dilation[d],
        before: before[d],
    });
    let group = [input[0] / window.groups, output[0] / window.groups];
    slide(layout, step, &Slide { axes, group, filters: output[0], weight: None })
}

pub(super) fn pool(layout: &Layout, step: LinearStep<'_>, [input, output]: [&Shape; 2], pooling: Pooling, weight: f64) -> Kernel {
    let (input, output) = (input.extents(), output.extents());
    let axes = [0, 1].map(|d| Axis {
        input: input[1 + d],
        output: output[1 + d],
        taps: pooling.kernel[d],
        stride: pooling.stride[d],
        dilation: 1,
        before: pooling.padding[d],
    });
    slide(layout, step, &Slide { axes, group: [1, 1], filters: output[0], weight: Some(weight as f32) })
}

/// An item has one output of one row.
fn slide(layout: &Layout, step: LinearStep<'_>, map: &Slide) -> Kernel {
    let [height, width] = &map.axes;
    let [per_group, filters_per_group] = map.group;
    let (plane, seen_plane) = (height.output * width.output, height.input * width.input);
    let outputs = map.filters * plane;
    let inputs = map.filters / filters_per_group * per_group * seen_plane;
    let mut w = Writer::new(layout);
    let (input, output) = (w.rows(step.input, "input"), w.rows_mut(step.out, "output"));
    let (t, out, place, filter) = (Expr::index("t"), Expr::index("out"), Expr::index("place"), Expr::index("feature"));

    let mut body = lane_and_tick(outputs * layout.batch, 1);
    body.push(Stmt::Let("out".into(), Expr::index("lane").modulo(outputs)));
    body.push(Stmt::Let("place".into(), Expr::index("lane").over(outputs)));
    body.push(Stmt::Let("feature".into(), out.clone().over(plane)));
    let weights = map.weight.is_none().then(|| w.bind(step.weights, "weights", false));
    let bias = match weights {
        Some(weights) => w.load(Type::Scalar, weights, Expr::whole(step.constants.bias) + filter.clone()),
        None => Expr::Number(0.0),
    };
    body.push(start(Type::Scalar, bias));

    let taps = height.taps * width.taps;
    let weight = match (map.weight, weights) {
        (None, Some(weights)) => {
            let channel = filter.clone().by(per_group) + Expr::index("channel");
            let at = channel.by(taps) + Expr::index("down").by(width.taps) + Expr::index("across");
            w.load(Type::Scalar, weights, at)
        }
        (weight, _) => Expr::Number(weight.unwrap_or(1.0)),
    };
    let group = filter.over(filters_per_group).by(per_group) + Expr::index("channel");
    let at = place.clone().by(inputs) + group.by(seen_plane) + Expr::index("row").by(width.input) + Expr::index("col");
    let within = |name: &str, axis: &Axis, body| {
        // a row before the first is a huge number, so that one comparison sees both ends
        Stmt::If(Expr::index(name).binary(Binary::Below, Expr::whole(axis.input)), body)
    };
    let innermost = within("col", width, term(input.read(Type::Scalar, &t, at), weight, Type::Scalar));
    let position = |name: &str, axis: &Axis, out: Expr, tap: &str| {
        let seen = axis.seen(out, tap);
        Stmt::Let(name.into(), if axis.before > 0 { seen - Expr::whole(axis.before) } else { seen })
    };
    let across = vec![position("col", width, out.clone().modulo(width.output), "across"), innermost];
    let columns = Stmt::For("across".into(), Expr::Whole(0), Expr::whole(width.taps), across);
    let down =
        vec![position("row", height, out.clone().modulo(plane).over(width.output), "down"), within("row", height, vec![columns])];
    let rows = Stmt::For("down".into(), Expr::Whole(0), Expr::whole(height.taps), down);
    body.push(Stmt::For("channel".into(), Expr::Whole(0), Expr::whole(per_group), vec![rows]));
    body.push(output.write(Type::Scalar, &t, place.by(outputs) + out, sum(Type::Scalar)));
    Kernel {
        name: step.name.to_owned(),
        remarks: vec![format!(
            "{}: {} by {} taps over {} by {}, {} filters",
            step.node, height.taps, width.taps, height.input, width.input, map.filters
        )],
        bindings: w.finish(),
        items: Items::PerTick(outputs * layout.batch),
        width: 1,
        body,
    }
}
