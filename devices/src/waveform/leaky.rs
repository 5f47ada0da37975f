//! A leaky integrator: a resistor and a capacitor, with a gain. `τ dv/dt = r u - v`.

use super::physics::{Datasheet, Physics, Readout};
use crate::single::only_node;
use isoform_core::error::{Error, Result};
use isoform_core::functions::{LI, li};
use isoform_core::medium::Medium;
use isoform_core::profile::Class;
use isoform_core::program::{Node, NodeKind, Program};
use isoform_core::semantics::{Decay, Drive, Number, Semantics};

/// Seconds of a tick of the program that it shows of itself.
const TICK: f64 = 1e-3;
/// How far a parameter of a program may be from that of the device, relative to it: single precision and a bit.
const SAME: f64 = 1e-6;
/// The most by which the mean of an output is off, relative to the range of the digitizer: what the device moves in the part of a sample by which
/// the delay is no whole number of samples, for which a program is refused where that is more, and the steps of the converters.
const MARGIN: f64 = 2e-3;
/// The standard deviation of an output, relative to the range of the digitizer: its noise and its step at fourteen bits.
const NOISE: f64 = 1e-4;

/// The device in software.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaky {
    tau: f64,
    gain: f64,
    volts: f64,
}

impl Leaky {
    /// A discharged one, of a time constant in seconds and a gain.
    #[must_use]
    pub fn new(tau: f64, gain: f64) -> Self {
        Self { tau, gain, volts: 0.0 }
    }
}

impl Physics for Leaky {
    fn flow(&mut self, seconds: f64, volts: f64) {
        let end = self.gain * volts;
        self.volts = end + (self.volts - end) * (-seconds / self.tau).exp();
    }

    fn output(&self) -> f64 {
        self.volts
    }

    fn restart(&mut self) {
        self.volts = 0.0;
    }
}

/// What is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The time constant in seconds.
    pub tau: f64,
    /// The gain.
    pub gain: f64,
    /// Volts for a signal of one, at the input and at the output.
    pub scale: f64,
    /// The highest voltage at the input.
    pub v_max: f64,
}

impl Known {
    fn parameters(&self) -> [(&'static str, f64); 3] {
        [("tau", self.tau), ("r", self.gain), ("v_leak", 0.0)]
    }

    /// Whether a node is the device.
    fn check(&self, node: &Node) -> Result<()> {
        let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
        let (function, parameters) = match &node.kind {
            NodeKind::Dynamics { function, parameters } if function.signature().id == LI => (function, parameters),
            _ => return refuse(format!("the device on the bench is a {LI}, not a {}", node.kind_name())),
        };
        if node.channels() != 1 {
            return refuse(format!("there is one device on the bench, not {}", node.channels()));
        }
        for (parameter, tensor) in function.signature().parameters.iter().zip(parameters) {
            let name = parameter.quantity.name;
            let Some((_, own)) = self.parameters().into_iter().find(|(n, _)| *n == name) else { continue };
            let wanted = tensor.at(0);
            if (wanted - own).abs() > SAME * own.abs() {
                return refuse(format!("{name} is {wanted}, but that of the device on the bench is {own}: it cannot be set"));
            }
        }
        let semantics = &node.semantics;
        if semantics.decay != Decay::Exact || semantics.drive != Drive::Held || semantics.number != Number::Real {
            return refuse(String::from("a device flows by itself under a held input; choose the semantics exact"));
        }
        Ok(())
    }
}

impl Datasheet for Known {
    fn takes(&self) -> Vec<String> {
        vec![LI.to_owned()]
    }

    fn place(&self, program: &Program) -> Result<Box<dyn Readout>> {
        self.check(only_node(program, "the bench")?)?;
        Ok(Box::new(Scaled(self.scale)))
    }

    fn exemplar(&self) -> Result<Program> {
        let neuron = self.parameters().into_iter().fold(li(), |neuron, (name, value)| neuron.with(name, value));
        Program::single("device", neuron, [1], Semantics::exact(TICK))
    }

    fn input(&self) -> [f64; 2] {
        let most = self.v_max / self.scale;
        [-most, most]
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn moves(&self, seconds: f64) -> f64 {
        // |r u| + |v|, both at most the gain times the highest voltage
        2.0 * self.gain * self.v_max / self.tau * seconds / self.scale
    }

    fn class(&self) -> Class {
        Class::AnalogNoisy
    }

    fn medium(&self, range: f64) -> Medium {
        Medium::new(MARGIN * range / self.scale, NOISE * range / self.scale)
    }
}

/// The voltage itself, by the volts for a signal of one.
#[derive(Debug)]
struct Scaled(f64);

impl Readout for Scaled {
    fn begin(&mut self) {}

    fn tick(&mut self, volts: f64) -> f64 {
        volts / self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacitor_charges_and_discharges() {
        let mut device = Leaky::new(1e-3, 2.0);
        device.flow(1e-3, 0.5);
        assert!((device.output() - 0.632_120_558_828_557_7).abs() < 1e-15);
        device.flow(0.5e-3, 0.0);
        assert!((device.output() - 0.383_400_499_859_397_6).abs() < 1e-4);
        device.restart();
        assert_eq!(device.output(), 0.0);
    }
}
