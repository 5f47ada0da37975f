//! The neurons of a culture: what each is like, drawn from a seed.

use isoform_core::draw::{Key, uniform};

/// How many neurons excite and how many inhibit, as in the publication.
pub const EXCITATORY: usize = 800;
/// See [`EXCITATORY`].
pub const INHIBITORY: usize = 200;

/// The parameters of each neuron, the excitatory ones first.
///
/// With `r` uniform between nought and one: excitatory `a = 0.02`, `b = 0.2`, `c = -65 + 15 r²`, `d = 8 - 6 r²`; inhibitory
/// `a = 0.02 + 0.08 r`, `b = 0.25 - 0.05 r`, `c = -65`, `d = 2`. The noise has 5 and 2 mV/ms of standard deviation.
///
/// Source: Izhikevich 2003, the program in figure 3's caption.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// How many of them excite.
    pub excitatory: usize,
    /// Rate of the recovery, 1/ms.
    pub a: Vec<f64>,
    /// How strongly the recovery follows the potential, 1/ms.
    pub b: Vec<f64>,
    /// Potential after a spike, mV.
    pub c: Vec<f64>,
    /// Jump of the recovery at a spike, mV/ms.
    pub d: Vec<f64>,
    /// Standard deviation of the noise of a tick, mV/ms.
    pub noise: Vec<f64>,
}

impl Population {
    /// Draws a population under a key.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a culture has fewer than 2^32 neurons")]
    pub fn new(excitatory: usize, inhibitory: usize, key: Key) -> Self {
        let all = excitatory + inhibitory;
        let r: Vec<f64> = (0..all).map(|i| f64::from(uniform(key.bits(i as u32, 0, 0)))).collect();
        let each = |excites: fn(f64) -> f64, inhibits: fn(f64) -> f64| {
            r.iter().enumerate().map(|(i, &r)| if i < excitatory { excites(r) } else { inhibits(r) }).collect()
        };
        Self {
            excitatory,
            a: each(|_| 0.02, |r| 0.02 + 0.08 * r),
            b: each(|_| 0.2, |r| 0.25 - 0.05 * r),
            c: each(|r| -65.0 + 15.0 * r * r, |_| -65.0),
            d: each(|r| 8.0 - 6.0 * r * r, |_| 2.0),
            noise: each(|_| 5.0, |_| 2.0),
        }
    }

    /// How many neurons there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.a.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.a.is_empty()
    }
}
