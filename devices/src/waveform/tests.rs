//! The bench as a substrate: its twin against the oracle, the trigger, and what a bad line does to it.

use super::*;
use crate::attach;
use isoform_core::builder::Builder;
use isoform_core::error::{ErrorKind, Integrity};
use isoform_core::functions::{li, lif};
use isoform_core::locator::Locator;
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::quantum::array::{array, counted_array};
use isoform_physics::quantum::neuristor::{S_TH, neuristor};
use isoform_physics::quantum::rate::spike_rate;
use isoform_serial::instrument::Instrument as Device;
use isoform_serial::lines::Lines;
use isoform_serial::transport::{Fault, Faulty, Memory, Mishap, Transport, VirtualClock};

mod closing;

const DT: f64 = 1e-3;

fn program(tau: f64, r: f64, semantics: Semantics) -> Program {
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let y = net.node("cell", li().with("tau", tau).with("r", r), x);
    net.output("y", y);
    net.build(semantics).expect("builds")
}

fn open(locator: &str) -> Result<Arc<dyn Substrate>> {
    let mut registry = Registry::new();
    attach::register(&mut registry);
    registry.open(&locator.parse::<Locator>().map_err(Error::from)?)
}

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn signal(ticks: usize, most: f64) -> Vec<f32> {
    let mut all = vec![0.0_f32; ticks];
    isoform_core::draw::Key::new(1, 1).fill_uniform(0, 0, 0, &mut all);
    all.into_iter().map(|v| ((2.0 * f64::from(v) - 1.0) * most) as f32).collect()
}

/// How far an output may be from the oracle.
///
/// Half a code of the converter of `bits` at `range`, half a code of the generator times the gain, six standard deviations of the noise, what a
/// rest of twenty time constants leaves, and the time by which a sample is late: up to two samples of a sixteenth of a tick (the measured delay is
/// rounded up, and so is the place of the sample), in which the device changes by no more than `(r |u| + |v|) / τ`.
fn tolerance(bits: i32, [v_max, range]: [f64; 2], noise: f64, tau: f64, r: f64) -> f64 {
    let codes = range / 2.0_f64.powi(bits) + r * v_max / 32767.0 / 2.0;
    let late = 2.0 * DT / 16.0 * (2.0 * r * v_max) / tau;
    codes + 6.0 * noise + r * v_max * (-20.0_f64).exp() + late
}

#[track_caller]
fn assert_close(y: &[f32], wanted: &[f64], tolerance: f64) {
    assert_eq!(y.len(), wanted.len());
    for (tick, (got, wanted)) in y.iter().zip(wanted).enumerate() {
        assert!((f64::from(*got) - wanted).abs() < tolerance, "tick {tick}: {got} is not {wanted} within {tolerance}");
    }
}

#[test]
fn a_leaky_integrator_is_that_of_the_oracle() {
    let (tau, r) = (0.05, 2.0);
    let bench = open("twin:waveform?tau=0.05&r=2&vmax=1&seed=5").expect("opens");
    let program = program(tau, r, Semantics::exact(DT));
    let mut session = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads");
    let x = signal(60, 1.0);
    let wanted = Oracle::new(&program, &Run::new()).run(&x);
    let tolerance = tolerance(14, [1.0, 2.0], 2e-4, tau, r);
    let y = session.run(&x).expect("runs");
    assert_close(&y, &wanted, tolerance);
    // in two pieces it is the same device, though it has flowed on in between
    session.reset().expect("resets");
    let mut pieces = session.run(&x[..25]).expect("runs");
    pieces.extend(session.run(&x[25..]).expect("goes on"));
    assert_close(&pieces, &wanted, tolerance);
    // a held current ends at r i (1 - e^{-t/τ}): at 60 ticks of 1 ms, 0.5 · 2 · 0.698806
    session.reset().expect("resets");
    let mut y = [0.0_f32; 60];
    let report = session.advance(Signal::Held(&[0.5]), SignalMut::Dense(&mut y), 60).expect("runs");
    assert!((f64::from(y[59]) - 0.698_806).abs() < tolerance, "{}", y[59]);
    assert_eq!((report.ticks, report.clipped), (60, 0));
}

