//! What of a program has to be wired: states, the channels that drive them, and the terms of their rates of change.

use super::circuit::INTEGRATORS;
use super::compile::{Placed, Wish};
use isoform_core::error::{Error, Result};
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::semantics::Drive;
use isoform_core::tape::Op;
use isoform_core::terms::polynomials;
use isoform_core::transfer::TransferFunction;

/// A term of a factor: the inputs that it is multiplied by, by their feeds, and a number.
pub(super) type Factor = Vec<(Vec<usize>, f64)>;

/// A term before it has a lane.
pub(super) struct Term {
    /// The states that are multiplied, by integrator.
    pub(super) product: Vec<usize>,
    pub(super) target: usize,
    /// With `λ / k` left out.
    pub(super) factor: Factor,
    /// The largest magnitude of the factor within the nominal ranges of the inputs.
    pub(super) most: f64,
    pub(super) text: String,
    pub(super) node: String,
}

/// The name of a state within its node.
fn own_name(program: &Program, state: &Placed) -> String {
    let memory = &program.schedule().memory[state.block.0];
    isoform_core::state::name(program, memory.node, memory.content)
}

/// The name of a state with that of its node, which no other state has.
pub(super) fn full_name(program: &Program, state: &Placed) -> String {
    format!("{}.{}", state.node, own_name(program, state))
}

/// Whether a name is that of a state, with or without that of its node.
pub(super) fn names(program: &Program, state: &Placed, name: &str) -> bool {
    name == own_name(program, state) || name == full_name(program, state)
}

/// Reads a program node by node.
pub(super) struct Reader<'a> {
    program: &'a Program,
    wish: &'a Wish,
    pub(super) states: Vec<Placed>,
    pub(super) feeds: Vec<Vec<usize>>,
    /// The integrator of the first state of the first channel of each node.
    first: Vec<usize>,
    pub(super) terms: Vec<Term>,
}

fn refuse<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::unsupported(why))
}

impl<'a> Reader<'a> {
    /// Reads a program.
    pub(super) fn of(program: &'a Program, wish: &'a Wish) -> Result<Self> {
        let mut reader = Self { program, wish, states: Vec::new(), feeds: Vec::new(), first: Vec::new(), terms: Vec::new() };
        for (index, node) in program.nodes().iter().enumerate() {
            reader.node(index, node).map_err(|e| if e.node().is_some() { e } else { e.with_node(&node.name) })?;
        }
        Ok(reader)
    }

    fn node(&mut self, index: usize, node: &Node) -> Result<()> {
        self.first.push(self.states.len());
        match &node.kind {
            NodeKind::Relay => Ok(()),
            NodeKind::Dynamics { function, parameters } => {
                admit(node, function.as_ref())?;
                let signature = function.signature();
                let (inputs, states) = (signature.signals(), signature.states.len());
                if self.states.len() + states * node.channels() > INTEGRATORS {
                    return refuse(format!(
                        "with its {states} states of {} channels the program has more than the machine's {INTEGRATORS} integrators",
                        node.channels()
                    ));
                }
                let mut fed = Vec::with_capacity(inputs);
                for sources in &node.sources {
                    fed.push(self.resolve(sources)?);
                }
                for channel in 0..node.channels() {
                    let p: Vec<f64> = parameters.iter().map(|t| t.at(if t.len() == 1 { 0 } else { channel })).collect();
                    let feeds = self.feeds.len();
                    self.feeds.extend(fed.iter().map(|ports| ports.iter().map(|from| from + channel).collect::<Vec<_>>()));
                    self.place(index, node, channel, function.as_ref())?;
                    self.flow(node, channel, function.as_ref(), &p, feeds)?;
                }
                Ok(())
            }
            _ => refuse(format!("the machine has no {}; it realises flows that inputs of the program drive", node.kind_name())),
        }
    }

