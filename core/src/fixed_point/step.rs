//! A tick of a transfer function in the numbers of a board.

use super::{Arithmetic, FixedPointError, Straight};
use crate::coefficients::Coefficients;
use crate::semantics::{Compare, Reset, Semantics, Test};
use crate::transfer::TransferFunction;

/// The answers of a semantics that the operation `NEURON` of a board carries; the others are in its coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The state before the flow is tested.
    pub before_flow: bool,
    /// It fires at the threshold, too.
    pub at_or_above: bool,
    /// A spike moves the state by the displacement at the threshold instead of to a value.
    pub subtract: bool,
}

impl Flags {
    /// As bits, in the order of the fields from the lowest.
    #[must_use]
    pub fn bits(self) -> u16 {
        u16::from(self.before_flow) | u16::from(self.at_or_above) << 1 | u16::from(self.subtract) << 2
    }

    /// From bits; `None` if others are set.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        let bit = |k: u16| bits >> k & 1 == 1;
        (bits < 8).then(|| Self { before_flow: bit(0), at_or_above: bit(1), subtract: bit(2) })
    }
}

impl From<&Semantics> for Flags {
    fn from(s: &Semantics) -> Self {
        Self {
            before_flow: s.test == Test::BeforeFlow,
            at_or_above: s.compare == Compare::AtOrAbove,
            subtract: s.reset == Reset::Subtract,
        }
    }
}

/// A transfer function in the numbers of a board: flow, test, both resets and tick, in the order of `docs/board-protocol.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepper<A: Arithmetic> {
    arithmetic: A,
    /// The id of the function.
    id: &'static str,
    /// Inputs, states, parameters and outputs.
    widths: [usize; 4],
    flow: Straight<A>,
    test: Option<Straight<A>>,
    to_value: Straight<A>,
    subtract: Straight<A>,
    tick: Straight<A>,
}

/// What a tick needs besides its operands, and the count of results that were cut.
#[derive(Debug, Clone, Default)]
pub struct Work<N> {
    inputs: Vec<N>,
    values: Vec<N>,
    flowed: Vec<N>,
    landed: Vec<N>,
    results: Vec<N>,
    /// How often a result was beyond the largest number.
    pub clipped: u64,
}

impl<A: Arithmetic> Stepper<A> {
    /// Compiles a function.
    ///
    /// # Errors
    /// `NotAffine`, `Draws` or `Operation`, if a board cannot compute it; `Range` if a constant is beyond the numbers.
    pub fn new(function: &dyn TransferFunction, arithmetic: A) -> Result<Self, FixedPointError> {
        let s = function.signature();
        if !function.is_affine() {
            return Err(FixedPointError::NotAffine { function: s.id.to_owned() });
        }
        if s.inputs.iter().any(|i| i.draw.is_some()) {
            return Err(FixedPointError::Draws { function: s.id.to_owned() });
        }
        // none of these tapes depends on the length of the tick
        let base = Semantics::exact(1.0);
        let [to_value, subtract] = [Reset::ToValue, Reset::Subtract].map(|reset| function.record(&base.with_reset(reset)));
        let compile = |tape| Straight::new(tape, arithmetic, s.id);
        Ok(Self {
            arithmetic,
            id: s.id,
            widths: [s.inputs.len(), s.states.len(), s.parameters.len(), s.outputs.len()],
            flow: compile(&to_value.affine)?,
            test: to_value.test.as_ref().map(compile).transpose()?,
            to_value: compile(&to_value.land)?,
            subtract: compile(&subtract.land)?,
            tick: compile(&to_value.tick)?,
        })
    }

    /// The id of the function.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// How many inputs, states, parameters and outputs it has.
    #[must_use]
    pub fn widths(&self) -> [usize; 4] {
        self.widths
    }

