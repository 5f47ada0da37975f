//! `L1.branch`: save, load and go on another way.
//!
//! It proves that a run that is saved, goes on, is loaded and goes on again gives the same output, to the bit; that another input after
//! the load leaves no trace once the state is loaded again; and that a second realization continues from the state as the first
//! does. Every block of the state takes part: the program has synapses, membranes, delay lines and a cycle where the substrate
//! takes them. A profile that does not claim memory has to refuse saving as unsupported.

use crate::bench::{Bench, advance};
use crate::checks::{self, answer};
use crate::law::{Law, if_claimed};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.branch",
    title: "a saved state is a point to which the run can go back",
    level: Level::L1,
    needs: "the facet of memory",
    requirement: if_claimed,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 25;
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(bench.batch(2)).with_seed(bench.seed);
        let mut session = bench.open(&program, &run)?;
        if !bench.profile.facets.memory {
            evidence.unclaimed("memory", answer(&session.save()));
            return Ok(());
        }
        let mut chance = bench.chance();
        let size = run.input(&program, TICKS).len();
        let mut drive = || bench.drive(&mut chance, size);
        let (history, one, other) = (drive(), drive(), drive());
        advance(&mut session, &history, TICKS)?;
        let saved = session.save()?;
        let straight = advance(&mut session, &one, TICKS)?;
        session.load(&saved)?;
        let loaded = advance(&mut session, &one, TICKS)?;
        session.load(&saved)?;
        advance(&mut session, &other, TICKS)?;
        session.load(&saved)?;
        let back = advance(&mut session, &one, TICKS)?;
        drop(session);
        let mut second = bench.open(&program, &run)?;
        advance(&mut second, &other, TICKS)?;
        second.load(&saved)?;
        let same = if second.save()? == saved { "the same" } else { "another" };
        evidence.check(format!("{name}: the state, loaded elsewhere and saved"), &["the same"], same);
        let elsewhere = advance(&mut second, &one, TICKS)?;
        let program = name;
        let mut twin = |what: &str, name: [&str; 2], values: [&[f32]; 2]| {
            evidence.twins(what, [&format!("{program}/{}", name[0]), &format!("{program}/{}", name[1])], values);
        };
        twin("going on from a loaded state", ["straight", "loaded"], [&straight, &loaded]);
        twin("going back after another branch", ["straight", "back"], [&straight, &back]);
        twin("going on in a second realization", ["straight", "elsewhere"], [&straight, &elsewhere]);
    }
    Ok(())
}
