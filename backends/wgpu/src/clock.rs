//! The clock of the device, where it has one.

use std::time::Duration;
use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, Device, Features, QuerySet,
    QuerySetDescriptor, QueryType, Queue,
};

/// Bytes of the two readings.
pub(crate) const READINGS: u64 = 16;

/// Reads when the first pass since the last read-back began and when the latest one ended.
#[derive(Debug)]
pub(crate) struct Clock {
    queries: QuerySet,
    resolved: Buffer,
    /// Nanoseconds of a tick of the clock.
    period: f64,
    running: bool,
    spent: Option<Duration>,
}

impl Clock {
    pub(crate) fn new(device: &Device, queue: &Queue) -> Option<Self> {
        if !device.features().contains(Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = device.create_query_set(&QuerySetDescriptor { label: Some("clock"), ty: QueryType::Timestamp, count: 2 });
        let resolved = device.create_buffer(&BufferDescriptor {
            label: Some("readings"),
            size: READINGS,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { queries, resolved, period: f64::from(queue.get_timestamp_period()), running: false, spent: None })
    }

    /// What the next pass is to note.
    pub(crate) fn note(&mut self) -> ComputePassTimestampWrites<'_> {
        let begin = (!std::mem::replace(&mut self.running, true)).then_some(0);
        ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: begin,
            end_of_pass_write_index: Some(1),
        }
    }

    /// Copies the readings to the beginning of a buffer, if there are any.
    pub(crate) fn copy(&mut self, encoder: &mut CommandEncoder, to: &Buffer) -> bool {
        if self.running {
            encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, to, 0, READINGS);
        }
        std::mem::replace(&mut self.running, false)
    }

    /// Takes the readings.
    pub(crate) fn take(&mut self, readings: &[u8]) {
        if let Some(&[begin, end]) = bytemuck::try_cast_slice::<u8, u64>(readings).ok().and_then(<[u64]>::first_chunk) {
            let passed = Duration::from_nanos((end.saturating_sub(begin) as f64 * self.period) as u64);
            self.spent = Some(self.spent.unwrap_or_default() + passed);
        }
    }

    /// What was read since the last time.
    pub(crate) fn spent(&mut self) -> Option<Duration> {
        self.spent.take()
    }
}
