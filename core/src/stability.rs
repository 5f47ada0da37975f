//! Whether an explicit step follows its flow.
//!
//! An Euler or Runge-Kutta step that is too long for a flow does not merely err: differences that the flow damps grow from tick to tick.
//! For an affine flow this is decided once and for all by the matrix of the step (Hairer and Wanner 1996, *Solving Ordinary Differential
//! Equations II*, section IV.2), and a program with such a node is refused when it is built. For any other flow it depends on the
//! place: a [`Step`] tells how a tick stretches a small difference there, beside what the flow does to it, and how far the tick is off by
//! the estimate of a step of half the length (Richardson 1911; Hairer, Nørsett and Wanner 1993, *Solving Ordinary Differential
//! Equations I*, section II.4).

use crate::coefficients::Channels;
use crate::draw::{Key, uniform};
use crate::dual::Dual;
use crate::error::{Error, Result};
use crate::program::{Node, NodeKind};
use crate::scalar::Scalar;
use crate::semantics::{Decay, Number, Order, Semantics};
use crate::tape::Tape;
use crate::transfer::TransferFunction;
use std::fmt;

/// A step may stretch differences by this much more than its flow: the rounding of the power iteration.
const SLACK: f64 = 1e-9;
/// Points at which nominal ranges are looked at, beside their middle.
const POINTS: u32 = 63;

/// What one tick does to a small difference, and how far it is off.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// The spectral radius of the tick's Jacobian: by how much a difference is multiplied a tick in the long run.
    pub step: f64,
    /// The same for the linearised flow over the time of a tick.
    pub flow: f64,
    /// By how much each state is off after the tick, in its unit, estimated by steps of half the length.
    pub error: Vec<f64>,
}

impl Stability {
    /// By how much differences grow for each tick that they should not.
    ///
    /// At or below one the step follows its flow. It is above one where the step stretches what the flow does not.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.step / self.flow.max(1.0)
    }

    /// Whether differences do not grow by the step alone.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.excess() <= 1.0 + SLACK
    }
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |v: f64| if v == 0.0 || (1e-3..1e6).contains(&v) { format!("{v:.6}") } else { format!("{v:.3e}") };
        write!(f, "a difference is multiplied by {} a tick, by {} in the flow", short(self.step), short(self.flow))
    }
}

/// The flow of a tick of one channel, apart from jump and output.
#[derive(Debug)]
pub struct Step<'a> {
    function: &'a dyn TransferFunction,
    semantics: Semantics,
    p: Vec<f64>,
    /// `x, s, p, psi, h -> s`: one step.
    tape: Tape,
}

impl<'a> Step<'a> {
    /// The step of a function with these parameters.
    ///
    /// # Errors
    /// `Unsupported` unless the decay is `euler` or `runge-kutta` with a joint order and real numbers; `InvalidProgram` if the number
    /// of parameters is not that of the signature.
    pub fn new(function: &'a dyn TransferFunction, semantics: &Semantics, p: &[f64]) -> Result<Self> {
        if semantics.decay == Decay::Exact || semantics.order != Order::Joint || semantics.number != Number::Real {
            return Err(Error::unsupported("only an euler or runge-kutta decay with a joint order has a step to check"));
        }
        let signature = function.signature();
        if p.len() != signature.parameters.len() {
            let (id, wanted) = (signature.id, signature.parameters.len());
            return Err(Error::invalid_program(format!("{id} has {wanted} parameters, not {}", p.len())));
        }
        let tape = function.record(&semantics.with_substeps(1)).flow;
        Ok(Self { function, semantics: *semantics, p: p.to_vec(), tape })
    }

    /// The step at a point: `x` in the order of the inputs (noughts for random ones), `s` in the order of the states.
    ///
    /// # Errors
    /// `InvalidSignal` if a length is not that of the signature, or if the step or the flow leaves the numbers there.
    pub fn at(&self, x: &[f64], s: &[f64]) -> Result<Stability> {
        let error = self.error(x, s)?;
        let tick = jacobian(s, |s| self.tick(self.semantics.substeps, x, s));
        let rates = jacobian(s, |s| self.rate(x, s));
        let flow = exponential(&rates, self.semantics.dt);
        self.finite(tick.iter().chain(&rates).chain(&flow.0))?;
        Ok(Stability { step: radius((tick, 1.0), s.len()), flow: radius(flow, s.len()), error })
    }

