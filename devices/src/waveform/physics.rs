//! What stands between the generator and the digitizer.
//!
//! Whoever puts another device on the bench writes a [`Datasheet`] for the driver, and a [`Physics`] for the twin: see [`leaky`](super::leaky)
//! and [`neuristor`](super::neuristor).

use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Class;
use isoform_core::program::Program;
use std::fmt::Debug;

/// A device with one input and one output in volts, in continuous time, in software.
pub trait Physics: Debug + Send {
    /// Lets so many seconds pass, none of them negative, under a voltage that is held.
    fn flow(&mut self, seconds: f64, volts: f64);

    /// The voltage at the output.
    fn output(&self) -> f64;

    /// Comes back without memory, as after a long rest at nought volts.
    fn restart(&mut self);
}

/// What the driver knows of a device.
pub trait Datasheet: Debug + Send {
    /// The kinds of nodes that it takes, the device itself first.
    fn takes(&self) -> Vec<String>;

    /// Checks that a program is this device, and gives what is made of the voltages at its output.
    ///
    /// # Errors
    /// `Unsupported`, naming the node that is not on the bench.
    fn place(&self, program: &Program) -> Result<Box<dyn Readout>>;

    /// A program that it realises.
    ///
    /// # Errors
    /// `InvalidProgram` if the device has parameters that no program may have.
    fn exemplar(&self) -> Result<Program>;

    /// The range of input signals.
    fn input(&self) -> [f64; 2];

    /// Volts at the input for a signal of one.
    fn scale(&self) -> f64;

    /// The most by which an output changes in so many seconds, by which a sample of the digitizer is early.
    fn moves(&self, seconds: f64) -> f64;

    /// Whether the device follows its input alone, or runs by itself.
    fn class(&self) -> Class;

    /// What is promised of outputs, if the digitizer has so many volts at full scale.
    fn medium(&self, range: f64) -> Medium;
}

/// What is made of the voltages at the output of the device.
pub trait Readout: Debug + Send {
    /// Begins anew, before the first tick of a waveform.
    fn begin(&mut self);

    /// The output of a tick at whose end so many volts are at the output of the device.
    fn tick(&mut self, volts: f64) -> f64;
}
