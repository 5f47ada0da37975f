//! The driver against the twin and against a script. Anchor: own-twin.

use super::driver::UMemristor;
use super::twin::UMemristorTwin;
use isoform_core::builder::identity;
use isoform_core::error::ErrorKind;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_serial::driver::Driver;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Fault, Faulty, Memory, Mishap, Scripted};
use std::time::Duration;

fn memory() -> Memory {
    Memory::new("the twin of umemristor", Box::new(UMemristorTwin::new()))
}

fn program() -> Program {
    UMemristor::new().exemplars().remove(0)
}

#[test]
fn the_dialogue_is_that_of_the_firmware() {
    let mut lines = Lines::one(Box::new(Scripted::dialogue(&[
        ("p0\n", "p\r\n0\r\nPulse set to DISCONNECT\r\n"),
        ("p0\n", "p\r\n0\r\nPulse set to DISCONNECT\r\n"),
        ("q1\n", "q\r\n1\r\nPower is ON\r\n"),
        ("m3\n", "m\r\n3\r\nMemristor 3 SELECTED\r\n"),
        ("p-1\n", "p\r\n-1\r\nPulse set to REVERSE\r\n"),
        ("w5\n", "w\r\n5\r\n"),
        ("m8\n", "m\r\n8\r\nMemristor 8 SELECTED\r\n"),
        ("p1\n", "p\r\n1\r\nPulse set to FORWARD\r\n"),
        ("w2\n", "w\r\n2\r\n"),
        ("p0\n", "p\r\n0\r\nPulse set to DISCONNECT\r\n"),
    ])));
    let mut driver = UMemristor::new();
    driver.identify(&mut lines).expect("is one");
    driver.load(&mut lines, &program(), &Run::new()).expect("is loaded");
    let mut y = [9.0; 8];
    let x = [0.0, 0.4, -5.0, -0.3, 0.0, 0.0, 0.0, 1.6];
    let report = driver.advance(&mut lines, Signal::Dense(&x), &mut SignalMut::Dense(&mut y), 1).expect("is done");
    assert_eq!((y, report.ticks, report.writes), ([0.0, 0.0, -5.0, 0.0, 0.0, 0.0, 0.0, 2.0], 1, 7));
}

#[test]
fn what_would_be_echoed_and_not_done_is_refused() {
    let mut lines = Lines::one(Box::new(memory()));
    let mut driver = UMemristor::new();
    driver.identify(&mut lines).expect("is one");
    driver.load(&mut lines, &program(), &Run::new()).expect("is loaded");
    let sent = lines.sent();
    for bad in [40_000.0, -32_768.0, f32::NAN, f32::INFINITY] {
        let mut x = [1.0; 16];
        x[12] = bad;
        let error = driver.advance(&mut lines, Signal::Dense(&x), &mut SignalMut::Dense(&mut [0.0; 16]), 2).expect_err("is not");
        assert_eq!(error.kind(), ErrorKind::InvalidSignal, "{error}");
        assert!(error.to_string().contains("memristor 5"), "{error}");
    }
    assert_eq!(lines.sent(), sent);
    let nine = Program::single("nine", identity(), [9], Semantics::exact(1.0)).expect("is a program");
    let error = driver.load(&mut lines, &nine, &Run::new()).expect_err("does not fit");
    assert_eq!((error.kind(), error.node(), lines.sent()), (ErrorKind::Unsupported, Some("nine"), sent));
}

#[test]
fn it_cannot_be_reset_or_read() {
    let instrument = Instrument::open(Box::new(UMemristor::new()), Lines::one(Box::new(memory()))).expect("opens");
    let mut session = Blocking::open(&instrument, &program(), &Run::new()).expect("is loaded");
    let x = [1.0, 0.0, 0.0, 2.0, 0.0, 0.0, -3.0, 0.0];
    assert_eq!(session.run(&x).expect("is done"), x);
    assert_eq!(session.reset().expect_err("cannot").kind(), ErrorKind::Unsupported);
    assert_eq!(session.save().expect_err("cannot").kind(), ErrorKind::Unsupported);
}

/// What the host is told and what the board has done agree, or the host is told that they do not.
#[test]
fn no_fault_is_silently_wrong() {
    let x = [[0.0, 0.0, 12.0, 0.0, -7.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]].concat();
    for &fault in Fault::ALL {
        for at in 0..if fault.is_on_sent() { 32 } else { 260 } {
            let case = format!("{fault:?} at {at}");
            let shared = Shared::default();
            let mishap = Mishap { fault, at, bit: (at % 8) as u8 };
            let line = Memory::new("the twin of umemristor", Box::new(shared.clone()));
            let other = Box::new(UMemristorTwin::default());
            let mut lines = Lines::one(Box::new(Faulty::new(line, vec![mishap], other)));
            let mut driver = UMemristor::new();
            let start = lines.now();
            let done = driver
                .identify(&mut lines)
                .and_then(|()| driver.load(&mut lines, &program(), &Run::new()))
                .and_then(|()| driver.advance(&mut lines, Signal::Dense(&x), &mut SignalMut::Dense(&mut [0.0; 16]), 2));
            assert!(lines.now() - start < Duration::from_secs(120), "{case}");
            if fault != Fault::WrongDevice && done.is_ok() {
                assert_eq!(shared.given(), [0, 0, 13, 0, -7, 0, 0, 0], "{case}");
            }
        }
    }
}

/// A twin that can be looked at while it is at a line.
#[derive(Debug, Clone, Default)]
struct Shared(std::sync::Arc<std::sync::Mutex<UMemristorTwin>>);

impl Shared {
    fn given(&self) -> [i64; 8] {
        self.0.lock().expect("is free").given()
    }
}

impl isoform_serial::transport::Twin for Shared {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.0.lock().expect("is free").receive(bytes, now);
    }

    fn transmit(&mut self, now: Duration, out: &mut std::collections::VecDeque<u8>) {
        self.0.lock().expect("is free").transmit(now, out);
    }

    fn next(&self) -> Option<Duration> {
        self.0.lock().expect("is free").next()
    }

    fn restart(&mut self, now: Duration) {
        self.0.lock().expect("is free").restart(now);
    }
}

#[test]
fn the_rails_go_off_whatever_is_echoed() {
    let rails = ("q0\n", "q\n0\nPower is OFF\n");
    let close = |pulses: (&str, &str)| {
        let mut lines = Lines::one(Box::new(Scripted::dialogue(&[pulses, rails])));
        let closed = UMemristor::new().close(&mut lines);
        assert_eq!(lines.sent(), 6, "both are told");
        closed
    };
    close(("p0\n", "p\n0\nPulse set to DISCONNECT\n")).expect("is safe");
    assert_eq!(close(("p0\n", "p\n1\nPulse set to FORWARD\n")).expect_err("is not").kind(), ErrorKind::Protocol);
    assert_eq!(close(("p0\n", "")).expect_err("nobody knows").kind(), ErrorKind::Timeout);
}
