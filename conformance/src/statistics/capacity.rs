//! How much of the past of its inputs a reservoir holds.
//!
//! The best linear readout of all outputs is asked for a function `z` of past inputs. The capacity of `z` is the part of its variance that comes
//! back:
//! ```text
//! C[z] = 1 - min_w <(z - w·y)²> / <z²>
//! ```
//! **Memory capacity** is the sum over `z = u[t - k]` (Jaeger 2001, *Short term memory in echo state networks*, GMD report 152, definition 2).
//! **Information processing capacity** is the sum over all products of Legendre polynomials of such inputs, which are orthogonal for inputs that
//! are drawn evenly from −1 to 1; it is no more than the number of outputs that are independent (Dambre, Verstraeten, Schrauwen and Massar
//! 2012, *Sci. Rep.* 2, 514, equations 4 and 6). **Consistency** is the correlation of two responses to one drive (Uchida, McAllister and
//! Roy 2004, *Phys. Rev. Lett.* 93, 244102).
//!
//! A record of `T` ticks shows a capacity of `N/T` where there is none. What noise alone exceeds once in ten thousand times is taken for none, and
//! the rest is corrected for it.

use super::series::moments;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The part of an output that has to be new for it to count as independent: above what rounding in single precision makes of a copy.
const RANK: f64 = 1e-6;
/// How often noise alone is taken for a capacity.
const CHANCE: f64 = 1e-4;

/// Capacities by degree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// How many outputs are independent: the most that all capacities add up to in the mean.
    pub independent: usize,
    /// The most that they add up to in a record of `T` ticks. `K` functions that are orthogonal in the mean are not so in a record, in which their
    /// projections on `N` outputs add up to no more than `N` times the largest eigenvalue of their correlations, of which `(1 + √(K/T))²` is the edge
    /// (Marchenko and Pastur 1967, Math. USSR Sb. 1, 457).
    #[serde(default)]
    pub most: f64,
    /// The sum over functions of each degree, from one up.
    pub degrees: Vec<f64>,
}

impl Capacity {
    /// The memory capacity: what is there of past inputs as they were.
    #[must_use]
    pub fn memory(&self) -> f64 {
        self.degrees.first().copied().unwrap_or(0.0)
    }

    /// The information processing capacity over every degree that was asked for.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.degrees.iter().sum()
    }
}

/// The capacities of rows `[tick, output]` for functions of rows `[tick, input]`, the latter evenly drawn from −1 to 1. `reach` tells for each
/// degree how many ticks the functions look back, the present one among them.
#[must_use]
pub fn capacity(inputs: &[f64], channels: usize, outputs: &[f64], width: usize, reach: &[usize]) -> Capacity {
    Targets::new(inputs, channels, reach).capacity(outputs, width)
}

/// Functions of the past of inputs, of which the capacities of several records for the same inputs are asked.
#[derive(Debug, Clone)]
pub struct Targets {
    /// Ticks before the first that has all of its past.
    past: usize,
    /// Ticks of the inputs.
    ticks: usize,
    /// For each degree, records of length one about nought.
    degrees: Vec<Vec<Vec<f64>>>,
}

impl Targets {
    /// All products of Legendre polynomials; see [`capacity`].
    #[must_use]
    pub fn new(inputs: &[f64], channels: usize, reach: &[usize]) -> Self {
        let past = reach.iter().copied().max().unwrap_or(0).saturating_sub(1);
        let ticks = inputs.len() / channels.max(1);
        let each = |(at, &reach): (usize, &usize)| {
            let mut all = Vec::new();
            products(channels * reach, at + 1, &mut |factors: &[(usize, usize)]| {
                let value = |t: usize, &(variable, degree): &(usize, usize)| {
                    let (channel, delay) = (variable % channels, variable / channels);
                    legendre(degree, inputs[(t - delay) * channels + channel])
                };
                let function: Vec<f64> = (past..ticks).map(|t| factors.iter().map(|f| value(t, f)).product()).collect();
                let mut function = centred(&function);
                let size = dot(&function, &function).sqrt();
                if size > 0.0 {
                    function.iter_mut().for_each(|z| *z /= size);
                    all.push(function);
                }
            });
            all
        };
        let degrees = reach.iter().enumerate().map(each).collect();
        Self { past, ticks, degrees }
    }

