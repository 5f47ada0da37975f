//! `isoform compare`: substrates side by side against the oracle.

use super::console::{Console, large, painted, seconds, table, wrapped};

use super::failure::{Failure, Outcome, Result};
use super::run::{Recorded, program, read_input};
use super::stop::Stoppable;
use anstyle::AnsiColor;
use clap::Args;
use isoform::compare::{Comparison, Verdict, compare};
use isoform::conformance::law::repeats;
use isoform::core::semantics::{Preset, Semantics};
use isoform::model::Model;
use isoform::run::check_input;
use serde::Serialize;
use std::path::PathBuf;

/// Run a model on substrates and hold each against the oracle: agreement, latency, throughput.
///
/// A threshold amplifies the last bit, so that honest substrates part after the first undecided spike. Where the state can be
/// read, each tick is therefore judged from the substrate's own state; a tick that rounding does not decide is ambiguous and may go
/// either way. Exit code 1 if a number lies beyond its bound.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The NIR file.
    model: PathBuf,
    /// The signal that goes in.
    #[arg(long, value_name = "X")]
    input: PathBuf,
    /// A substrate; give it several times for several.
    #[arg(long, value_name = "LOCATOR", required = true)]
    on: Vec<String>,
    /// Seconds of a tick; NIR carries none.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How the equations are put on a grid; see isoform list --semantics.
    #[arg(long, value_name = "PRESET", default_value = "exact")]
    semantics: String,
    /// The seed of all random draws.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Compared {
    model: PathBuf,
    program: String,
    semantics: String,
    input: PathBuf,
    seed: u64,
    substrates: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    verdict: Verdict,
    #[serde(flatten)]
    comparison: Comparison,
}

impl Compare {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let model = Model::read(&self.model)?;
        let program = program(&model, self.dt, &self.semantics)?;
        let input = read_input(&Recorded::named(&self.input), self.dt, &program)?;
        check_input(&program, &input).map_err(Failure::about(format!("input \"{}\"", self.input.display())))?;
        let registry = super::registry();
        let opened = self.on.iter().map(|locator| Ok((locator, Stoppable::on(registry.open_str(locator)?))));
        let substrates = opened.collect::<Result<Vec<_>>>()?;
        let mut found = Vec::new();
        for (locator, substrate) in substrates {
            let mut progress = console.progress(locator);
            let mut tell = |done, of| progress.tell(done, of);
            let comparison = compare(locator, substrate.as_ref(), &program, &input, self.seed, &mut tell);
            found.push(comparison.map_err(|e| Failure::at(locator, e))?);
        }
        let worst = outcome(&found);
        if self.json {
            console.print_json(&Compared {
                model: self.model.clone(),
                program: program.digest().to_string(),
                semantics: program.semantics().to_string(),
                input: self.input.clone(),
                seed: self.seed,
                substrates: found.into_iter().map(|comparison| Entry { verdict: comparison.verdict(), comparison }).collect(),
            })?;
        } else {
            console.print(format!(
                "{}, {}, input {}\n",
                self.model.display(),
                summary(program.semantics()),
                self.input.display()
            ))?;
            console.print(text(&found))?;
        }
        Ok(worst)
    }
}

/// Semantics in a few words.
fn summary(semantics: &Semantics) -> String {
    format!("semantics {}, dt {} s", semantics.preset().map_or("custom", Preset::name), semantics.dt)
}

fn outcome(found: &[Comparison]) -> Outcome {
    let any = |verdict: Verdict| found.iter().any(|c| c.verdict() == verdict);
    if any(Verdict::Disagrees) {
        Outcome::Refuted
    } else if any(Verdict::Undecided) {
        Outcome::Inconclusive
    } else {
        Outcome::Done
    }
}

/// What was found, in tables that fit a page.
pub(super) fn text(found: &[Comparison]) -> String {
    let mut out = String::from("Each tick, judged from the substrate's own state\n\n");
    let forced = found.iter().map(|c| {
        let mut row = vec![c.locator.clone(), verdict(c.verdict())];
        match &c.forced {
            Some(f) => row.extend([
                f.ticks.to_string(),
                f.compared.to_string(),
                f.mismatches.to_string(),
                f.ambiguous.to_string(),
                f.worst.map_or_else(|| String::from("-"), |w| format!("{w:.2}")),
            ]),
            None => row.push(String::from("its state cannot be read")),
        }
        row
    });
    out += &table(&["substrate", "verdict", "ticks", "numbers", "beyond bound", "ambiguous", "largest error/bound"], forced, 0);
    for c in found {
        for at in c.forced.iter().flat_map(|f| &f.first) {
            let m = &at.mismatch;
            out.push('\n');
            out += &wrapped(&format!(
                "{}: tick {}, node \"{}\", {}, lane {}, channel {}: {} instead of {} (bound {:.1e})",
                c.locator, at.tick, m.node, m.what, m.lane, m.channel, m.seen, m.expected, m.bound
            ));
        }
        if !repeats(c.class) {
            out.push('\n');
            out += &wrapped(&format!(
                "{}: it is declared {}, which a bound on rounding cannot judge; see isoform conform",
                c.locator, c.class
            ));
        }
    }
    if found.iter().any(|c| c.free.spikes.is_some()) {
        out += "\n\nSpikes of whole runs, beside the oracle\n\n";
        let spikes = found.iter().filter_map(|c| {
            let t = c.free.spikes?;
            Some(vec![
                c.locator.clone(),
                tally(t.seen),
                tally(t.expected),
                format!("{} of {}", t.different, t.samples),
                format!("{:+} ticks", t.latency),
                format!("{:.3}", t.distance),
            ])
        });
        out += &table(&["substrate", "spikes", "of the oracle", "different", "latency", "van Rossum distance"], spikes, 0);
    }
    if found.iter().any(|c| c.free.values.is_some()) {
        out += "\n\nNumbers of whole runs, beside the oracle\n\n";
        let values = found.iter().filter_map(|c| {
            let v = c.free.values?;
            Some(vec![
                c.locator.clone(),
                format!("{:.2e}", v.largest),
                format!("{:.2e}", v.root_mean_square),
                format!("{:.3e}", v.scale),
                format!("{:.1e}", v.spacing),
            ])
        });
        out += &table(&["substrate", "largest difference", "root mean square", "largest number", "spacing there"], values, 0);
    }
    out += "\n\nCost on this computer\n\n";
    let cost = found.iter().map(|c| {
        vec![
            c.locator.clone(),
            seconds(c.cost.setup),
            seconds(c.cost.latency_p50),
            seconds(c.cost.latency_p99),
            format!("{}ticks/s", large(c.cost.throughput)),
        ]
    });
    out + &table(&["substrate", "set-up", "one tick, p50", "p99", "throughput of one lane"], cost, 0)
}

/// A number of spikes, which noise may have made a broken one.
fn tally(spikes: f64) -> String {
    if spikes.fract() == 0.0 { format!("{spikes}") } else { format!("{spikes:.1}") }
}

/// A verdict in its colour.
pub(super) fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Agrees => painted("agrees", AnsiColor::Green),
        Verdict::Disagrees => painted("disagrees", AnsiColor::Red),
        Verdict::Undecided => painted("undecided", AnsiColor::Yellow),
    }
}
