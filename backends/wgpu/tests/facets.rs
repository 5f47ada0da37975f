//! Tuning, saving, cancelling, signals of every form, options and refusals.

mod common;

use common::{both, input, program, substrate};
use isoform_core::error::ErrorKind;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::registry::Registry;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_cpu::{CpuSubstrate, Options as CpuOptions};
use isoform_wgpu::{Options, register};
use std::time::Duration;

fn open(substrate: &dyn Substrate) -> Blocking {
    let run = Run::new().with_batch(2).with_max_ticks(16);
    Blocking::open(substrate, &program(Semantics::exact(1.0)), &run).expect("realises")
}

/// The potentials and what the delays hold, without the names.
fn numbers(session: &mut Blocking) -> Vec<f64> {
    session.save().expect("saves").blocks.into_iter().flat_map(|b| b.values).collect()
}

fn assert_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} is not near {b}");
    }
}

#[test]
fn what_one_substrate_saves_another_continues() {
    let cpu = CpuSubstrate::new(CpuOptions::new()).expect("opens");
    for (_, gpu) in both() {
        let (mut here, mut there, mut whole) = (open(&gpu), open(&cpu), open(&cpu));
        let expected = whole.run(&input(60)).expect("runs");
        assert!(expected.iter().sum::<f32>() > 20.0, "there is something to be seen");
        let first = here.run(&input(60)[..20 * 6]).expect("runs");
        there.load(&here.save().expect("saves")).expect("loads");
        let second = there.run(&input(60)[20 * 6..40 * 6]).expect("runs");
        here.load(&there.save().expect("saves")).expect("loads");
        let third = here.run(&input(60)[40 * 6..]).expect("runs");
        assert_eq!([first, second, third].concat(), expected);
        assert_close(&numbers(&mut here), &numbers(&mut whole));
    }
}

#[test]
fn tuning_acts_at_once_and_keeps_the_state() {
    for (_, gpu) in both() {
        let (mut here, mut oracle) = (open(&gpu), open(&OracleSubstrate::new()));
        // the second was nought, so that another kernel is needed; the third was the same for all and becomes one for each
        let changes: [(&str, &str, &[f64]); 5] = [
            ("neurons", "r", &[1.0, 1.0]),
            ("neurons", "v_leak", &[0.5, 0.5]),
            ("neurons", "v_threshold", &[0.75, 1.25]),
            ("weights", "weight", &[0.5, 0.0, 1.0, 1.0, 0.25, 0.5]),
            ("neurons", "v_leak", &[0.0, 0.0]),
        ];
        for (node, parameter, values) in changes {
            assert_eq!(here.run(&input(30)).expect("runs"), oracle.run(&input(30)).expect("runs"));
            let was = here.read(node, parameter).expect("reads");
            let values = if was.len() == 1 && values[0] == values[1] { &values[..1] } else { values };
            let before = here.save().expect("saves");
            assert_eq!(here.write(node, parameter, values).expect("writes"), values);
            assert_eq!(here.save().expect("saves"), before, "tuning {parameter} leaves the state alone");
            oracle.write(node, parameter, values).expect("writes");
            assert_eq!(here.read(node, parameter).expect("reads"), values);
        }
        assert_eq!(here.run(&input(30)).expect("runs"), oracle.run(&input(30)).expect("runs"));
        assert_close(&numbers(&mut here), &numbers(&mut oracle));
    }
}

#[test]
fn what_cannot_be_tuned_is_refused_by_name() {
    let Some(gpu) = substrate(Options::new()) else { return };
    let mut session = open(&gpu);
    let error = session.write("delay", "delay", &[2.0]).expect_err("is refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("delay")));
    assert_eq!(session.write("nobody", "tau", &[1.0]).expect_err("is refused").kind(), ErrorKind::NotFound);
    let error = session.write("neurons", "r", &[1e300]).expect_err("is refused");
    assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("neurons")));
    assert_eq!(session.read("neurons", "r").expect("is read"), [2.0], "a refusal changes nothing");
}

