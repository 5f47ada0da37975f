//! `L2.trains`: spikes over a longer run, as an experimenter sees them.
//!
//! State-forced comparison looks at one tick at a time; this law lets substrate and oracle run freely. It reports the latency at which the
//! trains coincide best, and the distances that remain there: Victor and Purpura 1996 with a cost of one per five milliseconds, and van
//! Rossum 2001 with a kernel of five milliseconds. It fails if the latency is not nought, or if a train leaves the reference in a tick in
//! which accumulated rounding does not explain it (see `blind`). From a tick on in which rounding may decide, a lane is left out, so that
//! several lanes run side by side.

use crate::bench::advance;
use crate::bench::{Bench, DT};
use crate::blind;
use crate::law::{Law, Verdict, if_taken};
use crate::output::plot::Plot;
use crate::plan::Plan;
use crate::record::{Evidence, Level, Status};
use crate::spikes;
use crate::trial::single;
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Profile;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.trains",
    title: "trains of spikes agree with the reference, at latency nought",
    level: Level::L2,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge,
};

const TICKS: usize = 400;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let semantics = bench.home()?.semantics;
    let (channels, batch) = (bench.channels(4), bench.batch(4));
    for id in [library::LIF, library::CUBA_LIF, library::IF].into_iter().filter(|id| bench.has(id)) {
        let plan = Plan::single(bench.neuron(id, channels), channels, semantics);
        let Ok(program) = plan.build() else { continue };
        let run = Run::new().with_batch(batch).with_seed(bench.seed);
        let Ok(mut session) = bench.try_open(&program, &run)? else { continue };
        let trains = batch * channels;
        let x = bench.drive(&mut bench.chance(), TICKS * trains);
        let y = advance(&mut session, &x, TICKS)?;
        let reference: Vec<f64> = Oracle::new(&program, &run).run(&x);
        evidence.note("plan", &plan);
        evidence.note("seed", bench.seed);
        evidence.note("lanes", batch);
        evidence.keep_single("input", "1", &[TICKS, trains], &x);
        evidence.keep_single("substrate", "1", &[TICKS, trains], &y);
        evidence.keep("oracle", "1", &[TICKS, trains], reference);
        Plot::raster(format!("Spikes of {id}"), "substrate", "oracle").with_tick(DT).attach(evidence);
        return Ok(());
    }
    evidence.note("none", true);
    Ok(())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if evidence.fact::<bool>("none") == Some(true) {
        return Verdict::new(Status::NotClaimed, "the substrate takes no spiking neuron of the library");
    }
    let (Some(plan), Some(x), Some(y)) = (evidence.fact::<Plan>("plan"), evidence.sample("input"), evidence.sample("substrate"))
    else {
        return Verdict::error("the plan or a record is missing");
    };
    let program = match plan.build() {
        Ok(program) => program,
        Err(e) => return Verdict::error(e.to_string()),
    };
    let batch = evidence.fact("lanes").unwrap_or(1_usize).max(1);
    let run = Run::new().with_batch(batch).with_seed(evidence.fact("seed").unwrap_or(0));
    let channels = batch.saturating_mul(program.output_channels());
    let input = single(&x.values);
    let row = batch.saturating_mul(program.input_channels());
    if input.len() < row || !input.len().is_multiple_of(row) || y.values.len() / channels != input.len() / row {
        return Verdict::error("the records do not fit the program");
    }
    let reference = Oracle::new(&program, &run).run(&input);
    let trains = |values: &[f64]| -> Vec<Vec<usize>> { (0..channels).map(|c| spikes::train(values, channels, c)).collect() };
    let (ours, theirs) = (trains(&y.values), trains(&reference));
    let latency = spikes::latency(&ours, &theirs, 8);
    let sum = |f: &dyn Fn(&[f64], &[f64]) -> f64| -> f64 {
        ours.iter().zip(&theirs).map(|(a, b)| f(&spikes::times(a, -latency, DT), &spikes::times(b, 0, DT))).sum()
    };
    let victor_purpura = sum(&|a, b| spikes::victor_purpura(a, b, 200.0));
    let van_rossum = sum(&|a, b| spikes::van_rossum(a, b, 5e-3));
    let count: usize = theirs.iter().map(Vec::len).sum();
    let free = blind::compare(&program, &run, &profile.accuracy, &input, &single(&y.values));
    let verdict = if latency != 0 {
        Verdict::fail(format!("the trains coincide best at a latency of {latency} ticks"))
    } else if let Some(why) = free.broken {
        Verdict::fail(why)
    } else if count == 0 {
        Verdict::error("the reference does not fire, so that there is nothing to compare")
    } else {
        Verdict::pass(format!("{count} spikes of {channels} trains at latency nought, Victor-Purpura distance {victor_purpura}"))
    };
    verdict
        .with_limit("latency", latency as f64, "ticks", 0.0)
        .with_figure("Victor-Purpura distance at that latency", victor_purpura, "1")
        .with_figure("van Rossum distance at that latency", van_rossum, "1")
        .with_figure("spikes of the reference", count as f64, "1")
        .with_figure("numbers compared", free.compared as f64, "1")
        .with_figure("lanes left out after an ambiguous tick", free.ambiguous as f64, "1")
}
