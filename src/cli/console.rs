//! What is printed, where, and how.

use super::failure::{Failure, Result};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};
use tabled::builder::Builder;
use tabled::settings::Padding;
use tabled::settings::style::Style as Border;

/// No table is wider.
pub(crate) const WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;
/// No column gives way further.
const NARROWEST: usize = 12;
/// Work that ends sooner shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Standard output for results, standard error for notes and progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    quiet: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A result. If whoever read it has gone, what is still to be done is done, and the command ends as it would have ended.
    pub(crate) fn print(self, text: impl AsRef<str>) -> Result<()> {
        let mut out = anstream::stdout().lock();
        match writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::input(format!("standard output: {e}"))),
            _ => Ok(()),
        }
    }

    /// A result for machines.
    pub(crate) fn print_json(self, value: &impl serde::Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Failure::input(format!("the result is no JSON: {e}")))?;
        self.print(text)
    }

    /// Something that is good to know, unless it is to be quiet.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        if !self.quiet {
            // a note that nobody hears changes nothing
            let _ = writeln!(anstream::stderr(), "{}", text.as_ref());
        }
    }

    /// Something that is wrong but does not stop the command; printed even when quiet.
    pub(crate) fn warn(self, text: impl AsRef<str>) {
        let style = AnsiColor::Yellow.on_default().bold();
        let _ = writeln!(anstream::stderr(), "{style}warning:{style:#} {}", text.as_ref());
    }

    /// A bar on standard error, on a terminal alone, and not before the work has taken a second.
    pub(crate) fn progress(self, what: &str) -> Progress {
        let shown = !self.quiet && std::io::stderr().is_terminal();
        Progress { what: what.to_owned(), started: shown.then(Instant::now), bar: None }
    }
}

/// The progress of some work.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    started: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Whether anybody looks.
    pub(crate) fn is_shown(&self) -> bool {
        self.started.is_some()
    }

    /// Tells what is being done, and how much is done of how much.
    pub(crate) fn at(&mut self, what: &str, done: usize, of: usize) {
        self.what = what.to_owned();
        if let Some(bar) = &self.bar {
            bar.set_message(self.what.clone());
        }
        self.tell(done, of);
    }

    /// Tells how much is done of how much.
    pub(crate) fn tell(&mut self, done: usize, of: usize) {
        let Some(started) = self.started else { return };
        if self.bar.is_none() && started.elapsed() > PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
            let bar = bar.with_message(self.what.clone()).with_elapsed(started.elapsed());
            self.bar = Some(if let Ok(style) = style { bar.with_style(style) } else { bar });
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A table of plain columns that fits the width of a page; one column gives way by breaking between words.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, gives_way: usize) -> String {
    let bold = Style::new().bold();
    let header: Vec<String> = header.iter().map(|name| format!("{bold}{name}{bold:#}")).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).flat_map(|c| c.lines()).map(breadth).max().unwrap_or(0);
    let others: usize = (0..columns).filter(|&c| c != gives_way).map(width).sum();
    let gap = if others + width(gives_way) + GAP * columns > WIDTH { 1 } else { GAP };
    let rest = WIDTH.saturating_sub(others + gap * columns).max(NARROWEST);
    let broken = rows.into_iter().map(|mut row| {
        if let Some(cell) = row.get_mut(gives_way) {
            *cell = cell.lines().map(|line| textwrap::fill(line, rest)).collect::<Vec<_>>().join("\n");
        }
        row
    });
    let mut table = Builder::from_iter(broken).build();
    table.with(Border::empty()).with(Padding::new(0, gap, 0, 0));
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Text broken between words, its further lines indented.
pub(crate) fn wrapped(text: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(WIDTH).subsequent_indent("  "))
}

/// How many columns a text takes without its colours.
fn breadth(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

/// A text in a colour.
pub(crate) fn painted(text: &str, colour: AnsiColor) -> String {
    let style: Style = colour.on_default();
    format!("{style}{text}{style:#}")
}

/// A duration in the unit that reads best.
pub(crate) fn seconds(s: f64) -> String {
    match s {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.1} s"),
    }
}

/// An amount in three significant digits, with the prefix that reads best.
pub(crate) fn amount(value: f64, unit: &str) -> String {
    const PREFIXES: [(f64, &str); 8] =
        [(1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f")];
    // what rounds up to a thousand of one is one of the next
    let (scale, prefix) = PREFIXES.into_iter().find(|(scale, _)| value >= 0.9995 * scale).unwrap_or(PREFIXES[7]);
    let scaled = value / scale;
    let places = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
    format!("{scaled:.places$} {prefix}{unit}")
}

/// A large number with the prefix that reads best.
pub(crate) fn large(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{:.1} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e3 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A number of things.
pub(crate) fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn an_amount_has_three_digits_and_never_rounds_to_nothing() {
        for (value, text) in [
            (9.5712e-6, "9.57 µJ"),
            (96.4, "96.4 J"),
            (0.9996, "1.00 J"),
            (999.6, "1.00 kJ"),
            (156.202, "156 J"),
            (4e-10, "400 pJ"),
            (2e-17, "0.02 fJ"),
        ] {
            assert_eq!(amount(value, "J"), text);
        }
    }
}
