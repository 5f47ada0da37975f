//! What passed over a line, as text that people read and a program replays.
//!
//! ```text
//! isoform transcript 1
//! device board
//! port /dev/ttyACM0
//! for isoform conform 'serial:/dev/ttyACM0?device=board&record=board.log' --law L1.split
//! file patch 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! 0.000120 > *IDN?\n
//! 0.001431 < isoform,board,0,1\n
//! 0.101500 =
//! ```
//!
//! The line of `for` says what the device was opened for, where that is known. A line of `file` says which contents, by their SHA-256, a file had that an option of the device names.
//! `>` is the host, `<` the device; `=` stands where somebody waited until that time and nothing came, `x` where the line had ended or could
//! not be opened, `~` where it was opened anew, and `! 3` where somebody had asked the host to stop and it saw so when it looked for the fourth time since the line above; `@ 1.5` is what
//! somebody saw who looked at the clock of the computer.
//! Times are seconds since the line was opened. Bytes that are no printable ASCII are escaped as in Rust, a backslash included.

use crate::error::SerialError;
use isoform_core::program::Digest;
use std::io::{BufRead, Write};
use std::time::Duration;

const MAGIC: &str = "isoform transcript 1";
/// Lines of a head that says no more than it has to.
const HEAD: usize = 3;
/// No session lasts longer, in seconds.
const LONGEST_SESSION: u64 = 1_000_000_000;
/// What a session was for is told in so many characters at the most.
const LONGEST_PURPOSE: usize = 10_000;
/// No line of a transcript is longer.
const LONGEST: u64 = 1 << 20;

/// What happened on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The host sent bytes.
    Host(Vec<u8>),
    /// The device sent bytes.
    Device(Vec<u8>),
    /// Nothing came.
    Silence,
    /// The line had ended or failed, or could not be opened anew.
    HungUp,
    /// The line was opened anew.
    Reopened,
    /// Somebody looked at the clock of the computer, and saw this.
    Clock(Duration),
    /// The host saw that somebody had asked it to stop, after so many looks since the last entry that saw nothing.
    Stopped(u32),
}

/// The head of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// The device, as locators name it, with its options.
    pub device: String,
    /// What it was connected to.
    pub port: String,
    /// What it was opened for, such as a command; empty if that is not known.
    pub purpose: String,
    /// Options that name files, each with the digest of what was in it.
    pub files: Vec<(String, Digest)>,
}

/// A transcript that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// Where it was read from, for messages.
    pub file: String,
    /// Its head.
    pub head: Head,
    /// What happened, with its time.
    pub entries: Vec<(Duration, Entry)>,
    /// Whether the recording was broken off within a line, which is then left out.
    pub broken_off: bool,
}

impl Transcript {
    /// The line of the file where an entry stands.
    #[must_use]
    pub fn line(&self, entry: usize) -> usize {
        HEAD + usize::from(!self.head.purpose.is_empty()) + self.head.files.len() + entry + 1
    }
}

/// Whether a file begins like a transcript.
#[must_use]
pub fn is_transcript(start: &[u8]) -> bool {
    start.starts_with(MAGIC.as_bytes())
}

/// Writes the head.
///
/// # Errors
/// Of the writer.
pub fn write_head(to: &mut dyn Write, head: &Head) -> std::io::Result<()> {
    writeln!(to, "{MAGIC}\ndevice {}\nport {}", head.device, head.port)?;
    if !head.purpose.is_empty() {
        let line: String = head.purpose.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_PURPOSE).collect();
        writeln!(to, "for {line}")?;
    }
    head.files.iter().try_for_each(|(option, digest)| writeln!(to, "file {option} {digest}"))
}

/// Writes an entry.
///
/// # Errors
/// Of the writer.
pub fn write_entry(to: &mut dyn Write, time: Duration, entry: &Entry) -> std::io::Result<()> {
    write!(to, "{}.{:09} ", time.as_secs(), time.subsec_nanos())?;
    match entry {
        Entry::Host(bytes) => writeln!(to, "> {}", escape(bytes)),
        Entry::Device(bytes) => writeln!(to, "< {}", escape(bytes)),
        Entry::Silence => writeln!(to, "="),
        Entry::HungUp => writeln!(to, "x"),
        Entry::Reopened => writeln!(to, "~"),
        Entry::Clock(clock) => writeln!(to, "@ {}.{:09}", clock.as_secs(), clock.subsec_nanos()),
        Entry::Stopped(looks) => writeln!(to, "! {looks}"),
    }
}

