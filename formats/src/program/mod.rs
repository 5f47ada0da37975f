//! Programs from NIR graphs, and NIR graphs from programs.
//!
//! A NIR graph says what is computed, but neither a time step nor an order of operations: those are the
//! [`Semantics`](isoform_core::semantics::Semantics) that the caller gives. Edges that enter one node add up. A graph inside a
//! graph is put in its place; its nodes are called `graph/node`.

mod drafts;
mod export;
mod flatten;
mod import;

pub use export::to_nir;
pub use import::from_nir;

#[cfg(test)]
mod tests;
