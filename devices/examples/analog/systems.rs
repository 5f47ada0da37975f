//! Four systems that flow: the leaky integrator of the library, and three that a user would write.

use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::Result;
use isoform_core::functions::li;
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Semantics};

/// A damped oscillator: `dx/dt = ω v`, `dv/dt = -ω x - 2 ζ ω v`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oscillator;

impl Dynamics<0, 2, 2, 2> for Oscillator {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<0, 2, 2, 2> = Signature {
        id: "example.oscillator/1",
        summary: "A damped oscillator.",
        source: "Newton's second law for a spring and a dashpot, in units of the amplitude",
        inputs: [],
        states: [
            Quantity::new("x", "1", [-1.0, 1.0], "displacement").state(0.9),
            Quantity::new("v", "1", [-1.0, 1.0], "velocity, divided by the angular frequency").state(0.0),
        ],
        parameters: [
            Quantity::new("omega", "1/s", [1.0, 100.0], "angular frequency without damping").parameter().above_nought(),
            Quantity::new("zeta", "1", [0.0, 1.0], "damping ratio").parameter().or(0.05),
        ],
        outputs: [
            Quantity::new("x", "1", [-1.0, 1.0], "displacement").output(),
            Quantity::new("v", "1", [-1.0, 1.0], "velocity, divided by the angular frequency").output(),
        ],
    };

    fn flow<S: Scalar>(&self, _: [S; 0], [x, v]: [S; 2], [omega, zeta]: [S; 2]) -> [S; 2] {
        [omega * v, -omega * x - S::lit(2.0) * zeta * omega * v]
    }
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 2], _: [S; 2], _: S) -> ([S; 2], [S; 2]) {
        (s, s)
    }
}

/// The oscillator of van der Pol: `dx/dt = y`, `dy/dt = μ (1 - x²) y - x`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VanDerPol;

impl Dynamics<0, 2, 1, 2> for VanDerPol {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<0, 2, 1, 2> = Signature {
        id: "example.van-der-pol/1",
        summary: "The oscillator of van der Pol.",
        source: "van der Pol 1926, Phil. Mag. 2, 978",
        inputs: [],
        states: [
            Quantity::new("x", "1", [-2.2, 2.2], "grid voltage").state(1.0),
            Quantity::new("y", "1", [-3.0, 3.0], "its rate of change").state(0.0),
        ],
        parameters: [Quantity::new("mu", "1", [0.1, 1.0], "strength of the damping").parameter().or(1.0)],
        outputs: [
            Quantity::new("x", "1", [-2.2, 2.2], "grid voltage").output(),
            Quantity::new("y", "1", [-3.0, 3.0], "its rate of change").output(),
        ],
    };

    fn flow<S: Scalar>(&self, _: [S; 0], [x, y]: [S; 2], [mu]: [S; 1]) -> [S; 2] {
        [y, mu * (S::lit(1.0) - x * x) * y - x]
    }
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 2], _: [S; 1], _: S) -> ([S; 2], [S; 2]) {
        (s, s)
    }
}

/// The convection of Lorenz: `dx/dt = σ (y - x)`, `dy/dt = x (ρ - z) - y`, `dz/dt = x y - β z`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lorenz;

impl Dynamics<0, 3, 3, 3> for Lorenz {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<0, 3, 3, 3> = Signature {
        id: "example.lorenz/1",
        summary: "The convection of Lorenz.",
        source: "Lorenz 1963, J. Atmos. Sci. 20, 130, equations 25 to 27",
        inputs: [],
        states: [
            Quantity::new("x", "1", [-20.0, 20.0], "intensity of convection").state(1.0),
            Quantity::new("y", "1", [-30.0, 30.0], "temperature difference").state(1.0),
            Quantity::new("z", "1", [0.0, 50.0], "distortion of the temperature profile").state(20.0),
        ],
        parameters: [
            Quantity::new("sigma", "1", [5.0, 20.0], "Prandtl number").parameter().or(10.0),
            Quantity::new("rho", "1", [0.0, 30.0], "Rayleigh number over its critical value").parameter().or(28.0),
            Quantity::new("beta", "1", [1.0, 4.0], "aspect of the cell").parameter().or(8.0 / 3.0),
        ],
        outputs: [
            Quantity::new("x", "1", [-20.0, 20.0], "intensity of convection").output(),
            Quantity::new("y", "1", [-30.0, 30.0], "temperature difference").output(),
            Quantity::new("z", "1", [0.0, 50.0], "distortion of the temperature profile").output(),
        ],
    };

    fn flow<S: Scalar>(&self, _: [S; 0], [x, y, z]: [S; 3], [sigma, rho, beta]: [S; 3]) -> [S; 3] {
        [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
    }
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 3], _: [S; 3], _: S) -> ([S; 3], [S; 3]) {
        (s, s)
    }
}

/// A program of one node of one channel whose outputs are all its states.
fn alone(neuron: impl Into<isoform_core::builder::Draft>, outputs: &[&str], semantics: Semantics) -> Result<Program> {
    let mut net = Builder::new();
    let wire = net.node("system", neuron, Vec::new());
    net.shape("system", [1]);
    for (port, name) in outputs.iter().enumerate() {
        net.output(name, wire.port(port));
    }
    net.build(semantics)
}

/// The leaky integrator: 20 ms, ticks of a millisecond.
pub(crate) fn leaky() -> Result<Program> {
    let mut net = Builder::new();
    let current = net.input("i", [1]);
    let v = net.node("membrane", li().with("tau", 20e-3).with("r", 0.5).with("v_leak", 0.1), current);
    net.output("v", v);
    net.build(Semantics::exact(1e-3))
}

/// The damped oscillator: ten periods a second, ticks of a millisecond.
pub(crate) fn oscillator() -> Result<Program> {
    let neuron = Neuron::new(Oscillator).with("omega", 20.0 * std::f64::consts::PI);
    alone(neuron, &["x", "v"], Semantics::exact(1e-3))
}

/// Van der Pol's oscillator, ticks of a fiftieth.
pub(crate) fn van_der_pol() -> Result<Program> {
    alone(Neuron::new(VanDerPol), &["x", "y"], Semantics::exact(0.02).with_decay(Decay::Euler))
}

/// Lorenz's convection, ticks of a hundredth.
pub(crate) fn lorenz() -> Result<Program> {
    alone(Neuron::new(Lorenz), &["x", "y", "z"], Semantics::exact(0.01).with_decay(Decay::Euler))
}
