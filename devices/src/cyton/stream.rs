//! From the bytes of a stream to samples with their gaps.

use super::codec::{CHANNELS, Found, Framer, Packet, RATE};
use crate::stream::{Arrival, SampleClock};
use isoform_serial::error::{Result, SerialError};
use isoform_serial::lines::Lines;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a packet may take to come.
const PATIENCE: Duration = Duration::from_secs(2);
/// A packet that took so long, half of its period, was not lying there already.
const WAITED: Duration = Duration::from_millis(2);
/// How far the clocks of a board and a computer may be apart, as a share: a hundred times what quartz allows.
const TOLERANCE: f64 = 0.01;
/// How many samples the moment of arrival may be off: half a round of the counter.
const SLACK: f64 = 128.0;
/// Packets in a row whose counters make no sense after which they are no counters.
const DAMAGED: usize = 64;
/// Bytes without a packet after which there will be none.
const LONGEST: usize = 1 << 16;

/// A stream of packets from its start on.
#[derive(Debug)]
pub(crate) struct Packets {
    framer: Framer,
    clock: SampleClock,
    /// Packets that were read ahead.
    ahead: VecDeque<Read>,
    /// The counter and the number of the packet that was given last.
    last: Option<(u8, u64)>,
}

/// A packet and how it came.
#[derive(Debug, Clone, Copy)]
struct Read {
    packet: Packet,
    now: Duration,
    live: bool,
}

impl Packets {
    pub(crate) fn new() -> Self {
        Self { framer: Framer::default(), clock: SampleClock::new(RATE, TOLERANCE, SLACK), ahead: VecDeque::new(), last: None }
    }

    /// Notes that what was read ahead is no longer what the tissue does now.
    pub(crate) fn age(&mut self) {
        self.ahead.iter_mut().for_each(|read| read.live = false);
    }

    /// The next sample.
    pub(crate) fn next(&mut self, lines: &mut Lines) -> Result<Arrival<[i32; CHANNELS]>> {
        for _ in 0..DAMAGED {
            let read = self.read(lines)?;
            let Some((counter, number)) = self.last else {
                self.clock.meet(read.now, 0);
                return Ok(self.give(read, 0, 0));
            };
            let due = counter.wrapping_add(1);
            let mut gap = u64::from(read.packet.counter.wrapping_sub(due));
            if gap > 0 {
                // a counter that jumps is believed if it lies on the way to that of the next packet
                let after = self.read(lines)?;
                self.ahead.push_front(after);
                if gap >= u64::from(after.packet.counter.wrapping_sub(due)) {
                    continue;
                }
            }
            let mut place = number + 1 + gap;
            if self.clock.is_impossible(read.now, place) {
                let why = format!("{gap} packets are missing before it, more than there was time for");
                return Err(SerialError::garbled("a packet", &[read.packet.counter], why));
            }
            if read.live {
                let rounds = self.clock.missing(read.now, place, 256);
                gap += rounds;
                place += rounds;
                self.clock.meet(read.now, place);
            }
            return Ok(self.give(read, gap, place));
        }
        Err(SerialError::garbled("the counter of packets", &[], format!("{DAMAGED} in a row do not go on from each other")))
    }

    fn give(&mut self, read: Read, gap: u64, place: u64) -> Arrival<[i32; CHANNELS]> {
        self.last = Some((read.packet.counter, place));
        Arrival { sample: read.packet.channels, gap, live: read.live }
    }

    fn read(&mut self, lines: &mut Lines) -> Result<Read> {
        if let Some(read) = self.ahead.pop_front() {
            return Ok(read);
        }
        let what = "packet";
        let (start, deadline) = (lines.now(), lines.within(PATIENCE));
        loop {
            match self.framer.find() {
                Found::Packet(packet) => {
                    let now = lines.now();
                    return Ok(Read { packet, now, live: now.saturating_sub(start) >= WAITED });
                }
                Found::Need(_) if self.framer.passed() > LONGEST => {
                    return Err(SerialError::TooLong { what: what.to_owned(), limit: LONGEST });
                }
                Found::Need(bytes) => match lines.exactly(bytes, what, deadline) {
                    Ok(bytes) => self.framer.push(&bytes),
                    // a board that has just started sends its name instead of packets
                    Err(SerialError::Timeout { .. }) if self.framer.saw_text() => {
                        return Err(SerialError::Restarted { what: String::from("the stream") });
                    }
                    Err(e) => return Err(e),
                },
            }
        }
    }
}
