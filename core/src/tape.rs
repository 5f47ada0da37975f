//! Recordings of a definition, and the ways to read them.
//!
//! [`Tape::record`] runs a definition once over [`Var`]; every arithmetic step becomes an [`Op`]. Constants fold and common
//! subexpressions are shared while recording. A tape is then interpreted: as text, as a rounding-error bound
//! ([`crate::bound`]), or for its structure ([`Tape::degree`]).

use crate::scalar::Scalar;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A place on a tape.
pub type Place = u32;

/// One recorded step; operands are earlier places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// The n-th input of the recorded expression.
    Input(u32),
    /// A constant.
    Const(f64),
    /// A function of one operand.
    Unary(Unary, Place),
    /// A function of two operands.
    Binary(Binary, Place, Place),
    /// `if condition != 0 { yes } else { no }`.
    Select(Place, Place, Place),
}

/// Functions of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of `Scalar` of the same name")]
pub enum Unary {
    Neg,
    Abs,
    Floor,
    Sqrt,
    Exp,
    Ln,
    Tanh,
    Sin,
    Cos,
}

impl Unary {
    /// The function in any number system.
    pub fn apply<S: Scalar>(self, a: S) -> S {
        match self {
            Self::Neg => -a,
            Self::Abs => a.abs(),
            Self::Floor => a.floor(),
            Self::Sqrt => a.sqrt(),
            Self::Exp => a.exp(),
            Self::Ln => a.ln(),
            Self::Tanh => a.tanh(),
            Self::Sin => a.sin(),
            Self::Cos => a.cos(),
        }
    }

    /// The name in text dumps.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Abs => "abs",
            Self::Floor => "floor",
            Self::Sqrt => "sqrt",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Tanh => "tanh",
            Self::Sin => "sin",
            Self::Cos => "cos",
        }
    }
}

/// Functions of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator or method of `Scalar` of the same name")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Above,
    AtOrAbove,
}

impl Binary {
    /// The function in any number system.
    pub fn apply<S: Scalar>(self, a: S, b: S) -> S {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Max => a.max(b),
            Self::Min => a.min(b),
            Self::Above => a.above(b),
            Self::AtOrAbove => a.at_or_above(b),
        }
    }

    /// The infix operator, or the name of the function, and its binding strength.
    #[must_use]
    pub fn notation(self) -> (&'static str, u8) {
        match self {
            Self::Add => ("+", 2),
            Self::Sub => ("-", 2),
            Self::Mul => ("*", 3),
            Self::Div => ("/", 3),
            Self::Max => ("max", 0),
            Self::Min => ("min", 0),
            Self::Above => (">", 1),
            Self::AtOrAbove => (">=", 1),
        }
    }
}

/// How an expression depends on some of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    /// It does not.
    Constant,
    /// A weighted sum plus a constant, with weights that do not depend on them.
    Affine,
    /// Anything else.
    Nonlinear,
}

/// A recorded expression with several results.
#[derive(Debug, Clone, PartialEq)]
pub struct Tape {
    ops: Vec<Op>,
    outputs: Vec<Place>,
    inputs: usize,
}

struct Recorder {
    number: u32,
    ops: Vec<Op>,
    known: HashMap<Key, Place>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Input(u32),
    Const(u64),
    Unary(Unary, Place),
    Binary(Binary, Place, Place),
    Select(Place, Place, Place),
}

thread_local! {
    static RECORDERS: RefCell<(u32, Vec<Recorder>)> = const { RefCell::new((0, Vec::new())) };
}

/// A number on a tape that is being recorded.
#[derive(Debug, Clone, Copy)]
pub struct Var {
    recording: u32,
    place: Place,
}

