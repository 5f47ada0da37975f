//! From a NIR graph to a program.

use super::drafts::drafts;
use super::flatten::flatten;
use crate::nir::{self, Graph, Ints, Node, TensorData};
use isoform_core::builder::{Builder, Draft, Wire, delay, identity, reshape};
use isoform_core::error::{Error, Result};
use isoform_core::functions::{cuba_li, cuba_lif, integrate_and_fire, integrator, li, lif, scale, threshold};
use isoform_core::linear::{AvgPool2d, Conv1d, Conv2d, Dense, Padding, Pooling, SumPool2d, Window};
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::{Shape, Tensor};
use std::collections::HashMap;

/// Gives a graph a meaning.
///
/// # Errors
/// `InvalidProgram`, naming the node: shapes that do not meet or that nothing tells, a neuron that the platform of the preset does
/// not have, a cycle that nothing delays, semantics that contradict themselves.
pub fn from_nir(graph: &Graph, semantics: Semantics) -> Result<Program> {
    let flat = flatten(graph)?;
    let mut sources: HashMap<&str, Vec<&str>> = HashMap::new();
    for (from, to) in &flat.edges {
        sources.entry(to).or_default().push(from);
    }
    let (drafts, outputs) = drafts(&flat)?;
    let mut net = Builder::new();
    let wire = |net: &Builder, name: &str| {
        sources.get(name).into_iter().flatten().fold(Wire::default(), |sum, from| sum + net.later(from))
    };
    for ((name, node), draft) in flat.nodes.iter().zip(drafts) {
        let root = !name.contains('/');
        match node {
            Node::Input(_) if root && sources.contains_key(name.as_str()) => {
                return Err(Error::invalid_program("an edge leads into this input of the graph; remove it").with_node(name));
            }
            Node::Input(input) if root => drop(net.input(name, sizes(&input.shape, "shape").map_err(|e| e.with_node(name))?)),
            Node::Output(_) if root => {
                let wire = wire(&net, name);
                net.output(name, wire);
            }
            _ => {
                let wire = wire(&net, name);
                net.node(name, draft, wire);
            }
        }
    }
    let program = net.build(semantics)?;
    outputs.map(|()| program)
}

