//! Media that realise programs by themselves, as twins: no instrument and no wire is between.

use isoform_core::error::{Error, Result};
use isoform_core::locator::{Locator, Options};
use isoform_core::substrate::Substrate;
use isoform_physics::quantum::{self, oscillators};
use isoform_physics::{crossbar, culture, memristor, photonics};
use std::sync::Arc;

/// One kind of medium.
#[derive(Debug)]
pub struct Kind {
    /// The name in locators.
    pub name: &'static str,
    /// One sentence on what it is.
    pub about: &'static str,
    /// The options that it takes: name and meaning.
    pub options: &'static [(&'static str, &'static str)],
    open: fn(&mut Options<'_>) -> Result<Arc<dyn Substrate>>,
}

/// Every kind of medium.
#[must_use]
pub fn kinds() -> &'static [Kind] {
    const KINDS: &[Kind] = &[
        Kind {
            name: "crossbar",
            about: "a crossbar of memristors that drift and wear",
            options: crossbar::OPTIONS,
            open: crossbar::open,
        },
        Kind { name: "culture", about: "a culture of neurons on electrodes", options: culture::OPTIONS, open: culture::open },
        Kind {
            name: "josephson",
            about: "Josephson-junction neurons behind voltmeters",
            options: oscillators::JUNCTIONS,
            open: oscillators::open_junctions,
        },
        Kind {
            name: "memristor",
            about: "memristors, from a voltage to a current",
            options: memristor::OPTIONS,
            open: memristor::open,
        },
        Kind { name: "mesh", about: "a mesh of interferometers", options: photonics::OPTIONS, open: photonics::open },
        Kind { name: "neuristor", about: "an array of VO2 neuristors", options: quantum::OPTIONS, open: quantum::open },
        Kind {
            name: "spin-torque",
            about: "spin-torque oscillators and detectors of their power",
            options: oscillators::MAGNETS,
            open: oscillators::open_magnets,
        },
    ];
    KINDS
}

/// Opens the medium that a locator names, if it names one.
pub(crate) fn open(locator: &Locator) -> Option<Result<Arc<dyn Substrate>>> {
    let kind = kinds().iter().find(|kind| locator.scheme() == "twin" && kind.name == locator.path())?;
    if locator.options().iter().any(|(key, _)| key == "record") {
        let why = format!("a medium has no line of which there could be a transcript; write record:FILE?on=(twin:{})", kind.name);
        return Some(Err(Error::unsupported(why).with_locator(locator)));
    }
    let mut options = locator.reader();
    let known: Vec<&str> = kind.options.iter().map(|(name, _)| *name).collect();
    Some(
        (kind.open)(&mut options)
            .and_then(|substrate| options.finish_of(&format!("twin:{}", kind.name), &known).map(|()| substrate)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_is_opened_by_its_name_and_knows_its_options() {
        for kind in kinds() {
            let locator: Locator = format!("twin:{}?seed=3", kind.name).parse().expect("valid");
            let profile = open(&locator).expect("a medium").expect("opens").profile();
            assert!(profile.medium.is_some(), "{}", kind.name);
            let locator: Locator = format!("twin:{}?speed=3", kind.name).parse().expect("valid");
            let error = open(&locator).expect("a medium").expect_err("unknown").to_string();
            assert!(error.contains("\"speed\" is unknown"), "{error}");
        }
        assert!(open(&"twin:board".parse().expect("valid")).is_none());
    }
}
