//! Blocks of samples that go into and come out of a substrate.
//!
//! A block covers a number of ticks, a number of independent batch lanes and the channels of all ports of one side of a program,
//! one port after the other. Dense data are laid out `[tick, batch, channel]`.

use crate::error::{Error, Result};

/// Ticks, batch lanes and channels of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    /// How many ticks.
    pub ticks: usize,
    /// How many independent lanes.
    pub batch: usize,
    /// How many channels in all ports together.
    pub channels: usize,
}

impl Extent {
    /// How many numbers a dense block of this extent holds; saturates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ticks.saturating_mul(self.row())
    }

    /// How many numbers one tick holds; saturates.
    #[must_use]
    pub fn row(&self) -> usize {
        self.batch.saturating_mul(self.channels)
    }

    /// Whether a block of this extent holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One sample of an event list; everything that is not listed is nought.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// The tick within the block.
    pub tick: u32,
    /// The batch lane.
    pub batch: u32,
    /// The channel.
    pub channel: u32,
    /// The value.
    pub value: f32,
}

/// A block that goes in.
#[derive(Debug, Clone, Copy)]
pub enum Signal<'a> {
    /// Every sample, `[tick, batch, channel]`.
    Dense(&'a [f32]),
    /// One row `[batch, channel]` that is the same at every tick.
    Held(&'a [f32]),
    /// The samples that are not nought, in the order of their ticks.
    Events(&'a [Event]),
}

/// A block that comes out.
#[derive(Debug)]
pub enum SignalMut<'a> {
    /// Every sample, `[tick, batch, channel]`.
    Dense(&'a mut [f32]),
    /// How often each channel fired in the block, added to what is there, `[batch, channel]`.
    Counts(&'a mut [u32]),
    /// One bit per sample: rows `[tick, batch]` of `channels.div_ceil(8)` bytes, lowest bit first.
    Bits(&'a mut [u8]),
}

/// Bytes in a row of bits.
#[must_use]
pub fn bytes_of_bits(channels: usize) -> usize {
    channels.div_ceil(8)
}

impl<'a> Signal<'a> {
    /// Checks size, order and finiteness against an extent.
    ///
    /// # Errors
    /// `InvalidSignal`, naming the first place that does not fit.
    pub fn check(&self, extent: Extent) -> Result<()> {
        match *self {
            Signal::Dense(data) => {
                expect_len("input", data.len(), extent.len())?;
                finite(data, extent)
            }
            Signal::Held(row) => {
                expect_len("held input", row.len(), extent.row())?;
                finite(row, extent)
            }
            Signal::Events(events) => {
                let mut last = 0;
                for (i, e) in events.iter().enumerate() {
                    let fits = (e.tick as usize) < extent.ticks
                        && (e.batch as usize) < extent.batch
                        && (e.channel as usize) < extent.channels;
                    if !fits || e.tick < last || !e.value.is_finite() {
                        return Err(Error::invalid_signal(format!(
                            "event {i} (tick {}, lane {}, channel {}, value {}) is out of order, not finite or outside {} ticks, {} lanes and {} channels",
                            e.tick, e.batch, e.channel, e.value, extent.ticks, extent.batch, extent.channels
                        )));
                    }
                    last = e.tick;
                }
                Ok(())
            }
        }
    }

    /// The part of a block from tick `from` up to tick `to`. Events keep the tick numbers of the whole block.
    #[must_use]
    pub fn ticks(&self, extent: Extent, from: usize, to: usize) -> Self {
        match *self {
            Signal::Dense(data) => Signal::Dense(&data[from * extent.row()..to * extent.row()]),
            Signal::Held(row) => Signal::Held(row),
            Signal::Events(events) => {
                let start = events.partition_point(|e| (e.tick as usize) < from);
                let end = events.partition_point(|e| (e.tick as usize) < to);
                Signal::Events(&events[start..end])
            }
        }
    }

    /// Writes the row of one tick.
    ///
    /// # Panics
    /// If the signal does not fit the extent.
    pub fn row(&self, extent: Extent, tick: usize, row: &mut [f32]) {
        match *self {
            Signal::Dense(data) => row.copy_from_slice(&data[tick * extent.row()..(tick + 1) * extent.row()]),
            Signal::Held(held) => row.copy_from_slice(held),
            Signal::Events(events) => {
                row.fill(0.0);
                let start = events.partition_point(|e| (e.tick as usize) < tick);
                for e in events[start..].iter().take_while(|e| e.tick as usize == tick) {
                    row[e.batch as usize * extent.channels + e.channel as usize] += e.value;
                }
            }
        }
    }
}

impl SignalMut<'_> {
    /// The same block for a shorter time.
    pub fn reborrow(&mut self) -> SignalMut<'_> {
        match self {
            SignalMut::Dense(data) => SignalMut::Dense(data),
            SignalMut::Counts(counts) => SignalMut::Counts(counts),
            SignalMut::Bits(bits) => SignalMut::Bits(bits),
        }
    }

    /// Checks the size against an extent.
    ///
    /// # Errors
    /// `InvalidSignal`, with the size that fits.
    pub fn check(&self, extent: Extent) -> Result<()> {
        match self {
            SignalMut::Dense(data) => expect_len("output", data.len(), extent.len()),
            SignalMut::Counts(counts) => expect_len("counts", counts.len(), extent.row()),
            SignalMut::Bits(bits) => {
                let rows = extent.ticks.saturating_mul(extent.batch);
                expect_len("bits", bits.len(), rows.saturating_mul(bytes_of_bits(extent.channels)))
            }
        }
    }

    /// The part of a block from tick `from` up to tick `to`. Counts are the same sums for every part.
    #[must_use]
    pub fn ticks(&mut self, extent: Extent, from: usize, to: usize) -> SignalMut<'_> {
        match self {
            SignalMut::Dense(data) => SignalMut::Dense(&mut data[from * extent.row()..to * extent.row()]),
            SignalMut::Counts(counts) => SignalMut::Counts(counts),
            SignalMut::Bits(bits) => {
                let row = extent.batch * bytes_of_bits(extent.channels);
                SignalMut::Bits(&mut bits[from * row..to * row])
            }
        }
    }

    /// Takes over the row of one tick.
    ///
    /// # Panics
    /// If the block does not fit the extent.
    pub fn put(&mut self, extent: Extent, tick: usize, row: &[f32]) {
        match self {
            SignalMut::Dense(data) => data[tick * extent.row()..(tick + 1) * extent.row()].copy_from_slice(row),
            SignalMut::Counts(counts) => {
                for (count, &v) in counts.iter_mut().zip(row) {
                    *count = count.saturating_add(whole(v));
                }
            }
            SignalMut::Bits(bits) => {
                let bytes = bytes_of_bits(extent.channels);
                for (lane, values) in row.chunks_exact(extent.channels.max(1)).enumerate() {
                    let at = (tick * extent.batch + lane) * bytes;
                    pack(&mut bits[at..at + bytes], values);
                }
            }
        }
    }
}

/// Packs a row of values into bits: one where the value is not nought.
pub fn pack(bits: &mut [u8], values: &[f32]) {
    bits.fill(0);
    for (c, &v) in values.iter().enumerate() {
        bits[c / 8] |= u8::from(v != 0.0) << (c % 8);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of spikes, saturating")]
fn whole(v: f32) -> u32 {
    v as u32
}

fn expect_len(what: &str, got: usize, want: usize) -> Result<()> {
    if got == want { Ok(()) } else { Err(Error::invalid_signal(format!("the {what} holds {got} numbers instead of {want}"))) }
}

fn finite(data: &[f32], extent: Extent) -> Result<()> {
    // An exponent of all ones carries into the sign bit. Whole numbers, so that the pass is vectorised; the place is looked up only
    // when there is one.
    let carry = |v: &f32| (v.to_bits() & 0x7f80_0000) + 0x0080_0000;
    let clean = data.chunks(4096).all(|chunk| chunk.iter().fold(0, |all, v| all | carry(v)) < 0x8000_0000);
    match if clean { None } else { data.iter().position(|v| !v.is_finite()) } {
        None => Ok(()),
        Some(i) => {
            let (row, channels) = (extent.row().max(1), extent.channels.max(1));
            Err(Error::invalid_signal(format!(
                "the input holds {} at tick {}, lane {}, channel {}; only finite numbers are taken",
                data[i],
                i / row,
                i % row / channels,
                i % channels
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: Extent = Extent { ticks: 3, batch: 2, channels: 2 };

    #[test]
    fn a_number_that_is_not_finite_is_named_by_place() {
        let mut data = [0.0; 12];
        data[9] = f32::NAN;
        let error = Signal::Dense(&data).check(EXTENT).expect_err("refused");
        assert!(error.to_string().contains("NaN at tick 2, lane 0, channel 1"), "{error}");
        data[9] = f32::INFINITY;
        assert!(Signal::Dense(&data).check(EXTENT).is_err());
    }

    #[test]
    fn events_and_dense_rows_agree() {
        let events = [Event { tick: 0, batch: 1, channel: 0, value: 2.0 }, Event { tick: 2, batch: 0, channel: 1, value: 1.0 }];
        let signal = Signal::Events(&events);
        signal.check(EXTENT).expect("fits");
        let mut row = [9.0; 4];
        signal.row(EXTENT, 0, &mut row);
        assert_eq!(row, [0.0, 0.0, 2.0, 0.0]);
        signal.row(EXTENT, 1, &mut row);
        assert_eq!(row, [0.0; 4]);
        assert!(matches!(signal.ticks(EXTENT, 1, 3), Signal::Events([e]) if e.tick == 2));
        let late = [events[1], events[0]];
        assert!(Signal::Events(&late).check(EXTENT).is_err());
    }

    #[test]
    fn counts_add_up_and_bits_pack() {
        let mut counts = [1, 0, 0, 0];
        let mut block = SignalMut::Counts(&mut counts);
        block.put(EXTENT, 0, &[1.0, 0.0, 2.0, 0.0]);
        block.put(EXTENT, 1, &[1.0, 0.0, 0.0, 0.0]);
        assert_eq!(counts, [3, 0, 2, 0]);
        let mut bits = [0; 6];
        SignalMut::Bits(&mut bits).put(EXTENT, 1, &[0.0, 1.0, 1.0, 1.0]);
        assert_eq!(bits, [0, 0, 0b10, 0b11, 0, 0]);
    }
}
