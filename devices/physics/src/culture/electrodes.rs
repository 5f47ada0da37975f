//! The electrodes under a culture: which neurons each one hears and reaches.
//!
//! There are 64 on a grid of eight by eight. Each neuron lies nearest to one electrode, its cluster; the clusters are drawn from the seed, and
//! their sizes differ by one at most. The network has no geometry beyond that: neurons of one cluster are not wired more closely than others.
//!
//! An electrode hears units together and does not sort them. It says that there was a spike in a tick if at least one neuron of its cluster
//! fired in that millisecond: several at once are one crossing of its threshold, as for a detector that is blind for a millisecond after each.

use super::stimulation::Phase;
use isoform_core::draw::Key;

/// How many electrodes there are.
pub const CHANNELS: usize = 64;
/// Electrodes in a row of the grid.
pub const ROW: usize = 8;
/// What a charge of one nC in the first phase of a pulse adds to the current of each neuron of a cluster for one tick, mV/ms.
///
/// A choice, not a measurement: with phases of 200 µs about 2 µA make a neuron at rest fire.
pub const GAIN: f64 = 100.0;

/// Electrodes and clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Electrodes {
    /// The electrode of each neuron.
    nearest: Vec<u8>,
}

impl Electrodes {
    /// Spreads so many neurons over the electrodes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "there are 64 channels and fewer than 2^32 neurons")]
    pub fn new(neurons: usize, key: Key) -> Self {
        let mut order: Vec<usize> = (0..neurons).collect();
        order.sort_by_key(|&neuron| (key.bits(neuron as u32, 0, 0), neuron));
        let mut nearest = vec![0; neurons];
        for (rank, &neuron) in order.iter().enumerate() {
            nearest[neuron] = (rank % CHANNELS) as u8;
        }
        Self { nearest }
    }

    /// The electrode that hears a neuron.
    ///
    /// # Panics
    /// If there is no such neuron.
    #[must_use]
    pub fn nearest(&self, neuron: usize) -> usize {
        usize::from(self.nearest[neuron])
    }

    /// Row and column of an electrode on the grid.
    #[must_use]
    pub fn place(channel: usize) -> [usize; 2] {
        [channel / ROW, channel % ROW]
    }

    /// What the electrodes hear of a tick: one where a neuron of the cluster fired, nought elsewhere.
    ///
    /// # Panics
    /// If the row has not one number for each electrode.
    pub fn hear(&self, fired: &[u16], row: &mut [f32]) {
        row[..CHANNELS].fill(0.0);
        for &neuron in fired {
            row[self.nearest(usize::from(neuron))] = 1.0;
        }
    }

    /// The current of each neuron, mV/ms, given that of each cluster.
    ///
    /// # Panics
    /// If there is not one number for each neuron and electrode.
    pub fn reach(&self, clusters: &[f64], currents: &mut [f64]) {
        for (current, &channel) in currents.iter_mut().zip(&self.nearest) {
            *current = clusters[usize::from(channel)];
        }
    }
}

/// What a pulse adds to the current of each neuron of its cluster in the tick in which it begins, mV/ms.
///
/// The first phase acts; those after it bring the charge back, too late to undo a spike. A negative first phase depolarises.
#[must_use]
pub fn effect(phases: &[Phase]) -> f64 {
    phases.first().map_or(0.0, |first| -GAIN * first.charge())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::culture::stimulation::biphasic;

    #[test]
    fn clusters_are_as_large_as_each_other() {
        let electrodes = Electrodes::new(1000, Key::new(1, 4));
        let mut sizes = [0; CHANNELS];
        (0..1000).for_each(|n| sizes[electrodes.nearest(n)] += 1);
        assert!(sizes.iter().all(|s| (15..=16).contains(s)), "{sizes:?}");
        assert_ne!(electrodes, Electrodes::new(1000, Key::new(2, 4)));
        assert_eq!(Electrodes::place(17), [2, 1]);
    }

    #[test]
    fn several_spikes_of_a_cluster_in_one_tick_are_one() {
        let electrodes = Electrodes::new(128, Key::new(1, 4));
        let pair: Vec<u16> = (0..128).filter(|&n| electrodes.nearest(usize::from(n)) == 5).collect();
        let mut row = [9.0; CHANNELS];
        electrodes.hear(&pair, &mut row);
        assert_eq!(pair.len(), 2);
        assert_eq!((row[5], row.iter().sum::<f32>()), (1.0, 1.0));
    }

    #[test]
    fn the_first_phase_acts_on_its_cluster_alone() {
        assert_eq!(effect(&biphasic(-2.0)), 40.0);
        let electrodes = Electrodes::new(128, Key::new(1, 4));
        let (mut clusters, mut currents) = ([0.0; CHANNELS], [0.0; 128]);
        clusters[9] = 40.0;
        electrodes.reach(&clusters, &mut currents);
        assert!((0..128).all(|n| currents[n] == if electrodes.nearest(n) == 9 { 40.0 } else { 0.0 }));
    }
}
