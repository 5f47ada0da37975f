//! How text from outside and numbers are set: nothing steers a terminal, numbers have four digits and a unit.

use std::fmt::{self, Write as _};

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

/// A word for a POSIX shell.
#[must_use]
pub fn quoted(word: &str) -> String {
    let word = plain(word);
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '=' | ','))
    {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
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
