//! The state of a realization, laid out by the program and not by the device.

use crate::error::{Error, Result};
use crate::program::{Digest, Program};
use crate::schedule::Content;
use std::borrow::Cow;
use std::collections::HashMap;

/// The version of the layout.
pub const FORMAT: u32 = 1;

/// No run counts beyond this tick.
const LAST_TICK: u64 = 1 << 53;

/// A saved state: what was computed on one substrate continues on another.
///
/// Values are in the units of the graph and in double precision, which holds single precision and whole numbers exactly.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The version of the layout.
    pub format: u32,
    /// The digest of the program, in hexadecimal.
    pub program: String,
    /// How many independent lanes.
    pub batch: usize,
    /// How many ticks have passed since the reset; random draws are keyed by it.
    pub tick: u64,
    /// One block for each [`MemoryBlock`](crate::schedule::MemoryBlock) of the schedule, in its order.
    pub blocks: Vec<Block>,
}

/// One block of a saved state.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Block {
    /// The node.
    pub node: String,
    /// The name of the state, `line P` or `previous P` for port `P`.
    pub name: String,
    /// The values, `[batch, len]`.
    #[serde(with = "crate::layer::loose")]
    pub values: Vec<f64>,
}

impl State {
    /// The state after a reset.
    #[must_use]
    pub fn initial(program: &Program, batch: usize) -> Self {
        let blocks = program
            .schedule()
            .memory
            .iter()
            .map(|m| {
                let lane: Vec<f64> = (0..m.len).map(|i| m.initial[i % m.initial.len()]).collect();
                Block {
                    node: program.nodes()[m.node].name.clone(),
                    name: name(program, m.node, m.content),
                    values: lane.repeat(batch),
                }
            })
            .collect();
        Self { format: FORMAT, program: program.digest().to_string(), batch, tick: 0, blocks }
    }

    /// The state with its blocks in the order of a program. Programs that mean the same may have declared their nodes in different orders; what
    /// fits in no order is left for [`State::check`] to refuse.
    #[must_use]
    pub fn arranged(&self, program: &Program) -> Cow<'_, Self> {
        let memory = &program.schedule().memory;
        let names = || memory.iter().map(|m| (program.nodes()[m.node].name.as_str(), name(program, m.node, m.content)));
        if self.blocks.len() != memory.len()
            || names().zip(&self.blocks).all(|((node, name), b)| b.node == node && b.name == name)
        {
            return Cow::Borrowed(self);
        }
        let held: HashMap<(&str, &str), &Block> = self.blocks.iter().map(|b| ((b.node.as_str(), b.name.as_str()), b)).collect();
        let blocks: Option<Vec<Block>> =
            names().map(|(node, name)| held.get(&(node, name.as_str())).map(|&b| b.clone())).collect();
        blocks.map_or(Cow::Borrowed(self), |blocks| {
            let Self { format, program, batch, tick, .. } = self;
            Cow::Owned(Self { format: *format, program: program.clone(), batch: *batch, tick: *tick, blocks })
        })
    }

    /// Checks that a state belongs to a program and a batch, and that all its numbers are finite.
    ///
    /// # Errors
    /// `InvalidSignal`, saying what does not fit.
    pub fn check(&self, program: &Program, batch: usize) -> Result<()> {
        self.fits(program, batch)?;
        self.within(f64::MAX)
    }

    /// Checks that all numbers are at most so large.
    ///
    /// # Errors
    /// `InvalidSignal`, naming the first block that holds another.
    pub fn within(&self, largest: f64) -> Result<()> {
        for block in &self.blocks {
            if let Some(v) = block.values.iter().find(|v| v.is_nan() || v.abs() > largest) {
                let taken =
                    if v.is_finite() { format!("at most {largest:e} is") } else { String::from("only finite numbers are") };
                return Err(Error::invalid_signal(format!("block {}.{} holds {v:e}; {taken} taken", block.node, block.name)));
            }
        }
        Ok(())
    }

    /// Checks that a state is laid out as a program and a batch say, whatever its numbers are.
    ///
    /// # Errors
    /// `InvalidSignal`, saying what does not fit.
    pub fn fits(&self, program: &Program, batch: usize) -> Result<()> {
        let refuse = |why: String| Err(Error::invalid_signal(why));
        if self.format != FORMAT {
            return refuse(format!("the state has format {}, but only {FORMAT} is known", self.format));
        }
        if self.program != program.digest().to_string() {
            return refuse(format!("the state belongs to program {}, not to {}", self.program, program.digest()));
        }
        if self.batch != batch {
            return refuse(format!("the state has {} lanes instead of {batch}", self.batch));
        }
        let memory = &program.schedule().memory;
        if self.blocks.len() != memory.len() {
            return refuse(format!("the state has {} blocks instead of {}", self.blocks.len(), memory.len()));
        }
        if self.tick > LAST_TICK {
            return refuse(format!("the state says that {} ticks have passed, more than any clock counts", self.tick));
        }
        for (block, m) in self.blocks.iter().zip(memory) {
            let (node, name) = (&program.nodes()[m.node].name, name(program, m.node, m.content));
            if block.node != *node || block.name != name {
                return refuse(format!("block {}.{} stands where {node}.{name} belongs", block.node, block.name));
            }
            if block.values.len() != m.len * batch {
                return refuse(format!(
                    "block {}.{} holds {} numbers instead of {}",
                    block.node,
                    block.name,
                    block.values.len(),
                    m.len * batch
                ));
            }
        }
        Ok(())
    }

    /// A block by node and name.
    #[must_use]
    pub fn block(&self, node: &str, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|b| b.node == node && b.name == name)
    }

    /// A block by node and name, to be changed.
    pub fn block_mut(&mut self, node: &str, name: &str) -> Option<&mut Block> {
        self.blocks.iter_mut().find(|b| b.node == node && b.name == name)
    }

    /// The digest of the program that the state belongs to.
    ///
    /// # Errors
    /// `InvalidSignal` if the field is not a digest.
    pub fn digest(&self) -> Result<Digest> {
        self.program.parse()
    }
}

