//! The layer that plants a defect into a substrate.

use super::Defect;
use super::realization::Planted;
use async_trait::async_trait;
use isoform_core::bound::Precision;
use isoform_core::error::{Error, Result};
use isoform_core::executor::block_on;
use isoform_core::profile::{Facets, Profile};
use isoform_core::program::Program;
use isoform_core::semantics::{Compare, Cycle, Decay, Reset, Semantics};
use isoform_core::state::State;
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_core::tensor::Tensor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A substrate with a planted defect.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Substrate>,
    defect: Defect,
    profile: Arc<Profile>,
    pub(super) shared: Arc<Shared>,
    asked: AtomicUsize,
}

/// What realizations of a defective substrate have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// A state that outlives its realization.
    pub(super) state: Mutex<Option<State>>,
    /// How many realizations are open.
    pub(super) open: AtomicUsize,
    /// Whether it is worn out.
    pub(super) worn: AtomicBool,
    /// What was written since no realization was open.
    pub(super) writes: Mutex<Vec<Write>>,
}

/// What was written to a node of a program.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) program: String,
    pub(super) node: String,
    pub(super) parameter: String,
    pub(super) values: Vec<f64>,
}

impl Faulty {
    /// Plants a defect into a substrate. Most defects need a substrate with the facets memory and tuning.
    #[must_use]
    pub fn new(inner: Arc<dyn Substrate>, defect: Defect) -> Self {
        let mut profile = (*inner.profile()).clone();
        match defect {
            Defect::DeniesFacet => profile.facets.memory = false,
            Defect::ClaimsFacet => profile.facets = Facets { plasticity: true, ..profile.facets },
            Defect::TakesAnything => profile.takes.located = false,
            Defect::LooseTable => profile.accuracy.division = Precision::within(1e12),
            Defect::LowRail => profile.limits.input = [-4.0, 4.0],
            _ => {}
        }
        let shared = Arc::default();
        Self { inner, defect, profile: Arc::new(profile), shared, asked: AtomicUsize::new(0) }
    }

    /// The program as the defective substrate takes it.
    fn taken(&self, program: &Program) -> Result<Program> {
        let s = *program.semantics();
        if self.defect == Defect::OverrideIgnored {
            return Ok(plain(program));
        }
        let replaced: Option<Program> = match self.defect {
            Defect::DeafToLarge => Some(replaced(program, "v_threshold", |_, v| if v > 6.0 { 1e30 } else { v })),
            Defect::FastDecaysLost => Some(replaced(program, "tau", |_, v| if v < s.dt / 3.0 { 1e-3 * s.dt } else { v })),
            Defect::TausShort => Some(replaced(program, "tau", |_, v| 0.99 * v)),
            Defect::NestedGain => Some(replaced(program, "r", |node, v| if node.contains('/') { 1.03 * v } else { v })),
            Defect::DelaysShort => Some(replaced(program, "delay", |_, v| (v - s.dt).max(0.0))),
            _ => None,
        };
        if let Some(replaced) = replaced {
            return Ok(replaced);
        }
        let other: Semantics = match self.defect {
            Defect::EulerAsExact if s.decay == Decay::Exact => s.with_decay(Decay::Euler),
            Defect::ZeroAsSubtract if s.reset == Reset::Subtract => s.with_reset(Reset::ToValue),
            Defect::FiresAtThreshold if s.compare == Compare::Above => s.with_compare(Compare::AtOrAbove),
            Defect::OtherCycleRule if s.cycle == Cycle::LeavingEvent => s.with_cycle(Cycle::EnteringEvent),
            Defect::OtherCycleRule => s.with_cycle(Cycle::LeavingEvent),
            _ => return Ok(program.clone()),
        };
        // what contradicts itself, such as a located test of an Euler flow, is left as it is
        Ok(program.with_semantics(other).unwrap_or_else(|_| program.clone()))
    }
}

/// The program with other values of every parameter whose name begins so, as far as it can be built.
fn replaced(program: &Program, name: &str, value: impl Fn(&str, f64) -> f64) -> Program {
    let mut other = program.clone();
    for node in program.nodes() {
        for (parameter, values) in node.parameters().into_iter().filter(|(p, _)| p.starts_with(name)) {
            let new: Vec<f64> = values.to_f64().into_iter().map(|v| value(&node.name, v)).collect();
            let tensor = Tensor::new(values.shape().clone(), new);
            other = tensor.and_then(|t| other.with_parameter(&node.name, parameter, t)).unwrap_or(other);
        }
    }
    other
}

/// The program with the default semantics for every node, if that can be built.
fn plain(program: &Program) -> Program {
    let mut draft = program.to_builder();
    for node in program.nodes() {
        draft.semantics(&node.name, *program.semantics());
    }
    draft.build(*program.semantics()).unwrap_or_else(|_| program.clone())
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Substrate for Faulty {
    fn profile(&self) -> Arc<Profile> {
        if self.defect == Defect::ProfileChanges {
            let mut profile = (*self.profile).clone();
            profile.device = format!("device {}", self.asked.fetch_add(1, Ordering::Relaxed));
            return Arc::new(profile);
        }
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        if self.defect != Defect::TakesAnything {
            self.profile.admit(program)?;
        }
        if self.shared.worn.load(Ordering::Relaxed) {
            return Err(Error::fault("the device is worn out"));
        }
        if self.defect == Defect::FailsSecond && self.shared.open.load(Ordering::Relaxed) > 0 {
            return Err(Error::fault("the driver is confused"));
        }
        if self.defect == Defect::RefusesPromised
            && let Some(node) = program.nodes().iter().find(|node| node.kind_name() == "dense")
        {
            return Err(Error::unsupported("dense maps are not taken today").with_node(&node.name));
        }
        let taken = self.taken(program)?;
        let mut run = run.clone();
        if self.defect == Defect::CancelIgnored {
            run.cancel = isoform_core::substrate::Cancel::default();
        }
        if self.defect == Defect::SeedIgnored {
            run.seed = 0;
        }
        let mut inner = self.inner.realize(&taken, &run).await?;
        let beside = self.defect == Defect::OpensFromOther && self.shared.open.load(Ordering::Relaxed) > 0;
        if (self.defect == Defect::ReopensDirty || beside)
            && let Ok(kept) = self.shared.state.lock()
            && let Some(state) = kept.as_ref().filter(|s| s.check(&taken, run.batch).is_ok())
            && let Some(memory) = inner.memory()
        {
            block_on(memory.load(state))?;
        }
        Ok(Box::new(Planted::new(inner, self.defect, (program, &taken), &run, Arc::clone(&self.shared))))
    }

    fn exemplars(&self) -> Vec<Program> {
        self.inner.exemplars()
    }

    fn clock(&self) -> Option<Duration> {
        self.inner.clock()
    }
}
