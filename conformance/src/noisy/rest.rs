//! When a program is at rest under a stimulus that is held, read off the program alone.

use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::substrate::Run;

/// The shortest and the longest look at whether it does, in ticks.
pub(super) const LOOK: [usize; 2] = [256, 4096];
/// Ticks for which a program is left to itself whose outputs never rest, such as those that spike.
const RESTLESS: usize = 100;

/// Ticks for which a program is held to see where it ends.
const SETTLE: usize = 1000;

/// Where the outputs of a program end under a row of inputs that is held.
pub(crate) fn settled(program: &Program, row: &[f32]) -> Vec<f64> {
    let (mut oracle, wide) = (Oracle::new(program, &Run::new()), row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
    let mut said = vec![0.0; program.output_channels()];
    for _ in 0..SETTLE {
        oracle.step(&wide, &mut said);
    }
    said
}

/// Holds a row of inputs until every output stays within a size of where it ends, and counts the ticks before; none if one grows without end.
pub(super) fn come_to_rest(oracle: &mut Oracle, x: &[f32], outputs: usize, size: f64) -> Option<usize> {
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
        let moves = |row: &[f64]| row.iter().zip(&said).any(|(a, b)| (a - b).abs() > size);
        let rest = record.chunks_exact(outputs.max(1)).rposition(moves).map_or(0, |last| last + 1);
        // what only just arrived may be on its way
        if rest <= ticks / 2 {
            return Some(rest);
        }
        if ticks >= LOOK[1] {
            let (early, late) = record.split_at(record.len() / 2);
            let largest = |part: &[f64]| part.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            return (largest(late) <= largest(early) + size).then_some(RESTLESS);
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
}
