//! The fingerprints of a memristor, of devices that have them and of devices that do not.

use isoform_conformance::defects::Films;
use isoform_conformance::record::Status;
use isoform_conformance::{Options, judge, run};
use isoform_core::oracle::OracleSubstrate;
use std::sync::Arc;

#[test]
fn a_loop_that_is_not_pinched_or_does_not_shrink_is_caught() {
    for ([k, tau, leak], status, why) in [
        ([1.0, 1e9, 0.0], Status::Pass, "6 fingerprints are there, of memristor 1"),
        ([1.0, 1e9, 1e-4], Status::Fail, "a voltage of nought gives 100 µA"),
        // it follows its voltage: what lags behind grows with the frequency
        ([200.0, 5e-3, 0.0], Status::Fail, "the lobes do not shrink"),
        // a resistor has no lobes that could shrink
        ([0.0, 1e9, 0.0], Status::Inconclusive, "at a period of 2048 ticks the loop has no area beside its rounding"),
    ] {
        let dossier = run(&Films::new(Arc::new(OracleSubstrate::new()), k, tau, leak), &Options::new().with_law("L2.pinched"))
            .expect("runs");
        let outcome = &dossier.outcomes[0];
        assert!(
            outcome.status == status && outcome.reason.contains(why),
            "{k} {tau} {leak}: {} {}",
            outcome.status,
            outcome.reason
        );
        assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
    }
    let dossier = run(&OracleSubstrate::new(), &Options::new().with_law("L2.pinched")).expect("runs");
    assert_eq!(dossier.outcomes[0].status, Status::NotClaimed);
}
