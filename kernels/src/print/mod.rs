//! Kernels as text.

pub mod fixed_c;
pub mod opencl;
pub mod wgsl;

use crate::form::{Binary, Expr, Stmt, Type};
use std::fmt::Write;

/// What languages write differently.
trait Language {
    /// A constant number.
    fn number(&self, value: f32) -> String;
    /// The name of a type.
    fn kind(&self, kind: Type) -> String;
    /// An element of a buffer, or the elements for the lanes of the item.
    fn load(&self, kind: Type, buffer: usize, at: &Expr) -> String;
    /// The statement that writes to a buffer.
    fn store(&self, kind: Type, buffer: usize, at: &Expr, value: &Expr) -> String;
    /// An operator of one operand that is no sign.
    fn unary(&self, op: crate::form::Unary, a: &Expr) -> String;
    /// An operator of two operands that both languages do not have.
    fn special(&self, op: Binary, a: &Expr, b: &Expr) -> String;
    /// A choice.
    fn select(&self, condition: &Expr, yes: &Expr, no: &Expr) -> String;
    /// A call of the library.
    fn call(&self, name: &str, a: &Expr) -> String;
    /// The numbers of the lanes of an item.
    fn lanes(&self, first: &Expr) -> String;
    /// The beginning of a statement that names a value.
    fn declare(&self, name: &str, kind: Type, variable: bool) -> String;
    /// A loop over whole numbers.
    fn repeat(&self, name: &str, from: &str, to: &str) -> String;
}

/// How strongly an operator binds: products before sums; everything else stands in brackets.
fn strength(op: Binary) -> u8 {
    match op {
        Binary::Add | Binary::Sub => 2,
        Binary::Mul | Binary::Div | Binary::Rem => 3,
        _ => 1,
    }
}

fn symbol(op: Binary) -> Option<&'static str> {
    Some(match op {
        Binary::Add => "+",
        Binary::Sub => "-",
        Binary::Mul => "*",
        Binary::Div => "/",
        Binary::Rem => "%",
        Binary::And => "&",
        Binary::Or => "|",
        Binary::Xor => "^",
        Binary::Left => "<<",
        Binary::Right => ">>",
        Binary::Above => ">",
        Binary::AtOrAbove => ">=",
        Binary::Below => "<",
        Binary::Equal => "==",
        Binary::Differs => "!=",
        Binary::MulHigh | Binary::RightSigned => return None,
    })
}

/// A value as text.
fn expression(language: &dyn Language, e: &Expr) -> String {
    match e {
        Expr::Number(v) => language.number(*v),
        Expr::Whole(v) if *v > 0xffff => format!("0x{v:08x}u"),
        Expr::Whole(v) => format!("{v}u"),
        Expr::Name(_, name) => name.to_string(),
        Expr::Load(kind, buffer, at) => language.load(*kind, *buffer, at),
        Expr::Unary(crate::form::Unary::Neg, a) => format!("-{}", bracket(language, a, 4, false)),
        Expr::Unary(op, a) => language.unary(*op, a),
        Expr::Binary(op, a, b) => match symbol(*op) {
            Some(symbol) => {
                let own = strength(*op);
                format!("{} {symbol} {}", bracket(language, a, own, false), bracket(language, b, own, true))
            }
            None => language.special(*op, a, b),
        },
        Expr::Select(condition, yes, no) => language.select(condition, yes, no),
        Expr::Call(name, a) => language.call(name, a),
        Expr::Lanes(first) => language.lanes(first),
    }
}

/// An operand, in brackets where it needs them.
fn bracket(language: &dyn Language, e: &Expr, outer: u8, right: bool) -> String {
    let text = expression(language, e);
    let own = match e {
        Expr::Binary(op, ..) if symbol(*op).is_some() => strength(*op),
        Expr::Unary(crate::form::Unary::Neg, _) => 2,
        Expr::Number(v) if v.is_sign_negative() => 2,
        _ => 9,
    };
    // operators that are neither sums nor products never stand side by side without brackets
    if own < outer || (own == outer && (right || own == 1)) { format!("({text})") } else { text }
}

/// Statements as text.
fn statements(language: &dyn Language, body: &[Stmt], depth: usize, out: &mut String) {
    let indent = "    ".repeat(depth);
    for statement in body {
        let _ = match statement {
            Stmt::Let(name, value) => {
                writeln!(out, "{indent}{} = {};", language.declare(name, value.kind(), false), expression(language, value))
            }
            Stmt::Var(name, kind, value) => {
                writeln!(out, "{indent}{} = {};", language.declare(name, *kind, true), expression(language, value))
            }
            Stmt::Set(name, value) => writeln!(out, "{indent}{name} = {};", expression(language, value)),
            Stmt::Store(kind, buffer, at, value) => writeln!(out, "{indent}{};", language.store(*kind, *buffer, at, value)),
            Stmt::For(name, from, to, body) => {
                let (from, to) = (expression(language, from), bracket(language, to, 2, false));
                let _ = writeln!(out, "{indent}{} {{", language.repeat(name, &from, &to));
                statements(language, body, depth + 1, out);
                writeln!(out, "{indent}}}")
            }
            Stmt::If(condition, body) => {
                let _ = writeln!(out, "{indent}if ({}) {{", expression(language, condition));
                statements(language, body, depth + 1, out);
                writeln!(out, "{indent}}}")
            }
        };
    }
}

/// A number such that it is read back as the same number.
fn round_trip(value: f32) -> String {
    let text = format!("{value:?}");
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// Names that the statements or values use, of some.
fn used<'a>(names: &[&'a str], body: &[Stmt]) -> Vec<&'a str> {
    let mut found = vec![false; names.len()];
    for statement in body {
        statement.visit(&mut |e| {
            if let Expr::Name(_, name) = e
                && let Some(k) = names.iter().position(|n| **n == **name)
            {
                found[k] = true;
            }
        });
    }
    names.iter().zip(found).filter(|(_, found)| *found).map(|(name, _)| *name).collect()
}
