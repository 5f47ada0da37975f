//! Random programs, and smaller ones.

use crate::bench::{Bench, DT};
use crate::chance::Chance;
use crate::plan::{Plan, PlanNode, Slide, What};
use isoform_core::functions as library;
use isoform_core::semantics::{Number, Preset, Semantics, Test};

const NEURONS: [&str; 6] = [library::LIF, library::CUBA_LIF, library::IF, library::LI, library::CUBA_LI, library::I];

/// A random plan; it may be one that contradicts itself.
pub(crate) fn generate(bench: &Bench<'_>, chance: &mut Chance, home: Semantics) -> Plan {
    let image = chance.happens(0.3) && bench.has("conv2d");
    let most = bench.channels(6);
    let shape = if image { vec![1 + chance.below(2), 4, 3 + chance.below(2)] } else { vec![1 + chance.below(most)] };
    let mut plan = Plan {
        semantics: answers(bench, chance, home),
        inputs: vec![(String::from("x"), shape.clone())],
        nodes: Vec::new(),
        outputs: Vec::new(),
    };
    // every signal so far, with its shape
    let mut signals = vec![(String::from("x"), shape)];
    for n in 0..2 + chance.below(5) {
        let Some((from, shape)) = signals.last().cloned() else { break };
        let Some((what, shape, stateful)) = node(bench, chance, &shape) else { continue };
        let name = format!("n{n}");
        let mut node = PlanNode::new(&name, what, &from);
        if let What::Neuron { .. } | What::Delay { .. } = &node.what {
            node.shape = Some(shape.clone());
            if chance.happens(0.2) {
                node.semantics = Some(answers(bench, chance, home));
            }
        }
        let own_input = signals.last().map(|(_, s)| s.clone()).unwrap_or_default();
        if chance.happens(0.3)
            && let Some((other, _)) = signals.iter().rev().skip(1).find(|(_, s)| *s == own_input)
        {
            node.from.push(other.clone());
        }
        if stateful && bench.profile.takes.cycles && bench.has("dense") && shape.len() == 1 && chance.happens(0.35) {
            let back = format!("back{n}");
            node.from.push(back.clone());
            plan.nodes.push(PlanNode::new(&back, dense(bench, chance, shape[0], shape[0]), &name));
        }
        // what leads to it goes on, but not through it
        if stateful && bench.profile.takes.cycles && chance.happens(0.05) {
            node.from = vec![name.clone()];
        }
        plan.nodes.push(node);
        signals.push((name, shape));
    }
    let last = signals.last().map(|(name, _)| name.clone()).unwrap_or_default();
    plan.outputs.push((String::from("y"), vec![last]));
    plan
}

fn answers(bench: &Bench<'_>, chance: &mut Chance, home: Semantics) -> Semantics {
    if chance.happens(0.3) {
        return home;
    }
    let all: Vec<Semantics> = Preset::ALL
        .iter()
        .map(|p| p.semantics(DT))
        .filter(|s| {
            (bench.profile.takes.fixed || s.number == Number::Real) && (bench.profile.takes.located || s.test != Test::Located)
        })
        .map(|s| s.with_decay(s.decay))
        .collect();
    chance.pick(&all).copied().unwrap_or(home)
}

fn dense(bench: &Bench<'_>, chance: &mut Chance, rows: usize, cols: usize) -> What {
    let scale = 1.0 / bench.gain();
    let weight = (0..rows * cols).map(|_| scale * chance.within(-1.0, 1.0)).collect();
    let bias = chance.happens(0.5).then(|| (0..rows).map(|_| scale * chance.within(-0.5, 0.5)).collect());
    What::Dense { rows, cols, weight, bias }
}

