//! A program on a device: its buffers, its kernels and their launches.

use crate::discovery::Card;
use crate::driver::{Entry, Memory, Queue};
use crate::fault::OpenClError;
use crate::substrate::{BUILD, Board, call};
use isoform_core::error::Result;
use isoform_kernels::device::{Device, Read};
use isoform_kernels::form::span;
use isoform_kernels::lower::{Block, Contents, Lowered};
use isoform_kernels::print::opencl::{Style, TASK, source};
use opencl3::event::Event;
use opencl3::program::Program;
use std::sync::Arc;
use std::time::Duration;

/// Work items of a group; fewer where a kernel has fewer.
const GROUP: usize = 64;
/// The most of a compiler's log that goes into an error.
const LOG: usize = 300;

/// A program on a device.
#[derive(Debug)]
pub(crate) struct OpenClDevice {
    board: Arc<Board>,
    queue: Queue,
    text: String,
    buffers: Vec<Slot>,
    kernels: Vec<Loaded>,
    /// The first and the last launch since the time was asked for.
    timed: [Option<Event>; 2],
}

#[derive(Debug)]
struct Slot {
    memory: Memory,
    bytes: usize,
}

/// A kernel whose buffers are set.
#[derive(Debug)]
struct Loaded {
    entry: Entry,
    group: usize,
    /// What it was told last.
    told: Option<[u32; 5]>,
}

/// Lets the driver build a program.
pub(crate) fn built(card: &Card, mut program: Program) -> Result<Program, OpenClError> {
    match program.build(&[card.device().id()], BUILD) {
        Ok(()) => Ok(program),
        Err(source) => {
            let log = program.get_build_log(card.device().id()).unwrap_or_default();
            Err(OpenClError::Build { device: card.to_string(), log: log.chars().take(LOG).collect(), source })
        }
    }
}

impl OpenClDevice {
    pub(crate) fn new(
        board: Arc<Board>,
        text: String,
        program: &Program,
        lowered: &Lowered,
        contents: &[Contents],
    ) -> Result<Self, OpenClError> {
        let queue = Queue::new(&board.context, board.card.device().id()).map_err(|e| call(board.card, "making a queue", e))?;
        let mut device = Self { board, queue, text, buffers: Vec::new(), kernels: Vec::new(), timed: [None, None] };
        for spec in lowered.buffers() {
            let slot = device.allocate(spec.len)?;
            device.buffers.push(slot);
        }
        for constant in contents {
            device.fill(constant)?;
        }
        device.kernels = device.load(program, lowered, &device.buffers)?;
        Ok(device)
    }

