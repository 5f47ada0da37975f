//! The page: well-formed, self-contained, and safe against what comes from outside.

mod output;

use isoform_conformance::output::plot::Plot;
use isoform_conformance::output::{Page, badge, html, write};
use isoform_conformance::record::*;
use isoform_core::medium::{Drift, Medium};
use output::{failing, motley, partial, realistic, samples};
use std::path::Path;

/// Everything that would make a browser ask the network.
const FETCHES: &[&str] = &[
    "src=",
    "url(",
    "@import",
    "<link rel=\"stylesheet",
    "<iframe",
    "<object",
    "<embed",
    "<script",
    "xlink:href",
    "http-equiv=\"refresh",
];

/// The page as XML: void elements closed, entities spelled, the rest as it stands.
fn parsed(page: &str) -> String {
    let page = page.replace("<details open>", "<details>");
    let mut text = page.strip_prefix("<!doctype html>").unwrap().to_owned();
    for void in ["<meta ", "<link "] {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(void) {
            let end = at + rest[at..].find('>').unwrap();
            out.push_str(&rest[..end]);
            out.push('/');
            rest = &rest[end..];
        }
        out.push_str(rest);
        text = out;
    }
    text.replace("<br>", "<br/>").replace("&nbsp;", "&#160;")
}

fn check(page: &str) {
    let text = parsed(page);
    let tree = roxmltree::Document::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut ids = std::collections::BTreeSet::new();
    for node in tree.descendants().filter(roxmltree::Node::is_element) {
        if let Some(id) = node.attribute("id") {
            assert!(ids.insert(id.to_owned()), "the id {id} occurs twice");
        }
    }
    for node in tree.descendants().filter(|n| n.has_tag_name("a")) {
        let target = node.attribute("href").unwrap();
        assert!(ids.contains(target.strip_prefix('#').unwrap()), "{target} leads nowhere");
    }
    for node in tree.descendants().filter(|n| n.tag_name().name() == "svg" && n.attribute("aria-hidden").is_none()) {
        assert_eq!(node.attribute("role"), Some("img"));
        assert!(node.attribute("aria-label").is_some_and(|label| label.len() > 10));
    }
    for fetch in FETCHES {
        // The badge clips its corners by its own path.
        assert!(!page.replace("url(#round)", "").contains(fetch), "the page has {fetch}");
    }
    let links = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!links.contains("http://") && !links.contains("https://"));
}

#[test]
fn pages_are_well_formed_and_fetch_nothing() {
    for dossier in [motley(), partial(), realistic()] {
        check(&html(&dossier, &Page::default()));
    }
}

#[test]
fn a_page_says_what_a_newcomer_needs() {
    let page = html(&realistic(), &Page::of(Path::new("runs/today")));
    for text in [
        "cpu: conforms as <strong>exact-digital/L4/1</strong>",
        "that its state is a state (L1)",
        "isoform conform cpu: --level L4 --seed 20240607 --out today",
        "isoform judge today",
        "isoform diff today OTHER",
        "2⁻²⁴ = 5.96\u{202f}×\u{202f}10⁻⁸",
        "no limit",
        "23.4 °C",
        "The largest error is 0.",
        "Of 3072 decisions, 0 differ without excuse; 3 are ambiguous.",
        "the profile does not claim plasticity",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("<svg class=\"plot wide\"").count(), 5);
    assert_eq!(page.matches("<svg class=\"plot narrow\"").count(), 5);
}

#[test]
fn a_page_says_what_a_medium_promises() {
    let mut dossier = realistic();
    assert!(!html(&dossier, &Page::default()).contains("Medium, in units of its outputs"));
    let medium = Medium { drift: Some(Drift { most: 0.375, within: 60.0 }), endurance: Some(12_345), ..Medium::new(0.25, 0.125) };
    dossier.provenance.profile.medium = Some(medium);
    let page = html(&dossier, &Page::default());
    for text in
        ["Medium, in units of its outputs", "most that a mean is off", "0.25", "0.125", "0.375", "60", "its margin and its noise"]
    {
        assert!(page.contains(text), "{text}");
    }
    check(&page);
}

#[test]
fn plots_mark_what_is_wrong() {
    let (sound, broken) = (html(&realistic(), &Page::default()), html(&failing(), &Page::default()));
    assert!(broken.contains("Of 3072 decisions, 2 differ without excuse; 3 are ambiguous."));
    assert!(broken.contains("beyond the bound") && !sound.contains("beyond the bound"));
    assert!(broken.contains("<span>mismatch</span>") && !sound.contains("<span>mismatch</span>"));
    check(&broken);
}

