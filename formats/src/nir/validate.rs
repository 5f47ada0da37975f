//! Whether a graph hangs together: edges that lead somewhere, parameters that fit each other.
//!
//! This needs no dynamics and no time step. Whether the shapes of neighbouring nodes match is left
//! to the program that is built from the graph, which knows how each node maps shapes.

use std::collections::HashSet;

use super::error::{NirError, NirErrorKind, Result};
use super::hdf::MAX_DEPTH;
use super::model::{Graph, Node};
use super::read::join;
use super::tensor::{Tensor, broadcast, elements};
use super::value::{Ints, Padding};

/// The most elements that a declared signal or a common shape of parameters may have.
///
/// A shape costs a file a few bytes and its reader as much memory as it says, so there is a limit;
/// it is that of a signal of one gibibyte in single precision.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Checks that a graph hangs together.
///
/// - Each end of an edge is a node of the same graph, and no edge is listed twice.
/// - The parameters of a neuron have shapes that combine by the rules of numpy.
/// - Weights have the dimensions that their node needs, biases and groups fit them.
/// - Strides, dilations and kernels are positive, paddings are not negative, and there is one for
///   all dimensions or one for each.
/// - Declared shapes are not negative and have at most [`MAX_ELEMENTS`] elements.
///
/// # Errors
///
/// The first thing found, with the path of the node.
pub fn validate(graph: &Graph) -> Result<()> {
    check_graph(graph, "", 0)
}

fn check_graph(graph: &Graph, path: &str, depth: usize) -> Result<()> {
    let fail = |kind| Err(NirError::new(kind).with_node(path));
    if depth > MAX_DEPTH {
        return fail(NirErrorKind::TooDeep { limit: MAX_DEPTH });
    }
    let mut seen = HashSet::with_capacity(graph.edges.len());
    for (from, to) in &graph.edges {
        if let Some(missing) = [from, to].into_iter().find(|n| !graph.nodes.contains_key(*n)) {
            return fail(NirErrorKind::DanglingEdge {
                from: from.clone(),
                to: to.clone(),
                missing: missing.clone(),
                known: list(graph),
            });
        }
        if !seen.insert((from, to)) {
            return fail(NirErrorKind::DuplicateEdge { from: from.clone(), to: to.clone() });
        }
    }
    for (name, node) in &graph.nodes {
        let path = join(path, name);
        match node {
            Node::Graph(inner) => check_graph(inner, &path, depth + 1)?,
            _ => check_node(node).map_err(|message| NirError::new(NirErrorKind::Shape(message)).with_node(path))?,
        }
    }
    Ok(())
}

/// The first names of a graph, for a message that stays readable.
fn list(graph: &Graph) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = graph.nodes.keys().take(SHOWN).map(String::as_str).collect();
    match graph.nodes.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

type Check = Result<(), String>;

fn check_node(node: &Node) -> Check {
    match node {
        Node::Graph(_) => Ok(()),
        Node::Affine(n) => linear(&n.weight, Some(&n.bias)),
        Node::Linear(n) => linear(&n.weight, None),
        Node::Conv1d(n) => {
            extents(n.input_shape.as_ref(), 1)?;
            sizes(&n.stride, "stride", 1, 1)?;
            sizes(&n.dilation, "dilation", 1, 1)?;
            padding(&n.padding, 1)?;
            convolution(&n.weight, &n.bias, &n.groups, 3)
        }
        Node::Conv2d(n) => {
            extents(n.input_shape.as_ref(), 2)?;
            sizes(&n.stride, "stride", 1, 2)?;
            sizes(&n.dilation, "dilation", 1, 2)?;
            padding(&n.padding, 2)?;
            convolution(&n.weight, &n.bias, &n.groups, 4)
        }
        Node::SumPool2d(n) => pool(&n.kernel_size, &n.stride, &n.padding),
        Node::AvgPool2d(n) => pool(&n.kernel_size, &n.stride, &n.padding),
        Node::Flatten(n) => {
            let start = one(&n.start_dim, "start_dim")?;
            let end = one(&n.end_dim, "end_dim")?;
            let Some(input) = &n.input_type else {
                return Ok(());
            };
            shape(input, "input_type")?;
            let rank = input.values().len() as i64;
            let place = |dim: i64| if dim < 0 { dim + rank } else { dim };
            match 0 <= place(start) && place(start) <= place(end) && place(end) < rank {
                true => Ok(()),
                false => Err(format!("start_dim {start} and end_dim {end} are no range of the {rank} dimensions of input_type")),
            }
        }
        Node::Identity(n) => shape(&n.shape, "shape"),
        Node::Input(n) => shape(&n.shape, "shape"),
        Node::Output(n) => shape(&n.shape, "shape"),
        Node::CubaLi(_)
        | Node::CubaLif(_)
        | Node::Delay(_)
        | Node::I(_)
        | Node::If(_)
        | Node::Li(_)
        | Node::Lif(_)
        | Node::Scale(_)
        | Node::Threshold(_) => common(node).map(|_| ()),
    }
}