/// The mean of the last 4096 of 12288 ticks, a multiple of every ripple to a part in ten, under a voltage that is held.
fn rate(session: &mut Blocking, volts: f32) -> f64 {
    let mut y = vec![0.0_f32; 4096];
    for _ in 0..3 {
        session.advance(Signal::Held(&[volts]), SignalMut::Dense(&mut y), 4096).expect("runs");
    }
    y.iter().copied().map(f64::from).sum::<f64>() / 4096.0
}

#[test]
fn the_spikes_of_a_film_are_counted_through_the_wires() {
    let counted = counted_array(neuristor(), [1, 1], 0.0, Wafer::default().followed()).expect("builds");
    let bench = open("twin:waveform?dut=neuristor&spread=0&jitter=0").expect("opens");
    assert_eq!(bench.exemplars().len(), 1);
    let medium = bench.profile().medium.expect("declared");
    // 14 V at 12 kΩ for 10 ns
    assert!(medium.price.seconds == 1e-8 && (medium.price.joules / 1.633_333_333e-10 - 1.0).abs() < 1e-8, "{:?}", medium.price);
    let promised = medium.margin;
    assert!((2.9e3..3.1e3).contains(&promised), "{promised}");
    let mut session = Blocking::open(bench.as_ref(), &counted, &Run::new()).expect("loads");
    // periods of the published model at steps of 1 ns (Qiu et al. 2024); the ripple of a window of 10 µs moves a mean by 0.4 %
    for (volts, period) in [(11.0, 3607e-9), (12.0, 3041e-9), (13.0, 2693e-9), (14.0, 2415e-9)] {
        let off = rate(&mut session, volts) - 1.0 / period;
        assert!(off.abs() < promised, "at {volts} V {off} from the published rate");
    }
    // another film, and one that is warmed at random
    let bench = open("twin:waveform?dut=neuristor&seed=4").expect("opens");
    let mut session = Blocking::open(bench.as_ref(), &counted, &Run::new()).expect("loads");
    let margin = bench.profile().medium.expect("declared").margin;
    assert!((9e3..9.3e3).contains(&margin), "{margin}");
    let off = rate(&mut session, 13.0) - 1.0 / 2693e-9;
    assert!(off.abs() < margin, "{off}");
    session.reset().expect("resets");
    let first = session.run(&[13.0; 100]).expect("runs");
    assert_eq!(first, [0.0; 100], "a cold film spikes no earlier than after a microsecond");
}

