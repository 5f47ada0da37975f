//! What holds of the spin-torque oscillator at any current, and what it is good for: telling waveforms apart as a reservoir.

mod stepped;

use isoform_core::draw::Key;
use isoform_core::semantics::{Decay, Semantics};
use isoform_physics::quantum::spin_torque::spin_torque;
use proptest::prelude::*;
use std::f64::consts::TAU;
use stepped::Element;

/// The current at which it begins to precess, by default.
const THRESHOLD: f64 = 1e-3;

fn magnet(dt: f64, set: &[(&str, f64)]) -> Element {
    Element::new(spin_torque(), Semantics::exact(dt).with_decay(Decay::RungeKutta), set)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn its_frequency_shifts_with_its_power(
        zeta in 1.3..4.0_f64, n in prop_oneof![-1e9..-1e7_f64, 1e7..1e9_f64], omega in 1e9..3e9_f64, q in 0.5..3.0_f64,
    ) {
        const DT: f64 = 0.1e-9;
        const TICKS: u32 = 2000;
        let mut element = magnet(DT, &[("n", n), ("omega_0", omega), ("q", q), ("p_0", 0.05)]);
        let current = [zeta * THRESHOLD, 0.0];
        // at least 37 relaxations: what is left of the start is below rounding
        (0..10_000).for_each(|_| element.step(&current));
        let mut turned = 0.0;
        for _ in 0..TICKS {
            let before = element.s[1];
            element.step(&current);
            // the phase runs backwards, by less than a turn a tick
            turned += (before - element.s[1]).rem_euclid(TAU);
        }
        let (found, expected) = (turned / (f64::from(TICKS) * DT), omega + n * (zeta - 1.0) / (zeta + q));
        // each difference of phases is known to the rounding of a turn
        let rounding = 4.0 * TAU * f64::EPSILON / DT;
        prop_assert!((found - expected).abs() <= rounding + 1e-12 * expected, "{found} instead of {expected}");
        prop_assert!((found - omega).abs() > 1e5, "no shift");
    }
}

/// Virtual nodes: an oscillator that stands for as many, one after the other.
const NODES: usize = 24;
/// Steps of a node.
const STEPS: usize = 8;
/// Samples of a period.
const PERIOD: usize = 8;

/// Periods of a sine or a square of the same height: samples, and whether it is a square.
fn waveforms(periods: usize, seed: u64) -> Vec<([f64; PERIOD], bool)> {
    let mut drawn = vec![0.0_f32; periods];
    Key::new(seed, 0).fill_uniform(0, 0, 0, &mut drawn);
    let wave = |u: f32| {
        let square = u < 0.5;
        let sine = |k: usize| (TAU * k as f64 / PERIOD as f64).sin();
        let step = |k: usize| if k < PERIOD / 2 { 1.0 } else { -1.0 };
        (std::array::from_fn(|k| if square { step(k) } else { sine(k) }), square)
    };
    drawn.into_iter().map(wave).collect()
}

/// For each sample of all periods what each node has: the sample by the mask, and the power that an oscillator has at the end of it.
fn nodes(waves: &[([f64; PERIOD], bool)], mut oscillator: Option<Element>) -> Vec<[f64; NODES]> {
    let mut drawn = [0.0_f32; NODES];
    Key::new(5, 0).fill_uniform(0, 0, 0, &mut drawn);
    let mask = drawn.map(|u| if u < 0.5 { -1.0 } else { 1.0 });
    let node = |masked: f64| {
        let Some(element) = &mut oscillator else { return masked };
        // never below its threshold
        let current = [THRESHOLD * (2.0 + 0.8 * masked), 0.0];
        (0..STEPS).for_each(|_| element.step(&current));
        element.y[0]
    };
    let samples = waves.iter().flat_map(|(samples, _)| samples);
    let masked: Vec<f64> = samples.flat_map(|sample| mask.map(|m| m * sample)).map(node).collect();
    masked.as_chunks().0.to_vec()
}

/// A linear read-out with a constant: ridge regression on classes of plus and minus one.
fn ridge(rows: &[[f64; NODES]], waves: &[([f64; PERIOD], bool)]) -> [f64; NODES + 1] {
    const N: usize = NODES + 1;
    let mut equations = [[0.0; N + 1]; N];
    for (rows, (_, square)) in rows.chunks_exact(PERIOD).zip(waves) {
        for row in rows {
            let row: [f64; N] = std::array::from_fn(|k| row.get(k).copied().unwrap_or(1.0));
            for (equation, a) in equations.iter_mut().zip(row) {
                equation.iter_mut().zip(row).for_each(|(to, b)| *to += a * b);
                equation[N] += if *square { a } else { -a };
            }
        }
    }
    let trace: f64 = (0..N).map(|k| equations[k][k]).sum();
    (0..N).for_each(|k| equations[k][k] += 1e-9 * trace);
    // they are symmetric and positive, so that no pivot is sought
    for k in 0..N {
        let pivot = equations[k].map(|v| v / equations[k][k]);
        for (other, equation) in equations.iter_mut().enumerate() {
            let by = equation[k];
            if other == k {
                *equation = pivot;
            } else {
                equation.iter_mut().zip(pivot).for_each(|(v, p)| *v -= by * p);
            }
        }
    }
    equations.map(|e| e[N])
}

/// The share of samples whose class is read, and its standard error by the scatter of periods.
fn accuracy(weights: &[f64; NODES + 1], rows: &[[f64; NODES]], waves: &[([f64; PERIOD], bool)]) -> [f64; 2] {
    let read = |row: &[f64; NODES]| row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() + weights[NODES] > 0.0;
    let periods = rows.chunks_exact(PERIOD).zip(waves);
    let shares: Vec<f64> = periods
        .map(|(rows, (_, square))| rows.iter().filter(|row| read(row) == *square).count() as f64 / PERIOD as f64)
        .collect();
    let n = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / n;
    [mean, (shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()]
}

/// Each sample is classified by itself. A crest of the sine is a sample of the square as well, so that no function of a sample is right for more
/// than 14 of 16, which takes memory, and no threshold, which is all that a line gives, for more than 11.
#[test]
fn as_a_reservoir_it_tells_a_sine_from_a_square() {
    // at twice the threshold it relaxes within 1/(2 Γ0), and a node is held for a fifth of that
    let dt = 1.0 / (2.0 * TAU * 10e6) / 5.0 / STEPS as f64;
    let (known, fresh) = (waveforms(200, 1), waveforms(200, 2));
    let [with, without] = [true, false].map(|oscillates| {
        let of = |waves| nodes(waves, oscillates.then(|| magnet(dt, &[("p_0", 0.25)])));
        accuracy(&ridge(&of(&known), &known), &of(&fresh), &fresh)
    });
    let [line, any] = [11.0 / 16.0, 14.0 / 16.0];
    eprintln!("sine from square, with the oscillator: {:.4} ± {:.4}, more than {any} expected", with[0], with[1]);
    eprintln!("sine from square, the masked samples alone: {:.4} ± {:.4}, at most {line} expected", without[0], without[1]);
    assert!(with[0] - 4.0 * with[1] > any, "{with:?}");
    assert!(without[0] - 4.0 * without[1] <= line && without[0] + 4.0 * without[1] < with[0] - 4.0 * with[1], "{without:?}");
}
