//! The words that all outputs share.

use super::spelling::{plain, spell};
use crate::laws::laws;
use crate::noisy::{FALSE_ALARM, POWER, RESOLVED, SEPARATE};
use crate::record::{Dossier, Figure, Level, Outcome, Requirement, Status};
use crate::suite::holds;
use crate::waiver;
use isoform_core::profile::Class;

/// How the claim compares with what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The claim reaches the level that was asked for.
    Full,
    /// There is a claim, of a lower level.
    Partial,
    /// There is no claim.
    Nothing,
}

/// The result of a run in words that need no knowledge of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How the claim compares with what was asked for.
    pub standing: Standing,
    /// The claim in one line.
    pub headline: String,
    /// What the claim means.
    pub meaning: String,
    /// Why it is not more; empty if nothing more was asked for.
    pub obstacle: String,
}

impl Verdict {
    /// Puts the result of a run in words.
    #[must_use]
    pub fn of(dossier: &Dossier) -> Self {
        let locator = plain(&dossier.provenance.locator);
        let class = dossier.provenance.profile.class;
        let next = match dossier.claim {
            None => Some(Level::L0),
            Some(claim) => Level::ALL.iter().copied().find(|&l| l > claim.level && l <= dossier.asked),
        };
        let obstacle = next.map_or_else(String::new, |level| obstacle(dossier, level));
        match dossier.claim {
            Some(claim) => Self {
                standing: if next.is_none() { Standing::Full } else { Standing::Partial },
                headline: format!("{locator} conforms as {claim}"),
                meaning: format!(
                    "It is shown {}. Every law that a substrate of class {} owes up to {} was tried and holds.{}{}",
                    shown(dossier, claim.level),
                    claim.class,
                    claim.level,
                    rates(dossier, claim.level),
                    renewed(dossier)
                ),
                obstacle,
            },
            None => Self {
                standing: Standing::Nothing,
                headline: format!("{locator} claims nothing"),
                meaning: format!("A claim needs every law that a substrate of class {class} owes at L0."),
                obstacle,
            },
        }
    }
}

/// The error rates of the statistical laws that stand behind the claim of a level, if there are any.
fn rates(dossier: &Dossier, level: Level) -> String {
    let is_statistical = |o: &&Outcome| laws().iter().any(|law| law.id == o.law && law.statistical);
    let behind = || dossier.outcomes.iter().filter(|o| o.level <= level && o.status == Status::Pass).filter(is_statistical);
    if dossier.provenance.profile.medium.is_none() || behind().next().is_none() {
        return String::new();
    }
    // the law that saw least says how much was seen, and that which tells least apart what is told apart
    let all = |name: &'static str| behind().flat_map(|o| &o.figures).filter(move |f| f.name == name).map(|f| f.value);
    let least = |name| all(name).reduce(f64::min).filter(|least| *least > 0.0);
    let most = |name| all(name).reduce(f64::max).filter(|most| most.is_finite());
    let seen = least(crate::agreement::SAMPLES).map_or_else(String::new, |samples| {
        format!(
            "; an unbiased mean is found inside its margin with a probability of at least {POWER} a stage, of {samples:.0} effective samples or more"
        )
    });
    let apart = least(SEPARATE).map_or_else(String::new, |trials| {
        let shift = most(RESOLVED).map_or_else(String::new, |shift| {
            format!(", and a shift of all outputs by {shift:.1} deviations of a trial is found with a probability of at least {POWER} a stage")
        });
        format!("; what runs on is compared by {trials:.0} separate trials a stage or more{shift}")
    });
    format!(
        " The statistical laws together alarm on a healthy medium with a probability of at most {FALSE_ALARM:e}{seen}{apart}."
    )
}

/// That calibrations were made anew, if one was over: what is claimed is then claimed of a device that somebody calibrates.
fn renewed(dossier: &Dossier) -> &'static str {
    match dossier.ledger.calibrations.iter().any(|c| c.certificate.is_expired()) {
        true => {
            " It is claimed of a device that is calibrated anew whenever the time of a calibration is over, as the suite did."
        }
        false => "",
    }
}

/// "that it keeps its word (L0) and that its state is a state (L1)". What runs on is held to a function by one law alone, and in its means.
fn shown(dossier: &Dossier, level: Level) -> String {
    let runs_on = dossier.provenance.profile.class == Class::FreeRunning;
    let passed = |law: &str| dossier.outcomes.iter().any(|o| o.law == law && o.status == Status::Pass);
    let phrase = |l: Level| match l {
        Level::L2 if runs_on && passed("L2.settled") => String::from("that it computes this function in its means (L2)"),
        Level::L2 if runs_on && passed("L2.response") => {
            String::from("that it answers to its inputs, though not with which function (L2)")
        }
        Level::L2 if runs_on => String::from("nothing of its function (L2)"),
        Level::L3 if runs_on => String::from("that it goes on as it was (L3)"),
        Level::L4 => format!("{} ({l})", l.proves()),
        _ => format!("that {} ({l})", l.proves()),
    };
    let phrases: Vec<String> = Level::ALL.iter().filter(|l| **l <= level).map(|l| phrase(*l)).collect();
    match phrases.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => phrases.concat(),
    }
}

