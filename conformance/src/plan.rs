//! Programs as data: what a law ran is part of its evidence, so that a judge can build the same program again.

use crate::drawn;
use isoform_core::builder::{Builder, Draft, delay, identity, reshape};
use isoform_core::error::{Error, Result};
use isoform_core::functions as library;
use isoform_core::linear::{AvgPool2d, Conv1d, Conv2d, Dense, Padding, Pooling, Sparse, SumPool2d, Window};
use isoform_core::neuron::Neuron;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::tensor::{Shape, Tensor};
use serde::{Deserialize, Serialize};

/// A program, written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The default semantics.
    pub semantics: Semantics,
    /// Names and shapes of the inputs.
    pub inputs: Vec<(String, Vec<usize>)>,
    /// The nodes.
    pub nodes: Vec<PlanNode>,
    /// Names of the outputs, and what each is the sum of.
    pub outputs: Vec<(String, Vec<String>)>,
}

/// A node of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanNode {
    /// Its name.
    pub name: String,
    /// What it computes.
    pub what: What,
    /// What its input is the sum of.
    pub from: Vec<String>,
    /// Its shape, where neither inputs nor parameters tell.
    pub shape: Option<Vec<usize>>,
    /// Semantics of its own.
    pub semantics: Option<Semantics>,
}

/// What a node of a plan computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "fields are named as in the constructors of the linear maps")]
pub enum What {
    /// A transfer function of the library, by its id, with parameters of one number or one per channel.
    Neuron { function: String, parameters: Vec<(String, Vec<f64>)> },
    /// A matrix.
    Dense { rows: usize, cols: usize, weight: Vec<f64>, bias: Option<Vec<f64>> },
    /// Some entries of a matrix.
    Sparse { rows: usize, cols: usize, entries: Vec<(usize, usize, f64)>, bias: Option<Vec<f64>> },
    /// A convolution along one axis.
    Conv1d { input: [usize; 2], weight: (Vec<usize>, Vec<f64>), bias: Option<Vec<f64>>, slide: Slide<1> },
    /// A convolution along two axes.
    Conv2d { input: [usize; 3], weight: (Vec<usize>, Vec<f64>), bias: Option<Vec<f64>>, slide: Slide<2> },
    /// Sums of rectangles.
    SumPool { input: [usize; 3], kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2] },
    /// Means of rectangles.
    AvgPool { input: [usize; 3], kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2] },
    /// A delay in seconds, one number or one per channel.
    Delay { seconds: Vec<f64> },
    /// Another shape.
    Reshape { shape: Vec<usize> },
    /// The input, unchanged.
    Identity,
    /// A graph inside the graph.
    Graph(Box<Plan>),
}

/// How a kernel slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as in `Window`")]
pub struct Slide<const D: usize>
where
    [usize; D]: Serialize + for<'a> Deserialize<'a>,
{
    pub stride: [usize; D],
    pub padding: [usize; D],
    pub dilation: [usize; D],
    pub groups: usize,
}

impl<const D: usize> Slide<D>
where
    [usize; D]: Serialize + for<'a> Deserialize<'a>,
{
    fn window(&self) -> Window<D> {
        Window::default()
            .with_stride(self.stride)
            .with_padding(Padding::Each(self.padding))
            .with_dilation(self.dilation)
            .with_groups(self.groups)
    }
}

/// A neuron of the library by its id.
pub(crate) fn neuron(function: &str) -> Result<Neuron> {
    Ok(match function {
        library::LIF => library::lif(),
        library::LI => library::li(),
        library::I => library::integrator(),
        library::IF => library::integrate_and_fire(),
        library::CUBA_LIF => library::cuba_lif(),
        library::CUBA_LI => library::cuba_li(),
        library::THRESHOLD => library::threshold(),
        library::SCALE => library::scale(),
        drawn::ID => drawn::neuron(),
        other => return Err(Error::not_found(format!("the library has no transfer function {other:?}"))),
    })
}

