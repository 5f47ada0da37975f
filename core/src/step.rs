//! The one stepper: every definition under every semantics, in every number system.
//!
//! A tick is flow, jump and [`tick`](Dynamics::tick). The flow is evaluated in its raw form by [`flow`] (oracle, nonlinear
//! kernels, recordings) or in its run-time form `Φ s + Γ x + c` by the caller; [`jump`] is the same for both.

use crate::dynamics::Dynamics;
use crate::scalar::Scalar;
use crate::semantics::{Compare, Decay, Drive, Order, Reset, Semantics, Test};

/// The answers that a step needs, small enough to be a constant of a specialised loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How far a step goes.
    pub decay: Decay,
    /// How many steps a tick has.
    pub substeps: u32,
    /// What the input does to the flow.
    pub drive: Drive,
    /// Which values the states see of each other.
    pub order: Order,
    /// Where the threshold is tested.
    pub test: Test,
    /// Which side of it fires.
    pub compare: Compare,
    /// What a spike does.
    pub reset: Reset,
}

impl From<&Semantics> for Rule {
    fn from(s: &Semantics) -> Self {
        Self {
            decay: s.decay,
            substeps: s.substeps,
            drive: s.drive,
            order: s.order,
            test: s.test,
            compare: s.compare,
            reset: s.reset,
        }
    }
}

/// The state after the flow of one tick.
///
/// `h` is the length of one step, `psi` is `∫₀^h e^{At} dt` with `A = ∂F/∂s` for an exact decay, `h` times one for Euler, and unused by
/// Runge and Kutta. A staged order uses its diagonal alone: the other states are then inputs.
#[inline(always)]
pub fn flow<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    let mut s = s;
    for _ in 0..rule.substeps {
        s = substep(d, rule, psi, h, x, s, p);
    }
    s
}

/// The state after one step of the flow; a tick has [`Rule::substeps`] of them.
#[inline(always)]
pub fn substep<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    match (rule.decay, rule.order) {
        (Decay::RungeKutta, _) => runge_kutta(d, h, x, s, p),
        (_, Order::Joint) => flow_joint(d, rule.drive, psi, h, x, s, p),
        (_, Order::Staged) => flow_staged(d, rule.drive, psi, h, x, s, p),
    }
}

/// A step as [`substep`] takes it, for loops that are compiled for several instruction sets: the usual steps become a part of the loop,
/// the others are a function that is compiled once.
#[inline(always)]
pub(crate) fn substep_within<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    match (rule.decay, rule.order, rule.drive) {
        (Decay::RungeKutta, ..) => runge_kutta(d, h, x, s, p),
        (_, Order::Joint, Drive::Held) => flow_joint(d, Drive::Held, psi, h, x, s, p),
        _ => substep_apart(d, rule, psi, h, x, s, p),
    }
}

#[inline(never)]
fn substep_apart<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    substep(d, rule, psi, h, x, s, p)
}

#[inline(always)]
fn runge_kutta<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    let half = S::lit(0.5) * h;
    let mut rate = d.flow(x, s, p);
    let mut sum = rate;
    for (reach, weight) in [(half, 2.0), (half, 2.0), (h, 1.0)] {
        let mut at = s;
        for k in 0..N {
            at[k] = s[k] + reach * rate[k];
        }
        rate = d.flow(x, at, p);
        for k in 0..N {
            sum[k] = sum[k] + S::lit(weight) * rate[k];
        }
    }
    let mut out = s;
    for k in 0..N {
        out[k] = s[k] + h / S::lit(6.0) * sum[k];
    }
    out
}

#[inline(always)]
fn flow_joint<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    drive: Drive,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    // one place for each rate, since the flow is compiled anew wherever it is asked for
    let quiet = [S::lit(0.0); X];
    let (mut from, mut kick) = (s, [S::lit(0.0); N]);
    if drive != Drive::Held {
        let (driven, free) = (d.flow(x, s, p), d.flow(quiet, s, p));
        for k in 0..N {
            kick[k] = h * (driven[k] - free[k]);
        }
        if drive == Drive::ImpulseBefore {
            from = plus(s, kick);
        }
    }
    let rate = d.flow(if drive == Drive::Held { x } else { quiet }, from, p);
    let mut relaxed = from;
    for k in 0..N {
        for j in 0..N {
            relaxed[k] = relaxed[k] + psi[k][j] * rate[j];
        }
    }
    if drive == Drive::ImpulseAfter { plus(relaxed, kick) } else { relaxed }
}

#[inline(always)]
fn plus<S: Scalar, const N: usize>(mut a: [S; N], b: [S; N]) -> [S; N] {
    for k in 0..N {
        a[k] = a[k] + b[k];
    }
    a
}

/// An array that is nought everywhere but at `k`.
#[inline(always)]
fn alone<S: Scalar, const N: usize>(k: usize, value: S) -> [S; N] {
    let mut out = [value; N];
    for (j, v) in out.iter_mut().enumerate() {
        if j != k {
            *v = S::lit(0.0);
        }
    }
    out
}

#[inline(always)]
fn flow_staged<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    drive: Drive,
    psi: &[[S; N]; N],
    h: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    let quiet = [S::lit(0.0); X];
    let mut n = s;
    for k in 0..N {
        let driven = d.flow(x, n, p)[k];
        if drive == Drive::Held {
            n[k] = n[k] + psi[k][k] * driven;
            continue;
        }
        let free = d.flow(quiet, alone(k, n[k]), p)[k];
        let kick = h * (driven - free);
        n[k] = if drive == Drive::ImpulseBefore {
            let kicked = n[k] + kick;
            kicked + psi[k][k] * d.flow(quiet, alone(k, kicked), p)[k]
        } else {
            n[k] + psi[k][k] * free + kick
        };
    }
    n
}

/// What a tick leaves behind.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<S, const N: usize, const Y: usize> {
    /// The state at the end of the tick.
    pub state: [S; N],
    /// The output.
    pub output: [S; Y],
    /// One where it fired.
    pub fired: S,
}

/// The jump and the output, given the state before and after the flow.
#[inline(always)]
pub fn jump<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    x: [S; X],
    before: [S; N],
    flowed: [S; N],
    p: [S; P],
) -> Outcome<S, N, Y>
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    let (state, fired) = match D::EVENT {
        None => (flowed, S::lit(0.0)),
        Some(event) => {
            let tested = if rule.test == Test::BeforeFlow { before } else { flowed };
            let theta = d.threshold(tested, p);
            let fired = match rule.compare {
                Compare::Above => tested[event].above(theta),
                Compare::AtOrAbove => tested[event].at_or_above(theta),
            };
            let mut state = land(d, rule.reset, theta, tested, flowed, p);
            for k in 0..N {
                state[k] = fired.select(state[k], flowed[k]);
            }
            (state, fired)
        }
    };
    let (state, output) = d.tick(x, state, p, fired);
    Outcome { state, output, fired }
}

/// Where a spike sends the state.
#[inline(always)]
pub fn land<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    reset: Reset,
    theta: S,
    tested: [S; N],
    flowed: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    match reset {
        Reset::ToValue => d.reset(flowed, p),
        Reset::Subtract => {
            let mut at = tested;
            if let Some(event) = D::EVENT {
                at[event] = theta;
            }
            let mut landed = d.reset(at, p);
            for k in 0..N {
                landed[k] = flowed[k] + (landed[k] - at[k]);
            }
            landed
        }
    }
}
