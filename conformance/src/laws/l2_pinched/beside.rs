//! Loops of a device beside that of its program.

use super::lobes;
use crate::agreement::wandered;
use crate::noisy::{Tally, locate};
use crate::statistics::series::moments;
use crate::units::told;
use isoform_core::medium::Medium;

/// Parts of a loop along which currents are held against the program, each in the mean.
pub(super) const STRETCHES: usize = 16;

/// Loops at one frequency beside that of the program.
pub(super) struct Own<'a> {
    pub(super) loops: &'a [Vec<f64>],
    pub(super) areas: &'a [f64],
    pub(super) said: &'a [f64],
    /// In which direction each lobe is gone around.
    pub(super) ways: [f64; 2],
    pub(super) high: f64,
    /// What rounding leaves of an area.
    pub(super) rounding: f64,
}

impl Own<'_> {
    /// The area of the loop of the program.
    pub(super) fn area(&self) -> f64 {
        lobes(self.said, self.high).iter().zip(self.ways).map(|(area, way)| area * way).sum()
    }

    /// What the margin lets an area be off by: that of every current, over the way of the voltage.
    pub(super) fn allowed(&self, medium: &Medium) -> f64 {
        4.0 * self.high * medium.margin + self.rounding
    }

    /// Holds the mean current along each stretch of the loop, and the area, against those of the program.
    pub(super) fn add(&self, tally: &mut Tally, medium: &Medium, fails: f64, at: &str) {
        let length = (self.said.len() - 1) / STRETCHES;
        for stretch in 0..STRETCHES {
            let part = stretch * length..(stretch + 1) * length;
            let mean = |current: &[f64]| moments(&current[part.clone()]).0;
            let off: Vec<f64> = self.loops.iter().map(|l| mean(l) - mean(self.said)).collect();
            let (location, mean, limit) = match medium.flicker {
                false => {
                    let (location, mean) = locate(Some(&off), medium.margin, fails);
                    (location, mean, medium.margin)
                }
                // loops are not independent, and what wanders is in their mean
                true => {
                    let mean = moments(&off).0;
                    let (location, most) = wandered(mean, medium, fails);
                    (location, mean, most)
                }
            };
            tally.add(location, mean.abs() / limit, || {
                let [mean, limit] = [mean, limit].map(|v| told(v, "A"));
                format!("{at} the current in part {} of {STRETCHES} is off the program by {mean}, where {limit} is declared", stretch + 1)
            });
        }
        let off: Vec<f64> = self.areas.iter().map(|area| area - self.area()).collect();
        let (location, mean) = locate(Some(&off), self.allowed(medium), fails);
        tally.add(location, mean.abs() / self.allowed(medium), || {
            let share = 1.0 + mean / self.area();
            format!("{at} the lobes have {share:.3} of the area that the program gives them, which the declared margin does not explain")
        });
    }
}
