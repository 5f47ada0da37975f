//! The memristor of Hewlett-Packard: a doped region that drifts with the charge.
//!
//! ```text
//! M = r_on x + r_off (1 - x)        i = v / M
//! dx/dt = (mobility r_on / thickness²) i f(x, i)        x = w / D in [0, 1]
//! ```
//! Source: Strukov, Snider, Stewart and Williams, *The missing memristor found*, Nature 453, 80 (2008), equations 5 and 6. The window `f` slows
//! the boundary near the electrodes:
//!
//! ```text
//! Joglekar      f = j (1 - (2x - 1)^{2p})             Joglekar and Wolf, Eur. J. Phys. 30, 661 (2009)
//! Biolek        f = j (1 - (x - step(-i))^{2p})       Biolek, Biolek and Biolkova, Radioengineering 18, 210 (2009)
//! Prodromakis   f = j (1 - ((x - 1/2)² + 3/4)^p)      Prodromakis et al., IEEE Trans. Electron Devices 58, 3099 (2011)
//! ```
//! `j` is one in the first two papers. Without a window, `r_off x - (r_off - r_on) x²/2` grows with the flux `∫v dt` in proportion to
//! `mobility r_on / thickness²`, a closed form that the tests hold the flow to.

use super::{clip, power};
use isoform_core::dynamics::{Dynamics, Parameter, Quantity, Signature};
use isoform_core::neuron::Neuron;
use isoform_core::scalar::Scalar;
use std::fmt::Debug;

/// How the drift slows near the electrodes.
pub trait Window: Debug + Clone + Copy + Send + Sync + 'static {
    /// The id of the transfer function with this window.
    const ID: &'static str;
    /// One sentence on it.
    const SUMMARY: &'static str;
    /// The value `f` for boundary `x`, current `i`, exponent `p` and height `j`.
    fn factor<S: Scalar>(x: S, i: S, p: S, j: S) -> S;
}

/// No window: the drift is the same everywhere. Exponent and height have no effect.
#[derive(Debug, Clone, Copy)]
pub struct Free;

/// Joglekar's window: nought at both electrodes, whatever the direction.
#[derive(Debug, Clone, Copy)]
pub struct Joglekar;

/// Biolek's window: nought at the electrode that the boundary moves to, so that it can come back.
#[derive(Debug, Clone, Copy)]
pub struct Biolek;

/// Prodromakis's window: nought at both electrodes, of any height.
#[derive(Debug, Clone, Copy)]
pub struct Prodromakis;

impl Window for Free {
    const ID: &'static str = "isoform.memristor.hp/1";
    const SUMMARY: &'static str = "The memristor of linear drift.";
    #[inline(always)]
    fn factor<S: Scalar>(_: S, _: S, _: S, _: S) -> S {
        S::lit(1.0)
    }
}

impl Window for Joglekar {
    const ID: &'static str = "isoform.memristor.hp-joglekar/1";
    const SUMMARY: &'static str = "The memristor of linear drift with Joglekar's window.";
    #[inline(always)]
    fn factor<S: Scalar>(x: S, _: S, p: S, j: S) -> S {
        let off = S::lit(2.0) * x - S::lit(1.0);
        j * (S::lit(1.0) - power(off * off, p))
    }
}

impl Window for Biolek {
    const ID: &'static str = "isoform.memristor.hp-biolek/1";
    const SUMMARY: &'static str = "The memristor of linear drift with Biolek's window.";
    #[inline(always)]
    fn factor<S: Scalar>(x: S, i: S, p: S, j: S) -> S {
        let off = x - (-i).at_or_above(S::lit(0.0));
        j * (S::lit(1.0) - power(off * off, p))
    }
}

impl Window for Prodromakis {
    const ID: &'static str = "isoform.memristor.hp-prodromakis/1";
    const SUMMARY: &'static str = "The memristor of linear drift with Prodromakis's window.";
    #[inline(always)]
    fn factor<S: Scalar>(x: S, _: S, p: S, j: S) -> S {
        let off = x - S::lit(0.5);
        j * (S::lit(1.0) - power(off * off + S::lit(0.75), p))
    }
}

/// The definition of the memristor of linear drift with a window.
#[derive(Debug, Clone, Copy)]
pub struct Drift<W>(pub W);

/// A memristor of linear drift with a window, by default of 100 Ω to 16 kΩ.
#[must_use]
pub fn hp(window: impl Window) -> Neuron {
    Neuron::new(Drift(window))
}

const R_ON: Parameter =
    Quantity::new("r_on", "Ohm", [50.0, 1e3], "resistance when doped throughout").parameter().or(100.0).above_nought();
const R_OFF: Parameter = Quantity::new("r_off", "Ohm", [1e3, 1e5], "resistance when undoped").parameter().or(16e3).above_nought();
const MOBILITY: Parameter =
    Quantity::new("mobility", "m^2/(V s)", [1e-15, 1e-12], "mobility of the dopants").parameter().or(1e-14).above_nought();
const THICKNESS: Parameter =
    Quantity::new("thickness", "m", [5e-9, 50e-9], "thickness of the film").parameter().or(1e-8).above_nought();
const X_0: Parameter = Quantity::new("x_0", "1", [0.0, 1.0], "doped fraction after a reset").parameter().or(0.1);
const P: Parameter = Quantity::new("p", "1", [1.0, 10.0], "exponent of the window").parameter().or(1.0).above_nought();
const J: Parameter = Quantity::new("j", "1", [0.5, 2.0], "height of the window").parameter().or(1.0).above_nought();

#[inline(always)]
fn current<S: Scalar>(v: S, x: S, on: S, off: S) -> S {
    v / (on * x + off * (S::lit(1.0) - x))
}

impl<W: Window> Dynamics<1, 1, 7, 1> for Drift<W> {
    const AFFINE: Option<bool> = Some(false);
    const SIGNATURE: Signature<1, 1, 7, 1> = Signature {
        id: W::ID,
        summary: W::SUMMARY,
        source: "Strukov et al. 2008, Nature 453, 80, equations 5 and 6",
        inputs: [Quantity::new("v", "V", [-1.0, 1.0], "voltage").input()],
        states: [Quantity::new("x", "1", [0.0, 1.0], "doped fraction of the film").state_from(4)],
        parameters: [R_ON, R_OFF, MOBILITY, THICKNESS, X_0, P, J],
        outputs: [Quantity::new("i", "A", [-1e-2, 1e-2], "current").output()],
    };

    #[inline(always)]
    fn flow<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [on, off, mobility, thickness, _, p, j]: [S; 7]) -> [S; 1] {
        let i = current(v, x, on, off);
        // in this order every factor stays within single precision
        [mobility / thickness / thickness * on * i * W::factor(x, i, p, j)]
    }

    #[inline(always)]
    fn tick<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [on, off, ..]: [S; 7], _: S) -> ([S; 1], [S; 1]) {
        let x = clip(x, S::lit(0.0), S::lit(1.0));
        ([x], [current(v, x, on, off)])
    }
}
