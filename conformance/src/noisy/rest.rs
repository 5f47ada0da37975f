//! When a program is at rest under a stimulus that is held, read off the program alone.

use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::substrate::Run;
use std::f64::consts::E;

/// The shortest and the longest look at whether it does, in ticks.
pub(super) const LOOK: [usize; 2] = [256, 4096];
/// Ticks for which a program is left to itself whose outputs never rest, such as those that spike.
const RESTLESS: usize = 100;

/// The part of an output that is no way to go.
const SLIGHT: f64 = 1e-6;

/// Ticks for which a program is held to see where it ends.
const SETTLE: usize = 1000;

/// Where the outputs of a program end under a row of inputs that is held.
pub(crate) fn settled(program: &Program, row: &[f32]) -> Vec<f64> {
    let (mut oracle, wide) = (Oracle::new(program, &Run::new()), row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
    let mut said = vec![0.0; program.output_channels()];
    // what keeps nothing from tick to tick is there at once
    let ticks = if program.schedule().memory.is_empty() { 1 } else { SETTLE };
    for _ in 0..ticks {
        oracle.step(&wide, &mut said);
    }
    said
}

/// How far outputs lie apart, one by one.
pub(crate) fn apart(some: &[f64], others: &[f64]) -> Vec<f64> {
    some.iter().zip(others).map(|(a, b)| (a - b).abs()).collect()
}

/// Holds a row of inputs until every output stays within a size of where it ends, and counts the ticks before; none if one grows without end.
pub(super) fn come_to_rest(oracle: &mut Oracle, x: &[f32], outputs: usize, size: f64) -> Option<usize> {
    match arrive(oracle, x, outputs, |_, _| size) {
        Ok(ticks) => Some(ticks),
        Err(record) => {
            let (early, late) = record.split_at(record.len() / 2);
            let largest = |part: &[f64]| part.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            (largest(late) <= largest(early) + size).then_some(RESTLESS)
        }
    }
}

/// Ticks for which levels are to last, of which so many follow on a rise from one row of inputs to another: one, unless these show less than a quarter of
/// the time in which the slowest output comes within 1/e of where it ends; so many then that they show all of it. None for what does not come to rest.
pub(crate) fn pace(program: &Program, [near, far]: [&[f32]; 2], levels: usize) -> Option<usize> {
    let (mut oracle, outputs) = (Oracle::new(program, &Run::new()), program.output_channels());
    let way = |start: f64, end: f64| (end - start).abs() / E + SLIGHT * end.abs();
    arrive(&mut oracle, near, outputs, way).ok()?;
    let time = arrive(&mut oracle, far, outputs, way).ok()?;
    Some(if time >= 4 * levels { time / levels } else { 1 })
}

/// Holds a row of inputs until every output stays within a size of where it ends, which is told where it comes from and where it ends, and counts the
/// ticks before; the record if that does not come.
fn arrive(oracle: &mut Oracle, x: &[f32], outputs: usize, size: impl Fn(f64, f64) -> f64) -> Result<usize, Vec<f64>> {
    let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    let mut said = vec![0.0; outputs];
    let mut record: Vec<f64> = Vec::new();
    let mut ticks = 0;
    loop {
        let more = if ticks == 0 { LOOK[0] } else { ticks };
        for _ in 0..more {
            oracle.step(&wide, &mut said);
            record.extend_from_slice(&said);
        }
        ticks += more;
        let sizes: Vec<f64> = record.iter().zip(&said).map(|(&start, &end)| size(start, end)).collect();
        let moves = |row: &[f64]| row.iter().zip(&said).zip(&sizes).any(|((a, b), size)| (a - b).abs() > *size);
        let rest = record.chunks_exact(outputs.max(1)).rposition(moves).map_or(0, |last| last + 1);
        // what only just arrived may be on its way
        if rest <= ticks / 2 {
            return Ok(rest);
        }
        if ticks >= LOOK[1] {
            return Err(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, What};
    use isoform_core::functions as library;
    use isoform_core::semantics::Preset;
    use isoform_core::substrate::Run;

    /// The rest of a neuron with a time of five ticks, which is driven by one from its initial state.
    fn rest(function: &str, more: &[(&str, f64)]) -> Option<usize> {
        let parameters = more.iter().map(|(name, value)| ((*name).to_owned(), vec![*value])).collect();
        let what = What::Neuron { function: function.to_owned(), parameters };
        let program = Plan::single(what, 1, Preset::Exact.semantics(1e-3)).build().expect("a program");
        come_to_rest(&mut Oracle::new(&program, &Run::new()), &[1.0], 1, 0.01)
    }

    #[test]
    fn a_leak_rests_after_its_time_and_an_integrator_never() {
        // e^(-n/5) is above a hundredth up to n = 23
        assert_eq!(rest(library::LI, &[("tau", 5e-3), ("r", 1.0), ("v_leak", 0.0)]), Some(23));
        assert_eq!(rest(library::SCALE, &[("scale", 2.0)]), Some(0));
        assert_eq!(rest(library::I, &[("r", 50.0)]), None);
        // what spikes again and again is left to itself for a hundred ticks
        let spikes = [("tau", 5e-3), ("r", 2.0), ("v_leak", 0.0), ("v_threshold", 1.0), ("v_reset", 0.0)];
        assert_eq!(rest(library::LIF, &spikes), Some(100));
    }

    #[test]
    fn the_levels_of_a_slow_program_last() {
        let pace = |tau: f64| {
            let parameters = [("tau", tau), ("r", 1.0), ("v_leak", 0.0)].map(|(name, value)| (name.to_owned(), vec![value]));
            let what = What::Neuron { function: library::LI.to_owned(), parameters: parameters.to_vec() };
            let program = Plan::single(what, 1, Preset::Exact.semantics(1e-3)).build().expect("a program");
            pace(&program, [&[0.0], &[1.0]], 5)
        };
        // a fifth of the time of the leak in ticks; a look of 256 ticks takes the last for nearly at rest, a tenth before it is
        assert_eq!([1e-3, 15e-3, 25e-3, 105e-3, 100.0].map(pace), [Some(1), Some(1), Some(5), Some(18), None]);
    }
}
