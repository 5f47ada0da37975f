//! The state-forced comparison of a substrate with the definition.
//!
//! A threshold amplifies the last bit: two honest substrates soon differ by a spike, and then by everything that follows from it.
//! The witness therefore starts each tick from the substrate's own state, computes the tick by the definition together with a bound
//! on the rounding error that the substrate's [`Accuracy`] allows, and compares what the substrate made of it. Where the bound
//! straddles a threshold the tick is *ambiguous*: it may go either way, and the way that the substrate's state shows it went is
//! followed within the tick. Any other difference beyond the bound is a mismatch.
//!
//! The bound covers a substrate that evaluates the raw flow and one that evaluates the run-time form, unless the accuracy says that only
//! the latter is evaluated. Inputs are rounded to the format where they enter, and outputs to single precision where they leave. For located spikes and fixed
//! numbers it is found by perturbing the tick within the accuracy, not by interval arithmetic.

use crate::bound::{Accuracy, Bounded, Form, bound};
use crate::coefficients::{Channel, Channels};
use crate::draw;
use crate::error::{Error, Result};
use crate::oracle::{channels, draws};
use crate::program::{Node, NodeKind, Program};
use crate::schedule::Content;
use crate::semantics::{Compare, Number, Semantics, Test};
use crate::state::{self, State};
use crate::substrate::Run;
use crate::transfer::{StepRecording, TransferFunction};
use crate::walk::{Medium, Walk};

/// A difference beyond the bound.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Mismatch {
    /// The node, or the output of the program.
    pub node: String,
    /// The state or output.
    pub what: String,
    /// The lane.
    pub lane: usize,
    /// The channel, or the place in a line.
    pub channel: usize,
    /// What the substrate has.
    pub seen: f64,
    /// What the definition gives.
    pub expected: f64,
    /// How far apart they may be.
    pub bound: f64,
}

/// What one tick showed.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Judged {
    /// Numbers that were compared.
    pub compared: usize,
    /// Jumps that the bound does not decide.
    pub ambiguous: usize,
    /// The largest error in units of its bound.
    pub worst: f64,
    /// Differences beyond the bound.
    pub mismatches: Vec<Mismatch>,
}

impl Judged {
    /// Adds what another tick showed.
    pub fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.ambiguous += other.ambiguous;
        self.worst = self.worst.max(other.worst);
        self.mismatches.extend(other.mismatches);
    }

    fn compare(&mut self, expected: Bounded, seen: f64, place: impl FnOnce() -> (String, String, usize, usize)) {
        self.compared += 1;
        let difference = (seen - expected.value).abs();
        // what left the numbers of a substrate is no answer, however wide the bound
        if seen.is_finite() && expected.covers(seen) {
            if expected.error > 0.0 && expected.error.is_finite() {
                self.worst = self.worst.max(difference / expected.error);
            }
            return;
        }
        self.worst = f64::INFINITY;
        let (node, what, lane, channel) = place();
        self.mismatches.push(Mismatch { node, what, lane, channel, seen, expected: expected.value, bound: expected.error });
    }
}

/// Judges the ticks of a substrate.
#[derive(Debug)]
pub struct Witness {
    program: Program,
    run: Run,
    accuracy: Accuracy,
    channels: Vec<Option<Channels>>,
    recordings: Vec<Option<StepRecording>>,
    /// Of each linear map, the output, the input and the error of the weights whose rounding is not relative.
    weights: Vec<Vec<(usize, usize, f64)>>,
    walk: Walk<Bounded>,
}

impl Witness {
    /// A witness for a program as it runs on a substrate of some accuracy.
    #[must_use]
    pub fn new(program: &Program, run: &Run, accuracy: &Accuracy) -> Self {
        let recordings = program
            .nodes()
            .iter()
            .map(|node| match &node.kind {
                NodeKind::Dynamics { function, .. } => Some(function.record(&node.semantics)),
                _ => None,
            })
            .collect();
        Self {
            channels: channels(program),
            walk: Walk::new(program),
            program: program.clone(),
            run: run.clone(),
            accuracy: accuracy.clone(),
            recordings,
            weights: program.nodes().iter().map(|node| coarse_weights(node, accuracy)).collect(),
        }
    }

