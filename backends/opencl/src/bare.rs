//! The least that a launch can cost: what this substrate is measured against.

use crate::driver::{Entry, Memory, Queue};
use crate::options::Options;
use crate::substrate::{BUILD, call};
use isoform_core::error::Result;
use opencl3::context::Context;
use opencl3::program::Program;

const SOURCE: &str =
    "__kernel void increase(const uint n, __global float *x) { if (get_global_id(0) < n) x[get_global_id(0)] += 1.0f; }";

/// A kernel that adds one to a few numbers, and nothing around it.
#[derive(Debug)]
pub struct Bare {
    queue: Queue,
    memory: Memory,
    entry: Entry,
    numbers: Vec<u8>,
    device: &'static crate::discovery::Card,
    // the entry and the memory belong to it
    _context: Context,
}

impl Bare {
    /// Compiles the kernel for so many numbers.
    ///
    /// # Errors
    /// As for the substrate.
    pub fn new(options: &Options, count: usize) -> Result<Self> {
        let card = options.card()?;
        let failed = |e| call(card, "preparing a bare launch", e);
        let context = Context::from_device(&card.device()).map_err(failed)?;
        let queue = Queue::new(&context, card.device().id()).map_err(failed)?;
        let memory = Memory::new(&context, count * size_of::<f32>()).map_err(failed)?;
        let mut program = Program::create_from_source(&context, SOURCE).map_err(failed)?;
        program.build(&[card.device().id()], BUILD).map_err(failed)?;
        let entry = Entry::new(&program, "increase").map_err(failed)?;
        entry.set_word(0, u32::try_from(count).unwrap_or(u32::MAX)).map_err(failed)?;
        entry.set_memory(1, &memory).map_err(failed)?;
        Ok(Self { queue, memory, entry, numbers: vec![0; count * size_of::<f32>()], device: card, _context: context })
    }

    /// Launches the kernel and reads the numbers back.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    pub fn round_trip(&mut self) -> Result<()> {
        let failed = |e| call(self.device, "launching", e);
        self.queue.launch(&self.entry, self.numbers.len() / size_of::<f32>(), 1).map_err(failed)?;
        self.queue.read(&self.memory, 0, &mut self.numbers).map_err(failed)?;
        Ok(())
    }

    /// Writes the numbers, launches the kernel and reads them back: what a chunk of one tick cannot do without.
    ///
    /// # Errors
    /// `Fault` if the device failed.
    pub fn there_and_back(&mut self) -> Result<()> {
        let failed = |e| call(self.device, "writing", e);
        self.queue.write(&mut self.memory, 0, &self.numbers).map_err(failed)?;
        self.round_trip()
    }
}
