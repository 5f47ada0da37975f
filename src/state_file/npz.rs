//! States as archives of arrays, the way of `numpy.savez`.

use isoform_core::error::{Error, Result};
use isoform_core::program::Program;
use isoform_core::state::{Block, State};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Everything but the numbers.
const HEADER: &str = "isoform.json";
/// More than any header of ours or of numpy needs.
const MAX_HEADER: u64 = 16 << 20;
const MAGIC: &[u8] = b"\x93NUMPY";

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    program: String,
    batch: usize,
    tick: u64,
    blocks: Vec<Name>,
}

#[derive(Serialize, Deserialize)]
struct Name {
    node: String,
    name: String,
    array: String,
}

fn damaged(why: impl std::fmt::Display) -> Error {
    Error::invalid_signal(format!("not a readable npz file: {why}"))
}

pub(super) fn to_bytes(state: &State) -> Result<Vec<u8>> {
    let failed = |e: &dyn std::fmt::Display| Error::fault(format!("the archive cannot be written: {e}"));
    let blocks: Vec<Name> = state
        .blocks
        .iter()
        .enumerate()
        .map(|(i, b)| {
            let array = format!("{}:{}", b.node, b.name);
            let taken = state.blocks[..i].iter().any(|o| format!("{}:{}", o.node, o.name) == array);
            Name { node: b.node.clone(), name: b.name.clone(), array: if taken { format!("{array}#{i}") } else { array } }
        })
        .collect();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (block, name) in state.blocks.iter().zip(&blocks) {
        archive.start_file(format!("{}.npy", name.array), options).map_err(|e| failed(&e))?;
        archive.write_all(&array(&block.values, state.batch)).map_err(|e| failed(&e))?;
    }
    let header = Header { format: state.format, program: state.program.clone(), batch: state.batch, tick: state.tick, blocks };
    archive.start_file(HEADER, options).map_err(|e| failed(&e))?;
    serde_json::to_writer(&mut archive, &header).map_err(|e| failed(&e))?;
    archive.finish().map(Cursor::into_inner).map_err(|e| failed(&e))
}

pub(super) fn from_bytes(bytes: &[u8], program: &Program, batch: usize) -> Result<State> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let header = entry(&mut archive, HEADER, MAX_HEADER)?;
    let header: Header = serde_json::from_slice(&header).map_err(|e| damaged(format!("{HEADER}: {e}")))?;
    let mut state =
        State { format: header.format, program: header.program, batch: header.batch, tick: header.tick, blocks: Vec::new() };
    // what does not belong here is refused for that reason, before any number is read
    if state.format != isoform_core::state::FORMAT {
        return Err(super::other_format(state.format));
    }
    if let Err(error) = state.check(program, batch)
        && (state.batch != batch || state.program != program.digest().to_string())
    {
        return Err(error);
    }
    // each array once, and none longer than the program says
    let memory = program.schedule().memory.iter();
    let mut lengths: HashMap<(String, String), usize> = memory
        .map(|m| ((program.nodes()[m.node].name.clone(), isoform_core::state::name(program, m.node, m.content)), m.len))
        .collect();
    for name in header.blocks {
        let length = lengths.remove(&(name.node.clone(), name.name.clone()));
        let length = length
            .ok_or_else(|| damaged(format!("block {}.{} is named twice or is none of the program", name.node, name.name)))?;
        let limit = u64::try_from(length.saturating_mul(batch).saturating_mul(8)).unwrap_or(u64::MAX).saturating_add(1 << 16);
        let bytes = entry(&mut archive, &format!("{}.npy", name.array), limit)?;
        let values = numbers(&bytes).ok_or_else(|| damaged(format!("array \"{}\" is not one of doubles", name.array)))?;
        state.blocks.push(Block { node: name.node, name: name.name, values });
    }
    Ok(state)
}

/// One file of the archive, unless it is longer than it can be.
fn entry(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limit: u64) -> Result<Vec<u8>> {
    let file = archive.by_name(name).map_err(|e| damaged(format!("\"{name}\": {e}")))?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| damaged(format!("\"{name}\": {e}")))?;
    if bytes.len() as u64 > limit {
        return Err(damaged(format!("\"{name}\" is longer than the program allows")));
    }
    Ok(bytes)
}

/// An array `[batch, len]` of doubles.
fn array(values: &[f64], batch: usize) -> Vec<u8> {
    let shape = [batch, values.len().checked_div(batch).unwrap_or(0)];
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", shape[0], shape[1]);
    let padding = 63 - (MAGIC.len() + 4 + header.len()) % 64;
    let length = u16::try_from(header.len() + padding + 1).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(128 + values.len() * 8);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(std::iter::repeat_n(b' ', padding));
    bytes.push(b'\n');
    values.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
    bytes
}

/// The numbers of an array of doubles in the order of C, whatever its shape; the program tells how many there must be.
fn numbers(bytes: &[u8]) -> Option<Vec<f64>> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    let header: String = std::str::from_utf8(header).ok()?.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = header.contains("'descr':'<f8'") && header.contains("'fortran_order':False");
    (plain && data.len().is_multiple_of(8))
        .then(|| data.chunks_exact(8).filter_map(|c| c.try_into().ok().map(f64::from_le_bytes)).collect())
}
