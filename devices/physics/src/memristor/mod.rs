//! Memristors: resistors that remember the charge or the voltage that passed.
//!
//! The compact models are transfer functions from a voltage to a current, `y = i(v, s)`. Their state is clipped to its range once a tick, after
//! the flow, and the current is that of the clipped state: a drive that is nought gives a current of nought whatever the state (Chua,
//! *Resistance switching memories are memristors*, Appl. Phys. A 102, 765, 2011). No flow here is affine, so they ask for semantics with an
//! Euler decay.
//!
//! What many cells do at once is statistics: [`pcm`] and [`reram`] have the published fits of how far a written conductance is off, how it
//! drifts and how it fluctuates; [`flicker`] makes the fluctuation a state that is carried from read to read.

pub mod flicker;
mod hp;
pub mod pcm;
pub mod reram;
mod stanford_pku;
mod twin;
mod vteam;
mod yakopcic;

pub use hp::{Biolek, Drift, Free, Joglekar, Prodromakis, Window, hp};
pub use stanford_pku::{NoisyStanfordPku, StanfordPku, noisy_stanford_pku, stanford_pku};
pub use twin::{Memristors, OPTIONS, open};
pub use vteam::{Exponential, Law, Linear, Vteam, vteam};
pub use yakopcic::{Yakopcic, yakopcic};

use isoform_core::scalar::Scalar;

/// The hyperbolic sine, odd to the bit and without cancellation near nought.
#[inline(always)]
fn sinh<S: Scalar>(x: S) -> S {
    let (one, two) = (S::lit(1.0), S::lit(2.0));
    // for small arguments from the tangent of the half: 2 t / (1 - t²)
    let t = (x / two).tanh();
    let small = two * t / (one - t * t);
    let large = (x.exp() - (-x).exp()) / two;
    one.above(x.abs()).select(small, large)
}

/// `base^exponent` for a base that is not negative; bases below the smallest that are told apart count as that one.
#[inline(always)]
fn power<S: Scalar>(base: S, exponent: S) -> S {
    (exponent * base.max(S::lit(1e-30)).ln()).exp()
}

/// A number held between two others.
#[inline(always)]
fn clip<S: Scalar>(x: S, low: S, high: S) -> S {
    x.max(low).min(high)
}
