//! `L3.memory`: memory does not grow with use.
//!
//! It proves that advances, resets, saves, and opening and closing do not make the process grow without end. After a warm-up, sixteen
//! windows of equal use follow, and then, only if it seems to grow, sixteen more as fresh evidence. It is a leak if the resident
//! set grows by at least one page in each of the last eight windows of both series, or, as where a buffer doubles or every third call leaks,
//! if it grows in two of them or more, by as many pages as there are windows, and never falls, in both series: an allocator that settles, or
//! another thread, gives pages back or stops. A leak hides in memory that the process freed before, until that is used up: what is free
//! is taken beforehand and kept till the end, and the first eight windows are left out. The smallest leak that is seen is one page over the calls of a window, which is reported. The
//! resident set comes from `/proc/self/statm`; where there is none, the law is inconclusive.

use crate::bench::{Bench, advance};
use crate::law::{Law, Verdict, always};
use crate::record::{Evidence, Level, Status};
use isoform_core::error::{ErrorKind, Result};
use isoform_core::profile::{Class, Profile};
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use std::time::Duration;

pub(super) const LAW: Law = Law {
    id: "L3.memory",
    title: "it does not grow",
    level: Level::L3,
    needs: "a system that tells the resident set of a process",
    requirement: always,
    statistical: false,
    measure,
    judge,
};

const WINDOWS: usize = 16;
/// The fewest and the most calls in a window.
const FEW: usize = 10;
const MANY: usize = 4000;
/// How long a window is to take.
const WINDOW: Duration = Duration::from_millis(400);
const PAGE: f64 = 4096.0;

/// The resident set of this process in pages.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Takes what the process has freed and not given back, in pieces of several sizes, until pieces of each come from the system.
fn ballast() -> Vec<Vec<u8>> {
    /// Bytes between two looks at the resident set, and how often it has to grow by most of them, in how many looks at the most.
    const ROUND: usize = 1 << 20;
    const GROWN: usize = 4;
    const ROUNDS: usize = 64;
    let mut kept = Vec::new();
    for size in [ROUND, ROUND >> 4, ROUND >> 8] {
        let mut grown = 0;
        for _ in 0..ROUNDS {
            let Some(before) = resident() else { return kept };
            kept.extend((0..ROUND / size).map(|_| vec![1; size]));
            let fresh = resident().unwrap_or(before) - before;
            grown = if fresh * PAGE * 4.0 >= 3.0 * ROUND as f64 { grown + 1 } else { 0 };
            if grown == GROWN {
                break;
            }
        }
    }
    kept
}