/// The name of a block.
#[must_use]
pub fn name(program: &Program, node: usize, content: Content) -> String {
    match content {
        Content::State(k) => match &program.nodes()[node].kind {
            crate::program::NodeKind::Dynamics { function, .. } => function.signature().states[k].quantity.name.to_owned(),
            _ => format!("state {k}"),
        },
        Content::Line { port, .. } => format!("line {port}"),
        Content::Previous(port) => format!("previous {port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::li;
    use crate::semantics::Semantics;

    /// Two membranes in a row, declared in either order.
    fn program(first: &str) -> Program {
        let mut net = Program::builder();
        let x = net.input("x", [1]);
        let (a, b) = (net.later("a"), net.later("b"));
        let wires = if first == "a" { [("a", x), ("b", a)] } else { [("b", a), ("a", x)] };
        for (name, wire) in wires {
            net.node(name, li().with("tau", 5e-3), wire);
        }
        net.output("y", b);
        net.build(Semantics::exact(1e-3)).expect("valid")
    }

    #[test]
    fn a_state_fits_every_program_of_its_digest() {
        let (one, other) = (program("a"), program("b"));
        assert_eq!(one.digest(), other.digest());
        let mut state = State::initial(&one, 2);
        state.block_mut("b", "v").expect("there").values = vec![1.0, 2.0];
        assert!(state.check(&other, 2).is_err());
        let arranged = state.arranged(&other);
        arranged.check(&other, 2).expect("fits");
        assert_eq!(arranged.block("b", "v").expect("there").values, [1.0, 2.0]);
        assert_eq!(*arranged.arranged(&one), state);
    }

    #[test]
    fn what_belongs_nowhere_is_left_to_be_refused() {
        let program = program("a");
        let mut state = State::initial(&program, 1);
        state.blocks[0].name = String::from("w");
        assert_eq!(*state.arranged(&program), state);
        let mut twice = State::initial(&program, 1);
        twice.blocks[1] = twice.blocks[0].clone();
        assert_eq!(
            twice.arranged(&program).check(&program, 1).expect_err("named twice").kind(),
            crate::error::ErrorKind::InvalidSignal
        );
    }
}
