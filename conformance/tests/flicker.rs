//! Errors of a program that remembers, under noise that is like 1/f.

use isoform_conformance::record::Status;
use isoform_conformance::{Options, run};
use isoform_core::layer::Quantise;
use isoform_core::oracle::OracleSubstrate;
use std::sync::Arc;

/// What a law says of a converter in steps up to a magnitude. The program that is tried goes up to five.
fn of(law: &str, step: f64, range: f64) -> Status {
    let converter = Quantise::new(Arc::new(OracleSubstrate::new()), step, range).expect("levels");
    let dossier = run(&converter, &Options::new().with_law(law)).expect("a run");
    dossier.outcomes.iter().find(|o| o.law == law).expect("the law").status
}

#[test]
fn a_converter_that_clips_does_not_compute_the_program() {
    for law in ["L2.equivalence", "L2.isolation", "L2.transfer", "L3.drift"] {
        assert_eq!(of(law, 0.5, 1.0), Status::Fail, "{law}");
        assert_eq!(of(law, 0.5, 2.0), Status::Fail, "{law}");
        assert_eq!(of(law, 0.01, 8.0), Status::Pass, "{law}");
    }
}
