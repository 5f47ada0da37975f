//! A tape as straight-line code in the numbers of a board.

use super::{Arithmetic, FixedPointError};
use crate::tape::{Binary, Op, Tape, Unary};
use std::collections::HashMap;

/// The place of an operation in the code.
pub type At = u32;

/// One operation; operands are earlier places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation<N> {
    /// The n-th input.
    Input(u32),
    /// A constant.
    Constant(N),
    /// `-a`.
    Neg(At),
    /// The magnitude: `-a` where `a` is below nought.
    Abs(At),
    /// The largest whole number that is not larger.
    Floor(At),
    /// `a + b`.
    Add(At, At),
    /// `a - b`.
    Sub(At, At),
    /// `a b`.
    Mul(At, At),
    /// The larger.
    Max(At, At),
    /// The smaller.
    Min(At, At),
    /// One where `a > b`, else nought.
    Above(At, At),
    /// One where `a >= b`, else nought.
    AtOrAbove(At, At),
    /// `a` where the first is not nought, else `b`.
    Select(At, At, At),
}

/// A compiled tape: evaluated without allocation, or printed in another language.
///
/// What no result needs is left out. Where sums and products with nought and one are exact, they are left out, too, so that whoever
/// prints the code does as many operations, and counts as many overflows, as whoever evaluates it.
#[derive(Debug, Clone, PartialEq)]
pub struct Straight<A: Arithmetic> {
    arithmetic: A,
    operations: Vec<Operation<A::Number>>,
    results: Vec<At>,
    inputs: usize,
}

struct Compiler<'a, A: Arithmetic> {
    arithmetic: A,
    function: &'a str,
    operations: Vec<Operation<A::Number>>,
}

impl<A: Arithmetic> Compiler<'_, A> {
    #[expect(clippy::cast_possible_truncation, reason = "a tape has fewer than 2^32 places")]
    fn push(&mut self, operation: Operation<A::Number>) -> At {
        let known = self.operations.iter().position(|o| *o == operation);
        known.unwrap_or_else(|| {
            self.operations.push(operation);
            self.operations.len() - 1
        }) as At
    }

    fn is(&self, at: At, value: f64) -> bool {
        let number = |n| self.arithmetic.decode(n) == value;
        A::EXACT && matches!(self.operations[at as usize], Operation::Constant(n) if number(n))
    }

    fn constant(&mut self, value: f64) -> Result<At, FixedPointError> {
        let function = self.function;
        let number = self.arithmetic.encode_or(value, || format!("a constant of {function}"))?;
        Ok(self.push(Operation::Constant(number)))
    }

    fn lacks(&self, operation: &'static str) -> FixedPointError {
        FixedPointError::Operation { function: self.function.to_owned(), operation, numbers: self.arithmetic.to_string() }
    }

    fn unary(&mut self, f: Unary, a: At) -> Result<At, FixedPointError> {
        Ok(match f {
            Unary::Neg => self.push(Operation::Neg(a)),
            Unary::Abs => self.push(Operation::Abs(a)),
            Unary::Floor => self.push(Operation::Floor(a)),
            Unary::Sqrt | Unary::Exp | Unary::Ln | Unary::Tanh | Unary::Sin | Unary::Cos => return Err(self.lacks(f.name())),
        })
    }

    fn binary(&mut self, f: Binary, a: At, b: At) -> Result<At, FixedPointError> {
        let operation = match f {
            Binary::Add if self.is(a, 0.0) => return Ok(b),
            Binary::Add | Binary::Sub if self.is(b, 0.0) => return Ok(a),
            Binary::Sub if A::EXACT && a == b => return self.constant(0.0),
            Binary::Mul if self.is(a, 0.0) || self.is(b, 1.0) => return Ok(a),
            Binary::Mul if self.is(b, 0.0) || self.is(a, 1.0) => return Ok(b),
            Binary::Add => Operation::Add(a, b),
            Binary::Sub => Operation::Sub(a, b),
            Binary::Mul => Operation::Mul(a, b),
            Binary::Max => Operation::Max(a, b),
            Binary::Min => Operation::Min(a, b),
            Binary::Above => Operation::Above(a, b),
            Binary::AtOrAbove => Operation::AtOrAbove(a, b),
            Binary::Div => return Err(self.lacks("division")),
        };
        Ok(self.push(operation))
    }
}

impl<A: Arithmetic> Straight<A> {
    /// Compiles the part of a tape that its results need. `function` is named in errors.
    ///
    /// # Errors
    /// `Operation` if boards do not have an operation, `Range` if a constant is beyond the numbers.
    pub fn new(tape: &Tape, arithmetic: A, function: &str) -> Result<Self, FixedPointError> {
        let mut compiler = Compiler { arithmetic, function, operations: Vec::new() };
        let needed = tape.needed();
        let mut places: Vec<At> = Vec::with_capacity(tape.ops().len());
        for (op, needed) in tape.ops().iter().zip(needed) {
            if !needed {
                // nobody looks at the place of what nobody needs
                places.push(At::MAX);
                continue;
            }
            let place = match *op {
                Op::Input(i) => compiler.push(Operation::Input(i)),
                Op::Const(value) => compiler.constant(value)?,
                Op::Unary(f, a) => compiler.unary(f, places[a as usize])?,
                Op::Binary(f, a, b) => compiler.binary(f, places[a as usize], places[b as usize])?,
                Op::Select(c, a, b) => {
                    let [c, a, b] = [c, a, b].map(|place| places[place as usize]);
                    if a == b { a } else { compiler.push(Operation::Select(c, a, b)) }
                }
            };
            places.push(place);
        }
        let results: Vec<At> = tape.outputs().iter().map(|&o| places[o as usize]).collect();
        Ok(Self { arithmetic, operations: compiler.operations, results, inputs: tape.inputs() }.pruned())
    }

