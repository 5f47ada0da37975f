//! The synapses of a culture: weights, axonal delays, and who hears of a spike when.
//!
//! Delivery is by event: a tick costs as much as spikes arrive in it. The spikes of the last ticks are kept in a ring, and the targets of a
//! neuron are sorted by delay, so that a tick walks over the targets of just one delay for each spike that is so old.

use super::plasticity::PairRule;
use isoform_core::draw::Key;

/// The longest axonal delay, ms.
pub const LONGEST_DELAY: usize = 20;

/// All synapses between so many neurons, the excitatory ones first, and the spikes that are under way.
#[derive(Debug, Clone)]
pub struct Synapses {
    neurons: usize,
    excitatory: usize,
    /// Ticks in the ring: the longest delay and one.
    span: usize,
    /// Delay in ticks, `[source, target]`.
    delays: Vec<u8>,
    /// Targets sorted by delay, `[source, target]`.
    targets: Vec<u16>,
    /// Where the targets of each delay begin, `[source, span + 1]`.
    starts: Vec<u16>,
    rule: Option<PairRule>,
    moving: Moving,
}

/// What changes in synapses as time passes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moving {
    /// Weights in mV/ms, `[source, target]`.
    pub weights: Vec<f64>,
    /// Who fired, in a ring over ticks, `[span, neurons]`.
    spikes: Vec<u16>,
    /// How many fired, in a ring over ticks.
    counts: Vec<u16>,
    /// Presynaptic traces before the spikes of a tick, in a ring over ticks, `[span, neurons]`; empty if nothing learns.
    before: Vec<f64>,
    pre: Vec<f64>,
    post: Vec<f64>,
}

impl Synapses {
    /// Every neuron on every neuron, itself included: excitatory weights uniform between nought and 0.5 mV/ms, inhibitory ones between nought
    /// and -1 mV/ms.
    ///
    /// Without delays a spike arrives in the tick in which it is found, as in Izhikevich 2003. With them an excitatory axon takes a whole number
    /// of milliseconds, uniform between 1 and 20, and an inhibitory one 1 ms, as in Izhikevich 2006, Neural Computation 18, 245. Only
    /// excitatory synapses learn.
    ///
    /// # Panics
    /// If there are 2^16 neurons or more.
    #[must_use]
    pub fn new(neurons: usize, excitatory: usize, [weights, delays]: [Key; 2], delayed: bool, rule: Option<PairRule>) -> Self {
        let numbers = |key: Key| {
            let mut drawn = vec![0.0_f32; neurons * neurons];
            key.fill_uniform(0, 0, 0, &mut drawn);
            drawn
        };
        let excites = |synapse: usize| synapse / neurons < excitatory;
        let weights: Vec<f64> =
            numbers(weights).iter().enumerate().map(|(s, &r)| f64::from(r) * if excites(s) { 0.5 } else { -1.0 }).collect();
        let delays = if delayed {
            numbers(delays).iter().enumerate().map(|(s, &r)| if excites(s) { milliseconds(r) } else { 1 }).collect()
        } else {
            vec![0; neurons * neurons]
        };
        Self::from_parts(excitatory, weights, delays, rule)
    }

    /// Given synapses: weights in mV/ms and delays in ticks, each `[source, target]`.
    ///
    /// # Panics
    /// If the two are not of one size, which is the square of a number below 2^16, or a delay is longer than [`LONGEST_DELAY`].
    #[must_use]
    pub fn from_parts(excitatory: usize, weights: Vec<f64>, delays: Vec<u8>, rule: Option<PairRule>) -> Self {
        let neurons = weights.len().isqrt();
        assert!(
            neurons * neurons == weights.len() && delays.len() == weights.len() && neurons < usize::from(u16::MAX),
            "a square of weights, and as many delays"
        );
        let longest = usize::from(delays.iter().copied().max().unwrap_or(0));
        assert!(longest <= LONGEST_DELAY, "delays of at most {LONGEST_DELAY} ticks");
        let span = longest + 1;
        let (mut targets, mut starts) = (Vec::with_capacity(weights.len()), Vec::with_capacity(neurons * (span + 1)));
        for row in delays.chunks_exact(neurons.max(1)) {
            let first = targets.len();
            for delay in 0..=span {
                starts.push(short(targets.len() - first));
                targets.extend((0..neurons).filter(|&target| usize::from(row[target]) == delay).map(short));
            }
        }
        let traces = if rule.is_some() { neurons } else { 0 };
        let moving = Moving {
            weights,
            spikes: vec![0; span * neurons],
            counts: vec![0; span],
            before: vec![0.0; span * traces],
            pre: vec![0.0; traces],
            post: vec![0.0; traces],
        };
        Self { neurons, excitatory, span, delays, targets, starts, rule, moving }
    }

