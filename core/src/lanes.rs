//! The vectorised loop: many lanes of one definition over many ticks, in single precision.
//!
//! Lanes are handled in blocks of [`BLOCK`]; the state of a block stays in registers or the first cache for all ticks of a
//! chunk. The loop is compiled for several instruction sets and chosen at run time. It contains no fused multiply-add, so that
//! the results are the same bits for every instruction set, block and split into threads. Full blocks under the answers of the usual
//! platforms are fastest: pad the lanes of a small node to a multiple of [`BLOCK`] or at least of [`VECTOR`].

mod block;
mod echo;
mod job;
mod terms;

pub use echo::{Echo, Loop};
pub use job::{Feed, Flow, InstructionSet, LaneJob, Param, Sink};

use self::block::block;
use crate::dynamics::{Domain, Dynamics, Output};
use crate::scalar::Scalar;
use crate::semantics::{Compare, Drive, Order, Reset, Test};
use crate::step::Rule;
use multiversion::{multiversion, target::match_target};

/// Lanes in a block.
pub const BLOCK: usize = 64;
/// Lanes in a small block, of which a node has up to three beside its full ones.
pub const VECTOR: usize = 16;
/// Lanes in a full block where registers hold eight numbers: sixteen registers take the states, the drive and the sums of no more.
const BLOCK_AVX2: usize = BLOCK / 2;

/// Whether wide vectors are compiled. The unit tests of this crate run no loop, and would be compiled for longer by the loops than by themselves; that
/// all instruction sets give the same bits is tried by who runs them.
const WIDE: bool = !cfg!(test);

/// Runs a job.
pub(crate) fn advance<D, const X: usize, const N: usize, const P: usize, const Y: usize>(d: &D, mut job: LaneJob<'_>)
where
    D: Dynamics<X, N, P, Y>,
{
    let raw = matches!(job.flow, Flow::Raw { .. });
    assert!(D::AFFINE != Some(raw), "the flow is in a form that {} says it has not", D::SIGNATURE.id);
    if const { may_be_affine(D::AFFINE) && gives_spikes(&D::SIGNATURE.outputs) } && !raw && job.echo.is_none() && job.is_counted()
    {
        advance_by::<D, X, N, P, Y, true>(d, &mut job);
    } else {
        advance_by::<D, X, N, P, Y, false>(d, &mut job);
    }
}

#[inline(always)]
fn advance_by<D, const X: usize, const N: usize, const P: usize, const Y: usize, const COUNTED: bool>(
    d: &D,
    job: &mut LaneJob<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    match job.instructions {
        InstructionSet::Avx512 if WIDE => advance_avx512::<D, X, N, P, Y, COUNTED>(d, job),
        InstructionSet::Avx2 if WIDE => advance_avx2::<D, X, N, P, Y, COUNTED>(d, job),
        _ => advance_baseline::<D, X, N, P, Y, COUNTED>(d, job),
    }
}

// each falls back on the next, so that the loops are compiled once for each instruction set and not once for each fallback
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl"), dispatcher = "direct")]
fn advance_avx512<D, const X: usize, const N: usize, const P: usize, const Y: usize, const COUNTED: bool>(
    d: &D,
    job: &mut LaneJob<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    match_target! {
        "x86_64+avx512f+avx512bw+avx512dq+avx512vl" => dispatch::<D, X, N, P, Y, BLOCK, COUNTED>(d, job),
        _ => advance_avx2::<D, X, N, P, Y, COUNTED>(d, job),
    }
}

#[multiversion(targets("x86_64+avx2"), dispatcher = "direct")]
fn advance_avx2<D, const X: usize, const N: usize, const P: usize, const Y: usize, const COUNTED: bool>(
    d: &D,
    job: &mut LaneJob<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    match_target! {
        "x86_64+avx2" => dispatch::<D, X, N, P, Y, BLOCK_AVX2, COUNTED>(d, job),
        _ => advance_baseline::<D, X, N, P, Y, COUNTED>(d, job),
    }
}

#[inline(never)]
fn advance_baseline<D, const X: usize, const N: usize, const P: usize, const Y: usize, const COUNTED: bool>(
    d: &D,
    job: &mut LaneJob<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    dispatch::<D, X, N, P, Y, VECTOR, COUNTED>(d, job);
}

/// Whether the affine form of a flow can be asked for. It is asked in constants, so that loops which never run are not compiled.
const fn may_be_affine(declared: Option<bool>) -> bool {
    !matches!(declared, Some(false))
}

/// Whether the raw form of a flow can be asked for.
const fn may_be_raw(declared: Option<bool>) -> bool {
    !matches!(declared, Some(true))
}

/// Whether there is an output that may be counted.
const fn gives_spikes(outputs: &[Output]) -> bool {
    let mut at = 0;
    while at < outputs.len() {
        if matches!(outputs[at].domain, Domain::Spikes) {
            return true;
        }
        at += 1;
    }
    false
}

/// Turns the answers of the usual platforms into constants of the loop, and leaves the rest to one general loop.
#[inline(always)]
fn dispatch<D, const X: usize, const N: usize, const P: usize, const Y: usize, const FULL: usize, const COUNTED: bool>(
    d: &D,
    job: &mut LaneJob<'_>,
) where
    D: Dynamics<X, N, P, Y>,
{
    if !COUNTED && let Some(way) = job.echo.take() {
        let rule = job.rule;
        return echo::run(d, rule, job, way);
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
                            whole_blocks::<D, X, N, P, Y, FULL, true, COUNTED>(d, rule, job)
                        } else {
                            whole_blocks::<D, X, N, P, Y, FULL, false, COUNTED>(d, rule, job)
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
        block::<D, X, N, P, Y, BLOCK, false, false, false>(d, rule, affine, job, done, width);
        done += BLOCK;
    }
}

/// Runs all blocks that are full, and gives the number of their lanes.
#[inline(always)]
fn whole_blocks<
    D,
    const X: usize,
    const N: usize,
    const P: usize,
    const Y: usize,
    const FULL: usize,
    const UNIFORM: bool,
    const COUNTED: bool,
>(
    d: &D,
    rule: Rule,
    job: &mut LaneJob<'_>,
) -> usize
where
    D: Dynamics<X, N, P, Y>,
{
    let (large, whole) = (job.lanes / FULL * FULL, job.lanes / VECTOR * VECTOR);
    for start in (0..large).step_by(FULL) {
        block::<D, X, N, P, Y, FULL, UNIFORM, true, COUNTED>(d, rule, true, job, start, FULL);
    }
    for start in (large..whole).step_by(VECTOR) {
        block::<D, X, N, P, Y, VECTOR, UNIFORM, true, COUNTED>(d, rule, true, job, start, VECTOR);
    }
    whole
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
