//! What a loop over lanes reads of its job before the first tick: parameters and coefficients, as scalars where all lanes have the same.

use super::{Flow, LaneJob, Param, driven, relaxed};

/// A group of numbers of a block of lanes.
pub(super) struct Group<const K: usize, const W: usize, const UNIFORM: bool> {
    one: [f32; K],
    each: [[f32; W]; K],
}

impl<const K: usize, const W: usize, const UNIFORM: bool> Group<K, W, UNIFORM> {
    const NONE: Self = Self { one: [0.0; K], each: [[0.0; W]; K] };

    #[inline(always)]
    fn of<const WHOLE: bool>(params: &[Param<'_>], start: usize, width: usize) -> Self {
        // loops, since closures over whole blocks are not always inlined and then lack the instruction set
        let mut group = Self::NONE;
        for k in 0..K {
            match params.get(k) {
                Some(&Param::One(v)) if UNIFORM => group.one[k] = v,
                Some(&param) if !UNIFORM => spread::<WHOLE, W>(&mut group.each[k], param, start, width),
                _ => {}
            }
        }
        group
    }

    /// Those of one lane.
    #[inline(always)]
    pub(super) fn of_lane(&self, lane: usize) -> [f32; K] {
        if UNIFORM { self.one } else { column(&self.each, lane) }
    }

    #[inline(always)]
    fn at(&self, k: usize, lane: usize) -> f32 {
        if UNIFORM { self.one[k] } else { self.each[k][lane] }
    }
}

/// Parameters, and the coefficients of an affine flow.
pub(super) struct Terms<const X: usize, const N: usize, const P: usize, const W: usize, const UNIFORM: bool> {
    pub(super) parameters: Group<P, W, UNIFORM>,
    phi: [Group<N, W, UNIFORM>; N],
    gamma: [Group<X, W, UNIFORM>; N],
    constant: Group<N, W, UNIFORM>,
    /// The length of a step of a flow that is not affine.
    pub(super) step_length: f32,
}

impl<const X: usize, const N: usize, const P: usize, const W: usize, const UNIFORM: bool> Terms<X, N, P, W, UNIFORM> {
    /// Those of a block of a job.
    #[inline(always)]
    pub(super) fn of<const WHOLE: bool>(job: &LaneJob<'_>, start: usize, width: usize) -> Self {
        let mut terms = Self {
            parameters: Group::of::<WHOLE>(job.parameters, start, width),
            phi: [const { Group::NONE }; N],
            gamma: [const { Group::NONE }; N],
            constant: Group::NONE,
            step_length: 0.0,
        };
        match job.flow {
            Flow::Affine { phi, gamma, constant } => {
                for k in 0..N {
                    terms.phi[k] = Group::of::<WHOLE>(phi.get(k * N..).unwrap_or(&[]), start, width);
                    terms.gamma[k] = Group::of::<WHOLE>(gamma.get(k * X..).unwrap_or(&[]), start, width);
                }
                terms.constant = Group::of::<WHOLE>(constant, start, width);
            }
            Flow::Raw { step } => terms.step_length = step,
        }
        terms
    }

    /// What the inputs add to a state of a lane.
    #[inline(always)]
    pub(super) fn drive(&self, k: usize, lane: usize, x: [f32; X]) -> f32 {
        driven(self.gamma[k].of_lane(lane), self.constant.at(k, lane), x)
    }

    /// What a state of a lane becomes, if it is driven.
    #[inline(always)]
    pub(super) fn relax(&self, k: usize, lane: usize, drive: f32, before: [f32; N]) -> f32 {
        relaxed(self.phi[k].of_lane(lane), drive, before)
    }
}

/// What belongs to one lane.
#[inline(always)]
pub(super) fn column<const K: usize, const W: usize>(each: &[[f32; W]; K], lane: usize) -> [f32; K] {
    let mut out = [0.0; K];
    for k in 0..K {
        out[k] = each[k][lane];
    }
    out
}

/// Copies a row of up to a block; a whole block is a copy of known length.
#[inline(always)]
pub(super) fn load<const WHOLE: bool, const W: usize>(to: &mut [f32; W], from: &[f32], width: usize) {
    if WHOLE {
        to.copy_from_slice(&from[..W]);
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
