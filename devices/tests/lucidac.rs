//! Programs on the twin of the analog computer, against the tape in continuous time, and what is refused.

#[path = "../examples/analog/reference.rs"]
#[expect(dead_code, reason = "the integrator at a tolerance is for the emulator")]
mod reference;
#[path = "../examples/analog/systems.rs"]
mod systems;

use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::{ErrorKind, Result};
use isoform_core::functions::{li, lif};
use isoform_core::linear::Dense;
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_devices::lucidac::compile::{Polarity, Wish, compile};
use reference::Flow;
use std::sync::Arc;

/// Half a step of a reading: half of the third decimal, and of one of 14 bits over 2.5 units.
const READING: f64 = 0.5e-3 + 1.25 / 16_383.0;
/// Half a step of a factor of 12 bits.
const FACTOR: f64 = 1.01 / 4096.0;

fn open(locator: &str) -> Arc<dyn Substrate> {
    let mut registry = Registry::new();
    isoform_devices::register(&mut registry);
    registry.open_str(locator).expect("opens")
}

fn session(substrate: &dyn Substrate, program: &Program) -> Result<Blocking> {
    Blocking::open(substrate, program, &Run::new())
}

fn rows(session: &mut Blocking, x: f32, ticks: usize) -> Result<Vec<Vec<f64>>> {
    let program = session.session().program();
    let (inputs, width) = (program.input_channels(), program.output_channels());
    let mut y = vec![0.0; ticks * width];
    session.advance(Signal::Held(&vec![x; inputs]), SignalMut::Dense(&mut y), ticks)?;
    Ok(y.chunks(width).map(|row| row.iter().map(|&v| f64::from(v)).collect()).collect())
}

fn truth(program: &Program, s: &mut [f64], x: f64, ticks: usize) -> Vec<Vec<f64>> {
    let flow = Flow::of(program).expect("a flow");
    let tick = |_| {
        flow.tick(&[x], s);
        s.to_vec()
    };
    (0..ticks).map(tick).collect()
}

