//! Substrates around substrates.
//!
//! A layer wraps any substrate and is one itself. Layers that need a clock or a file take them from the caller, since this crate
//! does no I/O. [`register`] adds the schemes of those that need neither.

pub(crate) mod loose;
mod noise;
mod place;
mod quantise;
pub mod record;
mod renew;
pub mod replay;
mod timeout;

pub use noise::Noise;
pub use place::Place;
pub use quantise::Quantise;
pub use renew::Renew;
pub use timeout::{Clock, Timeout};

use crate::error::{Error, Result};
use crate::locator::Options;
use crate::profile::Class;
use crate::registry::{Entry, Registry};
use crate::substrate::Substrate;
use std::sync::Arc;

/// Hands every facet on to the realization in a field: the part of [`Realization`](crate::substrate::Realization) that layers which change no facet
/// have in common.
#[macro_export]
macro_rules! hand_on_facets {
    ($inner:ident) => {
        fn memory(&mut self) -> Option<&mut dyn $crate::substrate::Memory> {
            self.$inner.memory()
        }

        fn tuning(&mut self) -> Option<&mut dyn $crate::substrate::Tuning> {
            self.$inner.tuning()
        }

        fn plasticity(&mut self) -> Option<&mut dyn $crate::substrate::Plasticity> {
            self.$inner.plasticity()
        }

        fn calibration(&mut self) -> Option<&mut dyn $crate::calibration::Calibration> {
            self.$inner.calibration()
        }

        fn rest(&mut self) -> Option<&mut dyn $crate::substrate::Rest> {
            self.$inner.rest()
        }
    };
}

/// The class of a substrate to which a layer adds noise: what wears or runs on goes on to, all others become noisy.
fn noisy(below: Class) -> Class {
    match below {
        Class::AnalogWearing | Class::FreeRunning => below,
        _ => Class::AnalogNoisy,
    }
}

/// Adds the schemes `noise:`, `quantise:`, `renew:` and `place:`.
pub fn register(registry: &mut Registry) {
    registry.register("place", place::entry());
    let noise = Entry::new("adds normal noise to the outputs of another substrate", |locator, registry| {
        let mut options = locator.reader();
        let (inner, sigma) = (inner(&mut options, registry)?, required(&mut options, "sigma")?);
        let margin = options.take("margin")?.unwrap_or(noise::MARGIN);
        options.finish(&["on", "sigma", "margin"])?;
        Ok(Arc::new(Noise::new(inner, sigma, margin)?))
    });
    registry.register(
        "noise",
        noise.with_options(&[
            ("on", "the substrate, in brackets"),
            ("sigma", "standard deviation in output units"),
            ("margin", "the most that it promises the mean of an output to be off, in output units; 0.05 if absent"),
        ]),
    );
    let renew = Entry::new("makes the calibrations of another substrate anew when their time is over", |locator, registry| {
        let mut options = locator.reader();
        let inner = inner(&mut options, registry)?;
        options.finish(&["on"])?;
        Ok(Arc::new(Renew::new(inner)))
    });
    registry.register("renew", renew.with_options(&[("on", "the substrate, in brackets")]));
    let quantise = Entry::new("rounds the outputs of another substrate to a grid", |locator, registry| {
        let mut options = locator.reader();
        let (inner, step) = (inner(&mut options, registry)?, required(&mut options, "step")?);
        let range = options.take("range")?.unwrap_or(f64::from(f32::MAX));
        options.finish(&["on", "step", "range"])?;
        Ok(Arc::new(Quantise::new(inner, step, range)?))
    });
    registry.register(
        "quantise",
        quantise.with_options(&[
            ("on", "the substrate, in brackets"),
            ("step", "distance of two output levels"),
            ("range", "largest magnitude of an output, beyond which it is clipped and counted; none if absent"),
        ]),
    );
}

/// Opens the substrate that a layer wraps: the option `on`.
///
/// # Errors
/// `NotFound` if the option is missing or names nothing.
pub fn inner(options: &mut Options<'_>, registry: &Registry) -> Result<Arc<dyn Substrate>> {
    let locator = options.take_nested("on")?;
    registry.open(&locator.ok_or_else(|| Error::not_found("the substrate underneath is missing; write on=(cpu:)"))?)
}

fn required(options: &mut Options<'_>, key: &str) -> Result<f64> {
    options.take(key)?.ok_or_else(|| Error::not_found(format!("the option {key} is missing; write {key}=0.1")))
}
