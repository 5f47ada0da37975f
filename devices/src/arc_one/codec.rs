//! Numbers as the board wants them, one a line in decimal, and as it gives them, four bytes each.

use isoform_serial::error::{Result, SerialError};

/// The most that the board reads or the host believes, in ohms.
pub const LARGEST: f64 = 1e9;
/// The least, in ohms.
pub const SMALLEST: f64 = 100.0;

/// A job: its number and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(Vec<u8>);

impl Job {
    /// A job by its number, which is a text: `0`, `00`, `01` and `011` are different jobs.
    #[must_use]
    pub fn new(number: &str) -> Self {
        Self(format!("{number}\n").into_bytes())
    }

    /// The same with whole numbers.
    #[must_use]
    pub fn with(mut self, numbers: &[usize]) -> Self {
        for n in numbers {
            self.0.extend(format!("{n}\n").bytes());
        }
        self
    }

    /// The same with a voltage, in volts.
    #[must_use]
    pub fn with_volts(mut self, volts: f64) -> Self {
        self.0.extend(format!("{volts:.6}\n").bytes());
        self
    }

    /// The same with a time in seconds. It is always written with an exponent: six decimals would make nought of anything below half a
    /// microsecond.
    #[must_use]
    pub fn with_seconds(mut self, seconds: f64) -> Self {
        self.0.extend(format!("{seconds:e}\n").bytes());
        self
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Resistances in ohms from four bytes each.
///
/// # Errors
/// `Garbled` if one of them is no number that a cell can have, which is what bytes out of step look like.
pub fn resistances(what: &str, bytes: &[u8]) -> Result<Vec<f64>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(SerialError::garbled(what, rest, "numbers have four bytes"));
    }
    numbers
        .iter()
        .map(|&four| {
            let ohms = f64::from(f32::from_le_bytes(four));
            if (SMALLEST..=LARGEST).contains(&ohms) {
                Ok(ohms)
            } else {
                Err(SerialError::garbled(what, &four, format!("{ohms} ohms is no resistance of a cell: bytes are out of step")))
            }
        })
        .collect()
}

/// A decimal number as the board reads it, by `atof`: what is none is nought.
#[must_use]
pub fn number(line: &[u8]) -> f64 {
    std::str::from_utf8(line).ok().and_then(|t| t.trim().parse().ok()).filter(|n: &f64| n.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn jobs_are_those_of_the_vendors_class() {
        let init = Job::new("0").with(&[50, 32, 32, 2, 0, 1]).with_volts(0.5);
        assert_eq!(init.bytes(), b"0\n50\n32\n32\n2\n0\n1\n0.500000\n");
        assert_eq!(Job::new("01").with(&[2]).with_volts(0.5).bytes(), b"01\n2\n0.500000\n");
        assert_eq!(Job::new("1").with(&[5, 7]).bytes(), b"1\n5\n7\n");
        let pulse = Job::new("3").with(&[5, 7]).with_volts(1.5).with_seconds(1e-4);
        assert_eq!(pulse.bytes(), b"3\n5\n7\n1.500000\n1e-4\n");
    }

    #[test]
    fn short_pulses_keep_their_length() {
        assert_eq!(Job::new("04").with_volts(-1.2).with_seconds(1e-7).bytes(), b"04\n-1.200000\n1e-7\n");
    }

    #[test]
    fn resistances_are_single_precision_with_the_low_byte_first() {
        assert_eq!(resistances("a read", &[0x00, 0x00, 0xfa, 0x45]).expect("is one"), [8000.0]);
        assert_eq!(resistances("a read", &[0x00, 0x00, 0xe1, 0x45]).expect("is one"), [7200.0]);
        for bad in [[0; 4], [0xff; 4], [0, 0, 0xfa, 0xc5], [0, 0, 0x80, 0x7f], [0xfa, 0x45, 0, 0]] {
            assert!(resistances("a read", &bad).is_err(), "{bad:?}");
        }
        assert!(resistances("a read", &[0, 0, 0xfa]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = number(&bytes);
            if let Ok(all) = resistances("a read", &bytes) {
                prop_assert!(all.iter().all(|r| (SMALLEST..=LARGEST).contains(r)));
            }
        }

        #[test]
        fn a_time_is_read_as_it_was_written(seconds in 1e-9..1.0_f64) {
            let job = Job::new("04").with_seconds(seconds);
            let line = &job.bytes()[3..job.bytes().len() - 1];
            prop_assert_eq!(number(line), seconds);
            prop_assert!(line.contains(&b'e'));
        }
    }
}
