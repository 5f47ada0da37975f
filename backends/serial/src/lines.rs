//! The lines of an instrument: one, for most; several where an instrument is a bench of several devices.

use crate::error::Result;
use crate::link::{Link, Patience};
use crate::transport::Transport;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// The lines of an instrument, by name. It stands for its first line where one is enough.
#[derive(Debug)]
pub struct Lines {
    first: Link,
    others: Vec<Other>,
}

/// A line beside the first.
#[derive(Debug)]
struct Other {
    name: &'static str,
    link: Link,
    /// The patience with its device, which begins when it is first spoken to.
    patience: Option<Patience>,
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
        self.others.push(Other { name, link: Link::new(transport), patience: None });
        self
    }

    /// A further line by name; the first one under any other name.
    pub fn named(&mut self, name: &str) -> &mut Link {
        let Some(other) = self.others.iter_mut().find(|other| other.name == name) else { return &mut self.first };
        if let Some(patience) = other.patience.take() {
            other.link.set_patience(Some(patience));
        }
        &mut other.link
    }

    /// Bytes that were sent on all lines.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.first.sent() + self.others.iter().map(|other| other.link.sent()).sum::<u64>()
    }

    /// Whether anybody has said anything on any of them.
    #[must_use]
    pub fn has_heard(&self) -> bool {
        self.first.has_heard() || self.others.iter().any(|other| other.link.has_heard())
    }

    /// How long after its deadline a wait on any of them has ended, at most.
    #[must_use]
    pub fn latest(&self) -> Duration {
        self.others.iter().map(|other| other.link.latest()).fold(self.first.latest(), Duration::max)
    }

    /// How long each line is waited for while its device says nothing, from when it is first spoken to: [`Link::set_patience`].
    pub fn set_patience(&mut self, patience: Option<Patience>) {
        self.first.set_patience(patience);
        for other in &mut self.others {
            other.link.set_patience(None);
            other.patience = patience;
        }
    }

    /// Opens all lines again.
    ///
    /// # Errors
    /// `Open` for the first that cannot be opened.
    pub fn reopen(&mut self) -> Result<()> {
        self.first.reopen()?;
        self.others.iter_mut().try_for_each(|other| other.link.reopen())
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
