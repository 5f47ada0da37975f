//! `L2.company`: under noise, lanes and realizations beside each other do not show.
//!
//! It proves that in each of eight lanes, or as many as there are, the means are those of the program under the inputs of that lane, while other lanes
//! have others and, where there may be two realizations, a second one is driven by the mirror image of the same inputs: by the means of
//! `L2.equivalence`, with outputs counted lane after lane. Two stages on fresh data; see `noisy` for the error rates. What repeats itself is held
//! to the bit instead, by `L1.lanes` and `L1.instances`.

use crate::agreement;
use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy_has_it};
use crate::noisy::{Order, STIMULI, Stand};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.company",
    title: "lanes and realizations beside each other do not show, under noise",
    level: Level::L2,
    needs: "a class with noise, a declared margin, and more than one lane or realization",
    requirement: if_noisy_has_it,
    statistical: true,
    measure,
    judge,
};

/// Lanes that are looked at, where there are as many.
const LANES: usize = 8;

/// Whether there is anything beside what a program runs on.
pub(crate) fn is_in_company(profile: &Profile) -> bool {
    profile.limits.batch > 1 || profile.limits.realizations > 1
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    if !is_in_company(&bench.profile) {
        evidence.lacking("the profile offers one lane and one realization, which nothing lies beside");
        return Ok(());
    }
    let medium = match bench.medium() {
        Ok(medium) => medium,
        Err(why) => {
            evidence.note("not tried", why);
            return Ok(());
        }
    };
    let run = Run::new().with_batch(bench.batch(LANES)).with_seed(bench.seed);
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    for (name, program) in bench.subjects()? {
        let mut stand = Stand::on(bench.open(&program, &run)?, &program, &run);
        if bench.profile.limits.realizations > 1 {
            let [low, high] = bench.span();
            stand = stand.beside(bench.open(&program, &run)?, low + high);
        }
        let stimuli = bench.stimuli(stand.inputs, &mut chance);
        let places = (&stimuli[..], Order::Random);
        if agreement::record(bench, evidence, (&mut stand, &name), places, (&medium, &mut chance), |_, _, _, _| true)? {
            tried.push(name);
        }
    }
    evidence.note("lanes", run.batch);
    evidence.note("tried", tried);
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = crate::checks::not_claimed(evidence) {
        return verdict;
    }
    let verdict = agreement::judge(evidence, profile, |_, stimulus| STIMULI.get(stimulus).map_or_else(String::new, |&n| n.to_owned()));
    verdict.with_figure("lanes", evidence.fact("lanes").unwrap_or(1.0), "1")
}
