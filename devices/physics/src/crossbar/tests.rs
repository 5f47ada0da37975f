//! The substrate against its own promises.

mod promises;

use super::options::{Chosen, OPTIONS};
use super::{Network, open};
use crate::memristor::pcm::Pcm;
use isoform_core::draw::Key;
use isoform_core::error::ErrorKind;
use isoform_core::layer::Renew;
use isoform_core::linear::Dense;
use isoform_core::locator::Locator;
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::registry::{Entry, Registry};
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::substrate::{Run, Substrate};
use isoform_core::tensor::Tensor;
use proptest::prelude::*;
use std::sync::Arc;

fn substrate(text: &str) -> Arc<dyn Substrate> {
    let locator: Locator = text.parse().expect("a locator");
    open(&mut locator.reader()).expect("opened")
}

fn chosen(text: &str) -> Chosen {
    let locator: Locator = text.parse().expect("a locator");
    Chosen::read(&mut locator.reader()).expect("read")
}

/// Numbers even between minus `most` and `most`.
fn numbers(seed: u64, count: usize, most: f64) -> Vec<f64> {
    let mut drawn = vec![0.0; count];
    Key::new(seed, 77).fill_uniform(0, 0, 0, &mut drawn);
    drawn.into_iter().map(|u| most * (2.0 * f64::from(u) - 1.0)).collect()
}

fn dense(seed: u64, rows: usize, cols: usize, most: f64, bias: bool) -> Dense {
    let weight = Tensor::new([rows, cols], numbers(seed, rows * cols, most)).expect("fits");
    Dense::new(weight, bias.then(|| Tensor::new([rows], numbers(seed + 1, rows, most / 2.0)).expect("fits"))).expect("a map")
}

fn single(map: Dense) -> Program {
    let mut builder = Program::builder();
    let x = builder.input("x", map.input().clone());
    let y = builder.node("map", map, x);
    builder.output("y", y);
    builder.build(Semantics::exact(1e-3)).expect("a program")
}

/// A chain of up to six maps of up to six inputs, with paths around some of them, as the conformance suite draws them: weights of up to a
/// third, biases of half of that.
fn chain(seed: u64) -> Program {
    let mut builder = Program::builder();
    let draws: Vec<f64> = numbers(seed, 16, 0.5).into_iter().map(|u| u + 0.5).collect();
    let mut width = 1 + (6.0 * draws[0]) as usize;
    let mut signals = vec![(builder.input("x", [width]), width)];
    for k in 0..2 + (5.0 * draws[1]) as usize {
        let (last, _) = signals[signals.len() - 1].clone();
        let around = signals[..signals.len() - 1].iter().rev().find(|(_, w)| *w == width && draws[2 + k] < 0.3);
        let from = around.map_or(last.clone(), |(wire, _)| last + wire.clone());
        let rows = 1 + (5.0 * draws[9 + k]) as usize;
        let map = dense(100 * seed + 10 * k as u64, rows, width, 1.0 / 3.0, draws[8] < 0.5);
        signals.push((builder.node(&format!("n{k}"), map, from), rows));
        width = rows;
    }
    let (last, _) = signals[signals.len() - 1].clone();
    builder.output("y", last);
    builder.build(Semantics::exact(1e-3)).expect("a program")
}

/// Means and deviations of every output over ticks at one input, and what the program says.
fn held(session: &mut Blocking, program: &Program, x: &[f64], ticks: usize) -> Vec<[f64; 3]> {
    let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    let wide: Vec<f64> = narrow.iter().map(|&v| f64::from(v)).collect();
    let channels = program.output_channels();
    let mut expected = vec![0.0; channels];
    Oracle::new(program, &Run::new()).step(&wide, &mut expected);
    let y = session.run(&narrow.repeat(ticks)).expect("runs");
    (0..channels)
        .map(|c| {
            let of = || y.iter().skip(c).step_by(channels).map(|&v| f64::from(v));
            let mean = of().sum::<f64>() / ticks as f64;
            let variance = of().map(|v| (v - mean).powi(2)).sum::<f64>() / (ticks - 1) as f64;
            [mean, variance.sqrt(), expected[c]]
        })
        .collect()
}

