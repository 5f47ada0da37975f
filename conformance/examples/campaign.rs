//! How often the statistical laws alarm on healthy media, and how often they catch planted defects.
//!
//! ```text
//! cargo run --release -p isoform-conformance --example campaign -- [--runs 10000] [--kills 200] [--seed 0]
//! ```
//! A run is the statistical laws on one virtual medium, with draws of its own. Healthy media are white, correlated, 1/f, heavy-tailed, or drift
//! within what they declare; the planted ones are what each line says. Rates come with their exact 95 % intervals (Clopper and Pearson 1934).
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example reports on standard output")]

use isoform_conformance::defects::{Defect, Faulty};
use isoform_conformance::media::{Blur, Blurred, Colour};
use isoform_conformance::record::Status;
use isoform_conformance::{Options, run};
use isoform_core::medium::Medium;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::substrate::Substrate;
use statrs::distribution::{Beta, ContinuousCDF};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

const LAWS: [&str; 4] = ["L1.noise", "L1.reset-trials", "L2.equivalence", "L3.drift"];
const MARGIN: f64 = 0.05;
const SIGMA: f64 = 0.02;

/// A medium of the campaign.
struct Subject {
    name: &'static str,
    /// The law that has to catch it; none for the healthy.
    law: Option<&'static str>,
    make: fn() -> Arc<dyn Substrate>,
}

fn oracle() -> Arc<dyn Substrate> {
    Arc::new(OracleSubstrate::new())
}

fn blurred(inner: Arc<dyn Substrate>, blur: Blur) -> Arc<dyn Substrate> {
    Arc::new(Blurred::new(inner, blur))
}

fn honest(colour: Colour) -> Arc<dyn Substrate> {
    blurred(oracle(), Blur::honest(colour, SIGMA, MARGIN))
}

fn planted(defect: Defect) -> Arc<dyn Substrate> {
    blurred(Arc::new(Faulty::new(oracle(), defect)), Blur::honest(Colour::White, SIGMA, MARGIN))
}

const HEALTHY: &[Subject] = &[
    Subject { name: "white", law: None, make: || honest(Colour::White) },
    Subject {
        name: "white, mean off by half the margin",
        law: None,
        make: || blurred(oracle(), Blur::honest(Colour::White, SIGMA, MARGIN).with_bias(0.5 * MARGIN)),
    },
    Subject {
        name: "white, mean off by nearly the margin",
        law: None,
        make: || blurred(oracle(), Blur::honest(Colour::White, SIGMA, MARGIN).with_bias(0.98 * MARGIN)),
    },
    Subject { name: "autoregressive, 0.5", law: None, make: || honest(Colour::Autoregressive(0.5)) },
    Subject { name: "autoregressive, 0.9", law: None, make: || honest(Colour::Autoregressive(0.9)) },
    Subject { name: "1/f", law: None, make: || honest(Colour::Flicker) },
    Subject { name: "Laplace", law: None, make: || honest(Colour::Laplace) },
    Subject { name: "Student, five degrees of freedom", law: None, make: || honest(Colour::Student) },
    Subject { name: "lognormal", law: None, make: || honest(Colour::Lognormal) },
    Subject { name: "telegraph", law: None, make: || honest(Colour::Telegraph) },
    Subject {
        name: "drift of half of what is declared",
        law: None,
        make: || blurred(oracle(), Blur::honest(Colour::White, SIGMA, MARGIN).with_drift(0.015, 0.03, 1e4)),
    },
];

const PLANTED: &[Subject] = &[
    Subject { name: "gain +3 %", law: Some("L2.equivalence"), make: || planted(Defect::Gain) },
    Subject { name: "an offset of 2 %", law: Some("L2.equivalence"), make: || planted(Defect::Offset) },
    Subject { name: "cross-talk 2 %", law: Some("L2.equivalence"), make: || planted(Defect::CrossTalk) },
    Subject { name: "rail lower than declared", law: Some("L2.equivalence"), make: || planted(Defect::LowRail) },
    Subject {
        name: "mean off by one and a half margins",
        law: Some("L2.equivalence"),
        make: || blurred(oracle(), Blur::honest(Colour::White, SIGMA, MARGIN).with_bias(1.5 * MARGIN)),
    },
    Subject {
        name: "gain +3 % behind ten times the noise",
        law: Some("L1.noise"),
        make: || {
            let declared = Medium::new(MARGIN, SIGMA);
            blurred(
                Arc::new(Faulty::new(oracle(), Defect::Gain)),
                Blur::honest(Colour::White, 10.0 * SIGMA, MARGIN).declared_as(declared),
            )
        },
    },
    Subject {
        name: "noise x 1.5",
        law: Some("L1.noise"),
        make: || blurred(oracle(), Blur::honest(Colour::White, 1.5 * SIGMA, MARGIN).declared_as(Medium::new(MARGIN, SIGMA))),
    },
    Subject {
        name: "heavy-tailed noise x 1.5",
        law: Some("L1.noise"),
        make: || blurred(oracle(), Blur::honest(Colour::Laplace, 1.5 * SIGMA, MARGIN).declared_as(Medium::new(MARGIN, SIGMA))),
    },
    Subject {
        name: "1/f noise declared as settling",
        law: Some("L1.noise"),
        make: || blurred(oracle(), Blur::honest(Colour::Flicker, SIGMA, MARGIN).declared_as(Medium::new(MARGIN, SIGMA))),
    },
    Subject { name: "reset leaves 5 %", law: Some("L1.reset-trials"), make: || planted(Defect::ResetLeavesResidue) },
    Subject { name: "reset skips a channel", law: Some("L1.reset-trials"), make: || planted(Defect::ResetSkipsChannel) },
    Subject { name: "latency +1", law: Some("L1.reset-trials"), make: || planted(Defect::LateByOne) },
    Subject {
        name: "drift of twice of what is declared",
        law: Some("L3.drift"),
        make: || blurred(oracle(), Blur::honest(Colour::White, SIGMA, MARGIN).with_drift(0.06, 0.03, 1e4)),
    },
    Subject {
        name: "drift where none is declared",
        law: Some("L3.drift"),
        make: || {
            let blur = Blur::honest(Colour::White, SIGMA, MARGIN).with_drift(0.15, 0.3, 20.0);
            blurred(oracle(), blur.declared_as(Medium { drift: None, ..blur.declared }))
        },
    },
];