    /// Leaves out what shortcuts made superfluous.
    #[expect(clippy::cast_possible_truncation, reason = "a tape has fewer than 2^32 places")]
    fn pruned(self) -> Self {
        let mut used = vec![false; self.operations.len()];
        self.results.iter().for_each(|&r| used[r as usize] = true);
        for at in (0..self.operations.len()).rev() {
            if used[at] {
                self.operations[at].operands().for_each(|operand| used[operand as usize] = true);
            }
        }
        let mut moved: HashMap<At, At> = HashMap::new();
        let mut operations = Vec::new();
        for (at, operation) in self.operations.iter().enumerate().filter(|(at, _)| used[*at]) {
            operations.push(renumbered(*operation, |a| moved.get(&a).copied().unwrap_or(a)));
            moved.insert(at as At, operations.len() as At - 1);
        }
        let results = self.results.iter().map(|r| moved.get(r).copied().unwrap_or(*r)).collect();
        Self { operations, results, ..self }
    }

    /// The operations, operands first.
    #[must_use]
    pub fn operations(&self) -> &[Operation<A::Number>] {
        &self.operations
    }

    /// Where the results stand.
    #[must_use]
    pub fn results(&self) -> &[At] {
        &self.results
    }

    /// How many inputs the tape has.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Which inputs a result depends on.
    #[must_use]
    pub fn reads(&self) -> Vec<bool> {
        let mut reads = vec![false; self.inputs];
        for operation in &self.operations {
            if let Operation::Input(i) = operation {
                reads[*i as usize] = true;
            }
        }
        reads
    }

    /// Evaluates the results into `out`; `values` holds a number for each operation.
    ///
    /// # Panics
    /// If a slice is shorter than inputs, operations or results.
    pub fn evaluate(&self, inputs: &[A::Number], values: &mut [A::Number], out: &mut [A::Number], clipped: &mut u64) {
        let arithmetic = self.arithmetic;
        for (at, operation) in self.operations.iter().enumerate() {
            let v = |at: At| values[at as usize];
            let value = match *operation {
                Operation::Input(i) => inputs[i as usize],
                Operation::Constant(c) => c,
                Operation::Neg(a) => arithmetic.neg(v(a), clipped),
                Operation::Abs(a) if v(a) < A::Number::default() => arithmetic.neg(v(a), clipped),
                Operation::Abs(a) => v(a),
                Operation::Floor(a) => arithmetic.floor(v(a)),
                Operation::Add(a, b) => arithmetic.add(v(a), v(b), clipped),
                Operation::Sub(a, b) => arithmetic.sub(v(a), v(b), clipped),
                Operation::Mul(a, b) => arithmetic.mul(v(a), v(b), clipped),
                Operation::Max(a, b) => [v(b), v(a)][usize::from(v(a) > v(b))],
                Operation::Min(a, b) => [v(b), v(a)][usize::from(v(a) < v(b))],
                Operation::Above(a, b) => arithmetic.indicator(v(a) > v(b)),
                Operation::AtOrAbove(a, b) => arithmetic.indicator(v(a) >= v(b)),
                Operation::Select(c, a, b) => [v(b), v(a)][usize::from(v(c) != A::Number::default())],
            };
            values[at] = value;
        }
        for (out, &result) in out.iter_mut().zip(&self.results) {
            *out = values[result as usize];
        }
    }
}

impl<N: Copy> Operation<N> {
    /// The places that it reads.
    pub fn operands(&self) -> impl Iterator<Item = At> + use<N> {
        use Operation as O;
        let places = match *self {
            O::Input(_) | O::Constant(_) => [None; 3],
            O::Neg(a) | O::Abs(a) | O::Floor(a) => [Some(a), None, None],
            O::Add(a, b) | O::Sub(a, b) | O::Mul(a, b) | O::Max(a, b) | O::Min(a, b) | O::Above(a, b) | O::AtOrAbove(a, b) => {
                [Some(a), Some(b), None]
            }
            O::Select(c, a, b) => [Some(c), Some(a), Some(b)],
        };
        places.into_iter().flatten()
    }
}

fn renumbered<N>(operation: Operation<N>, to: impl Fn(At) -> At) -> Operation<N> {
    use Operation as O;
    match operation {
        O::Input(_) | O::Constant(_) => operation,
        O::Neg(a) => O::Neg(to(a)),
        O::Abs(a) => O::Abs(to(a)),
        O::Floor(a) => O::Floor(to(a)),
        O::Add(a, b) => O::Add(to(a), to(b)),
        O::Sub(a, b) => O::Sub(to(a), to(b)),
        O::Mul(a, b) => O::Mul(to(a), to(b)),
        O::Max(a, b) => O::Max(to(a), to(b)),
        O::Min(a, b) => O::Min(to(a), to(b)),
        O::Above(a, b) => O::Above(to(a), to(b)),
        O::AtOrAbove(a, b) => O::AtOrAbove(to(a), to(b)),
        O::Select(c, a, b) => O::Select(to(c), to(a), to(b)),
    }
}
