//! How a kernel slides along one axis: extents, strides, dilation and padding, in elements.
//!
//! The output extent is that of PyTorch's `Conv1d` and `AvgPool2d`, which NIR adopts (Pedersen et al. 2024, Nat. Commun. 15:8122):
//! `⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1`, with `n` the input extent.

use crate::error::{Error, Result};
use std::ops::Range;

/// Zeros put around the input before a kernel slides over it, along `D` axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding<const D: usize> {
    /// So many zeros at both ends of each axis.
    Each([usize; D]),
    /// As many zeros as keep the extents, which needs a stride of one; where their number is odd, the end gets one more than the start.
    Same,
}

impl<const D: usize> Padding<D> {
    /// No padding at all.
    pub const VALID: Self = Self::Each([0; D]);
}

impl<const D: usize> Default for Padding<D> {
    fn default() -> Self {
        Self::VALID
    }
}

/// One axis of a sliding kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Extent of the input.
    pub(super) input: usize,
    /// Taps of the kernel.
    pub(super) kernel: usize,
    /// Input elements from one output to the next.
    pub(super) stride: usize,
    /// Input elements from one tap to the next.
    pub(super) dilation: usize,
    /// Zeros before the input.
    pub(super) before: usize,
    /// Zeros after the input.
    pub(super) after: usize,
    /// Extent of the output.
    pub(super) output: usize,
}

impl Axis {
    /// An axis padded by `padding` zeros at both ends, or, without it, so that the extent stays.
    pub(super) fn new(input: usize, kernel: usize, stride: usize, dilation: usize, padding: Option<usize>) -> Result<Self> {
        if input == 0 {
            return Err(Error::invalid_program("an input extent is 0: every extent is at least 1"));
        }
        if kernel == 0 {
            return Err(Error::invalid_program("a kernel extent is 0: every kernel extent is at least 1"));
        }
        if stride == 0 {
            return Err(Error::invalid_program("a stride is 0: every stride is at least 1"));
        }
        if dilation == 0 {
            return Err(Error::invalid_program("a dilation is 0: every dilation is at least 1, which leaves no gap"));
        }
        let overflow = || {
            Error::invalid_program(format!(
                "input extent {input}, kernel extent {kernel}, dilation {dilation} and padding {padding:?} exceed the address space: \
                 make them smaller"
            ))
        };
        let span = (kernel - 1).checked_mul(dilation).and_then(|s| s.checked_add(1)).ok_or_else(overflow)?;
        let (before, after) = match padding {
            Some(padding) => (padding, padding),
            None if stride == 1 => ((span - 1) / 2, (span - 1) - (span - 1) / 2),
            None => {
                return Err(Error::invalid_program(format!(
                    "padding \"same\" does not go with a stride of {stride}: give the padding in numbers, or a stride of 1"
                )));
            }
        };
        let padded = input.checked_add(before).and_then(|n| n.checked_add(after)).ok_or_else(overflow)?;
        if span > padded {
            return Err(Error::invalid_program(format!(
                "the kernel spans {span} elements, but the padded input has {padded}: use a smaller kernel or dilation, or more padding"
            )));
        }
        Ok(Self { input, kernel, stride, dilation, before, after, output: (padded - span) / stride + 1 })
    }

    /// The input element that a tap sees for an output, unless that is padding.
    pub(super) fn seen(&self, output: usize, tap: usize) -> Option<usize> {
        (output * self.stride + tap * self.dilation).checked_sub(self.before).filter(|&i| i < self.input)
    }

    /// The outputs for which a tap sees the input and not padding.
    pub(super) fn reach(&self, tap: usize) -> Range<usize> {
        let offset = tap * self.dilation;
        let start = self.before.saturating_sub(offset).div_ceil(self.stride);
        let end = match (self.before + self.input).checked_sub(offset + 1) {
            Some(last) => (last / self.stride + 1).min(self.output),
            None => 0,
        };
        start.min(end)..end
    }

    /// The input elements that a kernel without gaps covers for an output.
    pub(super) fn cover(&self, output: usize) -> Range<usize> {
        let start = output * self.stride;
        let end = (start + self.kernel).saturating_sub(self.before).min(self.input);
        start.saturating_sub(self.before).min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn output_extents_follow_the_formula() {
        let output = |n, k, s, d, p| Axis::new(n, k, s, d, Some(p)).expect("fits").output;
        assert_eq!(output(5, 3, 1, 1, 0), 3);
        assert_eq!(output(5, 3, 2, 1, 0), 2);
        assert_eq!(output(34, 3, 2, 1, 1), 17);
        assert_eq!(output(7, 3, 1, 2, 0), 3);
        assert_eq!(output(6, 3, 2, 2, 1), 2);
        assert_eq!(output(1, 1, 4, 9, 3), 2);
    }

    #[test]
    fn same_pads_the_end_with_the_odd_zero() {
        let axis = Axis::new(5, 4, 1, 1, None).expect("fits");
        assert_eq!((axis.before, axis.after, axis.output), (1, 2, 5));
        let axis = Axis::new(5, 3, 1, 2, None).expect("fits");
        assert_eq!((axis.before, axis.after, axis.output), (2, 2, 5));
        let axis = Axis::new(5, 2, 1, 3, None).expect("fits");
        assert_eq!((axis.before, axis.after, axis.output), (1, 2, 5));
    }

    #[test]
    fn what_cannot_slide_is_refused() {
        let refusal = |n, k, s, d, p| Axis::new(n, k, s, d, p).expect_err("must be refused").to_string();
        assert!(refusal(0, 1, 1, 1, Some(0)).contains("an input extent is 0"));
        assert!(refusal(5, 0, 1, 1, Some(0)).contains("a kernel extent is 0"));
        assert!(refusal(5, 3, 0, 1, Some(0)).contains("a stride is 0"));
        assert!(refusal(5, 3, 1, 0, Some(0)).contains("a dilation is 0"));
        assert!(refusal(5, 3, 2, 1, None).contains("give the padding in numbers"));
        assert!(refusal(5, 6, 1, 1, Some(0)).contains("the kernel spans 6 elements, but the padded input has 5"));
        assert!(refusal(5, 3, 1, usize::MAX, Some(0)).contains("exceed the address space"));
        assert!(refusal(5, 3, 1, 1, Some(usize::MAX / 2 + 1)).contains("exceed the address space"));
    }

    proptest! {
        #[test]
        fn reach_and_cover_agree_with_what_is_seen(
            n in 1_usize..12, k in 1_usize..6, s in 1_usize..5, d in 1_usize..4, p in prop::option::of(0_usize..7)
        ) {
            if let Ok(axis) = Axis::new(n, k, s, d, p) {
                for tap in 0..k {
                    let seeing: Vec<_> = (0..axis.output).filter(|&o| axis.seen(o, tap).is_some()).collect();
                    prop_assert_eq!(axis.reach(tap).collect::<Vec<_>>(), seeing);
                }
                if d == 1 {
                    for output in 0..axis.output {
                        let seen: Vec<_> = (0..k).filter_map(|tap| axis.seen(output, tap)).collect();
                        prop_assert_eq!(axis.cover(output).collect::<Vec<_>>(), seen);
                    }
                }
            }
        }
    }
}
