//! What a board can hold and do, as the answer to `SYST:CAP?` says.

use super::operation::NAMES;
use isoform_core::fixed_point::{Arithmetic, Format, SinglePrecision};
use isoform_core::functions::library;
use std::fmt;

/// Addresses have 16 bits, and the last one means nobody.
pub const MOST_CELLS: usize = 65_535;
/// The fewest bytes of a block: an input and an output.
const LEAST_BLOCK: usize = 8;

/// No answer of an honest board is longer.
const LONGEST: usize = 1 << 16;

/// The numbers in the memory of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// IEEE 754 single precision.
    F32,
    /// Fixed point.
    Fixed(Format),
}

impl Numbers {
    /// The raw word of the nearest number; `None` beyond the range.
    #[must_use]
    pub fn encode(self, value: f64) -> Option<u32> {
        match self {
            Self::F32 => SinglePrecision.encode(value).map(|v| SinglePrecision.word(v)),
            Self::Fixed(format) => format.encode(value).map(|v| format.word(v)),
        }
    }

    /// The raw word of the nearest number, cut to the range of fixed point, and whether it was cut.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "rounded to the nearest")]
    pub fn encode_cut(self, value: f64) -> (u32, bool) {
        match self {
            Self::F32 => ((value as f32).to_bits(), false),
            Self::Fixed(format) => {
                let (number, cut) = format.encode_cut(value);
                (number.cast_unsigned(), cut)
            }
        }
    }

    /// The largest magnitude of both signs.
    #[must_use]
    pub fn largest(self) -> f64 {
        match self {
            Self::F32 => SinglePrecision.largest(),
            Self::Fixed(format) => format.largest(),
        }
    }

    /// The number in a raw word.
    #[must_use]
    pub fn decode(self, word: u32) -> f64 {
        match self {
            Self::F32 => f64::from(f32::from_bits(word)),
            Self::Fixed(format) => format.decode(word.cast_signed()),
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32 => f.pad("F32"),
            Self::Fixed(format) => format.fmt(f),
        }
    }
}

/// A transfer function that a board has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionEntry {
    /// The id.
    pub id: String,
    /// How many inputs, states, parameters and outputs it has.
    pub widths: [usize; 4],
}

/// What a board can hold and do.
#[derive(Debug, Clone, PartialEq)]
pub struct Capabilities {
    /// The numbers in its memory.
    pub numbers: Numbers,
    /// How many cells the memory has.
    pub cells: usize,
    /// How many words of operations it holds.
    pub code: usize,
    /// The most bytes of a block.
    pub block: usize,
    /// The range of inputs.
    pub range: [f64; 2],
    /// Its transfer functions; the place is the number.
    pub functions: Vec<FunctionEntry>,
    /// The names of its operations.
    pub operations: Vec<String>,
    /// Whether `RUN?` takes modes other than nought.
    pub modes: bool,
    /// Whether it has the checked mode.
    pub check: bool,
}

/// An answer to `SYST:CAP?` that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the capabilities of the board are not understood: {0}")]
pub struct CapabilitiesError(String);

fn refuse<T>(why: impl Into<String>) -> Result<T, CapabilitiesError> {
    Err(CapabilitiesError(why.into()))
}

const KEYS: [&str; 9] = ["NUM", "CELLS", "CODE", "BLOCK", "RANGE", "FUNC", "OPS", "MODES", "CHECK"];

impl Capabilities {
    /// Whether it has an operation.
    #[must_use]
    pub fn has(&self, operation: &str) -> bool {
        self.operations.iter().any(|o| o == operation)
    }

    /// The number of a function.
    #[must_use]
    pub fn function(&self, id: &str) -> Option<usize> {
        self.functions.iter().position(|f| f.id == id)
    }
}

fn whole(key: &str, text: &str, most: usize) -> Result<usize, CapabilitiesError> {
    // the parser of the language takes a sign, which no board sends
    match text.parse::<usize>() {
        Ok(value) if value <= most && text.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
        _ => refuse(format!("{key} is {text:?} instead of a whole number up to {most}")),
    }
}

fn flag(key: &str, text: &str) -> Result<bool, CapabilitiesError> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => refuse(format!("{key} is {text:?} instead of 0 or 1")),
    }
}

fn numbers(text: &str) -> Result<Numbers, CapabilitiesError> {
    if text == "F32" {
        return Ok(Numbers::F32);
    }
    let fraction = text.strip_prefix('Q').and_then(|n| whole("NUM", n, 30).ok());
    match fraction.and_then(|n| u32::try_from(n).ok()).map(Format::new) {
        Some(Ok(format)) => Ok(Numbers::Fixed(format)),
        _ => refuse(format!("NUM is {text:?} instead of F32 or Q0 to Q30")),
    }
}

