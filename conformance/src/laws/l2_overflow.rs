//! `L2.overflow`: what cannot be represented shows.
//!
//! It proves that a product beyond the largest number of the format comes out as no finite number, is counted as clipped, or is an error;
//! that it never looks like a result. It needs a scale or a dense map and a range of inputs that reaches far enough; otherwise
//! there is nothing that could overflow, and the evidence says so.

use crate::bench::{Bench, narrow};
use crate::checks;
use crate::law::{Law, if_taken};
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.overflow",
    title: "a result beyond the largest number does not pass for a number",
    level: Level::L2,
    needs: "a range that reaches the end of the number format",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let [low, high] = bench.profile.limits.input;
    let semantics = bench.home()?.semantics;
    let scale = What::Neuron { function: library::SCALE.to_owned(), parameters: vec![(String::from("scale"), vec![8.0])] };
    let dense = What::Dense { rows: 1, cols: 1, weight: vec![8.0], bias: None };
    let mut tried = false;
    for (kind, what) in [(library::SCALE, scale), ("dense", dense)] {
        let plan = Plan::single(what, 1, semantics);
        if !bench.has(kind) || 4.0 * high < bench.profile.accuracy.largest || plan.build().is_err() {
            continue;
        }
        let Ok(mut session) = bench.try_open(&plan.build()?, &Run::new())? else { continue };
        tried = true;
        let x = [narrow(high, low, high)];
        let mut y = [0.0];
        let answer = match session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1) {
            Ok(_) if !y[0].is_finite() => "not finite",
            Ok(report) if report.clipped > 0 => "counted as clipped",
            Ok(_) => "a finite number",
            Err(_) => "an error",
        };
        evidence.check(
            format!("{kind}: eight times the largest input"),
            &["not finite", "counted as clipped", "an error"],
            answer,
        );
    }
    if !tried {
        evidence.lacking("there is no linear function, or nothing within its range of inputs can overflow");
    }
    Ok(())
}
