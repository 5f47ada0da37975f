//! From a [`Graph`] to a file that Python `nir` reads.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use half::f16;
use hdf5_pure::{Datatype, DatatypeByteOrder, EnumTypeBuilder, FileBuilder, GroupBuilder, make_i8_type};

use super::error::{NirError, NirErrorKind, Result};
use super::fields::Sink;
use super::hdf::{BINARY16, MAX_DEPTH, Place};
use super::model::{Annotations, Graph, Node};
use super::read::join;
use super::tensor::{Tensor, TensorData};
use super::validate::{common_shape, validate};
use super::value::{Map, Padding, Value};

/// Which version of the Python package `nir` a written file is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compat {
    /// The newest known version, 1.0.8.
    #[default]
    Latest,
    /// Version 1.0.4, which most simulators still ask for.
    ///
    /// A `v_reset` of zero is left out, since that version means zero where it has none. What the
    /// version cannot hold is refused: any other `v_reset`, `CubaLI`, `Identity`, and metadata
    /// on `AvgPool2d`, `Conv2d`, `Input` and `Output`.
    V1_0_4,
}

impl Compat {
    /// The names that [`FromStr`] takes.
    pub const NAMES: &[&str] = &["latest", "1.0.4", "1.0.8"];

    /// The number of the version.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Latest => "1.0.8",
            Self::V1_0_4 => "1.0.4",
        }
    }
}

impl fmt::Display for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version())
    }
}

/// A version of the format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown nir version \"{name}\"; known are {}", Compat::NAMES.join(", "))]
pub struct UnknownCompat {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Compat {
    type Err = UnknownCompat;

