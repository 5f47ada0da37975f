//! `L3.clock`: the time of what runs on passes as its ticks do.
//!
//! A program says when its samples are by the length of a tick. A device that tells a time of its own has to agree: so many ticks take so many times
//! `dt`, but for one tick by which the ends of an advance may be seen early or late, and the nanosecond in which times are told. No
//! profile declares more. Samples that were lost are no time that is missing: they are counted, and told.

use crate::bench::{Bench, narrow};
use crate::law::{Law, Verdict, if_running_has_it};
use crate::output::spell;
use crate::record::{Evidence, Level, Status};
use crate::units::counted;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;

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
    let [low, high] = bench.span();
    let still = vec![narrow(0.0_f64.clamp(low, high), low, high); program.input_channels() * TICKS];
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
    let (due, slack) = (TICKS as f64 * dt, dt + GRAIN);
    // what is no number is within nothing
    let off = |time: f64| if time.is_finite() { (time - due).abs() } else { f64::INFINITY };
    let worst = told.values.iter().copied().max_by(|a, b| off(*a).total_cmp(&off(*b)));
    let verdict = match worst {
        None => Verdict::new(Status::NotClaimed, format!("the device tells no time of its own; {losses}")),
        Some(time) if off(time) <= slack => {
            Verdict::pass(format!("{TICKS} ticks take {} by the device's clock, to a tick; {losses}", spell(due, "s")))
        }
        Some(time) => Verdict::fail(format!(
            "{TICKS} ticks take {} by the device's clock, and not {}; {losses}",
            spell(time, "s"),
            spell(due, "s")
        )),
    };
    let verdict = match worst {
        Some(time) => verdict.with_limit("largest difference of an advance to its ticks", off(time), "s", slack),
        None => verdict,
    };
    verdict.with_figure("samples that were lost", lost as f64, "1")
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
    fn what_was_lost_is_told_whatever_the_clock() {
        assert!(verdict(&[0.2], 3).reason.ends_with("3 samples were lost"));
        let silent = verdict(&[], 1);
        assert_eq!(silent.status, Status::NotClaimed);
        assert!(silent.reason.ends_with("1 sample was lost"), "{}", silent.reason);
    }
}
