//! `L2.linear`: the linear maps.
//!
//! It proves for matrices with and without bias, sparse matrices, convolutions with strides, padding, dilation and groups, pooling, and
//! changes of shape that outputs are those of the definition. The tolerance is that of a sum of products in any order in the
//! declared number format (see `Accuracy::dot`).

use crate::bench::Bench;
use crate::law::{Law, if_taken};
use crate::plan::{Plan, PlanNode, Slide, What};
use crate::record::{Evidence, Level};
use crate::sizes::WIDE;
use crate::trial;
use isoform_core::error::Result;

pub(super) const LAW: Law = Law {
    id: "L2.linear",
    title: "every kind of linear map is computed as it is defined",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: trial::judge,
};

const TICKS: usize = 12;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let semantics = bench.home()?.semantics;
    let batch = bench.batch(2);
    let mut chance = bench.chance();
    for (name, shape, what) in maps(bench) {
        let kind = name.split(' ').next().unwrap_or_default();
        let mut plan = Plan::single(what, 1, semantics);
        plan.inputs[0].1 = shape.clone();
        if kind == "reshape" {
            plan.nodes.push(PlanNode::new("again", What::Reshape { shape: shape.clone() }, "node"));
        } else if !bench.has(kind) {
            continue;
        }
        let program = plan.build()?;
        let widest = program.nodes().iter().map(isoform_core::program::Node::channels).max().unwrap_or(0);
        let x = bench.drive(&mut chance, TICKS * batch * shape.iter().product::<usize>());
        if widest.max(program.input_channels()) <= bench.profile.limits.channels {
            bench.trial(evidence, name, &plan, batch, &x)?;
        }
    }
    Ok(())
}

fn maps(bench: &Bench<'_>) -> Vec<(&'static str, Vec<usize>, What)> {
    let (mut chance, many) = (bench.chance(), bench.channels(WIDE));
    let mut weights = |n: usize| -> Vec<f64> { (0..n).map(|_| chance.within(-1.0, 1.0)).collect() };
    let conv1d =
        |input, shape: [usize; 3], weight, bias, slide| What::Conv1d { input, weight: (shape.to_vec(), weight), bias, slide };
    let conv2d =
        |input, shape: [usize; 4], weight, bias, slide| What::Conv2d { input, weight: (shape.to_vec(), weight), bias, slide };
    let slide1 = |stride: usize, padding: usize, dilation: usize, groups: usize| Slide {
        stride: [stride],
        padding: [padding],
        dilation: [dilation],
        groups,
    };
    let slide2 = |stride, padding, dilation, groups| Slide { stride, padding, dilation, groups };
    let entries = [(0, 2, 0.5), (0, 6, -1.25), (3, 0, 0.75), (4, 4, 2.0), (4, 5, 0.0)].to_vec();
    vec![
        ("dense", vec![7], What::Dense { rows: 5, cols: 7, weight: weights(35), bias: None }),
        ("dense with a bias", vec![3], What::Dense { rows: 4, cols: 3, weight: weights(12), bias: Some(weights(4)) }),
        ("dense of one row of 64", vec![64], What::Dense { rows: 1, cols: 64, weight: weights(64), bias: None }),
        ("dense of many rows", vec![2], What::Dense { rows: many, cols: 2, weight: weights(2 * many), bias: None }),
        ("sparse", vec![7], What::Sparse { rows: 5, cols: 7, entries, bias: Some(weights(5)) }),
        ("conv1d", vec![2, 9], conv1d([2, 9], [3, 2, 3], weights(18), Some(weights(3)), slide1(1, 0, 1, 1))),
        (
            "conv1d with stride, padding, dilation and groups",
            vec![4, 9],
            conv1d([4, 9], [2, 2, 3], weights(12), None, slide1(2, 2, 2, 2)),
        ),
        (
            "conv2d",
            vec![1, 5, 6],
            conv2d([1, 5, 6], [2, 1, 3, 2], weights(12), Some(weights(2)), slide2([1, 1], [0, 0], [1, 1], 1)),
        ),
        (
            "conv2d with stride, padding, dilation and groups",
            vec![2, 6, 5],
            conv2d([2, 6, 5], [4, 1, 2, 3], weights(24), None, slide2([2, 1], [1, 2], [2, 1], 2)),
        ),
        ("sum_pool2d", vec![2, 4, 6], What::SumPool { input: [2, 4, 6], kernel: [2, 3], stride: [2, 3], padding: [0, 0] }),
        ("avg_pool2d", vec![1, 5, 5], What::AvgPool { input: [1, 5, 5], kernel: [3, 2], stride: [2, 1], padding: [1, 1] }),
        ("reshape", vec![2, 3, 2], What::Reshape { shape: vec![12] }),
    ]
}
