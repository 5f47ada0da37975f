//! own-twin, but for the scripts, whose bytes are those of the published protocol.

use super::codec::{CHANNELS, Gain, Input, Packet};
use super::driver::Cyton;
use super::twin::CytonTwin;
use crate::biosignal::source;
use crate::spikerbox::twin::SpikerBoxTwin;
use isoform_core::error::{ErrorKind, Integrity};
use isoform_core::oracle::{Oracle, OracleSubstrate};
use isoform_core::registry::Registry;
use isoform_core::report::Report;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Fault, Faulty, Line, Memory, Mishap, Scripted, Transport, Twin, VirtualClock};
use std::time::Duration;

const SEED: u64 = 11;

fn gain() -> Gain {
    Gain::of(24).expect("a gain")
}

fn instrument(line: impl Transport + 'static) -> isoform_core::error::Result<Instrument> {
    Instrument::open(Box::new(Cyton::new(gain(), Input::Normal)), Lines::one(Box::new(line)))
}

fn open(substrate: &dyn Substrate, channels: usize) -> isoform_core::error::Result<Blocking> {
    Blocking::open(substrate, &source(channels, 250.0).expect("valid"), &Run::new())
}

#[expect(clippy::cast_possible_truncation, reason = "as signals are")]
fn row(sample: [i32; CHANNELS], channels: usize) -> Vec<f32> {
    sample[..channels].iter().map(|&code| (f64::from(code) * gain().volts()) as f32).collect()
}

/// The board of the tests, to look its samples up.
fn board() -> CytonTwin {
    CytonTwin::new(SEED, 0.0)
}

/// How many ticks do not hold the sample of their number, counted from the first, but what was before it; nothing if one holds neither.
fn held(y: &[f32], channels: usize) -> Option<u64> {
    let rows: Vec<&[f32]> = y.chunks_exact(channels).collect();
    let board = board();
    let sample = |n: u64| row(board.sample(n), channels);
    let first = (0..5000).find(|&n| sample(n) == rows[0])?;
    let mut held = 0;
    for (n, pair) in (first + 1..).zip(rows.windows(2)) {
        if pair[1] != sample(n) {
            if pair[1] != pair[0] {
                return None;
            }
            held += 1;
        }
    }
    Some(held)
}

#[test]
fn the_dialogue_is_the_published_one() {
    let text = |t: &str| Line::Device(t.as_bytes().to_vec());
    let hears = |t: &str| Line::Host(t.as_bytes().to_vec());
    let banner = "OpenBCI V3 8-16 channel\nOn Board ADS1299 Device ID: 0x3E\nLIS3DH Device ID: 0x33\nFirmware: v3.1.2\n$$$";
    let mut script = vec![hears("s"), hears("v"), text(banner), hears("s"), hears("d")];
    script.push(text("updating channel settings to default$$$"));
    for channel in 1..=8 {
        let digits = if channel <= 2 { "060110" } else { "161000" };
        script.push(hears(&format!("x{channel}{digits}X")));
        script.push(text(&format!("Success: Channel set for {channel}$$$")));
    }
    let mut registers = String::from("\nBoard ADS Registers\nCONFIG1, 01, 96, 1, 0, 0, 1, 0, 1, 1, 0\n");
    for channel in 1..=8 {
        let (value, bits) = if channel <= 2 { ("68", "0, 1, 1, 0, 1, 0, 0, 0") } else { ("E1", "1, 1, 1, 0, 0, 0, 0, 1") };
        registers.push_str(&format!("CH{channel}SET, {:02X}, {value}, {bits}\n", channel + 4));
    }
    script.extend([hears("?"), text(&format!("{registers}$$$")), hears("b")]);
    // a byte of a packet that was cut off, then packets, of which the third is missing
    script.push(Line::Device(vec![0xa0, 0x05]));
    for (counter, first) in [(0, 1), (1, -2), (3, 1 << 20), (4, 7)] {
        script.push(Line::Pause(Duration::from_millis(4)));
        let channels = [first, 100, 0, 0, 0, 0, 0, 0];
        script.push(Line::Device(Packet { counter, channels, aux: [0; 6], footer: 0xc0 }.encode().to_vec()));
    }
    script.push(hears("s"));
    let substrate = instrument(Scripted::new(script)).expect("identified");
    assert_eq!(substrate.profile().version, "v3.1.2");
    let mut session = open(&substrate, 2).expect("opens");
    let (y, report) = session.listen(4).expect("listens");
    let step = 4.5 / 24.0 / 8_388_607.0;
    let want = [1.0, 100.0, -2.0, 100.0, -2.0, 100.0, 1_048_576.0, 100.0].map(|code: f64| (code * step) as f32);
    assert_eq!((y.as_slice(), report.lost, report.ticks), (want.as_slice(), 1, 4));
}

