//! The law between two substrates: tried where peers are given, in both directions, and no part of the claim.

use isoform_conformance::defects::{Defect, Faulty};
use isoform_conformance::record::{Dossier, Level, Status};
use isoform_conformance::{Options, exit_code, judge, run};
use isoform_core::layer::Place;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::substrate::Substrate;
use std::sync::Arc;

const LAW: &str = "L1.migration";

fn oracle() -> Arc<dyn Substrate> {
    Arc::new(OracleSubstrate::new())
}

fn place() -> Arc<dyn Substrate> {
    Arc::new(Place::new(["linear", "*"].map(|key| (key.to_owned(), oracle()))).expect("keys differ"))
}

fn tried(substrate: &dyn Substrate, peers: &[Arc<dyn Substrate>], laws: &[&str]) -> Dossier {
    let options = laws.iter().fold(Options::new().with_level(Level::L1), |options, law| options.with_law(*law));
    let options = peers.iter().fold(options, |options, peer| options.with_peer("peer:", Arc::clone(peer)));
    run(substrate, &options).expect("runs")
}

#[test]
fn a_state_goes_to_another_substrate_and_back() {
    let dossier = tried(&OracleSubstrate::new(), &[place(), oracle()], &[LAW]);
    let outcome = &dossier.outcomes[0];
    assert_eq!((outcome.law.as_str(), outcome.status), (LAW, Status::Pass), "{}", outcome.reason);
    // two peers, two directions, two halves, of three programs of the suite and six random ones
    assert_eq!(outcome.figures[0].value, 72.0, "{:?}", outcome.figures);
    assert_eq!(exit_code(&dossier), 0);
    assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
}

#[test]
fn it_is_no_part_of_a_run_without_peers() {
    let dossier = tried(&OracleSubstrate::new(), &[], &[]);
    assert!(!dossier.outcomes.iter().any(|o| o.law == LAW));
    let error = run(&OracleSubstrate::new(), &Options::new().with_law(LAW)).expect_err("there is no peer");
    assert!(error.to_string().contains("name a peer"), "{error}");
}

#[test]
fn a_failed_migration_is_no_conformance_but_the_claim_stays() {
    let swaps = Arc::new(Faulty::new(oracle(), Defect::SwapsStates));
    let dossier = tried(&OracleSubstrate::new(), &[swaps], &[]);
    let outcome = dossier.outcomes.iter().find(|o| o.law == LAW).expect("was tried");
    assert_eq!(outcome.status, Status::Fail, "{}", outcome.reason);
    assert_eq!(dossier.claim.map(|c| c.level), Some(Level::L1));
    assert_eq!(exit_code(&dossier), 1);
    let levels: Vec<Level> = dossier.outcomes.iter().map(|o| o.level).collect();
    assert!(levels.is_sorted());
}

#[test]
fn a_peer_without_memory_is_noted() {
    let denies = Arc::new(Faulty::new(oracle(), Defect::DeniesFacet));
    let dossier = tried(&OracleSubstrate::new(), &[denies], &[]);
    let outcome = dossier.outcomes.iter().find(|o| o.law == LAW).expect("was tried");
    assert_eq!(outcome.status, Status::NotClaimed);
    assert!(outcome.reason.contains("does not save states"), "{}", outcome.reason);
}
