//! Meshes of Mach-Zehnder interferometers: complex matrices between modes of light, with heaters before and detectors behind them.
//!
//! From a matrix to light: [`decomposition`] takes a unitary matrix apart, [`singular`] any other; [`phases`] are what the elements are set to, in a
//! stated convention; [`circuit`] puts meshes, attenuators and gain together. What is not ideal: [`fabric`] (couplers, loss, steps and jitter of
//! phases), [`heaters`] (crosstalk, inertia), [`receiver`] (noise). All together is [`substrate`], the twin that realises programs.

mod blocks;
mod bounds;
mod chip;
pub mod circuit;
pub mod decomposition;
pub mod detection;
pub mod fabric;
pub mod heaters;
pub mod matrix;
pub mod phases;
mod product;
mod readout;
mod realization;
pub mod receiver;
mod section;
pub mod settings;
pub mod singular;
mod stage;
pub mod substrate;

pub use settings::OPTIONS;
pub use substrate::open;