    fn from_str(text: &str) -> Result<Self, UnknownCompat> {
        match text {
            "latest" | "1.0.8" => Ok(Self::Latest),
            "1.0.4" => Ok(Self::V1_0_4),
            other => Err(UnknownCompat { name: other.to_owned() }),
        }
    }
}

/// Writes a graph to a file, for the given version of the Python package.
///
/// The file names that version, whatever [`Graph::version`] says. Where the parameters of a
/// neuron have different shapes that combine, they are written in their common shape, which is
/// what Python `nir` asks for.
///
/// # Errors
///
/// Names the file, the node and what is wrong: a graph that
/// [`validate`](super::validate()) refuses, an entry that the version cannot hold, a name that
/// HDF5 cannot hold, or a file that cannot be written.
pub fn write(path: impl AsRef<Path>, graph: &Graph, compat: Compat) -> Result<()> {
    let path = path.as_ref();
    to_bytes(graph, compat)
        .and_then(|bytes| std::fs::write(path, bytes).map_err(|e| NirErrorKind::Io(e).into()))
        .map_err(|error: NirError| error.with_file(path))
}

/// Writes a graph to the bytes of a file.
///
/// # Errors
///
/// As [`write()`], without the name of the file.
pub fn to_bytes(graph: &Graph, compat: Compat) -> Result<Vec<u8>> {
    validate(graph)?;
    let mut file = FileBuilder::new();
    file.create_dataset("version").with_vlen_strings(&[compat.version()]).with_shape(&[]);
    let mut root = file.create_group("node");
    write_graph(&mut root, graph, "", compat, 0)?;
    file.add_group(root.finish());
    file.finish().map_err(|e| NirErrorKind::Hdf5(e).into())
}

fn write_graph(group: &mut GroupBuilder, graph: &Graph, path: &str, compat: Compat, depth: usize) -> Result<()> {
    let at = Place { node: path, name: "nodes" };
    if depth > MAX_DEPTH {
        return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    put_text(group, "type", "NIRGraph");
    let ends: Vec<&str> = graph.edges.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
    group.create_dataset("edges").with_vlen_strings(&ends).with_shape(&[graph.edges.len() as u64, 2]);
    let mut nodes = group.create_group("nodes");
    for (name, node) in &graph.nodes {
        check_name(name, at)?;
        let mut inner = nodes.create_group(name);
        write_node(&mut inner, node, &join(path, name), compat, depth + 1)?;
        nodes.add_group(inner.finish());
    }
    group.add_group(nodes.finish());
    write_annotations(group, &graph.annotations, path, compat)
}

fn write_node(group: &mut GroupBuilder, node: &Node, path: &str, compat: Compat, depth: usize) -> Result<()> {
    if let Node::Graph(graph) = node {
        return write_graph(group, graph, path, compat, depth);
    }
    if compat == Compat::V1_0_4 {
        check_1_0_4(node, path)?;
    }
    put_text(group, "type", node.type_name());
    let mut sink = Sink { group, node: path, expand: common_shape(node), omit_zero_reset: compat == Compat::V1_0_4 };
    node.write(&mut sink)?;
    write_annotations(group, node.annotations(), path, compat)
}

/// Refuses what version 1.0.4 has no place for.
fn check_1_0_4(node: &Node, path: &str) -> Result<()> {
    let refuse = |what: String, advice: &'static str| {
        let version = Compat::V1_0_4.version();
        Err(NirError::new(NirErrorKind::NotInVersion { what, version, advice }).with_node(path))
    };
    const NEWER: &str = "write it for the latest version";
    let reset = match node {
        Node::CubaLi(_) | Node::Identity(_) => {
            return refuse(format!("a node of type {}", node.type_name()), NEWER);
        }
        // 1.0.4 looks for its width in the first of several strides, where the file has the only one
        Node::Conv1d(n) if n.padding == Padding::Same => {
            let advice = "write the padding as a number, or write it for the latest version";
            return refuse(String::from("a padding \"same\" on a node of type Conv1d"), advice);
        }
        Node::CubaLif(n) => n.v_reset.as_ref(),
        Node::If(n) => n.v_reset.as_ref(),
        Node::Lif(n) => n.v_reset.as_ref(),
        Node::AvgPool2d(_) | Node::Conv2d(_) | Node::Input(_) | Node::Output(_) if !node.annotations().metadata.is_empty() => {
            let what = format!("metadata on a node of type {}", node.type_name());
            return refuse(what, "remove it or write it for the latest version");
        }
        _ => None,
    };
    match reset {
        Some(v_reset) if !v_reset.is_zero() => refuse("a v_reset other than zero".to_owned(), NEWER),
        _ => Ok(()),
    }
}

fn write_annotations(group: &mut GroupBuilder, annotations: &Annotations, path: &str, compat: Compat) -> Result<()> {
    if let Some(name) = annotations.extra.keys().next() {
        return Err(NirError::new(NirErrorKind::NotInVersion {
            what: format!("the unknown entry \"{}\"", name.escape_debug()),
            version: compat.version(),
            advice: "move it to the metadata or remove it",
        })
        .with_node(path));
    }
    if annotations.metadata.is_empty() {
        return Ok(());
    }
    let mut inner = group.create_group("metadata");
    write_map(&mut inner, &annotations.metadata, path, 0)?;
    group.add_group(inner.finish());
    Ok(())
}

fn write_map(group: &mut GroupBuilder, map: &Map, node: &str, depth: usize) -> Result<()> {
    let at = Place { node, name: "metadata" };
    if depth > MAX_DEPTH {
        return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    for (name, value) in map {
        check_name(name, at)?;
        match value {
            Value::Tensor(tensor) => put(group, node, name, tensor)?,
            Value::Text(text) => {
                check_text(text, name, at)?;
                put_text(group, name, text);
            }
            Value::Texts(texts) => {
                for text in texts.texts() {
                    check_text(text, name, at)?;
                }
                let all: Vec<&str> = texts.texts().iter().map(String::as_str).collect();
                group.create_dataset(name).with_vlen_strings(&all).with_shape(&dims(texts.shape()));
            }
            Value::Map(map) => {
                let mut inner = group.create_group(name);
                write_map(&mut inner, map, node, depth + 1)?;
                group.add_group(inner.finish());
            }
        }
    }
    Ok(())
}

/// HDF5 separates names by slashes and ends texts with NUL.
pub(super) fn check_name(name: &str, at: Place<'_>) -> Result<()> {
    match name.is_empty() || name == "." || name.contains(['/', '\0']) {
        true => Err(at.error(NirErrorKind::Name(name.to_owned()))),
        false => Ok(()),
    }
}

fn check_text(text: &str, name: &str, at: Place<'_>) -> Result<()> {
    match text.contains(['\0', '\u{FFFD}']) {
        true => Err(at.error(NirErrorKind::NotText(name.to_owned()))),
        false => Ok(()),
    }
}

fn put_text(group: &mut GroupBuilder, name: &str, text: &str) {
    group.create_dataset(name).with_vlen_strings(&[text]).with_shape(&[]);
}

fn dims(shape: &[usize]) -> Vec<u64> {
    shape.iter().map(|&d| d as u64).collect()
}

/// Writes an array in the type it has.
pub(super) fn put(group: &mut GroupBuilder, node: &str, name: &str, tensor: &Tensor) -> Result<()> {
    let fail = |e: hdf5_pure::FormatError| Place { node, name }.hdf5(e.into());
    let dataset = group.create_dataset(name);
    match tensor.data() {
        TensorData::Bool(v) => {
            // The enumeration that h5py reads as a numpy bool.
            let datatype = EnumTypeBuilder::with_base(make_i8_type()).value("FALSE", 0).value("TRUE", 1).build().map_err(fail)?;
            let bytes = v.iter().map(|&b| u8::from(b)).collect();
            dataset.with_raw_data(datatype, bytes, v.len() as u64)
        }
        TensorData::F16(v) => {
            let datatype = Datatype::FloatingPoint { size: 2, byte_order: DatatypeByteOrder::LittleEndian, layout: BINARY16 };
            let bytes = v.iter().copied().flat_map(f16::to_le_bytes).collect();
            dataset.with_raw_data(datatype, bytes, v.len() as u64)
        }
        TensorData::I8(v) => dataset.with_i8_data(v),
        TensorData::I16(v) => dataset.with_i16_data(v),
        TensorData::I32(v) => dataset.with_i32_data(v),
        TensorData::I64(v) => dataset.with_i64_data(v),
        TensorData::U8(v) => dataset.with_u8_data(v),
        TensorData::U16(v) => dataset.with_u16_data(v),
        TensorData::U32(v) => dataset.with_u32_data(v),
        TensorData::U64(v) => dataset.with_u64_data(v),
        TensorData::F32(v) => dataset.with_f32_data(v),
        TensorData::F64(v) => dataset.with_f64_data(v),
    };
    dataset.with_shape(&dims(tensor.shape()));
    Ok(())
}