/// Packets by their counters, each so long after the one before, and the session that hears them.
fn stream(packets: &[(u8, u64)]) -> Blocking {
    /// A board that answers like the twin, but whose packets are written down.
    #[derive(Debug)]
    struct Written {
        inner: CytonTwin,
        packets: Vec<(Duration, Vec<u8>)>,
        start: Option<Duration>,
    }
    impl Twin for Written {
        fn receive(&mut self, bytes: &[u8], now: Duration) {
            if bytes == b"b" {
                self.start = Some(now);
            } else {
                self.inner.receive(bytes, now);
            }
        }
        fn transmit(&mut self, now: Duration, out: &mut std::collections::VecDeque<u8>) {
            self.inner.transmit(now, out);
            while let (Some(start), Some((at, _))) = (self.start, self.packets.first())
                && start + *at <= now
            {
                out.extend(self.packets.remove(0).1);
            }
        }
        fn next(&self) -> Option<Duration> {
            let next = self.start.and_then(|start| self.packets.first().map(|(at, _)| start + *at));
            [self.inner.next(), next].into_iter().flatten().min()
        }
        fn restart(&mut self, now: Duration) {
            self.inner.restart(now);
        }
    }
    let mut at = Duration::ZERO;
    let mut number = 0;
    let packets = packets
        .iter()
        .map(|&(counter, after)| {
            (at, number) = (at + Duration::from_millis(after), number + 1);
            (at, Packet { counter, channels: [number; 8], aux: [0; 6], footer: 0xc1 }.encode().to_vec())
        })
        .collect();
    let line = Memory::new("script", Box::new(Written { inner: board(), packets, start: None }));
    open(&instrument(line).expect("identified"), 1).expect("opens")
}

/// The numbers of the packets that the ticks hold, and what was lost.
#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn numbers(session: &mut Blocking, ticks: usize) -> (Vec<i32>, u64) {
    let (y, report) = session.listen(ticks).expect("listens");
    (y.iter().map(|&u| (f64::from(u) / gain().volts()).round() as i32).collect(), report.lost)
}

#[test]
fn a_round_of_the_counter_is_seen_by_the_clock() {
    // 256 packets are missing before the fourth, which the counter alone does not show
    let mut session = stream(&[(253, 4), (254, 4), (255, 4), (0, 4 * 257), (1, 4), (2, 4)]);
    let (found, lost) = numbers(&mut session, 261);
    assert_eq!((&found[..3], lost), (&[1, 2, 3][..], 256));
    assert!(found[3..259].iter().all(|&n| n == 3));
    assert_eq!(found[259..], [4, 5]);
}

#[test]
fn a_counter_that_fits_nowhere_is_damage() {
    let mut session = stream(&[(0, 4), (1, 4), (77, 4), (3, 4), (4, 4), (9, 4), (10, 4), (11, 4)]);
    // the third packet has a changed counter; then four are missing
    assert_eq!(numbers(&mut session, 11), (vec![1, 2, 2, 4, 5, 5, 5, 5, 5, 6, 7], 5));
    // a packet that comes twice takes no tick
    let mut session = stream(&[(0, 4), (1, 4), (1, 0), (2, 4), (3, 4), (4, 4)]);
    assert_eq!(numbers(&mut session, 4), (vec![1, 2, 4, 5], 0));
}

#[test]
fn a_counter_that_runs_away_is_an_error() {
    let mut session = stream(&[(0, 4), (1, 4), (202, 4), (203, 4), (204, 4), (205, 4)]);
    let mut y = [0.0; 10];
    let error = session.advance(Signal::Dense(&[]), SignalMut::Dense(&mut y), 10).expect_err("no time for two hundred");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Protocol, Integrity::Lost));
}

