//! `L2.isolation`: under noise, an input reaches the outputs that the program leads it to, and no others.
//!
//! It proves that with one input driven and all others quiet, the mean difference of every output to the program lies within the declared margin:
//! what leaks from channel to channel shows where the program says nought. The tests are those of `L2.equivalence`.

use crate::agreement;
use crate::bench::{Bench, narrow};
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Order, STAGES};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.isolation",
    title: "under noise, an input reaches its own outputs alone",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// Inputs that are driven, one at a time.
const DRIVEN: usize = 8;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    agreement::measure(bench, evidence, Order::Random, |bench, program, _| {
        let inputs = program.input_channels();
        let [low, high] = bench.span();
        let quiet = vec![narrow(0.0_f64.clamp(low, high), low, high); inputs];
        let one = |k: usize| {
            let mut row = quiet.clone();
            row[k] = narrow(high, low, high);
            row
        };
        std::iter::once(quiet.clone()).chain((0..inputs.min(DRIVEN)).map(one)).collect()
    }, |_, _, _, _| true)?;
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    if let (Ok(medium), false) = (bench.medium(), tried.is_empty()) {
        evidence.keep("margin", "1", &[1], vec![medium.margin]);
    }
    for name in tried {
        let part = |what: &str| format!("{name}/{}/{what}", STAGES[0]);
        let map = Plot::error_map(format!("Error of each entry, {name}"), part("output"), part("program"), part("stimulus"))
            .with_bound("margin");
        let what = "The magnitude of the mean difference to the program, with one input at its largest and the others quiet";
        let chopped = evidence.fact::<Design>(&format!("design of {name}")).is_some_and(|d| d.coloured);
        match chopped {
            true => map.with_reference().with_caption(format!("{what}, less that of quiet inputs, since the noise is like 1/f.")),
            false => map.with_caption(format!("{what}.")),
        }
        .attach(evidence);
    }
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    agreement::judge(evidence, profile, |stimulus| match stimulus.checked_sub(1) {
        Some(input) => format!("input {input} alone"),
        None => String::from("quiet"),
    })
}
