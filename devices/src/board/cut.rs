//! How an advance of a board is cut into requests that fit its blocks.

use super::capabilities::Numbers;
use isoform_core::error::{Error, Result};
use isoform_core::signal::{Signal, SignalMut, bytes_of_bits};

/// The most ticks of one request, so that a run can be cancelled and its answer has a deadline.
pub(super) const MOST_TICKS: usize = 2000;

/// The modes of a run.
pub(super) const HELD: usize = 1;
pub(super) const BITS: usize = 2;
pub(super) const COUNTS: usize = 4;

/// What a run needs to know of the board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire {
    pub(super) numbers: Numbers,
    pub(super) block: usize,
    pub(super) modes: bool,
}

/// How one advance is cut into requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) mode: usize,
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) most: usize,
}

impl Cut {
    pub(super) fn new(x: &Signal<'_>, y: &SignalMut<'_>, [input, output]: [usize; 2], spikes: bool, wire: Wire) -> Result<Self> {
        let mut mode = 0;
        if wire.modes {
            mode |= if matches!(x, Signal::Held(_)) { HELD } else { 0 };
            // the board counts what is not nought, which are the spikes of an output that has nothing else
            mode |= match y {
                _ if !spikes => 0,
                SignalMut::Counts(_) => COUNTS,
                _ => BITS,
            };
        }
        let cut = Self { mode, input, output, most: MOST_TICKS };
        let most = (1..=MOST_TICKS).rev().find(|&ticks| cut.bytes_in(ticks) + cut.bytes_out(ticks) <= wire.block);
        match most {
            Some(most) => Ok(Self { most, ..cut }),
            None => {
                let why = format!("a row of {input} inputs and {output} outputs exceeds the {} bytes of a block", wire.block);
                Err(Error::unsupported(why))
            }
        }
    }

    pub(super) fn bytes_in(self, ticks: usize) -> usize {
        4 * self.input * if self.mode & HELD == 0 { ticks } else { 1 }
    }

    pub(super) fn bytes_out(self, ticks: usize) -> usize {
        match self.mode & (BITS | COUNTS) {
            0 => 4 * self.output * ticks,
            BITS => bytes_of_bits(self.output) * ticks,
            _ => 4 * self.output,
        }
    }
}