fn vector(values: &[f64], shape: Option<&[usize]>) -> Result<Tensor> {
    match values {
        [one] => Ok(Tensor::from(*one)),
        _ => Tensor::new(shape.map_or_else(|| Shape::from(values.len()), |s| Shape::new(s.to_vec())), values),
    }
}

fn bias(values: Option<&Vec<f64>>) -> Result<Option<Tensor>> {
    values.map(|v| Tensor::new([v.len()], v.as_slice())).transpose()
}

impl PlanNode {
    /// A node that takes one signal.
    #[must_use]
    pub fn new(name: &str, what: What, from: &str) -> Self {
        Self { name: name.to_owned(), what, from: vec![from.to_owned()], shape: None, semantics: None }
    }

    fn draft(&self) -> Result<Draft> {
        Ok(match &self.what {
            What::Neuron { function, parameters } => {
                let mut neuron = neuron(function)?;
                for (name, values) in parameters {
                    neuron = neuron.with(name, vector(values, self.shape.as_deref())?);
                }
                neuron.into()
            }
            What::Dense { rows, cols, weight, bias: b } => {
                Dense::new(Tensor::new([*rows, *cols], weight.as_slice())?, bias(b.as_ref())?)?.into()
            }
            What::Sparse { rows, cols, entries, bias: b } => {
                Sparse::new(*cols, *rows, entries.iter().copied(), bias(b.as_ref())?)?.into()
            }
            What::Conv1d { input, weight, bias: b, slide } => {
                let weight = Tensor::new(weight.0.clone(), weight.1.as_slice())?;
                Conv1d::new(*input, weight, bias(b.as_ref())?, slide.window())?.into()
            }
            What::Conv2d { input, weight, bias: b, slide } => {
                let weight = Tensor::new(weight.0.clone(), weight.1.as_slice())?;
                Conv2d::new(*input, weight, bias(b.as_ref())?, slide.window())?.into()
            }
            What::SumPool { input, kernel, stride, padding } => {
                SumPool2d::new(*input, Pooling::over(*kernel).with_stride(*stride).with_padding(*padding))?.into()
            }
            What::AvgPool { input, kernel, stride, padding } => {
                AvgPool2d::new(*input, Pooling::over(*kernel).with_stride(*stride).with_padding(*padding))?.into()
            }
            What::Delay { seconds } => delay(vector(seconds, self.shape.as_deref())?),
            What::Reshape { shape } => reshape(shape.clone()),
            What::Identity | What::Graph(_) => identity(),
        })
    }
}

impl Plan {
    /// A program of one node between an input and an output of so many channels.
    #[must_use]
    pub fn single(what: What, inputs: usize, semantics: Semantics) -> Self {
        Self {
            semantics,
            inputs: vec![(String::from("x"), vec![inputs])],
            nodes: vec![PlanNode::new("node", what, "x")],
            outputs: vec![(String::from("y"), vec![String::from("node")])],
        }
    }

    /// The same program under other semantics.
    #[must_use]
    pub fn with_semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    fn builder(&self) -> Result<Builder> {
        let mut net = Builder::new();
        for (name, shape) in &self.inputs {
            net.input(name, shape.clone());
        }
        for node in &self.nodes {
            let from = node.from.iter().map(|n| net.later(n)).reduce(|a, b| a + b).unwrap_or_default();
            if let What::Graph(inner) = &node.what {
                net.graph(&node.name, inner.builder()?, from);
                continue;
            }
            net.node(&node.name, node.draft().map_err(|e| e.with_node(&node.name))?, from);
            if let Some(shape) = &node.shape {
                net.shape(&node.name, shape.clone());
            }
            if let Some(semantics) = node.semantics {
                net.semantics(&node.name, semantics);
            }
        }
        for (name, from) in &self.outputs {
            let wire = from.iter().map(|n| net.later(n)).reduce(|a, b| a + b).unwrap_or_default();
            net.output(name, wire);
        }
        Ok(net)
    }

    /// Builds the program.
    ///
    /// # Errors
    /// `InvalidProgram` if the plan contradicts itself.
    pub fn build(&self) -> Result<Program> {
        self.builder()?.build(self.semantics)
    }
}
