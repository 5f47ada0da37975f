//! The firmware in software: every accepted letter is echoed, what is out of range does nothing, unknown letters are ignored.

use super::codec::Command;
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a number waits for further digits.
const PARSE: Duration = Duration::from_secs(1);

/// The board in software.
#[derive(Debug, Default)]
pub struct UMemristorTwin {
    /// The letter whose number is being read, and its digits.
    letter: Option<(char, String)>,
    heard: Duration,
    selected: usize,
    polarity: i8,
    power: bool,
    /// Pulses that each memristor got, forward less reverse.
    given: [i64; 8],
    out: VecDeque<u8>,
}

impl UMemristorTwin {
    /// A board that has just been switched on; its banner waits to be read.
    #[must_use]
    pub fn new() -> Self {
        let mut twin = Self::default();
        twin.boot();
        twin
    }

    /// Pulses that each memristor got, forward less reverse: what nobody can ask the real board.
    #[must_use]
    pub fn given(&self) -> [i64; 8] {
        self.given
    }

    fn boot(&mut self) {
        (self.letter, self.selected, self.polarity, self.power) = (None, 0, 0, true);
        self.out.clear();
        for line in ["Booted up", "Power is ON", "Pulse set to DISCONNECT", "Memristor 1 SELECTED"] {
            self.say(line);
        }
    }

    fn say(&mut self, line: &str) {
        self.out.extend(line.bytes().chain(*b"\r\n"));
    }

    fn perform(&mut self, letter: char, number: i64) {
        self.say(&letter.to_string());
        self.say(&number.to_string());
        let command = match (letter, number) {
            ('m', 1..=8) => {
                self.selected = usize::try_from(number - 1).unwrap_or(0);
                Command::Select(u8::try_from(number).unwrap_or(1))
            }
            ('p', -1..=1) => {
                self.polarity = i8::try_from(number).unwrap_or(0);
                Command::Polarity(self.polarity)
            }
            ('q', 0 | 1) => {
                self.power = number == 1;
                Command::Power(self.power)
            }
            ('w', 1..) if self.power => {
                self.given[self.selected] += i64::from(self.polarity) * number;
                return;
            }
            _ => return,
        };
        if let Some(text) = command.answer().get(2) {
            self.say(text);
        }
    }

    /// Ends a number; without digits it is nought.
    fn end_number(&mut self) {
        if let Some((letter, digits)) = self.letter.take() {
            self.perform(letter, digits.parse().unwrap_or(0));
        }
    }
}

impl Twin for UMemristorTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        if self.letter.is_some() && now >= self.heard + PARSE {
            self.end_number();
        }
        if !bytes.is_empty() {
            self.heard = now;
        }
        for &byte in bytes {
            let c = char::from(byte);
            match &mut self.letter {
                Some((_, digits)) if c.is_ascii_digit() || (c == '-' && digits.is_empty()) => {
                    if digits.len() < 9 {
                        digits.push(c);
                    }
                }
                // what ends a number stays to be read as a letter
                _ => {
                    self.end_number();
                    if matches!(c, 'm' | 'p' | 'q' | 'w') {
                        self.letter = Some((c, String::new()));
                    }
                }
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        if self.letter.is_some() && now >= self.heard + PARSE {
            self.end_number();
        }
        out.append(&mut self.out);
    }

    fn next(&self) -> Option<Duration> {
        self.letter.as_ref().map(|_| self.heard + PARSE)
    }

    fn restart(&mut self, _: Duration) {
        self.boot();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_echoes_as_the_firmware_does() {
        let mut twin = UMemristorTwin::new();
        let mut says = |bytes: &[u8], at: u64| {
            twin.receive(bytes, Duration::from_secs(at));
            let mut out = VecDeque::new();
            twin.transmit(Duration::from_secs(at), &mut out);
            String::from_utf8(out.into()).expect("is text")
        };
        says(b"", 0);
        assert_eq!(says(b"m3\n", 1), "m\r\n3\r\nMemristor 3 SELECTED\r\n");
        assert_eq!(says(b"m9\n", 2), "m\r\n9\r\n", "out of range, and echoed all the same");
        assert_eq!(says(b"p-1\n", 3), "p\r\n-1\r\nPulse set to REVERSE\r\n");
        assert_eq!(says(b"w5\n", 4), "w\r\n5\r\n");
        assert_eq!(says(b"x7\n", 5), "", "an unknown letter");
        assert_eq!(says(b"w2", 6), "", "it waits for further digits");
        assert_eq!(says(b"", 7), "w\r\n2\r\n");
        assert_eq!(twin.given(), [0, 0, -7, 0, 0, 0, 0, 0]);
    }
}
