//! The driver against the twin and against a script. Anchor: own-twin.

use super::codec::Pot;
use super::dialogue::Machine;
use super::driver::ModelOne;
use super::patch::{Channel, Patch};
use super::twin::ModelOneTwin;
use isoform_core::error::ErrorKind;
use isoform_core::functions::{integrator, li};
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_serial::driver::Driver;
use isoform_serial::error::SerialError;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use isoform_serial::transport::{Fault, Faulty, Line, Memory, Mishap, Scripted, Twin};
use std::collections::VecDeque;
use std::time::Duration;

fn twin(patch: &Patch) -> Memory {
    Memory::new("the twin of model-one", Box::new(ModelOneTwin::new(patch.clone(), 3)))
}

fn opened(patch: &Patch) -> Instrument {
    let lines = Lines::one(Box::new(twin(patch)));
    Instrument::open(Box::new(ModelOne::new(patch.clone())), lines).expect("opens")
}

/// Two channels: one on the controller, one on a module of its own.
fn two() -> Patch {
    let pot = |index| Pot { module: 0x60, index };
    let second = Channel { integrator: 0x21, decay: pot(7), plus: pot(20), minus: pot(21), ic_plus: pot(22), ic_minus: pot(23) };
    let mut patch = Patch::default();
    patch.channels.push(second);
    patch
}

fn leaky(semantics: Semantics) -> Program {
    let mut b = Program::builder();
    let x = b.input("x", [1]);
    let y = b.node("leaky", li().with("tau", 0.02).with("r", 1.5).with("v_leak", 0.1), x);
    b.output("y", y);
    b.build(semantics).expect("is a program")
}

fn inputs(n: usize) -> Vec<f32> {
    (0..n).map(|t| if t % 17 < 9 { 0.4 } else { -0.3 } + 0.1 * (t % 5) as f32).collect()
}

/// Runs, and compares with the definition. A tick adds what rounding a state, a drive and a decay to ten bits can do, and what the converter
/// and its four decimals do; what was there before decays.
fn agrees(y: &[f32], x: &[f32], program: &Program, rate: f64, ticks_of_one: usize) {
    let ideal = Oracle::new(program, &Run::new()).run(x);
    let half = 0.5 / 1023.0;
    let (machine, op) = (10.0, 0.01);
    let kept = (-rate).exp();
    // the drive and the decay act for one tick of 10 ms of the machine at ten a second; the state is at most one
    let fresh = half * kept + machine * op * (half + half) + 5e-5 + 4.0 * 2.0 / 65_536.0;
    let mut bound = 0.0;
    for (tick, (y, ideal)) in y.chunks(ticks_of_one).zip(ideal.chunks(ticks_of_one)).enumerate() {
        bound = bound * kept + fresh;
        for (a, b) in y.iter().zip(ideal) {
            assert!((f64::from(*a) - b).abs() <= bound + 1e-7, "tick {tick}: {a} where the definition gives {b} within {bound}");
        }
    }
}

#[test]
fn a_leaky_integrator_follows_its_definition() {
    let instrument = opened(&Patch::default());
    let profile = instrument.profile();
    assert_eq!((profile.device.as_str(), profile.class.name()), ("HC firmware v2.1 20201215", "analog-noisy"));
    assert!(!profile.facets.memory && !profile.facets.tuning);
    let program = leaky(Semantics::exact(1e-3));
    let mut session = Blocking::open(&instrument, &program, &Run::new()).expect("is loaded");
    let x = inputs(120);
    for _ in 0..2 {
        let y = session.run(&x).expect("runs");
        agrees(&y, &x, &program, 0.05, 1);
        assert!(y.iter().any(|v| *v > 0.2) && y.iter().any(|v| *v < 0.45));
        session.reset().expect("resets");
    }
}

#[test]
fn one_session_follows_another() {
    let instrument = opened(&Patch::default());
    let (program, x) = (leaky(Semantics::exact(1e-3)), inputs(20));
    for _ in 0..3 {
        let mut session = Blocking::open(&instrument, &program, &Run::new()).expect("is loaded");
        agrees(&session.run(&x).expect("runs"), &x, &program, 0.05, 1);
    }
}

#[test]
fn channels_take_the_patch_in_order() {
    let patch = two();
    let mut b = Program::builder();
    let x = b.input("x", [2]);
    let y = b.node("sum", integrator().with("r", [5.0, -4.0]), x);
    b.output("y", y);
    let program = b.build(Semantics::exact(1e-3)).expect("is a program");
    let mut session = Blocking::open(&opened(&patch), &program, &Run::new()).expect("is loaded");
    let x: Vec<f32> = inputs(60).iter().flat_map(|&v| [v, 0.5 - v]).collect();
    agrees(&session.run(&x).expect("runs"), &x, &program, 0.0, 2);
}

