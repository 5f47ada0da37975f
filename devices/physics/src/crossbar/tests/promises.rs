//! What is forecast and promised against what chips do: fresh, old, disturbed by reads, with converters of few bits.

use super::super::forecast::Forecast;
use super::super::options::{READS, WITHIN};
use super::super::substrate::Chip;
use super::{chain, chosen, held, numbers, single, substrate};
use isoform_core::error::ErrorKind;
use isoform_core::layer::Renew;
use isoform_core::linear::Dense;
use isoform_core::plan::Plan;
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use std::sync::Arc;

#[test]
fn programs_keep_to_what_was_forecast() {
    let (mut margins, mut noises) = (Vec::new(), Vec::new());
    for device in ["pcm", "hermes", "hermes-pair", "reram"] {
        let text = format!("twin:crossbar?device={device}&margin=4&noise=4&drift=9");
        let (chip, chosen) = (substrate(&text), chosen(&text));
        for seed in 0..60 {
            let program = chain(seed);
            let plan = Plan::new(&program);
            let chip_of = Chip::of(chosen);
            let Forecast { margin, noise, drift, .. } = chip_of.forecast(&program, &plan).expect("a forecast");
            let mut session = Blocking::open(&*chip, &program, &Run::new().with_seed(seed)).expect("opened");
            let x: Vec<f64> = numbers(seed + 9000, program.input_channels(), 1.0).into_iter().map(f64::signum).collect();
            let fresh = held(&mut session, &program, &x, 200);
            for [mean, deviation, expected] in &fresh {
                assert!((mean - expected).abs() <= margin, "{device} {seed}: {mean} for {expected} within {margin}");
                // the deviation of 200 samples is itself off by a twentieth
                assert!(*deviation <= noise * (1.0 + 4.0 / 20.0), "{device} {seed}: {deviation} within {noise}");
                margins.push((mean - expected).abs() / margin);
                noises.push(deviation / noise);
            }
            session.rest(WITHIN - 1.0).expect("rests");
            for ([old, _, _], [mean, ..]) in held(&mut session, &program, &x, 200).iter().zip(&fresh) {
                assert!((old - mean).abs() <= drift + margin, "{device} {seed}: {mean} moved to {old}, within {drift}");
            }
        }
    }
    let largest = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    eprintln!(
        "of the margin: mean {:.3}, most {:.3}; of the noise: mean {:.3}, most {:.3}",
        mean(&margins),
        largest(&margins),
        mean(&noises),
        largest(&noises)
    );
    // promises that nothing comes near prove nothing
    assert!(largest(&margins) > 0.2 && largest(&noises) > 0.8);
}

#[test]
fn what_is_not_given_is_what_the_program_of_the_chip_needs() {
    for options in [
        "",
        "device=reram",
        "device=hermes",
        "age=600",
        "age=31536000",
        "wire=2.5",
        "disturb=1e6",
        "bits=4",
        "age=86400&compensate=global",
    ] {
        let text = format!("twin:crossbar?seed=0&{options}");
        let text = text.trim_end_matches('&');
        let (chip, chosen) = (substrate(text), chosen(text));
        let program = chip.exemplars().pop().expect("shows it");
        let forecast = Chip::of(chosen).forecast(&program, &Plan::new(&program)).expect("a forecast");
        let pairs = [(forecast.margin, chosen.margin), (forecast.noise, chosen.noise), (forecast.drift, chosen.drift)];
        eprintln!("{options:>30} {pairs:.4?}");
        // a quarter more in two digits, rounded up
        assert!(
            pairs.iter().all(|(needed, promised)| 1.25 * needed <= *promised && *promised <= 1.375 * needed),
            "{options}: {pairs:?}"
        );
        assert!(Blocking::open(&*chip, &program, &Run::new()).is_ok());
    }
    let given = chosen("twin:crossbar?margin=0.7&noise=0.15&drift=0.6");
    assert_eq!([given.margin, given.noise, given.drift], [0.7, 0.15, 0.6]);
}

