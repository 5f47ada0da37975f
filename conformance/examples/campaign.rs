//! How often the statistical laws alarm on healthy media, and how often they catch planted defects.
//!
//! ```text
//! cargo run --release -p isoform-conformance --example campaign -- [--runs 10000] [--kills 100] [--seed 0] [--law ID] [--of WORDS]
//! ```
//! A run is the statistical laws, or one of them, on one virtual medium, with draws of its own. Healthy media are white, correlated, 1/f,
//! heavy-tailed, or drift within what they declare; the planted ones are what each line says. Rates come with their exact 95 % intervals
//! (Clopper and Pearson 1934).
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example reports on standard output")]

use clap::Parser;
use clap::builder::PossibleValuesParser;
use isoform_conformance::defects::{HEALTHY, PLANTED, SLOW, Subject};
use isoform_conformance::record::Status;
use isoform_conformance::{Options, laws, run};
use isoform_core::oracle::OracleSubstrate;
use statrs::distribution::{Beta, ContinuousCDF};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Runs the statistical laws on virtual media, healthy and planted.
#[derive(Debug, Parser)]
struct Campaign {
    /// How many healthy media.
    #[arg(long, default_value_t = 10_000)]
    runs: u64,
    /// How many media with each planted defect.
    #[arg(long, default_value_t = 100)]
    kills: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only this law.
    #[arg(long, value_parser = PossibleValuesParser::new(tried()))]
    law: Option<String>,
    /// Only media with these words in their names, such as 1/f.
    #[arg(long, default_value = "")]
    of: String,
}

/// The laws whose verdicts are statistics, and those of wear and of time that go with them.
fn tried() -> impl Iterator<Item = &'static str> {
    laws().iter().filter(|law| law.statistical || ["L3.wear", "L3.clock"].contains(&law.id)).map(|law| law.id)
}

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

fn attempt(subject: &Subject, law: Option<&str>, seed: u64, count: &Mutex<Count>) -> Result<(), isoform_core::error::Error> {
    let substrate = subject.make(Arc::new(OracleSubstrate::new()));
    let options = tried().filter(|id| law.is_none_or(|law| law == *id)).fold(Options::new().with_seed(seed), Options::with_law);
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

fn try_all(subjects: &[&Subject], law: Option<&str>, runs: u64, seed: u64) -> Result<Vec<Count>, isoform_core::error::Error> {
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
            attempt(subjects[which], law, seed.wrapping_mul(1 << 32) + at, &counts[which])?;
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

fn main() -> Result<(), isoform_core::error::Error> {
    let Campaign { runs, kills, seed, law, of } = Campaign::parse();
    let law = law.as_deref();
    let start = Instant::now();
    println!("| healthy medium | runs | alarms | inconclusive | which |\n|---|---|---|---|---|");
    let mut all = Count::default();
    let named = |list: &'static [Subject]| list.iter().filter(|s| s.name.contains(&of)).collect::<Vec<&Subject>>();
    let (healthy, slow) = (named(HEALTHY), named(SLOW));
    let each = runs.div_ceil(healthy.len().max(1) as u64);
    let mut counts = try_all(&healthy, law, each, seed)?;
    counts.extend(try_all(&slow, law, each.div_ceil(20), seed + 2)?);
    for (subject, count) in healthy.iter().chain(&slow).zip(counts) {
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
    let planted: Vec<&Subject> = named(PLANTED).into_iter().filter(|s| law.is_none() || s.law == law).collect();
    for (subject, count) in planted.iter().zip(try_all(&planted, law, kills, seed + 1)?) {
        let [low, high] = interval(count.caught, count.runs);
        let law = subject.law.unwrap_or_default();
        println!("| {} | {law} | {} | {} | {low:.3} to {high:.3} | {} |", subject.name, count.runs, count.caught, why(&count));
    }
    println!("\n{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