#[test]
fn the_log_of_a_run_is_the_curve_of_the_integrator() {
    let patch = Patch::default();
    let mut link = Link::new(Box::new(twin(&patch)));
    let mut machine = Machine::default();
    machine.begin(&mut link).expect("begins");
    machine.set_times(&mut link, 5, 200).expect("are set");
    let channel = patch.channels[0];
    machine.set_pot(&mut link, channel.decay, 512).expect("is set");
    machine.set_pot(&mut link, channel.ic_plus, 1000).expect("is set");
    machine.set_group(&mut link, &[channel.integrator]).expect("is chosen");
    machine.run(&mut link, 5, 200).expect("runs");
    let last = machine.read_group(&mut link, 1).expect("is read")[0];
    let rows = machine.log(&mut link, 1).expect("is read");
    // rows are evenly spaced, from the beginning of OP to almost its end
    let start = 1000.0 / 1023.0;
    let rate = 10.0 * 512.0 / 1023.0 * 0.2;
    assert!(rows.len() > 400, "{}", rows.len());
    let step = rate / rows.len() as f64;
    for (k, row) in rows.iter().enumerate() {
        let expected = start * (-step * k as f64).exp();
        assert!((row[0] - expected).abs() < 5e-5 + 6.0 * 2.0 / 65_536.0 + step, "row {k}: {} against {expected}", row[0]);
    }
    assert!((last - start * (-rate).exp()).abs() < 5e-4, "{last}");
    assert!(machine.log(&mut link, 1).expect("is empty").is_empty());
}

#[test]
fn what_the_patch_does_not_have_is_refused_before_a_byte_is_sent() {
    let patch = Patch::default();
    let mut lines = Lines::one(Box::new(twin(&patch)));
    let mut driver = ModelOne::new(patch);
    driver.identify(&mut lines).expect("is one");
    let sent = lines.sent();
    let of = |extent: usize, tau: &[f64]| {
        let mut b = Program::builder();
        let mut wire = b.input("x", [extent]);
        for (name, &tau) in ["first", "second"].iter().zip(tau) {
            wire = b.node(name, li().with("tau", tau), wire);
        }
        b.output("y", wire);
        b.build(Semantics::exact(1e-3)).expect("is a program")
    };
    for (program, node) in [
        (of(1, &[0.02, 0.02]), Some("second")),
        (of(2, &[0.02]), Some("first")),
        (of(1, &[0.005]), Some("first")),
        (leaky(Preset::Norse.semantics(1e-3)), Some("leaky")),
        (leaky(Semantics::exact(1.5e-5)), None),
    ] {
        let error = driver.load(&mut lines, &program, &Run::new()).expect_err("does not fit");
        assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, node), "{error}");
    }
    assert_eq!(lines.sent(), sent);
}

#[test]
fn too_much_drive_is_refused_and_an_overload_is_an_error() {
    let patch = Patch::default();
    let instrument = opened(&patch);
    let mut session = Blocking::open(&instrument, &leaky(Semantics::exact(1e-3)), &Run::new()).expect("is loaded");
    let error = session.run(&[0.1, 3.0]).expect_err("is too much");
    assert_eq!((error.kind(), session.session().is_lost()), (ErrorKind::InvalidSignal, false), "{error}");
    session.run(&[0.1, 0.2]).expect("goes on");
    let error = session.run(&[1.2; 60]).expect_err("leaves the range");
    assert_eq!(error.kind(), ErrorKind::Fault, "{error}");
    session.reset().expect("is set up anew");
    session.run(&[0.1, 0.2]).expect("goes on");
}

#[test]
fn the_dialogue_has_no_ends_of_lines() {
    let status = "STATE=NORM,+1=1.00,-1=-1.00,MODE=IC,EXTH=DIS,OVLH=DIS,IC-time=0,OP-time=0,RO-GROUP=,DPTADDR=80/8\n";
    let chosen = status.replace("GROUP=", "GROUP=20;21");
    let turns = |turns: &[(&str, &str)]| -> Vec<Line> {
        let turn =
            |(host, device): &(&str, &str)| [Line::Host(host.as_bytes().to_vec()), Line::Device(device.as_bytes().to_vec())];
        turns.iter().flat_map(turn).filter(|line| *line != Line::Device(Vec::new())).collect()
    };
    let first = turns(&[
        ("x", "RESET\n"),
        ("?", "HC firmware v2.1 20201215\n\nhelp\n"),
        ("s", status),
        ("s", status),
        ("P0080000512", "P80.0=512\n"),
        ("G0020;0021.", ""),
        ("s", &chosen),
        ("f", "1.0000;0.0000\n"),
        ("f", "1.0000;0.0000\n"),
        ("F", "SINGLE-RUN\n"),
    ]);
    let last = turns(&[("l", "0.9999 0.0228 \n0.9998 0.0229 \nEOD\n"), ("P0070000512", "P70.0=ERROR!\n")]);
    let run = [Line::Pause(Duration::from_millis(105)), Line::Device(b"EOSR\n".to_vec())];
    let mut link = Link::new(Box::new(Scripted::new([first, run.to_vec(), last].concat())));
    let mut machine = Machine::default();
    machine.begin(&mut link).expect("begins");
    assert_eq!(machine.modules, [(0x80, 8)]);
    machine.set_pot(&mut link, Pot { module: 0x80, index: 0 }, 512).expect("is set");
    machine.set_group(&mut link, &[0x20, 0x21]).expect("is chosen");
    assert_eq!(machine.read_group(&mut link, 2).expect("is read"), [1.0, 0.0]);
    machine.run(&mut link, 5, 100).expect("runs");
    assert_eq!(machine.log(&mut link, 2).expect("is read"), [[0.9999, 0.0228], [0.9998, 0.0229]]);
    let error = machine.set_pot(&mut link, Pot { module: 0x70, index: 0 }, 512).expect_err("is not there");
    assert!(matches!(error, SerialError::Garbled { .. }), "{error}");
}

