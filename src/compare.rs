//! A substrate beside the oracle: agreement tick by tick, agreement of whole runs, and cost.

mod cost;
mod trains;

pub use cost::Cost;
pub use trains::{Agreement, Trains, Values, agreement};

use crate::run::check_input;
use isoform_conformance::law::repeats;
use isoform_core::error::Result;
use isoform_core::executor::block_on;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Class;
use isoform_core::program::Program;
use isoform_core::session::Session;
use isoform_core::signal::{Signal as Block, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_core::witness::{Mismatch, Witness};
use isoform_formats::signal::{Dense, Signal};
use serde::{Deserialize, Serialize};

/// How many mismatches are kept by name; all are counted.
const KEPT: usize = 3;

/// What a substrate made of a program and a signal, held against the oracle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// The substrate, as it was named.
    pub locator: String,
    /// What it calls itself.
    pub name: String,
    /// The class by which it wants to be judged.
    pub class: Class,
    /// The comparison from the substrate's own state in each tick; absent if it cannot save its state.
    pub forced: Option<Forced>,
    /// The comparison of whole runs.
    pub free: Agreement,
    /// What the run cost.
    pub cost: Cost,
}

/// A comparison that starts each tick from the substrate's own state.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Forced {
    /// Ticks that were judged.
    pub ticks: usize,
    /// Numbers that were compared.
    pub compared: usize,
    /// Spikes that the rounding of the substrate does not decide.
    pub ambiguous: usize,
    /// The largest error in units of its bound; absent if a number has no bound.
    pub worst: Option<f64>,
    /// Numbers beyond their bound.
    pub mismatches: usize,
    /// The first of them.
    pub first: Vec<Found>,
}

/// A number beyond its bound, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The tick.
    pub tick: usize,
    /// What was found.
    #[serde(flatten)]
    pub mismatch: Mismatch,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The substrate computes what the definition says, within its declared rounding.
    Agrees,
    /// It computes something else.
    Disagrees,
    /// This comparison cannot tell a fault from what the substrate declares: it is noisy, or its state cannot be read and whole
    /// runs differ.
    Undecided,
}

impl Comparison {
    /// What follows from the numbers.
    ///
    /// Where the state can be read, an ambiguous tick may lead two honest runs apart, so that only the comparison from the
    /// substrate's own state counts.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.forced {
            _ if !repeats(self.class) => Verdict::Undecided,
            Some(forced) if forced.mismatches > 0 => Verdict::Disagrees,
            Some(_) => Verdict::Agrees,
            None if self.free.is_equal() => Verdict::Agrees,
            None => Verdict::Undecided,
        }
    }
}

/// Compares a substrate with the oracle. The progress counts the ticks of the comparison from the substrate's own state.
///
/// # Errors
/// As [`run`](crate::run::run()).
pub fn compare(
    locator: &str,
    substrate: &dyn Substrate,
    program: &Program,
    input: &Signal,
    seed: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Comparison> {
    check_input(program, input)?;
    let dense = input.clone().into_dense().map_err(|e| isoform_core::error::Error::invalid_signal(e.to_string()))?;
    let run = Run::new().with_batch(dense.batch).with_seed(seed);
    let profile = substrate.profile();
    let forced = if profile.facets.memory { Some(block_on(forced(substrate, program, &run, &dense, progress))?) } else { None };
    let (seen, cost) = block_on(cost::measured(substrate, program, &run, &dense))?;
    let expected = Oracle::new(program, &run).run(&dense.data);
    let free = agreement(program, dense.batch, &seen, &expected, &profile.accuracy);
    let (name, class) = (profile.name.clone(), profile.class);
    Ok(Comparison { locator: locator.to_owned(), name, class, forced, free, cost })
}

async fn forced(
    substrate: &dyn Substrate,
    program: &Program,
    run: &Run,
    input: &Dense,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Forced> {
    let mut session = Session::open(substrate, program, &run.clone().with_max_ticks(1)).await?;
    let mut witness = Witness::new(program, run, &substrate.profile().accuracy);
    let mut found = Forced { worst: Some(0.0), ..Forced::default() };
    let mut y = vec![0.0; run.output(program, 1).len()];
    let mut before = session.save().await?;
    for x in input.data.chunks_exact(run.input(program, 1).len().max(1)) {
        session.advance(Block::Dense(x), SignalMut::Dense(&mut y), 1).await?;
        let after = session.save().await?;
        let judged = witness.judge(&before, x, &y, &after)?;
        found.ticks += 1;
        found.compared += judged.compared;
        found.ambiguous += judged.ambiguous;
        found.worst = found.worst.map(|w| w.max(judged.worst)).filter(|w| w.is_finite());
        found.mismatches += judged.mismatches.len();
        let room = KEPT.saturating_sub(found.first.len());
        found.first.extend(judged.mismatches.into_iter().take(room).map(|mismatch| Found { tick: found.ticks - 1, mismatch }));
        progress(found.ticks, input.ticks);
        // nothing follows from a state that is no number
        if after.check(program, run.batch).is_err() {
            break;
        }
        before = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, compare};
    use crate::conformance::defects::{Defect, Faulty};
    use crate::prelude::{Builder, Semantics, lif};
    use isoform_core::oracle::OracleSubstrate;
    use isoform_formats::signal::{Dense, Signal};
    use std::sync::Arc;

    #[test]
    fn a_substrate_that_departs_is_told_by_node_and_tick() {
        let mut net = Builder::new();
        let x = net.input("x", [1]);
        let spikes = net.node("lif", lif().with("tau", 10e-3).with("v_threshold", 0.25), x);
        net.output("spikes", spikes);
        let program = net.build(Semantics::exact(1e-3)).expect("a program");
        // four ticks of rest, then drive
        let data = [[0.0_f32; 4], [1.0; 4]].concat();
        let input = Signal::Dense(Dense { ticks: 8, batch: 1, channels: 1, data, dt: None });
        let told = |defect| {
            let substrate = Faulty::new(Arc::new(OracleSubstrate::new()), defect);
            compare("oracle:", &substrate, &program, &input, 0, &mut |_, _| ()).expect("compared")
        };
        assert_eq!(told(Defect::None).verdict(), Verdict::Agrees);
        // an input that is three percent too strong leads the membrane astray as soon as there is one, and the spike comes no sooner
        let found = told(Defect::Gain);
        assert_eq!(found.verdict(), Verdict::Disagrees);
        let forced = found.forced.expect("its state can be read");
        let first = &forced.first[0];
        assert_eq!((first.tick, first.mismatch.node.as_str()), (4, "lif"));
    }
}
