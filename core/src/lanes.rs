//! The vectorised loop: many lanes of one definition over many ticks, in single precision.
//!
//! Lanes are handled in blocks of [`BLOCK`]; the state of a block stays in registers or the first cache for all ticks of a
//! chunk. The loop is compiled for several instruction sets and chosen at run time. It contains no fused multiply-add, so that
//! the results are the same bits for every instruction set, block and split into threads. Full blocks under the answers of the usual
//! platforms are fastest: pad the lanes of a small node to a multiple of [`BLOCK`] or at least of [`VECTOR`].

mod echo;
mod job;

pub use echo::{Echo, Loop};
pub use job::{Feed, Flow, InstructionSet, LaneJob, Param, Sink};

use crate::coefficients::diagonal;
use crate::dynamics::Dynamics;
use crate::scalar::Scalar;
use crate::semantics::{Compare, Drive, Order, Reset, Test};
use crate::step::{self, Rule};
use multiversion::{multiversion, target::match_target};

/// Lanes in a block.
pub const BLOCK: usize = 64;
/// Lanes in a small block, of which a node has up to three beside its full ones.
pub const VECTOR: usize = 16;
/// Lanes in a full block where registers hold eight numbers: sixteen registers take the states, the drive and the sums of no more.
const BLOCK_AVX2: usize = BLOCK / 2;

/// Runs a job.
pub(crate) fn advance<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D, job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    let raw = matches!(job.flow, Flow::Raw { .. });
    assert!(D::AFFINE != Some(raw), "the flow is in a form that {} says it has not", D::SIGNATURE.id);
    match job.instructions {
        InstructionSet::Avx512 => advance_avx512(d, job),
        InstructionSet::Avx2 => advance_avx2(d, job),
        InstructionSet::Baseline => advance_baseline(d, job),
    }
}

// each falls back on the next, so that the loops are compiled once for each instruction set and not once for each fallback
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
fn advance_avx512<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D, job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => dispatch::<D, X, N, P, Y, BLOCK>(d, job),
        _ => advance_avx2(d, job),
    }
}

#[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
fn advance_avx2<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D, job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    match_target! {
        "x86_64+avx2" => dispatch::<D, X, N, P, Y, BLOCK_AVX2>(d, job),
        _ => advance_baseline(d, job),
    }
}

#[inline(never)]
fn advance_baseline<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D, job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    dispatch::<D, X, N, P, Y, VECTOR>(d, job);
}

/// Whether the affine form of a flow can be asked for. It is asked in constants, so that loops which never run are not compiled.
const fn may_be_affine(declared: Option<bool>) -> bool {
    !matches!(declared, Some(false))
}

/// Whether the raw form of a flow can be asked for.
const fn may_be_raw(declared: Option<bool>) -> bool {
    !matches!(declared, Some(true))
}

/// Turns the answers of the usual platforms into constants of the loop, and leaves the rest to one general loop.
#[inline(always)]
fn dispatch<D, const X: usize, const N: usize, const P: usize, const Y: usize, const FULL: usize>(d: &D, mut job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    if let Some(way) = job.echo.take() {
        let rule = job.rule;
        return echo::run(d, rule, &mut job, way);
    }
    let mut done = 0;
    if const { may_be_affine(D::AFFINE) } && matches!(job.flow, Flow::Affine { .. }) {
        let uniform = job.is_uniform();
        macro_rules! specialise {
            ($($test:ident $compare:ident $reset:ident;)+) => {
                match (job.rule.test, job.rule.compare, job.rule.reset) {
                    $((Test::$test, Compare::$compare, Reset::$reset) => {
                        let (drive, order) = (Drive::Held, Order::Joint);
                        let (compare, reset) = (Compare::$compare, Reset::$reset);
                        let rule = Rule { drive, order, test: Test::$test, compare, reset, ..job.rule };
                        done = if uniform {
                            whole_blocks::<D, X, N, P, Y, FULL, true>(d, rule, &mut job)
                        } else {
                            whole_blocks::<D, X, N, P, Y, FULL, false>(d, rule, &mut job)
                        };
                    })+
                    _ => {}
                }
            };
        }
        if D::EVENT.is_none() {
            // the answers about jumps do not matter
            job.rule = Rule { test: Test::AfterFlow, compare: Compare::Above, reset: Reset::ToValue, ..job.rule };
            specialise! { AfterFlow Above ToValue; }
        } else {
            specialise! {
                AfterFlow Above ToValue;
                AfterFlow Above Subtract;
                BeforeFlow Above Subtract;
            }
        }
    }
    let (rule, affine) = (job.rule, matches!(job.flow, Flow::Affine { .. }));
    while done < job.lanes {
        let width = BLOCK.min(job.lanes - done);
        let affine = const { may_be_affine(D::AFFINE) } && affine;
        block::<D, X, N, P, Y, BLOCK, false, false>(d, rule, affine, &mut job, done, width);
        done += BLOCK;
    }
}

