//! Noise whose power falls as one over the frequency, as a state.
//!
//! Numbers drawn anew at each read average away; the fluctuation of a conductance does not. Its spectrum `S(f) = q²/f` is that of many traps with
//! time constants spread evenly over the decades: a sum of Ornstein-Uhlenbeck processes (McWhorter's picture; Kogan, *Electronic Noise and
//! Fluctuations in Solids*, 1996, chapter 8). Here there is one process a decade, of variance `q² ln 10`, so that the Allan variance is
//! `2 ln 2 q²` at every averaging time between the shortest and the longest time constant.
//!
//! **When it starts.** A write sets all processes to nought, and each fills up within its own time constant: after `T` seconds the variance is
//!
//! ```text
//! q² ln 10 Σ (1 - e^{-2T/τ})  ≈  q² (ln(2T/τ_0) + γ)  =  q² ln(T/(2 t_r))      where τ_0 = 4 e^γ t_r, γ = 0.5772…
//! ```
//! which is the published `q² ln((T + t_r)/(2 t_r))` for every `T` that is long beside the reading time `t_r`. The sum over decades ripples
//! about it by at most `0.0419 q²` of variance: a thousandth of the deviation at twenty seconds and 250 ns.

/// Time constants of one process a decade.
///
/// The first stands half a decade above the short end, in the middle of the decade that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectrum {
    shortest: f64,
}

/// How many processes there are: enough for a century after a read of a hundred nanoseconds.
pub const DECADES: usize = 17;

/// Four times e to Euler's constant: the short end of the time constants over the reading time.
const SHORT_END: f64 = 7.124_289_671_960_792;

impl Spectrum {
    /// The processes that a read of `reading` seconds sees.
    #[must_use]
    pub fn of_read(reading: f64) -> Self {
        Self { shortest: SHORT_END * reading * 10.0_f64.sqrt() }
    }

    /// The time constant of a process, in seconds.
    #[must_use]
    pub fn time(&self, process: usize) -> f64 {
        self.shortest * 10.0_f64.powi(i32::try_from(process).unwrap_or(i32::MAX))
    }

    /// The variance of each process at rest, in units of `q²`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        std::f64::consts::LN_10
    }

    /// How much of a process is kept over `seconds`, and the deviation of what comes anew, in units of `q`.
    #[must_use]
    pub fn transition(&self, process: usize, seconds: f64) -> (f64, f64) {
        let x = seconds.max(0.0) / self.time(process);
        (libm::exp(-x), (-self.variance() * libm::expm1(-2.0 * x)).sqrt())
    }

    /// The variance of the processes from `first` on, `seconds` after they were all nought, in units of `q²`.
    #[must_use]
    pub fn variance_after(&self, first: usize, seconds: f64) -> f64 {
        (first..DECADES).map(|k| -self.variance() * libm::expm1(-2.0 * seconds.max(0.0) / self.time(k))).sum()
    }

    /// The Allan variance at rest of averages over `seconds`, in units of `q²`.
    ///
    /// For one process of variance `s²` and `x = seconds/τ` it is `s² (2x - 3 + 4 e^{-x} - e^{-2x})/x²`.
    #[must_use]
    pub fn allan_variance(&self, seconds: f64) -> f64 {
        (0..DECADES)
            .map(|k| {
                let x = seconds / self.time(k);
                let shape = if x < 1e-3 {
                    // the leading terms of the series, where the difference would lose its digits
                    x * (2.0 / 3.0 - x / 2.0)
                } else {
                    (2.0 * x - 3.0 + 4.0 * libm::exp(-x) - libm::exp(-2.0 * x)) / (x * x)
                };
                self.variance() * shape
            })
            .sum()
    }
}

/// The fluctuation of one conductance.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Flicker {
    states: [f64; DECADES],
}

impl Flicker {
    /// Right after a write: all processes are nought.
    #[must_use]
    pub fn new() -> Self {
        Self { states: [0.0; DECADES] }
    }

    /// Lets `seconds` pass; `draw(k)` gives a standard normal number for each process.
    pub fn pass(&mut self, spectrum: &Spectrum, seconds: f64, mut draw: impl FnMut(usize) -> f64) {
        for (k, state) in self.states.iter_mut().enumerate() {
            let (kept, fresh) = spectrum.transition(k, seconds);
            *state = kept * *state + fresh * draw(k);
        }
    }

    /// The fluctuation at present, in units of `q`.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.states.iter().sum()
    }
}

impl Default for Flicker {
    fn default() -> Self {
        Self::new()
    }
}
