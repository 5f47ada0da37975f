//! `isoform run`: a model on a substrate, from options or from a file.

mod files;
mod job;

use super::console::Console;
use super::convert::version;

use super::failure::{Failure, Outcome, Result};
use super::stop::Stoppable;
use clap::Args;
use files::{Part, write_output};
pub(super) use files::{Recorded, read_input};
use isoform::core::program::Program;
use isoform::core::substrate::Substrate;
use isoform::experiment::{Experiment, filled};
use isoform::formats::nir::Compat;
use isoform::manifest::{self, Manifest};
use isoform::model::Model;
use isoform::run::{Probe, Task};
use isoform::semantics::{Answers, time_step};
use isoform::state_file;
use job::{Job, distinct};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// Run a model on a substrate, or an experiment from a file.
///
/// isoform run net.nir --on cpu: --input x.csv --output y.npy --dt 1e-4 --semantics snntorch
/// isoform run experiment.toml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXPERIMENT)]
pub(crate) struct Run {
    /// A NIR file, or an experiment (.toml).
    model: PathBuf,
    /// The substrate, such as cpu: or 'cpu:?threads=2'; for an experiment, instead of those it names.
    #[arg(long, value_name = "LOCATOR")]
    on: Vec<String>,
    /// The signal that goes in: .npy or .csv, [time, channel] or [time, batch, channel], or recorded data of NIR,
    /// as x.nir or x.nir:NODE:OBSERVABLE.
    #[arg(long, value_name = "X")]
    input: Option<PathBuf>,
    /// Where the outputs go, by extension: .npy, .csv or .nir.
    #[arg(long, value_name = "Y")]
    output: Option<PathBuf>,
    /// Seconds of a tick; NIR carries none.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How the equations are put on a grid; see isoform list --semantics.
    #[arg(long, value_name = "PRESET", default_value = "exact")]
    semantics: String,
    /// The seed of all random draws.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Record the output of a node, or one of its states after each tick.
    #[arg(long, value_name = "NODE[:STATE]=FILE")]
    probe: Vec<String>,
    /// Start from a saved state (.npz or .json) of the same program.
    #[arg(long, value_name = "F")]
    state_in: Option<PathBuf>,
    /// Save the state at the end (.npz or .json).
    #[arg(long, value_name = "F")]
    state_out: Option<PathBuf>,
    /// Write how often each channel fired in the whole run, instead of every tick.
    #[arg(long)]
    counts: bool,
    /// The version of the package nir that .nir outputs are for: latest, 1.0.8 or 1.0.4.
    #[arg(long, value_name = "VERSION", default_value = "latest", value_parser = version)]
    nir_compat: Compat,
    /// Print the manifest, or those of an experiment as a list, instead of a summary.
    #[arg(long)]
    json: bool,
}

