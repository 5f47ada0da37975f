//! Straight-line code: values in the order in which they are computed, before they become statements.
//!
//! Two sources give such code: the [`Tape`] of a definition, and the elementary functions of the core, recorded over [`Num`] and
//! [`Bits`]. Either way a value that is used once is written where it is used, and one that is used more often gets a name.

use crate::form::{Binary, Expr, Stmt, Unary};
use isoform_core::single::{Single, Word};
use isoform_core::tape::{self, Op, Tape};
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

/// The place of a value.
type At = usize;

/// A value of straight-line code.
#[derive(Debug, Clone, PartialEq)]
enum Code {
    /// A value from outside.
    Given(Expr),
    Unary(Unary, At),
    Binary(Binary, At, At),
    Select(At, At, At),
    Call(&'static str, At),
}

/// Straight-line code that is being written.
#[derive(Debug, Default)]
pub(crate) struct Straight {
    code: Vec<Code>,
}

impl Straight {
    fn push(&mut self, code: Code) -> At {
        // equal values are computed once
        if let Some(at) = self.code.iter().position(|c| *c == code) {
            return at;
        }
        self.code.push(code);
        self.code.len() - 1
    }

    /// A value from outside.
    pub(crate) fn given(&mut self, value: Expr) -> At {
        self.push(Code::Given(value))
    }

    fn number(&self, at: At) -> Option<f32> {
        match &self.code[at] {
            Code::Given(Expr::Number(v)) => Some(*v),
            _ => None,
        }
    }

    /// An operator of two operands; a coefficient of nought or one leaves no trace.
    fn binary(&mut self, op: Binary, a: At, b: At) -> At {
        match (op, self.number(a), self.number(b)) {
            (Binary::Add, Some(0.0), _) => b,
            (Binary::Add | Binary::Sub, _, Some(0.0)) => a,
            (Binary::Mul, Some(v), _) | (Binary::Mul, _, Some(v)) if v == 0.0 => self.given(Expr::Number(0.0)),
            (Binary::Mul, Some(1.0), _) => b,
            (Binary::Mul | Binary::Div, _, Some(1.0)) => a,
            _ => self.push(Code::Binary(op, a, b)),
        }
    }

    /// Takes over a tape, with the given values for its inputs, and gives the places of its results.
    pub(crate) fn tape(&mut self, tape: &Tape, inputs: &[At]) -> Vec<At> {
        let mut places: Vec<At> = Vec::with_capacity(tape.ops().len());
        for op in tape.ops() {
            let place = match *op {
                Op::Input(i) => inputs[i as usize],
                // what no number reaches stays a number, since no language has a literal for infinity
                Op::Const(c) => self.given(Expr::Number((c as f32).clamp(f32::MIN, f32::MAX))),
                Op::Unary(f, a) => self.tape_unary(f, places[a as usize]),
                Op::Binary(f, a, b) => self.tape_binary(f, places[a as usize], places[b as usize]),
                Op::Select(c, a, b) => self.select(places[c as usize], places[a as usize], places[b as usize]),
            };
            places.push(place);
        }
        tape.outputs().iter().map(|&o| places[o as usize]).collect()
    }

    fn tape_unary(&mut self, f: tape::Unary, a: At) -> At {
        use tape::Unary as U;
        let call = |name| Code::Call(name, a);
        let code = match f {
            U::Neg => Code::Unary(Unary::Neg, a),
            U::Abs => Code::Unary(Unary::Abs, a),
            U::Floor => Code::Unary(Unary::Floor, a),
            U::Sqrt => Code::Unary(Unary::Sqrt, a),
            U::Exp => call("exponential"),
            U::Ln => call("logarithm"),
            U::Tanh => call("hyperbolic_tangent"),
            U::Sin => call("sine"),
            U::Cos => call("cosine"),
        };
        self.push(code)
    }

    fn tape_binary(&mut self, f: tape::Binary, a: At, b: At) -> At {
        use tape::Binary as B;
        match f {
            B::Add => self.binary(Binary::Add, a, b),
            B::Sub => self.binary(Binary::Sub, a, b),
            B::Mul => self.binary(Binary::Mul, a, b),
            B::Div => self.binary(Binary::Div, a, b),
            B::Max => self.pick(Binary::Above, [a, b], [a, b]),
            B::Min => self.pick(Binary::Below, [a, b], [a, b]),
            B::Above => self.indicator(Binary::Above, a, b),
            B::AtOrAbove => self.indicator(Binary::AtOrAbove, a, b),
        }
    }

