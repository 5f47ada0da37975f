//! What stands between the generator and the digitizer.

use std::fmt::Debug;

/// A device with one input and one output in volts, in continuous time, in software.
///
/// Whoever puts another device on the bench writes this for its twin, and a [`Realises`] for the driver.
pub trait Physics: Debug + Send {
    /// Lets so many seconds pass, none of them negative, under a voltage that is held.
    fn flow(&mut self, seconds: f64, volts: f64);

    /// The voltage at the output.
    fn output(&self) -> f64;

    /// Comes back without memory, as after a long rest at nought volts.
    fn restart(&mut self);
}

/// What a device realises: a transfer function, and the values of its parameters that are built into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Realises {
    /// The id of the function.
    pub id: &'static str,
    /// Names and values.
    pub parameters: Vec<(&'static str, f64)>,
    /// How long it takes to forget, in seconds: its slowest time constant.
    pub memory: f64,
}

/// A leaky integrator: a resistor and a capacitor, with a gain. `τ dv/dt = r u - v`.
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

    /// What it realises.
    #[must_use]
    pub fn realises(tau: f64, gain: f64) -> Realises {
        let parameters = vec![("tau", tau), ("r", gain), ("v_leak", 0.0)];
        Realises { id: isoform_core::functions::LI, parameters, memory: tau }
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
