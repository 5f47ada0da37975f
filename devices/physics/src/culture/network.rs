//! The network that stands for a culture: 800 excitatory and 200 inhibitory neurons, a tick of one millisecond.
//!
//! A tick, in the order of the publication:
//!
//! 1. `I` is noise, to which what comes from outside is added;
//! 2. neurons at or above 30 mV have fired: `v ← c`, `u ← u + d`;
//! 3. `I` takes what arrives over the synapses;
//! 4. `v ← v + ½ f(v, u, I)` twice, then `u ← u + a (b v - u)`.
//!
//! Source: Izhikevich 2003, IEEE Transactions on Neural Networks 14(6), 1569, the program in MATLAB.
//!
//! The neuron is [`Izhikevich`](super::izhikevich::Izhikevich). All is a function of two seeds, and nothing is allocated in a tick.

use super::izhikevich::{PEAK, START, membrane, recovery};
use super::plasticity::PairRule;
use super::population::{EXCITATORY, INHIBITORY, Population};
use super::synapses::{Moving, Synapses};
use isoform_core::draw::Key;

/// The numbers of the keys under which a culture is drawn.
pub(crate) mod node {
    pub(crate) const NEURONS: u32 = 0;
    pub(crate) const WEIGHTS: u32 = 1;
    pub(crate) const DELAYS: u32 = 2;
    pub(crate) const NOISE: u32 = 3;
    pub(crate) const PLACES: u32 = 4;
    pub(crate) const POISSON: u32 = 5;
}

/// What a network is grown from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The seed of neurons and synapses: which culture it is.
    pub seed: u64,
    /// The seed of the noise: which run of it.
    pub noise: u64,
    /// How many neurons excite.
    pub excitatory: usize,
    /// How many neurons inhibit.
    pub inhibitory: usize,
    /// Whether axons take time.
    pub delays: bool,
    /// How synapses learn, if they do.
    pub plasticity: Option<PairRule>,
}

impl Growth {
    /// The published network: no delays, nothing learns.
    #[must_use]
    pub fn published(seed: u64, noise: u64) -> Self {
        Self { seed, noise, excitatory: EXCITATORY, inhibitory: INHIBITORY, delays: false, plasticity: None }
    }
}

/// A network with its state.
#[derive(Debug, Clone)]
pub struct Network {
    population: Population,
    synapses: Synapses,
    noise: Key,
    tick: u64,
    v: Vec<f64>,
    u: Vec<f64>,
    normals: Vec<f32>,
    currents: Vec<f64>,
    fired: Vec<u16>,
}

/// The state of a network, from which it goes on bit for bit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NetworkState {
    tick: u64,
    v: Vec<f64>,
    u: Vec<f64>,
    synapses: Moving,
}

impl Network {
    /// Grows a network; all potentials are at -65 mV.
    ///
    /// # Panics
    /// If it has 2^16 neurons or more.
    #[must_use]
    pub fn new(growth: Growth) -> Self {
        let key = |node| Key::new(growth.seed, node);
        let population = Population::new(growth.excitatory, growth.inhibitory, key(node::NEURONS));
        let neurons = population.len();
        let keys = [key(node::WEIGHTS), key(node::DELAYS)];
        let synapses = Synapses::new(neurons, growth.excitatory, keys, growth.delays, growth.plasticity);
        let [k, l] = key(node::NOISE).words();
        Self {
            u: population.b.iter().map(|b| b * START).collect(),
            v: vec![START; neurons],
            normals: vec![0.0; neurons],
            currents: vec![0.0; neurons],
            fired: Vec::with_capacity(neurons),
            noise: Key::new(growth.noise ^ (u64::from(k) << 32 | u64::from(l)), node::NOISE),
            tick: 0,
            population,
            synapses,
        }
    }

    /// How many neurons there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.v.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v.is_empty()
    }

    /// How many ticks of a millisecond have passed.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// The synapses.
    #[must_use]
    pub fn synapses(&self) -> &Synapses {
        &self.synapses
    }

    /// Passes a tick and gives who fired in it, in ascending order. `outside` is added to the current of each neuron, in mV/ms.
    ///
    /// # Panics
    /// If `outside` has another length than the network.
    pub fn step(&mut self, outside: &[f64]) -> &[u16] {
        let p = &self.population;
        self.noise.fill_normal(0, 0, self.tick, &mut self.normals);
        for (((current, &z), sd), &x) in self.currents.iter_mut().zip(&self.normals).zip(&p.noise).zip(outside) {
            *current = sd * f64::from(z) + x;
        }
        self.fired.clear();
        for (i, (v, u)) in self.v.iter_mut().zip(&mut self.u).enumerate() {
            if *v >= PEAK {
                self.fired.push(short(i));
                *v = p.c[i];
                *u += p.d[i];
            }
        }
        self.synapses.pass(self.tick, &self.fired, &mut self.currents);
        assert_eq!(outside.len(), self.v.len(), "a current for each neuron");
        for ((((v, u), &i), &a), &b) in self.v.iter_mut().zip(&mut self.u).zip(&self.currents).zip(&p.a).zip(&p.b) {
            *v += 0.5 * membrane(i, *v, *u);
            *v += 0.5 * membrane(i, *v, *u);
            *u += recovery(*v, *u, a, b);
        }
        self.tick += 1;
        &self.fired
    }

    /// Moves the clock on without computing anything, by so many ticks or a few less; gives how many. Spikes under way stay so.
    pub fn skip(&mut self, ticks: u64) -> u64 {
        let span = self.synapses.span() as u64;
        let skipped = ticks / span * span;
        self.tick += skipped;
        skipped
    }

    /// The state at present.
    #[must_use]
    pub fn save(&self) -> NetworkState {
        NetworkState { tick: self.tick, v: self.v.clone(), u: self.u.clone(), synapses: self.synapses.save() }
    }

    /// Goes on from a state of the same network; says whether it fits. Nothing is changed if it does not.
    #[must_use]
    pub fn load(&mut self, state: &NetworkState) -> bool {
        let fits = state.v.len() == self.v.len()
            && state.u.len() == self.u.len()
            && state.v.iter().chain(&state.u).all(|x| x.is_finite())
            && self.synapses.load(&state.synapses);
        if fits {
            self.tick = state.tick;
            self.v.clone_from(&state.v);
            self.u.clone_from(&state.u);
        }
        fits
    }
}

#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^16 neurons")]
fn short(neuron: usize) -> u16 {
    neuron as u16
}
