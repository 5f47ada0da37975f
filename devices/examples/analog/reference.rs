//! The truth in continuous time: the flow of a program, integrated from the tape of its definition.
//!
//! Two integrators: the classical one of Runge and Kutta in steps so fine that nothing is left of their error, and the pair of Dormand and Prince with
//! a tolerance, by the rules of SciPy's `solve_ivp`, for whoever wants to know what an emulator at that tolerance gives.

use isoform_core::error::{Error, Result};
use isoform_core::program::{NodeKind, Program};
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;

/// The flow of the only node with states of a program, in its first channel.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    function: Arc<dyn TransferFunction>,
    p: Vec<f64>,
    dt: f64,
}

/// Fine steps in a tick.
const FINE: usize = 64;

impl Flow {
    /// The flow of a program of one element-wise node.
    pub(crate) fn of(program: &Program) -> Result<Self> {
        let found = program.nodes().iter().find_map(|node| match &node.kind {
            NodeKind::Dynamics { function, parameters } => {
                let p = parameters.iter().map(|t| t.at(0)).collect();
                Some(Self { function: Arc::clone(function), p, dt: program.semantics().dt })
            }
            _ => None,
        });
        found.ok_or_else(|| Error::not_found("the program has no flow"))
    }

    /// The rates of change.
    pub(crate) fn rates(&self, x: &[f64], s: &[f64]) -> Vec<f64> {
        let inputs = self.function.signature().signals();
        self.function.recording().flow.evaluate(&[&x[..inputs], s, &self.p].concat())
    }

    /// The nominal full scale of each state.
    pub(crate) fn units(&self) -> Vec<f64> {
        self.function.signature().states.iter().map(|s| s.quantity.range[0].abs().max(s.quantity.range[1].abs())).collect()
    }

    /// A tick later.
    pub(crate) fn tick(&self, x: &[f64], s: &mut [f64]) {
        let h = self.dt / FINE as f64;
        let moved = |s: &[f64], k: &[f64], h: f64| s.iter().zip(k).map(|(s, k)| s + h * k).collect::<Vec<f64>>();
        for _ in 0..FINE {
            let a = self.rates(x, s);
            let b = self.rates(x, &moved(s, &a, h / 2.0));
            let c = self.rates(x, &moved(s, &b, h / 2.0));
            let d = self.rates(x, &moved(s, &c, h));
            for (i, s) in s.iter_mut().enumerate() {
                *s += h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i]);
            }
        }
    }

    /// The states after each of so many ticks, as SciPy's `RK45` gives them at its usual tolerances for the eight integrators of the machine: in units,
    /// padded with noughts. `speed` is how many seconds of the program pass in one of the machine.
    pub(crate) fn at_tolerance(&self, x: &[f64], s: &[f64], ticks: usize, speed: f64) -> Vec<Vec<f64>> {
        let units = self.units();
        let rates = |y: &[f64; 8]| -> [f64; 8] {
            let s: Vec<f64> = units.iter().zip(y).map(|(u, y)| u * y).collect();
            let rates = self.rates(x, &s);
            std::array::from_fn(|i| rates.get(i).map_or(0.0, |r| r / units[i] * speed))
        };
        let start = std::array::from_fn(|i| s.get(i).map_or(0.0, |s| s / units[i]));
        let step = self.dt / speed;
        let times: Vec<f64> = (1..=ticks).map(|t| t as f64 * step).collect();
        let rows = dormand_prince(rates, start, &times);
        rows.into_iter().map(|row| units.iter().zip(row).map(|(u, y)| u * y).collect()).collect()
    }
}

const RTOL: f64 = 1e-3;
const ATOL: f64 = 1e-6;
type Row = [f64; 8];

