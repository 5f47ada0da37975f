//! The thermal neuristor: a film of vanadium dioxide that discharges its own capacitance whenever it grows hot enough to be a metal.
//!
//! ```text
//! C dV/dt = (V_in - V)/R_L - V/R(T)
//! C_th dT/dt = V²/R(T) - S_env (T - T_0) + heat + C_th σ ξ          i = V/R(T)
//! ```
//! `R(T)` is that of [`hysteresis`](super::hysteresis), whose memory is part of the state and is brought up to date once a tick, after the
//! flow. Between a silent and a steady range of `V_in` the device spikes by itself.
//!
//! Source: Qiu et al. 2024, Adv. Mater. 36, 2306818; Zhang et al. 2023, arXiv 2312.12899.
//!
//! `heat` is what neighbours give (see [`array`](super::array)). `ξ` is white noise of unit density. The authors' program adds 1e-3 K/ns times
//! a normal number to `dT/dt` in each step of 10 ns, without regard to the length of the step: 0.01 K a step, which is `σ` = 100 K/√s and
//! then holds for every time step.

use super::hysteresis::{Film, Memory};
use isoform_core::dynamics::{Draw, Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The id of the neuristor.
pub const NEURISTOR: &str = "isoform.neuristor/1";

/// The capacitance in farad.
pub const C: f64 = 145.346_192_93e-12;
/// The thermal capacitance in joule a kelvin.
pub const C_TH: f64 = 49.627_768_31e-12;
/// The thermal conductance of an element in watt a kelvin, of which neighbours take their part.
pub const S_TH: f64 = 0.205_587_26e-3;
/// The load in ohm.
pub const R_L: f64 = 12e3;
/// The temperature of the surroundings in kelvin.
pub const T_0: f64 = 325.0;
/// The temperature noise of the authors' program in kelvin per square root of a second.
pub const NOISE: f64 = 100.0;

const FILM: Film<f64> = Film::PUBLISHED;

/// The definition of the thermal neuristor: `y = (i, T)`.
#[derive(Debug, Clone, Copy)]
pub struct Neuristor;

/// A thermal neuristor without noise.
#[must_use]
pub fn neuristor() -> Neuron {
    Neuron::new(Neuristor)
}

/// The states of a film that was never warmed, at the temperature of the surroundings in kelvin.
#[must_use]
pub fn cold(t_0: f64) -> [f64; 6] {
    [0.0, t_0, 1.0, t_0, 0.0, t_0]
}

#[inline(always)]
fn film<S: Scalar>([w, t_c, beta, r_0, e_a, r_m, gamma, ..]: [S; 13]) -> Film<S> {
    Film { w, t_c, beta, r_0, e_a, r_m, gamma }
}

#[inline(always)]
fn memory<S: Scalar>([_, _, delta, t_r, t_pr, t_last]: [S; 6]) -> Memory<S> {
    Memory { delta, t_r, t_pr, t_last }
}

impl Dynamics<3, 6, 13, 2> for Neuristor {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<3, 6, 13, 2> = Signature {
        id: NEURISTOR,
        summary: "A spiking film of vanadium dioxide with a thermal memory.",
        source: "Qiu et al. 2024, Adv. Mater. 36, 2306818; Zhang et al. 2023, arXiv 2312.12899",
        inputs: [
            Quantity::new("v_in", "V", [8.0, 17.0], "voltage at the load").input(),
            Quantity::new("heat", "W", [-1e-4, 1e-4], "heat from neighbours").input(),
            Quantity::new("xi", "1/s^0.5", [-1e5, 1e5], "white noise of the temperature").drawn(Draw::White),
        ],
        states: [
            Quantity::new("v", "V", [0.0, 15.0], "voltage at the film").state(0.0),
            Quantity::new("t", "K", [325.0, 370.0], "temperature").state_from(11),
            Quantity::new("delta", "1", [-1.0, 1.0], "whether it warms or cools").state(1.0),
            Quantity::new("t_r", "K", [325.0, 370.0], "temperature at which it turned").state_from(11),
            Quantity::new("t_pr", "K", [-7.2, 7.2], "distance from the major loop where it turned").state(0.0),
            Quantity::new("t_last", "K", [325.0, 370.0], "last temperature that was looked at").state_from(11),
        ],
        parameters: [
            Quantity::new("w", "K", [6.0, 8.0], "width of the major loop").parameter().or(FILM.w),
            Quantity::new("t_c", "K", [330.0, 335.0], "centre of the major loop").parameter().or(FILM.t_c),
            Quantity::new("beta", "1/K", [0.2, 0.3], "steepness of the transition").parameter().or(FILM.beta).above_nought(),
            Quantity::new("r_0", "Ohm", [5e-3, 6e-3], "resistance of the hot insulator").parameter().or(FILM.r_0).above_nought(),
            Quantity::new("e_a", "K", [5000.0, 5400.0], "activation energy").parameter().or(FILM.e_a),
            Quantity::new("r_m", "Ohm", [1200.0, 1400.0], "resistance of the metal").parameter().or(FILM.r_m).above_nought(),
            Quantity::new("gamma", "1", [0.9, 1.0], "approach of minor loops").parameter().or(FILM.gamma),
            Quantity::new("c", "F", [1e-10, 2e-10], "capacitance").parameter().or(C).above_nought(),
            Quantity::new("c_th", "J/K", [7e-12, 5e-11], "thermal capacitance").parameter().or(C_TH).above_nought(),
            Quantity::new("s_env", "W/K", [1.8e-4, 2.1e-4], "thermal conductance to the surroundings")
                .parameter()
                .or(S_TH)
                .above_nought(),
            Quantity::new("r_l", "Ohm", [1e4, 1.4e4], "load").parameter().or(R_L).above_nought(),
            Quantity::new("t_0", "K", [320.0, 330.0], "temperature of the surroundings").parameter().or(T_0).above_nought(),
            Quantity::new("noise", "K/s^0.5", [0.0, 100.0], "temperature noise").parameter().or(0.0),
        ],
        outputs: [
            Quantity::new("i", "A", [0.0, 5e-3], "current through the film").output(),
            Quantity::new("t", "K", [325.0, 375.0], "temperature").output(),
        ],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [v_in, heat, xi]: [S; 3], s: [S; 6], p: [S; 13]) -> [S; 6] {
        let ([v, t, ..], [.., c, c_th, s_env, r_l, t_0, noise]) = (s, p);
        let i = v / film(p).resistance(&memory(s), t);
        let dv = ((v_in - v) / r_l - i) / c;
        let dt = (v * i - s_env * (t - t_0) + heat) / c_th + noise * xi;
        let still = S::lit(0.0);
        [dv, dt, still, still, still, still]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 3], s: [S; 6], p: [S; 13], _: S) -> ([S; 6], [S; 2]) {
        let ([v, t, ..], film) = (s, film(p));
        let m = film.come(&memory(s), t);
        let i = v / film.resistance(&m, t);
        ([v, t, m.delta, m.t_r, m.t_pr, m.t_last], [i, t])
    }
}
