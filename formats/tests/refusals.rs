//! What NIR cannot hold is refused by name.

use isoform_core::builder::Builder;
use isoform_core::error::ErrorKind;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::Tensor;
use isoform_formats::program::to_nir;

/// A mesh of two modes, which has no kernel.
fn mesh() -> Program {
    let matrix = Tensor::new([2, 2, 2], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]).expect("fits");
    let mut net = Builder::new();
    let x = net.input("x", [2]);
    let y = net.node("mesh", Optical::new(matrix, Encoding::Real, Detection::Intensity).expect("is one"), x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("builds")
}

#[test]
fn an_optical_map_is_refused_by_name() {
    let error = to_nir(&mesh()).expect_err("NIR has no such node");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("mesh")));
    assert!(error.message().contains("optical_intensity"), "{error}");
}