/// A node as a draft with the shape of its output, if its input shape is known well enough.
pub(super) fn draft(node: &Node, offered: Option<Shape>) -> Result<Option<(Draft, Shape)>> {
    let elementwise = |neuron: Neuron, node: &Node| {
        let natural = nir::common_shape(node).map(Shape::new);
        // a single value is a scalar that spreads
        let natural = natural.filter(|s| s.len() > 1 || offered.is_none());
        natural.or_else(|| offered.clone()).map(|shape| (Draft::Neuron(neuron), shape))
    };
    let map = |map: isoform_core::linear::LinearMap| {
        let shape = map.output().clone();
        Some((Draft::from(map), shape))
    };
    Ok(match node {
        Node::Input(n) => sizes(&n.shape, "shape").map(|s| Some((reshape(s.clone()), s)))?,
        Node::Output(_) => offered.map(|s| (identity(), s)),
        Node::Identity(n) => sizes(&n.shape, "shape").map(|s| Some((reshape(s.clone()), s)))?,
        Node::Flatten(n) => {
            let input = match (&n.input_type, offered) {
                // start_dim and end_dim count the extents of what is declared
                (Some(shape), _) => sizes(shape, "input_type")?,
                (None, Some(shape)) => shape,
                (None, None) => return Ok(None),
            };
            let output = flattened(&input, &n.start_dim, &n.end_dim)?;
            Some((reshape(output.clone()), output))
        }
        Node::Affine(n) => affine(&n.weight, Some(&n.bias), offered)?,
        Node::Linear(n) => affine(&n.weight, None, offered)?,
        Node::Conv1d(n) => {
            let Some([length]) = spatial(n.input_shape.as_ref(), offered.as_ref())? else { return Ok(None) };
            let groups = single(&n.groups, "groups")?;
            let window = Window::default()
                .with_stride([single(&n.stride, "stride")?])
                .with_dilation([single(&n.dilation, "dilation")?])
                .with_groups(groups)
                .with_padding(padding(&n.padding, |zeros| Ok([single(zeros, "padding")?]))?);
            let channels = channels(&n.weight, groups)?;
            map(Conv1d::new([channels, length], tensor(&n.weight)?, Some(tensor(&n.bias)?), window)?.into())
        }
        Node::Conv2d(n) => {
            let Some([height, width]) = spatial(n.input_shape.as_ref(), offered.as_ref())? else { return Ok(None) };
            let groups = single(&n.groups, "groups")?;
            let window = Window::default()
                .with_stride(pair(&n.stride, "stride")?)
                .with_dilation(pair(&n.dilation, "dilation")?)
                .with_groups(groups)
                .with_padding(padding(&n.padding, |zeros| pair(zeros, "padding"))?);
            let channels = channels(&n.weight, groups)?;
            map(Conv2d::new([channels, height, width], tensor(&n.weight)?, Some(tensor(&n.bias)?), window)?.into())
        }
        Node::SumPool2d(n) => {
            let Some(input) = image(offered.as_ref())? else { return Ok(None) };
            map(SumPool2d::new(input, pooling(&n.kernel_size, &n.stride, &n.padding)?)?.into())
        }
        Node::AvgPool2d(n) => {
            let Some(input) = image(offered.as_ref())? else { return Ok(None) };
            map(AvgPool2d::new(input, pooling(&n.kernel_size, &n.stride, &n.padding)?)?.into())
        }
        Node::Delay(n) => {
            let seconds = tensor(&n.delay)?;
            let natural = Some(seconds.shape().clone()).filter(|s| s.len() > 1);
            natural.or(offered).map(|shape| (delay(seconds), shape))
        }
        Node::Scale(_) => elementwise(named(scale(), node)?, node),
        Node::Threshold(_) => elementwise(named(threshold(), node)?, node),
        Node::I(_) => elementwise(named(integrator(), node)?, node),
        Node::If(_) => elementwise(named(integrate_and_fire(), node)?, node),
        Node::Li(_) => elementwise(named(li(), node)?, node),
        Node::Lif(_) => elementwise(named(lif(), node)?, node),
        Node::CubaLi(_) => elementwise(named(cuba_li(), node)?, node),
        Node::CubaLif(_) => elementwise(named(cuba_lif(), node)?, node),
        other => return Err(Error::unsupported(format!("a node of type {} has no meaning here", other.type_name()))),
    })
}

/// A neuron with the parameters of a node, which go by the same names.
fn named(neuron: Neuron, node: &Node) -> Result<Neuron> {
    node.parameters().into_iter().try_fold(neuron, |neuron, (name, value)| {
        let value = tensor(value)?;
        Ok(neuron.with(name, if value.len() == 1 { Tensor::from(value.at(0)) } else { value }))
    })
}

fn affine(weight: &nir::Tensor, bias: Option<&nir::Tensor>, offered: Option<Shape>) -> Result<Option<(Draft, Shape)>> {
    // before the weight is widened, which may take eight times the memory of what the file holds
    if let (Some(input), &[_, cols]) = (&offered, weight.shape())
        && input.extents().last() != Some(&cols)
        && !input.is_like(&Shape::from([cols]))
    {
        return Err(Error::invalid_program(format!("takes [{cols}], but gets {input}")));
    }
    let (weight, bias) = (tensor(weight)?, bias.map(tensor).transpose()?);
    let dense = match &offered {
        Some(input)
            if weight.shape().extents().len() == 2
                && input.extents().len() > 1
                && input.extents().last() == Some(&weight.shape().extents()[1]) =>
        {
            let lead = &input.extents()[..input.extents().len() - 1];
            Dense::over(lead.to_vec(), weight, bias)?
        }
        _ => Dense::new(weight, bias)?,
    };
    let shape = dense.output().clone();
    Ok(Some((dense.into(), shape)))
}

/// An array as it is computed with: single precision stays, everything else becomes double.
pub(super) fn tensor(from: &nir::Tensor) -> Result<Tensor> {
    match from.data() {
        TensorData::F32(numbers) => Tensor::single(from.shape().to_vec(), numbers.clone()),
        _ => Tensor::new(from.shape().to_vec(), from.to_f64()),
    }
}

