//! A transfer function that draws.
//!
//! No function of the library does, so that this one stands for those of users: a leaky sum of white noise, and a draw in each tick on top
//! of the input.

use crate::bench::Bench;
use crate::plan::{Plan, PlanNode, What};
use isoform_core::dynamics::{Draw, Dynamics, Quantity, Signature};
use isoform_core::error::Result;
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// Its id.
pub(crate) const ID: &str = "isoform.suite.drawn/1";

#[derive(Debug, Clone, Copy)]
struct Drawn;

/// The function in a program.
pub(crate) fn neuron() -> Neuron {
    Neuron::new(Drawn)
}

/// Two nodes that draw, one behind the other, under the semantics of home; nothing if the profile admits no such function.
pub(crate) fn plan(bench: &Bench<'_>) -> Result<Option<Plan>> {
    if !bench.has(ID) {
        return Ok(None);
    }
    let what = || What::Neuron { function: ID.to_owned(), parameters: Vec::new() };
    let mut plan = Plan::single(what(), bench.channels(3), bench.home()?.semantics);
    plan.nodes.push(PlanNode::new("second", what(), "node"));
    plan.outputs[0].1 = vec![String::from("second")];
    Ok(plan.build().is_ok().then_some(plan))
}

impl Dynamics<3, 1, 0, 1> for Drawn {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<3, 1, 0, 1> = Signature {
        id: ID,
        summary: "A leaky sum of white noise, and an input with a draw on top.",
        source: "this suite",
        inputs: [
            Quantity::new("x", "1", [-1.0, 1.0], "input").input(),
            Quantity::new("a", "1", [-4.0, 4.0], "a draw of each tick").drawn(Draw::PerTick),
            Quantity::new("b", "1", [-128.0, 128.0], "white noise").drawn(Draw::White),
        ],
        states: [Quantity::new("s", "1", [-256.0, 256.0], "leaky sum").state(0.0)],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-256.0, 256.0], "sum of all").output()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, [x, a, b]: [S; 3], [s]: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
        let kept = s * S::lit(0.5) + b;
        ([kept], [x + a + kept])
    }
}
