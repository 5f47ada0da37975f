//! Dossiers for the tests of the outputs.
#![allow(dead_code, reason = "each test file uses some of them")]

use isoform_conformance::output::plot::{Fit, Plot, Quantile};
use isoform_conformance::record::*;
use isoform_core::profile::{Class, Facets, Profile};
use serde_json::json;
use std::collections::BTreeMap;

pub(crate) fn figure(name: &str, value: f64, unit: &str, limit: Option<f64>) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned(), limit }
}

pub(crate) fn outcome(
    law: &str,
    title: &str,
    requirement: Requirement,
    status: Status,
    reason: &str,
    figures: Vec<Figure>,
) -> Outcome {
    let level = law.split('.').next().unwrap().parse().unwrap();
    Outcome {
        law: law.to_owned(),
        title: title.to_owned(),
        level,
        requirement,
        status,
        reason: reason.to_owned(),
        figures,
        seconds: 0.0125,
    }
}

pub(crate) fn samples(name: &str, unit: &str, shape: &[usize], values: Vec<f64>) -> Samples {
    Samples { name: name.to_owned(), unit: unit.to_owned(), shape: shape.to_vec(), values }
}

pub(crate) fn dossier(locator: &str, asked: Level, claim: Option<Level>, outcomes: Vec<Outcome>) -> Dossier {
    let profile = Profile::digital("cpu", "0.1.0").with_facets(Facets { memory: true, tuning: true, ..Facets::default() });
    Dossier {
        schema: SCHEMA,
        provenance: Provenance {
            locator: locator.to_owned(),
            profile,
            suite: String::from("0.1.0"),
            seed: 20_240_607,
            started: String::from("2025-03-01T12:00:00Z"),
            notes: BTreeMap::from([(String::from("temperature"), String::from("23.4 °C"))]),
            waivers: Vec::new(),
        },
        asked,
        claim: claim.map(|level| Claim { class: Class::ExactDigital, level, suite: SUITE }),
        outcomes,
        ledger: Ledger::default(),
        evidence: Vec::new(),
    }
}

/// Every status, and no claim.
pub(crate) fn motley() -> Dossier {
    use Requirement::{Impossible, Optional, Required};
    let outcomes = vec![
        outcome(
            "L0.honesty",
            "What is claimed is there, and nothing else.",
            Required,
            Status::Pass,
            "all 4 facets are as claimed",
            vec![],
        ),
        outcome(
            "L0.bad-input",
            "Bad input is refused and the state stays.",
            Required,
            Status::Fail,
            "a chunk of NaN was taken without a word; refuse it in `advance`",
            vec![figure("chunks that were taken", 3.0, "1", Some(0.0))],
        ),
        outcome(
            "L0.timeout",
            "A lost reply ends the call.",
            Required,
            Status::Error,
            "the substrate was lost before the law was tried",
            vec![],
        ),
        outcome(
            "L0.busy",
            "A second realization works or is refused.",
            Optional,
            Status::NotClaimed,
            "the profile promises one realization",
            vec![],
        ),
        outcome("L1.reset", "A reset forgets.", Required, Status::NotClaimed, "reset is refused", vec![]),
        outcome(
            "L1.split",
            "Chunks may be split anywhere.",
            Impossible,
            Status::NotClaimed,
            "the medium never stands still",
            vec![],
        ),
        outcome(
            "L2.agreement",
            "It computes what the oracle computes.",
            Required,
            Status::Inconclusive,
            "the interval of the error contains the limit",
            vec![figure("error", 0.98, "bounds", Some(1.0)), figure("ticks", 4096.0, "1", None)],
        ),
        outcome(
            "L2.gain",
            "Its gain is as declared.",
            Required,
            Status::Waived,
            "gain is 3 % low; accepted until 2026-01-01: board revision B",
            vec![figure("gain", 0.97, "V/V", Some(0.99))],
        ),
    ];
    dossier("serial:/dev/ttyACM0", Level::L2, None, outcomes)
}

