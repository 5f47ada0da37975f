//! What a law is.

use crate::bench::Bench;
use crate::record::{Evidence, Figure, Level, Requirement, Status};
use isoform_core::error::Result;
use isoform_core::profile::{Class, Profile};

/// One law of the suite.
///
/// It has two halves. [`measure`](Law::measure) works on a substrate and leaves evidence; [`judge`](Law::judge) sees the evidence
/// alone, so that a verdict can be repeated without the substrate.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The stable id, such as `L1.split`.
    pub id: &'static str,
    /// One sentence on what it says.
    pub title: &'static str,
    /// Its level.
    pub level: Level,
    /// What it needs of a substrate, in words.
    pub needs: &'static str,
    /// What a class of substrates owes to it.
    pub requirement: fn(Class) -> Requirement,
    /// Whether its verdict rests on a test that errs with a stated probability.
    pub statistical: bool,
    /// Measures. An error breaks the measurement off.
    pub measure: fn(&Bench<'_>, &mut Evidence) -> Result<()>,
    /// Judges the evidence under a profile.
    pub judge: fn(&Evidence, &Profile) -> Verdict,
}

/// What a judge says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What was found.
    pub status: Status,
    /// Why, in one line.
    pub reason: String,
    /// The numbers behind it.
    pub figures: Vec<Figure>,
}

impl Law {
    /// The most programs that it realises on a medium that shows one exemplar and takes one kind of node.
    #[must_use]
    pub fn programs(&self) -> u64 {
        match self.id {
            // two series of sixteen windows, each after two more, and a warm-up
            "L3.memory" => 44,
            "L4.setup" => 24,
            "L4.throughput" => 12,
            "L3.wear" => 8,
            _ => 5,
        }
    }
}

impl Verdict {
    /// A verdict without figures.
    #[must_use]
    pub fn new(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), figures: Vec::new() }
    }

    /// The law holds.
    #[must_use]
    pub fn pass(reason: impl Into<String>) -> Self {
        Self::new(Status::Pass, reason)
    }

    /// The law is broken.
    #[must_use]
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::new(Status::Fail, reason)
    }

    /// The evidence cannot be read.
    #[must_use]
    pub fn error(reason: impl Into<String>) -> Self {
        Self::new(Status::Error, reason)
    }

    /// The same with a further figure.
    #[must_use]
    pub fn with_figure(mut self, name: &str, value: f64, unit: &str) -> Self {
        self.figures.push(Figure { name: name.to_owned(), value, unit: unit.to_owned(), limit: None });
        self
    }

    /// The same with a further figure and what it was held against.
    #[must_use]
    pub fn with_limit(mut self, name: &str, value: f64, unit: &str, limit: f64) -> Self {
        self.figures.push(Figure { name: name.to_owned(), value, unit: unit.to_owned(), limit: Some(limit) });
        self
    }
}

/// Whether a class repeats itself to the bit.
#[must_use]
pub fn repeats(class: Class) -> bool {
    matches!(class, Class::ExactDigital | Class::FixedPoint)
}

/// Every class owes it.
pub(crate) fn always(_: Class) -> Requirement {
    Requirement::Required
}

/// Classes that repeat themselves owe it; noise makes it impossible for the others.
pub(crate) fn if_repeatable(class: Class) -> Requirement {
    if repeats(class) { Requirement::Required } else { Requirement::Impossible }
}

/// Classes that repeat themselves owe it where their profile claims the facet.
pub(crate) fn if_claimed(class: Class) -> Requirement {
    if repeats(class) { Requirement::Optional } else { Requirement::Impossible }
}

/// Classes that repeat themselves owe it where they have what it is about, such as a kind of node or more than one lane.
pub(crate) fn if_taken(class: Class) -> Requirement {
    if_claimed(class)
}

/// Classes whose noise hides single samples owe it.
pub(crate) fn if_noisy(class: Class) -> Requirement {
    match class {
        Class::StochasticDigital | Class::AnalogNoisy | Class::AnalogWearing => Requirement::Required,
        Class::ExactDigital | Class::FixedPoint | Class::FreeRunning | Class::RemoteSlow => Requirement::Impossible,
    }
}

/// Classes whose noise hides single samples owe it where they have what it is about, such as more than one lane.
pub(crate) fn if_noisy_has_it(class: Class) -> Requirement {
    if if_noisy(class) == Requirement::Required { Requirement::Optional } else { Requirement::Impossible }
}

/// Classes that never stand still owe it.
pub(crate) fn if_running(class: Class) -> Requirement {
    if class == Class::FreeRunning { Requirement::Required } else { Requirement::Impossible }
}

/// Classes that never stand still owe it where they have what it is about, such as an input or a clock of their own.
pub(crate) fn if_running_has_it(class: Class) -> Requirement {
    if class == Class::FreeRunning { Requirement::Optional } else { Requirement::Impossible }
}

/// Every class owes it where its profile claims the facet.
pub(crate) fn where_claimed(_: Class) -> Requirement {
    Requirement::Optional
}

/// What a class owes at a level and this version of the suite does not try yet, if there is such a debt.
///
/// A claim stops below it: a level is not claimed on the laws that happen to exist.
#[must_use]
pub fn pending(class: Class, level: Level) -> Option<&'static str> {
    if level == Level::L5 {
        return Some("the laws of learning are not part of this version of the suite");
    }
    match class {
        Class::RemoteSlow => Some("resumption and deadlines are not part of this version of the suite"),
        _ => None,
    }
}