/// Runs all blocks that are full, and gives the number of their lanes.
#[inline(always)]
fn whole_blocks<D, const X: usize, const N: usize, const P: usize, const Y: usize, const FULL: usize, const UNIFORM: bool>(
    d: &D,
    rule: Rule,
    job: &mut LaneJob<'_>,
) -> usize
where
    D: Dynamics<X, N, P, Y>,
{
    let (large, whole) = (job.lanes / FULL * FULL, job.lanes / VECTOR * VECTOR);
    for start in (0..large).step_by(FULL) {
        block::<D, X, N, P, Y, FULL, UNIFORM, true>(d, rule, true, job, start, FULL);
    }
    for start in (large..whole).step_by(VECTOR) {
        block::<D, X, N, P, Y, VECTOR, UNIFORM, true>(d, rule, true, job, start, VECTOR);
    }
    whole
}

/// Copies a row of up to a block; a whole block is a copy of known length.
#[inline(always)]
fn load<const WHOLE: bool, const W: usize>(to: &mut [f32; W], from: &[f32], width: usize) {
    if WHOLE {
        to.copy_from_slice(&from[..W]);
    } else {
        to[..width].copy_from_slice(&from[..width]);
    }
}

#[inline(always)]
fn store<const WHOLE: bool, const W: usize>(to: &mut [f32], from: &[f32; W], width: usize) {
    if WHOLE {
        to[..W].copy_from_slice(from);
    } else {
        to[..width].copy_from_slice(&from[..width]);
    }
}

#[inline(always)]
fn spread<const WHOLE: bool, const W: usize>(lanes: &mut [f32; W], param: Param<'_>, start: usize, width: usize) {
    match param {
        Param::One(v) => *lanes = [v; W],
        Param::Each(values) => {
            if !WHOLE {
                // the last value fills the lanes beyond the end, so that they compute with sane numbers
                *lanes = [values.last().copied().unwrap_or(0.0); W];
            }
            load::<WHOLE, W>(lanes, &values[start..], width);
        }
    }
}

/// A group of coefficients, as scalars where they are uniform.
#[inline(always)]
fn pick<const UNIFORM: bool, const K: usize, const W: usize>(one: &[f32; K], each: &[[f32; W]; K], lane: usize) -> [f32; K] {
    if UNIFORM { *one } else { column(each, lane) }
}

/// What belongs to one lane.
#[inline(always)]
fn column<const K: usize, const W: usize>(each: &[[f32; W]; K], lane: usize) -> [f32; K] {
    let mut out = [0.0; K];
    for k in 0..K {
        out[k] = each[k][lane];
    }
    out
}

