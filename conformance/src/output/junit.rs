//! The outcomes as JUnit XML.

use super::ledger;
use super::spelling::plain;
use super::wording::{Verdict, against, counts};
use crate::record::{Dossier, Level, Outcome, Requirement, Status};
use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// Writes one test case for each law and one test suite for each level.
///
/// | outcome | JUnit |
/// |---|---|
/// | `pass` | success |
/// | `not-claimed`, and the law is not required | skipped, with the reason |
/// | `fail`, `waived`, `not-claimed` though required | failure |
/// | `inconclusive`, `error` | error |
///
/// A waived failure stays a failure here; build servers have their own lists of known failures.
///
/// # Errors
/// If the XML cannot be written.
pub fn junit(dossier: &Dossier) -> Result<String, SerializeError> {
    let provenance = &dossier.provenance;
    let locator = plain(&provenance.locator);
    let mut report = Report::new(format!("isoform conform {locator}"));
    let started = chrono::DateTime::parse_from_rfc3339(&provenance.started).ok();
    if let Some(started) = started {
        report.set_timestamp(started);
    }
    report.set_time(time(dossier.outcomes.iter().map(|o| o.seconds).sum()));
    for level in Level::ALL {
        let outcomes: Vec<&Outcome> = dossier.outcomes.iter().filter(|o| o.level == *level).collect();
        if outcomes.is_empty() {
            continue;
        }
        let mut suite = TestSuite::new(format!("{level} {}", level.proves()));
        suite.set_time(time(outcomes.iter().map(|o| o.seconds).sum()));
        if let Some(started) = started {
            suite.set_timestamp(started);
        }
        suite.add_properties([
            Property::new("locator", locator.as_str()),
            Property::new("claim", dossier.claim.map_or_else(|| String::from("nothing"), |c| c.to_string())),
            Property::new("headline", Verdict::of(dossier).headline),
            Property::new("counts", counts(&dossier.outcomes)),
            Property::new("seed", provenance.seed.to_string()),
            Property::new("suite", plain(&provenance.suite)),
        ]);
        suite.add_properties(ledger::entries(dossier).into_iter().map(|(name, text)| Property::new(name, text)));
        suite.add_test_cases(outcomes.into_iter().map(|o| case(o, &locator)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(outcome: &Outcome, locator: &str) -> TestCase {
    let mut status = match (outcome.status, outcome.requirement) {
        (Status::Pass, _) => TestCaseStatus::success(),
        (Status::Waived, _) | (Status::NotClaimed, Requirement::Optional | Requirement::Impossible) => TestCaseStatus::skipped(),
        (Status::Fail | Status::NotClaimed, _) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Status::Inconclusive | Status::Error, _) => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if outcome.status != Status::Pass {
        status.set_type(outcome.status.name());
        status.set_message(plain(&outcome.reason));
    }
    let mut case = TestCase::new(plain(&outcome.law), status);
    case.set_classname(locator);
    case.set_time(time(outcome.seconds));
    let mut text = plain(&outcome.title);
    for figure in &outcome.figures {
        text.push('\n');
        text.push_str(&against(figure));
    }
    case.set_system_out(text);
    case
}

/// A duration; what is not one counts as none.
fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
