//! Tuning, saving, signals of every form, options and refusals.

mod common;

use common::{input, program, substrate};
use isoform_core::error::ErrorKind;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::registry::Registry;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_cpu::{CpuSubstrate, Options as CpuOptions};
use isoform_opencl::{Options, Style, register};

fn open(substrate: &dyn Substrate) -> Blocking {
    let run = Run::new().with_batch(2).with_max_ticks(16);
    Blocking::open(substrate, &program(Semantics::exact(1.0)), &run).expect("realises")
}

fn styles() -> impl Iterator<Item = isoform_opencl::OpenClSubstrate> {
    [Style::Grid, Style::Task].into_iter().filter_map(|style| substrate(Options::new().with_style(style)))
}

#[test]
fn what_one_substrate_saves_another_continues() {
    let cpu = CpuSubstrate::new(CpuOptions::new()).expect("opens");
    for opencl in styles() {
        let (mut here, mut there, mut whole) = (open(&opencl), open(&cpu), open(&cpu));
        let expected = whole.run(&input(60)).expect("runs");
        let first = here.run(&input(60)[..20 * 6]).expect("runs");
        there.load(&here.save().expect("saves")).expect("loads");
        let second = there.run(&input(60)[20 * 6..40 * 6]).expect("runs");
        here.load(&there.save().expect("saves")).expect("loads");
        let third = here.run(&input(60)[40 * 6..]).expect("runs");
        assert_eq!([first, second, third].concat(), expected);
    }
}

#[test]
fn tuning_acts_at_once_and_keeps_the_state() {
    for opencl in styles() {
        let (mut here, mut oracle) = (open(&opencl), open(&OracleSubstrate::new()));
        // the second changes from nought, so that another kernel is needed
        let changes: [(&str, &str, &[f64]); 3] =
            [("neurons", "r", &[1.0]), ("neurons", "v_leak", &[0.5]), ("weights", "weight", &[0.5, 0.0, 1.0, 1.0, 0.25, 0.5])];
        for (node, parameter, values) in changes {
            assert_eq!(here.run(&input(30)).expect("runs"), oracle.run(&input(30)).expect("runs"));
            let was = here.read(node, parameter).expect("reads");
            let values = if values.len() == was.len() { values.to_vec() } else { vec![values[0]; was.len()] };
            assert_eq!(here.write(node, parameter, &values).expect("writes"), values);
            oracle.write(node, parameter, &values).expect("writes");
            assert_eq!(here.read(node, parameter).expect("reads"), values);
        }
        assert_eq!(here.run(&input(30)).expect("runs"), oracle.run(&input(30)).expect("runs"));
    }
}

#[test]
fn signals_of_every_form_mean_the_same() {
    for opencl in styles() {
        let held = [0.5, 1.5, 1.0, 1.0, 0.0, 2.0];
        let (mut dense, mut y) = (open(&opencl), vec![0.0; 40 * 4]);
        dense.advance(Signal::Dense(&held.repeat(40)), SignalMut::Dense(&mut y), 40).expect("runs");
        let (mut counted, mut counts) = (open(&opencl), [7_u32; 4]);
        counted.advance(Signal::Held(&held), SignalMut::Counts(&mut counts), 40).expect("runs");
        let summed: Vec<u32> = (0..4).map(|c| 7 + y.iter().skip(c).step_by(4).sum::<f32>() as u32).collect();
        assert_eq!(counts.to_vec(), summed);
        let mut events = Vec::new();
        for tick in 0..40 {
            for (k, &value) in held.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                events.push(Event { tick, batch: (k / 3) as u32, channel: (k % 3) as u32, value });
            }
        }
        let (mut packed, mut bits) = (open(&opencl), vec![0_u8; 40 * 2]);
        packed.advance(Signal::Events(&events), SignalMut::Bits(&mut bits), 40).expect("runs");
        let expected: Vec<u8> = y.chunks(2).map(|z| z[0] as u8 | (z[1] as u8) << 1).collect();
        assert_eq!(bits, expected);
    }
}

#[test]
fn a_request_to_cancel_ends_between_blocks() {
    for opencl in styles() {
        let run = Run::new().with_batch(2);
        run.cancel.raise();
        let mut session = Blocking::open(&opencl, &program(Semantics::exact(1.0)), &run).expect("realises");
        let mut y = vec![0.0; 200 * 4];
        let report = session.advance(Signal::Dense(&input(200)), SignalMut::Dense(&mut y), 200).expect("ends");
        assert_eq!(report.ticks, 0);
    }
}

#[test]
fn what_it_cannot_do_is_refused_by_name() {
    let Some(opencl) = substrate(Options::new()) else { return };
    for preset in [Preset::Events, Preset::Loihi] {
        let refused = Blocking::open(&opencl, &program(preset.semantics(1.0)), &Run::new()).expect_err("refused");
        assert_eq!((refused.kind(), refused.node()), (ErrorKind::Unsupported, Some("neurons")), "{refused}");
    }
    let mut registry = Registry::new();
    register(&mut registry);
    for (locator, kind) in [
        ("opencl:?colour=red", ErrorKind::Unsupported),
        ("opencl:?style=round", ErrorKind::Unsupported),
        ("opencl:here", ErrorKind::Unsupported),
        ("opencl:7/3", ErrorKind::NotFound),
        ("opencl:?name=nobody", ErrorKind::NotFound),
    ] {
        let refused = registry.open_str(locator).expect_err("refused");
        assert_eq!(refused.kind(), kind, "{refused}");
    }
    assert!(registry.open_str("opencl:0/0?style=task").is_ok());
}

#[test]
fn many_threads_may_be_the_first_to_ask() {
    let ran: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let Some(opencl) = substrate(Options::new()) else { return false };
                    let expected = open(&OracleSubstrate::new()).run(&input(20)).expect("runs");
                    (0..3).all(|_| open(&opencl).run(&input(20)).expect("runs") == expected)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("ends")).collect()
    });
    assert!(ran.iter().all(|&ok| ok) || std::env::var_os("CI").is_none());
}
