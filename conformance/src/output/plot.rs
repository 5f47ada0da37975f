//! How a law asks for a plot.
//!
//! A law names the samples in its [`Evidence`] that make a plot; the report draws them. The request is the fact `plot` of the
//! evidence, one object or an array of them, so that the page can be drawn again from the files of a run:
//!
//! ```
//! use isoform_conformance::output::plot::Plot;
//! use isoform_conformance::record::Evidence;
//!
//! let mut evidence = Evidence::default();
//! Plot::agreement("Membrane under a held current", "substrate", "oracle", "bound")
//!     .with_tick(1e-4)
//!     .attach(&mut evidence);
//! assert_eq!(evidence.facts["plot"][0]["kind"], "agreement");
//! ```
//!
//! | kind | `y` | and |
//! |---|---|---|
//! | `agreement` | substrate, oracle | `bound`: half-width of the derived error bound |
//! | `step-response` | responses | `fits`: exponentials |
//! | `raster` | substrate, oracle, shape `[time, …]`, non-zero is a spike | `ambiguous`: non-zero marks an ambiguous tick |
//! | `latency` | seconds, one number a call | `quantiles` with their intervals |
//! | `allan` | output, program, shape `[time, …]` | the overlapping Allan deviation of their difference |
//! | `error-map` | output, program, shape `[time, outputs]`, and the stimulus of each tick: 0 for quiet, n + 1 for input n alone | `bound`: the margin |
//! | `spikes` | one sample of shape `[time, …]`, non-zero is a spike | with a histogram of the intervals |
//! | `lines` | anything of shape `[time, …]` | `x`, `band`, `points`, `dotted`, `levels`, `log-x`, `log-y` |
//!
//! Samples of shape `[time, …]` are drawn at one place of their other extents, [`with_column`](Plot::with_column); a raster shows
//! all of them. Their names stand in the legend, their units at the axes. A plot that cannot be drawn is replaced by a sentence
//! that says why.

use crate::record::Evidence;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fact under which plots are asked for.
pub const FACT: &str = "plot";

/// What a plot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A substrate against the oracle, with the error in units of the bound.
    Agreement,
    /// Responses to a step, with fitted exponentials.
    StepResponse,
    /// Spikes of the substrate beside those of the oracle.
    Raster,
    /// The distribution of times.
    Latency,
    /// The Allan deviation of a record about what the program says.
    Allan,
    /// The mean error of each output under each input alone.
    ErrorMap,
    /// Spikes by themselves, with the intervals between them.
    Spikes,
    /// Curves.
    Lines,
}

/// A fitted exponential `last + (start - last) · exp(-(x - onset) / tau)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fit {
    /// What it is, for the legend.
    pub label: String,
    /// The value at the onset, in the unit of the response.
    pub start: f64,
    /// The value in the end, in the unit of the response.
    pub last: f64,
    /// The time constant, in the unit of the x axis: seconds with a tick length, ticks without.
    pub tau: f64,
    /// Where it begins, in the unit of the x axis.
    #[serde(default)]
    pub onset: f64,
}

impl Fit {
    /// A fit that begins at nought.
    #[must_use]
    pub fn new(label: impl Into<String>, start: f64, last: f64, tau: f64) -> Self {
        Self { label: label.into(), start, last, tau, onset: 0.0 }
    }

    /// The same, beginning elsewhere.
    #[must_use]
    pub fn with_onset(mut self, onset: f64) -> Self {
        self.onset = onset;
        self
    }
}

/// A quantile with the interval that order statistics give for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quantile {
    /// Which quantile, such as 0.99.
    pub probability: f64,
    /// Its estimate, in seconds.
    pub value: f64,
    /// The lower end of its interval, in seconds.
    pub low: f64,
    /// The upper end of its interval, in seconds.
    pub high: f64,
}

impl Quantile {
    /// A quantile and its interval.
    #[must_use]
    pub fn new(probability: f64, value: f64, low: f64, high: f64) -> Self {
        Self { probability, value, low, high }
    }
}