    fn pick(&mut self, op: Binary, [a, b]: [At; 2], [yes, no]: [At; 2]) -> At {
        let flag = self.push(Code::Binary(op, a, b));
        self.push(Code::Select(flag, yes, no))
    }

    /// One where the comparison holds, else nought.
    pub(crate) fn indicator(&mut self, op: Binary, a: At, b: At) -> At {
        let (one, nought) = (self.given(Expr::Number(1.0)), self.given(Expr::Number(0.0)));
        self.pick(op, [a, b], [one, nought])
    }

    /// `yes` where a number is not nought, else `no`.
    pub(crate) fn select(&mut self, condition: At, yes: At, no: At) -> At {
        if yes == no {
            return yes;
        }
        if let Code::Select(flag, one, nought) = self.code[condition]
            && (self.number(one), self.number(nought)) == (Some(1.0), Some(0.0))
        {
            return self.push(Code::Select(flag, yes, no));
        }
        let nought = self.given(Expr::Number(0.0));
        self.pick(Binary::Differs, [condition, nought], [yes, no])
    }

    /// The condition that decides between one and nought.
    pub(crate) fn condition(&self, indicator: At) -> Option<At> {
        match self.code[indicator] {
            Code::Select(flag, ..) => Some(flag),
            _ => None,
        }
    }

    /// Statements that compute some values, with the names that these are to have. A value on the way that needs a name has one of the
    /// `hints`, or one that begins with `prefix`.
    ///
    /// A value that is one from outside needs no statement; the caller gets its expression.
    pub(crate) fn statements(&self, results: &[(At, &str)], hints: &[(At, &str)], prefix: &str) -> (Vec<Stmt>, Vec<Expr>) {
        let mut uses = vec![0_usize; self.code.len()];
        for &(at, _) in results {
            uses[at] += 1;
        }
        for at in (0..self.code.len()).rev() {
            if uses[at] > 0 {
                self.operands(at).into_iter().for_each(|operand| uses[operand] += 1);
            }
        }
        let (mut statements, mut values, mut count) = (Vec::new(), Vec::<Expr>::new(), 0);
        for (at, code) in self.code.iter().enumerate() {
            let rc = |at: At, values: &[Expr]| Arc::new(values[at].clone());
            let value = match *code {
                Code::Given(ref e) => e.clone(),
                Code::Unary(op, a) => Expr::Unary(op, rc(a, &values)),
                Code::Binary(op, a, b) => Expr::Binary(op, rc(a, &values), rc(b, &values)),
                Code::Select(c, a, b) => Expr::Select(rc(c, &values), rc(a, &values), rc(b, &values)),
                Code::Call(name, a) => Expr::Call(name, rc(a, &values)),
            };
            let wanted = results.iter().find(|&&(result, _)| result == at);
            // a result that is a name from outside gets one of its own, since the other may change before the result is used
            let is_given = matches!(code, Code::Given(e) if wanted.is_none() || !matches!(e, Expr::Name(..)));
            let value = match wanted {
                _ if is_given || uses[at] == 0 => value,
                None if uses[at] == 1 => value,
                _ => {
                    let name: Arc<str> = match wanted.or_else(|| hints.iter().find(|&&(hinted, _)| hinted == at)) {
                        Some((_, name)) => (*name).into(),
                        None => {
                            count += 1;
                            format!("{prefix}{count}").into()
                        }
                    };
                    let kind = value.kind();
                    statements.push(Stmt::Let(Arc::clone(&name), value));
                    Expr::Name(kind, name)
                }
            };
            values.push(value);
        }
        (statements, results.iter().map(|&(at, _)| values[at].clone()).collect())
    }

    fn operands(&self, at: At) -> Vec<At> {
        match self.code[at] {
            Code::Given(_) => Vec::new(),
            Code::Unary(_, a) | Code::Call(_, a) => vec![a],
            Code::Binary(_, a, b) => vec![a, b],
            Code::Select(c, a, b) => vec![c, a, b],
        }
    }
}

thread_local! {
    static RECORDED: RefCell<Straight> = RefCell::default();
}

/// A recorded single-precision number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Num(At);

/// A recorded word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits(At);

/// Records a computation over numbers and words: its statements, with names that begin with `prefix`, and its result.
pub(crate) fn record<R: Recorded>(name: &str, prefix: &str, computation: impl FnOnce() -> R) -> (Vec<Stmt>, Expr) {
    RECORDED.with_borrow_mut(|straight| straight.code.clear());
    let result = computation().place();
    RECORDED.with_borrow(|straight| {
        let (statements, mut values) = straight.statements(&[(result, name)], &[], prefix);
        (statements, values.remove(0))
    })
}

/// What can be recorded.
pub(crate) trait Recorded {
    /// Where it stands.
    fn place(self) -> At;
}

impl Recorded for Num {
    fn place(self) -> At {
        self.0
    }
}

impl Recorded for Bits {
    fn place(self) -> At {
        self.0
    }
}

fn recorded(code: Code) -> At {
    RECORDED.with_borrow_mut(|straight| straight.push(code))
}

impl Num {
    /// A number from outside.
    pub(crate) fn given(value: Expr) -> Self {
        Self(recorded(Code::Given(value)))
    }

