//! The words and numbers that all outputs share.

use crate::noisy::{FALSE_ALARM, POWER};
use crate::record::{Dossier, Figure, Level, Outcome, Requirement, Status};
use crate::suite::holds;
use crate::waiver;
use isoform_core::profile::Class;
use std::fmt::{self, Write as _};

/// How the claim compares with what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The claim reaches the level that was asked for.
    Full,
    /// There is a claim, of a lower level.
    Partial,
    /// There is no claim.
    Nothing,
}

/// The result of a run in words that need no knowledge of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How the claim compares with what was asked for.
    pub standing: Standing,
    /// The claim in one line.
    pub headline: String,
    /// What the claim means.
    pub meaning: String,
    /// Why it is not more; empty if nothing more was asked for.
    pub obstacle: String,
}

impl Verdict {
    /// Puts the result of a run in words.
    #[must_use]
    pub fn of(dossier: &Dossier) -> Self {
        let locator = plain(&dossier.provenance.locator);
        let class = dossier.provenance.profile.class;
        let next = match dossier.claim {
            None => Some(Level::L0),
            Some(claim) => Level::ALL.iter().copied().find(|&l| l > claim.level && l <= dossier.asked),
        };
        let obstacle = next.map_or_else(String::new, |level| obstacle(dossier, level));
        match dossier.claim {
            Some(claim) => Self {
                standing: if next.is_none() { Standing::Full } else { Standing::Partial },
                headline: format!("{locator} conforms as {claim}"),
                meaning: format!(
                    "It is shown {}. Every law that a substrate of class {} owes up to {} was tried and holds.{}{}",
                    shown(dossier, claim.level),
                    claim.class,
                    claim.level,
                    rates(dossier),
                    renewed(dossier)
                ),
                obstacle,
            },
            None => Self {
                standing: Standing::Nothing,
                headline: format!("{locator} claims nothing"),
                meaning: format!("A claim needs every law that a substrate of class {class} owes at L0."),
                obstacle,
            },
        }
    }
}

/// The error rates of the statistical laws, if any was tried.
fn rates(dossier: &Dossier) -> String {
    if dossier.provenance.profile.medium.is_none() {
        return String::new();
    }
    let figures = || dossier.outcomes.iter().flat_map(|o| &o.figures);
    let most = |name: &str| figures().filter(|f| f.name == name).map(|f| f.value).fold(0.0, f64::max);
    let samples = most(crate::agreement::SAMPLES);
    let seen = if samples > 0.0 {
        format!(
            "; an unbiased mean is found inside its margin with a probability of at least {POWER} a stage, of up to {samples:.0} effective samples"
        )
    } else {
        String::new()
    };
    let trials = most(crate::noisy::SEPARATE);
    let apart = if trials > 0.0 {
        format!("; what runs on is compared by up to {trials:.0} separate trials a stage, whose power the campaign measures")
    } else {
        String::new()
    };
    format!(
        " The statistical laws together alarm on a healthy medium with a probability of at most {FALSE_ALARM:e}{seen}{apart}."
    )
}

/// That calibrations were made anew, if one was over: what is claimed is then claimed of a device that somebody calibrates.
fn renewed(dossier: &Dossier) -> &'static str {
    match dossier.ledger.calibrations.iter().any(|c| c.age > c.valid) {
        true => {
            " It is claimed of a device that is calibrated anew whenever the time of a calibration is over, as the suite did."
        }
        false => "",
    }
}

/// "that it keeps its word (L0) and that its state is a state (L1)". No law holds what runs on to a function.
fn shown(dossier: &Dossier, level: Level) -> String {
    let runs_on = dossier.provenance.profile.class == Class::FreeRunning;
    let answers = dossier.outcomes.iter().any(|o| o.law == "L2.response" && o.status == Status::Pass);
    let phrase = |l: Level| match l {
        Level::L2 if runs_on && answers => String::from("that it answers to its inputs, though not with which function (L2)"),
        Level::L2 if runs_on => String::from("nothing of its function (L2)"),
        Level::L4 => format!("{} ({l})", l.proves()),
        _ => format!("that {} ({l})", l.proves()),
    };
    let phrases: Vec<String> = Level::ALL.iter().filter(|l| **l <= level).map(|l| phrase(*l)).collect();
    match phrases.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => phrases.concat(),
    }
}

/// Why a level is not claimed.
fn obstacle(dossier: &Dossier, level: Level) -> String {
    let standing: Vec<&Outcome> = dossier.outcomes.iter().filter(|o| o.level == level && stands_in_the_way(o)).collect();
    if !standing.is_empty() {
        return format!("{level} is not claimed because {}.", grouped(&standing).join("; "));
    }
    if dossier.outcomes.iter().any(|o| o.level == level) {
        format!("{level} is not claimed because not every law that is owed was tried.")
    } else {
        format!("{level} is not claimed because none of its laws was tried.")
    }
}

