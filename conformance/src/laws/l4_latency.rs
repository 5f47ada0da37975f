//! `L4.latency`: the time of an advance by one tick.
//!
//! It reports the median and the 99th percentile with their 95 % intervals by order statistics (the ranks `np ± 1.96 √(np(1-p))`, which
//! assume no distribution), the jitter as the distance between the two, and the longest. It is a measurement: it passes once there
//! are enough samples, and is held against no constant.

use crate::bench::Bench;
use crate::law::{Law, Verdict, always};
use crate::output::plot::{Plot, Quantile};
use crate::output::spell;
use crate::quantile::{Interval, quantile};
use crate::record::{Evidence, Level, Status};
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

/// Calls to a device that takes more than a millisecond; the interval of a 99th percentile needs some 580.
const FEW: usize = 1000;
/// Calls to a device that is faster.
const MANY: usize = 5000;

pub(super) const LAW: Law = Law {
    id: "L4.latency",
    title: "what one tick costs, from call to answer",
    level: Level::L4,
    needs: "a clock",
    requirement: always,
    statistical: false,
    measure,
    judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let mut session = bench.open(&program, &Run::new())?;
    let x = bench.drive(&mut bench.chance(), program.input_channels());
    let mut y = vec![0.0; program.output_channels()];
    let mut call = |keep: Option<&mut Vec<f64>>| -> Result<()> {
        let start = bench.now();
        session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1)?;
        if let Some(keep) = keep {
            keep.push(bench.now().saturating_sub(start).as_secs_f64());
        }
        Ok(())
    };
    let start = bench.now();
    (0..20).try_for_each(|_| call(None))?;
    let calls = if bench.now().saturating_sub(start).as_millis() > 20 { FEW } else { MANY };
    let mut seconds = Vec::with_capacity(calls);
    (0..calls).try_for_each(|_| call(Some(&mut seconds)))?;
    let quantiles =
        [0.5, 0.99].into_iter().filter_map(|p| quantile(&seconds, p).map(|i| Quantile::new(p, i.value, i.low, i.high)));
    let quantiles = quantiles.collect();
    evidence.keep("one tick", "s", &[seconds.len()], seconds);
    Plot::latency("Time of an advance by one tick", &["one tick"], quantiles).attach(evidence);
    Ok(())
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    let seconds = evidence.sample("one tick").map(|s| s.values.as_slice()).unwrap_or_default();
    if seconds.iter().any(|s| !(s.is_finite() && *s >= 0.0)) {
        return Verdict::error("a duration is negative or no number");
    }
    let (Some(half), Some(most)) = (quantile(seconds, 0.5), quantile(seconds, 0.99)) else {
        return Verdict::new(Status::Inconclusive, format!("{} calls are too few for a 99th percentile", seconds.len()));
    };
    let say = |i: Interval| format!("{} ({} to {})", spell(i.value, "s"), spell(i.low, "s"), spell(i.high, "s"));
    let longest = seconds.iter().copied().fold(0.0, f64::max);
    Verdict::pass(format!("median {}, 99th percentile {}", say(half), say(most)))
        .with_figure("median", half.value, "s")
        .with_figure("median, lower end at 95 %", half.low, "s")
        .with_figure("median, upper end at 95 %", half.high, "s")
        .with_figure("99th percentile", most.value, "s")
        .with_figure("99th percentile, lower end at 95 %", most.low, "s")
        .with_figure("99th percentile, upper end at 95 %", most.high, "s")
        .with_figure("jitter: 99th percentile over median", most.value - half.value, "s")
        .with_figure("longest", longest, "s")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(seconds: Vec<f64>) -> Status {
        let mut evidence = Evidence::default();
        evidence.keep("one tick", "s", &[seconds.len()], seconds);
        judge(&evidence, &Profile::digital("d", "0")).status
    }

    #[test]
    fn too_few_calls_are_inconclusive_and_broken_clocks_an_error() {
        assert_eq!(status(vec![1e-6; 50]), Status::Inconclusive);
        assert_eq!(status(vec![1e-6; FEW]), Status::Pass);
        assert_eq!(status(vec![1e-6; MANY]), Status::Pass);
        assert_eq!(status([vec![1e-6; 2000], vec![f64::NAN]].concat()), Status::Error);
    }
}