#[test]
fn a_film_takes_rates_of_itself_alone() {
    let bench = open("twin:waveform?dut=neuristor").expect("opens");
    let refusal = |program: Program| {
        let error = Blocking::open(bench.as_ref(), &program, &Run::new()).expect_err("is refused");
        assert_eq!((error.kind(), error.state()), (ErrorKind::Unsupported, Integrity::Intact), "{error}");
        error.to_string()
    };
    let semantics = Wafer::default().followed();
    let says = |text: String, what: &str| assert!(text.contains(what), "{text}");
    says(refusal(array(neuristor(), [1, 1], 0.0, semantics).expect("builds")), "is no rate");
    says(refusal(counted_array(neuristor(), [1, 2], 0.0, semantics).expect("builds")), "2 channels exceed the 1");
    says(refusal(counted_array(neuristor(), [1, 1], 0.0, semantics.with_dt(2e-8)).expect("builds")), "open it with dt=2e-8");
    says(refusal(program(1e-2, 1.0, Semantics::exact(DT))), "isoform.li/1");
    let counted = counted_array(neuristor(), [1, 1], 0.0, semantics).expect("builds");
    let mut session = Blocking::open(bench.as_ref(), &counted, &Run::new()).expect("loads");
    let silent = session.run(&[9.0]).expect_err("below what is promised");
    assert_eq!((silent.kind(), silent.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    let gaps = session.advance(Signal::Events(&[]), SignalMut::Dense(&mut [0.0; 2]), 2).expect_err("nought volts");
    assert!(gaps.to_string().contains("events leave nought"), "{gaps}");
    drop(session);
    // whole samples of the digitizer, of which a division makes a little less
    let bench = open("twin:waveform?dut=neuristor&delay=6e-7").expect("opens");
    Blocking::open(bench.as_ref(), &counted, &Run::new()).expect("loads").run(&[13.0; 300]).expect("the waveform is seen");
    let full = open("twin:waveform?dut=neuristor&oversample=10&delay=1e-4").expect("opens");
    let full = Blocking::open(full.as_ref(), &counted, &Run::new()).expect_err("the memory is full").to_string();
    assert!(full.contains("remembers 15000 ticks") && !full.contains("shorter rest"), "{full}");
    let slow = open("twin:waveform?dut=neuristor&awg_rate=1e7").expect_err("too slow").to_string();
    assert!(slow.contains("fewer than the ticks"), "{slow}");
    // another film: the share of the heat that neighbours would take
    let mut net = Builder::new();
    let v_in = net.input("v_in", [1]);
    let cell = net.node("cell", neuristor().with("s_env", 0.999 * S_TH), v_in);
    let rate = net.node("rate", spike_rate(), cell);
    net.output("rate", rate);
    says(refusal(net.build(semantics).expect("builds")), "leave s_env as it is");
    for text in [
        "spread=0.1",
        "jitter=-1",
        "ohm=0",
        "dt=1e-6",
        "error=0",
        "tau=1e-3",
        "awg_rate=1e9",
        "vmax=21",
        "vmax=13",
        "range=2",
        "ohm=3000&range=6",
        "scope_rate=1e8",
    ] {
        let locator = format!("twin:waveform?dut=neuristor&{text}");
        let opened = open(&locator).and_then(|bench| Blocking::open(bench.as_ref(), &counted, &Run::new()).map(|_| ()));
        assert!(opened.is_err(), "{text}");
    }
    assert!(open("twin:waveform?dut=transistor").expect_err("unknown").to_string().contains("none of leaky and neuristor"));
    let says = |locator: &str, what: &str| {
        let error = open(locator).expect_err("of the other").to_string();
        assert!(error.contains(what), "{error}");
    };
    says("twin:waveform?ohm=100", "option \"ohm\" is of dut=neuristor alone");
    says("twin:waveform?dut=neuristor&r=2", "option \"r\" is of dut=leaky alone");
}

/// Driver and lines of a bench, for a look inside.
fn inside(locator: &str) -> (Waveform, Lines) {
    let locator: Locator = locator.parse().expect("valid");
    let clock = VirtualClock::default();
    let mut lines = twins(&mut locator.reader()).expect("twins").into_iter();
    let mut line = |name: &str| Memory::on(clock.clone(), name, lines.next().expect("a twin"));
    let lines = Lines::one(Box::new(line("generator"))).with("scope", Box::new(line("scope")));
    (Waveform::new(bench(&mut locator.reader()).expect("a bench")), lines)
}

#[test]
fn the_measured_delay_is_the_true_one_to_a_sample() {
    for delay in [2.5e-7, 3.7e-6, 41.03e-6, 99.95e-6] {
        let (mut driver, mut lines) = inside(&format!("twin:waveform?delay={delay}&seed=2&rest=0.1&oversample=1000"));
        driver.identify(&mut lines).expect("answers");
        driver.load(&mut lines, &program(1e-2, 1.0, Semantics::exact(DT)), &Run::new()).expect("loads");
        let measured = driver.delay().expect("was measured");
        // the first sample at or behind the edge, at ten million samples a second
        assert!((-1e-12..1e-7).contains(&(measured - delay)), "{measured} is not {delay}");
    }
}

#[test]
fn a_delay_that_is_not_taken_out_would_show() {
    // a hundred microseconds are a tenth of a tick, in which a device of 2 ms changes by a twentieth
    let bench = open("twin:waveform?tau=2e-3&vmax=1&delay=1e-4&oversample=1000&noise=0&bits=16").expect("opens");
    let program = program(2e-3, 1.0, Semantics::exact(DT));
    let x = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let y = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads").run(&x).expect("runs");
    let wanted = Oracle::new(&program, &Run::new()).run(&x);
    // two samples of a microsecond, and codes of sixteen bits
    let tolerance = 2e-6 * 2.0 / 2e-3 + 1.0 / 65536.0 + 1.0 / 32767.0;
    assert!(tolerance < 0.0021 && 1e-4 / 2e-3 * 0.3 > 5.0 * tolerance);
    assert_close(&y, &wanted, tolerance);
}

#[test]
fn a_sample_too_early_for_what_is_promised_is_refused() {
    // a sample is 62.5 µs, in which a device of 10 ms moves by a sixteenth of a volt
    let program = program(1e-2, 1.0, Semantics::exact(DT));
    let coarse = open("twin:waveform?delay=6e-5").expect("opens");
    let refused = Blocking::open(coarse.as_ref(), &program, &Run::new()).expect_err("is off by more than promised");
    assert!(refused.kind() == ErrorKind::Unsupported && refused.to_string().contains("raise oversample"), "{refused}");
    let fine = open("twin:waveform?delay=6e-5&rest=0.1&oversample=1000").expect("opens");
    let margin = fine.profile().medium.expect("declared").margin;
    let x = [5.0, -5.0, 5.0, -5.0, 5.0];
    let y = Blocking::open(fine.as_ref(), &program, &Run::new()).expect("loads").run(&x).expect("runs");
    assert_close(&y, &Oracle::new(&program, &Run::new()).run(&x), margin);
}

#[test]
fn a_slow_generator_is_waited_for() {
    let bench = open("twin:waveform?tau=3.3e-3&awg_rate=1000&edge=5&noise=0&delay=1e-6").expect("opens");
    let program = program(3.3e-3, 1.0, Semantics::exact(DT));
    let y = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads").run(&[0.0; 4]).expect("runs");
    assert_close(&y, &[0.0; 4], 1e-3);
}

#[test]
fn what_is_beyond_the_converter_is_clipped_and_counted() {
    let bench = open("twin:waveform?tau=1e-3&vmax=1&range=0.5&noise=0&delay=1e-6&oversample=1000").expect("opens");
    let program = program(1e-3, 1.0, Semantics::exact(DT));
    let mut session = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads");
    let mut y = [0.0_f32; 4];
    let report = session.advance(Signal::Dense(&[0.4, 1.0, 1.0, -1.0]), SignalMut::Dense(&mut y), 4).expect("runs");
    // 0.253, 0.725, 0.899, -0.301
    assert_eq!(report.clipped, 2);
    assert!(y[0] < 0.3 && y[1] > 0.499 && y[1] < 0.5 && y[2] == y[1] && y[3] > -0.32, "{y:?}");
}

#[test]
fn what_is_forgotten_is_not_played_again() {
    let program = program(1e-2, 1.0, Semantics::exact(DT));
    // 16 samples of a tick fill the digitizer before 8192 ticks are over
    let forgets = open("twin:waveform").expect("opens");
    let mut session = Blocking::open(forgets.as_ref(), &program, &Run::new()).expect("loads");
    session.run(&vec![2.0; 4096]).expect("fits");
    let end = session.run(&vec![0.1; 4096]).expect("what went before is forgotten but for its end");
    // 2 falls towards 0.1 with a time constant of ten ticks
    assert!(
        (end[0] - 1.819_191).abs() < 5e-3 && (end[9] - 0.798_97).abs() < 5e-3 && (end[4095] - 0.1).abs() < 3e-3,
        "{:?}",
        &end[..12]
    );
    // with what is remembered, a call of so many ticks is played in two pieces
    let wide = open("twin:waveform?oversample=40&noise=0").expect("opens");
    let mut session = Blocking::open(wide.as_ref(), &program, &Run::new()).expect("loads");
    session.run(&vec![2.0; 1000]).expect("fits");
    let pieces = session.run(&vec![0.1; 4096]).expect("does not fit at once");
    assert!((pieces[9] - 0.798_97).abs() < 5e-3 && (pieces[4095] - 0.1).abs() < 3e-3, "{}", pieces[9]);
    let remembers = open("twin:waveform?rest=100").expect("opens");
    let long = Blocking::open(remembers.as_ref(), &program, &Run::new()).expect_err("too long").to_string();
    assert!(long.contains("remembers 100000 ticks") && long.contains("or a shorter rest"), "{long}");
}

#[test]
fn any_delay_is_taken_out_with_two_samples_of_a_tick() {
    let program = program(0.1, 1.0, Semantics::exact(1e-4));
    let x = signal(20, 1.0);
    let wanted = Oracle::new(&program, &Run::new()).run(&x);
    // whole samples, halves, and what is next to them
    for delay in [1e-9, 1e-7, 1e-6, 2.49e-5, 2.5e-5, 4.99e-5, 5e-5, 5.01e-5, 7.5e-5, 9.99e-5, 1e-4] {
        let bench = open(&format!("twin:waveform?tau=0.1&rest=1&vmax=1&oversample=2&noise=0&delay={delay}")).expect("opens");
        let y = Blocking::open(bench.as_ref(), &program, &Run::new()).expect("loads").run(&x);
        assert_close(&y.unwrap_or_else(|e| panic!("{delay}: {e}")), &wanted, bench.profile().medium.expect("declared").margin);
    }
}

#[test]
fn what_is_not_on_the_bench_is_refused_by_name() {
    let bench = open("twin:waveform?vmax=1").expect("opens");
    let refusal = |program: &Program| {
        let error = Blocking::open(bench.as_ref(), program, &Run::new()).expect_err("is refused");
        assert_eq!((error.kind(), error.state()), (ErrorKind::Unsupported, Integrity::Intact), "{error}");
        error.to_string()
    };
    let other = refusal(&program(2e-2, 1.0, Semantics::exact(DT)));
    assert!(other.contains("cell") && other.contains("tau is 0.02, but that of the device on the bench is 0.01"), "{other}");
    let euler = refusal(&program(1e-2, 1.0, Preset::Norse.semantics(DT)));
    assert!(euler.contains("choose the semantics exact"), "{euler}");
    let fast = refusal(&program(1e-2, 1.0, Semantics::exact(1e-8)));
    assert!(fast.contains("beyond the generator"), "{fast}");
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let y = net.node("spiking", lif().with("tau", 1e-2), x);
    net.output("y", y);
    let spiking = refusal(&net.build(Semantics::exact(DT)).expect("builds"));
    assert!(spiking.contains("spiking") && spiking.contains("isoform.lif/1"), "{spiking}");
    let mut session = Blocking::open(bench.as_ref(), &program(1e-2, 1.0, Semantics::exact(DT)), &Run::new()).expect("loads");
    let loud = session.run(&[1.5]).expect_err("beyond the range");
    assert_eq!((loud.kind(), loud.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    drop(session);
    for text in [
        "tau=0",
        "scale=0",
        "scale=1e-300",
        "vmax=-1",
        "vmax=30",
        "r=5",
        "edge=9",
        "oversample=1",
        "rest=-1",
        "rest=0.05",
        "bits=5",
        "delay=0",
        "delay=1",
        "noise=2",
        "colour=red",
    ] {
        assert!(open(&format!("twin:waveform?{text}")).is_err(), "{text}");
    }
}

/// A bench one of whose lines is bad.
fn bad_bench(clock: &VirtualClock, at_scope: bool, mishap: Mishap) -> Result<Device> {
    let locator: Locator = "twin:waveform?tau=0.01&vmax=1&oversample=16&seed=9".parse().expect("valid");
    let [generator, scope] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader())?).expect("two");
    let [other_generator, other_scope] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader())?).expect("two");
    let line = |twin| Memory::on(clock.clone(), "twin", twin);
    let (first, second): (Box<dyn Transport>, Box<dyn Transport>) = if at_scope {
        (Box::new(line(generator)), Box::new(Faulty::new(line(scope), vec![mishap], other_generator)))
    } else {
        (Box::new(Faulty::new(line(generator), vec![mishap], other_scope)), Box::new(line(scope)))
    };
    Device::open(driver(&mut locator.reader())?, Lines::one(first).with("scope", second))
}

