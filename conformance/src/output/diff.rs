//! What differs between two runs.

use super::drift::{Drifted, between};
use super::spelling::{plain, spell};
use super::{encode, ledger};
use crate::record::{Claim, Dossier, Evidence, Figure, Outcome, Status};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Something before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<T> {
    /// In the first run; nothing if it is not there.
    pub before: Option<T>,
    /// In the second run; nothing if it is not there.
    pub after: Option<T>,
}

/// A law with another verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// The id of the law.
    pub law: String,
    /// Its statuses.
    pub status: Change<Status>,
    /// The reason in the second run, or in the first if the law was not tried again.
    pub reason: String,
}

/// A figure with another value or limit.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureChange {
    /// The id of the law.
    pub law: String,
    /// The figures.
    pub figure: Change<Figure>,
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// The claims, if they differ.
    pub claim: Option<Change<Claim>>,
    /// The laws with another verdict, or that only one run tried.
    pub statuses: Vec<StatusChange>,
    /// The figures with other values, of laws that both runs tried.
    pub figures: Vec<FigureChange>,
    /// How far the outputs of a noisy medium moved.
    pub drift: Option<Drifted>,
    /// The calibrations under which the runs worked, in words, if they differ.
    pub calibration: Option<[String; 2]>,
    /// The entries of the provenance that differ, by their path such as `profile.version`.
    pub provenance: Vec<(String, Change<String>)>,
    /// The laws whose raw samples are equal to the bit in both runs.
    pub equal_samples: Vec<String>,
    /// The laws whose raw samples differ, or that only one run has samples of.
    pub other_samples: Vec<String>,
}

/// Compares two runs. Durations are left out, since no two runs take equally long.
#[must_use]
pub fn diff(before: &Dossier, after: &Dossier) -> Difference {
    let mut out = Difference::default();
    if before.claim != after.claim {
        out.claim = Some(Change { before: before.claim, after: after.claim });
    }
    for (law, was, is) in paired(&before.outcomes, &after.outcomes, |o: &Outcome| o.law.clone()) {
        let status = Change { before: was.map(|o| o.status), after: is.map(|o| o.status) };
        if let Some(last) = is.or(was).filter(|_| status.before != status.after) {
            out.statuses.push(StatusChange { law: law.clone(), status, reason: last.reason.clone() });
        }
        if let (Some(was), Some(is)) = (was, is) {
            let changed =
                paired(&was.figures, &is.figures, |f: &Figure| f.name.clone()).into_iter().filter(|(_, a, b)| !same(*a, *b));
            out.figures.extend(
                changed
                    .map(|(_, a, b)| FigureChange { law: law.clone(), figure: Change { before: a.cloned(), after: b.cloned() } }),
            );
        }
    }
    for (law, was, is) in paired(&before.evidence, &after.evidence, |e: &Evidence| e.law.clone()) {
        match (was, is) {
            (Some(a), Some(b)) if a.samples.is_empty() && b.samples.is_empty() => {}
            (Some(a), Some(b)) if equal_samples(a, b) => out.equal_samples.push(law),
            _ => out.other_samples.push(law),
        }
    }
    out.drift = between(before, after);
    let told = [before, after].map(|dossier| ledger::calibrations(dossier).join(" | "));
    out.calibration = (told[0] != told[1]).then_some(told);
    let (was, is) = (entries(before), entries(after));
    let mut paths: Vec<&String> = was.keys().chain(is.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let change = Change { before: was.get(path).cloned(), after: is.get(path).cloned() };
        if change.before != change.after {
            out.provenance.push((path.clone(), change));
        }
    }
    out
}

/// Items of two lists by key, in the order of the second list, those that are only in the first at the end.
fn paired<'a, T>(before: &'a [T], after: &'a [T], key: impl Fn(&T) -> String) -> Vec<(String, Option<&'a T>, Option<&'a T>)> {
    // A key may occur twice, as in a file that was edited: the n-th meets the n-th.
    let number = |items: &'a [T]| {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut out: Vec<((String, usize), &'a T)> = Vec::with_capacity(items.len());
        for item in items {
            let n = seen.entry(key(item)).or_insert(0);
            *n += 1;
            out.push(((key(item), *n), item));
        }
        out
    };
    let after = number(after);
    let mut rest = number(before);
    let mut by_key: BTreeMap<(String, usize), &T> = rest.iter().cloned().collect();
    let mut out: Vec<_> = after.into_iter().map(|(k, item)| (k.0.clone(), by_key.remove(&k), Some(item))).collect();
    rest.retain(|(k, _)| by_key.contains_key(k));
    out.extend(rest.into_iter().map(|(k, item)| (k.0, Some(item), None)));
    out
}

fn same(a: Option<&Figure>, b: Option<&Figure>) -> bool {
    // the files keep no payload of what is not a number
    let number = |v: f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
    let bits = |f: &Figure| (number(f.value), f.limit.map(number), f.unit.clone());
    a.map(bits) == b.map(bits)
}

fn equal_samples(a: &Evidence, b: &Evidence) -> bool {
    a.samples.len() == b.samples.len()
        && a.samples.iter().zip(&b.samples).all(|(a, b)| {
            (&a.name, &a.unit, &a.shape) == (&b.name, &b.unit, &b.shape)
                && a.values.len() == b.values.len()
                && a.values.iter().zip(&b.values).all(|(a, b)| a.to_bits() == b.to_bits())
        })
}

