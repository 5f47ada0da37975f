//! The published figures of memristors, and what holds for every one of them. Run with `--nocapture` to see the tables.

mod printed;

use isoform_core::dynamics::Dynamics;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_physics::memristor::{
    Biolek, Drift, Exponential, Free, Joglekar, Linear, NoisyStanfordPku, Prodromakis, StanfordPku, Vteam, Window, Yakopcic, hp,
    noisy_stanford_pku, stanford_pku, vteam, yakopcic,
};
use printed::Table;
use proptest::prelude::*;
use std::f64::consts::TAU;

/// A memristor in double precision, stepped by the machinery that every substrate is judged by.
struct Device {
    neuron: Neuron,
    p: Vec<f64>,
}

impl Device {
    fn new(neuron: Neuron) -> Self {
        let p = neuron.function().signature().parameters.iter().map(|p| p.default.expect("a default")).collect();
        Self { neuron, p }
    }

    fn with(mut self, name: &str, value: f64) -> Self {
        let index = self.neuron.function().signature().parameter(name).expect("a parameter");
        self.p[index] = value;
        self
    }

    /// Currents and states under voltages at steps of `dt`, from the state `s`.
    fn respond(&self, dt: f64, s: f64, voltages: impl Iterator<Item = f64>) -> Vec<[f64; 3]> {
        let function = self.neuron.function();
        let semantics = Semantics::exact(dt).with_decay(Decay::Euler);
        let c = function.coefficients(&semantics, &self.p);
        let (mut s, mut y) = ([s], [0.0]);
        voltages
            .map(|v| {
                function.step(&semantics, &c, &[v], &mut s, &self.p, &mut y);
                [v, y[0], s[0]]
            })
            .collect()
    }

    /// Periods of a sine, both ends included: voltage, current and state.
    fn sine_from_start(&self, amplitude: f64, frequency: f64, steps: usize, cycles: usize, s: f64) -> Vec<[f64; 3]> {
        let voltages = (0..=steps * cycles).map(|k| amplitude * (TAU * (k % steps) as f64 / steps as f64).sin());
        self.respond(1.0 / (frequency * steps as f64), s, voltages)
    }

    /// The last of them.
    fn sine(&self, amplitude: f64, frequency: f64, steps: usize, cycles: usize, s: f64) -> Vec<[f64; 3]> {
        self.sine_from_start(amplitude, frequency, steps, cycles, s).split_off(steps * (cycles - 1))
    }

    /// Areas of the positive and the negative lobe, in watts.
    fn lobes(&self, frequency: f64, steps: usize) -> [f64; 2] {
        lobes(&self.sine(1.0, frequency, steps, 3, 0.1))
    }

    /// The same where each current is read before the step of its tick, as the reference does; the device reads it behind the step.
    fn lobes_read_before(&self, frequency: f64, steps: usize) -> [f64; 2] {
        let p = defaults(&Drift(Free));
        let mut trace = self.sine_from_start(1.0, frequency, steps, 3, 0.1);
        let mut before = 0.1;
        for [v, i, x] in &mut trace {
            [*i] = Drift(Free).tick([*v], [before], p, 0.0).1;
            before = *x;
        }
        lobes(&trace.split_off(2 * steps))
    }
}

/// Areas of the positive and the negative lobe of a cycle, in watts.
fn lobes(trace: &[[f64; 3]]) -> [f64; 2] {
    let area = |part: &[[f64; 3]]| part.windows(2).map(|w| (w[0][1] + w[1][1]) / 2.0 * (w[1][0] - w[0][0])).sum::<f64>().abs();
    let half = trace.len() / 2;
    [area(&trace[..=half]), area(&trace[half..])]
}

