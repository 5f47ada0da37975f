//! One experiment, several substrates: only the locator changes.
//!
//! cargo run --release --example swap [LOCATOR…]

use isoform::formats::signal::Signal;
use isoform::run::{Task, run};
use isoform::{core::semantics::Semantics, demo};
use std::time::Instant;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let locators = if named.is_empty() { ["oracle:", "cpu:", "cpu:?threads=2"].map(String::from).to_vec() } else { named };
    let task = Task {
        program: demo::program(Semantics::exact(demo::DT))?,
        input: Signal::from(demo::input()?),
        seed: 0,
        probes: Vec::new(),
        from: None,
        keep_state: false,
        counts: false,
    };
    println!("A network names the direction of touches in {} recordings of {} ticks.\n", demo::LANES, demo::TICKS);
    let mut first = None;
    for locator in &locators {
        let substrate = isoform::registry().open_str(locator)?;
        let start = Instant::now();
        let output = run(substrate.as_ref(), &task, None)?.output;
        let (right, all) = demo::score(&output);
        let first = first.get_or_insert_with(|| output.clone());
        let differ = first.data.iter().zip(&output.data).filter(|(a, b)| a != b).count();
        println!(
            "{locator:<16} {right} of {all} sweeps named rightly, {differ} of {} samples differ from {}, {:.1} ms",
            output.data.len(),
            locators[0],
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    println!("\nThe experiment is the same value each time; the substrate is one string.");
    Ok(())
}
