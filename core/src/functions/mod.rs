//! The library of transfer functions, one file each.
//!
//! The equations are those of the neuromorphic intermediate representation (Pedersen et al. 2024, Nature Communications 15,
//! 8122, table 1). Each constructor gives a [`Neuron`](crate::neuron::Neuron) whose parameters are then set by name.

mod cuba;
mod integrator;
mod leaky;
mod stateless;

pub use cuba::{CubaLi, CubaLif, cuba_li, cuba_lif};
pub use integrator::{I as Integrator, If, integrate_and_fire, integrator};
pub use leaky::{Li, Lif, li, lif};
pub use stateless::{Scale, Threshold, scale, threshold};

use crate::transfer::TransferFunction;
use std::sync::Arc;

/// Every function of the library, in the order in which boards number them.
#[must_use]
pub fn library() -> Vec<Arc<dyn TransferFunction>> {
    let all = [lif(), cuba_lif(), integrate_and_fire(), li(), cuba_li(), integrator(), threshold(), scale()];
    all.iter().map(|neuron| Arc::clone(neuron.function())).collect()
}

/// The id of the leaky integrate-and-fire neuron.
pub const LIF: &str = "isoform.lif/1";
/// The id of the leaky integrator.
pub const LI: &str = "isoform.li/1";
/// The id of the integrator.
pub const I: &str = "isoform.i/1";
/// The id of the integrate-and-fire neuron.
pub const IF: &str = "isoform.if/1";
/// The id of the leaky integrate-and-fire neuron with a current-based synapse.
pub const CUBA_LIF: &str = "isoform.cubalif/1";
/// The id of the leaky integrator with a current-based synapse.
pub const CUBA_LI: &str = "isoform.cubali/1";
/// The id of the threshold.
pub const THRESHOLD: &str = "isoform.threshold/1";
/// The id of the element-wise scale.
pub const SCALE: &str = "isoform.scale/1";
