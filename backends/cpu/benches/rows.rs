//! The rows of the performance table that concern this substrate; each prints one line of JSON.
//!
//! ```text
//! cargo bench -p isoform-cpu --bench rows -- [ROW] [THREADS] [REPEATS]
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::builder::Builder;
use isoform_core::draw::{normal, philox};
use isoform_core::functions::{cuba_lif, lif};
use isoform_core::linear::Dense;
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_cpu::{CpuSubstrate, Options};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Outcome<T = ()> = isoform_core::error::Result<T>;
/// A row, given threads and repeats.
type Bench<'a> = &'a dyn Fn(usize, usize) -> Outcome;

/// Random bits by their place.
fn bits(stream: u32, index: usize) -> u32 {
    philox([index as u32, (index >> 32) as u32, stream, 0], [7, 0])[0]
}

fn uniform(stream: u32, index: usize) -> f32 {
    (bits(stream, index) >> 8) as f32 / 16_777_216.0
}

/// Noughts and ones, of which a tenth are ones.
fn spikes(count: usize) -> Vec<f32> {
    (0..count).map(|i| f32::from(u8::from(uniform(1, i) < 0.1))).collect()
}

fn matrix(rows: usize, cols: usize, stream: u32, deviation: f32) -> Outcome<Tensor> {
    Tensor::single([rows, cols], (0..rows * cols).map(|i| deviation * normal(bits(stream, i))).collect::<Vec<_>>())
}

struct Row<'a> {
    name: &'a str,
    threads: usize,
    repeats: usize,
    /// How many units one run makes.
    units: f64,
    unit: &'a str,
}

impl Row<'_> {
    fn measure(&self, mut run: impl FnMut() -> Outcome) -> Outcome {
        for _ in 0..3 {
            run()?;
        }
        let mut times = Vec::with_capacity(self.repeats);
        for _ in 0..self.repeats {
            let start = Instant::now();
            run()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let (median, min) = (times[times.len() / 2], times[0]);
        println!(
            "{{\"row\":\"{}\",\"threads\":{},\"median_ms\":{median:.5},\"min_ms\":{min:.5},\"rate\":{:.4e},\"unit\":\"{}/s\"}}",
            self.name,
            self.threads,
            self.units / (median * 1e-3),
            self.unit
        );
        Ok(())
    }
}

fn open(program: &Program, batch: usize, threads: usize) -> Outcome<Blocking> {
    let cpu = CpuSubstrate::new(Options::new().with_threads(threads))?;
    Blocking::open(&cpu, program, &Run::new().with_batch(batch))
}

/// A layer of 512 behind a dense map of 512: 1000 ticks, 32 lanes.
fn c1(threads: usize, repeats: usize) -> Outcome {
    let (ticks, batch, width) = (1000, 32, 512);
    let mut net = Builder::new();
    let x = net.input("x", [width]);
    let drive = net.node("weights", Dense::new(matrix(width, width, 2, 0.1)?, None)?, x);
    let z = net.node("neurons", lif().with("tau", -1.0 / 0.95_f64.ln()).with("r", 20.0), drive);
    net.output("spikes", z);
    let program = net.build(Semantics::exact(1.0))?;
    let mut session = open(&program, batch, threads)?;
    let x = spikes(ticks * batch * width);
    let mut y = vec![0.0; x.len()];
    let row = Row { name: "C1", threads, repeats, units: (ticks * batch * width) as f64, unit: "update" };
    row.measure(|| session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), ticks).map(drop))?;
    let mut counts = vec![0; batch * width];
    let row = Row { name: "C1 counts", ..row };
    row.measure(|| session.advance(Signal::Dense(&x), SignalMut::Counts(&mut counts), ticks).map(drop))?;
    let rate = y.iter().sum::<f32>() / y.len() as f32;
    println!("{{\"row\":\"C1\",\"spikes_per_neuron_and_tick\":{rate:.4}}}");
    Ok(())
}

