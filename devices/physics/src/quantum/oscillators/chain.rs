//! Where the parts of a program lie on oscillators, and what they do not have.

use super::{Kind, VOLTMETER};
use isoform_core::error::{Error, Result};
use isoform_core::program::{Node, NodeKind, Origin, Program, Source};
use isoform_core::semantics::{Decay, Drive};

fn refuse<T>(node: &Node, why: impl Into<String>) -> Result<T> {
    Err(Error::unsupported(why).with_node(&node.name))
}

/// Whether all of what a node takes comes from one place, at once.
fn is_fed_by(node: &Node, origin: Origin) -> bool {
    let plain = |sources: &[Source]| matches!(sources, [s] if s.origin == origin && !s.late);
    node.sources.split_first().is_some_and(|(first, others)| plain(first) && others.iter().all(Vec::is_empty))
}

/// The first of the parameters of a node that is not as it must be, with what it must be.
fn unusual(node: &Node, wanted: impl Fn(usize) -> f64) -> Option<(&'static str, f64)> {
    node.parameters().into_iter().enumerate().find_map(|(at, (name, given))| {
        let value = wanted(at);
        (0..given.len()).any(|c| (given.at(c) - value).abs() > 1e-9 * value.abs()).then_some((name, value))
    })
}

impl Kind {
    /// The device of a program and the meters behind it, one after the other.
    pub(super) fn chain<'a>(&self, program: &'a Program) -> Result<Vec<&'a Node>> {
        let nodes = program.nodes();
        let found: Vec<usize> = (0..nodes.len()).filter(|&at| nodes[at].kind_name() == self.id).collect();
        let [device] = found.as_slice() else {
            return Err(Error::unsupported(format!(
                "the devices are one node of {}, and the program has {}",
                self.id,
                found.len()
            )));
        };
        let first = &nodes[*device];
        if program.inputs().len() != 1 || !is_fed_by(first, Origin::Input(0)) {
            return refuse(first, "its currents come from outside: wire the one input of the program to it");
        }
        self.check_device(first)?;
        let (mut chain, mut last) = (vec![first], *device);
        while let Some(next) = nodes.iter().position(|node| is_fed_by(node, Origin::Node(last, 0))) {
            let wanted = [VOLTMETER, 1.0, 0.0];
            if let Some((name, value)) = unusual(&nodes[next], |at| wanted[at]) {
                return refuse(&nodes[next], format!("each half of the voltmeter has a {name} of {value}"));
            }
            chain.push(&nodes[next]);
            last = next;
        }
        let ends = matches!(program.outputs(), [o] if matches!(o.sources.as_slice(), [s] if s.origin == Origin::Node(last, 0)));
        if !ends || chain.len() != 1 + self.meters || nodes.len() != chain.len() {
            let what = match self.meters {
                0 => "its power: wire its first output, and nothing else, to the one output of the program",
                _ => "its mean voltage: wire its output through two leaky integrators in a row to the one output of the program",
            };
            return refuse(
                first,
                format!("the course of an oscillator that runs by itself is nobody's to promise, but only {what}"),
            );
        }
        match chain.iter().find(|node| node.input_delay > 0 || node.semantics.drive != Drive::Held) {
            Some(node) => {
                refuse(node, "signals are held for their own tick; use semantics with a held drive and without an input delay")
            }
            None => Ok(chain),
        }
    }

    /// Refuses devices that are not those that there are, and steps that do not follow them.
    fn check_device(&self, node: &Node) -> Result<()> {
        let NodeKind::Dynamics { function, .. } = &node.kind else { return refuse(node, "it has no function") };
        let usual = |at: usize| function.signature().parameters[at].default.unwrap_or(0.0);
        if let Some((name, value)) = unusual(node, usual) {
            return refuse(node, format!("the devices are made with a {name} of {value:e}; leave it as it is"));
        }
        let (dt, own) = (node.semantics.dt, self.dt);
        if (dt / own - 1.0).abs() > 1e-9 || node.semantics.decay != Decay::RungeKutta {
            return refuse(
                node,
                format!(
                    "it is followed by steps of fourth order in ticks of {own:e}: give a runge-kutta decay and a dt of {own:e}"
                ),
            );
        }
        Ok(())
    }
}
