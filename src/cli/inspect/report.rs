//! What `inspect` found, for people and for machines.

use isoform::core::dynamics::Domain;
use isoform::core::program::{NodeKind, Program};
use isoform::core::semantics::Preset;
use isoform::core::state::name;
use isoform::core::tensor::Shape;
use isoform::formats::nir::{self, Graph, Map, Value};
use isoform::model::Model;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// A time step at which shapes are looked at when nobody gives one; no shape depends on it.
const NOMINAL: f64 = 1e-3;
/// Time steps of which one suits a preset, if any does: an explicit step is unstable where it is long, and a delay has no room where it is short.
const STEPS: [f64; 5] = [NOMINAL, 1.0, 1e-2, 1e-4, 1e-5];

/// Longer lists are told by their length.
const LONG: usize = 8;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) nir_version: Option<String>,
    pub(super) parameters: usize,
    pub(super) state_numbers: usize,
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<(String, String)>,
    /// By the path of the node, the empty path for the model.
    pub(super) metadata: BTreeMap<String, serde_json::Value>,
    pub(super) not_kept: Vec<String>,
    /// The presets under which it runs.
    pub(super) presets: Vec<String>,
    pub(super) refused: BTreeMap<String, String>,
    pub(super) program: Option<Meaning>,
    /// What is missing to run it.
    pub(super) missing: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) shape: String,
    pub(super) channels: usize,
    pub(super) domain: Domain,
}

#[derive(Debug, Serialize)]
pub(super) struct Node {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) input_shape: Option<String>,
    pub(super) output_shape: Option<String>,
    pub(super) parameters: Vec<Array>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) state: Vec<State>,
    pub(super) sources: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Array {
    pub(super) name: String,
    pub(super) shape: String,
    #[serde(rename = "type")]
    pub(super) number: String,
    pub(super) numbers: usize,
    pub(super) unit: String,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) meaning: String,
    pub(super) numbers: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Meaning {
    pub(super) digest: String,
    pub(super) semantics: String,
    pub(super) dt: f64,
}

impl Report {
    pub(super) fn of(model: &Model, program: Option<&Program>) -> Self {
        let nominal = model.program(Preset::Exact.semantics(NOMINAL));
        let shapes = program.or(nominal.as_ref().ok());
        let mut report = Self {
            path: model.path.clone(),
            sha256: model.sha256.clone(),
            nir_version: model.graph.version.clone(),
            parameters: 0,
            state_numbers: shapes.map_or(0, |p| p.schedule().memory.iter().map(|m| m.len).sum()),
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
            metadata: BTreeMap::new(),
            not_kept: model.graph.not_kept.clone(),
            presets: Vec::new(),
            refused: BTreeMap::new(),
            program: program.map(|p| Meaning {
                digest: p.digest().to_string(),
                semantics: p.semantics().to_string(),
                dt: p.semantics().dt,
            }),
            missing: Vec::new(),
        };
        let port = |port: &isoform::core::program::Port| Port {
            name: port.name.clone(),
            shape: port.shape.to_string(),
            channels: port.shape.len(),
            domain: port.domain,
        };
        if let Some(program) = shapes {
            report.inputs = program.inputs().iter().map(port).collect();
            report.outputs = program.outputs().iter().map(|o| port(&o.port)).collect();
        }
        report.walk(&model.graph, "", shapes);
        report.parameters = report.nodes.iter().flat_map(|n| &n.parameters).map(|a| a.numbers).sum();
        if let Some(program) = shapes {
            report.order(program);
        }
        report.judge(model, program, nominal.err());
        report
    }

    fn walk(&mut self, graph: &Graph, prefix: &str, program: Option<&Program>) {
        self.annotate(prefix.trim_end_matches('/'), &graph.annotations);
        self.edges.extend(graph.edges.iter().map(|(a, b)| (format!("{prefix}{a}"), format!("{prefix}{b}"))));
        let mut sources: HashMap<&str, Vec<String>> = HashMap::new();
        for (from, to) in &graph.edges {
            sources.entry(to).or_default().push(from.clone());
        }
        for (name, node) in &graph.nodes {
            let path = format!("{prefix}{name}");
            if let nir::Node::Graph(inner) = node {
                self.walk(inner, &format!("{path}/"), program);
                continue;
            }
            self.annotate(&path, node.annotations());
            self.nodes.push(found(&path, node, sources.remove(name.as_str()).unwrap_or_default(), program));
        }
    }

    fn annotate(&mut self, path: &str, annotations: &nir::Annotations) {
        let both: Map = annotations.metadata.iter().chain(&annotations.extra).map(|(k, v)| (k.clone(), v.clone())).collect();
        if !both.is_empty() {
            self.metadata.insert(path.to_owned(), json(&Value::Map(both)));
        }
    }

    /// Puts the nodes into the order in which they are evaluated.
    fn order(&mut self, program: &Program) {
        let inputs = program.inputs().iter().map(|port| &port.name);
        let nodes = program.schedule().order.iter().map(|&node| &program.nodes()[node].name);
        let ranks: HashMap<&String, usize> = inputs.chain(nodes).enumerate().map(|(rank, name)| (name, rank)).collect();
        self.nodes.sort_by_key(|node| ranks.get(&node.name).copied().unwrap_or(usize::MAX));
    }

