//! Samples and messages of the SpikerBox as bytes.
//!
//! A sample is two bytes, the first with bit 7 set: `1000 0aaa 0bbb bbbb` for ten bits. Messages stand between samples.
//!
//! Sources: Backyard Brains, `Heart-and-Brain-SpikerBox` (firmware) and `Spike-Recorder` (its reader).

use std::collections::VecDeque;

/// Samples a second.
pub const RATE: u32 = 10_000;
/// The largest sample.
pub const LARGEST: u16 = 1023;
/// What begins a message.
pub const BEGIN: [u8; 6] = [0xff, 0xff, 1, 1, 0x80, 0xff];
/// What ends one.
pub const END: [u8; 6] = [0xff, 0xff, 1, 1, 0x81, 0xff];
/// The longest message with its end.
const LONGEST: usize = 128;
/// Volts of one step: 1024 steps of 5 V.
pub const VOLTS: f64 = 5.0 / 1024.0;

/// The bytes of a sample.
#[must_use]
pub fn sample(value: u16) -> [u8; 2] {
    let value = value.min(LARGEST);
    [0x80 | (value >> 7).to_le_bytes()[0], (value & 0x7f).to_le_bytes()[0]]
}

/// The bytes of a message.
#[must_use]
pub fn message(text: &str) -> Vec<u8> {
    [&BEGIN, text.as_bytes(), &END].concat()
}

/// What is in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A sample.
    Sample {
        /// Its value.
        value: u16,
        /// Samples before it of which less than all came: bytes that are no sample, in pairs.
        broken: u64,
    },
    /// The text of a message.
    Message(Vec<u8>),
}

/// Takes a stream apart.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// A begun sample or message.
    begun: Vec<u8>,
    /// Bytes since the last sample that belong to none.
    stray: u64,
    items: VecDeque<Item>,
}

impl Decoder {
    /// Takes in bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.take(byte));
    }

    /// The next item.
    pub fn pop(&mut self) -> Option<Item> {
        self.items.pop_front()
    }

    fn take(&mut self, byte: u8) {
        self.begun.push(byte);
        let is_message = self.begun.starts_with(&BEGIN);
        if is_message {
            if self.begun.ends_with(&END) && self.begun.len() >= BEGIN.len() + END.len() {
                let text = self.begun[BEGIN.len()..self.begun.len() - END.len()].to_vec();
                self.items.push_back(Item::Message(text));
                self.begun.clear();
            } else if self.begun.len() > LONGEST {
                // its end was damaged; what it holds may be samples
                self.stray += BEGIN.len() as u64;
                self.again(BEGIN.len());
            }
            return;
        }
        if BEGIN.starts_with(&self.begun) {
            return;
        }
        match *self.begun.as_slice() {
            [first] if (0x80..=0x87).contains(&first) => {}
            [first, second] if (0x80..=0x87).contains(&first) && second < 0x80 => {
                let broken = self.stray.div_ceil(2);
                self.stray = 0;
                self.items.push_back(Item::Sample { value: u16::from(first & 7) << 7 | u16::from(second), broken });
                self.begun.clear();
            }
            _ => {
                // the first byte begins nothing
                self.stray += 1;
                self.again(1);
            }
        }
    }

    /// Looks again at what was begun, without its first bytes.
    fn again(&mut self, without: usize) {
        let rest = self.begun.split_off(without.min(self.begun.len()));
        self.begun.clear();
        rest.into_iter().for_each(|byte| self.take(byte));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Item> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.pop()).collect()
    }

    fn whole(value: u16) -> Item {
        Item::Sample { value, broken: 0 }
    }

    #[test]
    fn the_stream_of_a_box_is_read() {
        // real-firmware: what the sketch sends on a simulated processor
        assert_eq!(decode(&[0x85, 0x15, 0x85, 0x15, 0x85, 0x25]), [whole(661), whole(661), whole(677)]);
        let answer = b"\xff\xff\x01\x01\x80\xffHWT:HBLEOSB;\xff\xff\x01\x01\x81\xff";
        assert_eq!(decode(answer), [Item::Message(b"HWT:HBLEOSB;".to_vec())]);
        assert_eq!(message("HWT:HBLEOSB;"), answer);
        assert_eq!((sample(661), sample(0), sample(5000)), ([0x85, 0x15], [0x80, 0], [0x87, 0x7f]));
    }

    #[test]
    fn what_is_no_sample_is_counted_in_pairs() {
        // a lost second byte, a lost first byte, a changed bit 7
        assert_eq!(decode(&[0x85, 0x85, 0x15]), [Item::Sample { value: 661, broken: 1 }]);
        assert_eq!(decode(&[0x15, 0x85, 0x15]), [Item::Sample { value: 661, broken: 1 }]);
        assert_eq!(decode(&[0x85, 0x95, 0x85, 0x15]), [Item::Sample { value: 661, broken: 1 }]);
        assert_eq!(decode(&[0xff, 0xff, 0x85, 0x15]), [Item::Sample { value: 661, broken: 1 }]);
    }

    #[test]
    fn a_message_without_end_is_given_up() {
        let mut stream = BEGIN.to_vec();
        stream.extend([0x85, 0x15].repeat(100));
        let found = decode(&stream);
        assert_eq!((found.len(), &found[0]), (100, &Item::Sample { value: 661, broken: 3 }));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_passed_over(noise in proptest::collection::vec(any::<u8>(), 0..300), values in proptest::collection::vec(0_u16..1024, 70..80)) {
            let stream = [noise, values.iter().flat_map(|&v| sample(v)).collect()].concat();
            let found = decode(&stream);
            let tail: Vec<u16> = found.iter().filter_map(|i| if let Item::Sample { value, .. } = i { Some(*value) } else { None }).collect();
            prop_assert!(tail.ends_with(&values[values.len() - 5..]));
        }

        #[test]
        fn samples_and_messages_come_back(values in proptest::collection::vec(0_u16..1024, 0..50), at in 0_usize..50) {
            let at = at.min(values.len());
            let bytes = |v: &[u16]| v.iter().flat_map(|&v| sample(v)).collect::<Vec<_>>();
            let stream = [bytes(&values[..at]), message("EVNT:1;"), bytes(&values[at..])].concat();
            let mut want: Vec<Item> = values.iter().map(|&v| whole(v)).collect();
            want.insert(at, Item::Message(b"EVNT:1;".to_vec()));
            prop_assert_eq!(decode(&stream), want);
        }
    }
}
