//! Tuning, cancelling, options and refusals.
#![forbid(unsafe_code)]

use isoform_core::builder::{Builder, delay};
use isoform_core::error::ErrorKind;
use isoform_core::functions::{lif, scale};
use isoform_core::linear::Dense;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_core::tensor::Tensor;
use isoform_cpu::{CpuSubstrate, Options, register};
use std::time::Duration;

fn program(semantics: Semantics) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", [3]);
    let weight = Tensor::new([2, 3], [1.0, -0.5, 0.25, 0.5, 0.5, 2.0]).expect("fits");
    let weighed = net.node("weights", Dense::new(weight, Some([0.125, 0.0].into())).expect("fits"), x);
    let late = net.node("delay", delay([1.0, 3.0]), weighed);
    let scaled = net.node("scale", scale().with("scale", 1.5), late);
    let z = net.node("neurons", lif().with("tau", [4.0, 7.0]).with("r", 2.0), scaled);
    net.output("spikes", z);
    net.build(semantics).expect("valid")
}

fn open(substrate: &dyn Substrate, program: &Program) -> Blocking {
    Blocking::open(substrate, program, &Run::new().with_batch(2)).expect("realises")
}

fn input(ticks: usize) -> Vec<f32> {
    (0..ticks * 6).map(|i| (i * i % 7) as f32 / 4.0).collect()
}

#[test]
fn a_tuned_parameter_acts_and_the_state_is_kept() {
    for preset in [Preset::Exact, Preset::Events, Preset::Lava] {
        let program = program(preset.semantics(1.0));
        let cpu = CpuSubstrate::new(Options::new().with_threads(2)).expect("two threads");
        let (mut one, mut two) = (open(&cpu, &program), open(&OracleSubstrate::new(), &program));
        let x = input(40);
        for session in [&mut one, &mut two] {
            session.run(&x).expect("runs");
            for (node, parameter, values) in [
                ("neurons", "v_threshold", vec![0.25]),
                ("neurons", "tau", vec![3.0, 9.0]),
                ("weights", "weight", vec![0.5, 1.0, -1.0, 2.0, 0.25, 0.125]),
                ("weights", "bias", vec![0.25, -0.25]),
                ("scale", "scale", vec![0.5]),
            ] {
                assert_eq!(session.write(node, parameter, &values).expect("is tuned"), values);
                assert_eq!(session.read(node, parameter).expect("is read"), values);
            }
        }
        let (a, b) = (one.run(&x).expect("runs"), two.run(&x).expect("runs"));
        assert_eq!(a, b, "{preset}");
        let fired = a.iter().sum::<f32>();
        assert!((10.0..200.0).contains(&fired), "{fired} spikes under {preset}");
    }
}

#[test]
fn what_was_set_is_what_is_given_back() {
    let cpu = CpuSubstrate::new(Options::new().with_threads(1)).expect("one thread");
    let mut session = open(&cpu, &program(Semantics::exact(1.0)));
    assert_eq!(session.read("neurons", "tau").expect("is read"), [4.0, 7.0]);
    assert_eq!(session.write("neurons", "v_threshold", &[0.1]).expect("is tuned"), [f64::from(0.1_f32)]);
    assert_eq!(session.read("neurons", "v_threshold").expect("is read"), [f64::from(0.1_f32)]);
    let saved = session.save().expect("a tuned realization still saves");
    session.load(&saved).expect("and loads");
    let mut precise = open(&cpu, &program(Preset::Events.semantics(1.0)));
    assert_eq!(precise.write("neurons", "v_threshold", &[0.1]).expect("is tuned"), [0.1], "double precision needs no rounding");
}