#[test]
fn text_from_outside_stays_text() {
    let evil = "</title></svg><script>alert(1)</script>\"'&{{ 7*7 }}\u{1b}[31m";
    let mut dossier = realistic();
    dossier.provenance.locator = evil.to_owned();
    dossier.provenance.started = evil.to_owned();
    dossier.provenance.profile.name = evil.to_owned();
    dossier.provenance.profile.takes.nodes = vec![evil.to_owned()];
    dossier.provenance.notes.insert(evil.to_owned(), evil.to_owned());
    for outcome in &mut dossier.outcomes {
        for text in [&mut outcome.law, &mut outcome.title, &mut outcome.reason] {
            text.push_str(evil);
        }
        for figure in &mut outcome.figures {
            figure.name = evil.to_owned();
            figure.unit = evil.to_owned();
        }
    }
    for (place, evidence) in dossier.evidence.iter_mut().enumerate() {
        evidence.law.push_str(evil);
        // Ids stay different, or the links of the page would meet.
        evidence.law.push_str(&place.to_string());
        dossier.outcomes[place].law.push_str(&place.to_string());
        evidence.facts.insert(evil.to_owned(), evil.into());
        evidence.broke_off = Some(evil.to_owned());
        for plot in evidence.facts.get_mut("plot").into_iter().flat_map(|p| p.as_array_mut().unwrap()) {
            for name in plot["y"].as_array_mut().unwrap() {
                *name = format!("{}{evil}", name.as_str().unwrap()).into();
            }
            for key in ["x", "bound", "ambiguous"] {
                if let Some(name) = plot.get_mut(key) {
                    *name = format!("{}{evil}", name.as_str().unwrap()).into();
                }
            }
            plot["title"] = evil.into();
            plot["labels"] = serde_json::json!([evil, evil]);
        }
        for sample in &mut evidence.samples {
            sample.name.push_str(evil);
            sample.unit = evil.to_owned();
        }
    }
    let page = html(&dossier, &Page::of(Path::new(evil)));
    check(&page);
    assert!(!page.contains("<script"));
    assert!(!page.contains('\u{1b}'));
    assert_eq!(page.matches("<svg class=\"plot wide\"").count(), 5, "the plots are drawn all the same");
}

