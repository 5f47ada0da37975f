//! `isoform build`: kernels compiled ahead of time, the way FPGA boards want it.

use super::console::Console;
use super::failure::{Failure, Outcome, Result};
use clap::{Args, ValueEnum};
use isoform::core::locator::Locator;
use isoform::core::program::Program;
use isoform::files;
use isoform::model::Model;
use isoform_opencl::{OpenClSubstrate, Options, Style, offline};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Compile the kernels of a model ahead of time, or write their source for the compiler of a board.
///
/// isoform build net.nir --dt 1e-4 --for opencl:0/0 --output net.bin
/// isoform run net.nir --dt 1e-4 --on 'opencl:0/0?binary=net.bin' --input x.npy --output y.npy
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Build {
    /// A NIR file.
    model: PathBuf,
    /// The device whose compiler makes a binary.
    #[arg(long = "for", value_name = "LOCATOR", required_unless_present = "emit_source", requires = "output")]
    target: Option<String>,
    /// Where the binary goes, in a container that says what it is for.
    #[arg(long, value_name = "FILE", requires = "target")]
    output: Option<PathBuf>,
    /// Write kernels.cl and manifest.json into a folder instead; no device is needed.
    #[arg(long, value_name = "DIR", conflicts_with = "target")]
    emit_source: Option<PathBuf>,
    /// The style of the source.
    #[arg(long, value_name = "STYLE", default_value = "task", conflicts_with = "target")]
    style: Layout,
    /// How many batch lanes the kernels are for.
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Seconds of a tick; NIR carries none.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How the equations are put on a grid; see isoform list --semantics.
    #[arg(long, value_name = "PRESET", default_value = "exact")]
    semantics: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// A work item for each lane.
    Grid,
    /// One work item for all.
    Task,
}

impl Build {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        if self.batch == 0 {
            return Err(Failure::input("kernels for no batch lane make no sense; write --batch 1 or more"));
        }
        let model = Model::read(&self.model)?;
        let program = super::run::program(&model, self.dt, &self.semantics)?;
        match (&self.target, &self.output, &self.emit_source) {
            (_, _, Some(folder)) => self.emit(console, &program, folder),
            (Some(target), Some(output), None) => self.binary(console, &program, target, output),
            _ => Err(Failure::input("name a device with --for and a file with --output, or a folder with --emit-source")),
        }
    }

    fn binary(&self, console: &Console, program: &Program, target: &str, output: &Path) -> Result {
        let locator: Locator = target.parse().map_err(Failure::input)?;
        if locator.scheme() != "opencl" {
            return Err(Failure::input(format!("{target:?} takes no binaries; name a device such as opencl:0/0")));
        }
        if locator.option("binary").is_some() {
            return Err(Failure::input("a binary cannot be made from a binary; leave out the option binary"));
        }
        files::check_apart(output, &self.model, "the model")?;
        files::check_writable(output)?;
        let start = Instant::now();
        let substrate = OpenClSubstrate::new(Options::from_locator(&locator)?)?;
        let bytes = offline::build(&substrate, program, self.batch)?;
        files::write(output, &bytes)?;
        let seconds = start.elapsed().as_secs_f64();
        console.note(format!("wrote {}: {} bytes for {target}, {seconds:.2} s", output.display(), bytes.len()));
        Ok(Outcome::Done)
    }

    fn emit(&self, console: &Console, program: &Program, folder: &Path) -> Result {
        let style = if self.style == Layout::Task { Style::Task } else { Style::Grid };
        let (source, manifest) = offline::emit(program, self.batch, style)?;
        let text = serde_json::to_string_pretty(&manifest).map_err(Failure::input)?;
        let files = [(folder.join("kernels.cl"), source.as_bytes()), (folder.join("manifest.json"), text.as_bytes())];
        for (file, _) in &files {
            files::check_apart(file, &self.model, "the model")?;
        }
        for (file, bytes) in &files {
            files::write(file, bytes)?;
        }
        console.note(format!("wrote {0}/kernels.cl and {0}/manifest.json", folder.display()));
        Ok(Outcome::Done)
    }
}
