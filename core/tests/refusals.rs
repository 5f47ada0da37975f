//! Programs and states that are refused before anything is allocated or changed.

use async_trait::async_trait;
use isoform_core::builder::{delay, identity};
use isoform_core::error::Result;
use isoform_core::functions::cuba_lif;
use isoform_core::oracle::{Oracle, OracleSubstrate};
use isoform_core::profile::{Limits, Profile};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;

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

/// The oracle with a range of inputs.
#[derive(Debug)]
struct Narrow([f64; 2]);

#[async_trait]
impl Substrate for Narrow {
    fn profile(&self) -> Arc<Profile> {
        let profile = (*OracleSubstrate::new().profile()).clone();
        Arc::new(profile.with_limits(Limits { input: self.0, ..Limits::default() }))
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        OracleSubstrate::new().realize(program, run).await
    }
}

#[test]
fn the_range_of_inputs_holds_for_every_form_of_a_signal() {
    let program = Program::single("wire", identity(), [2], Semantics::exact(1e-3)).expect("valid");
    let try_out = |range: [f64; 2], x: Signal<'_>| {
        let mut session = Blocking::open(&Narrow(range), &program, &Run::new()).expect("opens");
        session.advance(x, SignalMut::Dense(&mut [0.0; 4]), 2).map_err(|e| e.to_string())
    };
    let event = |tick, channel, value| Event { tick, batch: 0, channel, value };
    // 0.1 in single precision is above a tenth
    try_out([-0.1, 0.1], Signal::Dense(&[0.1, -0.1, 0.0, 0.1])).expect("the end belongs to it");
    let above = try_out([-0.1, 0.1], Signal::Held(&[0.1, 0.100_000_01])).expect_err("the next number");
    assert!(above.contains("outside -0.1 to 0.1"), "{above}");
    let twice = [event(1, 1, 0.75), event(1, 0, 0.5), event(1, 1, 0.5)];
    let sum = try_out([-1.0, 1.0], Signal::Events(&twice)).expect_err("they add up");
    assert!(sum.contains("an input of 1.25 is outside"), "{sum}");
    try_out([-1.0, 1.0], Signal::Events(&twice[..2])).expect("within");
    let all = [event(0, 0, 2.0), event(0, 1, 2.0), event(1, 0, 3.0), event(1, 1, 1.0)];
    try_out([1.0, 3.0], Signal::Events(&all)).expect("nothing is left out");
    for some in [&all[..3], &all[..2], &[]] {
        let gap = try_out([1.0, 3.0], Signal::Events(some)).expect_err("nought in between");
        assert!(gap.contains("events leave nought"), "{gap}");
    }
}
