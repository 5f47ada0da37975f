//! The Josephson-junction neuron: two junctions in a loop, of which one fires by slipping a turn and the other calls it back.
//!
//! ```text
//! φp'' = -Γ φp' - sin φp - λ (φc + φp) + Λs i_in + (1 - Λp) i_b
//! φc'' = -Γ φc' - sin φc - λ (φc + φp) + Λs i_in - Λp i_b               v = φp'
//! ```
//! Time is in units of the inverse plasma frequency, currents in critical currents, voltages such that a slip of one turn has the area `2π`: one
//! [flux quantum](FLUX_QUANTUM) of 2.0678 mV ps. Both junctions are alike.
//!
//! Source: Crotty, Schult and Segall 2010, Phys. Rev. E 82, 011914, for equal junctions.

use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The id of the Josephson-junction neuron.
pub const JOSEPHSON: &str = "isoform.josephson/1";

/// The flux quantum `h/2e` in volt seconds, of the constants that define the units since 2019: the area of a spike, whose phase slips by one turn.
pub const FLUX_QUANTUM: f64 = 6.626_070_15e-34 / (2.0 * 1.602_176_634e-19);

/// The definition of the Josephson-junction neuron: `y = v`.
#[derive(Debug, Clone, Copy)]
pub struct Josephson;

/// A Josephson-junction neuron with a bias of 1.9.
#[must_use]
pub fn josephson() -> Neuron {
    Neuron::new(Josephson)
}

impl Dynamics<1, 4, 5, 1> for Josephson {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 4, 5, 1> = Signature {
        id: JOSEPHSON,
        summary: "Two Josephson junctions in a loop, which fire like a neuron.",
        source: "Crotty, Schult and Segall 2010, Phys. Rev. E 82, 011914",
        inputs: [Quantity::new("i_in", "1", [0.0, 0.5], "current that comes in").input()],
        states: [
            Quantity::new("phi_p", "rad", [-10.0, 10.0], "phase of the junction that fires").state(0.0),
            Quantity::new("v_p", "1", [-1.0, 2.0], "voltage of the junction that fires").state(0.0),
            Quantity::new("phi_c", "rad", [-10.0, 10.0], "phase of the junction that controls").state(0.0),
            Quantity::new("v_c", "1", [-1.0, 2.0], "voltage of the junction that controls").state(0.0),
        ],
        parameters: [
            Quantity::new("gamma", "1", [0.5, 3.0], "damping").parameter().or(1.5).above_nought(),
            Quantity::new("lambda", "1", [0.0, 0.3], "coupling by the loop").parameter().or(0.1),
            Quantity::new("lambda_s", "1", [0.0, 1.0], "part of the input that drives").parameter().or(0.5),
            Quantity::new("lambda_p", "1", [0.0, 1.0], "part of the bias that goes to the control").parameter().or(0.5),
            Quantity::new("i_b", "1", [1.5, 2.5], "bias").parameter().or(1.9),
        ],
        outputs: [Quantity::new("v", "1", [-0.5, 2.0], "voltage of the junction that fires").output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i_in]: [S; 1], [phi_p, v_p, phi_c, v_c]: [S; 4], p: [S; 5]) -> [S; 4] {
        let [gamma, lambda, lambda_s, lambda_p, i_b] = p;
        let shared = lambda_s * i_in - lambda * (phi_c + phi_p);
        let fires = shared - gamma * v_p - phi_p.sin() + (S::lit(1.0) - lambda_p) * i_b;
        let controls = shared - gamma * v_c - phi_c.sin() - lambda_p * i_b;
        [v_p, fires, v_c, controls]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 4], _: [S; 5], _: S) -> ([S; 4], [S; 1]) {
        (s, [s[1]])
    }
}
