//! The bench as a substrate: its twin against the oracle, its dialogue, and what a bad line does to it.

use super::*;
use crate::attach;
use isoform_core::builder::Builder;
use isoform_core::error::{Error, ErrorKind, Integrity};
use isoform_core::functions::li;
use isoform_core::locator::Locator;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_core::tensor::Tensor;
use isoform_physics::photonics::heaters::Heaters;
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_serial::instrument::Instrument as Device;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Fault, Faulty, Line, Memory, Mishap, Scripted, Transport, VirtualClock};
use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};
use std::sync::MutexGuard;

/// Standard deviation of a reading in units of full power, by default.
const NOISE: f64 = 1e-4;

fn program(matrix: &Matrix, encoding: Encoding, detection: Detection) -> Program {
    let n = matrix.rows();
    let pairs = (0..n * n).map(|i| matrix.at(i / n, i % n)).flat_map(|c| [c.re, c.im]);
    let tensor = Tensor::new([n, n, 2], pairs.collect::<Vec<f64>>()).expect("fits");
    let map = Optical::new(tensor, encoding, detection).expect("is one");
    let mut net = Builder::new();
    let x = net.input("x", map.input().clone());
    let y = net.node("mesh", map, x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("builds")
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut all = vec![0.0_f32; count];
    isoform_core::draw::Key::new(seed, 1).fill_uniform(0, 0, 0, &mut all);
    all.into_iter().map(|v| 2.0 * f64::from(v) - 1.0).collect()
}

fn open(locator: &str) -> Result<Arc<dyn Substrate>> {
    let mut registry = Registry::new();
    attach::register(&mut registry);
    registry.open(&locator.parse::<Locator>().map_err(Error::from)?)
}

/// How far a field of length `length` may be from the exact one.
///
/// A set-point is off by half a step of `12 V / 65535`, a phase then by `α / R` times twice the volts times that; volts are those of a turn and a
/// bit. A phase that is off by δ changes what the whole mesh does by no more than δ in the operator norm, so that the errors of all heaters add.
fn field_error(section: Section, length: f64) -> f64 {
    let heaters = Heaters::uniform(section.heaters(), PI / 20e-3, 1000.0, 0.0, 0.01);
    let step = 12.0 / 65535.0 / 2.0;
    let slope = |i: usize| 2.0 * heaters.most_volts(i) * heaters.alpha[i] / heaters.ohms[i];
    let settled = TAU * (-20.0_f64).exp();
    (0..section.heaters()).map(|i| slope(i) * step * 1.05 + settled).sum::<f64>() * length
}

fn length(x: &[f32]) -> f64 {
    x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn powers_are_those_of_the_oracle() {
    let section = Section { modes: 4, reference: false };
    let bench = open("twin:photonic?crosstalk=0.01&phi0=0.4&seed=3").expect("opens");
    for (seed, encoding, width) in [(1, Encoding::Real, 4), (2, Encoding::Complex, 8)] {
        let matrix = Matrix::orthonormal(4, &numbers(32, seed)).expect("is one");
        let program = program(&matrix, encoding, Detection::Intensity);
        let scale = if encoding == Encoding::Real { 1.0 } else { 0.7 };
        #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
        let x: Vec<f32> = numbers(12 * width, seed + 10).into_iter().map(|v| (v * scale) as f32).collect();
        let mut session = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads");
        let y = session.run(&x).expect("runs");
        let wanted = Oracle::new(&program, &Run::new()).run(&x);
        assert_eq!(y.len(), 48);
        for (tick, x) in x.chunks_exact(width).enumerate() {
            let d = field_error(section, length(x));
            for (got, wanted) in y[4 * tick..][..4].iter().zip(&wanted[4 * tick..]) {
                let tolerance = 2.0 * wanted.sqrt() * d + d * d + 6.0 * NOISE;
                assert!((f64::from(*got) - wanted).abs() < tolerance, "{got} is not {wanted} within {tolerance}");
            }
        }
    }
}

#[test]
fn a_reference_brings_out_the_fields() {
    let section = Section { modes: 2, reference: true };
    let bench = open("twin:photonic?modes=2&reference=1&crosstalk=0.01&phi0=1&seed=4").expect("opens");
    let matrix = Matrix::orthonormal(2, &numbers(8, 5)).expect("is one");
    let x = [0.6, 0.3, -0.2, 0.7, 1.0, 0.0, 0.0, -1.0];
    for detection in [Detection::Homodyne, Detection::Intensity] {
        let program = program(&matrix, Encoding::Complex, detection);
        let mut session = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads");
        let y = session.run(&x).expect("runs");
        let wanted = Oracle::new(&program, &Run::new()).run(&x);
        // the reference, too, has a phase that is off
        let d = field_error(section, 2.0_f64.sqrt()) + field_error(Section { modes: 0, reference: true }, 1.0);
        for (got, wanted) in y.iter().zip(&wanted) {
            // (I_0 - I_π) / 2L: each of them is off by |E + L| d + d²/2 and noise; sums of four readings likewise
            let light = (2.0_f64.sqrt() + 1.0) * d + d * d / 2.0;
            let tolerance = match detection {
                Detection::Homodyne => (2.0 * light + 6.0 * NOISE * 2.0_f64.sqrt()) / 2.0,
                Detection::Intensity => 2.0 * light + 6.0 * NOISE,
            };
            assert!((f64::from(*got) - wanted).abs() < tolerance, "{got} is not {wanted} within {tolerance}");
        }
    }
}

#[test]
fn a_wrong_calibration_shows() {
    let driver_of: Locator = "twin:photonic?modes=2".parse().expect("valid");
    let twin_of: Locator = "twin:photonic?modes=2&crosstalk=0.05".parse().expect("valid");
    let clock = VirtualClock::default();
    let mut lines = twins(&mut twin_of.reader()).expect("twins").into_iter();
    let mut line = |name: &str| Memory::on(clock.clone(), name, lines.next().expect("a twin"));
    let lines = Lines::one(Box::new(line("heaters"))).with("meter", Box::new(line("meter")));
    let bench = Device::open(driver(&mut driver_of.reader()).expect("a driver"), lines).expect("opens");
    let program = program(&Matrix::identity(2), Encoding::Real, Detection::Intensity);
    let y = Blocking::open(&bench, &program, &Run::new()).expect("loads").run(&[1.0, 0.0]).expect("runs");
    let d = field_error(Section { modes: 2, reference: false }, 1.0);
    assert!((f64::from(y[0]) - 1.0).abs() > 2.0 * d + d * d + 6.0 * NOISE, "{y:?}");
}

#[test]
fn what_a_mesh_cannot_do_is_refused_by_name() {
    let bench = open("twin:photonic?modes=2").expect("opens");
    let refusal = |program: &Program| {
        let error = Blocking::open(bench.as_ref(), program, &Run::new()).expect_err("is refused");
        assert_eq!((error.kind(), error.state()), (ErrorKind::Unsupported, Integrity::Intact), "{error}");
        error.to_string()
    };
    let homodyne = refusal(&program(&Matrix::identity(2), Encoding::Real, Detection::Homodyne));
    assert!(homodyne.contains("mesh") && homodyne.contains("optical_homodyne"), "{homodyne}");
    let mut half = Matrix::identity(2);
    half.put(1, 1, Complex::new(0.5, 0.0));
    let lossy = refusal(&program(&half, Encoding::Real, Detection::Intensity));
    assert!(lossy.contains("unitary"), "{lossy}");
    let large = refusal(&program(&Matrix::identity(3), Encoding::Real, Detection::Intensity));
    assert!(large.contains("3 channels exceed"), "{large}");
    let mut net = Builder::new();
    let x = net.input("x", [2]);
    let y = net.node("slow", li().with("tau", 1e-2), x);
    net.output("y", y);
    let neuron = refusal(&net.build(Semantics::exact(1e-3)).expect("builds"));
    assert!(neuron.contains("slow") && neuron.contains("isoform.li/1"), "{neuron}");
}

#[test]
fn limits_are_kept_before_a_byte_is_sent() {
    let program = program(&Matrix::identity(2), Encoding::Complex, Detection::Intensity);
    let error = open("twin:photonic?modes=2&vmax=5").expect_err("5 V are half a turn and a bit");
    assert!(error.to_string().contains("heater 0 needs 6.325 V"), "{error}");
    assert!(open("twin:photonic?modes=2&imax=6").is_err());
    // what the modules have counts too
    let strong = open("twin:photonic?modes=2&ohms=5000&vmax=20").expect("opens");
    let error = Blocking::open(strong.as_ref(), &program, &Run::new()).expect_err("the modules have 12 V");
    assert!(error.to_string().contains("may have 12 V"), "{error}");
    let bench = open("twin:photonic?modes=2").expect("opens");
    let mut session = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads");
    // each number is in range, but the field is not
    let error = session.run(&[0.9, 0.9, 0.0, 0.0]).expect_err("too bright");
    assert_eq!((error.kind(), error.state()), (ErrorKind::InvalidSignal, Integrity::Intact), "{error}");
    assert!(session.run(&[1.1, 0.0, 0.0, 0.0]).is_err());
    session.run(&[1.0, 0.0, 0.0, 0.0]).expect("goes on");
    for text in ["modes=9", "reference=0", "power=-1", "settle=11", "tau=0", "alpha=0", "wavelength=nan", "imax=-1", "colour=red"]
    {
        assert!(open(&format!("twin:photonic?{text}")).is_err(), "{text}");
    }
}

#[test]
fn the_dialogue_is_that_of_the_protocol() {
    let mut script: Vec<Line> = Vec::new();
    let mut turn = |host: &[u8], device: &str| {
        script.push(Line::Host(host.to_vec()));
        if !device.is_empty() {
            script.push(Line::Device(device.as_bytes().to_vec()));
        }
    };
    turn(b"\n", "E10:00\n");
    turn(b"id?\n", "Q8iv-00A1\n");
    turn(b"nup=0\n", "OK\n");
    turn(b"nupall?\n", "Q8iv-00A1:0\n");
    for _ in 0..2 {
        turn(b"vfull?\n", "+12.000 V\n");
    }
    for _ in 0..2 {
        turn(b"ifull?\n", "+24.000 mA\n");
    }
    let dark = [&[0x82, 0, 0, 0, 0, 0, 8][..], &[0; 16]].concat();
    turn(&dark, "OK\n");
    turn(b"Vall?\n", &"+0.000 V\n".repeat(8));
    for channel in 0..8 {
        turn(format!("VMAX{channel}=10.000\n").as_bytes(), "OK\n");
        turn(format!("VMAX{channel}?\n").as_bytes(), "+10.000 V\n");
        turn(format!("IMAX{channel}=20.000\n").as_bytes(), "OK\n");
        turn(format!("IMAX{channel}?\n").as_bytes(), "+20.000 mA\n");
    }
    // a dark input has the phase 3π/2, 30 mW: √30 V; the identity is a bar, π between and π before the couplers: √20 V
    let words = [0x0000_u16, 0x74d8, 0x0000, 0x74d8, 0x5f67, 0x5f67, 0x0000, 0x0000];
    let vector: Vec<u8> = [0x82, 0, 0, 0, 0, 0, 8].into_iter().chain(words.iter().flat_map(|w| w.to_be_bytes())).collect();
    turn(&vector, "OK\n");
    turn(
        b"Vall?\n",
        &["+0.000 V", "+5.477 V", "+0.000 V", "+5.477 V", "+4.472 V", "+4.472 V", "+0.000 V", "+0.000 V", ""].join("\n"),
    );
    // the supply fails before the next tick
    turn(&vector, "E90:00\nOK\n");
    let locator: Locator = "twin:photonic?modes=2".parse().expect("valid");
    let meter = twins(&mut locator.reader()).expect("twins").pop().expect("a meter");
    let lines = Lines::one(Box::new(Scripted::new(script))).with("meter", Box::new(Memory::new("meter", meter)));
    let bench = Device::open(driver(&mut locator.reader()).expect("a driver"), lines).expect("opens");
    assert_eq!(bench.profile().device, "Q8iv-00A1 and ISOFORM,PM-ARRAY,0001,1.0");
    let program = program(&Matrix::identity(2), Encoding::Real, Detection::Intensity);
    let mut session = Blocking::open(&bench, &program, &Run::new()).expect("loads");
    session.run(&[0.0, 0.0]).expect("follows the script");
    let error = session.run(&[0.0, 0.0]).expect_err("the heaters have restarted");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Fault, Integrity::Lost), "{error}");
    assert!(error.to_string().contains("restarted"), "{error}");
}

