//! What a run leaves beside its output, so that it can be repeated and checked.

use crate::files;
use crate::run::MemoryUse;
use isoform_core::calibration::{Certificate, InForce};
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The version of the layout.
pub const SCHEMA: u32 = 1;

/// Everything that a run depended on and gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of this layout.
    pub schema: u32,
    /// The versions of the parts.
    pub versions: Versions,
    /// The command line, one text for each argument.
    pub command: Vec<String>,
    /// When it was started, in RFC 3339.
    pub started: String,
    /// Seconds from start to end, reading and writing included.
    pub wall_seconds: f64,
    /// The model.
    pub model: Model,
    /// How the program was put on a grid.
    pub semantics: Semantics,
    /// Where nodes differ from that.
    pub own_semantics: BTreeMap<String, Semantics>,
    /// The substrate, as it was named.
    pub locator: String,
    /// What it promised.
    pub profile: Profile,
    /// The seed of all random draws.
    pub seed: u64,
    /// Ticks of the run.
    pub ticks: usize,
    /// Lanes of the run.
    pub batch: usize,
    /// What went in, by the name of the option.
    pub inputs: Vec<File>,
    /// What came out, by the name of the option.
    pub outputs: Vec<File>,
    /// What the run cost.
    pub report: Report,
    /// Memory that it took, where the operating system says.
    #[serde(default)]
    pub memory: Option<MemoryUse>,
    /// The calibration under which it ended, on a substrate that has one.
    #[serde(default)]
    pub calibration: Option<Certificate>,
    /// The calibrations under which it ran, in their order, each with its age when the run began or the tick at which it was made.
    #[serde(default)]
    pub calibrations: Vec<InForce>,
}

/// The versions of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Versions {
    /// This package.
    pub isoform: String,
    /// The layout of states.
    pub state_format: u32,
    /// The operating system.
    pub system: String,
    /// The architecture of the processor.
    pub architecture: String,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            isoform: env!("CARGO_PKG_VERSION").to_owned(),
            state_format: isoform_core::state::FORMAT,
            system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
        }
    }
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Model {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The digest of the program: functions, parameters, edges, ports and semantics.
    pub program: String,
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    /// What it is: `input`, `state-in`, `output`, `state-out` or `probe NODE:STATE`.
    pub role: String,
    /// The file.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
}

impl File {
    /// A file as it is at present.
    ///
    /// # Errors
    /// `NotFound` if it cannot be read.
    pub fn of(role: impl Into<String>, path: &Path) -> Result<Self> {
        Ok(Self { role: role.into(), path: path.to_owned(), sha256: files::sha256(path)? })
    }
}

/// The semantics of the nodes that differ from those of the program.
#[must_use]
pub fn own_semantics(program: &Program) -> BTreeMap<String, Semantics> {
    let own = program.nodes().iter().filter(|n| n.semantics != *program.semantics());
    own.map(|n| (n.name.clone(), n.semantics)).collect()
}

/// Where the manifest of an output lies: beside it, under its name and `.manifest.json`.
#[must_use]
pub fn path_beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// Writes a manifest.
///
/// # Errors
/// `NotFound` if the file cannot be written.
pub fn write(path: &Path, manifest: &Manifest) -> Result<()> {
    let text =
        serde_json::to_string_pretty(manifest).map_err(|e| Error::fault(format!("the manifest cannot be written: {e}")))?;
    files::write(path, format!("{text}\n").as_bytes())
}
