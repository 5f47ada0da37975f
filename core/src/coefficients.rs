//! The run-time form of a flow, computed once per channel in double precision.

use crate::dual::Dual;
use crate::dynamics::Dynamics;
use crate::program::{Node, NodeKind};
use crate::scalar::Scalar;
use crate::semantics::{Decay, Order, Semantics};
use crate::step::{self, Rule};

/// What one channel needs in order to step.
///
/// Matrices are row-major. For an affine flow, `s' = phi s + gamma x + constant` is the whole flow of a tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// `∂F/∂s`, states by states; noughts unless the flow is affine.
    pub rate: Vec<f64>,
    /// How far a step moves the state for a rate of one, states by states.
    pub psi: Vec<f64>,
    /// What is kept of the state, states by states.
    pub phi: Vec<f64>,
    /// What the input adds, states by inputs.
    pub gamma: Vec<f64>,
    /// What is added in any case, one per state.
    pub constant: Vec<f64>,
}

/// The parameters of a channel and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// The parameters, in the order of the signature.
    pub p: Vec<f64>,
    /// What they come to under the semantics of the node.
    pub coefficients: Coefficients,
}

/// The channels of an element-wise node, neighbours that are equal standing once.
#[derive(Debug, Clone, PartialEq)]
pub struct Channels {
    /// What differs.
    pub table: Vec<Channel>,
    /// The place of each channel in the table; one entry if all are equal by declaration.
    pub which: Vec<usize>,
}

impl Channels {
    /// Differentiates the step of every channel of a node; `None` if the node is of another kind.
    #[must_use]
    pub fn of(node: &Node) -> Option<Self> {
        let NodeKind::Dynamics { function, parameters } = &node.kind else { return None };
        let count = if parameters.iter().all(|p| p.len() == 1) { 1 } else { node.channels() };
        let (mut table, mut which) = (Vec::<Channel>::new(), Vec::with_capacity(count));
        for c in 0..count {
            let p: Vec<f64> = parameters.iter().map(|t| t.at(if t.len() == 1 { 0 } else { c })).collect();
            // neighbours are often equal, and differentiating a step is not free
            if table.last().is_none_or(|last| last.p != p) {
                table.push(Channel { coefficients: function.coefficients(&node.semantics, &p), p });
            }
            which.push(table.len() - 1);
        }
        Some(Self { table, which })
    }

    /// Each of so many channels.
    pub(crate) fn each(&self, count: usize) -> impl Iterator<Item = &Channel> {
        let all = self.which.len() == 1;
        (0..count).map(move |c| &self.table[self.which[if all { 0 } else { c }]])
    }

    /// One number for each channel, or one for all.
    pub fn values(&self, number: impl Fn(&Channel) -> f64) -> Vec<f64> {
        self.which.iter().map(|&at| number(&self.table[at])).collect()
    }
}

/// Differentiates the step of one channel.
pub(crate) fn coefficients<D, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    affine: bool,
    semantics: &Semantics,
    p: [f64; P],
) -> Coefficients
where
    D: Dynamics<X, N, P, Y>,
{
    let rule = Rule::from(semantics);
    let h = semantics.step_length();
    let rate: [[f64; N]; N] = if affine && const { !matches!(D::AFFINE, Some(false)) } {
        jacobian(|s| d.flow([Dual::constant(0.0); X], s, p.map(Dual::constant)))
    } else {
        [[0.0; N]; N]
    };
    let psi = psi(&rate, semantics, h);
    let (mut phi, mut gamma, mut constant) = ([[0.0; N]; N], [[0.0; X]; N], [0.0; N]);
    if affine && const { !matches!(D::AFFINE, Some(false)) } {
        let psi_dual = psi.map(|row| row.map(Dual::constant));
        let (p_dual, h_dual) = (p.map(Dual::constant), Dual::constant(h));
        let flow = |x, s| flowed(d, rule, &psi_dual, h_dual, x, s, p_dual);
        phi = jacobian(|s| flow([Dual::constant(0.0); X], s));
        for i in 0..X {
            let flowed = flow(along(i), [Dual::constant(0.0); N]);
            for (row, v) in gamma.iter_mut().zip(flowed) {
                row[i] = v.slope;
            }
        }
        constant = step::flow(d, rule, &psi, h, [0.0; X], [0.0; N], p);
    }
    Coefficients { rate: rate.concat(), psi: psi.concat(), phi: phi.concat(), gamma: gamma.concat(), constant: constant.to_vec() }
}