/// A node that takes a shape, the shape that it gives, and whether it keeps a state.
fn node(bench: &Bench<'_>, chance: &mut Chance, shape: &[usize]) -> Option<(What, Vec<usize>, bool)> {
    let count: usize = shape.iter().product();
    let weights = |chance: &mut Chance, n: usize| -> Vec<f64> { (0..n).map(|_| chance.within(-1.0, 1.0)).collect() };
    match (chance.below(10), shape) {
        (0..=4, _) => {
            let known: Vec<&str> = NEURONS.into_iter().filter(|id| bench.has(id)).collect();
            let id = chance.pick(&known)?;
            Some((bench.neuron(id, count), shape.to_vec(), true))
        }
        (5, _) if bench.has("delay") => {
            let seconds = (0..count).map(|_| DT * chance.below(4) as f64).collect();
            Some((What::Delay { seconds }, shape.to_vec(), false))
        }
        (6, [cols]) if bench.has("sparse") => {
            let rows = 1 + chance.below(bench.channels(5));
            let mut entries = Vec::new();
            for i in 0..rows * cols {
                if chance.happens(0.4) {
                    entries.push((i / cols, i % cols, chance.within(-1.0, 1.0)));
                }
            }
            Some((What::Sparse { rows, cols: *cols, entries, bias: None }, vec![rows], false))
        }
        (_, [cols]) if bench.has("dense") => {
            let rows = 1 + chance.below(bench.channels(5));
            Some((dense(bench, chance, rows, *cols), vec![rows], false))
        }
        (6 | 7, &[c, h, w]) if bench.has("conv2d") => {
            let out = 1 + chance.below(3);
            let slide = Slide { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
            let weight = (vec![out, c, 3, 3], weights(chance, out * c * 9));
            Some((What::Conv2d { input: [c, h, w], weight, bias: None, slide }, vec![out, h, w], false))
        }
        (8, &[c, h, w]) if bench.has("sum_pool2d") && h >= 2 && w >= 2 => Some((
            What::SumPool { input: [c, h, w], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
            vec![c, h / 2, w / 2],
            false,
        )),
        (_, &[_, _, _]) => Some((What::Reshape { shape: vec![count] }, vec![count], false)),
        _ => None,
    }
}

/// Simpler trials than one, the simplest first: half the ticks, one lane, a node less, no semantics of its own.
pub(crate) fn smaller(plan: &Plan, batch: usize, x: &[f32]) -> Vec<(Plan, usize, Vec<f32>)> {
    let channels: usize = plan.inputs.iter().map(|(_, s)| s.iter().product::<usize>()).sum();
    let row = (channels * batch).max(1);
    let ticks = x.len() / row;
    let mut all = Vec::new();
    for fewer in [ticks / 2, ticks.saturating_sub(1)] {
        if fewer > 0 && fewer < ticks {
            all.push((plan.clone(), batch, x[..fewer * row].to_vec()));
        }
    }
    if batch > 1 {
        let first = x.chunks_exact(row).flat_map(|r| r[..channels].iter().copied()).collect();
        all.push((plan.clone(), 1, first));
    }
    for gone in 0..plan.nodes.len() {
        all.push((without(plan, gone), batch, x.to_vec()));
        all.push((up_to(plan, gone), batch, x.to_vec()));
        if plan.nodes[gone].semantics.is_some() {
            let mut plain = plan.clone();
            plain.nodes[gone].semantics = None;
            all.push((plain, batch, x.to_vec()));
        }
        for from in 0..plan.nodes[gone].from.len() {
            if plan.nodes[gone].from.len() > 1 {
                let mut fewer = plan.clone();
                fewer.nodes[gone].from.remove(from);
                all.push((fewer, batch, x.to_vec()));
            }
        }
    }
    all.retain(|(smaller, b, s)| smaller.nodes.len() < plan.nodes.len() || (smaller, *b, s.len()) != (plan, batch, x.len()));
    all
}

/// The plan without a node: who took its signal takes its first input.
fn without(plan: &Plan, gone: usize) -> Plan {
    let mut rest = plan.clone();
    let node = rest.nodes.remove(gone);
    let heir = node.from.into_iter().find(|f| *f != node.name).unwrap_or_default();
    let wires = rest.nodes.iter_mut().flat_map(|n| &mut n.from).chain(rest.outputs.iter_mut().flat_map(|(_, from)| from));
    wires.filter(|f| **f == node.name).for_each(|f| f.clone_from(&heir));
    rest
}

/// The plan that ends with a node; what it does not need goes by itself.
fn up_to(plan: &Plan, last: usize) -> Plan {
    let mut rest = plan.clone();
    rest.outputs = vec![(String::from("y"), vec![plan.nodes[last].name.clone()])];
    let mut needed = vec![plan.nodes[last].name.clone()];
    let mut at = 0;
    while at < needed.len() {
        if let Some(node) = plan.nodes.iter().find(|n| n.name == needed[at]) {
            let new: Vec<String> = node.from.iter().filter(|f| !needed.contains(f)).cloned().collect();
            needed.extend(new);
        }
        at += 1;
    }
    rest.nodes.retain(|n| needed.contains(&n.name));
    rest
}
