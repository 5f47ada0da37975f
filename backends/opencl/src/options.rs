//! Which device is meant, and how it is to be used.

use crate::discovery::{Card, Kind, cards};
use crate::fault::OpenClError;
use isoform_core::error::Result;
use isoform_core::locator::Locator;
use isoform_kernels::print::opencl::Style;
use std::path::PathBuf;

/// The options of a locator and what they mean.
pub(crate) const DOCUMENTED: &[(&str, &str)] = &[
    ("name", "part of the name of the device or of its platform, instead of numbers"),
    ("style", "grid, a work item for each lane, or task, one work item for all; by default task on boards and grid elsewhere"),
    ("binary", "a file that isoform build made for this device and program, instead of the driver's compiler"),
];

/// Which device is meant, and how it is to be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    place: Option<[usize; 2]>,
    name: Option<String>,
    style: Option<Style>,
    pub(crate) binary: Option<PathBuf>,
}

impl Options {
    /// The first device, used as its kind wants it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a device by the numbers of platform and device.
    #[must_use]
    pub fn with_place(mut self, platform: usize, device: usize) -> Self {
        self.place = Some([platform, device]);
        self
    }

    /// The same with a device by part of its name or of that of its platform.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same in another style.
    #[must_use]
    pub fn with_style(mut self, style: Style) -> Self {
        self.style = Some(style);
        self
    }

    /// The same with a binary that was compiled beforehand.
    #[must_use]
    pub fn with_binary(mut self, file: impl Into<PathBuf>) -> Self {
        self.binary = Some(file.into());
        self
    }

    /// Reads a locator.
    ///
    /// # Errors
    /// `Unsupported` for an unknown option or value.
    pub fn from_locator(locator: &Locator) -> Result<Self> {
        let mut reader = locator.reader();
        let name: Option<String> = reader.take("name")?;
        let style: Option<String> = reader.take("style")?;
        let binary: Option<String> = reader.take("binary")?;
        reader.finish(&["name", "style", "binary"])?;
        let style = match style.as_deref() {
            None => None,
            Some("grid") => Some(Style::Grid),
            Some("task") => Some(Style::Task),
            Some(other) => return Err(OpenClError::Style(other.to_owned()).into()),
        };
        let place = match locator.path() {
            "" => None,
            path => Some(place(path).ok_or_else(|| OpenClError::Path(path.to_owned()))?),
        };
        Ok(Self { place, name, style, binary: binary.map(PathBuf::from) })
    }

    /// The device that is meant.
    pub(crate) fn card(&self) -> Result<&'static Card, OpenClError> {
        let cards = cards()?;
        let wanted = self.name.as_ref().map(|n| n.to_lowercase());
        let fits = |card: &&Card| {
            let named =
                |n: &String| card.name.to_lowercase().contains(n) || card.platform.to_lowercase().contains(n) || alias(card, n);
            self.place.is_none_or(|place| place == card.place) && wanted.as_ref().is_none_or(named)
        };
        cards.iter().find(fits).ok_or_else(|| {
            let place = self.place.map(|[p, d]| format!("{p}/{d}"));
            let name = self.name.as_ref().map(|n| format!("named {n:?}"));
            let known: Vec<String> = cards.iter().map(Card::to_string).collect();
            OpenClError::Unknown { wanted: place.into_iter().chain(name).collect::<Vec<_>>().join(" "), known: known.join(", ") }
        })
    }

    /// The style for a device.
    pub(crate) fn style(&self, card: &Card) -> Style {
        self.style.unwrap_or(if card.kind == Kind::Accelerator { Style::Task } else { Style::Grid })
    }
}

/// A platform that everybody calls by a shorter name than it gives itself.
fn alias(card: &Card, name: &str) -> bool {
    name == "pocl" && card.platform == "Portable Computing Language"
}

fn place(path: &str) -> Option<[usize; 2]> {
    let (platform, device) = path.split_once('/')?;
    Some([platform.parse().ok()?, device.parse().ok()?])
}
