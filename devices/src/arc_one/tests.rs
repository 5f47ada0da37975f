//! The driver against the twin: physics, accuracy, faults. Anchor: own-twin.

use super::cell::{Physics, relaxation_deviation, relaxation_mean};
use super::dialogue::{Board, Cell, Reading};
use super::driver::{ArcOne, Choices};
use super::twin::ArcOneTwin;
use super::verify::{Target, Writer, Written};
use isoform_core::builder::Draft;
use isoform_core::draw::Key;
use isoform_core::error::ErrorKind;
use isoform_core::linear::{Dense, LinearMap};
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Cancel, Run, Substrate};
use isoform_core::tensor::Tensor;
use isoform_serial::driver::Driver;
use isoform_serial::error::SerialError;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use isoform_serial::transport::{Fault, Faulty, Line, Memory, Mishap, Scripted, Twin};
use std::collections::VecDeque;
use std::time::Duration;

fn memory(seed: u64) -> Memory {
    Memory::new("the twin of arc-one", Box::new(ArcOneTwin::new(seed)))
}

/// Numbers between nought and one that are spread evenly (the fractional parts of multiples of the golden ratio).
fn spread(n: usize) -> Vec<f64> {
    (1..=n).map(|i| (i as f64 * 0.618_033_988_749_895).fract()).collect()
}

fn targets(words: usize, bits: usize) -> Vec<Target> {
    let numbers = spread(words * bits);
    let cell = |i| Cell { word: i / bits, bit: i % bits };
    (0..words * bits).map(|i| Target { cell: cell(i), siemens: 10e-6 + 80e-6 * numbers[i] }).collect()
}

fn write(link: &mut Link, targets: &[Target]) -> (Board, Written) {
    let mut board = Board::new(Reading::default());
    board.begin(link).expect("begins");
    let written = Writer::default().write(&mut board, link, targets, 0.8e-6, &Cancel::default()).expect("is written");
    (board, written)
}

/// A map of weights between -1 and 1.
fn program(outputs: usize, inputs: usize) -> Program {
    let weight: Vec<f64> = spread(outputs * inputs).iter().map(|u| 2.0 * u - 1.0).collect();
    of_weights(outputs, inputs, weight)
}

fn of_weights(outputs: usize, inputs: usize, weight: Vec<f64>) -> Program {
    let mut b = Program::builder();
    let x = b.input("x", [inputs]);
    let map = Dense::new(Tensor::new([outputs, inputs], weight).expect("fits"), Some(vec![0.25; outputs].into())).expect("fits");
    let y = b.node("map", Draft::from(LinearMap::from(map)), x);
    b.output("y", y);
    b.build(Semantics::exact(1e-3)).expect("is a program")
}

/// Random numbers between -1 and 1.
fn inputs(ticks: usize, channels: usize) -> Vec<f32> {
    let mut x = vec![0.0_f32; ticks * channels];
    Key::new(11, 0).fill_uniform(0, 0, 0, &mut x);
    x.iter().map(|u| 2.0 * u - 1.0).collect()
}

