//! The twin of a mesh held to what it declares.

mod mesh;

use isoform_core::builder::Builder;
use isoform_core::error::{ErrorKind, Integrity};
use isoform_core::functions::li;
use isoform_core::layer::Renew;
use isoform_core::linear::Dense;
use isoform_core::optical::{Detection, Encoding};
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_physics::photonics::matrix::Matrix;
use mesh::{held, numbers, optical, single, twin};

/// Largest error of a mean, largest noise, over some inputs; each mean is known to five standard errors.
fn worst(options: &str, program: &Program, inputs: u64) {
    let twin = twin(options).expect("opens");
    let medium = twin.profile().medium.expect("declares");
    let mut session = Blocking::open(twin.as_ref(), program, &Run::new()).expect("realises");
    let (mut off, mut noise) = (0.0_f64, 0.0_f64);
    for seed in 0..inputs {
        // corners of the range are the hardest
        let x: Vec<f32> =
            numbers(program.input_channels(), seed).iter().map(|v| if seed % 2 == 0 { v.signum() } else { *v }).collect();
        let wanted = Oracle::new(program, &Run::new()).run(&x);
        for ((mean, sigma), wanted) in held(&mut session, &x, 256).into_iter().zip(wanted) {
            let known = 5.0 * sigma / 16.0;
            off = off.max((mean - wanted).abs() - known);
            // 255 degrees of freedom: five standard errors of a standard deviation are 5 / √510 of it
            noise = noise.max(sigma / (1.0 + 5.0 / 510.0_f64.sqrt()));
        }
    }
    eprintln!("{options:>40} margin {:.3e}, off by {off:.3e}; noise {:.3e}, found {noise:.3e}", medium.margin, medium.noise);
    assert!(off <= medium.margin, "{off} is beyond {}", medium.margin);
    assert!(noise <= medium.noise, "{noise} is beyond {}", medium.noise);
}

#[test]
fn what_is_declared_holds_of_unitary_matrices() {
    for (options, sizes) in [
        ("seed=1", vec![1, 2, 4, 8]),
        ("seed=2&layout=triangle", vec![3, 8]),
        ("seed=3&bits=8", vec![2, 8]),
        ("seed=4&coupler=0.01", vec![4, 8]),
        ("seed=5&dummies=false", vec![8]),
        ("seed=6&jitter=0.01", vec![2, 8]),
        ("seed=7&modes=24&crosstalk=0.01", vec![24]),
    ] {
        for size in sizes {
            let matrix = Matrix::haar(size, 7 + size as u64);
            worst(options, &single(optical(&matrix, Encoding::Real, Detection::Intensity)), 4);
            worst(options, &single(optical(&matrix, Encoding::Complex, Detection::Homodyne)), 4);
        }
    }
}

#[test]
fn no_unitary_matrix_is_refused() {
    for options in ["", "&bits=10", "&layout=triangle", "&coupler=0.005", "&loss=0.3&dummies=false", "&modes=12&crosstalk=0.005"]
    {
        for seed in 0..12 {
            let twin = twin(&format!("seed={seed}{options}")).expect("opens");
            let size = twin.profile().limits.channels / 2;
            // bars and crosses of uneven couplers are never whole
            let order = Matrix::identity(size);
            let order = Matrix::from_fn(size, size, |r, c| order.at(r, (c + seed as usize) % size));
            for matrix in [Matrix::haar(size, 100 + seed), order] {
                for (encoding, detection) in [(Encoding::Complex, Detection::Intensity), (Encoding::Real, Detection::Homodyne)] {
                    let program = single(optical(&matrix, encoding, detection));
                    Blocking::open(twin.as_ref(), &program, &Run::new()).unwrap_or_else(|e| panic!("{options} {seed}: {e}"));
                }
            }
        }
    }
}

#[test]
fn any_matrix_goes_by_singular_values() {
    let matrix = Matrix::haar(6, 1).times(&Matrix::haar(6, 2)).resized(4, 6).scaled(0.7);
    worst("seed=1", &single(optical(&matrix, Encoding::Complex, Detection::Homodyne)), 6);
    // a real map of some gain, with a bias
    let weight = Tensor::new([3, 5], numbers(15, 3).iter().map(|v| f64::from(*v)).collect::<Vec<_>>()).expect("fits");
    let dense = Dense::new(weight, Some([0.5, -0.25, 2.0].into())).expect("is one");
    let mut net = Builder::new();
    let x = net.input("x", [5]);
    let y = net.node("map", dense, x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1e-3)).expect("builds");
    worst("seed=1&gain=4", &program, 6);
    let error = Blocking::open(twin("seed=1").expect("opens").as_ref(), &program, &Run::new()).expect_err("too much");
    assert!(error.kind() == ErrorKind::Unsupported && error.node() == Some("map"), "{error}");
    assert!(error.message().contains("raise gain"), "{error}");
}

