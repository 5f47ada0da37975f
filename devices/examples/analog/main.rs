//! Four flows on an analog computer, and how far they are from the truth.
//!
//! cargo run -p isoform-devices --example analog [LOCATOR…]
//!
//! Without a locator: twin:lucidac. An emulator of the maker's: `tcp:127.0.0.1:15732?device=lucidac`, after
//! `python -c 'from lucipy.simulator import Emulation; Emulation(bind_port=15732).serve_blocking()'`.
//!
//! Errors are in units of full scale: of the largest nominal value of each state. A chaotic system is judged from each of its rows to the next, freely
//! for two Lyapunov times, and by its moments after that. "at its tolerance" is the reference of SciPy at a relative tolerance of 1e-3, which is what
//! the emulator of lucipy integrates with.

mod reference;
mod systems;

use isoform_core::error::Result;
use isoform_core::program::Program;
use isoform_core::registry::Registry;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_devices::lucidac::compile::{Wish, compile};
use reference::Flow;

/// The largest error of any state in any row, in units of full scale.
fn worst(rows: &[Vec<f64>], truth: &[Vec<f64>], units: &[f64]) -> f64 {
    let pairs = rows.iter().flatten().zip(truth.iter().flatten());
    pairs.zip(units.iter().cycle()).map(|((a, b), unit)| (a - b).abs() / unit).fold(0.0, f64::max)
}

/// Rows of a run under inputs that are held, each for so many ticks.
fn run(substrate: &dyn Substrate, program: &Program, inputs: &[(f32, usize)]) -> Result<Vec<Vec<f64>>> {
    let mut session = Blocking::open(substrate, program, &Run::new())?;
    let mut rows = Vec::new();
    for &(x, ticks) in inputs {
        let held = vec![x; program.input_channels()];
        let width = program.output_channels();
        let mut y = vec![0.0; ticks * width];
        session.advance(Signal::Held(&held), SignalMut::Dense(&mut y), ticks)?;
        rows.extend(y.chunks(width).map(|row| row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>()));
    }
    Ok(rows)
}

/// The truth for the same inputs.
fn truth(flow: &Flow, start: &[f64], inputs: &[(f32, usize)]) -> Vec<Vec<f64>> {
    let mut s = start.to_vec();
    let mut rows = Vec::new();
    for &(x, ticks) in inputs {
        for _ in 0..ticks {
            flow.tick(&[f64::from(x)], &mut s);
            rows.push(s.clone());
        }
    }
    rows
}

/// The largest error of each row against the truth that starts from the row before.
fn forced(flow: &Flow, start: &[f64], rows: &[Vec<f64>]) -> f64 {
    let mut before = start.to_vec();
    let mut next = Vec::with_capacity(rows.len());
    for row in rows {
        let mut s = before;
        flow.tick(&[], &mut s);
        next.push(s);
        before = row.clone();
    }
    worst(rows, &next, &flow.units())
}

/// Mean and standard deviation of each state, in units of full scale.
fn moments(rows: &[Vec<f64>], units: &[f64]) -> Vec<[f64; 2]> {
    let n = rows.len() as f64;
    let of = |k: usize| {
        let mean = rows.iter().map(|r| r[k]).sum::<f64>() / n;
        let variance = rows.iter().map(|r| (r[k] - mean).powi(2)).sum::<f64>() / n;
        [mean / units[k], variance.sqrt() / units[k]]
    };
    (0..units.len()).map(of).collect()
}

/// Seconds of the program in one of the machine.
fn speed(program: &Program) -> Result<f64> {
    Ok(f64::from(compile(program, &Wish::default())?.rate) * program.semantics().dt)
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn show(substrate: &dyn Substrate) -> Result<()> {
    let line = |name: &str, what: &str, error: f64| println!("{name:<13} {what:<52} {error:.2e}");

    let program = systems::leaky()?;
    let inputs = [(3.0, 60), (-1.0, 60), (1.5, 30)];
    let rows = run(substrate, &program, &inputs)?;
    let flow = Flow::of(&program)?;
    line("LI", "three steps of current, 150 ticks", worst(&rows, &truth(&flow, &[0.0], &inputs), &flow.units()));

    let (program, start) = (systems::oscillator()?, [0.9, 0.0]);
    let flow = Flow::of(&program)?;
    let rows = run(substrate, &program, &[(0.0, 100)])?;
    line("oscillator", "one period, 100 ticks", worst(&rows, &truth(&flow, &start, &[(0.0, 100)]), &flow.units()));
    let same = flow.at_tolerance(&[], &start, 100, speed(&program)?);
    line("", "the same, at its tolerance", worst(&rows, &same, &flow.units()));

    let (program, start) = (systems::van_der_pol()?, [1.0, 0.0]);
    let flow = Flow::of(&program)?;
    let rows = run(substrate, &program, &[(0.0, 1000)])?;
    line("van der Pol", "three periods, 1000 ticks", worst(&rows, &truth(&flow, &start, &[(0.0, 1000)]), &flow.units()));
    line("", "from each row to the next", forced(&flow, &start, &rows));
    let same = flow.at_tolerance(&[], &start, 1000, speed(&program)?);
    line("", "freely, at its tolerance", worst(&rows, &same, &flow.units()));

    // the largest Lyapunov exponent is 0.906 (Sprott 2003): two of its times are 221 ticks
    const LYAPUNOV: usize = 221;
    const LONG: usize = 8000;
    let (program, start) = (systems::lorenz()?, [1.0, 1.0, 20.0]);
    let flow = Flow::of(&program)?;
    let rows = run(substrate, &program, &[(0.0, LONG)])?;
    let units = flow.units();
    line("Lorenz", "from each row to the next, 8000 ticks", forced(&flow, &start, &rows));
    let free = truth(&flow, &start, &[(0.0, LONG)]);
    line("", "freely for two Lyapunov times, 221 ticks", worst(&rows[..LYAPUNOV], &free[..LYAPUNOV], &units));
    let same = flow.at_tolerance(&[], &start, LONG, speed(&program)?);
    line("", "freely for two Lyapunov times, at its tolerance", worst(&rows[..LYAPUNOV], &same[..LYAPUNOV], &units));
    line("", "freely for 1000 ticks, at its tolerance", worst(&rows[..1000], &same[..1000], &units));
    let own = forced(&flow, &start, &same);
    line("", "(that reference itself, from each row to the next)", own);
    let (ours, theirs) = (moments(&rows, &units), moments(&free, &units));
    let names = ["x", "y", "z"];
    for (name, (ours, theirs)) in names.iter().zip(ours.iter().zip(&theirs)) {
        let ([mean, deviation], [mean_of_truth, deviation_of_truth]) = (ours, theirs);
        println!(
            "{:<13} {name} over 8000 ticks: mean {mean:.4} ({mean_of_truth:.4}), deviation {deviation:.4} ({deviation_of_truth:.4})",
            ""
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<()> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let locators = if named.is_empty() { vec!["twin:lucidac".to_owned()] } else { named };
    let mut registry = Registry::new();
    isoform_devices::register(&mut registry);
    for locator in &locators {
        let substrate = registry.open_str(locator)?;
        println!("{locator}: {}\n", substrate.profile().device);
        show(substrate.as_ref())?;
        println!();
    }
    Ok(())
}
