//! The text of firmware: what a reader sees, and that the header in the repository is what is printed today.

use isoform_core::fixed_point::Format;
use isoform_core::functions::{cuba_lif, library, lif};
use isoform_kernels::print::fixed_c;
use std::sync::Arc;

#[test]
fn c_reads_as_the_equations() {
    let functions = [lif(), cuba_lif()].map(|n| Arc::clone(n.function()));
    insta::assert_snapshot!(fixed_c::functions(&functions, Format::new(24).expect("is a format")).expect("is affine"));
}

#[test]
fn the_header_of_the_firmware_is_up_to_date() {
    let format = Format::covering(library().iter().map(AsRef::as_ref)).expect("fits");
    let printed = fixed_c::functions(&library(), format).expect("is affine");
    let kept = include_str!("../../firmware/functions.h");
    assert!(printed == kept, "run: cargo run -p isoform-kernels --example firmware_functions -- firmware/functions.h");
}
