//! Programs that are one node between one input and one output, as instruments take them that are one device.

use isoform_core::error::{Error, Result};
use isoform_core::program::{Node, Origin, Program, Source};

/// The node of a program that is nothing else.
///
/// # Errors
/// `Unsupported` in the name of `who`, naming a node that is not the first, or how the first is not wired.
pub(crate) fn only_node<'a>(program: &'a Program, who: &str) -> Result<&'a Node> {
    let refuse = |node: &str, why: &str| Err(Error::unsupported(format!("{who} {why}")).with_node(node));
    let [node] = program.nodes() else {
        let name = program.nodes().last().map_or("", |n| &n.name);
        return refuse(name, "takes one node and nothing else; place the other nodes elsewhere");
    };
    let from = |origin| [Source { origin, late: false }];
    let fed = program.inputs().len() == 1 && node.sources.iter().all(|s| *s == from(Origin::Input(0)));
    let shown = program.outputs().len() == 1 && program.outputs().iter().all(|o| o.sources == from(Origin::Node(0, 0)));
    if !fed || !shown || node.input_delay > 0 {
        return refuse(&node.name, "takes a node between one input and one output of the program, without a delay");
    }
    Ok(node)
}
