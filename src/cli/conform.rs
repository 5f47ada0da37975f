//! `isoform conform`: the laws, tried on a substrate.

use super::console::{Console, WIDTH, amount, painted, table};
use super::failure::{Failure, Outcome, Result};
use anstyle::AnsiColor;
use clap::Args;
use isoform::conformance::defects::{self, DefectRow, Tried, self_test};
use isoform::conformance::law::repeats;
use isoform::conformance::output::{self, ProfileRow, Style, profile_table};
use isoform::conformance::record::{self, Dossier, Level};
use isoform::conformance::waiver::Waiver;
use isoform::conformance::{
    Forecast, Halves, Options, Progress, choose, exit_code, forecast, halves, laws, refused_its_own, run,
};
use isoform::core::profile::{Class, Profile};
use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Try the laws on a substrate and say what it may claim.
///
/// A claim is CLASS/LEVEL/SUITE. No required law is skipped inside a level.
#[derive(Debug, Args)]
pub(crate) struct Conform {
    /// The substrate, such as cpu: or 'cpu:?threads=2'.
    #[arg(required_unless_present_any = ["laws", "self_test"])]
    locator: Option<String>,
    /// The highest level that is tried: L0 to L5.
    #[arg(long, default_value = "L4")]
    level: Level,
    /// Try this law alone; give it several times for several.
    #[arg(long, value_name = "ID")]
    law: Vec<String>,
    /// Try L1.migration too: states go to and fro between the substrate and this one; give it several times for several.
    ///
    /// No claim rests on it, but what does not hold exits with 1 as for any other law.
    #[arg(long, value_name = "LOCATOR", conflicts_with_all = ["laws", "self_test", "fingerprint"])]
    peer: Vec<String>,
    /// The seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// The time that may be spent, such as 90s or 10min: the lowest level comes first, no stage is begun that would end later, a law that has
    /// not ended by then is given up, and what was left out is inconclusive.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, allow_hyphen_values = true, conflicts_with_all = ["self_test", "laws", "fingerprint"])]
    budget: Option<Duration>,
    /// Known failures, in a file (.toml) with a table [[waiver]] of law, reason, who and until for each: a law that is waived supports no
    /// claim, and a run that is broken nowhere else exits with 0. The day is written as until = "2026-12-31".
    #[arg(long, value_name = "FILE", conflicts_with_all = ["self_test", "laws", "fingerprint"])]
    waivers: Option<PathBuf>,
    /// Keep everything in a folder: report.html, dossier.json, junit.xml, badge.svg and the raw samples.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the run that the folder of --out holds.
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Write the outcomes as JSON; - for standard output.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the outcomes as JUnit XML; - for standard output.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Split the device's own records in two, and say what the suite would have said of one half beside the other.
    #[arg(long, conflicts_with_all = ["self_test", "laws", "fingerprint"])]
    aa: bool,
    /// Try the suite itself: on the substrate (oracle: if none is named) with planted defects, each of which its law must catch.
    #[arg(long, conflicts_with_all = ["level", "law", "seed", "out", "junit"])]
    self_test: bool,
    /// Infer the semantics that the substrate shows under every preset, and what gives a wrong declaration away.
    #[arg(long, conflicts_with_all = ["level", "law", "seed", "out", "junit", "json", "self_test", "laws"])]
    fingerprint: bool,
    /// Print which class of substrates owes which law.
    #[arg(long, conflicts_with_all = ["out", "json", "junit"])]
    laws: bool,
}

