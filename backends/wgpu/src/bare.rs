//! The least that a submission can cost, and a neuron written by hand: what this substrate is measured against.

use crate::adapter;
use crate::fault::WgpuError;
use crate::gpu::Gpu;
use crate::options::Options;
use crate::staging::Staging;
use isoform_core::error::Result;
use isoform_kernels::print::wgsl::Rounding;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor,
    ComputePassDescriptor, ComputePipeline, ComputePipelineDescriptor, PipelineCompilationOptions, ShaderModuleDescriptor,
    ShaderSource,
};

/// A leaky neuron under a held input for so many ticks, which counts its spikes.
const SOURCE: &str = "
@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&state)) {
        return;
    }
    var v = state[id.x];
    var n = 0.0;
    for (var t = 0u; t < TICKSu; t++) {
        v = 0.05 * 1.5 + 0.95 * v;
        let fired = v > 1.0;
        n += select(0.0, 1.0, fired);
        v = select(v, 0.0, fired);
    }
    state[id.x] = v;
    counts[id.x] += u32(n);
}";

/// A kernel by hand on a device of its own.
#[derive(Debug)]
pub struct Bare {
    gpu: Gpu,
    pipeline: ComputePipeline,
    group: BindGroup,
    state: Buffer,
    counts: Buffer,
    staging: Staging,
    neurons: usize,
}

impl Bare {
    /// Compiles the kernel for so many neurons and ticks.
    ///
    /// # Errors
    /// As for the substrate.
    pub fn new(options: &Options, neurons: usize, ticks: usize) -> Result<Self> {
        let gpu = Gpu::new(&adapter::choose(options)?, Rounding::Device)?;
        let (pipeline, group, state, counts) = gpu.watch("preparing a bare launch", || {
            let source = ShaderSource::Wgsl(SOURCE.replace("TICKS", &ticks.to_string()).into());
            let module = gpu.device.create_shader_module(ShaderModuleDescriptor { label: None, source });
            let pipeline = gpu.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some("step"),
                compilation_options: PipelineCompilationOptions::default(),
                cache: None,
            });
            let buffer = || {
                gpu.device.create_buffer(&BufferDescriptor {
                    label: None,
                    size: (neurons * size_of::<f32>()) as u64,
                    usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            };
            let (state, counts) = (buffer(), buffer());
            let entries =
                [(0, &state), (1, &counts)].map(|(k, b)| BindGroupEntry { binding: k, resource: b.as_entire_binding() });
            let layout = &pipeline.get_bind_group_layout(0);
            let group = gpu.device.create_bind_group(&BindGroupDescriptor { label: None, layout, entries: &entries });
            (pipeline, group, state, counts)
        })?;
        let staging = gpu.watch("preparing a bare launch", || Staging::new(&gpu, neurons * size_of::<f32>()))?;
        Ok(Self { gpu, pipeline, group, state, counts, staging, neurons })
    }

    /// Writes numbers, launches the kernel and reads the counts back: what a chunk of one tick cannot do without.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    pub fn there_and_back(&mut self, numbers: &[u8], counts: &mut [u8]) -> Result<()> {
        self.gpu.queue.write_buffer(&self.state, 0, numbers);
        self.round_trip(counts)
    }

    /// Launches the kernel once and reads the counts back.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    pub fn round_trip(&mut self, counts: &mut [u8]) -> Result<()> {
        let mut encoder = self.gpu.device.create_command_encoder(&CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(u32::try_from(self.neurons.div_ceil(64)).unwrap_or(u32::MAX), 1, 1);
        }
        encoder.copy_buffer_to_buffer(&self.counts, 0, &self.staging.buffer, 0, counts.len() as u64);
        let index = self.gpu.queue.submit([encoder.finish()]);
        self.staging
            .collect(&self.gpu, index, counts.len(), |bytes| counts.copy_from_slice(bytes))
            .map_err(|e: WgpuError| e.into())
    }
}
