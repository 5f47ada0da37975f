//! A substrate that computes under other semantics than it is asked for.

use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;
use std::time::Duration;

/// A substrate that takes any semantics and computes under one of its own, where a program can have it.
#[derive(Debug)]
pub struct Pretends {
    inner: Arc<dyn Substrate>,
    semantics: Semantics,
}

impl Pretends {
    /// A substrate that computes under these semantics whatever it is asked for.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, semantics: Semantics) -> Self {
        // without the name of a platform, so that every neuron can have them
        Self { inner, semantics: semantics.with_decay(semantics.decay) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Substrate for Pretends {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let own = self.semantics.with_dt(program.semantics().dt);
        // a program that cannot have its semantics is one that it does not take
        let computed = program.with_semantics(own).map_err(|e| Error::unsupported(e.to_string()).with_source(e))?;
        self.inner.realize(&computed, run).await
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}
