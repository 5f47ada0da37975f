use super::*;
use crate::dynamics::{Draw, Dynamics, Quantity, Signature};
use crate::functions::{library, lif};
use crate::neuron::Neuron;
use crate::scalar::Scalar;
use crate::semantics::{Preset, Semantics};
use crate::tape::{Tape, Var};
use proptest::prelude::*;

fn q24() -> Format {
    Format::new(24).expect("has room for one")
}

#[test]
fn the_library_is_covered_by_three_bytes_after_the_point() {
    let format = Format::covering(library().iter().map(AsRef::as_ref)).expect("fits");
    assert_eq!((format, format.to_string().as_str()), (q24(), "Q24"));
    assert_eq!(Format::new(31), Err(FixedPointError::Fraction(31)));
}

#[test]
fn numbers_are_rounded_up_at_the_half_and_end_at_32_bits() {
    let q = q24();
    assert_eq!([0.0, 1.0, -1.0, 0.5].map(|v| q.encode(v)), [Some(0), Some(1 << 24), Some(-1 << 24), Some(1 << 23)]);
    let half = 0.5 / 16_777_216.0;
    assert_eq!([half, -half, 3.0 * half, -3.0 * half].map(|v| q.encode(v)), [Some(1), Some(0), Some(2), Some(-1)]);
    assert_eq!([128.0, -128.0, -128.001, f64::NAN, f64::INFINITY].map(|v| q.encode(v)), [None, Some(i32::MIN), None, None, None]);
    assert_eq!([1e9, -1e9, f64::NAN].map(|v| q.encode_cut(v)), [(i32::MAX, true), (i32::MIN, true), (0, true)]);
}

#[test]
fn results_beyond_the_range_are_cut_and_counted() {
    let (q, mut clipped) = (q24(), 0);
    let n = |v: f64| q.encode(v).expect("in range");
    assert_eq!(Arithmetic::mul(q, n(1.5), n(-2.25), &mut clipped), n(-3.375));
    assert_eq!(Arithmetic::mul(q, 3, 1 << 23, &mut clipped), 2, "1.5 steps are rounded up");
    assert_eq!(Arithmetic::mul(q, -3, 1 << 23, &mut clipped), -1, "and so are -1.5");
    assert_eq!(Arithmetic::add(q, i32::MAX, i32::MIN, &mut clipped), -1);
    assert_eq!(clipped, 0);
    assert_eq!(Arithmetic::mul(q, n(12.0), n(12.0), &mut clipped), i32::MAX);
    assert_eq!(Arithmetic::mul(q, n(12.0), n(-12.0), &mut clipped), i32::MIN);
    assert_eq!(Arithmetic::add(q, n(100.0), n(100.0), &mut clipped), i32::MAX);
    assert_eq!(Arithmetic::sub(q, n(-100.0), n(100.0), &mut clipped), i32::MIN);
    assert_eq!(Arithmetic::neg(q, i32::MIN, &mut clipped), i32::MAX);
    assert_eq!(clipped, 5);
    assert_eq!([n(2.5), n(-2.5), n(-2.0)].map(|v| Arithmetic::floor(q, v)), [n(2.0), n(-3.0), n(-2.0)]);
    let whole = Format::new(0).expect("is a format");
    assert_eq!(Arithmetic::mul(whole, 7, -3, &mut clipped), -21);
}

fn evaluate(tape: &Tape, inputs: &[i32]) -> (Vec<i32>, u64) {
    let code = Straight::new(tape, q24(), "test").expect("boards have it");
    let (mut values, mut out, mut clipped) = (vec![0; code.operations().len()], vec![0; code.results().len()], 0);
    code.evaluate(inputs, &mut values, &mut out, &mut clipped);
    (out, clipped)
}

#[test]
fn what_boards_have_not_is_named_if_a_result_needs_it() {
    let needs = |e: fn(Var) -> Var| Straight::new(&Tape::record(1, |v| vec![e(v[0])]), q24(), "mine/1").map(|_| ());
    let error = needs(|v| v.exp()).expect_err("no exp");
    assert_eq!(error.to_string(), "mine/1 needs exp, which Q24 has not");
    assert!(needs(|v| Var::lit(1.0) / v).expect_err("no division").to_string().contains("needs division"));
    assert!(needs(|v| v + Var::lit(200.0)).expect_err("too large").to_string().contains("±127.99"));
    let unused = Tape::record(1, |v| {
        let _ = v[0].exp();
        vec![v[0]]
    });
    assert!(Straight::new(&unused, q24(), "mine/1").is_ok());
}

#[test]
fn exact_noughts_and_ones_leave_no_operation() {
    let tape = Tape::record(2, |v| vec![v[0] * Var::lit(1.0) + (v[1] - v[1]) + v[0] * Var::lit(0.0)]);
    let code = Straight::new(&tape, q24(), "test").expect("boards have it");
    assert_eq!(code.operations(), [Operation::Input(0)]);
    assert_eq!(code.reads(), [true, false]);
}

proptest! {
    #[test]
    fn code_is_within_the_rounding_of_its_products(a in -5.0_f64..5.0, b in -5.0_f64..5.0) {
        fn e<S: Scalar>(a: S, b: S) -> S {
            a.above(b).select(a * b, a - b).abs() + b.floor().max(a) - (-a).min(b) * S::lit(0.5) + a.at_or_above(S::lit(1.0))
        }
        let q = q24();
        let (a, b) = (q.encode(a).expect("fits"), q.encode(b).expect("fits"));
        let (got, clipped) = evaluate(&Tape::record(2, |v| vec![e(v[0], v[1])]), &[a, b]);
        let want = e(q.decode(a), q.decode(b));
        prop_assert!((q.decode(got[0]) - want).abs() <= q.spacing(), "{} {want}", q.decode(got[0]));
        prop_assert_eq!(clipped, 0);
    }

    #[test]
    fn products_are_rounded_exactly(a: i32, b: i32, fraction in 0_u32..=30) {
        let (q, mut clipped) = (Format::new(fraction).expect("is a format"), 0);
        let exact = i128::from(a) * i128::from(b);
        let rounded = (2 * exact + (1 << fraction)).div_euclid(2 << fraction);
        let want = rounded.clamp(i128::from(i32::MIN), i128::from(i32::MAX));
        prop_assert_eq!(i128::from(Arithmetic::mul(q, a, b, &mut clipped)), want);
        prop_assert_eq!(clipped, u64::from(want != rounded));
    }
}

