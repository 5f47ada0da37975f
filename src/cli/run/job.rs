//! One run: what it reads, what it writes, and what is told of it.

use super::files;
use crate::cli::console::{Console, large, plural, seconds};
use crate::cli::failure::{Failure, Result};
use isoform::core::profile::Profile;
use isoform::core::program::Program;
use isoform::files::Place;
use isoform::formats::nir::Compat;
use isoform::formats::signal::{Dense, Signal};
use isoform::manifest::{self, Manifest, Versions};
use isoform::model::Model;
use isoform::run::{Probe, Recording, check_input};
use isoform::state_file;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One run, with everything that it reads and writes.
pub(super) struct Job<'a> {
    pub(super) locator: &'a str,
    pub(super) model: &'a Model,
    pub(super) program: &'a Program,
    pub(super) input: (&'a Path, &'a Signal),
    pub(super) seed: u64,
    pub(super) output: PathBuf,
    pub(super) probes: Vec<(String, Probe, PathBuf)>,
    pub(super) state_in: Option<&'a Path>,
    pub(super) state_out: Option<PathBuf>,
    pub(super) counts: bool,
}

impl Job<'_> {
    /// Checks everything that needs no substrate, so that none is opened, and no file made, for what cannot be run.
    pub(super) fn check(&self, compat: Compat) -> Result<()> {
        let (input, signal) = self.input;
        check_input(self.program, signal).map_err(Failure::about(format!("input \"{}\"", input.display())))?;
        for file in std::iter::once(&self.output).chain(self.probes.iter().map(|(_, _, file)| file)) {
            files::check_output(file, compat)?;
        }
        isoform::files::check_writable(&manifest::path_beside(&self.output))?;
        if let Some(file) = &self.state_out {
            state_file::check_name(file)?;
            isoform::files::check_writable(file)?;
        }
        self.keep_apart()
    }

    /// The lanes of its input.
    pub(super) fn batch(&self) -> usize {
        match self.input.1 {
            Signal::Events(events) => events.batch,
            Signal::Dense(dense) => dense.batch,
            _ => 1,
        }
    }

    /// Checks that no result would overwrite another, nor anything that is read.
    fn keep_apart(&self) -> Result<()> {
        let read = [Some((self.model.path.as_path(), "the model")), Some((self.input.0, "the input"))];
        let read = read.into_iter().chain([self.state_in.map(|file| (file, "the state to start from"))]).flatten();
        let mut taken: Vec<(Place, &str)> = read.map(|(file, what)| (Place::of(file), what)).collect();
        let beside = manifest::path_beside(&self.output);
        let probes = self.probes.iter().map(|(_, _, file)| (file, "a probe"));
        let state = self.state_out.iter().map(|file| (file, "the state at the end"));
        let written =
            std::iter::once((&self.output, "the outputs")).chain(probes).chain(state).chain([(&beside, "the manifest")]);
        for (file, what) in written {
            let place = Place::of(file);
            if let Some((_, held)) = taken.iter().find(|(other, _)| *other == place) {
                return Err(Failure::Input(format!(
                    "{} holds {held}, which {what} would overwrite; name another file",
                    file.display()
                )));
            }
            taken.push((place, what));
        }
        Ok(())
    }

    /// The files that are read, by what they hold before the run.
    pub(super) fn inputs(&self) -> Result<Vec<manifest::File>> {
        let mut inputs = vec![manifest::File::of("input", self.input.0)?];
        if let Some(file) = self.state_in {
            inputs.push(manifest::File::of("state-in", file)?);
        }
        Ok(inputs)
    }

    pub(super) fn manifest(
        &self,
        profile: &Profile,
        recording: &Recording,
        started: String,
        clock: Instant,
        inputs: Vec<manifest::File>,
    ) -> Result<Manifest> {
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
            command: crate::cli::words(),
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
            profile: profile.clone(),
            seed: self.seed,
            ticks: recording.report.ticks,
            batch: self.batch(),
            inputs,
            outputs,
            report: recording.report,
            memory: recording.memory,
            calibration: recording.calibration.clone(),
            calibrations: recording.calibrations.clone(),
        })
    }

    pub(super) fn summarise(&self, console: Console, recording: &Recording, manifest: &Path) {
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
            written(semantics.dt),
            self.seed,
        ));
        // with less, the figure is that of the program and its libraries
        if let Some(c) = &recording.calibration {
            let id = c.id.get(..12).unwrap_or(&c.id);
            console.note(format!("calibration: {id}, {} old at the end, holds for {}", seconds(c.age), seconds(c.valid)));
            if let [first, .., last] = recording.calibrations.as_slice() {
                let before = first.certificate.id.get(..12).unwrap_or(&first.certificate.id);
                console.note(format!(
                    "calibrations: {} in all; the first, {before}, was {} old at the start, the last was made at tick {}",
                    recording.calibrations.len(),
                    seconds(first.age_at_start.unwrap_or_default()),
                    last.made_at_tick.unwrap_or_default(),
                ));
            }
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
        let states = recording.state.iter().flat_map(|s| &s.blocks).flat_map(|b| &b.values);
        let broken = recording.output.data.iter().filter(|v| !v.is_finite()).count() + states.filter(|v| !v.is_finite()).count();
        if broken > 0 {
            console.warn(format!(
                "{} of outputs and state left the numbers of the substrate and are not finite",
                plural(broken, "number")
            ));
        }
        let spikes = total(&recording.output);
        // what noise has moved counts no spikes
        let counts = spiking(self.program) && recording.output.data.iter().all(|v| v.fract() == 0.0);
        let what = match counts {
            true if spikes == 1.0 => String::from(", 1 spike"),
            true => format!(", {} spikes", large(spikes)),
            false => String::new(),
        };
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

/// Checks that no two runs of an experiment write the same file.
pub(super) fn distinct(jobs: &[Job<'_>]) -> Result<()> {
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

pub(super) fn spiking(program: &Program) -> bool {
    program.outputs().iter().all(|o| o.port.domain == isoform::core::dynamics::Domain::Spikes)
}

fn total(dense: &Dense) -> f64 {
    dense.data.iter().map(|&v| f64::from(v)).sum()
}

/// As the file has it, which leaves out a single lane.
fn shape(dense: &Dense) -> String {
    match dense.batch {
        1 => format!("[{}, {}]", dense.ticks, dense.channels),
        batch => format!("[{}, {batch}, {}]", dense.ticks, dense.channels),
    }
}

/// A time step as people write it.
fn written(dt: f64) -> String {
    if (1e-6..1e6).contains(&dt) { dt.to_string() } else { format!("{dt:e}") }
}