    fn binary(self, op: Binary, other: Self) -> Self {
        Self(recorded(Code::Binary(op, self.0, other.0)))
    }

    fn pick(self, op: Binary, other: Self, yes: Self, no: Self) -> Self {
        Self(recorded(Code::Select(recorded(Code::Binary(op, self.0, other.0)), yes.0, no.0)))
    }
}

impl Bits {
    /// A word from outside.
    pub(crate) fn given(value: Expr) -> Self {
        Self(recorded(Code::Given(value)))
    }

    fn binary(self, op: Binary, other: Self) -> Self {
        Self(recorded(Code::Binary(op, self.0, other.0)))
    }

    /// This where the word is `value`, else the other.
    pub(crate) fn where_equal(self, word: Self, value: u32, other: Self) -> Self {
        let flag = recorded(Code::Binary(Binary::Equal, word.0, Self::lit(value).0));
        Self(recorded(Code::Select(flag, self.0, other.0)))
    }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident;)+) => {
        $(impl $operator for Num {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$operator, other)
            }
        })+
    };
}
arithmetic! { Add add; Sub sub; Mul mul; Div div; }

impl Neg for Num {
    type Output = Self;
    fn neg(self) -> Self {
        Self(recorded(Code::Unary(Unary::Neg, self.0)))
    }
}

impl Single for Num {
    type Word = Bits;

    fn lit(value: f32) -> Self {
        if value.is_finite() {
            Self::given(Expr::Number(value))
        } else {
            // no language has a literal for it
            Bits::lit(value.to_bits()).to_single()
        }
    }
    fn bits(self) -> Bits {
        Bits(recorded(Code::Unary(Unary::Bits, self.0)))
    }
    fn magnitude(self) -> Self {
        Self(recorded(Code::Unary(Unary::Abs, self.0)))
    }
    fn root(self) -> Self {
        Self(recorded(Code::Unary(Unary::Sqrt, self.0)))
    }
    fn if_above(self, limit: Self, yes: Self, no: Self) -> Self {
        self.pick(Binary::Above, limit, yes, no)
    }
    fn if_below(self, limit: Self, yes: Self, no: Self) -> Self {
        self.pick(Binary::Below, limit, yes, no)
    }
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self {
        self.pick(Binary::Equal, other, yes, no)
    }
}

impl Word for Bits {
    type Single = Num;

    fn lit(value: u32) -> Self {
        Self::given(Expr::Whole(value))
    }
    fn plus(self, other: Self) -> Self {
        self.binary(Binary::Add, other)
    }
    fn minus(self, other: Self) -> Self {
        self.binary(Binary::Sub, other)
    }
    fn times(self, by: u32) -> [Self; 2] {
        let by = Self::lit(by);
        [self.binary(Binary::Mul, by), self.binary(Binary::MulHigh, by)]
    }
    fn and(self, other: Self) -> Self {
        self.binary(Binary::And, other)
    }
    fn or(self, other: Self) -> Self {
        self.binary(Binary::Or, other)
    }
    fn xor(self, other: Self) -> Self {
        self.binary(Binary::Xor, other)
    }
    fn left(self, places: u32) -> Self {
        self.binary(Binary::Left, Self::lit(places))
    }
    fn right(self, places: u32) -> Self {
        self.binary(Binary::Right, Self::lit(places))
    }
    fn right_signed(self, places: u32) -> Self {
        self.binary(Binary::RightSigned, Self::lit(places))
    }
    fn to_single(self) -> Num {
        Num(recorded(Code::Unary(Unary::FromBits, self.0)))
    }
    fn signed_value(self) -> Num {
        Num(recorded(Code::Unary(Unary::Signed, self.0)))
    }
    fn if_nought(self, yes: Num, no: Num) -> Num {
        let flag = recorded(Code::Binary(Binary::Equal, self.0, Self::lit(0).0));
        Num(recorded(Code::Select(flag, yes.0, no.0)))
    }
}