    /// By how much each state is off after a tick from a point, in its unit, estimated by steps of half the length.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn error(&self, x: &[f64], s: &[f64]) -> Result<Vec<f64>> {
        let signature = self.function.signature();
        if x.len() != signature.inputs.len() || s.len() != signature.states.len() {
            return Err(Error::invalid_signal(format!(
                "{} has {} inputs and {} states, not {} and {}",
                signature.id,
                signature.inputs.len(),
                signature.states.len(),
                x.len(),
                s.len()
            )));
        }
        let steps = self.semantics.substeps;
        let (once, twice) = (self.tick(steps, x, s), self.tick(2 * steps, x, s));
        let gain = if self.semantics.decay == Decay::RungeKutta { 16.0 / 15.0 } else { 2.0 };
        let error: Vec<f64> = once.iter().zip(&twice).map(|(a, b)| gain * (a - b).abs()).collect();
        self.finite(error.iter())?;
        Ok(error)
    }

    fn finite<'b>(&self, mut numbers: impl Iterator<Item = &'b f64>) -> Result<()> {
        if numbers.all(|v| v.is_finite()) {
            return Ok(());
        }
        let id = self.function.signature().id;
        Err(Error::invalid_signal(format!("the flow of {id} leaves the numbers at this point")))
    }

    /// The worst over the nominal ranges of inputs and states: the middle, and points that are spread over them.
    ///
    /// The radii are those of the point where the step exceeds its flow the most, the errors are the largest of each state. It is a
    /// survey, no proof; points at which the flow leaves the numbers are passed over.
    ///
    /// # Errors
    /// `InvalidSignal` if there is no point at which the flow stays within the numbers.
    pub fn nominal(&self) -> Result<Stability> {
        let signature = self.function.signature();
        let middle = |[low, high]: [f64; 2]| f64::midpoint(low, high);
        let mut worst: Option<Stability> = None;
        let mut last = None;
        for point in 0..=POINTS {
            let place = |n: u32, range: [f64; 2]| {
                let u = f64::from(uniform(Key::new(0, n).bits(0, 0, u64::from(point))));
                if point == 0 { middle(range) } else { range[0] + u * (range[1] - range[0]) }
            };
            let x: Vec<f64> = (0..)
                .zip(&signature.inputs)
                .map(|(n, i)| match i.draw {
                    None => place(n, i.quantity.range),
                    Some(_) => 0.0,
                })
                .collect();
            let s: Vec<f64> = (1000..).zip(&signature.states).map(|(n, s)| place(n, s.quantity.range)).collect();
            match (self.at(&x, &s), &mut worst) {
                (Err(error), _) => last = Some(error),
                (Ok(here), None) => worst = Some(here),
                (Ok(here), Some(worst)) => {
                    if here.excess() > worst.excess() {
                        (worst.step, worst.flow) = (here.step, here.flow);
                    }
                    worst.error.iter_mut().zip(here.error).for_each(|(w, e)| *w = w.max(e));
                }
            }
        }
        worst.ok_or_else(|| last.unwrap_or_else(|| Error::invalid_signal("there is no point to look at")))
    }

    /// The state after the time of a tick, taken in so many steps.
    fn tick<S: Scalar>(&self, steps: u32, x: &[f64], s: &[S]) -> Vec<S> {
        let (n, h) = (s.len(), S::lit(self.semantics.dt / f64::from(steps)));
        let psi = (0..n * n).map(|k| if k / n == k % n { h } else { S::lit(0.0) });
        let after: Vec<S> = self.p.iter().map(|&p| S::lit(p)).chain(psi).chain([h]).collect();
        let mut s = s.to_vec();
        for _ in 0..steps {
            let all: Vec<S> = x.iter().map(|&x| S::lit(x)).chain(s).chain(after.iter().copied()).collect();
            s = self.tape.evaluate(&all);
        }
        s
    }

    fn rate<S: Scalar>(&self, x: &[f64], s: &[S]) -> Vec<S> {
        let p = self.p.iter().map(|&p| S::lit(p));
        let all: Vec<S> = x.iter().map(|&x| S::lit(x)).chain(s.iter().copied()).chain(p).collect();
        self.function.recording().flow.evaluate(&all)
    }
}

