//! Heaters: from power to phase and back, with what they see of each other, and how they follow their power.
//!
//! ```text
//! φ_i = φ0_i + Σ_j (δ_ij + K_ij) α_j P_j          P = V² / R          τ dw/dt = P - w,  exactly  w' = a w + (1 - a) P,  a = e^{-dt/τ}
//! ```
//! A heater of resistance `R` (ohm) turns its warmth `w`, which follows the power `P` (watt), into a phase by `α` (radian per watt, `π / P_π`); `K` is
//! the thermal crosstalk, the part of the phase of heater j that heater i sees; `φ0` (radian) is what fabrication has left.
//! Source: models.md of this project, section 2.2, and Qontrol's application notes for the law of the heater.

use isoform_core::error::{Error, ErrorKind, Result};
use serde::Deserialize;
use std::f64::consts::TAU;

/// Which heaters see of which, and what part.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>")]
pub struct Crosstalk(Vec<Vec<(usize, f64)>>);

impl TryFrom<Vec<Vec<f64>>> for Crosstalk {
    type Error = String;

    fn try_from(matrix: Vec<Vec<f64>>) -> std::result::Result<Self, String> {
        let n = matrix.len();
        if matrix.iter().any(|row| row.len() != n) {
            return Err(format!("the crosstalk is no matrix of {n} by {n} numbers"));
        }
        let seen = |row: Vec<f64>| (0..n).zip(row).filter(|(_, k)| *k != 0.0).collect();
        Ok(Self(matrix.into_iter().map(seen).collect()))
    }
}

impl Crosstalk {
    /// `K_ij = κ e^{1 - d_ij}` for heaters at places `[along, across]`, in units of the distance of neighbours, as far as it is above `κ e^{-8}`.
    #[must_use]
    pub fn between(places: &[[f64; 2]], kappa: f64) -> Self {
        const FAR: f64 = 9.0;
        let row = |i: usize| -> Vec<(usize, f64)> {
            let distance = |j: usize| (places[i][0] - places[j][0]).hypot(places[i][1] - places[j][1]);
            (0..places.len()).filter(|&j| j != i && distance(j) < FAR).map(|j| (j, kappa * (1.0 - distance(j)).exp())).collect()
        };
        Self(if kappa == 0.0 { vec![Vec::new(); places.len()] } else { (0..places.len()).map(row).collect() })
    }

    /// The same for heaters in one line.
    #[must_use]
    pub fn in_line(heaters: usize, kappa: f64) -> Self {
        let row = |i: usize| (0..heaters).filter(move |&j| j != i).map(move |j| (j, kappa * (1.0 - i.abs_diff(j) as f64).exp()));
        Self((0..heaters).map(|i| if kappa == 0.0 { Vec::new() } else { row(i).collect() }).collect())
    }

    /// What heater i sees of the phases of all others.
    #[must_use]
    pub fn seen(&self, i: usize, own: &[f64]) -> f64 {
        self.0[i].iter().map(|&(j, k)| k * own[j]).sum()
    }

    /// The most that heater i can see of others whose phases are at most one.
    #[must_use]
    pub fn on(&self, i: usize) -> f64 {
        self.0[i].iter().map(|(_, k)| k.abs()).sum()
    }

    /// The phases of heaters' own whose phases with crosstalk are `wanted`.
    ///
    /// Solved by repeated substitution, which gains a factor of the crosstalk each time.
    #[must_use]
    pub fn undo(&self, wanted: &[f64]) -> Vec<f64> {
        let mut own = wanted.to_vec();
        self.undo_from(wanted, &mut own);
        own
    }

    fn undo_from(&self, wanted: &[f64], own: &mut [f64]) {
        for _ in 0..MOST_STEPS {
            let mut change: f64 = 0.0;
            for i in 0..own.len() {
                let next = wanted[i] - self.seen(i, own);
                change = change.max((next - own[i]).abs());
                own[i] = next;
            }
            if change < 1e-13 {
                break;
            }
        }
    }
}

/// What is known of heaters, or what is true of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heaters {
    /// Radian per watt.
    pub alpha: Vec<f64>,
    /// Ohm.
    pub ohms: Vec<f64>,
    /// Radian.
    pub phi0: Vec<f64>,
    /// What each sees of the others.
    pub crosstalk: Crosstalk,
}

impl Heaters {
    /// So many heaters in a line that are all alike, with a crosstalk that falls by `e` with each further neighbour.
    #[must_use]
    pub fn uniform(heaters: usize, alpha: f64, ohms: f64, phi0: f64, kappa: f64) -> Self {
        Self {
            alpha: vec![alpha; heaters],
            ohms: vec![ohms; heaters],
            phi0: vec![phi0; heaters],
            crosstalk: Crosstalk::in_line(heaters, kappa),
        }
    }

