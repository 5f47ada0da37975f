//! A crossbar of 1024 by 1024 phase-change pairs: drift, 1/f noise, noise of bit lines and eight-bit converters, one tick at a time.
//!
//! ```text
//! cargo bench -p isoform-physics --bench crossbar
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::draw::Key;
use isoform_core::linear::Dense;
use isoform_core::locator::Locator;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_physics::crossbar;
use std::time::Instant;

const LINES: usize = 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut drawn = vec![0.0; LINES * LINES];
    Key::new(1, 0).fill_normal(0, 0, 0, &mut drawn);
    let weight = Tensor::new([LINES, LINES], drawn.iter().map(|&w| 0.02 * f64::from(w)).collect::<Vec<_>>())?;
    let mut builder = Program::builder();
    let x = builder.input("x", [LINES]);
    let y = builder.node("map", Dense::new(weight, None)?, x);
    builder.output("y", y);
    let program = builder.build(Semantics::exact(1e-3))?;
    let locator: Locator = "twin:crossbar?margin=100&noise=100&drift=100".parse()?;
    for (batch, ticks, rounds) in [(1, 2000, 5), (32, 200, 5), (256, 40, 5)] {
        let start = Instant::now();
        let chip = crossbar::open(&mut locator.reader())?;
        let mut session = Blocking::open(&*chip, &program, &Run::new().with_batch(batch))?;
        let written = start.elapsed().as_secs_f64();
        let mut x = vec![0.0; batch * LINES];
        Key::new(2, 0).fill_uniform(0, 0, 0, &mut x);
        let mut y = vec![0.0; batch * LINES];
        let mut times = Vec::new();
        for _ in 0..rounds * ticks {
            let start = Instant::now();
            session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        times.sort_by(f64::total_cmp);
        println!(
            "batch {batch:>3}: {:.4} ms a tick at best, {:.4} in the median, {mean:.4} in the mean with its refreshes; written in {written:.2} s",
            times[0],
            times[times.len() / 2]
        );
    }
    Ok(())
}
