//! The text of kernels: what a reader sees, and what the validator of WGSL says.

use isoform_core::builder::{Builder, delay, reshape};
use isoform_core::dynamics::{Draw, Dynamics, Quantity, Signature};
use isoform_core::functions::Lif;
use isoform_core::linear::{Conv2d, Dense, Padding, Pooling, Sparse, SumPool2d, Window};
use isoform_core::neuron::Neuron;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::program::Program;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Preset, Semantics};
use isoform_core::tensor::Tensor;
use isoform_kernels::lower::{Lowered, Target, lower};
use isoform_kernels::print::opencl::{Style, source};
use isoform_kernels::print::wgsl::{self, Rounding};

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
    let tau = Tensor::from([2e-3, 3e-3, 4e-3, 5e-3]);
    let n = b.node("lif", Neuron::new(Lif).with("tau", tau).with("v_threshold", 1.0), &w);
    b.output("y", n);
    b.build(Preset::Norse.semantics(1e-4)).expect("builds")
}

fn flat(rows: &[Vec<f64>]) -> Tensor {
    Tensor::new([rows.len(), rows[0].len()], rows.concat()).expect("fits")
}

#[test]
fn wgsl_reads_as_the_equations() {
    let text: Vec<String> = lowered(&layer(), 3, 1).kernels.iter().map(|k| wgsl::module(k, Rounding::Device)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn results_that_are_rounded_one_by_one_stay_apart() {
    insta::assert_snapshot!(wgsl::module(&lowered(&layer(), 3, 1).kernels[1], Rounding::Each));
}

#[test]
fn opencl_has_a_vector_for_neighbouring_lanes() {
    insta::assert_snapshot!(source(&lowered(&layer(), 3, 8), Style::Grid));
}

#[test]
fn a_task_is_one_kernel_with_loops() {
    insta::assert_snapshot!(source(&lowered(&layer(), 3, 1), Style::Task));
}

/// A function that calls the whole library and draws.
#[derive(Debug)]
struct Everything;

impl Dynamics<2, 1, 1, 1> for Everything {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<2, 1, 1, 1> = Signature {
        id: "test.everything/1",
        summary: "Every function that there is.",
        source: "this test",
        inputs: [
            Quantity::new("i", "1", [-1.0, 1.0], "input").input(),
            Quantity::new("xi", "1", [-1.0, 1.0], "noise").drawn(Draw::PerTick),
        ],
        states: [Quantity::new("v", "1", [-1.0, 1.0], "state").state(0.5)],
        parameters: [Quantity::new("p", "1", [0.1, 1.0], "parameter").parameter().or(0.5)],
        outputs: [Quantity::new("y", "1", [-9.0, 9.0], "output").output()],
    };

    fn tick<S: Scalar>(&self, [i, xi]: [S; 2], [v]: [S; 1], [p]: [S; 1], _: S) -> ([S; 1], [S; 1]) {
        let sum = i.exp() + v.abs().ln() + i.tanh() + v.sin() + i.cos() + v.floor() + (p * p).sqrt() / p;
        ([sum.min(i.max(p)) - xi], [sum])
    }
}

/// One node of each kind of linear map, and what moves rows.
fn zoo() -> Program {
    let mut b = Builder::new();
    let x = b.input("x", [2, 4, 4]);
    let weight = Tensor::new([2, 2, 3, 3], vec![0.5; 36]).expect("fits");
    let window = Window::default().with_padding(Padding::Each([1, 1]));
    let conv = b.node("0", Conv2d::new([2, 4, 4], weight, Some([0.5, 1.0].into()), window).expect("fits"), &x);
    let pool = b.node("pool", SumPool2d::new([2, 4, 4], Pooling::over([2, 2])).expect("fits"), &conv);
    let flat = b.node("flat", reshape([8]), &pool);
    let sparse = b.node("sparse", Sparse::new([8], [3], [(0, 1, 2.0), (2, 7, 1.0)], None).expect("fits"), &flat);
    let late = b.node("late", delay([0.0, 2.0, 1.0]), &sparse);
    let steady = b.node("steady", delay([3.0]), &late);
    let back = b.node("back", Dense::new(Tensor::new([3, 3], vec![0.25; 9]).expect("fits"), None).expect("fits"), b.later("n"));
    let n = b.node("n", Neuron::new(Lif).with("tau", 5.0), steady + back);
    let all = b.node("all", Neuron::new(Everything), &n);
    b.output("y", all);
    b.output("n", n);
    b.build(Semantics::exact(1.0).with_decay(Decay::Euler)).expect("builds")
}

#[test]
fn naga_takes_every_module() {
    for (program, rounding) in
        [layer(), zoo()].into_iter().flat_map(|p| [Rounding::Device, Rounding::Each].map(|rounding| (p.clone(), rounding)))
    {
        for kernel in &lowered(&program, 3, 1).kernels {
            let text = wgsl::module(kernel, rounding);
            let module = naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&text)));
            let mut validator =
                naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
            validator.validate(&module).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        }
    }
}

#[test]
fn an_optical_map_has_no_kernel() {
    let matrix = Tensor::new([1, 1, 2], [1.0, 0.0]).expect("fits");
    let mut b = Builder::new();
    let x = b.input("x", [1]);
    let y = b.node("mesh", Optical::new(matrix, Encoding::Real, Detection::Homodyne).expect("is one"), x);
    b.output("y", y);
    let program = b.build(Semantics::exact(1e-3)).expect("builds");
    let target = Target { width: 1, block_bytes: 1 << 16, longest_block: 16, buffer_bytes: 1 << 27 };
    let error = lower(&program, 1, 0, &target).map(|_| ()).expect_err("has none");
    assert!(error.to_string().contains("optical_homodyne"), "{error}");
}
