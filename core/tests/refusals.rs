//! Programs and states that are refused before anything is allocated or changed.

use isoform_core::builder::delay;
use isoform_core::functions::cuba_lif;
use isoform_core::oracle::{Oracle, OracleSubstrate};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;

#[test]
fn delay_lines_are_bounded_in_sum() {
    let mut net = Program::builder();
    let x = net.input("x", [1000]);
    let y = net.node("late", delay(1000.0), x);
    net.output("y", y);
    let error = net.build(Semantics::exact(1e-3)).expect_err("a thousand lines of a million ticks");
    assert_eq!(error.node(), Some("late"));
    assert!(error.to_string().contains("shorten its delays"), "{error}");
}

#[test]
fn lanes_are_bounded_by_what_they_keep() {
    let mut net = Program::builder();
    let x = net.input("x", [100]);
    let y = net.node("late", delay(1000.0), x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1e-3)).expect("a hundred lines fit");
    let error = Blocking::open(&OracleSubstrate::new(), &program, &Run::new().with_batch(100)).expect_err("too many lanes");
    assert!(error.to_string().contains("run fewer lanes"), "{error}");
}

#[test]
fn a_state_is_matched_by_name() {
    let mut net = Program::builder();
    let x = net.input("x", [1]);
    let y = net.node("n", cuba_lif().with("tau_syn", 2e-3).with("tau_mem", 3e-3), x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1e-3)).expect("valid");
    let mut oracle = Oracle::new(&program, &Run::new());
    let state = oracle.state();
    let mut swapped = state.clone();
    swapped.blocks.swap(0, 1);
    let error = oracle.set_state(&swapped).expect_err("swapped");
    assert!(error.to_string().contains("block n.v stands where n.i belongs"), "{error}");
    let mut late = state.clone();
    late.tick = u64::MAX;
    assert!(oracle.set_state(&late).is_err());
    assert!(oracle.set_state(&state).is_ok());
}
