//! From phases to volts and back: what is known of the heaters.
//!
//! ```text
//! φ_i = φ0_i + Σ_j (δ_ij + K_ij) α_j V_j² / R_j
//! ```
//! A heater of resistance `R` (ohm) turns `V²/R` (watt) into a phase by `α` (radian per watt, `π / P_π`); `K` is the thermal crosstalk, the
//! part of the phase of heater j that heater i sees; `φ0` (radian) is what fabrication has left.
//! Source: models.md of this project, section 2.2, and Qontrol's application notes for the law of the heater.

use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::locator::Options;
use serde::Deserialize;
use std::f64::consts::{PI, TAU};
use std::path::PathBuf;

/// The options that say it, for locators.
pub const OPTIONS: [(&str, &str); 5] = [
    ("alpha", "phase of a heater in radian per watt; 157.08 if absent, which is 20 mW for half a turn"),
    ("ohms", "resistance of a heater; 1000 if absent"),
    ("phi0", "phase of a cold heater in radian; 0 if absent"),
    ("crosstalk", "part of its phase that a heater lends its neighbour, falling by e with each further one; 0 if absent"),
    ("calibration", "a JSON file with the arrays alpha, ohms, phi0 and the matrix crosstalk, in the order of the heaters"),
];

/// What is known of the heaters, in the order of their channels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Radian per watt.
    pub alpha: Vec<f64>,
    /// Ohm.
    pub ohms: Vec<f64>,
    /// Radian.
    pub phi0: Vec<f64>,
    /// Row i, column j: the part of the phase of heater j that heater i sees. The diagonal is nought.
    pub crosstalk: Vec<Vec<f64>>,
}

impl Calibration {
    /// So many heaters that are all alike, with a crosstalk that falls by `e` with each further neighbour.
    #[must_use]
    pub fn uniform(heaters: usize, alpha: f64, ohms: f64, phi0: f64, crosstalk: f64) -> Self {
        let part = |i: usize, j: usize| if i == j { 0.0 } else { crosstalk * (1.0 - i.abs_diff(j) as f64).exp() };
        Self {
            alpha: vec![alpha; heaters],
            ohms: vec![ohms; heaters],
            phi0: vec![phi0; heaters],
            crosstalk: (0..heaters).map(|i| (0..heaters).map(|j| part(i, j)).collect()).collect(),
        }
    }

    /// Takes the options that say it.
    ///
    /// # Errors
    /// `Calibration` if a file cannot be read or does not fit, `Unsupported` if an option makes no sense.
    pub fn take(options: &mut Options<'_>, heaters: usize) -> Result<Self> {
        let alpha = options.take("alpha")?.unwrap_or(PI / 20e-3);
        let ohms = options.take("ohms")?.unwrap_or(1000.0);
        let phi0 = options.take("phi0")?.unwrap_or(0.0);
        let crosstalk = options.take("crosstalk")?.unwrap_or(0.0);
        let found = match options.take::<PathBuf>("calibration")? {
            None => Self::uniform(heaters, alpha, ohms, phi0, crosstalk),
            Some(path) => {
                let refuse = |why: String| Error::new(ErrorKind::Calibration, format!("{}: {why}", path.display()));
                let text =
                    std::fs::read_to_string(&path).map_err(|e| refuse(String::from("it cannot be read")).with_source(e))?;
                serde_json::from_str(&text).map_err(|e| refuse(format!("it is no calibration: {e}")))?
            }
        };
        found.check(heaters)?;
        Ok(found)
    }

    /// Checks that it is one of so many heaters.
    ///
    /// # Errors
    /// `Calibration`, naming what does not fit.
    pub fn check(&self, heaters: usize) -> Result<()> {
        let refuse = |why: String| Err(Error::new(ErrorKind::Calibration, why));
        for (name, list, positive) in [("alpha", &self.alpha, true), ("ohms", &self.ohms, true), ("phi0", &self.phi0, false)] {
            if list.len() != heaters {
                return refuse(format!("the calibration has {} numbers of {name}; the bench has {heaters} heaters", list.len()));
            }
            if let Some(bad) = list.iter().find(|v| !v.is_finite() || (positive && **v <= 0.0)) {
                return refuse(format!("the calibration has {bad} for {name}"));
            }
        }
        let square = self.crosstalk.len() == heaters && self.crosstalk.iter().all(|row| row.len() == heaters);
        if !square || self.crosstalk.iter().flatten().any(|v| !v.is_finite()) {
            return refuse(format!("the crosstalk of the calibration is no matrix of {heaters} by {heaters} numbers"));
        }
        // heaters that see more of each other than of themselves cannot be told apart
        let strongest = (0..heaters).map(|i| self.crosstalk_on(i)).fold(0.0, f64::max);
        if strongest >= 0.5 || (0..heaters).any(|i| self.crosstalk[i][i] != 0.0) {
            return refuse(format!(
                "the crosstalk of the calibration adds up to {strongest} for a heater, or has a diagonal; it must stay below 0.5"
            ));
        }
        Ok(())
    }