fn refuse<T>(field: &str, wants: &str, got: &Ints) -> Result<T> {
    Err(Error::invalid_program(format!("{field} must be {wants}, but is {:?}", got.values())))
}

pub(super) fn sizes(ints: &Ints, field: &str) -> Result<Shape> {
    ints.sizes().map_or_else(|| refuse(field, "sizes", ints), |s| Ok(Shape::new(s)))
}

fn single(ints: &Ints, field: &str) -> Result<usize> {
    ints.single().and_then(|v| usize::try_from(v).ok()).map_or_else(|| refuse(field, "one size", ints), Ok)
}

fn pair(ints: &Ints, field: &str) -> Result<[usize; 2]> {
    let found = ints.pair().and_then(|[a, b]| Some([usize::try_from(a).ok()?, usize::try_from(b).ok()?]));
    found.map_or_else(|| refuse(field, "one size or two", ints), Ok)
}

fn padding<const D: usize>(padding: &nir::Padding, zeros: impl FnOnce(&Ints) -> Result<[usize; D]>) -> Result<Padding<D>> {
    Ok(match padding {
        nir::Padding::Same => Padding::Same,
        nir::Padding::Valid => Padding::VALID,
        nir::Padding::Zeros(ints) => Padding::Each(zeros(ints)?),
    })
}

fn pooling(kernel: &Ints, stride: &Ints, padding: &Ints) -> Result<Pooling> {
    Ok(Pooling::over(pair(kernel, "kernel_size")?).with_stride(pair(stride, "stride")?).with_padding(pair(padding, "padding")?))
}

/// How many channels go into a convolution.
fn channels(weight: &nir::Tensor, groups: usize) -> Result<usize> {
    let each = weight.shape().get(1).copied();
    each.and_then(|each| each.checked_mul(groups))
        .ok_or_else(|| Error::invalid_program("the weight of a convolution lacks its channels"))
}

/// The extents behind the channels, from the node itself or else from what is wired to it.
fn spatial<const D: usize>(own: Option<&Ints>, offered: Option<&Shape>) -> Result<Option<[usize; D]>> {
    let extents = match (own, offered) {
        (Some(own), _) => match own.single() {
            Some(_) if D > 1 => vec![single(own, "input_shape")?; D],
            _ => sizes(own, "input_shape")?.extents().to_vec(),
        },
        (None, Some(offered)) => offered.extents().get(1..).unwrap_or_default().to_vec(),
        (None, None) => return Ok(None),
    };
    let count = extents.len();
    extents
        .try_into()
        .map(Some)
        .map_err(|_| Error::invalid_program(format!("it takes {D} extents behind the channels, but gets {count}")))
}

fn image(offered: Option<&Shape>) -> Result<Option<[usize; 3]>> {
    offered
        .map(|shape| {
            <[usize; 3]>::try_from(shape.extents())
                .map_err(|_| Error::invalid_program(format!("it takes [channel, height, width], but gets {shape}")))
        })
        .transpose()
}

fn flattened(input: &Shape, start: &Ints, end: &Ints) -> Result<Shape> {
    let extents = input.extents();
    let rank = i64::try_from(extents.len()).unwrap_or(i64::MAX);
    let axis = |ints: &Ints, field: &str| {
        let at = ints.single().map(|v| if v < 0 { v + rank } else { v }).filter(|v| (0..rank).contains(v));
        at.and_then(|v| usize::try_from(v).ok()).map_or_else(|| refuse(field, &format!("an axis of {input}"), ints), Ok)
    };
    let (from, to) = (axis(start, "start_dim")?, axis(end, "end_dim")?);
    if from > to {
        return Err(Error::invalid_program(format!("start_dim {from} lies behind end_dim {to}")));
    }
    let joined =
        Shape::new(&extents[from..=to]).checked_len().ok_or_else(|| Error::invalid_program("the joined extents overflow"))?;
    Ok(Shape::new([&extents[..from], &[joined], &extents[to + 1..]].concat()))
}