/// The figures of equal lobes are those of 20 000 steps of Euler's method, whose error shows in them: without a window the area at 0.5 Hz is
/// 5.805e-5 W for ever finer steps, not 5.78e-5. That error has the other sign in the negative lobe, which rounds to the same figure in all rows but
/// two; those are held to what Euler's method gives there, by a program of another language. What ever finer steps come to is the same for both, and
/// held to what the method of Runge and Kutta gives in that program.
#[test]
fn lobe_areas_of_the_windows() {
    const FREQUENCIES: [f64; 5] = [0.5, 1.0, 10.0, 100.0, 1000.0];
    const STEPS: usize = 20_000;
    let mut table = Table::new("lobe area in W, V0 = 1 V, x0 = 0.1, third cycle, 2e4 steps a cycle");
    let equal = [
        (
            "none",
            hp(Free),
            ["5.78e-5", "8.926e-6", "5.852e-7", "5.659e-8", "5.640e-9"],
            [5.804_944e-5, 8.927_705e-6, 5.852_082e-7, 5.658_805e-8, 5.640_178e-9],
        ),
        (
            "Joglekar p=1",
            hp(Joglekar),
            ["1.492e-5", "3.493e-6", "2.132e-7", "2.040e-8", "2.031e-9"],
            [1.494_377e-5, 3.494_657e-6, 2.131_612e-7, 2.039_600e-8, 2.030_707e-9],
        ),
        (
            "Prodromakis p=1",
            hp(Prodromakis),
            ["1.310e-6", "5.746e-7", "5.136e-8", "5.080e-9", "5.075e-10"],
            [1.310_187e-6, 5.746_028e-7, 5.136_362e-8, 5.080_463e-9, 5.074_920e-10],
        ),
    ];
    for (name, neuron, areas, limits) in equal {
        let device = Device::new(neuron);
        for ((frequency, expected), exact) in FREQUENCIES.into_iter().zip(areas).zip(limits) {
            let [first, second, third] = [1, 2, 4].map(|times| device.lobes_read_before(frequency, times * STEPS));
            let row = format!("{name} {frequency} Hz, lobe");
            table.rounded(&format!("{row} +"), expected, first[0]);
            let negative = match (name, expected) {
                ("none", "8.926e-6") => "8.9273e-6",
                ("Joglekar p=1", "3.493e-6") => "3.4940e-6",
                _ => expected,
            };
            if negative != expected {
                eprintln!(
                    "{row} -: not reproduced: {expected} expected, found {:.5e}; held to Euler's figure for this lobe",
                    first[1]
                );
            }
            table.rounded(&format!("{row} -"), negative, first[1]);
            for (lobe, sign) in ["+", "-"].into_iter().enumerate() {
                // the error falls with the steps, so that what is added by twice as many is what is missing; the rest falls with their square
                let limit = 2.0 * third[lobe] - second[lobe];
                let rest = (limit - (2.0 * second[lobe] - first[lobe])).abs();
                eprintln!("{row} {sign}, finest steps: {exact:.6e} expected, found {limit:.6e}");
                // and half a unit of the seventh digit
                assert!((limit - exact).abs() <= rest + 5e-7 * exact, "{row} {sign}: {limit} is not {exact} within {rest}");
            }
        }
    }
    let biolek =
        [["1.96e-4", "8.4e-5"], ["1.67e-5", "1.52e-5"], ["6.41e-7", "3.03e-7"], ["5.71e-8", "2.05e-8"], ["5.65e-9", "1.95e-9"]];
    let device = Device::new(hp(Biolek)).with("p", 2.0);
    for (frequency, expected) in FREQUENCIES.into_iter().zip(biolek) {
        for ((lobe, area), expected) in ["+", "-"].into_iter().zip(device.lobes_read_before(frequency, STEPS)).zip(expected) {
            table.rounded(&format!("Biolek p=2 {frequency} Hz, lobe {lobe}"), expected, area);
        }
    }
    let device = Device::new(hp(Free));
    let [slow, fast] = [100.0, 1000.0].map(|frequency| device.lobes(frequency, STEPS));
    for (lobe, name) in ["+", "-"].into_iter().enumerate() {
        table.rounded(&format!("none, 100 Hz over 1000 Hz, lobe {name}"), "10.03", slow[lobe] / fast[lobe]);
    }
    table.finish();
}

