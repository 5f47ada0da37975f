//! One self-contained page for people.

use super::draw::{Drawing, Ink, Key, LEVELS, Mark, draw};
use super::plot::{FACT, Plot};
use super::spelling::{Spelled, plain, quoted, spell, superscript};
use super::wording::{Standing, Verdict, counts, mark, meaning, owed_by, stands_in_the_way};
use super::{badge, encode, ledger};
use crate::record::{Dossier, Evidence, Figure, Level, Outcome, Status};
use askama::Template;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// How many characters of a fact are shown.
const FACT_LENGTH: usize = 300;

/// What a page says beside the dossier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    folder: String,
}

impl Default for Page {
    /// A page of a run in a folder named `DIR`.
    fn default() -> Self {
        Self { folder: String::from("DIR") }
    }
}

impl Page {
    /// A page of a run in the given folder, of which the last part is named in the commands.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        dir.file_name().map_or_else(Self::default, |name| Self { folder: name.to_string_lossy().into_owned() })
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Report {
    verdict: Verdict,
    standing: &'static str,
    locator: String,
    claim: String,
    badge: String,
    started: String,
    counts: String,
    rungs: Vec<Rung>,
    levels: Vec<Section>,
    not_claimed: Vec<(String, String, &'static str)>,
    provenance: Vec<(String, String)>,
    promises: Vec<(&'static str, Vec<(String, String)>)>,
    commands: Vec<(String, String)>,
    statuses: Vec<(&'static str, &'static str, &'static str)>,
    suite: String,
    schema: u32,
}

/// A level on the ladder.
struct Rung {
    level: Level,
    state: &'static str,
    words: &'static str,
}

/// The laws of a level.
struct Section {
    level: Level,
    counts: String,
    laws: Vec<Law>,
}

struct Law {
    anchor: String,
    id: String,
    title: String,
    owed: &'static str,
    status: &'static str,
    mark: &'static str,
    reason: String,
    figures: Vec<Row>,
    facts: Vec<(String, String)>,
    samples: Vec<String>,
    broke_off: Option<String>,
    seconds: Spelled,
    plots: Vec<Result<Drawing, String>>,
    /// Whether it keeps its level from being claimed.
    broken: bool,
}

struct Row {
    name: String,
    value: Spelled,
    limit: Option<Spelled>,
}

/// Makes one HTML file with everything: claim, laws, figures, plots, provenance, and how to repeat the run.
///
/// It fetches nothing, runs no script, and can be printed. Everything from outside is escaped.
#[must_use]
pub fn html(dossier: &Dossier, page: &Page) -> String {
    let provenance = &dossier.provenance;
    let verdict = Verdict::of(dossier);
    let report = Report {
        standing: match verdict.standing {
            Standing::Full => "full",
            Standing::Partial => "partial",
            Standing::Nothing => "nothing",
        },
        verdict,
        locator: plain(&provenance.locator),
        claim: dossier.claim.map_or_else(|| String::from("nothing"), |c| c.to_string()),
        badge: badge(dossier),
        started: plain(&provenance.started),
        counts: counts(&dossier.outcomes),
        rungs: Level::ALL.iter().map(|l| rung(dossier, *l)).collect(),
        levels: Level::ALL.iter().filter_map(|l| section(dossier, *l)).collect(),
        not_claimed: dossier
            .outcomes
            .iter()
            .filter(|o| o.status == Status::NotClaimed)
            .map(|o| (plain(&o.law), plain(&o.reason), owed_by(o)))
            .collect(),
        provenance: origin(dossier),
        promises: promises(dossier),
        commands: commands(dossier, page),
        statuses: Status::ALL.iter().map(|s| (s.name(), mark(*s), meaning(*s))).collect(),
        suite: plain(&provenance.suite),
        schema: dossier.schema,
    };
    // Writing to a string fails only if a value refuses to be displayed, and none of these does.
    report.render().unwrap_or_else(|e| format!("<!doctype html><title>isoform</title><p>the report could not be set: {e}"))
}

fn rung(dossier: &Dossier, level: Level) -> Rung {
    let tried = dossier.outcomes.iter().any(|o| o.level == level);
    let (state, words) = match dossier.claim {
        Some(claim) if claim.level >= level => ("reached", "shown"),
        _ if dossier.outcomes.iter().any(|o| o.level == level && stands_in_the_way(o)) => ("broken", "not shown"),
        _ if tried => ("open", "tried, not claimed"),
        _ => ("idle", "not tried"),
    };
    Rung { level, state, words }
}

fn section(dossier: &Dossier, level: Level) -> Option<Section> {
    let outcomes: Vec<Outcome> = dossier.outcomes.iter().filter(|o| o.level == level).cloned().collect();
    (!outcomes.is_empty()).then(|| Section {
        level,
        counts: counts(&outcomes),
        laws: outcomes.iter().map(|o| law(o, dossier.evidence.iter().find(|e| e.law == o.law))).collect(),
    })
}

fn law(outcome: &Outcome, evidence: Option<&Evidence>) -> Law {
    // what decided comes first
    let held = outcome.figures.iter().filter(|f| f.limit.is_some());
    let others = outcome.figures.iter().filter(|f| f.limit.is_none());
    Law {
        anchor: outcome.law.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect(),
        id: plain(&outcome.law),
        title: plain(&outcome.title),
        owed: owed_by(outcome),
        status: outcome.status.name(),
        mark: mark(outcome.status),
        reason: plain(&outcome.reason),
        figures: held.chain(others).map(row).collect(),
        facts: evidence.map(facts).unwrap_or_default(),
        samples: evidence.map_or_else(Vec::new, |e| {
            e.samples.iter().map(|s| format!("{} {:?} ({})", plain(&s.name), s.shape, plain(&s.unit))).collect()
        }),
        broke_off: evidence.and_then(|e| e.broke_off.as_deref()).map(plain),
        seconds: spell(outcome.seconds, "s"),
        broken: stands_in_the_way(outcome),
        plots: evidence.map_or_else(Vec::new, |e| {
            Plot::of(e)
                .into_iter()
                .map(|plot| {
                    let plot = plot.map_err(|e| format!("A plot is asked for that cannot be read: {}.", plain(&e)))?;
                    draw(&plot, e).map_err(|e| format!("“{}” cannot be drawn: {e}.", plain(&plot.title)))
                })
                .collect()
        }),
    }
}

fn row(figure: &Figure) -> Row {
    Row {
        name: plain(&figure.name),
        value: spell(figure.value, &figure.unit),
        limit: figure.limit.map(|limit| spell(limit, &figure.unit)),
    }
}

fn facts(evidence: &Evidence) -> Vec<(String, String)> {
    let shown = evidence.facts.iter().filter(|(name, _)| *name != FACT);
    shown.map(|(name, value)| (plain(name), shortened(&spoken(value)))).collect()
}

fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(FACT_LENGTH).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    plain(&out)
}

fn origin(dossier: &Dossier) -> Vec<(String, String)> {
    let provenance = &dossier.provenance;
    let profile = &provenance.profile;
    let mut out: Vec<(String, String)> = [
        ("locator", provenance.locator.clone()),
        ("substrate", format!("{} {}", profile.name, profile.version)),
        ("device", profile.device.clone()),
        ("class", profile.class.to_string()),
        ("asked for", format!("up to {}", dossier.asked)),
        ("seed", provenance.seed.to_string()),
        ("suite", provenance.suite.clone()),
        ("started", provenance.started.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), plain(&value)))
    .collect();
    out.extend(ledger::entries(dossier).into_iter().map(|(name, value)| (name.to_owned(), value)));
    out.extend(provenance.notes.iter().map(|(name, value)| (plain(name), plain(value))));
    out
}

/// What the profile promises, by group.
fn promises(dossier: &Dossier) -> Vec<(&'static str, Vec<(String, String)>)> {
    let profile = &dossier.provenance.profile;
    let medium = profile.medium.as_ref().map(|medium| ("Medium, in units of its outputs", listed(medium)));
    let others = [
        ("Arithmetic", listed(&profile.accuracy)),
        ("Limits", listed(&profile.limits)),
        ("Facets", listed(&profile.facets)),
        ("Takes", listed(&profile.takes)),
    ];
    medium.into_iter().chain(others).collect()
}

/// The fields of a structure in words.
fn listed<T: Serialize>(value: &T) -> Vec<(String, String)> {
    // Fields of a profile are plain data, which always has a form in JSON.
    let fields = encode::fields(value).unwrap_or_default();
    fields.into_iter().map(|(key, value)| (spelled_out(&key), shortened(&spoken(&value)))).collect()
}

/// A field of a profile for those who do not know the type.
fn spelled_out(key: &str) -> String {
    match key {
        "margin" => "most that a mean is off",
        "noise" => "standard deviation of a sample",
        "flicker" => "noise like 1/f",
        "drift" => "most that a mean moves, and within seconds",
        "washout" => "ticks after which nothing is remembered",
        "endurance" => "writes that a cell bears",
        "price" => "price of a tick (s, J), and of a program in writes",
        "largest" => "largest number",
        "subnormals" => "subnormal numbers are kept",
        "contraction" => "a·b + c may be rounded once",
        "sqrt" => "square root",
        "exp" => "exponential",
        "ln" => "natural logarithm",
        "tanh" => "hyperbolic tangent",
        "sin" => "sine",
        "cos" => "cosine",
        "angle" => "largest angle (rad)",
        "input" => "input",
        "out-of-range" => "input out of range",
        "ticks" => "ticks in one call",
        "batch" => "lanes",
        "channels" => "channels of a node",
        "realizations" => "realizations at a time",
        "memory" => "saves and loads its state",
        "tuning" => "parameters while it runs",
        "plasticity" => "learns",
        "calibration" => "can be calibrated",
        "located" => "spikes inside a tick",
        "fixed" => "fixed-point numbers",
        "cycles" => "nodes in a cycle",
        other => return other.replace(['_', '-'], " "),
    }
    .to_owned()
}

/// A JSON value in words.
fn spoken(value: &Value) -> String {
    match value {
        Value::Null => String::from("none"),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(n) if n.as_u64() == Some(u64::MAX) => String::from("no limit"),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::from("any"),
        Value::Array(items) => match items.as_slice() {
            [low @ Value::Number(_), high @ Value::Number(_)] => format!("{} to {}", spoken(low), spoken(high)),
            _ => items.iter().map(spoken).collect::<Vec<_>>().join(", "),
        },
        Value::Object(map) => match (map.get("ulp").and_then(Value::as_f64), map.get("absolute").and_then(Value::as_f64)) {
            (Some(ulp), Some(0.0)) if map.len() == 2 => format!("within {} ulp", number(ulp)),
            (Some(ulp), Some(absolute)) if map.len() == 2 => format!("within {} ulp and {}", number(ulp), number(absolute)),
            _ => map.iter().map(|(key, value)| format!("{key}: {}", spoken(value))).collect::<Vec<_>>().join("; "),
        },
    }
}

/// A number, as a power of two where it is one that decimal digits hide.
fn number(value: f64) -> String {
    let spelled = spell(value, "1");
    let power = value.abs().log2();
    if spelled.exponent.is_some() && power.fract() == 0.0 && 2f64.powf(power) == value.abs() {
        let sign = if value < 0.0 { "−" } else { "" };
        format!("{sign}2{} = {}", superscript(power as i32), spelled.typeset())
    } else {
        spelled.typeset()
    }
}

fn commands(dossier: &Dossier, page: &Page) -> Vec<(String, String)> {
    let provenance = &dossier.provenance;
    let (locator, folder, seed) = (quoted(&provenance.locator), quoted(&page.folder), provenance.seed);
    let again = provenance.notes.get("command").map_or_else(
        || format!("isoform conform {locator} --level {} --seed {seed} --out {folder}", dossier.asked),
        |command| plain(command),
    );
    let mut out = vec![
        (String::from("The same run again, with the same draws; name another folder as --out, where one is named"), again),
        (String::from("Every verdict again from the raw samples, without the substrate"), format!("isoform judge {folder}")),
        (String::from("What another run found differently"), format!("isoform diff {folder} OTHER")),
    ];
    let first = dossier.outcomes.iter().find(|o| stands_in_the_way(o));
    out.extend(first.map(|o| {
        let law = quoted(&o.law);
        (String::from("One law alone"), format!("isoform conform {locator} --law {law} --seed {seed}"))
    }));
    out
}

impl Key {
    /// The colour key of the swatch in the legend.
    fn colour(&self) -> String {
        self.ink.key()
    }

    /// The shape of the swatch in the legend.
    fn shape(&self) -> &'static str {
        match self.mark {
            Mark::Line => "line",
            Mark::Dot => "dot",
            Mark::Ring => "ring",
            Mark::Area => "area",
            Mark::Stroke => "stroke",
        }
    }
}

/// A colour of the plots in the style sheet.
struct Tone {
    key: String,
    dark: &'static str,
    dashed: bool,
}

impl Report {
    fn has_plots(&self) -> bool {
        self.levels.iter().flat_map(|section| &section.laws).any(|law| !law.plots.is_empty())
    }