/// What became of laws, each reason once: the first law with it in full, the others by their names.
fn grouped(outcomes: &[&Outcome]) -> Vec<String> {
    let mut groups: Vec<(&Outcome, Vec<&str>)> = Vec::new();
    for outcome in outcomes {
        match groups.iter_mut().find(|(first, _)| first.status == outcome.status && first.reason == outcome.reason) {
            Some((_, others)) => others.push(&outcome.law),
            None => groups.push((outcome, Vec::new())),
        }
    }
    let say = |(first, others): &(&Outcome, Vec<&str>)| {
        let also = if others.is_empty() { String::new() } else { format!(", and for the same reason {}", others.join(", ")) };
        let reason = plain(first.reason.trim_end_matches('.'));
        // a reason that says of the law that it holds says it by itself
        let what =
            if waiver::is_needless(first) { String::from("is not as its waiver says") } else { verb(first.status).to_owned() };
        format!("{} {what}: {reason}{}", plain(&first.law), plain(&also))
    };
    groups.iter().map(say).collect()
}

/// Whether an outcome alone keeps its level from being claimed.
pub(super) fn stands_in_the_way(outcome: &Outcome) -> bool {
    outcome.requirement != Requirement::Impossible && !holds(outcome)
}

fn verb(status: Status) -> &'static str {
    match status {
        Status::Pass => "holds",
        Status::Fail => "failed",
        Status::Inconclusive => "was inconclusive",
        Status::NotClaimed => "is not claimed",
        Status::Waived => "is waived",
        Status::Error => "could not be tried",
    }
}

/// What a status means.
pub(super) fn meaning(status: Status) -> &'static str {
    match status {
        Status::Pass => "The law was tried on the substrate and holds.",
        Status::Fail => "The law was tried and is broken.",
        Status::Inconclusive => "The evidence that the budget allowed decides neither way.",
        Status::NotClaimed => "The substrate does not promise the ability, and refuses it properly when asked.",
        Status::Waived => "The law is broken; somebody accepted that, with a reason and an expiry.",
        Status::Error => "The law could not be tried, because the measurement broke off.",
    }
}

/// A mark beside the name of a status, so that nothing depends on colour.
pub(super) fn mark(status: Status) -> &'static str {
    match status {
        Status::Pass => "✓",
        Status::Fail => "✗",
        Status::Inconclusive => "?",
        Status::NotClaimed => "–",
        Status::Waived => "~",
        Status::Error => "!",
    }
}

/// What a requirement is called in tables.
pub(super) fn owed(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Required => "required",
        Requirement::Optional => "optional",
        Requirement::Impossible => "impossible",
    }
}

/// The same of a law that was tried: whoever claims an ability owes its law.
pub(super) fn owed_by(outcome: &Outcome) -> &'static str {
    match (outcome.requirement, outcome.status) {
        (Requirement::Optional, Status::NotClaimed) | (Requirement::Required | Requirement::Impossible, _) => {
            owed(outcome.requirement)
        }
        (Requirement::Optional, _) => "claimed",
    }
}

/// "9 pass, 1 fail", without the statuses that did not occur.
pub(super) fn counts(outcomes: &[Outcome]) -> String {
    let parts: Vec<String> = Status::ALL
        .iter()
        .map(|s| (s, outcomes.iter().filter(|o| o.status == *s).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {s}"))
        .collect();
    if parts.is_empty() { String::from("no law was tried") } else { parts.join(", ") }
}

/// Text from outside with control characters, direction overrides and what XML cannot hold spelled out, so that it can neither
/// steer a terminal nor break a file.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let steers = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || steers || matches!(c, '\u{fffe}' | '\u{ffff}') {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A number with its unit, ready to be set: mantissa, power of ten, unit with its prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelled {
    /// The digits.
    pub mantissa: String,
    /// The power of ten, if one is needed.
    pub exponent: Option<i32>,
    /// The unit, empty for a pure number.
    pub unit: String,
}

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mantissa)?;
        if let Some(exponent) = self.exponent {
            write!(f, "e{exponent}")?;
        }
        if !self.unit.is_empty() {
            write!(f, " {}", self.unit)?;
        }
        Ok(())
    }
}

/// Whether a unit takes prefixes.
pub(super) fn is_scaled(unit: &str) -> bool {
    matches!(unit, "s" | "V" | "A" | "W" | "J" | "Hz" | "F" | "Ω" | "ohm" | "S" | "m" | "B")
}

/// A power in raised digits.
pub(super) fn superscript(power: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |c: char| c.to_digit(10).and_then(|d| RAISED.get(d as usize)).copied().unwrap_or('⁻');
    power.to_string().chars().map(raise).collect()
}