/// The shape in which the parameters of an element-wise node meet; `None` for other nodes.
///
/// This is the shape of the signal that the node takes and gives.
#[must_use]
pub fn common_shape(node: &Node) -> Option<Vec<usize>> {
    match node {
        Node::CubaLi(_)
        | Node::CubaLif(_)
        | Node::Delay(_)
        | Node::I(_)
        | Node::If(_)
        | Node::Li(_)
        | Node::Lif(_)
        | Node::Scale(_)
        | Node::Threshold(_) => common(node).ok(),
        _ => None,
    }
}

fn common(node: &Node) -> Result<Vec<usize>, String> {
    let mut shape = Vec::new();
    for (name, tensor) in node.parameters() {
        shape = broadcast(&shape, tensor.shape()).ok_or_else(|| {
            let all: Vec<String> = node.parameters().iter().map(|(name, t)| format!("{name} {:?}", t.shape())).collect();
            format!("\"{name}\" does not fit the other parameters: {}", all.join(", "))
        })?;
    }
    match elements(&shape) {
        Some(n) if n <= MAX_ELEMENTS => Ok(shape),
        _ => Err(format!("the parameters combine to the shape {shape:?}, more than {MAX_ELEMENTS} elements")),
    }
}

fn linear(weight: &Tensor, bias: Option<&Tensor>) -> Check {
    let [lead @ .., out, _] = weight.shape() else {
        return Err(format!("\"weight\" has the shape {:?}, expected [..., out, in]", weight.shape()));
    };
    let Some(bias) = bias else {
        return Ok(());
    };
    let full: Vec<usize> = lead.iter().copied().chain([*out]).collect();
    match broadcast(bias.shape(), &full) {
        Some(shape) if shape == full => Ok(()),
        _ => Err(format!("\"bias\" has the shape {:?}, but \"weight\" {:?} gives {full:?}", bias.shape(), weight.shape())),
    }
}

fn convolution(weight: &Tensor, bias: &Tensor, groups: &Ints, rank: usize) -> Check {
    let out = match weight.shape() {
        shape if shape.len() != rank || shape.contains(&0) => {
            return Err(format!("\"weight\" has the shape {shape:?}, expected {rank} dimensions, none of them empty"));
        }
        shape => shape.first().copied().unwrap_or(0),
    };
    let groups = one(groups, "groups")?;
    if usize::try_from(groups).is_ok_and(|g| g > 0 && out % g == 0) {
        match broadcast(bias.shape(), &[out]).as_deref() {
            Some(&[n]) if n == out => Ok(()),
            _ => Err(format!("\"bias\" has the shape {:?}, but \"weight\" has {out} output channels", bias.shape())),
        }
    } else {
        Err(format!("\"groups\" is {groups}, which does not divide the {out} output channels"))
    }
}

fn pool(kernel: &Ints, stride: &Ints, padding: &Ints) -> Check {
    sizes(kernel, "kernel_size", 1, 2)?;
    sizes(stride, "stride", 1, 2)?;
    sizes(padding, "padding", 0, 2)
}

fn padding(padding: &Padding, dims: usize) -> Check {
    match padding {
        Padding::Same | Padding::Valid => Ok(()),
        Padding::Zeros(zeros) => sizes(zeros, "padding", 0, dims),
    }
}

/// One number for all dimensions or one for each, none below `least`.
fn sizes(ints: &Ints, name: &str, least: i64, dims: usize) -> Check {
    let values = ints.values();
    if values.len() != 1 && values.len() != dims {
        return Err(format!("\"{name}\" has {} values, expected 1 or {dims}", values.len()));
    }
    match values.iter().find(|&&v| v < least || v > MAX_ELEMENTS as i64) {
        None => Ok(()),
        Some(v) => Err(format!("\"{name}\" is {v}, expected {least} to {MAX_ELEMENTS}")),
    }
}

fn one(ints: &Ints, name: &str) -> Result<i64, String> {
    ints.single().ok_or_else(|| format!("\"{name}\" has {} values, expected one", ints.values().len()))
}

fn extents(input: Option<&Ints>, dims: usize) -> Check {
    let Some(input) = input else {
        return Ok(());
    };
    shape(input, "input_shape")?;
    match input.values().len() {
        n if n == dims => Ok(()),
        n => Err(format!("\"input_shape\" has {n} values, expected {dims}")),
    }
}

fn shape(ints: &Ints, name: &str) -> Check {
    let values = ints.values();
    match ints.sizes().as_deref().and_then(elements) {
        Some(n) if n <= MAX_ELEMENTS => Ok(()),
        _ => Err(format!("\"{name}\" is {values:?}, expected no negative number and at most {MAX_ELEMENTS} elements")),
    }
}
