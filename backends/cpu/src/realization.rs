//! A program on the processor, with its state.

use crate::output::Out;
use crate::plan::Plan;
use crate::shard::{Block, Shard};
use async_trait::async_trait;
use isoform_core::error::Result;
use isoform_core::lanes::InstructionSet;
use isoform_core::program::{Node, Program};
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Memory, Realization, Run, Tuning};
use rayon::ThreadPool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// No block is longer, so that a request to cancel is soon seen.
const LONGEST_BLOCK: usize = 64;
/// Nanoseconds that a block should take at most, for the same reason. States that do not fit into the cache come from memory once
/// a block, so that much shorter blocks would halve the speed of a million neurons.
const BLOCK_NS: f64 = 4e6;
/// Shorter blocks would spend their time on states that come from afar.
const SHORTEST_BLOCK: usize = 8;
/// Buffers of a block should stay in the second cache: so many bytes.
const BLOCK_BYTES: usize = 1 << 19;
/// Nanoseconds of work below which waking other threads costs more than it brings.
const WORTH_WAKING: f64 = 5e4;

/// Nanoseconds of work below which reading the clock twice would cost as much as the work.
const WORTH_TIMING: f64 = 500.0;

/// A program on the processor.
#[derive(Debug)]
pub(crate) struct CpuRealization {
    /// The program as it was realised: states belong to it.
    pub(crate) program: Program,
    /// The program with parameters as they are.
    pub(crate) tuned: Program,
    pub(crate) run: Run,
    pub(crate) plan: Plan,
    pub(crate) shards: Vec<Shard>,
    /// Ticks since the reset.
    pub(crate) tick: u64,
    pool: Option<Arc<ThreadPool>>,
    /// Ticks in a block.
    block: usize,
    /// Into how many pieces the steps of one shard may be split.
    helpers: usize,
    /// Nanoseconds that a tick takes on one core, roughly.
    cost: f64,
    /// Bytes of states, rows and parameters.
    memory: u64,
}

impl CpuRealization {
    pub(crate) fn new(
        program: &Program,
        run: &Run,
        instructions: InstructionSet,
        threads: usize,
        pool: Option<Arc<ThreadPool>>,
    ) -> Result<Self> {
        let count = threads.min(run.batch).max(1);
        let helpers = threads.div_ceil(count);
        let plan = Plan::new(program, run.seed, run.batch.div_ceil(count), instructions)?;
        let cost = plan.cost() * run.batch as f64;
        let block = block_length(&plan, cost, run.batch.div_ceil(count)).min(run.max_ticks.max(1));
        let mut shards = Vec::with_capacity(count);
        let mut first = 0;
        for k in 0..count {
            let end = (run.batch * (k + 1)).div_ceil(count);
            shards.push(Shard::new(&plan, first, end - first, block, helpers)?);
            first = end;
        }
        let parameters = program.nodes().iter().flat_map(Node::parameters).map(|(_, values)| values.len() * size_of::<f32>());
        let memory = shards.iter().map(Shard::bytes).chain(parameters).sum::<usize>() as u64;
        let mut realization = Self {
            program: program.clone(),
            tuned: program.clone(),
            run: run.clone(),
            plan,
            shards,
            tick: 0,
            pool,
            block,
            helpers,
            cost,
            memory,
        };
        realization.restart();
        Ok(realization)
    }

    fn restart(&mut self) {
        let initial = State::initial(&self.tuned, self.run.batch);
        self.adopt(&initial);
    }

    /// Runs blocks until the chunk ends or somebody cancels; gives the ticks that were done.
    fn blocks(&mut self, signal: Signal<'_>, y: SignalMut<'_>, ticks: usize, helpers: usize) -> usize {
        let extent = self.plan.input(ticks, self.run.batch);
        let mut out = Out::new(y, Extent { ticks, batch: self.run.batch, channels: self.plan.layout.channels[1] });
        let mut done = 0;
        while done < ticks && !self.run.cancel.is_raised() {
            let count = self.block.min(ticks - done);
            let tick = self.tick + done as u64;
            let block = Block { signal, extent, from: done, ticks: count, tick, helpers: helpers.max(1) };
            drive(&self.plan, &mut self.shards, &block, out.ticks(done, count), helpers > 0);
            done += count;
        }
        done
    }
}

/// How many ticks pass from step to step at a time.
fn block_length(plan: &Plan, cost: f64, batch: usize) -> usize {
    let bytes: usize = plan.working_set().saturating_mul(batch).saturating_mul(size_of::<f32>());
    let cached = BLOCK_BYTES / bytes.max(1);
    let prompt = (BLOCK_NS / cost.max(1.0)) as usize;
    cached.min(prompt).clamp(SHORTEST_BLOCK, LONGEST_BLOCK)
}

/// Runs a block on all shards, each on its own thread where there are several.
fn drive(plan: &Plan, shards: &mut [Shard], block: &Block<'_>, out: Out<'_>, threaded: bool) {
    match shards {
        [] => {}
        [shard] => shard.run(plan, block, out),
        several => {
            let (a, b) = several.split_at_mut(several.len() / 2);
            let lane = b[0].first - a[0].first;
            let (left, right) = out.split_at(lane, plan.layout.channels[1]);
            if threaded {
                rayon::join(|| drive(plan, a, block, left, threaded), || drive(plan, b, block, right, threaded));
            } else {
                drive(plan, a, block, left, threaded);
                drive(plan, b, block, right, threaded);
            }
        }
    }
}

#[async_trait]
impl Realization for CpuRealization {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = (self.cost * ticks as f64 > WORTH_TIMING).then(Instant::now);
        let pool = if self.cost * ticks as f64 > WORTH_WAKING { self.pool.clone() } else { None };
        let done = match pool {
            Some(pool) => {
                let helpers = self.helpers;
                pool.install(|| self.blocks(x, y, ticks, helpers))
            }
            None => self.blocks(x, y, ticks, 0),
        };
        self.tick += done as u64;
        Ok(Report { wall: start.map_or(Duration::ZERO, |s| s.elapsed()), memory: self.memory, ..Report::of(done) })
    }

    async fn reset(&mut self) -> Result<()> {
        self.restart();
        Ok(())
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}
