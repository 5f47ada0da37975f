//! Evidence in its simplest form: what was asked, what may be answered, what was answered; and pairs of records that must be equal.

use crate::law::Verdict;
use crate::record::{Evidence, Status};
use crate::units::counted;
use isoform_core::error::{Error, Integrity};
use serde::{Deserialize, Serialize};

/// The fact of what a substrate has not that a law is about: why.
pub(crate) const LACKING: &str = "lacking";

/// One question to the substrate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was asked.
    pub what: String,
    /// The answers that keep the law.
    pub want: Vec<String>,
    /// The answer.
    pub got: String,
}

/// Two records of which every bit must be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Twins {
    /// Why they must be equal.
    pub what: String,
    /// The names of the samples.
    pub pair: [String; 2],
}

impl Evidence {
    /// Notes the answer to a question.
    pub fn check(&mut self, what: impl Into<String>, want: &[&str], got: impl Into<String>) {
        let check = Check { what: what.into(), want: want.iter().map(|&w| w.to_owned()).collect(), got: got.into() };
        let mut checks: Vec<Check> = self.fact("checks").unwrap_or_default();
        checks.push(check);
        self.note("checks", checks);
    }

    /// Notes two records that must be equal, and keeps them.
    pub fn twins(&mut self, what: impl Into<String>, names: [&str; 2], values: [&[f32]; 2]) {
        for (name, values) in names.iter().zip(values) {
            if self.sample(name).is_none() {
                self.keep_single(name, "1", &[values.len()], values);
            }
        }
        self.pair(what, names);
    }

    /// Notes two kept records that must be equal.
    pub fn pair(&mut self, what: impl Into<String>, names: [&str; 2]) {
        let mut twins: Vec<Twins> = self.fact("twins").unwrap_or_default();
        twins.push(Twins { what: what.into(), pair: names.map(str::to_owned) });
        self.note("twins", twins);
    }

    /// Notes that a facet is not claimed, and how its use was answered.
    pub fn unclaimed(&mut self, facet: &str, answer: String) {
        self.note("unclaimed", [facet.to_owned(), answer]);
    }
}

impl Evidence {
    /// Notes that the substrate has nothing that the law is about.
    pub fn lacking(&mut self, why: &str) {
        self.note(LACKING, why);
    }
}

/// The kind of an error and what it did to the state, as one word.
pub(crate) fn answer<T>(result: &Result<T, Error>) -> String {
    match result {
        Ok(_) => String::from("accepted"),
        Err(e) if e.state() == Integrity::Lost => format!("{} and lost the state", e.kind()),
        Err(e) => e.kind().to_string(),
    }
}

/// The first place where two records differ, bit by bit.
pub(crate) fn first_difference(a: &[f64], b: &[f64]) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("they hold {} and {} numbers", a.len(), b.len()));
    }
    let at = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())?;
    let more = a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    Some(format!("number {at} is {} and {}; {more} of {} differ", a[at], b[at], a.len()))
}

/// What the checks and twins say, or the first that is broken.
fn look(evidence: &Evidence) -> Result<(usize, usize), Verdict> {
    let checks: Vec<Check> = evidence.fact("checks").unwrap_or_default();
    let twins: Vec<Twins> = evidence.fact("twins").unwrap_or_default();
    for check in &checks {
        if !check.want.contains(&check.got) {
            return Err(Verdict::fail(format!("{}: {} instead of {}", check.what, check.got, check.want.join(" or "))));
        }
    }
    for Twins { what, pair: [a, b] } in &twins {
        let (Some(left), Some(right)) = (evidence.sample(a), evidence.sample(b)) else {
            return Err(Verdict::error(format!("the record of {a:?} or {b:?} is missing")));
        };
        if let Some(difference) = first_difference(&left.values, &right.values) {
            return Err(Verdict::fail(format!("{what}: {a} and {b} differ: {difference}")));
        }
    }
    Ok((checks.len(), twins.len()))
}

/// Judges a law that has nothing but checks and twins.
pub(crate) fn judge(evidence: &Evidence, _: &isoform_core::profile::Profile) -> Verdict {
    if let Some(verdict) = not_claimed(evidence) {
        return verdict;
    }
    match look(evidence) {
        Err(verdict) => verdict,
        Ok((0, 0)) => Verdict::new(Status::Inconclusive, "nothing was compared"),
        Ok((checks, twins)) => {
            let answers = counted(checks, "answer", ["is as it must be", "are as they must be"]);
            let pairs = counted(twins, "pair", ["of records is equal to the bit", "of records are equal to the bit"]);
            let said: Vec<String> =
                [(checks, answers), (twins, pairs)].into_iter().filter(|(n, _)| *n > 0).map(|(_, s)| s).collect();
            Verdict::pass(said.join(", "))
        }
    }
}

/// The verdict on an ability that the profile does not claim.
pub(crate) fn not_claimed(evidence: &Evidence) -> Option<Verdict> {
    if let Some(why) = evidence.fact::<String>(LACKING) {
        return Some(Verdict::new(Status::NotClaimed, why));
    }
    let [facet, answer]: [String; 2] = evidence.fact("unclaimed")?;
    Some(if answer == "unsupported" {
        Verdict::new(Status::NotClaimed, format!("the profile does not claim {facet}, and its use is refused as unsupported"))
    } else {
        Verdict::fail(format!("the profile does not claim {facet}, but its use is answered by {answer} instead of unsupported"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::profile::Profile;

    fn verdict(fill: impl Fn(&mut Evidence)) -> Status {
        let mut evidence = Evidence::default();
        fill(&mut evidence);
        judge(&evidence, &Profile::digital("d", "0")).status
    }

    #[test]
    fn a_wrong_answer_fails_and_no_answer_proves_nothing() {
        assert_eq!(verdict(|_| {}), Status::Inconclusive);
        assert_eq!(verdict(|e| e.check("a", &["yes"], "yes")), Status::Pass);
        assert_eq!(verdict(|e| e.check("a", &["yes"], "no")), Status::Fail);
    }

    #[test]
    fn twins_are_compared_bit_by_bit() {
        assert_eq!(verdict(|e| e.twins("t", ["a", "b"], [&[0.0], &[0.0]])), Status::Pass);
        assert_eq!(verdict(|e| e.twins("t", ["a", "b"], [&[0.0], &[-0.0]])), Status::Fail);
        assert_eq!(verdict(|e| e.twins("t", ["a", "b"], [&[0.0], &[0.0, 1.0]])), Status::Fail);
        assert_eq!(verdict(|e| e.pair("t", ["a", "b"])), Status::Error);
    }

    #[test]
    fn an_unclaimed_ability_must_be_refused() {
        assert_eq!(verdict(|e| e.unclaimed("memory", String::from("unsupported"))), Status::NotClaimed);
        assert_eq!(verdict(|e| e.unclaimed("memory", String::from("accepted"))), Status::Fail);
        assert_eq!(verdict(|e| e.lacking("there are no lanes")), Status::NotClaimed);
    }
}
