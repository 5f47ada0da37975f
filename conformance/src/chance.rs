//! Repeatable draws, from the counter-based generator of the core.

use isoform_core::draw;

/// A stream of draws that a seed and a name determine.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    seed: u64,
    stream: u32,
    at: u64,
}

impl Chance {
    /// The stream of a name under a seed.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        // FNV-1a, which is stable across platforms and versions
        let stream = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        Self { seed, stream, at: 0 }
    }

    /// The next 32 bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.at += 1;
        draw::bits(self.seed, self.stream, 0, 0, self.at)
    }

    /// A number in an interval.
    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(draw::uniform(self.bits()))
    }

    /// A whole number below `n`, which is at least one.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.bits() as usize) % n.max(1)
    }

    /// True with a probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.within(0.0, 1.0) < probability
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// Puts a list into random order (Fisher and Yates 1938).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_name_give_the_same_draws() {
        let draws = |seed, name| {
            let mut chance = Chance::new(seed, name);
            [chance.bits(), chance.bits(), chance.bits()]
        };
        assert_eq!(draws(1, "L1.split"), draws(1, "L1.split"));
        assert_ne!(draws(1, "L1.split"), draws(2, "L1.split"));
        assert_ne!(draws(1, "L1.split"), draws(1, "L1.reset"));
    }

    #[test]
    fn a_shuffle_keeps_everything() {
        let mut list: Vec<usize> = (0..40).collect();
        Chance::new(7, "order").shuffle(&mut list);
        assert_ne!(list, (0..40).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..40).collect::<Vec<_>>());
    }
}
