//! The fingerprints of a memristor, of devices that have them and of devices that do not.

use async_trait::async_trait;
use isoform_conformance::record::Status;
use isoform_conformance::{Options, judge, run};
use isoform_core::dynamics::{Dynamics, Quantity, Signature};
use isoform_core::error::Result;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::scalar::Scalar;
use isoform_core::semantics::{Decay, Semantics};
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;

/// A conductance of `(2 + x)` mS with `dx/dt = k v - x/tau`, and a current that flows without a voltage.
#[derive(Debug, Clone, Copy)]
struct Film;

impl Dynamics<1, 1, 3, 1> for Film {
    const SIGNATURE: Signature<1, 1, 3, 1> = Signature {
        id: "test.memristor.film/1",
        summary: "A film for tests.",
        source: "this file",
        inputs: [Quantity::new("v", "V", [-1.0, 1.0], "voltage").input()],
        states: [Quantity::new("x", "1", [-1.0, 1.0], "state").state(0.0)],
        parameters: [
            Quantity::new("k", "1/(V s)", [0.0, 100.0], "speed").parameter().or(1.0),
            Quantity::new("tau", "s", [1e-3, 1e9], "time in which it forgets").parameter().or(1e9).above_nought(),
            Quantity::new("leak", "A", [0.0, 1.0], "current without a voltage").parameter().or(0.0),
        ],
        outputs: [Quantity::new("i", "A", [-1e-2, 1e-2], "current").output()],
    };

    fn flow<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [k, tau, _]: [S; 3]) -> [S; 1] {
        [k * v - x / tau]
    }

    fn tick<S: Scalar>(&self, [v]: [S; 1], [x]: [S; 1], [_, _, leak]: [S; 3], _: S) -> ([S; 1], [S; 1]) {
        ([x], [S::lit(1e-3) * (S::lit(2.0) + x) * v + leak])
    }
}

/// The oracle, which shows a film of itself.
#[derive(Debug)]
struct Shown([f64; 3]);

#[async_trait]
impl Substrate for Shown {
    fn profile(&self) -> Arc<Profile> {
        OracleSubstrate::new().profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        OracleSubstrate::new().realize(program, run).await
    }

    fn exemplars(&self) -> Vec<Program> {
        let [k, tau, leak] = self.0;
        let film = Neuron::new(Film).with("k", k).with("tau", tau).with("leak", leak);
        let mut builder = Program::builder();
        let v = builder.input("v", [1]);
        let i = builder.node("film", film, v);
        builder.output("i", i);
        vec![builder.build(Semantics::exact(1e-4).with_decay(Decay::Euler)).expect("a program")]
    }
}

#[test]
fn a_loop_that_is_not_pinched_or_does_not_shrink_is_caught() {
    for (film, status, why) in [
        ([1.0, 1e9, 0.0], Status::Pass, "6 fingerprints of 1 memristors are there"),
        ([1.0, 1e9, 1e-4], Status::Fail, "a voltage of nought gives 1.000e-4 A"),
        // it follows its voltage: what lags behind grows with the frequency
        ([200.0, 5e-3, 0.0], Status::Fail, "the lobes do not shrink"),
    ] {
        let dossier = run(&Shown(film), &Options::new().with_law("L2.pinched")).expect("runs");
        let outcome = &dossier.outcomes[0];
        assert!(outcome.status == status && outcome.reason.contains(why), "{film:?}: {} {}", outcome.status, outcome.reason);
        assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
    }
    let dossier = run(&OracleSubstrate::new(), &Options::new().with_law("L2.pinched")).expect("runs");
    assert_eq!(dossier.outcomes[0].status, Status::NotClaimed);
}
