//! The vector machine of a board: memory, operations, and a tick.

use super::capabilities::{Capabilities, FunctionEntry, MOST_CELLS, Numbers};
use super::operation::{Listing, ListingError, NAMES, NOBODY, Operation, cells};
use isoform_core::fixed_point::{Arithmetic, FixedPointError, Format, SinglePrecision, Stepper, Work};
use isoform_core::transfer::TransferFunction;
use std::sync::Arc;

/// A request that the machine refuses; it changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// Cells that are not there.
    #[error("{count} cells from {first} on reach outside the memory")]
    Range {
        /// The first.
        first: usize,
        /// How many.
        count: usize,
    },
    /// More operations than it holds.
    #[error("{0} words of operations are more than the machine holds")]
    OutOfMemory(usize),
    /// Operations that it does not have, or that reach outside the memory.
    #[error(transparent)]
    Operations(#[from] ListingError),
    /// A row of another width.
    #[error("a row of {found} numbers where the operations take {expected}")]
    Row {
        /// What the operations take.
        expected: usize,
        /// What was given.
        found: usize,
    },
}

impl MachineError {
    /// The number of the error in the protocol.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Self::Range { .. } | Self::Row { .. } => -222,
            Self::OutOfMemory(_) => -225,
            Self::Operations(_) => -285,
        }
    }
}

/// The functions of a machine in the arithmetic of its numbers.
#[derive(Debug, Clone)]
struct Engine<A: Arithmetic> {
    arithmetic: A,
    steppers: Vec<Stepper<A>>,
    work: Work<A::Number>,
    /// Room for inputs, coefficients, parameters, states and outputs of one channel.
    row: [Vec<A::Number>; 5],
}

#[derive(Debug, Clone)]
enum Engines {
    Fixed(Engine<Format>),
    Single(Engine<SinglePrecision>),
}

/// A board without a cable. Words of memory are raw: numbers as [`Numbers`] says, and whole numbers in the heads of lines.
#[derive(Debug, Clone)]
pub struct Machine {
    memory: Vec<u32>,
    code: usize,
    listing: Listing,
    functions: Vec<FunctionEntry>,
    engines: Engines,
    numbers: Numbers,
}

impl<A: Arithmetic> Engine<A> {
    fn new(arithmetic: A, functions: &[Arc<dyn TransferFunction>]) -> Result<Self, FixedPointError> {
        let steppers: Vec<Stepper<A>> =
            functions.iter().map(|f| Stepper::new(f.as_ref(), arithmetic)).collect::<Result<_, _>>()?;
        let mut work = Work::default();
        steppers.iter().for_each(|s| s.extend(&mut work));
        let widest = |width: fn(&Stepper<A>) -> usize| steppers.iter().map(width).max().unwrap_or(0);
        let row = [
            widest(|s| s.widths()[0]),
            widest(Stepper::coefficients),
            widest(|s| s.widths()[2]),
            widest(|s| s.widths()[1]),
            widest(|s| s.widths()[3]),
        ]
        .map(|width| vec![A::Number::default(); width]);
        Ok(Self { arithmetic, steppers, work, row })
    }

    fn load(&self, word: u32) -> A::Number {
        self.arithmetic.number(word)
    }

    /// Does every operation once; gives how many results were cut.
    fn tick(&mut self, operations: &[Operation], m: &mut [u32]) -> u64 {
        self.work.clipped = 0;
        for operation in operations {
            match operation {
                Operation::Copy { to, from, n } => {
                    for i in 0..usize::from(*n) {
                        m[usize::from(*to) + i] = m[usize::from(*from) + i];
                    }
                }
                Operation::Sum { to, n, from } => self.sum(m, (*to, *n), from),
                Operation::Neuron { .. } => self.neuron(m, operation),
                Operation::Linear { to, from, rows, cols, w, b } => self.linear(m, [*to, *from, *rows, *cols, *w, *b]),
                Operation::Read { to, from, line, head, n, ticks, delays } => {
                    let (head, n, ticks) = (row_of(m, *head, *ticks), usize::from(*n), usize::from(*ticks));
                    for (i, &delay) in delays.iter().enumerate() {
                        let row = (head + ticks - usize::from(delay)) % ticks;
                        let past = usize::from(*line) + row * n + i;
                        m[usize::from(*to) + i] = m[if delay == 0 { usize::from(*from) + i } else { past }];
                    }
                }
                Operation::Absorb { line, head, n, ticks, from } => {
                    let row = row_of(m, *head, *ticks);
                    for i in 0..usize::from(*n) {
                        m[usize::from(*line) + row * usize::from(*n) + i] = m[usize::from(*from) + i];
                    }
                    m[usize::from(*head)] = ((row + 1) % usize::from(*ticks)) as u32;
                }
            }
        }
        self.work.clipped
    }

