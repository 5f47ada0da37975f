//! Oscillators as substrates: what their promises come from, and what they refuse.

use isoform_core::builder::Builder;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::functions::li;
use isoform_core::locator::Locator;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Class;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::quantum::josephson::josephson;
use isoform_physics::quantum::oscillators::{junctions, magnets, open_junctions, open_magnets};
use isoform_physics::quantum::spin_torque::spin_torque;
use std::sync::Arc;

fn opened(text: &str) -> Result<Arc<dyn Substrate>> {
    let locator: Locator = text.parse()?;
    let mut options = locator.reader();
    if text.starts_with("twin:josephson") { open_junctions(&mut options) } else { open_magnets(&mut options) }
}

/// The two kinds: a locator, a program, and the ends of the range of its input.
fn kinds() -> [(&'static str, Program, [f32; 2]); 2] {
    [
        ("twin:spin-torque", magnets(16).expect("builds"), [1.5e-3, 3e-3]),
        ("twin:josephson", junctions(16).expect("builds"), [0.3, 0.5]),
    ]
}

/// Mean and standard deviation of each channel over so many ticks under a held current, after so many others.
fn held(session: &mut Blocking, current: f32, [before, ticks]: [usize; 2]) -> Vec<[f64; 2]> {
    let x = [current; 16];
    let mut y = vec![0.0; ticks.max(before) * 16];
    session.advance(Signal::Held(&x), SignalMut::Dense(&mut y[..before * 16]), before).expect("runs");
    session.advance(Signal::Held(&x), SignalMut::Dense(&mut y[..ticks * 16]), ticks).expect("runs");
    let channel = |c: usize| {
        let own = || y[..ticks * 16].iter().skip(c).step_by(16).map(|&v| f64::from(v));
        let mean = own().sum::<f64>() / ticks as f64;
        [mean, (own().map(|v| (v - mean).powi(2)).sum::<f64>() / ticks as f64).sqrt()]
    };
    (0..16).map(channel).collect()
}

/// What the definition gives in the mean under a held current.
fn defined(program: &Program, current: f32, [before, ticks]: [usize; 2]) -> f64 {
    let mut oracle = Oracle::new(program, &Run::new());
    let (x, mut y) = ([f64::from(current); 16], [0.0; 16]);
    (0..before).for_each(|_| oracle.step(&x, &mut y));
    let mut sum = 0.0;
    (0..ticks).for_each(|_| {
        oracle.step(&x, &mut y);
        sum += y[0];
    });
    sum / ticks as f64
}

fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), v| (sum + v * v, count + 1));
    (sum / f64::from(count)).sqrt()
}

#[test]
fn promises_are_as_large_as_what_they_come_from() {
    for (name, program, ends) in kinds() {
        let medium = opened(name).expect("opens").profile().medium.expect("promises");
        let washout = medium.washout.expect("forgets") as usize;
        let look = [washout, washout / 4];
        let (mut worst_spread, mut worst_ripple, mut worst_noise) = (0.0_f64, 0.0_f64, 0.0_f64);
        for current in [ends[0], f32::midpoint(ends[0], ends[1]), ends[1]] {
            let still = defined(&program, current, [2 * washout, 8 * washout]);
            let mut off = Vec::new();
            for seed in 0..13 {
                let twin = opened(&format!("{name}?seed={seed}&noise=0")).expect("opens");
                let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("is taken");
                off.extend(held(&mut session, current, look).into_iter().map(|[mean, _]| mean - still));
            }
            let spread = root_mean_square(off.iter().copied());
            let one = |options: &str| {
                let twin = opened(&format!("{name}?{options}")).expect("opens");
                held(&mut Blocking::open(twin.as_ref(), &program, &Run::new()).expect("is taken"), current, look)
            };
            let quiet = one("spread=0&noise=0");
            let ripple = quiet.iter().map(|[mean, _]| (mean - still).abs()).fold(0.0, f64::max);
            let noise = root_mean_square(one("seed=1").iter().map(|[_, deviation]| *deviation));
            eprintln!(
                "{name} under {current}: {still:.5}, by spread off by {spread:.2e}, by what is left of the oscillation by {ripple:.2e}; \
                 deviation {noise:.2e}, {:.2e} without noise; margin {:.2e}, noise {:.2e}",
                quiet[0][1], medium.margin, medium.noise
            );
            (worst_spread, worst_ripple) = (worst_spread.max(spread), worst_ripple.max(ripple));
            worst_noise = worst_noise.max(noise);
        }
        assert!(medium.margin >= 4.5 * worst_spread + worst_ripple && medium.margin < 3.0 * (4.5 * worst_spread + worst_ripple));
        assert!(medium.noise >= 0.9 * worst_noise && medium.noise < 2.0 * worst_noise);
    }
}