    fn failed(&self, doing: &'static str) -> impl Fn(opencl3::error_codes::ClError) -> OpenClError + '_ {
        move |e| call(self.board.card, doing, e)
    }

    /// Memory for so many numbers, all nought.
    fn allocate(&self, len: usize) -> Result<Slot, OpenClError> {
        let bytes = len * size_of::<f32>();
        let mut memory = Memory::new(&self.board.context, bytes).map_err(self.failed("allocating a buffer"))?;
        self.queue.clear(&mut memory, bytes).map_err(self.failed("clearing a buffer"))?;
        Ok(Slot { memory, bytes })
    }

    fn fill(&mut self, constant: &Contents) -> Result<(), OpenClError> {
        let memory = &mut self.buffers[constant.buffer].memory;
        let written = self.queue.write(memory, 0, bytemuck::cast_slice(&constant.words));
        written.map_err(self.failed("writing a buffer"))
    }

    /// The kernels of a program with their buffers.
    fn load(&self, program: &Program, lowered: &Lowered, buffers: &[Slot]) -> Result<Vec<Loaded>, OpenClError> {
        let failed = self.failed("taking a kernel");
        let told = span::ALL.len();
        if self.board.style == Style::Task {
            let entry = Entry::new(program, TASK).map_err(&failed)?;
            for (k, slot) in buffers.iter().enumerate() {
                entry.set_memory(told + 1 + k, &slot.memory).map_err(&failed)?;
            }
            return Ok(vec![Loaded { entry, group: 1, told: None }]);
        }
        let mut kernels = Vec::with_capacity(lowered.kernels.len());
        for kernel in &lowered.kernels {
            let entry = Entry::new(program, &kernel.name).map_err(&failed)?;
            for (k, binding) in kernel.bindings.iter().enumerate() {
                entry.set_memory(told + k, &buffers[binding.buffer].memory).map_err(&failed)?;
            }
            // always the same for a kernel, since drivers compile anew for each size
            let items = kernel.count(1).max(1);
            let group = GROUP.min(self.board.card.group).min(1 << items.ilog2());
            kernels.push(Loaded { entry, group, told: None });
        }
        Ok(kernels)
    }

    fn tell(loaded: &mut Loaded, told: [u32; 5]) -> opencl3::Result<()> {
        if loaded.told == Some(told) {
            return Ok(());
        }
        for (k, &word) in told.iter().enumerate() {
            if loaded.told.is_none_or(|before| before[k] != word) {
                loaded.entry.set_word(k, word)?;
            }
        }
        loaded.told = Some(told);
        Ok(())
    }

    fn note(&mut self, event: Event) {
        let [first, last] = &mut self.timed;
        if first.is_none() {
            *first = Some(event);
        } else {
            *last = Some(event);
        }
    }
}

impl Device for OpenClDevice {
    fn reload(&mut self, lowered: &Lowered, contents: &[Contents]) -> Result<()> {
        let text = source(lowered, self.board.style);
        if text != self.text
            && let Some(file) = &self.board.binary
        {
            return Err(OpenClError::Compiled { file: file.display().to_string() }.into());
        }
        let program = self.board.compile(&text)?;
        // everything that can fail comes before anything changes
        let mut fresh = Vec::new();
        for constant in contents {
            let len = lowered.buffers()[constant.buffer].len;
            fresh.push((constant.buffer, self.allocate(len)?));
        }
        for (buffer, slot) in fresh {
            self.buffers[buffer] = slot;
        }
        for constant in contents {
            self.fill(constant)?;
        }
        self.kernels = self.load(&program, lowered, &self.buffers)?;
        self.text = text;
        Ok(())
    }

    fn write(&mut self, buffer: usize, at: usize, bytes: &[u8]) -> Result<()> {
        let written = self.queue.write(&mut self.buffers[buffer].memory, at, bytes);
        Ok(written.map_err(self.failed("writing a buffer"))?)
    }

    fn clear(&mut self, buffer: usize) -> Result<()> {
        let Slot { memory, bytes } = &mut self.buffers[buffer];
        let cleared = self.queue.clear(memory, *bytes);
        Ok(cleared.map_err(self.failed("clearing a buffer"))?)
    }

    fn launch(&mut self, lowered: &Lowered, block: Block) -> Result<()> {
        let failed = |e| call(self.board.card, "launching a kernel", e);
        if self.board.style == Style::Task {
            let task = &mut self.kernels[0];
            Self::tell(task, block.span(0, block.ticks)).map_err(failed)?;
            task.entry.set_word(span::ALL.len(), u32::from(block.counting)).map_err(failed)?;
            let event = self.queue.launch(&task.entry, 1, 1).map_err(failed)?;
            self.note(event);
            return Ok(());
        }
        for launch in lowered.launches(block) {
            let kernel = &mut self.kernels[launch.kernel];
            Self::tell(kernel, launch.span).map_err(failed)?;
            let items = lowered.kernels[launch.kernel].count(launch.span[1] as usize);
            let event = self.queue.launch(&kernel.entry, items, kernel.group).map_err(failed)?;
            let [first, last] = &mut self.timed;
            *(if first.is_none() { first } else { last }) = Some(event);
        }
        Ok(())
    }

    fn read(&mut self, wanted: &mut [Read<'_>]) -> Result<()> {
        for read in wanted {
            let done = self.queue.read(&self.buffers[read.buffer].memory, read.at, read.into);
            done.map_err(self.failed("reading a buffer"))?;
        }
        Ok(())
    }

    fn spent(&mut self) -> Option<Duration> {
        let [first, last] = std::mem::take(&mut self.timed);
        let first = first?;
        let start = first.profiling_command_start().ok()?;
        let end = last.as_ref().unwrap_or(&first).profiling_command_end().ok()?;
        Some(Duration::from_nanos(end.saturating_sub(start)))
    }
}

impl Drop for OpenClDevice {
    fn drop(&mut self) {
        // buffers must outlive the launches that use them
        let _ = self.queue.finish();
    }
}
