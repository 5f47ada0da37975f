//! Programs: validated, immutable graphs of nodes with named ports.

use crate::builder::{Builder, Draft, DraftNode, Wire};
use crate::digest;
pub use crate::digest::Digest;
use crate::dynamics::Domain;
use crate::error::{Error, Result};
use crate::infer;
use crate::linear::LinearMap;
use crate::optical::Optical;
use crate::schedule::{Schedule, schedule};
use crate::semantics::{Decay, Number, Semantics, Test};
use crate::stability;
use crate::tensor::{Shape, Tensor};
use crate::transfer::TransferFunction;
use std::collections::HashMap;
use std::sync::Arc;

/// A validated, immutable graph: what is to be computed, and under which semantics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Program(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    draft: Builder,
    semantics: Semantics,
    inputs: Vec<Port>,
    nodes: Vec<Node>,
    outputs: Vec<OutputPort>,
    schedule: Schedule,
    digest: Digest,
}

/// An input of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its shape in one lane and tick.
    pub shape: Shape,
    /// What kind of numbers it carries.
    pub domain: Domain,
}

/// An output of a program: a sum of signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPort {
    /// Name, shape and kind.
    pub port: Port,
    /// What is summed.
    pub sources: Vec<Source>,
}

/// Where a signal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// An input of the program, by its place.
    Input(usize),
    /// An output of a node, by the place of the node and of the output.
    Node(usize, usize),
}

/// One term of a sum of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it carries the value of the previous tick.
    pub late: bool,
}

/// What a node computes.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// An element-wise transfer function, with one tensor per parameter: one number, or one per channel.
    Dynamics {
        /// The function.
        function: Arc<dyn TransferFunction>,
        /// Its parameters, in the order of the signature.
        parameters: Vec<Tensor>,
    },
    /// A linear map.
    Linear(Box<LinearMap>),
    /// An optical map and its detectors.
    Optical(Box<Optical>),
    /// A delay by whole ticks, one per channel.
    Delay {
        /// The delay in seconds as given.
        seconds: Tensor,
        /// The delay in ticks, one per channel.
        ticks: Vec<u32>,
    },
    /// The input, under another shape.
    Relay,
}

/// A node of a program.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name; unique, with `/` between nested graphs.
    pub name: String,
    /// What it computes.
    pub kind: NodeKind,
    /// The shape of each input.
    pub input_shapes: Vec<Shape>,
    /// The shape of each output.
    pub output_shapes: Vec<Shape>,
    /// What is summed at each input, in the order of the names of the origins.
    pub sources: Vec<Vec<Source>>,
    /// The semantics that hold for this node.
    pub semantics: Semantics,
    /// By how many ticks its inputs are late.
    pub input_delay: u32,
    /// The key of its random draws: its rank among the names of the nodes, also where the program is a part of a larger one.
    pub key: u32,
}

impl Node {
    /// What it is, in a word or by the id of its function.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Dynamics { function, .. } => function.signature().id,
            NodeKind::Linear(map) => map.kind(),
            NodeKind::Optical(map) => map.kind(),
            NodeKind::Delay { .. } => "delay",
            NodeKind::Relay => "relay",
        }
    }

    /// How many channels its first output has.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.output_shapes.first().map_or(0, Shape::len)
    }

    /// Whether it keeps something of its own from tick to tick, be it a state or a line of past inputs.
    #[must_use]
    pub fn has_state(&self) -> bool {
        match &self.kind {
            NodeKind::Dynamics { function, .. } => !function.signature().states.is_empty(),
            NodeKind::Delay { ticks, .. } => ticks.iter().any(|&t| t > 0),
            NodeKind::Linear(_) | NodeKind::Optical(_) | NodeKind::Relay => false,
        }
    }

    /// The names and values of its parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, Tensor)> {
        match &self.kind {
            NodeKind::Dynamics { function, parameters } => {
                function.signature().parameters.iter().map(|p| p.quantity.name).zip(parameters.iter().cloned()).collect()
            }
            NodeKind::Linear(map) => map.parameters().into_iter().map(|(name, tensor)| (name, tensor.clone())).collect(),
            NodeKind::Optical(map) => vec![("matrix", map.matrix().clone())],
            NodeKind::Delay { seconds, .. } => vec![("delay", seconds.clone())],
            NodeKind::Relay => Vec::new(),
        }
    }
}