    /// Judges one tick: the state before it, the rows `[batch, channel]` that went in and came out, and the state after it.
    ///
    /// # Errors
    /// `InvalidSignal` if a state or a row does not fit the program.
    pub fn judge(&mut self, before: &State, x: &[f32], y: &[f32], after: &State) -> Result<Judged> {
        let batch = self.run.batch;
        before.check(&self.program, batch)?;
        after.fits(&self.program, batch)?;
        let (inputs, outputs) = (self.program.input_channels(), self.program.output_channels());
        if x.len() != inputs * batch || y.len() != outputs * batch {
            return Err(Error::invalid_signal("the rows of a tick do not fit the program"));
        }
        let mut judged = Judged::default();
        let blocks = &self.program.schedule().memory;
        let mut row = vec![Bounded::default(); outputs];
        for lane in 0..batch {
            let cut = |s: &State, b: usize| s.blocks[b].values[lane * blocks[b].len..(lane + 1) * blocks[b].len].to_vec();
            let mut memory: Vec<Vec<Bounded>> =
                (0..blocks.len()).map(|b| cut(before, b).into_iter().map(Bounded::exact).collect()).collect();
            let landed: Vec<Vec<f64>> = (0..blocks.len()).map(|b| cut(after, b)).collect();
            let input: Vec<Bounded> =
                x[lane * inputs..(lane + 1) * inputs].iter().map(|&v| self.accuracy.stored(f64::from(v))).collect();
            let mut medium = Judge {
                program: &self.program,
                accuracy: &self.accuracy,
                channels: &self.channels,
                recordings: &self.recordings,
                weights: &self.weights,
                after: &landed,
                seed: self.run.seed,
                lane,
                tick: before.tick,
                ambiguous: 0,
            };
            self.walk.tick(&self.program, &mut medium, &input, &mut memory, &mut row);
            judged.ambiguous += medium.ambiguous;
            for (b, block) in blocks.iter().enumerate() {
                for (i, (&expected, &seen)) in memory[b].iter().zip(&landed[b]).enumerate() {
                    judged.compare(expected, seen, || {
                        let node = self.program.nodes()[block.node].name.clone();
                        (node, state::name(&self.program, block.node, block.content), lane, i)
                    });
                }
            }
            for (i, (&expected, &seen)) in row.iter().zip(&y[lane * outputs..(lane + 1) * outputs]).enumerate() {
                let expected = Bounded { error: expected.error + handed(&self.accuracy, expected), ..expected };
                judged.compare(expected, f64::from(seen), || {
                    let (port, channel) = self.port(i);
                    (port, String::from("output"), lane, channel)
                });
            }
        }
        Ok(judged)
    }

    fn port(&self, mut channel: usize) -> (String, usize) {
        for output in self.program.outputs() {
            let channels = output.port.shape.len();
            if channel < channels {
                return (output.port.name.clone(), channel);
            }
            channel -= channels;
        }
        (String::from("output"), channel)
    }
}

/// What the rounding of an output to single precision adds to its error.
fn handed(accuracy: &Accuracy, output: Bounded) -> f64 {
    let (single, reach) = (Accuracy::single(), output.value.abs() + output.error);
    if output.error > 0.0 && accuracy.spacing(reach) < single.spacing(reach) {
        // the number at hand has more digits, whatever those of the reference are
        single.spacing(reach) / 2.0
    } else {
        single.stored(output.value).error
    }
}

fn coarse_weights(node: &Node, accuracy: &Accuracy) -> Vec<(usize, usize, f64)> {
    let mut weights = Vec::new();
    if let NodeKind::Linear(map) = &node.kind {
        map.for_each_term(|output, input, weight| {
            let error = accuracy.weight_error(weight);
            if error > 0.0 {
                weights.push((output, input, error));
            }
        });
    }
    weights
}

struct Judge<'a> {
    program: &'a Program,
    accuracy: &'a Accuracy,
    channels: &'a [Option<Channels>],
    recordings: &'a [Option<StepRecording>],
    weights: &'a [Vec<(usize, usize, f64)>],
    after: &'a [Vec<f64>],
    seed: u64,
    lane: usize,
    tick: u64,
    ambiguous: usize,
}

