//! The resistance of vanadium dioxide, which remembers where its temperature turned.
//!
//! ```text
//! R(T) = R0 e^{Ea/T} g(T) + Rm
//! g(T) = 1/2 + 1/2 tanh(β (δ w/2 + Tc - T - T_pr P((T - T_r)/T_pr)))
//! P(x) = 1/2 (1 - sin γx) (1 + tanh(π² - 2πx))
//! ```
//! `g` is the part of the film that insulates. `δ` is one while the film warms and minus one while it cools; where it turns, at `T_r`, the
//! proximity `T_pr` to the major loop is set so that `g` is continuous. Temperatures are held within 305 and 370 K.
//!
//! Source: de Almeida et al. 2002, Opt. Eng. 41, 2582, in the form and with the numbers of Qiu et al. 2024, Adv. Mater. 36, 2306818, and
//! Zhang et al. 2023, arXiv 2312.12899. They keep `g_r = g(T_r)` and set `T_pr = δ w/2 + Tc - artanh(2 g_r - 1)/β - T_r`. The inverse
//! undoes the hyperbolic tangent of `g` before the turn, so that `T_pr = (δ - δ_before) w/2 + T_pr,before P`, which is what is computed here:
//! the same number, with the digits that `g` near nought or one does not have, and one state fewer.

use isoform_core::scalar::Scalar;

/// The temperatures between which the film is modelled, in kelvin.
pub const MODELLED: [f64; 2] = [305.0, 370.0];
/// How far the temperature has to move before a turn is looked for, in kelvin.
pub const STRIDE: f64 = 0.01;
/// Keeps the argument of `P` from a division by nought while nothing has turned yet, in kelvin squared.
const NOUGHT: f64 = 1e-12;

/// The constants of a film.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Film<S> {
    /// Width of the major loop, K.
    pub w: S,
    /// Centre of the major loop, K.
    pub t_c: S,
    /// Steepness of the transition, 1/K.
    pub beta: S,
    /// Resistance of the insulator at infinite temperature, ohm.
    pub r_0: S,
    /// Activation energy by Boltzmann's constant, K.
    pub e_a: S,
    /// Resistance of the metal, ohm.
    pub r_m: S,
    /// How fast a minor loop comes near the major one.
    pub gamma: S,
}

/// What the film remembers of its temperatures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory<S> {
    /// One while it warms, minus one while it cools.
    pub delta: S,
    /// Where it turned last, K.
    pub t_r: S,
    /// How far from the major loop it turned, K; nought on the major loop.
    pub t_pr: S,
    /// The last temperature that was a stride from the one before, K.
    pub t_last: S,
}

impl Film<f64> {
    /// The film of the sources.
    pub const PUBLISHED: Self = Self {
        w: 7.193_570_64,
        t_c: 332.805_839,
        beta: 0.252_796_285,
        r_0: 5.358_828_79e-3,
        e_a: 5_220.474_17,
        r_m: 262.5 * 4.900_253_35,
        gamma: 0.956_269_682,
    };
}

impl<S: Scalar> Memory<S> {
    /// On the major loop, warming (`delta` one) or cooling (minus one), at a temperature.
    #[must_use]
    pub fn major(delta: S, t: S) -> Self {
        Self { delta, t_r: t, t_pr: S::lit(0.0), t_last: t }
    }
}

#[inline(always)]
fn held<S: Scalar>(t: S) -> S {
    t.max(S::lit(MODELLED[0])).min(S::lit(MODELLED[1]))
}

/// `P(x)`: from one where the film turned to nought on the major loop.
#[inline(always)]
pub fn nearing<S: Scalar>(gamma: S, x: S) -> S {
    use std::f64::consts::PI;
    let one = S::lit(1.0);
    S::lit(0.5) * (one - (gamma * x).sin()) * (one + (S::lit(PI * PI) - S::lit(2.0 * PI) * x).tanh())
}

impl<S: Scalar> Film<S> {
    /// `T_pr P((T - T_r)/T_pr)`, in kelvin.
    #[inline(always)]
    fn shift(&self, m: &Memory<S>, t: S) -> S {
        let x = (t - m.t_r) * m.t_pr / (m.t_pr * m.t_pr + S::lit(NOUGHT));
        m.t_pr * nearing(self.gamma, x)
    }

    /// The part that insulates, `g`, at a temperature in kelvin.
    #[inline(always)]
    pub fn insulating(&self, m: &Memory<S>, t: S) -> S {
        let t = held(t);
        let depth = self.beta * (m.delta * self.w * S::lit(0.5) + self.t_c - t - self.shift(m, t));
        // 1/2 + 1/2 tanh(a), without losing the digits of a small part
        (depth + depth).sigmoid()
    }

    /// The resistance in ohm at a temperature in kelvin.
    #[inline(always)]
    pub fn resistance(&self, m: &Memory<S>, t: S) -> S {
        self.r_0 * (self.e_a / held(t)).exp() * self.insulating(m, t) + self.r_m
    }

    /// What it remembers once it has come to a temperature.
    ///
    /// A turn shows once the temperature is a [`STRIDE`] from the last one that was.
    #[inline(always)]
    pub fn come(&self, m: &Memory<S>, t: S) -> Memory<S> {
        let (t, one, nought) = (held(t), S::lit(1.0), S::lit(0.0));
        let moved = t - m.t_last;
        let far = moved.abs().above(S::lit(STRIDE));
        let heads = moved.above(nought).select(one, -one);
        let turned = far.select(nought.above(heads * m.delta), nought);
        let t_pr = (heads - m.delta) * self.w * S::lit(0.5) + self.shift(m, t);
        Memory {
            delta: turned.select(heads, m.delta),
            t_r: turned.select(t, m.t_r),
            t_pr: turned.select(t_pr, m.t_pr),
            t_last: far.select(t, m.t_last),
        }
    }
}
