//! One program on several substrates.
//!
//! ```text
//! place:?linear=(oracle:)&*=(cpu:?threads=2)
//! ```
//!
//! A key is the name of a node, a kind of node in full or short (`dense`, `isoform.lif/1`, `lif`), what a node can do (`linear` for any
//! linear map, `neuron` for any element-wise dynamics, `delay`), or `*` for all others. The more specific key wins, whatever the order.
//! A comma separates keys of one substrate, as in `dense,conv2d=(oracle:)`; what stands in two brackets are two substrates.

mod cut;
mod memory;
mod parts;
mod promise;
mod realization;
mod rules;
#[cfg(test)]
mod tests;
mod upkeep;

use crate::error::{Error, ErrorKind, Result};
use crate::profile::Profile;
use crate::program::Program;
use crate::registry::Entry;
use crate::substrate::{Cancel, Realization, Run, Substrate};
use async_trait::async_trait;
use cut::Cut;
use realization::{Part, Placed};
use rules::Rules;
use std::sync::Arc;
use std::time::Duration;

/// The most ticks that go through all parts before the next ones do, and before the run looks at its cancel flag.
const BLOCK: usize = 64;

/// A substrate that splits programs across others, by node, kind or capability.
///
/// # Behavior
/// - A node computes what it would in a program on one substrate, with the same draws, under the same name.
/// - Rows go from substrate to substrate in single precision. A loop that goes through several substrates is advanced tick by tick.
/// - Every part is a realization of its own; a substrate that holds one at a time can hold one part.
/// - A program whose nodes all go to one substrate is handed to it as it is.
#[derive(Debug)]
pub struct Place {
    rules: Rules,
    substrates: Vec<(String, Arc<dyn Substrate>)>,
    profile: Arc<Profile>,
}

impl Place {
    /// Keys and the substrates that they stand for.
    ///
    /// # Errors
    /// `Unsupported` if there is no key, or if one stands for two substrates.
    pub fn new(keys: impl IntoIterator<Item = (String, Arc<dyn Substrate>)>) -> Result<Self> {
        let substrates: Vec<_> = keys.into_iter().collect();
        let shown: Vec<Program> = substrates.iter().flat_map(|(_, substrate)| substrate.exemplars()).collect();
        let rules = Rules::new(substrates.iter().map(|(key, _)| key.as_str()))?.with_shown(&shown);
        let profiles: Vec<_> = substrates.iter().map(|(key, substrate)| (key.clone(), substrate.profile())).collect();
        let profile = Arc::new(promise::together(&rules, &profiles));
        Ok(Self { rules, substrates, profile })
    }

    /// The only substrate that a program needs, if its facets are those of the whole.
    fn alone(&self, places: &[usize]) -> Option<&(String, Arc<dyn Substrate>)> {
        let first = places.first().copied().unwrap_or(0);
        let found = self.substrates.get(first).filter(|_| places.iter().all(|&place| place == first))?;
        (found.1.profile().facets == self.profile.facets).then_some(found)
    }

    /// Refuses more parts for a substrate than it holds at a time.
    fn check_room(&self, program: &Program, cut: &Cut) -> Result<()> {
        for (place, (key, substrate)) in self.substrates.iter().enumerate() {
            let parts = cut.segments.iter().filter(|segment| segment.place == place);
            let firsts: Vec<&str> = parts.map(|segment| program.nodes()[segment.nodes[0]].name.as_str()).collect();
            let most = substrate.profile().limits.realizations;
            if firsts.len() > most {
                let why = format!(
                    "it holds {most} at a time, but {} parts of the program would go there, which begin at {}: send fewer by naming nodes",
                    firsts.len(),
                    firsts.join(", ")
                );
                return Err(Error::unsupported(why).with_locator(key));
            }
        }
        Ok(())
    }
}

/// Names a substrate by its key, and a node of the part unless the error does.
fn blame(error: Error, key: &str, node: &str) -> Error {
    let error = error.with_locator(key);
    if error.node().is_some() { error } else { error.with_node(node) }
}

