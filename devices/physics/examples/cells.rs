//! Cells beside each other: how many pulses it takes until a read is within a tolerance, what is left of a conductance after a day, and a filament that
//! fluctuates.
//!
//! cargo run --release -p isoform-physics --example cells

use isoform_conformance::statistics::series::moments;
use isoform_core::draw::Key;
use isoform_core::error::Error;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::program::Program;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_physics::crossbar::{Array, Device, Settings};
use isoform_physics::memristor::pcm::Pcm;
use isoform_physics::memristor::reram::{Cmo, Wan};
use isoform_physics::memristor::{noisy_stanford_pku, stanford_pku};

/// Cells of an array of each kind.
const SIDE: usize = 16;
/// Parts of the largest conductance within which a read has to be.
const TOLERANCES: [f64; 3] = [0.05, 0.02, 0.01];
/// Pulses after which a cell is given up.
const MOST: u32 = 200;
const DAY: f64 = 86_400.0;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn arrays() -> Result<(), Error> {
    println!(
        "cells written to half of the largest conductance: pulses until a read is within a part of it, and a read a day later\n"
    );
    println!("{:>12} {:>9} {:>8} {:>8} {:>8} {:>22}", "", "g_max, uS", "5 %", "2 %", "1 %", "after a day, uS");
    let kinds = [
        ("pcm", Device::Pcm(Pcm::default())),
        ("hermes", Device::Pcm(Pcm::hermes_single())),
        ("hermes-pair", Device::Pcm(Pcm::hermes_pair())),
        ("reram", Device::Reram(Wan::default())),
    ];
    for (name, device) in kinds {
        let (most, target) = (device.g_max(), device.g_max() / 2.0);
        let mut cells = Vec::new();
        for tolerance in TOLERANCES {
            let mut array = Array::new(SIDE, SIDE, Settings::new(device), Key::new(7, 0));
            let (mut pulses, mut given_up) = (Vec::new(), 0);
            for cell in 0..SIDE * SIDE {
                match array.program_and_verify(cell / SIDE, cell % SIDE, target, tolerance * most, MOST) {
                    Ok(verified) => pulses.push(f64::from(verified.pulses)),
                    Err(_) => given_up += 1,
                }
            }
            let star = if given_up > 0 { "*" } else { "" };
            cells.push(format!("{:.1}{star}", moments(&pulses).0));
            if tolerance == TOLERANCES[TOLERANCES.len() - 1] {
                array.pass(DAY, 0);
                let reads: Result<Vec<f64>, _> = (0..SIDE * SIDE).map(|cell| array.read(cell / SIDE, cell % SIDE)).collect();
                let (mean, deviation) = moments(&reads.map_err(|e| Error::fault(e.to_string()))?);
                cells.push(format!("{mean:.2} +- {deviation:.2}"));
            }
        }
        println!("{name:>12} {most:>9.2} {:>8} {:>8} {:>8} {:>22}", cells[0], cells[1], cells[2], cells[3]);
    }
    println!("\n* without those that were not reached in {MOST} pulses");
    println!(
        "\ncells of conductive metal oxide, written to 50 uS: deviation of a write, and of a day of relaxation about its mean, in uS\n"
    );
    for (name, cells) in [("to 2 %", Cmo::Coarse), ("to 0.2 %", Cmo::Fine)] {
        let [write, mean, spread] =
            [cells.programming_deviation(50.0), cells.relaxation_mean(DAY), cells.relaxation_deviation(DAY)];
        println!("{name:>12} {write:>9.3} {mean:>9.3} {spread:>8.3}");
    }
    Ok(())
}

/// Currents of filaments that are held at a voltage, which differ by their noise alone.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn filaments() -> Result<(), Error> {
    let semantics = Semantics::exact(1e-11).with_decay(Decay::RungeKutta);
    println!("\nfilaments of Stanford and Peking University at 1.4 V, gap of 1.2 nm at first: current in uA\n");
    println!("{:>12} {:>14} {:>22}", "", "quiet", "with noise, 64 of them");
    let quiet = Program::single("quiet", stanford_pku().with("g_start", 1.2e-9), [64], semantics)?;
    let noisy = Program::single("noisy", noisy_stanford_pku().with("g_start", 1.2e-9), [64], semantics)?;
    let (oracle, x) = (OracleSubstrate::new(), [1.4_f32; 64]);
    let [mut quiet, mut noisy] = [Blocking::open(&oracle, &quiet, &Run::new())?, Blocking::open(&oracle, &noisy, &Run::new())?];
    for nanoseconds in [2, 4, 6, 8, 10] {
        let last = |session: &mut Blocking| {
            let mut y = vec![0.0; 64 * 200];
            session.advance(Signal::Held(&x), SignalMut::Dense(&mut y), 200)?;
            Ok::<_, Error>(moments(&y[64 * 199..].iter().map(|&i| 1e6 * f64::from(i)).collect::<Vec<_>>()))
        };
        let ((still, _), (mean, deviation)) = (last(&mut quiet)?, last(&mut noisy)?);
        println!("{:>9} ns {still:>14.3} {:>22}", nanoseconds, format!("{mean:.3} +- {deviation:.3}"));
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    arrays()?;
    filaments()
}