/// The flow of a tick, compiled once for all directions.
#[inline(never)]
fn flowed<D, const X: usize, const N: usize, const P: usize, const Y: usize>(
    d: &D,
    rule: Rule,
    psi: &[[Dual; N]; N],
    h: Dual,
    x: [Dual; X],
    s: [Dual; N],
    p: [Dual; P],
) -> [Dual; N]
where
    D: Dynamics<X, N, P, Y>,
{
    step::flow(d, rule, psi, h, x, s, p)
}

/// Nought, and the direction in which to derive.
fn along<const K: usize>(direction: usize) -> [Dual; K] {
    let mut at = [Dual::constant(0.0); K];
    at[direction] = Dual::variable(0.0);
    at
}

/// The derivative of a map at nought.
fn jacobian<const N: usize>(f: impl Fn([Dual; N]) -> [Dual; N]) -> [[f64; N]; N] {
    let mut slopes = [[0.0; N]; N];
    for j in 0..N {
        let flowed = f(along(j));
        for (row, v) in slopes.iter_mut().zip(flowed) {
            row[j] = v.slope;
        }
    }
    slopes
}

/// A matrix from its rows, one behind the other.
pub(crate) fn rows<const R: usize, const C: usize>(flat: &[f64]) -> [[f64; C]; R] {
    let mut out = [[0.0; C]; R];
    out.as_flattened_mut().copy_from_slice(&flat[..R * C]);
    out
}

/// A matrix from its diagonal.
#[inline(always)]
pub(crate) fn diagonal<S: Scalar, const N: usize>(of: [S; N]) -> [[S; N]; N] {
    let mut out = [[S::lit(0.0); N]; N];
    for k in 0..N {
        out[k][k] = of[k];
    }
    out
}

fn psi<const N: usize>(rate: &[[f64; N]; N], semantics: &Semantics, h: f64) -> [[f64; N]; N] {
    match (semantics.decay, semantics.order) {
        (Decay::Euler | Decay::RungeKutta, _) => diagonal([h; N]),
        (Decay::Exact, Order::Staged) => diagonal(std::array::from_fn(|k| dwell(rate[k][k], h))),
        (Decay::Exact, Order::Joint) => integral(rate, h),
    }
}

/// `∫₀^h e^{ah} dh` of a number.
pub(crate) fn dwell(a: f64, h: f64) -> f64 {
    if a == 0.0 { h } else { libm::expm1(a * h) / a }
}

/// `∫₀^h e^{Ah} dh` of a matrix, by scaling, a Taylor series and doubling.
///
/// Doubling uses `Ψ(2h) = Ψ(h) (I + e^{Ah})` with `e^{Ah} = I + A Ψ(h)`; the scaled series has a norm of at most one eighth, so
/// that sixteen terms leave nothing of double precision. Flows faster than a tick by any factor take as many doublings more.
pub(crate) fn integral<const N: usize>(a: &[[f64; N]; N], h: f64) -> [[f64; N]; N] {
    if N == 1 {
        return [[dwell(a[0][0], h); N]; N];
    }
    let norm = a.iter().map(|row| row.iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max) * h;
    let (mut doublings, mut parts) = (0, 1.0_f64);
    while norm / parts > 0.125 && doublings < f64::MAX_EXP {
        doublings += 1;
        parts *= 2.0;
    }
    let small = h / parts;
    let identity = diagonal([1.0; N]);
    let mut term = scaled(&identity, small);
    let mut psi = term;
    for n in 2..=16_u32 {
        term = scaled(&product(a, &term), small / f64::from(n));
        psi = sum(&psi, &term);
    }
    for _ in 0..doublings {
        let decay = sum(&identity, &product(a, &psi));
        psi = product(&psi, &sum(&identity, &decay));
    }
    psi
}

