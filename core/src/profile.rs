//! What a substrate promises, before anything is loaded.

use crate::bound::Accuracy;
use crate::error::{Error, Result};
use crate::medium::Medium;
use crate::program::{NodeKind, Program};
use crate::semantics::{Number, Test};
use std::fmt;

/// The promises of a substrate. The conformance suite holds the substrate to them.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// What it is, for people.
    pub name: String,
    /// The version of the driver or backend.
    pub version: String,
    /// The device underneath, as far as it is known without asking it.
    pub device: String,
    /// By which column of the table of laws it wants to be judged.
    pub class: Class,
    /// How exact its arithmetic is.
    pub accuracy: Accuracy,
    /// Which facets a realization has.
    pub facets: Facets,
    /// What it can hold and take.
    pub limits: Limits,
    /// Which nodes and semantics it takes.
    pub takes: Takes,
    /// What it promises of noise, drift and wear; absent where a tolerance is derived from the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
}

/// The kinds of substrate that the suite tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Digital, repeatable, floating point.
    ExactDigital,
    /// Digital, repeatable, whole numbers.
    FixedPoint,
    /// Digital, with random draws.
    StochasticDigital,
    /// Analog, with noise.
    AnalogNoisy,
    /// Analog, worn by every write.
    AnalogWearing,
    /// Never stands still and cannot be reset.
    FreeRunning,
    /// Far away, slow, one user at a time.
    RemoteSlow,
}

impl Class {
    /// Every class.
    pub const ALL: &'static [Self] = &[
        Self::ExactDigital,
        Self::FixedPoint,
        Self::StochasticDigital,
        Self::AnalogNoisy,
        Self::AnalogWearing,
        Self::FreeRunning,
        Self::RemoteSlow,
    ];

    /// The name in claims.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactDigital => "exact-digital",
            Self::FixedPoint => "fixed-point",
            Self::StochasticDigital => "stochastic-digital",
            Self::AnalogNoisy => "analog-noisy",
            Self::AnalogWearing => "analog-wearing",
            Self::FreeRunning => "free-running",
            Self::RemoteSlow => "remote-slow",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which facets are present. Presence at run time is the truth; this is the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facets {
    /// The state can be saved and loaded.
    pub memory: bool,
    /// Parameters can be read and written while it runs.
    pub tuning: bool,
    /// It can learn.
    pub plasticity: bool,
    /// It can be calibrated.
    pub calibration: bool,
    /// A calibration whose time is over is made anew by itself.
    #[serde(default)]
    pub renewal: bool,
    /// Time of the device can pass without work.
    #[serde(default)]
    pub rest: bool,
}

/// What a substrate can hold and take.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// The range of an input sample.
    pub input: [f64; 2],
    /// What happens to a sample out of range.
    pub out_of_range: OutOfRange,
    /// The most ticks in one advance; a session splits longer chunks.
    pub ticks: usize,
    /// The most lanes.
    pub batch: usize,
    /// The most channels of one node.
    pub channels: usize,
    /// The most realizations at a time; one more is `Busy`.
    pub realizations: usize,
    /// Ticks from one input of a channel other than nought to the next, at the least; one where every tick may have its own.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub spacing: usize,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_one(spacing: &usize) -> bool {
    *spacing == 1
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input: [f64::from(f32::MIN), f64::from(f32::MAX)],
            out_of_range: OutOfRange::Refuse,
            ticks: usize::MAX,
            batch: usize::MAX,
            channels: usize::MAX,
            realizations: usize::MAX,
            spacing: 1,
        }
    }
}

/// Whether a sample is within a range. An end that lies between two numbers of a signal is the nearer one, as whoever writes it there writes it.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
pub fn in_range([low, high]: [f64; 2], sample: f32) -> bool {
    (low as f32..=high as f32).contains(&sample)
}

/// What happens to a sample out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutOfRange {
    /// The whole call is refused.
    Refuse,
    /// The sample is clipped, and counted in the report.
    Clip,
}

/// Which nodes and semantics a substrate takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Takes {
    /// Ids of transfer functions and kinds of nodes; empty means any.
    pub nodes: Vec<String>,
    /// Whether spikes are located inside the tick.
    pub located: bool,
    /// Whether fixed numbers are honoured.
    pub fixed: bool,
    /// Whether nodes may be wired in a cycle.
    pub cycles: bool,
}

impl Default for Takes {
    fn default() -> Self {
        Self { nodes: Vec::new(), located: false, fixed: false, cycles: true }
    }
}

impl Profile {
    /// The profile of a digital substrate in single precision, without facets and limits.
    #[must_use]
    pub fn digital(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            device: String::from("this computer"),
            class: Class::ExactDigital,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits::default(),
            takes: Takes::default(),
            medium: None,
        }
    }

    /// The same with other facets.
    #[must_use]
    pub fn with_facets(mut self, facets: Facets) -> Self {
        self.facets = facets;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, taking other nodes and semantics.
    #[must_use]
    pub fn with_takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }

    /// The same, with promises of noise, drift and wear.
    #[must_use]
    pub fn with_medium(mut self, medium: Medium) -> Self {
        self.medium = Some(medium);
        self
    }

    /// The same, in another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Checks that a program is within the promises.
    ///
    /// # Errors
    /// `Unsupported`, naming the first node that is not.
    pub fn admit(&self, program: &Program) -> Result<()> {
        let refuse = |node: &str, why: String| Err(Error::unsupported(why).with_node(node));
        for node in program.nodes() {
            let kind = node.kind_name();
            if !self.takes.nodes.is_empty() && kind != "relay" && !self.takes.nodes.iter().any(|k| k == kind) {
                return refuse(&node.name, format!("{} has no {kind}; it has {}", self.name, self.takes.nodes.join(", ")));
            }
            if node.channels() > self.limits.channels {
                // what a device says of itself tells whose limit it is, and what sets it
                let device = if self.device.is_empty() { String::new() } else { format!(", which is {}", self.device) };
                let why = format!("{} channels exceed the {} of {}{device}", node.channels(), self.limits.channels, self.name);
                return refuse(&node.name, why);
            }
            if matches!(node.kind, NodeKind::Dynamics { .. }) {
                if node.semantics.test == Test::Located && !self.takes.located {
                    return refuse(
                        &node.name,
                        format!("{} does not locate spikes inside a tick; use another preset than events", self.name),
                    );
                }
                if node.semantics.number != Number::Real && !self.takes.fixed {
                    return refuse(
                        &node.name,
                        format!("{} does not compute in fixed numbers; use another preset than loihi", self.name),
                    );
                }
            }
        }
        match program.schedule().parts.iter().find(|p| p.recurrent) {
            Some(part) if !self.takes.cycles => {
                refuse(&program.nodes()[part.nodes[0]].name, format!("{} takes no cycles", self.name))
            }
            _ => Ok(()),
        }
    }
}