    /// Ticks after which the places of the ring repeat.
    #[must_use]
    pub fn span(&self) -> usize {
        self.span
    }

    /// Whether excitatory synapses learn.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.rule.is_some()
    }

    /// The weight from one neuron to another, mV/ms.
    #[must_use]
    pub fn weight(&self, source: usize, target: usize) -> f64 {
        self.moving.weights[source * self.neurons + target]
    }

    /// Takes in who fired in a tick, adds what arrives in it to the currents, and learns. Ticks follow each other.
    pub fn pass(&mut self, tick: u64, fired: &[u16], currents: &mut [f64]) {
        let now = self.slot(tick, 0);
        self.moving.spikes[now * self.neurons..][..fired.len()].copy_from_slice(fired);
        self.moving.counts[now] = short(fired.len());
        self.fade(now);
        for delay in 0..self.span {
            let then = self.slot(tick, delay);
            for k in 0..usize::from(self.moving.counts[then]) {
                let source = usize::from(self.moving.spikes[then * self.neurons + k]);
                self.arrive(source, delay, currents);
            }
        }
        if let Some(rule) = self.rule {
            for &target in fired {
                self.reward(rule, tick, usize::from(target));
            }
            for &neuron in fired {
                self.moving.pre[usize::from(neuron)] += 1.0;
                self.moving.post[usize::from(neuron)] += 1.0;
            }
        }
    }

    /// The place in the ring of a tick that is so long ago.
    #[expect(clippy::cast_possible_truncation, reason = "smaller than the ring")]
    fn slot(&self, tick: u64, ago: usize) -> usize {
        let span = self.span as u64;
        ((tick + span - ago as u64) % span) as usize
    }

    /// Lets the traces decay by a tick, and keeps those of sources for the synapses that they reach later.
    fn fade(&mut self, now: usize) {
        let Some(rule) = self.rule else { return };
        let [plus, minus] = rule.decays();
        let Moving { before, pre, post, .. } = &mut self.moving;
        pre.iter_mut().for_each(|x| *x *= plus);
        post.iter_mut().for_each(|x| *x *= minus);
        before[now * self.neurons..][..self.neurons].copy_from_slice(pre);
    }

    /// A spike of a source reaches its targets of one delay.
    fn arrive(&mut self, source: usize, delay: usize, currents: &mut [f64]) {
        let starts = &self.starts[source * (self.span + 1)..][delay..=delay + 1];
        let row = source * self.neurons;
        let targets = &self.targets[row..][usize::from(starts[0])..usize::from(starts[1])];
        let weights = &mut self.moving.weights[row..][..self.neurons];
        for &target in targets {
            currents[usize::from(target)] += weights[usize::from(target)];
        }
        if let (Some(rule), true) = (self.rule, source < self.excitatory) {
            for &target in targets {
                let target = usize::from(target);
                weights[target] = rule.weaken(weights[target], self.moving.post[target]);
            }
        }
    }

    /// A target has fired: what reached it before is strengthened.
    fn reward(&mut self, rule: PairRule, tick: u64, target: usize) {
        for source in 0..self.excitatory {
            let synapse = source * self.neurons + target;
            let then = self.slot(tick, usize::from(self.delays[synapse]));
            let weight = &mut self.moving.weights[synapse];
            *weight = rule.strengthen(*weight, self.moving.before[then * self.neurons + source]);
        }
    }

    /// What has changed since the beginning.
    #[must_use]
    pub fn save(&self) -> Moving {
        let mut moving = self.moving.clone();
        if self.rule.is_none() {
            moving.weights = Vec::new();
        }
        moving
    }

    /// Goes on from what was saved; says whether it fits. Nothing is changed if it does not.
    #[must_use]
    pub fn load(&mut self, saved: &Moving) -> bool {
        let own = &mut self.moving;
        let weights = if self.rule.is_some() { own.weights.len() } else { 0 };
        let fits = saved.weights.len() == weights
            && saved.spikes.len() == own.spikes.len()
            && saved.counts.len() == own.counts.len()
            && saved.before.len() == own.before.len()
            && saved.pre.len() == own.pre.len()
            && saved.post.len() == own.post.len()
            && saved.counts.iter().all(|&c| usize::from(c) <= self.neurons)
            && saved.spikes.iter().all(|&s| usize::from(s) < self.neurons);
        if fits {
            let weights = std::mem::take(&mut own.weights);
            own.clone_from(saved);
            if self.rule.is_none() {
                own.weights = weights;
            }
        }
        fits
    }
}

