//! The object-safe face of a definition.

use crate::coefficients::{self, Coefficients};
use crate::dynamics::{Dynamics, Input, Output, Parameter, State};
use crate::lanes::{self, LaneJob};
use crate::semantics::{Number, Semantics, Test};
use crate::step::{self, Rule};
use crate::tape::{Degree, Tape, Var};
use crate::{fixed, located};
use std::fmt::Debug;
use std::sync::Arc;

/// A signature whose widths are known at run time.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Widths {
    /// A name that is unique and carries a version.
    pub id: &'static str,
    /// One sentence on what it is.
    pub summary: &'static str,
    /// Where the equation comes from.
    pub source: &'static str,
    /// The inputs.
    pub inputs: Vec<Input>,
    /// The states.
    pub states: Vec<State>,
    /// The parameters.
    pub parameters: Vec<Parameter>,
    /// The outputs.
    pub outputs: Vec<Output>,
}

impl Widths {
    /// The place of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.quantity.name == name)
    }

    /// The place of a state.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|s| s.quantity.name == name)
    }

    /// How many inputs are signals, not random numbers. Signals come first.
    #[must_use]
    pub fn signals(&self) -> usize {
        self.inputs.iter().filter(|i| i.draw.is_none()).count()
    }
}

/// A definition written down as tapes.
///
/// Inputs of each tape stand in the order in which the fields' documentation names them.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// `x, s, p -> ds/dt`.
    pub flow: Tape,
    /// `s, p -> threshold`.
    pub threshold: Tape,
    /// `s, p -> s`.
    pub reset: Tape,
    /// `x, s, p, z -> s, y`.
    pub tick: Tape,
}

/// A tick under one semantics, written down as tapes.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecording {
    /// `x, s, p, psi (states by states), length of a step -> s`: the raw flow of a tick.
    pub flow: Tape,
    /// `x, s, phi (states by states), gamma (states by inputs), constant -> s`: the run-time form.
    pub affine: Tape,
    /// `tested s, p -> tested state, threshold`; absent if it never jumps.
    pub test: Option<Tape>,
    /// `tested s, flowed s, p -> s`: where a spike sends the state.
    pub land: Tape,
    /// `x, s, p, z -> s, y`.
    pub tick: Tape,
}

impl StepRecording {
    /// Which parameters test, reset and output read. The others act through the flow alone.
    #[must_use]
    pub fn parameters(&self, signature: &Widths) -> Vec<bool> {
        let (x, n, p) = (signature.inputs.len(), signature.states.len(), signature.parameters.len());
        let jump = self.test.as_ref().map(|test| [(test, n), (&self.land, n + n)]);
        let mut read = vec![false; p];
        for (tape, first) in jump.into_iter().flatten().chain([(&self.tick, x + n)]) {
            read.iter_mut().zip(&tape.reads()[first..first + p]).for_each(|(to, from)| *to |= from);
        }
        read
    }
}

/// A stateful transfer function, ready to be stepped, recorded and differentiated.
pub trait TransferFunction: Debug + Send + Sync {
    /// Names, units, ranges and initial state.
    fn signature(&self) -> &Widths;
    /// The state that is compared with the threshold, if the system jumps.
    fn event(&self) -> Option<usize>;
    /// The definition as tapes.
    fn recording(&self) -> &Recording;
    /// Whether the flow is affine in input and state.
    fn is_affine(&self) -> bool;
    /// A tick under one semantics as tapes.
    fn record(&self, semantics: &Semantics) -> StepRecording;
    /// What one channel with these parameters needs in order to step.
    fn coefficients(&self, semantics: &Semantics, p: &[f64]) -> Coefficients;
    /// Steps one channel by one tick in double precision; gives the number of spikes.
    ///
    /// # Panics
    /// If a slice is shorter than the signature says.
    fn step(&self, semantics: &Semantics, c: &Coefficients, x: &[f64], s: &mut [f64], p: &[f64], y: &mut [f64]) -> u32;
    /// Steps many lanes by many ticks in single precision.
    ///
    /// # Panics
    /// If a slice is shorter than the lanes of the job, or its flow is not in the form that the definition declares.
    fn advance(&self, job: LaneJob<'_>);
}

/// The one door from a definition to the machinery.
///
/// # Panics
/// If [`Dynamics::AFFINE`] is not what the flow shows.
pub fn transfer<D, const X: usize, const N: usize, const P: usize, const Y: usize>(definition: D) -> Arc<dyn TransferFunction>
where
    D: Dynamics<X, N, P, Y>,
{
    let s = D::SIGNATURE;
    let signature = Widths {
        id: s.id,
        summary: s.summary,
        source: s.source,
        inputs: s.inputs.to_vec(),
        states: s.states.to_vec(),
        parameters: s.parameters.to_vec(),
        outputs: s.outputs.to_vec(),
    };
    let recording = record_definition(&definition);
    let affine = recording.flow.degree(|i| i < X + N).iter().all(|&d| d <= Degree::Affine);
    assert!(D::AFFINE.is_none_or(|declared| declared == affine), "AFFINE of {} is not what its flow shows", s.id);
    Arc::new(Defined::<D, X, N, P, Y> { definition, signature, recording, affine })
}

#[derive(Debug)]
struct Defined<D, const X: usize, const N: usize, const P: usize, const Y: usize> {
    definition: D,
    signature: Widths,
    recording: Recording,
    affine: bool,
}

/// The next `K` of a row of tape inputs.
fn take<const K: usize>(v: &mut &[Var]) -> [Var; K] {
    let (head, tail) = v.split_first_chunk::<K>().expect("the row was made this long");
    *v = tail;
    *head
}

fn take_rows<const R: usize, const C: usize>(v: &mut &[Var]) -> [[Var; C]; R] {
    std::array::from_fn(|_| take(v))
}

fn record_definition<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D) -> Recording
where
    D: Dynamics<X, N, P, Y>,
{
    Recording {
        flow: Tape::record(X + N + P, |mut v| d.flow(take(&mut v), take(&mut v), take(&mut v)).to_vec()),
        threshold: Tape::record(N + P, |mut v| vec![d.threshold(take(&mut v), take(&mut v))]),
        reset: Tape::record(N + P, |mut v| d.reset(take(&mut v), take(&mut v)).to_vec()),
        tick: record_tick(d),
    }
}

