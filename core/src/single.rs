//! Single-precision numbers and 32-bit words, as processors have them.
//!
//! The elementary functions ([`crate::polynomial`]) and the random draws ([`crate::draw`]) take numbers apart into bits, which no
//! [`Scalar`](crate::scalar::Scalar) can. They are written once over [`Single`] and its [`Word`]s: evaluated in `f32` they are what
//! the CPU runs, and a crate that prints kernels records them with types of its own.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number of the IEEE 754 format binary32.
pub trait Single:
    Copy + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The bits of such a number.
    type Word: Word<Single = Self>;

    /// A constant.
    fn lit(value: f32) -> Self;
    /// The bits.
    fn bits(self) -> Self::Word;
    /// The magnitude.
    #[must_use]
    fn magnitude(self) -> Self;
    /// The square root.
    #[must_use]
    fn root(self) -> Self;
    /// `yes` where `self > limit`, else `no`. Both are evaluated.
    #[must_use]
    fn if_above(self, limit: Self, yes: Self, no: Self) -> Self;
    /// `yes` where `self < limit`, else `no`. Both are evaluated.
    #[must_use]
    fn if_below(self, limit: Self, yes: Self, no: Self) -> Self;
    /// `yes` where `self == other`, else `no`. Both are evaluated.
    #[must_use]
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self;
}

/// A word of 32 bits. Sums and differences wrap.
pub trait Word: Copy + Debug {
    /// The number that has such bits.
    type Single: Single<Word = Self>;

    /// A constant.
    fn lit(value: u32) -> Self;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// The difference.
    #[must_use]
    fn minus(self, other: Self) -> Self;
    /// The low and the high word of the product.
    #[must_use]
    fn times(self, by: u32) -> [Self; 2];
    /// The bits that both have.
    #[must_use]
    fn and(self, other: Self) -> Self;
    /// The bits that either has.
    #[must_use]
    fn or(self, other: Self) -> Self;
    /// The bits in which both differ.
    #[must_use]
    fn xor(self, other: Self) -> Self;
    /// Moved towards the high end.
    #[must_use]
    fn left(self, places: u32) -> Self;
    /// Moved towards the low end, noughts following.
    #[must_use]
    fn right(self, places: u32) -> Self;
    /// Moved towards the low end, the highest bit following.
    #[must_use]
    fn right_signed(self, places: u32) -> Self;
    /// The number that has these bits.
    fn to_single(self) -> Self::Single;
    /// The nearest number to the word, read as a signed whole number.
    fn signed_value(self) -> Self::Single;
    /// `yes` where no bit is set, else `no`. Both are evaluated.
    fn if_nought(self, yes: Self::Single, no: Self::Single) -> Self::Single;
}

impl Single for f32 {
    type Word = u32;

    #[inline(always)]
    fn lit(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn bits(self) -> u32 {
        self.to_bits()
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn if_above(self, limit: Self, yes: Self, no: Self) -> Self {
        if self > limit { yes } else { no }
    }
    #[inline(always)]
    fn if_below(self, limit: Self, yes: Self, no: Self) -> Self {
        if self < limit { yes } else { no }
    }
    #[inline(always)]
    fn if_equal(self, other: Self, yes: Self, no: Self) -> Self {
        if self == other { yes } else { no }
    }
}

impl Word for u32 {
    type Single = f32;

    #[inline(always)]
    fn lit(value: u32) -> Self {
        value
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn times(self, by: u32) -> [Self; 2] {
        let product = u64::from(self) * u64::from(by);
        [product as u32, (product >> 32) as u32]
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn left(self, places: u32) -> Self {
        self << places
    }
    #[inline(always)]
    fn right(self, places: u32) -> Self {
        self >> places
    }
    #[inline(always)]
    fn right_signed(self, places: u32) -> Self {
        ((self as i32) >> places) as u32
    }
    #[inline(always)]
    fn to_single(self) -> f32 {
        f32::from_bits(self)
    }
    #[inline(always)]
    fn signed_value(self) -> f32 {
        self as i32 as f32
    }
    #[inline(always)]
    fn if_nought(self, yes: f32, no: f32) -> f32 {
        if self == 0 { yes } else { no }
    }
}