    /// Checks that they are so many, and possible.
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
        let rows = &self.crosstalk.0;
        if rows.len() != heaters || rows.iter().flatten().any(|&(j, k)| j >= heaters || !k.is_finite()) {
            return refuse(format!("the crosstalk of the calibration is no matrix of {heaters} by {heaters} numbers"));
        }
        // heaters that see more of each other than of themselves cannot be told apart
        let strongest = (0..heaters).map(|i| self.crosstalk.on(i)).fold(0.0, f64::max);
        if strongest >= 0.5 || rows.iter().enumerate().any(|(i, row)| row.iter().any(|&(j, _)| i == j)) {
            return refuse(format!(
                "the crosstalk of the calibration adds up to {strongest} for a heater, or has a diagonal; it must stay below 0.5"
            ));
        }
        Ok(())
    }

    /// The phases of heaters of so many watts.
    #[must_use]
    pub fn phases(&self, watts: &[f64]) -> Vec<f64> {
        let mut phases = vec![0.0; watts.len()];
        self.phases_into(watts, &mut phases);
        phases
    }

    /// Writes the phases of heaters of so many watts.
    pub fn phases_into(&self, watts: &[f64], phases: &mut [f64]) {
        for (i, phase) in phases.iter_mut().enumerate() {
            let seen: f64 = self.crosstalk.0[i].iter().map(|&(j, k)| k * self.alpha[j] * watts[j]).sum();
            *phase = self.phi0[i] + self.alpha[i] * watts[i] + seen;
        }
    }

    /// The phases that heaters need of their own, so that with the crosstalk each has its phase up to whole turns.
    ///
    /// A heater cannot cool, so that a phase which its neighbours have passed already goes on to the next turn. That may take its neighbours past
    /// theirs, and so on along all heaters, one at a time. With a crosstalk `κ < 1/2` in sum and none below nought, the heaters' own phases are at most
    /// `W / (1 - κ²)` for phases below `W`, so that a heater that has gone on by two turns, `W = 3 turns`, is never passed again: after twice as many
    /// rounds as there are heaters all are warm.
    ///
    /// # Errors
    /// `Unsupported`, naming a heater that would have to cool even then.
    pub fn own(&self, phases: &[f64]) -> Result<Vec<f64>> {
        let mut wanted: Vec<f64> = phases.iter().zip(&self.phi0).map(|(p, zero)| (p - zero).rem_euclid(TAU)).collect();
        let mut own = wanted.clone();
        for _ in 0..=MOST_TURNS * own.len() {
            self.crosstalk.undo_from(&wanted, &mut own);
            let mut cold = false;
            for (wanted, own) in wanted.iter_mut().zip(&own) {
                if *own < 0.0 {
                    *wanted += TAU;
                    cold = true;
                }
            }
            if !cold {
                return Ok(own);
            }
        }
        let (heater, least) = (0..).zip(&own).fold((0, 0.0), |least, (i, &own)| if own < least.1 { (i, own) } else { least });
        Err(Error::unsupported(format!(
            "heater {heater} would have to cool by {:.3} rad for its phase, whatever turn it is on: the crosstalk of the calibration is too strong; \
             calibrate",
            -least
        )))
    }

    /// The volts that give phases, each up to whole turns.
    ///
    /// # Errors
    /// Those of [`own`](Self::own).
    pub fn volts(&self, phases: &[f64]) -> Result<Vec<f64>> {
        let own = self.own(phases)?;
        Ok(own.into_iter().zip(&self.ohms).zip(&self.alpha).map(|((own, ohms), alpha)| (own * ohms / alpha).sqrt()).collect())
    }

    /// The volts that heater i may need for any phase, whatever the others do.
    #[must_use]
    pub fn most_volts(&self, i: usize) -> f64 {
        let reach = TAU * (1.0 + 2.0 * self.crosstalk.on(i));
        (reach * self.ohms[i] / self.alpha[i]).sqrt()
    }
}

/// The warmth of a heater after a time, in watts: exact for a power that is constant meanwhile. `time` and `tau` are in seconds.
#[must_use]
pub fn warmth(before: f64, power: f64, time: f64, tau: f64) -> f64 {
    power + (before - power) * (-time / tau).exp()
}

