//! The filamentary memristor of Stanford and Peking University: a gap that a field and heat open and close.
//!
//! ```text
//! i = i_0 e^{-g/g_0} sinh(v/v_0)                    T = t_0 + |v i| r_th
//! dg/dt = -nu_0 e^{-q e_a/(k T)} sinh(γ (a_0/t_ox) q v/(k T))
//! γ = gamma_0 - beta (g/1 nm)³, and nought where γ |v|/t_ox < f_min
//! ```
//! With noise, `delta_g √step ξ / (1 + e^{(t_crit - T)/t_smooth})` is added to `dg/dt`, where `ξ` is white noise of unit density. The publication
//! draws one number of amplitude `delta_g` for each time step of the simulator; the two agree where the tick is as long as `step`, and
//! here the effect on the gap does not change with the tick.
//!
//! Source: Jiang, Wu, Yu, Chen, Wong et al., *A compact model for metal-oxide resistive random access memory with experiment verification*,
//! IEEE Trans. Electron Devices 63, 1884 (2016); constants of its Verilog-A release.

use super::{clip, sinh};
use isoform_core::dynamics::{Draw, Dynamics, Output, Parameter, Quantity, Signature, State};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The elementary charge over Boltzmann's constant, in kelvin a volt, with the constants of the publication.
const CHARGE_OVER_BOLTZMANN: f64 = 1.6e-19 / 1.380_650_3e-23;

/// The definition of the filamentary memristor.
#[derive(Debug, Clone, Copy)]
pub struct StanfordPku;

/// The definition of the filamentary memristor whose gap fluctuates.
#[derive(Debug, Clone, Copy)]
pub struct NoisyStanfordPku;

impl StanfordPku {
    /// The temperature of the filament under a voltage, in kelvin, for the gap `g` and the parameters of the signature.
    #[must_use]
    #[inline(always)]
    pub fn temperature<S: Scalar>(v: S, g: S, p: [S; 15]) -> S {
        temperature(v, g, p)
    }
}

/// A filamentary memristor.
#[must_use]
pub fn stanford_pku() -> Neuron {
    Neuron::new(StanfordPku)
}

/// A filamentary memristor whose gap fluctuates.
#[must_use]
pub fn noisy_stanford_pku() -> Neuron {
    Neuron::new(NoisyStanfordPku)
}

const fn given(name: &'static str, unit: &'static str, range: [f64; 2], meaning: &'static str, default: f64) -> Parameter {
    Quantity::new(name, unit, range, meaning).parameter().or(default).above_nought()
}

const SOURCE: &str = "Jiang et al. 2016, IEEE Trans. Electron Devices 63, 1884";
const VOLTAGE: Quantity = Quantity::new("v", "V", [-2.0, 2.0], "voltage");
const GAP: State =
    Quantity::new("g", "m", [2e-10, 1.7e-9], "gap between the tip of the filament and the electrode").state_from(14);
const CURRENT: Output = Quantity::new("i", "A", [-1e-2, 1e-2], "current").output();
const PARAMETERS: [Parameter; 15] = [
    given("g_0", "m", [1e-10, 1e-9], "gap by which the current falls e-fold", 0.25e-9),
    given("v_0", "V", [0.1, 1.0], "voltage by which the current bends", 0.25),
    given("i_0", "A", [1e-4, 1e-2], "scale of the current", 1e-3),
    given("r_th", "K/W", [1e3, 1e4], "thermal resistance", 2.1e3),
    given("gamma_0", "1", [5.0, 30.0], "enhancement of the field for a closed gap", 16.0),
    given("beta", "1", [0.1, 2.0], "how it falls with the gap", 0.8),
    given("t_ox", "m", [5e-9, 20e-9], "thickness of the oxide", 12e-9),
    given("f_min", "V/m", [1e8, 5e9], "least field that moves the gap", 1.4e9),
    given("nu_0", "m/s", [1.0, 100.0], "speed of attempts", 10.0),
    given("e_a", "eV", [0.3, 1.5], "energy of activation", 0.6),
    given("a_0", "m", [1e-10, 1e-9], "distance of a hop", 0.25e-9),
    given("t_0", "K", [250.0, 400.0], "temperature around", 298.0),
    given("g_min", "m", [1e-10, 5e-10], "least gap", 0.2e-9),
    given("g_max", "m", [1e-9, 3e-9], "largest gap", 1.7e-9),
    given("g_start", "m", [2e-10, 1.7e-9], "gap after a reset", 0.2e-9),
];

