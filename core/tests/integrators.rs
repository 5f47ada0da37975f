//! Explicit decays: what a step comes to, of which order it is, and where it is refused.

use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::{ErrorKind, Result};
use isoform_core::functions::{cuba_li, li, lif};
use isoform_core::lanes::{Feed, Flow, InstructionSet, LaneJob, Param, Sink};
use isoform_core::neuron::Neuron;
use isoform_core::program::{NodeKind, Program};
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Drive, Order, Preset, Semantics};
use isoform_core::stability::Step;
use isoform_core::step::Rule;
use ndarray::ArrayViewMut2;
use proptest::prelude::*;

/// Growth that saturates: `ds/dt = r s (1 - s) + x`, whose solution for `x = 0` is the logistic function.
#[derive(Debug)]
struct Logistic;

impl Dynamics<1, 1, 1, 1> for Logistic {
    const SIGNATURE: Signature<1, 1, 1, 1> = Signature {
        id: "test.logistic/1",
        summary: "Growth that saturates.",
        source: "Verhulst 1838",
        inputs: [Quantity::new("x", "1", [0.0, 0.0], "what is added").input()],
        states: [Quantity::new("s", "1", [0.0, 1.0], "what grows").state(0.1)],
        parameters: [Quantity::new("r", "1/s", [0.1, 2.0], "rate").parameter().or(1.0)],
        outputs: [Quantity::new("s", "1", [0.0, 1.0], "what grows").output()],
    };
    fn flow<S: Scalar>(&self, [x]: [S; 1], [s]: [S; 1], [r]: [S; 1]) -> [S; 1] {
        [r * s * (S::lit(1.0) - s) + x]
    }
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 1], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

/// A pendulum without friction, for small angles: `q' = p, p' = -w² q`.
#[derive(Debug)]
struct Oscillator;

impl Dynamics<0, 2, 1, 1> for Oscillator {
    const SIGNATURE: Signature<0, 2, 1, 1> = Signature {
        id: "test.oscillator/1",
        summary: "A harmonic oscillator.",
        source: "textbooks",
        inputs: [],
        states: [
            Quantity::new("q", "1", [-1.0, 1.0], "place").state(1.0),
            Quantity::new("p", "1/s", [-1.0, 1.0], "speed").state(0.0),
        ],
        parameters: [Quantity::new("w", "1/s", [0.1, 2.0], "angular frequency").parameter().or(1.0)],
        outputs: [Quantity::new("q", "1", [-1.0, 1.0], "place").output()],
    };
    fn flow<S: Scalar>(&self, _: [S; 0], [q, p]: [S; 2], [w]: [S; 1]) -> [S; 2] {
        [p, -(w * w * q)]
    }
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 2], _: [S; 1], _: S) -> ([S; 2], [S; 1]) {
        (s, [s[0]])
    }
}

fn rk4(dt: f64) -> Semantics {
    Semantics::exact(dt).with_decay(Decay::RungeKutta)
}

fn euler(dt: f64) -> Semantics {
    Semantics::exact(dt).with_decay(Decay::Euler)
}

fn ticked(neuron: &Neuron, semantics: &Semantics, x: &[f64], mut s: Vec<f64>, p: &[f64]) -> Vec<f64> {
    let function = neuron.function();
    let c = function.coefficients(semantics, p);
    let mut y = vec![0.0; function.signature().outputs.len()];
    function.step(semantics, &c, x, &mut s, p, &mut y);
    s
}

fn program(neuron: Neuron, semantics: Semantics) -> Result<Program> {
    wide(neuron, 1, semantics)
}

fn wide(neuron: Neuron, channels: usize, semantics: Semantics) -> Result<Program> {
    let mut net = Builder::new();
    let wires = if neuron.function().signature().signals() > 0 { vec![net.input("x", [channels])] } else { Vec::new() };
    let y = net.node("n", neuron, wires);
    net.shape("n", [channels]);
    net.output("y", y);
    net.build(semantics)
}

