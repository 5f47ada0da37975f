//! What the loop is given: where inputs come from, where outputs go, and how the state flows.

use super::Loop;
use crate::step::Rule;
use ndarray::ArrayViewMut2;
use std::fmt;

/// A coefficient: one for all lanes, or one for each.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    /// The same for all lanes.
    One(f32),
    /// One for each lane.
    Each(&'a [f32]),
}

/// Where an input comes from.
#[derive(Debug, Clone, Copy)]
pub enum Feed<'a> {
    /// A new value each tick: the value of lane `l` at tick `t` is `data[t * stride + l]`.
    Stream {
        /// The values.
        data: &'a [f32],
        /// How far apart ticks are.
        stride: usize,
    },
    /// The same value each tick, one per lane.
    Held(&'a [f32]),
    /// The same value for all lanes and ticks.
    Constant(f32),
}

/// Where an output goes.
#[derive(Debug)]
pub enum Sink<'a> {
    /// A value each tick, ticks by lanes.
    Stream(ArrayViewMut2<'a, f32>),
    /// The same where the rows are whole: the value of lane `l` at tick `t` goes to `data[t * stride + l]`.
    Rows {
        /// The values.
        data: &'a mut [f32],
        /// How far apart ticks are.
        stride: usize,
    },
    /// Whole numbers, added up over the ticks, one sum per lane; a job of more than 2^23 ticks saturates.
    Counts(&'a mut [u32]),
    /// Nowhere.
    Discard,
}

/// How the state flows within a tick.
#[derive(Debug, Clone, Copy)]
pub enum Flow<'a> {
    /// `s' = phi s + gamma x + constant`; matrices row-major.
    Affine {
        /// States by states.
        phi: &'a [Param<'a>],
        /// States by inputs.
        gamma: &'a [Param<'a>],
        /// One per state.
        constant: &'a [Param<'a>],
    },
    /// The raw flow, in steps of an explicit decay.
    Raw {
        /// The length of a step.
        step: f32,
    },
}

/// The instruction sets for which the loop is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstructionSet {
    /// What every processor of the platform has.
    Baseline,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl InstructionSet {
    /// Every instruction set, narrowest first.
    pub const ALL: &'static [Self] = &[Self::Baseline, Self::Avx2, Self::Avx512];

    /// The widest that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.iter().rev().copied().find(|set| set.is_available()).unwrap_or(Self::Baseline)
    }

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The name in locators.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Work for the loop: all ticks of a chunk for a range of lanes.
///
/// All slices cover exactly the lanes of the job.
#[derive(Debug)]
pub struct LaneJob<'a> {
    /// The semantics.
    pub rule: Rule,
    /// The instruction set; one that the processor lacks falls back to the best that it has.
    pub instructions: InstructionSet,
    /// How many ticks.
    pub ticks: usize,
    /// How many lanes.
    pub lanes: usize,
    /// One per input of the signature.
    pub inputs: &'a [Feed<'a>],
    /// The flow.
    pub flow: Flow<'a>,
    /// One per parameter of the signature.
    pub parameters: &'a [Param<'a>],
    /// States by lanes.
    pub states: ArrayViewMut2<'a, f32>,
    /// One per output of the signature.
    pub outputs: &'a mut [Sink<'a>],
    /// What the node hears of itself; the job then has at most [`BLOCK`](super::BLOCK) lanes, a multiple of [`VECTOR`](super::VECTOR).
    pub echo: Option<Loop<'a>>,
}

impl LaneJob<'_> {
    /// Whether inputs are held and outputs are counted, so that nothing has rows.
    #[inline(always)]
    pub(super) fn is_counted(&self) -> bool {
        self.inputs.iter().all(|feed| !matches!(feed, Feed::Stream { .. }))
            && self.outputs.iter().all(|sink| matches!(sink, Sink::Counts(_) | Sink::Discard))
    }

    /// Whether the flow and the parameters are the same for all lanes.
    #[inline(always)]
    pub(super) fn is_uniform(&self) -> bool {
        let flow = match self.flow {
            Flow::Affine { phi, gamma, constant } => [phi, gamma, constant],
            Flow::Raw { .. } => [[].as_slice(); 3],
        };
        flow.iter().chain([&self.parameters]).all(|group| group.iter().all(|p| matches!(p, Param::One(_))))
    }
}