/// A uniform number as a delay of 1 to 20 ticks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "from 1 to 20")]
fn milliseconds(r: f32) -> u8 {
    1 + (r * LONGEST_DELAY as f32) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^16 neurons")]
fn short(count: usize) -> u16 {
    count as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One synapse of weight 0.25 from neuron 0 to neuron 1, and what it weighs after both fired once, the second so many ticks later.
    fn pair(delay: u8, later: i32) -> f64 {
        let mut synapses = Synapses::from_parts(1, vec![0.0, 0.25, 0.0, 0.0], vec![delay; 4], Some(PairRule::default()));
        let mut currents = [0.0; 2];
        for tick in 0..400 {
            let fired: Vec<u16> = [(200, 0), (200 + later, 1)].iter().filter(|(t, _)| *t == tick).map(|(_, n)| *n).collect();
            synapses.pass(tick as u64, &fired, &mut currents);
        }
        synapses.weight(0, 1)
    }

    #[test]
    fn two_spikes_in_one_tick_change_nothing() {
        assert_eq!(pair(0, 0), 0.25);
        assert_eq!(pair(7, 7), 0.25);
    }

    #[test]
    fn a_spike_arrives_after_its_delay() {
        let mut synapses = Synapses::from_parts(2, vec![0.0, 0.5, 0.25, 0.0], vec![0, 3, 1, 0], None);
        let arrived: Vec<[f64; 2]> = (0..5)
            .map(|tick| {
                let mut currents = [0.0; 2];
                synapses.pass(tick, if tick == 0 { &[0, 1] } else { &[] }, &mut currents);
                currents
            })
            .collect();
        assert_eq!(arrived, [[0.0, 0.0], [0.25, 0.0], [0.0, 0.0], [0.0, 0.5], [0.0, 0.0]]);
    }

    #[test]
    fn weights_stay_in_their_bounds() {
        let rule = PairRule::default();
        assert_eq!((rule.strengthen(0.499, 5.0), rule.weaken(0.001, 5.0)), (0.5, 0.0));
    }

    proptest! {
        /// A single pair strengthens by A+ e^(-Δt/τ+), or weakens by A- e^(Δt/τ-), counted from the arrival.
        #[test]
        fn a_single_pair_changes_the_weight_by_the_rule(delay in 0_u8..=20, later in -150_i32..=150) {
            let gap = f64::from(later - i32::from(delay));
            let expected = match gap {
                g if g > 0.0 => 0.01 * (-g / 20.0).exp(),
                g if g < 0.0 => -0.0105 * (g / 20.0).exp(),
                _ => 0.0,
            };
            let found = pair(delay, later) - 0.25;
            // 170 roundings of the trace, each half a unit in the last place, and one of the weight
            prop_assert!((found - expected).abs() <= 170.0 * f64::EPSILON * expected.abs() + f64::EPSILON, "{found} is not {expected}");
        }
    }
}
