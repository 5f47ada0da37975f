//! What a run costs.

use isoform_core::error::Result;
use isoform_core::program::Program;
use isoform_core::session::Session;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_formats::signal::Dense;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How long each measurement goes on at least, if the input is shorter.
const LONG_ENOUGH: Duration = Duration::from_millis(200);
/// More single ticks than the quantiles need.
const MOST_TICKS: usize = 20_000;

/// What a run costs, on the clock of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cost {
    /// Seconds until the program was ready.
    pub setup: f64,
    /// The median of the seconds that one tick takes when it is asked for alone.
    pub latency_p50: f64,
    /// The 99th percentile of the same.
    pub latency_p99: f64,
    /// Ticks that were asked for alone.
    pub single_ticks: usize,
    /// Ticks of one lane in a second when the whole input is handed over at once.
    pub throughput: f64,
}

/// Runs the input from the initial state and gives its output, and what running costs.
pub(super) async fn measured(substrate: &dyn Substrate, program: &Program, run: &Run, input: &Dense) -> Result<(Vec<f32>, Cost)> {
    let start = Instant::now();
    let mut session = Session::open(substrate, program, run).await?;
    let setup = start.elapsed().as_secs_f64();

    let mut seen = vec![0.0; run.output(program, input.ticks).len()];
    let mut again = vec![0.0; seen.len()];
    let (mut best, mut first) = (f64::INFINITY, true);
    let start = Instant::now();
    // the first run gives the output, the best of several the speed
    while first || start.elapsed() < LONG_ENOUGH {
        let y = if first { &mut seen } else { &mut again };
        let before = Instant::now();
        session.advance(Signal::Dense(&input.data), SignalMut::Dense(y), input.ticks).await?;
        best = best.min(before.elapsed().as_secs_f64());
        first = false;
    }

    let (row, width) = (run.input(program, 1).len().max(1), run.output(program, 1).len());
    let mut times = Vec::new();
    let start = Instant::now();
    for x in input.data.chunks_exact(row).cycle().take(MOST_TICKS) {
        let before = Instant::now();
        session.advance(Signal::Dense(x), SignalMut::Dense(&mut again[..width]), 1).await?;
        times.push(before.elapsed().as_secs_f64());
        if start.elapsed() > LONG_ENOUGH {
            break;
        }
    }
    times.sort_by(f64::total_cmp);
    let quantile = |per_cent: usize| times.get((times.len() * per_cent / 100).min(times.len().saturating_sub(1))).copied();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let throughput = (input.ticks * input.batch) as f64 / best.max(1e-12);
    let cost = Cost {
        setup,
        latency_p50: quantile(50).unwrap_or(0.0),
        latency_p99: quantile(99).unwrap_or(0.0),
        single_ticks: times.len(),
        throughput,
    };
    Ok((seen, cost))
}