#[test]
fn a_step_of_one_time_constant() {
    let p = [1.0, 1.0, 0.0];
    let near = |s: Vec<f64>, expected: f64| assert!((s[0] - expected).abs() < 1e-15, "{} instead of {expected}", s[0]);
    // 1 - 1 + 1/2 - 1/6 + 1/24 of the state is left, and the rest comes from the input
    near(ticked(&li(), &rk4(1.0), &[0.0], vec![1.0], &p), 0.375);
    near(ticked(&li(), &rk4(1.0), &[1.0], vec![0.0], &p), 0.625);
    near(ticked(&li(), &euler(1.0).with_substeps(2), &[0.0], vec![1.0], &p), 0.25);
    // (1 - 1/2 + 1/8 - 1/48 + 1/384)²
    near(ticked(&li(), &rk4(1.0).with_substeps(2), &[0.0], vec![1.0], &p), 0.368_170_844_184_027_7);
    // ds/dt = s (1 - s) from 1/2, worked out by hand: the rates are 0.25, 0.234375, 0.23626708984375 and 0.19417786225676537
    near(ticked(&Neuron::new(Logistic), &rk4(1.0), &[0.0], vec![0.5], &[1.0]), 0.730_910_340_324_044_2);
}

#[test]
fn the_lanes_take_the_steps_of_the_oracle() {
    const LANES: usize = 70;
    let neuron = Neuron::new(Logistic);
    for semantics in [
        euler(0.25),
        euler(0.25).with_substeps(3),
        rk4(0.25),
        rk4(0.25).with_substeps(2),
        euler(0.25).with_order(Order::Staged).with_substeps(2),
    ] {
        let mut reference = vec![0.3];
        for _ in 0..4 {
            reference = ticked(&neuron, &semantics, &[0.125], reference, &[1.5]);
        }
        let by = |instructions| {
            let (mut s, mut y) = (vec![0.3; LANES], vec![0.0; 4 * LANES]);
            neuron.function().advance(LaneJob {
                rule: Rule::from(&semantics),
                instructions,
                ticks: 4,
                lanes: LANES,
                inputs: &[Feed::Constant(0.125)],
                flow: Flow::Raw { step: semantics.step_length() as f32 },
                parameters: &[Param::One(1.5)],
                states: ArrayViewMut2::from_shape((1, LANES), &mut s).expect("fits"),
                outputs: &mut [Sink::Stream(ArrayViewMut2::from_shape((4, LANES), &mut y).expect("fits"))],
                echo: None,
            });
            s
        };
        let baseline = by(InstructionSet::Baseline);
        assert!(baseline.iter().all(|v| v.to_bits() == baseline[0].to_bits()));
        // at most 8 steps of some 30 roundings of numbers below two
        assert!((f64::from(baseline[0]) - reference[0]).abs() < 240.0 * 6e-8, "{semantics}: {} {reference:?}", baseline[0]);
        for &set in InstructionSet::ALL.iter().filter(|set| set.is_available()) {
            assert_eq!(by(set), baseline, "{set}, {semantics}");
        }
    }
}

#[test]
fn a_recording_is_the_step() {
    let neuron = cuba_li();
    let p = [2e-3, 5e-3, 2.0, 0.1, 1.5];
    for semantics in [euler(1e-3).with_substeps(3), rk4(1e-3), rk4(1e-3).with_substeps(2)] {
        let h = semantics.step_length();
        let given = [[0.7, 0.2, -0.4].as_slice(), &p, &[h, 0.0, 0.0, h], &[h]].concat();
        let recorded = neuron.function().record(&semantics).flow.evaluate(&given);
        assert_eq!(recorded, ticked(&neuron, &semantics, &[0.7], vec![0.2, -0.4], &p), "{semantics}");
    }
}

#[test]
fn what_has_no_exact_decay_has_an_explicit_one() {
    assert!(program(Neuron::new(Logistic), Semantics::exact(0.1)).is_err());
    program(Neuron::new(Logistic), rk4(0.1)).expect("builds");
    assert!(program(li().with("tau", 1.0), rk4(0.1).with_drive(Drive::ImpulseAfter)).is_err());
}

