//! The loop of a node that hears itself: what it gives in one tick comes back, through a map, as a part of what it takes in the next.
//!
//! All lanes of the node pass a tick before the next, so that they must be few: a block at most.

use super::block::add_up;
use super::terms::{Terms, column};
use super::{BLOCK, Feed, Flow, LaneJob, Sink, VECTOR, may_be_affine, may_be_raw};
use crate::coefficients::diagonal;
use crate::dynamics::Dynamics;
use crate::semantics::{Compare, Drive, Order, Reset, Test};
use crate::step::{self, Rule};
use std::fmt;

/// What comes back to a node.
pub trait Echo: fmt::Debug {
    /// Writes what is added to the first input in a tick, given the first output in the tick before.
    fn fill(&mut self, before: &[f32], back: &mut [f32]);
}

/// The way from the first output of a node back to its first input.
#[derive(Debug)]
pub struct Loop<'a> {
    /// The output in the tick before the job, one per lane.
    pub before: &'a [f32],
    /// The way.
    pub echo: &'a mut dyn Echo,
}

/// Runs a job with a loop: at most [`BLOCK`] lanes, a multiple of [`VECTOR`].
#[inline(always)]
pub(super) fn run<D, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    job: &mut LaneJob<'_>,
    way: Loop<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    let usual = matches!(job.flow, Flow::Affine { .. }) && job.is_uniform();
    macro_rules! constant {
        ($test:ident $compare:ident $reset:ident) => {{
            let (drive, order) = (Drive::Held, Order::Joint);
            let rule = Rule { drive, order, test: Test::$test, compare: Compare::$compare, reset: Reset::$reset, ..rule };
            ticks::<D, X, N, P, Y, true>(d, rule, job, way)
        }};
    }
    if const { may_be_affine(D::AFFINE) } && usual {
        match (rule.test, rule.compare, rule.reset) {
            (Test::AfterFlow, Compare::Above, Reset::ToValue) => return constant!(AfterFlow Above ToValue),
            (Test::AfterFlow, Compare::Above, Reset::Subtract) if D::EVENT.is_some() => {
                return constant!(AfterFlow Above Subtract);
            }
            (Test::BeforeFlow, Compare::Above, Reset::Subtract) if D::EVENT.is_some() => {
                return constant!(BeforeFlow Above Subtract);
            }
            _ => {}
        }
    }
    ticks::<D, X, N, P, Y, false>(d, rule, job, way);
}

/// Copies lanes vector by vector, since a copy whose length is not known is a call.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32], lanes: usize) {
    for at in (0..lanes).step_by(VECTOR) {
        to[at..at + VECTOR].copy_from_slice(&from[at..at + VECTOR]);
    }
}

/// `USUAL` is an affine flow with one coefficient for all lanes.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "several arrays are walked in step; this form vectorises")]
fn ticks<D, const X: usize, const N: usize, const P: usize, const Y: usize, const USUAL: bool>(
    d: &D,
    rule: Rule,
    job: &mut LaneJob<'_>,
    way: Loop<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    let lanes = job.lanes.min(BLOCK) / VECTOR * VECTOR;
    let terms = Terms::<X, N, P, BLOCK, USUAL>::of::<false>(job, 0, lanes);
    let affine = matches!(job.flow, Flow::Affine { .. });
    let psi = diagonal([terms.step_length; N]);

    let mut s = [[0.0; BLOCK]; N];
    for n in 0..N {
        if let Some(row) = job.states.row(n).as_slice() {
            s[n][..lanes].copy_from_slice(&row[..lanes]);
        }
    }
    let mut x = [[0.0; BLOCK]; X];
    for (x, feed) in x.iter_mut().zip(job.inputs) {
        match *feed {
            Feed::Held(row) => x[..lanes].copy_from_slice(&row[..lanes]),
            Feed::Constant(v) => *x = [v; BLOCK],
            Feed::Stream { .. } => {}
        }
    }
    let (mut y, mut sums, mut back) = ([[0.0; BLOCK]; Y], [[0.0; BLOCK]; Y], [0.0; BLOCK]);
    if let Some(first) = y.first_mut() {
        first[..lanes].copy_from_slice(&way.before[..lanes]);
    }
    for t in 0..job.ticks {
        way.echo.fill(y.first().map_or(&[], |y| &y[..lanes]), &mut back[..lanes]);
        for (x, feed) in x.iter_mut().zip(job.inputs) {
            if let Feed::Stream { data, stride } = *feed {
                copy(x, &data[t * stride..], lanes);
            }
        }
        for at in (0..lanes).step_by(VECTOR) {
            for lane in at..at + VECTOR {
                let mut input = column(&x, lane);
                if let Some(input) = input.first_mut() {
                    *input += back[lane];
                }
                let before = column(&s, lane);
                let p = terms.parameters.of_lane(lane);
                let mut flowed = before;
                if const { may_be_affine(D::AFFINE) } && (USUAL || affine) {
                    for k in 0..N {
                        flowed[k] = terms.relax(k, lane, terms.drive(k, lane, input), before);
                    }
                } else if const { may_be_raw(D::AFFINE) } {
                    for _ in 0..rule.substeps {
                        flowed = step::substep_within(d, rule, &psi, terms.step_length, input, flowed, p);
                    }
                }
                let outcome = step::jump(d, rule, input, before, flowed, p);
                for n in 0..N {
                    s[n][lane] = outcome.state[n];
                }
                for k in 0..Y {
                    y[k][lane] = outcome.output[k];
                }
            }
        }
        for k in 0..Y {
            match job.outputs.get_mut(k) {
                Some(Sink::Stream(view)) => {
                    if let Some(row) = view.row_mut(t).into_slice() {
                        copy(row, &y[k], lanes);
                    }
                }
                Some(Sink::Rows { data, stride }) => copy(&mut data[t * *stride..], &y[k], lanes),
                Some(Sink::Counts(_)) => {
                    for lane in 0..BLOCK {
                        sums[k][lane] += y[k][lane];
                    }
                }
                Some(Sink::Discard) | None => {}
            }
        }
    }
    for n in 0..N {
        if let Some(row) = job.states.row_mut(n).into_slice() {
            row[..lanes].copy_from_slice(&s[n][..lanes]);
        }
    }
    add_up(job.outputs, &sums, 0, lanes);
}