    /// The capacities of rows `[tick, output]`, as many as there are of the inputs.
    #[must_use]
    pub fn capacity(&self, outputs: &[f64], width: usize) -> Capacity {
        let kept = self.ticks.saturating_sub(self.past);
        let fits = kept > 1 && outputs.len() >= self.ticks * width;
        let basis = if fits { orthonormal(&outputs[self.past * width..self.ticks * width], width) } else { Vec::new() };
        let freedom = basis.len() as f64;
        let noise = ChiSquared::new(freedom).map_or(f64::INFINITY, |chi| chi.inverse_cdf(1.0 - CHANCE) / kept as f64);
        let left = kept as f64 - 1.0 - freedom;
        let of = |target: &Vec<f64>| {
            let found = basis.iter().map(|b| dot(b, target).powi(2)).sum::<f64>();
            // what a readout of so many outputs finds by chance is taken off
            if left > 0.0 && found > noise { (found - (1.0 - found) * freedom / left).clamp(0.0, 1.0) } else { 0.0 }
        };
        let degrees = self.degrees.iter().map(|targets| targets.iter().map(of).sum()).collect();
        let functions: usize = self.degrees.iter().map(Vec::len).sum();
        let edge = (1.0 + (functions as f64 / kept.max(1) as f64).sqrt()).powi(2);
        Capacity { degrees, independent: basis.len(), most: freedom * edge }
    }
}

/// The correlation of two responses `[tick, output]` to one drive, in the mean over the outputs that move in both.
#[must_use]
pub fn consistency(one: &[f64], other: &[f64], width: usize) -> f64 {
    let of = |output: usize| {
        let column = |rows: &[f64]| centred(&rows.iter().skip(output).step_by(width).copied().collect::<Vec<_>>());
        let (a, b) = (column(one), column(other));
        let size = (dot(&a, &a) * dot(&b, &b)).sqrt();
        (size > 0.0).then(|| dot(&a, &b) / size)
    };
    let found: Vec<f64> = (0..width).filter_map(of).collect();
    if found.is_empty() { 0.0 } else { moments(&found).0 }
}

/// Calls with every product of Legendre polynomials of one total degree, as pairs of a variable and a degree.
fn products(variables: usize, degree: usize, call: &mut impl FnMut(&[(usize, usize)])) {
    fn further(
        variables: usize,
        first: usize,
        left: usize,
        chosen: &mut Vec<(usize, usize)>,
        call: &mut impl FnMut(&[(usize, usize)]),
    ) {
        if left == 0 {
            return call(chosen);
        }
        for variable in first..variables {
            for degree in 1..=left {
                chosen.push((variable, degree));
                further(variables, variable + 1, left - degree, chosen, call);
                chosen.pop();
            }
        }
    }
    further(variables, 0, degree, &mut Vec::new(), call);
}

/// The polynomial of Legendre, by Bonnet's recursion.
fn legendre(degree: usize, x: f64) -> f64 {
    let (mut last, mut this) = (1.0, x);
    for k in 1..degree {
        let k = k as f64;
        (last, this) = (this, ((2.0 * k + 1.0) * x * this - k * last) / (k + 1.0));
    }
    if degree == 0 { 1.0 } else { this }
}

/// Columns that span those of the rows without their means, by Gram and Schmidt, each taken out twice.
fn orthonormal(rows: &[f64], width: usize) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for output in 0..width {
        let mut column = centred(&rows.iter().skip(output).step_by(width).copied().collect::<Vec<_>>());
        let whole = dot(&column, &column).sqrt();
        for _ in 0..2 {
            for b in &basis {
                let share = dot(b, &column);
                column.iter_mut().zip(b).for_each(|(c, b)| *c -= share * b);
            }
        }
        let new = dot(&column, &column).sqrt();
        if new > RANK * whole {
            column.iter_mut().for_each(|c| *c /= new);
            basis.push(column);
        }
    }
    basis
}