/// The leaves of the provenance by their path.
fn entries(dossier: &Dossier) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &Value, out: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    walk(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, out);
                }
            }
            Value::String(text) => {
                out.insert(path.to_owned(), text.clone());
            }
            other => {
                out.insert(path.to_owned(), other.to_string());
            }
        }
    }
    let mut out = BTreeMap::new();
    // Provenance is text and numbers alone; what had no form in JSON would have been refused when it was written.
    walk("", &encode::to_tree(&dossier.provenance).unwrap_or_default(), &mut out);
    out.insert(String::from("asked"), dossier.asked.to_string());
    out.insert(String::from("schema"), dossier.schema.to_string());
    out
}

impl FigureChange {
    /// Whether it is a time, a rate or the growth of a process, of which no two runs measure the same.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        let unit = self.figure.after.as_ref().or(self.figure.before.as_ref()).map_or("", |figure| figure.unit.as_str());
        self.law == "L3.memory" || self.law.starts_with("L4.") && matches!(unit, "s" | "1/s")
    }
}

impl Difference {
    /// Whether the two runs say the same: equal claims, statuses and figures, apart from those that are measured anew each time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claim.is_none() && self.statuses.is_empty() && self.figures.iter().all(FigureChange::is_measured)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.to_owned());
        match &self.claim {
            Some(c) => writeln!(
                f,
                "claim: {} → {}",
                or(c.before.map(|c| c.to_string()), "nothing"),
                or(c.after.map(|c| c.to_string()), "nothing")
            )?,
            None => writeln!(f, "claim: the same")?,
        }
        section(f, "verdicts", &self.statuses, |f, change| {
            let name = |s: Option<Status>| or(s.map(|s| s.to_string()), "not tried");
            let (before, after) = (name(change.status.before), name(change.status.after));
            let when = if change.status.after.is_none() { "; it was so: " } else { ": " };
            write!(f, "{}: {before} → {after}{when}{}", plain(&change.law), plain(&change.reason))
        })?;
        if let Some(drift) = &self.drift {
            write!(f, "{drift}")?;
        }
        if let Some([was, is]) = &self.calibration {
            writeln!(f, "calibration: {was} → {is}")?;
        }
        let (measured, figures): (Vec<_>, Vec<_>) = self.figures.iter().partition(|change| change.is_measured());
        section(f, "figures", &figures, |f, change| write_figure(f, change))?;
        if !measured.is_empty() {
            section(f, "times and rates, which differ from run to run", &measured, |f, change| write_figure(f, change))?;
        }
        section(f, "provenance", &self.provenance, |f, (path, change)| {
            let text = |x: &Option<String>| or(x.as_deref().map(plain), "absent");
            write!(f, "{}: {} → {}", plain(path), text(&change.before), text(&change.after))
        })?;
        let list = |laws: &[String]| laws.iter().map(|l| plain(l)).collect::<Vec<_>>().join(", ");
        match (self.equal_samples.len(), self.other_samples.as_slice()) {
            (0, []) => writeln!(f, "raw samples: none"),
            (n, []) => writeln!(f, "raw samples: equal to the bit for {n} laws"),
            (n, other) => writeln!(f, "raw samples: equal to the bit for {n} laws, different for {}", list(other)),
        }
    }
}

fn write_figure(f: &mut fmt::Formatter<'_>, FigureChange { law, figure }: &FigureChange) -> fmt::Result {
    let or = |text: Option<String>, none: &str| text.unwrap_or_else(|| none.to_owned());
    let name = figure.after.as_ref().or(figure.before.as_ref()).map_or("", |x| &x.name);
    write!(f, "{}: {}: ", plain(law), plain(name))?;
    let value = |x: &Option<Figure>| or(x.as_ref().map(|x| spell(x.value, &x.unit).to_string()), "absent");
    let (Some(a), Some(b)) = (&figure.before, &figure.after) else {
        return write!(f, "{} → {}", value(&figure.before), value(&figure.after));
    };
    match (value(&figure.before), value(&figure.after)) {
        (was, _) if a.value.to_bits() == b.value.to_bits() && a.unit == b.unit => write!(f, "{was}")?,
        // Four digits do not show the difference.
        (was, is) if was == is => {
            let unit = if a.unit == "1" { String::new() } else { format!(" {}", plain(&a.unit)) };
            write!(f, "{:?} → {:?}{unit}", a.value, b.value)?;
        }
        (was, is) => write!(f, "{was} → {is}")?,
    }
    let change = 100.0 * (b.value - a.value) / a.value.abs();
    if a.unit == b.unit && change != 0.0 && change.is_finite() {
        write!(f, " ({change:+.3} %)")?;
    }
    let limit = |x: &Figure| or(x.limit.map(|l| spell(l, &x.unit).to_string()), "none");
    if a.limit.map(f64::to_bits) != b.limit.map(f64::to_bits) {
        write!(f, ", limit {} → {}", limit(a), limit(b))?;
    }
    Ok(())
}

fn section<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    items: &[T],
    line: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if items.is_empty() {
        return writeln!(f, "{name}: the same");
    }
    writeln!(f, "{name}:")?;
    for item in items {
        f.write_str("  ")?;
        line(f, item)?;
        f.write_str("\n")?;
    }
    Ok(())
}