/// A claim of a lower level than was asked for.
pub(crate) fn partial() -> Dossier {
    use Requirement::Required;
    let outcomes = vec![
        outcome(
            "L0.honesty",
            "What is claimed is there, and nothing else.",
            Required,
            Status::Pass,
            "all 4 facets are as claimed",
            vec![],
        ),
        outcome(
            "L1.reset",
            "A reset forgets.",
            Required,
            Status::Fail,
            "5 % of the state is left.",
            vec![figure("left of the state", 0.05, "1", Some(0.0))],
        ),
    ];
    dossier("cpu:?threads=2", Level::L4, Some(Level::L0), outcomes)
}

/// A run as the suite leaves it behind, with plots of every kind.
pub(crate) fn realistic() -> Dossier {
    use Requirement::{Optional, Required};
    let p =
        |law: &str, title: &str, reason: &str, figures: Vec<Figure>| outcome(law, title, Required, Status::Pass, reason, figures);
    let outcomes = vec![
        p("L0.descriptor", "The profile survives being written and read.", "equal after a round trip", vec![]),
        p(
            "L0.honesty",
            "What the profile claims is there, and what it does not claim refuses.",
            "4 of 4 facets are as claimed",
            vec![],
        ),
        p(
            "L0.bad-input",
            "Bad input is a typed error and leaves the state as it was.",
            "7 of 7 kinds of bad input were refused",
            vec![figure("kinds that were taken", 0.0, "1", Some(0.0))],
        ),
        p("L0.reopen", "It can be closed and opened again.", "equal to the bit after 8 re-openings", vec![]),
        outcome(
            "L0.plasticity",
            "Learning refuses where it is not claimed.",
            Optional,
            Status::NotClaimed,
            "the profile does not claim plasticity, and `learn` is refused",
            vec![],
        ),
        p(
            "L1.reset-histories",
            "After a reset nothing is left of the history.",
            "4 histories end in one state",
            vec![figure("largest difference", 0.0, "1", Some(0.0))],
        ),
        p(
            "L1.split",
            "Advancing a chunk is advancing its parts.",
            "32 ragged splits are equal to the bit",
            vec![figure("splits", 32.0, "1", None), figure("largest difference", 0.0, "1", Some(0.0))],
        ),
        p("L1.save-load", "A saved state continues the same trajectory.", "12 branches are equal to the bit", vec![]),
        p("L1.lanes", "Lanes do not see each other.", "8 lanes are independent", vec![figure("cross-talk", 0.0, "1", Some(0.0))]),
        p(
            "L2.agreement",
            "It computes what the oracle computes, to within the bound that its arithmetic allows.",
            "every error lies within its bound",
            vec![
                figure("largest error", 0.37, "bounds", Some(1.0)),
                figure("largest error, absolute", 4.1e-7, "V", Some(2.4e-6)),
                figure("ticks", 4096.0, "1", None),
                figure("lanes", 3.0, "1", None),
            ],
        ),
        p(
            "L2.step-response",
            "It answers a step with the declared time constants.",
            "both time constants are as declared",
            vec![
                figure("membrane time constant", 0.02, "s", Some(0.02)),
                figure("synapse time constant", 0.005, "s", Some(0.005)),
            ],
        ),
        p(
            "L2.spikes",
            "It spikes when the oracle spikes; ambiguous ticks may go either way.",
            "no unambiguous mismatch",
            vec![figure("mismatches", 0.0, "1", Some(0.0)), figure("ambiguous ticks", 3.0, "1", None)],
        ),
        p(
            "L2.fingerprint",
            "The semantics that probes infer are those that are declared.",
            "decay exact, order synapse first, reset subtract, compare ≥, latency 0",
            vec![],
        ),
        p(
            "L3.long-run",
            "It does not drift in a million ticks.",
            "bit-equal to the split run after 1 000 000 ticks",
            vec![figure("ticks", 1e6, "1", None), figure("growth of memory", 0.0, "B", Some(65536.0))],
        ),
        p(
            "L4.latency",
            "What one call costs.",
            "measured over 4096 calls",
            vec![figure("p50", 1.32e-6, "s", None), figure("p99", 2.9e-6, "s", None), figure("jitter", 3.4e-7, "s", None)],
        ),
        p(
            "L4.throughput",
            "What a tick costs against the batch.",
            "measured for batches 1 to 1024",
            vec![figure("best throughput", 2.61e8, "ticks/s", None)],
        ),
    ];
    let mut dossier = dossier("cpu:", Level::L4, Some(Level::L4), outcomes);
    for law in dossier.outcomes.clone() {
        let mut evidence = Evidence { law: law.law.clone(), seconds: law.seconds, ..Evidence::default() };
        evidence.facts.insert(String::from("order"), json!(["shuffled", 3]));
        match law.law.as_str() {
            "L2.agreement" => agreement(&mut evidence),
            "L2.step-response" => step(&mut evidence),
            "L2.spikes" => raster(&mut evidence),
            "L4.latency" => latency(&mut evidence),
            "L4.throughput" => throughput(&mut evidence),
            _ => {}
        }
        dossier.evidence.push(evidence);
    }
    dossier
}

