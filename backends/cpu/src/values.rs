//! Coefficients in single precision.

use crate::buffer::padded;
use isoform_core::lanes::Param;
use std::ops::Range;

/// A coefficient in single precision: one for all, or one for each lane of a period.
#[derive(Debug)]
pub(crate) enum Values {
    One(f32),
    Each(Vec<f32>),
}

impl Values {
    /// Rounds one number per channel, and repeats them.
    pub(crate) fn new(numbers: &[f64], repeat: usize) -> Self {
        let single: Vec<f32> = numbers.iter().map(|&v| v as f32).collect();
        match single.split_first() {
            Some((first, rest)) if rest.iter().all(|v| v.to_bits() == first.to_bits()) => Self::One(*first),
            None => Self::One(0.0),
            Some(_) => {
                let mut each = single.repeat(repeat);
                // the last value fills the lanes beyond the end, so that they compute with sane numbers
                each.resize(padded(each.len()), single[single.len() - 1]);
                Self::Each(each)
            }
        }
    }

    pub(crate) fn param(&self, range: &Range<usize>) -> Param<'_> {
        match self {
            Self::One(v) => Param::One(*v),
            Self::Each(v) => Param::Each(&v[range.clone()]),
        }
    }

    pub(crate) fn one(&self) -> Option<Param<'static>> {
        match self {
            Self::One(v) => Some(Param::One(*v)),
            Self::Each(_) => None,
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        match self {
            Self::One(v) => v.is_finite(),
            Self::Each(v) => v.iter().all(|v| v.is_finite()),
        }
    }
}
