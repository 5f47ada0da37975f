//! The calls into the driver: every unsafe line of the crate.
//!
//! What the types below promise: a buffer, a kernel and a queue belong to one context; every transfer is complete when the call returns, so
//! that no pointer outlives its memory; and arguments are set with the types and in the order that the printed kernels declare.
#![expect(unsafe_code, reason = "the interface of OpenCL takes raw pointers")]

use opencl3::Result;
use opencl3::command_queue::{CL_QUEUE_PROFILING_ENABLE, CommandQueue};
use opencl3::context::Context;
use opencl3::device::Device;
use opencl3::event::Event;
use opencl3::kernel::Kernel;
use opencl3::memory::{Buffer, CL_MEM_READ_WRITE, ClMem};
use opencl3::program::Program;
use opencl3::types::{CL_BLOCKING, cl_device_id, cl_mem};
use std::ptr;

/// A queue whose commands run in order.
#[derive(Debug)]
pub(crate) struct Queue(CommandQueue);

/// Memory of a device.
#[derive(Debug)]
pub(crate) struct Memory(Buffer<u8>);

/// A compiled kernel with its arguments.
#[derive(Debug)]
pub(crate) struct Entry(Kernel);

impl Queue {
    pub(crate) fn new(context: &Context, device: cl_device_id) -> Result<Self> {
        // the older call: boards of OpenCL 1.2 have no other
        // SAFETY: the context was made from this device
        unsafe { CommandQueue::create(context, device, CL_QUEUE_PROFILING_ENABLE) }.map(Self)
    }

    /// Writes bytes from an offset on.
    pub(crate) fn write(&self, memory: &mut Memory, at: usize, bytes: &[u8]) -> Result<()> {
        // SAFETY: the call blocks until the bytes are copied, and the driver checks the range
        unsafe { self.0.enqueue_write_buffer(&mut memory.0, CL_BLOCKING, at, bytes, &[]) }.map(drop)
    }

    /// Reads bytes from an offset on.
    pub(crate) fn read(&self, memory: &Memory, at: usize, into: &mut [u8]) -> Result<()> {
        // SAFETY: the call blocks until the bytes are copied, and the driver checks the range
        unsafe { self.0.enqueue_read_buffer(&memory.0, CL_BLOCKING, at, into, &[]) }.map(drop)
    }

    /// Fills memory with noughts.
    pub(crate) fn clear(&self, memory: &mut Memory, bytes: usize) -> Result<()> {
        // SAFETY: the pattern is copied by the call, and the driver checks the range
        unsafe { self.0.enqueue_fill_buffer(&mut memory.0, &[0_u8], 0, bytes, &[]) }.map(drop)
    }

    /// Launches a kernel for so many items in groups of so many.
    pub(crate) fn launch(&self, entry: &Entry, items: usize, group: usize) -> Result<Event> {
        let (global, local) = ([items.next_multiple_of(group)], [group]);
        // SAFETY: all arguments were set, memory lives as long as the kernel, and each item checks its number
        unsafe { self.0.enqueue_nd_range_kernel(entry.0.get(), 1, ptr::null(), global.as_ptr(), local.as_ptr(), &[]) }
    }

    /// Waits for all commands.
    pub(crate) fn finish(&self) -> Result<()> {
        self.0.finish()
    }
}

impl Memory {
    pub(crate) fn new(context: &Context, bytes: usize) -> Result<Self> {
        // SAFETY: no host pointer is handed over
        unsafe { Buffer::create(context, CL_MEM_READ_WRITE, bytes, ptr::null_mut()) }.map(Self)
    }
}

impl Entry {
    pub(crate) fn new(program: &Program, name: &str) -> Result<Self> {
        Kernel::create(program, name).map(Self)
    }

    /// Sets a whole number.
    pub(crate) fn set_word(&self, place: usize, value: u32) -> Result<()> {
        // SAFETY: the driver checks place and size, and copies the value
        unsafe { self.0.set_arg(place as u32, &value) }
    }

    /// Sets a buffer.
    pub(crate) fn set_memory(&self, place: usize, memory: &Memory) -> Result<()> {
        let handle: cl_mem = memory.0.get();
        // SAFETY: the driver checks place and size; the memory is kept beside the kernel
        unsafe { self.0.set_arg(place as u32, &handle) }
    }
}

/// A program from a binary whose origin and digest were checked.
pub(crate) fn from_binary(context: &Context, device: &Device, binary: &[u8]) -> Result<Program> {
    // SAFETY: the context was made from this device, and the driver copies the binary
    unsafe { Program::create_from_binary(context, &[device.id()], &[binary]) }
}