#[test]
fn a_decay_in_fixed_point_holds_at_most_the_whole_state() {
    let loihi = |tau: f64| {
        let mut net = Program::builder();
        let x = net.input("x", [1]);
        let y = net.node("n", lif().with("tau", tau), x);
        net.output("y", y);
        net.build(Preset::Loihi.semantics(1e-3))
    };
    assert!(loihi(1e-3).is_ok());
    let text = loihi(2e-4).expect_err("beyond").to_string();
    assert!(text.contains("node \"n\"") && text.contains("would lose 5 of itself in a tick"), "{text}");
}

#[test]
fn an_unstable_step_of_an_affine_flow_is_refused_when_built() {
    // the bounds of the real axis: 2 for Euler, 2.7853 for Runge and Kutta
    let leaky = |semantics| program(li().with("tau", 1.0), semantics);
    for stable in [euler(2.0), euler(5.9).with_substeps(3), rk4(2.7852), rk4(5.57).with_substeps(2), Semantics::exact(100.0)] {
        leaky(stable).expect("is stable");
    }
    for unstable in
        [euler(2.01), euler(6.1).with_substeps(3), rk4(2.7854), rk4(5.58).with_substeps(2), Preset::Snntorch.semantics(2.01)]
    {
        let error = leaky(unstable).expect_err("is unstable");
        assert_eq!((error.kind(), error.node()), (ErrorKind::InvalidProgram, Some("n")));
    }
    let text = leaky(euler(3.0)).expect_err("is unstable").to_string();
    assert!(text.contains("a difference is multiplied by 2.000000 a tick, by 0.049787 in the flow"), "{text}");
    // and of the imaginary axis: none for Euler, 2 √2 for Runge and Kutta
    let swinging = |semantics| program(Neuron::new(Oscillator), semantics);
    swinging(rk4(2.828)).expect("is stable");
    for unstable in [euler(1e-3), rk4(2.829)] {
        assert!(swinging(unstable).is_err());
    }
    // one channel among many is enough
    let taus: Vec<f64> = (0..9).map(|k| if k == 7 { 0.4 } else { 1.0 }).collect();
    assert!(wide(lif().with("tau", taus.clone()), 9, euler(1.0)).is_err());
    wide(lif().with("tau", taus), 9, euler(0.7)).expect("is stable");
}

#[test]
fn a_flow_that_grows_may_grow_in_its_step() {
    #[derive(Debug)]
    struct Runaway;
    impl Dynamics<0, 1, 0, 1> for Runaway {
        const SIGNATURE: Signature<0, 1, 0, 1> = Signature {
            id: "test.runaway/1",
            summary: "Growth.",
            source: "textbooks",
            inputs: [],
            states: [Quantity::new("s", "1", [0.0, 1.0], "what grows").state(1.0)],
            parameters: [],
            outputs: [Quantity::new("s", "1", [0.0, 1.0], "what grows").output()],
        };
        fn flow<S: Scalar>(&self, _: [S; 0], [s]: [S; 1], _: [S; 0]) -> [S; 1] {
            [s]
        }
        fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
            (s, s)
        }
    }
    program(Neuron::new(Runaway), euler(3.0)).expect("1 + 3 is below e³");
}

#[test]
fn stability_at_a_point_and_over_the_nominal_ranges() {
    let neuron = Neuron::new(Logistic);
    let step = Step::new(neuron.function().as_ref(), &euler(2.5), &[1.0]).expect("is explicit");
    // at s = 1 the flow contracts at a rate of one, and an Euler step of 2.5 overshoots
    let at = step.at(&[0.0], &[1.0]).expect("is finite");
    assert!((at.step - 1.5).abs() < 1e-9 && (at.flow - (-2.5_f64).exp()).abs() < 1e-9, "{at:?}");
    assert!(!at.is_stable() && at.error == [0.0]);
    // at s = 1/2 neither grows, and the tick errs: 2.5/4 instead of two halves of it
    let at = step.at(&[0.0], &[0.5]).expect("is finite");
    assert!(at.is_stable() && (at.step - 1.0).abs() < 1e-9 && (at.flow - 1.0).abs() < 1e-9, "{at:?}");
    assert!((at.error[0] - 2.0 * 1.25 * 0.3125 * 0.3125).abs() < 1e-12, "{at:?}");
    assert!(!step.nominal().expect("is finite").is_stable());
    assert!(
        Step::new(neuron.function().as_ref(), &euler(1.5), &[1.0])
            .expect("is explicit")
            .nominal()
            .expect("is finite")
            .is_stable()
    );
    assert!(step.at(&[0.0], &[0.0, 1.0]).is_err() && step.at(&[0.0], &[f64::MAX]).is_err());
    assert!(Step::new(neuron.function().as_ref(), &Semantics::exact(1.0), &[1.0]).is_err());
}

