//! The kernel form: a small typed language between a program and the text of a kernel.
//!
//! A kernel runs its body once for each *item*, in any order. An item is one lane or, where the device has vectors, a row of
//! neighbouring lanes: [`Type::Real`], [`Type::Word`] and [`Type::Flag`] then are vectors, and everything else is one number.

use std::collections::BTreeSet;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Single precision, one for each lane of the item.
    Real,
    /// 32 bits, one for each lane of the item.
    Word,
    /// Yes or no, one for each lane of the item.
    Flag,
    /// Single precision, one for the item.
    Scalar,
    /// A whole number, one for the item.
    Index,
    /// Yes or no, one for the item.
    Truth,
}

/// Operators of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// The negative.
    Neg,
    /// The magnitude.
    Abs,
    /// The largest whole number that is not larger.
    Floor,
    /// The square root.
    Sqrt,
    /// The bits of a number.
    Bits,
    /// The number that has these bits.
    FromBits,
    /// The nearest number to a word, read as a signed whole number.
    Signed,
    /// The whole number nearest below a number that is not negative.
    Count,
}

/// Operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of the operators say what they are")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    /// The high word of a product.
    MulHigh,
    And,
    Or,
    Xor,
    Left,
    Right,
    RightSigned,
    Above,
    AtOrAbove,
    Below,
    Equal,
    Differs,
}

impl Binary {
    /// Whether the result is yes or no.
    #[must_use]
    pub fn compares(self) -> bool {
        matches!(self, Self::Above | Self::AtOrAbove | Self::Below | Self::Equal | Self::Differs)
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant number.
    Number(f32),
    /// A constant whole number, or the bits of something.
    Whole(u32),
    /// Something that was named.
    Name(Type, Arc<str>),
    /// An element of a buffer, or a row of them for the lanes of the item.
    Load(Type, usize, Arc<Expr>),
    /// An operator of one operand.
    Unary(Unary, Arc<Expr>),
    /// An operator of two operands.
    Binary(Binary, Arc<Expr>, Arc<Expr>),
    /// The second where the first holds, else the third.
    Select(Arc<Expr>, Arc<Expr>, Arc<Expr>),
    /// A function of the library.
    Call(&'static str, Arc<Expr>),
    /// The number of each lane of an item whose first lane is given.
    Lanes(Arc<Expr>),
}

impl Expr {
    /// A whole number that was named.
    #[must_use]
    pub fn index(name: &str) -> Self {
        Self::Name(Type::Index, name.into())
    }

    /// A number for each lane that was named.
    #[must_use]
    pub fn real(name: &str) -> Self {
        Self::Name(Type::Real, name.into())
    }

    /// A constant whole number.
    ///
    /// Buffers hold fewer than 2^32 numbers, which is checked where they are laid out.
    #[must_use]
    pub fn whole(value: usize) -> Self {
        Self::Whole(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// An operator of two operands.
    #[must_use]
    pub fn binary(self, op: Binary, other: Self) -> Self {
        Self::Binary(op, Arc::new(self), Arc::new(other))
    }

    /// An operator of one operand.
    #[must_use]
    pub fn unary(self, op: Unary) -> Self {
        Self::Unary(op, Arc::new(self))
    }

    /// `yes` where this holds, else `no`.
    #[must_use]
    pub fn select(self, yes: Self, no: Self) -> Self {
        Self::Select(Arc::new(self), Arc::new(yes), Arc::new(no))
    }

    /// The rest of a division.
    #[must_use]
    pub fn modulo(self, by: usize) -> Self {
        match (&self, by) {
            (_, 1) | (Self::Whole(0), _) => Self::Whole(0),
            _ => self.binary(Binary::Rem, Self::whole(by)),
        }
    }

    /// The whole part of a quotient.
    #[must_use]
    pub fn over(self, by: usize) -> Self {
        match by {
            1 => self,
            _ => self.binary(Binary::Div, Self::whole(by)),
        }
    }

    /// The product with a constant.
    #[must_use]
    pub fn by(self, factor: usize) -> Self {
        self * Self::whole(factor)
    }

    /// The kind of value.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self {
            Self::Number(_) => Type::Scalar,
            Self::Lanes(_) => Type::Word,
            Self::Whole(_) => Type::Index,
            Self::Name(kind, _) | Self::Load(kind, ..) => *kind,
            Self::Unary(op, a) => match (op, a.kind().is_wide()) {
                (Unary::Bits | Unary::Count, true) => Type::Word,
                (Unary::Bits | Unary::Count, false) => Type::Index,
                (Unary::FromBits | Unary::Signed, true) => Type::Real,
                (Unary::FromBits | Unary::Signed, false) => Type::Scalar,
                _ => a.kind(),
            },
            Self::Binary(op, a, b) => match (op.compares(), either(a, b)) {
                (false, kind) => kind,
                (true, kind) if kind.is_wide() => Type::Flag,
                (true, _) => Type::Truth,
            },
            Self::Select(c, yes, no) => match (c.kind(), either(yes, no)) {
                (Type::Flag, Type::Scalar) => Type::Real,
                (Type::Flag, Type::Index) => Type::Word,
                (_, kind) => kind,
            },
            Self::Call(_, a) if a.kind().is_wide() => Type::Real,
            Self::Call(..) => Type::Scalar,
        }
    }

    /// Calls `f` for this and every value within.
    pub fn visit(&self, f: &mut impl FnMut(&Self)) {
        f(self);
        match self {
            Self::Number(_) | Self::Whole(_) | Self::Name(..) => {}
            Self::Load(_, _, a) | Self::Unary(_, a) | Self::Call(_, a) | Self::Lanes(a) => a.visit(f),
            Self::Binary(_, a, b) => {
                a.visit(f);
                b.visit(f);
            }
            Self::Select(c, a, b) => {
                c.visit(f);
                a.visit(f);
                b.visit(f);
            }
        }
    }
}

/// The kind of what two operands give: many lanes where one of them has many.
fn either(a: &Expr, b: &Expr) -> Type {
    let (a, b) = (a.kind(), b.kind());
    if a.is_wide() { a } else { b }
}

impl Type {
    /// Whether there is one for each lane of the item.
    #[must_use]
    pub fn is_wide(self) -> bool {
        matches!(self, Self::Real | Self::Word | Self::Flag)
    }
}

impl Add for Expr {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Whole(0), _) => other,
            (_, Self::Whole(0)) => self,
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.wrapping_add(*b)),
            _ => self.binary(Binary::Add, other),
        }
    }
}

