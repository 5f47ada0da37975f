//! Elementary functions in single precision, the same bits on every platform.
//!
//! The system's library differs from platform to platform and its functions are calls, which no loop over lanes can vectorise.
//! Each function here is straight-line arithmetic: a reduction of the argument, one or two polynomials, and a choice between
//! values. There is no table, no double precision and no fused multiply-add, so a loop over an array becomes vector code and
//! every processor with IEEE 754 arithmetic gives the same bits. They are written over [`Single`], so that kernels for other
//! processors are printed from the same lines.
//!
//! Method: the argument is reduced by Cody and Waite's splitting of the constant (*Software Manual for the Elementary
//! Functions*, 1980) and the remainder of the Taylor series is replaced by the polynomial of least relative error, found by
//! Remez's exchange in 120-bit arithmetic and rounded to single precision. The stated errors are those of the finished
//! functions, measured over **every** single-precision argument of the domain (`cargo test --release -p isoform-core
//! polynomial -- --ignored`) and rounded up.
//!
//! An ulp is the spacing of single-precision numbers at the exact result; below the smallest normal number it is 2^-149.

use crate::single::{Single, Word};
use std::f32::consts::{FRAC_2_PI, LOG2_E};

/// The error of [`exp`] is below this many ulp, results below the smallest normal number included.
pub const EXP_ULP: f64 = 0.98;
/// The error of [`ln`] is below this many ulp.
pub const LN_ULP: f64 = 0.85;
/// The error of [`tanh`] is below this many ulp.
pub const TANH_ULP: f64 = 1.46;
/// The error of [`sin`] is below this many ulp for angles up to [`ANGLE`].
pub const SIN_ULP: f64 = 1.5;
/// The error of [`cos`] is below this many ulp for angles up to [`ANGLE`].
pub const COS_ULP: f64 = 1.5;
/// The largest magnitude of an angle, in radians, for which [`SIN_ULP`] and [`COS_ULP`] hold.
pub const ANGLE: f32 = 1e4;

/// Added and subtracted, it rounds to the nearest whole number; the number then stands in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// The bit of the sign.
pub(crate) const SIGN: u32 = 0x8000_0000;

/// `ln 2` in two parts; the first has 15 bits, so that its product with an exponent is exact.
const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];

/// `π/2` in four parts; the first three have 11 bits each, so that their products with a count of 13 bits are exact.
const HALF_PI: [f32; 4] = [1.570_312_5, 4.837_513e-4, 7.549_533_6e-8, 2.563_344e-12];

/// `c[0] + c[1] x + c[2] x² + …`
#[inline(always)]
pub(crate) fn horner<S: Single, const N: usize>(x: S, c: [f32; N]) -> S {
    let mut sum = S::lit(c[N - 1]);
    for &c in c[..N - 1].iter().rev() {
        sum = sum * x + S::lit(c);
    }
    sum
}

/// `2^n` for exponents of normal numbers.
#[inline(always)]
fn power_of_two<S: Single>(n: S::Word) -> S {
    n.plus(S::Word::lit(127)).left(23).to_single()
}

#[inline(always)]
fn with_sign_of<S: Single>(magnitude: S, sign: S) -> S {
    magnitude.bits().or(sign.bits().and(S::Word::lit(SIGN))).to_single()
}

/// The exponential.
///
/// Above 88.72 it is infinite, below -103.97 nought. Results below the smallest normal number are rounded once, unless the
/// processor flushes them to nought.
#[must_use]
#[inline(always)]
pub fn exp<S: Single>(x: S) -> S {
    // Both limits lie beyond the range of results; a NaN passes, because it is not larger or smaller.
    let x = x.if_above(S::lit(89.0), S::lit(89.0), x);
    let x = x.if_below(S::lit(-104.0), S::lit(-104.0), x);
    let rounded = x * S::lit(LOG2_E) + S::lit(ROUND);
    let n = rounded.bits().minus(S::Word::lit(ROUND.to_bits()));
    let whole = rounded - S::lit(ROUND);
    let r = (x - whole * S::lit(LN_2[0])) - whole * S::lit(LN_2[1]);
    let tail = horner(r, [0.499_999_94, 0.166_665_2, 0.041_668_404, 8.368_899e-3, 1.381_422_3e-3]);
    let p = S::lit(1.0) + (r + r * r * tail);
    // In two steps, because 2^128 and 2^-150 are not single-precision numbers.
    let half = n.right_signed(1);
    p * power_of_two(half) * power_of_two(n.minus(half))
}

