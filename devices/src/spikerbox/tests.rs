//! own-twin, but for the bytes of the script, which a simulated processor sent (real-firmware).

use super::codec::{self, VOLTS};
use super::driver::SpikerBox;
use super::twin::{SpikerBoxTwin, value};
use crate::biosignal::source;
use crate::cyton::twin::CytonTwin;
use isoform_core::error::{ErrorKind, Integrity, Result};
use isoform_core::registry::Registry;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Fault, Faulty, Line, Memory, Mishap, Scripted, Transport, VirtualClock};
use std::sync::LazyLock;
use std::time::Duration;

const SEED: u64 = 5;

fn instrument(line: impl Transport + 'static) -> Result<Instrument> {
    Instrument::open(Box::new(SpikerBox::new()), Lines::one(Box::new(line)))
}

fn open(substrate: &dyn Substrate) -> Result<Blocking> {
    Blocking::open(substrate, &source(1, 10_000.0).expect("valid"), &Run::new())
}

#[expect(clippy::cast_possible_truncation, reason = "as signals are")]
fn volts(value: u16) -> f32 {
    (f64::from(value) * VOLTS) as f32
}

/// What the tissue says, drawn once.
static TISSUE: LazyLock<Vec<f32>> = LazyLock::new(|| (0..350_000).map(|n| volts(value(SEED, n))).collect());

/// The number of the first sample of a record.
fn first(y: &[f32], from: usize) -> Option<usize> {
    let last = (from + 100_000).min(TISSUE.len() - y.len());
    (from..last).find(|&n| TISSUE[n..].starts_with(y))
}

#[test]
fn the_dialogue_is_that_of_the_sketch() {
    let device = |bytes: &[u8]| Line::Device(bytes.to_vec());
    let bytes = |numbers: std::ops::Range<u16>| -> Vec<u8> { numbers.flat_map(|n| codec::sample(n % 1024)).collect() };
    let pause = || Line::Pause(Duration::from_millis(10));
    let script = [
        Line::Host(b"b:;\n".to_vec()),
        device(b"StartUp!\r\n"),
        device(&[0x85, 0x15, 0x85, 0x15, 0x85]),
        device(&[0x25]),
        device(b"\xff\xff\x01\x01\x80\xffHWT:HBLEOSB;\xff\xff\x01\x01\x81\xff"),
        // the second half of a sample, and what has piled up since
        device(&[0x15]),
        device(&bytes(0..600)),
        pause(),
        device(&bytes(600..700)),
        pause(),
        // samples that were waited for, a message of the box among them
        device(&bytes(700..720)),
        device(&codec::message("EVNT:3;")),
        device(&bytes(720..760)),
        pause(),
        device(&bytes(760..1000)),
    ];
    let substrate = instrument(Scripted::new(script)).expect("identified");
    assert_eq!(substrate.profile().device, "HBLEOSB, one channel, 10000 samples a second");
    let mut session = open(&substrate).expect("opens");
    let (y, report) = session.listen(200).expect("listens");
    assert_eq!((y, report.lost), ((699..899).map(volts).collect(), 0));
}

#[test]
fn the_samples_are_those_of_the_tissue() {
    let substrate = instrument(Memory::new("twin", Box::new(SpikerBoxTwin::new(SEED, 0.0)))).expect("identified");
    let mut session = open(&substrate).expect("opens");
    let mut y = Vec::new();
    for ticks in [1, 7, 0, 20_000] {
        let (part, report) = session.listen(ticks).expect("listens");
        assert_eq!((part.len(), report.lost), (ticks, 0));
        y.extend(part);
    }
    assert!(first(&y, 0).is_some());
    let spikes = y.iter().filter(|&&u| u > volts(620)).count();
    assert!(spikes > 20, "{spikes}");
}

#[test]
fn lost_bytes_cost_their_samples() {
    let mut registry = Registry::new();
    crate::register(&mut registry);
    let substrate = registry.open(&"twin:spikerbox?seed=5&loss=0.001".parse().expect("a locator")).expect("opens");
    let (y, report) = open(substrate.as_ref()).expect("opens").listen(20_000).expect("listens");
    // forty thousand bytes, a thousandth of them lost, of which two may share a sample
    assert!((20..=60).contains(&report.lost), "{}", report.lost);
    // each run of samples between two losses is one of the tissue, in its order
    let (mut at, mut from, mut matched) = (0, 0, 0);
    while at + 40 <= y.len() {
        match first(&y[at..at + 40], from) {
            Some(n) => (at, from, matched) = (at + 40, n + 40, matched + 40),
            None => at += 1,
        }
        if matched >= 4000 {
            break;
        }
    }
    assert!(matched >= 4000, "{matched} of {at}");
}

