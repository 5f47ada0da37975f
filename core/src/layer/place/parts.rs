//! The programs that the parts of a cut program are.
//!
//! A part means what its nodes mean in the whole: the semantics, the keys of the draws and the shapes are those of the whole, and an input
//! is named so that a sum has its terms in the same order.

use super::cut::{Cut, Feed, Purpose, Segment};
use crate::builder::{Builder, Draft, DraftNode, Wire};
use crate::dynamics::Domain;
use crate::error::Result;
use crate::infer;
use crate::program::{NodeKind, Origin, Program, Source};
use crate::tensor::{Shape, Tensor};

/// Writes the program of a segment.
///
/// # Errors
/// `InvalidProgram` if a node cannot be what it was, which would be a fault of the cut.
pub(super) fn write(program: &Program, cut: &Cut, index: usize) -> Result<Program> {
    let part = Part { program, cut, segment: &cut.segments[index] };
    let mut draft = Builder::new();
    draft.inputs = part.segment.feeds.iter().map(|&feed| part.input(feed)).collect();
    draft.nodes = part.segment.nodes.iter().map(|&node| part.node(node)).collect::<Result<_>>()?;
    if part.segment.is_last {
        for output in program.outputs() {
            let wire = Wire(output.sources.iter().map(|s| part.term(s)).collect());
            draft.output(&output.port.name, wire);
        }
    } else {
        for &(node, port) in &part.segment.exports {
            draft.output(&prompt(&program.nodes()[node].name, port), part.own(node, port));
        }
    }
    draft.build(*program.semantics())
}

/// The name of an output of a node of another part. It sorts as the name of the node and the place of the output do.
fn prompt(node: &str, port: usize) -> String {
    if port == 0 { node.to_owned() } else { format!("{node}\0{port:04}") }
}

struct Part<'a> {
    program: &'a Program,
    cut: &'a Cut,
    segment: &'a Segment,
}

impl Part<'_> {
    /// Name, shape and kind of what a feed brings.
    fn input(&self, feed: Feed) -> (String, Shape, Domain) {
        let output = |node: usize, port: usize| {
            let built = &self.program.nodes()[node];
            (built.output_shapes[port].clone(), infer::domain(built, port))
        };
        match feed {
            Feed::Input(i) => {
                let port = &self.program.inputs()[i];
                (port.name.clone(), port.shape.clone(), port.domain)
            }
            Feed::Row { segment, export } => {
                let (node, port) = self.cut.segments[segment].exports[export];
                let (shape, domain) = output(node, port);
                (prompt(&self.program.nodes()[node].name, port), shape, domain)
            }
            Feed::Kept(kept) => {
                let purpose = self.cut.kept[kept].purpose;
                let (shape, domain) = match purpose {
                    Purpose::Late(node, port) => output(node, port),
                    Purpose::Relief(node, port) => (self.program.nodes()[node].input_shapes[port].clone(), Domain::Real),
                };
                (self.kept(purpose), shape, domain)
            }
        }
    }

    /// The name of a kept row, which may stand beside the node that it comes from.
    fn kept(&self, purpose: Purpose) -> String {
        match purpose {
            Purpose::Late(node, port) => format!("{}\0{port:04}\0", self.program.nodes()[node].name),
            Purpose::Relief(node, port) => format!("{}\0+{port}", self.program.nodes()[node].name),
        }
    }

    fn own(&self, node: usize, port: usize) -> Wire {
        Wire(vec![(self.program.nodes()[node].name.clone(), port)])
    }

    /// One term of a sum.
    fn term(&self, source: &Source) -> (String, usize) {
        match source.origin {
            Origin::Input(i) => (self.program.inputs()[i].name.clone(), 0),
            Origin::Node(node, port) => {
                let late = if source.late { self.cut.find_kept(Purpose::Late(node, port)) } else { None };
                if late.is_some() {
                    (self.kept(Purpose::Late(node, port)), 0)
                } else if self.segment.nodes.contains(&node) {
                    (self.program.nodes()[node].name.clone(), port)
                } else {
                    (prompt(&self.program.nodes()[node].name, port), 0)
                }
            }
        }
    }

    fn node(&self, index: usize) -> Result<DraftNode> {
        let (draft, node) = (&self.program.draft().nodes[index], &self.program.nodes()[index]);
        let relieved = self.cut.is_relieved(index);
        let what = match (&draft.what, &node.kind) {
            (_, NodeKind::Linear(map)) => Draft::Linear(map.clone()),
            (_, NodeKind::Delay { ticks, .. }) if relieved => {
                Draft::Delay(shortened(ticks, node.semantics.dt, &node.output_shapes)?)
            }
            (what, _) => what.clone(),
        };
        let semantics = match relieved && node.input_delay > 0 {
            true => Some(node.semantics.with_input_delay(node.input_delay - 1)),
            false => draft.semantics,
        };
        let inputs = (0..draft.inputs.len())
            .map(|port| match relieved {
                true => Wire(vec![(self.kept(Purpose::Relief(index, port)), 0)]),
                false => Wire(node.sources[port].iter().map(|s| self.term(s)).collect()),
            })
            .collect();
        let shape = node.output_shapes.first().cloned().or_else(|| draft.shape.clone());
        Ok(DraftNode { name: node.name.clone(), what, inputs, shape, semantics, key: Some(node.key) })
    }
}

/// A delay, in seconds, that is one tick shorter in every channel.
fn shortened(ticks: &[u32], dt: f64, shapes: &[Shape]) -> Result<Tensor> {
    let seconds: Vec<f64> = ticks.iter().map(|&t| f64::from(t.saturating_sub(1)) * dt).collect();
    let shape = shapes.first().cloned().unwrap_or_default();
    match seconds.first() {
        Some(&first) if seconds.iter().all(|s| s.to_bits() == first.to_bits()) => Ok(first.into()),
        _ => Tensor::new(shape, seconds.as_slice()),
    }
}
