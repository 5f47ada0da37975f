//! Which substrates there are: a value, filled by plain calls.

use crate::error::{Error, Result};
use crate::locator::Locator;
use crate::profile::Profile;
use crate::substrate::{Cancel, Substrate};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

type Open = Box<dyn Fn(&Locator, &Registry) -> Result<Arc<dyn Substrate>> + Send + Sync>;
type Discover = Box<dyn Fn() -> Vec<Found> + Send + Sync>;

/// Something that discovery came across.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    /// How to open it.
    pub locator: String,
    /// What it promises, if it is present.
    pub profile: Option<Arc<Profile>>,
    /// Why it is absent, if it is.
    pub absent: Option<String>,
}

impl Found {
    /// Something that can be opened.
    #[must_use]
    pub fn present(locator: impl Into<String>, profile: Arc<Profile>) -> Self {
        Self { locator: locator.into(), profile: Some(profile), absent: None }
    }

    /// Something that cannot be opened here, and why.
    #[must_use]
    pub fn absent(locator: impl Into<String>, why: impl Into<String>) -> Self {
        Self { locator: locator.into(), profile: None, absent: Some(why.into()) }
    }
}

/// Something that the path of a scheme can name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Named {
    /// The path.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The options that it takes: name and meaning.
    pub options: Vec<(&'static str, &'static str)>,
}

/// One scheme of locators.
pub struct Entry {
    summary: &'static str,
    options: &'static [(&'static str, &'static str)],
    names: Vec<Named>,
    open: Open,
    discover: Discover,
}

impl Entry {
    /// A scheme that is opened by a function.
    #[must_use]
    pub fn new(
        summary: &'static str,
        open: impl Fn(&Locator, &Registry) -> Result<Arc<dyn Substrate>> + Send + Sync + 'static,
    ) -> Self {
        Self { summary, options: &[], names: Vec::new(), open: Box::new(open), discover: Box::new(Vec::new) }
    }

    /// The same with its options documented: name and meaning.
    #[must_use]
    pub fn with_options(mut self, options: &'static [(&'static str, &'static str)]) -> Self {
        self.options = options;
        self
    }

    /// The same with what its path can name.
    #[must_use]
    pub fn with_names(mut self, names: Vec<Named>) -> Self {
        self.names = names;
        self
    }

    /// The same with a way to find what is present on this machine.
    #[must_use]
    pub fn with_discovery(mut self, discover: impl Fn() -> Vec<Found> + Send + Sync + 'static) -> Self {
        self.discover = Box::new(discover);
        self
    }

    /// One sentence on the scheme.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// The options: name and meaning.
    #[must_use]
    pub fn options(&self) -> &'static [(&'static str, &'static str)] {
        self.options
    }

    /// What its path can name, where that is a list.
    #[must_use]
    pub fn names(&self) -> &[Named] {
        &self.names
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("summary", &self.summary).field("options", &self.options).finish_non_exhaustive()
    }
}

/// The schemes that locators can name.
#[derive(Debug, Default)]
pub struct Registry {
    entries: BTreeMap<String, Entry>,
    purpose: String,
    stop: Cancel,
}

impl Registry {
    /// A registry without schemes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with what things are opened for: what is kept of a session says so, for whoever wants to repeat it.
    #[must_use]
    pub fn with_purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// What things are opened for, such as a command; empty if nobody has said so.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The same with a flag by which somebody asks to stop what is being opened, which may have to wait for a device.
    #[must_use]
    pub fn with_stop(mut self, stop: Cancel) -> Self {
        self.stop = stop;
        self
    }

    /// The flag by which somebody asks to stop what is being opened.
    #[must_use]
    pub fn stop(&self) -> &Cancel {
        &self.stop
    }

    /// Adds a scheme, or replaces it.
    pub fn register(&mut self, scheme: &str, entry: Entry) {
        self.entries.insert(scheme.to_owned(), entry);
    }

    /// The schemes and what is known about them.
    pub fn schemes(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(scheme, entry)| (scheme.as_str(), entry))
    }

    /// Opens what a locator names.
    ///
    /// # Errors
    /// `NotFound` for an unknown scheme, naming the known ones; otherwise what the scheme says.
    pub fn open(&self, locator: &Locator) -> Result<Arc<dyn Substrate>> {
        let entry = self.entries.get(locator.scheme()).ok_or_else(|| {
            let scheme = locator.scheme();
            self.meant(scheme).unwrap_or_else(|| {
                let known: Vec<String> = self.entries.keys().map(|s| format!("{s}:")).collect();
                Error::not_found(format!("no substrate is called \"{scheme}:\"; known are {}", known.join(", ")))
            })
        })?;
        (entry.open)(locator, self).map_err(|e| e.with_locator(locator))
    }

    /// Opens what a text names.
    ///
    /// # Errors
    /// As [`open`](Registry::open); also for a text that is no locator.
    pub fn open_str(&self, text: &str) -> Result<Arc<dyn Substrate>> {
        let word = text.split('?').next().unwrap_or_default();
        match text.parse::<Locator>() {
            Ok(locator) => self.open(&locator),
            Err(e) => Err(self.meant(word).unwrap_or_else(|| e.into())),
        }
    }

    /// The error for a word that stands for no scheme, but for what a scheme has under that name.
    fn meant(&self, word: &str) -> Option<Error> {
        let (scheme, _) = self.entries.iter().find(|(_, entry)| entry.names.iter().any(|n| n.name == word))?;
        Some(Error::not_found(format!("no substrate is called \"{word}\"; write \"{scheme}:{word}\"")))
    }

    /// What is present on this machine, and what is absent and why.
    #[must_use]
    pub fn discover(&self) -> Vec<Found> {
        self.entries.values().flat_map(|entry| (entry.discover)()).collect()
    }
}
