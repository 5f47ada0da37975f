//! The leaky integrator and the leaky integrate-and-fire neuron.
//!
//! ```text
//! τ dv/dt = (v_leak - v) + r i          z = [v > v_threshold],  v ← v_reset
//! ```
//! Source: Pedersen et al. 2024, Nature Communications 15, 8122, table 1 (LI, LIF); the neuron is Lapicque's of 1907.

use crate::dynamics::{Dynamics, Output, Parameter, Quantity, Signature};
use crate::neuron::Neuron;
use crate::scalar::Scalar;

const SOURCE: &str = "Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1";
const TAU: Parameter = Quantity::new("tau", "s", [1e-3, 0.1], "membrane time constant").parameter().above_nought();
const R: Parameter = Quantity::new("r", "Ohm", [0.1, 10.0], "membrane resistance").parameter().or(1.0);
const LEAK: Parameter = Quantity::new("v_leak", "V", [-1.0, 1.0], "potential at rest").parameter().or(0.0);
const THETA: Parameter = Quantity::new("v_threshold", "V", [0.1, 2.0], "potential at which it fires").parameter().or(1.0);
const RESET: Parameter = Quantity::new("v_reset", "V", [-1.0, 0.0], "potential after a spike").parameter().or(0.0);
const CURRENT: Quantity = Quantity::new("i", "A", [-1.0, 4.0], "synaptic current");
const MEMBRANE: Quantity = Quantity::new("v", "V", [-1.0, 2.0], "membrane potential");
const SPIKE: Output = Quantity::new("z", "1", [0.0, 1.0], "spike").spikes();

/// The definition of the leaky integrator: `y = v`.
#[derive(Debug, Clone, Copy)]
pub struct Li;

/// A leaky integrator; give `tau`.
#[must_use]
pub fn li() -> Neuron {
    Neuron::new(Li)
}

#[inline(always)]
fn relax<S: Scalar>(i: S, v: S, tau: S, r: S, leak: S) -> S {
    (leak - v + r * i) / tau
}

impl Dynamics<1, 1, 3, 1> for Li {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 1, 3, 1> = Signature {
        id: super::LI,
        summary: "A leaky integrator.",
        source: SOURCE,
        inputs: [CURRENT.input()],
        states: [MEMBRANE.state(0.0)],
        parameters: [TAU, R, LEAK],
        outputs: [MEMBRANE.output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i]: [S; 1], [v]: [S; 1], [tau, r, leak]: [S; 3]) -> [S; 1] {
        [relax(i, v, tau, r, leak)]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 3], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

/// The definition of the leaky integrate-and-fire neuron: `y = z`.
#[derive(Debug, Clone, Copy)]
pub struct Lif;

/// A leaky integrate-and-fire neuron; give `tau`.
#[must_use]
pub fn lif() -> Neuron {
    Neuron::new(Lif)
}

impl Dynamics<1, 1, 5, 1> for Lif {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 1, 5, 1> = Signature {
        id: super::LIF,
        summary: "A leaky integrate-and-fire neuron.",
        source: SOURCE,
        inputs: [CURRENT.input()],
        states: [MEMBRANE.state(0.0)],
        parameters: [TAU, R, LEAK, THETA, RESET],
        outputs: [SPIKE],
    };
    const EVENT: Option<usize> = Some(0);

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i]: [S; 1], [v]: [S; 1], [tau, r, leak, ..]: [S; 5]) -> [S; 1] {
        [relax(i, v, tau, r, leak)]
    }

    #[inline(always)]
    fn threshold<S: Scalar>(&self, _: [S; 1], [.., theta, _]: [S; 5]) -> S {
        theta
    }

    #[inline(always)]
    fn reset<S: Scalar>(&self, _: [S; 1], [.., reset]: [S; 5]) -> [S; 1] {
        [reset]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 5], z: S) -> ([S; 1], [S; 1]) {
        (s, [z])
    }
}