fn worst(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The bound for the leaky integrator under inputs that are held.
///
/// In units of the machine, `y' = -a y + b` with three lanes: `a` and the two that make up `b`, each below ten and so off by at most ten times
/// [`FACTOR`]. The end `b/a` moves by at most `(1 + 2) 10 FACTOR / a` for outputs of at most one, and on the way a wrong `a` adds at most
/// `2 · 10 FACTOR t e^(-a t) <= 20 FACTOR / (e a)`. A piece starts from a reading and a rounded initial condition, and ends in a reading; what the
/// start was off by decays. One unit is two volts.
fn bound_of_leaky(program: &Program, wish: &Wish) -> f64 {
    let wiring = compile(program, wish).expect("compiles");
    let a = program.semantics().dt * f64::from(wiring.rate) / (20e-3 * f64::from(wiring.k0));
    let scale = if a > 1.0 { 10.0 } else { 1.0 };
    let factors = (3.0 + 2.0 / std::f64::consts::E) * scale * FACTOR / a;
    2.0 * (factors + 2.0 * READING + 0.5 / 2048.0)
}

#[test]
fn a_leaky_integrator_follows_its_equation() {
    let program = systems::leaky().expect("builds");
    let slow = Wish { k0: Some(100), rate: Some(10_000), ..Wish::default() };
    for (locator, wish) in [
        ("twin:lucidac?noise=0", Wish::default()),
        ("twin:lucidac?polarity=direct&noise=0", Wish::default()),
        ("twin:lucidac?link=tcp&noise=0", Wish::default()),
        ("twin:lucidac?k0=100&rate=10000&noise=0", slow),
    ] {
        let substrate = open(locator);
        let mut session = session(substrate.as_ref(), &program).expect("fits");
        let mut s = [0.0];
        let bound = bound_of_leaky(&program, &wish);
        assert!(bound < 0.01, "{bound}");
        for (x, ticks) in [(3.0, 40), (-1.0, 25), (2.0, 1), (0.0, 20)] {
            let error = worst(&rows(&mut session, x, ticks).expect("runs"), &truth(&program, &mut s, f64::from(x), ticks));
            assert!(error < bound, "{locator}: {error} at an input of {x}, beyond {bound}");
        }
        session.reset().expect("resets");
        let again = rows(&mut session, 3.0, 40).expect("runs");
        assert!(worst(&again, &truth(&program, &mut [0.0], 3.0, 40)) < bound);
    }
}

#[test]
fn inputs_that_change_every_tick_are_runs_of_their_own() {
    let program = systems::leaky().expect("builds");
    let mut session = session(open("twin:lucidac?noise=0").as_ref(), &program).expect("fits");
    let x: Vec<f32> = (0..24).map(|t| if t % 2 == 0 { 3.0 } else { 0.5 }).collect();
    let y = session.run(&x).expect("runs");
    let mut s = [0.0];
    // every start is off by a reading and a step of an initial condition, and decays by e^(-1/20) a tick
    let bound = bound_of_leaky(&program, &Wish::default()) + 2.0 * (READING + 0.5 / 2048.0) / (1.0 - (-0.05_f64).exp());
    for (t, (&x, &y)) in x.iter().zip(&y).enumerate() {
        let true_v = truth(&program, &mut s, f64::from(x), 1)[0][0];
        assert!((f64::from(y) - true_v).abs() < bound, "tick {t}: {y} instead of {true_v}");
    }
}

#[test]
fn signs_are_measured_and_named() {
    let device = |locator: &str| open(locator).profile().device.clone();
    assert!(device("twin:lucidac?noise=0").contains("inverts initial conditions as measured"), "{}", device("twin:lucidac"));
    assert!(device("twin:lucidac?polarity=direct").contains("inverts nothing as measured"));
}

#[test]
fn nonlinear_systems_follow_their_equations_from_row_to_row() {
    for (program, start, ticks) in [
        (systems::oscillator().expect("builds"), vec![0.9, 0.0], 100),
        (systems::van_der_pol().expect("builds"), vec![1.0, 0.0], 600),
        (systems::lorenz().expect("builds"), vec![1.0, 1.0, 20.0], 600),
    ] {
        let mut session = session(open("twin:lucidac?noise=0").as_ref(), &program).expect("fits");
        let rows = rows(&mut session, 0.0, ticks).expect("runs");
        let (flow, mut before) = (Flow::of(&program).expect("a flow"), start);
        let units = flow.units();
        let wiring = compile(&program, &Wish::default()).expect("compiles");
        let tick = f64::from(wiring.k0) / f64::from(wiring.rate);
        for row in rows {
            let mut s = before.clone();
            flow.tick(&[], &mut s);
            let growth = growth(&flow, &before, &units);
            // the row before was read in every state; of its three lanes, two for the factors of a multiplier, each integrator makes
            // an error for a tick, which then grows
            let bound = READING * (1.0 + growth) + 5.0 * 10.0 * FACTOR * tick * growth;
            for (k, (a, b)) in row.iter().zip(&s).enumerate() {
                let error = (a - b).abs() / units[k];
                assert!(error < bound, "state {k} is off by {error}, beyond {bound}");
            }
            before = row;
        }
    }
}

/// How far an error of one in every state, in units, may grow in a tick: by differences, with a tenth to spare.
fn growth(flow: &Flow, s: &[f64], units: &[f64]) -> f64 {
    let step = 1e-6;
    let after = |s: &[f64]| {
        let mut s = s.to_vec();
        flow.tick(&[], &mut s);
        s
    };
    let plain = after(s);
    let mut sums = vec![0.0; s.len()];
    for j in 0..s.len() {
        let mut moved = s.to_vec();
        moved[j] += step * units[j];
        for (k, (a, b)) in after(&moved).iter().zip(&plain).enumerate() {
            sums[k] += ((a - b) / (step * units[k])).abs();
        }
    }
    1.1 * sums.into_iter().fold(1.0, f64::max)
}

#[test]
fn the_state_goes_through_initial_conditions_and_readings() {
    let program = systems::oscillator().expect("builds");
    let mut session = session(open("twin:lucidac?noise=0").as_ref(), &program).expect("fits");
    rows(&mut session, 0.0, 30).expect("runs");
    let saved = session.save().expect("saves");
    assert_eq!(saved.tick, 30);
    let first = rows(&mut session, 0.0, 20).expect("runs");
    session.load(&saved).expect("loads");
    assert_eq!(rows(&mut session, 0.0, 20).expect("runs"), first);
    let mut wild = saved;
    wild.block_mut("system", "x").expect("is there").values[0] = 1.1;
    let error = session.load(&wild).expect_err("refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::InvalidSignal, Some("system")));
    assert_eq!(rows(&mut session, 0.0, 1).expect("goes on").len(), 1);
}

#[test]
fn a_state_that_leaves_its_unit_is_a_fault_and_not_a_number() {
    let program = systems::van_der_pol().expect("builds");
    let mut session = session(open("twin:lucidac?unit=x:1.1,y:3").as_ref(), &program).expect("fits");
    let error = rows(&mut session, 0.0, 400).expect_err("overloads");
    assert_eq!(error.kind(), ErrorKind::Fault);
    assert!(error.to_string().contains("larger unit"), "{error}");
    session.reset().expect("recovers");
    rows(&mut session, 0.0, 10).expect("runs");
}

#[test]
fn noise_is_that_of_the_readings() {
    let program = systems::oscillator().expect("builds");
    let run = |locator: &str| rows(&mut session(open(locator).as_ref(), &program).expect("fits"), 0.0, 100).expect("runs");
    let (quiet, noisy) = (run("twin:lucidac?noise=0"), run("twin:lucidac?noise=0.01&seed=3"));
    let n = 200.0;
    let deviation = (quiet.iter().flatten().zip(noisy.iter().flatten()).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n).sqrt();
    // five standard errors of a deviation of 200 samples, and the steps of both readings
    assert!((deviation - 0.01).abs() < 5.0 * 0.01 / (2.0_f64 * n).sqrt() + 2.0 * READING, "{deviation}");
}

/// An exponential, which nothing can wire.
#[derive(Debug, Clone, Copy)]
struct Exponential;

impl Dynamics<0, 1, 0, 1> for Exponential {
    const SIGNATURE: Signature<0, 1, 0, 1> = Signature {
        id: "example.exponential/1",
        summary: "A flow that is no polynomial.",
        source: "none",
        inputs: [],
        states: [Quantity::new("v", "1", [-1.0, 1.0], "state").state(0.0)],
        parameters: [],
        outputs: [Quantity::new("v", "1", [-1.0, 1.0], "state").output()],
    };
    fn flow<S: Scalar>(&self, _: [S; 0], [v]: [S; 1], _: [S; 0]) -> [S; 1] {
        [(-v).exp() - v]
    }
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

fn refusal(program: &Program, wish: &Wish) -> String {
    let error = compile(program, wish).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    error.to_string()
}

#[test]
fn what_does_not_fit_is_refused_by_node_and_term() {
    let plain = Wish::default();
    let semantics = Semantics::exact(1e-3);
    let euler = semantics.with_decay(Decay::Euler);
    let of = |what: Neuron, channels: usize, semantics: Semantics| {
        let mut net = Builder::new();
        let wires = if what.function().signature().signals() > 0 { vec![net.input("x", [channels])] } else { Vec::new() };
        let y = net.node("cell", what, wires);
        net.shape("cell", [channels]);
        net.output("y", y);
        net.build(semantics).expect("builds")
    };
    insta::assert_snapshot!(refusal(&of(lif().with("tau", 0.02), 1, semantics), &plain), @r#"unsupported: node "cell": isoform.lif/1 jumps at a threshold; the machine has no comparator"#);
    insta::assert_snapshot!(refusal(&of(Neuron::new(Exponential), 1, euler), &plain), @r#"unsupported: node "cell": "exp(-v)" is no polynomial: only sums, differences, products and divisions by a parameter can be wired"#);
    insta::assert_snapshot!(refusal(&of(li().with("tau", 0.02), 9, semantics), &plain), @r#"unsupported: node "cell": with its 1 states of 9 channels the program has more than the machine's 8 integrators"#);
    insta::assert_snapshot!(refusal(&of(li().with("tau", 1e-7), 1, semantics), &plain), @r#"unsupported: node "cell": the term i of dv/dt needs a factor of 64.000 even at 32 ticks a second, and the largest is 10: shorten dt"#);
    insta::assert_snapshot!(refusal(&of(Neuron::new(systems::VanDerPol), 3, euler), &plain), @r#"unsupported: node "cell": its products need more than the machine's 4 multipliers"#);
    let rate = Wish { rate: Some(333), ..plain.clone() };
    insta::assert_snapshot!(refusal(&of(Neuron::new(systems::Lorenz), 2, euler), &rate), @r#"unsupported: node "cell": the machine has no rate of 333/s for 8 channels"#);
    let unit = Wish { units: vec![("u".into(), 1.0)], ..plain.clone() };
    insta::assert_snapshot!(refusal(&of(li().with("tau", 0.02), 1, semantics), &unit), @r#"unsupported: a unit is given for "u", but the program has no such state; it has cell.v"#);
    let unit = Wish { units: vec![("v".into(), 1.0), ("cell.v".into(), 2.0)], ..plain.clone() };
    insta::assert_snapshot!(refusal(&of(li().with("tau", 0.02), 2, semantics), &unit), @r#"unsupported: node "cell": v and cell.v both give a unit of cell.v: leave one of the two out"#);

    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let first = net.node("first", li().with("tau", 0.02), x);
    let second = net.node("second", li().with("tau", 0.02), first);
    net.output("y", second);
    insta::assert_snapshot!(refusal(&net.build(semantics).expect("builds"), &plain), @r#"unsupported: node "second": it is driven by another node; the machine couples at once where a program couples once a tick"#);
    let mut net = Builder::new();
    let x = net.input("x", [2]);
    let weights = net.node("weights", Dense::new([[1.0, 2.0]].into(), None).expect("fits"), x);
    net.output("y", weights);
    insta::assert_snapshot!(refusal(&net.build(semantics).expect("builds"), &plain), @r#"unsupported: node "weights": the machine has no dense; it realises flows that inputs of the program drive"#);
}

#[test]
fn an_input_that_makes_a_factor_too_large_is_refused_and_changes_nothing() {
    let program = systems::leaky().expect("builds");
    let mut session = session(open("twin:lucidac?noise=0").as_ref(), &program).expect("fits");
    let first = rows(&mut session, 3.0, 10).expect("runs");
    let error = rows(&mut session, 40.0, 10).expect_err("refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::InvalidSignal, Some("membrane")));
    assert!(error.to_string().contains("of dv/dt"), "{error}");
    rows(&mut session, 3.0, 10).expect("goes on");
    session.reset().expect("resets");
    assert_eq!(rows(&mut session, 3.0, 10).expect("runs"), first);
}

#[test]
fn lorenz_is_wired_as_the_textbooks_draw_it() {
    let wiring = compile(&systems::lorenz().expect("builds"), &Wish::default()).expect("compiles");
    assert_eq!((wiring.rate, wiring.k0, wiring.multipliers()), (250_000, 10_000, 2));
    let polarity = Polarity { ic: -1.0, reading: 1.0, product: 1.0 };
    let circuit = wiring.circuit(&[], &[1.0, 1.0, 20.0], polarity).expect("fits");
    let lane = |lane: usize| {
        let factor = circuit.factors[lane] * if circuit.upscaling[lane] { 10.0 } else { 1.0 };
        let input = (0..16).find(|&i| (circuit.sums[i] >> lane) & 1 == 1).expect("leads somewhere");
        (input, circuit.sources[lane].expect("comes from somewhere"), (factor * 1e6).round() / 1e6)
    };
    // λ/k = 0.25: dx/dt = 15 y - 10 x, dy/dt = 18.67 x - y - 33.33 xz, dz/dt = 13.33 · 0.9 xy - 2.67 z in units, all negated
    let expected = [
        (0, 0, 2.5),
        (0, 1, -3.75),
        (1, 0, -4.666_667),
        (1, 1, 0.25),
        (1, 9, 8.333_333),
        (2, 2, 0.666_667),
        (2, 8, -3.0),
        (8, 0, 1.0),
        (9, 1, 1.0),
        (10, 0, 1.0),
        (11, 2, 1.0),
    ];
    let mut found: Vec<_> = (0..11).map(lane).collect();
    found.sort_by_key(|l| (l.0, l.1));
    let mut products: Vec<_> = found.iter().filter(|l| l.1 >= 8).map(|l| (l.0, l.2)).collect();
    products.sort_by_key(|l| l.0);
    assert_eq!(products, [(1, 8.333_333), (2, -3.0)]);
    let sources = |pair: usize| {
        (found.iter().find(|l| l.0 == 8 + 2 * pair).map(|l| l.1), found.iter().find(|l| l.0 == 9 + 2 * pair).map(|l| l.1))
    };
    let of = |input: usize| usize::from(found.iter().find(|l| l.0 == input && l.1 >= 8).map_or(0, |l| l.1 - 8));
    assert_eq!((sources(of(1)), sources(of(2))), ((Some(0), Some(2)), (Some(0), Some(1))));
    let linear = |all: &[(usize, u8, f64)]| all.iter().copied().filter(|l| l.0 < 8 && l.1 < 8).collect::<Vec<_>>();
    assert_eq!(linear(&found), linear(&expected));
    assert_eq!(circuit.integrators[2].ic, -0.4);
    assert_eq!(circuit.channels, [0, 1, 2, 3]);
}
