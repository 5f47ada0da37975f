//! Which recordings of a file are meant.

use super::Options;
use super::error::{Result, SignalErrorKind};
use crate::nir::{GraphData, NodeData, Observable};

/// A recording with the path of its node and its name.
pub(super) type Named<'a> = (String, &'a str, &'a Observable);

/// The recordings of the inputs of a model, if the file holds several recordings and one for each of them.
pub(super) fn of_inputs<'a>(all: &[Named<'a>], options: &Options) -> Result<Option<Vec<&'a Observable>>> {
    if all.len() < 2 || options.node.is_some() || options.inputs.is_empty() {
        return Ok(None);
    }
    let fits = |name: &str| options.observable.as_deref().is_none_or(|o| o == name);
    let of = |input: &String| {
        let mut found = all.iter().filter(|(node, name, _)| node == input && fits(name)).map(|(_, _, o)| *o);
        // two recordings of one input leave open which is meant
        found.next().filter(|_| found.next().is_none())
    };
    let found: Vec<Option<&Observable>> = options.inputs.iter().map(of).collect();
    if found.iter().all(Option::is_none) {
        return Ok(None);
    }
    match options.inputs.iter().zip(&found).find(|(_, found)| found.is_none()) {
        None => Ok(Some(found.into_iter().flatten().collect())),
        Some((input, _)) => {
            let asked = format!("there is not one recording of the input \"{input}\"");
            Err(SignalErrorKind::Choice { asked, known: known(all) }.into())
        }
    }
}

fn known(all: &[Named<'_>]) -> Vec<String> {
    all.iter().map(|(node, name, _)| format!("{node}:{name}")).collect()
}

/// Finds the one recording that is meant.
pub(super) fn choose<'a>(all: &[Named<'a>], options: &Options) -> Result<&'a Observable> {
    let fits = |node: &str, observable: &str| {
        options.node.as_deref().is_none_or(|n| n == node) && options.observable.as_deref().is_none_or(|o| o == observable)
    };
    let mut found = all.iter().filter(|(node, name, _)| fits(node, name));
    match (found.next(), found.next()) {
        (Some((_, _, observable)), None) => Ok(observable),
        (first, _) => {
            let asked = match first {
                Some(_) => "several recordings fit".to_owned(),
                None => format!(
                    "no recording of \"{}:{}\"",
                    options.node.as_deref().unwrap_or("any node"),
                    options.observable.as_deref().unwrap_or("any observable")
                ),
            };
            Err(SignalErrorKind::Choice { asked, known: known(all) }.into())
        }
    }
}

/// Lists all recordings.
pub(super) fn collect<'a>(data: &'a GraphData, parent: &str, all: &mut Vec<Named<'a>>) {
    for (name, node) in &data.nodes {
        let path = match parent {
            "" => name.clone(),
            _ => format!("{parent}/{name}"),
        };
        match node {
            NodeData::Graph(graph) => collect(graph, &path, all),
            NodeData::Observables(observables) => {
                all.extend(observables.iter().map(|(name, o)| (path.clone(), name.as_str(), o)));
            }
        }
    }
}
