//! `L0.honesty`: ability is presence.
//!
//! It proves that a realization has exactly the facets that the profile claims, that a claimed facet works, and that the use of any other
//! is refused as unsupported instead of being a silent no-op. It compares answers, so that no tolerance is involved.

use crate::bench::Bench;
use crate::checks::{self, answer};
use crate::law::{Law, always};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.honesty",
    title: "the facets that the profile claims are there, and no others",
    level: Level::L0,
    needs: "a program that the profile admits",
    requirement: always,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let mut session = bench.open(&program, &Run::new())?;
    let claimed = bench.profile.facets;
    let word = |there: bool| if there { "present" } else { "absent" };
    let realization = session.session_mut().realization();
    let found = [
        ("memory", claimed.memory, realization.memory().is_some()),
        ("tuning", claimed.tuning, realization.tuning().is_some()),
        ("plasticity", claimed.plasticity, realization.plasticity().is_some()),
        ("calibration", claimed.calibration, realization.calibration().is_some()),
        ("rest", claimed.rest, realization.rest().is_some()),
    ];
    for (name, claim, found) in found {
        evidence.check(format!("the facet of {name}"), &[word(claim)], word(found));
    }
    let use_of = |claim: bool| if claim { "accepted" } else { "unsupported" };
    evidence.check("saving the state", &[use_of(claimed.memory)], answer(&session.save()));
    let node = program.nodes().iter().find_map(|n| n.parameters().first().map(|(p, _)| (n.name.clone(), *p)));
    if let Some((node, parameter)) = node {
        evidence.check("reading a parameter", &[use_of(claimed.tuning)], answer(&session.read(&node, parameter)));
    }
    Ok(())
}