/// The realistic run on a substrate whose gain creeps and that loses two spikes.
pub(crate) fn failing() -> Dossier {
    let mut dossier = realistic();
    dossier.claim = dossier.claim.map(|claim| Claim { level: Level::L1, ..claim });
    for outcome in dossier.outcomes.iter_mut().filter(|o| o.law == "L2.agreement" || o.law == "L2.spikes") {
        outcome.status = Status::Fail;
        outcome.reason = String::from("the substrate leaves what its arithmetic allows");
    }
    for evidence in &mut dossier.evidence {
        let Some(substrate) = evidence.samples.iter_mut().find(|s| s.name == "substrate") else { continue };
        if evidence.law == "L2.agreement" {
            for (tick, v) in substrate.values.iter_mut().enumerate() {
                *v += 3e-10 * tick as f64;
            }
        } else {
            let spikes = substrate.values.iter_mut().filter(|v| **v != 0.0);
            spikes.skip(30).step_by(25).take(2).for_each(|v| *v = 0.0);
        }
    }
    dossier
}

/// Numbers that look random: a linear congruential generator (Knuth, MMIX), uniform in [0, 1).
pub(crate) struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A leaky integrator with reset in double and single precision.
pub(crate) fn agreement(evidence: &mut Evidence) {
    let (ticks, alpha) = (600, (-1.0_f64 / 200.0).exp());
    let (mut v64, mut v32) = (-0.07_f64, -0.07_f32);
    let (mut substrate, mut oracle, mut bound, mut width) = (vec![], vec![], vec![], 0.0_f64);
    for t in 0..ticks {
        let drive = 0.025 * (1.0 + 0.3 * (t as f64 / 40.0).sin());
        v64 = -0.07 + (v64 + 0.07) * alpha + drive * (1.0 - alpha);
        v32 = -0.07 + (v32 + 0.07) * alpha as f32 + (drive * (1.0 - alpha)) as f32;
        width = width * alpha + 4.0 * v64.abs() * f64::from(f32::EPSILON) / 2.0;
        if v64 > -0.052 {
            (v64, v32) = (-0.07, -0.07);
            width = f64::from(f32::EPSILON) * 0.07;
        }
        substrate.push(f64::from(v32));
        oracle.push(v64);
        bound.push(width);
    }
    evidence.samples.push(samples("substrate", "V", &[ticks, 1], substrate));
    evidence.samples.push(samples("oracle", "V", &[ticks, 1], oracle));
    evidence.samples.push(samples("bound", "V", &[ticks, 1], bound));
    Plot::agreement("Membrane of a leaky integrate-and-fire neuron", "substrate", "oracle", "bound")
        .with_tick(1e-4)
        .with_labels("time", "membrane potential")
        .with_caption("Above, the two traces lie on each other. Below, their difference as a share of what rounding may cause.")
        .attach(evidence);
}