#[test]
fn free_drift_follows_its_closed_form() {
    let (on, off, k, x_0, frequency, steps) = (100.0, 16e3, 1e4, 0.1, 10.0, 20_000);
    let trace = Device::new(hp(Free)).sine_from_start(1.0, frequency, steps, 3, x_0);
    let constant = off * x_0 - (off - on) * x_0 * x_0 / 2.0;
    let (mut most, mut largest) = (0.0_f64, 0.0_f64);
    for (step, [_, _, x]) in trace.iter().enumerate() {
        // the state is recorded after the flow of its tick
        let t = (step + 1) as f64 / (frequency * steps as f64);
        let flux = (1.0 - (TAU * frequency * t).cos()) / (TAU * frequency);
        let exact = (off - (off * off - 2.0 * (off - on) * (constant + k * flux)).sqrt()) / (off - on);
        most = most.max((x - exact).abs());
        largest = largest.max(*x);
    }
    let mut table = Table::new("linear drift without a window, 10 Hz, 2e4 steps a cycle, three cycles");
    table.exact("largest error of the state", "1.9e-6", most);
    table.exact("largest state", "0.122366", largest);
    table.finish();
}

fn defaults<D: Dynamics<X, N, P, Y>, const X: usize, const N: usize, const P: usize, const Y: usize>(_: &D) -> [f64; P] {
    D::SIGNATURE.parameters.map(|p| p.default.expect("a default"))
}

#[test]
fn windows_are_those_of_their_definitions() {
    assert!((Joglekar::factor(0.25, 1.0, 2.0, 1.0) - 0.9375_f64).abs() < 1e-15);
    assert!((Prodromakis::factor(0.25, 1.0, 2.0, 1.0) - 0.339_843_75_f64).abs() < 1e-15);
    assert!((Prodromakis::factor(0.25, 1.0, 2.0, 3.0) - 1.019_531_25_f64).abs() < 1e-15);
    assert!((Biolek::factor(0.25, 1.0, 2.0, 1.0) - 0.996_093_75_f64).abs() < 1e-15);
    assert!((Biolek::factor(0.25, -1.0, 2.0, 1.0) - 0.683_593_75_f64).abs() < 1e-15);
    for x in [0.0, 1.0] {
        assert!(Joglekar::factor(x, 1.0, 3.0, 1.0_f64).abs() < 1e-15);
        assert!(Prodromakis::factor(x, 1.0, 3.0, 1.0_f64).abs() < 1e-15);
    }
    assert_eq!([Biolek::factor(1.0, 1.0, 2.0, 1.0_f64), Biolek::factor(0.0, 1.0, 2.0, 1.0)], [0.0, 1.0]);
}

#[test]
fn switching_times_of_vteam() {
    let mut table = Table::new("VTEAM, direct current: time from one end to the other");
    let p = defaults(&Vteam(Linear));
    for (volts, expected, unit) in [(0.5, "250", 1e-9), (1.0, "122.4", 1e-9), (-0.5, "88.9", 1e-12), (-1.0, "4.69", 1e-12)] {
        let [speed] = Vteam(Linear).flow([volts], [1e-9], p);
        let time = 3e-9 / f64::abs(speed);
        table.exact(&format!("{volts} V, in {unit:e} s"), expected, time / unit);
        // the device gets there neither sooner nor later
        let device = Device::new(vteam(Linear));
        let (start, end) = if volts > 0.0 { (0.0, 3e-9) } else { (3e-9, 0.0) };
        let trace = device.respond(time / 1000.0, start, std::iter::repeat_n(volts, 1001));
        assert!((trace[998][2] - end).abs() > 1e-12 && (trace[1000][2] - end).abs() < 1e-20, "{volts} V");
    }
    table.finish();
    // both laws agree at the ends: 50 and 1000 ohms
    for x in [0.0, 3e-9] {
        let [linear] = Vteam(Linear).tick([0.01], [x], p, 0.0).1;
        let [exponential] = Vteam(Exponential).tick([0.01], [x], p, 0.0).1;
        assert!((linear / exponential - 1.0).abs() < 1e-14);
    }
    let [middle] = Vteam(Exponential).tick([0.01], [1.5e-9], p, 0.0).1;
    assert!((0.01 / middle - 50_000_f64.sqrt()).abs() < 1e-10, "the middle is the geometric mean");
}

