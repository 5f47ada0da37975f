use super::*;
use crate::fixed_point::{FixedStep, Flags, Format};
use crate::functions::{cuba_lif, integrate_and_fire, li, lif};
use crate::linear::Dense;
use crate::neuron::Neuron;
use crate::oracle::Oracle;
use crate::semantics::{Decay, Preset};

fn net(preset: Preset) -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [2]);
    let echo = net.later("b");
    let w = Dense::new([[0.7, -0.2], [0.4, 0.9]].into(), Some([0.01, 0.02].into())).expect("valid");
    let a = net.node("a", w.clone(), x + echo);
    let b = net.node("b", lif().with("tau", 2e-3).with("v_threshold", [0.4, 0.5]), a);
    let c = net.node("c", w, b);
    let d = net.node("d", cuba_lif().with("tau_syn", 2e-3).with("tau_mem", 3e-3).with("v_threshold", 0.1), c);
    net.output("y", d);
    net.build(preset.semantics(1e-3)).expect("valid")
}

/// Judges the oracle, with its states rounded to single precision as an honest substrate would.
fn judge(preset: Preset, spoil: impl Fn(usize, &mut State, &mut [f32])) -> Judged {
    let (program, run) = (net(preset), Run::new());
    let mut oracle = Oracle::new(&program, &run);
    let mut witness = Witness::new(&program, &run, &Accuracy::single());
    let mut total = Judged::default();
    for tick in 0..200 {
        let before = oracle.state();
        let x = [f64::from(u8::from(tick % 3 == 0)), 1.5];
        let mut y = [0.0; 2];
        oracle.step(&x, &mut y);
        let mut after = oracle.state();
        if !matches!(preset, Preset::Events | Preset::Loihi) {
            after.blocks.iter_mut().flat_map(|b| &mut b.values).for_each(|v| *v = f64::from(*v as f32));
        }
        let mut seen = y.map(|v| v as f32);
        spoil(tick, &mut after, &mut seen);
        total.add(witness.judge(&before, &x.map(|v| v as f32), &seen, &after).expect("fits"));
        oracle.set_state(&after).expect("fits");
    }
    total
}

#[test]
fn an_honest_substrate_passes_under_every_preset() {
    for &preset in Preset::ALL {
        let judged = judge(preset, |_, _, _| {});
        assert!(judged.mismatches.is_empty(), "{preset}: {:?}", judged.mismatches.first());
        assert!(judged.compared > 1000, "{preset}");
    }
}

#[test]
fn a_state_that_is_off_by_more_than_rounding_is_named() {
    let judged = judge(Preset::Exact, |tick, after, _| {
        if tick == 50 {
            after.block_mut("d", "v").expect("is there").values[1] += 1e-5;
        }
    });
    let first = judged.mismatches.first().expect("found");
    assert_eq!((first.node.as_str(), first.what.as_str(), first.channel), ("d", "v", 1));
}

#[test]
fn a_spike_that_the_state_does_not_show_is_found() {
    let judged = judge(Preset::Norse, |tick, _, y| {
        if tick == 20 {
            y[0] = 1.0 - y[0];
        }
    });
    assert_eq!(judged.mismatches.len(), 1);
    assert_eq!(judged.mismatches[0].node, "y");
}

/// How a board in fixed point is spoiled.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Board {
    Honest,
    /// A state is off by so many steps of the format.
    Off(i32),
    /// It computes with the coefficients of Euler's method.
    Euler,
}

fn neurons() -> [Neuron; 4] {
    [
        // a resistance beyond the format acts through the coefficients, and is no excuse
        lif().with("tau", [2e-3, 3.3e-3, 200.0]).with("r", [1.0, 2.0, 20_000.0]).with("v_threshold", [0.4, 0.5, 0.3]),
        li().with("tau", [2e-3, 3.3e-3, 4e-3]).with("r", 1.7),
        cuba_lif().with("tau_syn", 2e-3).with("tau_mem", [3e-3, 4e-3, 5e-3]).with("v_threshold", 0.3).with("v_reset", -0.1),
        integrate_and_fire().with("r", [0.1, 0.2, 0.3]).with("v_threshold", 0.7),
    ]
}

