//! Which adapter the substrate is to use, and how.

use crate::fault::WgpuError;
use isoform_core::error::Result;
use isoform_core::locator::Locator;
use isoform_kernels::print::wgsl::Rounding;

/// The options of a locator and what they mean.
pub(crate) const DOCUMENTED: &[(&str, &str)] = &[
    ("adapter", "a part of the name of the adapter, in any case; by default the fastest kind that is present"),
    ("power", "low or high: which kind of adapter to prefer; by default high"),
    ("rounding", "each, sums and products one by one, or device, as it likes and perhaps faster; by default each"),
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

/// Which adapter the substrate is to use, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    adapter: Option<String>,
    power: Power,
    rounding: Rounding,
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

    /// The same with sums and products rounded in another way.
    #[must_use]
    pub fn with_rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
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
        let rounding: Option<String> = reader.take("rounding")?;
        reader.finish(&["adapter", "power", "rounding"])?;
        let power = match power.as_deref() {
            None | Some("high") => Power::High,
            Some("low") => Power::Low,
            Some(other) => return Err(WgpuError::UnknownPower(other.to_owned()).into()),
        };
        let rounding = match rounding.as_deref() {
            None | Some("each") => Rounding::Each,
            Some("device") => Rounding::Device,
            Some(other) => return Err(WgpuError::UnknownRounding(other.to_owned()).into()),
        };
        Ok(Self { adapter, power, rounding })
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

    pub(crate) fn rounding(&self) -> Rounding {
        self.rounding
    }
}
