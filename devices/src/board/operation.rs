//! Operations of a board: from words and to words, with every address checked once.

use isoform_core::fixed_point::Flags;
use std::ops::Range;

/// The address that means nobody.
pub const NOBODY: u16 = u16::MAX;

/// One operation. Fields are named as in the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the protocol describes each operation and its operands")]
pub enum Operation {
    Copy { to: u16, from: u16, n: u16 },
    Sum { to: u16, n: u16, from: Vec<u16> },
    Neuron { f: u16, flags: Flags, n: u16, x: Vec<u16>, s: u16, c: u16, p: u16, y: Vec<u16> },
    Linear { to: u16, from: u16, rows: u16, cols: u16, w: u16, b: u16 },
    Read { to: u16, from: u16, line: u16, head: u16, n: u16, ticks: u16, delays: Vec<u16> },
    Absorb { line: u16, head: u16, n: u16, ticks: u16, from: u16 },
}

/// The names of all operations, in the order of their codes from one.
pub const NAMES: [&str; 6] = ["COPY", "SUM", "NEURON", "LINEAR", "READ", "ABSORB"];

/// Operations and the cells of inputs and outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The first cell of the inputs, and how many.
    pub inputs: [u16; 2],
    /// The first cell of the outputs, and how many.
    pub outputs: [u16; 2],
    /// The operations, in order.
    pub operations: Vec<Operation>,
}

/// Words that are no program for a board of so many cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operations are unknown, cut short, or reach outside the memory, at word {at}")]
pub struct ListingError {
    /// The word.
    pub at: usize,
}

impl Operation {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        NAMES[usize::from(self.code()) - 1]
    }

    fn code(&self) -> u16 {
        match self {
            Self::Copy { .. } => 1,
            Self::Sum { .. } => 2,
            Self::Neuron { .. } => 3,
            Self::Linear { .. } => 4,
            Self::Read { .. } => 5,
            Self::Absorb { .. } => 6,
        }
    }

    fn write(&self, words: &mut Vec<u16>) {
        let count = |list: &[u16]| u16::try_from(list.len()).unwrap_or(u16::MAX);
        words.push(self.code());
        match self {
            Self::Copy { to, from, n } => words.extend([to, from, n]),
            Self::Sum { to, n, from } => {
                words.extend([*to, *n, count(from)]);
                words.extend(from);
            }
            Self::Neuron { f, flags, n, x, s, c, p, y } => {
                words.extend([*f, flags.bits(), *n]);
                words.extend(x);
                words.extend([s, c, p]);
                words.extend(y);
            }
            Self::Linear { to, from, rows, cols, w, b } => words.extend([to, from, rows, cols, w, b]),
            Self::Read { to, from, line, head, n, ticks, delays } => {
                words.extend([to, from, line, head, n, ticks]);
                words.extend(delays);
            }
            Self::Absorb { line, head, n, ticks, from } => words.extend([line, head, n, ticks, from]),
        }
    }
}

/// What is known of a board when words are read.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    words: &'a [u16],
    at: usize,
    cells: usize,
    /// Inputs, states, parameters and outputs of each function.
    functions: &'a [[usize; 4]],
}

