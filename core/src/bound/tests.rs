use super::*;
use crate::fixed_point::Straight;
use crate::scalar::Scalar;
use crate::tape::Var;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;

/// A substrate that computes in single precision, in one of the ways that a profile may declare.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Device {
    /// Every step rounded once.
    Plain,
    /// A product that is added or subtracted is not rounded.
    Fused,
    /// Numbers below the smallest normal one are nought.
    Flushing,
    /// Division, roots and functions are two numbers further off than they need be.
    Sloppy,
}

impl Device {
    fn accuracy(self) -> Accuracy {
        let single = Accuracy::single();
        // Two neighbours up from just below a power of two are three spacings of the lower kind, and the rounding of the device
        // itself comes on top.
        let worse = |p: Precision| Precision::within(p.ulp + 4.0);
        match self {
            Self::Plain => single,
            Self::Fused => Accuracy { contraction: true, ..single },
            Self::Flushing => Accuracy { subnormals: false, ..single },
            Self::Sloppy => Accuracy {
                division: worse(single.division),
                sqrt: worse(single.sqrt),
                exp: worse(single.exp),
                ln: worse(single.ln),
                tanh: worse(single.tanh),
                sin: worse(single.sin),
                cos: worse(single.cos),
                ..single
            },
        }
    }

    fn finish(self, x: f32) -> f32 {
        if self == Self::Flushing && x.is_subnormal() { 0.0 } else { x }
    }

    fn off(self, x: f32) -> f32 {
        match self {
            Self::Sloppy if x.to_bits() & 4 == 0 => x.next_up().next_up(),
            Self::Sloppy => x.next_down().next_down(),
            _ => x,
        }
    }

    fn run(self, tape: &Tape, inputs: &[f32]) -> Vec<f32> {
        let ops = tape.ops();
        let mut values: Vec<f32> = Vec::new();
        for op in ops {
            let v = |p: Place| values[p as usize];
            let factors = |p: Place| match ops[p as usize] {
                Op::Binary(Binary::Mul, a, b) if self == Self::Fused => Some((v(a), v(b))),
                _ => None,
            };
            let value = match *op {
                Op::Input(i) => inputs[i as usize],
                Op::Const(c) => <f32 as Scalar>::lit(c),
                Op::Unary(f @ (Unary::Neg | Unary::Abs | Unary::Floor), a) => f.apply(v(a)),
                Op::Unary(f, a) => self.off(f.apply(v(a))),
                Op::Binary(Binary::Add, a, b) => match (factors(a), factors(b)) {
                    (Some((x, y)), _) => x.mul_add(y, v(b)),
                    (None, Some((x, y))) => x.mul_add(y, v(a)),
                    (None, None) => v(a) + v(b),
                },
                Op::Binary(Binary::Sub, a, b) => match (factors(a), factors(b)) {
                    (_, Some((x, y))) => (-x).mul_add(y, v(a)),
                    (Some((x, y)), None) => x.mul_add(y, -v(b)),
                    (None, None) => v(a) - v(b),
                },
                Op::Binary(Binary::Div, a, b) => self.off(v(a) / v(b)),
                Op::Binary(f, a, b) => f.apply(v(a), v(b)),
                Op::Select(c, a, b) => v(c).select(v(a), v(b)),
            };
            values.push(self.finish(value));
        }
        tape.outputs().iter().map(|&o| values[o as usize]).collect()
    }
}

/// One random step: what is done, to which earlier results, with which constant.
type Step = (u8, usize, usize, usize, f64);

