//! The text of kernels: what a reader sees, and what the validator of WGSL says.

use isoform_core::builder::Builder;
use isoform_core::functions::Lif;
use isoform_core::linear::Dense;
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::semantics::Preset;
use isoform_kernels::lower::{Lowered, Target, lower};
use isoform_kernels::print::opencl::{Style, source};
use isoform_kernels::print::wgsl;

fn lowered(program: &Program, batch: usize, width: usize) -> Lowered {
    let target = Target { width, block_bytes: 1 << 16, longest_block: 16, buffer_bytes: 1 << 27 };
    lower(program, batch, 0, &target).expect("has kernels").0
}

/// Four leaky integrate-and-fire neurons behind a dense map of two inputs.
fn layer() -> Program {
    let mut b = Builder::new();
    let x = b.input("x", [2]);
    let weight: Vec<Vec<f64>> = (0..4).map(|o| (0..2).map(|i| f64::from(o * 2 + i) / 4.0).collect()).collect();
    let w = b.node("fc", Dense::new(flat(&weight), None).expect("fits"), &x);
    let tau = isoform_core::tensor::Tensor::from([2e-3, 3e-3, 4e-3, 5e-3]);
    let n = b.node("lif", Neuron::new(Lif).with("tau", tau).with("v_threshold", 1.0), &w);
    b.output("y", n);
    b.build(Preset::Norse.semantics(1e-4)).expect("builds")
}

fn flat(rows: &[Vec<f64>]) -> isoform_core::tensor::Tensor {
    isoform_core::tensor::Tensor::new([rows.len(), rows[0].len()], rows.concat()).expect("fits")
}

#[test]
fn wgsl_reads_as_the_equations() {
    let text: Vec<String> = lowered(&layer(), 3, 1).kernels.iter().map(wgsl::module).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn opencl_has_a_vector_for_neighbouring_lanes() {
    insta::assert_snapshot!(source(&lowered(&layer(), 3, 8), Style::Grid));
}

#[test]
fn a_task_is_one_kernel_with_loops() {
    insta::assert_snapshot!(source(&lowered(&layer(), 3, 1), Style::Task));
}

#[test]
fn naga_takes_every_module() {
    for kernel in &lowered(&layer(), 3, 1).kernels {
        let text = wgsl::module(kernel);
        let module = naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&text)));
        let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    }
}
