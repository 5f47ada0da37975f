//! The outcomes as a table for a terminal.

use super::ledger;
use super::spelling::plain;
use super::wording::{Standing, Verdict, against, counts, owed, owed_by};
use crate::record::{Dossier, Figure, Level, Outcome, Requirement, Status};
use anstyle::{AnsiColor, Style as Ansi};
use isoform_core::profile::Class;
use std::fmt::Write as _;
use tabled::builder::Builder;
use tabled::settings::Padding;
use tabled::settings::style::Style as Border;

/// The narrowest table.
const NARROWEST: usize = 72;

/// How a table is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    width: usize,
    colour: bool,
}

impl Default for Style {
    /// 100 columns without colour.
    fn default() -> Self {
        Self { width: 100, colour: false }
    }
}

impl Style {
    /// The same with so many columns; below 72 the table is 72 wide all the same.
    #[must_use]
    pub fn with_width(mut self, columns: usize) -> Self {
        self.width = columns.max(NARROWEST);
        self
    }

    /// The same with ANSI colours, or without.
    #[must_use]
    pub fn with_colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    fn paint(self, style: Ansi, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    fn dim(self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }
}

fn tint(status: Status) -> Ansi {
    let colour = match status {
        Status::Pass => AnsiColor::Green,
        Status::Fail | Status::Error => AnsiColor::Red,
        Status::Inconclusive | Status::Waived => AnsiColor::Yellow,
        Status::NotClaimed => AnsiColor::Cyan,
    };
    colour.on_default()
}

/// Lays out a run for a terminal: the laws level by level, the claim in words, the counts, and what is not claimed.
///
/// Control characters in reasons and names are spelled out, because both may come from a device.
#[must_use]
pub fn table(dossier: &Dossier, style: Style) -> String {
    let mut out = String::new();
    let law = dossier.outcomes.iter().map(|o| plain(&o.law).chars().count()).max().unwrap_or(0).clamp(6, 28);
    for level in Level::ALL {
        let outcomes: Vec<&Outcome> = dossier.outcomes.iter().filter(|o| o.level == *level).collect();
        if outcomes.is_empty() {
            continue;
        }
        let heading = style.bold(&format!("{level}  {}", level.proves()));
        let _ = writeln!(out, "{heading}\n{}\n", laws(&outcomes, law, style));
    }
    out.push_str(&conclusion(dossier, style));
    out
}

/// The laws of one level.
fn laws(outcomes: &[&Outcome], law: usize, style: Style) -> String {
    let (indent, status, owes, gap) = (2, 12, 10, 2);
    let rest = style.width.saturating_sub(indent + law + status + owes + 4 * gap);
    let figures = rest * 9 / 20;
    let reason = rest - figures;
    let mut builder = Builder::new();
    for outcome in outcomes {
        let lines = foremost(&outcome.figures, figures);
        builder.push_record([
            " ".repeat(indent),
            broken(&plain(&outcome.law), law, "") + &column(law + gap),
            style.paint(tint(outcome.status), outcome.status.name()) + &column(status + gap),
            style.dim(owed_by(outcome)) + &column(owes + gap),
            broken(&plain(&outcome.reason), reason, "") + &column(reason + gap),
            lines.join("\n"),
        ]);
    }
    let mut table = builder.build();
    table.with(Border::empty()).with(Padding::zero());
    trimmed(&table.to_string())
}

/// The most that a law shows here; the page and the files have all.
const SHOWN: usize = 3;

/// The figures that were held against something, or else the first ones.
fn foremost(figures: &[Figure], width: usize) -> Vec<String> {
    let held: Vec<&Figure> = figures.iter().filter(|f| f.limit.is_some()).collect();
    let chosen = if held.is_empty() { figures.iter().collect() } else { held };
    // one line that says that one is missing could as well hold that one
    let shown = if figures.len() <= SHOWN + 1 { figures.iter().collect() } else { chosen };
    let mut lines: Vec<String> = shown.iter().take(SHOWN + 1).map(|f| broken(&against(f), width, "  ")).collect();
    if figures.len() > SHOWN + 1 {
        lines.truncate(SHOWN);
        lines.push(broken(&format!("and {} more", figures.len() - lines.len()), width, "  "));
    }
    lines
}

/// A line of spaces, which makes a column as wide as in the other tables.
fn column(width: usize) -> String {
    format!("\n{}", " ".repeat(width))
}

/// Text broken between words.
fn broken(text: &str, width: usize, indent: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(width).subsequent_indent(indent))
}

