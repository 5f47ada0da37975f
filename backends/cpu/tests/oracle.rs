//! Random programs against the reference in double precision.
#![forbid(unsafe_code)]

mod common;

use common::{build, input, specs};
use isoform_core::oracle::Oracle;
use isoform_core::semantics::{Decay, Number, Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_cpu::{CpuSubstrate, Options};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const TICKS: usize = 8;

/// Compares a run with the oracle; gives whether the program exists under the semantics.
fn agree(specs: &[common::Spec], semantics: Semantics, batch: usize, seed: u64) -> Result<bool, TestCaseError> {
    let lattice = semantics.decay == Decay::Euler;
    let Some(program) = build(specs, semantics, true) else { return Ok(false) };
    let run = Run::new().with_batch(batch).with_seed(seed).with_max_ticks(5);
    let x = input(seed, TICKS, batch);
    let expected = Oracle::new(&program, &run).run(&x);
    let cpu = CpuSubstrate::new(Options::new().with_threads(1)).expect("one thread");
    let got = Blocking::open(&cpu, &program, &run).expect("realises").run(&x).expect("runs");
    for (k, (&got, &want)) in got.iter().zip(&expected).enumerate() {
        let width = program.output_channels() * batch;
        let error = (f64::from(got) - want).abs();
        // on the lattice all is exact but the mean of a pool, the fixed unit and values that outgrow 24 bits
        let bound = if lattice { 1e-6 } else { 2e-5 } * want.abs().max(1.0);
        prop_assert!(
            error <= bound,
            "tick {} channel {}: {got} instead of {want} under {semantics:?}\n{:?}",
            k / width,
            k % width,
            program.nodes().iter().map(|n| n.kind_name()).collect::<Vec<_>>()
        );
    }
    Ok(true)
}

#[test]
fn every_preset_agrees_with_the_oracle() {
    for (k, &preset) in Preset::ALL.iter().enumerate() {
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        // the seed is fixed, see `common`
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[k as u8 + 1; 32]));
        let admitted = std::cell::Cell::new(0);
        runner
            .run(&(specs(), 1_usize..4, any::<u64>()), |(specs, batch, seed)| {
                let existed = agree(&specs, preset.semantics(1.0), batch, seed)?;
                admitted.set(admitted.get() + usize::from(existed));
                Ok(())
            })
            .unwrap_or_else(|e| panic!("{preset}: {e}"));
        assert!(admitted.get() >= 20, "{preset} admitted only {} programs", admitted.get());
    }
}

#[test]
fn fixed_numbers_are_whole() {
    assert!(matches!(Preset::Loihi.semantics(1.0).number, Number::Fixed(_)));
}
