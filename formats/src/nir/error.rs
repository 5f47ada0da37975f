//! What can be wrong with a NIR file, and where.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// The result of reading, checking or writing a NIR file.
pub type Result<T, E = NirError> = std::result::Result<T, E>;

/// A NIR file or graph that cannot be used, with the file and the node at fault.
///
/// The message is complete in one line; the error of the operating system or of the HDF5 library
/// is its source.
#[derive(Debug)]
pub struct NirError {
    file: Option<PathBuf>,
    node: Option<String>,
    kind: Box<NirErrorKind>,
}

impl NirError {
    /// An error that is not tied to one node.
    #[must_use]
    pub fn new(kind: NirErrorKind) -> Self {
        Self { file: None, node: None, kind: Box::new(kind) }
    }

    /// Names the node, by its path of names from the root graph, as in `srnn/lif`.
    ///
    /// The root graph itself has the empty path.
    #[must_use]
    pub fn with_node(mut self, path: impl Into<String>) -> Self {
        self.node = Some(path.into());
        self
    }

    /// Names the file.
    #[must_use]
    pub fn with_file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_owned());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &NirErrorKind {
        &self.kind
    }

    /// The path of the node at fault, where there is one; empty for the root graph.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// The file at fault, where it is known.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl fmt::Display for NirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "nir file \"{}\": ", file.display())?;
        }
        match self.node.as_deref() {
            Some("") => write!(f, "root graph: ")?,
            Some(node) => write!(f, "node \"{}\": ", node.escape_debug())?,
            None => {}
        }
        write!(f, "{}", self.kind)
    }
}

impl Error for NirError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

impl From<NirErrorKind> for NirError {
    fn from(kind: NirErrorKind) -> Self {
        Self::new(kind)
    }
}

/// What is wrong with a NIR file or graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NirErrorKind {
    /// The file cannot be opened, read or written.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// The file is not HDF5, is cut short, or is damaged.
    #[error("not a readable HDF5 file ({0}); check that it is complete")]
    Hdf5(#[source] hdf5_pure::Error),
    /// The HDF5 library gave up on the bytes in a way it does not report.
    #[error("the HDF5 structure is damaged beyond reading ({0})")]
    Panicked(String),
    /// The file keeps its structure in a heap of shared messages, which no writer of NIR files does.
    #[error("the file uses HDF5 shared messages, which are not read; write it again with Python nir")]
    SharedMessages,
    /// An entry of a group is a soft link.
    #[error("{0} is a soft link, which is not followed; store a copy of what it leads to, or make it a hard link")]
    SoftLink(String),
    /// The file holds recorded data, not a graph.
    #[error("this file holds recorded data (NIRGraphData), not a graph; use it as an input")]
    RecordedData,
    /// The file does not hold recorded data.
    #[error("this file holds no recorded data (NIRGraphData)")]
    NotRecordedData,
    /// A group or dataset that the format requires is not there.
    #[error("\"{name}\" is missing; {needs}")]
    Missing {
        /// The group or dataset.
        name: String,
        /// What the node needs in all.
        needs: String,
    },
    /// A value is there but of another type than the format says.
    #[error("\"{name}\" is {found}, expected {expected}")]
    WrongType {
        /// The dataset or group.
        name: String,
        /// What the format says.
        expected: &'static str,
        /// What the file has.
        found: String,
    },
    /// A dataset has an HDF5 datatype that numpy arrays of numbers, booleans or text do not have.
    #[error("\"{name}\" has the datatype {datatype}, which is not read; store numbers, booleans or text")]
    Datatype {
        /// The dataset or attribute.
        name: String,
        /// The datatype, in words.
        datatype: String,
    },
    /// A text is not UTF-8.
    #[error("\"{0}\" is not valid utf-8 text")]
    NotText(String),
    /// A node has a type that no supported version of the format knows.
    #[error("unknown node type \"{found}\"; known are {}", known.join(", "))]
    UnknownNode {
        /// The type in the file.
        found: String,
        /// The types that are known.
        known: &'static [&'static str],
    },
    /// The file declares more data than its length can hold, or more than the reader admits.
    #[error("{what} declares {declared} {unit}, more than the {limit} that a file of this length can hold")]
    TooLarge {
        /// The dataset or structure.
        what: String,
        /// How much it declares.
        declared: u64,
        /// The unit of both numbers.
        unit: &'static str,
        /// How much is admitted.
        limit: u64,
    },
    /// Graphs or metadata are nested deeper than the reader follows, as in a file whose groups
    /// link back to their parents.
    #[error("nested deeper than {limit} levels; does a group link back to itself?")]
    TooDeep {
        /// The deepest level that is read.
        limit: usize,
    },
    /// Two entries of one group have the same name.
    #[error("\"{0}\" occurs twice")]
    Duplicate(String),
    /// An edge names a node that the graph does not have.
    #[error("edge \"{from}\" -> \"{to}\" refers to \"{missing}\", which is not a node of this graph; its nodes are {known}")]
    DanglingEdge {
        /// Where the edge starts.
        from: String,
        /// Where the edge ends.
        to: String,
        /// The end that does not exist.
        missing: String,
        /// The nodes of the graph.
        known: String,
    },
    /// The same edge is listed twice, so that it is unclear whether the signal counts twice.
    #[error("edge \"{from}\" -> \"{to}\" is listed twice; remove one")]
    DuplicateEdge {
        /// Where the edge starts.
        from: String,
        /// Where the edge ends.
        to: String,
    },
    /// Parameters of a node do not fit each other.
    #[error("{0}")]
    Shape(String),
    /// A name cannot be written, because HDF5 gives one of its characters a meaning.
    #[error("the name \"{}\" cannot be written: use a name without '/' and NUL that is neither empty nor '.'", .0.escape_debug())]
    Name(String),
    /// The chosen version of the format cannot hold what the graph has.
    #[error("{what} cannot be written for nir {version}; {advice}")]
    NotInVersion {
        /// What the version has no place for.
        what: String,
        /// The version.
        version: &'static str,
        /// What to do.
        advice: &'static str,
    },
}