fn product<const N: usize>(a: &[[f64; N]; N], b: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut out = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..N {
            for k in 0..N {
                out[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    out
}

fn sum<const N: usize>(a: &[[f64; N]; N], b: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut out = *a;
    out.as_flattened_mut().iter_mut().zip(b.as_flattened()).for_each(|(a, b)| *a += b);
    out
}

fn scaled<const N: usize>(a: &[[f64; N]; N], by: f64) -> [[f64; N]; N] {
    a.map(|row| row.map(|v| v * by))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{CubaLif, Lif};
    use crate::semantics::{Drive, Preset};
    use proptest::prelude::*;

    const CUBA: [f64; 7] = [2e-3, 5e-3, 2.0, 0.1, 1.5, 1.0, 0.0];

    #[test]
    fn a_decay_of_one_time_constant() {
        let semantics = Semantics::exact(2.5e-3);
        let c = coefficients(&Lif, true, &semantics, [2.5e-3, 2.0, 0.5, 1.0, 0.0]);
        assert!((c.phi[0] - 0.367_879_441_171_442_3).abs() < 1e-15);
        assert!((c.gamma[0] - 2.0 * 0.632_120_558_828_557_7).abs() < 1e-15);
        assert!((c.constant[0] - 0.5 * 0.632_120_558_828_557_7).abs() < 1e-15);
    }

    #[test]
    fn euler_is_linear_in_the_step() {
        let c = coefficients(&Lif, true, &Preset::Norse.semantics(1e-4), [2.5e-3, 1.0, 0.0, 0.1, 0.0]);
        assert_eq!((c.phi[0], c.gamma[0], c.constant[0]), (0.96, 0.04, 0.0));
    }

    #[test]
    fn the_joint_solution_is_the_two_exponential_one() {
        let h = 1e-3;
        let c = coefficients(&CubaLif, true, &Semantics::exact(h), CUBA);
        let (es, em) = ((-h / 2e-3_f64).exp(), (-h / 5e-3_f64).exp());
        // i decays with es; v answers an initial current of one with r tau_syn / (tau_syn - tau_mem) (es - em)
        let v = 2.0 * 2e-3 / (2e-3 - 5e-3) * (es - em);
        assert!((c.phi[0] - es).abs() < 1e-15 && (c.phi[3] - em).abs() < 1e-15);
        assert!((c.phi[2] - v).abs() < 1e-15 && c.phi[1] == 0.0);
    }

    #[test]
    fn a_synapse_may_be_faster_than_a_tick_by_any_factor() {
        let h = 1e-3;
        for tau_syn in [1e-9, 1e-12, 1e-14, 1e-30] {
            let c = coefficients(&CubaLif, true, &Semantics::exact(h), [tau_syn, 5e-3, 2.0, 0.1, 1.5, 1.0, 0.0]);
            // the current is where the input has it: v answers with r w_in (1 - e^{-h/tau_mem})
            let gain = 2.0 * 1.5 * -(-h / 5e-3_f64).exp_m1();
            assert!((c.gamma[1] / gain - 1.0).abs() < 1e-5, "{tau_syn}: {:?}", c.gamma);
        }
    }

    #[test]
    fn staged_euler_hands_the_new_current_to_the_membrane() {
        let c = coefficients(&CubaLif, true, &Preset::Snntorch.semantics(1e-3), CUBA);
        // i' = .5 i + .75 x; v' = .8 v + .2 * 2 * i' + .02
        let expected = [0.5, 0.0, 0.2, 0.8];
        for (got, want) in c.phi.iter().zip(expected) {
            assert!((got - want).abs() < 1e-15, "{:?}", c.phi);
        }
        assert!((c.gamma[0] - 0.75).abs() < 1e-15 && (c.gamma[1] - 0.3).abs() < 1e-15);
        assert!((c.constant[1] - 0.02).abs() < 1e-15);
    }

    #[test]
    fn an_impulse_keeps_its_area_or_decays_first() {
        let exact = Semantics::exact(1e-4);
        let p = [2.5e-3, 1.0, 0.0, 0.1, 0.0];
        let after = coefficients(&Lif, true, &exact.with_drive(Drive::ImpulseAfter), p);
        let before = coefficients(&Lif, true, &exact.with_drive(Drive::ImpulseBefore), p);
        assert!((after.gamma[0] - 0.04).abs() < 1e-15);
        assert!((before.gamma[0] - 0.04 * (-0.04_f64).exp()).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn two_halves_make_a_whole(a in -40.0_f64..4.0, b in -9.0_f64..9.0, c in -9.0_f64..9.0, d in -40.0_f64..4.0, h in 1e-4_f64..0.3) {
            let m = [[a, b], [c, d]];
            let (whole, half) = (integral(&m, h), integral(&m, h / 2.0));
            let decay = sum(&[[1.0, 0.0], [0.0, 1.0]], &product(&m, &half));
            let doubled = sum(&half, &product(&decay, &half));
            let scale = whole.concat().iter().fold(0.0_f64, |s, v| s.max(v.abs()));
            for (x, y) in whole.concat().iter().zip(doubled.concat()) {
                prop_assert!((x - y).abs() < 1e-12 * scale, "{whole:?} {doubled:?}");
            }
        }
    }
}
