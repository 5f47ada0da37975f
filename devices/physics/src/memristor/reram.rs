//! Statistics of resistive memory: how far a written conductance is off, and how it relaxes.
//!
//! Conductances are in microsiemens, times in seconds after the write.

/// Times at which [`Wan`] was fitted, in seconds, and the deviation there in microsiemens: ascending powers of `g/g_max`.
const FITS: [(f64, [f64; 5]); 3] = [
    (1.0, [0.348, 16.030, -43.853, 45.393, -16.815]),
    (86_400.0, [0.701, 22.086, -50.773, 47.095, -16.458]),
    (172_800.0, [0.782, 20.274, -43.507, 37.062, -11.934]),
];

/// The largest conductance of the cells that [`Wan`] was fitted on, in microsiemens.
const REFERENCE: f64 = 40.0;

/// The cells of the NeuRRAM chip.
///
/// The spread of the conductance was fitted 1 s, 1 day and 2 days after the write. Cells of another `g_max` are taken to have the same spread
/// relative to it: `σ(g, t) = (g_max/40) P_t(g/g_max)`. Between the fits `σ` is a straight line in the logarithm of time; before the first and
/// after the last it is held.
///
/// Source: Wan et al., *A compute-in-memory chip based on resistive random-access memory*, Nature 608, 504 (2022), with the fitted numbers of
/// IBM's aihwkit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wan {
    /// The largest conductance that is written, in microsiemens.
    pub g_max: f64,
}

impl Default for Wan {
    fn default() -> Self {
        Self { g_max: REFERENCE }
    }
}

impl Wan {
    /// White noise of a read, relative to `g_max`: about one in a hundred on this chip.
    pub const READ: f64 = 0.01;

    /// Deviation of a conductance from its target, in microsiemens.
    #[must_use]
    pub fn deviation(&self, target: f64, seconds: f64) -> f64 {
        let x = target / self.g_max;
        let at = |fit: &[f64; 5]| fit.iter().rev().fold(0.0, |sum, c| sum * x + c).max(0.0) * self.g_max / REFERENCE;
        let late = FITS.iter().position(|(time, _)| seconds < *time);
        match late {
            Some(0) => at(&FITS[0].1),
            None => at(&FITS[FITS.len() - 1].1),
            Some(k) => {
                let ((t, before), (u, after)) = (&FITS[k - 1], &FITS[k]);
                let share = libm::log(seconds / t) / libm::log(u / t);
                at(before) + share * (at(after) - at(before))
            }
        }
    }

    /// The conductance for two standard normal numbers of the cell: one of the write, one of what happens since.
    ///
    /// The second enters with the variance that [`deviation`](Self::deviation) has gained since the first second; where it has lost some,
    /// the first is scaled.
    #[must_use]
    pub fn conductance(&self, target: f64, seconds: f64, [write, since]: [f64; 2]) -> f64 {
        let (first, now) = (self.deviation(target, 1.0), self.deviation(target, seconds));
        let gained = (now * now - first * first).max(0.0).sqrt();
        (target + first.min(now) * write + gained * since).max(0.0)
    }
}

/// Filamentary cells of conductive metal oxide and hafnia.
///
/// ```text
/// write    σ = 0.0112185 + 0.0112903 g       verified to 2 %
///          σ = 0.00081107 + 0.00106879 g     verified to 0.2 %
/// relax    g(t) = g - 0.08900206 ln t + (0.04201137 ln t + 0.41183342) N     from one second on
/// ```
/// Source: Falcone et al. on conductive-metal-oxide/HfOx cells, with the fitted numbers of IBM's aihwkit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmo {
    /// Written until within 2 % of the target.
    Coarse,
    /// Written until within 0.2 % of the target.
    Fine,
}

impl Cmo {
    /// Deviation of a write that aims at `target`, in microsiemens.
    #[must_use]
    pub fn programming_deviation(self, target: f64) -> f64 {
        match self {
            Self::Coarse => 0.011_218_539_1 + 0.011_290_274_18 * target,
            Self::Fine => 0.000_811_07 + 0.001_068_79 * target,
        }
    }

    /// Mean of the relaxation, in microsiemens; times below a second count as a second.
    #[must_use]
    pub fn relaxation_mean(self, seconds: f64) -> f64 {
        -0.089_002_06 * libm::log(seconds.max(1.0))
    }

    /// Deviation of the relaxation, in microsiemens; times below a second count as a second.
    #[must_use]
    pub fn relaxation_deviation(self, seconds: f64) -> f64 {
        0.042_011_37 * libm::log(seconds.max(1.0)) + 0.411_833_42
    }
}