/// The coefficients of Dormand and Prince (J. Comput. Appl. Math. 6, 19, 1980).
const A: [&[f64]; 6] = [
    &[],
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
];
const B: [f64; 6] = [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0];
const E: [f64; 7] = [-71.0 / 57600.0, 0.0, 71.0 / 16695.0, -71.0 / 1920.0, 17253.0 / 339_200.0, -22.0 / 525.0, 1.0 / 40.0];
/// The quartic between the ends of a step, by Shampine (Math. Comput. 46, 135, 1986).
const P: [[f64; 4]; 7] = [
    [1.0, -8_048_581_381.0 / 2_820_520_608.0, 8_663_915_743.0 / 2_820_520_608.0, -12_715_105_075.0 / 11_282_082_432.0],
    [0.0; 4],
    [0.0, 131_558_114_200.0 / 32_700_410_799.0, -68_118_460_800.0 / 10_900_136_933.0, 87_487_479_700.0 / 32_700_410_799.0],
    [0.0, -1_754_552_775.0 / 470_086_768.0, 14_199_869_525.0 / 1_410_260_304.0, -10_690_763_975.0 / 1_880_347_072.0],
    [0.0, 127_303_824_393.0 / 49_829_197_408.0, -318_862_633_887.0 / 49_829_197_408.0, 701_980_252_875.0 / 199_316_789_632.0],
    [0.0, -282_668_133.0 / 205_662_961.0, 2_019_193_451.0 / 616_988_883.0, -1_453_857_185.0 / 822_651_844.0],
    [0.0, 40_617_522.0 / 29_380_423.0, -110_615_467.0 / 29_380_423.0, 69_997_945.0 / 29_380_423.0],
];

fn norm(v: &Row) -> f64 {
    (v.iter().map(|v| v * v).sum::<f64>() / 8.0).sqrt()
}

fn plus(y: &Row, h: f64, weights: &[f64], k: &[Row]) -> Row {
    std::array::from_fn(|i| y[i] + h * weights.iter().zip(k).map(|(w, k)| w * k[i]).sum::<f64>())
}

/// The first step, after Hairer, Nørsett and Wanner, II.4.
fn first_step(rates: impl Fn(&Row) -> Row, y: &Row, f: &Row, end: f64) -> f64 {
    let scale = |v: &Row| -> Row { std::array::from_fn(|i| v[i] / (ATOL + y[i].abs() * RTOL)) };
    let (d0, d1) = (norm(&scale(y)), norm(&scale(f)));
    let h0 = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 }.min(end);
    let next = rates(&plus(y, h0, &[1.0], &[*f]));
    let d2 = norm(&scale(&std::array::from_fn(|i| next[i] - f[i]))) / h0;
    let h1 = if d1 <= 1e-15 && d2 <= 1e-15 { (h0 * 1e-3).max(1e-6) } else { (0.01 / d1.max(d2)).powf(0.2) };
    (100.0 * h0).min(h1).min(end)
}

fn dormand_prince(rates: impl Fn(&Row) -> Row, start: Row, times: &[f64]) -> Vec<Row> {
    let Some(&end) = times.last() else { return Vec::new() };
    let (mut t, mut y, mut f) = (0.0, start, rates(&start));
    let mut h = first_step(&rates, &y, &f, end);
    let mut rows = Vec::with_capacity(times.len());
    while t < end {
        let mut rejected = false;
        let (step, k, next) = loop {
            let step = h.min(end - t);
            let mut k = vec![f];
            for a in &A[1..] {
                k.push(rates(&plus(&y, step, a, &k)));
            }
            let next = plus(&y, step, &B, &k);
            k.push(rates(&next));
            let error = plus(&[0.0; 8], step, &E, &k);
            let size = norm(&std::array::from_fn(|i| error[i] / (ATOL + y[i].abs().max(next[i].abs()) * RTOL)));
            if size < 1.0 {
                let grow = if size == 0.0 { 10.0 } else { (0.9 * size.powf(-0.2)).min(10.0) };
                h = step * if rejected { grow.min(1.0) } else { grow };
                break (step, k, next);
            }
            h = step * (0.9 * size.powf(-0.2)).max(0.2);
            rejected = true;
        };
        let reached = if end - t <= step { end } else { t + step };
        while rows.len() < times.len() && times[rows.len()] <= reached {
            let x = (times[rows.len()] - t) / step;
            let powers = [x, x * x, x * x * x, x * x * x * x];
            let weights = P.map(|p| p.iter().zip(powers).map(|(p, x)| p * x).sum::<f64>());
            rows.push(plus(&y, step, &weights, &k));
        }
        (t, y, f) = (reached, next, k[6]);
    }
    rows
}
