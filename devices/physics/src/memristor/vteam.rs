//! The memristor with threshold voltages, VTEAM.
//!
//! ```text
//! dx/dt = k_off (v/v_off - 1)^alpha_off     v > v_off > 0
//!         k_on  (v/v_on  - 1)^alpha_on      v < v_on  < 0
//!         0                                 between
//! linear        R = r_on + (r_off - r_on) u            u = (x - x_on)/(x_off - x_on)
//! exponential   R = r_on e^{λ u},  λ = ln(r_off/r_on)
//! ```
//! Source: Kvatinsky, Ramadan, Friedman and Kolodny, *VTEAM: a general model for voltage-controlled memristors*, IEEE Trans. Circuits Syst. II
//! 62, 786 (2015), equations 3, 5 and 6. The windows of equation 3 are rectangular: one inside the range of `x`, at whose ends it is clipped.

use super::{clip, power};
use isoform_core::dynamics::{Dynamics, Parameter, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;
use std::fmt::Debug;

/// How the resistance follows from the state.
pub trait Law: Debug + Clone + Copy + Send + Sync + 'static {
    /// The id of the transfer function with this law.
    const ID: &'static str;
    /// One sentence on it.
    const SUMMARY: &'static str;
    /// The resistance for the fraction `u` of the range of the state, from `on` at nought to `off` at one.
    fn resistance<S: Scalar>(u: S, on: S, off: S) -> S;
}

/// The resistance is linear in the state.
#[derive(Debug, Clone, Copy)]
pub struct Linear;

/// The resistance is exponential in the state, as for a tunnelling gap.
#[derive(Debug, Clone, Copy)]
pub struct Exponential;

impl Law for Linear {
    const ID: &'static str = "isoform.memristor.vteam/1";
    const SUMMARY: &'static str = "A memristor with threshold voltages and a resistance linear in its state.";
    #[inline(always)]
    fn resistance<S: Scalar>(u: S, on: S, off: S) -> S {
        on + (off - on) * u
    }
}

impl Law for Exponential {
    const ID: &'static str = "isoform.memristor.vteam-exponential/1";
    const SUMMARY: &'static str = "A memristor with threshold voltages and a resistance exponential in its state.";
    #[inline(always)]
    fn resistance<S: Scalar>(u: S, on: S, off: S) -> S {
        on * ((off / on).ln() * u).exp()
    }
}

/// The definition of VTEAM with a law of resistance.
#[derive(Debug, Clone, Copy)]
pub struct Vteam<L>(pub L);

/// A memristor with threshold voltages, by default of 50 Ω to 1 kΩ.
#[must_use]
pub fn vteam(law: impl Law) -> Neuron {
    Neuron::new(Vteam(law))
}

const fn given(name: &'static str, unit: &'static str, range: [f64; 2], meaning: &'static str, default: f64) -> Parameter {
    Quantity::new(name, unit, range, meaning).parameter().or(default)
}

impl<L: Law> Dynamics<1, 1, 11, 1> for Vteam<L> {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 1, 11, 1> = Signature {
        id: L::ID,
        summary: L::SUMMARY,
        source: "Kvatinsky et al. 2015, IEEE Trans. Circuits Syst. II 62, 786, equations 3, 5 and 6",
        inputs: [Quantity::new("v", "V", [-1.0, 1.0], "voltage").input()],
        states: [Quantity::new("x", "m", [0.0, 3e-9], "width of the undoped region").state_from(10)],
        parameters: [
            given("r_on", "Ohm", [10.0, 1e3], "resistance at x_on", 50.0).above_nought(),
            given("r_off", "Ohm", [1e3, 1e6], "resistance at x_off", 1e3).above_nought(),
            given("k_off", "m/s", [1e-5, 1e-2], "speed above v_off", 5e-4),
            given("k_on", "m/s", [-100.0, -1e-2], "speed below v_on", -10.0),
            given("alpha_off", "1", [1.0, 5.0], "exponent above v_off", 1.0).above_nought(),
            given("alpha_on", "1", [1.0, 5.0], "exponent below v_on", 3.0).above_nought(),
            given("v_off", "V", [0.01, 0.5], "threshold above which the resistance grows", 0.02).above_nought(),
            given("v_on", "V", [-0.5, -0.01], "threshold below which it falls; negative", -0.2),
            given("x_on", "m", [0.0, 1e-9], "least width", 0.0),
            given("x_off", "m", [2e-9, 10e-9], "largest width", 3e-9),
            given("x_0", "m", [0.0, 3e-9], "width after a reset", 0.0),
        ],
        outputs: [Quantity::new("i", "A", [-2e-2, 2e-2], "current").output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(
        &self,
        [v]: [S; 1],
        _: [S; 1],
        [_, _, k_off, k_on, alpha_off, alpha_on, v_off, v_on, ..]: [S; 11],
    ) -> [S; 1] {
        let nought = S::lit(0.0);
        let rate = |k: S, threshold: S, alpha: S| k * power(v / threshold - S::lit(1.0), alpha);
        let growing = v.above(v_off).select(rate(k_off, v_off, alpha_off), nought);
        [v_on.above(v).select(rate(k_on, v_on, alpha_on), growing)]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], p: [S; 11], _: S) -> ([S; 1], [S; 1]) {
        let [on, off, .., x_on, x_off, _] = p;
        let x = clip(x, x_on, x_off);
        ([x], [v / L::resistance((x - x_on) / (x_off - x_on), on, off)])
    }
}
