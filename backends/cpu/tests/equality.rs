//! The same bits, however the work is split and in whatever form the signal comes.
#![forbid(unsafe_code)]

mod common;

use common::{Spec, build, input, specs};
use isoform_core::lanes::InstructionSet;
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics, Test};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut, bytes_of_bits};
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_cpu::{CpuSubstrate, Options};
use proptest::prelude::*;

/// Longer than a block, but for spikes located inside the tick, which take a series of matrices each.
fn length(semantics: &Semantics) -> usize {
    if semantics.test == Test::Located { 12 } else { 100 }
}

fn cpu(threads: usize, instructions: InstructionSet) -> CpuSubstrate {
    CpuSubstrate::new(Options::new().with_threads(threads).with_instructions(instructions)).expect("is available")
}

/// Runs a dense block in chunks; gives the output as bits and the state at the end.
fn run(cpu: &CpuSubstrate, program: &Program, run: &Run, x: &[f32], chunks: &[usize]) -> (Vec<u32>, State) {
    let mut session = Blocking::open(cpu, program, run).expect("realises");
    let row = program.input_channels() * run.batch;
    let (mut y, mut from, mut k) = (Vec::new(), 0, 0);
    let length = length(program.semantics());
    while from < length {
        let ticks = chunks[k % chunks.len()].min(length - from);
        y.extend(session.run(&x[from * row..(from + ticks) * row]).expect("runs"));
        from += ticks;
        k += 1;
    }
    (y.iter().map(|v| v.to_bits()).collect(), session.save().expect("saves"))
}

fn semantics() -> impl Strategy<Value = Semantics> {
    prop::sample::select(Preset::ALL).prop_map(|preset| preset.semantics(1.0))
}

fn program(specs: &[Spec], semantics: Semantics) -> Result<Program, TestCaseError> {
    build(specs, semantics, false).ok_or_else(|| TestCaseError::reject("no such program"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_global_rejects: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_option_and_no_split_changes_a_bit(
        specs in specs(),
        semantics in semantics(),
        batch in 1_usize..6,
        seed in any::<u64>(),
        chunks in prop::collection::vec(1_usize..90, 1..4),
    ) {
        let ticks = length(&semantics);
        let program = program(&specs, semantics)?;
        let x = input(seed, ticks, batch);
        let settings = Run::new().with_batch(batch).with_seed(seed);
        let expected = run(&cpu(1, InstructionSet::Baseline), &program, &settings, &x, &[ticks]);
        for &set in InstructionSet::ALL.iter().filter(|set| set.is_available()) {
            for threads in 1..=3 {
                let got = run(&cpu(threads, set), &program, &settings, &x, &chunks);
                prop_assert!(got == expected, "{set}, {threads} threads, chunks {chunks:?}");
            }
        }
        let short = settings.with_max_ticks(7);
        prop_assert!(run(&cpu(2, InstructionSet::best()), &program, &short, &x, &[ticks]) == expected, "blocks of 7 ticks");
    }

    #[test]
    fn every_form_of_signal_means_the_same(
        specs in specs(),
        semantics in semantics(),
        batch in 1_usize..4,
        threads in 1_usize..3,
        seed in any::<u64>(),
    ) {
        let ticks = length(&semantics);
        let program = program(&specs, semantics)?;
        let substrate = cpu(threads, InstructionSet::best());
        let settings = Run::new().with_batch(batch);
        let open = || Blocking::open(&substrate, &program, &settings).expect("realises");
        let extent = settings.input(&program, ticks);
        let x = input(seed, ticks, batch);
        let dense = open().run(&x).expect("runs");

        let events: Vec<Event> = (0_u32..)
            .zip(x.chunks_exact(extent.row()))
            .flat_map(|(tick, row)| {
                (0_u32..).zip(row).filter(|(_, v)| **v != 0.0).map(move |(i, &value)| {
                    Event { tick, batch: i / extent.channels as u32, channel: i % extent.channels as u32, value }
                })
            })
            .collect();
        let mut y = vec![0.0; dense.len()];
        open().advance(Signal::Events(&events), SignalMut::Dense(&mut y), ticks).expect("runs");
        prop_assert!(y == dense, "events");

        let held = &x[..extent.row()];
        let repeated = open().run(&held.repeat(ticks)).expect("runs");
        open().advance(Signal::Held(held), SignalMut::Dense(&mut y), ticks).expect("runs");
        prop_assert!(y == repeated, "held");

        let width = program.output_channels();
        let mut expected = vec![3_u32; batch * width];
        let mut counts = expected.clone();
        for row in dense.chunks_exact(batch * width) {
            expected.iter_mut().zip(row).for_each(|(n, &v)| *n = n.saturating_add(v as u32));
        }
        open().advance(Signal::Dense(&x), SignalMut::Counts(&mut counts), ticks).expect("runs");
        prop_assert!(counts == expected, "counts");

        let bytes = bytes_of_bits(width);
        let mut bits = vec![0xff; ticks * batch * bytes];
        open().advance(Signal::Dense(&x), SignalMut::Bits(&mut bits), ticks).expect("runs");
        for (row, bits) in dense.chunks_exact(width).zip(bits.chunks_exact(bytes)) {
            for (c, &v) in row.iter().enumerate() {
                prop_assert!((bits[c / 8] >> (c % 8) & 1 == 1) == (v != 0.0), "bits");
            }
        }
    }

    #[test]
    fn a_state_goes_on_where_it_was_saved(
        specs in specs(),
        semantics in semantics(),
        batch in 1_usize..4,
        seed in any::<u64>(),
        at in 1_usize..12,
    ) {
        let ticks = length(&semantics);
        let program = program(&specs, semantics)?;
        let settings = Run::new().with_batch(batch).with_seed(seed);
        let x = input(seed, ticks, batch);
        let split = at * program.input_channels() * batch;
        let substrate = cpu(2, InstructionSet::best());
        let mut one = Blocking::open(&substrate, &program, &settings).expect("realises");
        one.run(&x[..split]).expect("runs");
        let state = one.save().expect("saves");
        prop_assert_eq!(state.tick, at as u64);
        let first = one.run(&x[split..]).expect("runs");
        // another realization, with other shards, takes the branch
        let mut other = Blocking::open(&cpu(1, InstructionSet::Baseline), &program, &settings).expect("realises");
        other.run(&x).expect("runs");
        other.load(&state).expect("loads");
        prop_assert_eq!(&other.save().expect("saves"), &state);
        prop_assert!(other.run(&x[split..]).expect("runs") == first);
        prop_assert!(other.save().expect("saves") == one.save().expect("saves"));
        one.reset().expect("resets");
        prop_assert!(one.save().expect("saves") == State::initial(&program, batch));
    }
}
