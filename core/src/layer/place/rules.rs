//! Which node goes to which substrate.

use crate::error::{Error, Result};
use crate::functions::library;
use crate::program::{Node, NodeKind, Origin, Program};

/// Kinds of nodes that are linear maps.
const LINEAR: [&str; 6] = ["dense", "sparse", "conv1d", "conv2d", "sum_pool2d", "avg_pool2d"];

/// Keys and the substrates, by place, that they stand for.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    keys: Vec<(String, usize)>,
    /// Kinds of nodes in what the substrates show of themselves.
    shown: Vec<String>,
}

impl Rules {
    /// Takes keys apart: a comma separates keys of one substrate, and the whole may also be the name of a node.
    ///
    /// # Errors
    /// `Unsupported` if a key stands for two substrates, or if there is none.
    pub(super) fn new<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut rules = Self { keys: Vec::new(), shown: Vec::new() };
        for (place, key) in keys.enumerate() {
            for key in std::iter::once(key).chain(key.split(',').filter(|_| key.contains(','))) {
                if rules.find(key).is_some() {
                    return Err(Error::unsupported(format!("the key {key:?} stands for two substrates; keep one")));
                }
                rules.keys.push((key.to_owned(), place));
            }
        }
        if rules.keys.is_empty() {
            return Err(Error::unsupported("no substrate is named; write place:?linear=(oracle:)&*=(cpu:)"));
        }
        Ok(rules)
    }

    /// The same that also knows the kinds of nodes of other programs.
    pub(super) fn with_shown(mut self, programs: &[Program]) -> Self {
        let kinds = programs.iter().flat_map(Program::nodes).map(Node::kind_name);
        self.shown = kinds.flat_map(|kind| short(kind).into_iter().chain([kind])).map(str::to_owned).collect();
        self
    }

    /// Whether a key is a node, a kind or a capability. A kind of others is told by the points of its id.
    fn names_something(&self, key: &str, nodes: &[Node]) -> bool {
        let is_here = |node: &Node| node.name == key || node.kind_name() == key || short(node.kind_name()) == Some(key);
        let own = || library().iter().any(|function| short(function.signature().id) == Some(key));
        let shown = || self.shown.iter().any(|kind| kind == key);
        let known = ["*", "linear", "neuron", "delay", "relay"].contains(&key) || LINEAR.contains(&key);
        known || key.contains(['.', ',']) || own() || shown() || nodes.iter().any(is_here)
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.keys.iter().find(|(k, _)| k == key).map(|&(_, place)| place)
    }

    /// Where nodes of a kind go, unless a key names them: by kind, then by what they can, then with all others.
    pub(super) fn of_kind(&self, kind: &str) -> Option<usize> {
        let capability = match kind {
            "delay" | "relay" => None,
            kind if LINEAR.contains(&kind) => Some("linear"),
            _ => Some("neuron"),
        };
        let found = self.find(kind).or_else(|| short(kind).and_then(|short| self.find(short)));
        found.or_else(|| capability.and_then(|c| self.find(c))).or_else(|| self.find("*"))
    }

    /// Where a node goes by its own name or kind.
    fn of(&self, node: &Node) -> Option<usize> {
        let kind = node.kind_name();
        if let NodeKind::Relay = node.kind {
            return self.find(&node.name).or_else(|| self.find(kind));
        }
        self.find(&node.name).or_else(|| self.of_kind(kind))
    }

    /// The substrate of each node.
    ///
    /// A relay computes nothing: unless a key names it, it goes with the node whose signal it hands on.
    ///
    /// # Errors
    /// `Unsupported`, naming the first node that no key covers, or a key that names nothing that there is.
    pub(super) fn assign(&self, program: &Program) -> Result<Vec<usize>> {
        let nodes = program.nodes();
        if let Some((key, _)) = self.keys.iter().find(|(key, _)| !self.names_something(key, nodes)) {
            return Err(Error::unsupported(format!(
                "the key {key:?} is no node of the program, no kind of node, and none of linear, neuron, delay and *"
            )));
        }
        let mut places: Vec<Option<usize>> = nodes.iter().map(|node| self.of(node)).collect();
        for &index in &program.schedule().order {
            if places[index].is_none() && matches!(nodes[index].kind, NodeKind::Relay) {
                places[index] = nodes[index].sources.iter().flatten().find_map(|source| match source.origin {
                    Origin::Node(from, _) => places[from],
                    Origin::Input(_) => None,
                });
            }
        }
        let other = self.find("*").unwrap_or(0);
        let place = |(node, place): (&Node, Option<usize>)| match place {
            Some(place) => Ok(place),
            None if matches!(node.kind, NodeKind::Relay) => Ok(other),
            None => Err(Error::unsupported(format!(
                "no key covers this {}; name it, its kind, or all others with *=(cpu:)",
                node.kind_name()
            ))
            .with_node(&node.name)),
        };
        nodes.iter().zip(places).map(place).collect()
    }
}

/// The word in an id such as `isoform.lif/1`.
fn short(kind: &str) -> Option<&str> {
    let (_, rest) = kind.split_once('.')?;
    Some(rest.split_once('/').map_or(rest, |(word, _)| word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{Builder, delay, identity};
    use crate::functions::{li, lif};
    use crate::linear::{Dense, Sparse};
    use crate::semantics::Semantics;

    fn program() -> Program {
        let mut net = Builder::new();
        let x = net.input("x", [2]);
        let first = net.node("first", Dense::new([[1.0, 0.0], [0.0, 1.0]].into(), None).expect("fits"), x);
        let second = net.node("second", Sparse::new(2, 2, [(0, 1, 1.0)], None).expect("fits"), first);
        let relay = net.node("relay", identity(), second);
        let fires = net.node("fires", lif().with("tau", 5e-3), relay);
        let late = net.node("late", delay(2e-3), fires);
        let leaks = net.node("leaks", li().with("tau", 5e-3), late);
        net.output("y", leaks);
        net.build(Semantics::exact(1e-3)).expect("valid")
    }

    fn assigned(keys: &[&str]) -> Result<Vec<usize>> {
        Rules::new(keys.iter().copied())?.assign(&program())
    }

    #[test]
    fn the_most_specific_key_wins_in_any_order() {
        // first, second, relay, fires, late, leaks
        assert_eq!(assigned(&["*"]).expect("covered"), [0; 6]);
        assert_eq!(assigned(&["linear", "*"]).expect("covered"), [0, 0, 0, 1, 1, 1]);
        assert_eq!(assigned(&["*", "linear"]).expect("covered"), [1, 1, 1, 0, 0, 0]);
        assert_eq!(assigned(&["linear", "dense", "neuron", "delay"]).expect("covered"), [1, 0, 0, 2, 3, 2]);
        assert_eq!(assigned(&["second", "linear", "lif", "*"]).expect("covered"), [1, 0, 0, 2, 3, 3]);
        assert_eq!(assigned(&["isoform.lif/1", "neuron", "relay", "*"]).expect("covered"), [3, 3, 2, 0, 3, 1]);
        assert_eq!(assigned(&["dense,lif", "relay", "*"]).expect("covered"), [0, 2, 1, 0, 2, 2]);
    }

    #[test]
    fn a_node_that_no_key_covers_is_named() {
        let error = assigned(&["linear", "lif"]).expect_err("the delay is left");
        assert_eq!(error.node(), Some("late"));
        assert!(assigned(&[]).is_err());
        assert!(assigned(&["linaer", "*"]).expect_err("misspelt").to_string().contains("\"linaer\""));
        assert!(assigned(&["dense", "dense,lif"]).is_err());
    }
}