/// What the runs of a medium came to.
#[derive(Debug, Clone, Default)]
struct Count {
    runs: u64,
    alarms: u64,
    open: u64,
    caught: u64,
    by: BTreeMap<String, u64>,
}

fn interval(hits: u64, runs: u64) -> [f64; 2] {
    let (k, n) = (hits as f64, runs as f64);
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p));
    [
        if hits == 0 { 0.0 } else { quantile(k, n - k + 1.0, 0.025) },
        if hits == runs { 1.0 } else { quantile(k + 1.0, n - k, 0.975) },
    ]
}

fn attempt(subject: &Subject, seed: u64, count: &Mutex<Count>) -> Result<(), isoform_core::error::Error> {
    let substrate = (subject.make)();
    let options = LAWS.iter().fold(Options::new().with_seed(seed), |options, law| options.with_law(*law));
    let dossier = run(substrate.as_ref(), &options)?;
    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
    let of = |status: Status| dossier.outcomes.iter().filter(move |o| o.status == status);
    count.runs += 1;
    count.alarms += u64::from(of(Status::Fail).chain(of(Status::Error)).next().is_some());
    count.open += u64::from(of(Status::Inconclusive).next().is_some());
    count.caught += u64::from(of(Status::Fail).any(|o| Some(o.law.as_str()) == subject.law));
    for outcome in of(Status::Fail).chain(of(Status::Error)).chain(of(Status::Inconclusive)) {
        *count.by.entry(format!("{} {}", outcome.law, outcome.status)).or_default() += 1;
    }
    Ok(())
}

fn campaign(subjects: &[Subject], runs: u64, seed: u64) -> Result<Vec<Count>, isoform_core::error::Error> {
    let counts: Vec<Mutex<Count>> = subjects.iter().map(|_| Mutex::default()).collect();
    let next = AtomicU64::new(0);
    let total = runs * subjects.len() as u64;
    let work = || -> Result<(), isoform_core::error::Error> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= total {
                return Ok(());
            }
            let which = usize::try_from(at % subjects.len() as u64).unwrap_or_default();
            attempt(&subjects[which], seed.wrapping_mul(1 << 32) + at, &counts[which])?;
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(counts.into_iter().map(|c| c.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}

fn why(count: &Count) -> String {
    count.by.iter().map(|(what, times)| format!("{what} {times}")).collect::<Vec<_>>().join(", ")
}

fn option(words: &[String], name: &str, otherwise: u64) -> u64 {
    words.iter().position(|w| w == name).and_then(|at| words.get(at + 1)).and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

fn main() -> Result<(), isoform_core::error::Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (runs, kills, seed) = (option(&words, "--runs", 10_000), option(&words, "--kills", 200), option(&words, "--seed", 0));
    let start = Instant::now();
    println!("| healthy medium | runs | alarms | inconclusive | which |\n|---|---|---|---|---|");
    let mut all = Count::default();
    for (subject, count) in HEALTHY.iter().zip(campaign(HEALTHY, runs.div_ceil(HEALTHY.len() as u64), seed)?) {
        println!("| {} | {} | {} | {} | {} |", subject.name, count.runs, count.alarms, count.open, why(&count));
        all.runs += count.runs;
        all.alarms += count.alarms;
        all.open += count.open;
    }
    let [low, high] = interval(all.alarms, all.runs);
    println!(
        "\n{} alarms in {} healthy runs: {:.2e}, 95 % interval {low:.2e} to {high:.2e}; inconclusive {:.3}\n",
        all.alarms,
        all.runs,
        all.alarms as f64 / all.runs as f64,
        all.open as f64 / all.runs as f64
    );
    println!("| planted | its law | runs | caught by it | 95 % interval | all that was found |\n|---|---|---|---|---|---|");
    for (subject, count) in PLANTED.iter().zip(campaign(PLANTED, kills, seed + 1)?) {
        let [low, high] = interval(count.caught, count.runs);
        let law = subject.law.unwrap_or_default();
        println!("| {} | {law} | {} | {} | {low:.3} to {high:.3} | {} |", subject.name, count.runs, count.caught, why(&count));
    }
    println!("\n{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