impl Program {
    /// A program to be written.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A program of one node between an input `x` and an output `y`.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn single(name: &str, what: impl Into<Draft>, input: impl Into<Shape>, semantics: Semantics) -> Result<Self> {
        let mut net = Builder::new();
        let x = net.input("x", input);
        let y = net.node(name, what, x);
        net.output("y", y);
        net.build(semantics)
    }

    /// The default semantics; a node may have its own.
    #[must_use]
    pub fn semantics(&self) -> &Semantics {
        &self.0.semantics
    }

    /// The inputs, in the order of their channels in a signal.
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.0.inputs
    }

    /// The outputs, in the order of their channels in a signal.
    #[must_use]
    pub fn outputs(&self) -> &[OutputPort] {
        &self.0.outputs
    }

    /// The nodes, in the order in which they were declared.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.0.nodes
    }

    /// A node by its name.
    ///
    /// # Errors
    /// `NotFound`, naming the nodes there are.
    pub fn node(&self, name: &str) -> Result<(usize, &Node)> {
        self.0.nodes.iter().enumerate().find(|(_, n)| n.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.0.nodes.iter().map(|n| n.name.as_str()).collect();
            Error::not_found(format!("the program has no node {name:?}; it has {}", known.join(", ")))
        })
    }

    /// The order of evaluation, and everything that is kept from tick to tick.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.0.schedule
    }

    /// Channels of all inputs together.
    #[must_use]
    pub fn input_channels(&self) -> usize {
        self.0.inputs.iter().map(|p| p.shape.len()).sum()
    }

    /// Channels of all outputs together.
    #[must_use]
    pub fn output_channels(&self) -> usize {
        self.0.outputs.iter().map(|o| o.port.shape.len()).sum()
    }

    /// A name for everything that the program means: functions, parameters, edges, ports and semantics.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The same graph under other semantics. Nodes with semantics of their own keep them.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn with_semantics(&self, semantics: Semantics) -> Result<Self> {
        self.0.draft.clone().build(semantics)
    }

    /// The same graph with outputs of nodes as further outputs of the program, each under the name of the node.
    ///
    /// # Errors
    /// `NotFound` if there is no such node.
    pub fn with_probes(&self, nodes: &[&str]) -> Result<Self> {
        let mut draft = self.0.draft.clone();
        for name in nodes {
            self.node(name)?;
            let wire = draft.later(name);
            draft.output(&format!("probe {name}"), wire);
        }
        draft.build(self.0.semantics)
    }

    /// The same graph with another value of a parameter.
    ///
    /// # Errors
    /// `NotFound` if there is no such node or parameter, `InvalidProgram` if the value does not fit.
    pub fn with_parameter(&self, node: &str, parameter: &str, value: Tensor) -> Result<Self> {
        let (index, found) = self.node(node)?;
        if !found.parameters().iter().any(|(name, _)| *name == parameter) {
            let known: Vec<&str> = found.parameters().iter().map(|(name, _)| *name).collect();
            return Err(
                Error::not_found(format!("there is no parameter {parameter:?}; it has {}", known.join(", "))).with_node(node)
            );
        }
        let mut draft = self.0.draft.clone();
        let what = &mut draft.nodes[index].what;
        *what = match what.clone() {
            Draft::Neuron(neuron) => Draft::Neuron(neuron.with(parameter, value)),
            Draft::Linear(map) => Draft::Linear(Box::new(map.with_parameter(parameter, value).map_err(|e| e.with_node(node))?)),
            Draft::Optical(map) => Draft::Optical(Box::new(map.with_parameter(parameter, value).map_err(|e| e.with_node(node))?)),
            Draft::Delay(_) => Draft::Delay(value),
            Draft::Relay(shape) => Draft::Relay(shape),
        };
        draft.build(self.0.semantics)
    }

    pub(crate) fn draft(&self) -> &Builder {
        &self.0.draft
    }

    /// The draft from which the program was built, to write a larger one.
    #[must_use]
    pub fn to_builder(&self) -> Builder {
        self.0.draft.clone()
    }
}

/// Checks a draft and makes a program of it.
pub(crate) fn assemble(draft: Builder, semantics: Semantics) -> Result<Program> {
    semantics.check()?;
    let names = names(&draft)?;
    let shapes = infer::shapes(&draft, &names)?;
    let mut nodes = Vec::with_capacity(draft.nodes.len());
    for (index, node) in draft.nodes.iter().enumerate() {
        let built = build_node(&draft, node, &names, &shapes[index], &semantics).map_err(|e| e.with_node(&node.name))?;
        nodes.push(built);
    }
    let inputs: Vec<Port> = draft
        .inputs
        .iter()
        .map(|(name, shape, domain)| Port { name: name.clone(), shape: shape.clone(), domain: *domain })
        .collect();
    let mut outputs = Vec::with_capacity(draft.outputs.len());
    for (name, wire) in &draft.outputs {
        let sources = resolve(wire, &names, &draft)?;
        let (shape, domain) = infer::sum(&sources, &inputs, &nodes).map_err(|e| e.with_node(name))?;
        outputs.push(OutputPort { port: Port { name: name.clone(), shape, domain }, sources });
    }
    if outputs.is_empty() {
        return Err(Error::invalid_program("the program has no output; declare one"));
    }
    let schedule = schedule(&mut nodes)?;
    let digest = digest::program(&semantics, &inputs, &nodes, &outputs);
    Ok(Program(Arc::new(Inner { draft, semantics, inputs, nodes, outputs, schedule, digest })))
}