#[test]
fn a_matrix_is_written_at_one_per_cent_and_relaxes_as_declared() {
    let targets = targets(16, 16);
    let mut link = Link::new(Box::new(memory(3)));
    let (board, written) = write(&mut link, &targets);
    assert_eq!(written.cells.len(), 256);
    for (target, cell) in targets.iter().zip(&written.cells) {
        assert!((target.siemens - cell.siemens).abs() <= 0.8e-6, "{target:?} {cell:?}");
    }
    assert_eq!(written.pulses, written.cells.iter().map(|c| u64::from(c.pulses)).sum::<u64>());
    assert!((256..256 * 40).contains(&written.pulses), "{}", written.pulses);
    let done = link.now();
    let physics = Physics::default();
    for later in [1.0, 3600.0, 86_400.0] {
        link.sleep((done + Duration::from_secs_f64(later)).saturating_sub(link.now()));
        let at = link.now();
        let found = board.sweep(&mut link, 16, 16).expect("is read");
        // each cell against the relaxation of its own age; the noise of the reads at both ends is part of what is expected
        let standard: Vec<f64> = found
            .iter()
            .zip(&written.cells)
            .map(|(g, cell)| {
                let age = (at - cell.at).as_secs_f64();
                let noise = cell.siemens * (2.0 * (physics.flicker.powi(2) + physics.white.powi(2) / 2.0)).sqrt();
                (g - cell.siemens - relaxation_mean(age)) / relaxation_deviation(age).hypot(noise)
            })
            .collect();
        let n = standard.len() as f64;
        let mean = standard.iter().sum::<f64>() / n;
        let deviation = (standard.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        assert!(mean.abs() < 4.0 / n.sqrt(), "{later} s: mean {mean}");
        assert!((deviation - 1.0).abs() < 4.0 / (2.0 * n).sqrt(), "{later} s: deviation {deviation}");
    }
}

#[test]
fn a_map_a_day_old_is_what_the_profile_says() {
    let program = program(16, 16);
    let mut lines = Lines::one(Box::new(memory(8)));
    let mut driver = ArcOne::new(Choices::default());
    driver.identify(&mut lines).expect("is one");
    driver.load(&mut lines, &program, &Run::new()).expect("is written");
    let accuracy = driver.profile().accuracy;
    let x = inputs(4, 16);
    let ideal = Oracle::new(&program, &Run::new()).run(&x);
    for wait in [0, 86_400] {
        lines.sleep(Duration::from_secs(wait));
        let mut y = vec![0.0; 64];
        let report = driver.advance(&mut lines, Signal::Dense(&x), &mut SignalMut::Dense(&mut y), 4).expect("runs");
        assert_eq!((report.ticks, report.writes > 512), (4, wait == 0), "pulses are reported once");
        let errors: Vec<f64> = y.iter().zip(&ideal).map(|(&a, &b)| f64::from(a) - b).collect();
        let bound = accuracy.dot(17, 17.0, 0.0);
        assert!(errors.iter().all(|e| e.abs() <= bound), "{errors:?} against {bound}");
        // what the errors of single cells come to: the tolerance at the verify, relaxation (the writing takes some twenty seconds), and the
        // sum over the weights of an output
        let cell = (0.8e-6_f64.powi(2) + relaxation_deviation(wait.max(20) as f64).powi(2)).sqrt();
        let squares: f64 = x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 4.0;
        let expected = (2.0 * squares).sqrt() * cell / 80e-6;
        let seen = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
        // ticks share their weights, so that only outputs count as independent
        assert!(seen < expected * (1.0 + 4.0 / 32_f64.sqrt()), "{seen} against {expected}");
    }
}

#[test]
fn it_is_a_substrate() {
    let instrument = Instrument::open(Box::new(ArcOne::new(Choices::default())), Lines::one(Box::new(memory(1)))).expect("opens");
    let profile = instrument.profile();
    assert_eq!((profile.device.as_str(), profile.class.name()), ("ArC ONE, firmware 1.4", "analog-wearing"));
    let program = program(3, 4);
    let mut session = Blocking::open(&instrument, &program, &Run::new()).expect("is written");
    let x = inputs(20, 4);
    let y = session.run(&x).expect("runs");
    let ideal = Oracle::new(&program, &Run::new()).run(&x);
    let bound = profile.accuracy.dot(5, 5.0, 0.0);
    assert!(y.iter().zip(&ideal).all(|(&a, &b)| (f64::from(a) - b).abs() <= bound));
    session.reset().expect("resets");
    let set = session.write("map", "weight", &[0.5; 12]).expect("is written");
    assert!(set.len() == 12 && set.iter().all(|w| (w - 0.5).abs() < 0.15), "{set:?}");
    let refused = session.write("map", "weight", &[1.5; 12]).expect_err("is too much");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(session.read("map", "bias").expect("is known"), [0.25, 0.25, 0.25]);
    session.run(&x).expect("goes on after a refusal");
}

#[test]
fn what_does_not_fit_is_refused_before_a_byte_is_sent() {
    let mut lines = Lines::one(Box::new(memory(1)));
    let mut driver = ArcOne::new(Choices::default());
    driver.identify(&mut lines).expect("is one");
    let sent = lines.sent();
    for program in [program(17, 4), program(4, 33), of_weights(1, 2, vec![0.5, -1.01])] {
        let error = driver.load(&mut lines, &program, &Run::new()).expect_err("does not fit");
        assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("map")), "{error}");
    }
    let mut board = Board::new(Reading::default());
    for (volts, siemens) in [(13.0, 20e-6), (2.0, 95e-6), (2.0, 5e-6)] {
        let writer = Writer { most_volts: volts, ..Writer::default() };
        let target = Target { cell: Cell { word: 0, bit: 0 }, siemens };
        assert!(writer.write(&mut board, &mut lines, &[target], 0.0, &Cancel::default()).is_err());
    }
    assert_eq!(lines.sent(), sent);
}

