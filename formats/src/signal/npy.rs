//! Arrays in the NPY format of numpy (numpy.lib.format, versions 1 to 3).
//!
//! The format is a line of text before plain numbers. The crates that read it bring a parser of
//! Python literals with them, which recurses on its input and needs an assembler to build, so the
//! three entries of that line are read here.

use half::f16;

use super::error::{Result, SignalErrorKind};
use super::{Dense, narrow};

const MAGIC: &[u8] = b"\x93NUMPY";

/// numpy pads the header with spaces so that the numbers start at a multiple of this.
const ALIGN: usize = 64;

fn malformed(message: impl Into<String>) -> SignalErrorKind {
    SignalErrorKind::Malformed { format: "npy", message: message.into() }
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<Dense> {
    let (header, data) = split(bytes)?;
    let header = Header::parse(header)?;
    let [ticks, batch, channels] = match header.shape[..] {
        [ticks] => [ticks, 1, 1],
        [ticks, channels] => [ticks, 1, channels],
        [ticks, batch, channels] => [ticks, batch, channels],
        _ => {
            return Err(SignalErrorKind::Shape(format!(
                "the array has the shape {:?}, expected [time], [time, channel] or [time, batch, channel]",
                header.shape
            ))
            .into());
        }
    };
    let count = ticks.checked_mul(batch).and_then(|n| n.checked_mul(channels));
    // Held against the length of the file before anything is allocated.
    let needed = count.and_then(|n| n.checked_mul(header.kind.size()));
    let (Some(count), Some(needed)) = (count, needed) else {
        return Err(malformed(format!("the shape {:?} is too large", header.shape)).into());
    };
    let Some(data) = data.get(..needed) else {
        return Err(
            malformed(format!("the shape {:?} needs {needed} bytes, the file has {} left", header.shape, data.len())).into()
        );
    };
    let mut values = header.kind.values(data, header.big_endian)?;
    if header.fortran {
        // The first index runs fastest.
        let mut sorted = vec![0f32; count];
        for (i, value) in values.into_iter().enumerate() {
            let (t, rest) = (i % ticks, i / ticks);
            let (b, c) = (rest % batch, rest / batch);
            if let Some(place) = sorted.get_mut((t * batch + b) * channels + c) {
                *place = value;
            }
        }
        values = sorted;
    }
    Dense::new(ticks, batch, channels, values)
}

pub(super) fn to_bytes(signal: &Dense) -> Result<Vec<u8>> {
    let Dense { ticks, batch, channels, data, .. } = signal;
    let shape = match batch {
        1 => format!("{ticks}, {channels}"),
        _ => format!("{ticks}, {batch}, {channels}"),
    };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    let before = MAGIC.len() + 4;
    let padded = (before + header.len() + 1).next_multiple_of(ALIGN);
    header.push_str(&" ".repeat(padded - before - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| malformed("the header is longer than the format allows"))?;
    let mut bytes = Vec::with_capacity(padded + data.len() * 4);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(data.iter().flat_map(|x| x.to_le_bytes()));
    Ok(bytes)
}

/// Splits a file into the text of its header and its numbers.
fn split(bytes: &[u8]) -> Result<(&str, &[u8])> {
    let short = || malformed("the file ends within its header");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| malformed("it does not start as one"))?;
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (u32::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (u32::from_le_bytes(*length), rest)
        }
        _ => return Err(malformed(format!("version {major} is not known")).into()),
    };
    let (header, data) = rest.split_at_checked(length as usize).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| malformed("the header is not text"))?;
    Ok((header, data))
}

#[derive(Debug, Clone, PartialEq)]
struct Header {
    kind: Kind,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self> {
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|t| t.strip_suffix('}'))
            .ok_or_else(|| malformed("the header is not a dictionary"))?;
        let descr = entry(inner, "descr")?;
        let quoted = descr
            .strip_prefix(['\'', '"'])
            .and_then(|d| d.split(['\'', '"']).next())
            .ok_or_else(|| SignalErrorKind::Type(head(descr)))?;
        let (kind, big_endian) = Kind::parse(quoted).ok_or_else(|| SignalErrorKind::Type(head(quoted)))?;
        let order = entry(inner, "fortran_order")?;
        let fortran = match (order.starts_with("True"), order.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err(malformed("\"fortran_order\" is neither True nor False").into()),
        };
        let shape = entry(inner, "shape")?
            .strip_prefix('(')
            .and_then(|s| s.split_once(')'))
            .map(|(shape, _)| shape)
            .ok_or_else(|| malformed("\"shape\" is not a tuple"))?
            .split(',')
            .map(str::trim)
            .filter(|dim| !dim.is_empty())
            .map(|dim| dim.parse().ok())
            .collect::<Option<Vec<usize>>>()
            .ok_or_else(|| malformed("\"shape\" has a dimension that is no size"))?;
        Ok(Self { kind, big_endian, fortran, shape })
    }
}

/// What follows a key of the dictionary, up to the end of the text.
fn entry<'a>(dictionary: &'a str, key: &str) -> Result<&'a str> {
    let quotes = [format!("'{key}'"), format!("\"{key}\"")];
    quotes
        .iter()
        .find_map(|quoted| dictionary.split_once(quoted.as_str()))
        .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
        .map(str::trim_start)
        .ok_or_else(|| malformed(format!("the header has no \"{key}\"")).into())
}

/// The start of a text, for a message.
fn head(text: &str) -> String {
    text.chars().take(32).collect()
}