#[test]
fn ticks_have_a_price() {
    let price = substrate("twin:crossbar").profile().medium.expect("declares").price;
    // 2 × 1024 × 1024 cells of 25 µS at 0.2 V for 250 ns
    assert!(price.seconds == 1e-3 && price.writes == 1 && (price.joules - 5.243e-7).abs() < 1e-10, "{price:?}");
    let mut registry = Registry::new();
    isoform_core::layer::register(&mut registry);
    registry.register("twin", Entry::new("a chip", |locator, _| open(&mut locator.reader())));
    for layer in ["noise:?on=(twin:crossbar)&sigma=0.1", "quantise:?on=(twin:crossbar)&step=0.1", "renew:?on=(twin:crossbar)"] {
        assert_eq!(registry.open_str(layer).expect("opens").profile().medium.expect("declares").price, price, "{layer}");
    }
}

#[test]
fn what_the_chip_does_not_take_is_refused() {
    let wide = single(dense(1, 40, 200, 1.0, false));
    let error = Blocking::open(&*substrate("twin:crossbar"), &wide, &Run::new()).map(|_| ()).expect_err("too coarse");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("needs a margin of") && error.to_string().contains("open the crossbar with"), "{error}");
    let mut builder = Program::builder();
    let x = builder.input("x", [2]);
    let y = builder.node("n", isoform_core::functions::scale().with("scale", 2.0), x);
    builder.output("y", y);
    let program = builder.build(Semantics::exact(1e-3)).expect("a program");
    let error = Blocking::open(&*substrate("twin:crossbar"), &program, &Run::new()).map(|_| ()).expect_err("no dense map");
    assert!(error.to_string().contains("it has dense"), "{error}");
    let mut session =
        Blocking::open(&*substrate("twin:crossbar"), &single(dense(1, 2, 2, 0.3, false)), &Run::new()).expect("opened");
    assert!(session.run(&[1.5, 0.0]).expect_err("out of range").to_string().contains("outside -1 to 1"));
    for text in [
        "device=x",
        "bits=1",
        "bits=17",
        "wire=-1",
        "margin=0",
        "compensate=x",
        "output-noise=-1",
        "disturb=0",
        "promise=x",
        "compensate=global&disturb=9",
    ] {
        let locator: Locator = format!("twin:crossbar?{text}").parse().expect("a locator");
        assert!(open(&mut locator.reader()).is_err(), "{text}");
    }
    let known: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
    let all = "twin:crossbar?device=pcm&seed=1&bits=8&wire=0&compensate=none&output-noise=0&margin=1&noise=1&drift=1&endurance=9&disturb=1e9&age=0&promise=used";
    let locator: Locator = all.parse().expect("a locator");
    let mut reader = locator.reader();
    open(&mut reader).expect("every option is taken");
    reader.finish(&known).expect("nothing is left");
    assert_eq!(known.len(), locator.options().len());
}

#[test]
fn runs_repeat_however_they_are_cut_and_differ_by_their_seed() {
    let program = single(dense(3, 5, 6, 0.3, true));
    let x: Vec<f32> = numbers(4, 6 * 40, 1.0).into_iter().map(|v| v as f32).collect();
    let run = |text: &str, seed: u64, cuts: &[usize]| {
        let mut session = Blocking::open(&*substrate(text), &program, &Run::new().with_seed(seed)).expect("opened");
        let mut from = 0;
        cuts.iter()
            .flat_map(|&to| {
                let part = session.run(&x[6 * from..6 * to]).expect("runs");
                from = to;
                part
            })
            .collect::<Vec<f32>>()
    };
    let whole = run("twin:crossbar", 1, &[40]);
    assert_eq!(whole, run("twin:crossbar", 1, &[1, 1, 17, 40]));
    assert_ne!(whole, run("twin:crossbar", 2, &[40]));
    assert_ne!(whole, run("twin:crossbar?seed=1", 1, &[40]));
}

#[test]
fn lanes_and_positions_are_independent_of_each_other() {
    // two positions share a matrix, but not its cells
    let weight = Tensor::new([2, 3], numbers(5, 6, 0.3)).expect("fits");
    let program = single(Dense::over([2], weight, None).expect("a map"));
    let run = Run::new().with_batch(3).with_seed(8);
    let chip = substrate("twin:crossbar");
    let mut session = Blocking::open(&*chip, &program, &run).expect("opened");
    let lane: Vec<f32> = [0.5, -0.5, 1.0].repeat(2);
    let y = session.run(&lane.repeat(3)).expect("runs");
    assert!(y.windows(2).all(|w| w[0] != w[1]), "every channel of every lane has noise of its own: {y:?}");
    let mut other = Blocking::open(&*chip, &program, &run).expect("opened");
    let mut changed = lane.repeat(3);
    changed[6..].fill(0.25);
    assert_eq!(other.run(&changed).expect("runs")[..4], y[..4], "the first lane does not see the others");
}

