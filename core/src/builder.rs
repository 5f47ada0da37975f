//! Writing a program down.

use crate::dynamics::Domain;
use crate::error::{Error, Result};
use crate::linear::LinearMap;
use crate::neuron::Neuron;
use crate::optical::Optical;
use crate::program::{Program, assemble};
use crate::semantics::Semantics;
use crate::tensor::{Shape, Tensor};
use std::ops::Add;

/// A sum of signals, each the output of a node or an input of the program, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wire(pub(crate) Vec<(String, usize)>);

impl Wire {
    /// Another output of the same node.
    #[must_use]
    pub fn port(&self, port: usize) -> Self {
        Self(self.0.iter().map(|(name, _)| (name.clone(), port)).collect())
    }
}

impl Add for Wire {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// The wires for all inputs of a node.
#[derive(Debug, Clone, Default)]
pub struct Wires(pub(crate) Vec<Wire>);

impl From<Wire> for Wires {
    fn from(wire: Wire) -> Self {
        Self(vec![wire])
    }
}

impl From<&Wire> for Wires {
    fn from(wire: &Wire) -> Self {
        Self(vec![wire.clone()])
    }
}

impl<const N: usize> From<[Wire; N]> for Wires {
    fn from(wires: [Wire; N]) -> Self {
        Self(wires.into())
    }
}

impl From<Vec<Wire>> for Wires {
    fn from(wires: Vec<Wire>) -> Self {
        Self(wires)
    }
}

/// What a node is, before its shape is known.
#[derive(Debug, Clone)]
pub enum Draft {
    /// An array of neurons, or of any element-wise transfer functions.
    Neuron(Neuron),
    /// A linear map.
    Linear(Box<LinearMap>),
    /// An optical map and its detectors.
    Optical(Box<Optical>),
    /// A delay by so many seconds, one number or one per channel.
    Delay(Tensor),
    /// The input under another shape, or unchanged.
    Relay(Option<Shape>),
}

impl From<Neuron> for Draft {
    fn from(neuron: Neuron) -> Self {
        Self::Neuron(neuron)
    }
}

impl<M: Into<LinearMap>> From<M> for Draft {
    fn from(map: M) -> Self {
        Self::Linear(Box::new(map.into()))
    }
}

impl From<Optical> for Draft {
    fn from(map: Optical) -> Self {
        Self::Optical(Box::new(map))
    }
}

/// A delay by so many seconds.
#[must_use]
pub fn delay(seconds: impl Into<Tensor>) -> Draft {
    Draft::Delay(seconds.into())
}

/// The input under another shape.
#[must_use]
pub fn reshape(shape: impl Into<Shape>) -> Draft {
    Draft::Relay(Some(shape.into()))
}

/// The input, unchanged.
#[must_use]
pub fn identity() -> Draft {
    Draft::Relay(None)
}

#[derive(Debug, Clone)]
pub(crate) struct DraftNode {
    pub(crate) name: String,
    pub(crate) what: Draft,
    pub(crate) inputs: Vec<Wire>,
    pub(crate) shape: Option<Shape>,
    pub(crate) semantics: Option<Semantics>,
    /// The key of its random draws, where it is not its rank among the names: in a part of a larger program.
    pub(crate) key: Option<u32>,
}

/// A program that is being written.
///
/// Nothing is checked before [`build`](Builder::build), so that a program reads like its equations:
///
/// ```
/// use isoform_core::builder::Builder;
/// use isoform_core::functions::lif;
/// use isoform_core::linear::Dense;
/// use isoform_core::semantics::Semantics;
///
/// # fn main() -> isoform_core::error::Result<()> {
/// let mut net = Builder::new();
/// let x = net.input("x", [2]);
/// let echo = net.later("neurons");
/// let recurrent = net.node("recurrent", Dense::new([[0.0, -1.0], [-1.0, 0.0]].into(), None)?, echo);
/// let spikes = net.node("neurons", lif().with("tau", 20e-3).with("r", 2.0), x + recurrent);
/// net.output("spikes", spikes);
/// let program = net.build(Semantics::exact(1e-3))?;
/// assert_eq!(program.nodes().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    pub(crate) inputs: Vec<(String, Shape, Domain)>,
    pub(crate) nodes: Vec<DraftNode>,
    pub(crate) outputs: Vec<(String, Wire)>,
    stray: Vec<String>,
}