    fn sum(&mut self, m: &mut [u32], (to, n): (u16, u16), from: &[u16]) {
        let (arithmetic, clipped) = (self.arithmetic, &mut self.work.clipped);
        for i in 0..usize::from(n) {
            let mut terms = from.iter().map(|&f| arithmetic.number(m[usize::from(f) + i]));
            let first = terms.next().unwrap_or_default();
            let sum = terms.fold(first, |sum, term| arithmetic.add(sum, term, clipped));
            m[usize::from(to) + i] = arithmetic.word(sum);
        }
    }

    fn linear(&mut self, m: &mut [u32], [to, from, rows, cols, w, b]: [u16; 6]) {
        for r in 0..usize::from(rows) {
            let mut sum = if b == NOBODY { A::Number::default() } else { self.load(m[usize::from(b) + r]) };
            for c in 0..usize::from(cols) {
                let weight = self.load(m[usize::from(w) + r * usize::from(cols) + c]);
                let x = self.load(m[usize::from(from) + c]);
                let product = self.arithmetic.mul(weight, x, &mut self.work.clipped);
                sum = self.arithmetic.add(sum, product, &mut self.work.clipped);
            }
            m[usize::from(to) + r] = self.arithmetic.word(sum);
        }
    }

    fn neuron(&mut self, m: &mut [u32], operation: &Operation) {
        let Operation::Neuron { f, flags, n, x, s, c, p, y } = operation else { return };
        let Self { arithmetic, steppers, work, row: [row_x, row_c, row_p, row_s, row_y] } = self;
        let step = &steppers[usize::from(*f)];
        let ([_, wn, wp, _], wc, n) = (step.widths(), step.coefficients(), usize::from(*n));
        let fill = |row: &mut [A::Number], m: &[u32], first: u16, i: usize, width: usize| {
            for (to, &word) in row.iter_mut().zip(&m[cells(first, n * width)][i * width..(i + 1) * width]) {
                *to = arithmetic.number(word);
            }
        };
        for i in 0..n {
            for (to, &at) in row_x.iter_mut().zip(x) {
                *to = if at == NOBODY { A::Number::default() } else { arithmetic.number(m[usize::from(at) + i]) };
            }
            fill(row_c, m, *c, i, wc);
            fill(row_p, m, *p, i, wp);
            for (k, to) in row_s.iter_mut().enumerate().take(wn) {
                *to = arithmetic.number(m[usize::from(*s) + k * n + i]);
            }
            step.tick(*flags, [row_x, row_c, row_p], row_s, row_y, work);
            for (k, &state) in row_s.iter().enumerate().take(wn) {
                m[usize::from(*s) + k * n + i] = arithmetic.word(state);
            }
            for (&at, &value) in y.iter().zip(row_y.iter()).filter(|(at, _)| **at != NOBODY) {
                m[usize::from(at) + i] = arithmetic.word(value);
            }
        }
    }
}

/// The row of a line where its head stands. The host may have written any number there.
fn row_of(m: &[u32], head: u16, ticks: u16) -> usize {
    (m[usize::from(head)] % u32::from(ticks)) as usize
}

