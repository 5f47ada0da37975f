//! A program laid out as operations and cells of a board.
//!
//! The image knows where everything stands; `layout` gives it its place.

mod layout;

use super::capabilities::{Capabilities, FunctionEntry, Numbers};
use super::operation::{Listing, NOBODY, Operation};
use isoform_core::Channels;
use isoform_core::error::{Error, Result};
use isoform_core::plan::{Location, Plan};
use isoform_core::program::{Node, NodeKind, Program};
use isoform_core::state::State;
use std::collections::HashMap;
use std::ops::Range;

/// Results of a function beside its flow, for each input, state, parameter and output.
pub(super) const OWN: usize = 16;

/// Words for the cells from `first` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The first cell.
    pub first: usize,
    /// The raw words.
    pub words: Vec<u32>,
}

/// Where a line is, and its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LineCells {
    first: u16,
    head: u16,
    channels: usize,
    ticks: usize,
}

/// Where the numbers of a node are that do not change from tick to tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Constants {
    /// Coefficients and parameters.
    Neuron { c: u16, p: u16 },
    /// Weights and bias.
    Linear { w: u16, b: u16 },
}

/// A program for a board.
#[derive(Debug, Clone)]
pub struct Image {
    numbers: Numbers,
    plan: Plan,
    listing: Listing,
    memory: Vec<u32>,
    kept: Range<usize>,
    states: HashMap<(usize, usize), u16>,
    lines: Vec<LineCells>,
    previous: HashMap<usize, u16>,
    constants: HashMap<usize, Constants>,
}

impl Image {
    /// Lays out a program.
    ///
    /// # Errors
    /// `Unsupported`, naming the node and what the board lacks: the function, an operation, memory, or the range of its numbers.
    pub fn new(program: &Program, board: &Capabilities) -> Result<Self> {
        layout::lay_out(program, board)
    }

    /// The operations as words for `PROG:DATA`.
    #[must_use]
    pub fn code(&self) -> Vec<u16> {
        self.listing.words()
    }

    /// The operations.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The most results of a tick that a board with these functions can have cut: of each sum and each product one. How a board computes test,
    /// landing and update of a function is its own affair, within sixteen results for each of its inputs, states, parameters and outputs.
    #[must_use]
    pub fn most_cut(&self, functions: &[FunctionEntry]) -> u64 {
        let of = |operation: &Operation| match operation {
            Operation::Copy { .. } | Operation::Read { .. } | Operation::Absorb { .. } => 0,
            Operation::Sum { n, from, .. } => usize::from(*n) * from.len(),
            Operation::Linear { rows, cols, .. } => 2 * usize::from(*rows) * usize::from(*cols),
            Operation::Neuron { f, n, .. } => {
                let [x, states, p, y] = functions.get(usize::from(*f)).map_or([0; 4], |entry| entry.widths);
                let coefficients = states * states + states * x + states;
                usize::from(*n) * (2 * coefficients + OWN * (x + states + p + y))
            }
        };
        self.listing.operations.iter().map(|operation| of(operation) as u64).sum()
    }

    /// The words of all cells that are used, in the state after a reset.
    #[must_use]
    pub fn memory(&self) -> &[u32] {
        &self.memory
    }

    /// Takes over what was written to the cells of constants.
    pub fn keep(&mut self, patch: &Patch) {
        self.memory[patch.first..][..patch.words.len()].copy_from_slice(&patch.words);
    }

    /// A cell that no tick changes and that is not nought, if there is one.
    #[must_use]
    pub fn constant(&self) -> Option<(usize, u32)> {
        let mut cells = self.memory.iter().copied().enumerate();
        cells.find(|(cell, word)| *word != 0 && !self.kept.contains(cell))
    }

    /// The cells that are kept from tick to tick.
    #[must_use]
    pub fn kept(&self) -> Range<usize> {
        self.kept.clone()
    }

    /// A state from the words of the [kept](Self::kept) cells.
    ///
    /// # Errors
    /// `Protocol` if there are not as many words as cells.
    pub fn state(&self, program: &Program, tick: u64, words: &[u32]) -> Result<State> {
        if words.len() != self.kept.len() {
            let why = format!("{} words are not the {} that the program keeps", words.len(), self.kept.len());
            return Err(Error::new(isoform_core::error::ErrorKind::Protocol, why));
        }
        let mut state = State::initial(program, 1);
        state.tick = tick;
        let at = |cell: usize| words[cell - self.kept.start];
        for (block, &location) in state.blocks.iter_mut().zip(&self.plan.memory) {
            let cells = self.cells(location, |head| at(head) as usize, block.values.len());
            block.values.iter_mut().zip(cells).for_each(|(value, cell)| *value = self.numbers.decode(at(cell)));
        }
        Ok(state)
    }

