//! The rows of the performance table that concern these media; each prints lines of JSON.
//!
//! ```text
//! cargo bench -p isoform-physics --bench rows -- [C4|C6] [1] [REPEATS]
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::draw::Key;
use isoform_core::error::Result;
use isoform_core::linear::Dense;
use isoform_core::optical::{Detection, Encoding, Optical};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_core::tensor::Tensor;
use isoform_physics::photonics::matrix::Matrix;
use isoform_physics::{crossbar, photonics};
use std::time::Instant;

const LINES: usize = 1024;
const MODES: usize = 64;

fn measure(row: &str, repeats: usize, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 0..3 {
        run()?;
    }
    let mut times = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    times.sort_by(f64::total_cmp);
    let (median, min) = (times[times.len() / 2], times[0]);
    println!("{{\"row\":\"{row}\",\"threads\":1,\"median_ms\":{median:.5},\"mean_ms\":{mean:.5},\"min_ms\":{min:.5}}}");
    Ok(())
}

fn ticks(row: &str, substrate: &dyn Substrate, program: &Program, batch: usize, repeats: usize) -> Result<()> {
    let mut session = Blocking::open(substrate, program, &Run::new().with_batch(batch))?;
    let mut x = vec![0.0; batch * program.input_channels()];
    Key::new(2, 0).fill_uniform(0, 0, 0, &mut x);
    x.iter_mut().for_each(|x| *x = 2.0 * *x - 1.0);
    let mut y = vec![0.0; batch * program.output_channels()];
    measure(row, repeats, || session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1).map(drop))
}

/// A crossbar of 1024 by 1024 pairs with eight-bit converters: resistive cells, whose noise is that of the peers' rows and a read noise of
/// the cells, and phase-change cells, with drift and 1/f noise for each cell.
fn c4(repeats: usize) -> Result<()> {
    let mut drawn = vec![0.0; LINES * LINES];
    Key::new(1, 0).fill_normal(0, 0, 0, &mut drawn);
    let weight = Tensor::new([LINES, LINES], drawn.iter().map(|&w| 0.02 * f64::from(w)).collect::<Vec<_>>())?;
    let program = Program::single("map", Dense::new(weight, None)?, [LINES], Semantics::exact(1e-3))?;
    for (name, device) in [("C4", "reram"), ("C4 1/f", "pcm")] {
        let locator =
            format!("twin:crossbar?device={device}&margin=100&noise=100&drift=100").parse::<isoform_core::locator::Locator>()?;
        let chip = crossbar::open(&mut locator.reader())?;
        for (batch, share) in [(1, 100), (32, 10), (256, 2)] {
            ticks(&format!("{name} batch {batch}"), &*chip, &program, batch, repeats * share)?;
        }
    }
    Ok(())
}

/// A unitary matrix of 64 modes on a mesh, complex fields in and out: with detectors so slow that they have no noise, and with the noise of
/// homodyne detectors.
fn c6(repeats: usize) -> Result<()> {
    let matrix = Matrix::haar(MODES, 1);
    let pairs: Vec<f64> = matrix.entries().iter().flat_map(|e| [e.re, e.im]).collect();
    let map = Optical::new(Tensor::new([MODES, MODES, 2], pairs)?, Encoding::Complex, Detection::Homodyne)?;
    let input = map.input().clone();
    let program = Program::single("map", map, input, Semantics::exact(1e-9))?;
    for (name, options) in [("C6", "&bandwidth=0"), ("C6 noisy", "")] {
        let locator = format!("twin:mesh?modes=64{options}").parse::<isoform_core::locator::Locator>()?;
        let twin = photonics::open(&mut locator.reader())?;
        for (batch, share) in [(1, 100), (64, 20), (1024, 5)] {
            ticks(&format!("{name} batch {batch}"), &*twin, &program, batch, repeats * share)?;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let repeats = arguments.get(2).and_then(|r| r.parse().ok()).unwrap_or(9);
    match arguments.first().map(String::as_str) {
        Some("C4") => c4(repeats),
        Some("C6") => c6(repeats),
        _ => c4(repeats).and_then(|()| c6(repeats)),
    }
}
