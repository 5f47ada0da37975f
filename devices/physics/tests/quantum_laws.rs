//! What holds of quantum devices whatever the numbers.

mod stepped;

use isoform_core::builder::Builder;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::stability::Step;
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_core::transfer::StepRecording;
use isoform_physics::quantum::array::array;
use isoform_physics::quantum::hysteresis::{Film, Memory};
use isoform_physics::quantum::josephson::josephson;
use isoform_physics::quantum::neuristor::{R_L, S_TH, T_0, neuristor};
use isoform_physics::quantum::spin_torque::spin_torque;
use proptest::prelude::*;
use std::f64::consts::TAU;
use stepped::Element;

const FILM: Film<f64> = Film::PUBLISHED;

fn euler(dt: f64) -> Semantics {
    Semantics::exact(dt).with_decay(Decay::Euler)
}

fn rk4(dt: f64) -> Semantics {
    Semantics::exact(dt).with_decay(Decay::RungeKutta)
}

/// One element, all outputs.
fn single(neuron: Neuron, semantics: Semantics) -> Oracle {
    let outputs = neuron.function().signature().outputs.len();
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let cell = net.node("cell", neuron, x);
    for port in 0..outputs {
        net.output(&format!("y{port}"), cell.port(port));
    }
    Oracle::new(&net.build(semantics).expect("builds"), &Run::new())
}

/// The outputs of every tick under a constant input.
fn held(oracle: &mut Oracle, x: &[f64], ticks: usize) -> Vec<Vec<f64>> {
    let mut y = vec![0.0; oracle.program().output_channels()];
    (0..ticks)
        .map(|_| {
            oracle.step(x, &mut y);
            y.clone()
        })
        .collect()
}