/// Judges the ticks of a neuron on a board; none if the platform does not have it.
fn judge_board(neuron: &Neuron, semantics: Semantics, board: Board) -> Option<Judged> {
    let format = Format::new(24).expect("is a format");
    let mut net = Program::builder();
    let x = net.input("x", [3]);
    let n = net.node("n", neuron.clone(), x);
    net.output("y", n);
    let program = net.build(semantics).ok()?;
    let step = FixedStep::new(neuron.function().as_ref(), format).expect("boards have it");
    let flags = Flags::from(&semantics);
    let computed = if board == Board::Euler { semantics.with_decay(Decay::Euler) } else { semantics };
    let known = Channels::of(&program.nodes()[0]).expect("a neuron");
    let encode = |channel: &Channel| {
        let coefficients = neuron.function().coefficients(&computed, &channel.p);
        (step.encode_coefficients(&coefficients).expect("fits"), step.encode_parameters(flags, &channel.p).expect("fits"))
    };
    let channels: Vec<(Vec<i32>, Vec<i32>)> = known.each(3).map(encode).collect();
    let mut witness = Witness::new(&program, &Run::new(), &Accuracy::fixed(format));
    let (mut before, mut total, mut work) = (State::initial(&program, 1), Judged::default(), step.work());
    for tick in 0..300_i32 {
        let x = [1.1_f32, -0.3 + 0.01 * tick as f32, 1.0 / (1.0 + tick as f32)];
        let mut after = before.clone();
        after.tick += 1;
        let mut y = [0.0; 3];
        for (c, (coefficients, p)) in channels.iter().enumerate() {
            let mut s: Vec<i32> = before.blocks.iter().map(|b| format.encode(b.values[c]).expect("is on the board")).collect();
            let input = [format.encode(f64::from(x[c])).expect("in range")];
            let mut out = [0];
            step.tick(flags, [&input, coefficients, p], &mut s, &mut out, &mut work);
            if let (Board::Off(by), 150..) = (board, tick) {
                s[0] += by;
            }
            after.blocks.iter_mut().zip(&s).for_each(|(b, &v)| b.values[c] = format.decode(v));
            y[c] = format.decode(out[0]) as f32;
        }
        total.add(witness.judge(&before, &x, &y, &after).expect("fits"));
        before = after;
    }
    assert_eq!(work.clipped, 0);
    Some(total)
}

/// Every preset that boards have, and so many of the four neurons on each.
fn boards() -> Vec<(Neuron, Semantics)> {
    let has = |s: &Semantics| s.test != Test::Located && s.number == Number::Real;
    let semantics = Preset::ALL.iter().map(|p| p.semantics(1e-3).with_input_delay(0)).filter(has);
    semantics.flat_map(|s| neurons().map(|n| (n, s))).collect()
}

#[test]
fn an_honest_board_in_fixed_point_passes_under_every_preset() {
    let mut taken = 0;
    for (neuron, semantics) in boards() {
        let Some(judged) = judge_board(&neuron, semantics, Board::Honest) else { continue };
        taken += 1;
        let id = neuron.function().signature().id;
        assert!(judged.mismatches.is_empty(), "{id}, {semantics:?}: {:?}", judged.mismatches.first());
        assert!(judged.compared >= 1800 && judged.worst > 0.1, "{id}: {judged:?}");
    }
    assert!(taken > 25, "{taken}");
}

#[test]
fn a_board_that_is_off_by_a_few_steps_is_found_out() {
    for (neuron, semantics) in boards() {
        for by in [-8, 8] {
            let Some(judged) = judge_board(&neuron, semantics, Board::Off(by)) else { continue };
            let id = neuron.function().signature().id;
            // with a parameter beyond the format, too
            for channel in 0..3 {
                assert!(judged.mismatches.iter().any(|m| m.channel == channel), "{id}, {semantics:?}, channel {channel}");
            }
        }
    }
}

#[test]
fn a_board_that_takes_another_decay_than_declared_is_found_out() {
    for neuron in &neurons()[..3] {
        let judged = judge_board(neuron, Semantics::exact(1e-3), Board::Euler).expect("is taken");
        assert!(judged.mismatches.len() > 100, "{}", neuron.function().signature().id);
    }
}

#[test]
fn an_output_with_more_digits_than_single_precision_may_be_rounded() {
    let format = Format::new(24).expect("is a format");
    let fixed = Accuracy::fixed(format);
    // 64 is a number of single precision, but its neighbour in the format is not
    let output = Bounded { value: 64.0, error: format.spacing() };
    let seen = f64::from((64.0 + 40.0 * format.spacing()) as f32);
    assert_eq!(handed(&fixed, output), 64.0 * f64::from(f32::EPSILON) / 2.0);
    assert!((seen - 64.0).abs() <= handed(&fixed, output) || seen == 64.0);
    assert_eq!(handed(&Accuracy::single(), output), 0.0);
}
