//! The programs on which laws of state are tried.

use crate::bench::{Bench, DT};
use crate::plan::{Plan, PlanNode, What};
use isoform_core::error::{Error, ErrorKind, Integrity, Result};
use isoform_core::functions as library;
use isoform_core::program::{Node, NodeKind};
use isoform_core::semantics::Semantics;

/// Whether a write was refused because the layout of the state hangs on what was written, as it does on a delay.
pub(crate) fn is_fixed(node: &Node, error: &Error) -> bool {
    matches!(node.kind, NodeKind::Delay { .. })
        && matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidProgram)
        && error.state() == Integrity::Intact
}

impl Bench<'_> {
    /// The home program and, where the substrate takes them, a richer one with a delay, a map, synapses and membranes in a cycle, or what it
    /// has of these, and one whose output is a membrane.
    pub(crate) fn houses(&self) -> Result<Vec<(&'static str, Plan)>> {
        let home = self.home()?;
        let channels = home.inputs[0].1[0];
        let mut houses = vec![("simple", home.clone())];
        for id in [library::CUBA_LIF, library::LIF, library::CUBA_LI, library::LI] {
            let rich = self.rich(id, channels, home.semantics);
            if rich.nodes.len() > 1
                && let Ok(program) = rich.build()
                && self.takes(&program)?
            {
                houses.push(("rich", rich));
                break;
            }
        }
        // spikes hide small errors; a membrane that comes out shows them
        for id in [library::CUBA_LI, library::LI, library::I] {
            let graded = Plan::single(self.neuron(id, channels), channels, home.semantics);
            if let Ok(program) = graded.build()
                && self.takes(&program)?
            {
                houses.push(("graded", graded));
                break;
            }
        }
        Ok(houses)
    }

    fn rich(&self, neuron: &str, channels: usize, semantics: Semantics) -> Plan {
        let weight = |scale: f64| (0..channels * channels).map(|i| scale * (0.5 - ((i * 7 + 3) % 10) as f64 / 9.0)).collect();
        let seconds = (0..channels).map(|c| DT * (1 + c % 3) as f64).collect();
        let scale = 2.0 / self.gain();
        let dense = What::Dense { rows: channels, cols: channels, weight: weight(scale), bias: None };
        let mut plan = Plan::single(self.neuron(neuron, channels), channels, semantics);
        if self.has("delay") {
            plan.nodes[0].from.push(String::from("late"));
            plan.nodes.push(PlanNode::new("late", What::Delay { seconds }, "x"));
        }
        if self.has("dense") {
            plan.nodes[0].from.push(String::from("map"));
            plan.nodes.push(PlanNode::new("map", dense, if self.profile.takes.cycles { "node" } else { "x" }));
        }
        plan
    }
}
