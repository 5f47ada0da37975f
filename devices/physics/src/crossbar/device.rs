//! What the cells of an array are made of.

use crate::memristor::flicker::Spectrum;
use crate::memristor::pcm::Pcm;
use crate::memristor::reram::Wan;

/// A material, by its statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Device {
    /// Phase-change memory: drifts, and fluctuates with 1/f noise.
    Pcm(Pcm),
    /// Resistive memory: spreads with time, and reads with white noise.
    Reram(Wan),
}

/// What a write leaves in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Trace {
    /// What the write aimed at, in microsiemens.
    pub(super) target: f32,
    /// Phase change: what it left, in microsiemens. Resistive: the standard normal number of the write.
    pub(super) left: f32,
    /// Phase change: the exponent of the drift. Resistive: the standard normal number of what happens since.
    pub(super) fate: f32,
}

impl Device {
    /// The largest conductance that is written, in microsiemens.
    #[must_use]
    pub fn g_max(&self) -> f64 {
        match self {
            Self::Pcm(pcm) => pcm.g_max,
            Self::Reram(wan) => wan.g_max,
        }
    }

    /// The most joules that a read of one cell takes, without what converters take: volts, squared, times conductance and time. A read is taken to
    /// have a fifth of a volt, which is below what moves either material, and 250 ns where the statistics do not say.
    #[must_use]
    pub fn joules_of_read(&self) -> f64 {
        let seconds = match self {
            Self::Pcm(pcm) => pcm.t_read,
            Self::Reram(_) => 250e-9,
        };
        0.2 * 0.2 * self.g_max() * 1e-6 * seconds
    }

    /// How often a cell can be written: the order of magnitude for each material (Burr et al., *Neuromorphic computing using non-volatile
    /// memory*, Adv. Phys. X 2, 89, 2017).
    #[must_use]
    pub fn endurance(&self) -> u32 {
        match self {
            Self::Pcm(_) => 100_000_000,
            Self::Reram(_) => 1_000_000,
        }
    }

    /// The processes of which the fluctuation of a cell is the sum, and how long they have been going when a write is over. Resistive cells
    /// have none.
    #[must_use]
    pub fn spectrum(&self) -> Option<(Spectrum, f64)> {
        match self {
            Self::Pcm(pcm) => Some((pcm.spectrum(), pcm.t_0)),
            Self::Reram(_) => None,
        }
    }

    /// White noise of a read of one cell, in microsiemens.
    #[must_use]
    pub fn white(&self) -> f64 {
        match self {
            Self::Pcm(_) => 0.0,
            Self::Reram(wan) => Wan::READ * wan.g_max,
        }
    }

    /// Deviation of a conductance from its target right after the write, in microsiemens.
    #[must_use]
    pub fn programming_deviation(&self, target: f64) -> f64 {
        match self {
            Self::Pcm(pcm) => pcm.programming_deviation(target),
            Self::Reram(wan) => wan.deviation(target, 0.0),
        }
    }

    /// A write towards a target, for two standard normal numbers.
    #[expect(clippy::cast_possible_truncation, reason = "cells are kept in single precision")]
    pub(super) fn write(&self, target: f64, [write, fate]: [f64; 2]) -> Trace {
        let (left, fate) = match self {
            Self::Pcm(pcm) => (pcm.write(target, write), pcm.drift_exponent(target, fate)),
            Self::Reram(_) => (write, fate),
        };
        Trace { target: target as f32, left: left as f32, fate: fate as f32 }
    }

    /// The conductance so many seconds after the write, without the noise of reading, in microsiemens.
    pub(super) fn conductance(&self, trace: Trace, age: f64) -> f64 {
        let [target, left, fate] = [trace.target, trace.left, trace.fate].map(f64::from);
        match self {
            Self::Pcm(pcm) => left * pcm.drift(fate, age),
            Self::Reram(wan) => wan.conductance(target, age, [left, fate]),
        }
    }

    /// The logarithm of age on which conductances move about evenly; they are looked at anew when it has moved.
    pub(super) fn log_age(&self, age: f64) -> f64 {
        match self {
            Self::Pcm(pcm) => pcm.log_age(age),
            // the spread grows by some two microsiemens of forty over the eleven e-folds of a day
            Self::Reram(_) => libm::log(age.max(1.0)),
        }
    }

    /// By how much [`log_age`](Self::log_age) may move before conductances are computed anew. Phase-change cells are then never further behind
    /// than a part in two thousand; resistive ones by a few thousandths of the largest in the first moments after a second, when their spread
    /// sets in as a square root, and by a part in five thousand an e-fold later.
    pub(super) fn step_of_age(&self) -> f64 {
        match self {
            Self::Pcm(_) => 5e-3,
            Self::Reram(_) => 0.02,
        }
    }

    /// Relative strength of the 1/f noise of a cell.
    pub(super) fn flicker(&self, trace: Trace) -> f64 {
        match self {
            Self::Pcm(pcm) => pcm.flicker(f64::from(trace.left)),
            Self::Reram(_) => 0.0,
        }
    }

    /// What many reads do to a cell: they close a share of its distance to `g_max`.
    #[expect(clippy::cast_possible_truncation, reason = "cells are kept in single precision")]
    pub(super) fn disturb(&self, trace: &mut Trace, share: f64) {
        let close = |g: &mut f32| *g += (share * (self.g_max() - f64::from(*g)).max(0.0)) as f32;
        match self {
            Self::Pcm(_) => close(&mut trace.left),
            Self::Reram(_) => close(&mut trace.target),
        }
    }
}