fn use_it(
    bench: &Bench<'_>,
    program: &Program,
    session: &mut Blocking,
    (x, y): (&[f32], &mut [f32]),
    calls: usize,
) -> Result<()> {
    for _ in 0..calls {
        session.advance(Signal::Dense(x), SignalMut::Dense(y), 1)?;
    }
    match session.reset() {
        // what runs on by itself is used without
        Err(e) if e.kind() == ErrorKind::Unsupported && bench.profile.class == Class::FreeRunning => {}
        other => other?,
    }
    if bench.profile.facets.memory {
        let state = session.save()?;
        session.load(&state)?;
    }
    if bench.profile.limits.realizations > 1 {
        let mut other = bench.open(program, &Run::new())?;
        other.advance(Signal::Dense(x), SignalMut::Dense(y), 1)?;
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let mut session = bench.open(&program, &Run::new())?;
    let x = bench.drive(&mut bench.chance(), program.input_channels());
    let mut y = advance(&mut session, &x, 1)?;
    // a slow substrate is used less, so that the law ends
    use_it(bench, &program, &mut session, (&x, &mut y), FEW)?;
    let start = bench.now();
    use_it(bench, &program, &mut session, (&x, &mut y), FEW)?;
    let share = WINDOW.as_secs_f64() / bench.now().saturating_sub(start).as_secs_f64().max(1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between two counts")]
    let calls = ((FEW as f64 * share) as usize).clamp(FEW, MANY);
    evidence.note("calls in a window", calls);
    let kept = ballast();
    for series in ["first", "second"] {
        for _ in 0..2 {
            use_it(bench, &program, &mut session, (&x, &mut y), calls)?;
        }
        let mut pages = Vec::with_capacity(WINDOWS + 1);
        pages.extend(resident());
        for _ in 0..WINDOWS {
            use_it(bench, &program, &mut session, (&x, &mut y), calls)?;
            pages.extend(resident());
        }
        let seems = grows(&pages);
        evidence.keep(series, "pages", &[pages.len()], pages);
        if !seems {
            break;
        }
    }
    drop(kept);
    Ok(())
}

/// Whether every window of the second half grew, or some did, by much, and none gave back.
fn grows(pages: &[f64]) -> bool {
    let last = &pages[pages.len() / 2..];
    if last.len() < 2 {
        return false;
    }
    let steps: Vec<f64> = last.iter().zip(&last[1..]).map(|(a, b)| b - a).collect();
    let steady = steps.iter().all(|step| *step >= 1.0);
    let rises = steps.iter().filter(|step| **step >= 1.0).count() > 1 && steps.iter().all(|step| *step >= 0.0);
    steady || rises && steps.iter().sum::<f64>() >= steps.len() as f64
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    let calls: f64 = evidence.fact("calls in a window").unwrap_or(1.0);
    let first = evidence.sample("first").map(|s| s.values.as_slice()).unwrap_or_default();
    if first.len() <= WINDOWS {
        return Verdict::new(Status::Inconclusive, "not measured: this system has no /proc/self/statm");
    }
    let second = evidence.sample("second").map(|s| s.values.as_slice()).unwrap_or_default();
    let leaks = grows(first) && grows(second);
    let last = if second.is_empty() { first } else { second };
    let growth = (last[last.len() - 1] - last[0]) * PAGE / (calls * WINDOWS as f64);
    let verdict = if leaks {
        Verdict::fail(format!("the process keeps growing in two series of windows, by {growth:.1} bytes a call"))
    } else {
        Verdict::pass(format!("the process does not keep growing over windows of {calls} calls"))
    };
    verdict.with_figure("growth over the last series", growth, "B per call").with_figure(
        "smallest leak that would be seen",
        PAGE / calls,
        "B per call",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(first: &[f64], second: &[f64]) -> Status {
        let mut evidence = Evidence::default();
        evidence.note("calls in a window", 100);
        evidence.keep("first", "pages", &[first.len()], first.to_vec());
        evidence.keep("second", "pages", &[second.len()], second.to_vec());
        judge(&evidence, &Profile::digital("d", "0")).status
    }

    #[test]
    fn growth_in_steps_is_a_leak_unless_it_is_given_back_or_stops() {
        let series = |grown: &dyn Fn(usize) -> f64| (0..=WINDOWS).map(|i| 100.0 + grown(i)).collect::<Vec<f64>>();
        let steps = series(&|i| 256.0 * (i / 3) as f64);
        let once = series(&|i| if i > 12 { 256.0 } else { 0.0 });
        let breathing = series(&|i| 256.0 * (i / 3) as f64 - if i == 14 { 1.0 } else { 0.0 });
        let little = series(&|i| (i / 3) as f64);
        assert_eq!(verdict(&steps, &steps), Status::Fail);
        for healthy in [once, breathing, little] {
            assert_eq!(verdict(&steps, &healthy), Status::Pass, "{healthy:?}");
        }
    }

    #[test]
    fn growth_in_every_window_of_both_series_is_a_leak() {
        let rising: Vec<f64> = (0..=WINDOWS).map(|i| 100.0 + i as f64).collect();
        let mut settled = rising.clone();
        settled[WINDOWS] = settled[WINDOWS - 1];
        assert_eq!(verdict(&rising, &rising), Status::Fail);
        assert_eq!(verdict(&rising, &settled), Status::Pass);
        assert_eq!(verdict(&settled, &[]), Status::Pass);
        assert_eq!(verdict(&[], &[]), Status::Inconclusive);
    }
}