#[test]
fn the_samples_are_those_of_the_tissue() {
    let substrate = instrument(Memory::new("twin", Box::new(board()))).expect("identified");
    for channels in [8, 1] {
        let mut session = open(&substrate, channels).expect("opens");
        let mut y = Vec::new();
        for ticks in [1, 249, 0, 1000] {
            let (part, report) = session.listen(ticks).expect("listens");
            assert_eq!((part.len(), report.lost), (ticks * channels, 0));
            y.extend(part);
        }
        assert_eq!(y[..channels], row(board().sample(0), channels));
        assert_eq!(held(&y, channels), Some(0));
        // the definition says nothing about the values
        let mut nought = vec![1.0; channels];
        Oracle::new(session.session().program(), &Run::new()).step(&[], &mut nought);
        assert!(nought.iter().all(|&v| v == 0.0));
    }
    let mut oracle = open(&OracleSubstrate::new(), 8).expect("the oracle takes a source");
    assert_eq!(oracle.listen(3).expect("listens").0, [0.0; 24]);
}

#[test]
fn packets_that_the_radio_loses_are_counted() {
    let mut registry = Registry::new();
    crate::register(&mut registry);
    let substrate = registry.open(&"twin:cyton?seed=11&loss=0.01".parse().expect("a locator")).expect("opens");
    let mut session = open(substrate.as_ref(), 8).expect("opens");
    let (y, report) = session.listen(5000).expect("listens");
    let radio = CytonTwin::new(SEED, 0.01);
    let first = (0..).find(|&n| !radio.loses(n)).expect("one");
    let lost = (first..first + 5000).filter(|&n| radio.loses(n)).count() as u64;
    assert!(lost > 20);
    assert_eq!((report.lost, held(&y, 8)), (lost, Some(lost)));
}

#[test]
fn a_short_pause_is_bridged_and_a_long_one_dropped() {
    let clock = VirtualClock::default();
    let substrate = instrument(Memory::on(clock.clone(), "twin", Box::new(board()))).expect("identified");
    let mut session = open(&substrate, 8).expect("opens");
    let mut y = session.listen(100).expect("listens").0;
    // 124 packets are kept by the system, the rest of 225 is lost
    clock.pass(Duration::from_millis(900));
    let (part, report) = session.listen(400).expect("listens");
    y.extend(part);
    assert_eq!((report.lost, held(&y, 8)), (225 - 124, Some(225 - 124)));
    clock.pass(Duration::from_secs(10));
    let (part, report) = session.listen(100).expect("listens");
    assert_eq!((report.lost, held(&part, 8)), (2500, Some(0)));
    assert_eq!(part[..8], row(board().sample(3000), 8));
}

#[test]
fn biology_is_not_reset() {
    let substrate = instrument(Memory::new("twin", Box::new(board()))).expect("identified");
    let mut session = open(&substrate, 8).expect("opens");
    session.reset().expect("nothing was taken yet");
    session.listen(3).expect("listens");
    let error = session.reset().expect_err("it goes on");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Unsupported, Integrity::Intact));
    assert_eq!(session.listen(3).expect("goes on").1, Report { wall: Duration::from_millis(12), ..Report::of(3) });
    assert_eq!(session.save().expect_err("no memory").kind(), ErrorKind::Unsupported);
    let cancel = session.session().cancel();
    cancel.raise();
    assert_eq!(session.listen(3).expect("stops").1.ticks, 0);
}

#[test]
fn what_does_not_fit_is_refused_before_a_byte() {
    let substrate = instrument(Memory::new("twin", Box::new(board()))).expect("identified");
    for (channels, rate, words) in [(9, 250.0, "9 channels"), (8, 1000.0, "0.004 s")] {
        let program = source(channels, rate).expect("valid");
        let error = Blocking::open(&substrate, &program, &Run::new()).expect_err("refused");
        assert_eq!((error.kind(), error.node()), (ErrorKind::Unsupported, Some("tissue")));
        assert!(error.to_string().contains(words), "{error}");
    }
    let mut registry = Registry::new();
    crate::register(&mut registry);
    for (locator, words) in
        [("twin:cyton?gain=3", "none of 1, 2"), ("twin:cyton?input=air", "none of normal"), ("twin:cyton?loss=1", "below 1")]
    {
        let error = registry.open(&locator.parse().expect("a locator")).expect_err("refused");
        assert!(error.to_string().contains(words), "{error}");
    }
    let shorted = registry.open(&"twin:cyton?gain=1&input=shorted".parse().expect("a locator")).expect("opens");
    let (y, _) = open(shorted.as_ref(), 8).expect("opens").listen(250).expect("listens");
    assert!(y.iter().all(|u| u.abs() < 2e-6));
}

