//! Compiled kernels, kept so that the same text is compiled once.

use crate::fault::WgpuError;
use crate::gpu::Gpu;
use isoform_kernels::error::KernelError;
use isoform_kernels::form::Kernel;
use isoform_kernels::print::wgsl;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType, ComputePipeline,
    ComputePipelineDescriptor, PipelineLayoutDescriptor, ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

/// Bytes that a launch is told.
pub(crate) const SPAN_BYTES: NonZeroU64 = NonZeroU64::new((wgsl::SPAN_WORDS * size_of::<u32>()) as u64).unwrap();

/// Beyond so many kernels, those that nobody uses are dropped.
const KEPT: usize = 512;

/// A compiled kernel.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) pipeline: ComputePipeline,
    pub(crate) layout: BindGroupLayout,
}

/// Compiled kernels by their text.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(Mutex<HashMap<String, Arc<Compiled>>>);

impl Gpu {
    /// Whether the device can bind what a kernel touches.
    pub(crate) fn admit(&self, kernel: &Kernel) -> Result<(), KernelError> {
        let limits = &self.limits;
        let limit =
            limits.max_storage_buffers_per_shader_stage.min(limits.max_bindings_per_bind_group.saturating_sub(1)) as usize;
        if kernel.bindings.len() > limit {
            let (kernel, count, device) = (kernel.name.clone(), kernel.bindings.len(), self.name.clone());
            return Err(KernelError::TooManyBuffers { kernel, count, limit, device });
        }
        Ok(())
    }

    /// Compiles a kernel, unless its text was compiled before.
    pub(crate) fn compile(&self, kernel: &Kernel) -> Result<Arc<Compiled>, WgpuError> {
        let text = wgsl::module(kernel, self.rounding);
        let mut kept = self.pipelines.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept.get(&text) {
            return Ok(Arc::clone(compiled));
        }
        let doing = format!("compiling the kernel {}", kernel.name);
        let compiled = Arc::new(self.watch(&doing, || self.build(kernel, &text))?);
        if kept.len() >= KEPT {
            kept.retain(|_, compiled| Arc::strong_count(compiled) > 1);
        }
        kept.insert(text, Arc::clone(&compiled));
        Ok(compiled)
    }

    fn build(&self, kernel: &Kernel, text: &str) -> Compiled {
        let label = Some(kernel.name.as_str());
        let entry = |binding: usize, ty, dynamic: bool, least| BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: ShaderStages::COMPUTE,
            ty: BindingType::Buffer { ty, has_dynamic_offset: dynamic, min_binding_size: least },
            count: None,
        };
        let mut entries = vec![entry(0, BufferBindingType::Uniform, true, Some(SPAN_BYTES))];
        for (k, binding) in kernel.bindings.iter().enumerate() {
            entries.push(entry(k + 1, BufferBindingType::Storage { read_only: !binding.written }, false, None));
        }
        let layout = self.device.create_bind_group_layout(&BindGroupLayoutDescriptor { label, entries: &entries });
        let bound = [Some(&layout)];
        let described = PipelineLayoutDescriptor { label, bind_group_layouts: &bound, immediate_size: 0 };
        let whole = self.device.create_pipeline_layout(&described);
        let module = self.device.create_shader_module(ShaderModuleDescriptor { label, source: ShaderSource::Wgsl(text.into()) });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label,
            layout: Some(&whole),
            module: &module,
            entry_point: label,
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        Compiled { pipeline, layout }
    }
}
