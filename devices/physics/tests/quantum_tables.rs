//! The tables of quantum devices, with what is expected beside what is found.

#![expect(clippy::print_stdout, reason = "the tables are read beside what is expected")]

use isoform_core::dynamics::Initial;
use isoform_core::neuron::Neuron;
use isoform_core::semantics::{Decay, Semantics};
use isoform_physics::quantum::hysteresis::{Film, Memory};
use isoform_physics::quantum::josephson::josephson;
use isoform_physics::quantum::neuristor::neuristor;
use isoform_physics::quantum::spin_torque::spin_torque;
use std::f64::consts::{E, TAU};

/// Steps one element under a constant input and hands every tick's number, state and outputs on; numbers start at one.
fn run(
    neuron: &Neuron,
    semantics: &Semantics,
    set: &[(&str, f64)],
    x: &[f64],
    ticks: u32,
    mut each: impl FnMut(u32, &mut [f64], &[f64]),
) {
    let function = neuron.function();
    let signature = function.signature();
    let mut p: Vec<f64> = signature.parameters.iter().map(|p| p.default.expect("has a default")).collect();
    for (name, value) in set {
        p[signature.parameter(name).expect("is a parameter")] = *value;
    }
    let start = |initial| match initial {
        Initial::Value(v) => v,
        Initial::Parameter(at) => p[at],
    };
    let mut s: Vec<f64> = signature.states.iter().map(|s| start(s.initial)).collect();
    let mut y = vec![0.0; signature.outputs.len()];
    let c = function.coefficients(semantics, &p);
    for tick in 1..=ticks {
        function.step(semantics, &c, x, &mut s, &p, &mut y);
        each(tick, &mut s, &y);
    }
}

/// The local maxima above a level, and the largest value.
#[derive(Default)]
struct Peaks {
    last: [f64; 2],
    at: Vec<f64>,
    most: f64,
}

impl Peaks {
    fn see(&mut self, time: f64, value: f64, level: f64) {
        let [before, middle] = self.last;
        if middle > before && middle >= value && middle > level {
            self.at.push(time);
        }
        self.last = [middle, value];
        self.most = self.most.max(value);
    }

    /// The mean time between them; nought if there are fewer than two.
    fn period(&self) -> f64 {
        match (self.at.first(), self.at.last()) {
            (Some(first), Some(last)) if self.at.len() > 1 => (last - first) / (self.at.len() - 1) as f64,
            _ => 0.0,
        }
    }
}

/// A table that fails as a whole, once all of it is printed.
struct Table(Vec<String>);

impl Table {
    fn new(title: &str) -> Self {
        println!("\n{title}\n{:<44} {:>12} {:>12}", "", "expected", "found");
        Self(Vec::new())
    }

    /// Holds a number to one unit of the last digit of the text that is expected.
    fn row(&mut self, what: &str, expected: &str, found: f64) {
        let digits = expected.split_once('.').map_or(0, |(_, after)| after.len());
        println!("{what:<44} {expected:>12} {found:>12.places$}", places = digits + 2);
        let unit = 10.0_f64.powi(-i32::try_from(digits).expect("is short"));
        let wanted: f64 = expected.parse().expect("is a number");
        if (found - wanted).abs() > unit || found.is_nan() {
            self.0.push(format!("{what}: {found} instead of {expected}"));
        }
    }

    fn count(&mut self, what: &str, expected: usize, found: usize) {
        println!("{what:<44} {expected:>12} {found:>12}");
        if found != expected {
            self.0.push(format!("{what}: {found} instead of {expected}"));
        }
    }

