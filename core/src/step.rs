//! The one stepper: every definition under every semantics, in every number system.
//!
//! A tick is flow, jump and [`tick`](Dynamics::tick). The flow is evaluated in its raw form by [`flow`] (oracle, nonlinear
//! kernels, recordings) or in its run-time form `Φ s + Γ x + c` by the caller; [`jump`] is the same for both.

use crate::dynamics::Dynamics;
use crate::scalar::Scalar;
use crate::semantics::{Compare, Drive, Order, Reset, Semantics, Test};
use std::array::from_fn;

/// The answers that a step needs, small enough to be a constant of a specialised loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
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
        Self { drive: s.drive, order: s.order, test: s.test, compare: s.compare, reset: s.reset }
    }
}

/// The state after the flow of one tick.
///
/// `psi` is `∫₀^dt e^{Ah} dh` with `A = ∂F/∂s` for an exact decay, `dt` times one for Euler. A staged order uses its diagonal
/// alone: the other states are then inputs.
#[inline(always)]
pub fn flow<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[S; N]; N],
    dt: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    match rule.order {
        Order::Joint => flow_joint(d, rule.drive, psi, dt, x, s, p),
        Order::Staged => flow_staged(d, rule.drive, psi, dt, x, s, p),
    }
}

#[inline(always)]
fn flow_joint<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    drive: Drive,
    psi: &[[S; N]; N],
    dt: S,
    x: [S; X],
    s: [S; N],
    p: [S; P],
) -> [S; N]
where
    D: Dynamics<X, N, P, Y>,
    S: Scalar,
{
    let quiet = [S::lit(0.0); X];
    let kick = |s: [S; N]| {
        let (driven, free) = (d.flow(x, s, p), d.flow(quiet, s, p));
        from_fn(|k| dt * (driven[k] - free[k]))
    };
    let relax = |x: [S; X], s: [S; N]| {
        let rate = d.flow(x, s, p);
        from_fn(|k| {
            let mut sum = s[k];
            for j in 0..N {
                sum = sum + psi[k][j] * rate[j];
            }
            sum
        })
    };
    match drive {
        Drive::Held => relax(x, s),
        Drive::ImpulseBefore => {
            let kicked: [S; N] = kick(s);
            relax(quiet, from_fn(|k| s[k] + kicked[k]))
        }
        Drive::ImpulseAfter => {
            let (kicked, relaxed): ([S; N], [S; N]) = (kick(s), relax(quiet, s));
            from_fn(|k| relaxed[k] + kicked[k])
        }
    }
}

#[inline(always)]
fn flow_staged<D, S, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    drive: Drive,
    psi: &[[S; N]; N],
    dt: S,
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
        let alone: [S; N] = from_fn(|j| if j == k { n[k] } else { S::lit(0.0) });
        match drive {
            Drive::Held => n[k] = n[k] + psi[k][k] * d.flow(x, n, p)[k],
            Drive::ImpulseBefore => {
                let kicked = n[k] + dt * (d.flow(x, n, p)[k] - d.flow(quiet, alone, p)[k]);
                let alone = from_fn(|j| if j == k { kicked } else { S::lit(0.0) });
                n[k] = kicked + psi[k][k] * d.flow(quiet, alone, p)[k];
            }
            Drive::ImpulseAfter => {
                let free = d.flow(quiet, alone, p)[k];
                n[k] = n[k] + psi[k][k] * free + dt * (d.flow(x, n, p)[k] - free);
            }
        }
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
            let landed = land(d, rule.reset, theta, tested, flowed, p);
            (from_fn(|k| fired.select(landed[k], flowed[k])), fired)
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
            let at: [S; N] = from_fn(|k| if Some(k) == D::EVENT { theta } else { tested[k] });
            let landed = d.reset(at, p);
            from_fn(|k| flowed[k] + (landed[k] - at[k]))
        }
    }
}