#[test]
fn a_bad_line_never_gives_a_wrong_voltage() {
    let program = program(0.01, 1.0, Semantics::exact(DT));
    let x = [0.8, -0.3, 0.1, 1.0, -0.5, 0.5];
    let wanted = Oracle::new(&program, &Run::new()).run(&x);
    let tolerance = tolerance(14, [1.0, 1.0], 2e-4, 0.01, 1.0);
    let (mut failed, mut recovered, mut untouched) = (0, 0, 0);
    // the recording of the edge has 8 KiB a reading and channel; later bytes belong to the run
    let places: [&[u64]; 2] = [
        &[2, 9, 15, 40, 66, 95, 120, 160, 200, 260, 300, 330, 390, 420, 450, 480, 520, 560],
        &[3, 22, 50, 100, 150, 170, 200, 240, 280, 330, 5000, 20_000, 33_000, 33_100, 33_300, 33_600, 33_900],
    ];
    for at_scope in [false, true] {
        for &fault in Fault::ALL {
            for &at in places[usize::from(at_scope)] {
                let clock = VirtualClock::default();
                let mishap = Mishap { fault, at, bit: u8::try_from(at % 8).unwrap_or(0) };
                let context = format!("{} at {at}, {}", fault.name(), if at_scope { "scope" } else { "generator" });
                let bench = match bad_bench(&clock, at_scope, mishap) {
                    Ok(bench) => bench,
                    Err(e) => {
                        assert!(!e.message().is_empty());
                        failed += 1;
                        continue;
                    }
                };
                let mut session = match Blocking::open(&bench, &program, &Run::new()) {
                    Ok(session) => session,
                    Err(_) => {
                        failed += 1;
                        let again = Blocking::open(&bench, &program, &Run::new());
                        again.unwrap_or_else(|e| panic!("{context}: loads the second time, not {e}"))
                    }
                };
                match session.run(&x) {
                    Ok(y) => {
                        assert_close(&y, &wanted, tolerance);
                        untouched += 1;
                    }
                    Err(e) => {
                        failed += 1;
                        assert_eq!(e.state(), Integrity::Lost, "{context}: {e}");
                        session.reset().unwrap_or_else(|e| panic!("{context}: resets, not {e}"));
                        let y = session.run(&x).unwrap_or_else(|e| panic!("{context}: runs again, not {e}"));
                        assert_close(&y, &wanted, tolerance);
                        recovered += 1;
                    }
                }
                assert!(clock.now() < Duration::from_secs(120), "{context}: {:?}", clock.now());
            }
        }
    }
    // every kind of ending was seen
    assert!(failed > 50 && recovered > 10 && untouched > 50, "{failed} {recovered} {untouched}");
}
