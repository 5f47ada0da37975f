//! What is told of the time that the statistical laws take, beside what they take.

use async_trait::async_trait;
use isoform_conformance::law::Law;
use isoform_conformance::media::{Blur, Blurred, Colour, Nature};
use isoform_conformance::record::Requirement;
use isoform_conformance::{Options, forecast, laws, run};
use isoform_core::error::Result;
use isoform_core::functions::{li, scale};
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::substrate::{Realization, Run, Substrate};
use std::sync::Arc;

/// A medium that shows a program with one input and one output, so that samples are ticks.
#[derive(Debug)]
struct Showing {
    inner: Blurred,
    shown: Program,
}

#[async_trait]
impl Substrate for Showing {
    fn profile(&self) -> Arc<Profile> {
        self.inner.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.inner.realize(program, run).await
    }

    fn exemplars(&self) -> Vec<Program> {
        vec![self.shown.clone()]
    }
}

fn showing(blur: Blur, tau: Option<f64>) -> Showing {
    let mut net = Program::builder();
    let x = net.input("x", [1]);
    let y = match tau {
        Some(tau) => net.node("leak", li().with("tau", tau), x),
        None => net.node("gain", scale().with("scale", 1.0), x),
    };
    net.output("y", y);
    let shown = net.build(Semantics::exact(1e-3)).expect("a program");
    Showing { inner: Blurred::new(Arc::new(OracleSubstrate::new()), blur), shown }
}

/// What is told of a law, and what it takes.
fn both(medium: &Showing, law: &Law) -> [u64; 2] {
    let told = forecast(&medium.profile(), &medium.exemplars(), &[law]).expect("a medium").ticks as u64;
    let dossier = run(medium, &Options::new().with_law(law.id)).expect("a run");
    assert!(told <= dossier.ledger.samples, "{}: {told} and {}", law.id, dossier.ledger.samples);
    [told, dossier.ledger.samples]
}

#[test]
fn no_law_takes_less_than_is_told() {
    let running = Blur::honest(Colour::White, 0.02, 0.05).in_a(Nature::Running { deaf: false }, 200);
    for (name, blur, tau) in [
        ("white", Blur::honest(Colour::White, 0.02, 0.05), None),
        ("loud", Blur::honest(Colour::White, 0.05, 0.01), None),
        // the stages of some laws would take more ticks than any may
        ("drowned", Blur::honest(Colour::White, 0.05, 0.0008), None),
        ("like 1/f", Blur::honest(Colour::Flicker, 0.02, 0.05), None),
        ("slow", Blur::honest(Colour::White, 0.02, 0.05), Some(0.1)),
        ("slow, like 1/f", Blur::honest(Colour::Flicker, 0.02, 0.05), Some(0.1)),
        ("drifting", Blur::honest(Colour::White, 0.02, 0.05).with_drift(0.0, 0.02, 10.0), None),
        ("running", running, Some(0.01)),
    ] {
        let medium = showing(blur, tau);
        let class = medium.profile().class;
        let owed = |law: &&Law| law.statistical && (law.requirement)(class) != Requirement::Impossible;
        // samples of L2.capacity are those of its own programs as well, which have many outputs, and those of L2.company of eight lanes
        let all = laws().iter().filter(owed).map(|law| (law.id, both(&medium, law)));
        let all: Vec<[u64; 2]> =
            all.filter(|(id, _)| !["L2.company", "L2.capacity"].contains(id)).map(|(_, pair)| pair).collect();
        let [told, taken] = [0, 1].map(|k| all.iter().map(|pair| pair[k]).sum::<u64>());
        eprintln!("{name}: {told} of {taken}");
        // a bound that says something
        assert!(name == "slow, like 1/f" || name == "drowned" || 3 * told > taken, "{name}: {told} of {taken}");
    }
}

#[test]
fn only_laws_that_are_tried_are_counted() {
    let medium = showing(Blur::honest(Colour::Flicker, 0.02, 0.05), None);
    let told = |wanted: &dyn Fn(&Law) -> bool| {
        let tried: Vec<&Law> = laws().iter().filter(|law| wanted(law)).collect();
        forecast(&medium.profile(), &medium.exemplars(), &tried).expect("a medium").ticks
    };
    // three records of 64 000 ticks each, and what is before them
    let noise = told(&|law| law.id == "L1.noise");
    assert_eq!(noise, 3 * (64_000 + 900));
    let drift = told(&|law| law.id == "L3.drift");
    assert!(drift > 0 && drift < 64_000, "{drift}");
    let all = told(&|_| true);
    assert_eq!((told(&|law| !law.statistical), told(&|law| law.id != "L1.noise")), (0, all - noise));
}

#[test]
fn trials_of_what_forgets_at_once_are_told() {
    let medium = showing(Blur::honest(Colour::White, 0.02, 0.05).in_a(Nature::Running { deaf: true }, 0), None);
    let washout = laws().iter().find(|law| law.id == "L1.washout").expect("a law");
    assert!(both(&medium, washout)[0] > 0);
}
