//! Random draws are the same numbers as on the processor, for every lane, batch and tick.

mod common;

use common::substrate;
use isoform_core::builder::Builder;
use isoform_core::dynamics::{Draw, Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_cpu::{CpuSubstrate, Options as CpuOptions};
use isoform_opencl::{Options, Style};

/// Two draws of a tick, one added to the input and one to what was drawn before.
#[derive(Debug)]
struct Noisy;

impl Dynamics<3, 1, 0, 1> for Noisy {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<3, 1, 0, 1> = Signature {
        id: "test.noisy/1",
        summary: "Draws.",
        source: "this test",
        inputs: [
            Quantity::new("x", "1", [-1.0, 1.0], "input").input(),
            Quantity::new("a", "1", [-1.0, 1.0], "a draw").drawn(Draw::PerTick),
            Quantity::new("b", "1", [-1.0, 1.0], "another").drawn(Draw::White),
        ],
        states: [Quantity::new("s", "1", [-1.0, 1.0], "sum").state(0.0)],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "both").output()],
    };

    fn tick<S: Scalar>(&self, [x, a, b]: [S; 3], [s]: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
        ([s + b], [x + a])
    }
}

fn run(substrate: &dyn Substrate, seed: u64) -> (Vec<f32>, Vec<f64>) {
    let mut net = Builder::new();
    let x = net.input("x", [5]);
    let first = net.node("first", Neuron::new(Noisy), x);
    let second = net.node("second", Neuron::new(Noisy), first);
    net.output("y", second);
    let program = net.build(Semantics::exact(0.25)).expect("valid");
    let run = Run::new().with_batch(3).with_seed(seed).with_max_ticks(50);
    let mut session = Blocking::open(substrate, &program, &run).expect("realises");
    let y = session.run(&[0.5; 100 * 15]).expect("runs");
    let state = session.save().expect("saves");
    (y, state.blocks.into_iter().flat_map(|b| b.values).collect())
}

#[test]
fn draws_are_those_of_the_processor() {
    let cpu = CpuSubstrate::new(CpuOptions::new()).expect("opens");
    for style in [Style::Grid, Style::Task] {
        let Some(opencl) = substrate(Options::new().with_style(style)) else { return };
        assert_eq!(run(&opencl, 7), run(&cpu, 7));
        assert_ne!(run(&opencl, 8).0, run(&cpu, 7).0);
    }
}
