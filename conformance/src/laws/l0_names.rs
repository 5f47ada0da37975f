//! `L0.names`: parameters are addressed by name.
//!
//! It proves that an unknown node or parameter is not found, whether it is read or written, that an array of the wrong length is refused, and
//! that none of this changes state or parameters: the run goes on as an undisturbed twin does, to the bit. It needs the facet of
//! tuning; a profile that does not claim it has to refuse its use as unsupported.

use crate::bench::{Bench, advance};
use crate::checks::{self, answer};
use crate::law::{Law, repeats, where_claimed};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L0.names",
    title: "a name that stands for nothing is not found, and asking changes nothing",
    level: Level::L0,
    needs: "the facet of tuning",
    requirement: where_claimed,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 12;
    let program = bench.program()?;
    let run = Run::new().with_seed(bench.seed);
    let mut chance = bench.chance();
    let size = run.input(&program, TICKS).len();
    let [first, second] = [bench.drive(&mut chance, size), bench.drive(&mut chance, size)];
    let twin = {
        let mut session = bench.open(&program, &run)?;
        [advance(&mut session, &first, TICKS)?, advance(&mut session, &second, TICKS)?].concat()
    };
    let mut session = bench.open(&program, &run)?;
    if !bench.profile.facets.tuning {
        evidence.unclaimed("tuning", answer(&session.read("node", "tau")));
        return Ok(());
    }
    let before = advance(&mut session, &first, TICKS)?;
    let known = program.nodes().iter().find_map(|n| n.parameters().first().map(|(p, t)| (n.name.clone(), *p, t.to_f64())));
    evidence.check("reading from a node that does not exist", &["not found"], answer(&session.read("nobody", "tau")));
    evidence.check("writing to a node that does not exist", &["not found"], answer(&session.write("nobody", "tau", &[1.0])));
    if let Some((node, parameter, values)) = known {
        evidence.check("reading what does not exist", &["not found"], answer(&session.read(&node, "nothing")));
        evidence.check("writing what does not exist", &["not found"], answer(&session.write(&node, "nothing", &[1.0])));
        let longer = vec![1.0; values.len() + 7];
        evidence.check("writing too many values", &["invalid program"], answer(&session.write(&node, parameter, &longer)));
        evidence.check("writing a NaN", &["invalid program"], answer(&session.write(&node, parameter, &[f64::NAN])));
    }
    let after = advance(&mut session, &second, TICKS)?;
    if repeats(bench.profile.class) {
        evidence.twins("refused requests have no effect", ["disturbed", "undisturbed"], [&[before, after].concat(), &twin]);
    }
    Ok(())
}