/// Refusals of several parts as one, which begins with the first.
fn joined(mut refusals: Vec<Error>) -> Option<Error> {
    if refusals.len() < 2 {
        return refusals.pop();
    }
    let others = refusals[1..].iter().map(|e| format!("; node {:?}: {}", e.node().unwrap_or_default(), e.message()));
    let why = format!("{}{}", refusals[0].message(), others.collect::<String>());
    let first = refusals.swap_remove(0);
    let joined = Error::unsupported(why).with_node(first.node().unwrap_or_default());
    Some(joined.with_locator(first.locator().unwrap_or_default()))
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Substrate for Place {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        let places = self.rules.assign(program)?;
        if let Some((key, substrate)) = self.alone(&places) {
            substrate.profile().admit(program).map_err(|e| e.with_locator(key))?;
            return substrate.realize(program, run).await.map_err(|e| e.with_locator(key));
        }
        let cut = Cut::new(program, &places);
        let most = self.profile.limits.ticks.min(run.max_ticks).clamp(1, BLOCK);
        // a part that stopped by itself would be behind the others
        let inner = Run { max_ticks: most, cancel: Cancel::default(), ..run.clone() };
        self.check_room(program, &cut)?;
        let mut parts = Vec::with_capacity(cut.segments.len());
        let mut refused: Vec<(usize, Error)> = Vec::new();
        for (index, segment) in cut.segments.iter().enumerate() {
            // a substrate that refuses one part is asked about the others, so that all that it needs is said at once
            if !refused.is_empty() && refused.iter().all(|(place, _)| *place != segment.place) {
                continue;
            }
            let (key, substrate) = &self.substrates[segment.place];
            let node = &program.nodes()[segment.nodes[0]].name;
            let made = async {
                let written = parts::write(program, &cut, index)?;
                let profile = substrate.profile();
                profile.admit(&written)?;
                let realization = substrate.realize(&written, &inner).await?;
                Ok(Part::new(realization, written, &inner, &profile, (key, node)))
            };
            match made.await.map_err(|e| blame(e, key, node)) {
                Ok(part) => parts.push(part),
                Err(e) if e.kind() == ErrorKind::Unsupported => refused.push((segment.place, e)),
                Err(e) => return Err(e),
            }
        }
        if let Some(refusal) = joined(refused.into_iter().map(|(_, e)| e).collect()) {
            return Err(refusal);
        }
        Ok(Box::new(Placed::new(program, run, cut, parts, &self.profile)))
    }

    fn exemplars(&self) -> Vec<Program> {
        // what a substrate shows of itself shows it only where some of it goes there
        let goes = |program: &Program, to: usize| self.rules.assign(program).is_ok_and(|places| places.contains(&to));
        let of = |(to, (_, s)): (usize, &(String, Arc<dyn Substrate>))| {
            s.exemplars().into_iter().filter(move |program| goes(program, to)).collect::<Vec<_>>()
        };
        self.substrates.iter().enumerate().flat_map(of).collect()
    }

    fn clock(&self) -> Option<Duration> {
        // each of them is asked, for each may be recorded
        self.substrates.iter().filter_map(|(_, s)| s.clock()).fold(None, |first, clock| first.or(Some(clock)))
    }
}

/// The scheme `place:`.
pub(super) fn entry() -> Entry {
    let entry = Entry::new("splits a program across several substrates", |locator, registry| {
        let mut options = locator.reader();
        let mut keys = Vec::new();
        for (key, inner) in options.take_all_nested()? {
            keys.push((key, registry.open(&inner)?));
        }
        options.finish(&[])?;
        Ok(Arc::new(Place::new(keys)?))
    });
    entry.with_options(&[
        ("NODE", "the substrate, in brackets, of the node of that name"),
        ("KIND", "that of a kind of node, such as dense, conv2d, isoform.lif/1 or lif"),
        ("linear", "that of all linear maps"),
        ("neuron", "that of all transfer functions"),
        ("delay", "that of all delays"),
        ("*", "that of all others"),
    ])
}
