//! `isoform judge`: verdicts from raw samples, with no substrate present.

use super::conform::{against_itself, conclude, style};
use super::console::Console;
use super::failure::{Failure, Result};
use clap::Args;
use isoform::conformance::{damaged, judge, output};
use std::path::PathBuf;

/// Judge the raw samples of a run again, with no substrate present.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// The folder that isoform conform --out wrote.
    dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Split the device's own records in two, and say what the suite would have said of one half beside the other.
    #[arg(long)]
    aa: bool,
}

impl Judge {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let kept = output::read(&self.dir).map_err(Failure::input)?;
        let again = judge(&kept);
        if self.json {
            console.print(output::json(&again).map_err(|e| Failure::input(format!("the outcomes are no JSON: {e}")))?)?;
        } else {
            console.print(output::table(&again, style()))?;
        }
        if self.aa {
            against_itself(console, &again, self.json)?;
        }
        // what is wrong with a record is no failure of the substrate
        if let Some(why) = damaged(&kept, &again) {
            return Err(Failure::input(format!("{}: {why}", self.dir.display())));
        }
        let verdicts =
            |d: &isoform::conformance::record::Dossier| d.outcomes.iter().map(|o| (o.law.clone(), o.status)).collect::<Vec<_>>();
        if verdicts(&again) != verdicts(&kept) || again.claim != kept.claim {
            console.warn(format!("the verdicts differ from those in {}; see isoform diff", self.dir.display()));
        }
        conclude(&again)
    }
}