    /// The colours of the plots on a dark page, and which of them are dashed.
    fn tones(&self) -> Vec<Tone> {
        const DARK: [&str; 5] = ["#7ab4f5", "#f0a06a", "#74c796", "#c3a0ea", "#cdb878"];
        let mut out = Vec::new();
        for (place, dark) in DARK.into_iter().enumerate() {
            out.push(Tone { key: Ink::Series(place).key(), dark, dashed: false });
            out.push(Tone { key: Ink::Dashed(place).key(), dark, dashed: true });
        }
        const SHADES: [&str; LEVELS] = ["#1d2a38", "#22415f", "#285b88", "#3279b3", "#549cd6", "#8dc1ee", "#cfe6ff"];
        out.extend(SHADES.into_iter().enumerate().map(|(n, dark)| Tone { key: Ink::Level(n).key(), dark, dashed: false }));
        out.push(Tone { key: Ink::Model.key(), dark: "#ffffff", dashed: true });
        out.push(Tone { key: Ink::Band.key(), dark: "#24384f", dashed: false });
        out.push(Tone { key: Ink::Limit.key(), dark: "#5f83ab", dashed: true });
        out.push(Tone { key: Ink::Ambiguous.key(), dark: "#8a6a1c", dashed: false });
        out.push(Tone { key: Ink::Wrong.key(), dark: "#ff8a80", dashed: false });
        out.push(Tone { key: Ink::Axis.key(), dark: "#a9b3be", dashed: false });
        out.push(Tone { key: Ink::Grid.key(), dark: "#2c333b", dashed: false });
        out
    }
}
