//! The polynomial terms of a recorded expression, for machines that add and multiply by wiring.
//!
//! An analog computer has no instructions: a sum is a node of wires, a product is a multiplier, a number is a coefficient. [`polynomials`]
//! reads off a tape what has to be wired. Inputs whose value is known, such as parameters, become numbers; what is left of the expression has
//! to be a polynomial in the others.

use crate::tape::{Binary, Op, Place, Tape, Unary};
use std::collections::BTreeMap;

/// More terms than any patch panel has wires for; an expansion that grows beyond is refused.
const MOST_TERMS: usize = 1024;
/// More factors than a term may have.
const MOST_FACTORS: usize = 16;

/// A product of variables: their places among the inputs of the tape, in ascending order, each as often as it occurs. Empty for one.
pub type Monomial = Vec<u32>;

/// A sum of terms, each a number times a product of variables. No number is nought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polynomial {
    terms: BTreeMap<Monomial, f64>,
}

/// Why an expression has no polynomial terms.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotPolynomial {
    /// A step is no sum, difference, product or division by a number.
    #[error("{step:?} is no polynomial: only sums, differences, products and divisions by a parameter can be wired")]
    Step {
        /// The expression that ends in this step.
        step: String,
    },
    /// The expansion has too many terms or factors.
    #[error("{step:?} expands to more than {MOST_TERMS} terms or {MOST_FACTORS} factors")]
    TooLarge {
        /// The expression that ends in this step.
        step: String,
    },
    /// A number of the expression is not finite.
    #[error("{step:?} is not a finite number")]
    NotFinite {
        /// The expression that ends in this step.
        step: String,
    },
}

impl Polynomial {
    /// A number.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self::default().plus(Monomial::new(), value)
    }

    /// A variable.
    #[must_use]
    pub fn variable(place: u32) -> Self {
        Self::default().plus(vec![place], 1.0)
    }

    /// The terms, ordered by their products.
    pub fn terms(&self) -> impl Iterator<Item = (&[u32], f64)> {
        self.terms.iter().map(|(product, &number)| (product.as_slice(), number))
    }

    /// The value as a number, if there is no variable in it.
    #[must_use]
    pub fn as_constant(&self) -> Option<f64> {
        match self.terms.len() {
            0 => Some(0.0),
            1 => self.terms.get(&Monomial::new()).copied(),
            _ => None,
        }
    }

    /// The value for values of the variables; a missing one counts as nought.
    #[must_use]
    pub fn evaluate(&self, variables: &[f64]) -> f64 {
        let value = |&place: &u32| variables.get(place as usize).copied().unwrap_or(0.0);
        self.terms().map(|(product, number)| number * product.iter().map(value).product::<f64>()).sum()
    }

    fn plus(mut self, product: Monomial, number: f64) -> Self {
        let sum = self.terms.get(&product).copied().unwrap_or(0.0) + number;
        if sum == 0.0 {
            self.terms.remove(&product);
        } else {
            self.terms.insert(product, sum);
        }
        self
    }

    fn scaled(&self, by: f64) -> Self {
        self.terms().fold(Self::default(), |sum, (product, number)| sum.plus(product.to_vec(), number * by))
    }

    fn sum(&self, other: &Self) -> Self {
        other.terms().fold(self.clone(), |sum, (product, number)| sum.plus(product.to_vec(), number))
    }

    /// The product; nothing if it is too large.
    fn times(&self, other: &Self) -> Option<Self> {
        let mut all = Self::default();
        for (a, x) in self.terms() {
            for (b, y) in other.terms() {
                let mut product = [a, b].concat();
                product.sort_unstable();
                if product.len() > MOST_FACTORS {
                    return None;
                }
                all = all.plus(product, x * y);
            }
            if all.terms.len() > MOST_TERMS {
                return None;
            }
        }
        Some(all)
    }
}

/// Every result of a tape as a polynomial in the inputs for which `known` gives no number.
///
/// `names` are those of the inputs, for messages.
///
/// # Errors
/// The first step that a result needs and that is no polynomial.
pub fn polynomials(
    tape: &Tape,
    names: &[String],
    known: impl Fn(usize) -> Option<f64>,
) -> Result<Vec<Polynomial>, NotPolynomial> {
    let mut places: Vec<Result<Polynomial, NotPolynomial>> = Vec::with_capacity(tape.ops().len());
    for (place, op) in tape.ops().iter().enumerate() {
        let step = || tape.step_text(place, names);
        let at = |p: Place| places[p as usize].clone();
        let result = match *op {
            Op::Input(i) => Ok(known(i as usize).map_or_else(|| Polynomial::variable(i), Polynomial::constant)),
            Op::Const(value) => Ok(Polynomial::constant(value)),
            Op::Unary(Unary::Neg, a) => at(a).map(|a| a.scaled(-1.0)),
            Op::Unary(f, a) => at(a).and_then(|a| match a.as_constant() {
                Some(a) => Ok(Polynomial::constant(f.apply(a))),
                None => Err(NotPolynomial::Step { step: step() }),
            }),
            Op::Binary(f, a, b) => at(a).and_then(|a| binary(f, &a, &at(b)?, step)),
            Op::Select(condition, yes, no) => at(condition).and_then(|condition| match condition.as_constant() {
                Some(c) => at(if c == 0.0 { no } else { yes }),
                None => Err(NotPolynomial::Step { step: step() }),
            }),
        };
        places.push(result.and_then(|p| {
            let finite = p.terms().all(|(_, number)| number.is_finite());
            if finite { Ok(p) } else { Err(NotPolynomial::NotFinite { step: step() }) }
        }));
    }
    tape.outputs().iter().map(|&o| places[o as usize].clone()).collect()
}

