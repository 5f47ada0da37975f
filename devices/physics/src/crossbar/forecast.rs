//! What a program will be off by on cells of given statistics, before one of them is written.
//!
//! A program of dense maps is affine, so that an error of one stage reaches each output by a known factor, found by going through the program
//! backwards. With `a[k]` the factor of output `k` of a stage for an output of the program,
//!
//! ```text
//! margin = 4 √(Σ a[k]² fixed[k]) + Σ |a[k]| offset[k]       noise = √(Σ a[k]² noise[k])
//! drift  = 4 √(Σ a[k]² spread[k]) + Σ |a[k]| moved[k]
//! ```
//! where the moments of the cells are summed over the inputs of the stage, each at the largest magnitude that it can have. The errors of cells
//! are independent, so that their variances add; four deviations leave one output in sixteen thousand outside where all inputs are at
//! their limits, and none that a test would meet where they are not. What is common to all cells, the drift and the bias of cells at rest, adds in magnitude. Rounding by the converters counts with
//! the variance of an even distribution, a twelfth of a squared step, where it is about what stays. Noise that is narrow beside a step is flipped
//! between two codes where it happens to stand between them, wherever drift or a correction has taken its mean, and counts with what that makes of it
//! (`converter.rs`); and what moves comes to other codes, by which its mean is off otherwise. No signal is clipped: the range of each converter is the largest value
//! of its signal and four deviations; what noise takes beyond is counted.

use super::converter::flipping;
use super::device::Device;
use super::error::Error;
use super::statistics::{Horizon, Moments, moments};
use super::wires;
use isoform_core::linear::{Dense, LinearMap};
use isoform_core::plan::{Place, Plan, Step};
use isoform_core::program::{NodeKind, Program};
use std::f64::consts::PI;

/// Deviations that a promise covers.
pub(super) const COVERED: f64 = 4.0;

/// What stage and converters are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Means {
    pub(super) device: Device,
    pub(super) bits: u32,
    /// Deviation of the noise of a bit line, in units of the largest weight at the largest input.
    pub(super) output_noise: f64,
    /// Ohms of a segment of wire.
    pub(super) wire: f64,
    pub(super) horizon: Horizon,
}

/// The ranges of a stage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranges {
    /// The node.
    pub(super) node: usize,
    /// The largest magnitude of its input.
    pub(super) input: f64,
    /// The largest weight in magnitude.
    pub(super) weight: f64,
    /// The largest magnitude of each output, before the bias.
    pub(super) outputs: Vec<f64>,
}

/// What a program will be off by, in units of its outputs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forecast {
    pub(super) margin: f64,
    pub(super) noise: f64,
    pub(super) drift: f64,
    /// The stages, in the order of the plan.
    pub(super) ranges: Vec<Ranges>,
}

/// The matrix of a node.
pub(super) fn dense(program: &Program, node: usize) -> Option<&Dense> {
    match &program.nodes()[node].kind {
        NodeKind::Linear(map) => match &**map {
            LinearMap::Dense(dense) => Some(dense),
            _ => None,
        },
        _ => None,
    }
}

/// Calls `f(output, input, weight)` for each entry.
fn entries(program: &Program, node: usize, f: impl FnMut(usize, usize, f64)) {
    if let NodeKind::Linear(map) = &program.nodes()[node].kind {
        map.for_each_term(f);
    }
}