#[test]
fn drift_takes_its_share_and_a_calibration_gives_it_back() {
    const DAY: f64 = 86_400.0;
    let program = single(dense(6, 4, 8, 0.3, true));
    let x = numbers(7, 8, 1.0);
    let bias = [0.0; 4];
    let error = |session: &mut Blocking| {
        let found = held(session, &program, &x, 300);
        (found.iter().map(|[mean, _, expected]| (mean - expected).powi(2)).sum::<f64>() / bias.len() as f64).sqrt()
    };
    let open = |text: &str| Blocking::open(&*substrate(text), &program, &Run::new().with_seed(5)).expect("opened");
    let mut plain = open("twin:crossbar");
    let mut corrected = open("twin:crossbar?compensate=global");
    let fresh = error(&mut plain);
    plain.rest(DAY).expect("rests");
    let old = error(&mut plain);
    // a third of a signal of some 0.3 is gone
    assert!(old > fresh + 0.03, "{old} after {fresh}");
    assert!(plain.calibrate().expect_err("has none").to_string().contains("cannot be calibrated"));

    let first = corrected.certificate().expect("has the facet").expect("written and right");
    assert!(first.valid > 9.0 && first.valid < 12.0, "half the age at which drift starts: {}", first.valid);
    corrected.rest(DAY).expect("rests");
    let refusal = corrected.run(&[0.0; 8]).expect_err("expired");
    assert_eq!(refusal.kind(), ErrorKind::Calibration);
    assert_eq!(refusal.state(), isoform_core::error::Integrity::Intact);
    let made = corrected.calibrate().expect("calibrated");
    assert!(made.after < made.before && made.id != first.id && made.age < 1.0, "{made:?}");
    assert!((made.valid / (0.504 * DAY) - 1.0).abs() < 0.01, "{}", made.valid);
    let right = error(&mut corrected);
    assert!(right < 0.6 * old, "{right} against {old}");
    assert!(corrected.age().expect("has a clock") > DAY);
}

#[test]
fn a_calibration_does_not_end_while_a_call_goes_on() {
    let program = single(dense(6, 4, 8, 0.3, true));
    let chip = || substrate("twin:crossbar?compensate=global");
    // a minute of ticks, of which the first calibration holds for ten seconds
    let ticks = 60_000;
    let mut y = vec![0.0; 4 * ticks];
    let mut call = |session: &mut Blocking, ticks: usize| {
        session.advance(held_signal(&[0.5; 8]), dense_out(&mut y[..4 * ticks]), ticks).map(|report| report.ticks)
    };
    let mut plain = Blocking::open(&*chip(), &program, &Run::new()).expect("opened");
    let error = call(&mut plain, ticks).expect_err("it would end under way");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Calibration, isoform_core::error::Integrity::Intact));
    assert!(error.to_string().contains("holds for 10.113 s more, and these ticks take 60.000 s"), "{error}");
    // (20 s + 64 ticks of measuring) (e^{0.02 / 0.049} - 1)
    assert_eq!(call(&mut plain, 10_113).expect("up to its end"), 10_113);
    let error = call(&mut plain, 1).expect_err("a tick beyond");
    assert_eq!(error.kind(), ErrorKind::Calibration);

    let renewed = Renew::new(chip());
    let mut session = Blocking::open(&renewed, &program, &Run::new()).expect("opened");
    let first = session.certificate().expect("has the facet").expect("written and right");
    assert_eq!(call(&mut session, ticks).expect("renewed under way"), ticks);
    let last = session.certificate().expect("has the facet").expect("in force");
    assert!(last.id != first.id && last.age > 0.0 && last.age <= last.valid, "{last:?}");
}

