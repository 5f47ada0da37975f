//! One block of lanes over all ticks of a job.

use super::terms::{Terms, column, load};
use super::{Feed, LaneJob, Sink, may_be_raw};
use crate::coefficients::diagonal;
use crate::dynamics::Dynamics;
use crate::step::{self, Rule};

#[inline(always)]
fn store<const WHOLE: bool, const W: usize>(to: &mut [f32], from: &[f32; W], width: usize) {
    if WHOLE {
        to[..W].copy_from_slice(from);
    } else {
        to[..width].copy_from_slice(&from[..width]);
    }
}

/// Flows that are driven, or have flowed already, and jumps of all lanes of a block.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "several arrays are walked in step; this form vectorises")]
fn jumps<D, const X: usize, const N: usize, const P: usize, const Y: usize, const W: usize, const UNIFORM: bool>(
    (d, rule, affine): (&D, Rule, bool),
    terms: &Terms<X, N, P, W, UNIFORM>,
    x: &[[f32; W]; X],
    s: &mut [[f32; W]; N],
    drive: &[[f32; W]; N],
) -> [[f32; W]; Y]
where
    D: Dynamics<X, N, P, Y>,
{
    let mut y: [[f32; W]; Y] = [[0.0; W]; Y];
    for lane in 0..W {
        let before = column(s, lane);
        let mut flowed = column(drive, lane);
        if affine {
            for k in 0..N {
                flowed[k] = terms.relax(k, lane, flowed[k], before);
            }
        }
        let outcome = step::jump(d, rule, column(x, lane), before, flowed, terms.parameters.of_lane(lane));
        for n in 0..N {
            s[n][lane] = outcome.state[n];
        }
        for k in 0..Y {
            y[k][lane] = outcome.output[k];
        }
    }
    y
}

/// Runs a block of a job: `W` lanes, of which `width` count. `WHOLE` is a block all of whose lanes count, `COUNTED` one whose inputs are held and
/// whose outputs are counted.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "several arrays are walked in step; this form vectorises")]
pub(super) fn block<
    D,
    const X: usize,
    const N: usize,
    const P: usize,
    const Y: usize,
    const W: usize,
    const UNIFORM: bool,
    const WHOLE: bool,
    const COUNTED: bool,
>(
    d: &D,
    rule: Rule,
    affine: bool,
    job: &mut LaneJob<'_>,
    start: usize,
    width: usize,
) where
    D: Dynamics<X, N, P, Y>,
{
    let terms = Terms::<X, N, P, W, UNIFORM>::of::<WHOLE>(job, start, width);
    let psi = diagonal([terms.step_length; N]);

    let mut s: [[f32; W]; N] = [[0.0; W]; N];
    for n in 0..N {
        if let Some(row) = job.states.row(n).as_slice() {
            load::<WHOLE, W>(&mut s[n], &row[start..], width);
        }
    }
    let mut x: [[f32; W]; X] = [[0.0; W]; X];
    for (lanes, feed) in x.iter_mut().zip(job.inputs) {
        match *feed {
            Feed::Held(values) => load::<WHOLE, W>(lanes, &values[start..], width),
            Feed::Constant(v) => *lanes = [v; W],
            Feed::Stream { .. } => {}
        }
    }
    // what the input adds is the same in every tick while the input is held
    let streams = job.inputs.iter().any(|feed| matches!(feed, Feed::Stream { .. }));
    let mut drive: [[f32; W]; N] = [[0.0; W]; N];
    let mut sums: [[f32; W]; Y] = [[0.0; W]; Y];
    let mut ticks = 0..job.ticks;
    if COUNTED {
        // a loop of its own: all that it takes can stay in registers
        for k in 0..N {
            for lane in 0..W {
                drive[k][lane] = terms.drive(k, lane, column(&x, lane));
            }
        }
        for _ in ticks.by_ref() {
            let y = jumps((d, rule, true), &terms, &x, &mut s, &drive);
            for k in 0..Y {
                for lane in 0..W {
                    sums[k][lane] += y[k][lane];
                }
            }
        }
    }
    for t in ticks {
        if streams {
            for (lanes, feed) in x.iter_mut().zip(job.inputs) {
                if let Feed::Stream { data, stride } = *feed {
                    load::<WHOLE, W>(lanes, &data[t * stride + start..], width);
                }
            }
        }
        if affine && (t == 0 || streams) {
            for k in 0..N {
                for lane in 0..W {
                    drive[k][lane] = terms.drive(k, lane, column(&x, lane));
                }
            }
        }
        let mut raw = [[0.0; W]; N];
        if const { may_be_raw(D::AFFINE) } && !affine {
            raw = s;
            // step by step over the block and not lane by lane, so that the lanes of a step become vector code
            for _ in 0..rule.substeps {
                for lane in 0..W {
                    let p = terms.parameters.of_lane(lane);
                    let at = step::substep_within(d, rule, &psi, terms.step_length, column(&x, lane), column(&raw, lane), p);
                    for n in 0..N {
                        raw[n][lane] = at[n];
                    }
                }
            }
        }
        let y = jumps((d, rule, affine), &terms, &x, &mut s, if affine { &drive } else { &raw });
        for k in 0..Y {
            match job.outputs.get_mut(k) {
                Some(Sink::Stream(view)) => {
                    if let Some(row) = view.row_mut(t).into_slice() {
                        store::<WHOLE, W>(&mut row[start..], &y[k], width);
                    }
                }
                Some(Sink::Rows { data, stride }) => store::<WHOLE, W>(&mut data[t * *stride + start..], &y[k], width),
                Some(Sink::Counts(_)) => {
                    for lane in 0..W {
                        sums[k][lane] += y[k][lane];
                    }
                }
                Some(Sink::Discard) | None => {}
            }
        }
    }
    for n in 0..N {
        if let Some(row) = job.states.row_mut(n).into_slice() {
            store::<WHOLE, W>(&mut row[start..], &s[n], width);
        }
    }
    add_up(job.outputs, &sums, start, width);
}

/// Adds the sums of a block to the counts.
#[inline(always)]
pub(super) fn add_up<const W: usize>(outputs: &mut [Sink<'_>], sums: &[[f32; W]], start: usize, width: usize) {
    for (sink, sums) in outputs.iter_mut().zip(sums) {
        if let Sink::Counts(counts) = sink {
            for (count, &sum) in counts[start..start + width].iter_mut().zip(sums) {
                *count = count.saturating_add(whole(sum));
            }
        }
    }
}

/// A whole number below 2^23, from single precision. A conversion that saturates is not vectorised; this is: at 2^23 the last bit of
/// the fraction counts ones.
#[inline(always)]
fn whole(sum: f32) -> u32 {
    const SHIFT: f32 = 8_388_608.0;
    let sum = if sum > 0.0 { sum } else { 0.0 };
    let sum = if sum < SHIFT { sum } else { SHIFT - 1.0 };
    (sum + SHIFT).to_bits() - SHIFT.to_bits()
}