/// A request for a plot; the [module](self) says how each kind reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plot {
    /// What it shows.
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// One sentence on what to see in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The samples along the x axis; without them, ticks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The samples that are drawn.
    pub y: Vec<String>,
    /// The samples that bound a shaded band, lower first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[String; 2]>,
    /// The samples with the half-width of the error bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// The samples that mark ambiguous ticks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambiguous: Option<String>,
    /// Seconds per tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<f64>,
    /// Which place of the extents after time is drawn, counted row-major.
    #[serde(default)]
    pub column: usize,
    /// Fitted exponentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<Fit>,
    /// Quantiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// Labels of the x and y axis in place of those made from names and units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<[String; 2]>,
    /// Whether the x axis is logarithmic.
    #[serde(default)]
    pub log_x: bool,
    /// Whether the y axis is logarithmic.
    #[serde(default)]
    pub log_y: bool,
    /// Whether samples are drawn as points and not joined.
    #[serde(default)]
    pub points: bool,
    /// The curve from which on samples are drawn as points, on the lines of those before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dotted: Option<usize>,
    /// Heights that curves are held against, each with what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<(String, f64)>,
    /// Whether errors are told less those of the first column, which nothing drives.
    #[serde(default)]
    pub relative: bool,
    /// Whether 1/f noise, whose deviation is flat, is drawn beside a record.
    #[serde(default)]
    pub flat: bool,
}

