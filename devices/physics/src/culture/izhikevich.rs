//! Izhikevich's simple model of a spiking neuron.
//!
//! ```text
//! dv/dt = 0.04 v² + 5 v + 140 - u + i        v, u, i in mV and mV/ms, t in ms
//! du/dt = a (b v - u)
//! z = [v ≥ 30],   v ← c,   u ← u + d
//! ```
//! Source: Izhikevich 2003, IEEE Transactions on Neural Networks 14(6), 1569, equations 1 to 3.
//!
//! The definition flows in seconds, as every other neuron does. The publication's own grid, two half steps of `v` for one whole step of `u`, is
//! none of the answers of a [`Semantics`](isoform_core::semantics::Semantics): a [`Network`](super::network::Network) takes it, with the same
//! [`membrane`] and [`recovery`]. The comparison is "at or above"; give the semantics that answer.

use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;

/// The id of the neuron.
pub const IZHIKEVICH: &str = "isoform.izhikevich/1";
/// The potential at which a neuron fires, in mV.
pub const PEAK: f64 = 30.0;
/// The potential from which a neuron starts, in mV.
pub const START: f64 = -65.0;

const PER_SECOND: f64 = 1e3;

/// How fast the membrane potential changes, in mV/ms.
#[must_use]
#[inline(always)]
pub fn membrane<S: Scalar>(i: S, v: S, u: S) -> S {
    S::lit(0.04) * v * v + S::lit(5.0) * v + S::lit(140.0) - u + i
}

/// How fast the recovery variable changes, in mV/ms².
#[must_use]
#[inline(always)]
pub fn recovery<S: Scalar>(v: S, u: S, a: S, b: S) -> S {
    a * (b * v - u)
}

/// The definition: `y = z`.
#[derive(Debug, Clone, Copy)]
pub struct Izhikevich;

/// A neuron of Izhikevich's; without parameters it spikes regularly.
#[must_use]
pub fn izhikevich() -> Neuron {
    Neuron::new(Izhikevich)
}

impl Dynamics<1, 2, 4, 1> for Izhikevich {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 2, 4, 1> = Signature {
        id: IZHIKEVICH,
        summary: "Izhikevich's simple model of a spiking neuron.",
        source: "Izhikevich 2003, IEEE Trans. Neural Networks 14(6), 1569, eqs. 1-3",
        inputs: [Quantity::new("i", "mV/ms", [-10.0, 20.0], "current over capacitance").input()],
        states: [
            Quantity::new("v", "mV", [-80.0, PEAK], "membrane potential").state(START),
            Quantity::new("u", "mV/ms", [-20.0, 20.0], "recovery variable").state(0.2 * START),
        ],
        parameters: [
            Quantity::new("a", "1/ms", [0.02, 0.1], "rate of the recovery").parameter().or(0.02),
            Quantity::new("b", "1/ms", [0.2, 0.25], "how strongly the recovery follows the potential").parameter().or(0.2),
            Quantity::new("c", "mV", [-65.0, -50.0], "potential after a spike").parameter().or(-65.0),
            Quantity::new("d", "mV/ms", [2.0, 8.0], "jump of the recovery at a spike").parameter().or(8.0),
        ],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "spike").spikes()],
    };
    const EVENT: Option<usize> = Some(0);

    #[inline(always)]
    fn flow<S: Scalar>(&self, [i]: [S; 1], [v, u]: [S; 2], [a, b, ..]: [S; 4]) -> [S; 2] {
        [S::lit(PER_SECOND) * membrane(i, v, u), S::lit(PER_SECOND) * recovery(v, u, a, b)]
    }

    #[inline(always)]
    fn threshold<S: Scalar>(&self, _: [S; 2], _: [S; 4]) -> S {
        S::lit(PEAK)
    }

    #[inline(always)]
    fn reset<S: Scalar>(&self, [_, u]: [S; 2], [.., c, d]: [S; 4]) -> [S; 2] {
        [c, u + d]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 2], _: [S; 4], z: S) -> ([S; 2], [S; 1]) {
        (s, [z])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::builder::Builder;
    use isoform_core::oracle::Oracle;
    use isoform_core::semantics::{Compare, Decay, Semantics};
    use isoform_core::substrate::Run;

    /// The ticks in which a neuron fires under a constant current, at steps of half a millisecond.
    fn spikes(neuron: Neuron, current: f64, ticks: usize) -> Vec<usize> {
        let mut net = Builder::new();
        let x = net.input("i", [1]);
        let z = net.node("neuron", neuron, x);
        net.output("z", z);
        let semantics = Semantics::exact(0.5e-3).with_decay(Decay::Euler).with_compare(Compare::AtOrAbove);
        let mut oracle = Oracle::new(&net.build(semantics).expect("valid"), &Run::new());
        let mut y = [0.0];
        (0..ticks)
            .filter(|_| {
                oracle.step(&[current], &mut y);
                y[0] > 0.0
            })
            .collect()
    }

    // The expected ticks are those of the equations written down in Python, in double precision: see the module's header for the source.

    #[test]
    fn it_spikes_regularly_and_adapts() {
        assert_eq!(spikes(izhikevich(), 10.0, 1000), [7, 57, 149, 241, 333, 425, 517, 609, 701, 793, 885, 977]);
    }

    #[test]
    fn it_chatters_with_a_higher_reset() {
        assert_eq!(
            spikes(izhikevich().with("c", -50.0).with("d", 2.0), 10.0, 300),
            [7, 12, 17, 23, 29, 36, 45, 141, 147, 154, 162, 174, 272, 278, 285, 293]
        );
    }

    #[test]
    fn it_spikes_fast_with_a_faster_recovery() {
        assert_eq!(
            spikes(izhikevich().with("a", 0.1).with("d", 2.0), 10.0, 200),
            [7, 18, 33, 50, 67, 85, 104, 122, 139, 156, 173, 191]
        );
    }

    #[test]
    fn it_is_silent_at_rest() {
        assert!(spikes(izhikevich(), 0.0, 2000).is_empty());
    }
}