const EXPERIMENT: &str = "An experiment is a file such as

  [model]
  file = \"net.nir\"              # paths are relative to the experiment
  dt = 1e-4
  semantics = \"snntorch\"        # or { preset = \"snntorch\", reset = \"subtract\" }, and so for decay, drive, order, test,
                                # compare, input-delay, cycle, number and substeps
  nodes = { \"lif\" = { compare = \"at-or-above\" } }   # answers of one node that differ from those of the model
  [input]
  file = \"x.csv\"                # node and observable say which recording, if a NIR file holds several
  [run]
  on = [\"cpu:\", \"oracle:\"]      # one run for each locator and seed
  seeds = [0]
  state-in = \"start.npz\"
  [output]
  file = \"out/{substrate}-{seed}.csv\"
  state = \"out/{substrate}-{seed}.npz\"
  counts = false
  probes = { \"lif:v\" = \"out/{substrate}-v.npy\" }

Beside each output lies OUTPUT.manifest.json.";

impl Run {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let is_experiment = self.model.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if is_experiment { self.experiment(*console) } else { self.single(*console) }
    }

    fn single(&self, console: Console) -> Result {
        let started = Instant::now();
        let [locator] = self.on.as_slice() else {
            return Err(Failure::Input(match self.on.len() {
                0 => {
                    String::from("no substrate is named; add --on LOCATOR, such as --on cpu: (isoform list shows what there is)")
                }
                n => format!("{n} substrates are named; name one with --on, or use isoform compare"),
            }));
        };
        let missing = |what: &str| Failure::Input(format!("nothing is named as --{what}; add --{what} FILE"));
        let input = Recorded::named(self.input.as_deref().ok_or_else(|| missing("input"))?);
        let output = self.output.clone().ok_or_else(|| missing("output"))?;
        let model = Model::read(&self.model)?;
        let program = program(&model, self.dt, &self.semantics)?;
        let signal = read_input(&input, self.dt, &program)?;
        let probes = self.probe.iter().map(|text| {
            let signs = || text.match_indices('=').filter(|(at, _)| at + 1 < text.len()).map(|(at, _)| at);
            // names may have the sign too: the first that makes sense cuts them
            let at = signs().find(|&at| Probe::parse(&text[..at], &program).is_ok()).or_else(|| signs().next());
            let at =
                at.ok_or_else(|| Failure::Input(format!("--probe {text:?} names no file; write NODE=FILE or NODE:STATE=FILE")))?;
            let what = &text[..at];
            Ok((what.to_owned(), Probe::parse(what, &program)?, PathBuf::from(&text[at + 1..])))
        });
        let job = Job {
            locator,
            model: &model,
            program: &program,
            input: (&input.file, &signal),
            seed: self.seed,
            output,
            probes: probes.collect::<Result<_>>()?,
            state_in: self.state_in.as_deref(),
            state_out: self.state_out.clone(),
            counts: self.counts,
        };
        job.check(self.nir_compat)?;
        let substrate = Stoppable::on(super::registry().open_str(locator)?);
        let manifest = self.perform(console, &job, substrate.as_ref(), started)?;
        if self.json {
            console.print_json(&manifest)?;
        }
        Ok(Outcome::Done)
    }

    fn experiment(&self, console: Console) -> Result {
        let given = [
            (self.input.is_some(), "input"),
            (self.output.is_some(), "output"),
            (self.dt.is_some(), "dt"),
            (self.semantics != "exact", "semantics"),
            (self.seed != 0, "seed"),
            (!self.probe.is_empty(), "probe"),
            (self.state_in.is_some(), "state-in"),
            (self.state_out.is_some(), "state-out"),
            (self.counts, "counts"),
        ];
        if let Some((_, name)) = given.iter().find(|(is_given, _)| *is_given) {
            return Err(Failure::Input(format!(
                "--{name} does not go with an experiment; write it into {}",
                self.model.display()
            )));
        }
        let experiment = Experiment::read(&self.model)?;
        let on = if self.on.is_empty() { &experiment.run.on } else { &self.on };
        if on.is_empty() || experiment.run.seeds.is_empty() {
            return Err(Failure::Input(format!(
                "{}: nothing is to be run; name substrates as [run] on, or with --on, and seeds",
                self.model.display()
            )));
        }
        let model = Model::read(&experiment.model.file)?;
        let of_file = || Failure::about(format!("\"{}\"", self.model.display()));
        let program = experiment.program(&model).map_err(of_file())?;
        let isoform::experiment::Input { file, node, observable } = experiment.input.clone();
        let source = Recorded { file, node, observable };
        let signal = read_input(&source, experiment.model.dt, &program)?;
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for locator in on {
            for &seed in &experiment.run.seeds {
                let fill = |path: &PathBuf| filled(path, locator, seed);
                let probes = experiment.output.probes.iter();
                let probes =
                    probes.map(|(what, file)| Ok((what.clone(), Probe::parse(what, &program).map_err(of_file())?, fill(file))));
                jobs.push(Job {
                    locator,
                    model: &model,
                    program: &program,
                    input: (&source.file, &signal),
                    seed,
                    output: fill(&experiment.output.file),
                    probes: probes.collect::<Result<_>>()?,
                    state_in: experiment.run.state_in.as_deref(),
                    state_out: experiment.output.state.as_ref().map(fill),
                    counts: experiment.output.counts,
                });
            }
        }
        distinct(&jobs)?;
        jobs.iter().try_for_each(|job| job.check(self.nir_compat))?;
        let registry = super::registry();
        let opened =
            on.iter().map(|locator| Ok((locator.as_str(), Stoppable::on(registry.open_str(locator).map_err(of_file())?))));
        let substrates: BTreeMap<&str, _> = opened.collect::<Result<_>>()?;
        let mut manifests = Vec::new();
        for job in &jobs {
            manifests.push(self.perform(console, job, substrates[job.locator].as_ref(), Instant::now())?);
        }
        if self.json {
            console.print_json(&manifests)?;
        }
        Ok(Outcome::Done)
    }

    fn perform(&self, console: Console, job: &Job<'_>, substrate: &dyn Substrate, clock: Instant) -> Result<Manifest> {
        let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let inputs = job.inputs()?;
        let from = job.state_in.map(|file| state_file::read(file, job.program, job.batch())).transpose()?;
        let task = Task {
            program: job.program.clone(),
            input: job.input.1.clone(),
            seed: job.seed,
            probes: job.probes.iter().map(|(_, probe, _)| probe.clone()).collect(),
            from,
            keep_state: job.state_out.is_some(),
            counts: job.counts,
        };
        let mut progress = console.progress(job.locator);
        let shown = progress.is_shown();
        let mut tell = |done, of| progress.tell(done, of);
        let recording = isoform::run::run(substrate, &task, if shown { Some(&mut tell) } else { None })
            .map_err(|e| Failure::at(job.locator, e))?;
        drop(progress);

        let dt = job.program.semantics().dt;
        write_output(&job.output, &recording.output, dt, &Part::outputs(job.program, job.counts))?;
        for ((_, probe, file), dense) in job.probes.iter().zip(&recording.probes) {
            write_output(file, dense, dt, &[Part::probe(job.program, probe, dense.channels)])?;
        }
        if let (Some(file), Some(state)) = (&job.state_out, &recording.state) {
            state_file::write(file, state)?;
        }
        let manifest = job.manifest(&substrate.profile(), &recording, started, clock, inputs)?;
        let beside = manifest::path_beside(&job.output);
        manifest::write(&beside, &manifest)?;
        if !self.json {
            job.summarise(console, &recording, &beside);
        }
        Ok(manifest)
    }
}

/// The program that a model means under options of the command line.
pub(super) fn program(model: &Model, dt: Option<f64>, semantics: &str) -> Result<Program> {
    let preset = semantics.parse()?;
    let dt = time_step(dt).map_err(Failure::about(format!("\"{}\"", model.path.display())))?;
    let program = model.program(Answers::Preset(preset).semantics(dt));
    program.map_err(Failure::about(format!("\"{}\"", model.path.display())))
}
