//! What an advance cost.

use std::time::Duration;

/// What one advance did and cost. Reports of successive chunks add up.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Ticks that were done; fewer than asked for if the advance was cancelled.
    pub ticks: usize,
    /// Time on the clock of this computer; nought where the work is shorter than reading the clock is worth.
    pub wall: Duration,
    /// Time that the device itself measured.
    pub device: Option<Duration>,
    /// Energy that the device spent.
    pub energy: Option<Energy>,
    /// Samples that were outside the range of the device and were clipped.
    pub clipped: u64,
    /// Writes that wore the device.
    pub writes: u64,
    /// Bytes of the buffers that the realization keeps, on the device and for it; nought if it does not say.
    #[serde(default)]
    pub memory: u64,
}

/// An amount of energy and where the figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Energy {
    /// Joules.
    pub joules: f64,
    /// Standard uncertainty in joules.
    pub uncertainty: f64,
    /// Whether an instrument measured it, rather than a model.
    pub measured: bool,
}

impl Report {
    /// A report of so many ticks and nothing else.
    #[must_use]
    pub fn of(ticks: usize) -> Self {
        Self { ticks, ..Self::default() }
    }

    /// Adds the report of the next chunk. Measured and modelled energy do not mix: the sum is then a model's.
    pub fn add(&mut self, next: &Self) {
        self.ticks += next.ticks;
        self.wall += next.wall;
        self.device = sum(self.device, next.device, |a, b| a + b);
        self.energy = sum(self.energy, next.energy, |a, b| Energy {
            joules: a.joules + b.joules,
            uncertainty: a.uncertainty.hypot(b.uncertainty),
            measured: a.measured && b.measured,
        });
        self.clipped += next.clipped;
        self.writes += next.writes;
        self.memory = self.memory.max(next.memory);
    }
}

fn sum<T>(a: Option<T>, b: Option<T>, add: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(add(a, b)),
        (a, b) => a.or(b),
    }
}
