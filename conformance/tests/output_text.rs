//! Table, JSON, JUnit, badge and difference as they stand.

mod output;

use isoform_conformance::output::{ProfileRow, Style, Verdict, badge, diff, from_json, json, junit, profile_table, table};
use isoform_conformance::record::*;
use isoform_core::medium::Medium;
use isoform_core::profile::Class;
use output::{figure, motley, partial, realistic};

#[test]
fn tables() {
    insta::assert_snapshot!("table_motley", table(&motley(), Style::default()));
    insta::assert_snapshot!("table_partial_narrow", table(&partial(), Style::default().with_width(20)));
    insta::assert_snapshot!("table_realistic_wide", table(&realistic(), Style::default().with_width(140)));
}

#[test]
fn no_line_of_a_table_is_wider_than_asked() {
    for width in [72, 80, 100, 133, 200] {
        for dossier in [motley(), partial(), realistic()] {
            for line in table(&dossier, Style::default().with_width(width)).lines() {
                assert!(line.chars().count() <= width, "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn colour_changes_no_character() {
    for dossier in [motley(), partial(), realistic()] {
        let coloured = table(&dossier, Style::default().with_colour(true));
        assert!(coloured.contains("\u{1b}[32mpass\u{1b}[0m"));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((text, after)) = rest.split_once("\u{1b}[") {
            bare.push_str(text);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, table(&dossier, Style::default()));
    }
}

#[test]
fn a_device_cannot_steer_the_terminal() {
    let mut dossier = partial();
    dossier.outcomes[1].reason = String::from("\u{1b}[2Jgone\r\nnew line\u{7}\u{202e}");
    dossier.outcomes[1].law = String::from("L1.\u{1b}]0;title\u{7}");
    dossier.outcomes[1].figures[0].name = String::from("\u{9b}1m");
    dossier.provenance.locator = String::from("cpu:\n\u{1b}[1m");
    let text = table(&dossier, Style::default()) + &diff(&partial(), &dossier).to_string();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn what_each_class_owes() {
    use Requirement::{Impossible, Optional, Required};
    let row = |law: &str, level, owed: [Requirement; 7]| ProfileRow { law: law.to_owned(), level, owed: owed.to_vec() };
    let rows = [
        row("L0.honesty", Level::L0, [Required; 7]),
        row("L1.split", Level::L1, [Required, Required, Required, Required, Required, Impossible, Required]),
        row("L1.busy", Level::L1, [Optional; 7]),
    ];
    assert_eq!(Class::ALL.len(), 7);
    insta::assert_snapshot!("profile_table", profile_table(&rows, Style::default()));
}

#[test]
fn claims_in_words() {
    let verdict = Verdict::of(&realistic());
    assert_eq!(verdict.headline, "cpu: conforms as exact-digital/L4/1");
    assert_eq!(verdict.obstacle, "");
    let verdict = Verdict::of(&partial());
    assert_eq!(verdict.headline, "cpu:?threads=2 conforms as exact-digital/L0/1");
    assert!(verdict.meaning.starts_with("It is shown that it keeps its word (L0). Every law"), "{}", verdict.meaning);
    assert_eq!(verdict.obstacle, "L1 is not claimed because L1.reset failed: 5 % of the state is left.");
    let verdict = Verdict::of(&motley());
    assert_eq!(verdict.headline, "serial:/dev/ttyACM0 claims nothing");
    assert!(verdict.obstacle.starts_with("L0 is not claimed because L0.bad-input failed: "));
    let mut waived = partial();
    waived.claim = None;
    waived.outcomes[0].status = Status::Waived;
    assert!(Verdict::of(&waived).obstacle.starts_with("L0 is not claimed because L0.honesty is waived: "));
    let mut unfinished = partial();
    unfinished.outcomes.truncate(1);
    assert_eq!(Verdict::of(&unfinished).obstacle, "L1 is not claimed because none of its laws was tried.");
    unfinished.claim = None;
    assert_eq!(Verdict::of(&unfinished).obstacle, "L0 is not claimed because not every law that is owed was tried.");
}

#[test]
fn of_what_runs_on_no_function_is_claimed_but_in_its_means() {
    let mut source = realistic();
    source.provenance.profile.class = Class::FreeRunning;
    assert!(Verdict::of(&source).meaning.contains("nothing of its function (L2)"), "{}", Verdict::of(&source).meaning);
    let (law, status) = (String::from("L2.response"), Status::Pass);
    source.outcomes.push(Outcome { law, status, level: Level::L2, ..source.outcomes[0].clone() });
    assert!(Verdict::of(&source).meaning.contains("that it answers to its inputs, though not with which function (L2)"));
    let settled = Outcome { law: String::from("L2.settled"), status: Status::NotClaimed, ..source.outcomes[0].clone() };
    source.outcomes.push(settled);
    assert!(Verdict::of(&source).meaning.contains("though not with which function (L2)"));
    if let Some(settled) = source.outcomes.last_mut() {
        settled.status = Status::Pass;
    }
    let meaning = Verdict::of(&source).meaning;
    assert!(meaning.contains("that it computes this function in its means (L2)"), "{meaning}");
    assert!(!meaning.contains("stays that function"), "{meaning}");
}

#[test]
fn error_rates_are_those_of_the_laws_behind_the_claim() {
    let mut medium = realistic();
    medium.provenance.profile.class = Class::AnalogNoisy;
    medium.provenance.profile.medium = Some(Medium::new(0.05, 0.02));
    let figure = |name: &str, value: f64| Figure { name: name.to_owned(), value, unit: String::from("1"), limit: None };
    for (law, level, name, value) in [
        ("L1.noise", Level::L1, "checks", 6.0),
        ("L2.equivalence", Level::L2, "effective samples of a stage", 400.0),
        ("L2.transfer", Level::L2, "effective samples of a stage", 160.0),
        ("L3.stationarity", Level::L3, "separate trials of a stage", 60.0),
        ("L3.drift", Level::L4, "shift that a stage finds, in deviations of a trial", 1.27),
    ] {
        let (law, figures) = (law.to_owned(), vec![figure(name, value)]);
        medium.outcomes.push(Outcome { law, status: Status::Pass, level, figures, ..medium.outcomes[0].clone() });
    }
    let mut meaning = |level: Level| {
        medium.claim.as_mut().expect("claims").level = level;
        Verdict::of(&medium).meaning
    };
    assert!(!meaning(Level::L0).contains("alarm"), "no statistical law stands behind it");
    let l1 = meaning(Level::L1);
    assert!(l1.contains("with a probability of at most 5e-4.") && !l1.contains("effective"), "{l1}");
    let l2 = meaning(Level::L2);
    assert!(l2.contains("of 160 effective samples or more.") && !l2.contains("separate"), "{l2}");
    let l3 = meaning(Level::L3);
    assert!(l3.contains("what runs on is compared by 60 separate trials a stage or more."), "{l3}");
    let l4 = meaning(Level::L4);
    let wanted = "60 separate trials a stage or more, and a shift of all outputs by 1.3 deviations of a trial is found with a probability of at least 0.95 a stage.";
    assert!(l4.contains(wanted), "{l4}");
}

#[test]
fn many_calibrations_are_told_together() {
    use isoform_core::calibration::{Certificate, InForce};
    let made = |k: u64| InForce {
        certificate: Certificate {
            id: format!("{k:064}"),
            method: String::from("phase against power"),
            age: k as f64,
            valid: 100.0,
            before: 0.1,
            after: 1e-4 * k as f64,
        },
        made_at_tick: Some(0),
        age_at_start: None,
    };
    let mut medium = realistic();
    medium.ledger.calibrations = (1..=40).map(made).collect();
    let table = table(&medium, Style::default().with_width(140));
    assert_eq!(table.matches("calibration: 0").count(), 6);
    assert!(table.contains("calibration: and 34 more, up to 40 s old, rms error of at most 0.004 after"), "{table}");
}

#[test]
fn one_reason_of_several_laws_is_told_once() {
    let mut refused = partial();
    let first = refused.outcomes[0].clone();
    refused.claim = None;
    refused.outcomes.clear();
    for (law, reason) in [("L0.cancel", "no room"), ("L0.names", "no room"), ("L0.seed", "other"), ("L0.reopen", "no room")] {
        let status = Status::Inconclusive;
        refused.outcomes.push(Outcome { law: law.to_owned(), status, reason: reason.to_owned(), ..first.clone() });
    }
    assert_eq!(
        Verdict::of(&refused).obstacle,
        "L0 is not claimed because L0.cancel was inconclusive: no room, and for the same reason L0.names, L0.reopen; L0.seed was \
         inconclusive: other."
    );
}

#[test]
fn a_calibration_that_was_over_is_told_as_such() {
    let mut renewed = partial();
    let meaning = |dossier: &Dossier| Verdict::of(dossier).meaning;
    let certificate = |age: f64| {
        let certificate = isoform_core::calibration::Certificate {
            id: String::from("15c803f0a05b"),
            method: String::from("a fit"),
            age,
            valid: 10.0,
            before: 0.5,
            after: 0.25,
        };
        isoform_core::calibration::InForce::made(certificate, 1200)
    };
    renewed.ledger.calibrations = vec![certificate(9.0)];
    assert!(table(&renewed, Style::default().with_width(300)).contains("15c803f0a05b, up to 9 s old, holds for 10 s;"));
    assert!(!meaning(&renewed).contains("calibrated anew"));
    renewed.ledger.calibrations.push(certificate(20.0));
    let told = table(&renewed, Style::default().with_width(300));
    assert!(told.contains("15c803f0a05b, up to 20 s old, held for 10 s and was refused after it;"), "{told}");
    assert!(told.contains("made after 1200 ticks of a program; a fit"), "{told}");
    assert!(meaning(&renewed).ends_with("calibrated anew whenever the time of a calibration is over, as the suite did."));
}

#[test]
fn junit_reports() {
    insta::assert_snapshot!("junit_motley", junit(&motley()).unwrap());
    let xml = junit(&motley()).unwrap();
    let tree = roxmltree::Document::parse(&xml).unwrap();
    let count = |name: &str| tree.descendants().filter(|n| n.has_tag_name(name)).count();
    assert_eq!((count("testcase"), count("failure"), count("error"), count("skipped")), (8, 2, 2, 3));
}

#[test]
fn junit_survives_what_xml_and_durations_cannot_hold() {
    let mut dossier = motley();
    for (outcome, seconds) in dossier.outcomes.iter_mut().zip([f64::NAN, f64::INFINITY, -1.0, 1e300]) {
        outcome.seconds = seconds;
        outcome.reason = String::from("]]>\u{0}\u{1b}<a>&\u{ffff}");
    }
    dossier.provenance.started = String::from("yesterday");
    roxmltree::Document::parse(&junit(&dossier).unwrap()).unwrap();
}

#[test]
fn badges() {
    insta::assert_snapshot!("badge_partial", badge(&partial()));
}

#[test]
fn json_documents() {
    let text = json(&partial()).unwrap();
    assert!(text.starts_with("{\n  \"schema\": 1,\n  \"provenance\": {\n    \"locator\""), "{text}");
    insta::assert_snapshot!("json_partial", text);
    assert_eq!(from_json(&text).unwrap(), partial());
    assert_eq!(json(&from_json(&text).unwrap()).unwrap(), text);
    let later = text.replacen("\"schema\": 1", "\"schema\": 2", 1);
    assert_eq!(
        from_json(&later).unwrap_err().to_string(),
        "it is of schema 2 and this version reads schema 1; use the version of isoform that wrote it"
    );
}

#[test]
fn differences() {
    let before = realistic();
    assert!(diff(&before, &before).is_empty());
    insta::assert_snapshot!("diff_same", diff(&before, &before).to_string());
    let mut after = realistic();
    after.claim = after.claim.map(|claim| Claim { level: Level::L1, ..claim });
    after.provenance.locator = String::from("cpu:?threads=2");
    after.provenance.profile.version = String::from("0.2.0");
    after.provenance.profile.limits.input = [f64::NEG_INFINITY, f64::INFINITY];
    after.provenance.notes.clear();
    let agreement = after.outcomes.iter_mut().find(|o| o.law == "L2.agreement").unwrap();
    agreement.status = Status::Fail;
    agreement.reason = String::from("the error is 1.5 bounds at tick 17");
    agreement.figures[0].value = 1.5;
    agreement.figures[1].limit = None;
    agreement.figures.pop();
    agreement.figures.push(figure("worst tick", 17.0, "1", None));
    after.outcomes.retain(|o| o.law != "L4.throughput");
    after.outcomes.rotate_left(3);
    after.evidence[9].samples[0].values[5] += 1e-7;
    let difference = diff(&before, &after);
    assert!(!difference.is_empty());
    assert_eq!(difference.statuses.len(), 2);
    assert_eq!(difference.other_samples, ["L2.agreement"]);
    insta::assert_snapshot!("diff_changed", difference.to_string());
}

#[test]
fn times_and_rates_are_shown_and_make_no_difference() {
    let with_rate = |rate: f64| {
        let mut dossier = realistic();
        let throughput = dossier.outcomes.iter_mut().find(|o| o.law == "L4.throughput").unwrap();
        throughput.figures = vec![figure("ticks of one lane", rate, "1/s", None)];
        dossier
    };
    let (before, mut after) = (with_rate(1e6), with_rate(1.5e6));
    let difference = diff(&before, &after);
    assert!(difference.is_empty());
    let text = difference.to_string();
    assert!(text.contains("figures: the same") && text.contains("times and rates") && text.contains("+50.000 %"), "{text}");
    after.outcomes.iter_mut().find(|o| o.law == "L2.agreement").unwrap().figures[0].value = 1.5;
    assert!(!diff(&before, &after).is_empty());
}

#[test]
fn a_nan_differs_from_a_number_and_not_from_itself() {
    let mut before = partial();
    before.outcomes[1].figures[0].value = f64::NAN;
    assert!(diff(&before, &before).is_empty());
    assert_eq!(diff(&before, &partial()).figures.len(), 1);
}
