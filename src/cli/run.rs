//! `isoform run`: a model on a substrate, from options or from a file.

mod files;

use super::console::{Console, large, plural, seconds};
use super::convert::version;
use super::failure::{Failure, Outcome, Result};
use clap::Args;
use files::{Part, write_output};
pub(super) use files::{Recorded, read_input};
use isoform::core::program::Program;
use isoform::core::substrate::Substrate;
use isoform::experiment::{Experiment, filled};
use isoform::formats::nir::Compat;
use isoform::formats::signal::{Dense, Signal};
use isoform::manifest::{self, Manifest, Versions};
use isoform::model::Model;
use isoform::run::{Probe, Recording, Task, check_input};
use isoform::semantics::{Answers, time_step};
use isoform::state_file;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    #[arg(long, value_name = "S")]
    dt: Option<f64>,
    /// How the equations are put on a grid; see isoform list --semantics.
    #[arg(long, value_name = "PRESET", default_value = "exact")]
    semantics: String,
    /// The seed of all random draws.
    #[arg(long, value_name = "N", default_value_t = 0)]
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
    /// The version of NIR that .nir outputs are for.
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
  semantics = \"snntorch\"        # or { preset = \"snntorch\", reset = \"subtract\" }
  [input]
  file = \"x.csv\"
  [run]
  on = [\"cpu:\", \"oracle:\"]      # one run for each locator and seed
  seeds = [0]
  [output]
  file = \"out/{substrate}-{seed}.csv\"
  state = \"out/{substrate}-{seed}.npz\"
  probes = { \"lif:v\" = \"out/{substrate}-v.npy\" }

All fields: see the documentation of isoform::experiment. Beside each output lies OUTPUT.manifest.json.";

/// One run, with everything that it reads and writes.
struct Job<'a> {
    locator: &'a str,
    substrate: Arc<dyn Substrate>,
    model: &'a Model,
    program: &'a Program,
    input: (&'a Path, &'a Signal),
    seed: u64,
    output: PathBuf,
    probes: Vec<(String, Probe, PathBuf)>,
    state_in: Option<&'a Path>,
    state_out: Option<PathBuf>,
    counts: bool,
}

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
        let substrate = isoform::registry().open_str(locator)?;
        let signal = read_input(&input, self.dt, &program)?;
        let probes = self.probe.iter().map(|text| {
            let (what, file) = text
                .split_once('=')
                .filter(|(_, file)| !file.is_empty())
                .ok_or_else(|| Failure::Input(format!("--probe {text:?} names no file; write NODE=FILE or NODE:STATE=FILE")))?;
            Ok((what.to_owned(), Probe::parse(what, &program)?, PathBuf::from(file)))
        });
        let job = Job {
            locator,
            substrate,
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
        let manifest = self.perform(console, &job, started)?;
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
        let program = experiment.program(&model)?;
        let isoform::experiment::Input { file, node, observable } = experiment.input.clone();
        let source = Recorded { file, node, observable };
        let signal = read_input(&source, experiment.model.dt, &program)?;
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for locator in on {
            let substrate = isoform::registry().open_str(locator)?;
            for &seed in &experiment.run.seeds {
                let fill = |path: &PathBuf| filled(path, locator, seed);
                let probes = experiment.output.probes.iter();
                let probes = probes.map(|(what, file)| Ok((what.clone(), Probe::parse(what, &program)?, fill(file))));
                jobs.push(Job {
                    locator,
                    substrate: Arc::clone(&substrate),
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
        let manifests = jobs.iter().map(|job| self.perform(console, job, Instant::now())).collect::<Result<Vec<_>>>()?;
        if self.json {
            console.print_json(&manifests)?;
        }
        Ok(Outcome::Done)
    }

    fn perform(&self, console: Console, job: &Job<'_>, clock: Instant) -> Result<Manifest> {
        let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let (input, signal) = job.input;
        check_input(job.program, signal).map_err(Failure::about(format!("input \"{}\"", input.display())))?;
        let batch = match signal {
            Signal::Events(events) => events.batch,
            Signal::Dense(dense) => dense.batch,
            _ => 1,
        };
        let targets = || std::iter::once(&job.output).chain(job.probes.iter().map(|(_, _, file)| file));
        for file in targets() {
            files::check_output(file, self.nir_compat)?;
        }
        if let Some(file) = &job.state_out {
            state_file::check_name(file)?;
            isoform::files::check_writable(file)?;
        }
        job.keep_apart()?;
        let from = job.state_in.map(|file| state_file::read(file, job.program, batch)).transpose()?;
        let task = Task {
            program: job.program.clone(),
            input: signal.clone(),
            seed: job.seed,
            probes: job.probes.iter().map(|(_, probe, _)| probe.clone()).collect(),
            from,
            keep_state: job.state_out.is_some(),
            counts: job.counts,
        };
        let mut progress = console.progress(job.locator);
        let shown = progress.is_shown();
        let mut tell = |done, of| progress.tell(done, of);
        let recording = isoform::run::run(job.substrate.as_ref(), &task, if shown { Some(&mut tell) } else { None })
            .map_err(|e| Failure::from(e.with_locator(job.locator)))?;
        drop(progress);

        let dt = job.program.semantics().dt;
        write_output(&job.output, &recording.output, dt, &Part::outputs(job.program, job.counts))?;
        for ((_, probe, file), dense) in job.probes.iter().zip(&recording.probes) {
            write_output(file, dense, dt, &[Part::probe(job.program, probe, dense.channels)])?;
        }
        if let (Some(file), Some(state)) = (&job.state_out, &recording.state) {
            state_file::write(file, state)?;
        }
        let manifest = job.manifest(&recording, started, clock, batch)?;
        let beside = manifest::path_beside(&job.output);
        manifest::write(&beside, &manifest)?;
        if !self.json {
            job.summarise(console, &recording, &beside);
        }
        Ok(manifest)
    }
}

impl Job<'_> {
    /// Checks that no result would overwrite another, nor anything that is read.
    fn keep_apart(&self) -> Result<()> {
        let place = |file: &Path| std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let model = place(&self.model.path);
        let read = [Some(model), Some(place(self.input.0)), self.state_in.map(place)];
        let mut taken: Vec<PathBuf> = read.into_iter().flatten().collect();
        let beside = manifest::path_beside(&self.output);
        let probes = self.probes.iter().map(|(_, _, file)| file);
        for file in std::iter::once(&self.output).chain(probes).chain(&self.state_out).chain([&beside]) {
            let file_place = place(file);
            if taken.contains(&file_place) {
                return Err(Failure::Input(format!(
                    "{} would be overwritten by another result of this run; name another file",
                    file.display()
                )));
            }
            taken.push(file_place);
        }
        Ok(())
    }

    fn manifest(&self, recording: &Recording, started: String, clock: Instant, batch: usize) -> Result<Manifest> {
        let mut inputs = vec![manifest::File::of("input", self.input.0)?];
        if let Some(file) = self.state_in {
            inputs.push(manifest::File::of("state-in", file)?);
        }
        let mut outputs = vec![manifest::File::of("output", &self.output)?];
        for (what, _, file) in &self.probes {
            outputs.push(manifest::File::of(format!("probe {what}"), file)?);
        }
        if let Some(file) = &self.state_out {
            outputs.push(manifest::File::of("state-out", file)?);
        }
        Ok(Manifest {
            schema: manifest::SCHEMA,
            versions: Versions::default(),
            command: super::words(),
            started,
            wall_seconds: clock.elapsed().as_secs_f64(),
            model: manifest::Model {
                path: self.model.path.clone(),
                sha256: self.model.sha256.clone(),
                program: self.program.digest().to_string(),
            },
            semantics: *self.program.semantics(),
            own_semantics: manifest::own_semantics(self.program),
            locator: self.locator.to_owned(),
            profile: (*self.substrate.profile()).clone(),
            seed: self.seed,
            ticks: recording.report.ticks,
            batch,
            inputs,
            outputs,
            report: recording.report,
            memory: recording.memory,
            calibration: recording.calibration.clone(),
        })
    }

    fn summarise(&self, console: Console, recording: &Recording, manifest: &Path) {
        let report = &recording.report;
        let wall = report.wall.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (report.ticks * recording.output.batch) as f64 / wall.max(1e-9);
        let semantics = self.program.semantics();
        console.note(format!(
            "ran {} of {} on {} in {} ({}ticks/s): semantics {}, dt {} s, seed {}",
            plural(report.ticks, "tick"),
            plural(recording.output.batch, "lane"),
            self.locator,
            seconds(wall),
            large(rate),
            semantics.preset().map_or("custom", |p| p.name()),
            semantics.dt,
            self.seed,
        ));
        // with less, the figure is that of the program and its libraries
        if let Some(c) = &recording.calibration {
            let id = c.id.get(..12).unwrap_or(&c.id);
            console.note(format!("calibration: {id}, {} old at the end, holds for {}", seconds(c.age), seconds(c.valid)));
        }
        if let Some(memory) = recording.memory.filter(|m| m.buffers >= 16 << 20) {
            console.note(format!(
                "memory: {}B of buffers, at most {}B more than before the run, {:.2} times as much",
                large(memory.buffers as f64),
                large(memory.peak as f64),
                memory.ratio()
            ));
        }
        if report.clipped > 0 {
            console.warn(format!("{} samples were outside the range of the substrate and were clipped", report.clipped));
        }
        if report.lost > 0 {
            console.warn(format!("{} samples of the substrate were lost; ticks without one hold the value before", report.lost));
        }
        let what = if spiking(self.program) { format!(", {} spikes", large(total(&recording.output))) } else { String::new() };
        console.note(format!("wrote {} {}{what}", self.output.display(), shape(&recording.output)));
        for ((what, _, file), dense) in self.probes.iter().zip(&recording.probes) {
            console.note(format!("wrote {} {}, {what}", file.display(), shape(dense)));
        }
        if let Some(file) = &self.state_out {
            console.note(format!("wrote {}, the state at the end", file.display()));
        }
        console.note(format!("wrote {}", manifest.display()));
    }
}

/// The program that a model means under options of the command line.
pub(super) fn program(model: &Model, dt: Option<f64>, semantics: &str) -> Result<Program> {
    let preset = semantics.parse()?;
    let dt = time_step(dt).map_err(Failure::about(format!("\"{}\"", model.path.display())))?;
    let program = model.program(Answers::Preset(preset).semantics(dt));
    program.map_err(Failure::about(format!("\"{}\"", model.path.display())))
}

/// Checks that no two runs of an experiment write the same file.
fn distinct(jobs: &[Job<'_>]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for job in jobs {
        let probes = job.probes.iter().map(|(_, _, file)| file);
        for file in std::iter::once(&job.output).chain(probes).chain(&job.state_out) {
            if !seen.insert(file) {
                return Err(Failure::Input(format!(
                    "two results would be written to {}; put {{substrate}} or {{seed}} into the name",
                    file.display()
                )));
            }
        }
    }
    Ok(())
}

fn spiking(program: &Program) -> bool {
    program.outputs().iter().all(|o| o.port.domain == isoform::core::dynamics::Domain::Spikes)
}

fn total(dense: &Dense) -> f64 {
    dense.data.iter().map(|&v| f64::from(v)).sum()
}

fn shape(dense: &Dense) -> String {
    format!("[{}, {}, {}]", dense.ticks, dense.batch, dense.channels)
}