#[test]
fn what_cannot_be_tuned_is_refused_by_name() {
    let cpu = CpuSubstrate::new(Options::new().with_threads(1)).expect("one thread");
    let mut session = open(&cpu, &program(Semantics::exact(1.0)));
    let error = session.write("delay", "delay", &[2.0]).expect_err("is refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("delay")));
    assert_eq!(session.write("neurons", "mass", &[1.0]).expect_err("is refused").kind(), ErrorKind::NotFound);
    assert_eq!(session.write("nobody", "tau", &[1.0]).expect_err("is refused").kind(), ErrorKind::NotFound);
    assert_eq!(session.write("neurons", "tau", &[-1.0]).expect_err("is refused").kind(), ErrorKind::InvalidProgram);
    assert_eq!(session.write("neurons", "tau", &[1.0, 2.0, 3.0]).expect_err("is refused").kind(), ErrorKind::InvalidProgram);
    let error = session.write("neurons", "r", &[1e300]).expect_err("is refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("neurons")));
    assert_eq!(session.read("neurons", "r").expect("is read"), [2.0], "a refusal changes nothing");
}

#[test]
fn a_raised_flag_stops_before_the_first_tick() {
    let program = program(Semantics::exact(1.0));
    let cpu = CpuSubstrate::new(Options::new().with_threads(2)).expect("two threads");
    let mut session = open(&cpu, &program);
    let cancel = session.session().cancel();
    let before = session.save().expect("saves");
    cancel.raise();
    let mut y = vec![0.0; 400];
    let report = session.advance(Signal::Dense(&input(100)), SignalMut::Dense(&mut y), 100).expect("returns early");
    assert_eq!(report.ticks, 0);
    assert_eq!(session.save().expect("saves"), before);
    cancel.lower();
    assert_eq!(session.advance(Signal::Dense(&input(100)), SignalMut::Dense(&mut y), 100).expect("runs").ticks, 100);
}

#[test]
fn a_cancelled_run_stands_at_the_ticks_it_reports() {
    let program = program(Semantics::exact(1.0));
    for threads in [1, 2] {
        let cpu = CpuSubstrate::new(Options::new().with_threads(threads)).expect("threads");
        let mut session = open(&cpu, &program);
        let cancel = session.session().cancel();
        let ticks = 4_000_000;
        let mut counts = vec![0; 4];
        let report = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                cancel.raise();
            });
            session.advance(Signal::Held(&[1.0; 6]), SignalMut::Counts(&mut counts), ticks).expect("returns early")
        });
        assert!(report.ticks < ticks, "the run was over before it could be cancelled");
        cancel.lower();
        let stopped = session.save().expect("saves");
        assert_eq!(stopped.tick, report.ticks as u64);
        session.reset().expect("resets");
        let mut again = vec![0; 4];
        session.advance(Signal::Held(&[1.0; 6]), SignalMut::Counts(&mut again), report.ticks).expect("runs");
        assert_eq!(again, counts);
        assert_eq!(session.save().expect("saves"), stopped);
    }
}

#[test]
fn locators_are_read_and_senseless_ones_refused() {
    let mut registry = Registry::new();
    register(&mut registry);
    for good in ["cpu:", "cpu:?threads=2", "cpu:?isa=baseline&threads=1", "cpu:?isa=auto"] {
        registry.open_str(good).unwrap_or_else(|e| panic!("{good}: {e}"));
    }
    for bad in ["cpu:?threads=0", "cpu:?threads=two", "cpu:?isa=mmx", "cpu:?cores=2", "cpu:7", "cpu:?threads=100000"] {
        let error = registry.open_str(bad).expect_err(bad);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{bad}");
    }
    let error = registry.open_str("cpu:?cores=2").expect_err("is refused").to_string();
    assert!(error.contains("threads") && error.contains("isa"), "{error}");
}

#[test]
fn weights_beyond_single_precision_are_refused_by_name() {
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let y = net.node("steep", Dense::new(Tensor::new([1, 1], [1e300]).expect("fits"), None).expect("fits"), x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1.0)).expect("valid");
    let cpu = CpuSubstrate::new(Options::new().with_threads(1)).expect("one thread");
    let error = Blocking::open(&cpu, &program, &Run::new()).expect_err("is refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("steep")));
}
