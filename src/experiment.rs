//! Experiments in files: model, data, semantics, substrates, seeds and outputs.
//!
//! ```toml
//! [model]
//! file = "net.nir"                  # paths are relative to the experiment
//! dt = 1e-4                         # seconds of a tick; NIR carries none
//! semantics = "snntorch"            # or { preset = "snntorch", reset = "subtract" }; `exact` if left out
//!
//! [model.nodes."lif1.lif"]          # answers of one node that differ from those of the model, or from a preset named here
//! compare = "at-or-above"
//!
//! [input]
//! file = "x.csv"                    # .npy, .csv or recorded data of NIR
//! node = "encoder"                  # which recording, if a NIR file holds several
//! observable = "spikes"
//!
//! [run]
//! on = ["cpu:", "oracle:"]          # one run for each locator and seed
//! seeds = [0, 1]                    # [0] if left out
//! state-in = "start.npz"
//!
//! [output]
//! file = "out/{substrate}-{seed}.csv"
//! state = "out/{substrate}-{seed}.npz"
//! counts = false
//! probes = { "lif1.lif" = "out/{substrate}-{seed}-lif.npy", "lif1.lif:v" = "out/{substrate}-{seed}-v.npy" }
//! ```
//!
//! `{substrate}` stands for the locator with everything but letters, digits, `=`, `.` and `_` written as `-`, and `{seed}` for the seed.

use crate::files;
use crate::semantics::{Answers, time_step};
use isoform_core::error::{Error, Result};
use isoform_core::program::Program;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An experiment as its file has it, its paths made relative to the folder of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Experiment {
    /// What is run.
    pub model: Model,
    /// What goes in.
    pub input: Input,
    /// Where it runs.
    pub run: Runs,
    /// What is kept.
    pub output: Output,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Model {
    /// The NIR file.
    pub file: PathBuf,
    /// Seconds of a tick.
    pub dt: Option<f64>,
    /// How the equations are put on a grid.
    #[serde(default)]
    pub semantics: Answers,
    /// The answers of single nodes.
    #[serde(default)]
    pub nodes: BTreeMap<String, Answers>,
}

/// What goes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Input {
    /// The file.
    pub file: PathBuf,
    /// The node whose recording is meant.
    pub node: Option<String>,
    /// The observable that is meant.
    pub observable: Option<String>,
}

/// Where it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Runs {
    /// The locators.
    #[serde(default)]
    pub on: Vec<String>,
    /// The seeds.
    #[serde(default = "seed_nought")]
    pub seeds: Vec<u64>,
    /// The state that every run starts from.
    pub state_in: Option<PathBuf>,
}

/// What is kept of each run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Output {
    /// The file of the outputs.
    pub file: PathBuf,
    /// The file of the state at the end.
    pub state: Option<PathBuf>,
    /// Whether outputs are counted over the run.
    #[serde(default)]
    pub counts: bool,
    /// Probes and their files.
    #[serde(default)]
    pub probes: BTreeMap<String, PathBuf>,
}

fn seed_nought() -> Vec<u64> {
    vec![0]
}

impl Experiment {
    /// Reads an experiment.
    ///
    /// # Errors
    /// `NotFound` if the file cannot be read, `InvalidProgram` if it is no experiment; the message names the file and the line.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        let refuse = |why: String| Error::invalid_program(format!("experiment \"{}\": {why}", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|e| refuse(format!("is no text: {e}")))?;
        let mut experiment: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
            let message = e.message().trim().replace('\n', "; ");
            refuse(line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}")))
        })?;
        let output = &experiment.output;
        for file in std::iter::once(&output.file).chain(&output.state).chain(output.probes.values()) {
            if let Some(word) = unknown_place(&file.to_string_lossy()) {
                return Err(refuse(format!(
                    "{word} in \"{}\" stands for nothing; {{substrate}} and {{seed}} do",
                    file.display()
                )));
            }
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let base = |file: &mut PathBuf| *file = folder.join(&*file);
        base(&mut experiment.model.file);
        base(&mut experiment.input.file);
        base(&mut experiment.output.file);
        experiment.run.state_in.iter_mut().for_each(base);
        experiment.output.state.iter_mut().for_each(base);
        experiment.output.probes.values_mut().for_each(base);
        Ok(experiment)
    }

    /// The program of the experiment, with the semantics of single nodes.
    ///
    /// # Errors
    /// As [`Model::read`](crate::model::Model::read), and for a missing time step or an unknown node.
    pub fn program(&self, model: &crate::model::Model) -> Result<Program> {
        let dt = time_step(self.model.dt)?;
        let semantics = self.model.semantics.semantics(dt);
        let program = model.program(semantics)?;
        if self.model.nodes.is_empty() {
            return Ok(program);
        }
        let mut net = program.to_builder();
        for (node, changed) in &self.model.nodes {
            program.node(node)?;
            net.semantics(node, changed.over(&semantics));
        }
        net.build(semantics)
    }
}

