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
    /// Samples of a medium that does not wait which never arrived, or were dropped between two advances. Where one is missing within an
    /// advance, its tick holds the value before it.
    #[serde(default)]
    pub lost: u64,
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
        self.lost = self.lost.saturating_add(next.lost);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_adds_up() {
        let mut total = Report { lost: 2, ..Report::of(10) };
        total.add(&Report { lost: 3, clipped: 1, ..Report::of(5) });
        assert_eq!((total.ticks, total.lost, total.clipped), (15, 5, 1));
    }

    #[test]
    fn a_report_from_before_losses_were_counted_is_read() {
        let mut old = serde_json::to_value(Report::of(4)).expect("a map");
        old.as_object_mut().expect("a map").remove("lost");
        assert_eq!(serde_json::from_value::<Report>(old).expect("read"), Report::of(4));
    }
}
