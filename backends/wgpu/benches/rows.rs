//! The rows of the performance table that concern this substrate; each prints one line of JSON.
//!
//! ```text
//! cargo bench -p isoform-wgpu --bench rows -- [ROW] [REPEATS]
//! ```
//! Rows: `P4` a submission beside the bare one, `LIF` neurons in a second beside a kernel written by hand.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::builder::Builder;
use isoform_core::error::Result;
use isoform_core::functions::lif;
use isoform_core::program::Program;
use isoform_core::semantics::Preset;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_wgpu::bare::Bare;
use isoform_wgpu::{Options, Rounding, WgpuSubstrate};
use std::time::Instant;

fn layer(neurons: usize) -> Result<Program> {
    let mut net = Builder::new();
    let x = net.input("x", [neurons]);
    let z = net.node("lif", lif().with("tau", 2e-3), x);
    net.output("z", z);
    net.build(Preset::Norse.semantics(1e-4))
}

/// The medians of two runs, in microseconds. Each has the threads of the driver for itself while it is measured.
fn medians(repeats: usize, mut one: impl FnMut() -> Result<()>, mut other: impl FnMut() -> Result<()>) -> Result<[f64; 2]> {
    const TURNS: usize = 4;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        let runs: [&mut dyn FnMut() -> Result<()>; 2] = [&mut one, &mut other];
        for (times, run) in times.iter_mut().zip(runs) {
            for _ in 0..repeats.div_ceil(5) {
                run()?;
            }
            for _ in 0..repeats.div_ceil(TURNS) {
                let start = Instant::now();
                run()?;
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}

fn submission(repeats: usize) -> Result<()> {
    let substrate = WgpuSubstrate::new(Options::new())?;
    let mut session = Blocking::open(&substrate, &layer(1)?, &Run::new())?;
    let (mut bare, mut count, mut y) = (Bare::new(&Options::new(), 1, 1)?, [0; 4], [0.0]);
    let mut tick = || session.advance(Signal::Dense(&[1.5]), SignalMut::Dense(&mut y), 1).map(drop);
    let [one, least] = medians(repeats * 20, &mut tick, || bare.round_trip(&mut count))?;
    let [again, there] = medians(repeats * 20, &mut tick, || bare.there_and_back(&[0; 4], &mut count))?;
    println!(
        "{{\"row\":\"P4\",\"tick_us\":{one:.1},\"submit_and_read_us\":{least:.1},\"write_submit_read_us\":{there:.1},\"ratio\":{:.2},\"ratio_with_write\":{:.2}}}",
        one / least,
        again / there
    );
    Ok(())
}

fn rate(repeats: usize) -> Result<()> {
    const TICKS: usize = 100;
    for (neurons, rounding) in [(1 << 16, Rounding::Each), (1 << 16, Rounding::Device), (1 << 20, Rounding::Device)] {
        let substrate = WgpuSubstrate::new(Options::new().with_rounding(rounding))?;
        let mut session = Blocking::open(&substrate, &layer(neurons)?, &Run::new())?;
        let (x, mut counts) = (vec![1.5; neurons], vec![0; neurons]);
        let (mut bare, mut bytes) = (Bare::new(&Options::new(), neurons, TICKS)?, vec![0; neurons * 4]);
        let [time, least] = medians(
            repeats,
            || session.advance(Signal::Held(&x), SignalMut::Counts(&mut counts), TICKS).map(drop),
            || bare.round_trip(&mut bytes),
        )?;
        let rate = (neurons * TICKS) as f64 / time * 1e-3;
        println!(
            "{{\"row\":\"LIF\",\"rounding\":\"{rounding:?}\",\"neurons\":{neurons},\"ticks\":{TICKS},\"median_ms\":{:.3},\"gupd_per_s\":{rate:.2},\"by_hand_ms\":{:.3},\"ratio\":{:.2}}}",
            time * 1e-3,
            least * 1e-3,
            time / least
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let row = words.first().map_or("", String::as_str);
    let repeats = words.get(1).and_then(|n| n.parse().ok()).unwrap_or(9);
    if row.is_empty() || row == "P4" {
        submission(repeats)?;
    }
    if row.is_empty() || row == "LIF" {
        rate(repeats)?;
    }
    Ok(())
}
