//! The integrator and the integrate-and-fire neuron.
//!
//! ```text
//! dv/dt = r i          z = [v > v_threshold],  v ← v_reset
//! ```
//! Source: Pedersen et al. 2024, Nature Communications 15, 8122, table 1 (I, IF).

use crate::dynamics::{Dynamics, Parameter, Quantity, Signature};
use crate::neuron::Neuron;
use crate::scalar::Scalar;

const SOURCE: &str = "Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1";
const R: Parameter = Quantity::new("r", "1/F", [0.1, 10.0], "gain of the integrator").parameter().or(1.0);
const CURRENT: Quantity = Quantity::new("i", "A", [-1.0, 4.0], "synaptic current");
const MEMBRANE: Quantity = Quantity::new("v", "V", [-1.0, 2.0], "membrane potential");

/// The definition of the integrator: `y = v`.
#[derive(Debug, Clone, Copy)]
pub struct I;

/// An integrator.
#[must_use]
pub fn integrator() -> Neuron {
    Neuron::new(I)
}

impl Dynamics<1, 1, 1, 1> for I {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 1, 1, 1> = Signature {
        id: super::I,
        summary: "An integrator.",
        source: SOURCE,
        inputs: [CURRENT.input()],
        states: [MEMBRANE.state(0.0)],
        parameters: [R],
        outputs: [MEMBRANE.output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i]: [S; 1], _: [S; 1], [r]: [S; 1]) -> [S; 1] {
        [r * i]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 1], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

/// The definition of the integrate-and-fire neuron: `y = z`.
#[derive(Debug, Clone, Copy)]
pub struct If;

/// An integrate-and-fire neuron.
#[must_use]
pub fn integrate_and_fire() -> Neuron {
    Neuron::new(If)
}

impl Dynamics<1, 1, 3, 1> for If {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 1, 3, 1> = Signature {
        id: super::IF,
        summary: "An integrate-and-fire neuron.",
        source: SOURCE,
        inputs: [CURRENT.input()],
        states: [MEMBRANE.state(0.0)],
        parameters: [
            R,
            Quantity::new("v_threshold", "V", [0.1, 2.0], "potential at which it fires").parameter().or(1.0),
            Quantity::new("v_reset", "V", [-1.0, 0.0], "potential after a spike").parameter().or(0.0),
        ],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };
    const EVENT: Option<usize> = Some(0);

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i]: [S; 1], _: [S; 1], [r, ..]: [S; 3]) -> [S; 1] {
        [r * i]
    }

    #[inline(always)]
    fn threshold<S: Scalar>(&self, _: [S; 1], [_, theta, _]: [S; 3]) -> S {
        theta
    }

    #[inline(always)]
    fn reset<S: Scalar>(&self, _: [S; 1], [.., reset]: [S; 3]) -> [S; 1] {
        [reset]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 3], z: S) -> ([S; 1], [S; 1]) {
        (s, [z])
    }
}