impl Recorder {
    fn push(&mut self, op: Op) -> Place {
        let key = match op {
            Op::Input(i) => Key::Input(i),
            Op::Const(c) => Key::Const(c.to_bits()),
            Op::Unary(f, a) => Key::Unary(f, a),
            Op::Binary(f, a, b) => Key::Binary(f, a, b),
            Op::Select(c, a, b) => Key::Select(c, a, b),
        };
        let ops = &mut self.ops;
        *self.known.entry(key).or_insert_with(|| {
            ops.push(op);
            Place::try_from(ops.len() - 1).unwrap_or(Place::MAX)
        })
    }

    fn constant(&self, place: Place) -> Option<f64> {
        match self.ops[place as usize] {
            Op::Const(c) => Some(c),
            _ => None,
        }
    }
}

impl Var {
    fn push(op: impl FnOnce(&Recorder) -> Op, operands: &[Self]) -> Self {
        RECORDERS.with_borrow_mut(|(_, stack)| {
            let recorder = stack.last_mut().expect("a Var exists only while a tape is recorded");
            for operand in operands {
                assert_eq!(operand.recording, recorder.number, "a Var was carried from one recording into another");
            }
            let op = op(recorder);
            Self { recording: recorder.number, place: recorder.push(op) }
        })
    }

    fn unary(self, f: Unary) -> Self {
        Self::push(
            |r| match r.constant(self.place) {
                Some(a) => Op::Const(f.apply(a)),
                None => Op::Unary(f, self.place),
            },
            &[self],
        )
    }

    fn binary(self, f: Binary, o: Self) -> Self {
        Self::push(
            |r| match (r.constant(self.place), r.constant(o.place)) {
                (Some(a), Some(b)) => Op::Const(f.apply(a, b)),
                _ => Op::Binary(f, self.place, o.place),
            },
            &[self, o],
        )
    }
}

impl Add for Var {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        self.binary(Binary::Add, o)
    }
}
impl Sub for Var {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        self.binary(Binary::Sub, o)
    }
}
impl Mul for Var {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        self.binary(Binary::Mul, o)
    }
}
impl Div for Var {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        self.binary(Binary::Div, o)
    }
}
impl Neg for Var {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

impl Scalar for Var {
    fn lit(value: f64) -> Self {
        Self::push(|_| Op::Const(value), &[])
    }
    fn above(self, o: Self) -> Self {
        self.binary(Binary::Above, o)
    }
    fn at_or_above(self, o: Self) -> Self {
        self.binary(Binary::AtOrAbove, o)
    }
    fn select(self, yes: Self, no: Self) -> Self {
        let picked = RECORDERS.with_borrow(|(_, stack)| stack.last().and_then(|r| r.constant(self.place)));
        match picked {
            Some(c) => {
                if c == 0.0 {
                    no
                } else {
                    yes
                }
            }
            None => Self::push(|_| Op::Select(self.place, yes.place, no.place), &[self, yes, no]),
        }
    }
    fn max(self, o: Self) -> Self {
        self.binary(Binary::Max, o)
    }
    fn min(self, o: Self) -> Self {
        self.binary(Binary::Min, o)
    }
    fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }
    fn floor(self) -> Self {
        self.unary(Unary::Floor)
    }
    fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }
    fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }
    fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }
    fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }
    fn sin(self) -> Self {
        self.unary(Unary::Sin)
    }
    fn cos(self) -> Self {
        self.unary(Unary::Cos)
    }
}

impl Tape {
    /// Records an expression of `inputs` inputs.
    pub fn record(inputs: usize, expression: impl FnOnce(&[Var]) -> Vec<Var>) -> Self {
        // what does not depend on the expression is compiled once, not with every definition
        let vars = Self::begin(inputs);
        let results = expression(&vars);
        Self::end(inputs, &results)
    }

    fn begin(inputs: usize) -> Vec<Var> {
        RECORDERS.with_borrow_mut(|(count, stack)| {
            *count = count.wrapping_add(1);
            stack.push(Recorder { number: *count, ops: Vec::new(), known: HashMap::new() });
        });
        (0..inputs).map(|i| Var::push(|_| Op::Input(u32::try_from(i).unwrap_or(u32::MAX)), &[])).collect()
    }