    /// The words of the kept cells for a state.
    ///
    /// # Errors
    /// `InvalidSignal` if the state does not fit the program, or a number is beyond those of the board.
    pub fn load(&self, program: &Program, state: &State) -> Result<Patch> {
        state.check(program, 1)?;
        let mut words = vec![0; self.kept.len()];
        for (block, &location) in state.blocks.iter().zip(&self.plan.memory) {
            for (cell, &value) in self.cells(location, |_| 0, block.values.len()).zip(&block.values) {
                words[cell - self.kept.start] = self.numbers.encode(value).ok_or_else(|| {
                    let why = format!("{} is {value}, beyond the {} of the board", block.name, self.numbers);
                    Error::invalid_signal(why).with_node(&block.node)
                })?;
            }
        }
        Ok(Patch { first: self.kept.start, words })
    }

    /// The cells of a block of a state, in its order; `head` reads the head of a line.
    fn cells(&self, location: Location, head: impl Fn(usize) -> usize, len: usize) -> impl Iterator<Item = usize> {
        let (first, line) = match location {
            Location::State { node, state } => (self.states.get(&(node, state)).copied().unwrap_or_default(), None),
            Location::Previous(buffer) => (self.previous.get(&buffer).copied().unwrap_or_default(), None),
            Location::Line(line) => (self.lines[line].first, Some(self.lines[line])),
        };
        let head = line.map_or(0, |line| head(line.head.into()) % line.ticks.max(1));
        (0..len).map(move |i| match line {
            // by age in a state, the previous tick first; by place in the ring on the board
            Some(line) => {
                let (age, channel) = (i / line.channels, i % line.channels);
                let row = (head + line.ticks - 1 - age) % line.ticks;
                usize::from(first) + row * line.channels + channel
            }
            None => usize::from(first) + i,
        })
    }

    /// The words of coefficients, parameters and weights of a node, which may have other parameters than when it was laid out.
    ///
    /// # Errors
    /// `Unsupported`, naming the node, if a number is beyond those of the board.
    pub fn tune(&self, index: usize, node: &Node) -> Result<Vec<Patch>> {
        let encode = |what: &str, value: f64| {
            self.numbers.encode(value).ok_or_else(|| {
                let why = format!("{what} is {value}, beyond the {} of the board; scale the units of the program", self.numbers);
                Error::unsupported(why).with_node(&node.name)
            })
        };
        match (self.constants.get(&index), &node.kind) {
            (Some(&Constants::Neuron { c, p }), NodeKind::Dynamics { function, .. }) => {
                let channels = Channels::of(node).ok_or_else(|| Error::fault("a neuron has channels").with_node(&node.name))?;
                let s = function.signature();
                let read = function.record(&node.semantics).parameters(s);
                let (mut coefficients, mut parameters) = (Vec::new(), Vec::new());
                for i in 0..node.channels() {
                    let channel = &channels.table[channels.which[i.min(channels.which.len() - 1)]];
                    let k = &channel.coefficients;
                    for &value in k.phi.iter().chain(&k.gamma).chain(&k.constant) {
                        coefficients.push(encode("a coefficient of the flow", value)?);
                    }
                    for ((&value, &read), parameter) in channel.p.iter().zip(&read).zip(&s.parameters) {
                        // what acts through the coefficients alone may be beyond the numbers
                        parameters.push(if read { encode(parameter.quantity.name, value)? } else { 0 });
                    }
                }
                Ok(vec![Patch { first: c.into(), words: coefficients }, Patch { first: p.into(), words: parameters }])
            }
            (Some(&Constants::Linear { w, b }), NodeKind::Linear(map)) => {
                let cols = map.input().len();
                let mut matrix = vec![0.0; map.output().len() * cols];
                map.for_each_term(|row, col, weight| matrix[row * cols + col] += weight);
                let words = matrix.iter().map(|&v| encode("a weight", v)).collect::<Result<_>>()?;
                let mut patches = vec![Patch { first: w.into(), words }];
                if b != NOBODY {
                    let words = (0..map.output().len()).map(|o| encode("a bias", map.bias_at(o))).collect::<Result<_>>()?;
                    patches.push(Patch { first: b.into(), words });
                }
                Ok(patches)
            }
            _ => Ok(Vec::new()),
        }
    }
}