impl Reader<'_> {
    fn word(&mut self) -> Option<u16> {
        let word = self.words.get(self.at).copied()?;
        self.at += 1;
        Some(word)
    }

    fn several<const K: usize>(&mut self) -> Option<[u16; K]> {
        let words = self.words.get(self.at..)?.first_chunk::<K>().copied()?;
        self.at += K;
        Some(words)
    }

    fn list(&mut self, count: usize) -> Option<Vec<u16>> {
        let words = self.words.get(self.at..)?.get(..count)?.to_vec();
        self.at += count;
        Some(words)
    }

    /// `None` unless so many cells are there. Of no cells the address does not matter.
    fn holds(&self, first: u16, count: usize) -> Option<()> {
        (count == 0 || usize::from(first).checked_add(count)? <= self.cells).then_some(())
    }

    fn holds_or_nobody(&self, first: u16, count: u16) -> Option<()> {
        if first == NOBODY { Some(()) } else { self.holds(first, count.into()) }
    }

    fn operation(&mut self, code: u16) -> Option<Operation> {
        match code {
            1 => {
                let [to, from, n] = self.several()?;
                self.holds(to, n.into())?;
                self.holds(from, n.into())?;
                Some(Operation::Copy { to, from, n })
            }
            2 => {
                let [to, n, k] = self.several()?;
                let from = self.list(k.into())?;
                self.holds(to, n.into())?;
                from.iter().try_for_each(|&f| self.holds(f, n.into()))?;
                Some(Operation::Sum { to, n, from })
            }
            3 => self.neuron(),
            4 => {
                let [to, from, rows, cols, w, b] = self.several()?;
                self.holds(to, rows.into())?;
                self.holds(from, cols.into())?;
                self.holds(w, usize::from(rows).checked_mul(cols.into())?)?;
                self.holds_or_nobody(b, rows)?;
                Some(Operation::Linear { to, from, rows, cols, w, b })
            }
            5 => {
                let [to, from, line, head, n, ticks] = self.several()?;
                let delays = self.list(n.into())?;
                self.line(line, head, n, ticks)?;
                self.holds(to, n.into())?;
                if delays.contains(&0) {
                    self.holds(from, n.into())?;
                }
                delays.iter().all(|&d| d <= ticks).then_some(Operation::Read { to, from, line, head, n, ticks, delays })
            }
            6 => {
                let [line, head, n, ticks, from] = self.several()?;
                self.line(line, head, n, ticks)?;
                self.holds(from, n.into())?;
                Some(Operation::Absorb { line, head, n, ticks, from })
            }
            _ => None,
        }
    }

    fn line(&self, line: u16, head: u16, n: u16, ticks: u16) -> Option<()> {
        self.holds(head, 1)?;
        self.holds(line, usize::from(n).checked_mul(ticks.into())?)?;
        (ticks > 0).then_some(())
    }

    fn neuron(&mut self) -> Option<Operation> {
        let [f, flags, n] = self.several()?;
        let [wx, wn, wp, wy] = *self.functions.get(usize::from(f))?;
        let flags = Flags::from_bits(flags)?;
        let x = self.list(wx)?;
        let [s, c, p] = self.several()?;
        let y = self.list(wy)?;
        x.iter().chain(&y).try_for_each(|&a| self.holds_or_nobody(a, n))?;
        let rows = |width: usize| usize::from(n).checked_mul(width);
        self.holds(s, rows(wn)?)?;
        self.holds(c, rows(wn * wn + wn * wx + wn)?)?;
        self.holds(p, rows(wp)?)?;
        Some(Operation::Neuron { f, flags, n, x, s, c, p, y })
    }
}

impl Listing {
    /// The words, as `PROG:DATA` takes them.
    #[must_use]
    pub fn words(&self) -> Vec<u16> {
        let mut words = [self.inputs, self.outputs].concat();
        words.push(0);
        self.operations.iter().for_each(|o| o.write(&mut words));
        words.push(0);
        words
    }

    /// Reads words for a board of so many cells, with functions of such widths.
    ///
    /// # Errors
    /// `ListingError` at the operation that the board does not have, that is cut short, or that reaches outside the memory.
    pub fn read(words: &[u16], cells: usize, functions: &[[usize; 4]]) -> Result<Self, ListingError> {
        let mut reader = Reader { words, at: 0, cells, functions };
        let head = reader.several::<5>().ok_or(ListingError { at: 0 })?;
        let [in_first, in_count, out_first, out_count, zero] = head;
        let fits = reader.holds(in_first, in_count.into()).and_then(|()| reader.holds(out_first, out_count.into()));
        if fits.is_none() || zero != 0 {
            return Err(ListingError { at: 0 });
        }
        let mut operations = Vec::new();
        loop {
            let at = reader.at;
            match reader.word() {
                Some(0) if reader.at == words.len() => break,
                Some(code) => operations.push(reader.operation(code).ok_or(ListingError { at })?),
                None => return Err(ListingError { at }),
            }
        }
        Ok(Self { inputs: [in_first, in_count], outputs: [out_first, out_count], operations })
    }
}

/// The cells from an address on.
pub(crate) fn cells(first: u16, count: impl Into<usize>) -> Range<usize> {
    let (first, count) = (usize::from(first), count.into());
    // of no cells the address does not matter, and may lie outside
    if count == 0 { 0..0 } else { first..first + count }
}
