//! Records that cannot be judged: those of a folder that was cut, changed or mixed up since it was written.
//!
//! A law that could not be tried is an error of the substrate, and the run says so. One that was tried, and whose record cannot be judged any more, says
//! nothing of the substrate: the record is damaged.

use crate::checks::{Check, LACKING, Twins};
use crate::noisy::Design;
use crate::record::{Dossier, Evidence, Outcome, Status};
use crate::waiver;

/// What is wrong with the records of a run which were [judged](crate::judge) again, if anything is: the law, and the sample or the fact where one can be
/// named.
#[must_use]
pub fn damaged(kept: &Dossier, again: &Dossier) -> Option<String> {
    let failed = |dossier: &'_ Dossier, law: &str| {
        let of_law = dossier.outcomes.iter().find(|outcome| outcome.law == law).cloned();
        of_law.filter(|outcome: &Outcome| outcome.status == Status::Error && !waiver::is_needless(outcome))
    };
    // what broke off or could not be judged when it was measured is no fault of the record
    let whole = kept.evidence.iter().filter(|evidence| evidence.broke_off.is_none() && failed(kept, &evidence.law).is_none());
    whole.into_iter().find_map(|evidence| {
        let law = &evidence.law;
        if let Some(fact) = misshapen(evidence) {
            return Some(format!(
                "the record of {law} is damaged: the fact {fact:?} in evidence/{law}.json has another form than the law gave it"
            ));
        }
        let why = failed(again, law)?.reason;
        let place = unreadable(evidence).map_or_else(String::new, |place| format!(": {place}"));
        Some(format!("the record of {law} is damaged: {why}{place}"))
    })
}

/// The first fact of those that many laws leave which has not the form that all of them have.
fn misshapen(evidence: &Evidence) -> Option<&str> {
    let text = |name: &str| evidence.fact::<String>(name).is_some();
    let fits = |name: &str| match name {
        "checks" => evidence.fact::<Vec<Check>>(name).is_some(),
        "twins" => evidence.fact::<Vec<Twins>>(name).is_some(),
        "not tried" | "foreign" | LACKING => text(name),
        "tried" => evidence.fact::<Vec<String>>(name).is_some(),
        "unclaimed" => evidence.fact::<[String; 2]>(name).is_some(),
        design if design.starts_with("design of ") => evidence.fact::<Design>(name).is_some(),
        _ => true,
    };
    evidence.facts.keys().map(String::as_str).find(|name| !fits(name))
}

/// The first sample that holds what is no number, where, and the file that it is in.
fn unreadable(evidence: &Evidence) -> Option<String> {
    evidence.samples.iter().enumerate().find_map(|(place, samples)| {
        let at = samples.values.iter().position(|value| !value.is_finite())?;
        let (law, name, value) = (&evidence.law, &samples.name, samples.values[at]);
        Some(format!("number {at} of {name:?} in evidence/{law}/{place}.npy is {value}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Blur, Blurred, Colour};
    use crate::suite::{Options, judge, run};
    use isoform_core::oracle::OracleSubstrate;
    use std::sync::Arc;

    fn noise(bias: f64) -> Dossier {
        let blur = Blur { bias, ..Blur::honest(Colour::White, 0.01, 0.05) };
        let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
        run(&medium, &Options::new().with_law("L1.noise")).expect("a run")
    }

    #[test]
    fn a_damaged_record_is_told_from_a_device_that_failed() {
        let whole = noise(0.0);
        assert_eq!(damaged(&whole, &judge(&whole)), None);
        let failed = noise(f64::NAN);
        assert_eq!(failed.outcomes[0].status, Status::Error);
        assert_eq!(damaged(&failed, &judge(&failed)), None);
        let mut changed = whole.clone();
        changed.evidence[0].samples[3].values[7] = f64::NAN;
        let why = damaged(&changed, &judge(&changed)).expect("is damaged");
        assert!(why.starts_with("the record of L1.noise is damaged: the records of "), "{why}");
        assert!(why.ends_with(" in evidence/L1.noise/3.npy is NaN") && why.contains(": number 7 of "), "{why}");
        let mut changed = whole;
        let design = changed.evidence[0].facts.keys().find(|name| name.starts_with("design of ")).expect("one").clone();
        changed.evidence[0].note(&design, "anything");
        let why = damaged(&changed, &judge(&changed)).expect("is damaged");
        assert!(why.contains(&format!("the fact {design:?} in evidence/L1.noise.json")), "{why}");
    }
}
