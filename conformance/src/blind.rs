//! Comparing outputs where the state cannot be read.
//!
//! The oracle runs freely beside the record. Rounding then adds up from tick to tick. For what the error can have grown to, each node
//! contributes at most [`Accuracy::dot`] of its largest magnitudes a tick; flows of the library do not amplify (`|Φ| ≤ 1`), so that
//! errors add up over ticks, and a linear map amplifies by its largest row sum of magnitudes. Of a substrate that evaluates the run-time form
//! alone, parameters count only where a tick reads them, and numbers are taken not to overflow. A tick is *ambiguous* when moving the
//! states by that much, either way, changes what jumps; from there on the two may honestly differ, and the rest of the lane is left
//! out and counted.

use isoform_core::bound::{Accuracy, Form};
use isoform_core::optical::Detection;
use isoform_core::oracle::Oracle;
use isoform_core::program::{NodeKind, Program};
use isoform_core::schedule::Content;
use isoform_core::state::State;
use isoform_core::substrate::Run;

/// What a comparison showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Seen {
    pub(crate) compared: usize,
    pub(crate) ambiguous: usize,
    pub(crate) worst: f64,
    pub(crate) broken: Option<String>,
}

/// What one tick of a whole program may add to an error, for signals and states of some magnitude.
pub(crate) fn growth(program: &Program, accuracy: &Accuracy, magnitude: f64) -> f64 {
    let run_time = accuracy.form == Form::RunTime;
    let rounded = |terms: usize, reach: f64, error: f64| {
        if run_time { accuracy.accumulated(terms, reach, error) } else { accuracy.dot(terms, reach, error) }
    };
    // where weights have one spacing everywhere, each may be off by half of it, and so may be the inputs
    let half = if accuracy.is_uniform() { accuracy.spacing(0.0) / 2.0 } else { 0.0 };
    let mut gain: f64 = 1.0;
    let mut local = half;
    for node in program.nodes() {
        match &node.kind {
            NodeKind::Linear(map) => {
                let mut sums = vec![0.0; map.output().len()];
                map.for_each_term(|row, _, w| sums[row] += w.abs());
                let largest = sums.iter().fold(0.0_f64, |m, s| m.max(*s));
                let terms = map.terms_per_output() + usize::from(map.has_bias());
                local += rounded(terms, (largest + 1.0) * magnitude, half * terms as f64 * magnitude);
                gain *= largest.max(1.0);
            }
            NodeKind::Optical(map) => {
                let ones = vec![1.0; map.input().len()];
                let largest = map.magnitudes(&ones).iter().flatten().fold(0.0_f64, |m, v| m.max(*v));
                let field = accuracy.dot(map.terms(), (largest + 1.0) * magnitude, 0.0);
                match map.detection() {
                    Detection::Homodyne => {
                        local += field;
                        gain *= largest.max(1.0);
                    }
                    // the square of a field multiplies its error by twice the field
                    Detection::Intensity => {
                        let slope = 4.0 * (largest + 1.0) * magnitude;
                        local += slope * field + accuracy.dot(2, slope * slope, 0.0);
                        gain *= (slope * largest).max(1.0);
                    }
                }
            }
            NodeKind::Dynamics { function, parameters } => {
                let terms = 2 * (function.signature().states.len() + function.signature().inputs.len()) + 2;
                let count = parameters.iter().map(isoform_core::tensor::Tensor::len).max().unwrap_or(1);
                let read = function.record(&node.semantics).parameters(function.signature());
                let mut worst: f64 = 0.0;
                for c in 0..count {
                    let value = |t: &isoform_core::tensor::Tensor| t.at(if t.len() == 1 { 0 } else { c });
                    let p: Vec<f64> = parameters.iter().map(value).collect();
                    let k = function.coefficients(&node.semantics, &p);
                    let sum = |m: &[f64]| m.iter().map(|v| v.abs()).sum::<f64>();
                    let coefficients = sum(&k.phi) + sum(&k.gamma) + sum(&k.constant);
                    let (direct, weight) = if run_time {
                        let direct = p.iter().zip(&read).filter(|(_, read)| **read).map(|(v, _)| v.abs()).sum::<f64>();
                        (direct, coefficients + direct)
                    } else {
                        (sum(&p), coefficients + sum(&k.psi) * sum(&p) + sum(&p))
                    };
                    worst = worst.max(rounded(terms, weight * magnitude, half * terms as f64 * magnitude));
                    gain = gain.max(1.0 + sum(&k.gamma) + direct);
                }
                local = if run_time { local + worst } else { local.max(worst) };
            }
            NodeKind::Delay { .. } | NodeKind::Relay => {}
        }
    }
    local * gain * program.nodes().len() as f64
}

