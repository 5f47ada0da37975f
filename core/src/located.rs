//! Ticks in which spikes are located: the flow is followed to each crossing, the state jumps there, and the flow goes on.

use crate::coefficients::{Coefficients, integral, rows};
use crate::dynamics::Dynamics;
use crate::semantics::{Compare, Reset};
use crate::step;

/// Parts into which a tick is cut to find a crossing.
const PARTS: u32 = 8;
/// More spikes than this in one tick are not followed.
const MOST: u32 = 4096;

/// Advances one channel by `dt`; gives the state and the number of spikes.
pub(crate) fn advance<D, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    (compare, reset): (Compare, Reset),
    c: &Coefficients,
    dt: f64,
    x: [f64; X],
    s: [f64; N],
    p: [f64; P],
) -> ([f64; N], u32)
where
    D: Dynamics<X, N, P, Y>,
{
    let rate: [[f64; N]; N] = rows(&c.rate);
    let at = |s: [f64; N], h: f64| -> [f64; N] {
        let (psi, f) = (integral(&rate, h), d.flow(x, s, p));
        let mut out = s;
        for k in 0..N {
            let mut sum = 0.0;
            for j in 0..N {
                sum += psi[k][j] * f[j];
            }
            out[k] += sum;
        }
        out
    };
    let Some(event) = D::EVENT else { return (at(s, dt), 0) };
    let margin = |s: [f64; N]| s[event] - d.threshold(s, p);
    let fires = |m: f64| if compare == Compare::Above { m > 0.0 } else { m >= 0.0 };
    let climb = |s: [f64; N]| d.flow(x, s, p)[event];

    let (mut state, mut left, mut spikes) = (s, dt, 0);
    loop {
        let Some(h) = first_crossing(left, &|h| fires(margin(at(state, h))), &|h| climb(at(state, h))) else {
            return (at(state, left), spikes);
        };
        let crossed = at(state, h);
        state = step::land(d, reset, d.threshold(crossed, p), crossed, crossed, p);
        spikes += 1;
        left -= h;
        let stuck = h == 0.0 && fires(margin(state));
        if left <= 0.0 || stuck || spikes == MOST {
            return (at(state, left.max(0.0)), spikes);
        }
    }
}

/// The first instant in `[0, span]` at which it fires.
///
/// A part of the tick in which the event state climbs and then falls may cross and come back: its top is looked at as well.
fn first_crossing(span: f64, fires: &dyn Fn(f64) -> bool, climb: &dyn Fn(f64) -> f64) -> Option<f64> {
    if fires(0.0) {
        return Some(0.0);
    }
    for part in 0..PARTS {
        let (from, to) = (span * f64::from(part) / f64::from(PARTS), span * f64::from(part + 1) / f64::from(PARTS));
        if fires(to) {
            return Some(bisect(from, to, fires));
        }
        if climb(from) > 0.0 && climb(to) < 0.0 {
            let top = bisect(from, to, &|h| climb(h) <= 0.0);
            if fires(top) {
                return Some(bisect(from, top, fires));
            }
        }
    }
    None
}

/// The first point at which `holds`, given that it does at `to` and not at `from`.
fn bisect(mut from: f64, mut to: f64, holds: &dyn Fn(f64) -> bool) -> f64 {
    loop {
        let middle = from + (to - from) / 2.0;
        if middle <= from || middle >= to {
            return to;
        }
        if holds(middle) {
            to = middle;
        } else {
            from = middle;
        }
    }
}