impl Plot {
    fn new(kind: Kind, title: impl Into<String>, y: Vec<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            caption: None,
            x: None,
            y,
            band: None,
            bound: None,
            ambiguous: None,
            tick: None,
            column: 0,
            fits: Vec::new(),
            quantiles: Vec::new(),
            labels: None,
            log_x: false,
            log_y: false,
            points: false,
            dotted: None,
            levels: Vec::new(),
            relative: false,
            flat: false,
        }
    }

    /// A substrate against the oracle, with the error in units of its bound.
    ///
    /// All three are names of samples of one shape `[time, …]`; the bound, a half-width, may also be a single number.
    #[must_use]
    pub fn agreement(
        title: impl Into<String>,
        substrate: impl Into<String>,
        oracle: impl Into<String>,
        bound: impl Into<String>,
    ) -> Self {
        Self { bound: Some(bound.into()), ..Self::new(Kind::Agreement, title, vec![substrate.into(), oracle.into()]) }
    }

    /// Responses to a step, of shape `[time, …]`, with fitted exponentials.
    #[must_use]
    pub fn step_response(title: impl Into<String>, responses: &[&str], fits: Vec<Fit>) -> Self {
        Self { fits, ..Self::new(Kind::StepResponse, title, names(responses)) }
    }

    /// Spikes of the substrate beside those of the oracle, both of one shape `[time, …]`.
    #[must_use]
    pub fn raster(title: impl Into<String>, substrate: impl Into<String>, oracle: impl Into<String>) -> Self {
        Self::new(Kind::Raster, title, vec![substrate.into(), oracle.into()])
    }

    /// The distribution of times in seconds, with quantiles as the law found them.
    #[must_use]
    pub fn latency(title: impl Into<String>, times: &[&str], quantiles: Vec<Quantile>) -> Self {
        Self { quantiles, ..Self::new(Kind::Latency, title, names(times)) }
    }

    /// The Allan deviation of a record about what the program says, both of one shape `[time, …]`.
    #[must_use]
    pub fn allan(title: impl Into<String>, output: impl Into<String>, program: impl Into<String>) -> Self {
        Self::new(Kind::Allan, title, vec![output.into(), program.into()])
    }

    /// The mean error of each output under each input alone: output and program of one shape `[time, outputs]`, and the number of the stimulus
    /// of each tick, nought for quiet inputs and `n + 1` for input `n`.
    #[must_use]
    pub fn error_map(
        title: impl Into<String>,
        output: impl Into<String>,
        program: impl Into<String>,
        stimulus: impl Into<String>,
    ) -> Self {
        Self::new(Kind::ErrorMap, title, vec![output.into(), program.into(), stimulus.into()])
    }

    /// Spikes of shape `[time, …]` by themselves, with the intervals between them.
    #[must_use]
    pub fn spikes(title: impl Into<String>, spikes: impl Into<String>) -> Self {
        Self::new(Kind::Spikes, title, vec![spikes.into()])
    }

    /// Curves.
    #[must_use]
    pub fn lines(title: impl Into<String>, y: &[&str]) -> Self {
        Self::new(Kind::Lines, title, names(y))
    }

    /// The same with a sentence on what to see.
    #[must_use]
    pub fn with_caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// The same with these samples along the x axis.
    #[must_use]
    pub fn with_x(mut self, x: impl Into<String>) -> Self {
        self.x = Some(x.into());
        self
    }

    /// The same with a shaded band between two samples.
    #[must_use]
    pub fn with_band(mut self, low: impl Into<String>, high: impl Into<String>) -> Self {
        self.band = Some([low.into(), high.into()]);
        self
    }

    /// The same with the samples that hold the bound.
    #[must_use]
    pub fn with_bound(mut self, bound: impl Into<String>) -> Self {
        self.bound = Some(bound.into());
        self
    }

    /// The same with ambiguous ticks, of the shape of the spikes or `[time]`.
    #[must_use]
    pub fn with_ambiguous(mut self, ambiguous: impl Into<String>) -> Self {
        self.ambiguous = Some(ambiguous.into());
        self
    }

    /// The same over time, with so many seconds per tick.
    #[must_use]
    pub fn with_tick(mut self, seconds: f64) -> Self {
        self.tick = Some(seconds);
        self
    }

    /// The same at another place of the extents after time.
    #[must_use]
    pub fn with_column(mut self, column: usize) -> Self {
        self.column = column;
        self
    }

    /// The same with these labels at the axes.
    #[must_use]
    pub fn with_labels(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        self.labels = Some([x.into(), y.into()]);
        self
    }

    /// The same with a logarithmic x axis.
    #[must_use]
    pub fn with_log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// The same with a logarithmic y axis.
    #[must_use]
    pub fn with_log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// The same with points that are not joined.
    #[must_use]
    pub fn with_points(mut self) -> Self {
        self.points = true;
        self
    }

    /// The same with points for this curve and those after it, so that one that lies on another shows.
    #[must_use]
    pub fn with_dots_from(mut self, curve: usize) -> Self {
        self.dotted = Some(curve);
        self
    }

    /// The same with a line at a height, in the unit of the curves.
    #[must_use]
    pub fn with_level(mut self, label: impl Into<String>, height: f64) -> Self {
        self.levels.push((label.into(), height));
        self
    }

    /// The same with errors less those of the first column.
    #[must_use]
    pub fn with_reference(mut self) -> Self {
        self.relative = true;
        self
    }

    /// The same with 1/f noise beside it.
    #[must_use]
    pub fn with_flat(mut self) -> Self {
        self.flat = true;
        self
    }

    /// Asks for the plot in the evidence, after those that it asks for already.
    pub fn attach(self, evidence: &mut Evidence) {
        // The types of a plot have names for keys and no maps, so that they always become JSON.
        let value = serde_json::to_value(self).unwrap_or_default();
        match evidence.facts.entry(FACT.to_owned()).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(plots) => plots.push(value),
            single => *single = Value::Array(vec![single.take(), value]),
        }
    }

    /// The plots that evidence asks for, each with what is wrong with it if it cannot be understood.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Vec<Result<Self, String>> {
        let read = |value: &Value| Self::deserialize(value).map_err(|e| e.to_string());
        match evidence.facts.get(FACT) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(plots)) => plots.iter().map(read).collect(),
            Some(single) => vec![read(single)],
        }
    }
}

fn names(y: &[&str]) -> Vec<String> {
    y.iter().map(|name| (*name).to_owned()).collect()
}