#[test]
fn maps_follow_each_other_as_far_as_the_promise_reaches() {
    let chain = |detection: Detection, layers: usize| {
        let mut net = Builder::new();
        let encoding = if detection == Detection::Homodyne { Encoding::Complex } else { Encoding::Real };
        let shape = optical(&Matrix::identity(2), encoding, detection).input().clone();
        let x = net.input("x", shape);
        let mut wire = x.clone();
        for layer in 0..layers {
            let name = format!("layer {layer}");
            wire = net.node(&name, optical(&Matrix::haar(2, layer as u64), encoding, detection), wire);
        }
        net.output("y", wire + x);
        net.build(Semantics::exact(1e-3)).expect("builds")
    };
    worst("seed=1", &chain(Detection::Homodyne, 2), 4);
    worst("seed=1&modes=24", &chain(Detection::Intensity, 2), 4);
    let long = chain(Detection::Intensity, 6);
    let error = Blocking::open(twin("").expect("opens").as_ref(), &long, &Run::new()).expect_err("beyond the promise");
    assert!(error.kind() == ErrorKind::Unsupported && error.message().contains("one after the other"), "{error}");
}

#[test]
fn a_margin_may_be_declared_and_is_kept_or_refused() {
    let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Homodyne));
    let declared = |options: &str| twin(options).expect("opens").profile().medium.expect("declares").margin;
    // what may happen to any matrix of eight modes in steps of 2 pi / 256 is two thirds of what a field can be
    let derived = declared("bits=8");
    assert!(derived > 1.0 && declared("bits=8&margin=0.25") == 0.25, "{derived}");
    worst("bits=8&margin=0.25", &program, 8);
    let refuse = |options: &str, program: &Program| {
        Blocking::open(twin(options).expect("opens").as_ref(), program, &Run::new()).map(|_| ()).expect_err("refused")
    };
    let error = refuse("bits=8&margin=1e-3", &program);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let words = error.to_string();
    let needed = words.split("margin=").nth(1).and_then(|rest| rest.split(' ').next()).expect("names a margin");
    worst(&format!("bits=8&margin={needed}"), &program, 2);
    // both outputs are named at once
    let mut net = Builder::new();
    let x = net.input("x", [4]);
    for name in ["a", "b"] {
        let y = net.node(name, optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Homodyne), x.clone());
        net.output(&format!("{name} out"), y);
    }
    let error = refuse("bits=8&margin=1e-3", &net.build(Semantics::exact(1e-3)).expect("builds"));
    assert!(error.message().contains("\"a out\" by") && error.message().contains("\"b out\" by"), "{error}");
}

#[test]
fn a_noise_may_be_declared_and_is_kept_or_refused() {
    let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Homodyne));
    let declared = |options: &str| twin(options).expect("opens").profile().medium.expect("declares");
    // what jitter does to the power of all light that may meet in one mode is more than what a field can be
    let derived = declared("jitter=0.01").noise;
    assert!(derived > 1.0, "{derived}");
    worst("jitter=0.01&noise=0.2", &program, 4);
    let power = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Intensity));
    let error = Blocking::open(twin("jitter=0.01&noise=0.2").expect("opens").as_ref(), &power, &Run::new()).expect_err("refused");
    let words = error.to_string();
    let needed = words.split("noise=").nth(1).and_then(|rest| rest.split(' ').next()).expect("names a noise");
    worst(&format!("jitter=0.01&noise={needed}"), &power, 2);
}

#[test]
fn what_does_not_move_is_no_drift() {
    let declared = |options: &str| twin(options).expect("opens").profile().medium.expect("declares").drift;
    // uneven couplers and losses stay as they are: the drift beside them is a small part of the margin, and is in it
    assert!(declared("").is_some());
    assert_eq!([declared("coupler=0.01"), declared("dummies=false")], [None, None]);
}