/// Refuses an explicit step of an affine flow that makes differences grow where the flow does not.
pub(crate) fn admit(node: &Node) -> Result<()> {
    let NodeKind::Dynamics { function, .. } = &node.kind else { return Ok(()) };
    let (s, n) = (&node.semantics, function.signature().states.len());
    if s.decay == Decay::Exact || n == 0 || !function.is_affine() {
        return Ok(());
    }
    if s.number != Number::Real {
        return hold(function.signature().id, node, n);
    }
    let exact = Semantics::exact(s.dt);
    for channel in Channels::of(node).into_iter().flat_map(|channels| channels.table) {
        let phi = channel.coefficients.phi;
        // no radius is above the largest sum of a row
        if phi.chunks(n).all(|row| row.iter().map(|v| v.abs()).sum::<f64>() <= 1.0) {
            continue;
        }
        let flow = radius((function.coefficients(&exact, &channel.p).phi, 1.0), n);
        let found = Stability { step: radius((phi, 1.0), n), flow, error: Vec::new() };
        if !found.is_stable() {
            return Err(Error::invalid_program(format!(
                "the {} step of {} is unstable: {found}; choose a shorter time step, more substeps or an exact decay",
                s.decay,
                function.signature().id
            )));
        }
    }
    Ok(())
}

/// Refuses a state that loses more than all of itself in a tick, which is no decay in whole parts of a power of two.
fn hold(id: &str, node: &Node, n: usize) -> Result<()> {
    let kept = Channels::of(node).into_iter().flat_map(|channels| channels.table).flat_map(move |channel| {
        let phi = channel.coefficients.phi;
        (0..n).map(move |k| phi[k * n + k])
    });
    match kept.into_iter().find(|&phi| phi < 0.0) {
        Some(phi) => Err(Error::invalid_program(format!(
            "a state of {id} would lose {} of itself in a tick, and a decay holds at most all of it; choose a shorter time step",
            1.0 - phi
        ))),
        None => Ok(()),
    }
}

/// The derivative of a map at a point, row-major.
fn jacobian(at: &[f64], map: impl Fn(&[Dual]) -> Vec<Dual>) -> Vec<f64> {
    let n = at.len();
    let mut slopes = vec![0.0; n * n];
    for j in 0..n {
        let point: Vec<Dual> =
            at.iter().enumerate().map(|(k, &v)| Dual { value: v, slope: f64::from(u8::from(k == j)) }).collect();
        for (k, v) in map(&point).into_iter().enumerate() {
            slopes[k * n + j] = v.slope;
        }
    }
    slopes
}

/// A matrix and the power to which it is to be raised: its radius follows without the squarings, which might leave the numbers.
type Raised = (Vec<f64>, f64);

/// `e^{Ah}` by its Taylor series, scaled.
fn exponential(a: &[f64], h: f64) -> Raised {
    let n = a.len().isqrt();
    let norm = a.chunks(n.max(1)).map(|row| row.iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max) * h;
    let power = if norm > 0.125 { (norm / 0.125).log2().ceil().exp2() } else { 1.0 };
    let small: Vec<f64> = a.iter().map(|v| v * h / power).collect();
    let identity: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k / n == k % n))).collect();
    let (mut sum, mut term) = (identity.clone(), identity);
    for order in 1..=16 {
        term = product(&term, &small, n).iter().map(|v| v / f64::from(order)).collect();
        sum.iter_mut().zip(&term).for_each(|(s, t)| *s += t);
    }
    (sum, power)
}

/// The spectral radius, by Gelfand's formula `ρ = lim |M^k|^{1/k}` (1941) with `k` near `10^12`, so that a polynomial factor does not show.
fn radius((mut m, power): Raised, n: usize) -> f64 {
    let (mut log, mut exponent) = (0.0, power);
    while exponent > 1e-12 {
        let norm = m.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        if norm == 0.0 {
            return 0.0;
        }
        log += exponent * norm.ln();
        m.iter_mut().for_each(|v| *v /= norm);
        m = product(&m, &m, n);
        exponent /= 2.0;
    }
    log.exp()
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            out[i * n + j] = (0..n).map(|k| a[i * n + k] * b[k * n + j]).sum();
        }
    }
    out
}