/// A recording of random steps, every one of which is a result.
fn record(inputs: usize, steps: &[Step]) -> Tape {
    Tape::record(inputs, |v| {
        let mut known: Vec<Var> = v.to_vec();
        for &(what, a, b, c, constant) in steps {
            let pick = |i: usize| known[i % known.len()];
            let (a, b, c, k) = (pick(a), pick(b), pick(c), Var::lit(constant));
            let one = Var::lit(1.0);
            known.push(match what {
                0 => a + b,
                1 => a - b,
                2 => a * b,
                3 => a / (b.abs() + Var::lit(0.5)),
                4 => a.max(b),
                5 => a.min(b),
                6 => a.above(b),
                7 => a.at_or_above(k),
                8 => a.above(b).select(b, c),
                9 => a.select(b, c),
                10 => -a,
                11 => a.abs(),
                12 => a.floor(),
                13 => (a.abs() + Var::lit(0.125)).sqrt(),
                14 => a.min(Var::lit(3.0)).exp(),
                15 => (a.abs() + Var::lit(0.3)).ln(),
                16 => a.tanh(),
                17 => a.sin(),
                18 => a.cos(),
                19 => a * k + b,
                20 => a * b - c * k,
                21 => a.max(Var::lit(-20.0)).sigmoid(),
                22 => a + one,
                _ => a * Var::lit(0.25),
            });
        }
        known
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = || 0_usize..1000;
    // Few constants, so that comparisons with equal operands do occur.
    let constant = prop::sample::select(vec![0.0, 1.0, -1.0, 0.1, 0.5, 1.0 / 3.0, -2.7, 3.0]);
    prop::collection::vec((0_u8..24, place(), place(), place(), constant), 1..20)
}

fn inputs(scale: f64) -> impl Strategy<Value = Vec<(f64, f64)>> {
    let value = prop_oneof![4 => -4.0..4.0_f64, 1 => Just(0.0), 1 => Just(1.0), 1 => Just(-0.5)];
    // Known exactly, or to a relative error of some part of a thousandth.
    let blur = prop_oneof![Just(0.0), -1e-3..1e-3_f64];
    prop::collection::vec((value.prop_map(move |x| x * scale), blur), 3)
}

/// How many results of random recordings were checked, had a finite bound, and lay outside it.
fn survey(device: Device, accuracy: &Accuracy, scale: f64, cases: u32) -> (u32, u32, u32, String) {
    let (checked, finite, outside) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let first = std::cell::RefCell::new(String::new());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(steps(), inputs(scale)), |(steps, inputs)| {
        let tape = record(3, &steps);
        let reference: Vec<f64> = inputs.iter().map(|&(x, _)| x).collect();
        let given: Vec<f32> = inputs.iter().map(|&(x, blur)| (x * (1.0 + blur)) as f32).collect();
        let known: Vec<Bounded> =
            reference.iter().zip(&given).map(|(&value, &g)| Bounded { value, error: (f64::from(g) - value).abs() }).collect();
        let bounds = bound(&tape, &known, accuracy);
        let exact = tape.evaluate(&reference);
        for (i, (got, (b, exact))) in device.run(&tape, &given).into_iter().zip(bounds.into_iter().zip(exact)).enumerate() {
            prop_assert_eq!(b.value.to_bits(), exact.to_bits(), "the bound is about another value");
            checked.set(checked.get() + 1);
            finite.set(finite.get() + u32::from(b.error.is_finite()));
            if !b.covers(f64::from(got)) {
                outside.set(outside.get() + 1);
                if first.borrow().is_empty() {
                    *first.borrow_mut() = format!("result {i}: {got:e} is not within {b:?} for {known:?} of {tape:?}");
                }
            }
        }
        Ok(())
    });
    outcome.expect("the values are those of the reference");
    (checked.get(), finite.get(), outside.get(), first.into_inner())
}

fn assert_holds(device: Device, scale: f64) {
    let (checked, finite, outside, first) = survey(device, &device.accuracy(), scale, 3000);
    assert_eq!(outside, 0, "of {checked}: {first}");
    // Otherwise the assertion above would say little.
    assert!(f64::from(finite) > 0.9 * f64::from(checked), "only {finite} of {checked} bounds are finite");
}

#[test]
fn every_step_of_a_plain_device_stays_within_its_bound() {
    assert_holds(Device::Plain, 1.0);
}

#[test]
fn the_bound_covers_contraction() {
    assert_holds(Device::Fused, 1.0);
}

#[test]
fn the_bound_covers_numbers_that_vanish() {
    assert_holds(Device::Flushing, 1.0);
    assert_holds(Device::Flushing, 2.0_f64.powi(-127));
    assert_holds(Device::Plain, 2.0_f64.powi(-127));
}

#[test]
fn the_bound_covers_imprecise_functions() {
    assert_holds(Device::Sloppy, 1.0);
}

#[test]
fn a_device_that_is_worse_than_declared_is_found_out() {
    let finer = Accuracy { unit_roundoff: 2.0_f64.powi(-27), ..Accuracy::single() };
    let (checked, _, outside, _) = survey(Device::Plain, &finer, 1.0, 300);
    assert!(outside * 20 > checked, "{outside} of {checked}");
    for device in [Device::Flushing, Device::Sloppy] {
        let (checked, _, outside, _) = survey(device, &Accuracy::single(), 2.0_f64.powi(-127), 300);
        assert!(outside * 100 > checked, "{device:?}: {outside} of {checked}");
    }
}

/// A step of a leaky integrator in its run-time form.
fn leaky() -> Tape {
    Tape::record(5, |v| vec![v[1] * v[0] + v[2] * v[3] + v[4]])
}

proptest! {
    #[test]
    fn the_bound_of_a_leaky_step_is_tight(s in -2.0_f32..2.0, x in -3.0_f32..3.0, decay in 0.5_f32..1.0, c in -0.1_f32..0.1) {
        let given = [s, decay, 1.0 - decay, x, c];
        let known = given.map(|v| Bounded::exact(f64::from(v)));
        let b = bound(&leaky(), &known, &Accuracy::single())[0];
        let magnitude = f64::from((decay * s).abs() + ((1.0 - decay) * x).abs() + c.abs());
        prop_assert!(b.error < 8.0 * Accuracy::single().spacing(magnitude), "{b:?} at magnitude {magnitude}");
        prop_assert!(b.covers(f64::from(leaky().evaluate(&given)[0])));
    }

    #[test]
    fn a_sum_of_products_stays_within_its_bound(
        terms in prop::collection::vec((-2.0_f64..2.0, -2.0_f64..2.0, -1e-4_f64..1e-4), 0..200), fused: bool, backwards: bool,
    ) {
        let mut terms = terms;
        let exact: f64 = terms.iter().map(|&(w, x, _)| w * x).sum();
        let magnitude: f64 = terms.iter().map(|&(w, x, _)| (w * x).abs()).sum();
        let inputs = |&(_, x, e): &(f64, f64, f64)| (x + e) as f32;
        let input_error: f64 = terms.iter().map(|t| (t.0 * (f64::from(inputs(t)) - t.1)).abs()).sum();
        let stated = Accuracy::single().dot(terms.len(), magnitude, input_error);
        if backwards { terms.reverse(); }
        let products = terms.iter().map(|t| (t.0 as f32, inputs(t)));
        let got = products.fold(0.0_f32, |sum, (w, x)| if fused { w.mul_add(x, sum) } else { sum + w * x });
        prop_assert!((f64::from(got) - exact).abs() <= stated);
    }
}

#[test]
fn the_bound_of_a_dot_product_is_that_of_the_book() {
    let u = 2.0_f64.powi(-24);
    let single = Accuracy::single();
    let stated = single.dot(3, 10.0, 0.0);
    assert!((stated / (10.0 * 4.0 * u) - 1.0).abs() < 1e-6, "{stated:e}");
    assert_eq!(single.dot(0, 0.0, 0.0), 0.0);
    assert_eq!(single.dot(1 << 24, 1.0, 0.0), f64::INFINITY);
    assert_eq!(single.dot(2, 1e39, 0.0), f64::INFINITY);
    let flushing = Accuracy { subnormals: false, ..single };
    assert!(flushing.dot(4, 0.0, 0.0) >= 8.0 * f64::from(f32::MIN_POSITIVE));
}

fn one(inputs: &[Bounded], expression: impl FnOnce(&[Var]) -> Var) -> Bounded {
    let tape = Tape::record(inputs.len(), |v| vec![expression(v)]);
    bound(&tape, inputs, &Accuracy::single())[0]
}

#[test]
fn an_open_comparison_keeps_the_decision_of_the_reference_and_covers_the_other() {
    let v = Bounded { value: 1.0, error: 1e-6 };
    assert_eq!(one(&[v], |v| v[0].above(Var::lit(1.0))), Bounded { value: 0.0, error: 1.0 });
    assert_eq!(one(&[v], |v| v[0].at_or_above(Var::lit(1.0))), Bounded { value: 1.0, error: 1.0 });
    assert_eq!(one(&[v], |v| v[0].above(Var::lit(0.5))), Bounded { value: 1.0, error: 0.0 });
    assert_eq!(one(&[Bounded::exact(1.0)], |v| v[0].above(Var::lit(1.0))), Bounded { value: 0.0, error: 0.0 });
    let fired = one(&[v], |v| v[0].at_or_above(Var::lit(1.0)).select(Var::lit(0.0), v[0]));
    assert_eq!(fired.value, 0.0);
    assert!(fired.error >= 1.0 + 1e-6 && fired.error < 1.0 + 1.1e-6, "{fired:?}");
}

#[test]
fn an_open_select_covers_both_branches_and_a_closed_one_only_its_own() {
    let (yes, no) = (Bounded { value: 3.0, error: 0.5 }, Bounded { value: 5.0, error: 0.25 });
    let with = |condition| one(&[condition, yes, no], |v| v[0].select(v[1], v[2]));
    assert_eq!(with(Bounded::exact(0.0)), no);
    assert_eq!(with(Bounded { value: 2.0, error: 1.0 }), yes);
    let open = with(Bounded { value: 0.0, error: 1e-9 });
    assert!(open.value == 5.0 && open.error >= 2.5 && open.error < 2.500_001, "{open:?}");
}

#[test]
fn a_floor_moves_by_as_much_as_the_interval_holds() {
    let floor = |value, error| one(&[Bounded { value, error }], |v| v[0].floor());
    assert_eq!(floor(2.5, 0.25), Bounded { value: 2.0, error: 0.0 });
    assert_eq!(floor(2.0, 1e-9), Bounded { value: 2.0, error: 1.0 });
    assert_eq!(floor(2.9, 0.2), Bounded { value: 2.0, error: 1.0 });
    assert_eq!(floor(2.5, 2.0), Bounded { value: 2.0, error: 2.0 });
}

#[test]
fn extremes_take_the_error_of_the_operand_that_wins() {
    let (low, high) = (Bounded { value: 1.0, error: 0.5 }, Bounded { value: 2.0, error: 0.1 });
    assert_eq!(one(&[low, high], |v| v[0].max(v[1])), high);
    assert_eq!(one(&[low, high], |v| v[0].min(v[1])), low);
    let near = Bounded { value: 1.5, error: 0.1 };
    assert_eq!(one(&[low, near], |v| v[0].max(v[1])), Bounded { value: 1.5, error: 0.5 });
}

#[test]
fn counters_and_resets_stay_exact() {
    let exact = |v: f64| Bounded::exact(v);
    assert_eq!(one(&[exact(41.0)], |v| v[0] + Var::lit(1.0)), exact(42.0));
    assert_eq!(one(&[exact(1.0), exact(0.5)], |v| v[0] * v[1]), exact(0.5));
    assert_eq!(one(&[exact(0.0), Bounded { value: 0.7, error: 0.1 }], |v| v[0] * v[1]), exact(0.0));
    let v = Bounded { value: 0.7, error: 0.125 };
    assert_eq!(one(&[v], |v| v[0] + Var::lit(0.0)), v);
    let half = one(&[v], |v| v[0] * Var::lit(0.5));
    assert!(half.error >= 0.0625 && half.error < 0.062_500_1, "{half:?}");
    // 0.1 is not a number of the format, and 2^24 + 1 is none either.
    assert!(one(&[exact(41.0)], |v| v[0] + Var::lit(0.1)).error > 0.0);
    assert!(one(&[exact(16_777_216.0)], |v| v[0] + Var::lit(1.0)).error >= 1.0);
}

#[test]
fn a_threshold_beyond_the_format_is_never_reached() {
    let v = Bounded { value: 1e30, error: 1e28 };
    let no_threshold = || Var::lit(f64::MAX);
    assert_eq!(one(&[v], |v| v[0].above(no_threshold())), Bounded { value: 0.0, error: 0.0 });
    assert_eq!(one(&[v], |v| v[0].min(no_threshold())), v);
    assert_eq!(one(&[v], |v| v[0].max(no_threshold())).error, f64::INFINITY);
    assert_eq!(one(&[v], |v| v[0] + no_threshold()).error, f64::INFINITY);
}

#[test]
fn nothing_is_said_where_nothing_is_known() {
    let near_nought = Bounded { value: 1e-3, error: 1e-3 };
    assert_eq!(one(&[near_nought], |v| Var::lit(1.0) / v[0]).error, f64::INFINITY);
    assert_eq!(one(&[near_nought], |v| v[0].ln()).error, f64::INFINITY);
    assert_eq!(one(&[Bounded { value: 1e-3, error: 2e-3 }], |v| v[0].sqrt()).error, f64::INFINITY);
    assert_eq!(one(&[Bounded::exact(1e30)], |v| v[0] * v[0]).error, f64::INFINITY);
    assert_eq!(one(&[Bounded::exact(89.0)], |v| v[0].exp()).error, f64::INFINITY);
    for error in [f64::NAN, -1.0, f64::INFINITY] {
        for f in [Var::tanh, Var::sin, Var::cos, Var::floor, Var::exp, Var::sqrt, Var::ln, Var::abs] {
            assert_eq!(one(&[Bounded { value: 0.5, error }], |v| f(v[0])).error, f64::INFINITY);
        }
        assert_eq!(one(&[Bounded { value: 0.5, error }], |v| v[0] * Var::lit(2.0) + v[0]).error, f64::INFINITY);
    }
    // The reference underflows to nought, the far end of the interval does not.
    let far = one(&[Bounded { value: -746.0, error: 700.0 }], |v| v[0].exp());
    assert!(far.covers(libm::exp(-46.0)), "{far:?}");
    assert!(Bounded { value: 0.0, error: f64::INFINITY }.covers(f64::NAN));
    assert!(!Bounded { value: 0.0, error: 1.0 }.covers(f64::NAN));
}

#[test]
fn angles_beyond_the_reduction_are_only_bounded() {
    assert_eq!(one(&[Bounded::exact(20_000.0)], |v| v[0].sin()).error, 2.0);
    assert!(one(&[Bounded::exact(9_999.0)], |v| v[0].sin()).error < 2e-7);
}

#[test]
fn contraction_is_covered_where_the_reference_itself_rounds() {
    // In double precision a product that is rounded by the reference is not free of rounding for a device that contracts.
    let tape = Tape::record(1, |v| vec![v[0] * v[0] - Var::lit(0.01)]);
    let b = bound(&tape, &[Bounded::exact(0.1)], &Accuracy { contraction: true, ..Accuracy::double() })[0];
    let contracted = 0.1_f64.mul_add(0.1, -0.01);
    assert_ne!(contracted, b.value);
    assert!(b.covers(contracted), "{contracted:e} {b:?}");
}

#[test]
fn an_accuracy_survives_its_profile() {
    for accuracy in [Accuracy::single(), Accuracy::double(), Accuracy::fixed(Format::new(24).expect("is a format"))] {
        let text = serde_json::to_string(&accuracy).expect("a table of numbers");
        assert_eq!(serde_json::from_str::<Accuracy>(&text).expect("what was written"), accuracy);
    }
}

/// A device that computes in fixed point, as boards do.
fn fixed_survey(format: Format, accuracy: &Accuracy, cases: u32) -> (u32, u32, u32, String) {
    let (checked, finite, outside) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let first = std::cell::RefCell::new(String::new());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    // boards neither divide nor have functions
    let steps = steps().prop_map(|steps| {
        let has = |what: u8| if matches!(what, 3 | 13..=18 | 21) { what % 3 } else { what };
        steps.into_iter().map(|(what, a, b, c, k)| (has(what), a, b, c, k)).collect::<Vec<Step>>()
    });
    let outcome = runner.run(&(steps, inputs(1.0)), |(steps, inputs)| {
        let tape = record(3, &steps);
        let code = Straight::new(&tape, format, "test").expect("boards have it");
        let reference: Vec<f64> = inputs.iter().map(|&(x, _)| x).collect();
        let given: Vec<i32> = inputs.iter().map(|&(x, blur)| format.encode(x * (1.0 + blur)).expect("is small")).collect();
        let known: Vec<Bounded> =
            reference.iter().zip(&given).map(|(&value, &g)| Bounded { value, error: (format.decode(g) - value).abs() }).collect();
        let (mut values, mut out) = (vec![0; code.operations().len()], vec![0; code.results().len()]);
        code.evaluate(&given, &mut values, &mut out, &mut 0);
        for (i, (got, b)) in out.into_iter().zip(bound(&tape, &known, accuracy)).enumerate() {
            let got = format.decode(got);
            checked.set(checked.get() + 1);
            finite.set(finite.get() + u32::from(b.error.is_finite()));
            if !b.covers(got) {
                outside.set(outside.get() + 1);
                if first.borrow().is_empty() {
                    *first.borrow_mut() = format!("result {i}: {got:e} is not within {b:?} for {known:?} of {tape:?}");
                }
            }
        }
        Ok(())
    });
    outcome.expect("nothing else is asserted");
    (checked.get(), finite.get(), outside.get(), first.into_inner())
}

#[test]
fn the_bound_covers_fixed_point() {
    for fraction in [8, 16, 24] {
        let format = Format::new(fraction).expect("is a format");
        let (checked, finite, outside, first) = fixed_survey(format, &Accuracy::fixed(format), 2000);
        assert_eq!(outside, 0, "Q{fraction}, of {checked}: {first}");
        assert!(f64::from(finite) > 0.9 * f64::from(checked), "only {finite} of {checked} bounds are finite");
    }
    // a table that claims a sixteenth of the spacing is noticed in seven results of a hundred; where spacings are finer, the inputs that are
    // not quite known hide more of it
    let (format, finer) = (Format::new(8).expect("is a format"), Format::new(12).expect("is a format"));
    let (checked, _, outside, _) = fixed_survey(format, &Accuracy::fixed(finer), 1000);
    assert!(outside * 20 > checked, "{outside} of {checked}");
}

#[test]
fn fixed_point_has_one_spacing_everywhere() {
    let format = Format::new(24).expect("is a format");
    let fixed = Accuracy::fixed(format);
    let step = format.spacing();
    assert!(fixed.is_uniform() && !Accuracy::single().is_uniform());
    assert_eq!([0.0, 1e-9, 1.0, 127.0].map(|v| fixed.spacing(v)), [step; 4]);
    assert_eq!([0.0, step, 1.0, -127.5, 77.0 * step].map(|v| fixed.stored(v).error), [0.0; 5]);
    let tenth = fixed.stored(0.1).error;
    assert!((0.5 * step..0.500_001 * step).contains(&tenth), "{tenth:e}");
    assert_eq!([128.0, -200.0].map(|v| fixed.stored(v).error), [f64::INFINITY; 2]);
    // three products are rounded, and their sum is exact
    let dot = fixed.dot(3, 10.0, 0.25 * step);
    assert!((1.75 * step..1.751 * step).contains(&dot), "{dot:e}");
    assert_eq!(fixed.dot(2, 128.0, 0.0), f64::INFINITY);
    assert!(fixed.sum(3, 10.0, 0.25 * step) < 0.2501 * step);
    assert_eq!([0.5, 0.1].map(|w| fixed.weight_error(w) > 0.0), [false, true]);
    assert_eq!([0.5, 0.1].map(|w| Accuracy::single().weight_error(w)), [0.0; 2]);
    let add = Tape::record(2, |v| vec![v[0] + v[1]]);
    let inputs = [Bounded { value: 1.0, error: step }, Bounded::exact(0.5)];
    assert!(bound(&add, &inputs, &fixed)[0].error < 1.0001 * step);
}

#[test]
fn an_older_table_may_evaluate_either_form() {
    let mut json = serde_json::to_value(Accuracy::single()).expect("a table");
    json.as_object_mut().expect("an object").remove("form");
    assert_eq!(serde_json::from_value::<Accuracy>(json).expect("is read"), Accuracy::single());
}
