//! A program on a device, with its state.

use crate::device::{Device, Read, Reads};
use crate::error::KernelError;
use crate::lower::{Block, Contents, Lowered, Target, lower};
use crate::staging::{Kept, Rows, add_counts, output_rows, put};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::oracle::{read_parameter, tuned};
use isoform_core::program::{NodeKind, Program};
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Memory, Realization, Run, Tuning};
use std::time::Instant;

/// A program on a device.
#[derive(Debug)]
pub struct KernelRealization<D> {
    /// The program as it was realised: states belong to it.
    program: Program,
    /// The program with parameters as they are.
    tuned: Program,
    run: Run,
    target: Target,
    lowered: Lowered,
    device: D,
    /// Ticks since the reset.
    tick: u64,
    inputs: Vec<Rows>,
    outputs: Vec<(Rows, usize)>,
    counts: Vec<Vec<u32>>,
    /// One row of the output signal.
    row: Vec<f32>,
    kept: Vec<Kept>,
}

impl<D: Device> KernelRealization<D> {
    /// Lowers a program and loads it onto a device.
    ///
    /// # Errors
    /// As [`lower`], and what `load` says.
    pub fn new(
        program: &Program,
        run: &Run,
        target: Target,
        load: impl FnOnce(&Lowered, &[Contents]) -> Result<D>,
    ) -> Result<Self> {
        let target = Target { longest_block: target.longest_block.min(run.max_ticks.max(1)), ..target };
        let (lowered, contents) = lower(program, run.batch, run.seed, &target)?;
        let device = load(&lowered, &contents)?;
        drop(contents);
        let plan = &lowered.layout.plan;
        let inputs = plan.inputs.iter().map(|p| Rows::new(&lowered.layout, p.staging)).collect();
        let outputs = plan
            .outputs
            .iter()
            .map(|o| {
                let (buffer, ..) = output_rows(&lowered.layout, o.source, 1, false);
                (Rows::new(&lowered.layout, buffer), 0)
            })
            .collect();
        let counts = plan.outputs.iter().map(|o| vec![0; o.channels * run.batch]).collect();
        let row = vec![0.0; plan.channels[1] * run.batch];
        let kept = Kept::all(&lowered, program.schedule().memory.iter().map(|m| m.len));
        let mut realization = Self {
            program: program.clone(),
            tuned: program.clone(),
            run: run.clone(),
            target,
            lowered,
            device,
            tick: 0,
            inputs,
            outputs,
            counts,
            row,
            kept,
        };
        realization.restart()?;
        Ok(realization)
    }

    /// The program as kernels.
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// Bytes of the buffers on the device and of those that signals pass through.
    fn memory_bytes(&self) -> usize {
        let numbers: usize = self.inputs.iter().chain(self.outputs.iter().map(|(rows, _)| rows)).map(Rows::len).sum();
        let counts: usize = self.counts.iter().map(Vec::len).sum();
        self.lowered.bytes() + (numbers + counts + self.row.len()) * size_of::<f32>()
    }

    fn restart(&mut self) -> Result<()> {
        let initial = State::initial(&self.tuned, self.run.batch);
        self.adopt(&initial)
    }

    /// Numbers from row to row of what is kept.
    fn stride(&self, kept: &Kept) -> usize {
        self.lowered.layout.padded(kept.channels * self.run.batch)
    }

    fn adopt(&mut self, state: &State) -> Result<()> {
        self.tick = state.tick;
        for k in 0..self.kept.len() {
            let kept = self.kept[k];
            let stride = self.stride(&kept);
            let (buffer, at, len) = kept.range(stride);
            let mut numbers = vec![0.0_f32; len];
            let values = &state.blocks[k].values;
            kept.exchange(stride, self.run.batch, state.tick, |to, from| numbers[to] = values[from] as f32);
            self.device.write(buffer, at * size_of::<f32>(), bytemuck::cast_slice(&numbers))?;
        }
        Ok(())
    }