/// The natural logarithm.
///
/// Of nought it is negative infinity, of a negative number NaN, of infinity infinite.
#[must_use]
#[inline(always)]
pub fn ln<S: Single>(x: S) -> S {
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let smallest = S::lit(f32::MIN_POSITIVE);
    let scaled = x.if_below(smallest, x * S::lit(8_388_608.0), x);
    // x = 2^k m with m from √½ to √2, so that no digit cancels near one.
    let above = scaled.bits().minus(S::Word::lit(ROOT_HALF));
    let m = above.and(S::Word::lit(0x007f_ffff)).plus(S::Word::lit(ROOT_HALF)).to_single();
    let k = above.right_signed(23).signed_value() + x.if_below(smallest, S::lit(-23.0), S::lit(0.0));
    let f = m - S::lit(1.0);
    let tail = horner(
        f,
        [
            0.333_333_13,
            -0.250_000_1,
            0.200_021_24,
            -0.166_680_05,
            0.142_194_54,
            -0.124_053_4,
            0.118_886_93,
            -0.116_775_185,
            0.067_477_4,
        ],
    );
    let square = f * f;
    let low = (square * f * tail + k * S::lit(LN_2[1])) - S::lit(0.5) * square;
    let y = (f + low) + k * S::lit(LN_2[0]);
    let y = x.if_below(S::lit(f32::INFINITY), y, x);
    let y = x.if_equal(S::lit(0.0), S::lit(f32::NEG_INFINITY), y);
    x.if_below(S::lit(0.0), S::lit(f32::NAN), y)
}

/// The hyperbolic tangent.
///
/// Odd to the bit; from 9.02 on it is one.
#[must_use]
#[inline(always)]
pub fn tanh<S: Single>(x: S) -> S {
    let a = x.magnitude();
    let z = a * a;
    let series = horner(z, [-0.333_333_16, 0.133_325_86, -0.053_852_31, 0.021_071_678, -6.274_239e-3]);
    let small = a + a * (z * series);
    let large = S::lit(1.0) - S::lit(2.0) / (exp(a + a) + S::lit(1.0));
    with_sign_of(a.if_below(S::lit(0.55), small, large), x)
}

/// The angle less the nearest multiple of `π/2`, and that multiple.
#[inline(always)]
fn reduce<S: Single>(a: S) -> (S, S::Word) {
    let rounded = a * S::lit(FRAC_2_PI) + S::lit(ROUND);
    let n = rounded - S::lit(ROUND);
    let exact = (a - n * S::lit(HALF_PI[0])) - n * S::lit(HALF_PI[1]);
    let third = n * S::lit(HALF_PI[2]);
    let r = exact - third;
    // What that subtraction lost goes into the last part, so that the angle is rounded once and not twice.
    let lost = (exact - r) - third;
    let r = r - (n * S::lit(HALF_PI[3]) - lost);
    // Idle up to six million radians; beyond, it keeps the polynomials between -1 and 1. A NaN passes.
    let r = r.if_above(S::lit(0.79), S::lit(0.79), r);
    let r = r.if_below(S::lit(-0.79), S::lit(-0.79), r);
    (r, rounded.bits())
}

#[inline(always)]
fn sine_of_reduced<S: Single>(r: S) -> S {
    let z = r * r;
    r + r * (z * horner(z, [-0.166_666_67, 8.333_329e-3, -1.983_925e-4, 2.717_242_3e-6]))
}

