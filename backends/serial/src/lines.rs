//! The lines of an instrument: one, for most; several where an instrument is a bench of several devices.

use crate::error::Result;
use crate::link::Link;
use crate::transport::Transport;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// The lines of an instrument, by name. It stands for its first line where one is enough.
#[derive(Debug)]
pub struct Lines {
    first: Link,
    others: Vec<(&'static str, Link)>,
}

impl Lines {
    /// One line.
    #[must_use]
    pub fn one(transport: Box<dyn Transport>) -> Self {
        Self { first: Link::new(transport), others: Vec::new() }
    }

    /// The same with another line, under a name.
    #[must_use]
    pub fn with(mut self, name: &'static str, transport: Box<dyn Transport>) -> Self {
        self.others.push((name, Link::new(transport)));
        self
    }

    /// A further line by name; the first one under any other name.
    pub fn named(&mut self, name: &str) -> &mut Link {
        self.others.iter_mut().find(|(n, _)| *n == name).map_or(&mut self.first, |(_, link)| link)
    }

    /// Bytes that were sent on all lines.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.first.sent() + self.others.iter().map(|(_, link)| link.sent()).sum::<u64>()
    }

    /// How long after its deadline a wait on any of them has ended, at most.
    #[must_use]
    pub fn latest(&self) -> Duration {
        self.others.iter().map(|(_, link)| link.latest()).fold(self.first.latest(), Duration::max)
    }

    /// Opens all lines again.
    ///
    /// # Errors
    /// `Open` for the first that cannot be opened.
    pub fn reopen(&mut self) -> Result<()> {
        self.first.reopen()?;
        self.others.iter_mut().try_for_each(|(_, link)| link.reopen())
    }
}

impl Deref for Lines {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.first
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.first
    }
}