/// A bench whose heaters, or whose meter, are at a bad line.
fn bad_bench(clock: &VirtualClock, at_meter: bool, mishap: Mishap) -> Result<Device> {
    let locator: Locator = "twin:photonic?modes=2&seed=9".parse().expect("valid");
    let [heaters, meter] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader())?).expect("two");
    let [other_heaters, other_meter] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader())?).expect("two");
    let line = |twin| Memory::on(clock.clone(), "twin", twin);
    let (first, second): (Box<dyn Transport>, Box<dyn Transport>) = if at_meter {
        (Box::new(line(heaters)), Box::new(Faulty::new(line(meter), vec![mishap], other_heaters)))
    } else {
        (Box::new(Faulty::new(line(heaters), vec![mishap], other_meter)), Box::new(line(meter)))
    };
    Device::open(driver(&mut locator.reader())?, Lines::one(first).with("meter", second))
}

#[test]
fn a_bad_line_never_gives_a_wrong_power() {
    let matrix = Matrix::orthonormal(2, &numbers(8, 5)).expect("is one");
    let program = program(&matrix, Encoding::Real, Detection::Intensity);
    let x = [0.8, -0.3, 0.1, 1.0, -0.5, 0.5];
    let wanted = Oracle::new(&program, &Run::new()).run(&x);
    let d = field_error(Section { modes: 2, reference: false }, length(&[0.1, 1.0]));
    let check = |y: &[f32]| {
        assert_eq!(y.len(), wanted.len());
        for (got, wanted) in y.iter().zip(&wanted) {
            let tolerance = 2.0 * wanted.sqrt() * d + d * d + 6.0 * NOISE;
            assert!((f64::from(*got) - wanted).abs() < tolerance, "{got} is not {wanted} within {tolerance}");
        }
    };
    let (mut failed, mut recovered, mut untouched) = (0, 0, 0);
    for at_meter in [false, true] {
        for &fault in Fault::ALL {
            for at in [3, 25, 26, 58, 90, 140, 180, 222, 260, 301, 347, 350, 420, 511, 520, 640, 700, 780] {
                let clock = VirtualClock::default();
                let mishap = Mishap { fault, at, bit: u8::try_from(at % 8).unwrap_or(0) };
                let context = format!("{} at {at}, {}", fault.name(), if at_meter { "meter" } else { "heaters" });
                let in_time = |start: Duration| {
                    assert!(clock.now() - start < Duration::from_secs(30), "{context}: {:?}", clock.now() - start);
                };
                let bench = match bad_bench(&clock, at_meter, mishap) {
                    Ok(bench) => bench,
                    Err(e) => {
                        assert!(!e.message().is_empty());
                        in_time(Duration::ZERO);
                        failed += 1;
                        continue;
                    }
                };
                let opened = Blocking::open(&bench, &program, &Run::new());
                let mut session = match opened {
                    Ok(session) => session,
                    Err(_) => {
                        failed += 1;
                        let again = Blocking::open(&bench, &program, &Run::new());
                        again.unwrap_or_else(|e| panic!("{context}: loads the second time, not {e}"))
                    }
                };
                let start = clock.now();
                match session.run(&x) {
                    Ok(y) => {
                        check(&y);
                        untouched += 1;
                    }
                    Err(e) => {
                        failed += 1;
                        in_time(start);
                        assert_eq!(e.state(), Integrity::Lost, "{context}: {e}");
                        session.reset().unwrap_or_else(|e| panic!("{context}: resets, not {e}"));
                        check(&session.run(&x).unwrap_or_else(|e| panic!("{context}: runs again, not {e}")));
                        recovered += 1;
                    }
                }
            }
        }
    }
    // every kind of ending was seen
    assert!(failed > 50 && recovered > 20 && untouched > 50, "{failed} {recovered} {untouched}");
}