#[test]
fn a_split_program_is_refused_before_its_first_part_moves() {
    let mut registry = Registry::new();
    isoform_core::layer::register(&mut registry);
    registry.register("twin", Entry::new("a chip", |locator, _| open(&mut locator.reader())));
    let split = "place:?first=(twin:crossbar)&*=(twin:crossbar?compensate=global)".parse().expect("a locator");
    let chip = registry.open(&split).expect("opened");
    let mut builder = Program::builder();
    let x = builder.input("x", [2]);
    let first = builder.node("first", dense(1, 2, 2, 0.1, false), x);
    let second = builder.node("second", dense(2, 2, 2, 0.1, false), first);
    builder.output("y", second);
    let program = builder.build(Semantics::exact(1e-3)).expect("a program");
    let mut session = Blocking::open(&*chip, &program, &Run::new()).expect("opened");
    let mut y = vec![0.0; 2 * 20_000];
    let error = session.advance(held_signal(&[0.5; 2]), dense_out(&mut y), 20_000).expect_err("it would end under way");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Calibration, isoform_core::error::Integrity::Intact));
}

#[test]
fn all_parts_that_need_more_are_named_at_once() {
    let mut registry = Registry::new();
    isoform_core::layer::register(&mut registry);
    registry.register("twin", Entry::new("a chip", |locator, _| open(&mut locator.reader())));
    registry.register("oracle", Entry::new("the reference", |_, _| Ok(Arc::new(isoform_core::oracle::OracleSubstrate::new()))));
    let split = "place:?dense=(twin:crossbar)&*=(oracle:)".parse().expect("a locator");
    let mut builder = Program::builder();
    let mut wire = builder.input("x", [64]);
    for name in ["a", "b"] {
        let map = builder.node(&format!("map {name}"), dense(1, 64, 64, 0.5, false), wire);
        wire = builder.node(&format!("scale {name}"), isoform_core::functions::scale().with("scale", 0.01), map);
    }
    builder.output("y", wire);
    let program = builder.build(Semantics::exact(1e-3)).expect("a program");
    let error =
        Blocking::open(&*registry.open(&split).expect("opened"), &program, &Run::new()).map(|_| ()).expect_err("too coarse");
    assert_eq!((error.kind(), error.node(), error.locator()), (ErrorKind::Unsupported, Some("map a"), Some("dense")));
    let words = error.to_string();
    assert!(
        words.contains("node \"map b\": the program needs a margin of") && words.matches("open the crossbar with").count() == 2,
        "{words}"
    );
}

#[test]
fn the_mean_of_many_weights_drifts_by_the_published_share() {
    // one row of equal weights: the drift of the output is that of the mean cell
    let map = Dense::new(Tensor::new([1, 64], vec![0.1; 64]).expect("fits"), None).expect("a map");
    let program = single(map);
    let chip = substrate("twin:crossbar?margin=9&noise=9&drift=9&bits=12");
    let mut session = Blocking::open(&*chip, &program, &Run::new().with_seed(2)).expect("opened");
    let fresh = held(&mut session, &program, &[0.9; 64], 400)[0][0];
    for (time, expected) in [(3600.0, 0.7751), (86_400.0, 0.6635)] {
        let age = session.age().expect("has a clock");
        session.rest(time - age).expect("rests");
        let share = held(&mut session, &program, &[0.9; 64], 400)[0][0] / fresh;
        // 64 cells: exponents of deviation 0.008 and reads of deviation 0.05, each over eight
        let log_age = Pcm::default().log_age(time);
        let error = share * (0.008 * log_age).hypot(0.05) / 8.0;
        assert!((share - expected).abs() < 4.0 * error, "{share} for {expected}, give or take {error}");
    }
}

