//! The way back: a buffer that the processor can read, and a wait for it.

use crate::clock::READINGS;
use crate::fault::WgpuError;
use crate::gpu::Gpu;
use isoform_kernels::device::Read;
use smallvec::SmallVec;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use wgpu::{Buffer, BufferDescriptor, BufferUsages, MapMode, SubmissionIndex};

/// The most bytes that come back at a time.
const MOST: usize = 64 << 20;

/// A buffer for what comes back: the readings of the clock first, then the numbers.
#[derive(Debug)]
pub(crate) struct Staging {
    pub(crate) buffer: Buffer,
    mapped: Arc<Mapped>,
}

/// A part of something that is read, and where it stands among the numbers that come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which of what is wanted.
    pub(crate) read: usize,
    /// Its first byte there.
    pub(crate) start: usize,
    /// Its first byte among the numbers.
    pub(crate) staged: usize,
    /// Its bytes.
    pub(crate) len: usize,
}

/// What comes back together next; `from` says how far the ones before went.
pub(crate) fn pieces(wanted: &[Read<'_>], from: &mut (usize, usize), room: usize) -> SmallVec<[Piece; 4]> {
    let (mut pieces, mut staged) = (SmallVec::new(), 0);
    while from.0 < wanted.len() && staged < room {
        let (read, start) = *from;
        let rest = wanted[read].into.len() - start;
        let len = rest.min(room - staged);
        if len > 0 {
            pieces.push(Piece { read, start, staged, len });
        }
        staged += len.next_multiple_of(8);
        *from = if len == rest { (read + 1, 0) } else { (read, start + len) };
    }
    pieces
}

/// Says when a buffer is mapped: another thread that waits for the same device may be the one that hears of it.
#[derive(Debug, Default)]
struct Mapped {
    outcome: Mutex<Option<bool>>,
    changed: Condvar,
}

impl Staging {
    pub(crate) fn new(gpu: &Gpu, bytes: usize) -> Self {
        let buffer = gpu.device.create_buffer(&BufferDescriptor {
            label: Some("staging"),
            size: READINGS + bytes.clamp(64, MOST).next_multiple_of(64) as u64,
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { buffer, mapped: Arc::default() }
    }

    /// Bytes that there are for numbers.
    pub(crate) fn room(&self) -> usize {
        (self.buffer.size() - READINGS) as usize
    }

    /// Whether a larger one would take more of so many bytes at a time.
    pub(crate) fn is_short_of(&self, bytes: usize) -> bool {
        self.room() < bytes.min(MOST)
    }

    /// Waits for a submission that copied `bytes` here, readings included, and hands them over.
    pub(crate) fn collect(
        &self,
        gpu: &Gpu,
        submission: SubmissionIndex,
        bytes: usize,
        take: impl FnOnce(&[u8]),
    ) -> Result<(), WgpuError> {
        const DOING: &str = "reading results";
        *self.mapped.outcome.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mapped = Arc::clone(&self.mapped);
        let range = 0..bytes as u64;
        gpu.watch(DOING, || {
            self.buffer.map_async(MapMode::Read, range.clone(), move |outcome| {
                *mapped.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.is_ok());
                mapped.changed.notify_all();
            });
        })?;
        gpu.wait(submission)?;
        self.mapped.wait(gpu)?;
        let view = self.buffer.get_mapped_range(range);
        let outcome = match &view {
            Ok(view) => {
                take(view);
                Ok(())
            }
            Err(error) => Err(gpu.failed(DOING, error.to_string())),
        };
        drop(view);
        self.buffer.unmap();
        outcome
    }
}

impl Mapped {
    fn wait(&self, gpu: &Gpu) -> Result<(), WgpuError> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *outcome {
                Some(true) => return Ok(()),
                Some(false) => return Err(gpu.failed("reading results", String::from("the buffer could not be mapped"))),
                None => {}
            }
            outcome = self.changed.wait_timeout(outcome, Duration::from_millis(100)).unwrap_or_else(PoisonError::into_inner).0;
            if outcome.is_none() {
                gpu.alive()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_comes_in_pieces() {
        let mut data = [[0; 24], [0; 24]];
        let [a, b] = &mut data;
        let wanted = [
            Read { buffer: 0, at: 0, into: &mut a[..12] },
            Read { buffer: 1, at: 0, into: &mut [] },
            Read { buffer: 2, at: 0, into: b },
        ];
        let mut from = (0, 0);
        let piece = |read, start, staged, len| Piece { read, start, staged, len };
        assert_eq!(pieces(&wanted, &mut from, 32).as_slice(), [piece(0, 0, 0, 12), piece(2, 0, 16, 16)]);
        assert_eq!(pieces(&wanted, &mut from, 32).as_slice(), [piece(2, 16, 0, 8)]);
        assert_eq!(from, (3, 0));
    }
}