    /// How many coefficients a channel has: `Φ`, `Γ` and the constant.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        let [x, n, ..] = self.widths;
        n * n + n * x + n
    }

    /// `x, s, Φ, Γ, c -> s`: the flow in its run-time form.
    #[must_use]
    pub fn flow(&self) -> &Straight<A> {
        &self.flow
    }

    /// `tested s, p -> tested state, threshold`; absent if it never jumps.
    #[must_use]
    pub fn test(&self) -> Option<&Straight<A>> {
        self.test.as_ref()
    }

    /// `tested s, flowed s, p -> s`: where a spike sends the state.
    #[must_use]
    pub fn land(&self, subtract: bool) -> &Straight<A> {
        if subtract { &self.subtract } else { &self.to_value }
    }

    /// `x, s, p, z -> s, y`: the update and the output.
    #[must_use]
    pub fn update(&self) -> &Straight<A> {
        &self.tick
    }

    /// Which parameters a tick reads. The others act through the coefficients alone, and may be beyond the numbers.
    #[must_use]
    pub fn parameters(&self, flags: Flags) -> Vec<bool> {
        let [x, n, p, _] = self.widths;
        let mut read = vec![false; p];
        let mut note = |code: &Straight<A>, first: usize| {
            read.iter_mut().zip(&code.reads()[first..first + p]).for_each(|(to, from)| *to |= from);
        };
        note(&self.tick, x + n);
        if let Some(test) = &self.test {
            note(test, n);
            note(self.land(flags.subtract), n + n);
        }
        read
    }

    /// The coefficients of a channel in the order of a board.
    ///
    /// # Errors
    /// `Range` if one is beyond the numbers.
    pub fn encode_coefficients(&self, c: &Coefficients) -> Result<Vec<A::Number>, FixedPointError> {
        let all = c.phi.iter().chain(&c.gamma).chain(&c.constant);
        all.map(|&v| self.arithmetic.encode_or(v, || format!("a coefficient of {}", self.id))).collect()
    }

    /// The parameters of a channel, nought for those that no tick reads.
    ///
    /// # Errors
    /// `Range` if one that is read is beyond the numbers.
    pub fn encode_parameters(&self, flags: Flags, p: &[f64]) -> Result<Vec<A::Number>, FixedPointError> {
        let read = self.parameters(flags).into_iter().zip(p).enumerate();
        read.map(|(k, (read, &v))| match read {
            true => self.arithmetic.encode_or(v, || format!("parameter {k} of {}", self.id)),
            false => Ok(A::Number::default()),
        })
        .collect()
    }

    /// Room for the ticks of this function.
    #[must_use]
    pub fn work(&self) -> Work<A::Number> {
        let mut work = Work::default();
        self.extend(&mut work);
        work
    }

    /// Makes room for the ticks of this function, too.
    pub fn extend(&self, work: &mut Work<A::Number>) {
        let codes = [Some(&self.flow), self.test.as_ref(), Some(&self.to_value), Some(&self.subtract), Some(&self.tick)];
        let most = |count: fn(&Straight<A>) -> usize| codes.iter().flatten().map(|c| count(c)).max().unwrap_or(0);
        let grow = |v: &mut Vec<A::Number>, n: usize| v.resize(v.len().max(n), A::Number::default());
        grow(&mut work.inputs, most(Straight::inputs));
        grow(&mut work.values, most(|c| c.operations().len()));
        grow(&mut work.results, most(|c| c.results().len()).max(2));
        grow(&mut work.flowed, self.widths[1]);
        grow(&mut work.landed, self.widths[1]);
    }

    /// One tick of one channel: changes the states, writes the outputs, and says whether it fired.
    ///
    /// # Panics
    /// If a slice is shorter than the widths say, or `work` was made for smaller functions.
    pub fn tick(
        &self,
        flags: Flags,
        [x, c, p]: [&[A::Number]; 3],
        s: &mut [A::Number],
        y: &mut [A::Number],
        work: &mut Work<A::Number>,
    ) -> bool {
        let [wx, n, wp, wy] = self.widths;
        let (x, c, p, s) = (&x[..wx], &c[..self.coefficients()], &p[..wp], &mut s[..n]);
        let Work { inputs, values, flowed, landed, results, clipped } = work;
        let flowed = &mut flowed[..n];
        let mut run = |code: &Straight<A>, operands: &[&[A::Number]], out: &mut [A::Number]| {
            let mut at = 0;
            for operand in operands {
                inputs[at..at + operand.len()].copy_from_slice(operand);
                at += operand.len();
            }
            code.evaluate(inputs, values, out, clipped);
        };
        run(&self.flow, &[x, s, c], flowed);
        let mut fired = false;
        if let Some(test) = &self.test {
            let tested: &[A::Number] = if flags.before_flow { s } else { flowed };
            run(test, &[tested, p], &mut results[..2]);
            fired = if flags.at_or_above { results[0] >= results[1] } else { results[0] > results[1] };
            if fired {
                run(self.land(flags.subtract), &[tested, flowed, p], &mut landed[..n]);
                flowed.copy_from_slice(&landed[..n]);
            }
        }
        let z = [self.arithmetic.indicator(fired)];
        run(&self.tick, &[x, flowed, p, &z], &mut results[..n + wy]);
        s.copy_from_slice(&results[..n]);
        y[..wy].copy_from_slice(&results[n..n + wy]);
        fired
    }
}
