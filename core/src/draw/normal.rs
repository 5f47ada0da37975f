//! Normal numbers of random bits: the quantile of the normal distribution, in single precision.

use super::{LANES, Make};
use crate::polynomial::{SIGN, horner, ln};
use crate::single::{Single, Word};

/// The error of [`normal`] against the exact quantile is below this many ulp.
pub const NORMAL_ULP: f64 = 4.03;
/// No [`normal`] is larger in magnitude: the quantile at 2^-33.
pub const NORMAL_LARGEST: f32 = 6.337_958;

/// A number of the standard normal distribution: the quantile at the middle of the cell that the bits name.
///
/// The bits, read as a signed number `s`, stand for `u = 1/2 + (s + 1/2) / 2^32`. The quantile is odd in `q = u - 1/2`, and
/// `Φ⁻¹(u) = q R(w)` with `w = -ln(4 u (1 - u))` (the variable of Giles, *Approximating the erfinv function*, GPU Computing
/// Gems, 2010). `R` is replaced by polynomials of least relative error (Remez's exchange in 120-bit arithmetic): in `w` below
/// five, in `√w` above. Both are evaluated, so a loop over lanes has no branch. The distance from the nearer end is formed from
/// the integer, so the tails keep their digits out to [`NORMAL_LARGEST`].
#[must_use]
#[inline(always)]
pub fn normal<W: Word>(bits: W) -> W::Single {
    let place = Place::of(bits);
    let w = place.depth();
    place.number(w.if_below(W::Single::lit(MIDDLE), middle(w), tail(w)))
}

/// How blocks of them are made.
pub(super) struct Normal;

impl Make<f32> for Normal {
    /// A number waits long for the one step of its polynomials after the other, and a processor looks only so far ahead: in parts, more of them
    /// wait at a time. One in 250 lies in the tails, so that their polynomial is evaluated only where there is one.
    #[inline(always)]
    fn make(bits: &[u32], out: &mut [f32]) {
        let (mut w, mut ratio) = ([0.0; LANES], [0.0; LANES]);
        let (w, ratio, bits) = (&mut w[..out.len()], &mut ratio[..out.len()], &bits[..out.len()]);
        let mut end = u32::MAX;
        for (w, &bits) in w.iter_mut().zip(bits) {
            let place = Place::of(bits);
            *w = place.depth();
            end = end.min(place.from_end);
        }
        for (ratio, w) in ratio.iter_mut().zip(&*w) {
            *ratio = middle(*w);
        }
        for ((slot, &bits), ratio) in out.iter_mut().zip(bits).zip(&*ratio) {
            *slot = Place::of(bits).number(*ratio);
        }
        if end < TAIL {
            tails(bits, out);
        }
    }
}

/// Replaces those in the tails. (Apart from the loops, which would evaluate it for all numbers where one of them needs it.)
#[cold]
#[inline(never)]
fn tails(bits: &[u32], out: &mut [f32]) {
    for (slot, &bits) in out.iter_mut().zip(bits) {
        if Place::of(bits).from_end < TAIL {
            *slot = far(bits);
        }
    }
}

#[inline(never)]
fn far(bits: u32) -> f32 {
    normal(bits)
}

/// Up to here in `w` the polynomial of the middle holds.
const MIDDLE: f32 = 5.0;
/// What is at least so many cells from the nearer end is in the middle: `w` is below 4.91 there.
const TAIL: u32 = 8_000_000;

/// Where a normal number lies in its distribution.
#[derive(Debug, Clone, Copy)]
struct Place<W: Word> {
    sign: W,
    from_end: W,
    q: W::Single,
}

impl<W: Word> Place<W> {
    const CELL: f32 = 1.0 / 4_294_967_296.0;

    #[inline(always)]
    fn of(bits: W) -> Self {
        let sign = bits.right_signed(31);
        let from_middle = bits.xor(sign);
        let from_end = W::lit(0x7fff_ffff).minus(from_middle);
        let q = (from_middle.signed_value() + W::Single::lit(0.5)) * W::Single::lit(Self::CELL);
        Self { sign, from_end, q }
    }

