//! `L4.throughput`: updates a second against batch and chunk.
//!
//! An update is one channel of one lane in one tick of the home program. It reports the median of repeated advances with its 95 % interval by
//! order statistics for 1, 8 and 64 lanes, or as many as there are, and for chunks of 1, 64 and 1024 ticks, and the energy of an update,
//! measured or modelled, where the device tells one. It is a measurement: it passes once everything was measured, and is held against no
//! constant.

use crate::bench::Bench;
use crate::law::{Law, Verdict, always};
use crate::quantile::quantile;
use crate::record::{Evidence, Level, Status};
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::report::{Energy, Report};
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L4.throughput",
    title: "how much it does in a second, by lanes and by the length of chunks",
    level: Level::L4,
    needs: "a clock",
    requirement: always,
    statistical: false,
    measure,
    judge,
};

const REPEATS: usize = 15;
/// The fact of a device that tells what it spends: the energy of an update.
const ENERGY: &str = "energy";

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let mut batches = [1, 8, 64].map(|n| bench.batch(n)).to_vec();
    batches.dedup();
    let mut table = Vec::new();
    let (mut spent, mut all) = (Report::default(), 0.0);
    for batch in batches {
        let run = Run::new().with_batch(batch);
        for ticks in [1, 64, 1024] {
            let mut session = bench.open(&program, &run)?;
            let x = bench.drive(&mut bench.chance(), run.input(&program, ticks).len());
            let mut y = vec![0.0; run.output(&program, ticks).len()];
            let mut rates = Vec::with_capacity(REPEATS);
            // short chunks are timed in groups, so that the clock does not show
            let group = (64 / ticks).max(1);
            for _ in 0..REPEATS {
                let start = bench.now();
                let mut done = 0;
                for _ in 0..group {
                    let report = session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), ticks)?;
                    done += report.ticks;
                    spent.add(&report);
                }
                let updates = (done * batch * program.output_channels()) as f64;
                all += updates;
                rates.push(updates / bench.now().saturating_sub(start).as_secs_f64().max(1e-9));
            }
            let name = format!("{batch} lanes, chunks of {ticks}");
            evidence.keep(&name, "1/s", &[rates.len()], rates);
            table.push(name);
        }
    }
    evidence.note("table", table);
    if let Some(energy) = spent.energy {
        evidence.note(ENERGY, Energy { joules: energy.joules / all, uncertainty: energy.uncertainty / all, ..energy });
    }
    Ok(())
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    let table: Vec<String> = evidence.fact("table").unwrap_or_default();
    let mut verdict = Verdict::pass("");
    let mut best = (0.0, "");
    for name in &table {
        let rates = evidence.sample(name).map(|s| s.values.as_slice()).unwrap_or_default();
        let Some(rate) = quantile(rates, 0.5).filter(|r| r.low.is_finite() && r.low > 0.0) else {
            return Verdict::error(format!("{name}: it was not measured, or nothing was done"));
        };
        if rate.value > best.0 {
            best = (rate.value, name);
        }
        verdict = verdict
            .with_figure(name, rate.value, "1/s")
            .with_figure(&format!("{name}, lower end at 95 %"), rate.low, "1/s")
            .with_figure(&format!("{name}, upper end at 95 %"), rate.high, "1/s");
    }
    if table.is_empty() {
        return Verdict::new(Status::Inconclusive, "nothing was measured");
    }
    verdict.reason = format!("up to {:.3e} updates a second, with {}", best.0, best.1);
    if let Some(Energy { joules, uncertainty, measured }) = evidence.fact(ENERGY) {
        let how = if measured { "measured" } else { "modelled" };
        verdict.reason.push_str(&format!("; {joules:.2e} J an update, {how}"));
        verdict = verdict
            .with_figure(&format!("energy of an update, {how}"), joules, "J")
            .with_figure("standard uncertainty of the energy", uncertainty, "J");
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(rates: Option<Vec<f64>>) -> Status {
        let mut evidence = Evidence::default();
        if let Some(rates) = rates {
            evidence.note("table", ["a"]);
            evidence.keep("a", "1/s", &[rates.len()], rates);
        }
        judge(&evidence, &Profile::digital("d", "0")).status
    }

    #[test]
    fn nothing_done_is_an_error_and_nothing_measured_is_inconclusive() {
        assert_eq!(status(None), Status::Inconclusive);
        assert_eq!(status(Some(vec![0.0; REPEATS])), Status::Error);
        assert_eq!(status(Some(vec![1e6; REPEATS])), Status::Pass);
    }

    #[test]
    fn an_energy_says_where_it_comes_from() {
        for (measured, how) in [(true, "measured"), (false, "modelled")] {
            let mut evidence = Evidence::default();
            evidence.note("table", ["a"]);
            evidence.keep("a", "1/s", &[REPEATS], vec![1e6; REPEATS]);
            evidence.note(ENERGY, Energy { joules: 2e-9, uncertainty: 1e-10, measured });
            let verdict = judge(&evidence, &Profile::digital("d", "0"));
            assert!(verdict.reason.ends_with(&format!("2.00e-9 J an update, {how}")), "{}", verdict.reason);
            assert_eq!(verdict.figures.last().map(|f| f.value), Some(1e-10));
        }
    }
}