impl Machine {
    /// A machine with so many cells and words of operations.
    ///
    /// # Errors
    /// If a function has no run-time form, draws, or needs what a board does not have.
    pub fn new(
        numbers: Numbers,
        functions: &[Arc<dyn TransferFunction>],
        cells: usize,
        code: usize,
    ) -> Result<Self, FixedPointError> {
        let engines = match numbers {
            Numbers::F32 => Engines::Single(Engine::new(SinglePrecision, functions)?),
            Numbers::Fixed(format) => Engines::Fixed(Engine::new(format, functions)?),
        };
        let entry = |f: &Arc<dyn TransferFunction>| {
            let s = f.signature();
            FunctionEntry { id: s.id.to_owned(), widths: [s.inputs.len(), s.states.len(), s.parameters.len(), s.outputs.len()] }
        };
        let functions = functions.iter().map(entry).collect();
        Ok(Self { memory: vec![0; cells.min(MOST_CELLS)], code, listing: Listing::default(), functions, engines, numbers })
    }

    /// What it can hold and do, for blocks and a range of inputs that its cable and its maker choose.
    #[must_use]
    pub fn capabilities(&self, block: usize, range: [f64; 2]) -> Capabilities {
        Capabilities {
            numbers: self.numbers,
            cells: self.memory.len(),
            code: self.code,
            block,
            range,
            functions: self.functions.clone(),
            operations: NAMES.map(String::from).to_vec(),
            modes: true,
            check: true,
        }
    }

    /// Drops the program: no operations, memory nought.
    pub fn reset(&mut self) {
        self.memory.fill(0);
        self.listing = Listing::default();
    }

    /// Sets the operations. Every address is checked here, and never again.
    ///
    /// # Errors
    /// `OutOfMemory` or `Operations`.
    pub fn set_program(&mut self, words: &[u16]) -> Result<(), MachineError> {
        if words.len() > self.code {
            return Err(MachineError::OutOfMemory(words.len()));
        }
        let widths: Vec<[usize; 4]> = self.functions.iter().map(|f| f.widths).collect();
        self.listing = Listing::read(words, self.memory.len(), &widths)?;
        Ok(())
    }

    fn range(&self, first: usize, count: usize) -> Result<std::ops::Range<usize>, MachineError> {
        let end = first.checked_add(count).filter(|&end| end <= self.memory.len());
        end.map(|end| first..end).ok_or(MachineError::Range { first, count })
    }

    /// Writes raw words from a cell on.
    ///
    /// # Errors
    /// `Range`.
    pub fn write(&mut self, first: usize, words: &[u32]) -> Result<(), MachineError> {
        let range = self.range(first, words.len())?;
        self.memory[range].copy_from_slice(words);
        Ok(())
    }

    /// Raw words from a cell on.
    ///
    /// # Errors
    /// `Range`.
    pub fn read(&self, first: usize, count: usize) -> Result<&[u32], MachineError> {
        self.range(first, count).map(|range| &self.memory[range])
    }

    /// How many numbers go in and come out in a tick.
    #[must_use]
    pub fn channels(&self) -> [usize; 2] {
        [self.listing.inputs[1].into(), self.listing.outputs[1].into()]
    }

    /// One tick; gives how many results were cut. The outputs are then at [`outputs`](Self::outputs).
    ///
    /// # Errors
    /// `Row` if the row does not fit the operations.
    pub fn tick(&mut self, row: &[u32]) -> Result<u64, MachineError> {
        let [first, count] = self.listing.inputs;
        if row.len() != usize::from(count) {
            return Err(MachineError::Row { expected: count.into(), found: row.len() });
        }
        self.memory[cells(first, count)].copy_from_slice(row);
        Ok(match &mut self.engines {
            Engines::Fixed(engine) => engine.tick(&self.listing.operations, &mut self.memory),
            Engines::Single(engine) => engine.tick(&self.listing.operations, &mut self.memory),
        })
    }

    /// The outputs of the last tick.
    #[must_use]
    pub fn outputs(&self) -> &[u32] {
        let [first, count] = self.listing.outputs;
        &self.memory[cells(first, count)]
    }
}