fn conclusion(dossier: &Dossier, style: Style) -> String {
    let verdict = Verdict::of(dossier);
    let colour = match verdict.standing {
        Standing::Full => AnsiColor::Green,
        Standing::Partial => AnsiColor::Yellow,
        Standing::Nothing => AnsiColor::Red,
    };
    let mut out = style.paint(colour.on_default().bold(), &verdict.headline);
    out.push('\n');
    for text in [&verdict.meaning, &verdict.obstacle] {
        if !text.is_empty() {
            out.push_str(&wrapped(text, style.width));
        }
    }
    let _ = writeln!(out, "{}: {}", counted(dossier.outcomes.len()), counts(&dossier.outcomes));
    for (name, text) in ledger::entries(dossier) {
        out.push_str(&wrapped(&format!("{name}: {text}"), style.width));
    }
    for outcome in dossier.outcomes.iter().filter(|o| o.status == Status::NotClaimed) {
        let text = format!("not claimed: {} ({}): {}", plain(&outcome.law), owed_by(outcome), plain(&outcome.reason));
        out.push_str(&wrapped(&text, style.width));
    }
    out
}

fn counted(laws: usize) -> String {
    if laws == 1 { String::from("1 law") } else { format!("{laws} laws") }
}

/// A paragraph.
fn wrapped(text: &str, width: usize) -> String {
    broken(text, width, "") + "\n"
}

/// The lines without spaces at their ends, and without the empty ones.
fn trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A law and what each class of substrates owes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// The id of the law.
    pub law: String,
    /// Its level.
    pub level: Level,
    /// What each class owes, in the order of [`Class::ALL`].
    pub owed: Vec<Requirement>,
}

/// Lays out what each class of substrates owes to each law.
#[must_use]
pub fn profile_table(rows: &[ProfileRow], style: Style) -> String {
    let mut builder = Builder::new();
    let mut heading = vec![style.bold("law")];
    // A class is headed by its words one below the other, or seven classes would not fit a terminal.
    heading.extend(Class::ALL.iter().map(|c| style.bold(&c.name().replace('-', "-\n"))));
    builder.push_record(heading);
    let sorted: Vec<&ProfileRow> = Level::ALL.iter().flat_map(|level| rows.iter().filter(move |r| r.level == *level)).collect();
    for row in &sorted {
        let mut record = vec![format!("  {}", plain(&row.law))];
        record.extend(row.owed.iter().map(|r| match r {
            Requirement::Required => style.paint(AnsiColor::Green.on_default(), owed(*r)),
            Requirement::Optional => owed(*r).to_owned(),
            Requirement::Impossible => style.dim(owed(*r)),
        }));
        builder.push_record(record);
    }
    let mut table = builder.build();
    table.with(Border::empty()).with(Padding::new(0, 2, 0, 0));
    if table.total_width() > style.width {
        table.with(Padding::new(0, 1, 0, 0));
    }
    // A level is a line of its own, so that its name does not widen the column of the laws.
    let text = table.to_string();
    let mut lines = text.lines();
    let head = text.lines().count().saturating_sub(sorted.len());
    let mut out: Vec<String> = lines.by_ref().take(head).map(str::to_owned).collect();
    let mut level = None;
    for (row, line) in sorted.iter().zip(lines) {
        if level.replace(row.level) != Some(row.level) {
            out.push(style.bold(&format!("{}  {}", row.level, row.level.proves())));
        }
        out.push(line.to_owned());
    }
    trimmed(&out.join("\n")) + "\n"
}
