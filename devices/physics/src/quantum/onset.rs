//! The spikes of a current: one in each tick in which it comes above a level.
//!
//! ```text
//! y[t] = 1 if i[t] > level and not i[t-1] > level, else 0
//! ```
//! This is the onset that [`rate`](super::rate) counts. When a spike comes is the phase of the oscillator, which no two devices share: a program with
//! such an output is one of which distributions alone are promised.

use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The id of the spikes of a current.
pub const SPIKE_ONSET: &str = "isoform.spike-onset/1";

/// The definition of the spikes of a current: `y = z`.
#[derive(Debug, Clone, Copy)]
pub struct SpikeOnset;

/// The spikes of a neuristor's current: onsets above 1.5 mA.
#[must_use]
pub fn spike_onset() -> Neuron {
    Neuron::new(SpikeOnset)
}

impl Dynamics<1, 1, 1, 1> for SpikeOnset {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 1, 1, 1> = Signature {
        id: SPIKE_ONSET,
        summary: "The spikes of a current.",
        source: "the onset of a current above a level",
        inputs: [Quantity::new("i", "A", [0.0, 5e-3], "current").input()],
        states: [Quantity::new("above", "1", [0.0, 1.0], "whether the current was above the level").state(0.0)],
        parameters: [Quantity::new("level", "A", [1e-3, 2e-3], "current that a spike passes").parameter().or(1.5e-3)],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, [i]: [S; 1], [above]: [S; 1], [level]: [S; 1], _: S) -> ([S; 1], [S; 1]) {
        let (one, now) = (S::lit(1.0), i.above(level));
        ([now], [now * (one - above)])
    }
}
