//! Meshes of Mach-Zehnder interferometers: complex matrices between modes of light, with heaters before and detectors behind them.
//!
//! From a matrix to light: [`decomposition`] takes a unitary matrix apart, [`singular`] any other; [`phases`] are what the elements are set to, in a
//! stated convention; [`circuit`] puts meshes, attenuators and gain together. What is not ideal: [`fabric`] (couplers, loss, steps and jitter of
//! phases), [`heaters`] (crosstalk, inertia), [`receiver`] (noise).

pub mod circuit;
pub mod decomposition;
pub mod fabric;
pub mod heaters;
pub mod matrix;
pub mod phases;
pub mod receiver;
pub mod singular;
