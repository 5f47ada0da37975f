//! The precision of every function that the profile declares, on the adapter, over a million arguments each.

mod common;

use common::both;
use isoform_core::bound::{Accuracy, Precision};
use isoform_core::builder::Builder;
use isoform_core::draw::philox;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::polynomial;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_core::tensor::Tensor;
use isoform_wgpu::{Rounding, WgpuSubstrate};

const CHANNELS: usize = 4096;
const TICKS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Exp,
    Ln,
    Tanh,
    Sin,
    Cos,
    Sqrt,
    Quotient,
}

/// A function of the input alone, or its quotient by a parameter.
#[derive(Debug)]
struct Applied(Function);

impl Dynamics<1, 0, 1, 1> for Applied {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 0, 1, 1> = Signature {
        id: "test.applied/1",
        summary: "A function of its input.",
        source: "this test",
        inputs: [Quantity::new("x", "1", [-1.0, 1.0], "argument").input()],
        states: [],
        parameters: [Quantity::new("by", "1", [0.1, 1.0], "divisor").parameter()],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "result").output()],
    };

    fn tick<S: Scalar>(&self, [x]: [S; 1], _: [S; 0], [by]: [S; 1], _: S) -> ([S; 0], [S; 1]) {
        let y = match self.0 {
            Function::Exp => x.exp(),
            Function::Ln => x.ln(),
            Function::Tanh => x.tanh(),
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Sqrt => x.sqrt(),
            Function::Quotient => x / by,
        };
        ([], [y])
    }
}

impl Function {
    const ALL: [Self; 7] = [Self::Exp, Self::Ln, Self::Tanh, Self::Sin, Self::Cos, Self::Sqrt, Self::Quotient];

    fn exact(self, x: f64, by: f64) -> f64 {
        match self {
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Tanh => x.tanh(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Sqrt => x.sqrt(),
            Self::Quotient => x / by,
        }
    }

    fn on_the_processor(self, x: f32, by: f32) -> f32 {
        match self {
            Self::Exp => polynomial::exp(x),
            Self::Ln => polynomial::ln(x),
            Self::Tanh => polynomial::tanh(x),
            Self::Sin => polynomial::sin(x),
            Self::Cos => polynomial::cos(x),
            Self::Sqrt => x.sqrt(),
            Self::Quotient => x / by,
        }
    }

    fn declared(self, accuracy: &Accuracy) -> Precision {
        match self {
            Self::Exp => accuracy.exp,
            Self::Ln => accuracy.ln,
            Self::Tanh => accuracy.tanh,
            Self::Sin => accuracy.sin,
            Self::Cos => accuracy.cos,
            Self::Sqrt => accuracy.sqrt,
            Self::Quotient => accuracy.division,
        }
    }

    /// The `k`-th argument: half of them spread evenly over the numbers of the format, half over the real ones.
    fn argument(self, k: usize) -> f32 {
        let [bits, choice, ..] = philox([k as u32, self as u32, 0, 0], [11, 0]);
        let [low, high] = match self {
            Self::Exp => [-87.3, 88.7],
            Self::Ln | Self::Sqrt => [0.0, 16.0],
            Self::Tanh => [-12.0, 12.0],
            Self::Sin | Self::Cos => [-polynomial::ANGLE, polynomial::ANGLE],
            Self::Quotient => [-4.0, 4.0],
        };
        let spread = low + (high - low) * (bits as f32 / 4_294_967_296.0);
        let positive = matches!(self, Self::Ln | Self::Sqrt);
        let any = f32::from_bits(if positive { bits & 0x7fff_ffff } else { bits });
        let fits = any.is_normal() && (positive || self == Self::Quotient || (low..high).contains(&any));
        if choice.is_multiple_of(2) && fits { any } else { spread }
    }
}

/// The `k`-th divisor: WGSL promises nothing where the magnitude of a divisor is below 2^-126 or above 2^126.
fn divisor(k: usize) -> f32 {
    let [bits, ..] = philox([k as u32, 99, 0, 0], [11, 0]);
    let any = f32::from_bits(bits);
    if (2.0_f32.powi(-126)..=2.0_f32.powi(126)).contains(&any.abs()) { any } else { 3.0 }
}

/// The spacing of single-precision numbers at a value.
fn ulp(value: f64) -> f64 {
    let exponent = (value.abs().to_bits() >> 52) as i32 - 1023;
    2.0_f64.powi(exponent.clamp(-126, 127) - 23)
}

fn apply(gpu: &WgpuSubstrate, function: Function, x: &[f32]) -> Vec<f32> {
    let by: Vec<f64> = (0..CHANNELS).map(|k| f64::from(divisor(k))).collect();
    let mut net = Builder::new();
    let input = net.input("x", [CHANNELS]);
    let y = net.node("applied", Neuron::new(Applied(function)).with("by", Tensor::new([CHANNELS], by).expect("fits")), input);
    net.output("y", y);
    let program = net.build(Semantics::exact(1.0)).expect("valid");
    Blocking::open(gpu, &program, &Run::new()).expect("realises").run(x).expect("runs")
}

#[test]
fn every_function_is_as_precise_as_the_profile_says() {
    for (rounding, gpu) in both() {
        let accuracy = gpu.profile().accuracy.clone();
        for function in Function::ALL {
            let x: Vec<f32> = (0..CHANNELS * TICKS).map(|k| function.argument(k)).collect();
            let y = apply(&gpu, function, &x);
            let (mut worst, mut tried, mut equal) = ((0.0, 0.0, 0.0), 0, 0);
            for (k, (&x, &y)) in x.iter().zip(&y).enumerate() {
                let by = divisor(k % CHANNELS);
                let exact = function.exact(f64::from(x), f64::from(by));
                if !x.is_normal() || !(f64::from(f32::MIN_POSITIVE)..f64::from(f32::MAX)).contains(&exact.abs()) {
                    continue;
                }
                assert!(y.is_finite(), "{function:?} of {x:e} by {by:e} is {y}");
                let off = (f64::from(y) - exact).abs() / ulp(exact);
                if off > worst.0 {
                    worst = (off, x, by);
                }
                tried += 1;
                equal += usize::from(y == function.on_the_processor(x, by));
            }
            let (off, at, by) = worst;
            eprintln!("{rounding:?} {function:?}: {off:.3} ulp at {at:e}, equal to the processor {equal} of {tried}");
            assert!(tried > CHANNELS * TICKS / 3, "only {tried} arguments of {function:?}");
            let declared = function.declared(&accuracy).ulp;
            assert!(off <= declared, "{function:?} of {at:e} by {by:e} is {off} ulp off, declared are {declared} ({rounding:?})");
            // sums and products alone: what WGSL promises of them is what the processor does
            let sums = matches!(function, Function::Exp | Function::Ln | Function::Sin | Function::Cos);
            assert!(rounding == Rounding::Device || !sums || equal == tried, "{function:?} is not that of the processor");
        }
    }
}
