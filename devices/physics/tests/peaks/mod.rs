//! Spikes as the local maxima of a voltage or a current.

/// The local maxima above a level, and the largest value.
#[derive(Default)]
pub(crate) struct Peaks {
    pub(crate) last: [f64; 2],
    pub(crate) at: Vec<f64>,
    pub(crate) most: f64,
}

impl Peaks {
    pub(crate) fn see(&mut self, time: f64, value: f64, level: f64) {
        let [before, middle] = self.last;
        if middle > before && middle >= value && middle > level {
            self.at.push(time);
        }
        self.last = [middle, value];
        self.most = self.most.max(value);
    }

    /// The mean time between them; nought if there are fewer than two.
    #[allow(dead_code, reason = "not every test asks for a mean")]
    pub(crate) fn period(&self) -> f64 {
        match (self.at.first(), self.at.last()) {
            (Some(first), Some(last)) if self.at.len() > 1 => (last - first) / (self.at.len() - 1) as f64,
            _ => 0.0,
        }
    }
}
