//! The functions that kernels call: the elementary ones of the core, recorded from the same lines that the CPU runs.

use crate::form::{Expr, Function, Stmt, Type};
use crate::straight::{Bits, Num, record};
use isoform_core::single::Word;
use isoform_core::{draw, polynomial};

/// A function of the library by its name.
#[must_use]
pub fn function(name: &str) -> Option<Function> {
    let real = |name, remark, f: fn(Num) -> Num| {
        let (body, result) = record("y", "v", || f(Num::given(Expr::real("x"))));
        Function { name, remark, argument: Type::Real, body, result }
    };
    let word = |name, remark, f: fn(Bits) -> Num| {
        let (body, result) = record("y", "v", || f(Bits::given(Expr::Name(Type::Word, "x".into()))));
        Function { name, remark, argument: Type::Word, body, result }
    };
    Some(match name {
        "exponential" => real("exponential", "e^x: argument reduced by ln 2, then a polynomial", polynomial::exp),
        "logarithm" => real("logarithm", "ln x: exponent taken off, then a polynomial", polynomial::ln),
        "hyperbolic_tangent" => {
            real("hyperbolic_tangent", "tanh x: a polynomial near nought, exponentials beyond", polynomial::tanh)
        }
        "sine" => real("sine", "sin x: argument reduced by pi/2, then a polynomial", polynomial::sin),
        "cosine" => real("cosine", "cos x: argument reduced by pi/2, then a polynomial", polynomial::cos),
        "normal" => word("normal", "the standard normal number that 32 random bits name", draw::normal),
        _ => return None,
    })
}

/// Statements that give the random bits of each lane of an item, and these bits, called `name`.
pub(crate) fn random_bits(name: &str, key: [Expr; 2], lanes: Expr, stream: u32, tick: [Expr; 2]) -> (Vec<Stmt>, Expr) {
    record(name, &format!("{name}_"), || {
        let (lanes, key, [low, high]) = (Bits::given(lanes), key.map(Bits::given), tick.map(Bits::given));
        // four lanes share a block
        let [a, b, c, d] = draw::philox([lanes.right(2), Bits::lit(stream), low, high], key);
        let word = lanes.and(Bits::lit(3));
        a.where_equal(word, 0, b.where_equal(word, 1, c.where_equal(word, 2, d)))
    })
}
