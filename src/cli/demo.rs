//! `isoform demo`: the main job on a shipped model.

use super::conform::{quietly, style};
use super::console::{Console, large, plural, seconds, table};
use super::failure::{Failure, Outcome, Result};
use super::stop::{Stoppable, when_asked};
use clap::Args;
use isoform::compare::{Comparison, Verdict, compare};
use isoform::conformance::record::Level;
use isoform::conformance::{Options, Progress, output, run};
use isoform::core::program::Program;
use isoform::core::registry::Registry;
use isoform::core::semantics::Preset;
use isoform::core::substrate::Substrate;
use isoform::demo;
use isoform::formats::nir::{self, Compat};
use isoform::formats::signal::{self, Dense, Signal};
use isoform::model::Model;
use isoform::run::{Task, run as run_task};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What the suite may take here; laws that it leaves no time for are told apart.
const BUDGET: Duration = Duration::from_secs(20);

/// How the report of a demo is known.
const COMMAND: &str = "isoform demo";

/// The main job on a shipped model, on every substrate found.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where model, input and report go.
    #[arg(long, value_name = "DIR", default_value = "isoform-demo")]
    out: PathBuf,
}

impl Demo {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        let console = *console;
        let (model_file, input_file) = (self.out.join("demo.nir"), self.out.join("touch.npy"));
        self.check_folder(&model_file, &input_file)?;
        isoform::files::make_folder_of(&model_file)?;
        nir::write(&model_file, &demo::graph()?, Compat::Latest).map_err(Failure::input)?;
        signal::write(&input_file, &Signal::from(demo::input()?), &signal::Options::default()).map_err(Failure::input)?;

        let model = Model::read(&model_file)?;
        let input = signal::read(&input_file, &signal::Options::default()).map_err(Failure::input)?;
        console.print(format!(
            "A spiking network of {} tells whether a touch sweeps right or left over eight sensors.\n\
             Model {}, input {} (16 recordings of 1 s).\n",
            plural(model.graph.nodes.len() - 2, "node"),
            model_file.display(),
            input_file.display()
        ))?;

        let registry = super::registry();
        let found = self.substrates(console, &registry, &model, &input)?;
        platforms(console, &registry, &model, &input)?;
        let conforms = self.conform(console, &registry)?;
        let agrees = found.iter().all(|c| c.verdict() == Verdict::Agrees);
        console.print(format!(
            "\nTry next\n\n  \
             cd {}\n\n  \
             # what is here, and what is in a model\n  \
             isoform list\n  \
             isoform inspect demo.nir\n\n  \
             # a run of your own, and the same on several substrates\n  \
             isoform run demo.nir --dt 1e-3 --on cpu: --input touch.npy --output spikes.npy\n  \
             isoform compare demo.nir --dt 1e-3 --on cpu: --on oracle: --input touch.npy\n\n  \
             # the whole proof, raw samples included\n  \
             isoform conform cpu: --out proof",
            self.out.display()
        ))?;
        Ok(if agrees && conforms { Outcome::Done } else { Outcome::Refuted })
    }

    /// Refuses a folder that holds something else under the names of the demo; what an earlier demo left is written anew.
    fn check_folder(&self, model: &Path, input: &Path) -> Result<()> {
        let report = self.out.join("conform");
        if std::fs::read_to_string(report.join("dossier.json")).is_ok_and(|text| text.contains(COMMAND)) {
            return Ok(());
        }
        let same_model = || Model::read(model).is_ok_and(|found| demo::graph().is_ok_and(|own| found.graph.nodes == own.nodes));
        let same_input = || {
            let found = signal::read(input, &signal::Options::default());
            found.is_ok_and(|found| demo::input().is_ok_and(|own| found == Signal::from(own)))
        };
        let is_empty = |folder: &Path| std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        let foreign = [
            (model, model.exists() && !same_model()),
            (input, input.exists() && !same_input()),
            (&report, report.exists() && !is_empty(&report)),
        ];
        match foreign.iter().find(|(_, is_foreign)| *is_foreign) {
            None => Ok(()),
            Some((path, _)) => Err(Failure::input(format!(
                "\"{}\" is not what a demo left there and would be lost; name another folder with --out",
                path.display()
            ))),
        }
    }

    /// The same model on every substrate that was found.
    fn substrates(&self, console: Console, registry: &Registry, model: &Model, input: &Signal) -> Result<Vec<Comparison>> {
        let mut locators: Vec<String> =
            registry.discover().into_iter().filter(|f| f.profile.is_some()).map(|f| f.locator).collect();
        if let Some(at) = locators.iter().position(|l| l == "cpu:") {
            locators.insert(at + 1, String::from("cpu:?threads=2"));
        }
        let program = model.program(Preset::Exact.semantics(demo::DT))?;
        let mut found = Vec::new();
        let mut rows = Vec::new();
        for locator in &locators {
            let substrate = Stoppable::on(registry.open_str(locator)?);
            let mut progress = console.progress(locator);
            let comparison = compare(locator, substrate.as_ref(), &program, input, 0, &mut |done, of| progress.tell(done, of));
            drop(progress);
            let c = comparison.map_err(|e| Failure::at(locator, e))?;
            let (right, all) = score(substrate.as_ref(), &program, input)?;
            let spikes =
                c.free.spikes.map_or_else(|| String::from("-"), |t| format!("{} of {}", t.samples - t.different, t.samples));
            let (beyond, ambiguous) = match &c.forced {
                Some(f) => (format!("{} of {}", f.mismatches, large_count(f.compared)), f.ambiguous.to_string()),
                None => (String::from("unreadable"), String::from("-")),
            };
            rows.push(vec![
                locator.clone(),
                super::compare::verdict(c.verdict()),
                format!("{right} of {all}"),
                beyond,
                ambiguous,
                spikes,
                seconds(c.cost.latency_p50),
                large(c.cost.throughput),
            ]);
            found.push(c);
        }
        console.print("One model, several substrates, judged against the definition in double precision\n")?;
        let header =
            ["substrate", "verdict", "sweeps named", "beyond bound", "ambiguous", "equal samples", "one tick", "ticks/s"];
        console.print(table(&header, rows, 0))?;
        Ok(found)
    }

    /// A short proof, with its report.
    fn conform(&self, console: Console, registry: &Registry) -> Result<bool> {
        let locator = if cfg!(feature = "cpu") { "cpu:" } else { "oracle:" };
        let substrate = registry.open_str(locator)?;
        let progress = RefCell::new(console.progress("laws"));
        let tell = |step: Progress<'_>| match step {
            Progress::Started { law, done, of } => progress.borrow_mut().at(law.id, done, of),
            Progress::Finished { done, of, .. } => progress.borrow_mut().tell(done, of),
        };
        let options = Options::new()
            .with_level(Level::L4)
            .with_budget(BUDGET)
            .with_locator(locator)
            .with_started(humantime::format_rfc3339_seconds(SystemTime::now()).to_string())
            .with_note("command", COMMAND)
            .with_stop(when_asked())
            .with_progress(&tell);
        let dossier = quietly(|| run(substrate.as_ref(), &options))?;
        drop(progress);
        let folder = self.out.join("conform");
        output::write(&folder, &dossier).map_err(Failure::input)?;
        console.print(format!("\nDoes {locator} keep the laws?\n"))?;
        let text = output::table(&dossier, style());
        console.print(conclusion(&text))?;
        console.print(format!("\nReport: {}", shown(&folder.join("report.html"))))?;
        Ok(matches!(isoform::conformance::exit_code(&dossier), 0 | 3))
    }
}

