//! `L2.fingerprint`: declared semantics are the real ones.
//!
//! It proves for every preset that the substrate takes that decay, drive, order, place and kind of the test, comparison, reset, input delay,
//! rule for cycles and numbers, as inferred from outputs alone (see [`fingerprint`](crate::fingerprint)), are what was asked for. It
//! also shows where answers cannot be told apart. A prediction is out if it is off by one spike, or by more than rounding that adds up
//! over all ticks.

use crate::bench::Bench;
use crate::fingerprint::{Observation, infer, observe};
use crate::law::{Law, Verdict, if_repeatable};
use crate::record::{Evidence, Level, Status};
use isoform_core::error::{ErrorKind, Result};
use isoform_core::profile::Profile;
use isoform_core::semantics::Semantics;

pub(super) const LAW: Law = Law {
    id: "L2.fingerprint",
    title: "it computes under the semantics that it is asked for",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let mut seen: Vec<(Semantics, Vec<Observation>)> = Vec::new();
    let mut refused = Vec::new();
    for semantics in bench.semantics() {
        match observe(bench.substrate, &semantics) {
            Ok(observations) => seen.push((semantics, observations)),
            Err(e) if e.kind() == ErrorKind::Unsupported => refused.push(e.to_string()),
            Err(e) => return Err(e),
        }
    }
    evidence.note("observations", seen);
    evidence.note("refused", refused);
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let Some(seen) = evidence.fact::<Vec<(Semantics, Vec<Observation>)>>("observations") else {
        return Verdict::error("the observations are missing");
    };
    let refused: Vec<String> = evidence.fact("refused").unwrap_or_default();
    if seen.is_empty() {
        let why = refused.first().cloned().unwrap_or_default();
        return Verdict::new(Status::Inconclusive, format!("no preset could be probed: {why}"));
    }
    let (mut open, mut complaint, mut probes) = (Vec::new(), None, 0);
    for (semantics, observations) in &seen {
        let found = infer(observations, semantics, &profile.accuracy);
        let name = semantics.preset().map_or_else(|| String::from("no preset"), |p| p.to_string());
        probes += observations.len();
        for answer in found.answers.iter().filter(|a| a.inferred.len() > 1) {
            open.push(format!("{name}: {} ({})", answer.question, answer.inferred.join(" or ")));
        }
        if complaint.is_none() {
            complaint = found.complaint().map(|why| format!("asked for {name}: {why}"));
        }
    }
    let verdict = match complaint {
        Some(why) => Verdict::fail(why),
        None if open.is_empty() => Verdict::pass(format!("{} presets are what they are declared to be", seen.len())),
        None => Verdict::pass(format!(
            "{} presets are what they are declared to be; not distinguishable: {}",
            seen.len(),
            open.join(", ")
        )),
    };
    verdict
        .with_figure("presets probed", seen.len() as f64, "1")
        .with_figure("presets refused", refused.len() as f64, "1")
        .with_figure("probes", probes as f64, "1")
        .with_figure("answers that cannot be told apart", open.len() as f64, "1")
}