#[test]
fn another_device_is_not_taken_for_a_board() {
    let error = instrument(Memory::new("twin", Box::new(SpikerBoxTwin::new(0, 0.0)))).expect_err("another device");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("no OpenBCI Cyton"), "{error}");
}

#[test]
fn a_board_that_streams_is_brought_into_step() {
    let mut twin = board();
    Twin::receive(&mut twin, b"bx3", Duration::ZERO);
    let substrate = instrument(Memory::new("twin", Box::new(twin))).expect("identified all the same");
    assert_eq!(held(&open(&substrate, 8).expect("opens").listen(100).expect("listens").0, 8), Some(0));
}

/// Bytes that go over the line before the first packet: to the board, and from it.
const SENT: u64 = 78;

#[test]
fn nothing_on_the_line_goes_wrong_silently() {
    for &fault in Fault::ALL {
        let places: &[u64] = if fault.is_on_sent() {
            &[0, 1, 3, 5, 9, 60, 76, SENT - 1]
        } else {
            &[4, 90, 130, 300, 700, 3000, 3001, 3017, 3032, 9999]
        };
        for (i, &at) in places.iter().enumerate() {
            let bit = u8::try_from(i % 8).expect("small");
            let clock = VirtualClock::default();
            let inner = Memory::on(clock.clone(), "twin", Box::new(board()));
            let line = Faulty::new(inner, vec![Mishap { fault, at, bit }], Box::new(SpikerBoxTwin::new(9, 0.0)));
            attempt(line, &clock, fault, &format!("{} at {at}", fault.name()));
        }
    }
}

fn attempt(line: Faulty, clock: &VirtualClock, fault: Fault, what: &str) {
    let is_typed = |kind| matches!(kind, ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Disconnected | ErrorKind::Fault);
    let substrate = match instrument(line) {
        Ok(substrate) => substrate,
        Err(e) => {
            assert!(is_typed(e.kind()) && clock.now() < Duration::from_secs(30), "{what}: {e}");
            return;
        }
    };
    let mut session = match open(&substrate, 8) {
        Ok(session) => session,
        Err(e) => {
            assert!(is_typed(e.kind()), "{what}: {e}");
            open(&substrate, 8).unwrap_or_else(|e| panic!("{what}: the second time: {e}"))
        }
    };
    let before = clock.now();
    // a changed bit of a sample cannot be seen
    let unseen = u64::from(fault == Fault::Flip);
    match session.listen(500) {
        Ok((y, report)) => match held(&y, 8) {
            Some(held) => assert!(held <= report.lost + unseen, "{what}: {held} ticks are held, {} counted", report.lost),
            None => assert_eq!(unseen, 1, "{what}: a tick holds what was never measured"),
        },
        Err(e) => {
            assert!(is_typed(e.kind()) && e.state() == Integrity::Lost, "{what}: {e}");
            assert!(clock.now() - before < Duration::from_secs(5), "{what}: {:?}", clock.now() - before);
            session.reset().unwrap_or_else(|e| panic!("{what}: reset: {e}"));
            let (y, report) = session.listen(500).unwrap_or_else(|e| panic!("{what}: after a reset: {e}"));
            assert_eq!((held(&y, 8), report.lost), (Some(0), 0), "{what}");
        }
    }
}

#[test]
fn whoever_resets_without_end_fills_no_memory() {
    let mut twin = CytonTwin::new(1, 0.0);
    (0..16).for_each(|_| twin.receive(&[b'v'; 4096], Duration::ZERO));
    let mut out = std::collections::VecDeque::new();
    twin.transmit(Duration::from_secs(1), &mut out);
    let banners = Vec::from(out).windows(3).filter(|w| w == b"$$$").count();
    assert_eq!(banners, 64);
}