#[test]
fn what_a_mesh_cannot_do_is_refused_by_name() {
    let refuse = |options: &str, program: &Program| {
        let error = Blocking::open(twin(options).expect("opens").as_ref(), program, &Run::new()).expect_err("refused");
        assert!(error.kind() == ErrorKind::Unsupported && error.node().is_some(), "{error}");
        error.to_string()
    };
    let unitary = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Intensity));
    assert!(refuse("reach=0.3", &unitary).contains("raise reach"));
    assert!(refuse("modes=3", &unitary).contains("raise modes"));
    let wide = single(optical(&Matrix::haar(8, 1), Encoding::Complex, Detection::Homodyne));
    let words = refuse("modes=3", &wide);
    assert!(
        words.contains("16 channels exceed the 6 of mesh, which is") && words.contains("of 3 modes at most (option modes)"),
        "{words}"
    );
    let mut net = Builder::new();
    let x = net.input("x", [2]);
    let y = net.node("neurons", li().with("tau", 20e-3), x);
    net.output("y", y);
    assert!(refuse("", &net.build(Semantics::exact(1e-3)).expect("builds")).contains("li"));
    for options in ["modes=0", "modes=65", "bits=2", "layout=circle", "loss=-1", "tau=1e-5", "bogus=1"] {
        assert_eq!(twin(options).expect_err(options).kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn exemplars_are_taken_and_kept() {
    for options in
        ["", "modes=1", "modes=2", "modes=64", "layout=triangle&modes=16", "gain=3", "dummies=false&coupler=0.01", "jitter=0.01"]
    {
        let twin = twin(options).expect("opens");
        let programs = twin.exemplars();
        assert_eq!(programs.len(), 4);
        for program in programs {
            let opened = Blocking::open(twin.as_ref(), &program, &Run::new());
            assert!(opened.is_ok(), "{options}: {:?}", opened.err());
        }
    }
    twin("").expect("opens").exemplars().iter().for_each(|program| worst("seed=9", program, 8));
}

#[test]
fn a_calibration_that_is_over_is_made_anew_by_the_layer() {
    let renewed = Renew::new(twin("drift=1e-3&seed=5").expect("opens"));
    let program = single(optical(&Matrix::haar(5, 1), Encoding::Real, Detection::Intensity));
    let mut session = Blocking::open(&renewed, &program, &Run::new()).expect("realises");
    let id = |session: &mut Blocking| session.certificate().expect("has the facet").expect("was calibrated").id;
    let (first, x) = (id(&mut session), numbers(5, 2));
    session.run(&x).expect("runs");
    assert_eq!(id(&mut session), first);
    session.rest(40_000.0).expect("rests");
    let late = session.run(&x).expect("calibrates and runs");
    assert!(late.len() == 5 && id(&mut session) != first);
}

#[test]
fn a_calibration_corrects_the_phases_of_its_own_age() {
    // without noise nothing is averaged; behind slow detectors phases drift by 0.04 rad while they are fitted
    for options in ["bandwidth=0", "bandwidth=0&drift=1e-3&valid=360", "bandwidth=1e6&drift=0.5&valid=3600"] {
        let twin = twin(&format!("seed=1&{options}")).expect("opens");
        let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Homodyne));
        let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("realises");
        let x = [1.0, -1.0, 1.0, 1.0];
        let wanted = Oracle::new(&program, &Run::new()).run(&x);
        let off = |session: &mut Blocking| {
            let found = held(session, &x, 256);
            found.iter().zip(&wanted).map(|((mean, _), wanted)| (mean - wanted).abs()).fold(0.0, f64::max)
        };
        let first = off(&mut session);
        session.rest(1.0).expect("rests");
        session.calibrate().expect("calibrates");
        let again = off(&mut session);
        eprintln!("{options}: off by {first:.2e}, and by {again:.2e} after another calibration");
        assert!((first - again).abs() < 0.5 * first.max(again) + 3e-3, "{options}: {first}, {again}");
    }
    let seconds = |options: &str| {
        let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Homodyne));
        let mut session = Blocking::open(twin(options).expect("opens").as_ref(), &program, &Run::new()).expect("realises");
        session.calibrate().expect("calibrates");
        session.age().expect("has the facet")
    };
    // 36 measurements: 40 time constants of 10 us, and two shots for each of four modes a million times at 20 GHz
    assert!((seconds("") - 36.0 * (4e-4 + 4e-4)).abs() < 1e-9 && (seconds("bandwidth=0") - 36.0 * 4e-4).abs() < 1e-9);
}