fn step(evidence: &mut Evidence) {
    let ticks = 500;
    let at = |t: usize| t as f64 * 2e-4;
    let membrane: Vec<f64> = (0..ticks).map(|t| 1.0 - (-at(t) / 0.02).exp()).collect();
    let synapse: Vec<f64> = (0..ticks).map(|t| 0.6 * (-at(t) / 0.005).exp()).collect();
    evidence.samples.push(samples("membrane", "V", &[ticks], membrane));
    evidence.samples.push(samples("synapse", "V", &[ticks], synapse));
    Plot::step_response(
        "Response to a step of the input",
        &["membrane", "synapse"],
        vec![Fit::new("fit of the membrane", 0.0, 1.0, 0.02), Fit::new("fit of the synapse", 0.6, 0.0, 0.005)],
    )
    .with_tick(2e-4)
    .attach(evidence);
}

fn raster(evidence: &mut Evidence) {
    let (ticks, channels) = (256, 12);
    let mut draws = Draws(7);
    let mut oracle = vec![0.0; ticks * channels];
    for (place, spike) in oracle.iter_mut().enumerate() {
        let rate = 0.02 + 0.05 * ((place / channels) as f64 / 50.0 + (place % channels) as f64).sin().max(0.0);
        *spike = f64::from(u8::from(draws.next() < rate));
    }
    let mut substrate = oracle.clone();
    let mut ambiguous = vec![0.0; ticks * channels];
    for place in [40 * channels + 3, 121 * channels + 7, 200 * channels + 9] {
        ambiguous[place] = 1.0;
        substrate[place] = 1.0 - oracle[place];
    }
    evidence.samples.push(samples("substrate", "1", &[ticks, channels], substrate));
    evidence.samples.push(samples("oracle", "1", &[ticks, channels], oracle));
    evidence.samples.push(samples("ambiguous", "1", &[ticks, channels], ambiguous));
    Plot::raster("Spikes of the hidden layer", "substrate", "oracle")
        .with_ambiguous("ambiguous")
        .with_tick(1e-3)
        .attach(evidence);
}

fn latency(evidence: &mut Evidence) {
    let mut draws = Draws(3);
    let mut times: Vec<f64> = (0..4096).map(|_| 1.1e-6 * (1.0 + 0.2 * draws.next() + 0.03 / (1e-3 + draws.next()))).collect();
    evidence.samples.push(samples("one chunk of 64 ticks", "s", &[times.len()], times.clone()));
    times.sort_by(f64::total_cmp);
    let rank = |p: f64, k: f64| times[((p * 4096.0 + k * (4096.0 * p * (1.0 - p)).sqrt()) as usize).min(4095)];
    let quantile = |p: f64| Quantile::new(p, rank(p, 0.0), rank(p, -2.576), rank(p, 2.576));
    Plot::latency("Time of one call", &["one chunk of 64 ticks"], vec![quantile(0.5), quantile(0.99)])
        .with_caption("Intervals are those of the order statistics at 99 %.")
        .attach(evidence);
}

fn throughput(evidence: &mut Evidence) {
    let batches: Vec<f64> = (0..11).map(|n| f64::from(1 << n)).collect();
    let rates: Vec<f64> = batches.iter().map(|b| 2.8e8 * b / (b + 60.0)).collect();
    evidence.samples.push(samples("lanes", "1", &[11], batches));
    evidence.samples.push(samples("throughput", "ticks/s", &[11], rates));
    Plot::lines("Throughput against the batch", &["throughput"]).with_x("lanes").with_log_x().with_log_y().attach(evidence);
}