impl Builder {
    /// An empty program.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares an input of the program.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> Wire {
        self.inputs.push((name.to_owned(), shape.into(), Domain::Real));
        self.later(name)
    }

    /// Declares a node whose input is a sum of wires; a node of several inputs takes an array of wires.
    pub fn node(&mut self, name: &str, what: impl Into<Draft>, inputs: impl Into<Wires>) -> Wire {
        let node = DraftNode {
            name: name.to_owned(),
            what: what.into(),
            inputs: inputs.into().0,
            shape: None,
            semantics: None,
            key: None,
        };
        self.nodes.push(node);
        self.later(name)
    }

    /// The output of a node that is declared elsewhere, so that a cycle can be closed.
    #[must_use]
    pub fn later(&self, name: &str) -> Wire {
        Wire(vec![(name.to_owned(), 0)])
    }

    /// Declares an output of the program.
    pub fn output(&mut self, name: &str, wire: Wire) {
        self.outputs.push((name.to_owned(), wire));
    }

    /// Adds wires to an input of a node that is already declared.
    pub fn connect(&mut self, wire: Wire, node: &str, port: usize) {
        match self.nodes.iter_mut().find(|n| n.name == node) {
            Some(n) => {
                if n.inputs.len() <= port {
                    n.inputs.resize(port + 1, Wire::default());
                }
                n.inputs[port].0.extend(wire.0);
            }
            None => self.stray.push(node.to_owned()),
        }
    }

    /// Says the shape of an element-wise node that neither its inputs nor its parameters tell.
    pub fn shape(&mut self, node: &str, shape: impl Into<Shape>) {
        match self.nodes.iter_mut().find(|n| n.name == node) {
            Some(n) => n.shape = Some(shape.into()),
            None => self.stray.push(node.to_owned()),
        }
    }

    /// Gives one node semantics of its own.
    pub fn semantics(&mut self, node: &str, semantics: Semantics) {
        match self.nodes.iter_mut().find(|n| n.name == node) {
            Some(n) => n.semantics = Some(semantics),
            None => self.stray.push(node.to_owned()),
        }
    }

    /// Puts a whole graph in the place of a node. Its nodes are called `name/node`, and so are its inputs and outputs, which
    /// become relays. The wire is its first output.
    pub fn graph(&mut self, name: &str, inner: Self, inputs: impl Into<Wires>) -> Wire {
        let inner_name = |n: &str| format!("{name}/{n}");
        let renamed = |wire: &Wire| Wire(wire.0.iter().map(|(n, p)| (inner_name(n), *p)).collect());
        let mut inputs = inputs.into().0.into_iter();
        for (port, shape, _) in &inner.inputs {
            self.node(&inner_name(port), reshape(shape.clone()), inputs.next().unwrap_or_default());
        }
        for node in inner.nodes {
            self.nodes.push(DraftNode {
                name: inner_name(&node.name),
                inputs: node.inputs.iter().map(renamed).collect(),
                ..node
            });
        }
        for (port, wire) in &inner.outputs {
            self.node(&inner_name(port), identity(), renamed(wire));
        }
        self.stray.extend(inner.stray.iter().map(|n| inner_name(n)));
        match inner.outputs.first() {
            Some((port, _)) => self.later(&inner_name(port)),
            None => Wire::default(),
        }
    }

    /// Checks the program and makes it immutable.
    ///
    /// # Errors
    /// `InvalidProgram`, naming the node: a name used twice or not at all, shapes that do not meet, a parameter that is missing
    /// or out of range, semantics that a node cannot have, a cycle that nothing delays.
    pub fn build(self, semantics: Semantics) -> Result<Program> {
        if let Some(name) = self.stray.first() {
            return Err(Error::invalid_program("is referred to before it is declared").with_node(name));
        }
        assemble(self, semantics)
    }
}