    fn end(inputs: usize, results: &[Var]) -> Self {
        let ops = RECORDERS.with_borrow_mut(|(_, stack)| stack.pop()).map(|r| r.ops).unwrap_or_default();
        Self { ops, outputs: results.iter().map(|v| v.place).collect(), inputs }
    }

    /// The recorded steps, in an order in which operands come first.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Where the results stand.
    #[must_use]
    pub fn outputs(&self) -> &[Place] {
        &self.outputs
    }

    /// Evaluates the results in any number system. A missing input counts as nought.
    pub fn evaluate<S: Scalar>(&self, inputs: &[S]) -> Vec<S> {
        let mut values: Vec<S> = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let value = match *op {
                Op::Input(i) => inputs.get(i as usize).copied().unwrap_or_else(|| S::lit(0.0)),
                Op::Const(c) => S::lit(c),
                Op::Unary(f, a) => f.apply(values[a as usize]),
                Op::Binary(f, a, b) => f.apply(values[a as usize], values[b as usize]),
                Op::Select(c, a, b) => values[c as usize].select(values[a as usize], values[b as usize]),
            };
            values.push(value);
        }
        self.outputs.iter().map(|&o| values[o as usize]).collect()
    }

    /// How each result depends on the inputs for which `varies` holds.
    pub fn degree(&self, varies: impl Fn(usize) -> bool) -> Vec<Degree> {
        use Degree::{Affine, Constant, Nonlinear};
        let mut degrees: Vec<Degree> = Vec::with_capacity(self.ops.len());
        let lift = |d: Degree| if d == Constant { Constant } else { Nonlinear };
        for op in &self.ops {
            let degree = match *op {
                Op::Input(i) => {
                    if varies(i as usize) {
                        Affine
                    } else {
                        Constant
                    }
                }
                Op::Const(_) => Constant,
                Op::Unary(Unary::Neg, a) => degrees[a as usize],
                Op::Unary(_, a) => lift(degrees[a as usize]),
                Op::Binary(f, a, b) => {
                    let (a, b) = (degrees[a as usize], degrees[b as usize]);
                    match f {
                        Binary::Add | Binary::Sub => a.max(b),
                        Binary::Mul if a == Constant || b == Constant => a.max(b),
                        Binary::Div if b == Constant => a,
                        _ => lift(a.max(b)),
                    }
                }
                Op::Select(c, a, b) if degrees[c as usize] == Constant => degrees[a as usize].max(degrees[b as usize]),
                Op::Select(c, a, b) => lift(degrees[c as usize].max(degrees[a as usize]).max(degrees[b as usize])),
            };
            degrees.push(degree);
        }
        self.outputs.iter().map(|&o| degrees[o as usize]).collect()
    }

    /// The results as text, with the given names for the inputs.
    #[must_use]
    pub fn text(&self, names: &[String]) -> Vec<String> {
        let mut texts: Vec<(String, u8)> = Vec::with_capacity(self.ops.len());
        let bracket =
            |(text, strength): &(String, u8), least: u8| if *strength < least { format!("({text})") } else { text.clone() };
        for op in &self.ops {
            let text = match *op {
                Op::Input(i) => (names.get(i as usize).cloned().unwrap_or_else(|| format!("x{i}")), 9),
                Op::Const(c) => (format!("{c}"), if c < 0.0 { 2 } else { 9 }),
                Op::Unary(Unary::Neg, a) => (format!("-{}", bracket(&texts[a as usize], 3)), 2),
                Op::Unary(f, a) => (format!("{}({})", f.name(), texts[a as usize].0), 9),
                Op::Binary(f, a, b) => {
                    let (symbol, strength) = f.notation();
                    let (a, b) = (&texts[a as usize], &texts[b as usize]);
                    if strength == 0 {
                        (format!("{symbol}({}, {})", a.0, b.0), 9)
                    } else {
                        (format!("{} {symbol} {}", bracket(a, strength), bracket(b, strength + 1)), strength)
                    }
                }
                Op::Select(c, a, b) => {
                    (format!("if {} then {} else {}", texts[c as usize].0, texts[a as usize].0, texts[b as usize].0), 0)
                }
            };
            texts.push(text);
        }
        self.outputs.iter().map(|&o| texts[o as usize].0.clone()).collect()
    }

    /// Which steps a result depends on.
    #[must_use]
    pub fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.ops.len()];
        self.outputs.iter().for_each(|&o| needed[o as usize] = true);
        for at in (0..self.ops.len()).rev() {
            if !needed[at] {
                continue;
            }
            match self.ops[at] {
                Op::Input(_) | Op::Const(_) => {}
                Op::Unary(_, a) => needed[a as usize] = true,
                Op::Binary(_, a, b) => [a, b].into_iter().for_each(|p| needed[p as usize] = true),
                Op::Select(c, a, b) => [c, a, b].into_iter().for_each(|p| needed[p as usize] = true),
            }
        }
        needed
    }

    /// Which inputs a result depends on.
    #[must_use]
    pub fn reads(&self) -> Vec<bool> {
        let mut reads = vec![false; self.inputs];
        for (op, needed) in self.ops.iter().zip(self.needed()) {
            if let Op::Input(i) = *op {
                reads[i as usize] |= needed;
            }
        }
        reads
    }

    /// The expression that ends in a step, as text.
    pub(crate) fn step_text(&self, step: usize, names: &[String]) -> String {
        let place = Place::try_from(step).unwrap_or(Place::MAX);
        let part = Self { ops: self.ops[..=step].to_vec(), outputs: vec![place], inputs: self.inputs };
        part.text(names).swap_remove(0)
    }

    /// How many inputs the expression has.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leak(v: &[Var]) -> Vec<Var> {
        vec![(v[1] - v[0] + v[2] * v[3]) / v[4]]
    }

    #[test]
    fn a_recording_reads_as_the_equation() {
        let names: Vec<String> = ["v", "leak", "r", "i", "tau"].map(String::from).into();
        assert_eq!(Tape::record(5, leak).text(&names), ["(leak - v + r * i) / tau"]);
    }

    #[test]
    fn structure_is_read_off_not_sampled() {
        let tape = Tape::record(5, leak);
        assert_eq!(tape.degree(|i| i == 0 || i == 3), [Degree::Affine]);
        assert_eq!(tape.degree(|i| i == 2 || i == 3), [Degree::Nonlinear]);
        assert_eq!(tape.degree(|i| i == 4), [Degree::Nonlinear]);
        assert_eq!(tape.degree(|_| false), [Degree::Constant]);
    }

    #[test]
    fn constants_fold_and_repetitions_are_shared() {
        let tape = Tape::record(1, |v| vec![v[0] * (Var::lit(2.0) + Var::lit(3.0)) + v[0] * Var::lit(5.0)]);
        assert!(tape.ops().contains(&Op::Const(5.0)));
        assert_eq!(tape.ops().iter().filter(|op| matches!(op, Op::Binary(Binary::Mul, ..))).count(), 1);
    }

    #[test]
    fn recordings_nest() {
        let outer = Tape::record(1, |v| {
            let inner = Tape::record(1, |w| vec![w[0] + w[0]]);
            assert_eq!(inner.evaluate(&[2.0_f64]), [4.0]);
            vec![v[0] * v[0]]
        });
        assert_eq!(outer.evaluate(&[3.0_f64]), [9.0]);
    }

    proptest! {
        #[test]
        fn a_tape_evaluates_as_the_expression(a in -9.0_f64..9.0, b in -9.0_f64..9.0) {
            fn e<S: Scalar>(a: S, b: S) -> S { a.above(b).select(a * b, a - b).abs().sqrt() + b.floor() - a.min(b).tanh() }
            let tape = Tape::record(2, |v| vec![e(v[0], v[1])]);
            prop_assert_eq!(tape.evaluate(&[a, b])[0].to_bits(), e(a, b).to_bits());
        }
    }
}
