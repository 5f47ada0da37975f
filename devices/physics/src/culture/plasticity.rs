//! Plasticity by the timing of pairs of spikes.
//!
//! ```text
//! x_pre ← x_pre e^(-dt/τ+) + s_pre        x_post ← x_post e^(-dt/τ-) + s_post
//! Δw = A+ x_pre s_post - A- x_post s_pre
//! ```
//! Traces are read before the spikes of the tick are added, so that two spikes in one tick change nothing. A presynaptic spike counts when it
//! arrives. Weights stay between nought and the largest weight.
//!
//! Source: Song, Miller and Abbott 2000, Nature Neuroscience 3, 919, equations 1 and 2 (all pairs, hard bounds).

/// The parameters of the pair rule.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PairRule {
    /// Largest strengthening of a pair, in units of the weight.
    pub a_plus: f64,
    /// Largest weakening of a pair, in units of the weight.
    pub a_minus: f64,
    /// Time constant of the strengthening, ms.
    pub tau_plus: f64,
    /// Time constant of the weakening, ms.
    pub tau_minus: f64,
    /// No weight grows beyond it, mV/ms.
    pub largest: f64,
}

impl Default for PairRule {
    fn default() -> Self {
        Self { a_plus: 0.01, a_minus: 0.0105, tau_plus: 20.0, tau_minus: 20.0, largest: 0.5 }
    }
}

impl PairRule {
    /// What is left of both traces after a tick of a millisecond.
    #[must_use]
    pub fn decays(&self) -> [f64; 2] {
        [(-1.0 / self.tau_plus).exp(), (-1.0 / self.tau_minus).exp()]
    }

    /// A weight after a postsynaptic spike that meets a presynaptic trace.
    #[must_use]
    #[inline]
    pub fn strengthen(&self, weight: f64, pre: f64) -> f64 {
        (weight + self.a_plus * pre).min(self.largest)
    }

    /// A weight after a presynaptic spike that meets a postsynaptic trace.
    #[must_use]
    #[inline]
    pub fn weaken(&self, weight: f64, post: f64) -> f64 {
        (weight - self.a_minus * post).max(0.0)
    }
}
