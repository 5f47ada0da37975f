//! The tables of quantum devices, with what is expected beside what is found.

mod peaks;
mod printed;
mod stepped;

use isoform_core::dual::Dual;
use isoform_core::dynamics::Dynamics;
use isoform_core::semantics::{Decay, Semantics};
use isoform_physics::quantum::hysteresis::{Film, Memory};
use isoform_physics::quantum::josephson::josephson;
use isoform_physics::quantum::neuristor::neuristor;
use isoform_physics::quantum::spin_torque::{SpinTorque, spin_torque};
use peaks::Peaks;
use printed::Table;
use std::f64::consts::E;
use stepped::Element;

#[test]
fn resistance_on_first_heating() {
    let film = Film::PUBLISHED;
    let mut table = Table::new("R(T) of VO2 on first heating, kOhm");
    let rows =
        [(310, "111.616"), (325, "51.843"), (330, "39.543"), (335, "22.330"), (340, "4.771"), (345, "1.542"), (360, "1.286")];
    for (t, expected) in rows {
        let found = film.resistance(&Memory::major(1.0, 309.9), f64::from(t)) / 1e3;
        table.exact(&format!("{t} K"), expected, found);
    }
    table.finish();
}

/// A neuristor for 40 µs, of which the first 15 are dropped: peaks of the current above 1.5 mA, the last current, and the hottest.
fn neuristor_for(v_in: f64, dt: u32) -> (Peaks, f64, f64) {
    let semantics = Semantics::exact(f64::from(dt) * 1e-9).with_decay(Decay::Euler);
    let (mut peaks, mut hottest, mut last) = (Peaks::default(), 0.0_f64, 0.0);
    let mut film = Element::new(neuristor(), semantics, &[]);
    for tick in 1..40_000 / dt {
        film.step(&[v_in, 0.0, 0.0]);
        last = film.y[0];
        if tick * dt <= 15_000 {
            peaks.last = [peaks.last[1], last];
            continue;
        }
        peaks.see(f64::from(tick * dt), last, 1.5e-3);
        hottest = hottest.max(film.y[1]);
    }
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
        table.exact(&format!("{v_in} V: period at dt = 1 ns, ns"), fine, peaks.period());
        table.exact(&format!("{v_in} V: period at dt = 10 ns, ns"), coarse, coarsely.period());
        table.exact(&format!("{v_in} V: largest current, mA"), most, peaks.most * 1e3);
        table.exact(&format!("{v_in} V: highest temperature, K"), hot, hottest);
    }
    for dt in [1, 10] {
        for v_in in [9.0, 10.0, 15.8, 16.5] {
            let spikes = neuristor_for(v_in, dt).0.at.len();
            table.count(&format!("{v_in} V: spikes at dt = {dt} ns"), 0, spikes);
        }
        let (silent, steady) = (neuristor_for(10.0, dt), neuristor_for(15.8, dt));
        table.exact(&format!("10 V: silent current at dt = {dt} ns, mA"), "0.27", silent.1 * 1e3);
        table.exact(&format!("15.8 V: steady current at dt = {dt} ns, mA"), "1.1", steady.1 * 1e3);
        table.exact(&format!("10 V: temperature at dt = {dt} ns, K"), "333.9", silent.2);
        table.exact(&format!("15.8 V: temperature at dt = {dt} ns, K"), "338.4", steady.2);
    }
    table.finish();
}

#[test]
fn power_and_relaxation_of_the_spin_torque_oscillator() {
    const DT: f64 = 0.01e-9;
    const THRESHOLD: f64 = 1e-3;
    let semantics = Semantics::exact(DT).with_decay(Decay::Euler);
    let mut table = Table::new("Spin-torque oscillator, forward Euler at 0.01 ns");
    for (zeta, power, relaxation, linear) in [(1.5, "0.142857", "15.82", "15.915"), (3.0, "0.4", "3.950", "3.979")] {
        let mut magnet = Element::new(spin_torque(), semantics, &[("p_0", 0.1)]);
        let current = [zeta * THRESHOLD, 0.0];
        (0..100_000).for_each(|_| magnet.step(&current));
        let settled = magnet.s[0];
        let kicked = 0.01 * settled;
        magnet.s[0] += kicked;
        let back = (1..100_000).find(|_| {
            magnet.step(&current);
            magnet.s[0] - settled <= kicked / E
        });
        let back = f64::from(back.expect("comes back")) * DT;
        table.exact(&format!("I = {zeta} I_th: power"), power, settled);
        table.exact(&format!("I = {zeta} I_th: relaxation of 1 %, ns"), relaxation, back * 1e9);
        table.exact(
            &format!("I = {zeta} I_th: linear relaxation, ns"),
            linear,
            1e9 * linear_relaxation(zeta * THRESHOLD, settled),
        );
    }
    table.finish();
}

/// How fast the device comes back to a power that it keeps, in seconds: from the slope of its own flow there.
fn linear_relaxation(current: f64, power: f64) -> f64 {
    let p = SpinTorque::SIGNATURE.parameters.map(|p| Dual::constant(p.default.expect("has a default")));
    let [rate, _] = SpinTorque.flow([current, 0.0].map(Dual::constant), [Dual::variable(power), Dual::constant(0.0)], p);
    -1.0 / rate.slope
}

/// The voltage of the junction that fires, from t = 200 to 600.
fn josephson_for(i_b: f64, i_in: f64) -> Peaks {
    let semantics = Semantics::exact(0.01).with_decay(Decay::RungeKutta);
    let mut peaks = Peaks::default();
    let mut junctions = Element::new(josephson(), semantics, &[("i_b", i_b)]);
    for tick in 1..=60_000 {
        junctions.step(&[i_in]);
        if tick > 20_000 {
            peaks.see(f64::from(tick) * 0.01, junctions.y[0], 0.8);
        }
    }
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
        table.exact(&format!("i_b = {i_b}, i_in = {i_in}: period"), period, peaks.period());
        if let Some(most) = most {
            table.exact(&format!("i_b = {i_b}, i_in = {i_in}: largest v"), most, peaks.most);
        }
    }
    table.finish();
}
