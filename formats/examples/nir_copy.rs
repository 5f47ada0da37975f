//! Reads a NIR graph and writes it again: `nir_copy IN OUT [--nir-compat VERSION]`.
//!
//! The round trip of every node type through this program is compared with the Python package by
//! `tests/python_roundtrip.py`. A file of recorded data is copied likewise.

use std::process::ExitCode;

use isoform_formats::nir::{self, Compat, NirErrorKind};

const USAGE: &str = "usage: nir_copy IN OUT [--nir-compat VERSION]";

fn main() -> ExitCode {
    match copy() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn copy() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (from, to, compat) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [from, to] => (from, to, Compat::Latest),
        [from, to, "--nir-compat", version] => (from, to, version.parse().map_err(|e: nir::UnknownCompat| e.to_string())?),
        _ => return Err(USAGE.to_owned()),
    };
    match nir::read(from) {
        Ok(graph) => {
            for line in &graph.not_kept {
                eprintln!("not kept: {line}");
            }
            nir::write(to, &graph, compat).map_err(|e| e.to_string())
        }
        Err(error) => match error.kind() {
            NirErrorKind::RecordedData => {
                nir::read_data(from).and_then(|data| nir::write_data(to, &data)).map_err(|e| e.to_string())
            }
            _ => Err(error.to_string()),
        },
    }
}