/// A type of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Kind {
    /// Reads a type string of numpy, such as `<f4`; the flag says big-endian.
    fn parse(descr: &str) -> Option<(Self, bool)> {
        let (order, rest) = match descr.strip_prefix(['<', '>', '|', '=']) {
            Some(rest) => (descr.chars().next()?, rest),
            None => ('=', descr),
        };
        let kind = match rest {
            "b1" | "?" => Self::Bool,
            "i1" => Self::I8,
            "i2" => Self::I16,
            "i4" => Self::I32,
            "i8" => Self::I64,
            "u1" => Self::U8,
            "u2" => Self::U16,
            "u4" => Self::U32,
            "u8" => Self::U64,
            "f2" => Self::F16,
            "f4" => Self::F32,
            "f8" => Self::F64,
            _ => return None,
        };
        Some((kind, order == '>'))
    }

    fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    fn values(self, data: &[u8], big: bool) -> Result<Vec<f32>> {
        /// Numbers of `N` bytes, each through `convert`.
        fn each<const N: usize>(data: &[u8], big: bool, convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            let (numbers, _) = data.as_chunks::<N>();
            numbers
                .iter()
                .map(|&number| {
                    let mut little = number;
                    if big {
                        little.reverse();
                    }
                    convert(little)
                })
                .collect()
        }
        Ok(match self {
            Self::Bool => each(data, big, |[b]| f32::from(u8::from(b != 0))),
            Self::I8 => each(data, big, |b| f32::from(i8::from_le_bytes(b))),
            Self::U8 => each(data, big, |[b]| f32::from(b)),
            Self::I16 => each(data, big, |b| f32::from(i16::from_le_bytes(b))),
            Self::U16 => each(data, big, |b| f32::from(u16::from_le_bytes(b))),
            Self::F16 => each(data, big, |b| f32::from(f16::from_le_bytes(b))),
            Self::I32 => each(data, big, |b| i32::from_le_bytes(b) as f32),
            Self::U32 => each(data, big, |b| u32::from_le_bytes(b) as f32),
            Self::I64 => each(data, big, |b| i64::from_le_bytes(b) as f32),
            Self::U64 => each(data, big, |b| u64::from_le_bytes(b) as f32),
            Self::F32 => each(data, big, f32::from_le_bytes),
            Self::F64 => {
                let (numbers, _) = data.as_chunks::<8>();
                let wide = |&b: &[u8; 8]| match big {
                    true => f64::from_be_bytes(b),
                    false => f64::from_le_bytes(b),
                };
                numbers.iter().map(|b| narrow(wide(b))).collect::<Result<_>>()?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[1, 0]);
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn reads_every_type_in_both_byte_orders() {
        let cases: &[(&str, &[u8], f32)] = &[
            ("|b1", &[1], 1.0),
            ("|i1", &[0xfe], -2.0),
            ("|u1", &[0xfe], 254.0),
            ("<i2", &[0xfe, 0xff], -2.0),
            (">i2", &[0xff, 0xfe], -2.0),
            ("<u2", &[1, 2], 513.0),
            (">i4", &[0, 0, 1, 0], 256.0),
            ("<u4", &[0, 0, 1, 0], 65536.0),
            ("<i8", &[0xff; 8], -1.0),
            (">u8", &[0, 0, 0, 0, 0, 0, 0, 9], 9.0),
            ("<f2", &[0x00, 0x3c], 1.0),
            ("<f4", &[0, 0, 0x80, 0x3f], 1.0),
            (">f4", &[0x3f, 0x80, 0, 0], 1.0),
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5),
            (">f8", &[0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5),
        ];
        for (descr, data, expected) in cases {
            let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
            let signal = from_bytes(&file(&header, data)).unwrap();
            assert_eq!(signal.data, [*expected], "{descr}");
            assert_eq!((signal.ticks, signal.batch, signal.channels), (1, 1, 1));
        }
    }

    #[test]
    fn reads_fortran_order() {
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 3), }";
        // numpy: np.asfortranarray(np.arange(12).reshape(2, 2, 3))
        let signal = from_bytes(&file(header, &[0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11])).unwrap();
        let expected: Vec<f32> = (0u8..12).map(f32::from).collect();
        assert_eq!(signal.data, expected);
    }

    #[test]
    fn refuses_what_is_no_signal() {
        let of = |descr: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
            from_bytes(&file(&header, data)).unwrap_err().to_string()
        };
        assert_eq!(of("'<c8'", "(1,)", &[0; 8]), "the array has the type \"<c8\"; signals are real numbers or booleans");
        assert!(of("[('a', '<f4')]", "(1,)", &[0; 4]).contains("signals are real numbers"));
        assert!(of("'<f4'", "()", &[0; 4]).contains("expected [time]"));
        assert!(of("'<f4'", "(1, 1, 1, 1)", &[0; 4]).contains("expected [time]"));
        assert_eq!(
            of("'<f4'", "(3, 1)", &[0; 8]),
            "not a readable npy file: the shape [3, 1] needs 12 bytes, the file has 8 left"
        );
        assert!(of("'<f4'", "(9223372036854775807, 4)", &[0; 8]).contains("too large"));
        assert!(of("'<f4'", "(-1, 4)", &[0; 8]).contains("no size"));
        let huge = 1e300f64.to_le_bytes();
        assert!(of("'<f8'", "(1,)", &huge).contains("beyond single precision"));
        assert!(from_bytes(b"").is_err());
        assert!(from_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").is_err());
    }

    #[test]
    fn writes_what_it_reads() {
        let data = vec![0.5, f32::INFINITY, -0.0, 3.0, 1e-45, -7.25];
        for (ticks, batch, channels) in [(3, 1, 2), (1, 2, 3), (6, 1, 1), (1, 6, 1)] {
            let signal = Dense::new(ticks, batch, channels, data.clone()).unwrap();
            let bytes = to_bytes(&signal).unwrap();
            assert_eq!(from_bytes(&bytes).unwrap(), signal);
            assert_eq!((bytes.len() - 24) % ALIGN, 0);
        }
    }
}
