//! The GPU substrate: whole programs on graphics processors, through wgpu.
