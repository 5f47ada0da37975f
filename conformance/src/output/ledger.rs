//! What a device told beside its outputs, in words: calibrations, ages, clipped and lost samples.

use super::spelling::{plain, spell};
use crate::record::Dossier;
use isoform_core::calibration::{Certificate, InForce};

/// Digits of an id that tell one calibration from another.
const DIGITS: usize = 12;

/// Calibrations that are told one by one.
const TOLD: usize = 6;

/// The start of an id.
pub(super) fn short(id: &str) -> String {
    plain(&id.chars().take(DIGITS).collect::<String>())
}

/// A time in the unit that people would say it in.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 2.0 * 86_400.0 => spell(s / 86_400.0, "days").to_string(),
        s if s >= 2.0 * 3600.0 => spell(s / 3600.0, "h").to_string(),
        s => spell(s, "s").to_string(),
    }
}

fn counted(ticks: u64) -> String {
    if ticks == 1 { String::from("1 tick") } else { format!("{ticks} ticks") }
}

/// One certificate.
fn certificate(found: &InForce) -> String {
    let Certificate { id, method, age, valid, before, after } = &found.certificate;
    let made = match (found.made_at_tick, found.age_at_start) {
        (Some(0), _) => String::from("made before the first tick"),
        (Some(tick), _) => format!("made after {} of a program", counted(tick)),
        (None, Some(age)) => format!("{} old when a program began", time(age)),
        (None, None) => String::from("made at a time that is not known"),
    };
    let holds = match (*valid, *age) {
        (valid, _) if valid >= f64::MAX => String::from("holds without end"),
        (valid, age) if age > valid => format!("held for {} and was refused after it", time(valid)),
        (valid, _) => format!("holds for {}", time(valid)),
    };
    let off = |v: &f64| spell(*v, "1").to_string();
    format!(
        "{}, up to {} old, {holds}; rms error {} before, {} after; {made}; {}",
        short(id),
        time(*age),
        off(before),
        off(after),
        plain(method)
    )
}

/// Further ones together.
fn summary(others: &[InForce]) -> Option<String> {
    let most = |of: fn(&Certificate) -> f64| others.iter().map(|c| of(&c.certificate)).fold(0.0, f64::max);
    let (age, after) = (time(most(|c| c.age)), spell(most(|c| c.after), "1"));
    (!others.is_empty())
        .then(|| format!("and {} more, up to {age} old, rms error of at most {after} after; dossier.json has each", others.len()))
}

/// Each calibration in words, or why there is none; of many the first.
pub(super) fn calibrations(dossier: &Dossier) -> Vec<String> {
    let all = &dossier.ledger.calibrations;
    if !all.is_empty() {
        let (told, others) = all.split_at(all.len().min(TOLD));
        return told.iter().map(certificate).chain(summary(others)).collect();
    }
    let can = dossier.provenance.profile.facets.calibration;
    vec![String::from(if can { "none was in force" } else { "none; the substrate cannot be calibrated" })]
}

/// Samples that were clipped or lost.
pub(super) fn samples(dossier: &Dossier) -> String {
    let ledger = &dossier.ledger;
    let lost = if ledger.lost > 0 { format!(", {} lost", ledger.lost) } else { String::new() };
    format!("{} clipped{lost} of {}", ledger.clipped, ledger.samples)
}

/// Everything by name, in the order in which it is told.
pub(super) fn entries(dossier: &Dossier) -> Vec<(&'static str, String)> {
    let mut out: Vec<_> = calibrations(dossier).into_iter().map(|text| ("calibration", text)).collect();
    out.extend(dossier.ledger.age.map(|age| ("device's age at the start", time(age))));
    out.push(("samples", samples(dossier)));
    if dossier.ledger.writes > 0 {
        out.push(("writes to the device", dossier.ledger.writes.to_string()));
    }
    out
}
