//! The fingerprints of a memristor, of devices that have them and of devices that do not.

use isoform_conformance::defects::Films;
use isoform_conformance::media::{Blur, Blurred, Colour};
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

#[test]
fn a_film_that_moves_at_another_speed_is_caught_where_its_margin_tells() {
    // a state that moves by up to a third at its own speed: 160 µA at half of it
    for (speed, margin, status, why) in [
        (1.0, 5e-5, Status::Pass, "6 fingerprints are there, of memristor 1; currents lie within 50 µA of the program"),
        (0.5, 5e-5, Status::Fail, "memristor 1: at a period of 2048 ticks the current in part 4 of 16 is off the program by"),
        (0.5, 1e-3, Status::Pass, "6 fingerprints are there, of memristor 1; currents lie within 1 mA of the program"),
    ] {
        let films = Films::new(Arc::new(OracleSubstrate::new()), 5.0, 1e9, 0.0).with_speed(speed);
        let medium = Blurred::new(Arc::new(films), Blur::honest(Colour::White, 1e-6, margin));
        let dossier = run(&medium, &Options::new().with_law("L2.pinched")).expect("runs");
        let outcome = &dossier.outcomes[0];
        assert!(
            outcome.status == status && outcome.reason.contains(why),
            "{speed} {margin}: {} {}",
            outcome.status,
            outcome.reason
        );
        assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
        let figure = |name: &str| outcome.figures.iter().find(|f| f.name == name).expect("a figure").value;
        assert!(
            (figure("area at the lowest frequency over that of the program") / speed - 1.0).abs() < 0.05,
            "{:?}",
            outcome.figures
        );
        // of a margin within which a film may have no lobes at all, the areas say nothing
        assert_eq!(figure("what the declared margin lets that area be off by, over it, at the least") > 1.0, margin > 5e-4);
    }
}
