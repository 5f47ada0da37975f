//! Random programs whose spikes do not depend on rounding.
//!
//! Weights and inputs are multiples of a quarter, time constants two or four ticks, thresholds far from any sum of those; runs
//! are short. Under an Euler decay single precision then holds every state exactly, so that spikes must agree, not nearly but
//! always; under an exact decay no state of so short a run comes near a threshold by chance for the seeds in use.
#![allow(dead_code, reason = "each test uses its share")]

use isoform_core::builder::{Builder, Draft, Wire, delay, identity, reshape};
use isoform_core::functions::{cuba_li, cuba_lif, integrate_and_fire, integrator, li, lif, scale, threshold};
use isoform_core::linear::{AvgPool2d, Conv1d, Conv2d, Dense, Padding, Pooling, Sparse, SumPool2d, Window};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::Tensor;
use proptest::prelude::*;

/// Draws small numbers from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    pub(crate) fn quarter(&mut self) -> f64 {
        (self.roll(9) as f64 - 4.0) / 4.0
    }

    pub(crate) fn real(&mut self) -> f64 {
        (self.roll(2001) as f64 - 1000.0) / 997.0
    }

    pub(crate) fn numbers(&mut self, count: usize, lattice: bool) -> Vec<f64> {
        (0..count).map(|_| if lattice { self.quarter() } else { self.real() }).collect()
    }
}

/// One node of a random program.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) kind: usize,
    pub(crate) seed: u64,
    /// Which earlier nodes it takes, as far as their widths agree.
    pub(crate) from: Vec<usize>,
    /// Whether it feeds back on itself.
    pub(crate) looped: bool,
}

pub(crate) fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let spec = (0_usize..16, any::<u64>(), prop::collection::vec(0_usize..8, 1..3), prop::bool::weighted(0.4));
    prop::collection::vec(spec.prop_map(|(kind, seed, from, looped)| Spec { kind, seed, from, looped }), 1..6)
}

fn each(dice: &mut Dice, width: usize, choices: &[f64]) -> Tensor {
    if dice.roll(2) == 0 {
        return choices[dice.roll(choices.len())].into();
    }
    let values: Vec<f64> = (0..width).map(|_| choices[dice.roll(choices.len())]).collect();
    Tensor::new([width], values).expect("fits")
}

/// A node, and how wide its output is.
fn draft(kind: usize, width: usize, dice: &mut Dice, lattice: bool) -> (Draft, usize) {
    let taus: &[f64] = if lattice { &[2.0, 4.0] } else { &[1.3, 2.9, 7.1] };
    let levels = [0.618_033_9, 0.732_050_8, 1.141_592_6];
    let tau = |dice: &mut Dice| each(dice, width, taus);
    let weight = |dice: &mut Dice, shape: &[usize]| {
        Tensor::new(shape.to_vec(), dice.numbers(shape.iter().product(), lattice)).expect("fits")
    };
    let bias = |dice: &mut Dice, width: usize| (dice.roll(2) == 0).then(|| weight(dice, &[width]));
    match kind {
        0 => (lif().with("tau", tau(dice)).with("r", 2.0).with("v_threshold", each(dice, width, &levels)).into(), width),
        1 => {
            let neuron = cuba_lif().with("tau_syn", tau(dice)).with("tau_mem", tau(dice)).with("r", 4.0).with("w_in", 2.0);
            (neuron.with("v_threshold", each(dice, width, &levels)).into(), width)
        }
        2 => (cuba_li().with("tau_syn", tau(dice)).with("tau_mem", tau(dice)).with("v_leak", 0.25).into(), width),
        3 => (li().with("tau", tau(dice)).with("v_leak", -0.5).into(), width),
        4 => (integrate_and_fire().with("v_threshold", each(dice, width, &levels)).into(), width),
        5 => (integrator().into(), width),
        6 => (threshold().with("threshold", each(dice, width, &levels)).into(), width),
        7 => (scale().with("scale", each(dice, width, &[0.5, -0.75])).into(), width),
        8 => {
            let out = 1 + dice.roll(70);
            (Dense::new(weight(dice, &[out, width]), bias(dice, out)).expect("fits").into(), out)
        }
        9 => {
            let out = 1 + dice.roll(9);
            let entries: Vec<_> = (0..out).flat_map(|o| (0..width).map(move |i| (o, i))).filter(|_| dice.roll(3) == 0).collect();
            let entries: Vec<_> = entries.into_iter().map(|(o, i)| (o, i, dice.quarter())).collect();
            (Sparse::new([width], [out], entries, bias(dice, out)).expect("fits").into(), out)
        }
        10 => {
            let window = Window::default().with_stride([1 + dice.roll(2)]).with_padding(Padding::Each([1]));
            let conv = Conv1d::new([1, width], weight(dice, &[2, 1, 2]), bias(dice, 2), window).expect("fits");
            let out = conv.output().len();
            (conv.into(), out)
        }
        11 if width.is_multiple_of(2) => {
            let window = Window::default().with_padding(Padding::Each([1, 1])).with_stride([1 + dice.roll(2), 1]).with_groups(2);
            let conv = Conv2d::new([2, 1, width / 2], weight(dice, &[4, 1, 3, 3]), bias(dice, 4), window).expect("fits");
            let out = conv.output().len();
            (conv.into(), out)
        }
        12 if width >= 2 => {
            let pooling = Pooling::over([1, 2]).with_stride([1, 1 + dice.roll(2)]).with_padding([0, 1]);
            if dice.roll(2) == 0 {
                let pool = SumPool2d::new([1, 1, width], pooling).expect("fits");
                let out = pool.output().len();
                (pool.into(), out)
            } else {
                let pool = AvgPool2d::new([1, 1, width], pooling).expect("fits");
                let out = pool.output().len();
                (pool.into(), out)
            }
        }
        13 => (delay(each(dice, width, &[1.0, 3.0, 2.0])), width),
        14 => (delay(each(dice, width, &[0.0, 3.0, 1.0])), width),
        15 => (reshape([1, width]), width),
        _ => (identity(), width),
    }
}