/// How often a phase may go on to the next turn: see [`Heaters::own`].
const MOST_TURNS: usize = 2;
/// Steps of the substitution; at a crosstalk of one half each gains a factor of two.
const MOST_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    #[test]
    fn half_a_turn_takes_its_power() {
        let one = Heaters::uniform(1, PI / 20e-3, 1000.0, 0.0, 0.0);
        // 20 mW in 1 kΩ is √20 V
        assert!((one.volts(&[PI]).expect("warm")[0] - 20.0_f64.sqrt()).abs() < 1e-12);
        assert!((one.phases(&[20e-3])[0] - PI).abs() < 1e-12);
        let two = Heaters::uniform(2, PI / 20e-3, 1000.0, 0.1, 0.01);
        let seen = two.phases(&[20e-3, 0.0]);
        assert!((seen[0] - PI - 0.1).abs() < 1e-12 && (seen[1] - 0.1 - 0.01 * PI).abs() < 1e-12);
    }

    #[test]
    fn a_heater_settles_with_its_time_constant() {
        assert!((warmth(0.0, 1.0, 1e-5, 1e-5) - (1.0 - (-1.0_f64).exp())).abs() < 1e-15);
        // two steps are one
        let half = warmth(0.3, 1.0, 0.4e-5, 1e-5);
        assert!((warmth(half, 1.0, 0.6e-5, 1e-5) - warmth(0.3, 1.0, 1e-5, 1e-5)).abs() < 1e-15);
    }

    #[test]
    fn turns_that_pass_from_neighbour_to_neighbour_are_followed_to_the_end() {
        // the first is passed by the others; once it is on its next turn it passes the second, which passes the third, and so on
        let mut wanted = [0.3; 40];
        wanted[0] = 0.0;
        let heaters = Heaters::uniform(40, 150.0, 900.0, 0.0, 0.05);
        let own = heaters.own(&wanted).expect("warm");
        assert!(own.iter().all(|&own| own >= 0.0) && own[1..].iter().all(|&own| own > PI), "{own:?}");
        let watts: Vec<f64> = own.iter().map(|own| own / 150.0).collect();
        for (got, wanted) in heaters.phases(&watts).iter().zip(wanted) {
            let turns = (got - wanted) / TAU;
            assert!((turns - turns.round()).abs() < 1e-10, "{got} is not {wanted}");
        }
    }

    #[test]
    fn a_heater_that_would_have_to_cool_is_refused_by_name() {
        // each is heated more by the two others than by itself, which no calibration that is checked has
        let matrix = (0..3).map(|i| (0..3).map(|j| if i == j { 0.0 } else { 0.9 }).collect()).collect::<Vec<Vec<f64>>>();
        let crosstalk = Crosstalk::try_from(matrix).expect("a matrix");
        let heaters = Heaters { crosstalk, ..Heaters::uniform(3, 150.0, 900.0, 0.0, 0.0) };
        assert!(heaters.check(3).is_err());
        let error = heaters.volts(&[0.1, 3.0, 6.0]).expect_err("cold");
        assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains("heater 2 would have to cool"), "{error}");
    }

    proptest! {
        #[test]
        fn volts_give_the_phases(phases in proptest::collection::vec(0.0..TAU, 9), kappa in 0.0..0.05_f64, phi0 in -3.0..3.0_f64, line in any::<bool>()) {
            let mut heaters = Heaters::uniform(9, 150.0, 900.0, phi0, kappa);
            if !line {
                let places: Vec<[f64; 2]> = (0..9_u8).map(|i| [f64::from(i % 3), f64::from(i / 3)]).collect();
                heaters.crosstalk = Crosstalk::between(&places, kappa);
            }
            heaters.check(9).expect("possible");
            let volts = heaters.volts(&phases).expect("warm");
            let watts: Vec<f64> = volts.iter().map(|v| v * v / 900.0).collect();
            for (got, wanted) in heaters.phases(&watts).iter().zip(&phases) {
                let turns = (got - wanted) / TAU;
                prop_assert!((turns - turns.round()).abs() < 1e-10, "{got} is not {wanted}");
            }
            for (i, v) in volts.iter().enumerate() {
                prop_assert!(*v <= heaters.most_volts(i), "{v}");
            }
        }

        #[test]
        fn every_crosstalk_that_is_checked_has_its_phases(phases in proptest::collection::vec(0.0..TAU, 30), drawn in proptest::collection::vec(0.0..1.0_f64, 900), sum in 0.3..0.499_f64, few in 0.0..0.9_f64) {
            let row = |i: usize| -> Vec<f64> {
                let row: Vec<f64> = (0..30).map(|j| if i == j || drawn[30 * i + j] < few { 0.0 } else { drawn[30 * i + j] }).collect();
                let all = row.iter().sum::<f64>().max(1e-9);
                row.into_iter().map(|k| k * sum / all).collect()
            };
            let crosstalk = Crosstalk::try_from((0..30).map(row).collect::<Vec<_>>()).expect("a matrix");
            let heaters = Heaters { crosstalk, ..Heaters::uniform(30, 150.0, 900.0, 0.0, 0.0) };
            heaters.check(30).expect("possible");
            let watts: Vec<f64> = heaters.own(&phases).expect("warm").iter().map(|own| own / 150.0).collect();
            for (got, wanted) in heaters.phases(&watts).iter().zip(&phases) {
                let turns = (got - wanted) / TAU;
                prop_assert!((turns - turns.round()).abs() < 1e-10, "{got} is not {wanted}");
            }
        }
    }
}
