//! A device that has gone silent keeps nobody who leaves it waiting.

use isoform_core::builder::identity;
use isoform_core::error::Result;
use isoform_core::functions::li;
use isoform_core::locator::Locator;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_devices::kinds::kinds;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Memory, Twin, VirtualClock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A device that neither hears nor answers any more once it is cut off.
#[derive(Debug)]
struct Mute {
    device: Box<dyn Twin>,
    is_cut_off: Arc<AtomicBool>,
}

impl Twin for Mute {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if !self.is_cut_off.load(Ordering::Relaxed) {
            self.device.receive(bytes, now);
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        if !self.is_cut_off.load(Ordering::Relaxed) {
            self.device.transmit(now, out);
        }
    }

    fn next(&self) -> Option<Duration> {
        if self.is_cut_off.load(Ordering::Relaxed) { None } else { self.device.next() }
    }

    fn restart(&mut self, now: Duration) {
        self.device.restart(now);
    }
}

/// A program for those that show none of themselves.
fn some_program(name: &str) -> Program {
    let semantics = Semantics::exact(1e-3);
    let program = match name {
        "umemristor" => Program::single("pulses", identity(), [8], semantics),
        _ => Program::single("membrane", li().with("tau", 20e-3), [1], semantics),
    };
    program.expect("builds")
}

/// An instrument by its twin, whose lines can be cut off together.
fn open(name: &str, is_cut_off: &Arc<AtomicBool>, clock: &VirtualClock) -> Result<Instrument> {
    let locator: Locator = format!("twin:{name}").parse().expect("valid");
    let kind = kinds().iter().find(|kind| kind.name == name).expect("is one");
    let twins = (kind.twins)(&mut locator.reader()).expect("twins");
    let mut lines = twins.into_iter().map(|device| {
        let mute = Mute { device, is_cut_off: Arc::clone(is_cut_off) };
        Box::new(Memory::on(clock.clone(), name, Box::new(mute)))
    });
    let first = Lines::one(lines.next().expect("a line"));
    let lines = kind.lines.iter().zip(lines).fold(first, |all, (name, line)| all.with(name, line));
    Instrument::open((kind.driver)(&mut locator.reader()).expect("a driver"), lines)
}

#[test]
fn a_silent_device_is_left_within_two_seconds() {
    for kind in kinds() {
        let (is_cut_off, clock) = (Arc::default(), VirtualClock::default());
        let instrument = open(kind.name, &is_cut_off, &clock).expect("opens");
        let shown = instrument.exemplars();
        let program = shown.first().cloned().unwrap_or_else(|| some_program(kind.name));
        let session = Blocking::open(&instrument, &program, &Run::new()).expect("loads");
        is_cut_off.store(true, Ordering::Relaxed);
        let start = clock.now();
        drop(session);
        let took = clock.now() - start;
        assert!(took <= Duration::from_secs(2), "{}: {took:?}", kind.name);
        // nothing is kept of the hurry: where the device is back the next session runs
        is_cut_off.store(false, Ordering::Relaxed);
        Blocking::open(&instrument, &program, &Run::new()).unwrap_or_else(|e| panic!("{}: {e}", kind.name));
    }
}