/// The same model as other platforms would run it.
fn platforms(console: Console, registry: &Registry, model: &Model, input: &Signal) -> Result<()> {
    let substrate = registry.open_str("oracle:")?;
    let mut rows = Vec::new();
    for &preset in Preset::ALL {
        let row = match model.program(preset.semantics(demo::DT)) {
            Ok(program) => {
                let output = output_of(substrate.as_ref(), &program, input)?;
                let (right, all) = demo::score(&output);
                let spikes = output.data.iter().map(|&v| f64::from(v)).sum::<f64>();
                let first = (0..output.ticks).find(|&t| (0..2).any(|c| output.at(t, 0, c) == Some(1.0)));
                vec![
                    preset.to_string(),
                    spikes.to_string(),
                    first.map_or_else(|| String::from("-"), |t| format!("tick {t}")),
                    format!("{right} of {all}"),
                ]
            }
            Err(error) => vec![preset.to_string(), String::from("-"), String::from("-"), error.message().to_owned()],
        };
        rows.push(row);
    }
    console.print("\nThe same file as other platforms take it (--semantics): the file leaves this open\n")?;
    console.print(table(&["semantics", "spikes", "first in recording 0", "sweeps named"], rows, 3))
}

fn score(substrate: &dyn Substrate, program: &Program, input: &Signal) -> Result<(usize, usize)> {
    Ok(demo::score(&output_of(substrate, program, input)?))
}

fn output_of(substrate: &dyn Substrate, program: &Program, input: &Signal) -> Result<Dense> {
    let task = Task {
        program: program.clone(),
        input: input.clone(),
        seed: 0,
        probes: Vec::new(),
        from: None,
        keep_state: false,
        counts: false,
    };
    Ok(run_task(substrate, &task, None)?.output)
}

/// The end of the table, which says what may be claimed.
fn conclusion(table: &str) -> &str {
    table.rfind("\n\n").map_or(table, |at| &table[at..]).trim()
}

fn shown(path: &Path) -> String {
    std::fs::canonicalize(path).map_or_else(|_| path.display().to_string(), |p| format!("file://{}", p.display()))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn large_count(count: usize) -> String {
    large(count as f64).replace(' ', "")
}
