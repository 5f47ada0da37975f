//! Rows of noughts and ones as sets of bits.

use crate::buffer::{View, padded};
use wide::f32x8;

/// A set of so many inputs leaves a bit to tell that it is empty.
const MOST: usize = u64::BITS as usize - 1;

/// The inputs that are one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set(u64);

impl Set {
    /// Takes out the lowest; beyond all inputs if there is none.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> usize {
        let lowest = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        lowest as usize
    }

    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The inputs that are one among some from a lane on, if those are few and the others are nought.
#[inline(always)]
pub(super) fn set(x: &View<'_>, tick: usize, lane: usize, inputs: usize) -> Option<Set> {
    if inputs > MOST {
        return None;
    }
    let (mut active, mut ones) = (0, 0);
    for (eight, k) in x.stretch(tick, lane, padded(inputs))?.as_chunks::<8>().0.iter().zip(0..) {
        let eight = f32x8::new(*eight);
        active |= u64::from(eight.simd_ne(f32x8::ZERO).to_bitmask()) << (8 * k);
        ones |= u64::from(eight.simd_eq(f32x8::ONE).to_bitmask()) << (8 * k);
    }
    let inside = (1 << inputs) - 1;
    ((active ^ ones) & inside == 0).then_some(Set(active & inside))
}
