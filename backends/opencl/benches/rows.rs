//! The rows of the performance table that concern this substrate; each prints one line of JSON.
//!
//! ```text
//! cargo bench -p isoform-opencl --bench rows -- [ROW] [REPEATS]
//! ```
//! Rows: `P3` launches beside the bare call, `LIF` neurons in a second, `memory` beside the sum of the buffers. One core:
//! `POCL_MAX_PTHREAD_COUNT=1 taskset -c 0 cargo bench …`.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::builder::Builder;
use isoform_core::error::Result;
use isoform_core::functions::lif;
use isoform_core::program::Program;
use isoform_core::semantics::Preset;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_opencl::bare::Bare;
use isoform_opencl::{OpenClSubstrate, Options, Style};
use std::time::Instant;

fn layer(neurons: usize) -> Result<Program> {
    let mut net = Builder::new();
    let x = net.input("x", [neurons]);
    let z = net.node("lif", lif().with("tau", 2e-3), x);
    net.output("z", z);
    net.build(Preset::Norse.semantics(1e-4))
}

/// The median of some runs, in microseconds.
fn median(repeats: usize, mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..repeats.div_ceil(5).max(3) {
        run()?;
    }
    let mut times = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn launch(repeats: usize) -> Result<()> {
    let options = Options::new();
    let mut bare = Bare::new(&options, 1)?;
    for style in [Style::Grid, Style::Task] {
        let substrate = OpenClSubstrate::new(options.clone().with_style(style))?;
        let mut session = Blocking::open(&substrate, &layer(1)?, &Run::new())?;
        let mut y = [0.0];
        let one = median(repeats * 20, || session.advance(Signal::Dense(&[1.5]), SignalMut::Dense(&mut y), 1).map(drop))?;
        let launch = median(repeats * 20, || bare.round_trip())?;
        let there = median(repeats * 20, || bare.there_and_back())?;
        println!(
            "{{\"row\":\"P3\",\"style\":\"{style:?}\",\"tick_us\":{one:.2},\"launch_and_read_us\":{launch:.2},\"write_launch_read_us\":{there:.2},\
             \"ratio\":{:.2},\"ratio_with_write\":{:.2}}}",
            one / launch,
            one / there
        );
    }
    Ok(())
}

fn rate(repeats: usize) -> Result<()> {
    const TICKS: usize = 100;
    for neurons in [1 << 16, 1 << 20] {
        let substrate = OpenClSubstrate::new(Options::new())?;
        let mut session = Blocking::open(&substrate, &layer(neurons)?, &Run::new())?;
        let (x, mut counts) = (vec![1.5; neurons], vec![0; neurons]);
        let time = median(repeats, || session.advance(Signal::Held(&x), SignalMut::Counts(&mut counts), TICKS).map(drop))?;
        let rate = (neurons * TICKS) as f64 / time * 1e-3;
        println!(
            "{{\"row\":\"LIF\",\"neurons\":{neurons},\"ticks\":{TICKS},\"median_ms\":{:.3},\"gupd_per_s\":{rate:.2}}}",
            time * 1e-3
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let row = words.first().map_or("", String::as_str);
    let repeats = words.get(1).and_then(|n| n.parse().ok()).unwrap_or(9);
    if row.is_empty() || row == "P3" {
        launch(repeats)?;
    }
    if row.is_empty() || row == "LIF" {
        rate(repeats)?;
    }
    Ok(())
}
