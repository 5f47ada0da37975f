//! `isoform inspect`: what is in a model.

mod report;

use super::console::{Console, plural, table, wrapped};
use super::failure::{Outcome, Result};
use clap::Args;
use isoform::model::Model;
use report::{Array, Node, Report};
use std::path::PathBuf;

/// Nodes, shapes, parameters, state, edges and metadata of a model.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The NIR file.
    model: PathBuf,
    /// Seconds of a tick, to see the program that would run.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How the equations are put on a grid; see isoform list --semantics.
    #[arg(long, value_name = "PRESET", default_value = "exact")]
    semantics: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let model = Model::read(&self.model)?;
        let program = match self.dt {
            Some(dt) => Some(super::run::program(&model, Some(dt), &self.semantics)?),
            None => {
                // a name that is no preset is refused even where it is not needed
                self.semantics.parse::<isoform::core::semantics::Preset>()?;
                None
            }
        };
        let report = Report::of(&model, program.as_ref());
        if self.json {
            console.print_json(&report)?;
            return Ok(Outcome::Done);
        }
        console.print(text(&report))?;
        Ok(Outcome::Done)
    }
}

fn text(report: &Report) -> String {
    let mut out = format!(
        "{}\nNIR {}, {}, {}, {}, {} of state, sha256 {}\n\n",
        report.path.display(),
        report.nir_version.as_deref().unwrap_or("of an unnamed version"),
        plural(report.nodes.len(), "node"),
        plural(report.edges.len(), "edge"),
        plural(report.parameters, "parameter"),
        plural(report.state_numbers, "number"),
        &report.sha256[..16],
    );
    out.push_str(&table(&["node", "type", "shape", "parameters and state", "from"], report.nodes.iter().map(row), 3));
    out.push('\n');
    for (place, metadata) in report.metadata.iter() {
        let place = if place.is_empty() { String::from("model") } else { format!("node \"{place}\"") };
        out.push('\n');
        out.push_str(&wrapped(&format!("metadata of the {place}: {metadata}")));
    }
    for lost in &report.not_kept {
        out.push_str(&format!("\nnot read: {lost}"));
    }
    let take = |ports: &[report::Port]| {
        ports.iter().map(|p| format!("{} {} ({})", p.name, p.shape, plural(p.channels, "channel"))).collect::<Vec<_>>().join(", ")
    };
    if !report.inputs.is_empty() {
        out.push('\n');
        out.push_str(&wrapped(&format!("takes {}; gives {}", take(&report.inputs), take(&report.outputs))));
    }
    if !report.presets.is_empty() {
        out.push('\n');
        out.push_str(&wrapped(&format!("runs under {}", report.presets.join(", "))));
    }
    for (preset, why) in &report.refused {
        out.push('\n');
        out.push_str(&wrapped(&format!("not under {preset}: {why}")));
    }
    match &report.program {
        Some(program) => {
            out.push('\n');
            out.push_str(&wrapped(&format!("program {} with {}", program.digest, program.semantics)));
        }
        None if report.presets.is_empty() => out.push_str(&format!("\n{}", report.missing.join("; "))),
        None => {
            out.push_str("\nto run it, give\n");
            out.push_str(&report.missing.iter().map(|what| format!("  {what}")).collect::<Vec<_>>().join("\n"));
        }
    }
    out
}

fn row(node: &Node) -> Vec<String> {
    let shape = match (&node.input_shape, &node.output_shape) {
        (Some(a), Some(b)) if a == b => a.clone(),
        (Some(a), Some(b)) => format!("{a} -> {b}"),
        (None, Some(b)) => b.clone(),
        _ => String::from("unknown"),
    };
    let mut details: Vec<String> = node.parameters.iter().map(parameter).collect();
    if !node.attributes.is_empty() {
        details.push(node.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "));
    }
    details.extend(node.state.iter().map(|s| {
        let meaning = if s.meaning.is_empty() { String::new() } else { format!(": {}", s.meaning) };
        format!("state {}, {}{meaning}", s.name, plural(s.numbers, "number"))
    }));
    vec![node.name.clone(), node.type_name.clone(), shape, details.join("\n"), node.sources.join(", ")]
}

fn parameter(array: &Array) -> String {
    let unit = if array.unit == "1" || array.unit.is_empty() { String::new() } else { format!(" {}", array.unit) };
    let single = array.number == "f32";
    let range = match (array.low, array.high) {
        (Some(low), Some(high)) if low == high => exact(low, single),
        (Some(low), Some(high)) => format!("{} to {}", rounded(low), rounded(high)),
        _ => String::from("nothing"),
    };
    format!("{} {range}{unit} {}", array.name, array.shape)
}

/// The shortest text that means the same number in its own precision.
#[expect(clippy::cast_possible_truncation, reason = "it came from a single")]
fn exact(v: f64, single: bool) -> String {
    if single { (v as f32).to_string() } else { v.to_string() }
}

/// Four digits are enough for a range.
fn rounded(v: f64) -> String {
    let text = format!("{v:.3e}");
    text.parse::<f64>().map_or(text, |v| v.to_string())
}
