//! What can be said of a law that there was no time for.

use crate::bench::Bench;
use crate::checks::LACKING;
use crate::law::Law;
use crate::record::{Evidence, Requirement};
use crate::suite::unmeasured;
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::{Realization, Run, Substrate};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Substrates beside it, each with its locator.
type Peers = [(String, Arc<dyn Substrate>)];

/// The evidence of a law that there was no time for: none, unless the profile alone says that the substrate has nothing that it is about.
pub(crate) fn untried(substrate: &dyn Substrate, law: &Law, (seed, peers): (u64, &Peers)) -> Evidence {
    let mut evidence = Evidence { law: law.id.to_owned(), ..Evidence::default() };
    if (law.requirement)(substrate.profile().class) == Requirement::Optional {
        let closed = Closed(substrate);
        let bench = Bench::new(&closed, seed, law.id).with_peers(peers);
        // what it says of itself is cheap; whatever it would have to open ends the look
        let seen = catch_unwind(AssertUnwindSafe(|| (law.measure)(&bench, &mut evidence)));
        if matches!(seen, Ok(Ok(()))) && evidence.facts.contains_key(LACKING) {
            return evidence;
        }
    }
    unmeasured(law, "the budget was spent before its turn")
}

/// A substrate that is looked at and opened by nobody.
#[derive(Debug)]
struct Closed<'a>(&'a dyn Substrate);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Substrate for Closed<'_> {
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, _: &Program, _: &Run) -> Result<Box<dyn Realization>> {
        Err(Error::fault("the budget was spent"))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.0.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.0.clock()
    }
}
