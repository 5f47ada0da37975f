//! Ranges, ticks and labels of axes.

use super::LARGEST;
use crate::output::spelling::{Spelled, is_scaled, plain, printed, spell, superscript};

/// An axis: its range in what is drawn, which is the decimal logarithm if it is logarithmic.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub log: bool,
    name: String,
    unit: String,
    /// Names at whole numbers, in place of numbers, and the one that is told where not all are.
    names: Option<(Vec<String>, usize)>,
}

impl Axis {
    /// An axis that spans all finite values, with some room if `roomy`.
    ///
    /// # Errors
    /// If there is no finite value, or none above nought for a logarithmic axis.
    pub(super) fn spanning(
        name: &str,
        unit: &str,
        log: bool,
        roomy: bool,
        values: impl IntoIterator<Item = f64>,
    ) -> Result<Self, String> {
        let mut axis =
            Self { low: f64::INFINITY, high: f64::NEG_INFINITY, log, name: plain(name), unit: plain(unit), names: None };
        for value in values.into_iter().map(|v| axis.place(v)).filter(|v| v.is_finite()).collect::<Vec<_>>() {
            axis.low = axis.low.min(value);
            axis.high = axis.high.max(value);
        }
        if axis.low > axis.high {
            return Err(format!("there is no number to draw along {:?}", axis.name));
        }
        let middle = axis.low.abs().max(axis.high.abs());
        let room = if axis.high - axis.low <= 1e-9 * middle || axis.high == axis.low {
            // A constant: enough room that the ticks differ in the digits that are printed.
            if middle == 0.0 { 1.0 } else { 0.05 * middle }
        } else if roomy {
            0.05 * (axis.high - axis.low)
        } else {
            0.0
        };
        axis.low -= room;
        axis.high += room;
        Ok(axis)
    }

    /// An axis of `names` at 0, 1, 2, …; where there is no room for all of them, those in even steps from one on either way.
    pub(super) fn named(name: &str, names: Vec<String>, told: usize) -> Self {
        let high = names.len() as f64 - 0.4;
        Self { low: -0.6, high, log: false, name: plain(name), unit: String::from("1"), names: Some((names, told)) }
    }

    /// The same, spanning at least from `low` to `high`.
    pub(super) fn with_at_least(mut self, low: f64, high: f64) -> Self {
        self.low = self.low.min(low);
        self.high = self.high.max(high);
        self
    }

    /// The same from exactly `low` to `high`.
    pub(super) fn with_range(mut self, low: f64, high: f64) -> Self {
        (self.low, self.high) = (low, high);
        self
    }

    /// Where a value is drawn; NaN if it is not.
    pub(super) fn place(&self, value: f64) -> f64 {
        let at = if self.log { value.log10() } else { value };
        if at.abs() > LARGEST { f64::NAN } else { at }
    }

    /// The scale of the labels as a power of ten, and the unit with it.
    fn scale(&self) -> (i32, String) {
        let largest = self.low.abs().max(self.high.abs());
        if self.log || self.names.is_some() || largest == 0.0 {
            return (0, if self.unit == "1" { String::new() } else { self.unit.clone() });
        }
        // The prefix that a number just inside the range gets.
        let spelled = spell(largest * 0.999, &self.unit);
        if spelled.exponent.is_none() {
            let prefix = match spelled.unit.strip_suffix(self.unit.as_str()) {
                Some("G") => 9,
                Some("M") => 6,
                Some("k") => 3,
                Some("m") => -3,
                Some("µ") => -6,
                Some("n") => -9,
                Some("p") => -12,
                _ => 0,
            };
            return (prefix, spelled.unit);
        }
        let power = spelled.exponent.unwrap_or(0).div_euclid(3) * 3;
        let unit = if spelled.unit.is_empty() { String::new() } else { format!(" {}", spelled.unit) };
        (power, format!("10{}{unit}", superscript(power)))
    }

    /// What stands at the axis.
    pub(super) fn label(&self) -> String {
        let (_, unit) = self.scale();
        if unit.is_empty() || (self.log && is_scaled(&unit)) { self.name.clone() } else { format!("{} ({unit})", self.name) }
    }