fn escape(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&b| std::ascii::escape_default(b)).map(char::from).collect()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match (b, b.is_ascii_graphic() || b == b' ') {
            (b'\\', _) => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other @ (b'\\' | b'\'' | b'"') => other,
                _ => return None,
            },
            (_, true) => b,
            _ => return None,
        });
    }
    Some(bytes)
}

fn parse_time(text: &str) -> Option<Duration> {
    let (seconds, rest) = text.split_once('.')?;
    let digits = rest.len();
    if !(1..=9).contains(&digits) || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = seconds.parse().ok().filter(|&s| s <= LONGEST_SESSION)?;
    let nanos = rest.parse::<u32>().ok()? * 10_u32.pow(u32::try_from(9 - digits).ok()?);
    Some(Duration::new(seconds, nanos))
}

fn parse_entry(line: &str) -> Option<(Duration, Entry)> {
    let (time, rest) = line.split_once(' ')?;
    let (mark, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let entry = match mark {
        ">" => Entry::Host(unescape(text)?),
        "<" => Entry::Device(unescape(text)?),
        "=" if text.is_empty() => Entry::Silence,
        "x" if text.is_empty() => Entry::HungUp,
        "~" if text.is_empty() => Entry::Reopened,
        "@" => Entry::Clock(parse_time(text)?),
        "!" => Entry::Stopped(text.parse().ok()?),
        _ => return None,
    };
    Some((parse_time(time)?, entry))
}

/// Reads a transcript; `file` is for messages.
///
/// # Errors
/// [`SerialError::Transcript`], with the number of the line that is none.
pub fn read(file: &str, from: impl BufRead) -> Result<Transcript, SerialError> {
    let refuse = |line: usize, why: &str| SerialError::Transcript { file: file.to_owned(), line, why: why.to_owned() };
    let mut transcript = Transcript { file: file.to_owned(), ..Transcript::default() };
    let mut from = from.take(u64::MAX);
    let mut text = String::new();
    // of the lines, and of what was seen
    let mut clocks = [Duration::ZERO; 2];
    for number in 1.. {
        text.clear();
        from.set_limit(LONGEST);
        match from.read_line(&mut text) {
            Ok(0) if number <= HEAD => return Err(refuse(number, "the head is incomplete")),
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => return Err(refuse(number, "the line is no text")),
        }
        let Some(line) = text.strip_suffix('\n') else {
            if number <= HEAD || text.len() as u64 >= LONGEST {
                return Err(refuse(number, "the line has no end"));
            }
            transcript.broken_off = true;
            break;
        };
        match number {
            1 if line == MAGIC => {}
            1 => return Err(refuse(1, &format!("it does not begin with \"{MAGIC}\""))),
            2 => line
                .strip_prefix("device ")
                .ok_or_else(|| refuse(2, "no device is named"))?
                .clone_into(&mut transcript.head.device),
            3 => line.strip_prefix("port ").ok_or_else(|| refuse(3, "no port is named"))?.clone_into(&mut transcript.head.port),
            4 if line.starts_with("for ") => {
                transcript.head.purpose = line["for ".len()..].to_owned();
            }
            _ if transcript.entries.is_empty() && line.starts_with("file ") => {
                let parts = line.strip_prefix("file ").and_then(|rest| rest.split_once(' '));
                let file = parts.and_then(|(option, digest)| Some((option.to_owned(), digest.parse().ok()?)));
                transcript.head.files.push(file.ok_or_else(|| refuse(number, "expected file, an option and a digest"))?);
            }
            _ => {
                let entry =
                    parse_entry(line).ok_or_else(|| refuse(number, "expected TIME, a mark of > < = x ~ ! @, and bytes"))?;
                let shown = if let Entry::Clock(shown) = entry.1 { Some(shown) } else { None };
                for (clock, time) in clocks.iter_mut().zip([Some(entry.0), shown]) {
                    let time = time.unwrap_or(*clock);
                    if time < *clock {
                        let why = format!("a clock that showed {:.9} s before runs backwards", clock.as_secs_f64());
                        return Err(refuse(number, &why));
                    }
                    *clock = time;
                }
                transcript.entries.push(entry);
            }
        }
    }
    Ok(transcript)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = (Duration, Entry)> {
        let bytes = || proptest::collection::vec(any::<u8>(), 1..40);
        let entry = prop_oneof![
            bytes().prop_map(Entry::Host),
            bytes().prop_map(Entry::Device),
            Just(Entry::Silence),
            Just(Entry::HungUp),
            Just(Entry::Reopened),
            any::<u32>().prop_map(Entry::Stopped),
            (0..9_999_999_999_u64).prop_map(|t| Entry::Clock(Duration::from_nanos(t)))
        ];
        ((0..9_999_999_999_u64).prop_map(Duration::from_nanos), entry)
    }

    /// Entries whose clocks do not run backwards.
    fn entries(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(Duration, Entry)>> {
        proptest::collection::vec(entry(), count).prop_map(|mut entries| {
            entries.sort_by_key(|(time, _)| *time);
            let mut shown = Duration::ZERO;
            for (_, entry) in &mut entries {
                if let Entry::Clock(clock) = entry {
                    shown = shown.max(*clock);
                    *clock = shown;
                }
            }
            entries
        })
    }

    fn written(transcript: &Transcript) -> Vec<u8> {
        let mut file = Vec::new();
        write_head(&mut file, &transcript.head).expect("memory");
        for (time, entry) in &transcript.entries {
            write_entry(&mut file, *time, entry).expect("memory");
        }
        file
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in entries(0..12), purpose in "\\PC{0,20}") {
            let files = vec![(String::from("patch"), Digest::of(b"{}"))];
            let head = Head { device: String::from("board?x=1"), port: String::from("/dev/ttyACM0"), purpose, files };
            let transcript = Transcript { head, entries, ..Transcript::default() };
            prop_assert_eq!(read("", written(&transcript).as_slice()).expect("reads"), transcript);
        }

        #[test]
        fn a_damaged_transcript_is_refused_or_read_and_never_panics(
            entries in entries(1..6), at in any::<usize>(), byte in any::<u8>()
        ) {
            let mut file = written(&Transcript { entries, ..Transcript::default() });
            let at = at % file.len();
            file[at] = byte;
            let _ = read("", file.as_slice());
            let _ = read("", &file[..at]);
        }
    }

    #[test]
    fn a_clock_that_runs_backwards_is_no_recording() {
        for lines in ["0.2 =\n0.1 =\n", "0.1 @ 1.0\n0.2 =\n0.2 @ 0.9\n"] {
            let file = format!("{MAGIC}\ndevice board\nport /dev/ttyACM0\n{lines}");
            let error = read("log", file.as_bytes()).expect_err("refused").to_string();
            assert!(error.contains("runs backwards"), "{error}");
        }
    }

    #[test]
    fn it_reads_as_a_dialogue() {
        let transcript = Transcript {
            head: Head {
                device: String::from("board"),
                port: String::from("/dev/ttyACM0"),
                purpose: String::from("isoform conform twin:board"),
                files: Vec::new(),
            },
            entries: vec![
                (Duration::from_micros(120), Entry::Host(b"*IDN?\n".to_vec())),
                (Duration::from_micros(1431), Entry::Device(b"isoform,board,0,1\n\x00\xff".to_vec())),
                (Duration::from_millis(100), Entry::Silence),
                (Duration::from_millis(100), Entry::Stopped(3)),
                (Duration::from_millis(100), Entry::Clock(Duration::from_millis(1500))),
            ],
            ..Transcript::default()
        };
        insta::assert_snapshot!(String::from_utf8(written(&transcript)).expect("text"), @r"
        isoform transcript 1
        device board
        port /dev/ttyACM0
        for isoform conform twin:board
        0.000120000 > *IDN?\n
        0.001431000 < isoform,board,0,1\n\x00\xff
        0.100000000 =
        0.100000000 ! 3
        0.100000000 @ 1.500000000
        ");
    }

    #[test]
    fn what_is_no_transcript_is_refused_by_its_line() {
        let message = |text: &str| read("a.log", text.as_bytes()).expect_err("refused").to_string();
        assert!(message("hello\n").contains("line 1"));
        assert!(message("isoform transcript 1\ndevice a\nport b\n0.1 ? x\n").contains("line 4"));
        assert!(message("isoform transcript 1\ndevice a\nport b\n0.1 > \\q\n").contains("line 4"));
        assert!(message("isoform transcript 1\ndevice a\nport b\n1000000001.0 =\n").contains("line 4"));
        assert!(message("isoform transcript 1\ndevice a\nport b\n0.1 ! x\n").contains("line 4 of the transcript \"a.log\""));
        assert!(message("isoform transcript 1\ndevice a\nport b").contains("no end"));
    }

    #[test]
    fn what_was_broken_off_is_read_up_to_its_last_whole_line() {
        let transcript = read("", b"isoform transcript 1\ndevice a\nport b\n0.1 > a\n0.2 < b".as_slice()).expect("reads");
        assert_eq!(transcript.entries, [(Duration::from_millis(100), Entry::Host(b"a".to_vec()))]);
        assert!(transcript.broken_off);
    }
}
