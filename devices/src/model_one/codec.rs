//! Commands of fixed width out, lines in.

use isoform_serial::error::{Result, SerialError};

/// The largest value of a potentiometer; it stands for one.
pub const FULL: u16 = 1023;
/// The longest time, in milliseconds.
pub const LONGEST_TIME: u32 = 999_999;
/// The most elements of a read-out group.
pub const MOST_GROUP: usize = 100;

/// A potentiometer: the address of its module and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
pub struct Pot {
    /// Address of the module on the bus.
    pub module: u16,
    /// Place in the module.
    pub index: u8,
}

impl Pot {
    /// The command that sets it. No newline may follow.
    #[must_use]
    pub fn set(self, value: u16) -> Vec<u8> {
        format!("P{:04X}{:02X}{:04}", self.module, self.index, value.min(FULL)).into_bytes()
    }

    /// The answer to it.
    #[must_use]
    pub fn is_set(self, value: u16) -> Vec<u8> {
        format!("P{:X}.{:X}={value}", self.module, self.index).into_bytes()
    }
}

/// The command that sets a time in milliseconds: `c` for OP, `C` for IC.
#[must_use]
pub fn time(command: char, milliseconds: u32) -> Vec<u8> {
    format!("{command}{:06}", milliseconds.min(LONGEST_TIME)).into_bytes()
}

/// The command that chooses the read-out group. Nothing answers it.
#[must_use]
pub fn group(addresses: &[u16]) -> Vec<u8> {
    let list: Vec<String> = addresses.iter().map(|a| format!("{a:04X}")).collect();
    format!("G{}.", list.join(";")).into_bytes()
}

/// A line that may stand between a request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A synchronous run has ended.
    EndOfRun,
    /// It was ended from outside.
    Halted,
    /// An element has left the range of the machine, and the run was halted.
    Overload,
    /// The log is full.
    LogFull,
    /// The machine says that it is broken.
    Failure,
}

impl Event {
    /// What a line speaks of, if it is none that answers.
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        match line {
            b"EOSR" => Some(Self::EndOfRun),
            b"EOSRHLT" => Some(Self::Halted),
            b"\tOverload halt!" => Some(Self::Overload),
            b"Sampling buffer overflow!" => Some(Self::LogFull),
            _ if line.starts_with(b"ERROR: ") || line.starts_with(b"PANIC: ") => Some(Self::Failure),
            _ => None,
        }
    }
}

/// Numbers with a mark between them, which may also stand at the end.
///
/// # Errors
/// `Garbled` if there are not so many, or one is none that a converter gives.
pub fn values(what: &str, line: &[u8], mark: char, count: usize) -> Result<Vec<f64>> {
    let garbled = |why: String| SerialError::garbled(what, line, why);
    let text = std::str::from_utf8(line).map_err(|_| garbled(String::from("it is no text")))?;
    let text = text.strip_suffix(mark).unwrap_or(text);
    let values: Vec<f64> = text
        .split(mark)
        .map(|word| {
            // four decimals, and no other form
            let (whole, decimals) = word.trim_start_matches('-').split_once('.').unwrap_or((word, ""));
            let digits = |t: &str, n| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
            if digits(whole, 1) && digits(decimals, 4) { word.parse().ok() } else { None }
        })
        .collect::<Option<_>>()
        .ok_or_else(|| garbled(String::from("one of its numbers is none with four decimals")))?;
    if values.len() == count { Ok(values) } else { Err(garbled(format!("it holds {} numbers instead of {count}", values.len()))) }
}

/// What the machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// `NORM`, `SR-IC`, `SR-OP`, `REP-IC` or `REP-OP`.
    pub state: String,
    /// `IC`, `OP` or `HALT`.
    pub mode: String,
    /// Whether it halts on overload.
    pub halts: bool,
    /// Milliseconds of IC.
    pub ic: u32,
    /// Milliseconds of OP.
    pub op: u32,
    /// Modules with potentiometers: address and id.
    pub modules: Vec<(u16, u8)>,
}

impl Status {
    /// Reads the answer to `s`.
    ///
    /// # Errors
    /// `Garbled` if something is missing or is none of what it can be.
    pub fn parse(line: &[u8]) -> Result<Self> {
        let garbled = || SerialError::garbled("the status", line, "it is not the list that this firmware gives");
        let text = std::str::from_utf8(line).map_err(|_| garbled())?;
        let field = |key: &str| text.split(',').find_map(|f| f.strip_prefix(key)?.strip_prefix('=')).ok_or_else(garbled);
        let milliseconds = |key: &str| field(key)?.parse().map_err(|_| garbled());
        let modules = field("DPTADDR")?
            .split(';')
            .filter(|m| !m.is_empty())
            .map(|m| {
                let (address, id) = m.split_once('/')?;
                Some((u16::from_str_radix(address, 16).ok()?, id.parse().ok()?))
            })
            .collect::<Option<_>>()
            .ok_or_else(garbled)?;
        Ok(Self {
            state: field("STATE")?.to_owned(),
            mode: field("MODE")?.to_owned(),
            halts: field("OVLH")? == "ENA",
            ic: milliseconds("IC-time")?,
            op: milliseconds("OP-time")?,
            modules,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_have_their_width_and_no_end() {
        let pot = Pot { module: 0x80, index: 0 };
        assert_eq!((pot.set(512), pot.is_set(512)), (b"P0080000512".to_vec(), b"P80.0=512".to_vec()));
        assert_eq!(Pot { module: 0x2f0, index: 23 }.set(7), b"P02F0170007");
        assert_eq!((time('C', 5), time('c', 100)), (b"C000005".to_vec(), b"c000100".to_vec()));
        assert_eq!(group(&[0x20, 0x21]), b"G0020;0021.");
    }

    #[test]
    fn the_status_of_the_real_firmware_is_read() {
        let line = b"STATE=NORM,+1=1.00,-1=-1.00,MODE=IC,EXTH=DIS,OVLH=DIS,IC-time=0,OP-time=0,RO-GROUP=,DPTADDR=80/8";
        let status = Status::parse(line).expect("is one");
        assert_eq!((status.state.as_str(), status.mode.as_str(), status.halts), ("NORM", "IC", false));
        assert_eq!((status.ic, status.op, status.modules), (0, 0, vec![(0x80, 8)]));
        assert!(Status::parse(b"STATE=NORM").is_err());
    }

    #[test]
    fn values_are_those_that_the_converter_prints() {
        assert_eq!(values("f", b"1.0000;0.0000", ';', 2).expect("are"), [1.0, 0.0]);
        assert_eq!(values("l", b"0.9999 -0.0228 ", ' ', 2).expect("are"), [0.9999, -0.0228]);
        for bad in ["1.0000", "1.000;0.0000", "1.0000;0.00", "1.0000;x", "1.0000;0.0000;0.0000", "10000;0.0000", "inf;nan"] {
            assert!(values("f", bad.as_bytes(), ';', 2).is_err(), "{bad}");
        }
    }

    #[test]
    fn events_are_told_from_answers() {
        assert_eq!(Event::of(b"\tOverload halt!"), Some(Event::Overload));
        assert_eq!(Event::of(b"ERROR: Illegal value read from ADC! 7"), Some(Event::Failure));
        assert_eq!(Event::of(b"P70.0=ERROR!"), None);
        assert_eq!(Event::of(b"SINGLE-RUN"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = Status::parse(&bytes);
            let _ = values("f", &bytes, ';', 2);
            let _ = Event::of(&bytes);
        }
    }
}
