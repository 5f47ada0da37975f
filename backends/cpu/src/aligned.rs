//! Numbers that start at a cache line.

use crate::buffer::zeros;
use crate::error::CpuError;
use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
const LINE: usize = 64 / size_of::<f32>();

/// Numbers of which no vector lies across two cache lines, if it starts at a multiple of its length. Where an allocation starts is
/// chance, and with two lines for each vector a dense map takes half as long again.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    data: Vec<f32>,
    start: usize,
}

impl Aligned {
    /// So many noughts, or an error where they do not fit into memory.
    pub(crate) fn zeros(count: Option<usize>) -> Result<Self, CpuError> {
        let mut data: Vec<f32> = zeros(count.and_then(|n| n.checked_add(LINE)))?;
        // an alignment that cannot be had costs time alone
        let start = data.as_ptr().align_offset(64).min(LINE);
        data.truncate(data.len() - LINE + start);
        Ok(Self { data, start })
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[self.start..]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_at_a_line() {
        for count in [0, 1, 16, 1000] {
            let numbers = Aligned::zeros(Some(count)).expect("fits");
            assert_eq!((numbers.len(), numbers.as_ptr().align_offset(64)), (count, 0));
        }
        assert!(Aligned::zeros(None).is_err());
    }
}