#[test]
fn spot_values_of_yakopcic() {
    let p = defaults(&Yakopcic);
    // at 0.11 nothing slows on the way up, at 0.6 nothing on the way down
    let g = |v: f64| Yakopcic.flow([v], [if v > 0.0 { 0.11 } else { 0.6 }], p)[0];
    let mut table = Table::new("Yakopcic");
    table.exact("g(0.2) /s", "191.57", g(0.2));
    table.exact("g(0.5) /s", "1900.8", g(0.5));
    table.exact("g(-0.5) /s", "-1947.5", g(-0.5));
    table.nought("g(0.1) /s", g(0.1));
    table.exact("I(0.5 V, x = 0.11) A", "4.6755e-4", Yakopcic.tick([0.5], [0.11], p, 0.0).1[0]);
    table.finish();
    let slowed = |v: f64, x: f64| Yakopcic.flow([v], [x], p)[0] / g(v);
    // e^{-(0.65 - 0.3)} ((0.3 - 0.65)/0.7 + 1), and at -0.5 V from 1 - x_n = 0.5 down
    assert!((slowed(0.5, 0.65) - 0.5 * (-0.35_f64).exp()).abs() < 1e-12);
    assert!((slowed(0.5, 1.0)).abs() < 1e-12);
    assert!((Yakopcic.flow([-0.5], [0.25], p)[0] / Yakopcic.flow([-0.5], [0.75], p)[0] - 0.5 * (-1.25_f64).exp()).abs() < 1e-12);
}

#[test]
fn spot_values_of_stanford_pku() {
    let p = defaults(&StanfordPku);
    let rate = |v: f64| StanfordPku.flow([v], [1e-9], p)[0];
    let heat = |v: f64| StanfordPku::temperature(v, 1e-9, p);
    let mut table = Table::new("Stanford-PKU at a gap of 1 nm");
    table.nought("1.0 V, below the least field, dg/dt m/s", rate(1.0));
    table.exact("1.2 V, dg/dt m/s", "-1.042e-3", rate(1.2));
    table.exact("1.2 V, T K", "300.8", heat(1.2));
    table.exact("1.5 V, dg/dt m/s", "-4.647e-2", rate(1.5));
    table.exact("1.5 V, T K", "309.6", heat(1.5));
    table.exact("frozen at 1 V, residual of the best line", ".33", residual_of_the_best_line());
    table.finish();
}

/// Rms distance of the current of a frozen gap under a sine of 1 V to the best line through it, relative to its rms.
fn residual_of_the_best_line() -> f64 {
    let p = defaults(&StanfordPku);
    let trace: Vec<[f64; 2]> = (0..20_000)
        .map(|k| {
            let v = (TAU * f64::from(k) / 20_000.0).sin();
            [v, StanfordPku.tick([v], [1e-9], p, 0.0).1[0]]
        })
        .collect();
    let slope = trace.iter().map(|[v, i]| v * i).sum::<f64>() / trace.iter().map(|[v, _]| v * v).sum::<f64>();
    let off = trace.iter().map(|[v, i]| (i - slope * v).powi(2)).sum::<f64>();
    (off / trace.iter().map(|[_, i]| i * i).sum::<f64>()).sqrt()
}

#[test]
fn the_fluctuation_of_the_gap_is_that_of_its_definition() {
    let p = defaults(&NoisyStanfordPku);
    let quiet = StanfordPku.flow([1.2], [1e-9], defaults(&StanfordPku))[0];
    let hot = StanfordPku::temperature(1.2, 1e-9, defaults(&StanfordPku));
    // a tick as long as the step draws one number of amplitude 0.02 m/s
    let xi = 1.7 / 1e-9_f64.sqrt();
    let noise = NoisyStanfordPku.flow([1.2, xi], [1e-9], p)[0] - quiet;
    assert!((noise / (0.02 * 1.7 / (1.0 + ((450.0 - hot) / 500.0).exp())) - 1.0).abs() < 1e-9, "{noise}");
}

