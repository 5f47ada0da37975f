//! Refusals that break a promise.
//!
//! A profile says which nodes, semantics, channels and lanes are taken. It does not say how much room there is, nor that a number of a
//! program lies beyond the format; a refusal for one of these is noted by name. Any other refusal of what the profile admits is a failure.

use isoform_core::Channels;
use isoform_core::bound::Accuracy;
use isoform_core::profile::Profile;
use isoform_core::program::{Node, Program};
use isoform_core::substrate::Run;

/// So many numbers have room wherever a program has: the smallest board has 128 cells, of which a number of a program takes two.
const SMALL: usize = 48;

/// Whether the profile promises that a program is taken.
pub(crate) fn is_promised(profile: &Profile, program: &Program, run: &Run) -> bool {
    // an input that is late is a delay, which semantics may ask for without a node
    let takes_delays = profile.takes.nodes.is_empty() || profile.takes.nodes.iter().any(|kind| kind == "delay");
    run.batch <= profile.limits.batch
        && profile.admit(program).is_ok()
        && numbers(program).saturating_mul(run.batch) <= SMALL
        && (takes_delays || program.nodes().iter().all(|node| node.input_delay == 0))
        && program.nodes().iter().all(|node| fits(node, &profile.accuracy))
}

/// The numbers that a program keeps: parameters, states and outputs of nodes.
fn numbers(program: &Program) -> usize {
    let parameters: usize = program.nodes().iter().flat_map(Node::parameters).map(|(_, values)| values.len()).sum();
    let states: usize = program.schedule().memory.iter().map(|m| m.len).sum();
    parameters + states + program.nodes().iter().map(Node::channels).sum::<usize>()
}

/// Whether every number of a node, those of its run-time form among them, is one of the format.
fn fits(node: &Node, accuracy: &Accuracy) -> bool {
    let within = |v: f64| v.abs() <= accuracy.largest;
    let written = node.parameters().into_iter().all(|(_, values)| values.to_f64().into_iter().all(within));
    let formed = Channels::of(node).into_iter().flat_map(|channels| channels.table).all(|channel| {
        let k = channel.coefficients;
        k.phi.iter().chain(&k.gamma).chain(&k.constant).copied().all(within)
    });
    written && formed
}
