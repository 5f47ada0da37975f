//! Graphs inside graphs, put in their place.

use crate::nir::{Graph, Node};
use isoform_core::error::{Error, Result};
use std::collections::HashMap;

/// All nodes that compute something, and the edges between them, under the names of the program.
#[derive(Debug, Default)]
pub(super) struct Flat<'a> {
    pub(super) nodes: Vec<(String, &'a Node)>,
    pub(super) edges: Vec<(String, String)>,
}

/// Where the edges of an outer graph meet those of an inner one.
struct Doors {
    entry: Option<String>,
    exit: Option<String>,
}

pub(super) fn flatten(graph: &Graph) -> Result<Flat<'_>> {
    let mut flat = Flat::default();
    place(graph, "", &mut flat)?;
    Ok(flat)
}

// The reader bounds how deep graphs are nested.
fn place<'a>(graph: &'a Graph, prefix: &str, flat: &mut Flat<'a>) -> Result<Doors> {
    let mut inner: HashMap<&str, Doors> = HashMap::new();
    let (mut entries, mut exits) = (Vec::new(), Vec::new());
    for (name, node) in &graph.nodes {
        let path = format!("{prefix}{name}");
        match node {
            Node::Graph(graph) => {
                inner.insert(name, place(graph, &format!("{path}/"), flat)?);
                continue;
            }
            Node::Input(_) => entries.push(path.clone()),
            Node::Output(_) => exits.push(path.clone()),
            _ => {}
        }
        flat.nodes.push((path, node));
    }
    for (from, to) in &graph.edges {
        if matches!(graph.nodes.get(from), Some(Node::Output(_))) {
            let why =
                format!("an Output ends its graph, but an edge leads on to {to:?}; take the signal from what leads into it");
            return Err(Error::invalid_program(why).with_node(format!("{prefix}{from}")));
        }
        let door = |name: &str, side: &str, door: fn(&Doors) -> Option<&String>| match inner.get(name) {
            None => Ok(format!("{prefix}{name}")),
            Some(doors) => door(doors).cloned().ok_or_else(|| {
                Error::invalid_program(format!("an edge needs a graph with exactly one {side} node"))
                    .with_node(format!("{prefix}{name}"))
            }),
        };
        let from = door(from, "Output", |d| d.exit.as_ref())?;
        let to = door(to, "Input", |d| d.entry.as_ref())?;
        flat.edges.push((from, to));
    }
    let single = |mut names: Vec<String>| if names.len() == 1 { names.pop() } else { None };
    Ok(Doors { entry: single(entries), exit: single(exits) })
}
