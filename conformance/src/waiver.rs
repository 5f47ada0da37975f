//! Known failures: what is broken, why that is accepted, by whom, and until when.
//!
//! A law that is waived supports no claim, and lets a run end well that is broken nowhere else. A waiver that is over counts for nothing, and one
//! whose law holds is an error: it hides nothing any more, and would hide what breaks next.

use crate::record::{Outcome, Status};
use serde::{Deserialize, Serialize};

/// How the reason of a law begins that is waived and holds.
const NEEDLESS: &str = "it holds, and is waived";

/// Whether an outcome is no more than that of a law that is waived and holds: the waiver is wrong, and neither substrate nor measurement.
pub(crate) fn is_needless(outcome: &Outcome) -> bool {
    outcome.status == Status::Error && outcome.reason.starts_with(NEEDLESS)
}

/// That a law is known to be broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The id of the law.
    pub law: String,
    /// Why its failure is accepted.
    pub reason: String,
    /// Who accepts it.
    pub who: String,
    /// The last day on which it counts, as `2026-12-31`.
    #[serde(deserialize_with = "written")]
    pub until: String,
}

impl Waiver {
    /// What is wrong with it, if anything is: every field says something, and the day is one.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let Self { law, reason, who, until } = self;
        let empty = [("law", law), ("reason", reason), ("who", who)].into_iter().find(|(_, text)| text.trim().is_empty());
        if let Some((field, _)) = empty {
            return Some(format!("a waiver has no {field}: say which law is broken, why that is accepted, and who accepts it"));
        }
        day(until).is_none().then(|| format!("the waiver of {law} is until {until:?}, which is no day: write it as 2026-12-31"))
    }

    /// The outcome of its law on a day.
    fn over(&self, outcome: &mut Outcome, today: Option<chrono::NaiveDate>) {
        let Self { reason, who, until, .. } = self;
        let counts = today.zip(day(until)).is_some_and(|(today, until)| today <= until);
        match outcome.status {
            Status::Fail if counts => {
                outcome.status = Status::Waived;
                outcome.reason = format!("until {until}, by {who}: {reason}; it is broken: {}", outcome.reason);
            }
            Status::Fail => outcome.reason.push_str(&format!("; the waiver of {who} was until {until}")),
            Status::Pass if counts => {
                outcome.status = Status::Error;
                outcome.reason = format!("{NEEDLESS} until {until} by {who}: take the waiver away");
            }
            _ => {}
        }
    }
}

/// A day as text, or as formats have it that know days, which hand on a map of one text.
fn written<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Day {
        Text(String),
        Known(std::collections::BTreeMap<String, String>),
    }
    match Day::deserialize(from)? {
        Day::Text(text) => Ok(text),
        Day::Known(map) if map.len() == 1 => Ok(map.into_values().collect()),
        Day::Known(_) => Err(serde::de::Error::custom("until is no day: write it as \"2026-12-31\"")),
    }
}

fn day(text: &str) -> Option<chrono::NaiveDate> {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Applies waivers to the outcomes of a run that was started at a time in RFC 3339; without one, none counts.
pub(crate) fn apply(waivers: &[Waiver], started: &str, outcomes: &mut [Outcome]) {
    let today = started.get(..10).and_then(day);
    for waiver in waivers {
        let of_law = outcomes.iter_mut().filter(|outcome| outcome.law.eq_ignore_ascii_case(&waiver.law));
        of_law.for_each(|outcome| waiver.over(outcome, today));
    }
}
