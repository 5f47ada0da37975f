//! Quantum materials whose dynamics computes.