impl Forecast {
    /// Goes through a program of dense maps whose inputs are at most `limit` in magnitude.
    pub(super) fn new(program: &Program, plan: &Plan, limit: f64, means: &Means) -> Result<Self, Error> {
        let mut largest: Vec<Vec<f64>> = plan.buffers.iter().map(|b| vec![0.0; b.channels]).collect();
        let inputs: Vec<Vec<f64>> = plan.inputs.iter().map(|i| vec![limit; i.channels]).collect();
        let (mut ranges, mut owns) = (Vec::new(), Vec::new());
        for step in plan.steps() {
            match step {
                Step::Sum { sources, out } => {
                    let mut sum = vec![0.0; largest[*out].len()];
                    for source in sources {
                        sum.iter_mut().zip(signal(*source, &inputs, &largest)).for_each(|(sum, v)| *sum += v);
                    }
                    largest[*out] = sum;
                }
                Step::Linear { node, input, out } => {
                    let (range, own) =
                        stage(program, *node, (signal(*input, &inputs, &largest), matches!(input, Place::Buffer { .. })), means)?;
                    let bias = |k: usize| match &program.nodes()[*node].kind {
                        NodeKind::Linear(map) => map.bias_at(k).abs(),
                        _ => 0.0,
                    };
                    largest[*out] = range.outputs.iter().enumerate().map(|(k, range)| range + bias(k)).collect();
                    ranges.push(range);
                    owns.push(own);
                }
                Step::Line { .. } | Step::Neuron { .. } => {}
            }
        }
        let mut forecast = Self { margin: 0.0, noise: 0.0, drift: 0.0, ranges };
        for output in &plan.outputs {
            for channel in 0..output.channels {
                let mut factors: Vec<Vec<f64>> = plan.buffers.iter().map(|b| vec![0.0; b.channels]).collect();
                if let Place::Buffer { index, .. } = output.source {
                    factors[index][channel] = 1.0;
                    forecast.add(program, plan, &owns, factors);
                }
            }
        }
        Ok(forecast)
    }

    /// Follows one output of the program backwards.
    fn add(&mut self, program: &Program, plan: &Plan, owns: &[Vec<Moments>], mut factors: Vec<Vec<f64>>) {
        let mut all = Moments::default();
        let mut stage = owns.len();
        for step in plan.sections.iter().rev().flat_map(|s| s.steps.iter().rev()) {
            match step {
                Step::Sum { sources, out } => {
                    let from = factors[*out].clone();
                    for source in sources {
                        if let Place::Buffer { index, .. } = source {
                            factors[*index].iter_mut().zip(&from).for_each(|(to, a)| *to += a);
                        }
                    }
                }
                Step::Linear { node, input, out } => {
                    stage -= 1;
                    let from = factors[*out].clone();
                    for (a, own) in from.iter().zip(&owns[stage]).filter(|(a, _)| **a != 0.0) {
                        all.offset += a.abs() * own.offset;
                        all.drift += a.abs() * own.drift;
                        all.fixed += a * a * own.fixed;
                        all.noise += a * a * own.noise;
                        all.spread += a * a * own.spread;
                    }
                    if let (Place::Buffer { index, .. }, true) = (input, from.iter().any(|&a| a != 0.0)) {
                        entries(program, *node, |o, i, w| factors[*index][i] += from[o] * w);
                    }
                }
                Step::Line { .. } | Step::Neuron { .. } => {}
            }
        }
        self.margin = self.margin.max(COVERED * all.fixed.sqrt() + all.offset);
        self.drift = self.drift.max(COVERED * all.spread.sqrt() + all.drift);
        self.noise = self.noise.max(all.noise.sqrt());
    }
}

fn signal<'a>(place: Place, inputs: &'a [Vec<f64>], buffers: &'a [Vec<f64>]) -> &'a [f64] {
    match place {
        Place::Input(index) => &inputs[index],
        Place::Buffer { index, .. } => &buffers[index],
    }
}

