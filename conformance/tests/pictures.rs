//! What the pictures of noisy media show: units, limits, and what is held against what.

use isoform_conformance::defects::{Films, HEALTHY, Habit};
use isoform_conformance::media::{Blur, Blurred, Colour};
use isoform_conformance::output::plot::Plot;
use isoform_conformance::output::{Page, html};
use isoform_conformance::record::{Dossier, Evidence};
use isoform_conformance::{Options, defects, run};
use isoform_core::oracle::OracleSubstrate;
use isoform_core::substrate::Substrate;
use std::sync::Arc;

fn tried(substrate: &dyn Substrate, law: &str) -> (Dossier, Evidence, Vec<Plot>) {
    let dossier = run(substrate, &Options::new().with_law(law)).expect("a run");
    let evidence = dossier.evidence.iter().find(|e| e.law == law).expect("evidence").clone();
    let plots = Plot::of(&evidence).into_iter().map(|p| p.expect("a plot")).collect();
    (dossier, evidence, plots)
}

fn medium(name: &str) -> Arc<dyn Substrate> {
    HEALTHY.iter().find(|s| s.name == name).expect("one of the list").make(Arc::new(OracleSubstrate::new()))
}

#[test]
fn what_runs_on_is_shown_after_its_washout() {
    let (_, evidence, plots) = tried(medium("running on").as_ref(), "L3.stationarity");
    // the washout is of 200 ticks, which were shown
    assert_eq!(evidence.sample("graded/record").expect("a record").shape[0], 2048);
    assert_eq!(plots[0].caption.as_deref(), Some("From the end of the declared washout on, under inputs that rest."));
}

#[test]
fn a_transfer_curve_tells_up_from_down_and_where_its_line_is() {
    let (dossier, _, plots) = tried(medium("white").as_ref(), "L2.transfer");
    assert_eq!((plots[0].dotted, plots[1].levels.as_slice()), (Some(1), &[(String::from("the line"), 0.0)][..]));
    let gain = dossier.outcomes[0].figures.iter().find(|f| f.name == "gain").expect("a gain").value;
    let caption = plots[0].caption.clone().expect("a caption");
    assert!(caption.starts_with(&format!("A line through all steps has a gain of {gain:.4} and an offset of ")), "{caption}");
    let page = html(&dossier, &Page::default());
    assert!(page.contains("the line"), "the line at nought is in the legend");
}

#[test]
fn a_drift_is_shown_beside_what_is_declared() {
    let (dossier, _, plots) = tried(medium("drift of half of what is declared").as_ref(), "L3.drift");
    assert_eq!(plots[0].levels, [(String::from("declared"), 0.03), (String::from("declared"), -0.03)]);
    assert_eq!(
        plots[0].caption.as_deref(),
        Some(
            "The band is the interval at a level of 99.9 %, both sides together. The drift is declared for 10 ks; what is older is promised \
             nothing, and is not looked at."
        )
    );
    assert!(html(&dossier, &Page::default()).contains("99.9 %"));
}

#[test]
fn under_1_f_noise_a_map_shows_what_is_judged() {
    // an offset within what noise like 1/f allows for is beyond the margin, and no entry of the map is
    let blur = Blur::honest(Colour::Flicker, 0.02, 0.05).with_bias(0.08);
    let (dossier, _, plots) = tried(&Blurred::new(Arc::new(OracleSubstrate::new()), blur), "L2.isolation");
    assert!(plots[0].relative);
    assert!(!html(&dossier, &Page::default()).contains("beyond the margin"));
}

#[test]
fn a_calibration_is_shown_with_what_it_did() {
    let dated = defects::Dated::new(Arc::new(OracleSubstrate::new()), Habit::Honest);
    let (_, _, plots) = tried(&dated, "L3.calibration");
    assert_eq!(
        plots[0].caption.as_deref(),
        Some(
            "At nine tenths of the time of the old calibration, and just after the new one. The rms of all means is 0 V before and 0 V after. \
             By its certificate the first calibration took an rms error from 0.5 to 0.25."
        )
    );
}

#[test]
fn records_have_the_unit_of_the_outputs() {
    let films = Films::new(Arc::new(OracleSubstrate::new()), 1.0, 1e9, 0.0);
    let (_, evidence, _) = tried(&Blurred::new(Arc::new(films), Blur::honest(Colour::White, 0.02, 0.05)), "L1.noise");
    assert_eq!(evidence.sample("exemplar 1/stage 1/output").expect("a record").unit, "A");
}
