//! `L3.clock`: the time of what runs on passes as its ticks do.
//!
//! A program says when its samples are by the length of a tick. A device that tells a time of its own has to agree: so many ticks take so many times
//! `dt`, but for one tick by which the ends of an advance may be seen early or late, and the nanosecond in which times are told. So do all
//! advances together, for each begins where the one before it ended: a tick early at one end is a tick late at the other, and only a rate that is
//! wrong adds up. Where samples were lost between two of them they do not meet, and have ends of their own. No profile declares more. Samples that
//! were lost are no time that is missing: they are counted, and told.

use crate::bench::Bench;
use crate::law::{Law, Verdict, if_running_has_it};
use crate::output::spell;
use crate::record::{Evidence, Level, Status};
use crate::units::counted;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use std::fmt;

pub(super) const LAW: Law = Law {
    id: "L3.clock",
    title: "the time of what runs on passes as its ticks do",
    level: Level::L3,
    needs: "a class that runs on, and a device that tells its time",
    requirement: if_running_has_it,
    statistical: false,
    measure,
    judge,
};

/// Ticks of an advance, of which one is a two-hundredth.
const TICKS: usize = 200;
/// Advances.
const TIMES: usize = 10;
/// Seconds in which times are told.
const GRAIN: f64 = 1e-9;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    if let Ok(medium) = bench.medium()
        && let Some(why) = bench.unaffordable(TIMES * TICKS, &medium)
    {
        evidence.note("not tried", why);
        return Ok(());
    }
    let program = bench.program()?;
    let mut session = bench.open(&program, &Run::new().with_seed(bench.seed))?;
    let still = bench.quiet(program.input_channels() * TICKS);
    let mut y = vec![0.0; program.output_channels() * TICKS];
    let (mut told, mut total) = (Vec::new(), Report::default());
    for _ in 0..TIMES {
        let report = session.advance(Signal::Dense(&still), SignalMut::Dense(&mut y), TICKS)?;
        if report.ticks != TICKS {
            return Err(Error::fault(format!("an advance of {TICKS} ticks that nobody cancelled reports {}", report.ticks)));
        }
        told.extend(report.device.map(|time| time.as_secs_f64()));
        total.add(&report);
    }
    evidence.note("seconds of a tick", program.semantics().dt);
    evidence.note("lost", total.lost);
    evidence.keep("time of an advance", "s", &[told.len()], told);
    Ok(())
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    if let Some(why) = evidence.fact::<String>("not tried") {
        return Verdict::new(Status::Inconclusive, why);
    }
    let (Some(told), Some(dt)) = (evidence.sample("time of an advance"), evidence.fact::<f64>("seconds of a tick")) else {
        return Verdict::error("the times of advances are missing");
    };
    let lost: usize = evidence.fact("lost").unwrap_or_default();
    let losses = match lost {
        0 => String::from("no sample was lost"),
        lost => counted(lost, "sample", ["was lost", "were lost"]),
    };
    let worst = told.values.iter().map(|&time| Span { time, due: TICKS as f64 * dt }).max_by(|a, b| a.off().total_cmp(&b.off()));
    let Some(worst) = worst else {
        return Verdict::new(Status::NotClaimed, format!("the device tells no time of its own; {losses}"))
            .with_figure("samples that were lost", lost as f64, "1");
    };
    let advances = told.values.len();
    let ticks = advances * TICKS;
    let whole = Span { time: told.values.iter().sum(), due: ticks as f64 * dt };
    // a sample that was lost may lie in one gap; times are told once an advance
    let ends = 1 + lost.min(advances - 1);
    let (slack, slack_of_all) = (dt + GRAIN, ends as f64 * dt + advances as f64 * GRAIN);
    let verdict = match (worst.off() <= slack, whole.off() <= slack_of_all) {
        (true, true) => {
            let within = if ends == 1 { String::from("a tick") } else { format!("{ends} ticks") };
            Verdict::pass(format!("{ticks} ticks take {} by the device's clock, to {within}; {losses}", spell(whole.due, "s")))
        }
        (false, _) => Verdict::fail(format!("{TICKS} ticks take {worst}; {losses}")),
        (true, false) => Verdict::fail(format!("{ticks} ticks take {whole}; {losses}")),
    };
    verdict
        .with_limit("largest difference of an advance to its ticks", worst.off(), "s", slack)
        .with_limit("difference of all advances to their ticks", whole.off(), "s", slack_of_all)
        .with_figure("samples that were lost", lost as f64, "1")
}

/// Seconds that a device told of ticks, and those that they are due to take.
struct Span {
    time: f64,
    due: f64,
}

impl Span {
    /// Seconds between both; what is no number is within nothing.
    fn off(&self) -> f64 {
        if self.time.is_finite() { (self.time - self.due).abs() } else { f64::INFINITY }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.time < self.due { "less" } else { "more" };
        let [off, due] = [self.off(), self.due].map(|seconds| spell(seconds, "s"));
        write!(f, "{off} {by} than {due} by the device's clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(times: &[f64], lost: u64) -> Verdict {
        let mut evidence = Evidence::default();
        evidence.note("seconds of a tick", 1e-3);
        evidence.note("lost", lost);
        evidence.keep("time of an advance", "s", &[times.len()], times.to_vec());
        judge(&evidence, &Profile::digital("d", "0"))
    }

    #[test]
    fn a_clock_may_be_a_tick_off_and_no_more() {
        let status = |time: f64| verdict(&[0.2, time, 0.2], 0).status;
        assert_eq!([0.2, 0.201, 0.199].map(status), [Status::Pass; 3]);
        assert_eq!([0.22, 0.18, 0.0, f64::NAN].map(status), [Status::Fail; 4]);
    }

    #[test]
    fn a_clock_that_is_wrong_by_less_than_a_tick_an_advance_adds_up() {
        let of = |rate: f64| verdict(&[0.2 * rate; TIMES], 0);
        assert_eq!([1.0, 1.0004, 0.9996].map(|rate| of(rate).status), [Status::Pass; 3]);
        assert_eq!([1.005, 0.9951, 1.0006, 0.9994].map(|rate| of(rate).status), [Status::Fail; 4]);
        assert_eq!(of(1.005).reason, "2000 ticks take 10 ms more than 2 s by the device's clock; no sample was lost");
        // the ends of advances may be seen early and late in turns
        let turns: Vec<f64> = (0..TIMES).map(|k| if k % 2 == 0 { 0.201 } else { 0.199 }).collect();
        assert_eq!(verdict(&turns, 0).status, Status::Pass);
        assert_eq!(verdict(&turns, 0).reason, "2000 ticks take 2 s by the device's clock, to a tick; no sample was lost");
        // two gaps: 1.2 ticks in ten advances may be those of three ends
        assert_eq!([0, 2].map(|lost| verdict(&[0.20012; TIMES], lost).status), [Status::Fail, Status::Pass]);
    }

    #[test]
    fn what_was_lost_is_told_whatever_the_clock() {
        assert!(verdict(&[0.2], 3).reason.ends_with("3 samples were lost"));
        let silent = verdict(&[], 1);
        assert_eq!(silent.status, Status::NotClaimed);
        assert!(silent.reason.ends_with("1 sample was lost"), "{}", silent.reason);
    }
}
