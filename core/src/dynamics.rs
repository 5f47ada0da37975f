//! What the author of a transfer function writes.

use crate::scalar::Scalar;
use std::fmt::Debug;

/// A named quantity: its unit, its nominal range and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Quantity {
    /// The name in equations, files and error messages.
    pub name: &'static str,
    /// The unit, `1` for a pure number.
    pub unit: &'static str,
    /// The range in which it is usually found; tests and fixed-point formats draw on it.
    pub range: [f64; 2],
    /// What it is.
    pub meaning: &'static str,
}

/// An input of a transfer function.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Input {
    /// The quantity.
    pub quantity: Quantity,
    /// Random numbers instead of a signal, if any.
    pub draw: Option<Draw>,
}

/// Random numbers that the framework supplies to a transfer function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// One standard normal number a tick.
    PerTick,
    /// White noise of unit spectral density: a normal number divided by the square root of the time step.
    White,
}

/// A state of a transfer function.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct State {
    /// The quantity.
    pub quantity: Quantity,
    /// Its value after a reset of the realization.
    pub initial: Initial,
}

/// Where a state starts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initial {
    /// At a number.
    Value(f64),
    /// At the value of a parameter, by its place in the signature.
    Parameter(usize),
}

/// A parameter of a transfer function.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Parameter {
    /// The quantity.
    pub quantity: Quantity,
    /// What it is when nobody says; without it the parameter must be given.
    pub default: Option<f64>,
    /// Whether only values above nought make sense.
    pub positive: bool,
}

/// An output of a transfer function.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Output {
    /// The quantity.
    pub quantity: Quantity,
    /// What kind of numbers it gives.
    pub domain: Domain,
}

/// What kind of numbers a signal carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Real numbers.
    #[default]
    Real,
    /// Nought or one, a few ones among many noughts.
    Spikes,
    /// Whole numbers that choose a row.
    Index,
    /// Pairs of real and imaginary parts.
    Complex,
}

impl Quantity {
    /// A quantity.
    #[must_use]
    pub const fn new(name: &'static str, unit: &'static str, range: [f64; 2], meaning: &'static str) -> Self {
        Self { name, unit, range, meaning }
    }

    /// A signal that comes in.
    #[must_use]
    pub const fn input(self) -> Input {
        Input { quantity: self, draw: None }
    }

    /// Random numbers that come in.
    #[must_use]
    pub const fn drawn(self, draw: Draw) -> Input {
        Input { quantity: self, draw: Some(draw) }
    }

    /// A state that starts at a number.
    #[must_use]
    pub const fn state(self, initial: f64) -> State {
        State { quantity: self, initial: Initial::Value(initial) }
    }

    /// A state that starts at the value of a parameter.
    #[must_use]
    pub const fn state_from(self, parameter: usize) -> State {
        State { quantity: self, initial: Initial::Parameter(parameter) }
    }

    /// A parameter that must be given.
    #[must_use]
    pub const fn parameter(self) -> Parameter {
        Parameter { quantity: self, default: None, positive: false }
    }

    /// A real output.
    #[must_use]
    pub const fn output(self) -> Output {
        Output { quantity: self, domain: Domain::Real }
    }

    /// An output of spikes.
    #[must_use]
    pub const fn spikes(self) -> Output {
        Output { quantity: self, domain: Domain::Spikes }
    }
}

impl Parameter {
    /// The parameter with a value for when nobody gives one.
    #[must_use]
    pub const fn or(mut self, default: f64) -> Self {
        self.default = Some(default);
        self
    }

    /// The parameter, refusing values at or below nought.
    #[must_use]
    pub const fn above_nought(mut self) -> Self {
        self.positive = true;
        self
    }
}

/// The names, units and ranges of everything that a transfer function touches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signature<const X: usize, const N: usize, const P: usize, const Y: usize> {
    /// A name that is unique and carries a version, such as `isoform.lif/1`.
    pub id: &'static str,
    /// One sentence on what it is.
    pub summary: &'static str,
    /// Where the equation comes from.
    pub source: &'static str,
    /// The inputs.
    pub inputs: [Input; X],
    /// The states, in the order in which a staged update visits them.
    pub states: [State; N],
    /// The parameters.
    pub parameters: [Parameter; P],
    /// The outputs.
    pub outputs: [Output; Y],
}

/// The one definition of a transfer function: a system that flows and jumps.
///
/// `X` inputs, `N` states, `P` parameters and `Y` outputs; the compiler checks the arity. The hooks are separate because
/// platforms disagree about their order, and one generic stepper honours every [`Semantics`](crate::semantics::Semantics).
///
/// # Behavior
/// - The hooks are pure: the same arguments give the same results.
/// - They use only [`Scalar`] arithmetic, without branches on values.
///
/// The wrong way is to compare, emit and reset in [`tick`](Dynamics::tick): such a function has its semantics built in, and no
/// preset can change them.
pub trait Dynamics<const X: usize, const N: usize, const P: usize, const Y: usize>: Debug + Send + Sync + 'static {
    /// Names, units, ranges and initial state.
    const SIGNATURE: Signature<X, N, P, Y>;

    /// The state that is compared with the threshold, if the system jumps.
    const EVENT: Option<usize> = None;

    /// Whether the flow is affine in input and state, if that is to be known before it is compiled: the loops of the other form, which would never
    /// run, are then left out. Absent, both are compiled.
    const AFFINE: Option<bool> = None;

    /// The rate of change `ds/dt`; absent, nothing flows.
    #[inline(always)]
    fn flow<S: Scalar>(&self, x: [S; X], s: [S; N], p: [S; P]) -> [S; N] {
        let _ = (x, s, p);
        [S::lit(0.0); N]
    }

    /// The level that the event state has to pass.
    #[inline(always)]
    fn threshold<S: Scalar>(&self, s: [S; N], p: [S; P]) -> S {
        let _ = (s, p);
        S::lit(f64::MAX)
    }

    /// Where a spike sends the state.
    #[inline(always)]
    fn reset<S: Scalar>(&self, s: [S; N], p: [S; P]) -> [S; N] {
        let _ = p;
        s
    }

    /// Once a tick, after flow and jump: the discrete update and the output. `z` is one where the node fired.
    fn tick<S: Scalar>(&self, x: [S; X], s: [S; N], p: [S; P], z: S) -> ([S; N], [S; Y]);
}