    fn close(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

#[test]
fn resistance_on_first_heating() {
    let film = Film::PUBLISHED;
    let mut table = Table::new("R(T) of VO2 on first heating, kOhm");
    let rows =
        [(310, "111.616"), (325, "51.843"), (330, "39.543"), (335, "22.330"), (340, "4.771"), (345, "1.542"), (360, "1.286")];
    for (t, expected) in rows {
        let found = film.resistance(&Memory::major(1.0, 309.9), f64::from(t)) / 1e3;
        table.row(&format!("{t} K"), expected, found);
    }
    table.close();
}

/// A neuristor for 40 µs, of which the first 15 are dropped: peaks of the current above 1.5 mA, the last current, and the hottest.
fn neuristor_for(v_in: f64, dt: u32) -> (Peaks, f64, f64) {
    let semantics = Semantics::exact(f64::from(dt) * 1e-9).with_decay(Decay::Euler);
    let (mut peaks, mut hottest, mut last) = (Peaks::default(), 0.0_f64, 0.0);
    run(&neuristor(), &semantics, &[], &[v_in, 0.0, 0.0], 40_000 / dt - 1, |tick, _, y| {
        last = y[0];
        if tick * dt <= 15_000 {
            peaks.last = [peaks.last[1], y[0]];
            return;
        }
        peaks.see(f64::from(tick * dt), y[0], 1.5e-3);
        hottest = hottest.max(y[1]);
    });
    (peaks, last, hottest)
}

#[test]
fn periods_of_the_neuristor() {
    // V, period in ns at 1 ns, at 10 ns, largest mA, highest K
    const ROWS: [(f64, &str, &str, &str, &str); 7] = [
        (10.5, "4098", "4120", "4.41", "368.3"),
        (11.0, "3607", "3627", "4.56", "370.4"),
        (12.0, "3041", "3061", "4.73", "373.0"),
        (13.0, "2693", "2714", "4.78", "374.0"),
        (14.0, "2415", "2447", "4.63", "372.5"),
        (15.0, "2052", "2120", "3.84", "363.3"),
        (15.5, "1713", "1807", "2.53", "350.8"),
    ];
    let mut table = Table::new("VO2 neuristor, forward Euler");
    for (v_in, fine, coarse, most, hot) in ROWS {
        let ((peaks, _, hottest), (coarsely, ..)) = (neuristor_for(v_in, 1), neuristor_for(v_in, 10));
        table.row(&format!("{v_in} V: period at dt = 1 ns, ns"), fine, peaks.period());
        table.row(&format!("{v_in} V: period at dt = 10 ns, ns"), coarse, coarsely.period());
        table.row(&format!("{v_in} V: largest current, mA"), most, peaks.most * 1e3);
        table.row(&format!("{v_in} V: highest temperature, K"), hot, hottest);
    }
    for dt in [1, 10] {
        for v_in in [9.0, 10.0, 15.8, 16.5] {
            let spikes = neuristor_for(v_in, dt).0.at.len();
            table.count(&format!("{v_in} V: spikes at dt = {dt} ns"), 0, spikes);
        }
        let (silent, steady) = (neuristor_for(10.0, dt), neuristor_for(15.8, dt));
        table.row(&format!("10 V: silent current at dt = {dt} ns, mA"), "0.27", silent.1 * 1e3);
        table.row(&format!("15.8 V: steady current at dt = {dt} ns, mA"), "1.1", steady.1 * 1e3);
        table.row(&format!("10 V: temperature at dt = {dt} ns, K"), "333.9", silent.2);
        table.row(&format!("15.8 V: temperature at dt = {dt} ns, K"), "338.4", steady.2);
    }
    table.close();
}

#[test]
fn power_and_relaxation_of_the_spin_torque_oscillator() {
    const DT: f64 = 0.01e-9;
    const THRESHOLD: f64 = 1e-3;
    let semantics = Semantics::exact(DT).with_decay(Decay::Euler);
    let mut table = Table::new("Spin-torque oscillator, forward Euler at 0.01 ns");
    for (zeta, power, relaxation, linear) in [(1.5, "0.142857", "15.82", "15.915"), (3.0, "0.4", "3.950", "3.979")] {
        let (mut settled, mut kicked, mut back) = (0.0, 0.0, 0.0);
        run(&spin_torque(), &semantics, &[("p_0", 0.1)], &[zeta * THRESHOLD, 0.0], 200_000, |tick, s, y| {
            if tick == 100_000 {
                (settled, kicked) = (y[0], 0.01 * y[0]);
                s[0] = settled + kicked;
            } else if tick > 100_000 && back == 0.0 && y[0] - settled <= kicked / E {
                back = f64::from(tick - 100_000) * DT;
            }
        });
        table.row(&format!("I = {zeta} I_th: power"), power, settled);
        table.row(&format!("I = {zeta} I_th: relaxation of 1 %, ns"), relaxation, back * 1e9);
        table.row(&format!("I = {zeta} I_th: linear relaxation, ns"), linear, 1e9 / (2.0 * TAU * 10e6 * (zeta - 1.0)));
    }
    table.close();
}

/// The voltage of the junction that fires, from t = 200 to 600.
fn josephson_for(i_b: f64, i_in: f64) -> Peaks {
    let semantics = Semantics::exact(0.01).with_decay(Decay::RungeKutta);
    let mut peaks = Peaks::default();
    run(&josephson(), &semantics, &[("i_b", i_b)], &[i_in], 60_000, |tick, _, y| {
        if tick > 20_000 {
            peaks.see(f64::from(tick) * 0.01, y[0], 0.8);
        }
    });
    peaks
}

#[test]
fn spikes_of_the_josephson_neuron() {
    let mut table = Table::new("Josephson neuron, Runge-Kutta at 0.01");
    for (i_b, i_in, spikes) in [(1.9, 0.0, 0), (1.9, 0.1, 0), (1.9, 0.19, 0), (1.9, 0.2, 2), (2.0, 0.0, 0)] {
        table.count(&format!("i_b = {i_b}, i_in = {i_in}: spikes"), spikes, josephson_for(i_b, i_in).at.len());
    }
    let rows = [
        (1.9, 0.21, "106", Some("1.067")),
        (1.9, 0.25, "53.7", None),
        (1.9, 0.30, "40.5", None),
        (1.9, 0.40, "31.7", Some("1.111")),
        (2.0, 0.05, "82.9", None),
        (2.0, 0.10, "49.6", None),
        (2.0, 0.20, "33.1", None),
    ];
    for (i_b, i_in, period, most) in rows {
        let peaks = josephson_for(i_b, i_in);
        table.row(&format!("i_b = {i_b}, i_in = {i_in}: period"), period, peaks.period());
        if let Some(most) = most {
            table.row(&format!("i_b = {i_b}, i_in = {i_in}: largest v"), most, peaks.most);
        }
    }
    table.close();
}
