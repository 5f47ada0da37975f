//! Ticks in whole numbers, as on a digital neuromorphic chip.
//!
//! Values are kept in the units of the graph as exact multiples of a step, so that a saved state reads the same everywhere.

use crate::coefficients::Coefficients;
use crate::dynamics::Dynamics;
use crate::semantics::{Compare, Fixed};

/// The step of each state in the units of the graph.
///
/// A state that takes part in the input gets the step at which an input of one moves it by `unit` steps; a state that is driven
/// by an earlier one gets the step at which that one's steps are taken over as they are.
fn steps<const X: usize, const N: usize>(c: &Coefficients, fixed: Fixed) -> [f64; N] {
    let mut steps = [1.0; N];
    for k in 0..N {
        let own = c.rate[k * N + k];
        let direct = (0..X).map(|i| c.gamma[k * X + i].abs()).fold(0.0, f64::max);
        let through = (0..k).map(|j| (c.psi[k * N + k] * c.rate[k * N + j]).abs() * steps[j]).find(|&g| g > 0.0);
        steps[k] = match through {
            Some(step) => step,
            None if direct > 0.0 => direct / f64::from(fixed.unit),
            None => own.abs().max(1.0) / f64::from(fixed.unit),
        };
    }
    steps
}

/// Advances one channel by one tick of flow and jump; gives the state and one where it fired.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "whole numbers of steps stay far below 2^53")]
pub(crate) fn advance<D, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    (fixed, compare): (Fixed, Compare),
    c: &Coefficients,
    x: [f64; X],
    s: [f64; N],
    p: [f64; P],
) -> ([f64; N], f64)
where
    D: Dynamics<X, N, P, Y>,
{
    let step: [f64; N] = steps::<X, N>(c, fixed);
    let scale = (1_u64 << fixed.decay_bits) as f64;
    let mut whole = [0_i64; N];
    for k in 0..N {
        whole[k] = (s[k] / step[k]).round() as i64;
    }
    let quiet = d.flow([0.0; X], [0.0; N], p);
    for k in 0..N {
        let psi = c.psi[k * N + k];
        let lost = (-c.rate[k * N + k] * psi * scale).floor();
        // towards nought, not towards minus infinity
        let kept = (whole[k] as i128 * (scale - lost) as i128 / scale as i128) as i64;
        let rate_by_input = d.flow(x, [0.0; N], p)[k] - quiet[k];
        let mut drive = psi * (rate_by_input + quiet[k]) / step[k];
        for j in (0..N).filter(|&j| j != k) {
            drive += psi * c.rate[k * N + j] * step[j] / step[k] * whole[j] as f64;
        }
        whole[k] = kept.saturating_add(drive.round() as i64);
    }
    let mut flowed = [0.0; N];
    for k in 0..N {
        flowed[k] = whole[k] as f64 * step[k];
    }
    let Some(event) = D::EVENT else { return (flowed, 0.0) };
    let theta = (d.threshold(flowed, p) / step[event]).round() as i64;
    let fired = match compare {
        Compare::Above => whole[event] > theta,
        Compare::AtOrAbove => whole[event] >= theta,
    };
    if !fired {
        return (flowed, 0.0);
    }
    let mut landed = d.reset(flowed, p);
    for k in 0..N {
        landed[k] = (landed[k] / step[k]).round() * step[k];
    }
    (landed, 1.0)
}
