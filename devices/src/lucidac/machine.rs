//! What a circuit does: the differential equation of its integrators.
//!
//! ```text
//! dy_i/dt = -k_i Σ lanes into i         a multiplier gives the product of its two inputs, at once
//! ```
//! Integrators negate, multipliers do not (hardware of revision 1). An integrator stops at its rails. Multipliers have no rails and no delay here.

use super::circuit::{CLANES, CONSTANT_LANE, Circuit, INTEGRATORS, LANES, MULTIPLIERS, UPSCALING};

/// Where an integrator is overloaded and stops, in units of the machine.
pub const RAIL: f64 = 1.25;
/// The part of the shortest time constant that a step covers; the error of a step is of its fifth power.
const STEP: f64 = 0.04;

/// The outputs of the integrators.
pub type Outputs = [f64; INTEGRATORS];

/// A circuit, ready to be integrated.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Output, input and weight of each lane that is connected.
    lanes: Vec<(usize, usize, f64)>,
    /// What the constant adds to each input.
    constant: [f64; CLANES],
    rates: [f64; INTEGRATORS],
    /// The largest rate of change in 1/s that signals of one can cause.
    fastest: f64,
}

impl Machine {
    /// A circuit with factors as its converters make them.
    #[must_use]
    pub fn new(circuit: &Circuit) -> Self {
        let mut machine =
            Self { lanes: Vec::new(), constant: [0.0; CLANES], rates: circuit.integrators.map(|i| f64::from(i.k)), fastest: 0.0 };
        let mut loads = [0.0; CLANES];
        for lane in 0..LANES {
            let Some(source) = circuit.sources[lane].map(usize::from) else { continue };
            let weight = circuit.factors[lane] * if circuit.upscaling[lane] { UPSCALING } else { 1.0 };
            for input in (0..CLANES).filter(|&input| (circuit.sums[input] >> lane) & 1 == 1) {
                loads[input] += weight.abs();
                match circuit.constant {
                    Some(c) if source == if lane < CONSTANT_LANE { 15 } else { 14 } => machine.constant[input] += c * weight,
                    _ => machine.lanes.push((source, input, weight)),
                }
            }
        }
        let products = loads[INTEGRATORS..].iter().fold(1.0_f64, |most, &load| most.max(load));
        let fastest = |(&load, &rate): (&f64, &f64)| load * rate * 2.0 * products;
        machine.fastest = loads.iter().zip(&machine.rates).map(fastest).fold(1.0, f64::max);
        machine
    }

    /// All sixteen outputs for those of the integrators.
    #[must_use]
    pub fn outputs(&self, integrators: &Outputs) -> [f64; CLANES] {
        self.evaluate(integrators).0
    }

    /// Outputs and inputs. A chain of multipliers settles after as many rounds as it is long.
    fn evaluate(&self, integrators: &Outputs) -> ([f64; CLANES], [f64; CLANES]) {
        let mut outputs = [0.0; CLANES];
        outputs[..INTEGRATORS].copy_from_slice(integrators);
        let mut inputs = self.constant;
        for _ in 0..=MULTIPLIERS + 1 {
            inputs = self.constant;
            for &(source, input, weight) in &self.lanes {
                inputs[input] += weight * outputs[source];
            }
            let before = outputs;
            for m in 0..MULTIPLIERS {
                outputs[8 + m] = inputs[8 + 2 * m] * inputs[9 + 2 * m];
                outputs[12 + m] = inputs[8 + m];
            }
            if before == outputs {
                break;
            }
        }
        (outputs, inputs)
    }

    /// The rates of change in 1/s.
    #[must_use]
    pub fn derivative(&self, y: &Outputs) -> Outputs {
        let (_, inputs) = self.evaluate(y);
        std::array::from_fn(|i| -self.rates[i] * inputs[i])
    }

    /// Integrates for so many seconds, by the classical method of Runge and Kutta.
    pub fn advance(&self, y: &mut Outputs, seconds: f64) {
        let steps = (seconds * self.fastest / STEP).ceil().max(1.0);
        let h = seconds / steps;
        let moved = |y: &Outputs, k: &Outputs, h: f64| -> Outputs { std::array::from_fn(|i| y[i] + h * k[i]) };
        for _ in 0..whole(steps) {
            let a = self.derivative(y);
            let b = self.derivative(&moved(y, &a, h / 2.0));
            let c = self.derivative(&moved(y, &b, h / 2.0));
            let d = self.derivative(&moved(y, &c, h));
            for i in 0..INTEGRATORS {
                y[i] = (y[i] + h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i])).clamp(-RAIL, RAIL);
            }
        }
    }
}

/// A count of steps; a run of nine seconds at the highest rates has fewer than this.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count, saturating")]
fn whole(steps: f64) -> u64 {
    steps.min(1e10) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integrated(circuit: &Circuit, mut y: Outputs, seconds: f64) -> Outputs {
        Machine::new(circuit).advance(&mut y, seconds);
        y
    }

    #[test]
    fn integrators_negate_and_stop_at_their_rails() {
        let mut ramp = Circuit { constant: Some(1.0), ..Circuit::default() };
        ramp.connect(16, 14, 0.5, 0);
        ramp.connect(0, 15, -0.25, 1);
        let y = integrated(&ramp, [0.0; 8], 1e-4);
        assert!((y[0] + 0.5).abs() < 1e-12 && (y[1] - 0.25).abs() < 1e-12, "{y:?}");
        assert_eq!(integrated(&ramp, [0.0; 8], 1e-3)[0], -RAIL);
    }

    #[test]
    fn a_decay_is_an_exponential() {
        let mut decay = Circuit::default();
        decay.connect(3, 2, 5.0, 2);
        let mut y = [0.0; 8];
        y[2] = 0.8;
        let y = integrated(&decay, y, 4e-5);
        assert!((y[2] - 0.8 * (-2.0_f64).exp()).abs() < 1e-7, "{}", y[2]);
    }

    #[test]
    fn multipliers_multiply_and_chain() {
        let mut cube = Circuit::default();
        for (lane, (source, input)) in [(0, 8), (0, 9), (8, 10), (0, 11)].into_iter().enumerate() {
            cube.connect(lane, source, 1.0, input);
        }
        let outputs = Machine::new(&cube).outputs(&[-0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!((outputs[8], outputs[9], outputs[12]), (0.25, -0.125, -0.5));
    }
}
