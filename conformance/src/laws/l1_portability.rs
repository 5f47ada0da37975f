//! `L1.portability`: a saved state is laid out by the program, not by the device.
//!
//! It proves that a state that was saved here is taken by the oracle, and that a state of the oracle is taken here, is saved again as it
//! was given up to the rounding of the declared number format, and is then followed by ticks that the definition gives from it,
//! within the bounds of a state-forced comparison (see `trial`). A profile that does not claim memory has to refuse it as
//! unsupported.

use crate::bench::{Bench, advance};
use crate::checks::answer;
use crate::law::{Law, if_claimed};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::oracle::Oracle;
use isoform_core::state::State;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.portability",
    title: "a state goes to the reference and comes back",
    level: Level::L1,
    needs: "the facet of memory",
    requirement: if_claimed,
    statistical: false,
    measure,
    judge: crate::trial::judge_with_checks,
};

const TICKS: usize = 30;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
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
        let (history, other, probe) = (drive(), drive(), drive());
        advance(&mut session, &history, TICKS)?;
        let saved = session.save()?;
        evidence.check(format!("{name}: ticks in the saved state"), &[&TICKS.to_string()], saved.tick.to_string());
        let text = serde_json::to_string(&saved).unwrap_or_default();
        let back = serde_json::from_str::<State>(&text).ok();
        evidence.check(format!("{name}: the state, written and read"), &["true"], (back.as_ref() == Some(&saved)).to_string());
        let mut oracle = Oracle::new(&program, &run);
        evidence.check(format!("{name}: the oracle takes the state"), &["accepted"], answer(&oracle.set_state(&saved)));
        let _ = oracle.run(&other);
        let given = oracle.state();
        evidence.check(
            format!("{name}: the substrate takes a state of the oracle"),
            &["accepted"],
            answer(&session.load(&given)),
        );
        let kept = session.save()?;
        let accuracy = &bench.profile.accuracy;
        let near = given.tick == kept.tick
            && given.blocks.len() == kept.blocks.len()
            && given.blocks.iter().zip(&kept.blocks).all(|(g, k)| {
                g.values.len() == k.values.len()
                    && g.values.iter().zip(&k.values).all(|(g, k)| (g - k).abs() <= accuracy.stored(*g).error)
            });
        evidence.check(
            format!("{name}: a state of the oracle, loaded and saved"),
            &["rounded"],
            if near { "rounded" } else { "another" },
        );
        bench.resume(evidence, name, &plan, &mut session, &probe)?;
    }
    Ok(())
}