#[test]
fn a_junction_has_the_mean_voltage_of_its_rate() {
    // 40.5 units of time from spike to spike under 0.3 (models of Crotty et al. 2010): a turn of the phase each
    let mean = defined(&junctions(16).expect("builds"), 0.3, [20_000, 40_500]);
    let expected = std::f64::consts::TAU / 40.5;
    eprintln!("expected {expected:.5}, found {mean:.5}");
    assert!((mean / expected - 1.0).abs() < 2e-3, "{mean}");
}

#[test]
fn they_run_on_from_chance_and_are_the_same_lot() {
    for (name, program, ends) in kinds() {
        let twin = opened(&format!("{name}?seed=3")).expect("opens");
        assert_eq!(twin.profile().class, Class::FreeRunning);
        let first = |twin: &dyn Substrate| {
            let mut session = Blocking::open(twin, &program, &Run::new()).expect("is taken");
            let refused = session.reset().expect_err("runs on").to_string();
            assert!(refused.contains("cannot be reset"), "{refused}");
            held(&mut session, ends[0], [1, 1])[0][0]
        };
        let again = opened(&format!("{name}?seed=3")).expect("opens");
        let [one, two] = [first(twin.as_ref()), first(twin.as_ref())];
        assert!(one != two && one == first(again.as_ref()), "{one} {two}");
    }
}

#[test]
fn what_nobody_can_promise_is_refused() {
    let rk = |dt: f64| Semantics::exact(dt).with_decay(Decay::RungeKutta);
    let magnet = |of: fn(&mut Builder), semantics: Semantics| {
        let mut net = Program::builder();
        of(&mut net);
        net.build(semantics).expect("builds")
    };
    let programs: [(&str, &str, Program); 6] = [
        (
            "twin:spin-torque",
            "is nobody's to promise, but only its power",
            magnet(
                |net| {
                    let i = net.input("i", [1]);
                    let device = net.node("device", spin_torque(), i);
                    net.output("m", device.port(1));
                },
                rk(1e-9),
            ),
        ),
        (
            "twin:spin-torque",
            "made with a q of 2e0",
            magnet(
                |net| {
                    let i = net.input("i", [1]);
                    let device = net.node("device", spin_torque().with("q", 3.0), i);
                    net.output("p", device);
                },
                rk(1e-9),
            ),
        ),
        ("twin:spin-torque", "a dt of 1e-9", magnets(1).expect("builds").with_semantics(rk(2e-9)).expect("builds")),
        (
            "twin:josephson",
            "but only its mean voltage",
            magnet(
                |net| {
                    let i = net.input("i", [1]);
                    let device = net.node("device", josephson(), i);
                    net.output("v", device);
                },
                rk(0.1),
            ),
        ),
        (
            "twin:josephson",
            "each half of the voltmeter has a tau of 50",
            magnet(
                |net| {
                    let i = net.input("i", [1]);
                    let device = net.node("device", josephson(), i);
                    let half = net.node("a", li().with("tau", 20.0), device);
                    let whole = net.node("b", li().with("tau", 20.0), half);
                    net.output("v", whole);
                },
                rk(0.1),
            ),
        ),
        (
            "twin:josephson",
            "one node of isoform.josephson/1, and the program has 0",
            magnet(
                |net| {
                    let i = net.input("i", [1]);
                    let half = net.node("a", li().with("tau", 50.0), i);
                    net.output("v", half);
                },
                rk(0.1),
            ),
        ),
    ];
    for (name, wanted, program) in programs {
        let twin = opened(name).expect("opens");
        let error = Blocking::open(twin.as_ref(), &program, &Run::new()).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(wanted), "{error}");
    }
    for options in
        ["twin:spin-torque?noise=101", "twin:spin-torque?spread=-0.1", "twin:josephson?spread=0.003", "twin:josephson?noise=nan"]
    {
        assert!(opened(options).is_err(), "{options}");
    }
    let twin = opened("twin:josephson").expect("opens");
    let program = junctions(2).expect("builds");
    let many = Blocking::open(twin.as_ref(), &program, &Run::new().with_batch(2)).expect_err("there is one").to_string();
    assert!(many.contains("2 lanes exceed the 1"), "{many}");
    let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("is taken");
    let error = session.run(&[0.4, 0.6]).expect_err("out of range").to_string();
    assert!(error.contains("outside 0.3 to 0.5"), "{error}");
}
