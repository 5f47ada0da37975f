//! What living tissue says by itself: a transfer function without inputs.
//!
//! A program for a source has no inputs and one node, [`Biosignal`]. The definition cannot say what the tissue does: the output is a measurement,
//! not a function of the program, so that the oracle gives nought at every tick. What a source can be held to is how its samples arrive: at the
//! ticks that the program names, in order, none of them lost without being counted.

use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::{Error, Result};
use isoform_core::neuron::Neuron;
use isoform_core::program::{NodeKind, Origin, Program, Source};
use isoform_core::scalar::Scalar;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::Run;

/// The id of the source.
pub const BIOSIGNAL: &str = "isoform.biosignal/1";

/// The definition of a source: one output in volts, about which it says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Biosignal;

impl Dynamics<0, 0, 0, 1> for Biosignal {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<0, 0, 0, 1> = Signature {
        id: BIOSIGNAL,
        summary: "What living tissue does, as a converter sees it; the definition says nothing about its values.",
        source: "a measurement, not an equation",
        inputs: [],
        states: [],
        parameters: [],
        outputs: [Quantity::new("u", "V", [-5.0, 5.0], "voltage at the input of the converter").output()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 0], _: [S; 0], _: S) -> ([S; 0], [S; 1]) {
        (s, [S::lit(0.0)])
    }
}

/// A source, as a node of a program.
#[must_use]
pub fn biosignal() -> Neuron {
    Neuron::new(Biosignal)
}

/// A program that takes so many channels of a source, so many times a second.
///
/// # Errors
/// `InvalidProgram` for no channels or a rate that is no rate.
pub fn source(channels: usize, rate: f64) -> Result<Program> {
    let mut net = Builder::new();
    let signal = net.node("tissue", biosignal(), Vec::new());
    net.shape("tissue", [channels]);
    net.output("signal", signal);
    net.build(Semantics::exact(1.0 / rate))
}

/// How many channels a program takes of a source that has `rate` samples a second.
///
/// # Errors
/// `Unsupported`, naming the node, if the program is more than one source, or has another time step or several lanes.
pub(crate) fn channels(program: &Program, run: &Run, device: &str, rate: u32) -> Result<usize> {
    let [node] = program.nodes() else {
        let name = program.nodes().iter().find(|n| n.kind_name() != BIOSIGNAL).map_or("", |n| n.name.as_str());
        return Err(Error::unsupported(format!("{device} is one {BIOSIGNAL} and nothing else")).with_node(name));
    };
    let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
    if !matches!(node.kind, NodeKind::Dynamics { .. }) || node.kind_name() != BIOSIGNAL {
        return refuse(format!("{device} has no {}; it has {BIOSIGNAL}", node.kind_name()));
    }
    if !program.inputs().is_empty() {
        return refuse(format!("{device} takes no input: leave the inputs of the program away"));
    }
    let itself = Source { origin: Origin::Node(0, 0), late: false };
    if program.outputs().len() != 1 || program.outputs().iter().any(|o| o.sources != [itself]) {
        return refuse(format!("{device} gives its signal once: make it the one output of the program"));
    }
    let step = 1.0 / f64::from(rate);
    if (node.semantics.dt / step - 1.0).abs() > 1e-9 {
        return refuse(format!(
            "{device} has {rate} samples a second, the program one every {} s: use a time step of {step} s",
            node.semantics.dt
        ));
    }
    if run.batch != 1 {
        return refuse(format!("{device} has one lane, not {}", run.batch));
    }
    Ok(node.channels())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::functions::scale;
    use isoform_core::oracle::Oracle;

    fn refusal(program: &Program, run: &Run) -> String {
        let error = channels(program, run, "the device", 250).expect_err("refused");
        assert_eq!(error.kind(), isoform_core::error::ErrorKind::Unsupported);
        error.to_string()
    }

    #[test]
    fn the_definition_says_nothing() {
        let program = source(3, 250.0).expect("valid");
        let mut y = [1.0; 3];
        Oracle::new(&program, &Run::new()).step(&[], &mut y);
        assert_eq!(y, [0.0; 3]);
        assert_eq!(channels(&program, &Run::new(), "the device", 250).expect("fits"), 3);
    }

    #[test]
    fn the_time_step_that_fits_is_named() {
        let program = source(1, 200.0).expect("valid");
        assert!(refusal(&program, &Run::new()).contains("use a time step of 0.004 s"));
        let program = source(1, 250.0).expect("valid");
        assert!(refusal(&program, &Run::new().with_batch(2)).contains("one lane"));
    }

    #[test]
    fn what_is_more_than_a_source_is_refused() {
        let mut net = source(1, 250.0).expect("valid").to_builder();
        let tissue = net.later("tissue");
        let scaled = net.node("scaled", scale().with("scale", 2.0), tissue.clone());
        net.output("scaled", scaled);
        let program = net.build(Semantics::exact(4e-3)).expect("valid");
        let error = channels(&program, &Run::new(), "the device", 250).expect_err("two nodes");
        assert_eq!(error.node(), Some("scaled"));
        let mut net = source(1, 250.0).expect("valid").to_builder();
        net.output("again", tissue.clone() + tissue);
        assert!(refusal(&net.build(Semantics::exact(4e-3)).expect("valid"), &Run::new()).contains("once"));
        let mut net = source(1, 250.0).expect("valid").to_builder();
        net.input("x", [1]);
        assert!(refusal(&net.build(Semantics::exact(4e-3)).expect("valid"), &Run::new()).contains("no input"));
    }
}