impl Conform {
    pub(crate) fn execute(&self, console: &Console) -> Result {
        if self.laws {
            console.print(laws_table())?;
            return Ok(Outcome::Done);
        }
        if self.fingerprint {
            return super::fingerprint::print(self.locator.as_deref().ok_or_else(super::fingerprint::unnamed)?, *console);
        }
        if self.self_test {
            return self.suite_itself(*console);
        }
        let Some(locator) = &self.locator else {
            return Err(Failure::input("no substrate is named; write isoform conform LOCATOR, such as isoform conform cpu:"));
        };
        // what is wrong with the command is told before a device is opened
        if !self.peer.is_empty() && self.law.is_empty() && self.level < Level::L1 {
            return Err(Failure::input(
                "what goes to and fro between two substrates is tried at L1: leave out --peer, or ask for L1",
            ));
        }
        self.check_places()?;
        let waivers = self.known()?;
        let options = self.law.iter().fold(Options::new(), |options, id| options.with_law(id.as_str()));
        let options = waivers.into_iter().fold(options, Options::with_waiver);
        if self.peer.is_empty() {
            choose(&options, Class::ExactDigital)?;
        }
        let registry = super::registry();
        let substrate = registry.open_str(locator)?;
        let peers: Vec<_> = self.peer.iter().map(|peer| Ok((peer, registry.open_str(peer)?))).collect::<Result<_>>()?;
        let progress = RefCell::new(console.progress("laws"));
        let tell = |step: Progress<'_>| match step {
            Progress::Started { law, done, of } => progress.borrow_mut().at(law.id, done, of),
            Progress::Finished { done, of, .. } => progress.borrow_mut().tell(done, of),
        };
        let options = options
            .with_level(self.level)
            .with_seed(self.seed)
            .with_locator(locator.as_str())
            .with_started(humantime::format_rfc3339_seconds(SystemTime::now()).to_string())
            .with_note("command", super::command())
            .with_stop(super::stop::when_asked())
            .with_progress(&tell);
        let options = self.budget.iter().fold(options, |options, &budget| options.with_budget(budget));
        let options = peers.into_iter().fold(options, |options, (locator, peer)| options.with_peer(locator.as_str(), peer));
        let profile = substrate.profile();
        let chosen = choose(&options, profile.class)?;
        if chosen.is_empty() {
            let laws = self.law.join(", ");
            let why =
                format!("nothing to try: a substrate of class {} does not owe {laws}; see isoform conform --laws", profile.class);
            return Err(Failure::input(why));
        }
        let is_statistical = chosen.iter().any(|law| law.statistical);
        if let Some(price) =
            forecast(&profile, &substrate.exemplars(), &chosen).and_then(|forecast| price(&forecast, is_statistical))
        {
            console.note(price);
        }
        let dossier = quietly(|| run(substrate.as_ref(), &options))?;
        drop(progress);
        self.keep(*console, &dossier)?;
        if self.aa {
            against_itself(console, &dossier, [&self.json, &self.junit].into_iter().flatten().any(|f| is_stdout(f)))?;
        }
        match conclude(&dossier) {
            Ok(_) if super::stop::is_asked() => Ok(Outcome::Stopped),
            // no law can say anything of a device that was opened to be another one
            Ok(Outcome::Inconclusive) => match refused_its_own(&dossier) {
                Some(why) => Err(Failure::Input(format!("{locator}: {why}"))),
                None => Ok(Outcome::Inconclusive),
            },
            ended => ended,
        }
    }

    /// What is known to be broken.
    fn known(&self) -> Result<Vec<Waiver>> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Known {
            waiver: Vec<Waiver>,
        }
        let Some(path) = &self.waivers else { return Ok(Vec::new()) };
        let bytes = isoform::files::read(path)?;
        let refuse = |why: String| Failure::Input(format!("waivers \"{}\": {why}", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|e| refuse(format!("is no text: {e}")))?;
        let known: Known = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or_else(String::new, |span| format!("line {}: ", text[..span.start].lines().count().max(1)));
            refuse(format!("{line}{}", e.message().trim().replace('\n', "; ")))
        })?;
        Ok(known.waiver)
    }

    /// Plants defects, and says which were caught.
    fn suite_itself(&self, console: Console) -> Result {
        let locator = self.locator.as_deref().unwrap_or("oracle:");
        let healthy = super::stop::Stoppable::between_advances(super::registry().open_str(locator)?);
        plantable(locator, &healthy.profile())?;
        if let Some(file) = self.json.as_deref().filter(|f| !is_stdout(f)) {
            isoform::files::check_writable(file)?;
        }
        let progress = Mutex::new((console.progress("defects"), 0));
        let tell = |row: &DefectRow| {
            let (bar, done) = &mut *progress.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            bar.at(row.defect, *done, defects::rows());
        };
        let rows = quietly(|| self_test(&|| Arc::clone(&healthy), Tried::UpToItsLevel, &tell));
        drop(progress);
        let caught = rows.iter().filter(|row| row.caught).count();
        match self.json.as_deref() {
            Some(file) if is_stdout(file) => console.print_json(&rows)?,
            Some(file) => isoform::files::write(file, serde_json::to_string_pretty(&rows).map_err(Failure::input)?.as_bytes())?,
            None => {}
        }
        if !self.json.as_deref().is_some_and(is_stdout) {
            console.print(defects_table(&rows))?;
            console.print(format!("\n{caught} of {} as it must be", rows.len()))?;
        }
        Ok(match caught == rows.len() {
            _ if super::stop::is_asked() => Outcome::Stopped,
            true => Outcome::Done,
            false => Outcome::Refuted,
        })
    }

    /// Whether what is to be kept has a place, and takes none that is taken.
    fn check_places(&self) -> Result<()> {
        if !laws().iter().any(|law| law.level == self.level) {
            let most = laws().iter().map(|law| law.level).max().unwrap_or(Level::L0);
            return Err(Failure::input(format!("the suite has no laws of level {} yet: ask for {most} at the most", self.level)));
        }
        if self.json.is_some() && self.json == self.junit {
            return Err(Failure::input("--json and --junit name the same place: give each its own"));
        }
        for file in [&self.json, &self.junit].into_iter().flatten().filter(|f| !is_stdout(f)) {
            isoform::files::check_writable(file)?;
        }
        let Some(folder) = &self.out else { return Ok(()) };
        if let Some(file) = [&self.json, &self.junit].into_iter().flatten().find(|f| !is_stdout(f) && f.starts_with(folder)) {
            let (file, folder) = (file.display(), folder.display());
            return Err(Failure::input(format!(
                "\"{file}\" is in the folder of --out, which is the suite's own and has dossier.json and junit.xml: name a file outside of \"{folder}\""
            )));
        }
        isoform::files::check_folder(folder)?;
        let is_run = folder.join("dossier.json").exists();
        let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        let shown = folder.display();
        if is_run && !self.overwrite {
            return Err(Failure::input(format!("\"{shown}\" holds a run already: name another folder, or add --overwrite")));
        }
        if !is_run && !is_empty {
            return Err(Failure::input(format!("\"{shown}\" holds something else: name an empty folder or a new one")));
        }
        Ok(())
    }

    /// Writes the files, and then prints: a run may have taken hours, and nobody need be there any more to read.
    fn keep(&self, console: Console, dossier: &Dossier) -> Result<()> {
        let json = || output::json(dossier).map_err(|e| Failure::input(format!("the outcomes are no JSON: {e}")));
        let xml = || output::junit(dossier).map_err(|e| Failure::input(format!("the outcomes are no JUnit: {e}")));
        let mut wrote = Vec::new();
        if let Some(folder) = &self.out {
            output::write(folder, dossier).map_err(Failure::input)?;
            wrote.push(format!("wrote {}; open {} in a browser", folder.display(), folder.join("report.html").display()));
        }
        if let Some(file) = self.json.as_deref().filter(|f| !is_stdout(f)) {
            isoform::files::write(file, json()?.as_bytes())?;
            wrote.push(format!("wrote {}", file.display()));
        }
        if let Some(file) = self.junit.as_deref().filter(|f| !is_stdout(f)) {
            isoform::files::write(file, xml()?.as_bytes())?;
            wrote.push(format!("wrote {}", file.display()));
        }
        let printed = if self.json.as_deref().is_some_and(is_stdout) {
            json()?
        } else if self.junit.as_deref().is_some_and(is_stdout) {
            xml()?
        } else {
            output::table(dossier, style())
        };
        let printed = console.print(printed);
        wrote.iter().for_each(|note| console.note(note));
        printed
    }
}