#[test]
fn the_dialogue_is_that_of_the_vendors_class() {
    let host = |text: &str| Line::Host(text.as_bytes().to_vec());
    let version = [host("999\n"), Line::Device(vec![1, 0, 4, 0])];
    let mut script = vec![host(&"00\n".repeat(8)), host("0\n50\n32\n32\n2\n0\n1\n0.500000\n"), Line::Device(b"1\n".to_vec())];
    script.extend([host("01\n2\n0.500000\n"), host("011\n50\n1\n")]);
    script.extend(version.clone());
    script.extend(version);
    script.extend([host("1\n5\n7\n"), Line::Device(vec![0x00, 0x00, 0xfa]), Line::Device(vec![0x45])]);
    script.extend([host("3\n5\n7\n1.500000\n1e-7\n"), Line::Device(vec![0x00, 0x00, 0xe1, 0x45])]);
    let mut link = Link::new(Box::new(Scripted::new(script)));
    let mut board = Board::new(Reading::default());
    board.begin(&mut link).expect("begins");
    assert_eq!(board.version(), Some((1, 4)));
    let cell = Cell { word: 4, bit: 6 };
    assert_eq!(board.read(&mut link, cell).expect("is read"), 1.0 / 8000.0);
    assert_eq!(board.pulse(&mut link, cell, 1.5, Duration::from_nanos(100)).expect("is given"), 1.0 / 7200.0);
    assert_eq!(board.pulses(), 1);
}

/// A device that answers everything with a prompt.
#[derive(Debug)]
struct Shell(usize);

impl Twin for Shell {
    fn receive(&mut self, bytes: &[u8], _: Duration) {
        self.0 += bytes.iter().filter(|&&b| b == b'\n').count();
    }

    fn transmit(&mut self, _: Duration, out: &mut VecDeque<u8>) {
        out.extend(b"login: ".repeat(std::mem::take(&mut self.0)));
    }

    fn next(&self) -> Option<Duration> {
        None
    }

    fn restart(&mut self, _: Duration) {}
}

#[test]
fn another_device_is_told_apart() {
    let mut link = Link::new(Box::new(Memory::new("shell", Box::new(Shell(0)))));
    let error = Board::new(Reading::default()).begin(&mut link).expect_err("is none");
    assert!(matches!(error, SerialError::WrongDevice { .. }), "{error}");
}

#[test]
fn no_fault_is_silently_wrong_and_the_array_survives() {
    let program = program(2, 3);
    let x = inputs(6, 3);
    let ideal = Oracle::new(&program, &Run::new()).run(&x);
    let opened = |mishaps: Vec<Mishap>| {
        let faulty = Faulty::new(memory(4), mishaps, Box::new(Shell(0)));
        let driver = Box::new(ArcOne::new(Choices::default()));
        Instrument::open(driver, Lines::one(Box::new(faulty)))
    };
    for &fault in Fault::ALL {
        let places: &[u64] =
            if fault.is_on_sent() { &[3, 30, 60, 131, 700, 1205, 2000] } else { &[0, 3, 9, 40, 111, 402, 520, 700] };
        for (&at, bit) in places.iter().zip([1, 7, 6, 0, 4, 2, 5, 3]) {
            let case = format!("{fault:?} at {at}");
            let instrument = match opened(vec![Mishap { fault, at, bit }]) {
                Ok(instrument) => instrument,
                Err(error) => {
                    let known = [ErrorKind::Protocol, ErrorKind::Timeout, ErrorKind::Disconnected];
                    assert!(known.contains(&error.kind()), "{case}: {error}");
                    continue;
                }
            };
            let bound = instrument.profile().accuracy.dot(4, 4.0, 0.0);
            let agrees = |y: &[f32]| y.iter().zip(&ideal).all(|(&a, &b)| (f64::from(a) - b).abs() <= bound);
            let Ok(mut session) = Blocking::open(&instrument, &program, &Run::new()) else {
                let mut session = Blocking::open(&instrument, &program, &Run::new()).expect("the next one is loaded");
                assert!(agrees(&session.run(&x).expect("runs")), "{case}");
                continue;
            };
            match session.run(&x) {
                Ok(y) => assert!(agrees(&y), "{case}: {y:?} against {ideal:?}"),
                Err(error) => {
                    session.reset().unwrap_or_else(|e| panic!("{case}: {error}, then {e}"));
                    assert!(agrees(&session.run(&x).expect("runs")), "{case}");
                }
            }
        }
    }
}

#[test]
fn after_a_failure_only_what_left_its_band_is_written() {
    let program = program(2, 3);
    let mut lines = Lines::one(Box::new(memory(4)));
    let mut driver = ArcOne::new(Choices::default());
    driver.identify(&mut lines).expect("is one");
    driver.load(&mut lines, &program, &Run::new()).expect("is written");
    let mut y = vec![0.0; 2];
    let mut pulses = |driver: &mut ArcOne, lines: &mut Lines| {
        let x = inputs(1, 3);
        driver.advance(lines, Signal::Dense(&x), &mut SignalMut::Dense(&mut y), 1).expect("runs").writes
    };
    let first = pulses(&mut driver, &mut lines);
    driver.identify(&mut lines).expect("is one");
    driver.load(&mut lines, &program, &Run::new()).expect("is written");
    let again = pulses(&mut driver, &mut lines);
    assert!(first > 12 && again == 0, "{first}, then {again}");
}
