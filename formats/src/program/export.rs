//! From a program to a NIR graph.

use crate::nir::{self, Graph, Ints, Node, TensorData, Value};
use isoform_core::error::{Error, Result};
use isoform_core::functions as library;
use isoform_core::linear::{Dense, LinearMap, Padding, Pooling, Window};
use isoform_core::program::{Node as ProgramNode, NodeKind, Origin, Program, Source};
use isoform_core::tensor::{Numbers, Shape, Tensor};

/// Writes a program down as a NIR graph.
///
/// NIR has no semantics; they are kept in the metadata of the graph under `isoform`, as JSON, and have no effect there. The names
/// of nested graphs keep a dot where they had a slash.
///
/// # Errors
/// `Unsupported`, naming the node, for a function that NIR does not have, a node with semantics of its own or several ports, and an
/// output that sums several signals.
pub fn to_nir(program: &Program) -> Result<Graph> {
    let mut graph = Graph::new();
    for port in program.inputs() {
        graph = graph.with_node(dotted(&port.name), nir::Input::new(ints(&port.shape)));
    }
    for node in program.nodes() {
        graph = graph.with_node(dotted(&node.name), export(node, program).map_err(|e| e.with_node(&node.name))?);
        for source in node.sources.iter().flatten() {
            graph = graph.with_edge(origin(program, source), dotted(&node.name));
        }
    }
    for output in program.outputs() {
        let name = dotted(&output.port.name);
        let taken = graph.nodes.contains_key(&name);
        let name = if taken { format!("{name}_out") } else { name };
        graph = graph.with_node(name.clone(), nir::Output::new(ints(&output.port.shape)));
        for source in &output.sources {
            graph = graph.with_edge(origin(program, source), name.clone());
        }
    }
    let semantics = serde_json::to_string(program.semantics())
        .map_err(|e| Error::invalid_program("its semantics cannot be written as JSON").with_source(e))?;
    graph.annotations.metadata.insert(String::from("isoform"), Value::Text(semantics));
    Ok(graph)
}

/// A name without the slash, which HDF5 keeps for its groups.
fn dotted(name: &str) -> String {
    name.replace('/', ".")
}

fn origin(program: &Program, source: &Source) -> String {
    match source.origin {
        Origin::Input(i) => dotted(&program.inputs()[i].name),
        Origin::Node(i, _) => dotted(&program.nodes()[i].name),
    }
}

fn export(node: &ProgramNode, program: &Program) -> Result<Node> {
    if node.semantics != *program.semantics() {
        return Err(Error::unsupported("NIR cannot hold semantics of a single node; give them to the whole program"));
    }
    Ok(match &node.kind {
        NodeKind::Linear(map) => linear(map)?,
        NodeKind::Optical(map) => {
            let why = format!("NIR has no node for {}; it can only be kept in a program", map.kind());
            return Err(Error::unsupported(why));
        }
        NodeKind::Delay { seconds, .. } => nir::Delay::new(spread(seconds, &node.output_shapes[0])?).into(),
        NodeKind::Relay => relay(&node.input_shapes[0], &node.output_shapes[0])?,
        NodeKind::Dynamics { function, parameters } => {
            let id = function.signature().id;
            let p: Vec<nir::Tensor> = parameters.iter().map(|t| spread(t, &node.output_shapes[0])).collect::<Result<_>>()?;
            neuron(id, p)
                .ok_or_else(|| Error::unsupported(format!("NIR has no node for {id}; it can only be kept in a program")))?
        }
    })
}

