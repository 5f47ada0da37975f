//! The state of a realization, laid out by the program and not by the device.

use crate::error::{Error, Result};
use crate::program::{Digest, Program};
use crate::schedule::Content;

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

    /// Checks that a state belongs to a program and a batch.
    ///
    /// # Errors
    /// `InvalidSignal`, saying what does not fit.
    pub fn check(&self, program: &Program, batch: usize) -> Result<()> {
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
            if let Some(v) = block.values.iter().find(|v| !v.is_finite()) {
                return refuse(format!("block {}.{} holds {v}; only finite numbers are taken", block.node, block.name));
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
