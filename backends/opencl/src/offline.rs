//! Kernels that are compiled ahead of time, the way FPGA boards want it.

use crate::container::{Container, ContainerError, hash};
use crate::fault::OpenClError;
use crate::substrate::{BUILD, OpenClSubstrate, call};
use isoform_core::dynamics::Domain;
use isoform_core::error::Result;
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_kernels::lower::{Lowered, Target, lower};
use isoform_kernels::print::opencl::{Style, TASK, source};
use serde::Serialize;

/// Compiles a program for so many batch lanes, and wraps the binary of the driver.
///
/// # Errors
/// `Unsupported` for a program without kernels, `Fault` if the compiler of the device refuses it.
pub fn build(substrate: &OpenClSubstrate, program: &Program, batch: usize) -> Result<Vec<u8>> {
    substrate.profile().admit(program)?;
    let board = substrate.board();
    let (lowered, _) = lower(program, batch, 0, &substrate.target())?;
    let text = source(&lowered, board.style);
    let compiled = board.compile(&text)?;
    launch_once(substrate, program, batch)?;
    let binaries = compiled.get_binaries().map_err(|e| call(board.card, "giving its binary", e))?;
    let binary = binaries.into_iter().next().unwrap_or_default();
    let container = Container { header: board.header(program, batch, &text), binary };
    let wrap = |source: ContainerError| OpenClError::Container { file: String::from("to be written"), source };
    Ok(container.to_bytes().map_err(wrap)?)
}

/// Launches every kernel, since drivers may finish compiling only then, and would leave out of the binary what they have not finished.
fn launch_once(substrate: &OpenClSubstrate, program: &Program, batch: usize) -> Result<()> {
    let run = Run::new().with_batch(batch).with_max_ticks(1);
    let mut session = Blocking::open(substrate, program, &run)?;
    let (input, output) = (run.input(program, 1).len(), run.output(program, 1).len());
    let (x, mut y, mut counts) = (vec![0.0; input], vec![0.0; output], vec![0; output]);
    session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1)?;
    let is_counted = program.outputs().iter().all(|o| o.port.domain == Domain::Spikes);
    if is_counted {
        session.advance(Signal::Dense(&x), SignalMut::Counts(&mut counts), 1)?;
    }
    Ok(())
}

/// What a vendor's offline compiler needs to know.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// The file with the kernels.
    pub source: String,
    /// Its SHA-256.
    pub source_sha256: String,
    /// The digest of the program.
    pub program: String,
    /// Batch lanes.
    pub batch: usize,
    /// `grid` or `task`.
    pub style: String,
    /// Options for the compiler.
    pub options: String,
    /// The entry points, with their arguments in order.
    pub kernels: Vec<EntryPoint>,
    /// Every buffer, in order.
    pub buffers: Vec<BufferEntry>,
}

/// A kernel that the host launches.
#[derive(Debug, Clone, Serialize)]
pub struct EntryPoint {
    /// Its name.
    pub name: String,
    /// Its arguments, in order: numbers that it is told, then buffers.
    pub arguments: Vec<String>,
}

/// A buffer on the device.
#[derive(Debug, Clone, Serialize)]
pub struct BufferEntry {
    /// What it holds.
    pub name: String,
    /// How many numbers of four bytes, for blocks of one tick.
    pub words: usize,
}

/// The source of the kernels and what a compiler needs to know, without any device.
///
/// # Errors
/// `Unsupported` for a program without kernels.
pub fn emit(program: &Program, batch: usize, style: Style) -> Result<(String, Manifest)> {
    let target = Target { width: 1, block_bytes: 0, longest_block: 1, buffer_bytes: u32::MAX as usize };
    let (lowered, _) = lower(program, batch, 0, &target)?;
    let text = source(&lowered, style);
    let manifest = Manifest {
        source: String::from("kernels.cl"),
        source_sha256: hash(&text),
        program: program.digest().to_string(),
        batch,
        style: String::from(if style == Style::Task { "task" } else { "grid" }),
        options: BUILD.to_owned(),
        kernels: entries(&lowered, style),
        buffers: lowered.buffers().iter().map(|b| BufferEntry { name: b.name.clone(), words: b.len }).collect(),
    };
    Ok((text, manifest))
}

fn entries(lowered: &Lowered, style: Style) -> Vec<EntryPoint> {
    let told = || isoform_kernels::form::span::ALL.iter().map(|&name| name.to_owned());
    if style == Style::Task {
        let buffers = lowered.buffers().iter().map(|b| b.name.clone());
        let arguments = told().chain([String::from("counting")]).chain(buffers).collect();
        return vec![EntryPoint { name: TASK.to_owned(), arguments }];
    }
    let point = |k: &isoform_kernels::form::Kernel| EntryPoint {
        name: k.name.clone(),
        arguments: told().chain(k.bindings.iter().map(|b| lowered.buffers()[b.buffer].name.clone())).collect(),
    };
    lowered.kernels.iter().map(point).collect()
}
