//! A realization with a planted defect.

use super::Defect;
use super::facets::there;
use super::layer::Shared;
use async_trait::async_trait;
use isoform_core::calibration::Calibration;
use isoform_core::error::{Error, Result};
use isoform_core::executor::block_on;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Memory, Plasticity, Realization, Rest, Run, Tuning};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A sample is dropped or doubled only in chunks of at least this many ticks.
const LONG: usize = 16;

#[derive(Debug)]
pub(super) struct Planted {
    pub(super) inner: Box<dyn Realization>,
    pub(super) defect: Defect,
    pub(super) program: Program,
    pub(super) taken: Program,
    run: Run,
    pub(super) shared: Arc<Shared>,
    /// Ticks since the reset, or since ever for what drifts.
    ticks: u64,
    advances: u64,
    pub(super) loads: usize,
    resets: usize,
    pub(super) last: Vec<f32>,
    kept: Vec<Vec<u8>>,
    /// Whether anything was computed yet.
    pub(super) used: bool,
    /// What was written, and is read, but not used.
    pub(super) unused: HashMap<(String, String), Vec<f64>>,
    /// How many of the shared writes were taken over.
    pub(super) heard: usize,
}

impl Planted {
    pub(super) fn new(
        inner: Box<dyn Realization>,
        defect: Defect,
        (program, taken): (&Program, &Program),
        run: &Run,
        shared: Arc<Shared>,
    ) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        let (program, taken, run) = (program.clone(), taken.clone(), run.clone());
        Self {
            inner,
            defect,
            program,
            taken,
            run,
            shared,
            ticks: 0,
            advances: 0,
            loads: 0,
            resets: 0,
            last: Vec::new(),
            kept: Vec::new(),
            used: false,
            unused: HashMap::new(),
            heard: 0,
        }
    }

    /// The input as the defect distorts it.
    fn distort(&self, x: &mut [f32], ticks: usize) {
        let (batch, channels) = (self.run.batch, self.program.input_channels());
        let row = batch * channels;
        match self.defect {
            Defect::Gain => x.iter_mut().for_each(|v| *v *= 1.03),
            Defect::Offset => x.iter_mut().for_each(|v| *v += 0.06),
            Defect::Rail => x.iter_mut().for_each(|v| *v = v.clamp(-20.0, 20.0)),
            Defect::LowRail => x.iter_mut().for_each(|v| *v = v.clamp(-2.6, 2.6)),
            Defect::SeedShows => x.iter_mut().for_each(|v| *v += (self.run.seed % 7) as f32 * 1e-2),
            Defect::SlowDrift => {
                for (tick, x) in x.chunks_exact_mut(row.max(1)).enumerate() {
                    let factor = 1.0 - 1e-7 * (self.ticks + tick as u64) as f32;
                    x.iter_mut().for_each(|v| *v *= factor);
                }
            }
            Defect::CrossTalk => {
                for lane in x.chunks_exact_mut(channels.max(1)) {
                    for c in (1..channels).rev() {
                        lane[c] += 0.02 * lane[c - 1];
                    }
                }
            }
            Defect::MergedInputs => {
                for lane in x.chunks_exact_mut(channels.max(1)) {
                    if let [.., a, b] = lane {
                        (*a, *b) = (0.5 * (*a + *b), 0.5 * (*a + *b));
                    }
                }
            }
            Defect::LanesLeak if batch > 1 => {
                for x in x.chunks_exact_mut(row.max(1)) {
                    for c in 0..channels {
                        x[channels + c] += 0.05 * x[c];
                    }
                }
            }
            Defect::PeeksAhead => {
                for i in 0..x.len().saturating_sub(row) {
                    x[i] = 0.5 * (x[i] + x[i + row]);
                }
            }
            Defect::DroppedSample if ticks >= LONG => x.copy_within((LONG / 2 + 1) * row.., LONG / 2 * row),
            Defect::DuplicatedSample if ticks >= LONG => {
                let end = x.len() - row;
                x.copy_within(LONG / 2 * row..end, (LONG / 2 + 1) * row);
            }
            Defect::LostBoundary if self.advances > 0 && ticks > 0 => x[..row].fill(0.0),
            _ => {}
        }
    }

    /// The output as the defect distorts it.
    fn garble(&mut self, y: &mut Vec<f32>) {
        let channels = self.program.output_channels();
        let dead = |dead: &dyn Fn(usize, usize) -> bool, y: &mut [f32]| {
            for (row, y) in y.chunks_exact_mut(channels.max(1)).enumerate() {
                let lane = row % self.run.batch;
                y.iter_mut().enumerate().filter(|(c, _)| dead(lane, *c)).for_each(|(_, v)| *v = 0.0);
            }
        };
        match self.defect {
            Defect::DeadChannels => dead(&|_, channel| channel >= 64, y),
            Defect::DeadLanes => dead(&|lane, _| lane >= 4, y),
            Defect::Tires => {
                let row = self.run.batch * channels;
                let left = 64_usize.saturating_sub(usize::try_from(self.ticks).unwrap_or(usize::MAX));
                y.iter_mut().skip(left.saturating_mul(row)).for_each(|v| *v = 0.0);
            }
            Defect::NanSwallowed => y.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0),
            Defect::LateByOne => {
                let row = self.run.batch * self.program.output_channels();
                let mut late = self.last.clone();
                late.resize(row, 0.0);
                late.extend_from_slice(y);
                self.last = late.split_off(y.len());
                *y = late;
            }
            Defect::StaleReply => {
                let fresh = y.clone();
                if self.advances % 5 == 4 && self.last.len() == y.len() {
                    y.copy_from_slice(&self.last);
                }
                self.last = fresh;
            }
            _ => {}
        }
    }

    fn swap(&mut self, load: bool) -> Result<()> {
        let Some(memory) = self.inner.memory() else { return Ok(()) };
        let Ok(mut kept) = self.shared.state.lock() else { return Ok(()) };
        match kept.as_ref().filter(|s| load && s.check(&self.taken, self.run.batch).is_ok()) {
            Some(state) => block_on(memory.load(state)),
            None if load => Ok(()),
            None => {
                *kept = Some(block_on(memory.save())?);
                Ok(())
            }
        }
    }

    /// The state under the digest of the program that was asked for, or of the one that was taken.
    pub(super) fn readdressed(state: &State, program: &Program) -> State {
        State { program: program.digest().to_string(), ..state.clone() }
    }

    /// The state with two of the states of each node in each other's place.
    pub(super) fn swapped(mut state: State) -> State {
        let is_state = |name: &str| !name.starts_with("line ") && !name.starts_with("previous ");
        for i in 1..state.blocks.len() {
            let (before, rest) = state.blocks.split_at_mut(i);
            let (Some(a), Some(b)) = (before.last_mut(), rest.first_mut()) else { continue };
            if a.node == b.node && is_state(&a.name) && is_state(&b.name) {
                std::mem::swap(&mut a.values, &mut b.values);
            }
        }
        state
    }

    /// Takes over what was written to others of the same program.
    pub(super) async fn hear(&mut self) -> Result<()> {
        let all = self.shared.writes.lock().map(|writes| writes.clone()).unwrap_or_default();
        let program = self.program.digest().to_string();
        for write in all.iter().skip(self.heard).filter(|write| write.program == program) {
            there(self.inner.tuning())?.write(&write.node, &write.parameter, &write.values).await?;
        }
        self.heard = all.len();
        Ok(())
    }

    pub(super) async fn slip(&mut self) -> Result<()> {
        let mut y = vec![0.0; self.run.output(&self.program, 1).len()];
        let x = vec![0.5; self.run.input(&self.program, 1).len()];
        self.inner.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1).await.map(|_| ())
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        if self.shared.open.fetch_sub(1, Ordering::Relaxed) == 1
            && let Ok(mut writes) = self.shared.writes.lock()
        {
            writes.clear();
        }
        // what panicked may panic again, which would end the process
        if self.defect == Defect::ReopensDirty && !std::thread::panicking() {
            // a defect that cannot be planted shows in the table of defects
            let _ = self.swap(false);
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Realization for Planted {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        match self.defect {
            Defect::EmptyFails if ticks == 0 => return Err(Error::fault("nothing to do").with_state_lost()),
            Defect::Panics => assert!(ticks < LONG, "a planted panic"),
            Defect::MemoryLeak => self.kept.push(vec![1; 1024]),
            Defect::Wearout if self.ticks > 100_000 => self.shared.worn.store(true, Ordering::Relaxed),
            Defect::SharedState => self.swap(true)?,
            Defect::WritesShared => self.hear().await?,
            _ => {}
        }
        let mut dense = vec![0.0; input.len()];
        for tick in 0..ticks {
            x.row(input, tick, &mut dense[tick * input.row()..(tick + 1) * input.row()]);
            if self.defect == Defect::HeldOnce && tick > 0 && matches!(x, Signal::Held(_)) {
                dense[tick * input.row()..].fill(0.0);
            }
        }
        if self.defect == Defect::EventsOnce && self.advances > 0 && matches!(x, Signal::Events(_)) {
            dense.fill(0.0);
        }
        self.distort(&mut dense, ticks);
        let mut result = vec![0.0; output.len()];
        let report = self.inner.advance(Signal::Dense(&dense), SignalMut::Dense(&mut result), ticks).await?;
        self.garble(&mut result);
        if let (Defect::CountsReplaced, SignalMut::Counts(counts)) = (self.defect, &mut y) {
            counts.fill(0);
        }
        for tick in 0..report.ticks {
            y.put(output, tick, &result[tick * output.row()..(tick + 1) * output.row()]);
        }
        if matches!(self.defect, Defect::SharedState | Defect::OpensFromOther) {
            self.swap(false)?;
        }
        self.used = true;
        self.ticks += report.ticks as u64;
        self.advances += 1;
        Ok(report)
    }

    async fn reset(&mut self) -> Result<()> {
        let before = match (self.defect, self.inner.memory()) {
            (Defect::ResetLeavesResidue | Defect::ResetSkipsChannel, Some(memory)) => Some(memory.save().await?),
            _ => None,
        };
        self.inner.reset().await?;
        self.resets += 1;
        if self.defect == Defect::LeaksInSteps && self.resets.is_multiple_of(3) {
            self.kept.push(vec![1; 1 << 20]);
        }
        if let (Some(before), Some(memory)) = (before, self.inner.memory()) {
            let mut after = memory.save().await?;
            let batch = self.run.batch;
            for (new, old) in after.blocks.iter_mut().zip(&before.blocks) {
                let len = new.values.len() / batch.max(1);
                for (i, (new, old)) in new.values.iter_mut().zip(&old.values).enumerate() {
                    if self.defect == Defect::ResetLeavesResidue {
                        *new += 0.05 * (old - *new);
                    } else if i % len == len - 1 {
                        *new = *old;
                    }
                }
            }
            memory.load(&after).await?;
        }
        if self.defect == Defect::LateByOne {
            self.last.clear();
        }
        if !matches!(self.defect, Defect::Wearout | Defect::SlowDrift) {
            self.ticks = 0;
        }
        self.advances = 0;
        if self.defect == Defect::SharedState {
            self.swap(false)?;
        }
        Ok(())
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        self.inner.memory().is_some().then_some(self as &mut dyn Memory)
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        self.inner.tuning().is_some().then_some(self as &mut dyn Tuning)
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        self.inner.calibration()
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        self.inner.rest()
    }
}