fn lock(twin: &Mutex<Box<dyn Twin>>) -> MutexGuard<'_, Box<dyn Twin>> {
    twin.lock().expect("nobody has failed while holding it")
}

/// Modules of which the first complains of its supply, and does nothing, from some vector of set-points on.
#[derive(Debug)]
struct FirstDies {
    chain: Arc<Mutex<Box<dyn Twin>>>,
    vectors: usize,
    complaint: Option<Duration>,
}

impl Twin for FirstDies {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if bytes.starts_with(&[0x82, 0, 0, 0, 0, 0, 8]) {
            self.vectors += 1;
            if self.vectors > 4 {
                self.complaint = Some(now);
                return;
            }
        }
        lock(&self.chain).receive(bytes, now);
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        if self.complaint.take().is_some() {
            out.extend(b"E03:00\n");
        }
        lock(&self.chain).transmit(now, out);
    }

    fn next(&self) -> Option<Duration> {
        self.complaint.or_else(|| lock(&self.chain).next())
    }

    fn restart(&mut self, now: Duration) {
        lock(&self.chain).restart(now);
    }
}

#[test]
fn one_module_that_fails_keeps_no_other_hot() {
    let locator: Locator = "twin:photonic".parse().expect("valid");
    let clock = VirtualClock::default();
    let [chain, meter] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader()).expect("twins")).expect("two");
    let chain = Arc::new(Mutex::new(chain));
    let dies = FirstDies { chain: Arc::clone(&chain), vectors: 0, complaint: None };
    let line = |name: &str, twin| Box::new(Memory::on(clock.clone(), name, twin));
    let lines = Lines::one(line("heaters", Box::new(dies))).with("meter", line("meter", meter));
    let bench = Device::open(driver(&mut locator.reader()).expect("a driver"), lines).expect("opens");
    let warmest = || {
        let mut chain = lock(&chain);
        chain.receive(b"Vall?\n", clock.now());
        let mut out = VecDeque::new();
        chain.transmit(clock.now() + Duration::from_secs(1), &mut out);
        let text = String::from_utf8(out.into()).expect("is text");
        let volts: Vec<f64> = text.lines().map(|line| line.trim_end_matches(" V").parse().expect("volts")).collect();
        [0, 8, 16].map(|first| volts[first..first + 8].iter().copied().fold(0.0, f64::max))
    };
    let program = program(&Matrix::orthonormal(4, &numbers(32, 1)).expect("is one"), Encoding::Real, Detection::Intensity);
    let mut session = Blocking::open(&bench, &program, &Run::new()).expect("loads");
    let error = session.run(&[0.5; 24]).expect_err("the first module has failed");
    assert!(error.to_string().contains("the supply of the channel failed"), "{error}");
    assert!(warmest().iter().all(|&volts| volts > 1.0), "{:?}", warmest());
    session.reset().expect_err("the first module fails still");
    let [_, second, third] = warmest();
    assert_eq!([second, third], [0.0, 0.0], "after a reset");
    drop(session);
    let [_, second, third] = warmest();
    assert_eq!([second, third], [0.0, 0.0], "after the end");
}

