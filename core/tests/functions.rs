//! Literal values of every transfer function of the library, from formulas that were solved by hand.
//!
//! Each neuron gets the same five inputs at a time step of one millisecond. The same values come out of the oracle in double
//! precision and out of the vectorised loop in single precision.

use isoform_core::functions::{cuba_li, cuba_lif, integrate_and_fire, integrator, li, lif, scale, threshold};
use isoform_core::lanes::{Feed, Flow, InstructionSet, LaneJob, Param, Sink};
use isoform_core::neuron::Neuron;
use isoform_core::oracle::Oracle;
use isoform_core::program::{NodeKind, Program};
use isoform_core::semantics::Semantics;
use isoform_core::step::Rule;
use isoform_core::substrate::Run;
use ndarray::ArrayViewMut2;

const INPUT: [f64; 5] = [1.0, 0.0, 2.0, -0.5, 1.5];

fn program(neuron: Neuron) -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [1]);
    let y = net.node("n", neuron, x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("valid")
}

/// States by ticks, and outputs.
fn by_oracle(program: &Program) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut oracle = Oracle::new(program, &Run::new());
    let (mut states, mut outputs) = (Vec::new(), Vec::new());
    for x in INPUT {
        let mut y = [0.0];
        oracle.step(&[x], &mut y);
        states.push(oracle.state().blocks.iter().map(|b| b.values[0]).collect());
        outputs.push(y[0]);
    }
    (states, outputs)
}

/// The last states, and outputs, of lane 65 of 70.
fn by_lanes(program: &Program, instructions: InstructionSet) -> (Vec<f32>, Vec<f32>) {
    const LANES: usize = 70;
    let node = &program.nodes()[0];
    let NodeKind::Dynamics { function, parameters } = &node.kind else { panic!("a neuron") };
    let p: Vec<f64> = parameters.iter().map(|t| t.at(0)).collect();
    let c = function.coefficients(&node.semantics, &p);
    let one = |values: &[f64]| values.iter().map(|&v| Param::One(v as f32)).collect::<Vec<_>>();
    let (phi, gamma, constant, p) = (one(&c.phi), one(&c.gamma), one(&c.constant), one(&p));
    let states = function.signature().states.len();
    let mut s = vec![0.0; states * LANES];
    let data: Vec<f32> = INPUT.iter().flat_map(|&x| [x as f32; LANES]).collect();
    let mut y = vec![0.0; INPUT.len() * LANES];
    function.advance(LaneJob {
        rule: Rule::from(&node.semantics),
        instructions,
        ticks: INPUT.len(),
        lanes: LANES,
        inputs: &[Feed::Stream { data: &data, stride: LANES }],
        flow: Flow::Affine { phi: &phi, gamma: &gamma, constant: &constant },
        parameters: &p,
        states: ArrayViewMut2::from_shape((states, LANES), &mut s).expect("fits"),
        outputs: &mut [Sink::Stream(ArrayViewMut2::from_shape((INPUT.len(), LANES), &mut y).expect("fits"))],
        echo: None,
    });
    ((0..states).map(|k| s[k * LANES + 65]).collect(), (0..INPUT.len()).map(|t| y[t * LANES + 65]).collect())
}

fn check(neuron: Neuron, states: &[[f64; 5]], outputs: [f64; 5]) {
    let program = program(neuron);
    let (seen, y) = by_oracle(&program);
    for (k, expected) in states.iter().enumerate() {
        for (tick, (row, expected)) in seen.iter().zip(expected).enumerate() {
            assert!((row[k] - expected).abs() < 1e-14, "state {k} at tick {tick}: {} instead of {expected}", row[k]);
        }
    }
    for (y, expected) in y.iter().zip(outputs) {
        assert!((y - expected).abs() < 1e-14, "{y} instead of {expected}");
    }
    let reference = by_lanes(&program, InstructionSet::Baseline);
    for (k, expected) in states.iter().enumerate() {
        // five ticks of at most four roundings each
        assert!((f64::from(reference.0[k]) - expected[4]).abs() < 20.0 * 6e-8, "state {k}: {}", reference.0[k]);
    }
    for (y, expected) in reference.1.iter().zip(outputs) {
        assert!((f64::from(*y) - expected).abs() < 20.0 * 6e-8 * expected.abs().max(1.0), "{y} instead of {expected}");
    }
    for &set in InstructionSet::ALL.iter().filter(|set| set.is_available()) {
        assert_eq!(by_lanes(&program, set), reference, "{set}");
    }
}