impl Medium for Judge<'_> {
    type Number = Bounded;

    fn sum(&self, terms: &mut dyn Iterator<Item = Bounded>) -> Bounded {
        let Some(mut sum) = terms.next() else { return Bounded::exact(0.0) };
        let (mut count, mut magnitude) = (1, sum.value.abs());
        for term in terms {
            count += 1;
            magnitude += term.value.abs();
            sum = Bounded { value: sum.value + term.value, error: sum.error + term.error };
        }
        if count > 1 {
            sum.error = self.accuracy.sum(count, magnitude, sum.error);
        }
        sum
    }

    fn hand(&self, signal: Bounded) -> Bounded {
        // a state that is kept with more digits than the format has does not cross to another device with all of them
        Bounded { error: signal.error.max(self.accuracy.stored(signal.value).error), ..signal }
    }

    fn evaluate(&mut self, index: usize, node: &Node, x: &[Vec<Bounded>], states: &mut [Vec<Bounded>], y: &mut [Vec<Bounded>]) {
        match &node.kind {
            NodeKind::Linear(map) => {
                let values: Vec<f64> = x[0].iter().map(|b| b.value).collect();
                let magnitudes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
                let errors: Vec<f64> = x[0].iter().map(|b| b.error).collect();
                let active = values.iter().zip(&errors).filter(|(v, e)| **v != 0.0 || **e != 0.0).count();
                let terms = active.min(map.terms_per_output()) + usize::from(map.has_bias());
                let mut value = vec![0.0; y[0].len()];
                let mut magnitude = value.clone();
                let mut carried = value.clone();
                map.apply(&values, &mut value);
                map.apply_magnitude(&magnitudes, &mut magnitude);
                if errors.iter().any(|&e| e > 0.0) {
                    map.apply_magnitude(&errors, &mut carried);
                    // the bias stands in every magnitude, but carries no error
                    carried.iter_mut().enumerate().for_each(|(o, e)| *e = (*e - map.bias_at(o).abs()).max(0.0) * (1.0 + 1e-12));
                }
                for &(output, input, error) in &self.weights[index] {
                    carried[output] += error * (magnitudes[input] + errors[input]);
                }
                for (o, y) in y[0].iter_mut().enumerate() {
                    *y = Bounded { value: value[o], error: self.accuracy.dot(terms, magnitude[o], carried[o]) };
                }
            }
            NodeKind::Optical(map) => map.bound(&x[0], self.accuracy, &mut y[0]),
            NodeKind::Dynamics { function, .. } => {
                let Some(recording) = &self.recordings[index] else { return };
                // a normal number in the tails comes of a square root, with a slope that is below two
                let drawn = draw::NORMAL_ULP + 2.0 * (self.accuracy.sqrt.ulp - 0.5);
                let blocks = &self.program.schedule().memory;
                let range = self.program.schedule().range(index);
                let after: Vec<&Vec<f64>> =
                    range.filter(|&b| matches!(blocks[b].content, Content::State(_))).map(|b| &self.after[b]).collect();
                for (c, channel) in self.channels[index].iter().flat_map(|channels| channels.each(node.channels())).enumerate() {
                    let mut input: Vec<Bounded> = x.iter().map(|port| port[c]).collect();
                    input.extend(
                        draws(node, self.seed, self.lane * node.channels() + c, self.tick)
                            .map(|v| Bounded { value: v, error: drawn * self.accuracy.spacing(v) }),
                    );
                    let state: Vec<Bounded> = states.iter().map(|s| s[c]).collect();
                    let seen: Vec<f64> = after.iter().map(|s| s[c]).collect();
                    let step = Step {
                        function: function.as_ref(),
                        recording,
                        channel,
                        semantics: &node.semantics,
                        accuracy: self.accuracy,
                    };
                    let landed = step.advance(&input, &state, &seen);
                    self.ambiguous += usize::from(landed.ambiguous);
                    states.iter_mut().zip(&landed.state).for_each(|(to, &v)| to[c] = v);
                    y.iter_mut().zip(&landed.output).for_each(|(to, &v)| to[c] = v);
                }
            }
            NodeKind::Delay { .. } | NodeKind::Relay => {}
        }
    }
}

struct Landed {
    state: Vec<Bounded>,
    output: Vec<Bounded>,
    ambiguous: bool,
}

/// One channel of one node in one tick.
struct Step<'a> {
    function: &'a dyn TransferFunction,
    recording: &'a StepRecording,
    channel: &'a Channel,
    semantics: &'a Semantics,
    accuracy: &'a Accuracy,
}