fn binary(f: Binary, a: &Polynomial, b: &Polynomial, step: impl Fn() -> String) -> Result<Polynomial, NotPolynomial> {
    if let (Some(a), Some(b)) = (a.as_constant(), b.as_constant()) {
        return Ok(Polynomial::constant(f.apply(a, b)));
    }
    let sum = match f {
        Binary::Add => a.sum(b),
        Binary::Sub => a.sum(&b.scaled(-1.0)),
        Binary::Mul => a.times(b).ok_or_else(|| NotPolynomial::TooLarge { step: step() })?,
        Binary::Div => match b.as_constant() {
            Some(divisor) => a.scaled(1.0 / divisor),
            None => return Err(NotPolynomial::Step { step: step() }),
        },
        Binary::Max | Binary::Min | Binary::Above | Binary::AtOrAbove => {
            return Err(NotPolynomial::Step { step: step() });
        }
    };
    if sum.terms.len() > MOST_TERMS { Err(NotPolynomial::TooLarge { step: step() }) } else { Ok(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;
    use crate::tape::Var;
    use proptest::prelude::*;

    fn names() -> Vec<String> {
        ["x", "y", "z", "p"].map(String::from).into()
    }

    fn terms(expression: impl FnOnce(&[Var]) -> Var, p: f64) -> Result<Vec<(Vec<u32>, f64)>, NotPolynomial> {
        let tape = Tape::record(4, |v| vec![expression(v)]);
        let all = polynomials(&tape, &names(), |i| (i == 3).then_some(p))?;
        Ok(all[0].terms().map(|(product, number)| (product.to_vec(), number)).collect())
    }

    #[test]
    fn an_equation_is_read_as_its_terms() {
        let leak = terms(|v| (v[1] - v[0] + Var::lit(3.0) * v[2]) / v[3], 0.5).expect("polynomial");
        assert_eq!(leak, [(vec![0], -2.0), (vec![1], 2.0), (vec![2], 6.0)]);
        let van_der_pol = terms(|v| v[3] * (Var::lit(1.0) - v[0] * v[0]) * v[1] - v[0], 2.0).expect("polynomial");
        assert_eq!(van_der_pol, [(vec![0], -1.0), (vec![0, 0, 1], -2.0), (vec![1], 2.0)]);
        assert_eq!(terms(|v| v[0] - v[0], 1.0).expect("nought"), []);
        assert_eq!(terms(|v| v[3].exp() * v[0], 0.0).expect("known"), [(vec![0], 1.0)]);
        assert_eq!(terms(|v| v[3].above(Var::lit(0.0)).select(v[0], v[0].exp()), 1.0).expect("known"), [(vec![0], 1.0)]);
    }

    #[test]
    fn what_is_none_is_refused_by_its_text() {
        let message = |e: NotPolynomial| e.to_string();
        let exp = message(terms(|v| v[1] + ((v[0] - v[1]) / v[3]).exp(), 2.0).expect_err("refused"));
        assert!(exp.starts_with("\"exp((x - y) / p)\" is no polynomial"), "{exp}");
        assert!(message(terms(|v| v[0] / v[1], 1.0).expect_err("refused")).contains("x / y"));
        assert!(message(terms(|v| v[0].max(v[1]), 1.0).expect_err("refused")).contains("max(x, y)"));
        assert!(message(terms(|v| v[0] / v[3], 0.0).expect_err("refused")).contains("finite"));
        let large = |v: &[Var]| (0..40).fold(v[0] + v[1], |all, _| all * (v[0] + v[1] + v[2]));
        assert!(matches!(terms(large, 1.0), Err(NotPolynomial::TooLarge { .. })));
    }

    #[test]
    fn a_step_that_no_result_needs_does_not_matter() {
        let tape = Tape::record(4, |v| {
            let _ = v[0].exp();
            vec![v[0] * v[1]]
        });
        assert_eq!(polynomials(&tape, &names(), |_| None).expect("polynomial")[0].evaluate(&[2.0, 5.0]), 10.0);
    }

    proptest! {
        #[test]
        fn the_terms_have_the_value_of_the_expression(x in -3.0_f64..3.0, y in -3.0_f64..3.0, p in 0.5_f64..3.0) {
            fn e<S: Scalar>(x: S, y: S, p: S) -> S { (x - y * x) * (x + p) / p - y * y * S::lit(0.25) + p }
            let tape = Tape::record(4, |v| vec![e(v[0], v[1], v[3])]);
            let terms = polynomials(&tape, &names(), |i| (i == 3).then_some(p)).expect("polynomial");
            prop_assert!((terms[0].evaluate(&[x, y]) - e(x, y, p)).abs() < 1e-11);
        }
    }
}