#[inline(always)]
fn current<S: Scalar>(v: S, g: S, [g_0, v_0, i_0, ..]: [S; 15]) -> S {
    i_0 * (-g / g_0).exp() * sinh(v / v_0)
}

#[inline(always)]
fn temperature<S: Scalar>(v: S, g: S, p: [S; 15]) -> S {
    p[11] + (v * current(v, g, p)).abs() * p[3]
}

#[inline(always)]
fn drift<S: Scalar>(v: S, g: S, p: [S; 15]) -> S {
    let [_, _, _, _, gamma_0, beta, t_ox, f_min, nu_0, e_a, a_0, ..] = p;
    let per_volt = S::lit(CHARGE_OVER_BOLTZMANN) / temperature(v, g, p);
    let gap = g / S::lit(1e-9);
    let enhanced = gamma_0 - beta * gap * gap * gap;
    let gamma = (enhanced * v.abs() / t_ox).at_or_above(f_min).select(enhanced, S::lit(0.0));
    -nu_0 * (-e_a * per_volt).exp() * sinh(gamma * (a_0 / t_ox) * v * per_volt)
}

#[inline(always)]
fn settle<S: Scalar>(v: S, g: S, p: [S; 15]) -> ([S; 1], [S; 1]) {
    let g = clip(g, p[12], p[13]);
    ([g], [current(v, g, p)])
}

impl Dynamics<1, 1, 15, 1> for StanfordPku {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 1, 15, 1> = Signature {
        id: "isoform.memristor.stanford-pku/1",
        summary: "A filamentary memristor whose gap moves with field and heat.",
        source: SOURCE,
        inputs: [VOLTAGE.input()],
        states: [GAP],
        parameters: PARAMETERS,
        outputs: [CURRENT],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [v]: [S; 1], [g]: [S; 1], p: [S; 15]) -> [S; 1] {
        [drift(v, g, p)]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [v]: [S; 1], [g]: [S; 1], p: [S; 15], _: S) -> ([S; 1], [S; 1]) {
        settle(v, g, p)
    }
}

/// The parameters of the gap, then those of its noise.
const NOISY_PARAMETERS: [Parameter; 19] = {
    let mut all = [given("delta_g", "m/s", [1e-3, 0.1], "amplitude of the fluctuation of the gap", 0.02); 19];
    let mut k = 0;
    while k < PARAMETERS.len() {
        all[k] = PARAMETERS[k];
        k += 1;
    }
    all[16] = given("step", "s", [1e-12, 1e-6], "time step for which delta_g is meant", 1e-9);
    all[17] = given("t_crit", "K", [400.0, 600.0], "temperature at which it fluctuates half as much as it can", 450.0);
    all[18] = given("t_smooth", "K", [100.0, 1e3], "range of temperature in which it sets in", 500.0);
    all
};

impl Dynamics<2, 1, 19, 1> for NoisyStanfordPku {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<2, 1, 19, 1> = Signature {
        id: "isoform.memristor.stanford-pku-noisy/1",
        summary: "A filamentary memristor whose gap moves with field and heat, and fluctuates.",
        source: SOURCE,
        inputs: [
            VOLTAGE.input(),
            Quantity::new("xi", "1/sqrt(s)", [-1e5, 1e5], "white noise of unit density").drawn(Draw::White),
        ],
        states: [GAP],
        parameters: NOISY_PARAMETERS,
        outputs: [CURRENT],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [v, xi]: [S; 2], [g]: [S; 1], p: [S; 19]) -> [S; 1] {
        let [.., delta_g, step, t_crit, t_smooth] = p;
        let gap = gap_parameters(p);
        let hot = ((temperature(v, g, gap) - t_crit) / t_smooth).sigmoid();
        [drift(v, g, gap) + delta_g * step.sqrt() * xi * hot]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [v, _]: [S; 2], [g]: [S; 1], p: [S; 19], _: S) -> ([S; 1], [S; 1]) {
        settle(v, g, gap_parameters(p))
    }
}

#[inline(always)]
fn gap_parameters<S: Scalar>(p: [S; 19]) -> [S; 15] {
    let mut gap = [p[0]; 15];
    gap.copy_from_slice(&p[..15]);
    gap
}