impl Step<'_> {
    fn advance(&self, x: &[Bounded], s: &[Bounded], seen: &[f64]) -> Landed {
        if self.semantics.test == Test::Located || self.semantics.number != Number::Real {
            return self.perturb(x, s);
        }
        let p = self.stored(&self.channel.p);
        let flowed = self.flow(x, s, &p);
        let Some(test) = &self.recording.test else {
            return self.finish(x, &flowed, &p, Bounded::exact(0.0), false);
        };
        let tested = if self.semantics.test == Test::BeforeFlow { s } else { &flowed };
        let margin = bound(test, &[tested, &p].concat(), self.accuracy);
        let (level, theta) = (margin[0], margin[1]);
        let fired = match self.semantics.compare {
            Compare::Above => level.value > theta.value,
            Compare::AtOrAbove => level.value >= theta.value,
        };
        let error = level.error + theta.error;
        let undecided = error > 0.0 && (level.value - theta.value).abs() <= error;
        let jumped = || bound(&self.recording.land, &[tested, &flowed, &p].concat(), self.accuracy);
        let branch = |fired: bool, ambiguous: bool| {
            let state = if fired { jumped() } else { flowed.clone() };
            self.finish(x, &state, &p, Bounded::exact(f64::from(u8::from(fired))), ambiguous)
        };
        let expected = branch(fired, undecided);
        if !undecided {
            return expected;
        }
        let other = branch(!fired, true);
        let fits = |landed: &Landed| landed.state.iter().zip(seen).all(|(b, &v)| b.covers(v));
        match (fits(&expected), fits(&other)) {
            (true, true) => Landed { output: either(&expected.output, &other.output), ..expected },
            (false, true) => other,
            _ => expected,
        }
    }

    fn stored(&self, values: &[f64]) -> Vec<Bounded> {
        values.iter().map(|&v| self.accuracy.stored(v)).collect()
    }

    /// The state after the flow, with a bound that covers the raw form, unless it is never evaluated, and the run-time form.
    fn flow(&self, x: &[Bounded], s: &[Bounded], p: &[Bounded]) -> Vec<Bounded> {
        let c = &self.channel.coefficients;
        let raw = [x, s, p, &self.stored(&c.psi), &self.stored(&[self.semantics.step_length()])].concat();
        let raw = bound(&self.recording.flow, &raw, self.accuracy);
        if !self.function.is_affine() {
            return raw;
        }
        let form = [x, s, &self.stored(&c.phi), &self.stored(&c.gamma), &self.stored(&c.constant)].concat();
        let form = bound(&self.recording.affine, &form, self.accuracy);
        raw.iter()
            .zip(form)
            .map(|(raw, form)| {
                let error = form.error + (form.value - raw.value).abs();
                let error = if self.accuracy.form == Form::RunTime { error } else { raw.error.max(error) };
                Bounded { value: raw.value, error }
            })
            .collect()
    }

    fn finish(&self, x: &[Bounded], s: &[Bounded], p: &[Bounded], z: Bounded, ambiguous: bool) -> Landed {
        let mut results = bound(&self.recording.tick, &[x, s, p, &[z]].concat(), self.accuracy);
        let output = results.split_off(s.len());
        Landed { state: results, output, ambiguous }
    }

    /// Moves input and state within their errors and the rounding of the format, and sees how far the tick moves.
    fn perturb(&self, x: &[Bounded], s: &[Bounded]) -> Landed {
        let step = |sign: f64| {
            let rounding = |v: f64| (self.accuracy.unit_roundoff * v.abs()).max(self.accuracy.spacing(v) / 2.0);
            let moved = |b: &Bounded| b.value + sign * (b.error + rounding(b.value));
            let input: Vec<f64> = x.iter().map(moved).collect();
            let mut state: Vec<f64> = s.iter().map(moved).collect();
            let mut output = vec![0.0; self.function.signature().outputs.len()];
            let spikes =
                self.function.step(self.semantics, &self.channel.coefficients, &input, &mut state, &self.channel.p, &mut output);
            (state, output, spikes)
        };
        let (middle, low, high) = (step(0.0), step(-1.0), step(1.0));
        let ambiguous = low.2 != middle.2 || high.2 != middle.2;
        let spread = |middle: &[f64], low: &[f64], high: &[f64]| {
            (0..middle.len())
                .map(|k| {
                    let reach = (low[k] - middle[k]).abs().max((high[k] - middle[k]).abs());
                    let error = if ambiguous { f64::INFINITY } else { 2.0 * reach + self.accuracy.stored(middle[k]).error };
                    Bounded { value: middle[k], error }
                })
                .collect()
        };
        Landed { state: spread(&middle.0, &low.0, &high.0), output: spread(&middle.1, &low.1, &high.1), ambiguous }
    }
}

/// Covers both.
fn either(a: &[Bounded], b: &[Bounded]) -> Vec<Bounded> {
    a.iter().zip(b).map(|(a, b)| Bounded { value: a.value, error: a.error.max((a.value - b.value).abs() + b.error) }).collect()
}

#[cfg(test)]
mod tests;