#[test]
fn memristors_run_as_programs_and_ask_for_an_euler_decay() {
    for neuron in [hp(Free), vteam(Linear), vteam(Exponential), yakopcic(), stanford_pku(), noisy_stanford_pku()] {
        let mut builder = Program::builder();
        let v = builder.input("v", [3]);
        let i = builder.node("device", neuron, v);
        builder.output("i", i);
        let euler = Semantics::exact(1e-9).with_decay(Decay::Euler);
        let program = builder.clone().build(euler).expect("a program");
        let mut session = Blocking::open(&OracleSubstrate::new(), &program, &Run::new().with_seed(3)).expect("opened");
        let y = session.run(&[0.0, 0.3, -0.3]).expect("runs");
        assert!(y[0] == 0.0 && y[1] > 0.0 && y[2] < 0.0, "{y:?}");
        let refusal = builder.build(Semantics::exact(1e-9)).expect_err("no exact decay");
        assert!(refusal.to_string().contains("euler"), "{refusal}");
    }
}

/// A memristor with thresholds.
struct Thresholded {
    device: Device,
    /// A sine of this amplitude moves nothing.
    still: f64,
    /// Sines of these amplitudes pass both thresholds; by one alone it goes to an end of its range, and stays there without a loop.
    moves: [f64; 2],
    /// Hertz at which a cycle of them moves it by a hundredth at most of what the current is sensitive to.
    frequency: f64,
    /// The state to begin with.
    start: f64,
}

fn thresholded(which: usize) -> Thresholded {
    match which {
        0 => Thresholded { device: Device::new(vteam(Linear)), still: 0.02, moves: [0.5, 1.2], frequency: 1e10, start: 0.0 },
        1 => Thresholded { device: Device::new(vteam(Exponential)), still: 0.02, moves: [0.5, 1.2], frequency: 1e10, start: 0.0 },
        2 => Thresholded { device: Device::new(yakopcic()), still: 0.15, moves: [0.5, 1.2], frequency: 1e7, start: 0.11 },
        // at a gap of 1 nm the least field is that of 1.4e9 * 12e-9 / 15.2 = 1.105 V
        _ => Thresholded { device: Device::new(stanford_pku()), still: 1.1, moves: [1.2, 1.5], frequency: 1e9, start: 1e-9 },
    }
}

