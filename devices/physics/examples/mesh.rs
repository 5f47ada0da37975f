//! Complex against real weights on a mesh of interferometers: circle and spiral, two classes each, one layer and two detectors of power.
//!
//! ```text
//! cargo run --release -p isoform-physics --example mesh [STEPS [POINTS]]
//! ```
//! A point is of the class whose detector reads more, `p[k] = |Σ_i W[k,i] e[i]|²`. Points of the *circle* are encoded in amplitudes, `e = (x, y, 1)`: a
//! power behind real weights is the square of one linear form, behind complex ones the sum of two, so that only they make a radius. Points of the
//! *spiral*, two arms that are each other's mirror image in the origin, are encoded in phases, `e = (e^{iπx}, e^{iπy}, 1)`: behind real weights a point
//! and its mirror image have the same power. Weights are trained by steepest descent with momentum on the logistic loss of the difference of powers,
//! from six starts, of which the one with the least loss is taken; then they are set on a mesh, and light does the rest. Accuracies are those
//! of fresh points.
//! Task: Zhang et al. 2021, Nature Communications 12, 457; accuracies to compare with: models.md of this project, section 2.3, whose spiral and
//! training are not stated, so that margins are to be reproduced and digits are not.

use isoform_core::draw::Key;
use isoform_physics::photonics::circuit::Circuit;
use isoform_physics::photonics::decomposition::Layout;
use isoform_physics::photonics::fabric::quantised;
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_physics::photonics::phases::Convention;
use std::f64::consts::{FRAC_2_PI, PI, TAU};

const STARTS: u64 = 6;
const RATE: f64 = 0.1;
const MOMENTUM: f64 = 0.9;
/// Points on which weights are judged.
const JUDGED: usize = 2000;
/// Turns of an arm of the spiral, from the origin to a radius of one.
const TURNS: f64 = 0.65;
/// Deviation of its points from the arms.
const BLUR: f64 = 0.02;
/// The least advantage of complex weights.
const MARGIN: f64 = 0.15;

/// A field of three modes, and whether it is of the second class.
type Point = ([Complex; 3], bool);
type Weights = [[Complex; 3]; 2];
/// So many points, by a seed.
type Task = fn(usize, u64) -> Vec<Point>;

/// Numbers even between nought and one.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut drawn = vec![0.0; count];
    Key::new(seed, 0).fill_uniform(0, 0, 0, &mut drawn);
    drawn.into_iter().map(f64::from).collect()
}

/// Points of the square, of which those inside a circle of half its area are of the second class.
fn circle(count: usize, seed: u64) -> Vec<Point> {
    let points = numbers(2 * count, seed);
    let point = |u: &[f64]| {
        let [x, y] = [2.0 * u[0] - 1.0, 2.0 * u[1] - 1.0];
        ([x.into(), y.into(), Complex::ONE], x * x + y * y < FRAC_2_PI)
    };
    points.chunks_exact(2).map(point).collect()
}

/// Points of two arms.
fn spiral(count: usize, seed: u64) -> Vec<Point> {
    let draws = numbers(3 * count, seed);
    let point = |(k, u): (usize, &[f64])| {
        let second = k % 2 == 1;
        let radius = 0.1 + 0.8 * u[0];
        let angle = TAU * TURNS * radius + if second { PI } else { 0.0 };
        // even between the ends, with the deviation that is named
        let blurred = |at: f64, u: f64| at + BLUR * 12.0_f64.sqrt() * (u - 0.5);
        let [x, y] = [blurred(radius * angle.cos(), u[1]), blurred(radius * angle.sin(), u[2])];
        ([Complex::from_polar(1.0, PI * x), Complex::from_polar(1.0, PI * y), Complex::ONE], second)
    };
    draws.chunks_exact(3).enumerate().map(point).collect()
}

/// Fields in front of the two detectors.
fn fields(weights: &Weights, field: &[Complex; 3]) -> [Complex; 2] {
    weights.map(|row| row.iter().zip(field).map(|(w, e)| w * e).sum())
}