#[test]
fn a_neuron_fires_and_lands_as_its_flags_say() {
    let neuron = lif();
    let step = FixedStep::new(neuron.function().as_ref(), q24()).expect("is affine");
    assert_eq!(step.widths(), [1, 1, 5, 1]);
    let q = q24();
    let n = |v: f64| q.encode(v).expect("in range");
    let tick = |flags: Flags, s: f64, x: f64| {
        // keeps half of the state, takes the input as it is, and rises by a quarter
        let (c, p) = ([n(0.5), n(1.0), n(0.25)], [0, 0, 0, n(1.0), n(-0.5)]);
        let (mut s, mut y, mut work) = ([n(s)], [0], step.work());
        let fired = step.tick(flags, [&[n(x)], &c, &p], &mut s, &mut y, &mut work);
        assert_eq!(y[0], if fired { q.one() } else { 0 });
        (q.decode(s[0]), fired)
    };
    let plain = Flags::default();
    assert_eq!(tick(plain, 0.5, 0.0), (0.5, false));
    assert_eq!(tick(plain, 0.5, 0.5), (1.0, false));
    assert_eq!(tick(Flags { at_or_above: true, ..plain }, 0.5, 0.5), (-0.5, true));
    assert_eq!(tick(plain, 0.5, 0.75), (-0.5, true));
    assert_eq!(tick(Flags { subtract: true, ..plain }, 0.5, 0.75), (-0.25, true));
    assert_eq!(tick(Flags { before_flow: true, ..plain }, 1.5, 0.0), (-0.5, true));
    assert_eq!(tick(Flags { before_flow: true, ..plain }, 0.5, 1.0), (1.5, false));
}

#[test]
fn flags_and_parameters_follow_from_semantics_and_tapes() {
    for &preset in Preset::ALL {
        let flags = Flags::from(&preset.semantics(1e-3));
        assert_eq!(Flags::from_bits(flags.bits()), Some(flags));
    }
    assert_eq!(Flags::from(&Preset::Spyx.semantics(1e-3)).bits() & 5, 5);
    assert_eq!(Flags::from_bits(8), None);
    let neuron = lif();
    let step = FixedStep::new(neuron.function().as_ref(), q24()).expect("is affine");
    assert_eq!(step.parameters(Flags::default()), [false, false, false, true, true]);
    // a resistance beyond the numbers acts through the coefficients alone
    let p = [1e-3, 1e6, 0.0, 1.0, -0.5];
    let encoded = step.encode_parameters(Flags::default(), &p).expect("is not read");
    assert_eq!(encoded, [0, 0, 0, 1 << 24, -(1 << 23)]);
    let error = step.encode_parameters(Flags::default(), &[1e-3, 1.0, 0.0, 200.0, 0.0]).expect_err("beyond the numbers");
    assert!(error.to_string().contains("isoform.lif/1"), "{error}");
    let c = neuron.function().coefficients(&Semantics::exact(1e-3), &p);
    assert!(matches!(step.encode_coefficients(&c), Err(FixedPointError::Range { .. })));
}

#[derive(Debug)]
struct Odd;

impl Dynamics<1, 1, 0, 1> for Odd {
    const SIGNATURE: Signature<1, 1, 0, 1> = Signature {
        id: "test.odd/1",
        summary: "A flow that is not affine.",
        source: "none",
        inputs: [Quantity::new("x", "1", [-1.0, 1.0], "input").input()],
        states: [Quantity::new("v", "1", [-1.0, 1.0], "state").state(0.0)],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "output").output()],
    };

    fn flow<S: Scalar>(&self, [x]: [S; 1], [v]: [S; 1], _: [S; 0]) -> [S; 1] {
        [v * x]
    }

    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 1], _: [S; 0], _: S) -> ([S; 1], [S; 1]) {
        (s, s)
    }
}

#[derive(Debug)]
struct Noisy;

impl Dynamics<1, 0, 0, 1> for Noisy {
    const SIGNATURE: Signature<1, 0, 0, 1> = Signature {
        id: "test.noisy/1",
        summary: "Noise.",
        source: "none",
        inputs: [Quantity::new("noise", "1", [-1.0, 1.0], "noise").drawn(Draw::PerTick)],
        states: [],
        parameters: [],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "output").output()],
    };

    fn tick<S: Scalar>(&self, x: [S; 1], s: [S; 0], _: [S; 0], _: S) -> ([S; 0], [S; 1]) {
        (s, x)
    }
}

#[test]
fn what_has_no_run_time_form_or_draws_is_refused() {
    let refuse = |neuron: Neuron| FixedStep::new(neuron.function().as_ref(), q24()).map(|_| ()).expect_err("is refused");
    assert_eq!(refuse(Neuron::new(Odd)), FixedPointError::NotAffine { function: String::from("test.odd/1") });
    assert_eq!(refuse(Neuron::new(Noisy)), FixedPointError::Draws { function: String::from("test.noisy/1") });
    for function in library() {
        assert!(FixedStep::new(function.as_ref(), q24()).is_ok());
    }
}
