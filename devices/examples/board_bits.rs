//! Leaky integrate-and-fire neurons on a board, beside the evaluation of their definition in its fixed-point numbers.
//!
//! ```text
//! cargo run -p isoform-devices --example board_bits                                    # on the twin
//! cargo run -p isoform-devices --example board_bits 'serial:/dev/pts/4?device=board&baud=1000000'
//! ```
//!
//! Every output of 10,000 ticks and every state between two blocks has to be the same to the last bit. The exit code is 1 if any is not.
#![expect(clippy::print_stdout, reason = "an example says what it shows")]

use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::fixed_point::{FixedStep, Flags, Format};
use isoform_core::functions::lif;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::semantics::Preset;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use std::process::ExitCode;

const TICKS: usize = 10_000;
const BLOCK: usize = 50;
const TAU: [f64; 3] = [2e-3, 7e-3, 20e-3];
const THRESHOLD: [f64; 3] = [0.4, 0.9, 1.0];
const LEAK: f64 = 0.1;

fn main() -> Result<ExitCode> {
    let locator = std::env::args().nth(1).unwrap_or_else(|| String::from("twin:board"));
    let mut registry = Registry::new();
    isoform_devices::register(&mut registry);
    let board = registry.open_str(&locator)?;
    let accuracy = board.profile().accuracy.clone();
    let format = (1..31)
        .filter_map(|fraction| Format::new(fraction).ok())
        .find(|&format| Accuracy::fixed(format) == accuracy)
        .ok_or_else(|| Error::unsupported(format!("{locator} does not compute in fixed point")))?;
    let mut differences = 0;
    for preset in [Preset::Exact, Preset::Norse, Preset::Spyx] {
        let (spikes, different) = compare(board.as_ref(), format, preset)?;
        println!("{preset:<6} {format}: 3 neurons, {TICKS} ticks, {spikes} spikes, {different} differences");
        differences += different;
    }
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn program(preset: Preset) -> Result<Program> {
    let mut net = Program::builder();
    let x = net.input("x", [3]);
    let n = net.node("n", lif().with("tau", TAU).with("v_threshold", THRESHOLD).with("v_leak", LEAK), x);
    net.output("y", n);
    net.build(preset.semantics(1e-3))
}

/// How many spikes there were, and how many outputs and states are not the same.
fn compare(board: &dyn Substrate, format: Format, preset: Preset) -> Result<(usize, usize)> {
    let semantics = preset.semantics(1e-3);
    let function = lif().function().clone();
    let step = FixedStep::new(function.as_ref(), format)?;
    let flags = Flags::from(&semantics);
    let mut constants = Vec::new();
    for (tau, threshold) in TAU.into_iter().zip(THRESHOLD) {
        let p = [tau, 1.0, LEAK, threshold, 0.0];
        let coefficients = step.encode_coefficients(&function.coefficients(&semantics, &p))?;
        constants.push((coefficients, step.encode_parameters(flags, &p)?));
    }
    let mut session = Blocking::open(board, &program(preset)?, &Run::new())?;
    let (mut states, mut work, mut spikes, mut different) = ([[0]; 3], step.work(), 0, 0);
    for first in (0..TICKS).step_by(BLOCK) {
        let x: Vec<f32> =
            (3 * first..3 * (first + BLOCK)).map(|i| 0.7 + 0.9 * ((i / 3 * (i % 3 + 3)) as f32 * 0.013).sin()).collect();
        let mut y = vec![0.0; x.len()];
        session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), BLOCK)?;
        for (i, (&x, &y)) in x.iter().zip(&y).enumerate() {
            let ((coefficients, p), mut due) = (&constants[i % 3], [0]);
            let (input, _) = format.encode_cut(f64::from(x));
            step.tick(flags, [&[input], coefficients, p], &mut states[i % 3], &mut due, &mut work);
            different += usize::from(f64::from(y) != format.decode(due[0]));
            spikes += usize::from(y != 0.0);
        }
        let kept: Vec<f64> = session.save()?.blocks.into_iter().flat_map(|b| b.values).collect();
        let due: Vec<f64> = states.as_flattened().iter().map(|&s| format.decode(s)).collect();
        different += usize::from(kept != due);
    }
    Ok((spikes, different))
}
