//! The substrate `twin:culture`: a dish that runs on by a virtual clock, whether anybody listens or not.

use super::dish::Dish;
use super::electrodes::CHANNELS;
use super::network::Growth;
use super::plasticity::PairRule;
use super::poisson::{Poisson, RATE};
use super::program::{self, CULTURE};
use super::realization::Running;
use super::stimulation::MOST_CURRENT;
use async_trait::async_trait;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_core::medium::{Drift, Medium, Price};
use isoform_core::profile::{Class, Facets, Limits, OutOfRange, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;

/// The options of the locator: name and meaning.
pub const OPTIONS: &[(&str, &str)] = &[
    ("seed", "which culture it is (0)"),
    ("source", "culture, or poisson: the control, which does not listen (culture)"),
    (
        "plasticity",
        "on or off: whether excitatory synapses learn by the timing of pairs; such a culture forgets nothing, and its claim ends at L0 (off)",
    ),
    ("delays", "on or off: whether axons take 1 to 20 ms (off)"),
];

/// Ticks between two pulses of a channel.
const SPACING: usize = 5;
/// Ticks after which nothing of a stimulus shows; pulses of 3 µA on all channels at once are seen for half as long.
pub const WASHOUT: u64 = 1000;
/// How far the chance of a spike may move while synapses learn. Without stimulation its mean over channels falls by 0.007 in the first minute.
const LEARNING: Drift = Drift { most: 0.1, within: 60.0 };

/// What is in the dish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tissue {
    /// The network.
    Culture {
        /// Whether its synapses learn.
        plastic: bool,
        /// Whether its axons take time.
        delayed: bool,
    },
    /// The control.
    Poisson,
}

/// A culture as a substrate. Each realization is a dish of its own, grown from the same seed; the seed of the run draws its noise.
#[derive(Debug)]
pub struct CultureSubstrate {
    seed: u64,
    tissue: Tissue,
    profile: Arc<Profile>,
}

/// Opens `twin:culture` by its options; see [`OPTIONS`].
///
/// # Errors
/// `Unsupported` for an option that stands for nothing, or one of a culture given to the control.
pub fn open(options: &mut Options<'_>) -> Result<Arc<dyn Substrate>> {
    let seed = options.take("seed")?.unwrap_or(0);
    let control = choose(options, "source", ["culture", "poisson"])?;
    let [plastic, delayed] = [choose(options, "plasticity", ["off", "on"])?, choose(options, "delays", ["off", "on"])?];
    if control == Some(true) && (plastic.is_some() || delayed.is_some()) {
        return Err(Error::unsupported("the control has neither plasticity nor delays: leave the two options away"));
    }
    let tissue = if control == Some(true) {
        Tissue::Poisson
    } else {
        Tissue::Culture { plastic: plastic == Some(true), delayed: delayed == Some(true) }
    };
    Ok(Arc::new(CultureSubstrate::new(seed, tissue)))
}

/// Whether an option is the second of two words; none if it is not given.
fn choose(options: &mut Options<'_>, key: &str, [first, second]: [&str; 2]) -> Result<Option<bool>> {
    match options.take::<String>(key)? {
        None => Ok(None),
        Some(text) if text == first => Ok(Some(false)),
        Some(text) if text == second => Ok(Some(true)),
        Some(text) => Err(Error::unsupported(format!("option {key:?} is {text:?}, but expects {first:?} or {second:?}"))),
    }
}

impl CultureSubstrate {
    /// A culture of a seed.
    #[must_use]
    pub fn new(seed: u64, tissue: Tissue) -> Self {
        let device = match tissue {
            Tissue::Culture { plastic, delayed } => format!(
                "1000 Izhikevich neurons of seed {seed} on {CHANNELS} electrodes, {} delays, {} plasticity",
                with(delayed),
                with(plastic)
            ),
            Tissue::Poisson => {
                format!("independent spikes of seed {seed} on {CHANNELS} electrodes: a control that does not listen")
            }
        };
        let profile = Profile {
            name: String::from("twin of a culture"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device,
            class: Class::FreeRunning,
            accuracy: Accuracy::single(),
            facets: Facets { rest: true, ..Facets::default() },
            limits: Limits {
                input: [-MOST_CURRENT, MOST_CURRENT],
                out_of_range: OutOfRange::Refuse,
                batch: 1,
                channels: CHANNELS,
                spacing: SPACING,
                ..Limits::default()
            },
            takes: Takes { nodes: vec![CULTURE.to_owned()], cycles: false, ..Takes::default() },
            medium: Some(medium(tissue)),
        };
        Self { seed, tissue, profile: Arc::new(profile) }
    }

    /// A dish as a realization would begin with it.
    #[must_use]
    pub fn dish(&self, run: &Run) -> Dish {
        match self.tissue {
            Tissue::Culture { plastic, delayed } => Dish::culture(Growth {
                delays: delayed,
                plasticity: plastic.then(PairRule::default),
                ..Growth::published(self.seed, run.seed)
            }),
            Tissue::Poisson => Dish::control(Poisson::new(self.seed, run.seed, RATE)),
        }
    }
}

/// What can be promised of spikes about which the program says nothing: each output is nought or one, so that its mean is off the nought of the
/// program by one at most, and its standard deviation is a half at most.
pub(crate) fn medium(tissue: Tissue) -> Medium {
    let (drift, washout) = match tissue {
        Tissue::Culture { plastic: true, .. } => (Some(LEARNING), None),
        Tissue::Culture { .. } => (None, Some(WASHOUT)),
        Tissue::Poisson => (None, Some(0)),
    };
    // of the tissue that it stands for; the twin takes a tenth of it or less
    let price = Price { seconds: program::DT, ..Price::default() };
    Medium { drift, washout, price, ..Medium::new(1.0, 0.5) }
}

fn with(on: bool) -> &'static str {
    if on { "with" } else { "without" }
}

#[async_trait]
impl Substrate for CultureSubstrate {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        program::admit(program, run)?;
        Ok(Box::new(Running::new(self.dish(run), &program.nodes()[0].name, run.cancel.clone())))
    }

    fn exemplars(&self) -> Vec<Program> {
        program::program().into_iter().collect()
    }
}