fn range(text: &str, numbers: Numbers) -> Result<[f64; 2], CapabilitiesError> {
    let ends: Vec<f64> = text.split(',').filter_map(|end| end.parse().ok()).filter(|v: &f64| v.is_finite()).collect();
    match *ends.as_slice() {
        [low, high] if low < high && text.split(',').count() == 2 => match [low, high]
            .iter()
            .find(|&&v| numbers.encode(v).is_none())
        {
            None => Ok([low, high]),
            Some(beyond) => refuse(format!("RANGE reaches to {beyond}, but the numbers {numbers} end at {}", numbers.largest())),
        },
        _ => refuse(format!("RANGE is {text:?} instead of low,high")),
    }
}

/// Holds the functions against those whose meaning the protocol gives.
fn check_functions(functions: &[FunctionEntry]) -> Result<(), CapabilitiesError> {
    let known = library();
    for (at, FunctionEntry { id, widths }) in functions.iter().enumerate() {
        if functions[..at].iter().any(|other| other.id == *id) {
            return refuse(format!("FUNC holds {id} twice"));
        }
        let Some(signature) = known.iter().map(|f| f.signature()).find(|s| s.id == id) else { continue };
        let own = [signature.inputs.len(), signature.states.len(), signature.parameters.len(), signature.outputs.len()];
        if own != *widths {
            let words = |widths: [usize; 4]| widths.map(|w| w.to_string()).join(" ");
            return refuse(format!("FUNC gives {id} the shape {}, which is {}", words(*widths), words(own)));
        }
    }
    Ok(())
}

fn check_operations(operations: &[String]) -> Result<(), CapabilitiesError> {
    for (at, name) in operations.iter().enumerate() {
        if !NAMES.contains(&name.as_str()) {
            return refuse(format!("OPS holds {name:?}, which is no operation; known are {}", NAMES.join(", ")));
        }
        if operations[..at].contains(name) {
            return refuse(format!("OPS holds {name} twice"));
        }
    }
    Ok(())
}

fn function(text: &str) -> Result<FunctionEntry, CapabilitiesError> {
    let words: Vec<&str> = text.split(' ').collect();
    let [id, widths @ ..] = words.as_slice() else { return refuse("FUNC holds an empty entry") };
    let widths: Vec<usize> = widths.iter().map(|w| whole("FUNC", w, 64)).collect::<Result<_, _>>()?;
    match (<[usize; 4]>::try_from(widths), id.is_empty()) {
        (Ok(widths), false) => Ok(FunctionEntry { id: (*id).to_owned(), widths }),
        _ => refuse(format!("FUNC holds {text:?} instead of id X N P Y")),
    }
}

impl std::str::FromStr for Capabilities {
    type Err = CapabilitiesError;

    fn from_str(text: &str) -> Result<Self, CapabilitiesError> {
        if text.len() > LONGEST || !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return refuse("it is too long, or holds other characters than ASCII");
        }
        let mut values: [Option<&str>; KEYS.len()] = [None; KEYS.len()];
        for entry in text.split(';') {
            let (key, value) = entry.split_once(' ').unwrap_or((entry, ""));
            let Some(place) = KEYS.iter().position(|k| *k == key) else {
                return refuse(format!("{key:?} is no key; known are {}", KEYS.join(", ")));
            };
            if values[place].replace(value).is_some() {
                return refuse(format!("{key} stands twice"));
            }
        }
        let value = |place: usize| values[place].map_or_else(|| refuse(format!("{} is missing", KEYS[place])), Ok);
        let list = |text: &str| -> Vec<String> { text.split(',').filter(|t| !t.is_empty()).map(String::from).collect() };
        let functions: Vec<FunctionEntry> = list(value(5)?).iter().map(|f| function(f)).collect::<Result<_, _>>()?;
        check_functions(&functions)?;
        let operations = list(value(6)?);
        check_operations(&operations)?;
        let numbers = numbers(value(0)?)?;
        Ok(Self {
            numbers,
            cells: whole("CELLS", value(1)?, MOST_CELLS)?,
            code: whole("CODE", value(2)?, MOST_CELLS)?,
            block: match whole("BLOCK", value(3)?, 999_999_999)? {
                block if block < LEAST_BLOCK => {
                    return refuse(format!("BLOCK is {block}, but a row takes {LEAST_BLOCK} bytes at least"));
                }
                block => block,
            },
            range: range(value(4)?, numbers)?,
            functions,
            operations,
            modes: flag("MODES", value(7)?)?,
            check: flag("CHECK", value(8)?)?,
        })
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = self.range;
        write!(f, "NUM {};CELLS {};CODE {};BLOCK {};RANGE {low},{high};", self.numbers, self.cells, self.code, self.block)?;
        let entry = |e: &FunctionEntry| {
            let [x, n, p, y] = e.widths;
            format!("{} {x} {n} {p} {y}", e.id)
        };
        let functions: Vec<String> = self.functions.iter().map(entry).collect();
        write!(f, "FUNC {};OPS {};", functions.join(","), self.operations.join(","))?;
        write!(f, "MODES {};CHECK {}", u8::from(self.modes), u8::from(self.check))
    }
}
