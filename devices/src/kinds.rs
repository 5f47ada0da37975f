//! The instruments that there are.

use crate::media;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_serial::driver::Driver;
use isoform_serial::transport::{Settings, Twin};

/// Makes a driver, taking the options that it needs.
pub type MakeDriver = fn(&mut Options<'_>) -> Result<Box<dyn Driver>>;

/// Makes the twins of the lines of an instrument, taking the options that they need.
pub type MakeTwins = fn(&mut Options<'_>) -> Result<Vec<Box<dyn Twin>>>;

/// One kind of instrument.
#[derive(Debug)]
pub struct Kind {
    /// The name in locators.
    pub name: &'static str,
    /// One sentence on what it is.
    pub about: &'static str,
    /// How characters travel, where nobody says otherwise.
    pub settings: Settings,
    /// Other speeds at which such an instrument may be set up: they are tried where nobody says which and the first finds nobody.
    pub bauds: &'static [u32],
    /// The options that it takes beyond those of its line: name and meaning.
    pub options: &'static [(&'static str, &'static str)],
    /// The options of its twin alone: name and meaning.
    pub twin_options: &'static [(&'static str, &'static str)],
    /// Those of its options that name files, on what is in which it depends.
    pub files: &'static [&'static str],
    /// The lines that it has beside the first, by the names of the options that lead to them: `meter=(serial:/dev/ttyUSB1)`.
    pub lines: &'static [&'static str],
    /// Makes a driver, taking the options that it needs.
    pub driver: MakeDriver,
    /// Makes the twins of the first line and of the others, in their order, taking the options that it needs.
    pub twins: MakeTwins,
}

impl Kind {
    /// The options that name it behind its first line, and lead to its others: `device=photonic&meter=(serial:/dev/ttyUSB1)`.
    #[must_use]
    pub fn options_at<'a>(&self, others: impl IntoIterator<Item = &'a str>) -> String {
        let others: String = self.lines.iter().zip(others).map(|(name, line)| format!("&{name}=({line})")).collect();
        format!("device={}{others}", self.name)
    }
}

/// Every kind of instrument.
#[must_use]
pub fn kinds() -> &'static [Kind] {
    const KINDS: &[Kind] = &[
        crate::arc_one::KIND,
        crate::board::KIND,
        crate::cyton::KIND,
        crate::lucidac::KIND,
        crate::model_one::KIND,
        crate::photonic::KIND,
        crate::spikerbox::KIND,
        crate::umemristor::KIND,
        crate::waveform::KIND,
    ];
    KINDS
}

/// A kind by its name.
///
/// # Errors
/// `NotFound`, naming those there are.
pub fn kind(name: &str) -> Result<&'static Kind> {
    kinds().iter().find(|k| k.name == name).ok_or_else(|| {
        let names = |names: Vec<&str>| names.join(", ");
        let (known, media) = (kinds().iter().map(|k| k.name).collect(), media::kinds().iter().map(|k| k.name).collect());
        if media::kinds().iter().any(|k| k.name == name) {
            return Error::not_found(format!("{name} is a medium without a line, opened as twin:{name}"));
        }
        Error::not_found(format!(
            "no instrument is called {name:?}; known are {}; and, as twins alone, the media {}",
            names(known),
            names(media)
        ))
    })
}
