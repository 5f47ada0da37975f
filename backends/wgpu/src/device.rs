//! A program on a device: its buffers, its kernels, and the commands that were not submitted yet.

use crate::clock::{Clock, READINGS};
use crate::fault::WgpuError;
use crate::gpu::Gpu;
use crate::pipeline::{Compiled, SPAN_BYTES};
use crate::spans::Spans;
use crate::staging::{Staging, pieces};
use isoform_core::error::Result;
use isoform_kernels::device::{Device, Read, spans};
use isoform_kernels::form::Kernel;
use isoform_kernels::lower::{Block, BufferSpec, Contents, Lowered};
use isoform_kernels::print::wgsl::GROUP;
use std::sync::Arc;
use std::time::Duration;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferDescriptor, BufferUsages,
    CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor, SubmissionIndex,
};

/// Submissions that may wait at the device, so that a request to cancel does not come after all of them.
const AHEAD: usize = 3;

/// Fewer items and ticks than this take less time than reading the clock of the device.
const WORTH_TIMING: usize = 1 << 16;

/// A program on a device.
#[derive(Debug)]
pub(crate) struct Loaded {
    gpu: Arc<Gpu>,
    parts: Parts,
    staging: Staging,
    clock: Option<Clock>,
    pending: Pending,
    in_flight: [Option<SubmissionIndex>; AHEAD],
    submitted: usize,
}

/// What is replaced as a whole when the program changes.
#[derive(Debug)]
struct Parts {
    specs: Vec<BufferSpec>,
    buffers: Vec<Buffer>,
    kernels: Vec<Bound>,
    spans: Spans,
}

/// A compiled kernel with its buffers.
#[derive(Debug)]
struct Bound {
    compiled: Arc<Compiled>,
    group: BindGroup,
}

/// Commands that were not submitted yet.
#[derive(Debug, Default)]
struct Pending {
    encoder: Option<CommandEncoder>,
    /// Whether there are launches among them.
    launched: bool,
    /// The buffers that they clear.
    cleared: Vec<usize>,
}

impl Loaded {
    /// Puts a program onto a device.
    pub(crate) fn new(gpu: Arc<Gpu>, lowered: &Lowered, contents: &[Contents]) -> Result<Self> {
        let parts = Parts::new(&gpu, lowered, None)?;
        let largest = parts.specs.iter().map(|s| s.len * size_of::<f32>()).max().unwrap_or(0);
        let (staging, clock) =
            gpu.watch("allocating buffers", || (Staging::new(&gpu, largest.min(1 << 20)), Clock::new(&gpu.device, &gpu.queue)))?;
        let loaded =
            Self { gpu, parts, staging, clock, pending: Pending::default(), in_flight: [const { None }; AHEAD], submitted: 0 };
        loaded.fill(contents)?;
        Ok(loaded)
    }

    fn fill(&self, contents: &[Contents]) -> Result<(), WgpuError> {
        self.gpu.watch("writing constants", || {
            for constant in contents {
                self.gpu.queue.write_buffer(&self.parts.buffers[constant.buffer], 0, bytemuck::cast_slice(&constant.words));
            }
        })
    }

    /// Submits what is pending.
    fn submit(&mut self) -> Result<Option<SubmissionIndex>, WgpuError> {
        let Some(encoder) = self.pending.take() else { return Ok(None) };
        let gpu = &self.gpu;
        let index = gpu.watch("submitting", || gpu.queue.submit([encoder.finish()]))?;
        let place = self.submitted % AHEAD;
        self.submitted += 1;
        if let Some(earlier) = self.in_flight[place].replace(index.clone()) {
            gpu.wait(earlier)?;
        }
        Ok(Some(index))
    }
}

impl Pending {
    fn encoder(&mut self, gpu: &Gpu) -> &mut CommandEncoder {
        self.encoder.get_or_insert_with(|| gpu.device.create_command_encoder(&CommandEncoderDescriptor { label: Some("block") }))
    }

    fn take(&mut self) -> Option<CommandEncoder> {
        self.launched = false;
        self.cleared.clear();
        self.encoder.take()
    }
}

impl Parts {
    /// Allocates buffers and compiles kernels; buffers of the same name and size are taken over from before.
    fn new(gpu: &Gpu, lowered: &Lowered, before: Option<&Self>) -> Result<Self> {
        for kernel in &lowered.kernels {
            gpu.admit(kernel)?;
        }
        let specs = lowered.buffers().to_vec();
        let found = |spec: &BufferSpec| {
            let before = before?;
            before.specs.iter().position(|s| s == spec).map(|k| before.buffers[k].clone())
        };
        let buffers = gpu.watch("allocating buffers", || {
            specs.iter().map(|spec| found(spec).unwrap_or_else(|| buffer(gpu, spec))).collect::<Vec<_>>()
        })?;
        let spans =
            gpu.watch("allocating buffers", || Spans::new(&gpu.device, gpu.limits.min_uniform_buffer_offset_alignment, lowered))?;
        let kernels =
            lowered.kernels.iter().map(|kernel| bind(gpu, kernel, &buffers, &spans)).collect::<Result<Vec<_>, WgpuError>>()?;
        Ok(Self { specs, buffers, kernels, spans })
    }
}

