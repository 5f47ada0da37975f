//! `isoform convert`: NIR files for other versions of NIR.

use super::console::Console;
use super::failure::{Failure, Outcome, Result};
use clap::Args;
use isoform::files;
use isoform::formats::nir::{self, Compat};
use isoform::model::Model;
use std::path::PathBuf;

/// Write a NIR file again, for the latest or an older version of the Python package nir.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The NIR file to read.
    model: PathBuf,
    /// The NIR file to write.
    output: PathBuf,
    /// The version to write for: latest, 1.0.8 or 1.0.4.
    #[arg(long, value_name = "VERSION", default_value = "latest", value_parser = version)]
    nir_compat: Compat,
}

/// Reads the name of a version.
pub(super) fn version(text: &str) -> std::result::Result<Compat, String> {
    text.parse().map_err(|e: nir::UnknownCompat| e.to_string())
}

impl Convert {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let model = Model::read(&self.model)?;
        let extension = self.output.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if !["nir", "h5", "hdf5"].contains(&extension.as_str()) {
            let why = format!("\"{}\": a NIR file is written, whose name ends with .nir, .h5 or .hdf5", self.output.display());
            return Err(Failure::Input(why));
        }
        files::check_apart(&self.output, &self.model, "the file that is read")?;
        files::check_writable(&self.output)?;
        nir::write(&self.output, &model.graph, self.nir_compat).map_err(Failure::input)?;
        for lost in &model.graph.not_kept {
            console.warn(lost);
        }
        console.note(format!("wrote {} for nir {}", self.output.display(), self.nir_compat));
        Ok(Outcome::Done)
    }
}
