//! Tables of published numbers beside what is computed.

/// A table under construction: prints a line for each row and remembers which are off.
pub(crate) struct Table {
    off: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: &str) -> Self {
        eprintln!("\n{title}\n{:<44} {:>14} {:>16}", "row", "expected", "found");
        Self { off: Vec::new() }
    }

    fn row(&mut self, row: &str, expected: &str, found: f64, most: f64) {
        let value: f64 = expected.parse().expect("a number");
        // a hair beside the unit, for the rounding of the subtraction
        let is_off = (found - value).abs().partial_cmp(&(most * (1.0 + 1e-9))) != Some(std::cmp::Ordering::Less);
        let mark = if is_off { "  <- off" } else { "" };
        let line = format!("{row:<44} {expected:>14} {found:>16.8e}{mark}");
        eprintln!("{line}");
        if is_off {
            self.off.push(line);
        }
    }

    /// A row that is determined: it must be right to one unit of the last printed digit.
    #[allow(dead_code, reason = "not every table is of figures that may be cut off")]
    pub(crate) fn exact(&mut self, row: &str, expected: &str, found: f64) {
        self.row(row, expected, found, unit(expected));
    }

    /// A row that is determined and was rounded: it must be right to half a unit of the last printed digit.
    #[allow(dead_code, reason = "not every table is known to be rounded")]
    pub(crate) fn rounded(&mut self, row: &str, expected: &str, found: f64) {
        self.row(row, expected, found, unit(expected) / 2.0);
    }

    /// A row that must be nought, not nearly nought.
    #[allow(dead_code, reason = "not every table has one")]
    pub(crate) fn nought(&mut self, row: &str, found: f64) {
        self.row(row, "0", found, f64::MIN_POSITIVE);
    }

    /// A row that is a count.
    #[allow(dead_code, reason = "not every table counts")]
    pub(crate) fn count(&mut self, row: &str, expected: usize, found: usize) {
        self.row(row, &expected.to_string(), found as f64, f64::MIN_POSITIVE);
    }

    /// A row with a standard error: it must be right to four of them and half a unit of the last printed digit, by which a rounded number is off at most.
    #[allow(dead_code, reason = "not every table is one of chance")]
    pub(crate) fn by_chance(&mut self, row: &str, expected: &str, found: f64, error: f64) {
        self.row(row, expected, found, 4.0 * error + unit(expected) / 2.0);
    }

    pub(crate) fn finish(self) {
        assert!(self.off.is_empty(), "rows are off:\n{}", self.off.join("\n"));
    }
}

/// One unit of the last printed digit.
fn unit(text: &str) -> f64 {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().expect("a whole number");
    10_f64.powi(exponent - i32::try_from(decimals).expect("few digits"))
}