#[test]
fn what_no_calibration_can_hold_is_refused_when_it_is_opened() {
    for (options, why) in [
        ("valid=1e-3", "a calibration takes 8.640e-2 s and holds for 1.000e-3 s"),
        (
            "bandwidth=1e6&valid=100",
            "a calibration takes 1.152e3 s and holds for 1.000e2 s, so that it would be over when it is made: raise valid or bandwidth",
        ),
        ("age=1e11", "within an age of 100000000000 s phases drift by up to 277.778 rad"),
    ] {
        let error = twin(options).expect_err(options);
        assert!(error.kind() == ErrorKind::Unsupported && error.message().contains(why), "{error}");
    }
    assert!(twin("age=1e11&drift=0").is_ok() && twin("bandwidth=1e6&valid=1200").is_ok());
}

#[test]
fn a_calibration_is_made_holds_and_ends() {
    let twin = twin("drift=1e-3&seed=5").expect("opens");
    let program = single(optical(&Matrix::haar(5, 1), Encoding::Real, Detection::Intensity));
    let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("realises");
    let first = session.certificate().expect("has the facet").expect("was calibrated");
    eprintln!("calibrated from {:.2e} to {:.2e}", first.before, first.after);
    assert!(first.age == 0.0 && first.valid == 36_000.0 && first.before > 0.1 && first.after < 1e-3, "{first:?}");
    let x = numbers(5, 2);
    let fresh = held(&mut session, &x, 4000);
    session.rest(35_000.0).expect("rests");
    // the drift shows, and stays within what is declared
    let old = held(&mut session, &x, 4000);
    let moved = fresh.iter().zip(&old).map(|(a, b)| (a.0 - b.0).abs()).fold(0.0, f64::max);
    let drift = twin.profile().medium.and_then(|m| m.drift).expect("drifts");
    eprintln!("moved by {moved:.2e} of {:.2e} within {} s", drift.most, drift.within);
    assert!(moved > 3e-4 && moved < drift.most && drift.within == 36_000.0);
    session.rest(2000.0).expect("rests");
    let error = session.run(&x).expect_err("expired");
    assert!(error.kind() == ErrorKind::Calibration && error.state() == Integrity::Intact, "{error}");
    let again = session.calibrate().expect("calibrates");
    eprintln!("calibrated from {:.2e} to {:.2e}", again.before, again.after);
    assert!(again.id != first.id && again.age == 0.0 && again.before > 2.0 * again.after && again.after < 1e-3, "{again:?}");
    assert!(session.age().expect("has the facet") > 37_000.0);
    session.run(&x).expect("runs again");
    // a chunk that would outlast it is refused before it begins
    session.rest(35_999.9).expect("rests");
    assert_eq!(session.run(&numbers(5 * 200, 1)).expect_err("too long").kind(), ErrorKind::Calibration);
    session.run(&numbers(5 * 50, 1)).expect("short enough");
    assert!(session.rest(f64::NAN).is_err() && session.rest(-1.0).is_err());
}

#[test]
fn what_is_taken_is_calibrated_again_and_again() {
    // a trim behind uneven couplers ends elsewhere in up to one calibration of four, which may be the first or a later one
    for (coupler, seed) in [("0.01", 0), ("0.05", 0), ("0.05", 3), ("0.1", 0)] {
        let twin = twin(&format!("coupler={coupler}&margin=0.05&seed={seed}")).expect("opens");
        let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Intensity));
        for run in 0..8 {
            assert!(Blocking::open(twin.as_ref(), &program, &Run::new().with_seed(run)).is_ok(), "coupler={coupler}, run {run}");
        }
        let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("realises");
        for number in 1..=20 {
            session.rest(36_000.0).expect("rests");
            let made = session.calibrate();
            assert!(made.is_ok(), "coupler={coupler}, calibration {number}: {made:?}");
        }
    }
}

#[test]
fn shots_do_not_depend_on_how_they_are_taken() {
    let program = single(optical(&Matrix::haar(4, 1), Encoding::Complex, Detection::Homodyne));
    for (options, batch) in [("", 1), ("", 5), ("", 37), ("jitter=0.01", 3), ("drift=1e-2&valid=1", 2)] {
        let run = Run::new().with_batch(batch);
        let x = numbers(40 * batch * 8, 3);
        let open = || Blocking::open(twin(options).expect("opens").as_ref(), &program, &run).expect("realises");
        let whole = open().run(&x).expect("runs");
        let mut session = open();
        let mut parts = Vec::new();
        for part in [3, 1, 17, 0, 19] {
            let from = parts.len() * 8 / 8;
            let block = &x[from..from + part * batch * 8];
            if part > 0 {
                parts.extend(session.run(block).expect("runs"));
            }
        }
        assert!(whole == parts, "{options} with {batch} lanes");
        // a lane is the same, whatever the other lanes get
        let mut other = x.clone();
        other.chunks_exact_mut(8).enumerate().filter(|(row, _)| row % batch != 0).for_each(|(_, row)| row.fill(0.5));
        let alone = open().run(&other).expect("runs");
        let lane = |y: &[f32]| y.chunks_exact(8).step_by(batch).flatten().copied().collect::<Vec<_>>();
        assert_eq!(lane(&alone), lane(&whole));
    }
}