/// Whether the output of a node does not depend on its input in the same tick.
fn may_close_a_loop(kind: usize) -> bool {
    kind < 6 || kind == 13
}

/// Builds a program of two inputs, of which one may stand by itself, whose outputs are all the nodes.
pub(crate) fn build(specs: &[Spec], semantics: Semantics, lattice: bool) -> Option<Program> {
    let mut net = Builder::new();
    let mut wires: Vec<(Wire, usize)> = vec![(net.input("x", [6]), 6), (net.input("z", [6]), 6)];
    for (k, spec) in specs.iter().enumerate() {
        let mut dice = Dice::new(spec.seed);
        let width = wires[spec.from[0] % wires.len()].1;
        let matching: Vec<&(Wire, usize)> = wires.iter().filter(|(_, w)| *w == width).collect();
        let mut input = wires[spec.from[0] % wires.len()].0.clone();
        for &from in &spec.from[1..] {
            input = input + matching[from % matching.len()].0.clone();
        }
        let (what, out) = draft(spec.kind, width, &mut dice, lattice);
        let name = format!("n{k}");
        if spec.looped && may_close_a_loop(spec.kind) {
            // a few small weights, so that no loop runs away
            let entry = |dice: &mut Dice| if dice.roll(width) < 2 { dice.quarter() / 2.0 } else { 0.0 };
            let weight =
                Tensor::new([width, width], (0..width * width).map(|_| entry(&mut dice)).collect::<Vec<_>>()).expect("fits");
            let echo = net.later(&name);
            let back = net.node(&format!("back{k}"), Dense::new(weight, None).expect("fits"), echo);
            input = input + back;
        }
        let wire = net.node(&name, what, input);
        net.shape(&name, [out]);
        wires.push((wire, out));
    }
    for (k, (wire, _)) in wires.iter().enumerate().skip(2) {
        net.output(&format!("y{k}"), wire.clone());
    }
    // some presets lack some neurons, and some loops have nothing that delays them
    net.build(semantics).ok()
}

/// A random input `[tick, batch, 12]`: mostly spikes, some multiples of a quarter.
pub(crate) fn input(seed: u64, ticks: usize, batch: usize) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    (0..ticks * batch * 12)
        .map(|_| match dice.roll(5) {
            0 | 1 => 1.0,
            2 => dice.quarter() as f32,
            _ => 0.0,
        })
        .collect()
}
