//! Leaky neurons behind a current-based synapse.
//!
//! ```text
//! τ_syn di/dt = -i + w_in x
//! τ_mem dv/dt = (v_leak - v) + r i      z = [v > v_threshold],  v ← v_reset
//! ```
//! Source: Pedersen et al. 2024, Nature Communications 15, 8122, table 1 (CubaLI, CubaLIF). The synaptic current stands first,
//! so that a staged update hands its new value to the membrane.

use crate::dynamics::{Dynamics, Parameter, Quantity, Signature};
use crate::neuron::Neuron;
use crate::scalar::Scalar;

const SOURCE: &str = "Pedersen et al. 2024, Nat. Commun. 15, 8122, table 1";
const TAU_SYN: Parameter = Quantity::new("tau_syn", "s", [1e-3, 0.1], "synaptic time constant").parameter().above_nought();
const TAU_MEM: Parameter = Quantity::new("tau_mem", "s", [1e-3, 0.1], "membrane time constant").parameter().above_nought();
const R: Parameter = Quantity::new("r", "Ohm", [0.1, 10.0], "membrane resistance").parameter().or(1.0);
const LEAK: Parameter = Quantity::new("v_leak", "V", [-1.0, 1.0], "potential at rest").parameter().or(0.0);
const W_IN: Parameter = Quantity::new("w_in", "A", [0.1, 10.0], "weight of the input").parameter().or(1.0);
const DRIVE: Quantity = Quantity::new("x", "1", [-1.0, 4.0], "weighted input");
const CURRENT: Quantity = Quantity::new("i", "A", [-2.0, 4.0], "synaptic current");
const MEMBRANE: Quantity = Quantity::new("v", "V", [-1.0, 2.0], "membrane potential");

#[inline(always)]
fn relax<S: Scalar>(x: S, [i, v]: [S; 2], [tau_syn, tau_mem, r, leak, w_in]: [S; 5]) -> [S; 2] {
    [(w_in * x - i) / tau_syn, (leak - v + r * i) / tau_mem]
}

/// The definition of the leaky integrator behind a synapse: `y = v`.
#[derive(Debug, Clone, Copy)]
pub struct CubaLi;

/// A leaky integrator behind a current-based synapse; give `tau_syn` and `tau_mem`.
#[must_use]
pub fn cuba_li() -> Neuron {
    Neuron::new(CubaLi)
}

impl Dynamics<1, 2, 5, 1> for CubaLi {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 2, 5, 1> = Signature {
        id: super::CUBA_LI,
        summary: "A leaky integrator behind a current-based synapse.",
        source: SOURCE,
        inputs: [DRIVE.input()],
        states: [CURRENT.state(0.0), MEMBRANE.state(0.0)],
        parameters: [TAU_SYN, TAU_MEM, R, LEAK, W_IN],
        outputs: [MEMBRANE.output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [x]: [S; 1], s: [S; 2], p: [S; 5]) -> [S; 2] {
        relax(x, s, p)
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 2], _: [S; 5], _: S) -> ([S; 2], [S; 1]) {
        (s, [s[1]])
    }
}

/// The definition of the leaky integrate-and-fire neuron behind a synapse: `y = z`.
#[derive(Debug, Clone, Copy)]
pub struct CubaLif;

/// A leaky integrate-and-fire neuron behind a current-based synapse; give `tau_syn` and `tau_mem`.
#[must_use]
pub fn cuba_lif() -> Neuron {
    Neuron::new(CubaLif)
}

impl Dynamics<1, 2, 7, 1> for CubaLif {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 2, 7, 1> = Signature {
        id: super::CUBA_LIF,
        summary: "A leaky integrate-and-fire neuron behind a current-based synapse.",
        source: SOURCE,
        inputs: [DRIVE.input()],
        states: [CURRENT.state(0.0), MEMBRANE.state(0.0)],
        parameters: [
            TAU_SYN,
            TAU_MEM,
            R,
            LEAK,
            W_IN,
            Quantity::new("v_threshold", "V", [0.1, 2.0], "potential at which it fires").parameter().or(1.0),
            Quantity::new("v_reset", "V", [-1.0, 0.0], "potential after a spike").parameter().or(0.0),
        ],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };
    const EVENT: Option<usize> = Some(1);

    #[inline(always)]
    fn flow<S: Scalar>(&self, [x]: [S; 1], s: [S; 2], [tau_syn, tau_mem, r, leak, w_in, ..]: [S; 7]) -> [S; 2] {
        relax(x, s, [tau_syn, tau_mem, r, leak, w_in])
    }

    #[inline(always)]
    fn threshold<S: Scalar>(&self, _: [S; 2], [.., theta, _]: [S; 7]) -> S {
        theta
    }

    #[inline(always)]
    fn reset<S: Scalar>(&self, [i, _]: [S; 2], [.., reset]: [S; 7]) -> [S; 2] {
        [i, reset]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 2], _: [S; 7], z: S) -> ([S; 2], [S; 1]) {
        (s, [z])
    }
}
