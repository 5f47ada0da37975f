//! `L0.cancel`: a running advance can be stopped.
//!
//! It proves that an advance with the flag raised beforehand ends after one tick at most, that an advance stopped from another thread
//! reports how many ticks were done, and that going on from there gives what an uncancelled run gives, to the bit for classes that
//! repeat themselves. Where in the block the flag is seen is not judged, since that is a matter of time.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, always, repeats};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use std::time::Duration;

pub(super) const LAW: Law = Law {
    id: "L0.cancel",
    title: "a cancelled advance returns early, and what it did counts",
    level: Level::L0,
    needs: "a program that the profile admits",
    requirement: always,
    statistical: false,
    measure,
    judge: checks::judge,
};

const TICKS: usize = 2048;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let program = bench.program()?;
    let run = || Run::new().with_seed(bench.seed);
    let x = bench.drive(&mut bench.chance(), run().input(&program, TICKS).len());
    let whole = advance(&mut bench.open(&program, &run())?, &x, TICKS)?;

    let mut session = bench.open(&program, &run())?;
    session.session().cancel().raise();
    let (mut y, done) = part(&mut session, &x, 0)?;
    evidence.note("ticks after a flag that was raised beforehand", done);
    let early = if done <= 1 { "one tick at most" } else { "more" };
    evidence.check("ticks done after the flag was raised beforehand", &["one tick at most"], early);
    session.session().cancel().lower();
    y.extend(rest(&mut session, &x, done)?);
    if repeats(bench.profile.class) {
        evidence.twins("going on after a cancelled advance", ["cancelled at once", "uncancelled"], [&y, &whole]);
    }
    drop(session);

    let mut session = bench.open(&program, &run())?;
    let flag = session.session().cancel();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_micros(100));
        flag.raise();
    });
    let (mut y, done) = part(&mut session, &x, 0)?;
    // a thread that only sleeps and sets a flag does not panic
    let _ = stopper.join();
    evidence.note("ticks until another thread stopped it", done);
    session.session().cancel().lower();
    y.extend(rest(&mut session, &x, done)?);
    if repeats(bench.profile.class) {
        evidence.twins("going on after another thread stopped it", ["stopped", "uncancelled"], [&y, &whole]);
    }
    Ok(())
}

/// Advances from a tick to the end or until cancelled; gives the output of the ticks done.
fn part(session: &mut Blocking, x: &[f32], from: usize) -> Result<(Vec<f32>, usize)> {
    let (row, width) = (x.len() / TICKS, {
        let s = session.session();
        s.run().output(s.program(), 1).len()
    });
    let ticks = TICKS - from;
    let mut y = vec![0.0; ticks * width];
    let done = session.advance(Signal::Dense(&x[from * row..]), SignalMut::Dense(&mut y), ticks)?.ticks;
    y.truncate(done * width);
    Ok((y, done))
}

fn rest(session: &mut Blocking, x: &[f32], from: usize) -> Result<Vec<f32>> {
    if from >= TICKS { Ok(Vec::new()) } else { advance(session, &x[from * (x.len() / TICKS)..], TICKS - from) }
}
