//! `L2.functions`: the transfer functions of the library, under every semantics that the substrate takes.
//!
//! It proves for each function, each preset and each answer to a question of the semantics that outputs and states are those of the
//! definition. Parameters differ from channel to channel; a second trial draws all of them from their nominal ranges, a
//! third has thresholds and time constants over several decades with inputs over the range of inputs, and one neuron is tried at hundreds of
//! channels (see `sizes`); where a profile takes any function, one that draws is tried. Tolerances are those of a state-forced comparison: the
//! rounding that the accuracy table of the profile allows in one tick (see `trial`).

use crate::bench::{Bench, DT, advance};
use crate::blind;
use crate::drawn;
use crate::law::{Law, if_repeatable};
use crate::output::plot::Plot;
use crate::plan::{Plan, What};
use crate::record::{Evidence, Level};
use crate::sizes::Axis;
use crate::trial;
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::oracle::Oracle;
use isoform_core::semantics::{Compare, Decay, Drive, Number, Order, Preset, Reset, Semantics, Test};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.functions",
    title: "every transfer function is computed as it is defined, under every semantics",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_repeatable,
    statistical: false,
    measure,
    judge: trial::judge,
};

const TICKS: usize = 40;

const FUNCTIONS: [&str; 8] =
    [library::LIF, library::CUBA_LIF, library::IF, library::LI, library::CUBA_LI, library::I, library::THRESHOLD, library::SCALE];

/// The presets, and the answers that no preset combines.
pub(super) fn variants(bench: &Bench<'_>) -> Vec<Semantics> {
    let exact = Preset::Exact.semantics(DT);
    let euler = exact.with_decay(Decay::Euler);
    let mut variants = bench.semantics();
    for base in [exact, euler] {
        variants.extend(Drive::ALL.iter().map(|&d| base.with_drive(d)));
        variants.extend(Order::ALL.iter().map(|&o| base.with_order(o)));
        variants.extend(Compare::ALL.iter().map(|&c| base.with_compare(c)));
        variants.extend(Reset::ALL.iter().map(|&r| base.with_reset(r)));
        variants.extend([Reset::ToValue, Reset::Subtract].map(|r| base.with_test(Test::BeforeFlow).with_reset(r)));
        variants.push(base.with_input_delay(2));
        variants.push(base.with_order(Order::Staged).with_drive(Drive::ImpulseBefore));
    }
    let runge_kutta = exact.with_decay(Decay::RungeKutta);
    variants.extend([euler.with_order(Order::Staged), euler, runge_kutta].map(|s| s.with_substeps(3)));
    variants.extend(Compare::ALL.iter().map(|&c| runge_kutta.with_compare(c)));
    let mut distinct: Vec<Semantics> = Vec::new();
    for variant in variants {
        if !distinct.contains(&variant) && (bench.profile.takes.fixed || variant.number == Number::Real) {
            distinct.push(variant);
        }
    }
    distinct
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let (channels, batch) = (bench.channels(3), bench.batch(2));
    let mut chance = bench.chance();
    for id in FUNCTIONS.into_iter().filter(|id| bench.has(id)) {
        for (n, semantics) in variants(bench).into_iter().enumerate() {
            let plan = Plan::single(bench.neuron(id, channels), channels, semantics);
            // a platform does not have every neuron
            if plan.build().is_err() {
                continue;
            }
            let x = bench.drive(&mut chance, TICKS * batch * channels);
            let name = semantics.preset().map_or_else(|| format!("answers {n}"), |p| p.to_string());
            bench.trial(evidence, &format!("{id} under {name}"), &plan, batch, &x)?;
        }
        let home = bench.home()?.semantics;
        let drawn = Plan::single(drawn(bench, id, channels)?, channels, home);
        if drawn.build().is_ok() {
            let x = bench.drive(&mut chance, TICKS * batch * channels);
            bench.trial(evidence, &format!("{id} with drawn parameters"), &drawn, batch, &x)?;
        }
        if let Some((plan, x)) = bench.scaled(id, home) {
            bench.trial(evidence, &format!("{id} over all scales"), &plan, 1, &x)?;
        }
    }
    // without a readable state no bound covers what is drawn
    if bench.profile.facets.memory
        && let Some(plan) = drawn::plan(bench)?
    {
        let x = bench.drive(&mut chance, TICKS * batch * channels);
        bench.trial(evidence, "draws", &plan, batch, &x)?;
    }
    bench.wide(evidence, Axis::Channels)?;
    portray(bench, evidence)
}

/// Keeps a free run of a membrane beside the oracle, with the bound on accumulated rounding, to be looked at.
fn portray(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const LENGTH: usize = 200;
    let semantics = bench.home()?.semantics;
    for id in [library::CUBA_LI, library::LI, library::I].into_iter().filter(|id| bench.has(id)) {
        let plan = Plan::single(bench.neuron(id, 1), 1, semantics);
        let Ok(program) = plan.build() else { continue };
        let run = Run::new().with_seed(bench.seed);
        let Ok(mut session) = bench.try_open(&program, &run)? else { continue };
        let x = bench.drive(&mut bench.chance(), LENGTH);
        let y = advance(&mut session, &x, LENGTH)?;
        let reference = Oracle::new(&program, &run).run(&x);
        let largest = reference.iter().fold(1.0_f64, |m, v| m.max(v.abs())).max(bench.span()[1].abs());
        let growth = blind::growth(&program, &bench.profile.accuracy, largest);
        evidence.keep_single("substrate", "V", &[LENGTH, 1], &y);
        evidence.keep("oracle", "V", &[LENGTH, 1], reference);
        evidence.keep("bound", "V", &[LENGTH, 1], (1..=LENGTH).map(|t| t as f64 * growth).collect());
        Plot::agreement(format!("Membrane of {id} in a free run"), "substrate", "oracle", "bound")
            .with_tick(DT)
            .with_caption("The error stays within the bound on rounding that adds up from tick to tick.")
            .attach(evidence);
        return Ok(());
    }
    Ok(())
}

/// A function with parameters from the whole of their nominal ranges.
fn drawn(bench: &Bench<'_>, id: &str, channels: usize) -> Result<What> {
    let mut chance = bench.chance();
    let neuron = crate::plan::neuron(id)?;
    let draw = |p: &isoform_core::dynamics::Parameter| {
        let [low, high] = p.quantity.range;
        (p.quantity.name.to_owned(), (0..channels).map(|_| chance.within(low, high)).collect())
    };
    let parameters = neuron.function().signature().parameters.iter().map(draw).collect();
    Ok(What::Neuron { function: id.to_owned(), parameters })
}