fn record_tick<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D) -> Tape
where
    D: Dynamics<X, N, P, Y>,
{
    Tape::record(X + N + P + 1, |mut v| {
        let (x, s, p, [z]) = (take(&mut v), take(&mut v), take(&mut v), take(&mut v));
        let (s, y) = d.tick(x, s, p, z);
        [&s[..], &y[..]].concat()
    })
}

/// The first numbers of a slice as an array.
#[inline]
fn array<const K: usize>(v: &[f64]) -> [f64; K] {
    *v.first_chunk::<K>().expect("a slice holds what the signature says")
}

impl<D, const X: usize, const N: usize, const P: usize, const Y: usize> TransferFunction for Defined<D, X, N, P, Y>
where
    D: Dynamics<X, N, P, Y>,
{
    fn signature(&self) -> &Widths {
        &self.signature
    }

    fn event(&self) -> Option<usize> {
        D::EVENT
    }

    fn recording(&self) -> &Recording {
        &self.recording
    }

    fn is_affine(&self) -> bool {
        self.affine
    }

    fn record(&self, semantics: &Semantics) -> StepRecording {
        let (d, rule) = (&self.definition, Rule::from(semantics));
        StepRecording {
            flow: Tape::record(X + N + P + N * N + 1, |mut v| {
                let (x, s, p, psi, [h]) = (take(&mut v), take(&mut v), take(&mut v), take_rows::<N, N>(&mut v), take(&mut v));
                step::flow(d, rule, &psi, h, x, s, p).to_vec()
            }),
            affine: Tape::record(X + N + N * N + N * X + N, |mut v| {
                let (x, s): ([Var; X], [Var; N]) = (take(&mut v), take(&mut v));
                let (phi, gamma, c): (_, _, [Var; N]) = (take_rows::<N, N>(&mut v), take_rows::<N, X>(&mut v), take(&mut v));
                (0..N).map(|k| lanes::affine_row(phi[k], gamma[k], c[k], x, s)).collect()
            }),
            test: D::EVENT.map(|event| {
                Tape::record(N + P, |mut v| {
                    let (s, p): ([Var; N], _) = (take(&mut v), take(&mut v));
                    vec![s[event], d.threshold(s, p)]
                })
            }),
            land: Tape::record(N + N + P, |mut v| {
                let (tested, flowed, p) = (take(&mut v), take(&mut v), take(&mut v));
                let theta = d.threshold(tested, p);
                step::land(d, rule.reset, theta, tested, flowed, p).to_vec()
            }),
            tick: self.recording.tick.clone(),
        }
    }

    fn coefficients(&self, semantics: &Semantics, p: &[f64]) -> Coefficients {
        coefficients::coefficients(&self.definition, self.affine, semantics, array::<P>(p))
    }

    fn step(&self, semantics: &Semantics, c: &Coefficients, x: &[f64], s: &mut [f64], p: &[f64], y: &mut [f64]) -> u32 {
        let (d, rule) = (&self.definition, Rule::from(semantics));
        let (x, before, p): ([f64; X], [f64; N], [f64; P]) = (array(x), array(s), array(p));
        let (state, output, fired) = match (semantics.number, semantics.test) {
            (Number::Fixed(fixed), _) => {
                let (state, fired) = fixed::advance(d, (fixed, rule.compare), c, x, before, p);
                let (state, output) = d.tick(x, state, p, fired);
                (state, output, fired)
            }
            (_, Test::Located) => {
                let (state, spikes) = located::advance(d, (rule.compare, rule.reset), c, semantics.dt, x, before, p);
                let (state, output) = d.tick(x, state, p, f64::from(spikes));
                (state, output, f64::from(spikes))
            }
            _ => {
                let psi: [[f64; N]; N] = coefficients::rows(&c.psi);
                let flowed = step::flow(d, rule, &psi, semantics.step_length(), x, before, p);
                let outcome = step::jump(d, rule, x, before, flowed, p);
                (outcome.state, outcome.output, outcome.fired)
            }
        };
        s[..N].copy_from_slice(&state);
        y[..Y].copy_from_slice(&output);
        spikes(fired)
    }

    fn advance(&self, job: LaneJob<'_>) {
        lanes::advance(&self.definition, job);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count of spikes")]
fn spikes(fired: f64) -> u32 {
    fired as u32
}