/// The logistic function that starts at `s`.
fn logistic(s: f64, rt: f64) -> f64 {
    s / (s + (1.0 - s) * (-rt).exp())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn halving_the_step_divides_the_error_by_two_or_by_sixteen(s in 0.05_f64..0.35, r in 0.5_f64..1.0) {
        let neuron = Neuron::new(Logistic);
        let off = |semantics: Semantics, n| {
            (ticked(&neuron, &semantics.with_substeps(n), &[0.0], vec![s], &[r])[0] - logistic(s, r)).abs()
        };
        let (first, fourth) = (off(euler(1.0), 64) / off(euler(1.0), 128), off(rk4(1.0), 8) / off(rk4(1.0), 16));
        prop_assert!((first.log2() - 1.0).abs() < 0.1, "{first}");
        prop_assert!((fourth.log2() - 4.0).abs() < 0.5, "{fourth}");
    }

    #[test]
    fn the_estimate_is_near_the_error(s in 0.05_f64..0.35, r in 0.5_f64..1.0) {
        let neuron = Neuron::new(Logistic);
        for semantics in [euler(1.0).with_substeps(32), rk4(1.0).with_substeps(4)] {
            let off = (ticked(&neuron, &semantics, &[0.0], vec![s], &[r])[0] - logistic(s, r)).abs();
            let step = Step::new(neuron.function().as_ref(), &semantics, &[r]).expect("is explicit");
            let estimate = step.at(&[0.0], &[s]).expect("is finite").error[0];
            prop_assert!((estimate / off - 1.0).abs() < 0.25, "{estimate} {off}");
        }
    }

    #[test]
    fn substeps_are_shorter_ticks(s in 0.0_f64..1.0, x in -0.1_f64..0.1, n in 1_u32..9) {
        let neuron = Neuron::new(Logistic);
        // a power of two, so that a step has the same length either way
        let n = 1 << (n % 4);
        for semantics in [euler(0.5), rk4(0.5)] {
            let once = ticked(&neuron, &semantics.with_substeps(n), &[x], vec![s], &[1.0]);
            let mut often = vec![s];
            for _ in 0..n {
                often = ticked(&neuron, &semantics.with_dt(0.5 / f64::from(n)), &[x], often, &[1.0]);
            }
            prop_assert_eq!(&once, &often);
        }
    }
}

#[test]
fn a_program_with_explicit_steps_keeps_its_kind() {
    let cut = program(Neuron::new(Logistic), euler(0.5).with_substeps(4)).expect("builds");
    let plain = program(Neuron::new(Logistic), euler(0.5)).expect("builds");
    assert_ne!(cut.digest(), plain.digest());
    assert_eq!(plain.digest(), program(Neuron::new(Logistic), euler(0.5).with_substeps(1)).expect("builds").digest());
    let NodeKind::Dynamics { function, .. } = &cut.nodes()[0].kind else { panic!("a neuron") };
    assert_eq!(function.signature().id, "test.logistic/1");
}

/// A definition that says of its flow what is not so.
#[derive(Debug)]
struct Liar;

impl Dynamics<0, 1, 0, 1> for Liar {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<0, 1, 0, 1> = Signature {
        id: "test.liar/1",
        summary: "A decay that claims to be none.",
        source: "this test",
        inputs: [],
        states: [Quantity::new("s", "1", [-1.0, 1.0], "state").state(0.5)],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "state").output()],
    };

    fn flow<S: Scalar>(&self, _: [S; 0], [s]: [S; 1], _: [S; 0]) -> [S; 1] {
        [-s]
    }

    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

#[test]
#[should_panic(expected = "AFFINE of test.liar/1 is not what its flow shows")]
fn a_flow_that_is_not_what_it_declares_is_found_at_once() {
    let _ = Neuron::new(Liar);
}