fn buffer(gpu: &Gpu, spec: &BufferSpec) -> Buffer {
    gpu.device.create_buffer(&BufferDescriptor {
        label: Some(&spec.name),
        size: (spec.len * size_of::<f32>()) as u64,
        usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn bind(gpu: &Gpu, kernel: &Kernel, buffers: &[Buffer], spans: &Spans) -> Result<Bound, WgpuError> {
    let compiled = gpu.compile(kernel)?;
    let told = BindingResource::Buffer(BufferBinding { buffer: &spans.buffer, offset: 0, size: Some(SPAN_BYTES) });
    let mut entries = vec![BindGroupEntry { binding: 0, resource: told }];
    for (k, binding) in kernel.bindings.iter().enumerate() {
        entries.push(BindGroupEntry { binding: k as u32 + 1, resource: buffers[binding.buffer].as_entire_binding() });
    }
    let group = gpu.watch("binding buffers", || {
        let label = Some(kernel.name.as_str());
        gpu.device.create_bind_group(&BindGroupDescriptor { label, layout: &compiled.layout, entries: &entries })
    })?;
    Ok(Bound { compiled, group })
}

/// Workgroups in two dimensions, neither above `most`.
fn grid(items: usize, most: u32) -> [u32; 2] {
    let groups = items.div_ceil(GROUP as usize);
    let rows = groups.div_ceil(most.max(1) as usize).max(1);
    [groups.div_ceil(rows) as u32, rows as u32]
}

impl Device for Loaded {
    fn reload(&mut self, lowered: &Lowered, contents: &[Contents]) -> Result<()> {
        self.submit()?;
        self.parts = Parts::new(&self.gpu, lowered, Some(&self.parts))?;
        Ok(self.fill(contents)?)
    }

    fn write(&mut self, buffer: usize, at: usize, bytes: &[u8]) -> Result<()> {
        // what is written comes before all that is pending
        if self.pending.launched || self.pending.cleared.contains(&buffer) {
            self.submit()?;
        }
        let (gpu, buffer) = (&self.gpu, &self.parts.buffers[buffer]);
        Ok(gpu.watch("writing to a buffer", || gpu.queue.write_buffer(buffer, at as u64, bytes))?)
    }

    fn clear(&mut self, buffer: usize) -> Result<()> {
        self.pending.cleared.push(buffer);
        self.pending.encoder(&self.gpu).clear_buffer(&self.parts.buffers[buffer], 0, None);
        Ok(())
    }

    fn launch(&mut self, lowered: &Lowered, block: Block) -> Result<()> {
        if self.pending.launched {
            self.submit()?;
        }
        self.pending.launched = true;
        let (gpu, parts) = (&self.gpu, &mut self.parts);
        gpu.watch("launching a block", || {
            parts.spans.send(&gpu.queue, lowered, block);
            let items: usize = lowered.kernels.iter().map(|k| k.count(block.ticks)).sum();
            let noted = self.clock.as_mut().filter(|_| items * block.ticks >= WORTH_TIMING).map(Clock::note);
            let described = ComputePassDescriptor { label: Some("block"), timestamp_writes: noted };
            let mut pass = self.pending.encoder(gpu).begin_compute_pass(&described);
            let mut last = None;
            spans(lowered.launches(block), |place, _, launch| {
                let bound = &parts.kernels[launch.kernel];
                if last.replace(launch.kernel) != Some(launch.kernel) {
                    pass.set_pipeline(&bound.compiled.pipeline);
                }
                pass.set_bind_group(0, &bound.group, &[parts.spans.offset(place)]);
                let items = lowered.kernels[launch.kernel].count(launch.span[1] as usize);
                let [x, y] = grid(items, gpu.limits.max_compute_workgroups_per_dimension);
                pass.dispatch_workgroups(x, y, 1);
            });
        })?;
        Ok(())
    }

    fn read(&mut self, wanted: &mut [Read<'_>]) -> Result<()> {
        let total = wanted.iter().map(|r| r.into.len().next_multiple_of(8)).sum();
        if self.staging.is_short_of(total) {
            self.staging = self.gpu.watch("allocating buffers", || Staging::new(&self.gpu, total))?;
        }
        let mut from = (0, 0);
        while from.0 < wanted.len() {
            let pieces = pieces(wanted, &mut from, self.staging.room());
            let encoder = self.pending.encoder(&self.gpu);
            let timed = self.clock.as_mut().is_some_and(|clock| clock.copy(encoder, &self.staging.buffer));
            for p in &pieces {
                let (read, to) = (&wanted[p.read], READINGS + p.staged as u64);
                let source = &self.parts.buffers[read.buffer];
                encoder.copy_buffer_to_buffer(source, (read.at + p.start) as u64, &self.staging.buffer, to, p.len as u64);
            }
            let Some(index) = self.submit()? else { continue };
            let clock = self.clock.as_mut().filter(|_| timed);
            let bytes = READINGS as usize + pieces.last().map_or(0, |p| p.staged + p.len);
            self.staging.collect(&self.gpu, index, bytes, |staged| {
                let (readings, numbers) = staged.split_at(READINGS as usize);
                if let Some(clock) = clock {
                    clock.take(readings);
                }
                for p in &pieces {
                    wanted[p.read].into[p.start..p.start + p.len].copy_from_slice(&numbers[p.staged..p.staged + p.len]);
                }
            })?;
            self.in_flight = [const { None }; AHEAD];
        }
        Ok(())
    }

    fn spent(&mut self) -> Option<Duration> {
        self.clock.as_mut().and_then(Clock::spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_all_items_within_the_limit() {
        for (items, most) in [(1, 65535), (64, 65535), (65, 65535), (64 * 65535 + 1, 65535), (1 << 30, 65535), (500, 3)] {
            let [x, y] = grid(items, most).map(|n| n as usize);
            assert!(x <= most as usize && y <= most as usize, "{items} items in {x} by {y} groups");
            assert!(x * y * GROUP as usize >= items && x * y * (GROUP as usize) < items + (y + 1) * GROUP as usize);
        }
        assert_eq!(grid(64, 65535), [1, 1]);
    }
}
