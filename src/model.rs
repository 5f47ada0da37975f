//! Models in files.

use crate::files;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::program::{Digest, Program};
use isoform_core::semantics::Semantics;
use isoform_formats::nir::{self, Graph, NirError, NirErrorKind};
use isoform_formats::program::from_nir;
use std::path::{Path, PathBuf};

/// A model as its file has it: a graph without a time step and without an order of operations.
#[derive(Debug, Clone)]
pub struct Model {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The graph.
    pub graph: Graph,
}

impl Model {
    /// Reads a NIR file.
    ///
    /// # Errors
    /// `NotFound` if the file cannot be read, `InvalidProgram` if it holds no valid graph; the message names the file and the node.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = files::read(path)?;
        Self::from_bytes(&bytes, path)
    }

    /// Reads the bytes of a NIR file; the path is for messages alone.
    ///
    /// # Errors
    /// As [`read`](Model::read).
    pub fn from_bytes(bytes: &[u8], path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let graph = nir::from_bytes(bytes).map_err(|e| refuse(e, path))?;
        Ok(Self { path: path.to_owned(), sha256: Digest::of(bytes).to_string(), graph })
    }

    /// The program that the graph means under some semantics.
    ///
    /// # Errors
    /// `InvalidProgram`, naming the node; see [`from_nir`].
    pub fn program(&self, semantics: Semantics) -> Result<Program> {
        from_nir(&self.graph, semantics)
    }
}

/// An error of a NIR file as one of the contract.
pub(crate) fn refuse(error: NirError, path: &Path) -> Error {
    let kind = match error.kind() {
        NirErrorKind::Io(_) => ErrorKind::NotFound,
        _ => ErrorKind::InvalidProgram,
    };
    let error = error.with_file(path);
    Error::new(kind, error.to_string()).with_source(error)
}