/// Ranges and own errors of a stage, for the largest magnitudes of its inputs, and whether those come from other stages.
fn stage(
    program: &Program,
    node: usize,
    (largest, is_inner): (&[f64], bool),
    means: &Means,
) -> Result<(Ranges, Vec<Moments>), Error> {
    let outputs = program.nodes()[node].channels();
    let (mut weight, mut bounds, mut own) = (0.0_f64, vec![0.0; outputs], vec![Moments::default(); outputs]);
    entries(program, node, |_, _, w| weight = weight.max(w.abs()));
    let input = largest.iter().copied().fold(0.0, f64::max);
    // what single precision does not tell from nought is written as nought
    if weight < f64::from(f32::MIN_POSITIVE) {
        weight = 0.0;
    }
    // microsiemens for a weight of one: without end where there is none, for errors of cells then stand for nothing
    let scale = means.device.g_max() / weight;
    let most = f64::from((1_u32 << (means.bits - 1)) - 1);
    let rounding = |range: f64| (range / most).powi(2) / 12.0;
    entries(program, node, |o, i, w| {
        let x = largest[i];
        let code = w * w * rounding(input);
        let cell = moments(&means.device, aim(scale, w), means.horizon);
        bounds[o] += w.abs() * x;
        own[o].offset += cell.offset / scale * x;
        own[o].drift += cell.drift / scale * x;
        own[o].fixed += cell.fixed * (x / scale).powi(2) + code;
        own[o].noise += cell.noise * (x / scale).powi(2);
        own[o].spread += cell.spread * (x / scale).powi(2);
        // signals of other stages fluctuate and move: half a step of the converter from the former, and other codes at another time
        if is_inner {
            own[o].noise += 3.0 * code;
            own[o].spread += 2.0 * code;
        }
    });
    if means.wire > 0.0 {
        lost(program, node, scale, largest, means.wire, &mut own)?;
    }
    let gain = means.horizon.gain(&means.device).powi(2);
    let white = means.output_noise * weight * input;
    for (bound, own) in bounds.iter_mut().zip(&mut own) {
        own.noise += white.powi(2) * gain;
        let deviation = (own.fixed + own.noise + own.spread).sqrt();
        // a signal that drifts shrinks; one whose cells are disturbed by reads may grow
        *bound += COVERED * deviation + own.offset + if means.horizon.reads.disturb() { own.drift } else { 0.0 };
        own.fixed += rounding(*bound) * gain;
        // nought where its square is too small for a number, and so is all noise
        let squared = (*bound / most).powi(2) * gain;
        if squared > 0.0 {
            own.noise = squared * flipping((own.noise / squared).sqrt());
            own.drift += stairs(COVERED * own.spread.sqrt() + own.drift, squared.sqrt(), white * gain.sqrt());
        }
    }
    Ok((Ranges { node, input, weight, outputs: bounds }, own))
}

/// How much further a mean moves by rounding in steps than its signal, which moves by `moved`, where the noise is `noise` at least.
///
/// Without noise it is on as many steps as there are begun ones in the way. The mean over noise of a deviation `r`, in steps, follows its signal to within
/// `Σ e^{-2π² k² r²} / (π k)` on either side.
fn stairs(moved: f64, step: f64, noise: f64) -> f64 {
    let first = (-2.0 * (PI * noise / step).powi(2)).exp();
    let blurred = 2.0 * step * first / (PI * (1.0 - first));
    (step * (moved / step).ceil() - moved).min(blurred)
}

/// The microsiemens that a weight is written as.
fn aim(scale: f64, weight: f64) -> f64 {
    if scale.is_finite() { scale * weight.abs() } else { 0.0 }
}

/// Adds what the wires take, for cells that are written to the letter.
#[expect(clippy::cast_possible_truncation, reason = "conductances are in single precision")]
fn lost(program: &Program, node: usize, scale: f64, largest: &[f64], wire: f64, own: &mut [Moments]) -> Result<(), Error> {
    let Some(dense) = dense(program, node) else { return Ok(()) };
    let (inputs, outputs) = (dense.cols(), dense.rows());
    let mut arrays = vec![vec![0.0; 2 * inputs * outputs]; own.len() / outputs];
    let place = |o: usize, i: usize, w: f64| (o / outputs, 2 * (i % inputs * outputs + o % outputs) + usize::from(w < 0.0));
    entries(program, node, |o, i, w| {
        let (block, place) = place(o, i, w);
        arrays[block][place] = aim(scale, w) as f32;
    });
    let left = arrays.iter().map(|array| wires::left(array, inputs, 2 * outputs, wire)).collect::<Result<Vec<_>, _>>()?;
    entries(program, node, |o, i, w| {
        let (block, place) = place(o, i, w);
        own[o].offset += w.abs() * largest[i] * (1.0 - left[block][place]);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_on_stairs_moves_by_whole_steps_and_noise_makes_them_a_slope() {
        let moved = |moved, noise| moved + stairs(moved, 0.5, noise);
        assert_eq!([0.1, 0.5, 0.6].map(|by| moved(by, 0.0)), [0.5, 0.5, 1.0]);
        // a deviation of a step: e^{-2π²} on either side
        assert!((moved(0.6, 0.5) - 0.6 - 2.0 * 0.5 * 2.675e-9 / PI).abs() < 1e-11);
    }
}
