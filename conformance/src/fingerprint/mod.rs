//! The semantics fingerprint: under which answers does a substrate really compute?
//!
//! A few small programs are run, and their outputs alone are looked at. Every set of answers that a substrate could have is then tried as
//! an explanation: the definition predicts the outputs under it, and a set whose prediction is off by more than rounding is out.
//! What is common to the sets that are left is what was inferred. Two answers that are both left predict the same outputs for
//! every probe: they are *not distinguishable*, as a held input and an impulse after the flow are under Euler's decay for a flow that
//! is affine in its input; that is said, and not guessed.

mod candidates;
mod infer;
mod probes;

pub(crate) use infer::infer;
pub(crate) use probes::{Observation, observe};

use isoform_core::error::Result;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::Substrate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was inferred about the semantics of a substrate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// What the substrate was asked for.
    pub declared: Semantics,
    /// One for each question.
    pub answers: Vec<Answer>,
    /// What the probes were, in the order of their numbers, which count from one.
    pub probes: Vec<String>,
    /// The probe after which no set of answers was left as an explanation, if that happened.
    pub unexplained: Option<usize>,
}

/// What was inferred about one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question, such as `decay`.
    pub question: String,
    /// The answer that was declared.
    pub declared: String,
    /// The answers that explain what was seen.
    pub inferred: Vec<String>,
    /// The number of the probe that ruled out the rival which came nearest.
    pub probe: Option<usize>,
    /// By how many times its allowed rounding, or by how many spikes, that rival was off.
    pub margin: f64,
    /// Why more than one answer is left, if so.
    pub note: String,
}

impl Answer {
    /// Whether the declaration is among the answers that explain what was seen.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.inferred.contains(&self.declared)
    }
}

impl Fingerprint {
    /// Whether the declaration explains what was seen.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.unexplained.is_none() && self.answers.iter().all(Answer::agrees)
    }

    /// The first disagreement, in words.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if let Some(probe) = self.unexplained {
            let what = self.probes.get(probe - 1).map_or("", String::as_str);
            return Some(format!("no semantics explain probe {probe} ({what})"));
        }
        let wrong = self.answers.iter().find(|a| !a.agrees())?;
        let probe = wrong.probe.unwrap_or(0);
        let what = self.probes.get(probe.wrapping_sub(1)).map_or("", String::as_str);
        Some(format!(
            "{} is declared {} and found {} by probe {probe} ({what}), off by {:.1}",
            wrong.question,
            wrong.declared,
            wrong.inferred.join(" or "),
            wrong.margin
        ))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:<16} {:<32} {:>5} {:>10}", "question", "declared", "inferred", "probe", "margin")?;
        for a in &self.answers {
            let probe = a.probe.map_or_else(|| String::from("-"), |p| p.to_string());
            let inferred = a.inferred.join(" or ");
            let sign = if a.agrees() { "" } else { "  DISAGREES" };
            let note = if a.note.is_empty() { String::new() } else { format!("  {}", a.note) };
            writeln!(f, "{:<12} {:<16} {inferred:<32} {probe:>5} {:>10.1}{sign}{note}", a.question, a.declared, a.margin)?;
        }
        for (number, probe) in self.probes.iter().enumerate() {
            writeln!(f, "probe {}: {probe}", number + 1)?;
        }
        match self.unexplained {
            Some(probe) => writeln!(f, "no semantics explain what probe {probe} shows"),
            None => Ok(()),
        }
    }
}

/// Infers the semantics under which a substrate computes when it is asked for some, from inputs and outputs alone.
///
/// # Errors
/// `Unsupported` if it refuses these semantics in every probe, and what else it says.
pub fn fingerprint(substrate: &dyn Substrate, semantics: &Semantics) -> Result<Fingerprint> {
    let observations = observe(substrate, semantics)?;
    Ok(infer(&observations, semantics, &substrate.profile().accuracy))
}
