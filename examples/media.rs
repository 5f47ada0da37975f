//! Media whose programs no model file holds: memristors, neuristors and a culture, run from Rust.
//!
//! cargo run --release --example media

use isoform::prelude::*;

/// Each with what goes into all inputs, and for how many ticks: volts, volts, microamperes.
const MEDIA: [(&str, f32, usize); 3] =
    [("twin:memristor", 0.5, 2000), ("twin:neuristor", 12.0, 12_000), ("twin:culture", 0.0, 1000)];

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<()> {
    for (locator, value, ticks) in MEDIA {
        let substrate = registry().open_str(locator)?;
        // a program that the medium shows of itself; one of your own is built of the same kinds of nodes
        for program in substrate.exemplars() {
            let mut session = Blocking::open(substrate.as_ref(), &program, &Run::new())?;
            let channels = program.output_channels();
            let mut y = vec![0.0; ticks * channels];
            session.advance(Signal::Held(&vec![value; program.input_channels()]), SignalMut::Dense(&mut y), ticks)?;
            let kinds: Vec<&str> = program.nodes().iter().map(|node| node.kind_name()).collect();
            let mean = y[y.len() / 2..].iter().sum::<f32>() / (y.len() - y.len() / 2) as f32;
            println!("{locator}, {}: {channels} outputs, {mean:.4} in the mean of the second half", kinds.join(" and "));
        }
    }
    Ok(())
}
