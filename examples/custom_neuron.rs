//! A transfer function of one's own, on every digital substrate: defined once, with no kernel written.
//!
//! cargo run --release --example custom_neuron [LOCATOR…]
//!
//! The adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005, J. Neurophysiol. 94, 3637, equations 1 to 3):
//!
//! ```text
//! C dv/dt = -g (v - E) + g Δ exp((v - V_T)/Δ) - w + i        τ_w dw/dt = a (v - E) - w
//! where v > V_peak: v ← V_r, w ← w + b
//! ```

use isoform::core::dynamics::{Dynamics, Quantity, Signature};
use isoform::core::scalar::Scalar;
use isoform::core::semantics::Decay;
use isoform::prelude::*;

#[derive(Debug, Clone, Copy)]
struct AdEx;

impl Dynamics<1, 2, 9, 1> for AdEx {
    const SIGNATURE: Signature<1, 2, 9, 1> = Signature {
        id: "example.adex/1",
        summary: "An adaptive exponential integrate-and-fire neuron.",
        source: "Brette and Gerstner 2005, J. Neurophysiol. 94, 3637",
        inputs: [Quantity::new("i", "nA", [0.0, 1.5], "injected current").input()],
        states: [
            Quantity::new("v", "mV", [-80.0, 20.0], "membrane potential").state_from(2),
            Quantity::new("w", "nA", [-0.5, 1.0], "adaptation current").state(0.0),
        ],
        parameters: [
            Quantity::new("c", "nF", [0.1, 0.5], "membrane capacitance").parameter().or(0.281),
            Quantity::new("g", "uS", [0.01, 0.1], "leak conductance").parameter().or(0.03),
            Quantity::new("e", "mV", [-80.0, -60.0], "resting potential").parameter().or(-70.6),
            Quantity::new("v_t", "mV", [-60.0, -40.0], "potential at which the spike sets in").parameter().or(-50.4),
            Quantity::new("delta", "mV", [1.0, 4.0], "sharpness of the onset").parameter().or(2.0),
            Quantity::new("tau_w", "s", [0.02, 0.3], "time constant of the adaptation").parameter().or(0.144),
            Quantity::new("a", "uS", [0.0, 0.01], "adaptation below threshold").parameter().or(0.004),
            Quantity::new("b", "nA", [0.0, 0.2], "adaptation of each spike").parameter().or(0.0805),
            Quantity::new("v_peak", "mV", [-40.0, 20.0], "where a spike is cut").parameter().or(-30.0),
        ],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };
    const EVENT: Option<usize> = Some(0);

    // capacitance in nF, conductance in uS and current in nA make millivolts per millisecond, hence the thousand
    fn flow<S: Scalar>(&self, [i]: [S; 1], [v, w]: [S; 2], [c, g, e, v_t, delta, tau_w, a, ..]: [S; 9]) -> [S; 2] {
        let onset = g * delta * ((v - v_t) / delta).exp();
        [S::lit(1e3) * (g * (e - v) + onset - w + i) / c, (a * (v - e) - w) / tau_w]
    }
    fn threshold<S: Scalar>(&self, _: [S; 2], p: [S; 9]) -> S {
        p[8]
    }
    fn reset<S: Scalar>(&self, [_, w]: [S; 2], p: [S; 9]) -> [S; 2] {
        [p[2], w + p[7]]
    }
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 2], _: [S; 9], z: S) -> ([S; 2], [S; 1]) {
        (s, [z])
    }
}

const NEURONS: usize = 64;
const TICKS: usize = 5000;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<()> {
    let mut net = Builder::new();
    let current = net.input("current", [NEURONS]);
    let spikes = net.node("adex", Neuron::new(AdEx), current);
    net.output("spikes", spikes);
    // the flow is not affine, so that it has no exact decay
    let program = net.build(Semantics::exact(1e-4).with_decay(Decay::Euler))?;

    let named: Vec<String> = std::env::args().skip(1).collect();
    let usual = ["oracle:", "cpu:", "wgpu:", "opencl:"].map(String::from).to_vec();
    let locators = if named.is_empty() { usual } else { named };
    let injected: Vec<f32> = (0..NEURONS).map(|k| 0.5 + k as f32 / NEURONS as f32).collect();
    println!("{NEURONS} adaptive exponential neurons under constant currents of 0.5 to 1.5 nA, {TICKS} ticks of 0.1 ms\n");
    println!("{:<19} {:>7}  {:>28}  {:>22}", "substrate", "spikes", "of the weakest and strongest", "samples as on the first");
    let mut first: Option<Vec<f32>> = None;
    for locator in &locators {
        let substrate = match registry().open_str(locator) {
            Ok(substrate) => substrate,
            Err(absent) if absent.kind() == ErrorKind::NotFound => {
                println!("{locator:<19} NOT RUN: {absent}");
                continue;
            }
            Err(other) => return Err(other),
        };
        let mut session = Blocking::open(substrate.as_ref(), &program, &Run::new())?;
        let y = session.run(&injected.repeat(TICKS))?;
        let of = |k: usize| y.iter().skip(k).step_by(NEURONS).sum::<f32>();
        let first = first.get_or_insert_with(|| y.clone());
        let equal = first.iter().zip(&y).filter(|(a, b)| a == b).count();
        println!(
            "{locator:<19} {:>7}  {:>14} {:>13}  {:>11} of {}",
            y.iter().sum::<f32>(),
            of(0),
            of(NEURONS - 1),
            equal,
            y.len()
        );
    }
    Ok(())
}
