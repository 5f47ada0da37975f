//! The memristor of Yakopcic et al.: a sinh of the voltage, thresholds, and a motion that slows near the ends.
//!
//! ```text
//! i = a1 x sinh(b v)  v >= 0,     a2 x sinh(b v)  v < 0
//! dx/dt = eta g(v) f(x, v)
//! g =  a_p (e^v - e^{v_p})                           v > v_p
//!     -a_n (e^{-v} - e^{v_n})                        v < -v_n,      else 0
//! f = e^{-alpha_p (x - x_p)} ((x_p - x)/(1 - x_p) + 1)   eta v >= 0 and x >= x_p
//!     e^{alpha_n (x + x_n - 1)} x/(1 - x_n)              eta v < 0 and x <= 1 - x_n,      else 1
//! ```
//! Source: Yakopcic, Taha, Subramanyam, Pino and Rogers, *A memristor device model*, IEEE Electron Device Lett. 32, 1436 (2011), equations
//! 1 to 6. The defaults are those of the model's deck for a 1.2 V, 1 Hz sine.

use super::{clip, sinh};
use isoform_core::dynamics::{Dynamics, Parameter, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The definition of Yakopcic's memristor.
#[derive(Debug, Clone, Copy)]
pub struct Yakopcic;

/// A memristor of Yakopcic et al.
#[must_use]
pub fn yakopcic() -> Neuron {
    Neuron::new(Yakopcic)
}

const fn given(name: &'static str, unit: &'static str, range: [f64; 2], meaning: &'static str, default: f64) -> Parameter {
    Quantity::new(name, unit, range, meaning).parameter().or(default)
}

impl Dynamics<1, 1, 13, 1> for Yakopcic {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 1, 13, 1> = Signature {
        id: "isoform.memristor.yakopcic/1",
        summary: "A memristor with a sinh current, threshold voltages and motion that slows near the ends.",
        source: "Yakopcic et al. 2011, IEEE Electron Device Lett. 32, 1436, equations 1 to 6",
        inputs: [Quantity::new("v", "V", [-1.2, 1.2], "voltage").input()],
        states: [Quantity::new("x", "1", [0.0, 1.0], "state of conduction").state_from(12)],
        parameters: [
            given("a1", "A", [0.01, 1.0], "scale of the current for positive voltages", 0.17),
            given("a2", "A", [0.01, 1.0], "scale of the current for negative voltages", 0.17),
            given("b", "1/V", [0.01, 1.0], "curvature of the current", 0.05),
            given("v_p", "V", [0.1, 1.0], "positive threshold", 0.16),
            given("v_n", "V", [0.1, 1.0], "magnitude of the negative threshold", 0.15),
            given("a_p", "1/s", [1e2, 1e4], "speed above the positive threshold", 4e3),
            given("a_n", "1/s", [1e2, 1e4], "speed below the negative threshold", 4e3),
            given("x_p", "1", [0.1, 0.9], "state from which it slows on its way up", 0.3),
            given("x_n", "1", [0.1, 0.9], "one less this, it slows on its way down", 0.5),
            given("alpha_p", "1", [0.5, 10.0], "how much it slows on its way up", 1.0),
            given("alpha_n", "1", [0.5, 10.0], "how much it slows on its way down", 5.0),
            given("eta", "1", [-1.0, 1.0], "direction: one, or minus one", 1.0),
            given("x_0", "1", [0.0, 1.0], "state after a reset", 0.11),
        ],
        outputs: [Quantity::new("i", "A", [-1e-2, 1e-2], "current").output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], p: [S; 13]) -> [S; 1] {
        let [_, _, _, v_p, v_n, a_p, a_n, x_p, x_n, alpha_p, alpha_n, eta, _] = p;
        let (nought, one) = (S::lit(0.0), S::lit(1.0));
        let up = v.above(v_p).select(a_p * (v.exp() - v_p.exp()), nought);
        let speed = (-v_n).above(v).select(-a_n * ((-v).exp() - v_n.exp()), up);
        let rising = (-alpha_p * (x - x_p)).exp() * ((x_p - x) / (one - x_p) + one);
        let falling = (alpha_n * (x + x_n - one)).exp() * (x / (one - x_n));
        let slowed = (eta * v)
            .at_or_above(nought)
            .select(x.at_or_above(x_p).select(rising, one), (one - x_n).at_or_above(x).select(falling, one));
        [eta * speed * slowed]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [a1, a2, b, ..]: [S; 13], _: S) -> ([S; 1], [S; 1]) {
        let x = clip(x, S::lit(0.0), S::lit(1.0));
        let scale = v.at_or_above(S::lit(0.0)).select(a1, a2);
        ([x], [scale * x * sinh(b * v)])
    }
}
