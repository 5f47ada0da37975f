//! What an advance allocates: the boxed future, and nothing else. One test alone, for the count is that of the whole process.
#![forbid(unsafe_code)]

use isoform_core::builder::{Builder, delay};
use isoform_core::functions::{cuba_lif, lif};
use isoform_core::linear::{Conv1d, Dense, Window};
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics, Test};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_cpu::{CpuSubstrate, Options};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Every kind of step: maps, a loop, a delay, late inputs, a sum.
fn program(semantics: Semantics) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", [24]);
    let numbers = |count: usize| (0..count).map(|i| (i % 7) as f64 / 8.0 - 0.25).collect::<Vec<_>>();
    let matrix = Tensor::new([40, 24], numbers(960)).expect("fits");
    let weighed = net.node("weights", Dense::new(matrix, None).expect("fits"), x);
    let back = net.later("loop");
    let matrix = Tensor::new([40, 40], numbers(1600)).expect("fits");
    let back = net.node("back", Dense::new(matrix, None).expect("fits"), back);
    let z = net.node("loop", cuba_lif().with("tau_syn", 3.0).with("tau_mem", 5.0), weighed + back);
    let late = net.node("delay", delay(3.0), z);
    let kernel = Tensor::new([2, 1, 3], numbers(6)).expect("fits");
    let conv = net.node("conv", Conv1d::new([1, 40], kernel, None, Window::default()).expect("fits"), late);
    let y =
        net.node("out", lif().with("tau", Tensor::new([2, 38], (1..77).map(f64::from).collect::<Vec<_>>()).expect("fits")), conv);
    net.output("y", y);
    net.build(semantics).expect("valid")
}

/// Allocations of one chunk in each form, after a first.
fn count(threads: usize, batch: usize, semantics: Semantics) -> Vec<usize> {
    let program = program(semantics);
    let cpu = CpuSubstrate::new(Options::new().with_threads(threads)).expect("threads");
    let mut session = Blocking::open(&cpu, &program, &Run::new().with_batch(batch)).expect("realises");
    let ticks = if semantics.test == Test::Located { 20 } else { 300 };
    let x: Vec<f32> = (0..ticks * batch * 24).map(|i| f32::from(u8::from(i % 9 == 0))).collect();
    let held = vec![0.5; batch * 24];
    let events: Vec<Event> = (0..ticks as u32).map(|tick| Event { tick, batch: 0, channel: tick % 24, value: 1.0 }).collect();
    let (mut y, mut counts) = (vec![0.0; ticks * batch * 76], vec![0; batch * 76]);
    let mut bits = vec![0; ticks * batch * 10];
    // the harness may allocate on a thread of its own meanwhile: only the least of several rounds is the chunk's own
    let mut found = vec![usize::MAX; 3];
    for round in 0..6 {
        let mut kinds = found.iter_mut();
        let mut advance = |x: Signal<'_>, y: SignalMut<'_>| {
            let region = Region::new(ALLOCATOR);
            let report = session.advance(x, y, ticks);
            let allocations = region.change().allocations;
            assert_eq!(report.expect("runs").ticks, ticks);
            let least = kinds.next().expect("three kinds");
            if round > 0 {
                *least = allocations.min(*least);
            }
        };
        advance(Signal::Dense(&x), SignalMut::Dense(&mut y));
        advance(Signal::Held(&held), SignalMut::Counts(&mut counts));
        advance(Signal::Events(&events), SignalMut::Bits(&mut bits));
    }
    found
}

#[test]
fn one_allocation_per_chunk() {
    for preset in [Preset::Exact, Preset::Lava, Preset::Norse, Preset::Events] {
        assert_eq!(count(1, 1, preset.semantics(1.0)), [1; 3], "{preset}");
        assert_eq!(count(1, 5, preset.semantics(1.0)), [1; 3], "{preset}");
    }
    // the queue by which work enters the pool grows by a block now and then
    let threaded = count(2, 64, Preset::Exact.semantics(1.0));
    assert!(threaded.iter().all(|&n| (1..=2).contains(&n)), "{threaded:?} allocations with two threads");
}
