//! A program that is split across substrates is held to the same laws as on one of them.

use isoform_conformance::record::Status;
use isoform_conformance::{Options, run};
use isoform_core::layer::Place;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::substrate::Substrate;
use std::sync::Arc;

fn oracles(keys: &[&str]) -> Place {
    let oracle = || Arc::new(OracleSubstrate::new()) as Arc<dyn Substrate>;
    Place::new(keys.iter().map(|&key| (key.to_owned(), oracle()))).expect("keys differ")
}

// every loop through a dense map is cut, and so is every chain of a map and a neuron
isoform_conformance::laws!(by_capability, oracles(&["linear", "*"]));

#[test]
fn three_substrates_claim_the_whole_suite() {
    // neurons of one kind feed on those of another, so that loops go through three
    let dossier = run(&oracles(&["dense", "lif,li", "delay", "*"]), &Options::new()).expect("runs");
    for o in dossier.outcomes.iter().filter(|o| o.status != Status::Pass) {
        eprintln!("{:24} {:12} {}", o.law, o.status, o.reason);
    }
    assert_eq!(dossier.claim.map(|c| c.to_string()).as_deref(), Some("exact-digital/L4/1"));
}
