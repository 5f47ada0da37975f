//! What a program gives in the mean once it has settled under inputs that are held, read off the program alone.
//!
//! Nobody sets the phase of what runs on, so that only means can be held against a program: those after the washout, of outputs that have a value.

use crate::agreement::half_span;
use crate::bench::Bench;
use crate::noisy::REST;
use crate::statistics::series::Series;
use isoform_core::dynamics::Domain;
use isoform_core::error::Result;
use isoform_core::oracle::Oracle;
use isoform_core::program::{NodeKind, Program};
use isoform_core::substrate::Run;

/// The fewest ticks of a window.
const LEAST: usize = 64;

/// Ticks over which outputs are averaged after a washout: what forgets slowly wavers slowly.
pub(crate) fn window(washout: usize) -> usize {
    LEAST.max(washout / 4)
}

/// Ticks of a record from which the memory of noise is read, and how many of its autocorrelation times lie between two looks.
pub(crate) const RECORD: usize = 2048;
const APART: f64 = 10.0;

/// Ticks between two looks at what runs on, so that they are independent: the washout, which is that of inputs, and more where noise remembers for longer.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some autocorrelation times of a short record")]
pub(crate) fn apart(record: &[f32], outputs: usize, washout: usize) -> usize {
    let of = |output: usize| record.iter().skip(output).step_by(outputs.max(1)).map(|&v| f64::from(v)).collect::<Vec<_>>();
    let tau = (0..outputs).map(|output| Series::of(&of(output)).tau).fold(1.0, f64::max);
    washout.max((APART * tau).ceil() as usize)
}

/// The programs of a substrate that have inputs.
pub(crate) fn with_inputs(bench: &Bench<'_>) -> Result<Vec<(String, Program)>> {
    Ok(bench.subjects()?.into_iter().filter(|(_, program)| program.input_channels() > 0).collect())
}

/// The output channels that have a value.
pub(crate) fn valued(program: &Program) -> Vec<usize> {
    let domains = program.outputs().iter().flat_map(|output| std::iter::repeat_n(output.port.domain, output.port.shape.len()));
    domains.enumerate().filter(|(_, domain)| *domain != Domain::Spikes).map(|(channel, _)| channel).collect()
}

/// Why a program says of no output what its mean is, if its graph alone tells.
pub(crate) fn unsaid(program: &Program) -> Option<&'static str> {
    if program.nodes().iter().all(|node| matches!(node.kind, NodeKind::Relay)) {
        return Some("it hands its inputs on, which is no function");
    }
    valued(program).is_empty().then_some("it gives spikes, for which no mean is declared")
}

/// The means of output channels under rows of inputs that are held, `[row, channel]`, after a washout. None if those of two halves of a look that is as
/// long as the washout differ by more than that part of a margin beside which a program rests.
pub(crate) fn means(
    bench: &Bench<'_>,
    program: &Program,
    (rows, channels): (&[Vec<f32>], &[usize]),
    washout: usize,
    margin: f64,
) -> Option<Vec<f64>> {
    let half = window(washout).max(washout / 2);
    let start = Oracle::new(program, &Run::new().with_seed(bench.seed));
    let mut said = vec![0.0; program.output_channels()];
    let mut all = Vec::with_capacity(rows.len() * channels.len());
    for row in rows {
        let mut oracle = start.clone();
        let wide: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
        let mut look = |ticks: usize| {
            let mut sums = vec![0.0; channels.len()];
            for _ in 0..ticks {
                oracle.step(&wide, &mut said);
                sums.iter_mut().zip(channels).for_each(|(sum, &channel)| *sum += said[channel]);
            }
            sums.into_iter().map(|sum| sum / ticks.max(1) as f64).collect::<Vec<f64>>()
        };
        look(washout);
        let [early, late] = [look(half), look(half)];
        if early.iter().zip(&late).any(|(a, b)| (a - b).abs() > REST * margin || !(a + b).is_finite()) {
            return None;
        }
        all.extend(early.iter().zip(&late).map(|(a, b)| f64::midpoint(*a, *b)));
    }
    Some(all)
}

/// How far whoever always gives the same is off the means of an output at the least, under the row where it is furthest off: half of what they move by.
pub(crate) fn swing(means: &[f64], outputs: usize, output: usize) -> f64 {
    half_span(means.iter().skip(output).step_by(outputs.max(1)).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, What};
    use isoform_core::builder::identity;
    use isoform_core::functions as library;
    use isoform_core::oracle::OracleSubstrate;
    use isoform_core::semantics::{Preset, Semantics};

    fn program(function: &str, more: &[(&str, f64)]) -> Program {
        let parameters = more.iter().map(|(name, value)| ((*name).to_owned(), vec![*value])).collect();
        let what = What::Neuron { function: function.to_owned(), parameters };
        Plan::single(what, 1, Preset::Exact.semantics(1e-3)).build().expect("a program")
    }

    #[test]
    fn a_leak_settles_and_an_integrator_does_not() {
        let substrate = OracleSubstrate::new();
        let bench = Bench::new(&substrate, 0, "L2.settled");
        let of = |program: &Program| means(&bench, program, (&[vec![0.0], vec![1.0]], &[0]), 100, 0.05);
        let leak = program(library::LI, &[("tau", 5e-3), ("r", 2.0), ("v_leak", 0.0)]);
        let found = of(&leak).expect("settles");
        assert!(found[0] == 0.0 && (found[1] - 2.0).abs() < 1e-6, "{found:?}");
        assert!((swing(&found, 1, 0) - 1.0).abs() < 1e-6);
        assert_eq!(of(&program(library::I, &[("r", 50.0)])), None);
    }

    #[test]
    fn neither_spikes_nor_an_echo_have_a_mean_that_anybody_declares() {
        let spikes = [("tau", 5e-3), ("r", 2.0), ("v_leak", 0.0), ("v_threshold", 1.0), ("v_reset", 0.0)];
        assert!(unsaid(&program(library::LIF, &spikes)).is_some_and(|why| why.contains("spikes")));
        let echo = Program::single("echo", identity(), [2], Semantics::exact(1e-3)).expect("a program");
        assert!(unsaid(&echo).is_some_and(|why| why.contains("hands its inputs on")));
        assert_eq!(unsaid(&program(library::SCALE, &[("scale", 2.0)])), None);
    }
}
