//! `isoform diff`: two runs of the suite beside each other.

use super::console::Console;
use super::failure::{Failure, Outcome, Result};
use clap::Args;
use isoform::conformance::output;
use std::path::PathBuf;

/// Say what differs between two runs of the suite: claim, verdicts, figures, raw samples,
/// and how far the outputs of a noisy medium drifted.
///
/// Exit code 1 if claims, verdicts or figures differ.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The folder of the first run.
    before: PathBuf,
    /// The folder of the second run.
    after: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let read = |dir: &PathBuf| output::read(dir).map_err(Failure::input);
        let found = output::diff(&read(&self.before)?, &read(&self.after)?);
        if self.json {
            console.print_json(&serde_json::json!({
                "equal": found.is_empty(),
                "claim": found.claim.as_ref().map(|c| serde_json::json!({"before": c.before, "after": c.after})),
                "verdicts": found.statuses.iter().map(|s| serde_json::json!({
                    "law": s.law, "before": s.status.before, "after": s.status.after, "reason": s.reason,
                })).collect::<Vec<_>>(),
                "figures": found.figures.iter().map(|f| serde_json::json!({
                    "law": f.law, "before": f.figure.before, "after": f.figure.after,
                })).collect::<Vec<_>>(),
                "drift": found.drift,
                "calibration": found.calibration.as_ref().map(|[before, after]| serde_json::json!({"before": before, "after": after})),
                "provenance": found.provenance.iter().map(|(path, c)| serde_json::json!({
                    "path": path, "before": c.before, "after": c.after,
                })).collect::<Vec<_>>(),
                "equal-samples": found.equal_samples,
                "other-samples": found.other_samples,
            }))?;
        } else {
            console.print(found.to_string())?;
        }
        Ok(if found.is_empty() { Outcome::Done } else { Outcome::Refuted })
    }
}
