//! Writes a 16 by 16 matrix into a memristor array by pulses in a closed loop, and looks again after a second, an hour and a day.
//!
//! The array is the twin of an ArC ONE, on a virtual clock, so that the day takes no longer than its computation:
//!
//! ```text
//! cargo run -p isoform-devices --example program_and_verify
//! ```
#![expect(clippy::print_stdout, reason = "an example says what it shows")]

use isoform_core::error::Result;
use isoform_core::substrate::Cancel;
use isoform_devices::arc_one::cell::{relaxation_deviation, relaxation_mean};
use isoform_devices::arc_one::dialogue::{Board, Cell, Reading};
use isoform_devices::arc_one::twin::ArcOneTwin;
use isoform_devices::arc_one::verify::{Target, Writer};
use isoform_serial::link::Link;
use isoform_serial::transport::Memory;
use std::time::Duration;

fn main() -> Result<()> {
    let mut link = Link::new(Box::new(Memory::new("the twin of arc-one", Box::new(ArcOneTwin::new(3)))));
    let mut board = Board::new(Reading::default());
    board.begin(&mut link)?;
    let writer = Writer::default();
    let [low, high] = writer.range;
    // evenly spread over the range: the fractional parts of multiples of the golden ratio
    let targets: Vec<Target> = (0..256_u32)
        .map(|i| Target {
            cell: Cell { word: i as usize / 16, bit: i as usize % 16 },
            siemens: low + (high - low) * (f64::from(i + 1) * 0.618_033_988_749_895).fract(),
        })
        .collect();
    let written = writer.write(&mut board, &mut link, &targets, writer.tolerance, &Cancel::default())?;
    let done = link.now();
    let worst = targets.iter().zip(&written.cells).map(|(t, c)| (t.siemens - c.siemens).abs()).fold(0.0, f64::max);
    println!(
        "256 cells of 10 to 90 µS: {} pulses, {} sweeps, {:.1} s of the board",
        written.pulses,
        written.sweeps,
        done.as_secs_f64()
    );
    println!("the furthest at its verify: {:.2} % of the range", 100.0 * worst / (high - low));
    println!("{:>8}  {:>26}  {:>26}", "later", "mean of the change / µS", "deviation / µS");
    println!("{:>8}  {:>12} {:>13}  {:>12} {:>13}", "", "found", "declared", "found", "declared");
    for (name, later) in [("1 s", 1.0), ("1 h", 3600.0), ("1 d", 86_400.0)] {
        link.sleep((done + Duration::from_secs_f64(later)).saturating_sub(link.now()));
        let now = link.now();
        let found = board.sweep(&mut link, 16, 16)?;
        let changes: Vec<f64> = found.iter().zip(&written.cells).map(|(g, c)| 1e6 * (g - c.siemens)).collect();
        let mean = changes.iter().sum::<f64>() / 256.0;
        let deviation = (changes.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 255.0).sqrt();
        // each cell has an age of its own, for they were written one after the other
        let ages = written.cells.iter().map(|c| (now - c.at).as_secs_f64());
        let (means, variances): (Vec<f64>, Vec<f64>) =
            ages.map(|a| (1e6 * relaxation_mean(a), (1e6 * relaxation_deviation(a)).powi(2))).unzip();
        let (expected, spread) = (means.iter().sum::<f64>() / 256.0, (variances.iter().sum::<f64>() / 256.0).sqrt());
        println!("{name:>8}  {mean:>12.3} {expected:>13.3}  {deviation:>12.3} {spread:>13.3}");
    }
    println!("(the changes found include the noise of the reads, 0.2 % of each conductance)");
    Ok(())
}