    /// The `w` of the polynomials.
    #[inline(always)]
    fn depth(&self) -> W::Single {
        let lit = W::Single::lit;
        let p = (self.from_end.signed_value() + lit(0.5)) * lit(Self::CELL);
        -ln(lit(4.0) * p * (lit(0.5) + self.q))
    }

    /// The quantile, of which the ratio to `q` is given.
    #[inline(always)]
    fn number(&self, ratio: W::Single) -> W::Single {
        (self.q * ratio).bits().or(self.sign.and(W::lit(SIGN))).to_single()
    }
}

#[inline(always)]
fn middle<S: Single>(w: S) -> S {
    horner(
        w - S::lit(2.5),
        [
            4.246_627,
            0.697_604_06,
            -0.011_815_442,
            -3.543_299e-3,
            6.175_791e-4,
            -1.403_152_2e-5,
            -9.796_32e-6,
            1.316_782e-6,
            6.592_256e-8,
            -2.472_196_3e-8,
        ],
    )
}

#[inline(always)]
fn tail<S: Single>(w: S) -> S {
    horner(
        w.root() - S::lit(3.5),
        [
            9.434_178,
            2.849_27,
            9.265_365e-3,
            -5.848_919e-3,
            3.112_472e-3,
            -1.865_226_1e-3,
            1.171_943_3e-3,
            -7.398_029_6e-4,
            2.710_389_7e-4,
            6.788_124e-5,
            -6.380_815_5e-5,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{PI, SQRT_2};

    /// The quantile in double precision: Halley's iteration on the error function, from an approximate value on.
    fn quantile(bits: u32, from: f64) -> f64 {
        let q = (f64::from(bits as i32) + 0.5) / 4_294_967_296.0;
        let mut z = from;
        for _ in 0..3 {
            // The error function keeps its digits near the middle, the complementary one near the ends.
            let excess = if q.abs() < 0.25 {
                0.5 * libm::erf(z / SQRT_2) - q
            } else {
                (0.5 - q.abs() - 0.5 * libm::erfc(z.abs() / SQRT_2)) * q.signum()
            };
            let step = excess / ((-0.5 * z * z).exp() / (2.0 * PI).sqrt());
            z -= step / (1.0 + 0.5 * z * step);
        }
        z
    }

    fn assert_quantiles(stride: usize) {
        let mut worst = (0.0, 0);
        for bits in (0..=0x7fff_ffff_u32).step_by(stride).chain([0x7fff_ffff]) {
            let got = f64::from(normal(bits));
            let want = quantile(bits, got);
            let ulp = 2.0_f64.powi((want.to_bits() >> 52) as i32 - 1023 - 23);
            let error = (got - want).abs() / ulp;
            assert!(error < NORMAL_ULP, "normal({bits:#x}) = {got:e} is {error} ulp off {want:e}");
            if error > worst.0 {
                worst = (error, bits);
            }
        }
        eprintln!("normal: {:.4} ulp at {:#x}", worst.0, worst.1);
    }

    #[test]
    fn a_sweep_of_a_million_quantiles_stays_within_the_stated_error() {
        assert_quantiles(2039);
        // The last cells before the end, where the quantile is steepest.
        for distance in 0..100_000 {
            let got = f64::from(normal(0x7fff_ffff - distance));
            let want = quantile(0x7fff_ffff - distance, got);
            assert!((got - want).abs() < NORMAL_ULP * 2.0_f64.powi(-21), "{distance} cells from the end");
        }
    }

    #[test]
    #[ignore = "every quantile: minutes, and only with --release"]
    fn every_quantile_stays_within_the_stated_error() {
        assert_quantiles(1);
    }

    #[test]
    fn normal_numbers_are_odd_in_their_bits_and_bounded() {
        for bits in (0..=u32::MAX).step_by(4093) {
            assert_eq!(normal(!bits).to_bits(), (-normal(bits)).to_bits());
        }
        assert_eq!(normal(0x7fff_ffff), NORMAL_LARGEST);
        assert_eq!(normal(0x8000_0000), -NORMAL_LARGEST);
    }
}