#[test]
fn tuning_writes_cells_and_counts_them() {
    let program = single(dense(8, 3, 4, 0.3, true));
    let chip = substrate("twin:crossbar?endurance=3");
    let mut session = Blocking::open(&*chip, &program, &Run::new()).expect("opened");
    assert_eq!(session.advance(held_signal(&[0.0; 4]), dense_out(&mut [0.0; 3]), 1).expect("runs").writes, 1);
    let before = session.read("map", "weight").expect("reads");
    let asked: Vec<f64> = numbers(99, 12, 0.3);
    let set = session.write("map", "weight", &asked).expect("writes");
    // within five deviations of a write and a fluctuation: some 1.2 µS of 25 for 0.3
    assert!(set.iter().zip(&asked).all(|(s, a)| (s - a).abs() < 5.0 * 0.3 * 1.3 / 25.0 + 0.02), "{set:?} for {asked:?}");
    assert_ne!(set, before);
    let report = session.advance(held_signal(&[0.0; 4]), dense_out(&mut [0.0; 3]), 1).expect("runs");
    assert_eq!(report.writes, 1);
    assert_eq!(session.write("map", "bias", &[0.1, 0.2, 0.3]).expect("digital"), [0.1, 0.2, 0.3]);
    let tuned = {
        let weight = Tensor::new([3, 4], asked).expect("fits");
        single(Dense::new(weight, Some([0.1, 0.2, 0.3].into())).expect("a map"))
    };
    for [mean, _, expected] in held(&mut session, &tuned, &[0.7, -0.2, 1.0, -1.0], 200) {
        assert!((mean - expected).abs() < 0.25, "{mean} for {expected}");
    }
    assert!(session.write("map", "weight", &[1.0; 5]).is_err(), "another shape");
    assert!(session.write("map", "weight", &[40.0; 12]).expect_err("beyond").to_string().contains("needs a"), "too large");
    session.write("map", "weight", &[0.2; 12]).expect("the third write");
    let error = session.write("map", "weight", &[0.1; 12]).expect_err("worn");
    assert_eq!(error.kind(), ErrorKind::Fault);
    assert!(error.to_string().contains("as often as it endures"), "{error}");
    let kept = session.read("map", "weight").expect("reads");
    assert!(kept.iter().all(|w| (w - 0.2).abs() < 0.1), "the refused write changed nothing: {kept:?}");
    // the chip is the same for the next program
    let error = Blocking::open(&*chip, &program, &Run::new()).map(|_| ()).expect_err("worn");
    assert_eq!(error.kind(), ErrorKind::Fault);
}

fn held_signal(x: &[f32]) -> isoform_core::signal::Signal<'_> {
    isoform_core::signal::Signal::Held(x)
}

fn dense_out(y: &mut [f32]) -> isoform_core::signal::SignalMut<'_> {
    isoform_core::signal::SignalMut::Dense(y)
}

#[test]
fn cells_are_as_noisy_in_a_large_array_as_in_a_small_one() {
    const INPUTS: usize = 1024;
    let deviation = |outputs: usize, ticks: usize| {
        let map = Dense::new(Tensor::new([outputs, INPUTS], vec![0.02; outputs * INPUTS]).expect("fits"), None).expect("a map");
        let chip = substrate("twin:crossbar?margin=90&noise=90&drift=90&bits=16&output-noise=0");
        let mut session = Blocking::open(&*chip, &single(map), &Run::new().with_seed(3)).expect("opened");
        let y = session.run(&vec![1.0; INPUTS * ticks]).expect("runs");
        // from tick to tick, so that what is slow does not show
        let of = |k: usize| f64::from(y[k + outputs] - y[k]);
        let squares: f64 = (0..y.len() - outputs).map(|k| of(k).powi(2)).sum();
        (squares / (2 * (y.len() - outputs)) as f64).sqrt()
    };
    // three processes of variance 0.0088² ln 10 are faster than a tick of a millisecond: 1024 cells of 25 µS, and as many of 0.19 µS at rest of which
    // each fluctuates by a fifth at most, in units of 0.02/25 µS
    let expected = 0.02 / 25.0 * (1024.0 * 3.0 * std::f64::consts::LN_10 * ((25.0 * 0.0088_f64).powi(2) + 0.0011)).sqrt();
    assert!((expected - 0.01497).abs() < 1e-4, "{expected}");
    // an array of 64 outputs is looked at every 32 ticks, and was a sixth noisier
    let found = deviation(64, 32);
    assert!((found / expected - 1.0).abs() < 0.05, "{found} for {expected}");
    // one of two outputs is looked at each tick, so that the fastest states move a little as well
    let small = deviation(2, 2048);
    assert!((small / expected - 1.03).abs() < 0.06, "{small} for {expected}");
}