/// Refuses a substrate in which a planted defect would not be one: its law has to be owed, and what is not planted has to stay as it is.
fn plantable(locator: &str, profile: &Profile) -> Result<()> {
    let (class, facets) = (profile.class, profile.facets);
    let fit: Vec<&str> = Class::ALL.iter().filter(|class| repeats(**class)).map(|class| class.name()).collect();
    let missing: Vec<String> = std::iter::once((!repeats(class)).then(|| format!("is of class {class}")))
        .chain(
            [("memory", facets.memory), ("tuning", facets.tuning)]
                .map(|(facet, has)| (!has).then(|| format!("lacks the facet of {facet}"))),
        )
        .flatten()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "{locator} {}; defects are planted in a substrate of class {} that saves its state and tunes parameters, and noise with them: name one, such as \
         oracle:",
        missing.join(" and "),
        fit.join(" or ")
    )))
}

/// The table of laws as it is printed: as wide as a page, and in colour where colours are shown.
pub(super) fn style() -> Style {
    // anstream takes colours out again where they are not wanted
    Style::default().with_width(WIDTH).with_colour(std::io::stdout().is_terminal())
}

/// The exit of a run of the suite.
pub(super) fn conclude(dossier: &Dossier) -> Result {
    match exit_code(dossier) {
        0 => Ok(Outcome::Done),
        1 => Ok(Outcome::Refuted),
        3 => Ok(Outcome::Inconclusive),
        _ => {
            let is_broken = |o: &&record::Outcome| o.status == record::Status::Error;
            // the first that broke, for it may have broken those after it
            let order = dossier.provenance.notes.get("order").map_or("", String::as_str).split(' ');
            let broken = order.filter_map(|law| dossier.outcomes.iter().find(|o| o.law == law)).find(is_broken);
            let broken = broken.or_else(|| dossier.outcomes.iter().find(is_broken));
            let why = broken.map_or_else(String::new, |o| format!(": {}: {}", o.law, o.reason));
            let locator = &dossier.provenance.locator;
            let why = format!("{locator}: a law could not be tried{why}");
            // what was recorded cannot fail; it was asked something else
            Err(if locator.starts_with("replay:") {
                Failure::Input(format!(
                    "{why}; a replay answers what was asked when it was recorded, with the same laws, level and seed"
                ))
            } else {
                Failure::Substrate(why)
            })
        }
    }
}