/// The network that reads Braille: 12 inputs, 38 recurrent neurons, 7 outputs; 256 ticks.
fn c2(batch: usize, threads: usize, repeats: usize) -> Outcome {
    let bias =
        |width: usize, stream| Tensor::single([width], (0..width).map(|i| 0.1 * normal(bits(stream, i))).collect::<Vec<_>>());
    let neuron = || cuba_lif().with("tau_syn", 2e-4).with("tau_mem", 4e-4).with("r", 2.0).with("w_in", 2.0);
    let mut net = Builder::new();
    let x = net.input("x", [12]);
    let first = net.node("fc1", Dense::new(matrix(38, 12, 3, 0.4)?, Some(bias(38, 4)?))?, x);
    let echo = net.later("lif1");
    let back = net.node("rec", Dense::new(matrix(38, 38, 5, 0.1)?, Some(bias(38, 6)?))?, echo);
    let hidden = net.node("lif1", neuron(), first + back);
    let second = net.node("fc2", Dense::new(matrix(7, 38, 7, 0.3)?, Some(bias(7, 8)?))?, hidden);
    let z = net.node("lif2", neuron(), second);
    net.output("spikes", z);
    let program = net.build(Preset::Snntorch.semantics(1e-4))?;
    let ticks = 256;
    let mut session = open(&program, batch, threads)?;
    let x = spikes(ticks * batch * 12);
    let mut counts = vec![0; batch * 7];
    let name = format!("C2 batch {batch}");
    let row = Row { name: &name, threads, repeats: repeats * 20, units: (ticks * batch * 45) as f64, unit: "update" };
    row.measure(|| session.advance(Signal::Dense(&x), SignalMut::Counts(&mut counts), ticks).map(drop))?;
    let probed = program.with_probes(&["lif1"])?;
    let y = open(&probed, batch, threads)?.run(&x)?;
    let rate: f32 = y.chunks_exact(45).flat_map(|row| &row[7..]).sum::<f32>() / (ticks * batch * 38) as f32;
    println!("{{\"row\":\"{name}\",\"hidden_spikes_per_neuron_and_tick\":{rate:.4}}}");
    Ok(())
}

/// A million neurons under a held input for 100 ticks.
fn c3(threads: usize, repeats: usize) -> Outcome {
    let (ticks, width) = (100, 1_000_000);
    let mut net = Builder::new();
    let x = net.input("x", [width]);
    let z = net.node("neurons", lif().with("tau", -1.0 / 0.95_f64.ln()), x);
    net.output("spikes", z);
    let program = net.build(Semantics::exact(1.0))?;
    let mut session = open(&program, 1, threads)?;
    let x: Vec<f32> = (0..width).map(|i| 3.0 * uniform(9, i)).collect();
    let mut counts = vec![0; width];
    let row = Row { name: "C3", threads, repeats, units: (ticks * width) as f64, unit: "update" };
    row.measure(|| session.advance(Signal::Held(&x), SignalMut::Counts(&mut counts), ticks).map(drop))
}

/// The cost of the abstraction: chunks of one tick of one neuron.
fn p1(threads: usize, repeats: usize) -> Outcome {
    let chunks = 10_000;
    let mut net = Builder::new();
    let x = net.input("x", [1]);
    let z = net.node("neuron", lif().with("tau", 20e-3), x);
    net.output("spikes", z);
    let program = net.build(Semantics::exact(1e-3))?;
    let mut session = open(&program, 1, threads)?;
    let mut y = [0.0];
    let mut run = || -> Outcome {
        for _ in 0..chunks {
            session.advance(Signal::Dense(&[2.0]), SignalMut::Dense(&mut y), 1)?;
        }
        Ok(())
    };
    let row = Row { name: "P1", threads, repeats: repeats * 10, units: f64::from(chunks), unit: "chunk" };
    row.measure(&mut run)?;
    let region = Region::new(ALLOCATOR);
    run()?;
    let allocations = region.change().allocations;
    println!("{{\"row\":\"P1\",\"allocations_per_chunk\":{}}}", allocations as f64 / f64::from(chunks));
    Ok(())
}

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = |k: usize, otherwise: usize| words.get(k).and_then(|w| w.parse().ok()).unwrap_or(otherwise);
    let (threads, repeats) = (number(1, 1), number(2, 15));
    let all: [(&str, Bench<'_>); 5] =
        [("C1", &c1), ("C2-1", &|t, r| c2(1, t, r)), ("C2-64", &|t, r| c2(64, t, r)), ("C3", &c3), ("P1", &p1)];
    let wanted = words.first().map_or("all", String::as_str);
    all.iter().filter(|(name, _)| wanted == "all" || name.starts_with(wanted)).try_for_each(|(_, run)| run(threads, repeats))
}