/// Compares a record of outputs with the oracle.
pub(crate) fn compare(program: &Program, run: &Run, accuracy: &Accuracy, x: &[f32], y: &[f32]) -> Seen {
    let jumping: Vec<&str> = program
        .nodes()
        .iter()
        .filter(|n| matches!(&n.kind, NodeKind::Dynamics { function, .. } if function.event().is_some()))
        .map(|n| n.name.as_str())
        .collect();
    // outputs of jumping nodes stand behind those of the program
    let probed = match program.with_probes(&jumping) {
        Ok(probed) => probed,
        Err(e) => return Seen { broken: Some(e.to_string()), ..Seen::default() },
    };
    let (inputs, outputs, all) = (program.input_channels(), program.output_channels(), probed.output_channels());
    let mut oracle = Oracle::new(&probed, run);
    let mut seen = Seen::default();
    let mut open = vec![true; run.batch];
    let (mut expected, mut moved) = (vec![0.0; all * run.batch], vec![0.0; all * run.batch]);
    let mut magnitude: f64 = 1.0;
    let rows = x.chunks_exact((inputs * run.batch).max(1)).zip(y.chunks_exact((outputs * run.batch).max(1)));
    for (tick, (x, y)) in rows.enumerate() {
        let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
        let before = oracle.state();
        let numbers = wide.iter().chain(before.blocks.iter().flat_map(|b| &b.values));
        magnitude = numbers.fold(magnitude, |m, v| if v.is_finite() { m.max(v.abs()) } else { m });
        let error = (tick + 1) as f64 * growth(program, accuracy, magnitude);
        let unmoved = oracle.clone();
        oracle.step(&wide, &mut expected);
        for sign in [-1.0, 1.0] {
            let mut other = unmoved.clone();
            if other.set_state(&shifted(&probed, &before, sign * error)).is_err() {
                continue;
            }
            other.step(&wide, &mut moved);
            for (lane, open) in open.iter_mut().enumerate() {
                let events = lane * all + outputs..(lane + 1) * all;
                if *open && moved[events.clone()] != expected[events] {
                    seen.ambiguous += 1;
                    *open = false;
                }
            }
        }
        for lane in (0..run.batch).filter(|&lane| open[lane]) {
            for c in 0..outputs {
                let (want, got) = (expected[lane * all + c], f64::from(y[lane * outputs + c]));
                let bound = error + accuracy.stored(want).error + want.abs() * f64::from(f32::EPSILON);
                let off = (want - got).abs();
                seen.compared += 1;
                if off <= bound || want.is_infinite() && want == got || want.is_nan() && got.is_nan() {
                    seen.worst = seen.worst.max(if off.is_finite() && bound > 0.0 { off / bound } else { 0.0 });
                    continue;
                }
                seen.worst = crate::trial::worse(seen.worst, off / bound);
                seen.broken = Some(format!(
                    "tick {tick}, output {c} of lane {lane}: {got} where the definition gives {want} within {bound:e}"
                ));
                return seen;
            }
        }
    }
    seen
}

/// A state whose flowing parts are moved by some amount.
fn shifted(program: &Program, state: &State, by: f64) -> State {
    let mut state = state.clone();
    for (block, memory) in state.blocks.iter_mut().zip(&program.schedule().memory) {
        if matches!(memory.content, Content::State(_)) {
            block.values.iter_mut().for_each(|v| *v += by);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::fixed_point::{FixedStep, Flags, Format};
    use isoform_core::functions::li;
    use isoform_core::semantics::{Decay, Semantics};

    /// The outputs of a leaky integrator on a board in fixed point, and the program.
    fn board(declared: Semantics, computed: Semantics) -> (Program, Vec<f32>, Vec<f32>) {
        // the resistance is beyond the format, and acts through the coefficients alone
        let neuron = li().with("tau", 2.0).with("r", 2000.0);
        let (format, p) = (Format::new(24).expect("is a format"), [2.0, 2000.0, 0.0]);
        let step = FixedStep::new(neuron.function().as_ref(), format).expect("boards have it");
        let c = step.encode_coefficients(&neuron.function().coefficients(&computed, &p)).expect("fits");
        let p = step.encode_parameters(Flags::default(), &p).expect("nobody reads them");
        let mut net = Program::builder();
        let x = net.input("x", [1]);
        let n = net.node("n", neuron, x);
        net.output("y", n);
        let (mut s, mut out, mut work) = ([0], [0], step.work());
        let x: Vec<f32> = (0..200_i16).map(|t| 0.001 * f32::from(t % 7) - 0.001).collect();
        let mut y = Vec::new();
        for &x in &x {
            let x = format.encode(f64::from(x)).expect("in range");
            step.tick(Flags::default(), [&[x], &c, &p], &mut s, &mut out, &mut work);
            y.push(format.decode(out[0]) as f32);
        }
        (net.build(declared).expect("valid"), x, y)
    }

    #[test]
    fn fixed_point_is_judged_by_its_run_time_form() {
        let exact = Semantics::exact(1e-2);
        let accuracy = Accuracy::fixed(Format::new(24).expect("is a format"));
        let judge = |computed| {
            let (program, x, y) = board(exact, computed);
            compare(&program, &Run::new(), &accuracy, &x, &y)
        };
        let honest = judge(exact);
        assert_eq!((honest.broken, honest.compared), (None, 200));
        assert!(honest.worst > 0.0 && honest.worst <= 1.0, "{}", honest.worst);
        assert!(judge(exact.with_decay(Decay::Euler)).broken.is_some());
        let (program, x, mut y) = board(exact, exact);
        y[10] += 1e-2;
        assert!(compare(&program, &Run::new(), &accuracy, &x, &y).broken.is_some());
    }
}