fn neuron(id: &str, parameters: Vec<nir::Tensor>) -> Option<Node> {
    let mut p = parameters.into_iter();
    let mut next = || p.next();
    Some(match id {
        library::LIF => {
            let (tau, r, leak, theta, reset) = (next()?, next()?, next()?, next()?, next()?);
            nir::Lif::new(tau, r, leak, theta, Some(reset)).into()
        }
        library::LI => nir::Li::new(next()?, next()?, next()?).into(),
        library::I => nir::I::new(next()?).into(),
        library::IF => nir::If::new(next()?, next()?, Some(next()?)).into(),
        library::CUBA_LIF => {
            let (tau_syn, tau_mem, r, leak, w_in, theta, reset) = (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
            nir::CubaLif::new(tau_syn, tau_mem, r, leak, theta, Some(reset), w_in).into()
        }
        library::CUBA_LI => nir::CubaLi::new(next()?, next()?, next()?, next()?, next()?).into(),
        library::SCALE => nir::Scale::new(next()?).into(),
        library::THRESHOLD => nir::Threshold::new(next()?).into(),
        _ => return None,
    })
}

fn linear(map: &LinearMap) -> Result<Node> {
    Ok(match map {
        LinearMap::Dense(dense) => affine(dense)?,
        LinearMap::Conv1d(conv) => {
            let Window { stride, dilation, groups, .. } = conv.window();
            let length = conv.input().extents()[1];
            let zeros = symmetric(conv.window(), conv.pad_after())?;
            nir::Conv1d::new(
                Some(Ints::from(vec![int(length)])),
                array(conv.weight())?,
                Ints::from(stride.map(int)),
                zeros,
                Ints::from(dilation.map(int)),
                Ints::one(int(groups)),
                bias(conv.bias(), conv.output().extents()[0])?,
            )
            .into()
        }
        LinearMap::Conv2d(conv) => {
            let Window { stride, dilation, groups, .. } = conv.window();
            let extents = conv.input().extents();
            nir::Conv2d::new(
                Some(Ints::from(vec![int(extents[1]), int(extents[2])])),
                array(conv.weight())?,
                Ints::from(stride.map(int)),
                symmetric(conv.window(), conv.pad_after())?,
                Ints::from(dilation.map(int)),
                Ints::one(int(groups)),
                bias(conv.bias(), conv.output().extents()[0])?,
            )
            .into()
        }
        LinearMap::SumPool2d(pool) => {
            let Pooling { kernel, stride, padding } = pool.pooling();
            nir::SumPool2d::new(kernel.map(int), stride.map(int), padding.map(int)).into()
        }
        LinearMap::AvgPool2d(pool) => {
            let Pooling { kernel, stride, padding } = pool.pooling();
            nir::AvgPool2d::new(kernel.map(int), stride.map(int), padding.map(int)).into()
        }
        other => affine(&dense(other)?)?,
    })
}

/// A dense map with the same terms.
fn dense(map: &LinearMap) -> Result<Dense> {
    let (rows, cols) = (map.output().len(), map.input().len());
    let count = rows.checked_mul(cols).filter(|&n| n <= nir::MAX_ELEMENTS);
    let count = count
        .ok_or_else(|| Error::unsupported(format!("a {} map of {rows} by {cols} is too large as a dense one", map.kind())))?;
    let mut weight = vec![0.0; count];
    map.for_each_term(|row, col, w| weight[row * cols + col] = w);
    let bias = map.has_bias().then(|| (0..rows).map(|row| map.bias_at(row)).collect::<Vec<f64>>().into());
    Dense::new(Tensor::new([rows, cols], weight)?, bias)
}

fn affine(dense: &Dense) -> Result<Node> {
    let weight = array(dense.weight())?;
    Ok(match dense.bias() {
        Some(bias) => nir::Affine::new(weight, array(bias)?).into(),
        None => nir::Linear::new(weight).into(),
    })
}

fn relay(input: &Shape, output: &Shape) -> Result<Node> {
    if input == output {
        return Ok(nir::Identity::new(ints(output)).into());
    }
    let (from, to) = (input.extents(), output.extents());
    let lead = from.iter().zip(to).take_while(|(a, b)| a == b).count().min(to.len().saturating_sub(1));
    let tail = to.len() - lead - 1;
    let joins = from.len() > to.len() && from[from.len() - tail..] == to[lead + 1..] && from[..lead] == to[..lead];
    if !joins {
        return Err(Error::unsupported(format!("NIR cannot read {input} as {output}; it can only join neighbouring extents")));
    }
    let end = from.len() - tail - 1;
    Ok(nir::Flatten::new(Some(ints(input)), Ints::one(int(lead)), Ints::one(int(end))).into())
}

fn symmetric<const D: usize>(window: Window<D>, after: [usize; D]) -> Result<nir::Padding> {
    match window.padding {
        Padding::Each(before) if before == after => Ok(nir::Padding::Zeros(Ints::from(before.map(int)))),
        // more zeros on one side come from this word alone
        _ => Ok(nir::Padding::Same),
    }
}

fn bias(bias: Option<&Tensor>, channels: usize) -> Result<nir::Tensor> {
    bias.map_or_else(|| Ok(nir::Tensor::filled(channels, 0.0)), array)
}

/// A parameter over the whole node, since NIR knows no scalars.
fn spread(tensor: &Tensor, shape: &Shape) -> Result<nir::Tensor> {
    array(&tensor.broadcast(shape)?)
}

fn array(tensor: &Tensor) -> Result<nir::Tensor> {
    let data = match tensor.numbers() {
        Numbers::F32(numbers) => TensorData::F32(numbers.to_vec()),
        Numbers::F64(numbers) => TensorData::F64(numbers.to_vec()),
    };
    nir::Tensor::new(tensor.shape().extents().to_vec(), data)
        .ok_or_else(|| Error::invalid_program("an array does not fill its shape"))
}

fn ints(shape: &Shape) -> Ints {
    Ints::from(shape.extents().iter().map(|&e| int(e)).collect::<Vec<i64>>())
}

fn int(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