fn lattice(shape: [usize; 2], coupling: f64, dt: f64) -> Program {
    array(neuristor(), shape, coupling, euler(dt)).expect("builds")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resistance_falls_with_temperature_on_each_branch(t in 305.0_f64..369.0, step in 0.01_f64..1.0, delta in prop_oneof![Just(1.0), Just(-1.0)]) {
        let m = Memory::major(delta, 300.0);
        prop_assert!(FILM.resistance(&m, t) > FILM.resistance(&m, t + step));
    }

    #[test]
    fn the_warming_branch_lies_above_the_cooling_one(t in 305.0_f64..370.0) {
        prop_assert!(FILM.resistance(&Memory::major(1.0, t), t) > FILM.resistance(&Memory::major(-1.0, t), t));
    }

    #[test]
    fn minor_loops_stay_inside_the_major_loop_and_join_where_they_turn(
        legs in prop::collection::vec(0.1_f64..12.0, 1..12),
    ) {
        const MOVE: f64 = 0.0125;
        let (mut m, mut t, mut up, mut turns) = (Memory::major(1.0, 333.0), 333.0_f64, true, 0.0);
        for leg in legs {
            for _ in 0..(leg / MOVE) as u32 {
                prop_assert_eq!(FILM.come(&m, t), m, "nothing moved, and yet it turned");
                t = (t + if up { MOVE } else { -MOVE }).clamp(306.0, 369.0);
                let (before, next) = (FILM.insulating(&m, t), FILM.come(&m, t));
                prop_assert!((FILM.insulating(&next, t) - before).abs() < 1e-7, "{m:?} {next:?}");
                turns += f64::from(u8::from(next.delta != m.delta));
                m = next;
                // a turn is seen a move late, until which the film follows its old branch backwards, by less than it moved
                let slack = MOVE * (turns + 1.0);
                let above = FILM.insulating(&Memory::major(1.0, t), t - slack);
                let below = FILM.insulating(&Memory::major(-1.0, t), t + slack);
                prop_assert!((below..=above).contains(&FILM.insulating(&m, t)), "{m:?} at {t}");
            }
            up = !up;
        }
    }

    #[test]
    fn the_proximity_is_that_of_the_inverse(moves in prop::collection::vec(0.1_f64..4.0, 2..12)) {
        let (mut m, mut t, mut up) = (Memory::major(1.0, 330.0), 330.0_f64, true);
        for by in moves {
            // there in small steps, so that each turn is seen where it happens
            for _ in 0..50 {
                t += if up { by } else { -by } / 50.0;
                let g = FILM.insulating(&m, t.clamp(305.0, 370.0));
                let next = FILM.come(&m, t);
                if next.delta != m.delta {
                    let published = next.delta * FILM.w / 2.0 + FILM.t_c - (2.0 * g - 1.0).atanh() / FILM.beta - next.t_r;
                    prop_assert!((published - next.t_pr).abs() < 1e-6, "{published} {next:?}");
                }
                m = next;
            }
            up = !up;
        }
    }

    #[test]
    fn spin_torque_settles_at_its_steady_power(zeta in 1.3_f64..4.0, q in 0.5_f64..3.0) {
        let mut oracle = single(spin_torque().with("q", q).with("p_0", 0.05), rk4(0.5e-9));
        let y = held(&mut oracle, &[zeta * 1e-3], 2000);
        prop_assert!((y[1999][0] - (zeta - 1.0) / (zeta + q)).abs() < 1e-6, "{}", y[1999][0]);
    }

    #[test]
    fn spin_torque_dies_below_its_threshold_and_is_never_negative(zeta in 0.0_f64..0.9) {
        let mut oracle = single(spin_torque().with("p_0", 0.05).with("noise", 30.0), euler(0.5e-9));
        let y = held(&mut oracle, &[zeta * 1e-3], 500);
        prop_assert!(y.iter().all(|y| y[0] >= 0.0 && y[1].abs() <= y[0].sqrt()));
        let mut oracle = single(spin_torque().with("p_0", 0.05), euler(0.5e-9));
        prop_assert!(held(&mut oracle, &[zeta * 1e-3], 4000)[3999][0] < 1e-4);
    }

    #[test]
    fn one_slip_of_a_junction_is_one_quantum_of_flux(drive in 1.1_f64..2.0, gamma in 1.0_f64..2.0) {
        // without the loop the junction is by itself: phi'' = -gamma phi' - sin phi + i_b / 2
        let neuron = josephson().with("lambda", 0.0).with("gamma", gamma).with("i_b", 2.0 * drive);
        let mut oracle = single(neuron, rk4(0.01));
        let phase = |oracle: &Oracle| oracle.state().blocks[0].values[0];
        held(&mut oracle, &[0.0], 4000);
        let (start, mut area, mut before) = (phase(&oracle), 0.0, oracle.state().blocks[1].values[0]);
        let mut last = start;
        loop {
            let v = held(&mut oracle, &[0.0], 1)[0][0];
            let now = phase(&oracle);
            let part = if now - start < TAU { 1.0 } else { (start + TAU - last) / (now - last) };
            area += part * 0.01 * f64::midpoint(v, before);
            if part < 1.0 {
                break;
            }
            (before, last) = (v, now);
        }
        prop_assert!((area - TAU).abs() < 1e-4, "{area}");
    }
}

