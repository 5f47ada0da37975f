//! Laws that are not begun, and why: a cell might wear out, the time is spent, or the run was stopped.

use crate::bench::Bench;
use crate::checks::LACKING;
use crate::law::Law;
use crate::noisy::forecast;
use crate::record::{Evidence, Requirement};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::{Realization, Run, Substrate};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The fact of a law that was not begun, or not ended: why.
pub(crate) const NOT_BEGUN: &str = "not begun";

/// Why laws are not begun, if they might wear out a cell with so many writes behind it.
pub(crate) fn beyond(profile: &Profile, laws: &[&Law], done: u64) -> Option<String> {
    let endurance = profile.medium?.endurance?;
    let writes = forecast(profile, &[], laws)?.writes;
    (writes > endurance.saturating_sub(done)).then(|| {
        let so_far = if done > 0 { format!(", and {done} are done") } else { String::new() };
        format!(
            "it takes up to {writes} writes of a cell, which bears {endurance}{so_far}: only cells that bear more, or programs that take \
             fewer, can be tried"
        )
    })
}

/// Substrates beside the one that is tried, each with its locator.
type Peers = [(String, Arc<dyn Substrate>)];

/// The evidence of a law whose turn did not come: none, unless the profile alone says that the substrate has nothing that it is about.
pub(crate) fn untried(substrate: &dyn Substrate, law: &Law, (seed, peers): (u64, &Peers), why: &str) -> Evidence {
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
    unmeasured(law, why)
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
        Err(Error::fault("it is only looked at"))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.0.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.0.clock()
    }
}

/// The evidence of a law that was not measured.
pub(crate) fn unmeasured(law: &Law, why: &str) -> Evidence {
    let mut evidence = Evidence { law: law.id.to_owned(), ..Evidence::default() };
    evidence.note(NOT_BEGUN, why);
    evidence
}