/// All names that a wire can refer to.
fn names(draft: &Builder) -> Result<HashMap<String, Origin>> {
    let mut names = HashMap::new();
    let inputs = draft.inputs.iter().enumerate().map(|(i, (name, ..))| (name, Origin::Input(i)));
    let nodes = draft.nodes.iter().enumerate().map(|(i, node)| (&node.name, Origin::Node(i, 0)));
    for (name, origin) in inputs.chain(nodes) {
        if name.is_empty() {
            return Err(Error::invalid_program("a node or input has an empty name"));
        }
        if names.insert(name.clone(), origin).is_some() {
            return Err(Error::invalid_program("the name is used twice").with_node(name));
        }
    }
    let mut seen = std::collections::HashSet::new();
    match draft.outputs.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(Error::invalid_program(format!("two outputs are called {name:?}"))),
        None => Ok(names),
    }
}

/// The origins of a wire, ordered by name so that no file order shows in a rounded sum.
fn resolve(wire: &Wire, names: &HashMap<String, Origin>, draft: &Builder) -> Result<Vec<Source>> {
    let mut terms: Vec<&(String, usize)> = wire.0.iter().collect();
    terms.sort();
    terms
        .into_iter()
        .map(|(name, port)| {
            let origin = match names.get(name) {
                Some(Origin::Input(i)) if *port == 0 => Origin::Input(*i),
                Some(Origin::Node(i, _)) if *port < infer::output_ports(&draft.nodes[*i].what) => Origin::Node(*i, *port),
                Some(_) => return Err(Error::invalid_program(format!("{name:?} has no output {port}"))),
                None => return Err(Error::invalid_program(format!("there is no node or input {name:?} to take a signal from"))),
            };
            Ok(Source { origin, late: false })
        })
        .collect()
}

fn build_node(
    draft: &Builder,
    node: &DraftNode,
    names: &HashMap<String, Origin>,
    (input, output): &(Shape, Shape),
    default: &Semantics,
) -> Result<Node> {
    let semantics = node.semantics.unwrap_or(*default);
    semantics.check()?;
    if semantics.dt.to_bits() != default.dt.to_bits() {
        return Err(Error::invalid_program(format!("a time step of {} inside a program of {}", semantics.dt, default.dt)));
    }
    let kind = match &node.what {
        Draft::Neuron(neuron) => {
            let function = Arc::clone(neuron.function());
            admit(function.as_ref(), &semantics)?;
            NodeKind::Dynamics { parameters: neuron.resolve(output)?, function }
        }
        Draft::Linear(map) => NodeKind::Linear(Box::new(infer::lifted(map, input)?)),
        Draft::Optical(map) => NodeKind::Optical(map.clone()),
        Draft::Delay(seconds) => {
            let seconds = if seconds.len() == 1 { seconds.at(0).into() } else { seconds.broadcast(output)? };
            NodeKind::Delay { ticks: infer::delay_ticks(&seconds, semantics.dt, output.len())?, seconds }
        }
        Draft::Relay(_) => NodeKind::Relay,
    };
    let ports = infer::input_ports(&node.what);
    if node.inputs.len() > ports {
        return Err(Error::invalid_program(format!("it has {ports} inputs, but {} are wired", node.inputs.len())));
    }
    let mut sources = Vec::with_capacity(ports);
    for port in 0..ports {
        sources.push(node.inputs.get(port).map_or(Ok(Vec::new()), |wire| resolve(wire, names, draft))?);
    }
    let stateful = matches!(&kind, NodeKind::Dynamics { function, .. } if !function.signature().states.is_empty());
    let node = Node {
        name: node.name.clone(),
        input_shapes: vec![input.clone(); ports],
        output_shapes: vec![output.clone(); infer::output_ports(&node.what)],
        sources,
        key: node
            .key
            .unwrap_or_else(|| u32::try_from(draft.nodes.iter().filter(|n| n.name < node.name).count()).unwrap_or(u32::MAX)),
        input_delay: if stateful { semantics.input_delay } else { 0 },
        semantics,
        kind,
    };
    stability::admit(&node)?;
    Ok(node)
}

/// Whether a function can have these semantics.
fn admit(function: &dyn TransferFunction, semantics: &Semantics) -> Result<()> {
    let id = function.signature().id;
    if let Some(preset) = semantics.preset() {
        preset.admit(id)?;
    }
    if function.is_affine() {
        return Ok(());
    }
    if semantics.decay == Decay::Exact {
        return Err(Error::invalid_program(format!(
            "the flow of {id} is not affine, so that it has no exact decay; choose semantics with an euler or a runge-kutta decay"
        )));
    }
    if semantics.test == Test::Located || semantics.number != Number::Real {
        return Err(Error::invalid_program(format!(
            "the flow of {id} is not affine; locating and fixed numbers need one that is"
        )));
    }
    Ok(())
}