    /// Under what it runs, and what is missing.
    fn judge(&mut self, model: &Model, program: Option<&Program>, broken: Option<isoform::core::error::Error>) {
        if let Some(error) = broken {
            self.missing.push(format!("it cannot run: {error}"));
            return;
        }
        let given = program.map(|p| [p.semantics().dt]);
        let steps = given.as_ref().map_or(STEPS.as_slice(), |dt| dt.as_slice());
        for &preset in Preset::ALL {
            let refusals: Vec<_> = steps.iter().filter_map(|&dt| model.program(preset.semantics(dt)).err()).collect();
            match refusals.first() {
                Some(error) if refusals.len() == steps.len() => drop(self.refused.insert(preset.to_string(), said(error))),
                _ => self.presets.push(preset.to_string()),
            }
        }
        if program.is_none() {
            let input = self.inputs.iter().map(|p| p.channels).sum::<usize>();
            let columns = if input == 1 { String::from("1 column") } else { format!("{input} columns") };
            self.missing.push(String::from("--dt S         the seconds of a tick, as --dt 1e-4: NIR carries no time step"));
            self.missing.push(format!("--input X      a signal of {columns}"));
            self.missing.push(String::from("--semantics P  a platform to follow, unless the equations are to be taken exactly"));
        }
    }
}

/// An error without its kind, which the place where it is told makes plain.
fn said(error: &isoform::core::error::Error) -> String {
    error.node().map_or_else(|| error.message().to_owned(), |node| format!("node \"{node}\": {}", error.message()))
}

fn found(path: &str, node: &nir::Node, sources: Vec<String>, program: Option<&Program>) -> Node {
    let known = program.and_then(|p| p.node(path).ok().map(|(index, node)| (p, index, node)));
    let port = program.and_then(|p| {
        let ports = p.inputs().iter().chain(p.outputs().iter().map(|o| &o.port));
        ports.into_iter().find(|port| port.name == path).map(|port| port.shape.to_string())
    });
    let unit = |name: &str| match known.map(|(_, _, n)| &n.kind) {
        Some(NodeKind::Dynamics { function, .. }) => {
            let signature = function.signature();
            signature.parameter(name).map_or("", |i| signature.parameters[i].quantity.unit)
        }
        _ => "",
    };
    let parameters = node.parameters().into_iter().map(|(name, tensor)| {
        let numbers = tensor.to_f64();
        Array {
            name: name.to_owned(),
            shape: Shape::new(tensor.shape().to_vec()).to_string(),
            number: format!("{:?}", tensor.dtype()).to_lowercase(),
            numbers: numbers.len(),
            unit: unit(name).to_owned(),
            low: numbers.iter().copied().reduce(f64::min),
            high: numbers.iter().copied().reduce(f64::max),
        }
    });
    let shape = |shapes: &[Shape]| shapes.first().map(ToString::to_string);
    Node {
        name: path.to_owned(),
        type_name: node.type_name().to_owned(),
        input_shape: known.and_then(|(_, _, n)| shape(&n.input_shapes)).or_else(|| port.clone()),
        output_shape: known.and_then(|(_, _, n)| shape(&n.output_shapes)).or(port),
        parameters: parameters.collect(),
        attributes: known.map(|(_, _, n)| attributes(&n.kind)).unwrap_or_default(),
        state: known.map(|(program, index, _)| states(program, index)).unwrap_or_default(),
        sources,
    }
}

fn attributes(kind: &NodeKind) -> BTreeMap<String, String> {
    match kind {
        NodeKind::Linear(map) => {
            let value = |v: Vec<usize>| match v.len() {
                n if n > LONG => format!("of {n} numbers"),
                1 => v[0].to_string(),
                _ => Shape::new(v).to_string(),
            };
            map.attributes().into_iter().map(|(name, numbers)| (name.to_owned(), value(numbers))).collect()
        }
        NodeKind::Delay { ticks, .. } => {
            let (low, high) = (ticks.iter().min().copied().unwrap_or(0), ticks.iter().max().copied().unwrap_or(0));
            BTreeMap::from([(String::from("ticks"), if low == high { low.to_string() } else { format!("{low} to {high}") })])
        }
        _ => BTreeMap::new(),
    }
}

fn states(program: &Program, index: usize) -> Vec<State> {
    let memory = &program.schedule().memory;
    let signature = match &program.nodes()[index].kind {
        NodeKind::Dynamics { function, .. } => Some(function.signature()),
        _ => None,
    };
    let state = |m: &isoform::core::schedule::MemoryBlock| {
        let name = name(program, m.node, m.content);
        let quantity = signature.as_ref().and_then(|s| s.state(&name).map(|i| s.states[i].quantity));
        State {
            unit: quantity.map_or("", |q| q.unit).to_owned(),
            meaning: quantity.map_or("", |q| q.meaning).to_owned(),
            numbers: m.len,
            name,
        }
    };
    memory.iter().filter(|m| m.node == index).map(state).collect()
}

/// A value of a NIR file as JSON; long arrays by their shape.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.clone().into(),
        Value::Texts(texts) => texts.texts().to_vec().into(),
        Value::Tensor(tensor) if tensor.shape().is_empty() => tensor.to_f64().first().copied().into(),
        Value::Tensor(tensor) if tensor.len() <= 16 => tensor.to_f64().into(),
        Value::Map(map) => map.iter().map(|(k, v)| (k.clone(), json(v))).collect::<serde_json::Map<_, _>>().into(),
        other => other.describe().into(),
    }
}
