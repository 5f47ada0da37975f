//! Transfer functions without state: the threshold and the element-wise scale.
//!
//! ```text
//! threshold: z = [x > theta]          scale: y = s x
//! ```
//! Source: Pedersen et al. 2024, Nature Communications 15, 8122, table 1 (Threshold, Scale).

use crate::dynamics::{Dynamics, Quantity, Signature};
use crate::neuron::Neuron;
use crate::scalar::Scalar;

const SOURCE: &str = "Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1";
const INPUT: Quantity = Quantity::new("x", "1", [-2.0, 2.0], "input");

/// The definition of the threshold.
#[derive(Debug, Clone, Copy)]
pub struct Threshold;

/// A threshold, one at unless `threshold` is given.
#[must_use]
pub fn threshold() -> Neuron {
    Neuron::new(Threshold)
}

impl Dynamics<1, 0, 1, 1> for Threshold {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 0, 1, 1> = Signature {
        id: super::THRESHOLD,
        summary: "One where the input is above a threshold.",
        source: SOURCE,
        inputs: [INPUT.input()],
        states: [],
        parameters: [Quantity::new("threshold", "1", [-1.0, 1.0], "level that the input has to pass").parameter().or(1.0)],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, [x]: [S; 1], s: [S; 0], [theta]: [S; 1], _: S) -> ([S; 0], [S; 1]) {
        (s, [x.above(theta)])
    }
}

/// The definition of the element-wise scale.
#[derive(Debug, Clone, Copy)]
pub struct Scale;

/// An element-wise scale; give `scale`.
#[must_use]
pub fn scale() -> Neuron {
    Neuron::new(Scale)
}

impl Dynamics<1, 0, 1, 1> for Scale {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 0, 1, 1> = Signature {
        id: super::SCALE,
        summary: "The input times a factor.",
        source: SOURCE,
        inputs: [INPUT.input()],
        states: [],
        parameters: [Quantity::new("scale", "1", [-2.0, 2.0], "factor").parameter()],
        outputs: [Quantity::new("y", "1", [-4.0, 4.0], "scaled input").output()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, [x]: [S; 1], s: [S; 0], [scale]: [S; 1], _: S) -> ([S; 0], [S; 1]) {
        (s, [x * scale])
    }
}
