//! Calibrations, clipped samples and ages in reports, and the law of calibration on substrates that keep to it and that do not.

use isoform_conformance::defects::{Dated, Habit};
use isoform_conformance::media::{Blur, Blurred, Colour};
use isoform_conformance::output::{html, json, junit, table};
use isoform_conformance::record::{Dossier, Status};
use isoform_conformance::{Options, judge, run};
use isoform_core::calibration::Certificate;
use isoform_core::layer::Renew;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::substrate::Substrate;
use std::sync::Arc;

fn dated(habit: Habit) -> Dated {
    Dated::new(Arc::new(OracleSubstrate::new()), habit)
}

fn tried(substrate: &dyn Substrate, law: &str) -> Dossier {
    run(substrate, &Options::new().with_law(law)).expect("runs")
}

#[test]
fn a_calibration_is_held_to_its_date() {
    for (habit, status, why) in [
        (Habit::Honest, Status::Pass, "7 answers are as they must be"),
        (Habit::Careless, Status::Fail, "ticks during which a calibration ends: accepted instead of calibration"),
        (Habit::Hasty, Status::Fail, "ticks during which a calibration ends: accepted instead of calibration"),
        (Habit::Stuck, Status::Fail, "a new calibration: calibration: nothing fits instead of accepted"),
    ] {
        let dossier = tried(&dated(habit), "L3.calibration");
        let outcome = &dossier.outcomes[0];
        assert_eq!((outcome.status, outcome.reason.as_str()), (status, why), "{habit:?}");
        assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
    }
    let dossier = tried(&OracleSubstrate::new(), "L3.calibration");
    assert_eq!(dossier.outcomes[0].status, Status::NotClaimed);
}

#[test]
fn means_under_a_new_calibration_are_held_against_the_margin() {
    for (colour, habit, status, why) in [
        (
            Colour::White,
            Habit::Honest,
            Status::Pass,
            "7 answers are as they must be, 36 means lie late in the time of the old calibration within 50 mV, and 20 means lie under the new \
             calibration within 50 mV",
        ),
        (Colour::White, Habit::Spoiling, Status::Fail, "where 50 mV is declared"),
        (
            Colour::Flicker,
            Habit::Honest,
            Status::Pass,
            "7 answers are as they must be, 36 means lie late in the time of the old calibration within 50 mV, and 20 means lie under the new \
             calibration within 50 mV",
        ),
        (Colour::Flicker, Habit::Spoiling, Status::Fail, "where 50 mV is declared"),
    ] {
        let (found, reason) = blurred(Blur::honest(colour, 0.02, 0.05), habit);
        assert!(found == status && reason.ends_with(why), "{habit:?}: {found} {reason}");
    }
}

/// What the law says of a blurred medium with such calibrations.
fn blurred(blur: Blur, habit: Habit) -> (Status, String) {
    let medium = Blurred::new(Arc::new(OracleSubstrate::new()), blur);
    let dossier = tried(&Dated::new(Arc::new(medium), habit), "L3.calibration");
    assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
    let outcome = &dossier.outcomes[0];
    (outcome.status, outcome.reason.clone())
}

#[test]
fn means_late_in_the_time_of_a_calibration_are_held_against_margin_and_drift() {
    let white = Blur::honest(Colour::White, 0.02, 0.05);
    let (status, reason) = blurred(white, Habit::Fading);
    assert!(status == Status::Fail && reason.contains("late in the time of a calibration, at level "), "{reason}");
    // the program goes up to five, of which a fifth is what is declared to drift
    assert_eq!(blurred(white.with_drift(0.0, 1.1, 10.0), Habit::Fading).0, Status::Pass);
    assert_eq!(blurred(white.with_drift(0.0, 0.5, 10.0), Habit::Fading).0, Status::Fail);
    // noise that remembers for longer than a level lasts, and noise that is larger than the margin
    for blur in [Blur::honest(Colour::Autoregressive(0.9), 0.02, 0.05), Blur::honest(Colour::White, 0.06, 0.05)] {
        let (status, reason) = blurred(blur, Habit::Honest);
        assert_eq!(status, Status::Pass, "{reason}");
    }
}

#[test]
fn what_was_recorded_late_in_the_time_of_a_calibration_is_judged() {
    for colour in [Colour::White, Colour::Flicker] {
        let medium = Blurred::new(Arc::new(OracleSubstrate::new()), Blur::honest(colour, 0.02, 0.05));
        let mut dossier = tried(&Dated::new(Arc::new(medium), Habit::Honest), "L3.calibration");
        assert_eq!(dossier.outcomes[0].status, Status::Pass, "{}", dossier.outcomes[0].reason);
        let before = dossier.evidence[0].samples.iter_mut().find(|s| s.name == "before/output").expect("is kept");
        before.values.iter_mut().for_each(|v| *v += 10.0 * 0.05);
        assert_eq!(judge(&dossier).outcomes[0].status, Status::Fail, "{colour:?}");
    }
}

#[test]
fn every_report_names_the_calibration_and_counts_what_was_clipped() {
    let dossier = tried(&dated(Habit::Honest), "L1.split");
    let [found] = dossier.ledger.calibrations.as_slice() else { panic!("{:?}", dossier.ledger) };
    let certificate = &found.certificate;
    assert_eq!((found.age_at_start, found.made_at_tick), (Some(0.0), None));
    assert_eq!(certificate.id, Certificate::id_of(&[3.0]));
    assert!(certificate.age > 0.0 && certificate.age < 10.0, "{certificate:?}");
    assert!(dossier.ledger.clipped > 0 && dossier.ledger.samples > dossier.ledger.clipped);
    assert_eq!(dossier.ledger.age, Some(3.0));
    let id = &certificate.id[..12];
    let clipped = format!("{} clipped of {}", dossier.ledger.clipped, dossier.ledger.samples);
    let wide = table(&dossier, isoform_conformance::output::Style::default().with_width(300));
    for report in [wide, html(&dossier, &isoform_conformance::output::Page::default()), junit(&dossier).expect("is XML")] {
        for text in [format!("{id}, up to "), String::from("holds for 10 s; rms error 0.5 before, 0.25 after"), clipped.clone()] {
            assert!(report.contains(&text), "{text:?} is missing in {report}");
        }
    }
    let json = json(&dossier).expect("is JSON");
    assert!(json.contains(&format!("\"id\": \"{}\"", certificate.id)) && json.contains("\"clipped\": "), "{json}");
    let none = tried(&OracleSubstrate::new(), "L1.split");
    assert!(junit(&none).expect("is XML").contains("none; the substrate cannot be calibrated"));
    assert_eq!((none.ledger.clipped, none.ledger.age), (0, None));
}

#[test]
fn every_calibration_is_named_with_its_time() {
    // the law calibrates by itself; a layer does so amid ticks
    let renewed = Renew::new(Arc::new(dated(Habit::Honest)) as Arc<dyn Substrate>);
    for substrate in [&dated(Habit::Honest) as &dyn Substrate, &renewed] {
        let dossier = tried(substrate, "L3.calibration");
        let all = &dossier.ledger.calibrations;
        assert!(all.len() > 1 && all[0].age_at_start.is_some(), "{all:?}");
        for later in &all[1..] {
            assert!(later.age_at_start.is_none() && later.made_at_tick.is_some_and(|tick| tick > 0), "{later:?}");
        }
        let read: Dossier = serde_json::from_str(&json(&dossier).expect("is JSON")).expect("reads");
        assert_eq!(read.ledger, dossier.ledger);
    }
}
