//! From a file or bytes to a checked [`Graph`].

use std::fs::File as OsFile;
use std::io::Read;
use std::path::Path;

use hdf5_pure::Group;
use indexmap::IndexMap;

use super::data::is_recorded_data;
use super::error::{NirError, NirErrorKind, Result};
use super::fields::Fields;
use super::hdf::{self, Budget, MAX_DEPTH, Place};
use super::model::{Annotations, Graph, Node};
use super::validate::validate;
use super::value::{Map, Value};

/// Files longer than this are refused instead of being read into memory.
pub(super) const MAX_FILE_BYTES: u64 = 4 << 30;

/// Reads a NIR graph from a file.
///
/// Every version of the format up to 1.0.8 is understood. The graph is checked as by
/// [`validate`](super::validate()).
///
/// # Errors
///
/// Names the file, the node and what is wrong with it; see [`NirErrorKind`].
pub fn read(path: impl AsRef<Path>) -> Result<Graph> {
    let path = path.as_ref();
    load(path).and_then(parse).map_err(|error| error.with_file(path))
}

/// Reads a NIR graph from the bytes of a file.
///
/// # Errors
///
/// As [`read`], without the name of the file.
pub fn from_bytes(bytes: &[u8]) -> Result<Graph> {
    parse(bytes.to_vec())
}

/// Reads a whole file, unless it is no ordinary file or too long.
pub(super) fn load(path: &Path) -> Result<Vec<u8>> {
    let io = |e| NirError::new(NirErrorKind::Io(e));
    // looked at first: to open a pipe that nobody writes to waits for ever
    let about = std::fs::metadata(path).map_err(io)?;
    if !about.is_file() {
        let kind = std::io::ErrorKind::InvalidInput;
        return Err(io(std::io::Error::new(kind, "not an ordinary file")));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(NirErrorKind::TooLarge {
            what: "the file".to_owned(),
            declared: about.len(),
            unit: "bytes",
            limit: MAX_FILE_BYTES,
        }
        .into());
    }
    let mut bytes = Vec::new();
    OsFile::open(path).map_err(io)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn parse(bytes: Vec<u8>) -> Result<Graph> {
    let graph = hdf::open(bytes, |file, budget| {
        if is_recorded_data(file) {
            return Err(NirErrorKind::RecordedData.into());
        }
        let root = file.root();
        let at = Place { node: "", name: "/" };
        let (datasets, groups) = hdf::members(&root, at, budget)?;
        let mut not_kept = Vec::new();
        let mut version = None;
        for (name, dataset) in datasets {
            if name != "version" {
                not_kept.push(format!("dataset \"/{name}\" is not part of the format"));
                continue;
            }
            version = match hdf::read_value(&dataset, Place { name: "version", ..at }, budget)? {
                Value::Text(text) => Some(text),
                other => {
                    return Err(at.error(NirErrorKind::WrongType { name, expected: "a text", found: other.describe() }));
                }
            };
        }
        let mut node = None;
        for (name, group) in groups {
            match name.as_str() {
                "node" => node = Some(group),
                _ => not_kept.push(format!("group \"/{name}\" is not part of the format")),
            }
        }
        let node = node.ok_or_else(|| {
            NirError::new(NirErrorKind::Missing {
                name: "/node".to_owned(),
                needs: "a nir file holds its graph in that group".to_owned(),
            })
        })?;
        let mut reader = Reader { budget, not_kept };
        match reader.node(&node, "", 0)? {
            Node::Graph(graph) => Ok(Graph { version, not_kept: reader.not_kept, ..*graph }),
            other => Err(at.error(NirErrorKind::WrongType {
                name: "/node".to_owned(),
                expected: "a node of type NIRGraph",
                found: format!("a single node of type {}", other.type_name()),
            })),
        }
    })?;
    validate(&graph)?;
    Ok(graph)
}

struct Reader<'a> {
    budget: &'a mut Budget,
    not_kept: Vec<String>,
}

