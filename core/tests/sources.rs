//! Programs without inputs: what a medium says by itself.

use isoform_core::builder::Builder;
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::ErrorKind;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::{Oracle, OracleSubstrate};
use isoform_core::plan::Plan;
use isoform_core::program::Program;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_core::transfer::transfer;

/// A source that gives its parameter.
#[derive(Debug, Clone, Copy)]
struct Level;

impl Dynamics<0, 0, 1, 1> for Level {
    const SIGNATURE: Signature<0, 0, 1, 1> = Signature {
        id: "test.level/1",
        summary: "A number.",
        source: "this test",
        inputs: [],
        states: [],
        parameters: [Quantity::new("level", "1", [-1.0, 1.0], "the number").parameter()],
        outputs: [Quantity::new("y", "1", [-1.0, 1.0], "the number").output()],
    };

    fn tick<S: Scalar>(&self, _: [S; 0], s: [S; 0], [level]: [S; 1], _: S) -> ([S; 0], [S; 1]) {
        (s, [level])
    }
}

fn program(levels: &[f64]) -> Program {
    let mut net = Builder::new();
    let y = net.node("source", Neuron::new(Level).with("level", levels.to_vec()), Vec::new());
    net.output("y", y);
    net.build(Semantics::exact(4e-3)).expect("a program without inputs is valid")
}

#[test]
fn a_program_without_inputs_runs() {
    let program = program(&[0.25, -0.5]);
    assert_eq!((program.input_channels(), program.output_channels()), (0, 2));
    assert!(program.schedule().memory.is_empty() && Plan::new(&program).inputs.is_empty());
    // chunks of two ticks, so that five are split
    let run = Run::new().with_batch(2).with_max_ticks(2);
    let mut session = Blocking::open(&OracleSubstrate::new(), &program, &run).expect("opens");
    let (y, report) = session.listen(5).expect("listens");
    assert_eq!((y, report.ticks), ([0.25, -0.5].repeat(10), 5));
    for none in [Signal::Dense(&[]), Signal::Held(&[]), Signal::Events(&[])] {
        let mut y = [0.0; 12];
        session.advance(none, SignalMut::Dense(&mut y), 3).expect("advances");
        assert_eq!(y.as_slice(), [0.25, -0.5].repeat(6));
    }
    let mut y = [0.0; 2];
    Oracle::new(&program, &Run::new()).step(&[], &mut y);
    assert_eq!(y, [0.25, -0.5]);
}

#[test]
fn what_no_input_can_tell_is_asked_for() {
    let program = program(&[0.25]);
    let mut session = Blocking::open(&OracleSubstrate::new(), &program, &Run::new()).expect("opens");
    let error = session.run(&[]).expect_err("no number of ticks");
    assert_eq!(error.kind(), ErrorKind::InvalidSignal);
    assert!(error.to_string().contains("listen"), "{error}");
    let mut y = [0.0; 2];
    let error = session.advance(Signal::Dense(&[1.0]), SignalMut::Dense(&mut y), 2).expect_err("an input too many");
    assert_eq!(error.kind(), ErrorKind::InvalidSignal);
    assert_eq!(session.listen(1).expect("listens").0, [0.25]);
}

#[test]
fn a_source_is_recorded() {
    let level = transfer(Level);
    assert_eq!((level.signature().signals(), level.is_affine()), (0, true));
    assert_eq!(level.recording().tick.outputs().len(), 1);
}
