//! `L2.programs`: what nobody thought of.
//!
//! It proves for random programs of neurons, matrices, sparse maps, convolutions, pooling, delays, sums, cycles and nodes with semantics of
//! their own, within the profile, that outputs and states are those of the definition, within the bounds of a state-forced comparison
//! (see `trial`). A program that disagrees is made smaller, node by node, channel by lane by tick, as long as it disagrees; the
//! smallest is the evidence, and its text stands in the reason.

use crate::bench::Bench;
use crate::generate::{generate, smaller};
use crate::law::{Law, Verdict, if_repeatable};
use crate::plan::Plan;
use crate::record::{Evidence, Level, Status};
use crate::trial;
use isoform_core::error::Result;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.programs",
    title: "random programs are computed as they are defined",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge,
};

const PROGRAMS: usize = 40;
const TICKS: usize = 24;
/// At most so many trials are spent on making a program smaller.
const EFFORT: usize = 120;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut chance = bench.chance();
    let home = bench.home()?.semantics;
    let mut tried = 0;
    for attempt in 0..10 * PROGRAMS {
        if tried == PROGRAMS {
            break;
        }
        let plan = generate(bench, &mut chance, home);
        let Ok(program) = plan.build() else { continue };
        let batch = bench.batch(1 + attempt % 3);
        let x = bench.drive(&mut chance, TICKS * batch * program.input_channels());
        let name = format!("program {attempt}");
        let mut own = Evidence::default();
        tried += usize::from(bench.trial(&mut own, &name, &plan, batch, &x)?);
        if broken(&own, &bench.profile) {
            shrink(bench, evidence, &name, (plan, batch, x))?;
            return Ok(());
        }
        merge(evidence, own);
    }
    Ok(())
}

fn broken(evidence: &Evidence, profile: &Profile) -> bool {
    trial::tally(evidence, profile).is_ok_and(|tally| tally.broken.is_some())
}

/// Makes a failing program smaller as long as it fails, and keeps the smallest.
fn shrink(bench: &Bench<'_>, evidence: &mut Evidence, name: &str, failing: (Plan, usize, Vec<f32>)) -> Result<()> {
    let (mut plan, mut batch, mut x) = failing;
    let mut found = Evidence::default();
    bench.trial(&mut found, name, &plan, batch, &x)?;
    let (mut steps, mut trials) = (0, 0);
    'smaller: loop {
        for (plan2, batch2, x2) in smaller(&plan, batch, &x) {
            if trials == EFFORT {
                break 'smaller;
            }
            trials += 1;
            let mut own = Evidence::default();
            if plan2.build().is_err() || !bench.trial(&mut own, name, &plan2, batch2, &x2)? {
                continue;
            }
            if broken(&own, &bench.profile) {
                (plan, batch, x, found) = (plan2, batch2, x2, own);
                steps += 1;
                continue 'smaller;
            }
        }
        break;
    }
    merge(evidence, found);
    evidence.note("counter-example", plan.build()?.to_string());
    evidence.note("steps of shrinking", steps);
    evidence.note("trials of shrinking", trials);
    Ok(())
}

fn merge(evidence: &mut Evidence, other: Evidence) {
    for list in ["trials", trial::REFUSED, trial::UNKEPT] {
        let mut all: Vec<serde_json::Value> = evidence.fact(list).unwrap_or_default();
        all.extend(other.fact::<Vec<serde_json::Value>>(list).unwrap_or_default());
        if !all.is_empty() {
            evidence.note(list, all);
        }
    }
    evidence.samples.extend(other.samples);
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let mut verdict = trial::judge(evidence, profile);
    if let (Status::Fail, Some(text)) = (verdict.status, evidence.fact::<String>("counter-example")) {
        verdict.reason = format!("{}; the smallest program that shows it: {}", verdict.reason, text.trim().replace('\n', " | "));
    }
    verdict
}
