//! A state that is saved on one substrate goes on on another.
//!
//! cargo run --release --example migrate [FROM] [TO]

use isoform::core::semantics::Semantics;
use isoform::core::state::State;
use isoform::formats::signal::{Dense, Signal};
use isoform::run::{Recording, Task, run};
use isoform::{demo, state_file};

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut named = std::env::args().skip(1);
    let from = named.next().unwrap_or_else(|| String::from("cpu:"));
    let to = named.next().unwrap_or_else(|| String::from("cpu:?threads=2"));
    let (program, input) = (demo::program(Semantics::exact(demo::DT))?, demo::input()?);
    let half = demo::TICKS / 2;
    let part =
        |locator: &str, ticks: std::ops::Range<usize>, from: Option<State>| -> Result<Recording, Box<dyn std::error::Error>> {
            let row = input.batch * input.channels;
            let data = input.data[ticks.start * row..ticks.end * row].to_vec();
            let task = Task {
                program: program.clone(),
                input: Signal::from(Dense::new(ticks.len(), input.batch, input.channels, data)?),
                seed: 0,
                probes: Vec::new(),
                from,
                keep_state: true,
                counts: false,
            };
            Ok(run(isoform::registry().open_str(locator)?.as_ref(), &task, None)?)
        };

    let stay = part(&from, 0..demo::TICKS, None)?;
    let before = part(&from, 0..half, None)?;
    let file = std::env::temp_dir().join(format!("isoform-migrate-{}.npz", std::process::id()));
    let state = before.state.ok_or("the state is kept")?;
    state_file::write(&file, &state)?;
    println!("{from:<16} ran ticks 0 to {half}; its state of {} numbers is in {}", numbers(&state), file.display());

    let loaded = state_file::read(&file, &program, input.batch)?;
    let after = part(&to, half..demo::TICKS, Some(loaded))?;
    println!("{to:<16} went on from the file to tick {}", demo::TICKS);
    std::fs::remove_file(&file)?;

    let joined = [before.output.data, after.output.data].concat();
    let samples = joined.iter().zip(&stay.output.data).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    let (here, there) = (stay.state.ok_or("the state is kept")?, after.state.ok_or("the state is kept")?);
    let bits = |s: &State| s.blocks.iter().flat_map(|b| b.values.iter().map(|v| v.to_bits())).collect::<Vec<_>>();
    let states = bits(&here).iter().zip(bits(&there)).filter(|(a, b)| **a != *b).count();
    println!("\nHeld against one run on {from} without a break");
    println!("  {samples} of {} output samples differ in any bit", joined.len());
    println!("  {states} of {} numbers of the state at the end differ in any bit", numbers(&here));
    if from.starts_with("cpu:") && to.starts_with("cpu:") && samples + states > 0 {
        return Err("two processors that promise equal bits gave others".into());
    }
    Ok(())
}

fn numbers(state: &State) -> usize {
    state.blocks.iter().map(|b| b.values.len()).sum()
}