#[test]
fn firing_of_a_josephson_neuron_sets_in_at_any_rate_with_spikes_of_one_height() {
    let seen = |i_in: f64| {
        let mut oracle = single(josephson(), rk4(0.05));
        let v: Vec<f64> = held(&mut oracle, &[i_in], 16_000).into_iter().map(|y| y[0]).collect();
        let peaks: Vec<usize> = (1..v.len() - 1).filter(|&t| v[t] > 0.8 && v[t] > v[t - 1] && v[t] >= v[t + 1]).collect();
        let period = 0.05 * (peaks[peaks.len() - 1] - peaks[1]) as f64 / (peaks.len() - 2) as f64;
        (period, v.iter().fold(0.0_f64, |m, &v| m.max(v)))
    };
    let all: Vec<(f64, f64)> = [0.4, 0.3, 0.25, 0.22, 0.21, 0.205].into_iter().map(seen).collect();
    for pair in all.windows(2) {
        assert!(pair[1].0 > 1.15 * pair[0].0, "{all:?}");
        assert!((pair[1].1 - pair[0].1).abs() < 0.05, "{all:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    // outside the window in which it spikes
    #[test]
    fn what_is_steady_balances_its_energy(v_in in prop_oneof![2.0..9.95_f64, 15.8..20.0_f64]) {
        let mut film = Element::new(neuristor(), rk4(5e-9), &[]);
        (0..12_000).for_each(|_| film.step(&[v_in, 0.0, 0.0]));
        let [i, t] = [film.y[0], film.y[1]];
        // the voltage at the film by the load, and the heat by the surroundings
        let v = v_in - R_L * i;
        prop_assert!((v * i / (S_TH * (t - T_0)) - 1.0).abs() < 1e-4, "{v_in} V: {} W in, {} W out", v * i, S_TH * (t - T_0));
    }

    #[test]
    fn an_array_without_coupling_is_so_many_single_ones(
        rows in 1..=3_usize, columns in 1..=3_usize, volts in prop::collection::vec(8.0..17.0_f64, 9),
    ) {
        let volts = &volts[..rows * columns];
        let mut together = Oracle::new(&lattice([rows, columns], 0.0, 10e-9), &Run::new());
        let found = held(&mut together, volts, 500);
        for (at, &v) in volts.iter().enumerate() {
            let alone = held(&mut single(neuristor(), euler(10e-9)), &[v], 500);
            for (row, alone) in found.iter().zip(alone) {
                prop_assert_eq!([row[at], row[volts.len() + at]], [alone[0], alone[1]]);
            }
        }
    }

    #[test]
    fn it_goes_on_from_any_time(volts in prop::array::uniform2(9.0..16.0_f64), coupling in 0.0..0.1_f64, ticks in 1..1200_usize) {
        let program = lattice([1, 2], coupling, 10e-9);
        let mut whole = Oracle::new(&program, &Run::new());
        held(&mut whole, &volts, ticks);
        let saved = whole.state();
        let rest = held(&mut whole, &volts, 400);
        let mut resumed = Oracle::new(&program, &Run::new());
        resumed.set_state(&saved).expect("belongs to the program");
        prop_assert_eq!(held(&mut resumed, &volts, 400), rest);
    }
}

#[test]
fn coupled_neighbours_exchange_heat_and_keep_it() {
    // one that spikes beside one that does not: the silent one is warmer than it would be alone
    let mut pair = Oracle::new(&lattice([1, 2], 0.05, 10e-9), &Run::new());
    let mut alone = Oracle::new(&lattice([1, 2], 0.0, 10e-9), &Run::new());
    let (pair, alone) = (held(&mut pair, &[12.0, 9.0], 3000), held(&mut alone, &[12.0, 9.0], 3000));
    let mean = |rows: &[Vec<f64>]| rows.iter().skip(1500).map(|y| y[3]).sum::<f64>() / 1500.0;
    assert!(mean(&pair) > mean(&alone) + 0.5, "{} {}", mean(&pair), mean(&alone));
    // what the map gives it takes
    let program = lattice([3, 4], 0.02, 10e-9);
    let (_, map) = program.node("neighbours").expect("is there");
    let weights = map.parameters()[0].1.to_f64();
    assert_eq!(weights.len(), 12 + 2 * (3 * 3 + 2 * 4));
    assert!(weights.iter().sum::<f64>().abs() < 1e-15);
    for wrong in [-0.1, 0.25, f64::NAN] {
        assert!(array(neuristor(), [2, 2], wrong, euler(10e-9)).is_err());
    }
    assert!(array(neuristor(), [0, 2], 0.0, euler(10e-9)).is_err());
    array(neuristor(), [1, 2], 0.25, euler(10e-9)).expect("has one neighbour a side");
}

#[test]
fn it_goes_on_from_its_memory_and_not_without_it() {
    let program = lattice([1, 2], 0.02, 10e-9);
    let volts = [12.0, 13.0];
    let mut whole = Oracle::new(&program, &Run::new());
    held(&mut whole, &volts, 700);
    let saved = whole.state();
    let rest = held(&mut whole, &volts, 700);
    let resumed = |state: &State| {
        let mut oracle = Oracle::new(&program, &Run::new());
        oracle.set_state(state).expect("belongs to the program");
        held(&mut oracle, &volts, 700)
    };
    assert_eq!(resumed(&saved), rest);
    let initial = Oracle::new(&program, &Run::new()).state();
    for part in ["delta", "t_r", "t_pr"] {
        let mut forgetful = saved.clone();
        let at = forgetful.blocks.iter().position(|b| b.name.ends_with(part)).expect("is a state");
        forgetful.blocks[at] = initial.blocks[at].clone();
        let off = resumed(&forgetful).iter().zip(&rest).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f64::max);
        assert!(off > 1e-4, "without {part} the current is off by {off} A at most");
    }
}

#[test]
fn noise_is_the_same_walk_at_every_step() {
    // far below the transition the temperature is a linear process with variance sigma² C_th / (2 S_env) = 100² · 241 ns / 2
    let spread = |dt: f64| {
        let ticks = (60e-6 / dt) as usize;
        let mut oracle = Oracle::new(
            &array(neuristor().with("noise", 100.0), [1, 64], 0.0, euler(dt)).expect("builds"),
            &Run::new().with_seed(3),
        );
        let rows = held(&mut oracle, &[0.0; 64], ticks);
        let all: Vec<f64> = rows.iter().skip(ticks / 10).flat_map(|y| y[64..].iter().map(|t| t - T_0)).collect();
        all.iter().map(|t| t * t).sum::<f64>() / all.len() as f64
    };
    let expected = 100.0_f64.powi(2) * 49.627_768_31e-12 / (2.0 * S_TH);
    for dt in [10e-9, 40e-9] {
        // Euler widens it by dt S_env / (2 C_th); 64 lanes of some 110 independent samples leave 1.7 % of standard error
        let wider = 1.0 / (1.0 - dt * S_TH / (2.0 * 49.627_768_31e-12));
        assert!((spread(dt) / (expected * wider) - 1.0).abs() < 4.0 * 0.017, "{} {expected}", spread(dt));
    }
}

#[test]
fn a_step_of_ten_nanoseconds_follows_the_neuristor_and_one_of_a_microsecond_does_not() {
    let function = neuristor();
    let p: Vec<f64> = function.function().signature().parameters.iter().map(|p| p.default.expect("has one")).collect();
    let at = |semantics: Semantics| {
        let step = Step::new(function.function().as_ref(), &semantics, &p).expect("is explicit");
        // a metal film at 350 K under 12 V, cooling
        step.at(&[12.0, 0.0, 0.0], &[1.0, 350.0, -1.0, 370.0, -7.19, 350.0]).expect("is finite")
    };
    assert!(at(euler(10e-9)).is_stable());
    assert!(!at(euler(1e-6)).is_stable());
    assert!(at(euler(1e-6).with_substeps(100)).is_stable());
    // by fourth order the temperature is off a thousand times less
    assert!(at(rk4(10e-9)).error[1] * 1e3 < at(euler(10e-9)).error[1]);
}

#[test]
fn single_precision_spikes_at_the_same_rate() {
    let neuron = neuristor();
    let function = neuron.function();
    let (semantics, h) = (rk4(10e-9), 10e-9);
    let (step, p) = (
        function.record(&semantics),
        function.signature().parameters.iter().map(|p| p.default.expect("has one")).collect::<Vec<f64>>(),
    );
    // the recordings from which kernels are made, in the numbers that kernels have
    fn period<S: Scalar>(step: &StepRecording, p: &[f64], h: f64, read: fn(S) -> f64) -> f64 {
        let number = |v: &f64| S::lit(*v);
        let x = [S::lit(12.0), S::lit(0.0), S::lit(0.0)];
        let psi: Vec<S> = (0..36).map(|k| S::lit(if k % 7 == 0 { h } else { 0.0 })).collect();
        let p: Vec<S> = p.iter().map(number).collect();
        let mut s: Vec<S> = [0.0, 325.0, 1.0, 325.0, 0.0, 325.0].iter().map(number).collect();
        let (mut above, mut onsets) = (false, Vec::new());
        for tick in 0..6000 {
            let flowed = step.flow.evaluate(&[&x[..], &s, &p, &psi, &[S::lit(h)]].concat());
            let mut all = step.tick.evaluate(&[&x[..], &flowed, &p, &[S::lit(0.0)]].concat());
            let now = read(all[6]) > 1.5e-3;
            if now && !above && tick > 1500 {
                onsets.push(tick);
            }
            above = now;
            all.truncate(6);
            s = all;
        }
        10.0 * f64::from(onsets[onsets.len() - 1] - onsets[0]) / (onsets.len() - 1) as f64
    }
    let (double, single) = (period::<f64>(&step, &p, h, |v| v), period::<f32>(&step, &p, h, f64::from));
    assert!((double - 3040.0).abs() < 5.0 && (single / double - 1.0).abs() < 2e-3, "{double} {single}");
}
