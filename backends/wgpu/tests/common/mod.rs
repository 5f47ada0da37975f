//! What the tests share.
#![allow(dead_code, reason = "not every test needs everything")]

use isoform_core::builder::{Builder, delay};
use isoform_core::functions::lif;
use isoform_core::linear::Dense;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::Tensor;
use isoform_wgpu::{Options, Rounding, WgpuSubstrate};

/// The substrate, or nothing after saying so where no adapter is to be had and no one insists.
pub(crate) fn substrate(options: Options) -> Option<WgpuSubstrate> {
    match WgpuSubstrate::new(options) {
        Ok(substrate) => Some(substrate),
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("NOT RUN: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The substrate in both ways of rounding.
pub(crate) fn both() -> impl Iterator<Item = (Rounding, WgpuSubstrate)> {
    let ways = [Rounding::Device, Rounding::Each].into_iter();
    ways.filter_map(|rounding| Some((rounding, substrate(Options::new().with_rounding(rounding))?)))
}

/// Two neurons behind weights and delays, with a loop back.
pub(crate) fn program(semantics: Semantics) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let weight = Tensor::new([2, 3], [1.0, -0.5, 0.25, 0.5, 0.5, 2.0]).expect("fits");
    let weighed = net.node("weights", Dense::new(weight, Some([0.125, 0.0].into())).expect("fits"), x);
    let late = net.node("delay", delay([1.0, 3.0]), weighed);
    let back = Tensor::new([2, 2], [0.0, -0.5, 0.25, 0.0]).expect("fits");
    let back = net.node("back", Dense::new(back, None).expect("fits"), net.later("neurons"));
    let z = net.node("neurons", lif().with("tau", [4.0, 7.0]).with("r", 2.0), late + back);
    net.output("spikes", z);
    net.build(semantics).expect("valid")
}

/// An input of two batch lanes.
pub(crate) fn input(ticks: usize) -> Vec<f32> {
    (0..ticks * 6).map(|i| (i * i % 7) as f32 / 4.0).collect()
}
