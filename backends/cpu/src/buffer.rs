//! Rows of numbers that pass from step to step.

use crate::aligned::Aligned;
use crate::error::CpuError;

/// Rows start at multiples of this many numbers, so that loops may run over whole vectors.
pub(crate) const PAD: usize = 16;

const _: () = assert!(isoform_core::lanes::BLOCK.is_multiple_of(PAD));

/// The next multiple of [`PAD`].
pub(crate) fn padded(lanes: usize) -> usize {
    lanes.next_multiple_of(PAD)
}

/// Noughts, or an error where they do not fit into memory.
pub(crate) fn zeros<T: Clone + Default>(count: Option<usize>) -> Result<Vec<T>, CpuError> {
    let count = count.ok_or(CpuError::OutOfMemory)?;
    // asked for first, because `vec!` aborts where there is not enough
    Vec::<T>::new().try_reserve_exact(count).map_err(|_| CpuError::OutOfMemory)?;
    Ok(vec![T::default(); count])
}

/// The values of one output of a step for a block of ticks: rows `[tick, lane]`, a lane for each channel of each batch lane.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(crate) data: Aligned,
    /// From row to row.
    pub(crate) stride: usize,
    /// One if the first row holds the tick before the block.
    pub(crate) lead: usize,
    /// Whether one row stands for all ticks of the chunk.
    pub(crate) held: bool,
}

impl Buffer {
    pub(crate) fn new(lanes: usize, ticks: usize, lead: bool, constant: bool) -> Result<Self, CpuError> {
        let (stride, lead) = (padded(lanes), usize::from(lead));
        let rows = if constant { 1 } else { ticks + lead };
        // linear maps write whole vectors, past the end of the last row
        let count = stride.checked_mul(rows).and_then(|n| n.checked_add(PAD));
        Ok(Self { data: Aligned::zeros(count)?, stride, lead, held: constant })
    }

    /// The rows as they are read, `late` for those of one tick before.
    pub(crate) fn view(&self, late: bool) -> View<'_> {
        let first = if late { 0 } else { self.lead };
        View { data: &self.data[first * self.stride..], stride: self.stride, held: self.held, whole: true }
    }

    /// Keeps the last row of a block of so many ticks for the next.
    pub(crate) fn roll(&mut self, ticks: usize) {
        if self.lead > 0 {
            self.data.copy_within(ticks * self.stride..(ticks + 1) * self.stride, 0);
        }
    }
}

/// Rows to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) stride: usize,
    /// Whether the first row holds for every tick.
    pub(crate) held: bool,
    /// Whether rows may be read up to a multiple of [`PAD`].
    pub(crate) whole: bool,
}

impl<'a> View<'a> {
    /// The row of a tick.
    pub(crate) fn row(&self, tick: usize, lanes: usize) -> &'a [f32] {
        let at = if self.held { 0 } else { tick * self.stride };
        &self.data[at..at + lanes]
    }

    /// So many numbers from a lane of a tick on, where there are as many, though they may belong to later rows.
    pub(crate) fn stretch(&self, tick: usize, lane: usize, count: usize) -> Option<&'a [f32]> {
        let at = lane + if self.held { 0 } else { tick * self.stride };
        self.data.get(at..at + count)
    }

    /// The rows from a tick on.
    pub(crate) fn from(&self, tick: usize) -> Self {
        Self { data: if self.held { self.data } else { &self.data[tick * self.stride..] }, ..*self }
    }
}
