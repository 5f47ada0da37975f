//! The spin-torque oscillator: a magnet that precesses by itself once the current overcomes its damping.
//!
//! ```text
//! dp/dt = -2 (Γ0 (1 + Q p) - σ I (1 - p)) p + noise ξ        dφ/dt = -(ω0 + N p)        y = (p, √p cos φ)
//! ```
//! Above the threshold `I_th = Γ0/σ`, with `ζ = I/I_th`, the power settles at `(ζ - 1)/(ζ + Q)` within `1/(2 Γ0 (ζ - 1))`; below, it
//! dies. The power is never below nought, where noise would take it, and the phase is kept between nought and `2π`.
//!
//! Source: Slavin and Tiberkevich 2009, IEEE Trans. Magn. 45, 1875.

use isoform_core::dynamics::{Draw, Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;
use std::f64::consts::TAU;

/// The id of the spin-torque oscillator.
pub const SPIN_TORQUE: &str = "isoform.spin-torque/1";

/// The definition of the spin-torque oscillator: `y = (p, √p cos φ)`.
#[derive(Debug, Clone, Copy)]
pub struct SpinTorque;

/// A spin-torque oscillator without noise, with a threshold of 1 mA.
#[must_use]
pub fn spin_torque() -> Neuron {
    Neuron::new(SpinTorque)
}

impl Dynamics<2, 2, 7, 2> for SpinTorque {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<2, 2, 7, 2> = Signature {
        id: SPIN_TORQUE,
        summary: "A magnet that precesses under a current.",
        source: "Slavin and Tiberkevich 2009, IEEE Trans. Magn. 45, 1875",
        inputs: [
            Quantity::new("i", "A", [0.0, 4e-3], "current").input(),
            Quantity::new("xi", "1/s^0.5", [-1e5, 1e5], "white noise of the power").drawn(Draw::White),
        ],
        states: [
            Quantity::new("p", "1", [0.0, 0.8], "power").state_from(5),
            Quantity::new("phi", "rad", [0.0, TAU], "phase").state(0.0),
        ],
        parameters: [
            Quantity::new("gamma_0", "1/s", [1e6, 1e8], "damping").parameter().or(TAU * 10e6).above_nought(),
            Quantity::new("q", "1", [0.0, 4.0], "growth of the damping with the power").parameter().or(2.0),
            Quantity::new("sigma", "1/(A s)", [1e10, 1e11], "efficiency of the current")
                .parameter()
                .or(TAU * 10e9)
                .above_nought(),
            Quantity::new("omega_0", "rad/s", [1e9, 1e10], "angular frequency without power").parameter().or(TAU * 300e6),
            Quantity::new("n", "rad/s", [-1e9, 1e9], "shift of the angular frequency with the power").parameter().or(0.0),
            Quantity::new("p_0", "1", [0.0, 0.1], "power at the start").parameter().or(1e-3),
            Quantity::new("noise", "1/s^0.5", [0.0, 100.0], "noise of the power").parameter().or(0.0),
        ],
        outputs: [
            Quantity::new("p", "1", [0.0, 0.8], "power").output(),
            Quantity::new("m", "1", [-1.0, 1.0], "component of the magnetisation that is read").output(),
        ],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i, xi]: [S; 2], [p, _]: [S; 2], k: [S; 7]) -> [S; 2] {
        let ([gamma_0, q, sigma, omega_0, n, _, noise], one) = (k, S::lit(1.0));
        let damping = gamma_0 * (one + q * p) - sigma * i * (one - p);
        [S::lit(-2.0) * damping * p + noise * xi, -(omega_0 + n * p)]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 2], [p, phi]: [S; 2], _: [S; 7], _: S) -> ([S; 2], [S; 2]) {
        let (p, turn) = (p.max(S::lit(0.0)), S::lit(TAU));
        let phi = phi - turn * (phi / turn).floor();
        ([p, phi], [p, p.sqrt() * phi.cos()])
    }
}
