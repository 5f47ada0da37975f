//! The statistics by which noisy media are judged.
//!
//! Numbers that a stateful medium gives one after the other are not independent, so that nothing here takes single samples for evidence: a
//! [`series`] says how many ticks make one, and [`equivalence`] works on means of batches that are much longer.

pub mod capacity;
pub mod equivalence;
pub mod permutation;
pub mod series;
pub mod spread;
