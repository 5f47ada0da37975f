//! The rate of spikes of a current, smoothed over a window.
//!
//! ```text
//! τ du/dt = -u,  u ← u + 1/τ at each onset          τ dr/dt = u - r          y = r
//! ```
//! An onset is a tick in which the current is above a level and was not in the one before. The window `t e^{-t/τ}/τ²` has the area one and
//! a mean age of `2 τ`, so that the mean of `r` is the rate; from regular spikes of period `T` it takes the ripple down to a part of
//! `2/(1 + (2π τ/T)²)`. The phase of the oscillation, which no two devices share, is gone with it.
//!
//! Source: the alpha function of Rall 1967, J. Neurophysiol. 30, 1138, as a window.

use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The id of the rate of spikes.
pub const SPIKE_RATE: &str = "isoform.spike-rate/1";

/// The definition of the rate of spikes: `y = r`.
#[derive(Debug, Clone, Copy)]
pub struct SpikeRate;

/// The rate of spikes of a neuristor's current: onsets above 1.5 mA in a window of 10 µs.
#[must_use]
pub fn spike_rate() -> Neuron {
    Neuron::new(SpikeRate)
}

impl Dynamics<1, 3, 2, 1> for SpikeRate {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 3, 2, 1> = Signature {
        id: SPIKE_RATE,
        summary: "The rate of spikes of a current.",
        source: "Rall 1967, J. Neurophysiol. 30, 1138",
        inputs: [Quantity::new("i", "A", [0.0, 5e-3], "current").input()],
        states: [
            Quantity::new("above", "1", [0.0, 1.0], "whether the current was above the level").state(0.0),
            Quantity::new("u", "1/s", [0.0, 1e6], "onsets in an exponential window").state(0.0),
            Quantity::new("r", "1/s", [0.0, 1e6], "rate").state(0.0),
        ],
        parameters: [
            Quantity::new("level", "A", [1e-3, 2e-3], "current that a spike passes").parameter().or(1.5e-3),
            Quantity::new("tau", "s", [1e-6, 1e-3], "half the mean age of the window").parameter().or(1e-5).above_nought(),
        ],
        outputs: [Quantity::new("r", "1/s", [0.0, 1e6], "rate").output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, _: [S; 1], [_, u, r]: [S; 3], [_, tau]: [S; 2]) -> [S; 3] {
        [S::lit(0.0), -u / tau, (u - r) / tau]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [i]: [S; 1], [above, u, r]: [S; 3], [level, tau]: [S; 2], _: S) -> ([S; 3], [S; 1]) {
        let (one, now) = (S::lit(1.0), i.above(level));
        let onset = now * (one - above);
        ([now, u + onset / tau, r], [r])
    }
}