#[inline(always)]
fn cosine_of_reduced<S: Single>(r: S) -> S {
    let z = r * r;
    S::lit(1.0) - (S::lit(0.5) * z - z * z * horner(z, [0.041_666_653, -1.388_764_7e-3, 2.446_289_5e-5]))
}

/// The sine of an angle in radians.
///
/// Up to [`ANGLE`] within [`SIN_ULP`], near multiples of `π` too. Beyond, the error grows to a few spacings of the *angle*,
/// and from six million radians on, where neighbouring angles are half a radian apart, the result is some number between -1
/// and 1. Of infinity it is NaN. Odd to the bit.
#[must_use]
#[inline(always)]
pub fn sin<S: Single>(x: S) -> S {
    let (r, quadrant) = reduce(x.magnitude());
    let y = quadrant.and(S::Word::lit(1)).if_nought(sine_of_reduced(r), cosine_of_reduced(r));
    let sign = quadrant.and(S::Word::lit(2)).left(30).xor(x.bits().and(S::Word::lit(SIGN)));
    y.bits().xor(sign).to_single()
}

/// The cosine of an angle in radians.
///
/// Its range and its limits are those of [`sin`]. Even to the bit.
#[must_use]
#[inline(always)]
pub fn cos<S: Single>(x: S) -> S {
    let (r, quadrant) = reduce(x.magnitude());
    let y = quadrant.and(S::Word::lit(1)).if_nought(cosine_of_reduced(r), sine_of_reduced(r));
    let sign = quadrant.plus(S::Word::lit(1)).and(S::Word::lit(2)).left(30);
    y.bits().xor(sign).to_single()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spacing of single-precision numbers at a value.
    fn ulp(value: f64) -> f64 {
        let exponent = (value.abs().to_bits() >> 52) as i32 - 1023;
        2.0_f64.powi(exponent.clamp(-126, 127) - 23)
    }

    fn error(got: f32, want: f64) -> f64 {
        let got = if got == f32::INFINITY { 2.0_f64.powi(128) } else { f64::from(got) };
        // An exact result of 2^128 or more rounds to infinity whatever it is.
        let want = want.min(2.0_f64.powi(128));
        if got == want { 0.0 } else { (got - want).abs() / ulp(want) }
    }

    /// The largest error over the numbers from nought to `limit` whose bits lie `stride` apart, with the argument.
    fn worst(limit: f32, stride: usize, negative: bool, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for bits in (0..=limit.to_bits()).step_by(stride) {
            let x = f32::from_bits(bits | if negative { 0x8000_0000 } else { 0 });
            let e = error(f(x), exact(f64::from(x)));
            assert!(!e.is_nan(), "NaN at {x}");
            if e > worst.0 {
                worst = (e, x);
            }
        }
        worst
    }

    fn assert_bounds(stride: usize) {
        type Case = (&'static str, f64, f32, &'static [bool], fn(f32) -> f32, fn(f64) -> f64);
        let cases: [Case; 5] = [
            ("exp", EXP_ULP, 110.0, &[false, true], exp, libm::exp),
            ("ln", LN_ULP, f32::MAX, &[false], ln, libm::log),
            ("tanh", TANH_ULP, 30.0, &[false], tanh, libm::tanh),
            ("sin", SIN_ULP, ANGLE, &[false], sin, libm::sin),
            ("cos", COS_ULP, ANGLE, &[false], cos, libm::cos),
        ];
        for (name, stated, limit, signs, f, exact) in cases {
            for &negative in signs {
                let (e, x) = worst(limit, stride, negative, f, exact);
                eprintln!("{name}: {e:.4} ulp at {x:e}");
                assert!(e < stated, "{name}({x:e}) is {e} ulp off, stated are {stated}");
            }
        }
    }

    #[test]
    fn a_sweep_of_a_million_arguments_stays_within_the_stated_errors() {
        assert_bounds(997);
    }

    #[test]
    #[ignore = "every single-precision number: minutes, and only with --release"]
    fn every_argument_stays_within_the_stated_errors() {
        assert_bounds(1);
    }

    #[test]
    fn angles_near_multiples_of_half_pi_keep_their_digits() {
        for n in 1..6366_u32 {
            let near = (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32;
            for x in [near.next_down(), near, near.next_up()] {
                assert!(error(sin(x), libm::sin(f64::from(x))) < SIN_ULP, "sin({x:e})");
                assert!(error(cos(x), libm::cos(f64::from(x))) < COS_ULP, "cos({x:e})");
            }
        }
    }

    #[test]
    fn symmetry_holds_to_the_bit() {
        for bits in (0..=f32::INFINITY.to_bits()).step_by(9973) {
            let x = f32::from_bits(bits);
            assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits(), "tanh({x:e})");
            if x.is_finite() {
                assert_eq!(sin(-x).to_bits(), (-sin(x)).to_bits(), "sin({x:e})");
                assert_eq!(cos(-x).to_bits(), cos(x).to_bits(), "cos({x:e})");
            }
        }
    }

    #[test]
    fn limits_are_those_of_the_functions() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(-104.0).to_bits(), 0);
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert_eq!(ln(1.0).to_bits(), 0);
        assert_eq!(ln(0.0), f32::NEG_INFINITY);
        assert_eq!(ln(-0.0), f32::NEG_INFINITY);
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        assert!(ln(-1e-45).is_nan());
        assert!(ln(-1.0).is_nan());
        assert!(ln(f32::NEG_INFINITY).is_nan());
        assert_eq!(tanh(-0.0).to_bits(), 0x8000_0000);
        assert_eq!(tanh(9.1), 1.0);
        assert_eq!(tanh(f32::MAX), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(sin(-0.0).to_bits(), 0x8000_0000);
        assert_eq!(cos(0.0), 1.0);
        assert!(sin(f32::INFINITY).is_nan());
        assert!(cos(f32::NEG_INFINITY).is_nan());
        for f in [exp::<f32>, ln, tanh, sin, cos] {
            assert!(f(f32::NAN).is_nan());
            assert!(f(-f32::NAN).is_nan());
        }
    }

    #[test]
    fn beyond_the_stated_angle_the_error_is_that_of_the_angle() {
        for bits in (ANGLE.to_bits()..f32::MAX.to_bits()).step_by(997) {
            let x = f32::from_bits(bits);
            let (s, c) = (f64::from(sin(x)), f64::from(cos(x)));
            assert!(s.abs() <= 1.0 && c.abs() <= 1.0, "{x:e}");
            if x < 6e6 {
                let spacing = ulp(f64::from(x));
                assert!((s - libm::sin(f64::from(x))).abs() < 4.0 * spacing, "sin({x:e})");
                assert!((c - libm::cos(f64::from(x))).abs() < 4.0 * spacing, "cos({x:e})");
            }
        }
    }

    #[test]
    fn values_are_stable() {
        let arguments = [0.1_f32, 0.7, 2.5, 31.25];
        assert_eq!(arguments.map(|x| exp(x).to_bits()), [0x3f8d_763e, 0x4000_e153, 0x4142_eb7f, 0x5607_b1d5]);
        assert_eq!(arguments.map(|x| exp(-x).to_bits()), [0x3f67_a36d, 0x3efe_406e, 0x3da8_1c2e, 0x28f1_7bbe]);
        assert_eq!(arguments.map(|x| ln(x).to_bits()), [0xc013_5d8e, 0xbeb6_9e1a, 0x3f6a_9208, 0x405c_4a0c]);
        assert_eq!(arguments.map(|x| tanh(x).to_bits()), [0x3dcc_1ebc, 0x3f1a_b7d9, 0x3f7c_92c1, 0x3f80_0000]);
        assert_eq!(arguments.map(|x| sin(x).to_bits()), [0x3dcc_7577, 0x3f24_eb73, 0x3f19_3579, 0xbe29_2155]);
        assert_eq!(arguments.map(|x| cos(x).to_bits()), [0x3f7e_b898, 0x3f43_ccb3, 0xbf4d_17bf, 0x3f7c_7be9]);
    }
}