#[test]
fn a_short_pause_is_bridged_and_a_long_one_dropped() {
    let clock = VirtualClock::default();
    let substrate = instrument(Memory::on(clock.clone(), "twin", Box::new(SpikerBoxTwin::new(SEED, 0.0)))).expect("identified");
    let mut session = open(&substrate).expect("opens");
    let start = first(&session.listen(5000).expect("listens").0, 0).expect("samples");
    // 2048 samples are kept by the system, the rest of 8000 is lost
    clock.pass(Duration::from_millis(800));
    let (y, report) = session.listen(10_000).expect("listens");
    assert_eq!(report.lost, 8000 - 2048);
    // they are filled in before the block that was waited for
    assert_eq!(first(&y[..2000], start), Some(start + 5000));
    assert!(y[2000..2000 + 5952].iter().all(|u| u == &y[1999]));
    assert_eq!(first(&y[8100..], start), Some(start + 5000 + 8100));
    clock.pass(Duration::from_secs(20));
    let (y, report) = session.listen(1000).expect("listens");
    assert_eq!(first(&y, start + 200_000), Some(start + 15_000 + usize::try_from(report.lost).expect("a count of samples")));
    assert!((200_000..=200_000 + 300).contains(&report.lost), "{}", report.lost);
}

#[test]
fn what_does_not_fit_is_refused() {
    let substrate = instrument(Memory::new("twin", Box::new(SpikerBoxTwin::new(SEED, 0.0)))).expect("identified");
    let error = Blocking::open(&substrate, &source(1, 250.0).expect("valid"), &Run::new()).expect_err("refused");
    assert!(error.to_string().contains("use a time step of 0.0001 s"), "{error}");
    let mut session = open(&substrate).expect("opens");
    session.reset().expect("nothing was taken yet");
    session.listen(3).expect("listens");
    assert_eq!(session.reset().expect_err("it goes on").state(), Integrity::Intact);
    let error = instrument(Memory::new("twin", Box::new(CytonTwin::new(0, 0.0)))).expect_err("another device");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("no SpikerBox"), "{error}");
}

#[test]
fn nothing_on_the_line_goes_wrong_silently() {
    for &fault in Fault::ALL {
        let places: &[u64] = if fault.is_on_sent() { &[0, 4, 5, 6, 7] } else { &[2, 5000, 10_015, 12_000, 12_001, 16_001] };
        for &at in places {
            // bit 7 and others
            let bit = u8::try_from(at % 9).expect("small");
            let clock = VirtualClock::default();
            let inner = Memory::on(clock.clone(), "twin", Box::new(SpikerBoxTwin::new(SEED, 0.0)));
            let line = Faulty::new(inner, vec![Mishap { fault, at, bit }], Box::new(CytonTwin::new(9, 0.0)));
            attempt(line, &clock, fault, &format!("{} at {at}", fault.name()));
        }
    }
}

fn attempt(line: Faulty, clock: &VirtualClock, fault: Fault, what: &str) {
    let is_typed = |kind| matches!(kind, ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Disconnected | ErrorKind::Fault);
    let substrate = match instrument(line) {
        Ok(substrate) => substrate,
        Err(e) => {
            assert!(is_typed(e.kind()) && clock.now() < Duration::from_secs(10), "{what}: {e}");
            return;
        }
    };
    let mut session = open(&substrate).unwrap_or_else(|e| panic!("{what}: {e}"));
    let before = clock.now();
    match session.listen(10_000) {
        Ok((y, report)) => {
            // up to a loss everything is in order, and without one all of it, but for a changed bit that cannot be seen
            let whole = first(&y, 0).is_some();
            let is_unseen = matches!(fault, Fault::Flip) && first(&y[6000..], 0).is_some();
            assert!(whole || report.lost > 0 || is_unseen, "{what}: a difference that was not counted");
        }
        Err(e) => {
            assert!(is_typed(e.kind()) && e.state() == Integrity::Lost, "{what}: {e}");
            assert!(clock.now() - before < Duration::from_secs(5), "{what}");
            session.reset().unwrap_or_else(|e| panic!("{what}: reset: {e}"));
            let (y, report) = session.listen(1000).unwrap_or_else(|e| panic!("{what}: after a reset: {e}"));
            assert!(report.lost == 0 && first(&y, 0).is_some(), "{what}");
        }
    }
}