impl Sub for Expr {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        if other == Self::Whole(0) { self } else { self.binary(Binary::Sub, other) }
    }
}

impl Mul for Expr {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Whole(0), _) | (_, Self::Whole(0)) => Self::Whole(0),
            (Self::Whole(1), _) => other,
            (_, Self::Whole(1)) => self,
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.wrapping_mul(*b)),
            _ => self.binary(Binary::Mul, other),
        }
    }
}

impl Div for Expr {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        self.binary(Binary::Div, other)
    }
}

impl Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Stmt {
    /// Names a value.
    Let(Arc<str>, Expr),
    /// Names a value that may change, of a kind that its first value may be spread to.
    Var(Arc<str>, Type, Expr),
    /// Changes it.
    Set(Arc<str>, Expr),
    /// Writes to a buffer, from an element on: one number, or one for each lane of the item.
    Store(Type, usize, Expr, Expr),
    /// Repeats for whole numbers from the first up to but without the second.
    For(Arc<str>, Expr, Expr, Vec<Stmt>),
    /// Does something where a condition holds.
    If(Expr, Vec<Stmt>),
}

impl Stmt {
    /// Names a value, and gives the name.
    #[must_use]
    pub fn name(name: &str, value: Expr) -> (Self, Expr) {
        let kind = value.kind();
        (Self::Let(name.into(), value), Expr::Name(kind, name.into()))
    }

    /// Calls `f` for every value within.
    pub fn visit(&self, f: &mut impl FnMut(&Expr)) {
        match self {
            Self::Let(_, v) | Self::Var(_, _, v) | Self::Set(_, v) => v.visit(f),
            Self::Store(_, _, at, v) => {
                at.visit(f);
                v.visit(f);
            }
            Self::For(_, from, to, body) => {
                from.visit(f);
                to.visit(f);
                body.iter().for_each(|s| s.visit(f));
            }
            Self::If(condition, body) => {
                condition.visit(f);
                body.iter().for_each(|s| s.visit(f));
            }
        }
    }
}

/// What the elements of a buffer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Single precision.
    Real,
    /// Whole numbers of 32 bits.
    Word,
}

/// A buffer as a kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Which buffer of the lowered program.
    pub buffer: usize,
    /// Its name in the text.
    pub name: String,
    /// What its elements are.
    pub element: Element,
    /// Whether the kernel writes it.
    pub written: bool,
}

/// How many items a launch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// So many.
    Fixed(usize),
    /// So many for each tick.
    PerTick(usize),
}

/// What every launch is told, beside its buffers: names in the text.
pub mod span {
    /// The first row of the block that the launch computes.
    pub const FIRST: &str = "first";
    /// How many rows it computes.
    pub const TICKS: &str = "ticks";
    /// One if the input of the program changes from tick to tick, nought if it is held.
    pub const MOVING: &str = "moving";
    /// Ticks since the reset at the first row, low word.
    pub const TICK_LOW: &str = "tick_low";
    /// Ticks since the reset at the first row, high word.
    pub const TICK_HIGH: &str = "tick_high";
    /// All of them, in the order in which they are handed over.
    pub const ALL: [&str; 5] = [FIRST, TICKS, MOVING, TICK_LOW, TICK_HIGH];
    /// The number of an item.
    pub const ITEM: &str = "item";
}

/// A kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// Its name: a word that every language takes.
    pub name: String,
    /// What it computes, for the reader.
    pub remarks: Vec<String>,
    /// The buffers that it touches.
    pub bindings: Vec<Binding>,
    /// How many items it has.
    pub items: Items,
    /// How many lanes an item has.
    pub width: usize,
    /// What is done for an item.
    pub body: Vec<Stmt>,
}

impl Kernel {
    /// The functions of the library that the body calls.
    #[must_use]
    pub fn calls(&self) -> BTreeSet<&'static str> {
        let mut calls = BTreeSet::new();
        for statement in &self.body {
            statement.visit(&mut |e| {
                if let Expr::Call(name, _) = e {
                    calls.insert(*name);
                }
            });
        }
        calls
    }

    /// The binding of a buffer.
    #[must_use]
    pub fn binding(&self, buffer: usize) -> Option<&Binding> {
        self.bindings.iter().find(|b| b.buffer == buffer)
    }

    /// How many items a launch over so many ticks has.
    #[must_use]
    pub fn count(&self, ticks: usize) -> usize {
        match self.items {
            Items::Fixed(items) => items,
            Items::PerTick(items) => items * ticks,
        }
    }
}

/// A function of the library: one number from one.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it is, for the reader.
    pub remark: &'static str,
    /// The kind of its argument, which is called `x`.
    pub argument: Type,
    /// What is done first.
    pub body: Vec<Stmt>,
    /// The result.
    pub result: Expr,
}