/// What statistical laws will cost, if any are tried, as far as the profile says, and what all laws wear.
fn price(&Forecast { ticks, seconds, joules, writes }: &Forecast, is_statistical: bool) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend((ticks > 0).then(|| format!("at least {ticks} ticks of the device")));
    parts.extend((seconds > 0.0).then(|| amount(seconds, "s")));
    parts.extend((joules > 0.0).then(|| amount(joules, "J")));
    let statistical = match parts.as_slice() {
        [] => String::from("what the statistical laws will take cannot be told: the profile declares neither noise nor washout"),
        [_] => format!("the statistical laws together take {}, whose price it does not declare", parts.concat()),
        _ => format!("the statistical laws together take {}", parts.join(", ")),
    };
    let worn = (writes > 0).then(|| format!("all laws together, up to {writes} writes of a cell"));
    let parts: Vec<String> = is_statistical.then_some(statistical).into_iter().chain(worn).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Says what the suite says of a device beside itself; aside where standard output is taken.
pub(super) fn against_itself(console: &Console, dossier: &Dossier, aside: bool) -> Result<()> {
    let said = halves_table(&halves(dossier));
    if aside {
        console.note(said);
        return Ok(());
    }
    console.print(said)
}

fn halves_table(found: &[Halves]) -> String {
    if found.is_empty() {
        return String::from("nothing to split: none of the laws that compare means was tried on a noisy medium");
    }
    let row = |h: &Halves| {
        let of = |count: usize| format!("{count} of {}", h.checks);
        vec![h.law.clone(), of(h.inside), of(h.outside), of(h.rare), format!("{:.2}", h.chance)]
    };
    let heads = ["the device beside itself", "within the margin", "false alarms", "beyond 1 in 100", "chance of as many"];
    table(&heads, found.iter().map(row), 0)
}

fn laws_table() -> String {
    let rows: Vec<ProfileRow> = laws()
        .iter()
        .map(|law| ProfileRow {
            law: law.id.to_owned(),
            level: law.level,
            owed: Class::ALL.iter().map(|&class| (law.requirement)(class)).collect(),
        })
        .collect();
    profile_table(&rows, style())
}

fn defects_table(rows: &[DefectRow]) -> String {
    let row = |row: &DefectRow| {
        let others: Vec<&str> = row.caught_by.iter().copied().filter(|&id| Some(id) != row.law).collect();
        let verdict = match (row.caught, row.law) {
            (true, Some(_)) => painted("caught", AnsiColor::Green),
            (true, None) => painted("healthy", AnsiColor::Green),
            (false, _) => painted("missed", AnsiColor::Red),
        };
        vec![row.defect.to_owned(), row.law.unwrap_or("-").to_owned(), verdict, some(&others)]
    };
    table(&["defect", "its law", "verdict", "also caught by"], rows.iter().map(row), 3)
}

/// A few names, and how many more there are.
fn some(names: &[&str]) -> String {
    match names {
        [first, second, _, rest @ ..] if !rest.is_empty() => format!("{first}, {second} and {} more", names.len() - 2),
        few => few.join(", "),
    }
}

/// Lets the suite catch panics of a substrate, which become verdicts, without the words that a panic prints by itself.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = work();
    std::panic::set_hook(before);
    result
}

fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_tried_has_a_price() {
        let forecast = Forecast { ticks: 100, seconds: 0.1, joules: 0.0, writes: 40 };
        let told = |forecast: &Forecast, is_statistical| price(forecast, is_statistical).unwrap_or_default();
        let worn = "all laws together, up to 40 writes of a cell";
        assert_eq!(told(&forecast, false), worn);
        let all = told(&forecast, true);
        assert!(all.starts_with("the statistical laws together take at least 100 ticks") && all.ends_with(worn), "{all}");
        assert_eq!(price(&Forecast { writes: 0, ..forecast }, false), None);
    }
}