#[inline(always)]
fn group<const UNIFORM: bool, const WHOLE: bool, const K: usize, const W: usize>(
    params: &[Param<'_>],
    start: usize,
    width: usize,
) -> ([f32; K], [[f32; W]; K]) {
    // loops, since closures over whole blocks are not always inlined and then lack the instruction set
    let (mut one, mut each) = ([0.0; K], [[0.0; W]; K]);
    for k in 0..K {
        match params.get(k) {
            Some(&Param::One(v)) if UNIFORM => one[k] = v,
            Some(&param) if !UNIFORM => spread::<WHOLE, W>(&mut each[k], param, start, width),
            _ => {}
        }
    }
    (one, each)
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "several arrays are walked in step; this form vectorises")]
fn block<
    D,
    const X: usize,
    const N: usize,
    const P: usize,
    const Y: usize,
    const W: usize,
    const UNIFORM: bool,
    const WHOLE: bool,
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
    let (p_one, p_each) = group::<UNIFORM, WHOLE, P, W>(job.parameters, start, width);
    let (mut phi_one, mut phi_each) = ([[0.0; N]; N], [[[0.0; W]; N]; N]);
    let (mut gamma_one, mut gamma_each) = ([[0.0; X]; N], [[[0.0; W]; X]; N]);
    let (mut constant_one, mut constant_each) = ([0.0; N], [[0.0; W]; N]);
    let mut step_length = 0.0;
    match job.flow {
        Flow::Affine { phi, gamma, constant } => {
            for k in 0..N {
                (phi_one[k], phi_each[k]) = group::<UNIFORM, WHOLE, N, W>(phi.get(k * N..).unwrap_or(&[]), start, width);
                (gamma_one[k], gamma_each[k]) = group::<UNIFORM, WHOLE, X, W>(gamma.get(k * X..).unwrap_or(&[]), start, width);
            }
            (constant_one, constant_each) = group::<UNIFORM, WHOLE, N, W>(constant, start, width);
        }
        Flow::Raw { step } => step_length = step,
    }
    let psi = diagonal([step_length; N]);

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
    // two by turns: where they do not fit into registers, each waits for its own last tick to come back from memory
    let mut sums: [[[f32; W]; Y]; 2] = [[[0.0; W]; Y]; 2];
    // nothing is asked of each input and output in every tick where none has rows
    let counted = job.outputs.iter().all(|sink| matches!(sink, Sink::Counts(_) | Sink::Discard));
    for t in 0..job.ticks {
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
                    let input = column(&x, lane);
                    let gamma = pick::<UNIFORM, X, W>(&gamma_one[k], &gamma_each[k], lane);
                    let constant = if UNIFORM { constant_one[k] } else { constant_each[k][lane] };
                    drive[k][lane] = driven(gamma, constant, input);
                }
            }
        }
        let mut raw = [[0.0; W]; N];
        if const { may_be_raw(D::AFFINE) } && !affine {
            raw = s;
            // step by step over the block and not lane by lane, so that the lanes of a step become vector code
            for _ in 0..rule.substeps {
                for lane in 0..W {
                    let p = pick::<UNIFORM, P, W>(&p_one, &p_each, lane);
                    let at = step::substep_within(d, rule, &psi, step_length, column(&x, lane), column(&raw, lane), p);
                    for n in 0..N {
                        raw[n][lane] = at[n];
                    }
                }
            }
        }
        let mut y: [[f32; W]; Y] = [[0.0; W]; Y];
        for lane in 0..W {
            let input = column(&x, lane);
            let before = column(&s, lane);
            let p = pick::<UNIFORM, P, W>(&p_one, &p_each, lane);
            let mut flowed = if affine { before } else { column(&raw, lane) };
            if affine {
                for k in 0..N {
                    flowed[k] = relaxed(pick::<UNIFORM, N, W>(&phi_one[k], &phi_each[k], lane), drive[k][lane], before);
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
        let sums = &mut sums[if W < BLOCK { t % 2 } else { 0 }];
        if counted {
            for k in 0..Y {
                for lane in 0..W {
                    sums[k][lane] += y[k][lane];
                }
            }
            continue;
        }
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
    let [mut sums, others] = sums;
    for k in 0..Y {
        for lane in 0..W {
            sums[k][lane] += others[k][lane];
        }
    }
    add_up(job.outputs, &sums, start, width);
}

/// Adds the sums of a block to the counts.
#[inline(always)]
fn add_up<const W: usize>(outputs: &mut [Sink<'_>], sums: &[[f32; W]], start: usize, width: usize) {
    for (sink, sums) in outputs.iter_mut().zip(sums) {
        if let Sink::Counts(counts) = sink {
            for (count, &sum) in counts[start..start + width].iter_mut().zip(sums) {
                *count = count.saturating_add(whole(sum));
            }
        }
    }
}

/// `phi s + gamma x + constant`, in this order on every substrate of this crate.
#[inline(always)]
pub(crate) fn affine_row<S: Scalar, const N: usize, const X: usize>(
    phi: [S; N],
    gamma: [S; X],
    constant: S,
    x: [S; X],
    s: [S; N],
) -> S {
    relaxed(phi, driven(gamma, constant, x), s)
}

/// `constant + gamma x`.
#[inline(always)]
fn driven<S: Scalar, const X: usize>(gamma: [S; X], constant: S, x: [S; X]) -> S {
    let mut sum = constant;
    for i in 0..X {
        sum = sum + gamma[i] * x[i];
    }
    sum
}

/// `drive + phi s`.
#[inline(always)]
fn relaxed<S: Scalar, const N: usize>(phi: [S; N], drive: S, s: [S; N]) -> S {
    let mut sum = drive;
    for j in 0..N {
        sum = sum + phi[j] * s[j];
    }
    sum
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