/// A path with `{substrate}` and `{seed}` filled in.
#[must_use]
pub fn filled(path: &Path, locator: &str, seed: u64) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() || "=._".contains(c) { c } else { '-' };
    let words: String = locator.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|w| !w.is_empty()).collect();
    let text = path.to_string_lossy();
    PathBuf::from(text.replace("{substrate}", &words.join("-")).replace("{seed}", &seed.to_string()))
}

/// The first word in braces that is neither of those that are filled in.
fn unknown_place(name: &str) -> Option<&str> {
    let ends = name.match_indices('{').filter_map(|(start, _)| Some((start, start + name[start..].find('}')?)));
    ends.map(|(start, end)| &name[start..=end]).find(|word| !["{substrate}", "{seed}"].contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::semantics::{Compare, Preset};

    const TEXT: &str = r#"
[model]
file = "net.nir"
dt = 1e-4
semantics = "snntorch"
nodes."lif1.lif" = { compare = "at-or-above" }
[input]
file = "/data/x.csv"
[run]
on = ["cpu:"]
[output]
file = "out/{substrate}-{seed}.csv"
probes = { "lif:v" = "v.npy" }
"#;

    fn read(text: &str) -> Result<Experiment> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("e.toml");
        std::fs::write(&path, text).expect("written");
        Experiment::read(&path)
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("e.toml"), TEXT).expect("written");
        let experiment = Experiment::read(&folder.path().join("e.toml")).expect("valid");
        assert_eq!(experiment.model.file, folder.path().join("net.nir"));
        assert_eq!(experiment.input.file, Path::new("/data/x.csv"));
        assert_eq!(experiment.output.probes["lif:v"], folder.path().join("v.npy"));
        assert_eq!(experiment.run.seeds, [0]);
        assert_eq!(experiment.model.semantics, Answers::Preset(Preset::Snntorch));
        let lif = experiment.model.nodes["lif1.lif"].over(&Preset::Snntorch.semantics(1e-4));
        assert_eq!(lif, Preset::Snntorch.semantics(1e-4).with_compare(Compare::AtOrAbove));
    }

    #[test]
    fn a_wrong_word_is_named_with_its_line() {
        let message = |from: &str, to: &str| read(&TEXT.replace(from, to)).expect_err("wrong").to_string();
        let unknown = message("dt = 1e-4", "step = 1e-4");
        assert!(unknown.contains("line 4: unknown field `step`"), "{unknown}");
        let preset = message("\"snntorch\"\nnodes", "\"brian\"\nnodes");
        assert!(preset.contains("line 5: unknown variant `brian`, expected one of `exact`"), "{preset}");
        let place = message("{seed}.csv", "{sed}.csv");
        assert!(place.contains("{sed} in \"out/{substrate}-{sed}.csv\" stands for nothing"), "{place}");
        let broken = message("[input]", "[input");
        assert!(broken.contains("line 7") && !broken.contains('\n'), "{broken}");
    }

    #[test]
    fn names_are_filled_in() {
        let fill = |locator| filled(Path::new("o/{substrate}-{seed}.csv"), locator, 7);
        assert_eq!(fill("cpu:"), Path::new("o/cpu-7.csv"));
        assert_eq!(fill("cpu:?threads=2"), Path::new("o/cpu-threads=2-7.csv"));
        assert_eq!(fill("serial:/dev/tty0"), Path::new("o/serial-dev-tty0-7.csv"));
    }
}
