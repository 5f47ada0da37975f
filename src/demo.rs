//! A small spiking network that is shipped, with its input and what it should answer.
//!
//! Eight touch sensors stand in a row. Something sweeps over them, rightwards or leftwards, at five milliseconds from one to the
//! next; besides, each sensor fires at random. For each direction there is a set of delays that makes the touches of such a sweep
//! arrive together, and a neuron that fires when many do; the two neurons inhibit each other. This is the scheme of Jeffress
//! (1948, Journal of Comparative and Physiological Psychology 41, 35), turned to motion.

use isoform_core::draw::{bits, uniform};
use isoform_core::error::{Error, Result};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::Tensor;
use isoform_core::{builder::delay, functions::cuba_lif, linear::Dense as Matrix};
use isoform_formats::nir::Graph;
use isoform_formats::program::to_nir;
use isoform_formats::signal::Dense;

/// Seconds of a tick.
pub const DT: f64 = 1e-3;
/// How many recordings there are.
pub const LANES: usize = 16;
/// How many ticks a recording has.
pub const TICKS: usize = 1000;
/// How many sweeps a recording has.
pub const SWEEPS: usize = 5;

const SENSORS: usize = 8;
/// Ticks from one sensor to the next.
const PACE: usize = 5;
/// Ticks of the longest delay, which is that of the sensor that a sweep touches first.
const LONGEST: usize = PACE * (SENSORS - 1);
/// Ticks from one sweep to the next.
const PERIOD: usize = TICKS / SWEEPS;
/// Touches at random, for each sensor and tick.
const BACKGROUND: f32 = 0.02;

/// The network, under some semantics.
///
/// # Errors
/// `InvalidProgram` for semantics that it cannot have.
pub fn program(semantics: Semantics) -> Result<Program> {
    let at = |sensor: usize| f64::from(u8::try_from(sensor * PACE).unwrap_or(u8::MAX)) * DT;
    let rightwards: Vec<f64> = (0..SENSORS).rev().map(at).collect();
    let leftwards: Vec<f64> = (0..SENSORS).map(at).collect();
    let row = |direction: usize| {
        let weights: Vec<f32> = (0..2 * SENSORS).map(|i| if i / SENSORS == direction { 1.0 } else { 0.0 }).collect();
        Matrix::new(Tensor::single([2, SENSORS], weights)?, None)
    };
    let mut net = Program::builder();
    let touch = net.input("touch", [SENSORS]);
    let right = net.node("delays_right", delay(rightwards), touch.clone());
    let left = net.node("delays_left", delay(leftwards), touch);
    let right = net.node("sum_right", row(0)?, right);
    let left = net.node("sum_left", row(1)?, left);
    let rivals = net.later("direction");
    let rivals = net.node("rivalry", Matrix::new(Tensor::single([2, 2], [0.0, -4.0, -4.0, 0.0])?, None)?, rivals);
    let neuron = cuba_lif().with("tau_syn", 3e-3).with("tau_mem", 4e-3).with("v_threshold", 0.75);
    let direction = net.node("direction", neuron, right + left + rivals);
    net.output("spikes", direction);
    net.build(semantics)
}

/// The network as a NIR graph.
///
/// # Errors
/// As [`program`].
pub fn graph() -> Result<Graph> {
    to_nir(&program(Semantics::exact(DT))?)
}

/// Whether the sweeps of a recording go rightwards, and the ticks in which they start.
#[must_use]
pub fn sweeps(lane: usize) -> Vec<(usize, bool)> {
    (0..SWEEPS)
        .map(|sweep| {
            let drawn = random(0, lane, sweep);
            let start = sweep * PERIOD + 20 + usize::try_from(drawn % 100).unwrap_or(0);
            (start, drawn >> 31 == 1)
        })
        .collect()
}

fn random(stream: u32, lane: usize, tick: usize) -> u32 {
    bits(2026, 0, u32::try_from(lane).unwrap_or(u32::MAX), stream, tick as u64)
}

/// The recordings, `[tick, lane, sensor]`.
///
/// # Errors
/// Never, as long as the sizes above fit each other.
pub fn input() -> Result<Dense> {
    let mut data = vec![0.0; TICKS * LANES * SENSORS];
    for lane in 0..LANES {
        let at = |tick: usize, sensor: usize| (tick * LANES + lane) * SENSORS + sensor;
        for tick in 0..TICKS {
            for sensor in 0..SENSORS {
                if uniform(random(1, lane * SENSORS + sensor, tick)) < BACKGROUND {
                    data[at(tick, sensor)] = 1.0;
                }
            }
        }
        for (start, rightwards) in sweeps(lane) {
            for step in 0..SENSORS {
                let jitter = usize::try_from(random(2, lane * SENSORS + step, start) % 3).unwrap_or(0);
                let sensor = if rightwards { step } else { SENSORS - 1 - step };
                data[at(start + step * PACE + jitter, sensor)] = 1.0;
            }
        }
    }
    Dense::new(TICKS, LANES, SENSORS, data).map(|d| d.with_dt(DT)).map_err(|e| Error::fault(e.to_string()))
}

/// How many sweeps the spikes `[tick, lane, direction]` name rightly, and how many there are.
#[must_use]
pub fn score(spikes: &Dense) -> (usize, usize) {
    let count = |lane: usize, from: usize, channel: usize| {
        let window = from..from + LONGEST + PERIOD / 3;
        window.filter_map(|tick| spikes.at(tick, lane, channel)).sum::<f32>()
    };
    let named = |lane: usize, (start, rightwards): (usize, bool)| {
        let (right, left) = (count(lane, start, 0), count(lane, start, 1));
        if rightwards { right > left } else { left > right }
    };
    let right = (0..LANES).map(|lane| sweeps(lane).into_iter().filter(|&sweep| named(lane, sweep)).count()).sum();
    (right, LANES * SWEEPS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Task, run};
    use isoform_core::oracle::OracleSubstrate;
    use isoform_core::semantics::Preset;
    use isoform_formats::program::from_nir;

    fn spikes(program: Program) -> Dense {
        let input = input().expect("fits").into();
        let task = Task { program, input, seed: 0, probes: Vec::new(), from: None, keep_state: false, counts: false };
        run(&OracleSubstrate::new(), &task, None).expect("runs").output
    }

    #[test]
    fn it_names_nearly_all_sweeps() {
        let right = score(&spikes(program(Semantics::exact(DT)).expect("valid"))).0;
        eprintln!("{right} of {}", LANES * SWEEPS);
        assert!(right >= LANES * SWEEPS * 95 / 100, "{right}");
    }

    #[test]
    fn the_shipped_file_means_the_same_program() {
        let read = |graph: &Graph| from_nir(graph, Preset::Exact.semantics(DT)).expect("read");
        let once = read(&graph().expect("written"));
        // NIR has no parameters of one number for all, so that only the second writing is the same to the digest
        assert_eq!(read(&to_nir(&once).expect("written")).digest(), once.digest());
        assert_eq!(spikes(once).data, spikes(program(Semantics::exact(DT)).expect("valid")).data);
    }

    #[test]
    fn both_directions_occur() {
        let rightwards: usize = (0..LANES).map(|lane| sweeps(lane).iter().filter(|s| s.1).count()).sum();
        assert!((20..=60).contains(&rightwards), "{rightwards}");
    }
}