#[test]
fn signals_of_every_form_mean_the_same() {
    for (_, gpu) in both() {
        let held = [0.5, 1.5, 1.0, 1.0, 0.0, 2.0];
        let (mut dense, mut y) = (open(&gpu), vec![0.0; 40 * 4]);
        dense.advance(Signal::Dense(&held.repeat(40)), SignalMut::Dense(&mut y), 40).expect("runs");
        let (mut counted, mut counts) = (open(&gpu), [7_u32; 4]);
        counted.advance(Signal::Held(&held), SignalMut::Counts(&mut counts), 40).expect("runs");
        let summed: Vec<u32> = (0..4).map(|c| 7 + y.iter().skip(c).step_by(4).sum::<f32>() as u32).collect();
        assert_eq!(counts.to_vec(), summed);
        assert!(summed.iter().sum::<u32>() > 30, "there is something to be counted");
        let mut events = Vec::new();
        for tick in 0..40 {
            for (k, &value) in held.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                events.push(Event { tick, batch: (k / 3) as u32, channel: (k % 3) as u32, value });
            }
        }
        let (mut packed, mut bits) = (open(&gpu), vec![0_u8; 40 * 2]);
        packed.advance(Signal::Events(&events), SignalMut::Bits(&mut bits), 40).expect("runs");
        let expected: Vec<u8> = y.chunks(2).map(|z| z[0] as u8 | (z[1] as u8) << 1).collect();
        assert_eq!(bits, expected);
    }
}

#[test]
fn a_cancelled_run_stands_at_the_ticks_it_reports() {
    let Some(gpu) = substrate(Options::new()) else { return };
    let mut session = Blocking::open(&gpu, &program(Semantics::exact(1.0)), &Run::new().with_batch(2)).expect("realises");
    let cancel = session.session().cancel();
    let ticks = 1_000_000;
    let mut counts = vec![0; 4];
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            cancel.raise();
        });
        session.advance(Signal::Held(&[1.0; 6]), SignalMut::Counts(&mut counts), ticks).expect("returns early")
    });
    assert!(report.ticks < ticks, "the run was over before it could be cancelled");
    let stopped = session.save().expect("saves");
    assert_eq!(stopped.tick, report.ticks as u64);
    cancel.lower();
    session.reset().expect("resets");
    let mut again = vec![0; 4];
    session.advance(Signal::Held(&[1.0; 6]), SignalMut::Counts(&mut again), report.ticks).expect("runs");
    assert_eq!(again, counts);
    assert_eq!(session.save().expect("saves"), stopped);
}

#[test]
fn what_has_no_kernel_is_refused_and_the_node_named() {
    let Some(gpu) = substrate(Options::new()) else { return };
    for preset in [Preset::Events, Preset::Loihi] {
        let error = Blocking::open(&gpu, &program(preset.semantics(1e-3)), &Run::new()).expect_err("has no kernel");
        assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("neurons")), "{preset}: {error}");
    }
}

#[test]
fn locators_are_read_and_senseless_ones_refused() {
    let mut registry = Registry::new();
    register(&mut registry);
    if substrate(Options::new()).is_some() {
        for good in ["wgpu:", "wgpu:?power=low", "wgpu:?rounding=each", "wgpu:?rounding=device&power=high"] {
            registry.open_str(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        let error = registry.open_str("wgpu:?adapter=voodoo").expect_err("there is none");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    for bad in ["wgpu:?power=most", "wgpu:?rounding=up", "wgpu:?threads=2", "wgpu:7"] {
        let error = registry.open_str(bad).expect_err(bad);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{bad}");
    }
    let error = registry.open_str("wgpu:?threads=2").expect_err("is refused").to_string();
    assert!(["adapter", "power", "rounding"].iter().all(|option| error.contains(option)), "{error}");
}

#[test]
fn realizations_on_one_device_do_not_disturb_each_other() {
    let Some(gpu) = substrate(Options::new()) else { return };
    let expected = open(&gpu).run(&input(50)).expect("runs");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut sessions: Vec<Blocking> = (0..3).map(|_| open(&gpu)).collect();
                let mut results = vec![Vec::new(); 3];
                for part in input(50).chunks(10 * 6) {
                    for (session, result) in sessions.iter_mut().zip(&mut results) {
                        result.extend(session.run(part).expect("runs"));
                    }
                }
                assert!(results.iter().all(|result| *result == expected));
            });
        }
    });
}