/// Why a level is not claimed.
fn obstacle(dossier: &Dossier, level: Level) -> String {
    let standing: Vec<&Outcome> = dossier.outcomes.iter().filter(|o| o.level == level && stands_in_the_way(o)).collect();
    if !standing.is_empty() {
        return format!("{level} is not claimed because {}.", grouped(&standing).join("; "));
    }
    if dossier.outcomes.iter().any(|o| o.level == level) {
        format!("{level} is not claimed because not every law that is owed was tried.")
    } else {
        format!("{level} is not claimed because none of its laws was tried.")
    }
}

/// What became of laws, each reason once: the first law with it in full, the others by their names.
fn grouped(outcomes: &[&Outcome]) -> Vec<String> {
    let mut groups: Vec<(&Outcome, Vec<&str>)> = Vec::new();
    for outcome in outcomes {
        match groups.iter_mut().find(|(first, _)| first.status == outcome.status && first.reason == outcome.reason) {
            Some((_, others)) => others.push(&outcome.law),
            None => groups.push((outcome, Vec::new())),
        }
    }
    let say = |(first, others): &(&Outcome, Vec<&str>)| {
        let also = if others.is_empty() { String::new() } else { format!(", and for the same reason {}", others.join(", ")) };
        let reason = plain(first.reason.trim_end_matches('.'));
        // a reason that says of the law that it holds says it by itself
        let what =
            if waiver::is_needless(first) { String::from("is not as its waiver says") } else { verb(first.status).to_owned() };
        format!("{} {what}: {reason}{}", plain(&first.law), plain(&also))
    };
    groups.iter().map(say).collect()
}

/// Whether an outcome alone keeps its level from being claimed.
pub(super) fn stands_in_the_way(outcome: &Outcome) -> bool {
    outcome.requirement != Requirement::Impossible && !holds(outcome)
}

fn verb(status: Status) -> &'static str {
    match status {
        Status::Pass => "holds",
        Status::Fail => "failed",
        Status::Inconclusive => "was inconclusive",
        Status::NotClaimed => "is not claimed",
        Status::Waived => "is waived",
        Status::Error => "could not be tried",
    }
}

/// What a status means.
pub(super) fn meaning(status: Status) -> &'static str {
    match status {
        Status::Pass => "The law was tried on the substrate and holds.",
        Status::Fail => "The law was tried and is broken.",
        Status::Inconclusive => "The evidence that the budget allowed decides neither way.",
        Status::NotClaimed => "The substrate does not promise the ability, and refuses it properly when asked.",
        Status::Waived => "The law is broken; somebody accepted that, with a reason and an expiry.",
        Status::Error => "The law could not be tried, because the measurement broke off.",
    }
}

/// A mark beside the name of a status, so that nothing depends on colour.
pub(super) fn mark(status: Status) -> &'static str {
    match status {
        Status::Pass => "✓",
        Status::Fail => "✗",
        Status::Inconclusive => "?",
        Status::NotClaimed => "–",
        Status::Waived => "~",
        Status::Error => "!",
    }
}

/// What a requirement is called in tables.
pub(super) fn owed(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Required => "required",
        Requirement::Optional => "optional",
        Requirement::Impossible => "impossible",
    }
}

/// The same of a law that was tried: whoever claims an ability owes its law.
pub(super) fn owed_by(outcome: &Outcome) -> &'static str {
    match (outcome.requirement, outcome.status) {
        (Requirement::Optional, Status::NotClaimed) | (Requirement::Required | Requirement::Impossible, _) => {
            owed(outcome.requirement)
        }
        (Requirement::Optional, _) => "claimed",
    }
}

/// "9 pass, 1 fail", without the statuses that did not occur.
pub(super) fn counts(outcomes: &[Outcome]) -> String {
    let parts: Vec<String> = Status::ALL
        .iter()
        .map(|s| (s, outcomes.iter().filter(|o| o.status == *s).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {s}"))
        .collect();
    if parts.is_empty() { String::from("no law was tried") } else { parts.join(", ") }
}

/// A figure against its limit.
pub(super) fn against(figure: &Figure) -> String {
    let value = spell(figure.value, &figure.unit);
    let name = plain(&figure.name);
    match figure.limit {
        Some(limit) => format!("{name}: {value}, limit {}", spell(limit, &figure.unit)),
        None => format!("{name}: {value}"),
    }
}
