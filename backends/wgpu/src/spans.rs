//! What the launches of a block are told, in slots of one uniform buffer.

use isoform_kernels::device::spans;
use isoform_kernels::form::{Expr, Kernel, span};
use isoform_kernels::lower::{Block, Lowered};
use isoform_kernels::print::wgsl::SPAN_WORDS;
use wgpu::{Buffer, BufferDescriptor, BufferUsages, Device, Queue};

/// Slots and what stands in them.
#[derive(Debug)]
pub(crate) struct Spans {
    pub(crate) buffer: Buffer,
    /// Bytes from slot to slot.
    step: usize,
    words: Vec<u32>,
    /// What the device has been sent.
    sent: Vec<u32>,
    /// Which words any kernel reads.
    read: [bool; span::ALL.len()],
}

impl Spans {
    pub(crate) fn new(device: &Device, alignment: u32, lowered: &Lowered) -> Self {
        let step = (SPAN_WORDS * size_of::<u32>()).next_multiple_of(alignment.max(4) as usize);
        let mut slots = 0;
        for counting in [false, true] {
            let longest = Block { ticks: lowered.block(), tick: 0, held: false, counting };
            spans(lowered.launches(longest), |place, _, _| slots = slots.max(place + 1));
        }
        let bytes = step * slots.max(1);
        let buffer = device.create_buffer(&BufferDescriptor {
            label: Some("spans"),
            size: bytes as u64,
            usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let words = vec![0; bytes / size_of::<u32>()];
        Self { buffer, step, words, sent: Vec::with_capacity(bytes / size_of::<u32>()), read: read(&lowered.kernels) }
    }

    /// Where the span of a place stands.
    pub(crate) fn offset(&self, place: usize) -> u32 {
        (place * self.step) as u32
    }

    /// Sends what a block is told, unless it is what the device has already.
    pub(crate) fn send(&mut self, queue: &Queue, lowered: &Lowered, block: Block) {
        let (step, mut slots) = (self.step / size_of::<u32>(), 0);
        spans(lowered.launches(block), |place, fresh, launch| {
            if fresh {
                let told = launch.span.iter().zip(self.read).map(|(&word, read)| if read { word } else { 0 });
                self.words[place * step..].iter_mut().zip(told).for_each(|(to, word)| *to = word);
                slots = place + 1;
            }
        });
        let words = &self.words[..slots * step];
        if self.sent.get(..words.len()) != Some(words) {
            queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(words));
            self.sent.clear();
            self.sent.extend_from_slice(words);
        }
    }
}

/// Which words of a span any of the kernels reads; how many ticks there are is read by every kernel that counts its items by them.
fn read(kernels: &[Kernel]) -> [bool; span::ALL.len()] {
    let mut read = span::ALL.map(|name| name == span::TICKS);
    for statement in kernels.iter().flat_map(|k| &k.body) {
        statement.visit(&mut |e| {
            if let Expr::Name(_, name) = e
                && let Some(k) = span::ALL.iter().position(|n| **n == **name)
            {
                read[k] = true;
            }
        });
    }
    read
}