fn centred(values: &[f64]) -> Vec<f64> {
    let (mean, _) = moments(values);
    values.iter().map(|v| v - mean).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::draw::{bits, uniform};
    use proptest::prelude::*;

    fn drawn(seed: u64, count: usize) -> Vec<f64> {
        (0..count).map(|t| 2.0 * f64::from(uniform(bits(seed, 9, 0, 0, t as u64))) - 1.0).collect()
    }

    /// Rows of the past, the present one first.
    fn line(inputs: &[f64], taps: usize) -> Vec<f64> {
        (0..inputs.len()).flat_map(|t| (0..taps).map(move |k| if t >= k { inputs[t - k] } else { 0.0 })).collect()
    }

    /// `s[t] = W s[t-1] + v u[t]`, with `W` a ring whose signs are drawn and `v` drawn, scaled by `keep`.
    fn echo(inputs: &[f64], units: usize, keep: f64, seed: u64) -> Vec<f64> {
        let signs: Vec<f64> = drawn(seed, units).into_iter().map(f64::signum).collect();
        let weight = drawn(seed + 1, units);
        let mut state = vec![0.0; units];
        let mut rows = Vec::new();
        for u in inputs {
            let last = state.clone();
            for i in 0..units {
                state[i] = keep * signs[i] * last[(i + units - 1) % units] + weight[i] * u;
            }
            rows.extend_from_slice(&state);
        }
        rows
    }

    #[test]
    fn a_line_of_twenty_taps_reads_twenty() {
        let inputs = drawn(1, 3000);
        let found = capacity(&inputs, 1, &line(&inputs, 20), 20, &[40, 6]);
        eprintln!("expected 20.0, found {:.4}; all degrees {:.4}", found.memory(), found.total());
        assert!((found.memory() - 20.0).abs() < 1e-9 && found.independent == 20, "{found:?}");
        assert!(found.total() < 20.0 + 0.05, "{found:?}");
    }

    #[test]
    fn a_linear_echo_state_network_of_fifty_units_reads_fifty() {
        let inputs = drawn(2, 6000);
        for seed in [1, 2, 3] {
            let found = capacity(&inputs, 1, &echo(&inputs, 50, 0.85, seed), 50, &[150]);
            eprintln!("expected 50.0, found {:.3}", found.memory());
            assert!((found.memory() - 50.0).abs() < 0.05, "{found:?}");
        }
    }

    #[test]
    fn products_are_remembered_as_such() {
        // u[t] u[t-1] and the second Legendre polynomial of u[t-2]
        let inputs = drawn(3, 4000);
        let at = |t: usize, k: usize| if t >= k { inputs[t - k] } else { 0.0 };
        let rows: Vec<f64> = (0..inputs.len()).flat_map(|t| [at(t, 0) * at(t, 1), 1.5 * at(t, 2).powi(2) - 0.5]).collect();
        let found = capacity(&inputs, 1, &rows, 2, &[6, 6, 4]);
        assert!((found.degrees[1] - 2.0).abs() < 1e-9 && found.memory() < 0.01 && found.degrees[2] < 0.02, "{found:?}");
    }

    #[test]
    fn what_has_nothing_of_the_inputs_has_no_capacity() {
        let found = capacity(&drawn(4, 3000), 1, &drawn(5, 3000 * 10), 10, &[20, 8]);
        assert!(found.total() < 0.05, "{found:?}");
        assert_eq!(capacity(&[], 1, &[], 1, &[3]), Capacity { independent: 0, degrees: vec![0.0], most: 0.0 });
        assert_eq!(capacity(&drawn(4, 100), 1, &[0.5; 100], 1, &[3]).independent, 0);
    }

    #[test]
    fn legendre_is_that_of_the_table() {
        // Abramowitz and Stegun 1964, table 22.9
        assert_eq!([0, 1, 2, 3].map(|d| legendre(d, 0.5)), [1.0, 0.5, -0.125, -0.4375]);
    }

    #[test]
    fn consistency_is_the_share_of_the_signal() {
        let (signal, one, other) = (drawn(6, 20_000), drawn(7, 20_000), drawn(8, 20_000));
        let with = |noise: &[f64]| signal.iter().zip(noise).map(|(s, n)| s + 0.5 * n).collect::<Vec<_>>();
        assert!((consistency(&with(&one), &with(&other), 1) - 0.8).abs() < 0.02);
        assert!((consistency(&signal, &signal, 1) - 1.0).abs() < 1e-12);
        assert_eq!(consistency(&[1.0, 1.0], &[1.0, 1.0], 1), 0.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

        /// Whatever a reservoir does, its capacities add up to no more than its independent outputs, up to what chance adds.
        #[test]
        fn capacities_add_up_to_no_more_than_the_outputs(
            seed in 0_u64..1000,
            units in 1_usize..6,
            keep in 0.0_f64..0.99,
            bend in 0.0_f64..3.0,
        ) {
            const TICKS: usize = 8000;
            let inputs = drawn(seed, TICKS);
            let rows: Vec<f64> = echo(&inputs, units, keep, seed).into_iter().map(|s| s + bend * s * s).collect();
            let found = capacity(&inputs, 1, &rows, units, &[16, 8, 4]);
            prop_assert!(found.independent <= units);
            // of one input, of two with repetition from eight ticks, of three from four
            let functions = 16 + 8 * 9 / 2 + 4 * 5 * 6 / 6;
            let edge = (1.0 + (f64::from(functions) / (TICKS - 15) as f64).sqrt()).powi(2);
            prop_assert!((found.most - found.independent as f64 * edge).abs() < 1e-12);
            prop_assert!(found.total() <= found.most, "{found:?}");
        }
    }
}