    /// The first channels of the inputs of the program that a sum of sources leads back to.
    fn resolve(&self, sources: &[Source]) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for source in sources {
            match source.origin {
                Origin::Input(input) if !source.late => {
                    found.push(self.program.inputs()[..input].iter().map(|p| p.shape.len()).sum());
                }
                Origin::Node(from, _) if !source.late && matches!(self.program.nodes()[from].kind, NodeKind::Relay) => {
                    found.extend(self.resolve(&self.program.nodes()[from].sources[0])?);
                }
                Origin::Input(_) | Origin::Node(..) => {
                    return refuse(
                        "it is driven by another node; the machine couples at once where a program couples once a tick",
                    );
                }
            }
        }
        Ok(found)
    }

    fn place(&mut self, index: usize, node: &Node, channel: usize, function: &dyn TransferFunction) -> Result<()> {
        let first = self.program.schedule().range(index).start;
        for (k, state) in function.signature().states.iter().enumerate() {
            let q = state.quantity;
            let initial = &self.program.schedule().memory[first + k].initial;
            let mut placed = Placed {
                node: node.name.clone(),
                block: (first + k, channel),
                unit: q.range[0].abs().max(q.range[1].abs()),
                initial: initial[channel % initial.len()],
            };
            if let Some((_, unit)) = self.wish.units.iter().find(|(name, _)| names(self.program, &placed, name)) {
                placed.unit = *unit;
            }
            if !(placed.unit.is_finite() && placed.unit > 0.0) {
                return refuse(format!("the state {} has no nominal range; give the value that stands for one unit", q.name));
            }
            if placed.initial.abs() > placed.unit {
                return refuse(format!("the state {} starts at {}, beyond its unit of {}", q.name, placed.initial, placed.unit));
            }
            self.states.push(placed);
        }
        Ok(())
    }

    fn flow(&mut self, node: &Node, channel: usize, function: &dyn TransferFunction, p: &[f64], feeds: usize) -> Result<()> {
        let signature = function.signature();
        let (inputs, states) = (signature.signals(), signature.states.len());
        let names: Vec<String> = (signature.inputs.iter().map(|i| i.quantity.name))
            .chain(signature.states.iter().map(|s| s.quantity.name))
            .chain(signature.parameters.iter().map(|p| p.quantity.name))
            .map(str::to_owned)
            .collect();
        let known = |i: usize| i.checked_sub(inputs + states).and_then(|i| p.get(i).copied());
        let flow = polynomials(&function.recording().flow, &names, known).map_err(|e| Error::unsupported(e.to_string()))?;
        let first = self.first[self.first.len() - 1] + channel * states;
        for (k, polynomial) in flow.iter().enumerate() {
            let own: usize = self.terms.len();
            for (product, number) in polynomial.terms() {
                let (x, s): (Vec<usize>, Vec<usize>) = product.iter().map(|&v| v as usize).partition(|&v| v < inputs);
                let product: Vec<usize> = s.iter().map(|v| first + v - inputs).collect();
                let units: f64 = product.iter().map(|&s| self.states[s].unit).product();
                let number = number * units / self.states[first + k].unit;
                let range = |&v: &usize| signature.inputs[v].quantity.range.iter().fold(0.0_f64, |m, r| m.max(r.abs()));
                let most = number.abs() * x.iter().map(range).product::<f64>();
                let text: Vec<&str> = x.iter().chain(&s).map(|&v| names[v].as_str()).collect();
                let text = format!(
                    "{} of d{}/dt",
                    if text.is_empty() { "1".to_owned() } else { text.join(" ") },
                    signature.states[k].quantity.name
                );
                let factor = (x.iter().map(|v| feeds + v).collect(), number);
                // terms with the same states share a lane, whatever the inputs
                match self.terms[own..].iter_mut().find(|t| t.product == product) {
                    Some(term) => {
                        term.factor.push(factor);
                        term.most += most;
                    }
                    None => {
                        let node = node.name.clone();
                        self.terms.push(Term { product, target: first + k, factor: vec![factor], most, text, node });
                    }
                }
            }
        }
        Ok(())
    }

    /// The integrator of every output channel.
    pub(super) fn outputs(&self) -> Result<Vec<usize>> {
        let mut all = Vec::new();
        for output in self.program.outputs() {
            let named = |e: Error| e.with_node(&output.port.name);
            let [source] = output.sources.as_slice() else {
                return refuse("the converter reads single integrators, no sums").map_err(named);
            };
            let mut origin = source.origin;
            let (node, port) = loop {
                match origin {
                    Origin::Node(n, port) => match &self.program.nodes()[n].kind {
                        NodeKind::Relay => match self.program.nodes()[n].sources[0].as_slice() {
                            [one] => origin = one.origin,
                            _ => return refuse("the converter reads single integrators, no sums").map_err(named),
                        },
                        _ => break (n, port),
                    },
                    Origin::Input(_) => return refuse("an input of the program is no integrator").map_err(named),
                }
            };
            let found = &self.program.nodes()[node];
            let NodeKind::Dynamics { function, .. } = &found.kind else { return refuse("it is no flow").map_err(named) };
            let state = output_state(function.as_ref(), port).map_err(|e| e.with_node(&found.name))?;
            let states = function.signature().states.len();
            all.extend((0..found.channels()).map(|channel| self.first[node] + channel * states + state));
        }
        Ok(all)
    }
}

/// The state that an output of a function is.
fn output_state(function: &dyn TransferFunction, port: usize) -> Result<usize> {
    let signature = function.signature();
    let (inputs, states) = (signature.inputs.len(), signature.states.len());
    let tick = &function.recording().tick;
    match tick.ops()[tick.outputs()[states + port] as usize] {
        Op::Input(i) if (inputs..inputs + states).contains(&(i as usize)) => Ok(i as usize - inputs),
        _ => refuse(format!("its output {} is no state; the converter reads integrators", signature.outputs[port].quantity.name)),
    }
}

/// Whether a node flows and does nothing else.
fn admit(node: &Node, function: &dyn TransferFunction) -> Result<()> {
    let signature = function.signature();
    if function.event().is_some() {
        return refuse(format!("{} jumps at a threshold; the machine has no comparator", signature.id));
    }
    if signature.signals() < signature.inputs.len() {
        return refuse(format!("{} draws random numbers; the machine has no source of them", signature.id));
    }
    if node.semantics.drive != Drive::Held || node.input_delay > 0 {
        return refuse("the machine holds its inputs for a tick, without delay; use another preset");
    }
    let (inputs, tick) = (signature.inputs.len(), &function.recording().tick);
    let stays = |k: usize| tick.ops()[tick.outputs()[k] as usize] == Op::Input(u32::try_from(inputs + k).unwrap_or(u32::MAX));
    match (0..signature.states.len()).find(|&k| !stays(k)) {
        Some(k) => refuse(format!("the state {} changes once a tick; the machine only flows", signature.states[k].quantity.name)),
        None => Ok(()),
    }
}
