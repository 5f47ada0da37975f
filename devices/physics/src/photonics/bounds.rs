//! How far the outputs of a program may be off, followed from its inputs through its chips.
//!
//! For an output `o` of a chip with the matrix `M`, which is off by `ΔM`, inputs of at most `r` that are off by `m` and have a noise of `n`,
//! ```text
//! F = r Σ|M_oj|          d = r Σ|ΔM_oj| + m Σ|M_oj|          s² = n² Σ|M_oj|² + jitter²
//! fields      off by d,            noise √(detector² + s²)
//! powers      off by 2 F d + d² + 2 s²,      noise √(detector² + (2 F s + s²)²)
//! ```
//! where `r`, `m` and `n` count √2 times for complex inputs, which are pairs. All sums are over what may happen, not over what is likely.

use super::matrix::{Complex, Matrix};
use super::settings::Settings;
use super::stage::{Reads, Stage};
use crate::promise::rounded_up;
use isoform_core::error::{Error, Result};
use isoform_core::medium::Medium;

/// What is known of a signal: the largest magnitude of its mean, how far that is off, and the noise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bound {
    pub(super) range: f64,
    pub(super) margin: f64,
    pub(super) noise: f64,
}

impl Bound {
    /// The bound of an input of the program.
    pub(super) const INPUT: Self = Self { range: 1.0, margin: 0.0, noise: 0.0 };

    /// The bound of a sum; noises may have the same source.
    pub(super) fn plus(self, other: Self) -> Self {
        Self { range: self.range + other.range, margin: self.margin + other.margin, noise: self.noise + other.noise }
    }

    fn most(self, other: Self) -> Self {
        Self { range: self.range.max(other.range), margin: self.margin.max(other.margin), noise: self.noise.max(other.noise) }
    }

    /// Whether a signal is as is declared, but for [`ROUNDED`].
    fn is_within(self, medium: &Medium) -> bool {
        let within = |bound: f64, declared: f64| bound <= declared * (1.0 + ROUNDED);
        within(self.margin, medium.margin) && within(self.noise, medium.noise)
    }
}

/// How far beyond a margin a mean is to be for a calibration that was unlucky in what it measured.
const NEAR: f64 = 3.0;
/// What rounding adds to a bound, as a part of it. Matrices and variances are in single precision, and a gain may be 1e-6 above what is declared; in
/// a power both count twice.
const ROUNDED: f64 = 4e-6;

/// Whether outputs are as is declared, or by no more beyond it than another calibration may mend.
pub(super) fn is_near(outputs: &[(&str, Bound)], medium: &Medium) -> bool {
    outputs.iter().all(|(_, bound)| bound.is_within(&Medium { margin: NEAR * medium.margin, ..*medium }))
}

/// Refuses a program some of whose outputs are not as is declared, naming each.
pub(super) fn check(outputs: &[(&str, Bound)], medium: &Medium) -> Result<()> {
    let short: Vec<_> = outputs.iter().filter(|(_, bound)| !bound.is_within(medium)).collect();
    let Some((first, _)) = short.first() else { return Ok(()) };
    let each =
        |(name, Bound { margin, noise, .. }): &&(&str, Bound)| format!("{name:?} by {margin:.2e} with a noise of {noise:.2e}");
    let each: Vec<String> = short.iter().map(each).collect();
    let most = |of: fn(&Bound) -> f64| short.iter().map(|(_, bound)| of(bound)).fold(0.0, f64::max);
    let needed = [("margin", most(|b| b.margin), medium.margin), ("noise", most(|b| b.noise), medium.noise)];
    let beyond = needed.iter().filter(|(_, needed, declared)| *needed > declared * (1.0 + ROUNDED));
    let more: Vec<String> = beyond.map(|(name, needed, _)| format!("{name}={}", rounded_up(*needed, 3.0))).collect();
    let why = format!(
        "its outputs may be off, {}, and {:.2e} and {:.2e} are declared: open the mesh with {} or more, or wire fewer \
         maps one after the other",
        each.join(", "),
        medium.margin,
        medium.noise,
        more.join("&")
    );
    Err(Error::unsupported(why).with_node(*first))
}

/// The largest magnitude behind a matrix for inputs of at most `range`.
pub(super) fn range(matrix: &Matrix, reads: Reads, complex: bool, bias: &[f32], range: f64) -> f64 {
    let row = |r: usize| {
        let field = pair(complex) * range * matrix.row(r).iter().map(|e| e.norm()).sum::<f64>();
        if reads == Reads::Power { field * field } else { field + bias.get(r).map_or(0.0, |b| f64::from(b.abs())) }
    };
    (0..matrix.rows()).map(row).fold(0.0, f64::max)
}

fn pair(complex: bool) -> f64 {
    if complex { std::f64::consts::SQRT_2 } else { 1.0 }
}

impl Stage {
    /// The bound of its outputs for that of its inputs, at the age that it was brought up to.
    pub(super) fn bound(&self, settings: &Settings, input: Bound) -> Bound {
        let pair = pair(self.complex);
        let (range, margin, noise) = (input.range * pair, input.margin * pair, input.noise * pair);
        let mut entries = self.chip.entries();
        let mut worst = Bound::default();
        for r in 0..self.wanted.rows() {
            let (mut size, mut squares, mut off) = (0.0, 0.0, 0.0);
            for wanted in self.wanted.row(r) {
                let found: Complex = entries.next().unwrap_or(Complex::ZERO);
                size += wanted.norm();
                squares += wanted.norm_sqr();
                off += (found - wanted).norm();
            }
            let field = range * size;
            let d = range * off + margin * size + settings.dimmed(field);
            let s = (noise * squares.sqrt()).hypot(settings.shaken(range * self.chip.gain()));
            let gain = self.chip.gain() * self.range;
            let [dark, slope] = self.variance().map(f64::from);
            // the light itself, before the gain of the chip, in units of full scale
            let detector = (dark + slope * (field / gain).powi(2)).sqrt();
            worst = worst.most(match self.reads {
                Reads::Power => Bound {
                    range: field * field,
                    margin: 2.0 * field * d + d * d + 2.0 * s * s,
                    noise: (detector * gain * gain).hypot(2.0 * field * s + s * s),
                },
                Reads::Field | Reads::Real => {
                    let bias = self.bias.get(r).map_or(0.0, |b| f64::from(b.abs()));
                    Bound { range: field + bias, margin: d, noise: (detector * gain).hypot(s) }
                }
            });
        }
        worst
    }
}