/// Digits as they are printed: a true minus, and thin spaces between thousands from five digits on.
pub(super) fn printed(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("−", rest));
    if digits.len() < 5 || !digits.chars().all(|c| c.is_ascii_digit()) {
        return format!("{sign}{digits}");
    }
    let mut out = String::from(sign);
    for (place, c) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

impl Spelled {
    /// The number as it is printed, with raised digits.
    pub(super) fn typeset(&self) -> String {
        let mut out = printed(&self.mantissa);
        if let Some(power) = self.exponent {
            let times = if self.mantissa == "1" { String::new() } else { out + "\u{202f}×\u{202f}" };
            out = format!("{times}10{}", superscript(power));
        }
        if !self.unit.is_empty() {
            out.push('\u{a0}');
            out.push_str(&self.unit);
        }
        out
    }
}

/// Spells a number with four digits. Seconds, volts and their like get a prefix; other units a power of ten.
pub(crate) fn spell(value: f64, unit: &str) -> Spelled {
    const PREFIXES: [(i32, &str); 8] = [(9, "G"), (6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "µ"), (-9, "n"), (-12, "p")];
    let unit = if unit == "1" { String::new() } else { plain(unit) };
    let whole = |mantissa: String| Spelled { mantissa, exponent: None, unit: unit.clone() };
    if !value.is_finite() {
        return whole(
            if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "∞"
            } else {
                "−∞"
            }
            .to_owned(),
        );
    }
    if value == 0.0 {
        return whole(String::from("0"));
    }
    let (digits, exponent) = scientific(value);
    if is_scaled(&unit) {
        let found = PREFIXES.iter().find(|(p, _)| *p <= exponent);
        if let Some((power, prefix)) = found.filter(|_| exponent < 12) {
            let scaled = digits * 10f64.powi(exponent - power);
            return Spelled { mantissa: fixed(scaled, exponent - power), exponent: None, unit: format!("{prefix}{unit}") };
        }
    } else if value.fract() == 0.0 && value.abs() < 1e7 {
        return whole(format!("{value}"));
    } else if (-3..5).contains(&exponent) {
        return whole(fixed(value, exponent));
    }
    Spelled { mantissa: fixed(digits, 0), exponent: Some(exponent), unit }
}

/// Mantissa and power of ten after rounding to four digits.
fn scientific(value: f64) -> (f64, i32) {
    let text = format!("{value:.3e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.parse().unwrap_or(value), exponent.parse().unwrap_or(0))
}

/// Four digits of a number of the given order of magnitude, without idle noughts.
fn fixed(value: f64, order: i32) -> String {
    let places = usize::try_from(3 - order).unwrap_or(0);
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}

/// A figure against its limit.
pub(super) fn against(figure: &Figure) -> String {
    let value = spell(figure.value, &figure.unit);
    let name = plain(&figure.name);
    match figure.limit {
        Some(limit) => format!("{name}: {value}, limit {}", spell(limit, &figure.unit)),
        None => format!("{name}: {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_with_four_digits() {
        let cases = [
            (0.0, "1", "0"),
            (-0.0, "V", "0 V"),
            (128.0, "1", "128"),
            (0.312_46, "bounds", "0.3125 bounds"),
            (1.0, "1", "1"),
            (5.960_464_477_539_063e-8, "1", "5.96e-8"),
            (1.23e-5, "s", "12.3 µs"),
            (9.999_99e-7, "s", "1 µs"),
            (3.5e-13, "s", "3.5e-13 s"),
            (2.5e12, "Hz", "2.5e12 Hz"),
            (-0.07, "V", "-70 mV"),
            (61.0, "s", "61 s"),
            (1234.56, "s", "1.235 ks"),
            (123_456.7, "1", "1.235e5"),
            (12_345.678, "1", "12346"),
            (f64::NAN, "1", "NaN"),
            (f64::NEG_INFINITY, "mV", "−∞ mV"),
            (f64::MAX, "1", "1.798e308"),
            (5e-324, "s", "4.941e-324 s"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(spell(value, unit).to_string(), expected, "{value} {unit}");
        }
    }

    #[test]
    fn numbers_are_printed_with_raised_digits() {
        assert_eq!(spell(-5.960_464_477_539_063e-8, "1").typeset(), "−5.96\u{202f}×\u{202f}10⁻⁸");
        assert_eq!(spell(1e12, "ticks").typeset(), "10¹²\u{a0}ticks");
        assert_eq!(spell(1_234_567.0, "1").typeset(), "1\u{202f}234\u{202f}567");
        assert_eq!(spell(1234.0, "1").typeset(), "1234");
    }

    #[test]
    fn control_characters_cannot_reach_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mred\nline \u{202e}x é"), "a\\u{1b}[31mred\\u{a}line \\u{202e}x é");
    }
}