/// The loss of weights and its gradient by both parts of each.
fn loss(weights: &Weights, points: &[Point]) -> (f64, Weights) {
    let (mut loss, mut gradient) = (0.0, [[Complex::ZERO; 3]; 2]);
    for (field, second) in points {
        let [first, last] = fields(weights, field);
        let sign = if *second { 1.0 } else { -1.0 };
        let margin = sign * (last.norm_sqr() - first.norm_sqr());
        loss += (-margin.abs()).exp().ln_1p() + (-margin).max(0.0);
        let by = -sign / (1.0 + margin.min(500.0).exp());
        for (row, z) in gradient.iter_mut().zip([first * -by, last * by]) {
            row.iter_mut().zip(field).for_each(|(g, e)| *g += 2.0 * z * e.conj());
        }
    }
    let count = points.len() as f64;
    (loss / count, gradient.map(|row| row.map(|g| g / count)))
}

/// The weights with the least loss of all starts.
fn train(points: &[Point], complex: bool, steps: usize) -> Weights {
    let part = |z: Complex| if complex { z } else { z.re.into() };
    let run = |start: u64| {
        let drawn = numbers(12, 100 + start);
        let mut weights: Weights = std::array::from_fn(|k| {
            std::array::from_fn(|i| {
                part(Complex::new(drawn[6 * k + 2 * i], drawn[6 * k + 2 * i + 1]) * 4.0 - Complex::new(2.0, 2.0))
            })
        });
        let mut moving = [[Complex::ZERO; 3]; 2];
        for _ in 0..steps {
            let (_, gradient) = loss(&weights, points);
            for k in 0..6 {
                let (row, column) = (k / 3, k % 3);
                moving[row][column] = MOMENTUM * moving[row][column] + part(gradient[row][column]);
                weights[row][column] -= RATE * moving[row][column];
            }
        }
        (loss(&weights, points).0, weights)
    };
    let best = (0..STARTS).map(run).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or([[Complex::ZERO; 3]; 2], |(_, weights)| weights)
}

/// The share of points that a mesh tells right: its phases without an end, or in steps of so many bits.
fn accuracy(weights: &Weights, bits: Option<u32>, points: &[Point]) -> f64 {
    let circuit = Circuit::of(&Matrix::from_fn(2, 3, |r, c| weights[r][c]), Layout::Rectangle, Convention::SingleArm);
    let phases: Vec<f64> = circuit.list().into_iter().map(|phase| bits.map_or(phase, |bits| quantised(phase, bits))).collect();
    let mesh = circuit.with(&phases).matrix();
    let right = |(field, second): &&Point| {
        let behind = mesh.apply(field);
        (behind[1].norm_sqr() > behind[0].norm_sqr()) == *second
    };
    points.iter().filter(right).count() as f64 / points.len() as f64
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let steps = arguments.next().transpose()?.unwrap_or(1500);
    let count = arguments.next().transpose()?.unwrap_or(400).max(2);
    println!("accuracy on {JUDGED} fresh points of {steps} steps on {count}; in parentheses that of models.md\n");
    println!("{:>7} {:>7} {:>14} {:>14} {:>8}", "task", "phases", "real", "complex", "margin");
    let tasks: [(&str, Task, [f64; 2]); 2] = [("circle", circle, [0.771, 0.992]), ("spiral", spiral, [0.513, 0.954])];
    for (name, task, [real, complex]) in tasks {
        let (learned, judged) = (task(count, 1), task(JUDGED, 2));
        let weights = [false, true].map(|complex| train(&learned, complex, steps));
        for bits in [None, Some(8), Some(6), Some(4)] {
            let [plain, rich] = weights.each_ref().map(|weights| accuracy(weights, bits, &judged));
            let phases = bits.map_or_else(|| String::from("ideal"), |bits| format!("{bits} bit"));
            let beside = |found: f64, said: f64| {
                if bits.is_none() { format!("{found:.3} ({said:.3})") } else { format!("{found:.3}        ") }
            };
            println!("{name:>7} {phases:>7} {:>14} {:>14} {:>8.3}", beside(plain, real), beside(rich, complex), rich - plain);
            if bits.is_none() && rich - plain < MARGIN {
                return Err(
                    format!("complex weights should be ahead by {MARGIN} on the {name}, and are by {:.3}", rich - plain).into()
                );
            }
        }
    }
    println!(
        "\nThe advantage is that of the encoding and of the parts that interfere; it survives phases in steps of a few bits."
    );
    Ok(())
}