#[test]
fn energy_is_that_of_the_heaters() {
    let program = single(optical(&Matrix::haar(4, 1), Encoding::Real, Detection::Intensity));
    let twin = twin("").expect("opens");
    let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).expect("realises");
    let mut y = vec![0.0; 4 * 1000];
    let report = session.advance(Signal::Held(&[0.0; 4]), SignalMut::Dense(&mut y), 1000).expect("runs");
    let energy = report.energy.expect("is modelled");
    // sixteen heaters of half a turn on the average, for one second
    assert!(!energy.measured && (0.1..0.6).contains(&energy.joules), "{energy:?}");
    assert!(energy.joules / 1000.0 < twin.profile().medium.expect("declares").price.joules);
    assert_eq!((report.ticks, report.clipped, report.writes), (1000, 0, 0));
}

#[test]
fn what_a_mesh_shows_of_itself_it_takes() {
    for options in [
        "",
        "&crosstalk=0",
        "&layout=triangle",
        "&offset=0.25",
        "&valid=3600",
        "&drift=0",
        "&modes=1",
        "&modes=2",
        "&bits=8",
        "&coupler=0.001",
        "&coupler=0.02",
        "&loss=1",
    ] {
        // of chip 23 a fit was once unlucky under its own seed
        for seed in [0, 1, 7, 13, 23, 25, 27] {
            let twin = twin(&format!("seed={seed}{options}")).expect("opens");
            for run in [7, 13, 14, 23, 26] {
                for program in twin.exemplars() {
                    Blocking::open(twin.as_ref(), &program, &Run::new().with_seed(run))
                        .unwrap_or_else(|e| panic!("{options} {seed} {run}: {e}"));
                }
            }
        }
    }
}

#[test]
fn a_map_of_almost_nothing_gives_almost_nothing() {
    for size in [0.0, 1e-310, 1e-45, 5e-39, 1e-38, 1e-30, 5e-21, 1e-18, 1e-6] {
        let weight: Vec<f64> = numbers(12, 3).iter().map(|v| size * f64::from(*v)).collect();
        let mut net = Builder::new();
        let x = net.input("x", [4]);
        let y = net.node("map", Dense::new(Tensor::new([3, 4], weight).expect("fits"), None).expect("is one"), x);
        net.output("y", y);
        let program = net.build(Semantics::exact(1e-3)).expect("builds");
        let twin = twin("bandwidth=0&drift=0").expect("opens");
        let mut session = Blocking::open(twin.as_ref(), &program, &Run::new()).unwrap_or_else(|e| panic!("{size}: {e}"));
        let x = [1.0, -0.5, 0.25, 0.75];
        let wanted = Oracle::new(&program, &Run::new()).run(&x);
        for ((mean, _), wanted) in held(&mut session, &x, 16).into_iter().zip(wanted) {
            // of numbers below those of single precision nothing is left
            let off = if size < 1e-37 { 1e-38 } else { 1e-3 * size };
            assert!((mean - wanted).abs() <= off, "{size}: {mean} for {wanted}");
        }
    }
}

#[test]
fn healthy_meshes_keep_the_laws_of_noise_under_any_seed() {
    for (options, laws, seeds) in [
        ("valid=3600", ["L3.drift", "L2.equivalence"], [1, 2, 3]),
        ("modes=1", ["L2.course", "L2.transfer"], [0, 1, 2]),
        ("", ["L2.capacity"; 2], [3, 32, 38]),
    ] {
        let twin = twin(options).expect("opens");
        for seed in seeds {
            let run = laws.iter().fold(isoform_conformance::Options::new().with_seed(seed), |run, law| run.with_law(*law));
            for outcome in isoform_conformance::run(twin.as_ref(), &run).expect("runs").outcomes {
                let is_kept = outcome.status == isoform_conformance::record::Status::Pass;
                assert!(is_kept, "{options} {seed} {}: {} {}", outcome.law, outcome.status, outcome.reason);
            }
        }
    }
}