#[test]
fn a_run_ends_once_and_not_before_its_time() {
    let garbled = |error: SerialError| {
        assert!(matches!(error, SerialError::Garbled { .. }), "{error}");
        error.to_string()
    };
    let run = |late: u64| {
        let script = [
            Line::Host(b"F".to_vec()),
            Line::Device(b"SINGLE-RUN\n".to_vec()),
            Line::Pause(Duration::from_millis(late)),
            Line::Device(b"EOSR\n".to_vec()),
        ];
        Machine::default().run(&mut Link::new(Box::new(Scripted::new(script))), 5, 100)
    };
    // clocks of host and machine are not quite the same
    for late in [101, 105, 900] {
        run(late).unwrap_or_else(|e| panic!("{late} ms: {e}"));
    }
    for early in [0, 40, 99] {
        let error = garbled(run(early).expect_err("too early"));
        assert!(error.contains("but IC and OP take 105ms"), "{error}");
    }
    let mut twice = Link::new(Box::new(Scripted::dialogue(&[("f", "EOSR\n0.5000;0.0000\n")])));
    let error = garbled(Machine::default().read_group(&mut twice, 2).expect_err("it has ended already"));
    assert!(error.contains("where no run was going on"), "{error}");
    let read = |first: &str, second: &str| {
        let mut link = Link::new(Box::new(Scripted::dialogue(&[("f", first), ("f", second)])));
        garbled(Machine::default().read_group(&mut link, 1).expect_err("no readings"))
    };
    assert!(read("9.9999\n", "9.9999\n").contains("reads no more than two machine units"));
    assert!(read("0.5000\n", "0.6000\n").contains("two reads of an element at rest differ"));
}

/// A device that answers everything with a prompt.
#[derive(Debug)]
struct Shell(bool);

impl Twin for Shell {
    fn receive(&mut self, _: &[u8], _: Duration) {
        self.0 = true;
    }

    fn transmit(&mut self, _: Duration, out: &mut VecDeque<u8>) {
        if std::mem::take(&mut self.0) {
            out.extend(b"ok> \r\n");
        }
    }

    fn next(&self) -> Option<Duration> {
        None
    }

    fn restart(&mut self, _: Duration) {}
}

/// One mishap on the way of a program through the machine.
fn survives(fault: Fault, at: u64, bit: u8) {
    let (patch, program, x) = (Patch::default(), leaky(Semantics::exact(1e-3)), inputs(12));
    let case = format!("{fault:?} at {at}");
    let faulty = Faulty::new(twin(&patch), vec![Mishap { fault, at, bit }], Box::new(Shell(false)));
    let instrument = match Instrument::open(Box::new(ModelOne::new(patch)), Lines::one(Box::new(faulty))) {
        Ok(instrument) => instrument,
        Err(error) => {
            let known = [ErrorKind::Protocol, ErrorKind::Timeout, ErrorKind::Disconnected];
            assert!(known.contains(&error.kind()), "{case}: {error}");
            return;
        }
    };
    let Ok(mut session) = Blocking::open(&instrument, &program, &Run::new()) else {
        let mut session = Blocking::open(&instrument, &program, &Run::new()).expect("the next one is loaded");
        agrees(&session.run(&x).expect("runs"), &x, &program, 0.05, 1);
        return;
    };
    let y = match session.run(&x) {
        Ok(y) => y,
        Err(error) => {
            session.reset().unwrap_or_else(|e| panic!("{case}: {error}, then {e}"));
            session.run(&x).expect("runs")
        }
    };
    agrees(&y, &x, &program, 0.05, 1);
}

#[test]
fn no_fault_is_silently_wrong() {
    for &fault in Fault::ALL {
        let places: &[u64] = if fault.is_on_sent() {
            &[0, 1, 2, 9, 15, 21, 27, 40, 60, 95, 150, 333]
        } else {
            &[0, 5, 12, 100, 150, 290, 310, 355, 371, 420, 444, 500]
        };
        for (&at, bit) in places.iter().zip((0..8).cycle()) {
            survives(fault, at, bit);
        }
    }
}

#[test]
fn a_machine_that_restarts_between_two_exchanges_is_noticed() {
    for at in 480..760 {
        survives(Fault::Restart, at, 0);
    }
}