#[test]
fn a_leaky_integrate_and_fire_neuron() {
    let neuron = lif().with("tau", 5e-3).with("r", 2.0).with("v_leak", 0.1).with("v_threshold", 0.5).with("v_reset", -0.05);
    let v = [0.380_665_418_536_238_14, 0.329_789_409_481_121_2, -0.05, -0.204_078_859_883_715_55, 0.394_849_026_818_366];
    check(neuron, &[v], [0.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn a_leaky_integrator() {
    let v = [
        0.380_665_418_536_238_14,
        0.329_789_409_481_121_2,
        1.013_212_643_961_896,
        0.666_406_028_789_239_8,
        1.107_541_775_264_577_8,
    ];
    check(li().with("tau", 5e-3).with("r", 2.0).with("v_leak", 0.1), &[v], v);
}

#[test]
fn an_integrator() {
    let v = [0.003, 0.003, 0.009, 0.0075, 0.012];
    check(integrator().with("r", 3.0), &[v], v);
}

#[test]
fn an_integrate_and_fire_neuron() {
    let neuron = integrate_and_fire().with("r", 300.0).with("v_threshold", 0.5).with("v_reset", 0.1);
    check(neuron, &[[0.3, 0.3, 0.1, -0.05, 0.4]], [0.0, 0.0, 1.0, 0.0, 0.0]);
}

const CUBA_CURRENT: [f64; 5] =
    [0.590_204_010_431_049_9, 0.357_976_827_811_786_64, 1.397_531_942_396_618_4, 0.552_543_965_775_774, 1.220_440_871_728_789_8];

fn synapse(neuron: Neuron) -> Neuron {
    neuron.with("tau_syn", 2e-3).with("tau_mem", 5e-3).with("r", 2.0).with("v_leak", 0.1).with("w_in", 1.5)
}

#[test]
fn a_leaky_integrate_and_fire_neuron_behind_a_synapse() {
    let neuron = synapse(cuba_lif()).with("v_threshold", 0.3).with("v_reset", -0.1);
    let v = [0.137_534_478_727_560_3, 0.297_719_093_525_767_4, -0.1, 0.271_958_617_243_550_2, -0.1];
    check(neuron, &[CUBA_CURRENT, v], [0.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn a_leaky_integrator_behind_a_synapse() {
    let v = [
        0.137_534_478_727_560_3,
        0.297_719_093_525_767_4,
        0.601_977_432_123_352,
        0.846_689_128_889_650_5,
        1.046_781_858_698_774_5,
    ];
    check(synapse(cuba_li()), &[CUBA_CURRENT, v], v);
}

#[test]
fn a_threshold_is_strict() {
    check(threshold().with("threshold", 1.0), &[], [0.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn a_scale() {
    check(scale().with("scale", -2.0), &[], [-2.0, 0.0, -4.0, 1.0, -3.0]);
}

#[test]
fn a_delay_of_two_and_a_half_ticks_is_rounded_to_three() {
    let mut net = Program::builder();
    let x = net.input("x", [2]);
    let y = net.node("d", isoform_core::builder::delay([2.5e-3, 0.0]), x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1e-3)).expect("valid");
    let x: Vec<f32> = INPUT.iter().flat_map(|&v| [v as f32; 2]).collect();
    let y = Oracle::new(&program, &Run::new()).run(&x);
    assert_eq!(y, [0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 1.0, -0.5, 0.0, 1.5]);
}