impl Reader<'_> {
    fn node(&mut self, group: &Group, path: &str, depth: usize) -> Result<Node> {
        let at = Place { node: path, name: "node" };
        if depth > MAX_DEPTH {
            return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
        }
        self.note_attributes(group, at)?;
        let (datasets, groups) = hdf::members(group, at, self.budget)?;
        let is_graph = match datasets.iter().find(|(name, _)| name == "type") {
            None => false,
            Some((name, dataset)) => {
                let at = Place { name, ..at };
                let value = hdf::read_value(dataset, at, self.budget)?;
                matches!(value, Value::Text(text) if text == "NIRGraph")
            }
        };
        let mut entries = Map::new();
        let mut nodes = None;
        for (name, dataset) in datasets {
            let value = hdf::read_value(&dataset, Place { name: &name, ..at }, self.budget)?;
            if entries.contains_key(&name) {
                return Err(at.error(NirErrorKind::Duplicate(name)));
            }
            entries.insert(name, value);
        }
        for (name, group) in groups {
            if entries.contains_key(&name) || (nodes.is_some() && name == "nodes") {
                return Err(at.error(NirErrorKind::Duplicate(name)));
            }
            if is_graph && name == "nodes" {
                nodes = Some(self.nodes(&group, path, depth + 1)?);
                continue;
            }
            let value = hdf::read_map(&group, Place { name: &name, ..at }, 0, self.budget)?;
            entries.insert(name, Value::Map(value));
        }
        self.typed(path, entries, nodes)
    }

    fn nodes(&mut self, group: &Group, parent: &str, depth: usize) -> Result<IndexMap<String, Node>> {
        let at = Place { node: parent, name: "nodes" };
        let (datasets, groups) = hdf::members(group, at, self.budget)?;
        if let Some((name, _)) = datasets.into_iter().next() {
            return Err(at.error(NirErrorKind::WrongType {
                name: format!("nodes/{name}"),
                expected: "a group for each node",
                found: "a dataset".to_owned(),
            }));
        }
        let mut nodes = IndexMap::with_capacity(groups.len());
        for (name, group) in groups {
            let node = self.node(&group, &join(parent, &name), depth)?;
            if nodes.contains_key(&name) {
                return Err(at.error(NirErrorKind::Duplicate(name)));
            }
            nodes.insert(name, node);
        }
        Ok(nodes)
    }

    /// Makes a typed node from its entries.
    fn typed(&mut self, path: &str, mut entries: Map, nodes: Option<IndexMap<String, Node>>) -> Result<Node> {
        let at = Place { node: path, name: "type" };
        let type_name = match entries.shift_remove("type") {
            Some(Value::Text(text)) => text,
            Some(other) => {
                return Err(at.error(NirErrorKind::WrongType {
                    name: "type".to_owned(),
                    expected: "a text",
                    found: other.describe(),
                }));
            }
            None => {
                return Err(
                    at.error(NirErrorKind::Missing { name: "type".to_owned(), needs: "every node names its type".to_owned() })
                );
            }
        };
        if type_name == "NIRGraph" {
            let missing = |name: &str| {
                at.error(NirErrorKind::Missing { name: name.to_owned(), needs: "a graph has nodes and edges".to_owned() })
            };
            let nodes = nodes.ok_or_else(|| missing("nodes"))?;
            let edges = entries.shift_remove("edges").ok_or_else(|| missing("edges"))?;
            let edges = read_edges(edges, at)?;
            let annotations = annotations(path, &type_name, entries)?;
            return Ok(Node::from(Graph { nodes, edges, annotations, version: None, not_kept: Vec::new() }));
        }
        let fields = Fields::new(path, &type_name, entries);
        Node::read(&type_name, fields)?
            .ok_or_else(|| at.error(NirErrorKind::UnknownNode { found: type_name.clone(), known: Node::TYPES }))
    }

    /// HDF5 attributes have no place in the format; Python `nir` neither writes nor reads them.
    fn note_attributes(&mut self, group: &Group, at: Place<'_>) -> Result<()> {
        let mut names: Vec<String> = group.attr_datatypes().map_err(|e| at.hdf5(e))?.into_keys().collect();
        names.sort();
        self.not_kept.extend(names.into_iter().map(|name| {
            let node = at.node;
            format!("node \"{node}\": the HDF5 attribute \"{name}\" is not part of the format")
        }));
        Ok(())
    }
}

fn annotations(path: &str, type_name: &str, entries: Map) -> Result<Annotations> {
    Fields::new(path, type_name, entries).annotations()
}

fn read_edges(value: Value, at: Place<'_>) -> Result<Vec<(String, String)>> {
    match value {
        Value::Texts(texts) if matches!(texts.shape(), [_, 2]) => {
            Ok(texts.texts().as_chunks::<2>().0.iter().map(|[from, to]| (from.clone(), to.clone())).collect())
        }
        // An empty Python list is stored as an empty array of floats.
        Value::Tensor(tensor) if tensor.is_empty() => Ok(Vec::new()),
        Value::Texts(texts) if texts.texts().is_empty() => Ok(Vec::new()),
        other => Err(at.error(NirErrorKind::WrongType {
            name: "edges".to_owned(),
            expected: "an array of texts [edge, 2]",
            found: other.describe(),
        })),
    }
}

/// The path of a node inside a graph.
pub(super) fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        _ => format!("{parent}/{name}"),
    }
}