    /// The most that heater i sees of all others.
    fn crosstalk_on(&self, i: usize) -> f64 {
        self.crosstalk[i].iter().map(|v| v.abs()).sum()
    }

    /// The phases of heaters that dissipate so many watts.
    #[must_use]
    pub fn phases(&self, watts: &[f64]) -> Vec<f64> {
        let own: Vec<f64> = watts.iter().zip(&self.alpha).map(|(w, a)| w * a).collect();
        let seen = |row: &Vec<f64>| row.iter().zip(&own).map(|(k, p)| k * p).sum::<f64>();
        self.crosstalk.iter().zip(&own).zip(&self.phi0).map(|((row, p), zero)| zero + p + seen(row)).collect()
    }

    /// The volts that give phases, each up to whole turns.
    ///
    /// Solved by repeated substitution, which gains a factor of the crosstalk each time. A heater cannot cool, so that a phase which its
    /// neighbours have passed already goes on to the next turn.
    #[must_use]
    pub fn volts(&self, phases: &[f64]) -> Vec<f64> {
        let mut wanted: Vec<f64> = phases.iter().zip(&self.phi0).map(|(p, zero)| (p - zero).rem_euclid(TAU)).collect();
        let mut own = wanted.clone();
        for _ in 0..MOST_TURNS {
            for _ in 0..MOST_STEPS {
                let mut change: f64 = 0.0;
                for i in 0..own.len() {
                    let seen: f64 = self.crosstalk[i].iter().zip(&own).map(|(k, p)| k * p).sum();
                    let next = wanted[i] - seen;
                    change = change.max((next - own[i]).abs());
                    own[i] = next;
                }
                if change < 1e-13 {
                    break;
                }
            }
            let mut cold = false;
            for (wanted, own) in wanted.iter_mut().zip(&own) {
                if *own < 0.0 {
                    *wanted += TAU;
                    cold = true;
                }
            }
            if !cold {
                break;
            }
        }
        let volt = |i: usize| (own[i].max(0.0) * self.ohms[i] / self.alpha[i]).sqrt();
        (0..own.len()).map(volt).collect()
    }

    /// The volts that heater i may need for any phase, whatever the others do.
    #[must_use]
    pub fn most_volts(&self, i: usize) -> f64 {
        let reach = TAU * (1.0 + 2.0 * self.crosstalk_on(i));
        (reach * self.ohms[i] / self.alpha[i]).sqrt()
    }
}

/// How often a phase may go on to the next turn.
const MOST_TURNS: usize = 8;
/// Steps of the substitution; at a crosstalk of one half each gains a factor of two.
const MOST_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::locator::Locator;
    use proptest::prelude::*;

    #[test]
    fn half_a_turn_takes_its_power() {
        let one = Calibration::uniform(1, PI / 20e-3, 1000.0, 0.0, 0.0);
        // 20 mW in 1 kΩ is √20 V
        assert!((one.volts(&[PI])[0] - 20.0_f64.sqrt()).abs() < 1e-12);
        assert!((one.phases(&[20e-3])[0] - PI).abs() < 1e-12);
        let two = Calibration::uniform(2, PI / 20e-3, 1000.0, 0.1, 0.01);
        let seen = two.phases(&[20e-3, 0.0]);
        assert!((seen[0] - PI - 0.1).abs() < 1e-12 && (seen[1] - 0.1 - 0.01 * PI).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let take = |text: &str| {
            let locator: Locator = text.parse().expect("a locator");
            Calibration::take(&mut locator.reader(), 3)
        };
        assert_eq!(take("twin:photonic?ohms=500").expect("fits").ohms, [500.0; 3]);
        for text in ["alpha=0", "ohms=-1", "crosstalk=0.4", "calibration=/nowhere/at/all.json"] {
            let error = take(&format!("twin:photonic?{text}")).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Calibration, "{error}");
        }
        let json = r#"{"alpha": [1, 2], "ohms": [1, 1], "phi0": [0, 0], "crosstalk": [[0, 0.1], [0.2, 0]]}"#;
        let found: Calibration = serde_json::from_str(json).expect("is one");
        found.check(2).expect("fits");
        assert!(found.check(3).is_err());
    }

    proptest! {
        #[test]
        fn volts_give_the_phases(phases in proptest::collection::vec(0.0..TAU, 9), crosstalk in 0.0..0.05_f64, phi0 in -3.0..3.0_f64) {
            let heaters = Calibration::uniform(9, 150.0, 900.0, phi0, crosstalk);
            let volts = heaters.volts(&phases);
            let watts: Vec<f64> = volts.iter().map(|v| v * v / 900.0).collect();
            for (got, wanted) in heaters.phases(&watts).iter().zip(&phases) {
                let turns = (got - wanted) / TAU;
                prop_assert!((turns - turns.round()).abs() < 1e-10, "{got} is not {wanted}");
            }
            for (i, v) in volts.iter().enumerate() {
                prop_assert!(*v <= heaters.most_volts(i), "{v}");
            }
        }
    }
}
