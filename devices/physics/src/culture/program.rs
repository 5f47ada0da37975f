//! What a program asks of a culture: stimuli in, spikes out.
//!
//! A program for a culture has one input, one node, [`Culture`], and one output. The definition cannot say what the tissue does: an output is a
//! measurement, so that the oracle gives nought at every tick. What can be said is that an output is nought or one, that a stimulus beyond the
//! limits is refused, and how samples arrive: at the ticks that the program names, in order, none lost without being counted.

use super::electrodes::CHANNELS;
use super::stimulation::MOST_CURRENT;
use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::{Error, Result};
use isoform_core::neuron::Neuron;
use isoform_core::program::{NodeKind, Origin, Program, Source};
use isoform_core::scalar::Scalar;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::Run;

/// The id of a culture.
pub const CULTURE: &str = "isoform.culture/1";
/// Seconds of a tick.
pub const DT: f64 = 1e-3;

/// The definition of a culture: a stimulus and a spike a channel, about which it says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Culture;

impl Dynamics<1, 0, 0, 1> for Culture {
    const AFFINE: Option<bool> = Some(true);
    const SIGNATURE: Signature<1, 0, 0, 1> = Signature {
        id: CULTURE,
        summary: "A culture of neurons on electrodes; the definition says nothing about when it spikes.",
        source: "a measurement, not an equation",
        inputs: [Quantity::new(
            "i",
            "uA",
            [-MOST_CURRENT, MOST_CURRENT],
            "current of the first phase of a biphasic pulse that begins with the tick; nought is no pulse",
        )
        .input()],
        states: [],
        parameters: [],
        outputs: [Quantity::new("z", "1", [0.0, 1.0], "whether there was a spike in the tick").spikes()],
    };

    #[inline(always)]
    fn tick<S: Scalar>(&self, _: [S; 1], s: [S; 0], _: [S; 0], _: S) -> ([S; 0], [S; 1]) {
        (s, [S::lit(0.0)])
    }
}

/// A culture, as a node of a program.
#[must_use]
pub fn culture() -> Neuron {
    Neuron::new(Culture)
}

/// The program of a culture: the input `stimulus` in µA, the output `spikes`, 64 channels, a tick of a millisecond.
///
/// # Errors
/// None that is known; the type is that of building programs.
pub fn program() -> Result<Program> {
    let mut net = Builder::new();
    let stimulus = net.input("stimulus", [CHANNELS]);
    let spikes = net.node("culture", culture(), stimulus);
    net.output("spikes", spikes);
    net.build(Semantics::exact(DT))
}

/// Checks that a program is what a culture is.
///
/// # Errors
/// `Unsupported`, naming the node, if the program is more than one culture, has other channels or another time step, or several lanes.
pub(crate) fn admit(program: &Program, run: &Run) -> Result<()> {
    let [node] = program.nodes() else {
        let name = program.nodes().iter().find(|n| n.kind_name() != CULTURE).map_or("", |n| n.name.as_str());
        return Err(Error::unsupported(format!("a culture is one {CULTURE} and nothing else")).with_node(name));
    };
    let refuse = |why: String| Err(Error::unsupported(why).with_node(&node.name));
    if !matches!(node.kind, NodeKind::Dynamics { .. }) || node.kind_name() != CULTURE {
        return refuse(format!("a culture has no {}; it has {CULTURE}", node.kind_name()));
    }
    if node.channels() != CHANNELS {
        return refuse(format!("a culture has {CHANNELS} electrodes, the node {} channels", node.channels()));
    }
    if (node.semantics.dt / DT - 1.0).abs() > 1e-9 {
        return refuse(format!("a culture has a tick of {DT} s, the program one of {} s", node.semantics.dt));
    }
    let [stimulus] = &node.sources[..] else { return refuse(String::from("a culture has one input")) };
    let comes_in = Source { origin: Origin::Input(0), late: false };
    let itself = Source { origin: Origin::Node(0, 0), late: false };
    if program.inputs().len() != 1 || *stimulus != [comes_in] || node.input_delay != 0 {
        return refuse(String::from("a culture is stimulated by the one input of the program, at once"));
    }
    if program.outputs().len() != 1 || program.outputs().iter().any(|o| o.sources != [itself]) {
        return refuse(String::from("a culture gives its spikes once: make them the one output of the program"));
    }
    if run.batch != 1 {
        return refuse(format!("a culture has one lane, not {}", run.batch));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::oracle::Oracle;

    fn refusal(program: &Program, run: &Run) -> String {
        let error = admit(program, run).expect_err("refused");
        assert_eq!((error.kind(), error.node()), (isoform_core::error::ErrorKind::Unsupported, Some("culture")));
        error.to_string()
    }

    #[test]
    fn the_definition_says_nothing() {
        let program = program().expect("valid");
        admit(&program, &Run::new()).expect("fits");
        let mut y = [1.0; CHANNELS];
        Oracle::new(&program, &Run::new()).step(&[1.0; CHANNELS], &mut y);
        assert_eq!(y, [0.0; CHANNELS]);
    }

    #[test]
    fn what_is_no_culture_is_refused() {
        let program = program().expect("valid");
        assert!(refusal(&program, &Run::new().with_batch(2)).contains("one lane"));
        let slower = program.with_semantics(Semantics::exact(2e-3)).expect("valid");
        assert!(refusal(&slower, &Run::new()).contains("a tick of 0.001 s"));
        let mut net = program.to_builder();
        let spikes = net.later("culture");
        net.output("again", spikes);
        assert!(refusal(&net.build(Semantics::exact(DT)).expect("valid"), &Run::new()).contains("once"));
        let mut net = Builder::new();
        let stimulus = net.input("stimulus", [8]);
        let spikes = net.node("culture", culture(), stimulus);
        net.output("spikes", spikes);
        assert!(refusal(&net.build(Semantics::exact(DT)).expect("valid"), &Run::new()).contains("64 electrodes"));
        let mut net = Builder::new();
        let stimulus = net.input("stimulus", [CHANNELS]);
        let spikes = net.node("culture", culture(), stimulus.clone() + stimulus);
        net.output("spikes", spikes);
        assert!(refusal(&net.build(Semantics::exact(DT)).expect("valid"), &Run::new()).contains("at once"));
    }
}
