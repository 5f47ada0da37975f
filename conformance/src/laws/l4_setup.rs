//! `L4.setup`: the cost before the first tick.
//!
//! It reports the median times of opening a program and of a reset with their 95 % intervals by order statistics. It is a measurement: it
//! passes once everything was measured, and is held against no constant.

use crate::bench::Bench;
use crate::law::{Law, Verdict, always};
use crate::output::spell;
use crate::quantile::quantile;
use crate::record::{Evidence, Level, Status};
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L4.setup",
    title: "what opening and resetting cost",
    level: Level::L4,
    needs: "a clock",
    requirement: always,
    statistical: false,
    measure,
    judge,
};

const REPEATS: usize = 20;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let (mut opening, mut resetting) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let start = bench.now();
        let mut session = bench.open(&program, &Run::new())?;
        opening.push(bench.now().saturating_sub(start).as_secs_f64());
        let start = bench.now();
        // a medium that cannot be reset has no such cost
        if session.reset().is_ok() {
            resetting.push(bench.now().saturating_sub(start).as_secs_f64());
        }
    }
    evidence.keep("opening", "s", &[opening.len()], opening);
    evidence.keep("reset", "s", &[resetting.len()], resetting);
    Ok(())
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    let median = |name: &str| quantile(evidence.sample(name).map(|s| s.values.as_slice()).unwrap_or_default(), 0.5);
    let Some(opening) = median("opening").filter(|i| i.low >= 0.0) else {
        return Verdict::new(Status::Inconclusive, "opening was not measured");
    };
    let mut verdict = Verdict::pass(format!("opening takes {}", spell(opening.value, "s")))
        .with_figure("opening", opening.value, "s")
        .with_figure("opening, lower end at 95 %", opening.low, "s")
        .with_figure("opening, upper end at 95 %", opening.high, "s");
    if let Some(reset) = median("reset") {
        verdict = verdict
            .with_figure("reset", reset.value, "s")
            .with_figure("reset, lower end at 95 %", reset.low, "s")
            .with_figure("reset, upper end at 95 %", reset.high, "s");
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_inconclusive() {
        let mut evidence = Evidence::default();
        let profile = Profile::digital("d", "0");
        assert_eq!(judge(&evidence, &profile).status, Status::Inconclusive);
        evidence.keep("opening", "s", &[REPEATS], vec![1e-3; REPEATS]);
        assert_eq!(judge(&evidence, &profile).status, Status::Pass);
    }
}