/// A meter that answers each question for powers with these.
#[derive(Debug)]
struct Reads {
    meter: Box<dyn Twin>,
    powers: &'static str,
    asked: bool,
}

impl Twin for Reads {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.asked |= bytes.windows(5).any(|word| word == b":POW?");
        self.meter.receive(bytes, now);
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        let mut said = VecDeque::new();
        self.meter.transmit(now, &mut said);
        if self.asked && said.contains(&b'\n') {
            self.asked = false;
            said = self.powers.bytes().chain([b'\n']).collect();
        }
        out.extend(said);
    }

    fn next(&self) -> Option<Duration> {
        self.meter.next()
    }

    fn restart(&mut self, now: Duration) {
        self.meter.restart(now);
    }
}

#[test]
fn a_power_that_cannot_be_is_no_power() {
    let program = program(&Matrix::identity(2), Encoding::Real, Detection::Intensity);
    let run = |powers: &'static str| {
        let locator: Locator = "twin:photonic?modes=2".parse().expect("valid");
        let clock = VirtualClock::default();
        let [heaters, meter] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader())?).expect("two");
        let line = |twin| Box::new(Memory::on(clock.clone(), "twin", twin));
        let lines = Lines::one(line(heaters)).with("meter", line(Box::new(Reads { meter, powers, asked: false })));
        let bench = Device::open(driver(&mut locator.reader())?, lines)?;
        Blocking::open(&bench, &program, &Run::new())?.run(&[1.0, 0.0])
    };
    for (powers, quoted) in [
        ("9.91E37,0", "number 1 of it is \"9.91E37\""),
        ("0,9.90000000E+37", "number 2 of it is \"9.90000000E+37\""),
        ("-9.9E37,0", "number 1 of it is \"-9.9E37\""),
        ("0,1.00000000E+30", "number 2 of it is \"1.00000000E+30\", but can only be from -5.500e-6 to 4.006e-3: zero the meter"),
        ("0,-1E-3", "number 2 of it is \"-1E-3\""),
    ] {
        let error = run(powers).expect_err(powers);
        assert_eq!((error.kind(), error.state()), (ErrorKind::Fault, Integrity::Lost), "{error}");
        assert!(error.to_string().contains(quoted), "{error}");
    }
    // what a meter reads in the dark is on either side of nought, and all light may come out of one mode
    assert_eq!(run("2.00000000E-03,-4.00000000E-06").expect("are powers"), [2.0, -4e-3]);
}
