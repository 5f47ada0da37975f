//! A dish: a culture, or the control in its place, on electrodes that listen and stimulate within the safety envelope.

use super::electrodes::{CHANNELS, Electrodes, effect};
use super::network::{Growth, Network, NetworkState, node};
use super::poisson::Poisson;
use super::stimulation::{Envelope, Given, Log, Phase, Refusal};
use isoform_core::draw::Key;

/// Microseconds of a tick.
pub const TICK: u64 = 1000;

/// Ticks after which a culture that does not learn has forgotten what went before.
const FORGOTTEN: u64 = 10_000;

/// What is in the dish.
#[derive(Debug, Clone)]
enum Tissue {
    Network { network: Box<Network>, electrodes: Electrodes, currents: Vec<f64> },
    Poisson(Poisson),
}

/// A dish with its state. Its clock is virtual: it moves when it is told to, a millisecond at a time.
#[derive(Debug, Clone)]
pub struct Dish {
    tissue: Tissue,
    envelope: Envelope,
    /// What the pulses of the coming tick add to each cluster, mV/ms.
    pending: Vec<f64>,
    log: Log,
}

/// The state of a dish, from which it goes on bit for bit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DishState {
    tissue: TissueState,
    envelope: Envelope,
    pending: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum TissueState {
    Network(Box<NetworkState>),
    Poisson(u64),
}

impl Dish {
    /// A culture.
    ///
    /// # Panics
    /// If it has 2^16 neurons or more.
    #[must_use]
    pub fn culture(growth: Growth) -> Self {
        let network = Box::new(Network::new(growth));
        let electrodes = Electrodes::new(network.len(), Key::new(growth.seed, node::PLACES));
        let currents = vec![0.0; network.len()];
        Self::with(Tissue::Network { network, electrodes, currents })
    }

    /// The control, which does not listen.
    #[must_use]
    pub fn control(source: Poisson) -> Self {
        Self::with(Tissue::Poisson(source))
    }

    fn with(tissue: Tissue) -> Self {
        Self { tissue, envelope: Envelope::new(CHANNELS), pending: vec![0.0; CHANNELS], log: Log::new() }
    }

    /// How many ticks have passed.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        match &self.tissue {
            Tissue::Network { network, .. } => network.ticks(),
            Tissue::Poisson(source) => source.ticks(),
        }
    }

    /// The safety envelope as it stands.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// What was given.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Gives a pulse at the beginning of the coming tick.
    ///
    /// # Errors
    /// The limit that it exceeds; nothing is then given.
    pub fn stimulate(&mut self, channel: usize, phases: &[Phase]) -> Result<(), Refusal> {
        let now = self.ticks() * TICK;
        self.envelope.admit(now, channel, phases)?;
        self.pending[channel] += effect(phases);
        self.log.add(Given::new(now, channel, phases));
        Ok(())
    }

    /// Passes a tick and tells which channels had a spike.
    ///
    /// # Panics
    /// If the row has not one number for each electrode.
    pub fn step(&mut self, row: &mut [f32]) {
        match &mut self.tissue {
            Tissue::Network { network, electrodes, currents } => {
                electrodes.reach(&self.pending, currents);
                electrodes.hear(network.step(currents), row);
            }
            Tissue::Poisson(source) => source.step(row),
        }
        self.pending.fill(0.0);
    }

    /// Whether what it does changes it for good.
    #[must_use]
    pub fn learns(&self) -> bool {
        matches!(&self.tissue, Tissue::Network { network, .. } if network.synapses().learns())
    }

    /// Lets ticks pass that nobody listens to.
    ///
    /// Of a long time only the last ten seconds are computed, unless the culture learns: what went before does not show in what it does
    /// after them, and its noise is keyed by the tick.
    pub fn pass(&mut self, ticks: u64) {
        let mut row = [0.0; CHANNELS];
        let skipped = if self.learns() { 0 } else { ticks.saturating_sub(FORGOTTEN) };
        let skipped = match &mut self.tissue {
            Tissue::Network { network, .. } => network.skip(skipped),
            Tissue::Poisson(source) => {
                source.go_to(source.ticks() + skipped);
                skipped
            }
        };
        for _ in skipped..ticks {
            self.step(&mut row);
        }
    }

    /// The state at present. The log is no part of it.
    #[must_use]
    pub fn save(&self) -> DishState {
        let tissue = match &self.tissue {
            Tissue::Network { network, .. } => TissueState::Network(Box::new(network.save())),
            Tissue::Poisson(source) => TissueState::Poisson(source.ticks()),
        };
        DishState { tissue, envelope: self.envelope.clone(), pending: self.pending.clone() }
    }

    /// Goes on from a state of the same dish; says whether it fits. Nothing is changed if it does not.
    #[must_use]
    pub fn load(&mut self, state: &DishState) -> bool {
        let fits = state.envelope.channels() == CHANNELS
            && state.pending.len() == CHANNELS
            && match (&mut self.tissue, &state.tissue) {
                (Tissue::Network { network, .. }, TissueState::Network(state)) => network.load(state),
                (Tissue::Poisson(source), TissueState::Poisson(tick)) => {
                    source.go_to(*tick);
                    true
                }
                _ => false,
            };
        if fits {
            self.envelope.clone_from(&state.envelope);
            self.pending.clone_from(&state.pending);
        }
        fits
    }
}
