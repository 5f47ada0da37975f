//! What a run of the suite leaves behind: evidence, outcomes and the claim.
//!
//! A law has two halves. The first measures on a substrate and leaves [`Evidence`]; the second judges evidence alone. A verdict can
//! therefore be recomputed from the raw samples with no substrate present.

use crate::waiver::Waiver;
use isoform_core::calibration::InForce;
use isoform_core::profile::{Class, Profile};
use isoform_core::report::Report;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The version of the files that a run leaves behind.
pub const SCHEMA: u32 = 1;
/// The version of the suite, part of every claim.
pub const SUITE: u32 = 1;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The law holds.
    Pass,
    /// The law is broken.
    Fail,
    /// There was not enough evidence within the budget.
    Inconclusive,
    /// The substrate does not claim the ability that the law is about, and refuses it properly.
    NotClaimed,
    /// A failure that somebody accepted, with a reason and an expiry.
    Waived,
    /// The law could not be tried.
    Error,
}

impl Status {
    /// Every status.
    pub const ALL: &'static [Self] = &[Self::Pass, Self::Fail, Self::Inconclusive, Self::NotClaimed, Self::Waived, Self::Error];

    /// The name in tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotClaimed => "not-claimed",
            Self::Waived => "waived",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much a law proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is a level of the same name")]
pub enum Level {
    L0,
    L1,
    L2,
    L3,
    L4,
    L5,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: &'static [Self] = &[Self::L0, Self::L1, Self::L2, Self::L3, Self::L4, Self::L5];

    /// What the level proves.
    #[must_use]
    pub fn proves(self) -> &'static str {
        match self {
            Self::L0 => "it keeps its word",
            Self::L1 => "its state is a state",
            Self::L2 => "it computes this function",
            Self::L3 => "it stays that function",
            Self::L4 => "what it costs",
            Self::L5 => "it can be taught",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|l| l.to_string().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("there is no level {text:?}; levels are L0 to L5"))
    }
}

/// What a class of substrates owes to a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// Without it there is no claim of the level.
    Required,
    /// It is tried if the profile claims the ability.
    Optional,
    /// The medium cannot do it.
    Impossible,
}

/// A number behind a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Its unit, `1` for a pure number.
    pub unit: String,
    /// What it was held against, if anything.
    pub limit: Option<f64>,
}

/// The verdict on one law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The stable id of the law, such as `L1.split`.
    pub law: String,
    /// One sentence on what it says.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// What the class of the substrate owes.
    pub requirement: Requirement,
    /// What was found.
    pub status: Status,
    /// Why, in one line.
    pub reason: String,
    /// The numbers behind it.
    pub figures: Vec<Figure>,
    /// How long it took.
    pub seconds: f64,
}

/// Named numbers with a shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// What they are.
    pub name: String,
    /// Their unit, `1` for pure numbers.
    pub unit: String,
    /// Their extents, outermost first.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f64>,
}

/// What a law measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The id of the law.
    pub law: String,
    /// Everything that is not an array.
    pub facts: BTreeMap<String, Value>,
    /// The raw samples.
    pub samples: Vec<Samples>,
    /// Why the measurement broke off, if it did.
    pub broke_off: Option<String>,
    /// How long the measurement took.
    pub seconds: f64,
}

/// Where a run comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The locator of the substrate.
    pub locator: String,
    /// What it promised.
    pub profile: Profile,
    /// The version of the suite's crate.
    pub suite: String,
    /// The seed of everything that was drawn.
    pub seed: u64,
    /// When it was started, in RFC 3339, as the caller says.
    pub started: String,
    /// Anything else that the caller knows: firmware, serial number, temperature, calibration.
    pub notes: BTreeMap<String, String>,
    /// What is known to be broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

/// What a device told beside its outputs, over all laws below L4. The laws of L4 time the substrate and are left alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Samples that came out.
    pub samples: u64,
    /// Samples that were clipped, inside the device or at its edges.
    pub clipped: u64,
    /// Samples that never arrived.
    pub lost: u64,
    /// Writes that wore the device.
    pub writes: u64,
    /// Seconds of the device's time at which the first program was realised; none if it does not say.
    pub age: Option<f64>,
    /// The calibrations under which it worked, each at the largest age that was seen.
    pub calibrations: Vec<InForce>,
}

impl Ledger {
    /// Adds what one advance of so many outputs a tick reports.
    pub(crate) fn count(&mut self, report: &Report, outputs: usize) {
        self.samples = self.samples.saturating_add((report.ticks as u64).saturating_mul(outputs as u64));
        self.clipped = self.clipped.saturating_add(report.clipped);
        self.lost = self.lost.saturating_add(report.lost);
        self.writes = self.writes.saturating_add(report.writes);
    }

    /// Adds a certificate that was in force.
    pub(crate) fn certify(&mut self, found: InForce) {
        match self.calibrations.iter_mut().find(|known| known.certificate.id == found.certificate.id) {
            // when it was made is what was known of it first
            Some(known) if found.certificate.age > known.certificate.age => known.certificate = found.certificate,
            Some(_) => {}
            None => self.calibrations.push(found),
        }
    }

    /// Adds what another law found.
    pub(crate) fn add(&mut self, other: Self) {
        self.samples = self.samples.saturating_add(other.samples);
        self.clipped = self.clipped.saturating_add(other.clipped);
        self.lost = self.lost.saturating_add(other.lost);
        self.writes = self.writes.saturating_add(other.writes);
        self.age = match (self.age, other.age) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        other.calibrations.into_iter().for_each(|found| self.certify(found));
    }
}

/// What may be said of a substrate: `class/level/suite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The column of the table of laws.
    pub class: Class,
    /// The highest level of which, and below which, every required law passed.
    pub level: Level,
    /// The version of the suite.
    pub suite: u32,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.class, self.level, self.suite)
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// The version of this layout.
    pub schema: u32,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The highest level that was asked for.
    pub asked: Level,
    /// What may be said; nothing if a required law of L0 does not hold.
    pub claim: Option<Claim>,
    /// One for each law that was tried, in the order of the table.
    pub outcomes: Vec<Outcome>,
    /// What the device told beside its outputs.
    #[serde(default)]
    pub ledger: Ledger,
    /// What was measured, one for each outcome.
    #[serde(skip)]
    pub evidence: Vec<Evidence>,
}