#[test]
fn a_plot_that_cannot_be_drawn_says_why() {
    let broken = |evidence: &mut Evidence| {
        Plot::agreement("a", "substrate", "oracle", "bound").attach(evidence);
        Plot::raster("b", "flat", "square").attach(evidence);
        Plot::lines("c", &["lie"]).attach(evidence);
        Plot::lines("d", &["nan"]).attach(evidence);
        Plot::latency("e", &["nan"], vec![]).attach(evidence);
        Plot::lines("f", &["flat"]).with_column(9).attach(evidence);
        Plot::lines("g", &[]).attach(evidence);
    };
    let mut dossier = partial();
    let mut evidence = Evidence { law: String::from("L0.honesty"), ..Evidence::default() };
    evidence.samples.push(samples("flat", "1", &[4], vec![0.0; 4]));
    evidence.samples.push(samples("square", "1", &[2, 2], vec![0.0; 4]));
    evidence.samples.push(samples("lie", "1", &[usize::MAX, 3], vec![0.0; 4]));
    evidence.samples.push(samples("nan", "s", &[2], vec![f64::NAN, f64::INFINITY]));
    broken(&mut evidence);
    evidence.facts["plot"].as_array().unwrap();
    evidence.facts.get_mut("plot").unwrap().as_array_mut().unwrap().push(serde_json::json!({"kind": "pie"}));
    dossier.evidence.push(evidence);
    let page = html(&dossier, &Page::default());
    check(&page);
    assert_eq!(page.matches("class=\"missing\"").count(), 8, "{page}");
    for text in [
        "there are no samples named &#34;substrate&#34;",
        "shapes differ: substrate [4], oracle [2, 2]",
        "have 1 columns and none of number 9",
        "there is no curve to draw",
        "unknown variant `pie`",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn plots_survive_extreme_numbers() {
    for values in [
        vec![f64::MAX, f64::MIN, 0.0],
        vec![5e-324, -5e-324, 0.0],
        vec![f64::NAN, 1.0, f64::INFINITY],
        vec![1.0, 1.0 + f64::EPSILON, 1.0],
        vec![-0.0, 0.0, 0.0],
        vec![1e299, -1e299, 1e-299],
    ] {
        let mut evidence = Evidence { law: String::from("L0.honesty"), ..Evidence::default() };
        for name in ["a", "b", "c"] {
            evidence.samples.push(samples(name, "s", &[3], values.clone()));
        }
        for tick in [1e-300, 1.0, 1e300, f64::NAN, 0.0, -1.0] {
            Plot::agreement("1", "a", "b", "c").with_tick(tick).attach(&mut evidence);
            Plot::raster("2", "a", "b").with_ambiguous("c").with_tick(tick).attach(&mut evidence);
            Plot::lines("3", &["a"]).with_x("b").with_band("a", "c").with_log_x().with_log_y().attach(&mut evidence);
            Plot::lines("4", &["a", "b"]).with_points().with_tick(tick).attach(&mut evidence);
            let quantile = isoform_conformance::output::plot::Quantile::new(values[0], values[0], values[1], values[2]);
            Plot::latency("5", &["a"], vec![quantile]).attach(&mut evidence);
            let fit = isoform_conformance::output::plot::Fit::new("fit", values[0], values[1], values[2]);
            Plot::step_response("6", &["a"], vec![fit]).with_tick(tick).attach(&mut evidence);
        }
        let mut dossier = partial();
        dossier.evidence.push(evidence);
        check(&html(&dossier, &Page::default()));
    }
}

#[test]
fn badges_are_well_formed_and_say_the_claim() {
    for (dossier, text) in [(motley(), "claims nothing"), (partial(), "exact-digital/L0/1"), (realistic(), "exact-digital/L4/1")]
    {
        let badge = badge(&dossier);
        let tree = roxmltree::Document::parse(&badge).unwrap();
        assert!(tree.descendants().any(|n| n.has_tag_name(("http://www.w3.org/2000/svg", "text")) && n.text() == Some(text)));
    }
}

/// Leaves the page of a whole run in the build folder, to be looked at.
#[test]
fn a_whole_run_can_be_looked_at() {
    for (name, dossier) in [("full", realistic()), ("partial", partial()), ("motley", motley()), ("failing", failing())] {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("output").join(name);
        write(&dir, &dossier).unwrap();
        assert!(std::fs::metadata(dir.join("report.html")).unwrap().len() < 1_500_000);
    }
}

#[test]
fn plots_of_media_say_what_was_found() {
    use isoform_conformance::output::plot::Plot;
    let mut dossier = partial();
    let mut evidence = Evidence { law: String::from("L1.reset"), ..Evidence::default() };
    // white noise by halves: ±1 in turns, so that means of two are nought
    let turns: Vec<f64> = (0..64).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 }).collect();
    evidence.samples.push(samples("noise", "V", &[64, 1], turns));
    evidence.samples.push(samples("nought", "V", &[64, 1], vec![0.0; 64]));
    Plot::allan("How it settles", "noise", "nought").with_tick(1e-3).attach(&mut evidence);
    Plot::allan("How 1/f noise settles", "noise", "nought").with_flat().attach(&mut evidence);
    // two outputs under quiet, input 0 and input 1, two ticks each: output 1 is off by a quarter under input 1
    let off = vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.125, 0.0, 0.375];
    evidence.samples.push(samples("seen", "1", &[6, 2], off));
    evidence.samples.push(samples("said", "1", &[6, 2], vec![0.0; 12]));
    evidence.samples.push(samples("which", "1", &[6], vec![0.0, 0.0, 1.0, 1.0, 2.0, 2.0]));
    evidence.samples.push(samples("margin", "1", &[1], vec![0.2]));
    Plot::error_map("Where it is off", "seen", "said", "which").with_bound("margin").attach(&mut evidence);
    // channel 0 every four ticks, channel 1 once
    let spikes = (0..40).flat_map(|t| [f64::from(u8::from(t % 4 == 0)), f64::from(u8::from(t == 7))]).collect();
    evidence.samples.push(samples("spikes", "1", &[40, 2], spikes));
    Plot::spikes("It lives", "spikes").with_tick(1e-3).attach(&mut evidence);
    dossier.evidence.push(evidence);
    let page = html(&dossier, &Page::default());
    check(&page);
    for text in [
        "Of 64 samples, single ones differ by 1.414\u{a0}V and means over 11\u{a0}ms by 128.6\u{a0}mV; the least is",
        "The largest mean error is 0.25, of output 1 under input 1 alone; the margin is 0.2.",
        "beyond the margin",
        "11 spikes of 2 channels in 40\u{a0}ms: 137.5\u{a0}Hz a channel in the mean; 9 intervals, half of them of 4\u{a0}ms or less.",
    ] {
        assert!(
            page.contains(text),
            "{text}: {}",
            page.split("class=\"finding\"").skip(1).map(|p| &p[..p.len().min(260)]).collect::<String>()
        );
    }
    assert_eq!(page.matches("<svg class=\"plot wide\"").count(), 4);
    // 1/f noise beside the one alone that asks for it; shades up to the margin
    assert_eq!(page.matches("1/f noise: flat").count(), 1);
    assert!(
        page.contains("up to 0.2<"),
        "{}",
        page.split("up to ").skip(1).map(|p| &p[..p.len().min(20)]).collect::<Vec<_>>().join("|")
    );
}