fn windowed(which: usize, p: f64) -> Device {
    Device::new([hp(Free), hp(Joglekar), hp(Biolek), hp(Prodromakis)][which].clone()).with("p", p)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_voltage_means_no_current(x in 0.0..=1.0_f64) {
        prop_assert_eq!(Drift(Joglekar).tick([0.0], [x], defaults(&Drift(Joglekar)), 0.0).1, [0.0]);
        prop_assert_eq!(Vteam(Exponential).tick([0.0], [3e-9 * x], defaults(&Vteam(Exponential)), 0.0).1, [0.0]);
        prop_assert_eq!(Yakopcic.tick([0.0], [x], defaults(&Yakopcic), 0.0).1, [0.0]);
        prop_assert_eq!(StanfordPku.tick([0.0], [2e-9 * x], defaults(&StanfordPku), 0.0).1, [0.0]);
    }

    #[test]
    fn loops_are_pinched_shrink_and_close(which in 0_usize..4, p in 1.0..4.0_f64, frequency in 20.0..200.0_f64) {
        let device = windowed(which, p);
        let [slow, fast, faster, fastest] = [1.0, 3.0, 30.0, 300.0].map(|times| device.lobes(times * frequency, 2000));
        for lobe in 0..2 {
            prop_assert!(fast[lobe] < slow[lobe] && faster[lobe] < fast[lobe], "{slow:?} {fast:?} {faster:?}");
            // the law holds where the state hardly moves within a period, which it does at 60 Hz
            let ratio = faster[lobe] / fastest[lobe];
            prop_assert!((ratio - 10.0).abs() < 0.5, "a tenfold frequency has a tenth of the area, not 1/{ratio}");
        }
        let trace = device.sine(1.0, 1e5, 2000, 1, 0.1);
        let most = trace.iter().fold(0.0_f64, |most, [_, i, _]| most.max(i.abs()));
        for k in 0..=500 {
            let ([v, up, _], [w, down, _]) = (trace[k], trace[1000 - k]);
            prop_assert!((v - w).abs() < 1e-12 && (up - down).abs() < 1e-4 * most, "open by {} at {v} V", (up - down) / most);
        }
        for at in [0, 1000, 2000] {
            prop_assert!(trace[at][1].abs() < 1e-12, "pinched");
        }
    }

    #[test]
    fn loops_of_thresholds_are_pinched_shrink_and_close(which in 0_usize..4, amplitude in 0.0..1.0_f64, frequency in 1.0..10.0_f64) {
        let Thresholded { device, moves, frequency: own, start, .. } = thresholded(which);
        let amplitude = moves[0] + amplitude * (moves[1] - moves[0]);
        let [slow, fast, faster, fastest] = [1.0, 3.0, 30.0, 300.0].map(|times| {
            let trace = device.sine(amplitude, times * frequency * own, 1000, 3, start);
            for at in [0, 500, 1000] {
                prop_assert!(trace[at][1].abs() < 1e-12, "pinched, not {} A", trace[at][1]);
            }
            let most = trace.iter().fold(0.0_f64, |most, [_, i, _]| most.max(i.abs()));
            // the first half is up and down again, and the second down and up again
            let open = |turn: usize| (1..250).map(|k| (trace[turn - k][1] - trace[turn + k][1]).abs() / most).fold(0.0, f64::max);
            Ok((lobes(&trace), open(250).max(open(750))))
        });
        let (slow, fast, faster, fastest) = (slow?, fast?, faster?, fastest?);
        for lobe in 0..2 {
            prop_assert!(fast.0[lobe] < slow.0[lobe] && faster.0[lobe] < fast.0[lobe], "{slow:?} {fast:?} {faster:?}");
            let ratio = faster.0[lobe] / fastest.0[lobe];
            prop_assert!((ratio - 10.0).abs() < 0.5, "a tenfold frequency has a tenth of the area, not 1/{ratio}");
        }
        // it closes as fast as it shrinks, to a curve that need not be a line: that of Stanford-PKU is a third off one, see its table
        prop_assert!((faster.1 / fastest.1 - 10.0).abs() < 0.5 && fastest.1 < 1e-3, "open by {} and {}", faster.1, fastest.1);
    }

    // a loop that shrinks with the frequency needs a drive beyond the thresholds: below them nothing moves, and there is none at any frequency
    #[test]
    fn below_the_thresholds_there_is_no_loop(which in 0_usize..4, share in 0.1..1.0_f64, octave in -40.0..40.0_f64) {
        let Thresholded { device, still, start, .. } = thresholded(which);
        let trace = device.sine(share * still, octave.exp2(), 1000, 1, start);
        prop_assert!(trace.iter().all(|[_, _, x]| x.to_bits() == start.to_bits()));
        let most = trace.iter().fold(0.0_f64, |most, [_, i, _]| most.max(i.abs()));
        for k in 1..250 {
            // one curve, on which voltages that are equal but for rounding have such currents
            prop_assert!((trace[250 - k][1] - trace[250 + k][1]).abs() <= 1e-13 * most);
        }
    }

    #[test]
    fn the_state_stays_in_its_range(which in 0_usize..4, x in 0.0..=1.0_f64, v in prop::collection::vec(-50.0..50.0_f64, 1..40)) {
        for [_, i, x] in windowed(which, 1.0).respond(1e-3, x, v.into_iter()) {
            prop_assert!((0.0..=1.0).contains(&x) && i.is_finite());
        }
    }

    #[test]
    fn vteam_is_frozen_between_its_thresholds(x in 0.0..=3e-9_f64, v in prop::collection::vec(-0.2..=0.02_f64, 1..40)) {
        for law in [vteam(Linear), vteam(Exponential)] {
            for [_, _, after] in Device::new(law).respond(1.0, x, v.iter().copied()) {
                prop_assert_eq!(after.to_bits(), x.to_bits());
            }
        }
    }

    #[test]
    fn stanford_pku_is_odd_in_the_voltage(v in -3.0..3.0_f64, g in 2e-10..1.7e-9_f64) {
        let p = defaults(&StanfordPku);
        prop_assert_eq!(StanfordPku.flow([v], [g], p)[0], -StanfordPku.flow([-v], [g], p)[0]);
        prop_assert_eq!(StanfordPku.tick([v], [g], p, 0.0).1[0], -StanfordPku.tick([-v], [g], p, 0.0).1[0]);
    }
}