#[test]
fn a_map_of_almost_nothing_gives_almost_nothing() {
    for options in ["", "?bits=12", "?wire=2", "?device=reram", "?compensate=global", "?disturb=1e9&age=1e6&margin=2&drift=2"] {
        for size in [0.0, 1e-310, 1e-45, 5e-39, 1e-38, 1e-30, 5e-21, 1e-6] {
            let weight =
                Tensor::new([3, 4], numbers(3, 12, 1.0).into_iter().map(|w| size * w).collect::<Vec<_>>()).expect("fits");
            let program = single(Dense::new(weight, Some([0.5, 0.0, -2.0].into())).expect("a map"));
            let opened = Blocking::open(&*substrate(&format!("twin:crossbar{options}")), &program, &Run::new().with_seed(1));
            let mut session = opened.unwrap_or_else(|e| panic!("{options} {size}: {e}"));
            for [mean, deviation, wanted] in held(&mut session, &program, &[1.0, -0.5, 0.25, 0.75], 64) {
                let off = 1e-6 + 2.0 * size;
                assert!((mean - wanted).abs() <= off && deviation <= off, "{options} {size}: {mean} ± {deviation} for {wanted}");
            }
        }
    }
}

#[test]
fn a_tick_is_one_for_which_something_is_promised() {
    let program = single(dense(1, 2, 2, 0.3, false));
    for (dt, fits) in [(1e-12, true), (60.0, true), (61.0, false), (1e9, false), (1e300, false), (1e-13, false)] {
        let program = program.with_semantics(Semantics::exact(dt)).expect("a program");
        let opened = Blocking::open(&*substrate("twin:crossbar?noise=1"), &program, &Run::new());
        match opened {
            Ok(_) => assert!(fits, "{dt}"),
            Err(e) => {
                assert!(!fits && e.kind() == ErrorKind::Unsupported && e.to_string().contains("give a time step"), "{dt}: {e}")
            }
        }
    }
}

#[test]
fn wires_take_what_the_network_says() {
    const N: usize = 32;
    let map = Dense::new(Tensor::new([N, N], vec![0.1; N * N]).expect("fits"), None).expect("a map");
    let program = single(map);
    let mean = |text: &str| {
        let mut session = Blocking::open(&*substrate(text), &program, &Run::new().with_seed(4)).expect("opened");
        let found = held(&mut session, &program, &[0.9; N], 60);
        found.iter().map(|[mean, ..]| mean).sum::<f64>() / N as f64
    };
    let share = mean("twin:crossbar?margin=9&noise=9&drift=9&wire=5") / mean("twin:crossbar?margin=9&noise=9&drift=9");
    // pairs in adjacent columns, the second of each at rest
    let cells: Vec<f64> = (0..2 * N * N).map(|k| if k % 2 == 0 { 25e-6 } else { 0.0 }).collect();
    let lossy = Network::new(N, 2 * N, &cells, 5.0).expect("a network").solve(&[1.0; N]).expect("solved");
    let expected = lossy.lines.iter().sum::<f64>() / cells.iter().sum::<f64>();
    assert!((share - expected).abs() < 0.01, "{share} for {expected}");
    assert!(expected < 0.95);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_a_signal_there_is_only_the_bias_and_noise(seed in 0_u64..1000, rows in 1_usize..6, cols in 1_usize..8) {
        let program = single(dense(seed, rows, cols, 0.3, true));
        let mut session = Blocking::open(&*substrate("twin:crossbar"), &program, &Run::new().with_seed(seed)).expect("opened");
        for [mean, deviation, bias] in held(&mut session, &program, &vec![0.0; cols], 100) {
            // a bit line has noise of 0.04 times 0.3, and half a code
            prop_assert!((mean - bias).abs() < 0.02 && deviation < 0.03, "{mean} {bias} {deviation}");
        }
    }

    #[test]
    fn nothing_is_clipped_within_the_range_of_inputs(seed in 0_u64..1000) {
        let program = chain(seed);
        let wide = substrate("twin:crossbar?margin=0.7&noise=0.15&drift=0.8");
        let mut session = Blocking::open(&*wide, &program, &Run::new().with_seed(seed)).expect("opened");
        let x: Vec<f32> = numbers(seed + 5, 64 * program.input_channels(), 1.0).into_iter().map(|v| v.signum() as f32).collect();
        let mut y = vec![0.0; 64 * program.output_channels()];
        let report = session.advance(isoform_core::signal::Signal::Dense(&x), dense_out(&mut y), 64).expect("runs");
        prop_assert_eq!(report.clipped, 0);
    }
}