    /// Runs blocks until the chunk ends or somebody cancels; gives the ticks that were done.
    fn blocks(&mut self, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<usize> {
        let counting = matches!(y, SignalMut::Counts(_));
        let held = matches!(x, Signal::Held(_));
        if counting {
            for &buffer in &self.lowered.count_buffers {
                self.device.clear(buffer)?;
            }
        }
        let mut done = 0;
        while done < ticks && !self.run.cancel.is_raised() {
            let count = self.lowered.block_of(held, counting).min(ticks - done);
            if !held || done == 0 {
                self.send(x, ticks, done..done + count)?;
            }
            let block = Block { ticks: count, tick: self.tick + done as u64, held, counting };
            self.device.launch(&self.lowered, block)?;
            if !counting {
                self.fetch(count, held)?;
                let extent = Extent { ticks, batch: self.run.batch, channels: self.lowered.layout.plan.channels[1] };
                put(&self.lowered.layout, &self.outputs, y, extent, done..done + count, &mut self.row);
            }
            done += count;
        }
        if let SignalMut::Counts(counts) = y {
            self.fetch_counts(counts, ticks)?;
        }
        Ok(done)
    }

    fn send(&mut self, x: Signal<'_>, total: usize, ticks: std::ops::Range<usize>) -> Result<()> {
        let plan = &self.lowered.layout.plan;
        let extent = Extent { ticks: total, batch: self.run.batch, channels: plan.channels[0] };
        for (rows, port) in self.inputs.iter_mut().zip(&plan.inputs) {
            let count = rows.take(x, extent, ticks.clone(), port);
            self.device.write(port.staging, 0, rows.bytes(count))?;
        }
        Ok(())
    }

    fn fetch(&mut self, ticks: usize, held: bool) -> Result<()> {
        let (layout, mut reads) = (&self.lowered.layout, Reads::new());
        for ((rows, count), output) in self.outputs.iter_mut().zip(&layout.plan.outputs) {
            let (buffer, at, available) = output_rows(layout, output.source, ticks, held);
            *count = available;
            reads.push(Read { buffer, at, into: rows.bytes_mut(available) });
        }
        self.device.read(&mut reads)
    }

    fn fetch_counts(&mut self, y: &mut [u32], ticks: usize) -> Result<()> {
        let mut reads = Reads::new();
        for (counts, &buffer) in self.counts.iter_mut().zip(&self.lowered.count_buffers) {
            reads.push(Read { buffer, at: 0, into: bytemuck::cast_slice_mut(counts) });
        }
        self.device.read(&mut reads)?;
        drop(reads);
        let plan = &self.lowered.layout.plan;
        let extent = Extent { ticks, batch: self.run.batch, channels: plan.channels[1] };
        for (counts, output) in self.counts.iter().zip(&plan.outputs) {
            add_counts(counts, [output.offset, output.channels], extent, y);
        }
        Ok(())
    }
}

#[async_trait]
impl<D: Device> Realization for KernelRealization<D> {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        let done = self.blocks(x, &mut y, ticks).map_err(Error::with_state_lost)?;
        self.tick += done as u64;
        let memory = self.memory_bytes() as u64;
        Ok(Report { wall: start.elapsed(), device: self.device.spent(), memory, ..Report::of(done) })
    }

    async fn reset(&mut self) -> Result<()> {
        self.restart().map_err(Error::with_state_lost)
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        Some(self)
    }
}

#[async_trait]
impl<D: Device> Memory for KernelRealization<D> {
    async fn save(&mut self) -> Result<State> {
        let mut state = State::initial(&self.program, self.run.batch);
        state.tick = self.tick;
        for k in 0..self.kept.len() {
            let kept = self.kept[k];
            let stride = self.stride(&kept);
            let (buffer, at, len) = kept.range(stride);
            let mut numbers = vec![0.0_f32; len];
            let into = bytemuck::cast_slice_mut(&mut numbers);
            self.device.read(&mut [Read { buffer, at: at * size_of::<f32>(), into }]).map_err(Error::with_state_lost)?;
            let values = &mut state.blocks[k].values;
            kept.exchange(stride, self.run.batch, self.tick, |from, to| values[to] = f64::from(numbers[from]));
        }
        Ok(state)
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.program, self.run.batch)?;
        self.adopt(state).map_err(Error::with_state_lost)
    }
}

#[async_trait]
impl<D: Device> Tuning for KernelRealization<D> {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let (_, found) = self.tuned.node(node)?;
        let values = read_parameter(&self.tuned, node, parameter)?;
        let single = !matches!(&found.kind, NodeKind::Delay { .. });
        Ok(if single { values.into_iter().map(|v| f64::from(v as f32)).collect() } else { values })
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let (_, found) = self.tuned.node(node)?;
        read_parameter(&self.tuned, node, parameter)?;
        if matches!(&found.kind, NodeKind::Delay { .. }) {
            return Err(KernelError::Fixed { parameter: parameter.to_owned(), node: node.to_owned() }.into());
        }
        // rounded first, so that what follows from the value follows from the one that is given back
        let set: Vec<f64> = values.iter().map(|&v| f64::from(v as f32)).collect();
        if set.iter().any(|v| !v.is_finite()) {
            return Err(KernelError::Range { what: "a parameter", node: node.to_owned() }.into());
        }
        let program = tuned(&self.tuned, node, parameter, &set)?;
        let (lowered, contents) = lower(&program, self.run.batch, self.run.seed, &self.target)?;
        if lowered.buffers() == self.lowered.buffers() && lowered.kernels == self.lowered.kernels {
            for constant in &contents {
                self.device.write(constant.buffer, 0, bytemuck::cast_slice(&constant.words)).map_err(Error::with_state_lost)?;
            }
        } else {
            self.device.reload(&lowered, &contents)?;
        }
        self.lowered = lowered;
        self.tuned = program;
        Ok(set)
    }
}