#[test]
fn an_old_or_disturbed_chip_promises_what_it_keeps() {
    let rms = |errors: &[f64]| (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
    for options in ["device=pcm&age=604800", "device=pcm&age=604800&compensate=global", "device=reram&age=86400"] {
        let text = format!("twin:crossbar?margin=90&noise=90&drift=90&{options}");
        let (chip, chosen) = (substrate(&text), chosen(&text));
        let (mut margins, mut noises, mut drifts) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 0..24 {
            let program = chain(seed);
            let plan = Plan::new(&program);
            let Forecast { margin, noise, drift, .. } = Chip::of(chosen).forecast(&program, &plan).expect("a forecast");
            let renewed = Renew::new(Arc::clone(&chip));
            let mut session = Blocking::open(&renewed, &program, &Run::new().with_seed(seed)).expect("opened");
            let x: Vec<f64> = numbers(seed + 9000, program.input_channels(), 1.0).into_iter().map(f64::signum).collect();
            let fresh = held(&mut session, &program, &x, 200);
            session.rest(WITHIN - 1.0).expect("rests");
            for ([mean, deviation, expected], [old, late, _]) in fresh.iter().zip(held(&mut session, &program, &x, 200)) {
                assert!((mean - expected).abs() <= margin, "{options} {seed}: {mean} for {expected} within {margin}");
                assert!(
                    deviation.max(late) <= noise * (1.0 + 4.0 / 20.0),
                    "{options} {seed}: {deviation}, {late} within {noise}"
                );
                assert!((old - mean).abs() <= drift + noise, "{options} {seed}: {mean} moved to {old}, within {drift}");
                margins.push((mean - expected) / margin);
                noises.push(late / noise);
                drifts.push((old - mean) / drift);
            }
        }
        eprintln!("{options}: rms of the promises {:.3}, {:.3}, {:.3}", rms(&margins), rms(&noises), rms(&drifts));
        // promises that nothing comes near prove nothing
        let moved = drifts.iter().fold(0.0_f64, |most, d| most.max(d.abs()));
        eprintln!("{options}: moved by {moved:.3} of the promise at most");
        assert!(rms(&noises) > 0.2 && rms(&margins) > 0.05, "{options}");
    }
    let lanes = |options: &str| substrate(&format!("twin:crossbar?{options}")).profile().limits.batch;
    assert_eq!([lanes("disturb=1e6"), lanes("disturb=1e6&promise=fresh"), lanes("age=9")], [1, 4096, 4096]);
    let flicker =
        |options: &str| substrate(&format!("twin:crossbar?device=reram{options}")).profile().medium.expect("declares").flicker;
    assert_eq!([flicker(""), flicker("&disturb=1e5"), flicker("&disturb=1e5&promise=fresh")], [false, true, false]);
    // what a fresh chip keeps is refused of an old one, with what it needs
    let program = single(Dense::new(Tensor::new([1, 16], vec![0.25; 16]).expect("fits"), None).expect("a map"));
    assert!(Blocking::open(&*substrate("twin:crossbar"), &program, &Run::new()).is_ok());
    for (options, words) in [("age=604800", "a margin of"), ("disturb=1e3", "a noise of")] {
        let text = format!("twin:crossbar?margin=0.32&noise=0.053&drift=0.61&{options}");
        let refused = |more: &str| Blocking::open(&*substrate(&format!("{text}{more}")), &program, &Run::new());
        let error = refused("").map(|_| ()).expect_err("more than is promised");
        assert!(error.kind() == ErrorKind::Unsupported && error.to_string().contains(words), "{error}");
        assert!(refused("&promise=fresh").is_ok());
    }
}

#[test]
fn promises_hold_for_all_reads_that_they_count() {
    const MINUTE: usize = 60_000;
    let all = ["device=pcm&disturb=3e5", "device=pcm&disturb=1e6", "device=reram&disturb=3e4", "device=reram&disturb=1e6"];
    for (seed, options) in (0..).zip(all) {
        let text = format!("twin:crossbar?{options}");
        let (chip, chosen) = (substrate(&text), chosen(&text));
        let mut used = [0.0_f64; 3];
        let program = chip.exemplars().pop().expect("shows it");
        let Forecast { margin, noise, drift, .. } =
            Chip::of(chosen).forecast(&program, &Plan::new(&program)).expect("a forecast");
        let mut session = Blocking::open(&*chip, &program, &Run::new().with_seed(seed)).expect("opened");
        let x: Vec<f64> = numbers(seed + 9000, program.input_channels(), 1.0).into_iter().map(f64::signum).collect();
        let mut before: Option<Vec<[f64; 3]>> = None;
        for reads in (0..=READS as usize - 200).step_by(MINUTE) {
            let now = held(&mut session, &program, &x, 200);
            for (output, [mean, deviation, expected]) in now.iter().enumerate() {
                let within = margin + drift * (reads / MINUTE) as f64;
                assert!(
                    (mean - expected).abs() <= within,
                    "{options} {seed}: {mean} for {expected} within {within} after {reads}"
                );
                // the deviation of 200 samples is itself off by a twentieth
                assert!(*deviation <= noise * (1.0 + 4.0 / 20.0), "{options} {seed}: {deviation} within {noise} after {reads}");
                let moved = before.as_ref().map_or(0.0, |before| (mean - before[output][0]).abs());
                assert!(moved <= drift + noise, "{options} {seed}: moved by {moved} within {drift} after {reads}");
                for (used, share) in used.iter_mut().zip([(mean - expected).abs() / margin, deviation / noise, moved / drift]) {
                    *used = used.max(share);
                }
            }
            before = Some(now);
            held(&mut session, &program, &x, (MINUTE - 200).min(READS as usize - 200 - reads));
        }
        eprintln!("{options}: of the promises {used:.3?}");
        // promises that nothing comes near prove nothing
        assert!(used[0] > 0.1 && used[1] > 0.2 && used[2] > 0.05, "{options}: {used:?}");
    }
}

#[test]
fn noise_that_is_flipped_between_two_codes_is_counted() {
    for options in ["bits=4", "bits=4&compensate=global", "bits=5&compensate=global", "bits=6&compensate=global"] {
        let text = format!("twin:crossbar?{options}");
        let (chip, chosen) = (substrate(&text), chosen(&text));
        let program = chip.exemplars().pop().expect("shows it");
        let noise = Chip::of(chosen).forecast(&program, &Plan::new(&program)).expect("a forecast").noise;
        let mut session = Blocking::open(&Renew::new(Arc::clone(&chip)), &program, &Run::new()).expect("opened");
        // many means, some of which are halfway between two codes
        let deviations = (0..=120).flat_map(|k| {
            let x = vec![f64::from(k - 60) / 60.0; program.input_channels()];
            held(&mut session, &program, &x, 200)
        });
        let most = deviations.map(|[_, deviation, _]| deviation).fold(0.0, f64::max);
        eprintln!("{options}: a deviation of {most:.4}, {noise:.4} forecast");
        assert!((0.8..=1.0 + 4.0 / 20.0).contains(&(most / noise)), "{options}: {most} of {noise}");
    }
}
