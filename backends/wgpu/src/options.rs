//! Which adapter the substrate is to use.

use crate::fault::WgpuError;
use isoform_core::error::Result;
use isoform_core::locator::Locator;

/// The options of a locator and what they mean.
pub(crate) const DOCUMENTED: &[(&str, &str)] = &[
    ("adapter", "a part of the name of the adapter, in any case; by default the fastest kind that is present"),
    ("power", "low or high: which kind of adapter to prefer; by default high"),
];

/// Which kind of adapter to prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Power {
    /// One that shares its chip with the processor.
    Low,
    /// One of its own.
    #[default]
    High,
}

/// Which adapter the substrate is to use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    adapter: Option<String>,
    power: Power,
}

impl Options {
    /// The fastest kind of adapter that is present.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same among adapters whose names contain this, in any case.
    #[must_use]
    pub fn with_adapter(mut self, part: impl Into<String>) -> Self {
        self.adapter = Some(part.into());
        self
    }

    /// The same with another preference.
    #[must_use]
    pub fn with_power(mut self, power: Power) -> Self {
        self.power = power;
        self
    }

    /// Reads the options of a locator.
    ///
    /// # Errors
    /// `Unsupported` for an unknown option or value.
    pub fn from_locator(locator: &Locator) -> Result<Self> {
        let mut reader = locator.reader();
        let adapter: Option<String> = reader.take("adapter")?;
        let power: Option<String> = reader.take("power")?;
        reader.finish(&["adapter", "power"])?;
        let power = match power.as_deref() {
            None | Some("high") => Power::High,
            Some("low") => Power::Low,
            Some(other) => return Err(WgpuError::UnknownPower(other.to_owned()).into()),
        };
        Ok(Self { adapter, power })
    }

    /// Whether an adapter of this name will do.
    pub(crate) fn admits(&self, name: &str) -> bool {
        self.adapter.as_ref().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
    }

    pub(crate) fn wanted(&self) -> Option<&str> {
        self.adapter.as_deref()
    }

    pub(crate) fn power(&self) -> Power {
        self.power
    }
}