    /// About `count` ticks and their labels.
    pub(super) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        if let Some((names, told)) = &self.names {
            let step = names.len().div_ceil(count.max(1)).max(1);
            return names.iter().enumerate().skip(told % step).step_by(step).map(|(n, name)| (n as f64, name.clone())).collect();
        }
        if self.log { self.decades(count) } else { self.steps(count) }
    }

    fn steps(&self, count: usize) -> Vec<(f64, String)> {
        let (power, _) = self.scale();
        let rough = (self.high - self.low) / count.max(1) as f64;
        let decade = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|s| *s >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * decade);
        if !step.is_finite() || step <= 0.0 {
            return Vec::new();
        }
        let first = (self.low / step).ceil();
        let places = (f64::from(power) - (step * 1.0001).log10().floor()).max(0.0) as usize;
        (0..=2 * count)
            .map(|n| (first + n as f64) * step)
            .take_while(|at| *at <= self.high + 1e-9 * step)
            .map(|at| {
                let scaled = at / 10f64.powi(power);
                let text = format!("{:.*}", places.min(12), scaled);
                // "-0" is a rounding of nothing.
                let text = if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
                    text.trim_start_matches('-').to_owned()
                } else {
                    printed(&text)
                };
                (at, text)
            })
            .collect()
    }

    fn decades(&self, count: usize) -> Vec<(f64, String)> {
        let (from, to) = (self.low.floor() as i32, self.high.ceil() as i32);
        // Numbers of one axis look alike: all in digits, or all as powers.
        let digits = is_scaled(&self.unit) || (self.low >= -3.0 && self.high <= 4.0);
        let unit = if is_scaled(&self.unit) { &self.unit } else { "1" };
        let within = |mantissas: &[f64], every: usize| -> Vec<(f64, String)> {
            let all = (from..=to).step_by(every).flat_map(|power| mantissas.iter().map(move |m| (*m, power)));
            let placed = all.map(|(m, power)| (f64::from(power) + m.log10(), m, power));
            placed
                .filter(|(at, _, _)| (self.low..=self.high).contains(at))
                .map(|(at, m, power)| {
                    let scientific = Spelled { mantissa: m.to_string(), exponent: Some(power), unit: String::new() };
                    (at, if digits { spell(m * 10f64.powi(power), unit) } else { scientific }.typeset())
                })
                .collect()
        };
        let every = usize::try_from(to - from).unwrap_or(1).div_ceil(count.max(1)).max(1);
        let fine: &[f64] = &[1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        [fine, &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], &[1.0, 2.0, 5.0], &[1.0, 3.0]]
            .into_iter()
            .map(|mantissas| within(mantissas, 1))
            .find(|ticks| ticks.len() <= count + 1)
            .unwrap_or_else(|| within(&[1.0], every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(unit: &str, log: bool, values: &[f64]) -> Axis {
        Axis::spanning("x", unit, log, false, values.iter().copied()).unwrap()
    }

    fn labels(axis: &Axis, count: usize) -> String {
        axis.ticks(count).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_numbers_in_a_fitting_unit() {
        let time = axis("s", false, &[0.0, 0.02]);
        assert_eq!((time.label().as_str(), labels(&time, 5).as_str()), ("x (ms)", "0 5 10 15 20"));
        let volts = axis("V", false, &[-0.07, -0.05]);
        assert_eq!((volts.label().as_str(), labels(&volts, 4).as_str()), ("x (mV)", "−70 −65 −60 −55 −50"));
        let small = axis("1", false, &[0.0, 3.2e-7]);
        assert_eq!((small.label().as_str(), labels(&small, 4).as_str()), ("x (10⁻⁹)", "0 100 200 300"));
        let ticks = axis("1", false, &[0.0, 1000.0]);
        assert_eq!((ticks.label().as_str(), labels(&ticks, 5).as_str()), ("x", "0 200 400 600 800 1000"));
        let log = axis("s", true, &[1e-6, 1e-3]);
        assert_eq!(labels(&log, 5), "1\u{a0}µs 10\u{a0}µs 100\u{a0}µs 1\u{a0}ms");
        assert_eq!(labels(&axis("s", true, &[1.1e-6, 1.9e-6]), 5), "1.2\u{a0}µs 1.4\u{a0}µs 1.6\u{a0}µs 1.8\u{a0}µs");
        let names = |told: usize| Axis::named("x", (0..6).map(|n| n.to_string()).collect(), told);
        assert_eq!(
            [(0, 6), (0, 3), (1, 3), (5, 3), (5, 2)].map(|(told, count)| labels(&names(told), count)),
            ["0 1 2 3 4 5", "0 2 4", "1 3 5", "1 3 5", "2 5"]
        );
        let rate = axis("ticks/s", true, &[1e5, 1e8]);
        assert_eq!((rate.label().as_str(), labels(&rate, 4).as_str()), ("x (ticks/s)", "10⁵ 10⁶ 10⁷ 10⁸"));
    }

    #[test]
    fn odd_ranges_do_not_break_anything() {
        for values in [[0.0, 0.0], [1e299, -1e299], [5e-324, 0.0], [1.0, 1.0 + f64::EPSILON], [f64::MIN_POSITIVE, 1e300]] {
            for log in [false, true] {
                if let Ok(axis) = Axis::spanning("x", "s", log, true, values) {
                    assert!(axis.high > axis.low, "{values:?}");
                    assert!(axis.ticks(5).len() <= 16, "{values:?} {:?}", axis.ticks(5));
                    assert!(!axis.label().is_empty());
                }
            }
        }
        assert!(Axis::spanning("x", "s", false, true, [f64::NAN, f64::INFINITY]).is_err());
        assert!(Axis::spanning("x", "s", true, true, [-1.0, 0.0]).is_err());
    }
}
