//! What a substrate supplies: buffers, compiled kernels and their launches.

use crate::lower::{Contents, Launch, Lowered};
use isoform_core::error::Result;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::time::Duration;

/// A program that was loaded onto a device.
///
/// Writes and launches take effect in the order of the calls, but perhaps not before the next [`read`](Device::read), which waits for all
/// of them.
pub trait Device: Debug + Send {
    /// Replaces the kernels and the buffers that hold constants, keeping every other buffer. If it fails, nothing has changed, or the
    /// error says that the state is lost.
    ///
    /// # Errors
    /// What the compiler of the device says.
    fn reload(&mut self, lowered: &Lowered, contents: &[Contents]) -> Result<()>;

    /// Writes bytes into a buffer, from a byte on; both are multiples of four.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    fn write(&mut self, buffer: usize, at: usize, bytes: &[u8]) -> Result<()>;

    /// Fills a buffer with noughts.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    fn clear(&mut self, buffer: usize) -> Result<()>;

    /// Launches the kernels of a block.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    fn launch(&mut self, lowered: &Lowered, block: crate::lower::Block) -> Result<()>;

    /// Waits for all that was asked for, and reads bytes of buffers.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    fn read(&mut self, wanted: &mut [Read<'_>]) -> Result<()>;

    /// Time that the device itself measured since the last call, if it can.
    fn spent(&mut self) -> Option<Duration> {
        None
    }
}

/// Bytes that are to be read.
#[derive(Debug)]
pub struct Read<'a> {
    /// The buffer.
    pub buffer: usize,
    /// The first byte.
    pub at: usize,
    /// Where they go.
    pub into: &'a mut [u8],
}

/// So many reads need no allocation.
pub(crate) type Reads<'a> = SmallVec<[Read<'a>; 4]>;

/// Launches that are told the same, for devices that hand over what a launch is told by its place.
pub fn spans(launches: impl Iterator<Item = Launch>, mut each: impl FnMut(usize, bool, &Launch)) {
    let mut last = None;
    let mut place = 0;
    for launch in launches {
        let fresh = last != Some(launch.span);
        if fresh && last.is_some() {
            place += 1;
        }
        last = Some(launch.span);
        each(place, fresh, &launch);
    }
}
